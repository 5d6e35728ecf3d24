//! Bodies and queries, from bytes to types.
//!
//! Clients spell members in two ways: `page_size` and `pageSize`, `workspace_id` and `workspaceId`. What is read here has
//! the first spelling. Members nobody knows are ignored, as the reference does.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tidegate_core::field::shown;

use crate::problem::Problem;

/// The largest body, in bytes.
pub(crate) const LARGEST: usize = 1 << 20;

/// Members whose own members clients also spell in two ways. Not those that people fill as they like (metadata).
const NESTED: [&str; 11] = [
    "usage_limits",
    "rate_limits",
    "rotation_policy",
    "workspace_api_key_details",
    "secret_mappings",
    "conditions",
    "group_by",
    "defaults",
    "workspaces",
    "global_workspace_access",
    "models",
];
/// Members below those that are people's own.
const FREE: [&str; 4] = ["metadata", "config", "configurations", "pricing_config"];

/// Reads a body. None at all is an empty object: official clients send POST and PUT without one.
///
/// # Errors
/// 413, 415, and 400 naming the member that cannot be read.
pub(crate) fn body<T: DeserializeOwned>(headers: &HeaderMap, body: &Bytes) -> Result<T, Problem> {
    if body.len() > LARGEST {
        let message = format!("the body has {} bytes; expected at most {LARGEST}", body.len());
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return read(Value::Object(Map::new()));
    }
    if let Some(media) = headers.get(CONTENT_TYPE).filter(|media| !is_json(media)) {
        let media = shown(&String::from_utf8_lossy(media.as_bytes()));
        let message = format!("content-type: {media} is not read here; expected application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).about("content-type"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => read(Value::Object(spelled(members))),
        Ok(Value::Null) => read(Value::Object(Map::new())),
        Ok(_) => Err(Problem::field("body", "is not an object", "a JSON object {…}")),
        Err(error) => Err(Problem::field("body", format!("is not JSON: {error}"), "a JSON object {…}")),
    }
}

/// Reads a query. Empty values are as good as none; of a name that comes twice the last one counts.
///
/// # Errors
/// 400 naming the parameter that cannot be read.
pub(crate) fn query<T: DeserializeOwned>(text: Option<&str>) -> Result<T, Problem> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(text.unwrap_or("").as_bytes()) {
        let name = snake(&name);
        pairs.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            pairs.push((name, value.into_owned()));
        }
    }
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let form = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    serde_path_to_error::deserialize(form).map_err(|error| {
        let field = error.path().to_string();
        told(&field, &error.into_inner().to_string())
    })
}

/// Things that may come one by one or together.
#[derive(Debug)]
pub(crate) struct Items {
    /// It came by itself, not in a list.
    pub(crate) is_one: bool,
    /// With the names of their members in the first spelling.
    pub(crate) list: Vec<Map<String, Value>>,
}

/// Reads one object, an array of objects, or an object of objects whose names are 0, 1, 2 and so on, which is what an
/// array becomes in one official client.
///
/// # Errors
/// 415, and 400 naming the item that is no object.
pub(crate) fn items(headers: &HeaderMap, body: &Bytes, most: usize) -> Result<Items, Problem> {
    let (is_one, list) = values(headers, body, most)?;
    let each = |(at, item): (usize, Value)| match item {
        Value::Object(members) => Ok(spelled(members)),
        _ if is_one => Err(Problem::field("body", "is not an object", ITEMS)),
        _ => Err(Problem::field(&at.to_string(), "is not an object", "a JSON object {…}")),
    };
    let list = list.into_iter().enumerate().map(each).collect::<Result<_, _>>()?;
    Ok(Items { is_one, list })
}

const ITEMS: &str = "a JSON object {…} or an array of them";

/// As [`items`], whatever each of them is. True: it came by itself.
///
/// # Errors
/// 415, and 400 for what is no JSON or too many.
pub(crate) fn values(headers: &HeaderMap, body: &Bytes, most: usize) -> Result<(bool, Vec<Value>), Problem> {
    if let Some(media) = headers.get(CONTENT_TYPE).filter(|media| !is_json(media)) {
        let media = shown(&String::from_utf8_lossy(media.as_bytes()));
        let message = format!("content-type: {media} is not read here; expected application/json");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).about("content-type"));
    }
    let value = serde_json::from_slice(body)
        .map_err(|error| Problem::field("body", format!("is not JSON: {error}"), ITEMS))?;
    let (is_one, list) = match value {
        Value::Array(list) => (false, list),
        Value::Object(members) if is_numbered(&members) => (false, members.into_values().collect()),
        one => (true, vec![one]),
    };
    if list.len() > most {
        let problem = format!("{} items are too many", list.len());
        return Err(Problem::field("body", problem, format!("at most {most}")));
    }
    Ok((is_one, list))
}

fn is_numbered(members: &Map<String, Value>) -> bool {
    let mut names = (0usize..).zip(members.keys());
    !members.is_empty() && names.all(|(at, name)| *name == at.to_string())
}

fn is_json(media: &http::HeaderValue) -> bool {
    let media = media.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    media.is_empty() || media.eq_ignore_ascii_case("application/json") || media.ends_with("+json")
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        told(&field, &error.into_inner().to_string())
    })
}

/// serde's words as ours: ``missing field `name` `` is about `name`, wherever it was noticed.
fn told(field: &str, words: &str) -> Problem {
    let missing = words.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    if let Some(name) = missing {
        let field = if field == "." { name.to_owned() } else { format!("{field}.{name}") };
        return Problem::field(&field, "is missing", "a value");
    }
    let (problem, expected) = words.split_once(", expected ").unwrap_or((words, ""));
    let (problem, expected) = match expected {
        "" => problem.split_once("; expected ").unwrap_or((problem, "another value")),
        expected => (problem, expected),
    };
    let field = if field == "." { "body" } else { field };
    Problem::field(field, shown(problem), expected)
}

/// With all names in the first spelling. Where both are there, that one wins.
fn spelled(members: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in members {
        let known = snake(&name);
        let value = if NESTED.contains(&known.as_str()) { below(value) } else { value };
        if known == name || !out.contains_key(&known) {
            out.insert(known, value);
        }
    }
    out
}

fn below(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(below).collect()),
        Value::Object(members) => {
            let rename = |(name, value): (String, Value)| {
                let known = snake(&name);
                let value = if FREE.contains(&known.as_str()) { value } else { below(value) };
                (known, value)
            };
            Value::Object(members.into_iter().map(rename).collect())
        }
        other => other,
    }
}

/// `workspaceId`, `traceID` → `workspace_id`, `trace_id`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_is_small = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && previous_is_small {
            out.push('_');
        }
        previous_is_small = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::patch::Patch;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Example {
        name: String,
        #[serde(default)]
        workspace_id: Option<String>,
        #[serde(default)]
        limit: Patch<u32>,
        #[serde(default)]
        usage_limits: Value,
    }

    fn json_body(value: &Value) -> Result<Example, String> {
        body(&HeaderMap::new(), &Bytes::from(value.to_string())).map_err(|problem| problem.to_string())
    }

    #[test]
    fn both_spellings_and_unknown_members() {
        let read = json_body(&json!({
            "name": "n", "workspaceId": "ws", "sub-type": 1, "limit": null,
            "usageLimits": [{"creditLimit": 5, "metadata": {"aB": 1}}],
        }));
        let want = Example {
            name: "n".to_owned(),
            workspace_id: Some("ws".to_owned()),
            limit: Patch::Clear,
            usage_limits: json!([{"credit_limit": 5, "metadata": {"aB": 1}}]),
        };
        assert_eq!(read, Ok(want));
        let both = json!({"name": "n", "workspace_id": "first", "workspaceId": "second"});
        assert_eq!(json_body(&both).unwrap().workspace_id.as_deref(), Some("first"));
        for (name, want) in [("traceID", "trace_id"), ("isDefault", "is_default"), ("a_b", "a_b"), ("é", "é")]
        {
            assert_eq!(snake(name), want);
        }
    }

    #[test]
    fn a_body_that_cannot_be_read_says_where() {
        for (value, want) in [
            (json!({}), "name: is missing; expected a value"),
            (json!({"name": 5}), "name: invalid type: integer `5`; expected a string"),
            (json!({"name": "n", "limit": -1}), "limit: invalid value: integer `-1`; expected u32"),
            (json!([]), "body: is not an object; expected a JSON object {…}"),
        ] {
            assert_eq!(json_body(&value).unwrap_err(), want);
        }
        let of = |media: &'static str, text: &'static str| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media))]);
            body::<Value>(&headers, &Bytes::from_static(text.as_bytes())).map_err(|p| p.status().as_u16())
        };
        assert_eq!(of("application/json", "{"), Err(400));
        assert_eq!(of("text/plain", "{}"), Err(415));
        assert_eq!(of("text/plain", ""), Ok(json!({})));
        assert_eq!(of("application/json; charset=utf-8", " \n"), Ok(json!({})));
        let large = Bytes::from(vec![b' '; LARGEST + 1]);
        assert_eq!(body::<Value>(&HeaderMap::new(), &large).unwrap_err().status().as_u16(), 413);
    }

    #[test]
    fn queries() {
        #[derive(Debug, Deserialize, PartialEq)]
        struct Listed {
            page_size: Option<u32>,
            name: Option<String>,
        }
        let read = |text| query::<Listed>(text).map_err(|problem| problem.to_string());
        let listed = |page_size, name: Option<&str>| Ok(Listed { page_size, name: name.map(str::to_owned) });
        assert_eq!(read(None), listed(None, None));
        assert_eq!(read(Some("")), listed(None, None));
        assert_eq!(read(Some("pageSize=5&name=a%20b&other=1")), listed(Some(5), Some("a b")));
        assert_eq!(read(Some("page_size=&pageSize=7&page_size=8")), listed(Some(8), None));
        let error = read(Some("pageSize=many")).unwrap_err();
        assert!(error.starts_with("page_size: invalid digit"), "{error}");
    }
}
