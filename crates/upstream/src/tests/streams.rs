//! Answers that are still coming: back-pressure, and what the upstream notices when nobody listens any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http_body_util::BodyExt as _;
use socket2::SockRef;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::server::{get, listen, local_client, read_request, soon};
use crate::SendErrorKind;

const MEGABYTE: usize = 1024 * 1024;
const TOTAL: usize = 48 * MEGABYTE;
/// What the kernel's buffers at both ends, and one read of ours, may hold.
const IN_FLIGHT: usize = 16 * MEGABYTE;

#[tokio::test]
async fn the_upstream_waits_for_the_reader() {
    let written = Arc::new(AtomicUsize::new(0));
    let counter = written.clone();
    let address = listen(move |_, mut stream| {
        let counter = counter.clone();
        async move {
            SockRef::from(&stream).set_send_buffer_size(64 * 1024).unwrap();
            read_request(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b'x'; 64 * 1024];
            while counter.load(Ordering::Relaxed) < TOTAL {
                let sent = stream.write(&piece).await.unwrap();
                counter.fetch_add(sent, Ordering::Relaxed);
            }
        }
    })
    .await;
    let answer = local_client().send(get(format!("http://{address}/")), None).await.unwrap();
    let mut body = answer.into_body();
    let (mut read, mut most) = (0, 0);
    while let Some(frame) = body.frame().await {
        read += frame.unwrap().into_data().unwrap().len();
        // The server and the client's own task run here for as long as they have anything to do.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        most = most.max(written.load(Ordering::Relaxed).saturating_sub(read));
    }
    assert_eq!(read, TOTAL);
    assert!(most < IN_FLIGHT, "{most} bytes were taken from the upstream before anyone read them");
}

#[tokio::test]
async fn frames_come_as_they_are_sent() {
    let (step, steps) = mpsc::unbounded_channel::<()>();
    let steps = Arc::new(tokio::sync::Mutex::new(steps));
    let address = listen(move |_, mut stream| {
        let steps = steps.clone();
        async move {
            read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            while steps.lock().await.recv().await.is_some() {
                stream.write_all(b"9\r\ndata: x\n\n\r\n").await.unwrap();
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    let answer = local_client().send(get(format!("http://{address}/")), None).await.unwrap();
    let mut body = answer.into_body();
    for _ in 0..3 {
        step.send(()).unwrap();
        let frame = soon(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "data: x\n\n");
    }
    drop(step);
    assert!(soon(body.frame()).await.is_none());
}

#[tokio::test]
async fn dropping_an_answer_or_a_send_closes_the_upstream() {
    for head in [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"[..], b""] {
        let (state, mut states) = mpsc::unbounded_channel();
        let address = listen(move |_, mut stream| {
            let state = state.clone();
            async move {
                read_request(&mut stream).await;
                stream.write_all(head).await.unwrap();
                state.send("asked").unwrap();
                // Ends when the client closes; nothing else is sent.
                let _ = stream.read(&mut [0; 1]).await;
                state.send("closed").unwrap();
            }
        })
        .await;
        let client = local_client();
        let sending = tokio::spawn({
            let client = client.clone();
            async move {
                let answer = client.send(get(format!("http://{address}/")), None).await.unwrap();
                let mut body = answer.into_body();
                assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
            }
        });
        assert_eq!(soon(states.recv()).await, Some("asked"));
        if head.is_empty() {
            sending.abort();
        } else {
            sending.await.unwrap();
        }
        assert_eq!(soon(states.recv()).await, Some("closed"));
    }
}

#[tokio::test]
async fn a_stream_cut_short_is_an_error_of_the_body() {
    let address = listen(|_, mut stream| async move {
        read_request(&mut stream).await;
        let cut = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
        stream.write_all(cut).await.unwrap();
    })
    .await;
    let client = local_client();
    let answer = client.send(get(format!("http://{address}/")), None).await.unwrap();
    assert!(answer.into_body().collect().await.is_err());
    assert_eq!(client.stats().failed(SendErrorKind::Closed), 0, "the send itself succeeded");
}
