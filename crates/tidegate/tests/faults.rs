//! What a client sees of each way an upstream can break, passed through and translated; and that another target answers
//! wherever the first one has not said anything yet.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_testkit::client::{self, Answer};
use tidegate_testkit::fake::story::TIDE;
use tidegate_testkit::faults::Fault;
use tidegate_testkit::tls::{Flaw, Identity};
use tidegate_testkit::{Faults, INVALID_HOST, Scripted, Server, refused_port};
use tokio::task::JoinSet;

use crate::stage::{
    CHAT, MESSAGES, Setup, Tidegate, assert_ends_in_an_error_event, chat, messages, messages_said, said,
    streamed, target,
};

/// Which upstream a chat goes to, and how its answer is wanted. OpenAI's passes through, Anthropic's is translated.
#[derive(Debug, Clone, Copy)]
struct Way {
    provider: &'static str,
    stream: bool,
}

/// The columns of [`SEEN`].
const WAYS: [Way; 4] = [
    Way { provider: "openai", stream: false },
    Way { provider: "openai", stream: true },
    Way { provider: "anthropic", stream: false },
    Way { provider: "anthropic", stream: true },
];

impl Way {
    fn body(self) -> Value {
        if self.stream { streamed("m") } else { chat("m") }
    }
}

/// What becomes of a fault at the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// The upstream's own bytes.
    Bytes,
    /// The answer, properly ended.
    Whole,
    /// An error answer in OpenAI's form.
    Error(u16),
    /// 200 and what there was of the answer; the last event is an error.
    ErrorEvent,
    /// 200 and a transfer that fails, so that nobody takes it for whole.
    Cut,
}

use Sees::{Bytes, Cut, Error, ErrorEvent, Whole};

/// Each fault, and what is seen of it: passed through plain and streamed, translated plain and streamed.
const SEEN: &[(Fault, [Sees; 4])] = &[
    (Fault::Fine, [Bytes, Bytes, Whole, Whole]),
    (Fault::Status(400), [Error(400); 4]),
    (Fault::Status(401), [Error(401); 4]),
    (Fault::Status(404), [Error(404); 4]),
    (Fault::Status(429), [Error(429); 4]),
    (Fault::Status(500), [Error(500); 4]),
    (Fault::Status(503), [Error(503); 4]),
    // OpenAI's clients know no 529.
    (Fault::Status(529), [Error(529); 4]),
    (Fault::RetryAfter(1), [Error(429); 4]),
    (Fault::RetryAfterMs(10), [Error(429); 4]),
    (Fault::RetryAfterDate(2), [Error(429); 4]),
    (Fault::Reset, [Error(502); 4]),
    (Fault::Close, [Error(502); 4]),
    (Fault::ResetAfterHead, [Error(502); 4]),
    (Fault::ResetMid(6), [Cut, ErrorEvent, Error(502), ErrorEvent]),
    (Fault::CloseMid(2), [Cut, ErrorEvent, Error(502), Error(502)]),
    (Fault::CloseMid(6), [Cut, ErrorEvent, Error(502), ErrorEvent]),
    (Fault::EndMid(0), [Error(502); 4]),
    (Fault::EndMid(6), [Error(502), ErrorEvent, Error(502), ErrorEvent]),
    (Fault::Stall, [Error(504); 4]),
    (Fault::StallAfterHead, [Error(504); 4]),
    (Fault::StallMid(2), [Cut, ErrorEvent, Error(504), Error(504)]),
    (Fault::Drip(1), [Bytes, Bytes, Whole, Whole]),
    (Fault::Split, [Bytes, Bytes, Whole, Whole]),
    // The stream's finish came all the same.
    (Fault::ShortBody, [Cut, Bytes, Error(502), Whole]),
    (Fault::UntilClose, [Bytes, Bytes, Whole, Whole]),
    // What passes through is not read.
    (Fault::InvalidJson, [Bytes, Bytes, Error(502), Error(502)]),
    (Fault::InvalidUtf8, [Bytes, Bytes, Error(502), Error(502)]),
    (Fault::Crlf, [Bytes, Bytes, Whole, Whole]),
    (Fault::Cr, [Bytes, Bytes, Whole, Whole]),
    (Fault::ErrorFirst, [Bytes, Error(502), Error(529), Error(529)]),
    (Fault::ErrorMid(6), [Bytes, ErrorEvent, Error(502), ErrorEvent]),
    (Fault::Informational, [Bytes, Bytes, Whole, Whole]),
    (Fault::EarlyClose, [Error(502); 4]),
    (Fault::EarlyAnswer, [Error(413); 4]),
    (Fault::Html, [Error(502); 4]),
    (Fault::JsonForStream, [Bytes, Whole, Whole, Whole]),
    (Fault::Gzip, [Bytes, Bytes, Whole, Error(502)]),
    (Fault::Trailers, [Bytes, Bytes, Whole, Whole]),
];

/// Faults with a test of their own.
const ELSEWHERE: [&str; 3] = ["huge", "endless", "stale"];

#[test]
fn every_fault_has_a_row() {
    let name = |fault: Fault| fault.to_string().split(':').next().unwrap_or_default().to_owned();
    let here: BTreeSet<_> = SEEN.iter().map(|(fault, _)| name(*fault)).collect();
    let known: BTreeSet<_> =
        Fault::all().map(name).filter(|name| !ELSEWHERE.contains(&name.as_str())).collect();
    assert_eq!(here, known);
}

#[tokio::test]
async fn clients_see_a_whole_answer_or_an_error_and_never_a_silent_cut() {
    let stage = Arc::new((Tidegate::start().await, Faults::start().await));
    let mut asking = JoinSet::new();
    for (fault, row) in SEEN {
        for (way, sees) in WAYS.into_iter().zip(*row) {
            let stage = Arc::clone(&stage);
            asking.spawn(async move {
                let (tidegate, faults) = &*stage;
                let answer = tidegate.ask(&faulty(faults, *fault, way), &way.body()).await;
                check(&format!("{fault} {way:?}"), sees, &answer, faults, *fault, way).await;
            });
        }
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
    let (tidegate, _) = &*stage;
    tidegate.wait_for_metric("tidegate_open_requests", 0).await;
    tidegate.wait_for_metric("tidegate_open_streams", 0).await;
}

#[tokio::test]
async fn the_second_target_answers_whatever_the_first_one_did_before_its_first_content() {
    let stage = Arc::new((Tidegate::start().await, Faults::start().await));
    let mut asking = JoinSet::new();
    for (fault, row) in SEEN {
        for (way, sees) in WAYS.into_iter().zip(*row) {
            if !matches!(sees, Error(_)) {
                continue;
            }
            let stage = Arc::clone(&stage);
            asking.spawn(async move {
                let (tidegate, faults) = &*stage;
                let first = faulty(faults, *fault, way);
                assert_falls_back(tidegate, faults, first, way, &format!("{fault} {way:?}")).await;
            });
        }
    }
    while let Some(asked) = asking.join_next().await {
        asked.unwrap();
    }
}

#[tokio::test]
async fn the_second_target_answers_when_the_first_one_cannot_be_reached() {
    let faults = Faults::start().await;
    let untrusted =
        Server::listen(Scripted::default(), 0, Some(Identity::new(Flaw::Untrusted).acceptor)).await;
    let settings = format!(
        "[providers.nowhere]\nprovider = 'openai'\napi_key = 'k'\nbase_url = 'http://{INVALID_HOST}/v1'"
    );
    let tidegate = Setup::default().settings(&settings).start().await;
    let plain = Server::start(Scripted::default()).await;
    let no_tls = plain.url().replace("http:", "https:");
    for (reason, word, first) in [
        ("refused", "connect_refused", target("openai", &refused_port())),
        ("name without an address", "dns", json!({"provider": "@nowhere"})),
        ("certificate nobody signed", "tls", target("openai", &untrusted.url())),
        ("port that does not speak TLS", "tls", target("openai", &no_tls)),
    ] {
        for way in &WAYS[..2] {
            let alone = tidegate.ask(&first, &way.body()).await;
            assert_eq!((alone.status, &alone.json()["error"]["code"]), (502, &json!(word)), "{reason}");
            assert_falls_back(&tidegate, &faults, first.clone(), *way, reason).await;
        }
    }
}

#[tokio::test]
async fn an_event_of_eight_megabytes_arrives_as_it_is() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let fault = Fault::Huge(8);
    for way in WAYS {
        let answer = tidegate.ask(&target(way.provider, &faults.url_of(fault)), &way.body()).await;
        let text = said(&answer);
        assert_eq!((answer.status, &answer.broken), (200, &None), "{way:?}");
        assert_eq!(text.len(), TIDE.len() - "The".len() + (8 << 20), "{way:?}");
        assert!(text.ends_with("high at 12:04."), "{way:?}");
    }
}

/// The form of a stream is the connection's business: Anthropic's clients see the same events.
#[tokio::test]
async fn line_ends_and_splits_mean_nothing_to_anthropics_clients_either() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for provider in ["openai", "anthropic"] {
        for fault in
            [Fault::Crlf, Fault::Cr, Fault::Split, Fault::Informational, Fault::Trailers, Fault::UntilClose]
        {
            let config = target(provider, &faults.url_of(fault)).to_string();
            let headers = [("x-portkey-config", config.as_str())];
            let answer = tidegate.post(MESSAGES, &headers, &messages("m", true)).await;
            assert_eq!((answer.status, &answer.broken), (200, &None), "{provider} {fault}");
            assert_eq!(messages_said(&answer), TIDE, "{provider} {fault}");
            let last = answer.events().pop().map(|event| event.name);
            assert_eq!(last.as_deref(), Some("message_stop"), "{provider} {fault}");
        }
    }
}

#[tokio::test]
async fn the_settings_limits_hold_where_a_config_says_none() {
    let limits = "[timeouts]\nfirst_byte = '300ms'\nbetween_chunks = '300ms'";
    let (tidegate, faults) = (Setup::default().settings(limits).start().await, Faults::start().await);
    let ask = async |fault| tidegate.ask(&target("openai", &faults.url_of(fault)), &streamed("m")).await;
    let late = ask(Fault::Stall).await;
    assert_eq!((late.status, &late.json()["error"]["code"]), (504, &json!("first_byte_timeout")));
    let silent = ask(Fault::StallMid(4)).await;
    assert_ends_in_an_error_event(&silent, CHAT, "silent");
    assert_eq!(silent.event_data().pop().unwrap()["error"]["code"], "upstream_stalled");
}

/// The provider may have read the request and begun to work on it: whether to ask again is the config's decision.
#[tokio::test]
async fn a_request_that_a_kept_connection_swallowed_is_an_error_that_falls_back() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let first = target("openai", &faults.url_of(Fault::Stale));
    assert_eq!(tidegate.ask(&first, &chat("m")).await.status, 200);
    let swallowed = tidegate.ask(&first, &chat("m")).await;
    assert_eq!((swallowed.status, &swallowed.json()["error"]["code"]), (502, &json!("closed")));
    assert_eq!(tidegate.ask(&first, &chat("m")).await.status, 200, "a new connection");
    assert_falls_back(&tidegate, &faults, first, WAYS[0], "stale").await;
}

#[tokio::test]
async fn how_long_to_wait_is_passed_on() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for way in WAYS {
        let ask = async |fault| tidegate.ask(&target(way.provider, &faults.url_of(fault)), &way.body()).await;
        assert_eq!(ask(Fault::RetryAfter(7)).await.header("retry-after"), Some("7"), "{way:?}");
        let ms = ask(Fault::RetryAfterMs(1_200)).await;
        assert_eq!(
            (ms.header("retry-after-ms"), ms.header("retry-after")),
            (Some("1200"), Some("2")),
            "{way:?}"
        );
        let date = ask(Fault::RetryAfterDate(30)).await;
        assert!(date.header("retry-after").is_some_and(|date| date.ends_with("GMT")), "{way:?}");
    }
}

/// litellm#6957, #26067: an error inside a 200 stream reached the client though another target stood by.
#[tokio::test]
async fn incident_error_as_the_first_event_did_not_fall_back() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for way in [WAYS[1], WAYS[3]] {
        let first = target(way.provider, &faults.url_of(Fault::ErrorFirst));
        assert_falls_back(&tidegate, &faults, first, way, "overloaded").await;
    }
}

/// A target in front of `fault`; one that waits gets limits.
fn faulty(faults: &Faults, fault: Fault, way: Way) -> Value {
    let mut target = target(way.provider, &faults.url_of(fault));
    if matches!(fault, Fault::Stall | Fault::StallAfterHead | Fault::StallMid(_)) {
        target["timeouts"] = json!({"first_byte_ms": 2_500, "between_chunks_ms": 400});
    }
    target
}

async fn check(case: &str, sees: Sees, answer: &Answer, faults: &Faults, fault: Fault, way: Way) {
    match sees {
        Bytes => {
            let url = format!("{}/chat/completions", faults.url_of(fault));
            let direct = client::post(&url, &[], &way.body()).await;
            assert_eq!((answer.status, answer.body()), (direct.status, direct.body()), "{case}");
            assert_eq!(answer.header("content-type"), direct.header("content-type"), "{case}");
            assert_eq!(answer.broken, None, "{case}");
        }
        Whole => assert_whole(answer, way, case),
        Error(status) => {
            assert_eq!(answer.status, status, "{case}: {}", answer.text());
            assert_error(&answer.json(), way.provider, case);
        }
        ErrorEvent => assert_ends_in_an_error_event(answer, CHAT, case),
        Cut => {
            assert_eq!(answer.status, 200, "{case}");
            assert!(answer.broken.is_some(), "{case}: a part passes for the whole: {}", answer.text());
        }
    }
}

async fn assert_falls_back(tidegate: &Tidegate, faults: &Faults, first: Value, way: Way, case: &str) {
    let second = target(way.provider, &faults.url_of(Fault::Fine));
    let config = json!({"strategy": {"mode": "fallback"}, "targets": [first, second]});
    let answer = tidegate.ask(&config, &way.body()).await;
    assert_whole(&answer, way, case);
    assert_eq!(answer.header("x-portkey-last-used-option-index"), Some("config.targets[1]"), "{case}");
}

fn assert_whole(answer: &Answer, way: Way, case: &str) {
    assert_eq!((answer.status, &answer.broken), (200, &None), "{case}: {}", answer.text());
    assert_eq!(said(answer), TIDE, "{case}");
    if way.stream {
        let events = answer.events();
        assert_eq!(events.last().map(|event| event.data.as_str()), Some("[DONE]"), "{case}");
        let finishes = events.iter().filter(|event| event.json()["choices"][0]["finish_reason"] == "stop");
        assert_eq!(finishes.count(), 1, "{case}");
    }
}

/// As OpenAI's clients read it, and with the provider at fault named.
fn assert_error(body: &Value, provider: &str, case: &str) {
    let error = &body["error"];
    assert!(error["message"].as_str().is_some_and(|text| text.starts_with(provider)), "{case}: {body}");
    assert!(error["type"].is_string(), "{case}: {body}");
    assert!(error.get("param").is_some() && error.get("code").is_some(), "{case}: {body}");
    assert_eq!(body["provider"], provider, "{case}");
}
