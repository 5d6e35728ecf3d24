//! Every kind of failure, made by a server that misbehaves that way.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use socket2::SockRef;
use tidegate_core::Fault;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::server::{OK, Pieces, Scripted, answering, get, listen, local_client, local_settings, nobody};
use super::server::{read_request, soon};
use crate::{Egress, EgressSettings, OutBody, SendError, SendErrorKind};

/// The failure of a request with a query that must not show, which has to be counted and name its target.
async fn failure(client: &Egress, url: &str) -> SendError {
    let error = soon(client.send(get(format!("{url}?key=hunter2")), None)).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(client.stats().failed(error.kind), 1, "{error}");
    error
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let address = nobody().await;
    let error = failure(&local_client(), &format!("http://{address}/")).await;
    assert_eq!(error.kind, SendErrorKind::ConnectRefused);
    assert_eq!(error.to_string(), format!("{address} refused the connection"));
    assert!(error.is_safe_to_retry());
    assert_eq!(error.fault(), Fault::Provider);
}

#[tokio::test]
async fn a_reset_after_the_request_is_not_safe_to_repeat() {
    let address = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    })
    .await;
    let error = failure(&local_client(), &format!("http://{address}/")).await;
    assert_eq!(error.kind, SendErrorKind::ResetBeforeHeaders);
    assert!(!error.is_safe_to_retry());
    assert_eq!(error.fault(), Fault::Provider);
}

#[tokio::test]
async fn a_close_before_or_within_the_head_is_closed() {
    for head in ["", "HTTP/1.1 200 OK\r\ncontent-le"] {
        let address = listen(move |_, mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
        })
        .await;
        let error = failure(&local_client(), &format!("http://{address}/")).await;
        assert_eq!(error.kind, SendErrorKind::Closed, "{head:?}");
        assert!(!error.is_safe_to_retry());
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_bad_response() {
    let heads = [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 two hundred\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ];
    for head in heads {
        let address = answering(head).await;
        let error = failure(&local_client(), &format!("http://{address}/")).await;
        assert_eq!(error.kind, SendErrorKind::BadResponse, "{head:?}");
        assert_eq!(error.fault(), Fault::Provider);
    }
}

#[tokio::test]
async fn an_endless_head_is_a_bad_response() {
    let address = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-padding: ").await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    })
    .await;
    let error = failure(&local_client(), &format!("http://{address}/")).await;
    assert_eq!(error.kind, SendErrorKind::BadResponse);
}

#[tokio::test]
async fn an_unknown_name_is_dns() {
    let resolver = Scripted::new(&[&[]]);
    let client = Egress::new(EgressSettings { resolver: resolver.clone(), ..local_settings() }).unwrap();
    let error = failure(&client, "http://nowhere.example/").await;
    assert_eq!(error.kind, SendErrorKind::Dns);
    assert_eq!(error.to_string(), "the host name nowhere.example cannot be resolved");
    let error = client.send(get("http://nowhere.example/"), None).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Dns, "an empty answer and no answer are the same");
}

#[tokio::test]
async fn a_handshake_that_hangs_is_a_connect_timeout_of_the_request_or_the_settings() {
    let address = listen(|_, mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let url = format!("https://{address}/");
    let short = Duration::from_millis(20);
    let quick = Egress::new(EgressSettings { connect_timeout: short, ..local_settings() }).unwrap();
    let of_settings = failure(&quick, &url).await;
    let of_request = soon(local_client().send(get(&url), Some(short))).await.unwrap_err();
    for error in [of_settings, of_request] {
        assert_eq!(error.kind, SendErrorKind::ConnectTimeout);
        assert!(error.is_safe_to_retry());
    }
}

#[tokio::test]
async fn waiting_for_an_answer_is_not_connecting() {
    let (answer_now, mut told) = mpsc::unbounded_channel::<()>();
    let (accepted, mut connected) = mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_request(&mut stream).await;
        accepted.send(()).unwrap();
        told.recv().await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    });
    let client = local_client();
    let timeout = Duration::from_secs(1);
    let sending =
        tokio::spawn(async move { client.send(get(format!("http://{address}/")), Some(timeout)).await });
    soon(connected.recv()).await.unwrap();
    tokio::time::pause();
    tokio::time::advance(timeout * 100).await;
    answer_now.send(()).unwrap();
    assert!(sending.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_port_without_tls_and_a_close_in_the_handshake_are_tls_failures() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", ""] {
        let address = listen(move |_, mut stream| async move {
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.unwrap();
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let error = failure(&local_client(), &format!("https://{address}/")).await;
        assert_eq!(error.kind, SendErrorKind::Tls, "{error}");
        assert!(error.is_safe_to_retry());
        if !answer.is_empty() {
            assert_eq!(error.to_string(), format!("{address} does not answer in TLS"));
        }
    }
}

#[tokio::test]
async fn a_body_that_fails_is_the_callers() {
    let address = listen(|_, mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (sender, pieces) = mpsc::unbounded_channel();
    sender.send(Ok(Bytes::from_static(b"half"))).unwrap();
    sender.send(Err(io::Error::from(io::ErrorKind::ConnectionReset))).unwrap();
    let request = Request::post(format!("http://{address}/")).body(OutBody::stream(Pieces(pieces))).unwrap();
    let error = soon(local_client().send(request, None)).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::RequestBody, "{error}");
    assert_eq!(error.fault(), Fault::Caller);
    assert!(!error.is_safe_to_retry());
}

#[tokio::test]
async fn a_url_that_cannot_be_sent_to_is_refused_and_counted() {
    let client = local_client();
    let error = client.send(get("ftp://api.example/"), None).await.unwrap_err();
    assert_eq!((error.kind, error.fault()), (SendErrorKind::InvalidRequest, Fault::Caller));
    let connect = Request::connect("http://api.example/").body(OutBody::empty()).unwrap();
    let error = client.send(connect, None).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::InvalidRequest);
    assert_eq!(client.stats().failed(SendErrorKind::InvalidRequest), 2);
    assert_eq!(client.stats().connections_opened, 0);
}
