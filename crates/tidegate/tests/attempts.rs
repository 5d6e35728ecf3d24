//! How often a target is asked: again after a failure, twice when it is slow, and not at all while it is down.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Handler, Reply, Scripted, Seen, Server};

use crate::many::ask_often;
use crate::stage::{CHAT, INDEX, Tidegate, chat, fallback, said, scripted, target};

const RETRIES: &str = "x-portkey-retry-attempt-count";

#[tokio::test]
async fn retries_wait_as_asked_and_are_counted() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let ask = async |model: &str, retry: Value| {
        let mut config = scripted(&upstream, model);
        config["retry"] = retry;
        let answer = tidegate.ask(&config, &chat("m")).await;
        (answer.status, answer.header(RETRIES).unwrap().to_owned())
    };
    let is = |status: u16, retries: &str| (status, retries.to_owned());
    let hinted = json!({"attempts": 2, "use_retry_after_header": true});
    assert_eq!(ask("ra:10#hinted", hinted.clone()).await, is(200, "1"));
    assert_eq!(upstream.handler().calls_of("hinted"), 2);
    let quick = |attempts: u32| json!({"attempts": attempts, "max_wait_ms": 1});
    assert_eq!(ask("seq:500,503,200#mends", quick(5)).await, is(200, "2"));
    assert_eq!(ask("seq:500#stays", quick(2)).await, is(500, "-1"), "used up");
    assert_eq!(upstream.handler().calls_of("stays"), 3);
    assert_eq!(ask("seq:400,200#wrong", quick(2)).await, is(400, "0"), "a wrong request stays wrong");
    assert_eq!(upstream.handler().calls_of("wrong"), 1);
    assert_eq!(ask("seq:500,400#ends", quick(2)).await, is(400, "1"));
    assert_eq!(ask("ra:90000#long", hinted).await, is(429, "-1"), "longer than anyone waits");
    assert_eq!(upstream.handler().calls_of("long"), 1);
    let listed = json!({"attempts": 1, "max_wait_ms": 1, "on_status_codes": [418]});
    assert_eq!(ask("seq:418,200#listed", listed).await, is(200, "1"));
}

#[tokio::test]
async fn a_header_alone_asks_for_retries() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let url = upstream.url();
    for (name, spelling) in [("portkey", "x-portkey-retry-count"), ("tidegate", "x-tidegate-retry-count")] {
        let headers = [
            ("x-portkey-provider", "openai"),
            ("authorization", "Bearer k"),
            ("x-portkey-custom-host", url.as_str()),
            (spelling, "1"),
        ];
        let answer = tidegate.post(CHAT, &headers, &chat(&format!("seq:500,200#{name}"))).await;
        assert_eq!((answer.status, answer.header(RETRIES)), (200, Some("1")), "{name}");
    }
    for wrong in ["-1", "many", "1.5", "101"] {
        let headers = [("x-portkey-provider", "openai"), ("x-portkey-retry-count", wrong)];
        let answer = tidegate.post(CHAT, &headers, &chat("m")).await;
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!("x-portkey-retry-count")));
    }
}

#[tokio::test]
async fn a_dying_upstream_is_not_asked_twice_as_often() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let mut config = scripted(&upstream, "st500");
    config["retry"] = json!({"attempts": 1, "max_wait_ms": 1});
    for _ in 0..60 {
        tidegate.ask(&config, &chat("m")).await;
    }
    // Ten in reserve, a fifth of sixty, and one for each second that it takes.
    let retries = upstream.traffic().now().requests - 60;
    assert!((10..40).contains(&retries), "{retries} of 60 were tried again");
}

/// Slow when asked first, at once when asked again.
#[derive(Default)]
struct SlowOnce(AtomicU64);

impl Handler for SlowOnce {
    fn answer(&self, _: &Seen) -> Reply {
        let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        let delay = if first { Duration::from_secs(600) } else { Duration::ZERO };
        Reply::json(200, &json!({"id": "x", "choices": []})).after(delay)
    }
}

#[tokio::test]
async fn a_hedge_answers_for_a_slow_call_which_is_cancelled() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(SlowOnce::default()).await);
    let mut config = target("openai", &upstream.url());
    config["hedge"] = json!({"after": 20, "max_share": 1});
    assert_eq!(tidegate.ask(&config, &chat("m")).await.status, 200);
    upstream.traffic().wait_until(|counts| counts.cancelled == 1 && counts.finished == 1).await;
    assert_eq!(tidegate.metric("tidegate_hedges_total").await, 1);
}

#[tokio::test]
async fn hedges_stay_within_their_share() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let mut config = scripted(&upstream, "slow:60");
    config["hedge"] = json!({"after": 1, "max_share": 0.1});
    ask_often(&tidegate, &config, 64).await;
    let hedges = tidegate.metric("tidegate_hedges_total").await;
    assert!((1..=6).contains(&hedges), "{hedges} of 64");
    assert_eq!(upstream.traffic().now().requests, 64 + hedges);
}

#[tokio::test]
async fn a_circuit_opens_on_the_providers_faults_and_is_passed_by() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let breaker = json!({"failures": 3, "window_s": 600, "open_s": 600});
    let mut sick = scripted(&upstream, "st500#sick");
    sick["circuit_breaker"] = breaker.clone();
    for call in 1..=3 {
        let answer = tidegate.ask(&sick, &chat("m")).await;
        let expected = (call == 3).then_some("open");
        assert_eq!((answer.status, answer.header("x-tidegate-circuit")), (500, expected), "call {call}");
    }
    assert_eq!(tidegate.metric("tidegate_circuits{state=\"open\"}").await, 1);
    // The only target there is gets its calls all the same, unless it is strict.
    assert_eq!(tidegate.ask(&sick, &chat("m")).await.status, 500);
    assert_eq!(upstream.handler().calls_of("sick"), 4);
    let mut other = scripted(&upstream, "txt:well");
    other["custom_host"] = json!(format!("{}/other", upstream.url()));
    let answer = tidegate.ask(&fallback(&[sick.clone(), other]), &chat("m")).await;
    assert_eq!((said(&answer).as_str(), answer.header(INDEX)), ("well", Some("config.targets[1]")));
    assert_eq!(upstream.handler().calls_of("sick"), 4, "passed by");
    sick["circuit_breaker"]["strict"] = json!(true);
    let refused = tidegate.ask(&sick, &chat("m")).await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(upstream.handler().calls_of("sick"), 4);
}

/// QuantumNous/new-api#6976: a caller's own mistakes switched a healthy channel off for everybody.
#[tokio::test]
async fn incident_a_callers_mistakes_opened_no_circuit() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    for status in [400, 401, 403, 404, 413, 422] {
        let mut config = scripted(&upstream, &format!("st{status}"));
        config["circuit_breaker"] = json!({"failures": 2, "window_s": 600, "open_s": 600});
        for _ in 0..8 {
            let answer = tidegate.ask(&config, &chat("m")).await;
            assert_eq!((answer.status, answer.header("x-tidegate-circuit")), (status, None));
        }
    }
    assert_eq!(tidegate.metric("tidegate_circuits{state=\"open\"}").await, 0);
}

/// All callers of a provider share what is known of its health.
#[tokio::test]
async fn a_limit_of_one_callers_account_opens_no_circuit_for_the_others() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let breaker = json!({"failures": 2, "window_s": 600, "open_s": 600});
    let host = scripted(&upstream, "")["custom_host"].as_str().unwrap().to_owned();
    let brought = json!({"circuit_breaker": breaker}).to_string();
    let headers = [
        ("x-portkey-provider", "openai"),
        ("x-portkey-custom-host", host.as_str()),
        ("x-portkey-config", brought.as_str()),
        ("authorization", "Bearer brought"),
    ];
    for _ in 0..4 {
        let answer = tidegate.post(CHAT, &headers, &chat("st429")).await;
        assert_eq!((answer.status, answer.header("x-tidegate-circuit")), (429, None));
    }
    // The operator's own account is another matter.
    let mut stored = scripted(&upstream, "st429");
    stored["circuit_breaker"] = breaker;
    tidegate.ask(&stored, &chat("m")).await;
    let second = tidegate.ask(&stored, &chat("m")).await;
    assert_eq!((second.status, second.header("x-tidegate-circuit")), (429, Some("open")));
}

#[tokio::test]
async fn connections_that_fail_open_a_circuit_too() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for fault in [Fault::Reset, Fault::ErrorFirst, Fault::Html, Fault::EndMid(0)] {
        let mut config = target("openai", &faults.url_of(fault));
        config["circuit_breaker"] = json!({"failures": 2, "window_s": 600, "open_s": 600});
        let mut body = chat("m");
        body["stream"] = json!(true);
        tidegate.ask(&config, &body).await;
        let second = tidegate.ask(&config, &body).await;
        assert_eq!(second.header("x-tidegate-circuit"), Some("open"), "{fault}");
    }
}
