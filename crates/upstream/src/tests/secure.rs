//! TLS with certificates made for the test, and HTTP/2 over it.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::server::{Identity, OK, Pieces, get, local_settings, read_request, soon};
use crate::{Egress, EgressSettings, OutBody, SendErrorKind};

const BOTH: &[&str] = &["h2", "http/1.1"];

fn trusting(identity: &Identity) -> EgressSettings {
    EgressSettings { extra_ca_pem: Some(identity.pem.clone()), http2: true, ..local_settings() }
}

/// Answers HTTP/2 requests: `/echo` with the body, `/stream` with one piece and no end (telling `dropped` when the
/// stream is given up), anything else with `ok`.
async fn h2_server(identity: &Identity, dropped: mpsc::UnboundedSender<()>) -> SocketAddr {
    identity
        .listen(move |_, stream| {
            let dropped = dropped.clone();
            async move {
                let service = service_fn(move |request| h2_answer(request, dropped.clone()));
                let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            }
        })
        .await
}

async fn h2_answer(
    request: Request<Incoming>,
    dropped: mpsc::UnboundedSender<()>,
) -> Result<Response<OutBody>, Infallible> {
    let body = match request.uri().path() {
        "/echo" => match request.into_body().collect().await {
            Ok(body) => OutBody::full(body.to_bytes()),
            Err(_) => OutBody::empty(),
        },
        "/stream" => {
            let (sender, pieces) = mpsc::unbounded_channel();
            sender.send(Ok(Bytes::from_static(b"hello"))).unwrap();
            tokio::spawn(async move {
                sender.closed().await;
                dropped.send(()).unwrap();
            });
            OutBody::stream(Pieces(pieces))
        }
        _ => OutBody::stream(Full::new(Bytes::from_static(b"ok"))),
    };
    Ok(Response::new(body))
}

#[tokio::test]
async fn http2_is_spoken_where_offered_over_one_connection() {
    let identity = Identity::of("127.0.0.1", BOTH);
    let address = h2_server(&identity, mpsc::unbounded_channel().0).await;
    let client = Egress::new(trusting(&identity)).unwrap();
    let answer = client.send(get(format!("https://{address}/")), None).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    let both = ["one", "two"].map(|text| {
        let request = Request::post(format!("https://{address}/echo"));
        client.send(request.body(OutBody::full(Bytes::from_static(text.as_bytes()))).unwrap(), None)
    });
    for (sending, text) in both.into_iter().zip(["one", "two"]) {
        let answer = soon(sending).await.unwrap();
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), text);
    }
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn dropping_an_http2_answer_resets_its_stream_only() {
    let identity = Identity::of("127.0.0.1", BOTH);
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let address = h2_server(&identity, dropped).await;
    let client = Egress::new(trusting(&identity)).unwrap();
    let mut body = client.send(get(format!("https://{address}/stream")), None).await.unwrap().into_body();
    assert_eq!(soon(body.frame()).await.unwrap().unwrap().into_data().unwrap(), "hello");
    drop(body);
    soon(drops.recv()).await.unwrap();
    assert!(client.send(get(format!("https://{address}/")), None).await.is_ok());
    assert_eq!(client.stats().connections_opened, 1);
}

#[tokio::test]
async fn an_http2_body_that_fails_is_the_callers() {
    let identity = Identity::of("127.0.0.1", BOTH);
    let address = h2_server(&identity, mpsc::unbounded_channel().0).await;
    let (sender, pieces) = mpsc::unbounded_channel();
    sender.send(Ok(Bytes::from_static(b"half"))).unwrap();
    sender.send(Err(io::Error::from(io::ErrorKind::ConnectionReset))).unwrap();
    let request =
        Request::post(format!("https://{address}/echo")).body(OutBody::stream(Pieces(pieces))).unwrap();
    let client = Egress::new(trusting(&identity)).unwrap();
    let error = soon(client.send(request, None)).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::RequestBody, "{error}");
}

#[tokio::test]
async fn http2_failures_have_their_kinds() {
    // Frames by hand: length, type, flags, stream. Stream 1 is the client's first request.
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const REFUSED_STREAM: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    const CANCEL: &[u8] = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8];
    const DATA_ON_STREAM_0: &[u8] = &[0, 0, 1, 0, 0, 0, 0, 0, 0, b'x'];
    let cases: [(&[u8], _, _); 4] = [
        (REFUSED_STREAM, SendErrorKind::Canceled, true),
        (CANCEL, SendErrorKind::ResetBeforeHeaders, false),
        (DATA_ON_STREAM_0, SendErrorKind::BadResponse, false),
        (b"", SendErrorKind::Closed, false),
    ];
    for (frame, kind, safe) in cases {
        let identity = Identity::of("127.0.0.1", BOTH);
        let address = identity
            .listen(move |_, mut stream| async move {
                stream.write_all(SETTINGS).await.unwrap();
                read_until_headers(&mut stream).await;
                stream.write_all(frame).await.unwrap();
                stream.flush().await.unwrap();
                if frame.is_empty() {
                    let _ = stream.shutdown().await;
                }
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
            .await;
        let client = Egress::new(trusting(&identity)).unwrap();
        let error = soon(client.send(get(format!("https://{address}/")), None)).await.unwrap_err();
        assert_eq!((error.kind, error.is_safe_to_retry()), (kind, safe), "{error}");
    }
}

/// Reads the preface and frames up to the first HEADERS.
async fn read_until_headers(stream: &mut (impl tokio::io::AsyncRead + Unpin)) {
    stream.read_exact(&mut [0; 24]).await.unwrap();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        stream.read_exact(&mut vec![0; length as usize]).await.unwrap();
        if head[3] == 1 {
            return;
        }
    }
}

#[tokio::test]
async fn http1_is_spoken_where_http2_is_not_offered_or_not_wanted() {
    for (offered, http2) in [(&["http/1.1"][..], true), (&[], true), (BOTH, false)] {
        let identity = Identity::of("127.0.0.1", offered);
        let address = identity
            .listen(|_, mut stream| async move {
                while read_request(&mut stream).await.is_some() {
                    stream.write_all(OK.as_bytes()).await.unwrap();
                    stream.flush().await.unwrap();
                }
            })
            .await;
        let client = Egress::new(EgressSettings { http2, ..trusting(&identity) }).unwrap();
        let answer = soon(client.send(get(format!("https://{address}/")), None)).await.unwrap();
        assert_eq!(answer.version(), Version::HTTP_11, "{offered:?}");
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
}

#[tokio::test]
async fn certificates_nobody_vouches_for_are_refused() {
    let theirs = Identity::of("127.0.0.1", BOTH);
    let misnamed = Identity::of("other.example", BOTH);
    let cases = [
        (&theirs, local_settings(), "UnknownIssuer"),
        (&misnamed, trusting(&misnamed), "not valid for name"),
    ];
    for (identity, settings, part) in cases {
        let address = h2_server(identity, mpsc::unbounded_channel().0).await;
        let client = Egress::new(settings).unwrap();
        let error = soon(client.send(get(format!("https://{address}/")), None)).await.unwrap_err();
        assert_eq!(error.kind, SendErrorKind::Tls);
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(client.stats().connections_open, 0);
    }
}

#[test]
fn extra_certificates_that_cannot_be_read_are_refused_at_the_start() {
    let cases: [&[u8]; 4] = [
        b"",
        b"not PEM",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n",
    ];
    for pem in cases {
        let settings = EgressSettings { extra_ca_pem: Some(pem.to_vec()), ..Default::default() };
        let error = Egress::new(settings).unwrap_err().to_string();
        assert!(error.starts_with("extra CA certificates: "), "{error}");
    }
}
