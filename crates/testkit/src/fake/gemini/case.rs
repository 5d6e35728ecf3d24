//! The server takes `generation_config` as well as `generationConfig`: all names become camelCase, except those that are
//! the caller's own (arguments, results, property names, labels, plain JSON Schemas).

use serde_json::{Map, Value};

const OPAQUE: &[&str] =
    &["args", "response", "properties", "labels", "parametersJsonSchema", "responseJsonSchema"];

pub(super) fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(members.into_iter().map(member).collect::<Map<_, _>>()),
        Value::Array(items) => items.into_iter().map(camel).collect(),
        other => other,
    }
}

fn member((name, value): (String, Value)) -> (String, Value) {
    let name = rename(&name);
    let value = if OPAQUE.contains(&name.as_str()) { value } else { camel(value) };
    (name, value)
}

fn rename(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut renamed = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        renamed.push_str(&first.to_uppercase());
        renamed.push_str(rest);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_caller_s_own_names_stay() {
        let before = json!({"generation_config": {"max_output_tokens": 1}, "parts": [{"function_call":
            {"name": "a_b", "args": {"the_port": 1}}}], "systemInstruction": {}});
        let after = json!({"generationConfig": {"maxOutputTokens": 1}, "parts": [{"functionCall":
            {"name": "a_b", "args": {"the_port": 1}}}], "systemInstruction": {}});
        assert_eq!(camel(before), after);
    }
}
