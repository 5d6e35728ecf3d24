//! Configs may hold provider keys. They are shown masked, and a masked one that is sent back means the one it masks: so
//! a config can be read, changed and written by people who never see its keys.

use std::collections::HashMap;

use serde_json::Value;

use crate::problem::Problem;

/// Members that hold a credential, in lower case without separators.
const NAMES: [&str; 13] = [
    "apikey",
    "awsaccesskeyid",
    "awssecretaccesskey",
    "awssessiontoken",
    "azureadtoken",
    "azureentraclientsecret",
    "privatekey",
    "privatekeyid",
    "clientsecret",
    "password",
    "authorization",
    "secret",
    "token",
];
/// Objects in which every text is taken for one.
const OBJECTS: [&str; 3] = ["headers", "customheaders", "credentials"];

/// The config with its credentials masked.
pub(super) fn masked(config: &Value) -> Value {
    let mut config = config.clone();
    each(&mut config, "", false, &mut |text| *text = mask(text));
    config
}

/// Puts the credentials of `old` where `new` has their masks.
///
/// # Errors
/// 400 for a mask of nothing that is known.
pub(super) fn unmasked(mut new: Value, old: Option<&Value>) -> Result<Value, Problem> {
    let mut known = HashMap::new();
    if let Some(old) = old {
        each(&mut old.clone(), "", false, &mut |text| drop(known.insert(mask(text), text.clone())));
    }
    let mut unknown = false;
    each(&mut new, "", false, &mut |text| match known.get(text.as_str()) {
        Some(secret) => text.clone_from(secret),
        None => unknown |= text.contains(STARS),
    });
    if unknown {
        let problem = "holds a masked credential that is not in the stored version";
        return Err(Problem::field("config", problem, "the credential itself, or the mask as it was read"));
    }
    Ok(new)
}

const STARS: &str = "***";

/// Three characters of the beginning and two of the end, where that leaves enough unsaid.
fn mask(text: &str) -> String {
    let length = text.chars().count();
    if length < 16 {
        return STARS.to_owned();
    }
    let head: String = text.chars().take(3).collect();
    let tail: String = text.chars().skip(length - 2).collect();
    format!("{head}{STARS}{tail}")
}

fn each(value: &mut Value, name: &str, inside: bool, act: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) if !text.is_empty() && (inside || NAMES.contains(&name)) => act(text),
        Value::Object(members) => {
            for (name, value) in members {
                let plain: String = name
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .map(|c| c.to_ascii_lowercase())
                    .collect();
                let inside = inside || OBJECTS.contains(&plain.as_str());
                each(value, &plain, inside, act);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each(item, name, inside, act)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_masked_and_come_back() {
        let config = json!({
            "strategy": {"mode": "fallback"},
            "targets": [
                {"provider": "openai", "api_key": "sk-0123456789abcdef", "weight": 1},
                {"virtual_key": "prod-key-0123456789", "apiKey": "short"},
                {"before_request_hooks": [{"checks": [{"parameters": {"headers": {"x-any": "value-of-a-header-1"}}}]}]},
            ],
        });
        let shown = masked(&config);
        assert_eq!(shown["targets"][0]["api_key"], "sk-***ef");
        assert_eq!(shown["targets"][1], json!({"virtual_key": "prod-key-0123456789", "apiKey": "***"}));
        assert_eq!(
            shown["targets"][2]["before_request_hooks"][0]["checks"][0]["parameters"]["headers"]["x-any"],
            "val***-1"
        );
        assert_eq!(unmasked(shown.clone(), Some(&config)), Ok(config.clone()));
        let mut moved = shown;
        moved["targets"].as_array_mut().unwrap().swap(0, 1);
        let back = unmasked(moved, Some(&config)).unwrap();
        assert_eq!(back["targets"][1]["api_key"], "sk-0123456789abcdef");
        let new = json!({"api_key": "sk-***zz"});
        assert_eq!(unmasked(new.clone(), Some(&config)).unwrap_err().status().as_u16(), 400);
        assert!(unmasked(new, None).is_err());
    }
}
