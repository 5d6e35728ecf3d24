//! Streams under way: the client leaves, does not read, or the upstream dies; nothing is left behind.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_testkit::Faults;
use tidegate_testkit::client::{self, Opened};
use tidegate_testkit::fake::story::TIDE;
use tidegate_testkit::faults::Fault;
use tokio::task::JoinSet;

use crate::stage::{CHAT, MESSAGES, Tidegate, messages, messages_said, said, target};

/// Passed through and translated, for the clients of both dialects; and how many events hold content.
const WAYS: [(&str, &str, usize); 4] =
    [(CHAT, "openai", 3), (CHAT, "anthropic", 6), (MESSAGES, "openai", 3), (MESSAGES, "anthropic", 6)];

/// What the kernel may keep for a client that does not read: the buffers of both connections.
const KERNEL_BUFFERS: u64 = 32 << 20;
/// What the process may have grown by, in kB, after a thousand streams: allocators keep some of what they were given.
const MEMORY_SLACK: u64 = 48 << 10;
/// Descriptors that need not be the test's own, such as a pooled connection.
const DESCRIPTOR_SLACK: usize = 8;

/// litellm#30244, #17364, #36126: the client was gone, the provider went on generating and was paid for it. #31499: the
/// same before the first token.
#[tokio::test]
async fn incident_client_gone_before_the_first_token_upstream_went_on() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for (fault, stream) in [(Fault::Stall, true), (Fault::Stall, false), (Fault::StallAfterHead, true)] {
        for (path, provider, _) in WAYS {
            faults.reset();
            let config = target(provider, &faults.url_of(fault)).to_string();
            let url = tidegate.url(path);
            let body = messages("m", stream).to_string();
            let asking = tokio::spawn(async move {
                let headers = [("x-portkey-config", config.as_str()), ("content-type", "application/json")];
                client::open("POST", &url, &headers, body.into()).await.is_ok()
            });
            faults.traffic().wait_until(|counts| counts.in_flight == 1).await;
            asking.abort();
            faults.traffic().wait_until(|counts| counts.cancelled == 1 && counts.open_connections == 0).await;
        }
    }
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
}

#[tokio::test]
async fn incident_client_gone_within_the_stream_upstream_went_on() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for (path, provider, events) in WAYS {
        for fault in [Fault::StallMid(events), Fault::Endless] {
            faults.reset();
            let mut stream = open(&tidegate, path, &target(provider, &faults.url_of(fault))).await;
            assert!(stream.next().await.unwrap().is_some(), "the stream has begun");
            assert_eq!(tidegate.metric("tidegate_open_streams").await, 1);
            drop(stream);
            faults.traffic().wait_until(|counts| counts.cancelled == 1 && counts.open_connections == 0).await;
            tidegate.wait_for_metric("tidegate_open_streams", 0).await;
        }
    }
    assert_eq!(tidegate.metric("tidegate_stream_ends_total{reason=\"client_gone\"}").await, 8);
}

#[tokio::test]
async fn a_client_that_does_not_read_holds_its_upstream_back_and_costs_no_memory() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let before = tidegate.resident();
    for (path, provider, _) in WAYS {
        faults.reset();
        let stream = open(&tidegate, path, &target(provider, &faults.url_of(Fault::Endless))).await;
        let counts = faults.traffic().wait_until_quiet(Duration::from_millis(400)).await;
        assert!(counts.bytes_written < KERNEL_BUFFERS, "{path} {provider}: {counts:?}");
        assert!(tidegate.resident() < before + MEMORY_SLACK, "{path} {provider}");
        drop(stream);
        faults.traffic().wait_until(|counts| counts.cancelled == 1).await;
    }
}

/// A thousand upstreams die in the middle of their streams, 64 at a time.
#[tokio::test]
async fn a_thousand_broken_streams_are_a_thousand_error_events_and_nothing_stays() {
    let stage = Arc::new((Tidegate::start().await, Faults::start().await));
    break_streams(&stage, 128).await;
    let (tidegate, faults) = &*stage;
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
    faults.traffic().wait_until(|counts| counts.open_connections == 0).await;
    let (descriptors, memory) = (tidegate.descriptors(), tidegate.resident());

    break_streams(&stage, 1_000).await;
    tidegate.wait_for_metric("tidegate_open_streams", 0).await;
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
    tidegate.wait_for_metric("tidegate_open_connections", 1).await; // the one that asks
    faults.traffic().wait_until(|counts| counts.open_connections == 0).await;
    tidegate.wait_for_descriptors(descriptors + DESCRIPTOR_SLACK).await;
    let grown = tidegate.resident().saturating_sub(memory);
    assert!(grown < MEMORY_SLACK, "{grown} kB more than before");
    assert_eq!(tidegate.metric("tidegate_stream_ends_total{reason=\"upstream_cut\"}").await, 1_128);
}

#[tokio::test]
async fn a_stream_that_ends_well_gives_its_connection_back() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for (path, provider, _) in WAYS {
        for _ in 0..5 {
            let answer = open(&tidegate, path, &target(provider, &faults.url())).await.finish().await;
            assert_eq!((answer.status, answer.broken), (200, None));
        }
    }
    let counts = faults.traffic().now();
    assert_eq!((counts.requests, counts.connections), (20, 1), "one connection served them all");
    assert_eq!(tidegate.metric("tidegate_stream_ends_total{reason=\"ok\"}").await, 20);
}

/// Asks for `count` streams that break after their first content and reads each to its end.
async fn break_streams(stage: &Arc<(Tidegate, Faults)>, count: usize) {
    let mut asking = JoinSet::new();
    for i in 0..count {
        if asking.len() == 64 {
            asking.join_next().await.unwrap().unwrap();
        }
        let stage = Arc::clone(stage);
        asking.spawn(async move {
            let (tidegate, faults) = &*stage;
            let (path, provider, events) = WAYS[i % WAYS.len()];
            let fault = if i % 8 < 4 { Fault::ResetMid(events) } else { Fault::CloseMid(events) };
            // Each of them fails: a circuit would spare the upstream what is wanted here.
            let mut config = target(provider, &faults.url_of(fault));
            config["circuit_breaker"] = json!(false);
            let answer = open(tidegate, path, &config).await.finish().await;
            let text = if path == MESSAGES { messages_said(&answer) } else { said(&answer) };
            assert_eq!((answer.status, answer.broken.as_deref()), (200, None), "{path} {provider}");
            assert!(!text.is_empty() && TIDE.starts_with(&text), "{path} {provider}: {text:?}");
            let last = answer.events().pop().unwrap().json();
            assert_eq!(
                last["error"]["message"],
                format!("{provider} error: the provider's stream broke off")
            );
        });
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
}

async fn open(tidegate: &Tidegate, path: &str, config: &Value) -> Opened {
    let config = config.to_string();
    let headers = [("x-portkey-config", config.as_str()), ("content-type", "application/json")];
    client::open("POST", &tidegate.url(path), &headers, messages("m", true).to_string().into()).await.unwrap()
}
