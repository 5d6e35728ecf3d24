//! Applies a vendor's differences to an OpenAI-shaped body, whether it was encoded here or came from the client as it
//! is. Names in an [`Adjust`] are those of the dialect; renaming comes last.

use serde_json::{Map, Number, Value};
use tidegate_core::{Verdict, Warnings, id};

use crate::Adjust;

/// Changes `body` in place, keeping the order of its members; each loss goes to `warnings`.
pub fn adjust_body(body: &mut Map<String, Value>, adjust: &Adjust, warnings: &mut Warnings) {
    for name in &adjust.drop {
        // Asking for usage in the stream is the gateway's own wish, and where it cannot be asked for it always comes.
        if body.shift_remove(name).is_some_and(|value| !value.is_null()) && name != "stream_options" {
            warnings.dropped(name);
        }
    }
    for (name, low, high) in &adjust.clamp {
        clamp(body, name, *low, *high, warnings);
    }
    if adjust.developer_to_system {
        developers_to_system(body);
    }
    if let Some(word) = &adjust.tool_choice_required
        && let Some(choice) = body.get_mut("tool_choice").filter(|choice| **choice == "required")
    {
        *choice = Value::from(word.as_str());
    }
    if adjust.stop_as_list
        && let Some(stop) = body.get_mut("stop").filter(|stop| stop.is_string())
    {
        *stop = Value::Array(vec![stop.take()]);
    }
    if let Some(length) = adjust.tool_id_length {
        fit_tool_ids(body, length);
    }
    for (from, to) in &adjust.rename {
        rename(body, from, to, warnings);
    }
}

fn clamp(body: &mut Map<String, Value>, name: &str, low: f64, high: f64, warnings: &mut Warnings) {
    let Some(value) = body.get_mut(name) else { return };
    let Some(number) = value.as_f64() else { return };
    if (low..=high).contains(&number) {
        return;
    }
    let bound = if number < low { low } else { high };
    let whole = bound.fract() == 0.0 && bound.abs() < 9e15;
    let clamped = if whole { Some(Number::from(bound as i64)) } else { Number::from_f64(bound) };
    if let Some(clamped) = clamped {
        warnings.push_note(Verdict::Shaped, name, clamped.to_string());
        *value = Value::Number(clamped);
    }
}

/// The word changes, the meaning does not: nothing to report.
fn developers_to_system(body: &mut Map<String, Value>) {
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        if let Some(role) = message.get_mut("role").filter(|role| **role == "developer") {
            *role = Value::from("system");
        }
    }
}

/// Ids that another vendor made are replaced, calls and results alike; a replacement depends on the id alone, so that
/// each turn of a conversation gets the same.
fn fit_tool_ids(body: &mut Map<String, Value>, length: usize) {
    let fit = |id: &mut Value| {
        if let Value::String(text) = id
            && (text.len() != length || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            *text = id::derived(text, length);
        }
    };
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        message.get_mut("tool_call_id").into_iter().for_each(fit);
        let calls = message.get_mut("tool_calls").and_then(Value::as_array_mut);
        calls.into_iter().flatten().filter_map(|call| call.get_mut("id")).for_each(fit);
    }
}

/// A member that already has the new name stays, and the other one is reported.
fn rename(body: &mut Map<String, Value>, from: &str, to: &str, warnings: &mut Warnings) {
    if !body.contains_key(from) {
        return;
    }
    if body.get(to).is_some_and(|value| !value.is_null()) {
        body.shift_remove(from);
        warnings.dropped(from);
        return;
    }
    body.shift_remove(to);
    let members = std::mem::take(body);
    body.extend(
        members
            .into_iter()
            .map(|(key, value)| if key == from { (to.to_owned(), value) } else { (key, value) }),
    );
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn each_difference_is_applied() {
        let rename = |from: &str, to: &str| Adjust {
            rename: vec![(from.to_owned(), to.to_owned())],
            ..Adjust::default()
        };
        let clamp =
            |low, high| Adjust { clamp: vec![("temperature".into(), low, high)], ..Adjust::default() };
        let drop = |names: &[&str]| Adjust { drop: owned(names), ..Adjust::default() };
        let word = Adjust { tool_choice_required: Some("any".into()), ..Adjust::default() };
        let list = Adjust { stop_as_list: true, ..Adjust::default() };
        let system = Adjust { developer_to_system: true, ..Adjust::default() };
        for (adjust, body, want, warnings) in [
            (rename("a", "b"), json!({"x": 1, "a": 2, "y": 3}), r#"{"x":1,"b":2,"y":3}"#, ""),
            (rename("a", "b"), json!({"b": 1}), r#"{"b":1}"#, ""),
            (rename("a", "b"), json!({"a": 1, "b": 2}), r#"{"b":2}"#, "dropped;a"),
            (rename("a", "b"), json!({"b": null, "a": 1}), r#"{"b":1}"#, ""),
            (drop(&["a", "z"]), json!({"a": 1, "b": 2}), r#"{"b":2}"#, "dropped;a"),
            (drop(&["a"]), json!({"a": null}), "{}", ""),
            (drop(&["stream_options"]), json!({"stream_options": {}}), "{}", ""),
            (clamp(0.0, 1.0), json!({"temperature": 2}), r#"{"temperature":1}"#, "shaped;temperature=1"),
            (
                clamp(0.01, 1.5),
                json!({"temperature": 0}),
                r#"{"temperature":0.01}"#,
                "shaped;temperature=0.01",
            ),
            (clamp(0.0, 1.0), json!({"temperature": 0.5}), r#"{"temperature":0.5}"#, ""),
            (clamp(0.0, 1.0), json!({"temperature": null}), r#"{"temperature":null}"#, ""),
            (word.clone(), json!({"tool_choice": "required"}), r#"{"tool_choice":"any"}"#, ""),
            (word, json!({"tool_choice": "auto"}), r#"{"tool_choice":"auto"}"#, ""),
            (list.clone(), json!({"stop": "x"}), r#"{"stop":["x"]}"#, ""),
            (list, json!({"stop": ["x"]}), r#"{"stop":["x"]}"#, ""),
            (
                system,
                json!({"messages": [{"role": "developer"}, {"role": "user"}]}),
                r#"{"messages":[{"role":"system"},{"role":"user"}]}"#,
                "",
            ),
        ] {
            let mut got = body.as_object().unwrap().clone();
            let mut losses = Warnings::default();
            adjust_body(&mut got, &adjust, &mut losses);
            assert_eq!(serde_json::to_string(&got).unwrap(), want, "{body}");
            assert_eq!(losses.header_value(), warnings, "{body}");
        }
    }

    #[test]
    fn foreign_tool_ids_are_replaced_alike() {
        let adjust = Adjust { tool_id_length: Some(9), ..Adjust::default() };
        let body = json!({"messages": [
            {"role": "assistant", "tool_calls": [{"id": "toolu_01A"}, {"id": "abcDEF123"}]},
            {"role": "tool", "tool_call_id": "toolu_01A"}, {"role": "tool", "tool_call_id": "abcDEF123"}
        ]});
        let mut body = body.as_object().unwrap().clone();
        adjust_body(&mut body, &adjust, &mut Warnings::default());
        let messages = &body["messages"];
        let made = messages[0]["tool_calls"][0]["id"].as_str().unwrap();
        assert_eq!((made.len(), made.bytes().all(|byte| byte.is_ascii_alphanumeric())), (9, true));
        assert_eq!(messages[1]["tool_call_id"], made);
        assert_eq!(messages[0]["tool_calls"][1]["id"], "abcDEF123");
        assert_eq!(messages[2]["tool_call_id"], "abcDEF123");
    }

    #[test]
    fn names_are_those_before_renaming() {
        let adjust = Adjust {
            rename: vec![("seed".into(), "random_seed".into())],
            clamp: vec![("seed".into(), 0.0, 9.0)],
            ..Adjust::default()
        };
        let mut body = json!({"seed": 10}).as_object().unwrap().clone();
        adjust_body(&mut body, &adjust, &mut Warnings::default());
        assert_eq!(Value::Object(body), json!({"random_seed": 9}));
    }
}
