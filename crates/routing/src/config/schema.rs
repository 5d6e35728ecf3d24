//! The schema of a node, as a table: every member, in the order in which errors are listed, with the rule
//! that checks it.
//!
//! The rules and texts for members that Portkey's gateway knows are its own, down to the types' names.

use serde_json::Value;

use super::check::{Check, Rule, Type};
use super::{extension, lint, spelling};
use crate::strategy::Mode;

pub(super) const MEMBERS: [(&str, Rule); 44] = [
    ("strategy", strategy),
    ("provider", provider),
    ("api_key", text),
    ("aws_secret_access_key", text),
    ("aws_access_key_id", text),
    ("aws_session_token", text),
    ("aws_region", text),
    ("cache", cache),
    ("retry", retry),
    ("weight", weight),
    ("on_status_codes", numbers),
    ("targets", targets),
    ("request_timeout", number),
    ("custom_host", text),
    ("forward_headers", forward_headers),
    ("vertex_project_id", text),
    ("vertex_region", text),
    ("after_request_hooks", objects),
    ("before_request_hooks", objects),
    ("input_guardrails", guardrails),
    ("output_guardrails", guardrails),
    ("vertex_service_account_json", texts_by_name),
    ("openai_project", text),
    ("openai_organization", text),
    ("azure_auth_mode", text),
    ("azure_entra_client_id", text),
    ("azure_entra_client_secret", text),
    ("azure_entra_tenant_id", text),
    ("deployment_id", text),
    ("api_version", text),
    ("azure_ad_token", text),
    ("azure_model_name", text),
    ("strict_open_ai_compliance", flag),
    // Not in Portkey's schema: read by its gateway all the same, or known to this one only.
    ("input_mutators", objects),
    ("output_mutators", objects),
    ("default_input_guardrails", guardrails),
    ("default_output_guardrails", guardrails),
    ("name", text),
    ("override_params", object),
    ("default_params", object),
    ("virtual_key", extension::virtual_key),
    ("timeouts", extension::timeouts),
    ("hedge", extension::hedge),
    ("circuit_breaker", extension::circuit_breaker),
];

/// Names of all members that are no provider options.
pub(super) fn member_names() -> [&'static str; MEMBERS.len()] {
    MEMBERS.map(|(name, _)| name)
}

pub(super) fn text(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_string() { Type::Right } else { check.expected("string", value) }
}

pub(super) fn number(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_number() { Type::Right } else { check.expected("number", value) }
}

pub(super) fn flag(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_boolean() { Type::Right } else { check.expected("boolean", value) }
}

pub(super) fn object(check: &mut Check<'_>, value: &Value) -> Type {
    if value.is_object() { Type::Right } else { check.expected("object", value) }
}

pub(super) fn numbers(check: &mut Check<'_>, value: &Value) -> Type {
    check.items(value, number)
}

fn objects(check: &mut Check<'_>, value: &Value) -> Type {
    check.items(value, object)
}

fn texts_by_name(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::Object(members) = value else { return check.expected("object", value) };
    members
        .iter()
        .fold(Type::Right, |result, (key, value)| result.and(check.at(key, |check| text(check, value))))
}

fn provider(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::String(id) = value else { return check.expected("string", value) };
    if !(check.ctx.is_provider)(id) {
        let ids = check.ctx.provider_ids;
        let message = format!("Invalid 'provider' value. Must be one of: {}", ids.join(", "));
        match spelling::nearest(&id.to_ascii_lowercase(), ids) {
            Some(near) => check.issue_with_hint(message, format!("did you mean '{near}'?")),
            None => check.issue(message),
        }
    }
    Type::Right
}

fn weight(check: &mut Check<'_>, value: &Value) -> Type {
    let is_numeric = |text: &str| text.trim().parse().is_ok_and(|number: f64| number.is_finite());
    if value.as_str().is_some_and(is_numeric) { Type::Right } else { number(check, value) }
}

fn targets(check: &mut Check<'_>, value: &Value) -> Type {
    check.level_below(value)
}

fn forward_headers(check: &mut Check<'_>, value: &Value) -> Type {
    let result = check.items(value, text);
    let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    const ITSELF: &str = "x-portkey-forward-headers";
    if result == Type::Right && names.into_iter().any(|name| name.trim().eq_ignore_ascii_case(ITSELF)) {
        check.issue(format!("forward_headers must not contain the '{ITSELF}' header"));
    }
    result
}

fn guardrails(check: &mut Check<'_>, value: &Value) -> Type {
    let Value::Array(items) = value else {
        check.issue("Invalid input");
        return Type::Wrong;
    };
    let count_of = |is_kind: fn(&Value) -> bool| items.iter().filter(|item| is_kind(item)).count();
    if !items.is_empty() && count_of(Value::is_string) == items.len() {
        return check.items(value, |check, _| {
            check.issue_with_hint(
                "Expected object, received string",
                "saved guardrails are unknown here: write them out",
            );
            Type::Wrong
        });
    }
    if count_of(Value::is_object) < items.len() {
        check.issue("Invalid input");
        return Type::Wrong;
    }
    Type::Right
}

fn cache(check: &mut Check<'_>, value: &Value) -> Type {
    fn mode(check: &mut Check<'_>, value: &Value) -> Type {
        let result = text(check, value);
        if result == Type::Right && !matches!(value.as_str(), Some("simple" | "semantic")) {
            check.issue("Invalid 'cache.mode' value. Must be one of: simple, semantic");
        }
        result
    }
    let result = check.members(value, &[("mode", true, mode), ("max_age", false, number)]);
    lint::unknown_members(check, value, &["mode", "max_age"]);
    result
}

fn retry(check: &mut Check<'_>, value: &Value) -> Type {
    let has_count = value.get("count").is_some();
    let table: [(&str, bool, Rule); 7] = [
        ("attempts", !has_count, number),
        ("on_status_codes", false, numbers),
        ("use_retry_after_header", false, flag),
        ("count", false, number),
        ("max_wait_ms", false, extension::milliseconds),
        ("jitter", false, flag),
        ("budget", false, extension::share),
    ];
    let result = check.members(value, &table);
    if has_count && value.get("attempts").is_some() {
        check.at("count", |check| check.issue("'count' is another name of 'attempts': leave one out"));
    }
    lint::retry(check, value);
    result
}

fn strategy(check: &mut Check<'_>, value: &Value) -> Type {
    fn mode(check: &mut Check<'_>, value: &Value) -> Type {
        let result = text(check, value);
        if value.as_str().is_some_and(|name| Mode::of(name).is_none()) {
            let names: Vec<&str> = Mode::names().collect();
            let hint = format!("all modes of this gateway: {}", names.join(", "));
            let message = "Invalid 'mode' value. Must be one of: single, loadbalance, fallback, conditional";
            check.issue_with_hint(message, hint);
        }
        result
    }
    fn condition(check: &mut Check<'_>, value: &Value) -> Type {
        check.members(value, &[("query", true, query), ("then", true, text)])
    }
    fn query(check: &mut Check<'_>, value: &Value) -> Type {
        let result = object(check, value);
        if result == Type::Right {
            extension::query(check, value);
        }
        result
    }
    let result = check.members(
        value,
        &[
            ("mode", true, mode),
            ("on_status_codes", false, numbers),
            ("conditions", false, |check, list| check.items(list, condition)),
            ("default", false, text),
        ],
    );
    if let Some(sticky) = value.get("sticky") {
        let is_balanced = value.get("mode").and_then(Value::as_str) == Some("loadbalance");
        return result.and(check.at("sticky", |check| extension::sticky(check, sticky, is_balanced)));
    }
    result
}
