use serde_json::json;

use super::*;

fn parse(lists: HookLists<'_>) -> Result<Vec<Hook>, HookError> {
    parse_hooks(&lists, Side::Request)
}

/// Kind, id and the checks with their parameters.
fn summary(hook: &Hook) -> Value {
    let checks: Vec<Value> = hook
        .checks
        .iter()
        .map(|check| json!([check.id, check.parameters.members(), check.enabled]))
        .collect();
    json!({"type": hook.kind.as_value(), "id": hook.id, "deny": hook.deny, "checks": checks})
}

#[test]
fn shorthand_expands_to_the_full_form() {
    let words = json!({"words": ["a"], "operator": "any"});
    let pii = json!({"id": "portkey.pii", "categories": ["NAME"]});
    let off = json!({"is_enabled": false});
    let cases = [
        (
            json!({"default.contains": words, "deny": true, "id": "g"}),
            json!({"type": "guardrail", "id": "g", "deny": true, "checks": [["default.contains", words, true]]}),
        ),
        (
            json!({"contains": words, "id": 7}),
            json!({"type": "guardrail", "id": 7, "deny": false, "checks": [["default.contains", words, true]]}),
        ),
        (
            json!({"any-name": pii, "id": "g"}),
            json!({"type": "guardrail", "id": "g", "deny": false, "checks": [["portkey.pii", pii, true]]}),
        ),
        (
            json!({"x": {"id": "contains"}, "id": "g", "guardrail_version_id": "v", "onFail": {}, "async": false}),
            json!({"type": "guardrail", "id": "g", "deny": false,
                "checks": [["default.contains", {"id": "contains"}, true]]}),
        ),
        (
            json!({"contains": off, "wordCount": {}, "id": "g"}),
            json!({"type": "guardrail", "id": "g", "deny": false,
                "checks": [["default.contains", off, false], ["default.wordCount", {}, true]]}),
        ),
        (
            json!({"contains": words, "type": "mutator", "id": "g"}),
            json!({"type": "mutator", "id": "g", "deny": false, "checks": [["default.contains", words, true]]}),
        ),
        (
            json!({"type": "other", "id": "g"}),
            json!({"type": "other", "id": "g", "deny": false, "checks": []}),
        ),
    ];
    for (entry, expected) in cases {
        let list = [entry];
        let lists = HookLists { guardrails: &list, ..HookLists::default() };
        let hooks = parse(lists).unwrap();
        assert_eq!(summary(&hooks[0]), expected);
        assert_eq!(summary(&parse(lists).unwrap()[0]), expected, "a list reads the same a second time");
    }
}

#[test]
fn lists_keep_their_order_and_kinds() {
    let (full, other) = ([json!({"type": "mutator", "id": "full"}), json!({"checks": []})], [json!({})]);
    let lists = HookLists { hooks: &full, guardrails: &other, mutators: &other, defaults: &other };
    let hooks = parse_hooks(&lists, Side::Response).unwrap();
    let kinds: Vec<_> = hooks.iter().map(|hook| hook.kind.clone()).collect();
    use HookKind::{Guardrail, Mutator, Unknown};
    assert_eq!(kinds, [Mutator, Unknown(None), Guardrail, Mutator, Guardrail]);
    assert_eq!(hooks[0].id, Some(json!("full")));
    assert_eq!(hooks[1].id, None);
    for hook in &hooks[2..] {
        let id = hook.id.as_ref().and_then(Value::as_str).unwrap();
        let random = id.strip_prefix("output_guardrail_").unwrap();
        assert!(
            random.len() == 3 && random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
            "{id}"
        );
    }
}

#[test]
fn wrong_members_are_named() {
    let full = |entry: Value| parse(HookLists { hooks: &[entry], ..HookLists::default() });
    let short = |entry: Value| parse(HookLists { mutators: &[entry], ..HookLists::default() });
    let cases = [
        (full(json!("pc-1")), "before_request_hooks[0] must be an object"),
        (full(json!({"deny": "yes"})), "before_request_hooks[0].deny must be true or false"),
        (full(json!({"checks": {}})), "before_request_hooks[0].checks must be an array of objects"),
        (full(json!({"checks": ["x"]})), "before_request_hooks[0].checks[0] must be an object"),
        (
            full(json!({"checks": [{"id": 5}]})),
            "before_request_hooks[0].checks[0].id must name a check, such as \"default.contains\"",
        ),
        (
            full(json!({"checks": [{"id": "a.b", "parameters": []}]})),
            "before_request_hooks[0].checks[0].parameters must be an object",
        ),
        (
            full(json!({"checks": [{"id": "a.b", "is_enabled": 0}]})),
            "before_request_hooks[0].checks[0].is_enabled must be true or false",
        ),
        (full(json!({"on_fail": 1})), "before_request_hooks[0].on_fail must be an object"),
        (
            full(json!({"onFail": {"feedback": 1}})),
            "before_request_hooks[0].onFail.feedback must be an object",
        ),
        (
            full(json!({"on_fail": {"feedback": {"metadata": 1}}})),
            "before_request_hooks[0].on_fail.feedback.metadata must be an object",
        ),
        (short(json!({"contains": null})), "input_mutators[0].contains must be an object"),
        (
            short(json!({"x": {"id": 1}})),
            "input_mutators[0].x.id must name a check, such as \"default.contains\"",
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }
}

#[test]
fn checks_that_cannot_judge_are_known_before_they_run() {
    let entry = json!({
        "contains": {},
        "portkey.pii": {},
        "no.such": {},
        "webhook": {},
        "default.contains.more": {},
        "regexMatch": {"rule": "/a(?=b)/"},
        "a": {"id": "regexReplace", "rule": "/a(?=b)/g"},
        "b": {"id": "regexReplace", "rule": "/a(/g"},
        "c": {"id": "regexReplace"},
    });
    let hooks = parse(HookLists { defaults: &[entry], ..HookLists::default() }).unwrap();
    let missing: Vec<&str> = hooks[0].unavailable_checks().collect();
    let expected =
        ["portkey.pii", "no.such", "default.webhook", "default.regexMatch", "default.regexReplace"];
    assert_eq!(missing, expected);
}
