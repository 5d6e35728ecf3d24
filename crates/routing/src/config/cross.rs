//! Rules about a whole node: which members must stand together.

use serde_json::Value;

/// Truthy, in the sense of the language that config authors know: not absent, `null`, `false`, 0 or empty text.
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
