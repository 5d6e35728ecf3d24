//! Which tool call a piece of a stream belongs to. OpenAI numbers them; vendors leave the number out, give every call
//! the same one, repeat the id in every piece or send none at all.

use serde_json::{Map, Value};

use super::super::member::{take, take_text, whole};
use super::super::reasoning;
use super::super::response::{argument_text, made_up_call_id};
use crate::chat::{StreamEvent, ToolKind};

/// The tool calls of one choice, in the order of their beginning.
#[derive(Debug, Default)]
pub(super) struct Calls {
    list: Vec<Call>,
    started: u32,
}

#[derive(Debug)]
struct Call {
    vendor_index: Option<u64>,
    id: String,
    /// Number of the call in our events, once its name is known.
    number: Option<u32>,
}

impl Calls {
    pub(super) fn any(&self) -> bool {
        self.started > 0
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Takes one entry of `delta.tool_calls`. A call begins with the piece that names it; arguments before that have
    /// no call to go to and are left out.
    pub(super) fn piece(
        &mut self,
        mut piece: Map<String, Value>,
        choice: u32,
        answer_id: &str,
        events: &mut Vec<StreamEvent>,
    ) {
        let vendor_index = take(&mut piece, "index").as_ref().and_then(whole);
        let mut id = take_text(&mut piece, "id").unwrap_or_default();
        let (kind, inner) = match (take(&mut piece, "function"), take(&mut piece, "custom")) {
            (None, Some(custom)) => (ToolKind::Custom, custom),
            (function, _) => (ToolKind::Function, function.unwrap_or_default()),
        };
        let mut inner = match inner {
            Value::Object(inner) => inner,
            _ => Map::new(),
        };
        let signature = reasoning::take_signature(&mut piece, &mut inner, &mut id);
        let name = take_text(&mut inner, "name");
        let member = if kind == ToolKind::Custom { "input" } else { "arguments" };
        let fragment = argument_text(take(&mut inner, member));

        let at = self.find(vendor_index, &id, name.is_some()).unwrap_or_else(|| {
            self.list.push(Call { vendor_index, id: String::new(), number: None });
            self.list.len() - 1
        });
        let Some(call) = self.list.get_mut(at) else { return };
        if call.id.is_empty() {
            call.id = id;
        }
        if let (Some(name), None) = (name, call.number) {
            let index = self.started;
            self.started += 1;
            call.number = Some(index);
            if call.id.is_empty() {
                call.id = made_up_call_id(answer_id, choice, index, &name);
            }
            let id = call.id.clone();
            events.push(StreamEvent::ToolCallStart { choice, index, id, name, kind, signature });
        }
        if let Some(index) = call.number.filter(|_| !fragment.is_empty()) {
            events.push(StreamEvent::ToolCallArguments { choice, index, fragment });
        }
    }

    /// The call under way that a piece continues; `None` when it begins one.
    fn find(&self, vendor_index: Option<u64>, id: &str, named: bool) -> Option<usize> {
        let last = self.list.len().checked_sub(1);
        if vendor_index.is_some() {
            let at = self.list.iter().rposition(|call| call.vendor_index == vendor_index)?;
            let known = &self.list[at].id;
            let another = named && !id.is_empty() && !known.is_empty() && known != id;
            return (!another).then_some(at);
        }
        if !id.is_empty() {
            return self.list.iter().position(|call| call.id == id);
        }
        // Neither number nor id: a name begins a call, unless the last one still waits for its name.
        last.filter(|&at| !named || self.list[at].number.is_none())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Calls as `name(arguments)`, from the pieces of one choice.
    fn assemble(pieces: Value) -> Vec<String> {
        let mut calls = Calls::default();
        let mut events = Vec::new();
        for piece in pieces.as_array().unwrap() {
            calls.piece(piece.as_object().unwrap().clone(), 0, "answer", &mut events);
        }
        let mut texts: Vec<(String, String, String)> = Vec::new();
        for event in events {
            match event {
                StreamEvent::ToolCallStart { index, id, name, .. } => {
                    assert_eq!(index as usize, texts.len());
                    texts.push((id, name, String::new()));
                }
                StreamEvent::ToolCallArguments { index, fragment, .. } => {
                    texts[index as usize].2.push_str(&fragment);
                }
                other => panic!("{other:?}"),
            }
        }
        texts
            .into_iter()
            .map(|(id, name, arguments)| {
                let id = if id.starts_with("call_") { "made up" } else { &id };
                format!("{id} {name}({arguments})")
            })
            .collect()
    }

    #[test]
    fn ways_of_vendors() {
        for (name, pieces, want) in [
            (
                "openai",
                json!([
                    {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
                    {"index": 0, "function": {"arguments": "{\"x\":"}},
                    {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
                    {"index": 0, "function": {"arguments": "1}"}},
                    {"index": 1, "function": {"arguments": "{}"}}
                ]),
                vec!["a f({\"x\":1})", "b g({})"],
            ),
            (
                "no index: a new id is a new call, no id is the last call",
                json!([
                    {"id": "a", "function": {"name": "f", "arguments": ""}},
                    {"function": {"arguments": "1"}},
                    {"id": "b", "function": {"name": "g", "arguments": "2"}},
                    {"id": "", "function": {"arguments": "3"}}
                ]),
                vec!["a f(1)", "b g(23)"],
            ),
            (
                "id and name in every piece",
                json!([
                    {"index": 0, "id": "a", "function": {"name": "f", "arguments": "1"}},
                    {"index": 0, "id": "a", "function": {"name": "f", "arguments": "2"}}
                ]),
                vec!["a f(12)"],
            ),
            (
                "every call has index 0",
                json!([
                    {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}},
                    {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}},
                    {"index": 0, "function": {"arguments": " "}}
                ]),
                vec!["a f({})", "b g({} )"],
            ),
            (
                "whole calls with objects and no ids",
                json!([
                    {"function": {"name": "f", "arguments": {"a": 1}}},
                    {"function": {"name": "f", "arguments": {"a": 2}}}
                ]),
                vec!["made up f({\"a\":1})", "made up f({\"a\":2})"],
            ),
            (
                "id first, name later",
                json!([{"index": 0, "id": "a"}, {"index": 0, "function": {"name": "f", "arguments": "{}"}}]),
                vec!["a f({})"],
            ),
            (
                "custom",
                json!([
                    {"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}},
                    {"index": 0, "custom": {"input": "y"}}
                ]),
                vec!["a f(xy)"],
            ),
            ("nothing to go by", json!([{"function": {"arguments": "{}"}}, {"index": 3}]), vec![]),
        ] {
            assert_eq!(assemble(pieces), want, "{name}");
        }
    }

    #[test]
    fn signatures_come_with_the_start() {
        let mut events = Vec::new();
        let piece = json!({"index": 0, "id": "a", "function": {"name": "f"},
            "extra_content": {"google": {"thought_signature": "SIG"}}});
        Calls::default().piece(piece.as_object().unwrap().clone(), 0, "answer", &mut events);
        let [StreamEvent::ToolCallStart { signature, .. }] = &events[..] else { panic!("{events:?}") };
        assert_eq!(signature.as_deref(), Some("SIG"));
    }
}
