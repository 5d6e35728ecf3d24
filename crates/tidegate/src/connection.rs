//! One client connection: HTTP/1.1 in front of the pipeline, until the client leaves or the gateway drains.

use std::future::{Future as _, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tidegate_gateway::{Gateway, pipeline};
use tidegate_upstream::gather;
use tidegate_upstream::unheard::Listening;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How long a connection may wait for a request's head, kept-alive ones included: longer than balancers keep theirs (60 to
/// 90 s), so that they close first and never send a request into a closing connection.
const HEAD_PATIENCE: Duration = Duration::from_secs(120);

/// How connections are read, from the settings.
pub fn builder(max_header_bytes: u64) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        // hyper refuses heads beyond it with 431, and reads bodies in pieces of at most this size.
        .max_buf_size(usize::try_from(max_header_bytes).unwrap_or(usize::MAX).clamp(8 * 1024, 1024 * 1024));
    builder
}

pub async fn serve(
    stream: TcpStream,
    builder: http1::Builder,
    gateway: Arc<Gateway>,
    mut draining: watch::Receiver<bool>,
) {
    let _open = Open::new(&gateway);
    let service = {
        let gateway = gateway.clone();
        service_fn(move |request| pipeline::serve(gateway.clone(), request))
    };
    let mut connection = Listening::new(builder.serve_connection(ClientIo(TokioIo::new(stream)), service));
    let mut drained = pin!(draining.wait_for(|draining| *draining));
    // A connection's own errors (resets, bad heads) are the client's; the pipeline has recorded what it began.
    let mut asked = false;
    let served = poll_fn(|cx| {
        if Pin::new(&mut connection).poll(cx).is_ready() {
            return Poll::Ready(true);
        }
        // Asked once to be told, and then only when there is something to tell: most polls are about bytes.
        if asked && !gateway.is_draining() {
            return Poll::Pending;
        }
        asked = true;
        drained.as_mut().poll(cx).map(|_| false)
    });
    if !served.await {
        connection.get().graceful_shutdown();
        let _ = connection.await;
    }
}

/// A client's socket, which takes small answers in one piece.
struct ClientIo(TokioIo<TcpStream>);

impl Read for ClientIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buf)
    }
}

impl Write for ClientIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        gather::poll_write(self.get_mut().0.inner_mut(), cx, bufs)
    }
}

/// Counts a connection for as long as it lives, however it ends.
struct Open(Arc<Gateway>);

impl Open {
    fn new(gateway: &Arc<Gateway>) -> Self {
        gateway.metrics.open_connections.inc();
        Self(gateway.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.metrics.open_connections.dec();
    }
}

/// Tells a client beyond the limit why it is not served.
pub async fn refuse(mut stream: TcpStream) {
    const BUSY: &str = concat!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n",
        "content-length: 165\r\n\r\n",
        r#"{"status":"failure","message":"too many connections","error":{"message":"too many connections","type":"service_unavailable_error","param":null,"code":"connections"}}"#,
    );
    let told = async {
        stream.write_all(BUSY.as_bytes()).await?;
        // Unread bytes at the close would reset the connection before the client has read the answer.
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), told).await;
}
