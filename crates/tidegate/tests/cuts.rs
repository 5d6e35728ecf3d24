//! Streams that break after their first content: the client is told in its own dialect, and nobody starts over.

use std::sync::Arc;

use serde_json::json;
use tidegate_testkit::fake::story::TIDE;
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Handler, Reply, Scripted, Seen, Server, sse};
use tokio::task::JoinSet;

use crate::paced::{Paced, Wire};
use crate::stage::{
    CHAT, MESSAGES, Tidegate, assert_ends_in_an_error_event, messages, said, streamed, target,
};

#[tokio::test]
async fn after_the_first_content_the_client_gets_an_error_event_and_no_other_target() {
    let stage =
        Arc::new((Tidegate::start().await, Faults::start().await, Server::start(Scripted::default()).await));
    let mut asking = JoinSet::new();
    for (path, provider, events) in
        [(CHAT, "openai", 3), (CHAT, "anthropic", 6), (MESSAGES, "openai", 3), (MESSAGES, "anthropic", 6)]
    {
        for fault in [
            Fault::ResetMid(events),
            Fault::CloseMid(events),
            Fault::EndMid(events),
            Fault::StallMid(events),
            Fault::ErrorMid(events),
        ] {
            let stage = Arc::clone(&stage);
            asking.spawn(async move {
                let (tidegate, faults, second) = &*stage;
                let mut first = target(provider, &faults.url_of(fault));
                first["timeouts"] = json!({"between_chunks_ms": 400});
                let config = json!({"strategy": {"mode": "fallback"}, "targets": [first, target("openai", &second.url())]});
                let config = config.to_string();
                let answer = tidegate.post(path, &[("x-portkey-config", &config)], &messages("m", true)).await;
                assert_ends_in_an_error_event(&answer, path, &format!("{path} {provider} {fault}"));
            });
        }
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    assert_eq!(stage.2.traffic().now().requests, 0, "nobody starts an answer twice");
}

/// Streams of the responses API say their end in events of their own.
#[tokio::test]
async fn a_stream_of_the_responses_api_is_cut_aloud_too() {
    struct Responses;
    impl Handler for Responses {
        fn answer(&self, request: &Seen) -> Reply {
            let whole = [
                json!({"type": "response.created", "response": {"id": "r"}}),
                json!({"type": "response.output_text.delta", "delta": "The tide"}),
                json!({"type": "response.completed", "response": {"id": "r", "usage": null}}),
            ];
            let told = if request.json()["model"] == "cut" { &whole[..2] } else { &whole };
            Reply::events(told.iter().map(sse::typed).collect())
        }
    }
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Responses).await);
    let config = target("openai", &upstream.url()).to_string();
    for model in ["whole", "cut"] {
        let body = json!({"model": model, "input": "High water?", "stream": true});
        let answer = tidegate.post("/v1/responses", &[("x-portkey-config", &config)], &body).await;
        assert_eq!((answer.status, &answer.broken), (200, &None), "{model}");
        assert!(answer.text().contains("The tide"), "{model}");
        let last = answer.event_data().pop().unwrap();
        // OpenAI's clients raise an error on such an event, whatever its name.
        assert_eq!(last["error"]["message"].is_string(), model == "cut", "{model}: {last}");
        assert_eq!(last["type"] == "response.completed", model == "whole", "{model}: {last}");
    }
}

/// An event too long to be held back goes out in pieces; when it breaks off, the error is still an event of its own.
#[tokio::test]
async fn a_break_within_a_long_event_is_told_in_an_event_of_its_own() {
    let (tidegate, upstream) = (Tidegate::start().await, Paced::start().await);
    let mut client = Wire::connect(tidegate.address()).await;
    let (config, body) = (target("openai", &upstream.url()), streamed("m").to_string());
    let length = body.len();
    client.write(format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-portkey-config: {config}\r\ncontent-length: {length}\r\n\r\n{body}")).await;
    let mut wire = upstream.accept().await;
    wire.read_request().await;
    wire.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"";
    wire.write_chunk(format!("{event}first\"}}}}]}}\n\n")).await;
    client.read_until("first").await;
    wire.write_chunk(format!("{event}{}", "x".repeat(200 << 10))).await;
    client.read_until("xxx").await;
    drop(wire);
    let text = client.read_until("upstream_stream_interrupted").await;
    assert!(text.contains("\n\ndata: {\"error\":"), "an event of its own: {}", &text[text.len() - 400..]);
}

/// Portkey-AI/gateway#1797: a stream that broke off looked like one that had ended.
#[tokio::test]
async fn incident_cut_stream_looked_complete() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let ask = async |events| {
        tidegate.ask(&target("openai", &faults.url_of(Fault::EndMid(events))), &streamed("m")).await
    };
    assert_eq!(ask(1).await.status, 502, "a role is no content");
    // The finish is the tenth.
    for events in 2..10 {
        assert_ends_in_an_error_event(&ask(events).await, CHAT, &format!("cut after {events} events"));
    }
    assert_eq!(said(&ask(10).await), TIDE);
}
