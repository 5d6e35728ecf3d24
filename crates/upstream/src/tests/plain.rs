//! What holds over plain HTTP/1.1: bodies, the pool, what is and is not an answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::server::{
    OK, Pieces, answering, get, listen, local_client, local_settings, read_request, soon, until,
};
use crate::{Egress, OutBody, SendErrorKind};

#[tokio::test]
async fn frames_arrive_whole_with_their_length_and_the_connection_is_kept() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = listen(move |number, mut stream| {
        let seen = seen.clone();
        async move {
            while let Some((head, body)) = read_request(&mut stream).await {
                seen.send((number, head, body)).unwrap();
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    let client = local_client();
    let frames: Arc<[Bytes]> = [Bytes::from_static(b"hel"), Bytes::new(), Bytes::from_static(b"lo")].into();
    for _ in 0..2 {
        let url = format!("http://{address}/v1/chat?a=b");
        let request = Request::post(url).body(OutBody::frames(frames.clone())).unwrap();
        let answer = client.send(request, None).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
        let (number, head, body) = requests.recv().await.unwrap();
        assert_eq!(number, 0, "the second request goes over the first's connection");
        assert!(head.starts_with("POST /v1/chat?a=b HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("content-length: 5\r\n"), "{head}");
        assert!(head.contains(&format!("host: {address}\r\n")), "{head}");
        assert_eq!(body, b"hello");
    }
    let stats = client.stats();
    assert_eq!((stats.connections_opened, stats.connections_open), (1, 1));
}

#[tokio::test]
async fn a_body_of_unknown_length_is_chunked() {
    let (seen, mut bodies) = mpsc::unbounded_channel();
    let address = listen(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            let (head, _) = read_request(&mut stream).await.unwrap();
            let mut body = Vec::new();
            while !body.ends_with(b"0\r\n\r\n") {
                body.push(stream.read_u8().await.unwrap());
            }
            seen.send((head, String::from_utf8(body).unwrap())).unwrap();
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let (sender, receiver) = mpsc::unbounded_channel();
    for piece in ["hel", "lo"] {
        sender.send(Ok(Bytes::from_static(piece.as_bytes()))).unwrap();
    }
    drop(sender);
    let body = OutBody::stream(Pieces(receiver));
    let request = Request::post(format!("http://{address}/")).body(body).unwrap();
    assert_eq!(soon(local_client().send(request, None)).await.unwrap().status(), StatusCode::OK);
    let (head, body) = bodies.recv().await.unwrap();
    assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
    assert_eq!(body, "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
}

#[tokio::test]
async fn the_version_a_client_spoke_does_not_matter() {
    let (seen, mut heads) = mpsc::unbounded_channel();
    let address = listen(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            while let Some((head, _)) = read_request(&mut stream).await {
                seen.send(head).unwrap();
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
        }
    })
    .await;
    for version in [Version::HTTP_10, Version::HTTP_2, Version::HTTP_3] {
        let mut request = get(format!("http://{address}/"));
        *request.version_mut() = version;
        assert_eq!(local_client().send(request, None).await.unwrap().status(), StatusCode::OK);
        assert!(heads.recv().await.unwrap().starts_with("GET / HTTP/1.1\r\n"), "{version:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let address =
        answering("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")
            .await;
    let answer = local_client().send(get(format!("http://{address}/")), None).await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let address = answering(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    )
    .await;
    let answer = local_client().send(get(format!("http://{address}/")), None).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers().get("link").is_none());
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
}

#[tokio::test]
async fn a_pooled_connection_the_server_closed_is_replaced() {
    let address = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    let client = local_client();
    for made in 1..=3 {
        let answer = client.send(get(format!("http://{address}/")), None).await.unwrap();
        answer.into_body().collect().await.unwrap();
        assert_eq!(client.stats().connections_opened, made);
        until(|| client.stats().connections_open == 0).await;
    }
}

#[tokio::test]
async fn a_request_the_server_has_read_is_not_sent_again() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let address = listen(move |_, mut stream| {
        let seen = seen.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(OK.as_bytes()).await.unwrap();
            if read_request(&mut stream).await.is_some() {
                seen.send(()).unwrap();
            }
        }
    })
    .await;
    let client = local_client();
    let answer = client.send(get(format!("http://{address}/")), None).await.unwrap();
    answer.into_body().collect().await.unwrap();
    let error = client.send(get(format!("http://{address}/")), None).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Closed);
    assert!(!error.is_safe_to_retry());
    soon(requests.recv()).await.unwrap();
    assert_eq!(client.stats().connections_opened, 1);
    assert_eq!(client.stats().failed(SendErrorKind::Closed), 1);
}

#[tokio::test]
async fn no_more_connections_are_kept_than_the_settings_say() {
    let address = answering(OK).await;
    let client =
        Egress::new(crate::EgressSettings { pool_max_idle_per_host: 0, ..local_settings() }).unwrap();
    for made in 1..=2 {
        let answer = client.send(get(format!("http://{address}/")), None).await.unwrap();
        answer.into_body().collect().await.unwrap();
        assert_eq!(client.stats().connections_opened, made);
        until(|| client.stats().connections_open == 0).await;
    }
}
