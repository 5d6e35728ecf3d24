//! What holds over plain HTTP/1.1.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::server::{answering, listen, local_client, read_request};
use crate::OutBody;

pub(super) fn get(url: impl AsRef<str>) -> Request<OutBody> {
    Request::get(url.as_ref()).body(OutBody::empty()).unwrap()
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

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
        let request =
            Request::post(format!("http://{address}/v1/chat?a=b")).body(OutBody::frames(frames.clone()));
        let answer = client.send(request.unwrap(), None).await.unwrap();
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
