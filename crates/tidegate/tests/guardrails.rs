//! Hooks around a call: what they deny reaches nobody, what they find is told, what they change is changed.

use serde_json::{Value, json};
use tidegate_testkit::{Faults, Scripted, Server};

use crate::stage::{
    CHAT, INDEX, MESSAGES, Setup, Tidegate, chat, fallback, messages, said, scripted, streamed, target,
};

/// A guardrail that fails when the text holds `word`.
fn without(word: &str, deny: bool) -> Value {
    json!({"default.contains": {"words": [word], "operator": "none"}, "deny": deny})
}

fn guarded(mut target: Value, list: &str, hook: Value) -> Value {
    target[list] = json!([hook]);
    target
}

#[tokio::test]
async fn a_denied_request_never_reaches_the_provider() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = guarded(scripted(&upstream, "txt:a"), "input_guardrails", without("High", true)).to_string();
    for (path, body) in [(CHAT, chat("m")), (CHAT, streamed("m")), (MESSAGES, messages("m", true))] {
        let answer = tidegate.post(path, &[("x-portkey-config", &config)], &body).await;
        assert_eq!((answer.status, answer.header("content-type")), (446, Some("application/json")), "{path}");
        let body = answer.json();
        assert_eq!(body["error"]["type"], "hooks_failed", "{path}: {body}");
        assert_eq!(body["hook_results"]["before_request_hooks"][0]["deny"], true, "{path}: {body}");
        assert_eq!(answer.header(INDEX), Some("config"), "{path}");
    }
    assert_eq!(upstream.traffic().now().requests, 0);
}

#[tokio::test]
async fn another_target_may_take_what_one_denies() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let strict = guarded(scripted(&upstream, "txt:strict"), "input_guardrails", without("High", true));
    let answer = tidegate.ask(&fallback(&[strict, scripted(&upstream, "txt:other")]), &chat("m")).await;
    assert_eq!((answer.status, said(&answer).as_str()), (200, "other"));
    assert_eq!((answer.header(INDEX), upstream.traffic().now().requests), (Some("config.targets[1]"), 1));
}

#[tokio::test]
async fn a_denied_answer_never_reaches_the_client() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config =
        guarded(scripted(&upstream, "txt:a SECRET word"), "output_guardrails", without("SECRET", true));
    let answer = tidegate.ask(&config, &chat("m")).await;
    assert_eq!((answer.status, answer.header("x-up")), (446, None), "the provider's headers go too");
    assert!(answer.json()["choices"].is_null() && !said(&answer).contains("SECRET"), "{}", answer.text());
    let after = &answer.json()["hook_results"]["after_request_hooks"][0];
    assert_eq!((&after["verdict"], &after["deny"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn what_a_hook_finds_without_denying_is_told_beside_the_answer() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for provider in ["openai", "anthropic"] {
        for (list, member) in
            [("input_guardrails", "before_request_hooks"), ("output_guardrails", "after_request_hooks")]
        {
            for (word, status, verdict) in [("i", 246, false), ("never said", 200, true)] {
                let config = guarded(target(provider, &faults.url()), list, without(word, false));
                let answer = tidegate.ask(&config, &chat("m")).await;
                let body = answer.json();
                assert_eq!(answer.status, status, "{provider} {list} {word}: {body}");
                assert_eq!(
                    body["hook_results"][member][0]["verdict"], verdict,
                    "{provider} {list} {word}: {body}"
                );
                assert!(!said(&answer).is_empty(), "{provider} {list} {word}: the answer is there");
            }
        }
    }
}

/// A stream is not held back to be judged, and nobody may take it for judged.
#[tokio::test]
async fn a_stream_that_output_hooks_do_not_judge_says_so() {
    let (tidegate, faults) = (Tidegate::start().await, Faults::start().await);
    for provider in ["openai", "anthropic"] {
        let config = guarded(target(provider, &faults.url()), "output_guardrails", without("tide", true));
        let answer = tidegate.ask(&config, &streamed("m")).await;
        let warnings = answer.header("x-tidegate-warnings").unwrap_or_default();
        assert!(
            answer.status == 200 && warnings.contains("dropped;output_guardrails"),
            "{provider}: {warnings}"
        );
    }
}

#[tokio::test]
async fn a_mutator_changes_what_the_provider_and_the_client_see() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let mut config = scripted(&upstream, "txt:the tide is high");
    config["input_mutators"] = json!([{"default.regexReplace": {"rule": "water", "redactText": "tide"}}]);
    config["output_mutators"] = json!([{"default.regexReplace": {"rule": "high", "redactText": "low"}}]);
    let answer = tidegate.ask(&config, &chat("m")).await;
    assert_eq!(upstream.only_request().json()["messages"][0]["content"], "High tide?");
    assert_eq!((answer.status, said(&answer).as_str()), (200, "the tide is low"));
}

#[tokio::test]
async fn headers_add_guardrails_to_any_target() {
    let (tidegate, upstream) = (Tidegate::start().await, Server::start(Scripted::default()).await);
    let config = scripted(&upstream, "txt:a").to_string();
    let added = json!([without("High", true)]).to_string();
    for name in ["x-portkey-default-input-guardrails", "x-tidegate-default-input-guardrails"] {
        let headers = [("x-portkey-config", config.as_str()), (name, added.as_str())];
        assert_eq!(tidegate.post(CHAT, &headers, &chat("m")).await.status, 446, "{name}");
    }
    assert_eq!(upstream.traffic().now().requests, 0);
}

/// A check that this build does not have would pass everything.
#[tokio::test]
async fn a_saved_config_with_a_check_that_cannot_run_is_a_mistake() {
    let saved = json!({"provider": "openai", "api_key": "k", "input_guardrails": [{"acme.judge": {"x": 1}, "deny": true}]});
    let refused = Setup::default().config("judged", saved).ended("check");
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("judged.json") && told.contains("acme.judge"), "{told}");
}
