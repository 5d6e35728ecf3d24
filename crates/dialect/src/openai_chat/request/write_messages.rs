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
mod tests;
