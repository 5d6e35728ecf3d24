//! A mail server that takes what it is told to take, over a real socket, with STARTTLS if it has a certificate.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;

/// A mail as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub data: String,
    /// What `AUTH` was given.
    pub auth: Option<String>,
    pub encrypted: bool,
}

#[derive(Default)]
pub struct Manners {
    pub tls: Option<TlsAcceptor>,
    /// TLS from the first byte.
    pub wrapped: bool,
    /// Recipients that are refused for good.
    pub refused: Vec<&'static str>,
    /// So many mails are put off (451) before one is taken.
    pub put_off: usize,
}

pub struct Smtp {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    accepting: AbortHandle,
}

struct Shared {
    manners: Manners,
    put_off: Mutex<usize>,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Smtp {
    pub async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let put_off = Mutex::new(manners.put_off);
        let shared = Arc::new(Shared { manners, put_off, mails: Arc::clone(&mails) });
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, mails, accepting: accepting.abort_handle() }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap().clone()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// How a conversation went on.
enum Ended {
    StartTls,
    Quit,
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    match shared.manners.tls.clone().filter(|_| shared.manners.wrapped) {
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                let _ = talk(BufReader::new(stream), &shared, true, true).await;
            }
        }
        None => {
            let mut stream = BufReader::new(stream);
            if let Ok(Ended::StartTls) = talk(&mut stream, &shared, false, true).await
                && let Some(tls) = &shared.manners.tls
                && let Ok(stream) = tls.accept(stream.into_inner()).await
            {
                let _ = talk(BufReader::new(stream), &shared, true, false).await;
            }
        }
    }
}

async fn talk<S>(mut stream: S, shared: &Shared, encrypted: bool, greet: bool) -> std::io::Result<Ended>
where
    S: AsyncBufRead + AsyncRead + AsyncWrite + Unpin,
{
    if greet {
        stream.write_all(b"220 fake\r\n").await?;
    }
    let mut mail = Mail { encrypted, ..Mail::default() };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(Ended::Quit);
        }
        let line = line.trim_end();
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let inside = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let answer = match word.as_str() {
            "EHLO" if shared.manners.tls.is_some() && !encrypted => "250-fake\r\n250 STARTTLS\r\n",
            "EHLO" => "250-fake\r\n250 AUTH PLAIN LOGIN\r\n",
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n").await?;
                return Ok(Ended::StartTls);
            }
            "AUTH" => {
                mail.auth = Some(line.to_owned());
                "235 fine\r\n"
            }
            "MAIL" => {
                mail.from = inside();
                "250 fine\r\n"
            }
            "RCPT" if shared.manners.refused.contains(&inside().as_str()) => "550 no such person\r\n",
            "RCPT" => {
                mail.to = inside();
                "250 fine\r\n"
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.data = data(&mut stream).await?;
                taken(shared, &mail)
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(Ended::Quit);
            }
            _ => "250 fine\r\n",
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

async fn data<S: AsyncBufRead + Unpin>(stream: &mut S) -> std::io::Result<String> {
    let mut text = String::new();
    while !text.ends_with("\r\n.\r\n") {
        if stream.read_line(&mut text).await? == 0 {
            break;
        }
    }
    Ok(text)
}

fn taken(shared: &Shared, mail: &Mail) -> &'static str {
    let mut put_off = shared.put_off.lock().unwrap();
    if *put_off > 0 {
        *put_off -= 1;
        return "451 later\r\n";
    }
    shared.mails.lock().unwrap().push(mail.clone());
    "250 taken\r\n"
}
