//! Which target answers: chosen by weight, by condition or by the model's name; asked again; passed over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Handler, Reply, Scripted, Seen, Server};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stage::{CHAT, MESSAGES, Setup, Tidegate, chat, messages, said, target};

const INDEX: &str = "x-portkey-last-used-option-index";
const RETRIES: &str = "x-portkey-retry-attempt-count";

type Upstream = Server<Scripted>;

async fn stage() -> (Tidegate, Upstream) {
    (Tidegate::start().await, Server::start(Scripted::default()).await)
}

/// A target that asks the scripted upstream for `model`.
fn scripted(upstream: &Upstream, model: &str) -> Value {
    let mut target = target("openai", &upstream.url());
    target["override_params"] = json!({"model": model});
    target
}

fn fallback(targets: &[Value]) -> Value {
    json!({"strategy": {"mode": "fallback"}, "targets": targets})
}

#[tokio::test]
async fn weights_are_kept_within_two_percent() {
    let (tidegate, upstream) = stage().await;
    for weights in [[0.5, 0.5], [0.9, 0.1]] {
        let targets: Vec<_> = weights
            .iter()
            .map(|weight| {
                let mut target = target("openai", &upstream.url());
                target["weight"] = json!(weight);
                target
            })
            .collect();
        let config = json!({"strategy": {"mode": "loadbalance"}, "targets": targets});
        let answered = ask_often(&tidegate, &config, 10_000).await;
        for (i, weight) in weights.iter().enumerate() {
            let share = f64::from(answered[&format!("config.targets[{i}]")]) / 10_000.0;
            assert!((share - weight).abs() < 0.02, "{weights:?}: {answered:?}");
        }
    }
}

#[tokio::test]
async fn a_sticky_caller_keeps_its_target() {
    let (tidegate, upstream) = stage().await;
    let targets = [target("openai", &upstream.url()), target("openai", &format!("{}/b", upstream.url()))];
    let config =
        json!({"strategy": {"mode": "loadbalance", "sticky": {"by": "header:x-user"}}, "targets": targets});
    let config = config.to_string();
    let mut used = BTreeMap::new();
    for user in 0..24 {
        let user = format!("user-{user}");
        let headers = [("x-portkey-config", config.as_str()), ("x-user", user.as_str())];
        let mut first = None;
        for _ in 0..3 {
            let answer = tidegate.post(CHAT, &headers, &chat("txt:a")).await;
            let index = answer.header(INDEX).unwrap().to_owned();
            assert_eq!(first.get_or_insert_with(|| index.clone()), &index, "{user}");
            *used.entry(index).or_insert(0) += 1;
        }
    }
    assert_eq!(used.len(), 2, "both have callers: {used:?}");
}

#[tokio::test]
async fn a_fallback_goes_on_by_status_and_says_who_answered() {
    let (tidegate, upstream) = stage().await;
    let ask = async |mut config: Value, codes: Option<Value>| {
        if let Some(codes) = codes {
            config["strategy"]["on_status_codes"] = codes;
        }
        let answer = tidegate.ask(&config, &chat("m")).await;
        (answer.status, answer.header(INDEX).unwrap().to_owned(), said(&answer))
    };
    let both = |first: &str| fallback(&[scripted(&upstream, first), scripted(&upstream, "txt:second")]);
    let got = |status, at: usize, text: &str| (status, format!("config.targets[{at}]"), text.to_owned());
    assert_eq!(ask(both("txt:first"), None).await, got(200, 0, "first"));
    for status in ["st400", "st401", "st404", "st429", "st500", "st503"] {
        assert_eq!(ask(both(status), None).await, got(200, 1, "second"), "{status}");
    }
    assert_eq!(ask(both("st500"), Some(json!([429]))).await, got(500, 0, ""));
    assert_eq!(ask(both("st429"), Some(json!([429]))).await, got(200, 1, "second"));
    assert_eq!(ask(both("st500"), Some(json!([]))).await, got(500, 0, ""));
    let hopeless = fallback(&[scripted(&upstream, "st500"), scripted(&upstream, "st418")]);
    assert_eq!(ask(hopeless, None).await, got(418, 1, ""), "the last answer is the client's");
}

#[tokio::test]
async fn groups_nest() {
    let (tidegate, upstream) = stage().await;
    let group = fallback(&[scripted(&upstream, "st500"), scripted(&upstream, "st502")]);
    let balanced = json!({"strategy": {"mode": "loadbalance"}, "targets": [scripted(&upstream, "txt:deep")]});
    let answer = tidegate.ask(&fallback(&[group, balanced]), &chat("m")).await;
    assert_eq!(
        (said(&answer).as_str(), answer.header(INDEX)),
        ("deep", Some("config.targets[1].targets[0]"))
    );
    assert_eq!(upstream.traffic().now().requests, 3);
}

#[tokio::test]
async fn conditions_look_at_metadata_and_parameters() {
    let (tidegate, upstream) = stage().await;
    let named = |name: &str| {
        let mut target = scripted(&upstream, &format!("txt:{name}"));
        target["name"] = json!(name);
        target
    };
    let mut config = json!({
        "strategy": {
            "mode": "conditional",
            "conditions": [
                {"query": {"metadata.tier": {"$eq": "pro"}}, "then": "pro"},
                {"query": {"params.max_tokens": {"$gt": 100}}, "then": "long"},
            ],
            "default": "rest",
        },
        "targets": [named("pro"), named("long"), named("rest")],
    });
    let ask = async |config: &Value, metadata: &str, max_tokens: u64| {
        let mut body = chat("m");
        body["max_tokens"] = json!(max_tokens);
        let config = config.to_string();
        tidegate.post(CHAT, &[("x-portkey-config", &config), ("x-portkey-metadata", metadata)], &body).await
    };
    for (metadata, max_tokens, expected) in [
        (r#"{"tier":"pro"}"#, 1, "pro"),
        (r#"{"tier":"free"}"#, 101, "long"),
        ("{}", 1, "rest"),
        ("no json", 1, "rest"),
    ] {
        assert_eq!(said(&ask(&config, metadata, max_tokens).await), expected, "{metadata} {max_tokens}");
    }
    config["strategy"].as_object_mut().unwrap().remove("default");
    let lost = ask(&config, "{}", 1).await;
    assert_eq!(lost.status, 400);
    assert_eq!(lost.json()["message"], "Query router did not resolve to any valid target");
}

#[tokio::test]
async fn retries_wait_as_asked_and_are_counted() {
    let (tidegate, upstream) = stage().await;
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
    let (tidegate, upstream) = stage().await;
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
    let (tidegate, upstream) = stage().await;
    let mut config = scripted(&upstream, "st500");
    config["retry"] = json!({"attempts": 1, "max_wait_ms": 1});
    for _ in 0..60 {
        tidegate.ask(&config, &chat("m")).await;
    }
    // Ten in reserve, a fifth of sixty, and one for each second that it takes.
    let retries = upstream.traffic().now().requests - 60;
    assert!((10..40).contains(&retries), "{retries} of 60 were tried again");
}

#[tokio::test]
async fn a_header_alone_names_fallbacks() {
    let upstream = Server::start(Scripted::default()).await;
    let tidegate = providers(&upstream, &["first", "second", "third"]).await;
    let ask = async |model: &str, fallbacks: Value| {
        let fallbacks = fallbacks.to_string();
        let headers = [("x-portkey-provider", "@first"), ("x-portkey-fallbacks", fallbacks.as_str())];
        tidegate.post(CHAT, &headers, &chat(model)).await
    };
    let chain = json!([
        {"model": "@second/st503", "on_status_codes": [500]},
        {"model": "@third/txt:third", "on_status_codes": [500, 503]},
    ]);
    assert_eq!(said(&ask("st500", chain.clone()).await), "third");
    assert_eq!(ask("st429", chain.clone()).await.status, 429, "not listed");
    assert_eq!(said(&ask("txt:own", chain).await), "own");
    let keys: Vec<_> =
        upstream.requests().iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect();
    assert_eq!(
        keys,
        ["Bearer key-first", "Bearer key-second", "Bearer key-third", "Bearer key-first", "Bearer key-first"]
    );
    let wrong = ask("st500", json!([{"model": "@second/a", "codes": [1]}])).await;
    assert_eq!((wrong.status, &wrong.json()["error"]["param"]), (400, &json!("x-portkey-fallbacks")));
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
    let (tidegate, upstream) = stage().await;
    let mut config = scripted(&upstream, "slow:60");
    config["hedge"] = json!({"after": 1, "max_share": 0.1});
    ask_often(&tidegate, &config, 64).await;
    let hedges = tidegate.metric("tidegate_hedges_total").await;
    assert!((1..=6).contains(&hedges), "{hedges} of 64");
    assert_eq!(upstream.traffic().now().requests, 64 + hedges);
}

#[tokio::test]
async fn a_circuit_opens_on_the_providers_faults_and_is_passed_by() {
    let (tidegate, upstream) = stage().await;
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
    let (tidegate, upstream) = stage().await;
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

#[tokio::test]
async fn every_header_has_a_spelling_of_our_own_that_wins() {
    let (tidegate, upstream) = stage().await;
    let (ours, theirs) = (scripted(&upstream, "txt:ours"), scripted(&upstream, "txt:theirs"));
    let (ours, theirs) = (ours.to_string(), theirs.to_string());
    for headers in [
        vec![("x-tidegate-config", ours.as_str())],
        vec![("x-tidegate-config", ours.as_str()), ("x-portkey-config", theirs.as_str())],
        vec![("x-portkey-config", theirs.as_str()), ("x-tidegate-config", ours.as_str())],
    ] {
        assert_eq!(said(&tidegate.post(CHAT, &headers, &chat("m")).await), "ours");
    }
    let url = upstream.url();
    let headers = [
        ("x-tidegate-provider", "openai"),
        ("x-tidegate-custom-host", url.as_str()),
        ("x-tidegate-trace-id", "trace"),
        ("authorization", "Bearer k"),
    ];
    let answer = tidegate.post(CHAT, &headers, &chat("txt:a")).await;
    assert_eq!((said(&answer).as_str(), answer.header("x-portkey-trace-id")), ("a", Some("trace")));
}

#[tokio::test]
async fn a_saved_config_is_named_by_its_id() {
    let upstream = Server::start(Scripted::default()).await;
    let saved = scripted(&upstream, "txt:saved");
    let tidegate = Setup::default().config("team-a", saved).start().await;
    let answer = tidegate.post(CHAT, &[("x-portkey-config", "team-a")], &chat("m")).await;
    assert_eq!(said(&answer), "saved");
    let unknown = tidegate.post(CHAT, &[("x-portkey-config", "team-b")], &chat("m")).await;
    assert_eq!(unknown.status, 400);
    assert_eq!(unknown.json()["message"], "Invalid config passed. You need to pass a valid json");
    assert!(unknown.json()["error"]["message"].as_str().unwrap().contains("configs/<id>.json"));
}

#[tokio::test]
async fn the_models_name_alone_is_enough_where_a_key_is_held() {
    let upstream = Server::start(Scripted::default()).await;
    let url = upstream.url();
    let settings =
        format!("[providers.mine]\nprovider = 'openai'\napi_key = 'key-mine'\nbase_url = '{url}/mine'");
    let tidegate = Setup::default()
        .settings(&settings)
        .env("ANTHROPIC_API_KEY", "key-anthropic")
        .env("ANTHROPIC_BASE_URL", &url)
        .env("GROQ_API_KEY", "key-groq")
        .start()
        .await;
    for (path, model, asked, seen_path, key) in [
        (CHAT, "@mine/gpt-x", "gpt-x", "/mine/chat/completions", "key-mine"),
        (CHAT, "mine/gpt-x", "gpt-x", "/mine/chat/completions", "key-mine"),
        (MESSAGES, "claude-opus-4-1", "claude-opus-4-1", "/v1/messages", "key-anthropic"),
        (MESSAGES, "anthropic/claude-opus-4-1", "claude-opus-4-1", "/v1/messages", "key-anthropic"),
        (CHAT, "gpt-4o", "gpt-4o", "/mine/chat/completions", "key-mine"),
    ] {
        let answer = tidegate.post(path, &[], &messages(model, false)).await;
        assert_eq!(answer.status, 200, "{model}: {}", answer.text());
        let seen = upstream.requests().pop().unwrap();
        assert_eq!((seen.path(), &seen.json()["model"]), (seen_path, &json!(asked)), "{model}");
        let shown = seen.header("x-api-key").or(seen.header("authorization")).unwrap();
        assert!(shown.ends_with(key), "{model}: {shown}");
    }
    let unknown = tidegate.post(CHAT, &[], &chat("gemini-2.5-pro")).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (400, &json!("provider_missing")));
    assert!(
        unknown.json()["error"]["message"].as_str().unwrap().contains("GEMINI_API_KEY"),
        "{}",
        unknown.text()
    );
}

#[tokio::test]
async fn the_model_inside_needs_no_key() {
    let tidegate = Tidegate::start().await;
    for path in [CHAT, MESSAGES] {
        for stream in [false, true] {
            let answer = tidegate.post(path, &[], &messages("@demo/echo", stream)).await;
            assert_eq!((answer.status, answer.header("x-portkey-provider")), (200, Some("demo")), "{path}");
            assert!(answer.text().contains("water"), "{path} {stream}: {}", answer.text());
        }
    }
}

/// 9router#797: a stored key was sent to whatever address a request named.
#[tokio::test]
async fn incident_a_stored_key_went_to_the_callers_address() {
    let (stored, elsewhere) =
        (Server::start(Scripted::default()).await, Server::start(Scripted::default()).await);
    let saved = scripted(&stored, "txt:a");
    let tidegate = Setup::default().settings(&section(&stored, "mine")).config("saved", saved).start().await;
    let host = elsewhere.url();
    let by_config = json!({"provider": "@mine", "custom_host": host}).to_string();
    let below =
        json!({"custom_host": host, "strategy": {"mode": "fallback"}, "targets": [{"provider": "@mine"}]});
    let below = below.to_string();
    for (path, headers) in [
        (CHAT, vec![("x-portkey-provider", "@mine"), ("x-portkey-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-provider", "mine"), ("x-portkey-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-provider", "openai"), ("x-tidegate-custom-host", host.as_str())]),
        (CHAT, vec![("x-portkey-config", by_config.as_str())]),
        (CHAT, vec![("x-portkey-config", below.as_str())]),
        (CHAT, vec![("x-portkey-custom-host", host.as_str())]),
        ("/v1/files", vec![("x-portkey-provider", "@mine"), ("x-portkey-custom-host", host.as_str())]),
        ("/v1/files", vec![("x-portkey-config", by_config.as_str())]),
        ("/v1/embeddings", vec![("x-portkey-config", by_config.as_str())]),
    ] {
        elsewhere.reset();
        tidegate.post(path, &headers, &chat("@mine/txt:a")).await;
        let seen = elsewhere.only_request();
        assert!(!format!("{seen:?}").contains("key-mine"), "{path} {headers:?}");
    }
    // A saved config holds keys too, and says itself where they go.
    elsewhere.reset();
    for (path, header) in [(CHAT, "x-portkey-custom-host"), ("/v1/files", "x-tidegate-custom-host")] {
        let headers = [("x-portkey-config", "saved"), (header, host.as_str())];
        assert_eq!(tidegate.post(path, &headers, &chat("m")).await.status, 400);
    }
    assert_eq!((elsewhere.traffic().now().requests, stored.traffic().now().requests), (0, 0));
    tidegate.post(CHAT, &[("x-portkey-provider", "@mine")], &chat("txt:a")).await;
    assert_eq!(
        stored.only_request().header("authorization"),
        Some("Bearer key-mine"),
        "its own address gets it"
    );
}

#[tokio::test]
async fn a_config_with_keys_does_not_show_the_callers_credential() {
    let (tidegate, upstream) = stage().await;
    let config = scripted(&upstream, "txt:a").to_string();
    let headers = [("x-portkey-config", config.as_str()), ("authorization", "Bearer of-the-caller")];
    tidegate.post(CHAT, &headers, &chat("m")).await;
    assert_eq!(upstream.only_request().header("authorization"), Some("Bearer sk-of-the-test"));
}

#[tokio::test]
async fn a_request_timeout_is_answered_in_the_references_words() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    let config = target("openai", &faults.url_of(Fault::Stall)).to_string();
    for spelling in ["x-portkey-request-timeout", "x-tidegate-request-timeout"] {
        let answer =
            tidegate.post(CHAT, &[("x-portkey-config", config.as_str()), (spelling, "50")], &chat("m")).await;
        let error = json!({"message": "Request exceeded the timeout sent in the request: 50ms", "type": "timeout_error", "param": null, "code": null});
        assert_eq!((answer.status, &answer.json()["error"]), (408, &error));
    }
    faults.traffic().wait_until(|counts| counts.cancelled == 2).await;
}

#[tokio::test]
async fn parameters_are_laid_over_and_under_the_clients() {
    let (tidegate, upstream) = stage().await;
    let mut inner = target("openai", &upstream.url());
    inner["override_params"] = json!({"model": "inner", "seed": 7});
    let config = json!({
        "strategy": {"mode": "fallback"},
        "override_params": {"model": "outer", "temperature": 0.5},
        "default_params": {"max_tokens": 5, "top_p": 0.1},
        "targets": [inner],
    });
    let mut body = chat("mine");
    body["top_p"] = json!(0.9);
    tidegate.ask(&config, &body).await;
    let seen = upstream.only_request().json();
    let member = |name: &str| seen[name].clone();
    assert_eq!(
        [member("model"), member("seed"), member("temperature"), member("max_tokens"), member("top_p")],
        [json!("inner"), json!(7), json!(0.5), json!(5), json!(0.9)]
    );
}

/// A gateway with providers of these names, all at `upstream`, with keys `key-<name>`.
async fn providers(upstream: &Upstream, names: &[&str]) -> Tidegate {
    let sections: String = names.iter().map(|name| section(upstream, name)).collect();
    Setup::default().settings(&sections).start().await
}

fn section(upstream: &Upstream, name: &str) -> String {
    let url = upstream.url();
    format!("[providers.{name}]\nprovider = 'openai'\napi_key = 'key-{name}'\nbase_url = '{url}'\n")
}

/// Asks `count` times over eight connections; how often each target answered.
async fn ask_often(tidegate: &Tidegate, config: &Value, count: u32) -> BTreeMap<String, u32> {
    const CONNECTIONS: u32 = 8;
    let (config, body) = (Arc::new(config.to_string()), chat("txt:a").to_string());
    let mut asking = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (config, body, address) = (Arc::clone(&config), body.clone(), tidegate.address().to_owned());
        asking.spawn(async move {
            let stream = TokioIo::new(TcpStream::connect(&address).await.unwrap());
            let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
            let _connection = tokio::spawn(connection);
            let mut answered = BTreeMap::new();
            for _ in 0..count / CONNECTIONS {
                let request = http::Request::post(CHAT)
                    .header("host", &address)
                    .header("content-type", "application/json")
                    .header("x-portkey-config", config.as_str())
                    .body(Full::<bytes::Bytes>::from(body.clone()))
                    .unwrap();
                let (head, body) = sender.send_request(request).await.unwrap().into_parts();
                body.collect().await.unwrap();
                assert_eq!(head.status, 200);
                *answered.entry(head.headers[INDEX].to_str().unwrap().to_owned()).or_insert(0) += 1;
            }
            answered
        });
    }
    let mut answered = BTreeMap::new();
    while let Some(part) = asking.join_next().await {
        for (index, count) in part.unwrap() {
            *answered.entry(index).or_insert(0) += count;
        }
    }
    answered
}
