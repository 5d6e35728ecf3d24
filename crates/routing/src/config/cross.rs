//! Rules about a whole node: which members must stand together. Their errors have the node's own path.

use serde_json::{Map, Value};

use super::check::Check;
use crate::custom_host;

const NO_CREDENTIALS: &str = "Invalid configuration. It must have either 'provider' and 'api_key', or 'strategy' and 'targets', or \
     'cache', or 'retry', or 'request_timeout'";
const VERTEX: &str = "Invalid configuration. ('vertex_project_id' and 'vertex_region') or ('vertex_service_account_json' and \
     'vertex_region') are required for 'vertex-ai' provider. Example: { 'provider': 'vertex-ai', 'vertex_project_id': \
     'my-project-id', 'vertex_region': 'us-central1', api_key: 'ya29...' }";
/// Any of these alone makes a node useful: it changes how a provider named in headers is called.
const ENOUGH_ALONE: [&str; 9] = [
    "cache",
    "retry",
    "request_timeout",
    "after_request_hooks",
    "before_request_hooks",
    "input_guardrails",
    "output_guardrails",
    "timeouts",
    "hedge",
];

/// Checks a node whose members all have the right types.
pub(super) fn check(check: &mut Check<'_>, node: &Map<String, Value>) {
    if !is_useful(check, node) {
        match node.contains_key("apiKey") {
            true => check.issue_with_hint(NO_CREDENTIALS, "write 'api_key'"),
            false => check.issue(NO_CREDENTIALS),
        }
    }
    for key in ["custom_host", "customHost"] {
        let host = node.get(key).and_then(Value::as_str).filter(|host| !host.is_empty());
        if let Some(Err(refusal)) = host.map(|host| custom_host::check(host, check.ctx.hosts)) {
            check.issue_with_hint("Invalid custom host", format!("'{key}' {}", refusal.reason()));
        }
    }
    let truthy = |key: &str| is_truthy(node.get(key));
    let places =
        truthy("vertex_region") && (truthy("vertex_project_id") || truthy("vertex_service_account_json"));
    if provider(node) == Some("vertex-ai") && !places && !has_stored_key(check, node) {
        check.issue(VERTEX);
    }
}

fn is_useful(check: &Check<'_>, node: &Map<String, Value>) -> bool {
    let has = |key: &str| node.contains_key(key);
    let truthy = |key: &str| is_truthy(node.get(key));
    let by_provider = match provider(node) {
        Some("ollama" | "triton") => true,
        Some("vertex-ai") => {
            truthy("vertex_region") && (truthy("vertex_service_account_json") || truthy("vertex_project_id"))
        }
        Some("azure-openai") => truthy("azure_auth_mode") || truthy("azure_ad_token"),
        _ => false,
    };
    (has("provider") && has("api_key"))
        || (has("strategy") && has("targets"))
        || ENOUGH_ALONE.iter().any(|key| truthy(key))
        || has("circuit_breaker")
        || has("circuitBreaker")
        || by_provider
        || (truthy("aws_access_key_id") && truthy("aws_secret_access_key"))
        || has_stored_key(check, node)
}

/// The credential is somewhere else: under a name, or in the gateway's settings.
fn has_stored_key(check: &Check<'_>, node: &Map<String, Value>) -> bool {
    let has_key = |id: &str| id.starts_with('@') || (check.ctx.has_key)(id);
    is_truthy(node.get("virtual_key"))
        || is_truthy(node.get("virtualKey"))
        || provider(node).is_some_and(has_key)
}

fn provider(node: &Map<String, Value>) -> Option<&str> {
    node.get("provider").and_then(Value::as_str)
}

/// Truthy, in the sense of the language that config authors know: not absent, `null`, `false`, 0 or empty
/// text.
pub(super) fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// Whether a config says by itself where its requests go.
pub(super) fn names_provider(config: &Value) -> bool {
    ["provider", "targets", "virtual_key", "virtualKey"].iter().any(|key| is_truthy(config.get(key)))
}
