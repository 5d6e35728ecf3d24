//! Values under names that mean a secret are not shown, whatever object they stand in.

use serde_json::Value;

const SHOWN: &str = "***";

/// Names, in lower case without separators. One that ends so, or contains the second list's words, is masked.
const ENDINGS: [&str; 9] =
    ["key", "token", "secret", "password", "authorization", "digest", "cookie", "credential", "content"];
const WORDS: [&str; 6] = ["secret", "password", "apikey", "privatekey", "serviceaccount", "accesskey"];
/// Objects whose every value is masked: headers carry credentials under any name.
const OBJECTS: [&str; 2] = ["headers", "customheaders"];

/// The value with secrets masked. Numbers, switches and nulls stay, and so do names.
pub(crate) fn mask(value: Value) -> Value {
    walk(value, false)
}

fn walk(value: Value, hidden: bool) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, value)| {
                    let hide = hidden || hides(&name, &value);
                    (name, walk(value, hide))
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(|item| walk(item, hidden)).collect()),
        Value::String(text) if hidden && !text.is_empty() => Value::String(SHOWN.to_owned()),
        other => other,
    }
}

fn hides(name: &str, value: &Value) -> bool {
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match value {
        Value::String(_) => {
            ENDINGS.iter().any(|ending| plain.ends_with(ending)) || WORDS.iter().any(|w| plain.contains(w))
        }
        Value::Object(_) | Value::Array(_) => {
            OBJECTS.contains(&plain.as_str()) || WORDS.iter().any(|word| plain.ends_with(word))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_by_name_at_any_depth() {
        let masked = mask(json!({
            "name": "prod", "max_tokens": 5, "api_key": "sk-1",
            "targets": [{"provider": "openai", "apiKey": "sk-2", "aws_secret_access_key": "a",
                         "custom_headers": {"x-any": "v"}, "override_params": {"model": "m"}}],
            "credentials": [{"shown": "sk-***z", "content": "1.2.3"}],
            "secrets": [{"digest": "ab", "shown": "tg-s***x"}],
        }));
        let expected = json!({
            "name": "prod", "max_tokens": 5, "api_key": "***",
            "targets": [{"provider": "openai", "apiKey": "***", "aws_secret_access_key": "***",
                         "custom_headers": {"x-any": "***"}, "override_params": {"model": "m"}}],
            "credentials": [{"shown": "sk-***z", "content": "***"}],
            "secrets": [{"digest": "***", "shown": "tg-s***x"}],
        });
        assert_eq!(masked, expected);
    }
}
