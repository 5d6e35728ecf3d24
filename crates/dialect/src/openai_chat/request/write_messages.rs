//! The conversation as an OpenAI-like provider reads it. What other dialects keep in one turn is taken apart: each tool
//! result is a message of its own, and images inside results follow in a user message.

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Warnings};

use super::write_parts;
use crate::chat::{ChatRequest, Message, Part, ReasoningText, Role, Text, ToolCall, ToolKind, ToolResult};
use crate::{DialectId, EncodeContext};

/// # Errors
/// 400 naming a part that the chat format has no place for and that the answer may not go without.
pub(super) fn messages(
    request: &ChatRequest,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Result<Value, ApiError> {
    let mut writer = Writer { origin: request.origin, ctx, warnings, out: Vec::new(), media: Vec::new() };
    for (i, message) in request.messages.iter().enumerate() {
        writer.message(&format!("messages[{i}]"), message)?;
    }
    writer.flush_media();
    Ok(Value::Array(writer.out))
}

struct Writer<'a> {
    origin: DialectId,
    ctx: &'a EncodeContext<'a>,
    warnings: &'a mut Warnings,
    out: Vec<Value>,
    /// Images and files of tool results, waiting for the end of the results.
    media: Vec<Value>,
}

impl Writer<'_> {
    fn message(&mut self, at: &str, message: &Message) -> Result<(), ApiError> {
        if message.role == Role::Tool {
            return self.tool_results(at, message);
        }
        self.flush_media();
        let role = match message.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::Assistant => "assistant",
            Role::User | Role::Tool => "user",
        };
        let mut written = Map::new();
        written.insert("role".to_owned(), Value::from(role));
        if message.role == Role::Assistant {
            self.assistant(at, message, &mut written);
        } else {
            written.insert("content".to_owned(), self.content(at, &message.parts)?);
        }
        if let Some(name) = &message.name {
            written.insert("name".to_owned(), Value::from(name.as_str()));
        }
        self.extra(at, message, &mut written);
        self.out.push(Value::Object(written));
        Ok(())
    }

    /// A single plain text is a string, as every vendor takes it.
    fn content(&mut self, at: &str, parts: &[Part]) -> Result<Value, ApiError> {
        if let [Part::Text(text)] = parts
            && self.is_plain(text)
        {
            self.report_mark(at, text);
            return Ok(Value::from(text.text.as_str()));
        }
        let mut written = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            let at = format!("{at}.content[{i}]");
            written.extend(write_parts::part(&at, part, self.origin, self.ctx, self.warnings)?);
        }
        Ok(Value::Array(written))
    }

    fn assistant(&mut self, at: &str, message: &Message, written: &mut Map<String, Value>) {
        let mut texts: Vec<&Text> = Vec::new();
        let mut refusal = String::new();
        let mut calls = Vec::new();
        let mut reasoning = String::new();
        for (i, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text(text) => texts.push(text),
                Part::Refusal(text) => refusal.push_str(text),
                Part::ToolCall(call) => calls.push(self.tool_call(at, calls.len(), call)),
                Part::Reasoning(thought) => self.reasoning(at, thought, &mut reasoning),
                Part::Audio(audio) if audio.id.is_some() => {
                    written.insert("audio".to_owned(), json!({"id": audio.id}));
                }
                Part::RedactedReasoning { .. } => self.warnings.dropped(format!("{at}.reasoning")),
                _ => self.warnings.dropped(format!("{at}.content[{i}]")),
            }
        }
        let content = self.assistant_content(at, &texts, refusal.is_empty() && calls.is_empty());
        written.shift_insert(1, "content".to_owned(), content);
        if !refusal.is_empty() {
            written.insert("refusal".to_owned(), Value::String(refusal));
        }
        if !calls.is_empty() {
            written.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        if let Some(member) = self.ctx.adjust.reasoning_member.as_ref().filter(|_| !reasoning.is_empty()) {
            written.insert(member.clone(), Value::String(reasoning));
        }
    }

    /// One string, whatever the number of blocks: many vendors take nothing else from assistants. A list only where it
    /// carries cache marks, or members of the text parts that the client wrote for the vendor.
    fn assistant_content(&mut self, at: &str, texts: &[&Text], required: bool) -> Value {
        if texts.iter().all(|text| self.is_plain(text)) {
            for text in texts {
                self.report_mark(at, text);
            }
            if texts.is_empty() && !required {
                return Value::Null;
            }
            return Value::String(texts.iter().map(|text| text.text.as_str()).collect());
        }
        let (origin, adjust) = (self.origin, self.ctx.adjust);
        Value::Array(
            texts.iter().map(|text| write_parts::text(at, text, origin, adjust, self.warnings)).collect(),
        )
    }

    /// Text that nobody signed goes to vendors that want it back. Signed text is another vendor's own.
    fn reasoning(&mut self, at: &str, thought: &ReasoningText, sum: &mut String) {
        let signed = thought.signature.as_ref().is_some_and(|signature| !signature.is_empty());
        if signed || self.ctx.adjust.reasoning_member.is_none() {
            self.warnings.dropped(format!("{at}.reasoning"));
        } else {
            sum.push_str(&thought.text);
        }
    }

    fn tool_call(&mut self, at: &str, index: usize, call: &ToolCall) -> Value {
        if call.signature.is_some() {
            self.warnings.dropped(format!("{at}.tool_calls[{index}].thought_signature"));
        }
        if call.cache.is_some() {
            self.warnings.dropped(format!("{at}.tool_calls[{index}].cache_control"));
        }
        let mut written = match call.kind {
            ToolKind::Custom => Map::from_iter([
                ("id".to_owned(), json!(call.id)),
                ("type".to_owned(), json!("custom")),
                ("custom".to_owned(), json!({"name": call.name, "input": call.arguments})),
            ]),
            ToolKind::Function => {
                // Several vendors parse the text, and an empty one is no JSON.
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                Map::from_iter([
                    ("id".to_owned(), json!(call.id)),
                    ("type".to_owned(), json!("function")),
                    ("function".to_owned(), json!({"name": call.name, "arguments": arguments})),
                ])
            }
        };
        for (key, value) in &call.extra {
            if self.origin == DialectId::OpenAi {
                written.insert(key.clone(), value.clone());
            } else {
                self.warnings.dropped(format!("{at}.tool_calls[{index}].{key}"));
            }
        }
        Value::Object(written)
    }

    fn tool_results(&mut self, at: &str, message: &Message) -> Result<(), ApiError> {
        for (i, part) in message.parts.iter().enumerate() {
            if let Part::ToolResult(result) = part {
                let at = format!("{at}.content[{i}]");
                let written = self.tool_result(&at, result)?;
                self.out.push(written);
            }
        }
        Ok(())
    }

    /// The format has neither images in results nor a mark for failure: images follow after the results, and failure
    /// is said in words.
    fn tool_result(&mut self, at: &str, result: &ToolResult) -> Result<Value, ApiError> {
        let mut texts = Vec::new();
        for (i, part) in result.content.iter().enumerate() {
            match part {
                Part::Text(text) => texts.push(text.text.clone()),
                Part::Image(_) | Part::File(_) | Part::Audio(_) => {
                    let at = format!("{at}.content[{i}]");
                    let media = write_parts::part(&at, part, self.origin, self.ctx, self.warnings)?;
                    if self.media.is_empty() {
                        self.media
                            .push(json!({"type": "text", "text": "Attachments of the tool results above:"}));
                    }
                    self.media.extend(media);
                    self.warnings.shaped(at);
                }
                Part::Opaque { block, .. } => {
                    texts.push(block.to_string());
                    self.warnings.shaped(format!("{at}.content[{i}]"));
                }
                _ => self.warnings.dropped(format!("{at}.content[{i}]")),
            }
        }
        let mut content = texts.join("\n");
        if result.is_error {
            content.insert_str(0, "Error: ");
        }
        if result.cache.is_some() {
            self.warnings.dropped(format!("{at}.cache_control"));
        }
        Ok(json!({"role": "tool", "tool_call_id": result.call_id, "content": content}))
    }

    fn flush_media(&mut self) {
        if !self.media.is_empty() {
            let content = std::mem::take(&mut self.media);
            self.out.push(json!({"role": "user", "content": content}));
        }
    }

    fn extra(&mut self, at: &str, message: &Message, written: &mut Map<String, Value>) {
        for (key, value) in &message.extra {
            if self.origin == DialectId::OpenAi {
                written.insert(key.clone(), value.clone());
            } else {
                self.warnings.dropped(format!("{at}.{key}"));
            }
        }
    }

    /// The text says all there is to say about it to this vendor.
    fn is_plain(&self, text: &Text) -> bool {
        let marked = text.cache.is_some() && self.ctx.adjust.cache_control;
        let extra = !text.extra.is_empty() && self.origin == DialectId::OpenAi;
        !(marked || extra)
    }

    fn report_mark(&mut self, at: &str, text: &Text) {
        if text.cache.is_some() {
            self.warnings.dropped(format!("{at}.cache_control"));
        }
        for key in text.extra.keys() {
            self.warnings.dropped(format!("{at}.{key}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Adjust;
    use crate::chat::{CacheMark, Extra, Image, Source};

    fn write(origin: DialectId, adjust: &Adjust, list: Vec<Message>) -> (Value, String) {
        let mut request = ChatRequest::new(origin, "m");
        request.messages = list;
        let ctx = EncodeContext { provider: "vendor", adjust, max_output_tokens: None };
        let mut warnings = Warnings::default();
        let written = messages(&request, &ctx, &mut warnings).unwrap();
        (written, warnings.header_value())
    }

    fn thought(origin: DialectId, text: &str, signature: Option<&str>) -> Part {
        Part::Reasoning(ReasoningText { origin, text: text.into(), signature: signature.map(str::to_owned) })
    }

    fn call(id: &str, arguments: &str) -> Part {
        Part::ToolCall(ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: arguments.into(),
            kind: ToolKind::Function,
            signature: None,
            cache: None,
            extra: Extra::new(),
        })
    }

    fn result(call_id: &str, content: Vec<Part>, is_error: bool) -> Part {
        Part::ToolResult(ToolResult { call_id: call_id.into(), name: None, content, is_error, cache: None })
    }

    fn image() -> Part {
        let source = Source::Inline { mime: "image/png".into(), data: "QUJD".into() };
        Part::Image(Image { source, detail: None, cache: None })
    }

    #[test]
    fn single_texts_are_strings() {
        let (got, warnings) = write(
            DialectId::OpenAi,
            &Adjust::default(),
            vec![
                Message::text(Role::System, "s"),
                Message::new(Role::Developer, vec![Part::text("a"), Part::text("b")]),
                Message::text(Role::User, "u"),
            ],
        );
        let texts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        assert_eq!(
            got,
            json!([{"role": "system", "content": "s"}, {"role": "developer", "content": texts},
                {"role": "user", "content": "u"}])
        );
        assert_eq!(warnings, "");
    }

    #[test]
    fn assistants_say_one_string_and_their_calls() {
        let parts = vec![Part::text("a"), Part::text("b"), call("c1", ""), Part::Refusal("no".into())];
        let list = vec![
            Message::new(Role::Assistant, parts),
            Message::new(Role::Assistant, vec![call("c2", "{\"x\":1}")]),
            Message::new(Role::Assistant, vec![]),
        ];
        let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), list);
        let call = |id: &str, arguments: &str| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": arguments}});
        assert_eq!(
            got.to_string(),
            json!([
                {"role": "assistant", "content": "ab", "refusal": "no", "tool_calls": [call("c1", "{}")]},
                {"role": "assistant", "content": null, "tool_calls": [call("c2", "{\"x\":1}")]},
                {"role": "assistant", "content": ""}
            ])
            .to_string()
        );
        assert_eq!(warnings, "");
    }

    #[test]
    fn reasoning_goes_back_only_where_it_is_wanted() {
        let parts = || {
            vec![
                thought(DialectId::OpenAi, "mine", None),
                thought(DialectId::Anthropic, "theirs", Some("SIG")),
                Part::RedactedReasoning { origin: DialectId::Anthropic, data: "ENC".into() },
                Part::text("a"),
            ]
        };
        let wanting = Adjust { reasoning_member: Some("reasoning_content".into()), ..Adjust::default() };
        let message = Message::new(Role::Assistant, parts());
        let (got, warnings) = write(DialectId::OpenAi, &wanting, vec![message.clone()]);
        assert_eq!(got, json!([{"role": "assistant", "content": "a", "reasoning_content": "mine"}]));
        assert_eq!(warnings, "dropped;messages[0].reasoning");
        let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), vec![message]);
        assert_eq!(got, json!([{"role": "assistant", "content": "a"}]));
        assert_eq!(warnings, "dropped;messages[0].reasoning");
    }

    #[test]
    fn tool_results_are_taken_apart() {
        let results = vec![
            result("c1", vec![Part::text("a"), Part::text("b")], false),
            result("c2", vec![Part::text("broken")], true),
            result("c3", vec![image()], false),
        ];
        let list = vec![Message::new(Role::Tool, results), Message::text(Role::User, "next")];
        let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), list);
        assert_eq!(
            got,
            json!([
                {"role": "tool", "tool_call_id": "c1", "content": "a\nb"},
                {"role": "tool", "tool_call_id": "c2", "content": "Error: broken"},
                {"role": "tool", "tool_call_id": "c3", "content": ""},
                {"role": "user", "content": [
                    {"type": "text", "text": "Attachments of the tool results above:"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
                ]},
                {"role": "user", "content": "next"}
            ])
        );
        assert_eq!(warnings, "shaped;messages[0].content[2].content[0]");
    }

    #[test]
    fn attachments_wait_for_the_last_result() {
        let turn = |id: &str, part: Part| Message::new(Role::Tool, vec![result(id, vec![part], false)]);
        let (got, _) = write(
            DialectId::OpenAi,
            &Adjust::default(),
            vec![turn("c1", image()), turn("c2", Part::text("x"))],
        );
        let roles: Vec<&str> = got.as_array().unwrap().iter().filter_map(|m| m["role"].as_str()).collect();
        assert_eq!(roles, ["tool", "tool", "user"]);
    }

    #[test]
    fn members_of_messages_stay_within_the_dialect() {
        let message = |text: &str| {
            let mut message = Message::text(Role::Assistant, text);
            message.extra.insert("prefix".into(), json!(true));
            message
        };
        let (got, warnings) = write(DialectId::OpenAi, &Adjust::default(), vec![message("a")]);
        assert_eq!(
            (got, warnings),
            (json!([{"role": "assistant", "content": "a", "prefix": true}]), String::new())
        );
        let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), vec![message("a")]);
        assert_eq!(got, json!([{"role": "assistant", "content": "a"}]));
        assert_eq!(warnings, "dropped;messages[0].prefix");
    }

    #[test]
    fn cache_marks_are_kept_where_they_are_read() {
        let text = Text { cache: Some(CacheMark(json!({"type": "ephemeral"}))), ..Text::default() };
        let message = Message::new(Role::User, vec![Part::Text(Text { text: "a".into(), ..text })]);
        let reading = Adjust { cache_control: true, ..Adjust::default() };
        let (got, warnings) = write(DialectId::Anthropic, &reading, vec![message.clone()]);
        let part = json!({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}});
        assert_eq!((got, warnings), (json!([{"role": "user", "content": [part]}]), String::new()));
        let (got, warnings) = write(DialectId::Anthropic, &Adjust::default(), vec![message]);
        assert_eq!(got, json!([{"role": "user", "content": "a"}]));
        assert_eq!(warnings, "dropped;messages[0].cache_control");
    }
}
