use std::cell::Cell;

use serde_json::{Map, Value, json};

use super::*;
use crate::{HookLists, Shape, denied_body, hook_results, parse_hooks};

const AT_MS: u64 = 1_795_261_936_966;

fn chat(text: &str) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": text}]})
}

fn run_on(hooks: &[Hook], side: Side, shape: Shape, request: &Value, response: Option<&Value>) -> Outcome {
    let metadata = Map::new();
    run(hooks, side, Input { shape, request, response, metadata: &metadata }, &|| AT_MS)
}

fn guardrails(entries: Value) -> Vec<Hook> {
    let entries = entries.as_array().unwrap();
    parse_hooks(&HookLists { guardrails: entries, ..HookLists::default() }, Side::Request).unwrap()
}

fn mutators(entries: Value) -> Vec<Hook> {
    let entries = entries.as_array().unwrap();
    parse_hooks(&HookLists { mutators: entries, ..HookLists::default() }, Side::Request).unwrap()
}

/// One guardrail on the request "hi".
fn guard(entry: Value) -> Outcome {
    run_on(&guardrails(json!([entry])), Side::Request, Shape::Chat, &chat("hi"), None)
}

/// Results without the data of checks.
fn brief(outcome: &Outcome) -> Value {
    let brief = |hook: &Value| {
        let checks = hook["checks"].as_array().unwrap();
        let checks: Vec<Value> =
            checks.iter().map(|c| json!([c["id"], c["verdict"], c["error"]["message"]])).collect();
        json!({"id": hook["id"], "verdict": hook["verdict"], "deny": hook["deny"],
            "transformed": hook["transformed"], "checks": checks})
    };
    outcome.results.iter().map(brief).collect()
}

/// (hook, verdict, denied): 200, 246 and 446 of the gateway.
#[test]
fn verdicts() {
    let hit = json!({"words": ["hi"], "operator": "any"});
    let miss = json!({"words": ["zzz"], "operator": "any"});
    let miss_off = json!({"words": ["zzz"], "operator": "any", "is_enabled": false});
    let cases = [
        (json!({"contains": hit}), true, false),
        (json!({"contains": hit, "deny": true}), true, false),
        (json!({"contains": miss}), false, false),
        (json!({"contains": miss, "deny": true}), false, true),
        (
            json!({"contains": hit, "other": {"id": "contains", "words": ["zzz"], "operator": "any"}}),
            false,
            false,
        ),
        (json!({"regexMatch": {}, "deny": true}), true, false),
        (json!({"regexMatch": {"failOnError": true}, "deny": true}), false, true),
        (json!({"no.such": {}, "deny": true}), true, false),
        (json!({"no.such": {"failOnError": true}, "deny": true}), false, true),
        (json!({"requiredMetadataKeys": {"failOnError": true}, "deny": true}), true, false),
        (json!({"contains": miss_off, "deny": true}), true, false),
        (json!({"contains": miss, "type": "other", "deny": true}), true, false),
        (json!({"contains": miss_off, "type": "mutator", "deny": true}), false, true),
        (json!({"deny": true}), true, false),
    ];
    for (entry, verdict, denied) in cases {
        let outcome = guard(entry.clone());
        assert_eq!(outcome.results[0]["verdict"], verdict, "{entry}");
        assert_eq!(outcome.results[0]["deny"], denied, "{entry}");
        assert_eq!((outcome.failed, outcome.denied), (!verdict, denied), "{entry}");
    }
}

#[test]
fn checks_that_cannot_judge_say_so() {
    let cases = [
        ("no.such", "Error executing check"),
        ("default.modelwhitelist", "Error executing check"),
        ("portkey.pii", "The check portkey.pii is not available in this build"),
        ("default.jwt", "The check default.jwt is not available in this build"),
    ];
    for (id, message) in cases {
        let outcome = guard(json!({id: {}, "id": "g"}));
        let expected = json!({
            "error": {"name": "Check error", "message": message},
            "verdict": false,
            "data": null,
            "id": id,
            "execution_time": 0,
            "created_at": "2026-11-21T11:52:16.966Z",
        });
        assert_eq!(outcome.results[0]["checks"][0].to_string(), expected.to_string());
    }
    let hooks = guardrails(json!([{"wordCount": {"minWords": 0, "maxWords": 1}, "id": "g"}]));
    let outcome = run_on(&hooks, Side::Request, Shape::Chat, &json!({"model": "m"}), None);
    assert_eq!(outcome.results[0]["checks"][0]["error"]["message"], "Error executing check");
}

#[test]
fn results_have_the_protocol_s_keys_in_its_order() {
    let clock = Cell::new(AT_MS);
    let now = || clock.replace(clock.get() + 2);
    let hooks =
        guardrails(json!([{"contains": {"words": ["z"], "operator": "any"}, "id": "g1", "deny": true}]));
    let (request, metadata) = (chat("hi"), Map::new());
    let input = Input { shape: Shape::Chat, request: &request, response: None, metadata: &metadata };
    let outcome = run(&hooks, Side::Request, input, &now);
    let expected = r#"{"verdict":false,"id":"g1","transformed":false,"checks":[{"data":{"explanation":"Check failed for 'any' words. No words were found.","foundWords":[],"missingWords":["z"],"operator":"any"},"verdict":false,"id":"default.contains","execution_time":2,"transformed":false,"created_at":"2026-11-21T11:52:16.968Z","log":null,"fail_on_error":false}],"feedback":null,"execution_time":6,"async":false,"type":"guardrail","created_at":"2026-11-21T11:52:16.966Z","deny":true}"#;
    assert_eq!(outcome.results[0].to_string(), expected);
    let results = hook_results(&outcome.results, &[]).to_string();
    assert_eq!(results, format!("{{\"before_request_hooks\":[{expected}],\"after_request_hooks\":[]}}"));
    assert_eq!(denied_body(&outcome.results, &[])["hook_results"].to_string(), results);
}

#[test]
fn feedback_counts_errors_as_successes() {
    let on_fail = json!({"feedback": {"value": -5, "weight": 1, "metadata": {"user_x": "b"}}});
    let on_success = json!({"feedback": {"value": 5, "unknown": 1}});
    let miss = json!({"words": ["zzz"], "operator": "any"});
    let cases = [
        (
            json!({"contains": miss, "alllowercase": {}, "on_fail": on_fail, "on_success": on_success}),
            json!({"value": -5, "weight": 1, "metadata": {"userX": "b", "successfulChecks": "default.alllowercase",
                "failedChecks": "default.contains", "erroredChecks": ""}}),
        ),
        (
            json!({"no.such": {"failOnError": true}, "regexMatch": {}, "on_success": on_success}),
            json!({"value": 5, "metadata": {"successfulChecks": "", "failedChecks": "",
                "erroredChecks": "no.such, default.regexMatch"}}),
        ),
        (
            json!({"requiredMetadataKeys": {}, "onSuccess": on_success}),
            json!({"value": 5, "metadata": {"successfulChecks": "default.requiredMetadataKeys", "failedChecks": "",
                "erroredChecks": ""}}),
        ),
        (json!({"contains": miss, "on_success": on_success}), json!(null)),
        (json!({"contains": miss, "on_fail": {}}), json!(null)),
    ];
    for (entry, expected) in cases {
        assert_eq!(guard(entry).results[0]["feedback"].to_string(), expected.to_string());
    }
}

#[test]
fn hooks_without_a_say_leave_no_result() {
    let deny = json!({"contains": {"words": ["zzz"], "operator": "any"}, "deny": true});
    let mut deny_async = deny.clone();
    deny_async["async"] = json!(true);
    let (request, input) = (chat("hi"), json!({"input": "hi"}));
    let silent = [
        run_on(&guardrails(json!([deny_async])), Side::Request, Shape::Chat, &request, None),
        run_on(
            &mutators(json!([{"addPrefix": {"prefix": "a"}, "async": true}])),
            Side::Request,
            Shape::Chat,
            &request,
            None,
        ),
        run_on(&mutators(json!([{"addPrefix": {"prefix": "a"}}])), Side::Request, Shape::Embed, &input, None),
        run_on(&guardrails(json!([deny])), Side::Response, Shape::Embed, &input, Some(&json!({}))),
        run_on(&[], Side::Request, Shape::Chat, &request, None),
    ];
    for outcome in silent {
        assert_eq!(outcome, Outcome::default());
    }
    assert!(run_on(&guardrails(json!([deny])), Side::Request, Shape::Embed, &input, None).denied);
    // The answer of a stream that has not been read is empty.
    assert!(run_on(&guardrails(json!([deny])), Side::Response, Shape::Chat, &request, None).failed);
}

#[test]
fn changes_are_seen_in_sequences_only_and_the_last_body_stands() {
    let replace = json!({"rule": "h", "redactText": "X"});
    let changed = json!({"words": ["Xi"], "operator": "any"});
    let twice = json!({"addPrefix": {"prefix": "a"}, "b": {"id": "addPrefix", "prefix": "b"}, "id": "g"});
    let cases = [
        (guardrails(json!([{"regexReplace": replace, "contains": changed}])), false, "Xi"),
        (guardrails(json!([{"regexReplace": replace, "contains": changed, "sequential": true}])), true, "Xi"),
        (mutators(json!([{"regexReplace": replace, "contains": changed}])), true, "Xi"),
        (guardrails(json!([twice])), true, "bhi"),
        (mutators(json!([twice])), true, "bahi"),
        (mutators(json!([{"addPrefix": {"prefix": "a"}}, {"addPrefix": {"prefix": "b"}}])), true, "bhi"),
        (
            mutators(
                json!([{"addPrefix": {"prefix": "a"}}, {"contains": {"words": ["hi"], "operator": "any"}}]),
            ),
            true,
            "ahi",
        ),
    ];
    for (hooks, verdict, text) in cases {
        let outcome = run_on(&hooks, Side::Request, Shape::Chat, &chat("hi"), None);
        assert_eq!(outcome.failed, !verdict, "{}", brief(&outcome));
        assert_eq!(outcome.results[0]["transformed"], true);
        assert_eq!(outcome.transformed_request, Some(chat(text)));
        assert_eq!(outcome.transformed_response, None);
    }
}

#[test]
fn a_changed_answer_is_the_response_s() {
    let hooks = guardrails(json!([{"default.regexReplace": {"rule": "/o/g", "redactText": "X"}, "id": "g"}]));
    let response = json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "foo"}}]});
    let outcome = run_on(&hooks, Side::Response, Shape::Chat, &chat("foo"), Some(&response));
    assert_eq!(outcome.transformed_response.unwrap()["choices"][0]["message"]["content"], "fXX");
    assert_eq!(outcome.transformed_request, None);
}
