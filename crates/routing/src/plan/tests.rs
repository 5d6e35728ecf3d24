use serde_json::{Value, json};

use super::*;
use crate::testing::{parse_with, plan};

fn leaf(members: Value) -> Value {
    let mut node = json!({"provider": "openai", "api_key": "k"});
    let (Some(all), Value::Object(members)) = (node.as_object_mut(), members) else { panic!("an object") };
    all.extend(members);
    node
}

fn group(members: Value, targets: Vec<Value>) -> Value {
    let mut node = json!({"strategy": {"mode": "fallback"}, "targets": targets});
    let (Some(all), Value::Object(members)) = (node.as_object_mut(), members) else { panic!("an object") };
    all.extend(members);
    node
}

/// The leaf of a root that says `outer`, a group that says `middle` and a leaf that says `inner`.
fn inherited(outer: Value, middle: Value, inner: Value) -> Target {
    let plan = plan(&group(outer, vec![group(middle, vec![leaf(inner)])]));
    Target::clone(plan.targets()[0])
}

fn params(map: &Option<Arc<JsonMap>>) -> Value {
    map.as_ref().map_or(Value::Null, |map| Value::Object(JsonMap::clone(map)))
}

#[test]
fn parameters_are_merged_and_deeper_wins() {
    let target = inherited(
        json!({"override_params": {"a": 1, "b": 1, "deep": {"x": 1}}, "default_params": {"d": 1}}),
        json!({"overrideParams": {"b": 2, "c": 2}}),
        json!({"override_params": {"c": 3, "deep": {"y": 1}}, "default_params": {"e": 1}}),
    );
    assert_eq!(params(&target.override_params), json!({"a": 1, "b": 2, "deep": {"y": 1}, "c": 3}));
    assert_eq!(params(&target.default_params), json!({"d": 1, "e": 1}));
}

#[test]
fn the_nearest_retry_and_cache_win_whole() {
    let target = inherited(
        json!({"retry": {"attempts": 3, "on_status_codes": [400]}, "cache": {"mode": "simple", "max_age": 5}}),
        json!({"retry": {"attempts": 1, "useRetryAfterHeader": true}, "cache": {"mode": "semantic"}}),
        json!({}),
    );
    assert_eq!(target.retry.attempts, 1);
    assert_eq!(target.retry.on_status_codes, StatusCodes::Default);
    assert!(target.retry.use_retry_after_header && target.retry.jitter);
    assert_eq!(target.cache, Some(CacheMode { kind: CacheKind::Semantic, max_age_ms: None }));
}

#[test]
fn the_nearest_value_that_says_something_wins() {
    let target = inherited(
        json!({"request_timeout": 10, "custom_host": "https://a.example", "forward_headers": ["x-a"], "strict_open_ai_compliance": false}),
        json!({"request_timeout": 20, "customHost": "https://b.example", "forward_headers": []}),
        json!({"request_timeout": 0, "custom_host": ""}),
    );
    assert_eq!(target.timeouts.request_ms, Some(20));
    assert_eq!(target.custom_host.as_deref(), Some("https://b.example"));
    assert_eq!(target.forward_headers.as_deref(), Some(&[][..]));
    assert_eq!(target.strict, Some(false));
}

#[test]
fn time_limits_are_merged_and_policies_replaced() {
    let target = inherited(
        json!({"timeouts": {"connect_ms": 1, "first_byte_ms": 1}, "request_timeout": 9, "hedge": {"after": "p95"}, "circuit_breaker": {"failures": 9}}),
        json!({"timeouts": {"first_byte_ms": 2}, "circuit_breaker": false}),
        json!({"timeouts": {"between_chunks_ms": 3}, "hedge": {"after": 50, "max_share": 0.5}}),
    );
    let expected = Timeouts {
        request_ms: Some(9),
        connect_ms: Some(1),
        first_byte_ms: Some(2),
        between_chunks_ms: Some(3),
    };
    assert_eq!(target.timeouts, expected);
    assert_eq!(target.hedge, Some(HedgePolicy { after: HedgeAfter::Ms(50), max_share: 0.5 }));
    assert_eq!(target.circuit, None);
    let target = inherited(json!({}), json!({"circuit_breaker": {"window_s": 7}}), json!({}));
    assert_eq!(target.circuit, Some(CircuitPolicy { window_ms: 7_000, ..CircuitPolicy::default() }));
}

#[test]
fn hooks_come_whole_from_the_nearest_node_that_has_any_on_that_side() {
    let target = inherited(
        json!({
            "before_request_hooks": [{"id": "a"}], "output_guardrails": [{"id": "out"}],
            "default_input_guardrails": [{"id": "default"}],
        }),
        json!({"input_guardrails": [{"id": "b"}], "inputMutators": [{"id": "m"}]}),
        json!({}),
    );
    let hooks = target.hooks.unwrap();
    let before = hooks.before.as_ref().unwrap();
    assert!(before.hooks.is_empty());
    assert_eq!(
        (&before.guardrails, &before.mutators),
        (&vec![json!({"id": "b"})], &vec![json!({"id": "m"})])
    );
    assert_eq!(before.defaults, [json!({"id": "default"})]);
    assert_eq!(hooks.after.as_ref().unwrap().guardrails, [json!({"id": "out"})]);
    assert!(inherited(json!({}), json!({"input_guardrails": []}), json!({})).hooks.is_none());
}

#[test]
fn identity_is_never_inherited() {
    let plan = plan(&group(
        json!({"provider": "openai", "api_key": "outer", "name": "n", "weight": 3, "aws_region": "eu"}),
        vec![json!({"retry": {"attempts": 0}})],
    ));
    let target = plan.targets()[0];
    assert_eq!((&*target.provider, target.api_key.is_none(), target.name.as_deref()), ("", true, None));
    assert!(target.options.is_empty());
    assert_eq!(target.weight, 1.0);
}

#[test]
fn provider_options_survive_in_one_spelling() {
    let plan = plan(&leaf(json!({
        "resourceName": "r", "deployment_id": "d", "awsServerSideEncryptionKMSKeyId": "kms",
        "vertex_service_account_json": {"client_email": "a"}, "somethingNew": {"innerKey": 1},
    })));
    let options = Value::Object(plan.targets()[0].options.clone());
    let expected = json!({
        "resource_name": "r", "deployment_id": "d", "aws_server_side_encryption_kms_key_id": "kms",
        "vertex_service_account_json": {"client_email": "a"}, "something_new": {"innerKey": 1},
    });
    assert_eq!(options, expected);
    let order: Vec<&String> = plan.targets()[0].options.keys().collect();
    assert_eq!(order[..2], ["resource_name", "deployment_id"], "order is kept");
}

#[test]
fn weights_are_numbers_or_text_and_never_negative() {
    let weight = |weight: Value| plan(&leaf(json!({"weight": weight}))).root.weight();
    let cases =
        [(json!(0.25), 0.25), (json!(" 2 "), 2.0), (json!(0), 0.0), (json!(-5), 0.0), (json!("-1"), 0.0)];
    for (written, expected) in cases {
        assert_eq!(weight(written.clone()), expected, "{written}");
    }
}

#[test]
fn camel_case_works_throughout() {
    let config = json!({
        "provider": "openai", "apiKey": "k", "requestTimeout": 5, "retry": {"attempts": 2, "onStatusCodes": [418]},
        "strictOpenAiCompliance": false, "request_timeout": 1,
    });
    let target = Target::clone(plan(&config).targets()[0]);
    assert!(target.api_key.is_some());
    assert_eq!(target.timeouts.request_ms, Some(1), "the later spelling counts");
    assert!(target.retry.lists(418) && !target.retry.lists(500));
    assert_eq!(target.strict, Some(false));
}

#[test]
fn paths_name_the_place_in_the_text() {
    let plan = plan(&group(json!({}), vec![leaf(json!({})), group(json!({}), vec![leaf(json!({}))])]));
    let paths: Vec<&str> = plan.targets().iter().map(|target| &*target.path).collect();
    assert_eq!(paths, ["config.targets[0]", "config.targets[1].targets[0]"]);
    assert_eq!(plan.root.path(), "config");
}

#[test]
fn targets_marked_open_are_left_out_where_an_id_is_in_effect() {
    let open = || leaf(json!({"is_open": true}));
    let paths = |config: &Value| -> Vec<String> {
        plan(config).targets().iter().map(|target| target.path.to_string()).collect()
    };
    assert_eq!(paths(&group(json!({"id": "c"}), vec![open(), leaf(json!({}))])), ["config.targets[1]"]);
    assert_eq!(paths(&group(json!({"id": "c"}), vec![open(), open()])).len(), 2);
    let nested = group(json!({"id": "c"}), vec![group(json!({}), vec![open(), leaf(json!({}))])]);
    assert_eq!(paths(&nested), ["config.targets[0].targets[1]"]);
    assert_eq!(
        paths(&group(json!({}), vec![leaf(json!({"id": "c", "is_open": true})), leaf(json!({}))])).len(),
        1
    );
    assert_eq!(paths(&group(json!({}), vec![open(), leaf(json!({}))])).len(), 2);
}

#[test]
fn keys_tell_upstreams_and_accounts_apart() {
    let key = |members: Value| plan(&leaf(members)).targets()[0].key;
    let same = [
        json!({}),
        json!({"retry": {"attempts": 1}}),
        json!({"weight": 2, "name": "x", "override_params": {"a": 1}}),
    ];
    let others = [
        json!({"provider": "anthropic"}),
        json!({"api_key": "k2"}),
        json!({"custom_host": "https://a.example"}),
        json!({"resource_name": "r"}),
    ];
    let first = key(json!({}));
    assert!(same.into_iter().all(|members| key(members) == first));
    assert!(others.into_iter().all(|members| key(members) != first));
    assert_eq!(first, TargetKey::of("openai", None, Some(AccountId::of("k")), &JsonMap::new()));
}

#[test]
fn needs_name_what_strategies_look_at() {
    let balanced = |sticky: Value| {
        plan(&json!({"strategy": {"mode": "loadbalance", "sticky": sticky}, "targets": [leaf(json!({}))]}))
            .needs
    };
    assert_eq!(plan(&leaf(json!({}))).needs, Needs::default());
    assert!(balanced(json!({"by": "header:X-User"})).headers);
    assert!(balanced(json!({"by": "metadata.user"})).metadata);
    assert!(balanced(json!({"hash_fields": ["params.user"]})).params);
    assert_eq!(balanced(json!({"by": "prompt_prefix"})).prompt_prefix_chars, Some(1_024));
    assert_eq!(balanced(json!({"by": "prompt_prefix", "prefix_chars": 9})).prompt_prefix_chars, Some(9));
    let cheap = json!({"strategy": {"mode": "lowest_cost"}, "targets": [leaf(json!({}))]});
    assert!(plan(&cheap).needs.price);
    let conditional = json!({"strategy": {"mode": "conditional", "conditions": [{"query": {"params.model": "x"}, "then": "a"}]}, "targets": [leaf(json!({}))]});
    assert!(plan(&conditional).needs.params);
}

#[test]
fn a_config_may_leave_the_provider_to_headers() {
    let config = parse_with(r#"{"retry":{"attempts":2}}"#, true).unwrap();
    let plan = Plan::new(&config, Defaults::default(), None);
    assert_eq!((&*plan.targets()[0].provider, plan.targets()[0].retry.attempts), ("", 2));
}
