//! `addPrefix`: puts a text before the first message of a role, or before the prompt. On `/v1/messages` the system prompt
//! is the request's `system` member, which the API has in place of system messages.

use serde_json::{Map, Value, json};

use super::{Finding, Parameters, Scene};
use crate::text::NoText;
use crate::{Shape, Side, js};

pub(super) fn check(scene: &Scene<'_>, parameters: &Parameters) -> Result<Finding, NoText> {
    let Some(prefix) = parameters.text("prefix") else {
        return Ok(Finding::passed_with("Prefix parameter is required and must be a string"));
    };
    if scene.side == Side::Response || scene.shape == Shape::Embed {
        return Ok(Finding::new(true, Value::Null));
    }
    let wish = Wish {
        prefix,
        role: parameters.text("applyToRole").unwrap_or("user"),
        add_to_existing: parameters.flag("addToExisting", true),
        only_if_empty: parameters.flag("onlyIfEmpty", false),
    };
    if scene.shape == Shape::Complete && has_tokens(scene.request) {
        return Ok(Finding::passed_with("A prompt of tokens cannot take a prefix"));
    }
    let mut request = scene.request.clone();
    if let Value::Object(members) = &mut request {
        match scene.shape {
            Shape::Complete => wish.apply_to_prompt(members),
            Shape::Messages if wish.role == "system" => wish.apply_to_system(members),
            _ => wish.apply_to_messages(members, scene.shape),
        }
    }
    let data = json!({
        "prefix": prefix,
        "requestType": scene.shape.as_str(),
        "applyToRole": wish.role,
        "addToExisting": wish.add_to_existing,
        "onlyIfEmpty": wish.only_if_empty,
    });
    Ok(Finding { transformed: Some(request), ..Finding::new(true, data) })
}

struct Wish<'p> {
    prefix: &'p str,
    role: &'p str,
    /// Into the message there is, not a message of its own before it.
    add_to_existing: bool,
    /// Leave a message alone that already says something.
    only_if_empty: bool,
}

impl Wish<'_> {
    /// The prompt, or the first of several; an absent one stays absent.
    fn apply_to_prompt(&self, request: &mut Map<String, Value>) {
        let first = match request.get_mut("prompt") {
            Some(Value::Array(prompts)) => prompts.first_mut(),
            prompt => prompt,
        };
        if let Some(Value::String(prompt)) = first {
            prompt.insert_str(0, self.prefix);
        }
    }

    fn apply_to_system(&self, request: &mut Map<String, Value>) {
        let system = request.entry("system").or_insert(Value::Null);
        if self.only_if_empty && !is_empty(system) {
            return;
        }
        if self.add_to_existing || is_empty(system) {
            self.put_before(system);
        } else {
            let mut blocks = vec![self.part()];
            match system.take() {
                Value::Array(existing) => blocks.extend(existing),
                text => blocks.push(json!({"type": "text", "text": text})),
            }
            *system = Value::Array(blocks);
        }
    }

    fn apply_to_messages(&self, request: &mut Map<String, Value>, shape: Shape) {
        let messages = request.entry("messages").or_insert_with(|| json!([]));
        let Value::Array(messages) = messages else { return };
        let has_role = |message: &Value| message.get("role").and_then(Value::as_str) == Some(self.role);
        match messages.iter().position(has_role) {
            None if self.role == "system" => messages.insert(0, self.message(shape)),
            None => messages.push(self.message(shape)),
            Some(at) => {
                let content = messages[at].get("content").unwrap_or(&Value::Null);
                if self.only_if_empty && !is_empty(content) {
                    return;
                }
                if !self.add_to_existing {
                    messages.insert(at, self.message(shape));
                } else if let Value::Object(message) = &mut messages[at] {
                    self.put_before(message.entry("content").or_insert(Value::Null));
                }
            }
        }
    }

    /// Into a text, a first text part, or a new first part.
    fn put_before(&self, content: &mut Value) {
        match content {
            Value::String(text) => text.insert_str(0, self.prefix),
            Value::Array(parts) => match parts.first_mut().and_then(|part| part.get_mut("text")) {
                Some(Value::String(text)) => text.insert_str(0, self.prefix),
                _ => parts.insert(0, self.part()),
            },
            absent => *absent = self.prefix.into(),
        }
    }

    fn message(&self, shape: Shape) -> Value {
        let content = if shape == Shape::Messages { json!([self.part()]) } else { self.prefix.into() };
        json!({"role": self.role, "content": content})
    }

    fn part(&self) -> Value {
        json!({"type": "text", "text": self.prefix})
    }
}

/// Whether the first prompt is numbers instead of text.
fn has_tokens(request: &Value) -> bool {
    let first = request.get("prompt").and_then(|prompts| prompts.as_array()?.first());
    first.is_some_and(|first| !first.is_string())
}

fn is_empty(content: &Value) -> bool {
    match content {
        Value::String(text) => text.chars().all(js::is_space),
        Value::Array(parts) => parts.is_empty(),
        Value::Null => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (parameters beside the prefix and the role, `system` before, `system` after)
    #[test]
    fn the_system_prompt_of_messages_is_a_member() {
        let block = json!({"type": "text", "text": "s"});
        let cases = [
            (json!({}), json!(null), json!("P ")),
            (json!({}), json!("s"), json!("P s")),
            (json!({}), json!([block]), json!([{"type": "text", "text": "P s"}])),
            (json!({"onlyIfEmpty": true}), json!("s"), json!("s")),
            (json!({"onlyIfEmpty": true}), json!(" "), json!("P  ")),
            (json!({"addToExisting": false}), json!(null), json!("P ")),
            (json!({"addToExisting": false}), json!("s"), json!([{"type": "text", "text": "P "}, block])),
            (json!({"addToExisting": false}), json!([block]), json!([{"type": "text", "text": "P "}, block])),
        ];
        let metadata = Map::new();
        for (mut parameters, before, after) in cases {
            parameters["prefix"] = json!("P ");
            parameters["applyToRole"] = json!("system");
            let parameters = Parameters::new("default.addPrefix", parameters.as_object().unwrap().clone());
            let request = json!({"system": before, "messages": []});
            let input = crate::Input {
                shape: Shape::Messages,
                request: &request,
                response: None,
                metadata: &metadata,
            };
            let found = check(&Scene::new(Side::Request, input), &parameters).unwrap();
            assert_eq!(found.transformed, Some(json!({"system": after, "messages": []})), "{before}");
        }
    }
}
