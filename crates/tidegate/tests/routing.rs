//! Which target answers: chosen by weight, by condition, by what a caller is recognised by; and the next one after it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tidegate_testkit::faults::Fault;
use tidegate_testkit::{Faults, Scripted, Server};

use crate::many::ask_often;
use crate::stage::{CHAT, INDEX, Setup, Tidegate, chat, fallback, held, said, scripted, target};

#[tokio::test]
async fn weights_are_kept_within_two_percent() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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

/// BerriAI/litellm#6784, #38078: balancing sent each turn of a conversation elsewhere, and providers' prompt caches missed.
#[tokio::test]
async fn incident_balancing_destroyed_prompt_caches() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let targets = [target("openai", &upstream.url()), target("openai", &format!("{}/b", upstream.url()))];
    let sticky = json!({"by": "prompt_prefix", "prefix_chars": 64});
    let config = json!({"strategy": {"mode": "loadbalance", "sticky": sticky}, "targets": targets});
    let mut used = BTreeSet::new();
    for conversation in 0..16 {
        let mut body = chat("txt:a");
        body["messages"][0]["content"] = json!(format!("{conversation}: {}", "a long beginning ".repeat(8)));
        let first = tidegate.ask(&config, &body).await.header(INDEX).unwrap().to_owned();
        for turn in ["a", "b", "c"] {
            body["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": turn}));
            assert_eq!(tidegate.ask(&config, &body).await.header(INDEX), Some(first.as_str()));
        }
        used.insert(first);
    }
    assert_eq!(used.len(), 2, "conversations are spread");
}

#[tokio::test]
async fn a_fallback_goes_on_by_status_and_says_who_answered() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
async fn a_header_alone_names_fallbacks() {
    let upstream = Server::start(Scripted::default()).await;
    let sections = ["first", "second", "third"].map(|slug| held(&upstream.url(), slug));
    let tidegate = Setup::default().settings(&sections.concat()).start().await;
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

#[tokio::test]
async fn every_header_has_a_spelling_of_our_own_that_wins() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
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
