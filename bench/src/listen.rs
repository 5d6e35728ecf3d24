//! An accept loop for HTTP/1.1, with TCP_NODELAY on each connection.

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::sleep;

/// Serves `answer` on a port of 127.0.0.1 until the process ends. Says so in one line on standard output once it listens.
///
/// # Errors
/// The port cannot be had.
pub async fn serve<F, A, B>(port: u16, answer: F) -> Result<(), Box<dyn Error>>
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<B>> + Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    announce(&listener)?;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors, most likely. Clients that get none are missed in the counts.
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        if stream.set_nodelay(true).is_err() {
            continue; // gone already
        }
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let answer = answer(request);
                async { Ok::<_, Infallible>(answer.await) }
            });
            // A client that goes away in the middle is no event here.
            let _gone = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[expect(clippy::print_stdout, reason = "the line that run.py waits for")]
fn announce(listener: &TcpListener) -> Result<(), Box<dyn Error>> {
    println!("listening on {}", listener.local_addr()?);
    Ok(())
}
