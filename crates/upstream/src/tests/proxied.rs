//! Requests through a proxy: a tunnel for https, whole URLs for http, and the proxy's own failures.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use tidegate_core::{Fault, Secret};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::server::{Identity, OK, Scripted, get, listen, local_settings, nobody, read_request, soon};
use crate::{Egress, EgressSettings, ProxyEnv, SendErrorKind};

/// A client with a proxy for everything, a closed address policy, and a resolver that knows nothing.
fn through(proxy: &str, trusted: Option<&Identity>) -> (Egress, Arc<Scripted>) {
    let resolver = Scripted::new(&[]);
    let settings = EgressSettings {
        proxy: ProxyEnv { all_proxy: Some(Secret::from(proxy)), ..Default::default() },
        extra_ca_pem: trusted.map(|identity| identity.pem.clone()),
        resolver: resolver.clone(),
        ..Default::default()
    };
    (Egress::new(settings).unwrap(), resolver)
}

/// Answers one CONNECT with 200 and ties the connection to `target`; sends on what it was asked.
async fn tunnel<S>(mut stream: S, target: SocketAddr, seen: mpsc::UnboundedSender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (head, _) = read_request(&mut stream).await.unwrap();
    seen.send(head).unwrap();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let mut upstream = TcpStream::connect(target).await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
}

async fn https_upstream(identity: &Identity) -> SocketAddr {
    identity
        .listen(|_, mut stream| async move {
            while read_request(&mut stream).await.is_some() {
                stream.write_all(OK.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
        })
        .await
}

#[tokio::test]
async fn https_goes_through_a_tunnel_with_the_name_left_to_the_proxy() {
    let identity = Identity::of("api.example", &[]);
    let target = https_upstream(&identity).await;
    let (seen, mut heads) = mpsc::unbounded_channel();
    let proxy = listen(move |_, stream| tunnel(stream, target, seen.clone())).await;
    let (client, resolver) = through(&format!("http://user:pass@{proxy}"), Some(&identity));
    for _ in 0..2 {
        let answer = soon(client.send(get("https://api.example/v1"), None)).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
    let expected = "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\
                    Proxy-Authorization: Basic dXNlcjpwYXNz\r\n\r\n";
    assert_eq!(heads.recv().await.as_deref(), Some(expected));
    assert!(heads.try_recv().is_err(), "the tunnel is kept for the second request");
    assert_eq!(resolver.asked(), 0);
}

#[tokio::test]
async fn http_goes_with_its_whole_url() {
    let (seen, mut heads) = mpsc::unbounded_channel();
    let proxy = listen(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            while let Some((head, _)) = read_request(&mut stream).await {
                seen.send(head).unwrap();
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let (client, resolver) = through(&format!("user:pass@{proxy}"), None);
    let answer = soon(client.send(get("http://api.example:8080/v1?a=b"), None)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    let head = heads.recv().await.unwrap();
    assert!(head.starts_with("GET http://api.example:8080/v1?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("host: api.example:8080\r\n"), "{head}");
    assert!(head.contains("proxy-authorization: Basic dXNlcjpwYXNz\r\n"), "{head}");
    assert_eq!(resolver.asked(), 0);
}

#[tokio::test]
async fn a_proxy_may_be_behind_tls_itself() {
    let upstream = Identity::of("api.example", &[]);
    let target = https_upstream(&upstream).await;
    // Offers HTTP/2, which a proxy must not be asked for.
    let proxy_identity = Identity::of("127.0.0.1", &["h2", "http/1.1"]);
    let (seen, mut heads) = mpsc::unbounded_channel();
    let proxy = proxy_identity.listen(move |_, stream| tunnel(stream, target, seen.clone())).await;
    let settings = EgressSettings {
        proxy: ProxyEnv { https_proxy: Some(Secret::from(format!("https://{proxy}"))), ..Default::default() },
        extra_ca_pem: Some([upstream.pem.as_slice(), &proxy_identity.pem].concat()),
        ..Default::default()
    };
    let client = Egress::new(settings).unwrap();
    let answer = soon(client.send(get("https://api.example/"), None)).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    assert!(heads.recv().await.unwrap().starts_with("CONNECT api.example:443 "));
}

#[tokio::test]
async fn a_proxy_that_fails_is_the_gateways_fault_and_its_place_is_not_told() {
    let answers = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answered 407"),
        ("HTTP/1.1 200 OK\r\n\r\nhello", "sent bytes of its own"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "answered what is not HTTP"),
        ("HTTP/1.1 200 OK\r\n", "closed the connection"),
    ];
    for (answer, part) in answers {
        let proxy = listen(move |_, mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let (client, _) = through(&format!("http://user:hunter2@{proxy}"), None);
        let error = soon(client.send(get("https://api.example/"), None)).await.unwrap_err();
        assert_eq!((error.kind, error.fault()), (SendErrorKind::Proxy, Fault::Gateway), "{error}");
        assert!(error.to_string().contains(part), "{error}");
        for hidden in ["hunter2", "127.0.0.1"] {
            assert!(!error.to_string().contains(hidden), "{error}");
        }
    }
}

#[tokio::test]
async fn an_endless_answer_to_connect_is_refused() {
    let proxy = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
    })
    .await;
    let (client, _) = through(&format!("http://{proxy}"), None);
    let error = soon(client.send(get("https://api.example/"), None)).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Proxy);
    assert!(error.to_string().contains("too large a head"), "{error}");
}

#[tokio::test]
async fn a_proxy_out_of_reach_is_a_proxy_failure() {
    let proxy = nobody().await;
    let (client, _) = through(&format!("http://{proxy}"), None);
    for url in ["http://api.example/", "https://api.example/"] {
        let error = soon(client.send(get(url), None)).await.unwrap_err();
        assert_eq!((error.kind, error.fault()), (SendErrorKind::Proxy, Fault::Gateway));
        assert_eq!(error.to_string(), "the outbound proxy cannot be reached (connect_refused)");
        assert!(error.is_safe_to_retry());
    }
}

#[tokio::test]
async fn targets_that_need_no_resolver_are_judged_before_the_proxy_is_asked() {
    let proxy = nobody().await;
    let (client, _) = through(&format!("http://{proxy}"), None);
    for host in ["10.0.0.1", "[fd00::1]", "169.254.169.254", "0xa9fea9fe", "metadata.google.internal"] {
        for scheme in ["http", "https"] {
            let error = soon(client.send(get(format!("{scheme}://{host}/")), None)).await.unwrap_err();
            assert_eq!(error.kind, SendErrorKind::Blocked, "{scheme}://{host}: {error}");
        }
    }
}

#[test]
fn debug_output_shows_no_password() {
    let all_proxy = Some(Secret::from("http://user:hunter2@proxy.example"));
    let proxy = ProxyEnv { all_proxy, ..Default::default() };
    let settings = EgressSettings { proxy, ..Default::default() };
    let shown = format!("{settings:?} {:?}", Egress::new(settings.clone()).unwrap());
    assert!(shown.contains("Secret(***)"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn exceptions_are_reached_directly() {
    let upstream = super::server::answering(OK).await;
    let settings = EgressSettings {
        proxy: ProxyEnv {
            all_proxy: Some(Secret::from(format!("http://{}", nobody().await))),
            no_proxy: Some("direct.example".into()),
            ..Default::default()
        },
        resolver: Scripted::new(&[&["127.0.0.1"]]),
        ..local_settings()
    };
    let client = Egress::new(settings).unwrap();
    let url = format!("http://direct.example:{}/", upstream.port());
    assert!(soon(client.send(get(url), None)).await.is_ok());
}
