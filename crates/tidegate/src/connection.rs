//! One client connection: HTTP/1.1 in front of the pipeline, until the client leaves or the gateway drains.

use std::sync::Arc;
use std::time::Duration;

use tidegate_gateway::{Gateway, pipeline, unreadable};
use tidegate_http1::server::{self, Limits};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How long a connection may wait for a request's head, kept-alive ones included: longer than balancers keep theirs (60 to
/// 90 s), so that they close first and never send a request into a closing connection.
const HEAD_PATIENCE: Duration = Duration::from_secs(120);

/// How connections are read, from the settings.
pub fn limits(max_header_bytes: u64) -> Limits {
    let max_head_bytes = usize::try_from(max_header_bytes).unwrap_or(usize::MAX).clamp(8 * 1024, 1024 * 1024);
    Limits { max_head_bytes, head_patience: HEAD_PATIENCE }
}

pub async fn serve(
    stream: TcpStream,
    limits: Limits,
    gateway: Arc<Gateway>,
    draining: watch::Receiver<bool>,
) {
    let _open = Open::new(&gateway);
    // A connection without an address is one that is over.
    let Ok(peer) = stream.peer_addr() else { return };
    let service = |request| pipeline::serve(gateway.clone(), peer.ip(), request);
    server::serve(stream, limits, draining, service, |bad| unreadable(&gateway, bad)).await;
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
