use super::*;
use crate::client::{self, Answer};
use crate::fake::story::TIDE;
use serde_json::{Value, json};
use std::io::Read;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn body(stream: bool) -> Value {
    json!({"model": "m", "messages": [], "stream": stream})
}

/// `Err` when the connection died before the head of the answer.
async fn ask(faults: &Faults, fault: Fault, stream: bool) -> Result<Answer, String> {
    let url = format!("{}/v1/chat/completions", faults.url_of(fault));
    let opened = client::open("POST", &url, &[], body(stream).to_string().into()).await?;
    Ok(opened.finish().await)
}

fn text(answer: &Answer) -> String {
    answer.event_data().iter().filter_map(|e| e["choices"][0]["delta"]["content"].as_str()).collect()
}

#[tokio::test]
async fn faults_that_leave_the_answer_whole() {
    let faults = Faults::start().await;
    for fault in [
        Fault::Fine,
        Fault::Drip(0),
        Fault::Split,
        Fault::UntilClose,
        Fault::Crlf,
        Fault::Cr,
        Fault::Informational,
        Fault::Trailers,
        Fault::Stale,
    ] {
        let stream = ask(&faults, fault, true).await.unwrap();
        assert_eq!(
            (stream.status, text(&stream).as_str(), stream.broken.as_deref()),
            (200, TIDE, None),
            "{fault}"
        );
        assert_eq!(stream.events().len(), 11, "{fault}");
        let whole = ask(&faults, fault, false).await.unwrap();
        assert_eq!(whole.json()["choices"][0]["message"]["content"], TIDE, "{fault}");
        assert_eq!(whole.trailers.is_some(), fault == Fault::Trailers);
    }
}

#[tokio::test]
async fn faults_that_break_the_connection() {
    let faults = Faults::start().await;
    for fault in [Fault::Reset, Fault::Close, Fault::EarlyClose] {
        assert!(ask(&faults, fault, true).await.is_err(), "{fault}");
    }
    for (fault, events) in
        [(Fault::ResetAfterHead, 0), (Fault::ResetMid(3), 3), (Fault::CloseMid(3), 3), (Fault::ShortBody, 11)]
    {
        let answer = ask(&faults, fault, true).await.unwrap();
        assert_eq!((answer.status, answer.events().len()), (200, events), "{fault}");
        assert!(answer.broken.is_some(), "{fault}");
        assert!(ask(&faults, fault, false).await.unwrap().broken.is_some(), "{fault}");
    }
    let ended = ask(&faults, Fault::EndMid(3), true).await.unwrap();
    assert_eq!((ended.events().len(), ended.broken), (3, None));
}

#[tokio::test]
async fn faults_in_what_is_said() {
    let faults = Faults::start().await;
    let invalid = ask(&faults, Fault::InvalidJson, true).await.unwrap();
    assert_eq!((invalid.events().len(), invalid.event_data().len()), (11, 9));
    assert_eq!(ask(&faults, Fault::InvalidJson, false).await.unwrap().json(), Value::Null);
    for stream in [true, false] {
        let bytes = ask(&faults, Fault::InvalidUtf8, stream).await.unwrap().body();
        assert!(std::str::from_utf8(&bytes).is_err());
    }
    let first = ask(&faults, Fault::ErrorFirst, true).await.unwrap();
    assert_eq!((first.status, &first.event_data()[0]["error"]["message"]), (200, &json!("fault 529")));
    let later = ask(&faults, Fault::ErrorMid(2), true).await.unwrap();
    assert_eq!((later.events().len(), later.event_data()[2]["error"].is_object()), (3, true));
    assert_eq!(ask(&faults, Fault::ErrorFirst, false).await.unwrap().status, 200);
    let html = ask(&faults, Fault::Html, true).await.unwrap();
    assert_eq!((html.status, html.header("content-type")), (200, Some("text/html")));
    let whole = ask(&faults, Fault::JsonForStream, true).await.unwrap();
    assert_eq!(whole.json()["choices"][0]["message"]["content"], TIDE);
    let huge = ask(&faults, Fault::Huge(1), true).await.unwrap();
    assert_eq!(text(&huge).len(), TIDE.len() - 3 + (1 << 20));
    let packed = ask(&faults, Fault::Gzip, true).await.unwrap().body();
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn errors_come_in_both_dialects_with_their_hints() {
    let faults = Faults::start().await;
    for (fault, header, value) in [
        (Fault::Status(429), "retry-after", None),
        (Fault::RetryAfter(3), "retry-after", Some("3")),
        (Fault::RetryAfterMs(30), "retry-after-ms", Some("30")),
    ] {
        let answer = ask(&faults, fault, true).await.unwrap();
        assert_eq!((answer.status, answer.header(header)), (429, value), "{fault}");
        assert_eq!(answer.json()["error"]["type"], "rate_limit_error");
    }
    let dated = ask(&faults, Fault::RetryAfterDate(5), false).await.unwrap();
    assert!(dated.header("retry-after").unwrap().ends_with(" GMT"));
    let url = format!("{}/v1/messages", faults.url_of(Fault::Status(529)));
    let overloaded = client::post(&url, &[], &body(true)).await;
    assert_eq!((overloaded.status, &overloaded.json()["error"]["type"]), (529, &json!("overloaded_error")));
}

#[tokio::test]
async fn anthropic_streams_have_fourteen_events() {
    let faults = Faults::start().await;
    let url = format!("{}/v1/messages", faults.url());
    let fine = client::post(&url, &[], &body(true)).await;
    assert_eq!((fine.events().len(), fine.events()[13].name.as_str()), (14, "message_stop"));
    let model = json!({"model": "fault:error-mid:4", "stream": true});
    let broken = client::post(&url, &[], &model).await;
    assert_eq!((broken.events().len(), broken.events()[4].name.as_str()), (5, "error"));
}

#[tokio::test]
async fn unknown_names_are_explained() {
    let faults = Faults::start().await;
    let answer = client::post(&format!("{}/fault/nope/x", faults.url()), &[], &body(false)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("no fault is named 'nope'; there are ok, status"), "{}", answer.text());
}

#[tokio::test]
async fn stalls_end_when_the_client_leaves() {
    let faults = Faults::start().await;
    for (round, fault) in
        [Fault::Stall, Fault::StallAfterHead, Fault::StallMid(2), Fault::Drip(60_000)].into_iter().enumerate()
    {
        let url = format!("{}/v1/chat/completions", faults.url_of(fault));
        let body = body(true).to_string();
        let asking = tokio::spawn(async move {
            let opened = client::open("POST", &url, &[], body.into()).await;
            // Held open until the task is aborted.
            let _opened = opened;
            std::future::pending::<()>().await;
        });
        faults.traffic().wait_until(|counts| counts.in_flight == 1).await;
        asking.abort();
        let cancelled = round as u64 + 1;
        let counts =
            faults.traffic().wait_until(|c| c.cancelled == cancelled && c.open_connections == 0).await;
        assert_eq!(counts.finished, 0, "{fault}");
    }
}

#[tokio::test]
async fn an_endless_stream_goes_no_faster_than_it_is_read() {
    let faults = Faults::start().await;
    let url = format!("{}/v1/chat/completions", faults.url_of(Fault::Endless));
    let mut opened = client::open("POST", &url, &[], body(true).to_string().into()).await.unwrap();
    let mut read = 0;
    while read < 1 << 20 {
        read += opened.next().await.unwrap().unwrap().len();
    }
    let counts = faults.traffic().wait_until_quiet(Duration::from_millis(100)).await;
    // The rest fits the buffers of two sockets.
    assert!(counts.bytes_written < read as u64 + (64 << 20), "{counts:?}");
    assert_eq!((counts.in_flight, counts.finished), (1, 0));
    drop(opened);
    faults.traffic().wait_until(|counts| counts.cancelled == 1).await;
}

#[tokio::test]
async fn a_stale_connection_closes_at_the_second_request() {
    let faults = Faults::start().await;
    let address = faults.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let request = b"POST /fault/stale/v1/chat/completions HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200");
    stream.write_all(request).await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert_eq!(faults.requests().len(), 2);
    assert_eq!(faults.requests()[0].body, "{}");
    assert!(!String::from_utf8_lossy(&rest).contains("HTTP/1.1"));
}

#[tokio::test]
async fn an_early_answer_does_not_wait_for_the_body() {
    let faults = Faults::start().await;
    let address = faults.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = "POST /fault/early-answer/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 9000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&[b'x'; 100_000]).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&answer));
    drop(stream);
    faults.traffic().wait_until(|counts| counts.open_connections == 0 && counts.finished == 1).await;
}

#[tokio::test]
async fn reports_and_forgets() {
    let faults = Faults::start().await;
    ask(&faults, Fault::Fine, false).await.unwrap();
    let report = client::get(&format!("{}/__calls", faults.url()), &[]).await.json();
    assert_eq!(
        (&report["total"], &report["requests"][0]["url"]),
        (&json!(1), &json!("/fault/ok/v1/chat/completions"))
    );
    client::post(&format!("{}/__reset", faults.url()), &[], &Value::Null).await;
    assert_eq!(faults.requests().len(), 0);
}
