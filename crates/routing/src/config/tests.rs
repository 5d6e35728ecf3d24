use serde_json::json;

use super::*;
use crate::testing::{PROVIDERS, parse_with};

const NO_CREDENTIALS: &str = "path: , message: Invalid configuration. It must have either 'provider' and 'api_key', or 'strategy' and 'targets', or 'cache', or 'retry', or 'request_timeout'";

fn errors(config: &Value) -> Vec<String> {
    match parse_with(&config.to_string(), true) {
        Ok(_) => Vec::new(),
        Err(error) => {
            assert_eq!(error.message, "Invalid config passed");
            error.errors()
        }
    }
}

/// A sound node with `members` added.
fn node(members: Value) -> Value {
    let mut node = json!({"provider": "openai", "api_key": "k"});
    let (Some(all), Value::Object(members)) = (node.as_object_mut(), members) else { panic!("an object") };
    all.extend(members);
    node
}

fn notes(config: &Value) -> Vec<String> {
    parse_with(&config.to_string(), true).unwrap().notes().iter().map(ToString::to_string).collect()
}

#[test]
fn refusals_before_the_schema() {
    let not_json = "Invalid config passed. You need to pass a valid json";
    let no_provider = "Either x-portkey-provider needs to be passed. Or the x-portkey-config header should have a valid config with provider details in it.";
    let old = "This version of config is not supported in this route. Please migrate to the latest version";
    let cases = [
        ("pc-abc", false, not_json),
        ("null", false, not_json),
        ("null", true, not_json),
        ("{\"provider\":\"openai\",}", false, not_json),
        ("{}", false, no_provider),
        ("5", false, no_provider),
        ("\"text\"", false, no_provider),
        (r#"{"provider":""}"#, false, no_provider),
        (r#"{"retry":{"attempts":1}}"#, false, no_provider),
        (r#"{"provider":"openai","api_key":"k","options":[{}]}"#, false, old),
    ];
    for (text, provider_header, message) in cases {
        let error = parse_with(text, provider_header).unwrap_err();
        assert_eq!(error.message, message, "{text}");
        assert!(error.errors().is_empty(), "{text}");
    }
    assert!(parse_with(r#"{"provider":"openai","api_key":"k","options":null}"#, false).is_ok());
    // The schema comes before the old form.
    let error = parse_with(r#"{"provider":"openai","options":[{}]}"#, false).unwrap_err();
    assert_eq!(error.errors(), [NO_CREDENTIALS]);
}

#[test]
fn texts_of_the_reference() {
    let provider = format!(
        "path: provider, message: Invalid 'provider' value. Must be one of: {}",
        PROVIDERS.join(", ")
    );
    let vertex = "path: , message: Invalid configuration. ('vertex_project_id' and 'vertex_region') or ('vertex_service_account_json' and 'vertex_region') are required for 'vertex-ai' provider. Example: { 'provider': 'vertex-ai', 'vertex_project_id': 'my-project-id', 'vertex_region': 'us-central1', api_key: 'ya29...' }";
    let cases: Vec<(Value, Vec<&str>)> = vec![
        (json!({}), vec![NO_CREDENTIALS]),
        (json!(5), vec!["path: , message: Expected object, received number"]),
        (json!([]), vec!["path: , message: Expected object, received array"]),
        (
            json!({"strategy": {"mode": "x"}, "targets": []}),
            vec![
                "path: strategy,mode, message: Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional",
            ],
        ),
        (json!({"strategy": {}, "targets": []}), vec!["path: strategy,mode, message: Required"]),
        (node(json!({"strategy": null})), vec!["path: strategy, message: Expected object, received null"]),
        (node(json!({"retry": {}})), vec!["path: retry,attempts, message: Required"]),
        (
            node(json!({"retry": {"attempts": "2"}})),
            vec!["path: retry,attempts, message: Expected number, received string"],
        ),
        (
            node(json!({"retry": {"attempts": 1, "on_status_codes": [429, "5xx"]}})),
            vec!["path: retry,on_status_codes,1, message: Expected number, received string"],
        ),
        (
            node(json!({"cache": {"mode": "x"}})),
            vec!["path: cache,mode, message: Invalid 'cache.mode' value. Must be one of: simple, semantic"],
        ),
        (node(json!({"cache": "simple"})), vec!["path: cache, message: Expected object, received string"]),
        (node(json!({"custom_host": "http://10.0.0.1"})), vec!["path: , message: Invalid custom host"]),
        (node(json!({"customHost": "http://10.0.0.1"})), vec!["path: , message: Invalid custom host"]),
        (
            json!({"strategy": {"mode": "single"}, "targets": [node(json!({"custom_host": "http://169.254.169.254"}))]}),
            vec!["path: targets,0, message: Invalid custom host"],
        ),
        (
            node(json!({"forward_headers": ["x-portkey-forward-headers"]})),
            vec![
                "path: forward_headers, message: forward_headers must not contain the 'x-portkey-forward-headers' header",
            ],
        ),
        (node(json!({"provider": "OpenAI"})), vec![&provider]),
        (node(json!({"provider": "@nobody"})), vec![&provider]),
        (node(json!({"provider": 1})), vec!["path: provider, message: Expected string, received number"]),
        (json!({"provider": "vertex-ai", "api_key": "k"}), vec![vertex]),
        (json!({"provider": "vertex-ai"}), vec![NO_CREDENTIALS, vertex]),
        (node(json!({"input_guardrails": {}})), vec!["path: input_guardrails, message: Invalid input"]),
        (
            node(json!({"input_guardrails": ["pg-1", {}]})),
            vec!["path: input_guardrails, message: Invalid input"],
        ),
        (
            node(json!({"output_guardrails": ["pg-1"]})),
            vec!["path: output_guardrails,0, message: Expected object, received string"],
        ),
        (node(json!({"weight": "heavy"})), vec!["path: weight, message: Expected number, received string"]),
        (
            node(json!({"strict_open_ai_compliance": "false"})),
            vec!["path: strict_open_ai_compliance, message: Expected boolean, received string"],
        ),
        (
            node(json!({"vertex_service_account_json": {"a": 1}})),
            vec!["path: vertex_service_account_json,a, message: Expected string, received number"],
        ),
        (
            json!({"strategy": {"mode": "conditional", "conditions": [{"query": []}]}, "targets": []}),
            vec![
                "path: strategy,conditions,0,query, message: Expected object, received array",
                "path: strategy,conditions,0,then, message: Required",
            ],
        ),
        // Several errors come in the order of the schema; a wrong type silences the rules about whole nodes
        // around it.
        (
            json!({"weight": "x", "provider": 3, "retry": {}}),
            vec![
                "path: provider, message: Expected string, received number",
                "path: retry,attempts, message: Required",
                "path: weight, message: Expected number, received string",
            ],
        ),
        (
            json!({"strategy": {"mode": "x"}, "targets": [{}, {"weight": null}], "custom_host": "ftp://x"}),
            vec![
                "path: strategy,mode, message: Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional",
                "path: targets,0, message: Invalid configuration. It must have either 'provider' and 'api_key', or 'strategy' and 'targets', or 'cache', or 'retry', or 'request_timeout'",
                "path: targets,1,weight, message: Expected number, received null",
            ],
        ),
        (
            json!({"strategy": {"mode": "x"}, "custom_host": "ftp://x"}),
            vec![
                "path: strategy,mode, message: Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional",
                NO_CREDENTIALS,
                "path: , message: Invalid custom host",
            ],
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(errors(&config), expected, "{config}");
    }
}

#[test]
fn what_counts_as_credentials() {
    for config in [
        json!({"provider": "ollama"}),
        json!({"provider": "triton"}),
        json!({"provider": "google"}),
        json!({"provider": "@my-openai"}),
        json!({"virtual_key": "prod"}),
        json!({"virtualKey": "prod"}),
        json!({"provider": "vertex-ai", "virtual_key": "prod"}),
        json!({"provider": "bedrock", "aws_access_key_id": "a", "aws_secret_access_key": "s"}),
        json!({"provider": "vertex-ai", "vertex_region": "r", "vertex_project_id": "p"}),
        json!({"provider": "vertex-ai", "vertex_region": "r", "vertex_service_account_json": {"a": "b"}}),
        json!({"provider": "azure-openai", "azure_auth_mode": "managed"}),
        json!({"provider": "openai", "request_timeout": 5}),
        json!({"provider": "openai", "apiKey": "k", "retry": {"attempts": 0}}),
        json!({"cache": {"mode": "simple"}}),
        json!({"input_guardrails": []}),
        json!({"circuit_breaker": false}),
        json!({"timeouts": {"connect_ms": 5}}),
    ] {
        assert_eq!(errors(&config), Vec::<String>::new(), "{config}");
    }
    for config in [
        json!({"provider": "openai"}),
        json!({"provider": "openai", "apiKey": "k"}),
        json!({"provider": "@", "request_timeout": 0}),
        json!({"request_timeout": 0}),
        json!({"api_key": "k"}),
        json!({"virtual_key": "", "retry": null}),
    ] {
        assert!(!errors(&config).is_empty(), "{config}");
    }
}

#[test]
fn own_extensions_are_strict() {
    let cases = [
        (json!({"timeouts": {"conect_ms": 1}}), "timeouts,conect_ms, message: Unknown member"),
        (
            json!({"provider": "openai", "custom_Host": "http://10.0.0.1"}),
            "custom_Host, message: Unknown member",
        ),
        (
            json!({"timeouts": {}}),
            "timeouts, message: Has no effect when empty. Known members: connect_ms, first_byte_ms, between_chunks_ms",
        ),
        (
            json!({"timeouts": {"connect_ms": 0}}),
            "timeouts,connect_ms, message: Must be a whole number from 1 to 86400000",
        ),
        (
            json!({"timeouts": {"connectMs": "5"}}),
            "timeouts,connectMs, message: Expected number, received string",
        ),
        (json!({"hedge": {}}), "hedge,after, message: Required"),
        (
            json!({"hedge": {"after": "p99"}}),
            "hedge,after, message: Expected \"p95\" or a number of milliseconds",
        ),
        (
            json!({"hedge": {"after": 100, "max_share": 0}}),
            "hedge,max_share, message: Must be more than 0 and at most 1",
        ),
        (
            json!({"hedge": {"after": 100, "max_share": 1.5}}),
            "hedge,max_share, message: Must be more than 0 and at most 1",
        ),
        (json!({"circuit_breaker": "off"}), "circuit_breaker, message: Expected object, received string"),
        (
            json!({"circuit_breaker": {"failures": 2.5}}),
            "circuit_breaker,failures, message: Must be a whole number from 1 to 1000000",
        ),
        (json!({"circuitBreaker": {"treshold": 2}}), "circuitBreaker,treshold, message: Unknown member"),
        (json!({"default_params": []}), "default_params, message: Expected object, received array"),
        (json!({"overrideParams": "x"}), "overrideParams, message: Expected object, received string"),
        (json!({"virtual_key": ""}), "virtual_key, message: Must name a stored key"),
        (
            json!({"retry": {"attempts": 1, "count": 1}}),
            "retry,count, message: 'count' is another name of 'attempts': leave one out",
        ),
        (
            json!({"retry": {"attempts": 1, "budget": 2}}),
            "retry,budget, message: Must be more than 0 and at most 1",
        ),
        (
            json!({"retry": {"attempts": 1, "jitter": 1}}),
            "retry,jitter, message: Expected boolean, received number",
        ),
        (json!({"onStatusCodes": "x"}), "onStatusCodes, message: Expected array, received string"),
    ];
    for (members, expected) in cases {
        assert_eq!(errors(&node(members.clone())), [format!("path: {expected}")], "{members}");
    }
    let sound = node(json!({
        "timeouts": {"connect_ms": 1, "firstByteMs": 2}, "hedge": {"after": "p95", "maxShare": 1},
        "circuit_breaker": {"failures": 1, "window_s": 1, "open_s": 1, "half_open": 1, "strict": true},
        "retry": {"count": 2, "max_wait_ms": 10, "jitter": false, "budget": 0.2}, "weight": "0.5",
        "default_params": {"a": 1}, "virtual_key": "v", "name": "n",
    }));
    assert_eq!(errors(&sound), Vec::<String>::new());
    assert_eq!(notes(&sound), Vec::<String>::new());
}

#[test]
fn sticky_is_for_load_balancing_and_says_by_what() {
    let config = |mode: &str, sticky: Value| json!({"strategy": {"mode": mode, "sticky": sticky}, "targets": [node(json!({}))]});
    for sticky in [
        json!({"by": "header:x-user"}),
        json!({"by": "metadata.user", "ttl_s": 60}),
        json!({"by": "prompt_prefix", "prefix_chars": 100}),
        json!({"enabled": true, "hash_fields": ["metadata.user", "params.user", "headers.x-user"], "ttl": 60}),
        json!({"enabled": false}),
    ] {
        assert_eq!(errors(&config("loadbalance", sticky.clone())), Vec::<String>::new(), "{sticky}");
    }
    let cases = [
        (
            "fallback",
            json!({"by": "header:x"}),
            "path: strategy,sticky, message: 'sticky' has an effect in mode 'loadbalance' only",
        ),
        (
            "loadbalance",
            json!({"by": "user"}),
            "path: strategy,sticky,by, message: Must be \"header:<name>\", \"metadata.<key>\" or \"prompt_prefix\"",
        ),
        (
            "loadbalance",
            json!({"by": "header.x"}),
            "path: strategy,sticky,by, message: Must be \"header:<name>\", \"metadata.<key>\" or \"prompt_prefix\"",
        ),
        ("loadbalance", json!({"ttl_s": 5}), "path: strategy,sticky,by, message: Required"),
        (
            "loadbalance",
            json!({"by": "header:x", "hash_fields": ["params.a"]}),
            "path: strategy,sticky, message: 'by' and 'hash_fields' say the same: leave one out",
        ),
        (
            "loadbalance",
            json!({"by": "header:x", "prefix_chars": 5}),
            "path: strategy,sticky,prefix_chars, message: Has an effect with 'by': \"prompt_prefix\" only",
        ),
        (
            "loadbalance",
            json!({"hash_fields": ["user"]}),
            "path: strategy,sticky,hash_fields,0, message: hash_fields must start with \"metadata.\", \"params.\", or \"headers.\"",
        ),
        (
            "loadbalance",
            json!({"hash_fields": []}),
            "path: strategy,sticky,hash_fields, message: Names no field",
        ),
        (
            "loadbalance",
            json!({"by": "header:x", "tll_s": 5}),
            "path: strategy,sticky,tll_s, message: Unknown member",
        ),
    ];
    for (mode, sticky, expected) in cases {
        assert_eq!(errors(&config(mode, sticky.clone())), [expected], "{sticky}");
    }
    let differing = json!({"strategy": {"mode": "fallback"}, "targets": [
        config("loadbalance", json!({"by": "prompt_prefix"})),
        config("loadbalance", json!({"by": "prompt_prefix", "prefix_chars": 10})),
    ]});
    assert_eq!(
        errors(&differing),
        [
            "path: targets,1,strategy,sticky, message: 'prefix_chars' must be the same in all groups of a config"
        ]
    );
}

#[test]
fn queries_that_cannot_work_are_refused_or_noted() {
    let config = |query: Value| json!({"strategy": {"mode": "conditional", "conditions": [{"query": query, "then": "a"}]}, "targets": [node(json!({"name": "a"}))]});
    let at = "path: strategy,conditions,0,query";
    assert_eq!(
        errors(&config(json!({"$or": [{"params.model": {"$regex": "(?!x)"}}]}))),
        [format!("{at},$or,0,params.model,$regex, message: Patterns with look-around are not supported")]
    );
    assert_eq!(
        errors(&config(json!({"$and": [1]}))),
        [format!("{at},$and,0, message: Expected object, received number")]
    );
    assert_eq!(
        notes(&config(json!({"metadata.a": {"$foo": 1, "$in": "x"}}))),
        [
            "strategy.conditions[0].query.metadata.a.$foo: is no operator: requests that reach it are refused",
            "strategy.conditions[0].query.metadata.a.$in: never holds: its value must be an array",
        ]
    );
}

#[test]
fn members_without_effect_are_noted() {
    let cases = [
        (
            node(json!({"timeout": {"connect_ms": 1}})),
            vec!["timeout: is passed on as an option of the provider; did you mean 'timeouts'?"],
        ),
        (
            node(json!({"retry": {"attempts": 1.5, "on_status_code": []}})),
            vec![
                "retry.on_status_code: has no effect; did you mean 'on_status_codes'?",
                "retry.attempts: counts as the whole number below it, and as 0 when negative",
            ],
        ),
        (node(json!({"on_status_codes": [500]})), vec!["on_status_codes: has no effect here"]),
        (node(json!({"default_input_guardrails": []})), vec![]),
        (
            json!({"strategy": {"mode": "single"}, "targets": [node(json!({"default_input_guardrails": []}))]}),
            vec!["targets[0].default_input_guardrails: has an effect at the root of a config only"],
        ),
        (node(json!({"resource_name": "r", "openai_beta": "x"})), vec![]),
        (
            json!({"targets": [node(json!({}))], "retry": {"attempts": 0}}),
            vec!["targets: has no effect without 'strategy'"],
        ),
        (
            json!({"strategy": {"mode": "single"}, "retry": {"attempts": 0}}),
            vec!["strategy: has nothing to choose from without 'targets'"],
        ),
        (
            json!({"provider": "openai", "strategy": {"mode": "loadbalance", "on_status_codes": [1], "conditions": []}, "targets": []}),
            vec![
                "provider: has no effect on a node with a strategy: targets do not inherit it",
                "targets: is empty: every request is refused",
                "strategy.on_status_codes: has no effect in mode 'loadbalance'",
                "strategy.conditions: has no effect in mode 'loadbalance'",
            ],
        ),
        (
            json!({"strategy": {"mode": "conditional", "default": "zz"}, "targets": [node(json!({"name": "a"}))]}),
            vec![
                "strategy: has no conditions: every request is refused",
                "strategy: names 'zz', which is no target's name",
            ],
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(notes(&config), expected, "{config}");
    }
}

#[test]
fn people_get_place_and_hint() {
    let text = "{\n  \"provider\": \"opnai\",\n  \"api_key\": \"k\",\n  \"timeouts\": {\"first_byte\": 5}\n}";
    let error = parse_with(text, false).unwrap_err();
    let lines = error.to_string();
    assert!(lines.contains("2:15 provider: Invalid 'provider' value."), "{lines}");
    assert!(lines.contains("(did you mean 'openai'?)"), "{lines}");
    assert!(lines.contains("4:30 timeouts.first_byte: Unknown member (known are: connect_ms"), "{lines}");
    let syntax = parse_with("{\n \"provider\" 5}", false).unwrap_err();
    assert_eq!((syntax.issues[0].line, syntax.issues[0].column), (2, 13));
    let error = parse_with(r#"{"provider":"openai","apiKey":"k"}"#, false).unwrap_err();
    assert_eq!(error.issues[0].hint.as_deref(), Some("write 'api_key'"));
}

#[test]
fn size_and_depth_are_bounded() {
    let nested = |levels: usize| {
        (0..levels)
            .fold(node(json!({})), |inner, _| json!({"strategy": {"mode": "single"}, "targets": [inner]}))
    };
    assert_eq!(errors(&nested(MAX_DEPTH)), Vec::<String>::new());
    let refused = errors(&nested(MAX_DEPTH + 1));
    assert_eq!(refused.len(), 1);
    assert!(refused[0].ends_with("Targets may be nested at most 16 levels deep"), "{refused:?}");

    let wide =
        |count: usize| json!({"strategy": {"mode": "single"}, "targets": vec![node(json!({})); count]});
    assert_eq!(errors(&wide(MAX_TARGETS - 1)), Vec::<String>::new());
    assert_eq!(
        errors(&wide(MAX_TARGETS + 50)),
        ["path: targets,255, message: A config may have at most 256 targets"]
    );

    // Deeper than the parser goes: an error, not a crash.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(parse_with(&deep, true).unwrap_err().errors(), Vec::<String>::new());
}

#[test]
fn a_config_that_is_wrong_everywhere_gets_a_short_answer() {
    let errors = errors(&node(json!({"on_status_codes": vec!["x"; 20_000]})));
    assert_eq!(errors.len(), 101);
    assert_eq!(errors[100], "path: , message: 19900 more errors");
}

#[test]
fn debug_shows_no_key() {
    let config = parse_with(
        r#"{"provider":"bedrock","api_key":"sk-1","aws_secret_access_key":"hush","targets":[{"provider":"openai","api_key":"sk-2"}]}"#,
        false,
    );
    let shown = format!("{:?}", config.unwrap());
    assert!(!["sk-1", "sk-2", "hush"].iter().any(|secret| shown.contains(secret)), "{shown}");
}
