//! The conversation as `systemInstruction` and `contents`.
//!
//! Neighbouring messages of one role are one content, but results of functions always stand alone, in the order of
//! their calls: Gemini counts them against the calls of the content before. Signatures of thoughts go back where they
//! came from; a first call without one gets Google's placeholder for calls that another model made.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::media;
use super::thinking::Generation;
use super::wire::{Content, ContentRole, MadePart, Part, PartKind, SystemInstruction};
use crate::DialectId;
use crate::chat::{self, ChatRequest, Message, Role, ToolCall, ToolResult};
use crate::losses;

/// Accepted in place of the signature of a call that another model made.
const FOREIGN_CALL: &str = "skip_thought_signature_validator";

/// Ids with these beginnings were made by this gateway or by another vendor: Gemini has never seen them.
const FOREIGN_IDS: [&str; 3] = ["call_", "toolu_", "fc_"];

pub(super) struct Conversation<'a> {
    pub(super) system: Option<SystemInstruction<'a>>,
    pub(super) contents: Vec<Content<'a>>,
}

pub(super) fn conversation<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<Conversation<'a>, ApiError> {
    let mut builder = Builder {
        request,
        generation: Generation::of(&request.model),
        warnings,
        system: Vec::new(),
        contents: Vec::new(),
        calls: Vec::new(),
        results: Vec::new(),
    };
    for (i, message) in request.messages.iter().enumerate() {
        builder.message(message, &format!("messages[{i}]"))?;
    }
    builder.end_results();
    let (mut system, mut contents) = (builder.system, builder.contents);
    if contents.is_empty() && !system.is_empty() {
        // Gemini wants something to answer.
        warnings.shaped("messages");
        contents.push(Content { role: ContentRole::User, parts: std::mem::take(&mut system) });
    }
    let system = (!system.is_empty()).then_some(SystemInstruction { parts: system });
    Ok(Conversation { system, contents })
}

struct Builder<'a, 'w> {
    request: &'a ChatRequest,
    generation: Generation,
    warnings: &'w mut Warnings,
    system: Vec<Part<'a>>,
    contents: Vec<Content<'a>>,
    /// Ids of the calls of the last assistant message, in order.
    calls: Vec<&'a str>,
    /// Results of those calls, with the place of the call.
    results: Vec<(usize, Part<'a>)>,
}

impl<'a> Builder<'a, '_> {
    fn message(&mut self, message: &'a Message, path: &str) -> Result<(), ApiError> {
        losses::of_message(message, path, self.warnings);
        match message.role {
            Role::System | Role::Developer => self.system_message(message, path),
            Role::User => self.turn(message, path, ContentRole::User),
            Role::Assistant => {
                self.end_results();
                self.calls.clear();
                self.turn(message, path, ContentRole::Model)
            }
            Role::Tool => self.tool_message(message, path),
        }
    }

    fn system_message(&mut self, message: &'a Message, path: &str) -> Result<(), ApiError> {
        if !self.contents.is_empty() {
            // It moves to the front.
            self.warnings.shaped(path);
        }
        for (i, part) in message.parts.iter().enumerate() {
            let chat::Part::Text(text) = part else {
                let message = "Gemini takes only text in system messages: move the rest into a user message";
                return Err(ApiError::bad_request(format!("{path}.content[{i}]"), message));
            };
            losses::of_text(text, &format!("{path}.content[{i}]"), self.warnings);
            self.system.push(Part::text(text.text.as_str()));
        }
        Ok(())
    }

    fn turn(&mut self, message: &'a Message, path: &str, role: ContentRole) -> Result<(), ApiError> {
        let mut parts = Vec::with_capacity(message.parts.len());
        for (i, part) in message.parts.iter().enumerate() {
            parts.extend(self.part(part, &format!("{path}.content[{i}]"))?);
        }
        self.end_results();
        self.append(role, parts);
        Ok(())
    }

    fn tool_message(&mut self, message: &'a Message, path: &str) -> Result<(), ApiError> {
        for part in &message.parts {
            let chat::Part::ToolResult(result) = part else {
                let message = "a tool message holds nothing but the result of a tool call";
                return Err(ApiError::bad_request(format!("{path}.content"), message));
            };
            self.result(result, path)?;
        }
        Ok(())
    }

    /// All results of the last calls have come: they are one content.
    fn end_results(&mut self) {
        let mut results = std::mem::take(&mut self.results);
        results.sort_by_key(|(place, _)| *place);
        self.append(ContentRole::User, results.into_iter().map(|(_, part)| part).collect());
    }

    fn append(&mut self, role: ContentRole, parts: Vec<Part<'a>>) {
        let Some(first) = parts.first() else { return };
        let kind = (role, first.is_function_response());
        let kind_of = |content: &Content<'_>| {
            (content.role, content.parts.first().is_some_and(Part::is_function_response))
        };
        match self.contents.last_mut() {
            Some(last) if kind_of(last) == kind => last.parts.extend(parts),
            _ => self.contents.push(Content { role, parts }),
        }
    }

    fn part(&mut self, part: &'a chat::Part, path: &str) -> Result<Option<Part<'a>>, ApiError> {
        Ok(Some(match part {
            chat::Part::Text(text) => {
                losses::of_text(text, path, self.warnings);
                signed(PartKind::Text(text.text.as_str().into()), text.signature.as_deref())
            }
            chat::Part::Refusal(text) => Part::text(text.as_str()),
            chat::Part::Image(image) => {
                losses::of_mark(image.cache.as_ref(), self.warnings);
                media::image(image, path, self.generation, self.warnings)?
            }
            chat::Part::Audio(audio) => media::audio(audio, path, self.warnings)?,
            chat::Part::File(file) => {
                losses::of_mark(file.cache.as_ref(), self.warnings);
                media::file(file, path, self.warnings)?
            }
            chat::Part::ToolCall(call) => self.call(call, path),
            chat::Part::ToolResult(result) => {
                self.result(result, path)?;
                return Ok(None);
            }
            chat::Part::Reasoning(reasoning) if reasoning.origin == DialectId::Gemini => {
                Part::Made(MadePart {
                    kind: PartKind::Text(reasoning.text.as_str().into()),
                    thought: true,
                    thought_signature: reasoning.signature.as_deref(),
                    media_resolution: None,
                })
            }
            chat::Part::Opaque { origin: DialectId::Gemini, block } => Part::Raw(block),
            chat::Part::Reasoning(_) | chat::Part::RedactedReasoning { .. } | chat::Part::Opaque { .. } => {
                self.warnings.dropped(path);
                return Ok(None);
            }
        }))
    }

    fn call(&mut self, call: &'a ToolCall, path: &str) -> Part<'a> {
        losses::of_mark(call.cache.as_ref(), self.warnings);
        let (args, wrapped) = call.arguments_object();
        if wrapped {
            self.warnings.shaped(format!("{path}.arguments"));
        }
        let is_first = self.calls.is_empty();
        self.calls.push(&call.id);
        let placeholder = (is_first && self.generation >= Generation::V3).then_some(FOREIGN_CALL);
        let signature = call.signature.as_deref().or(placeholder);
        signed(PartKind::FunctionCall { id: own_id(&call.id), name: &call.name, args }, signature)
    }

    fn result(&mut self, result: &'a ToolResult, path: &str) -> Result<(), ApiError> {
        losses::of_mark(result.cache.as_ref(), self.warnings);
        let Some(name) = self.request.tool_name(result) else {
            let message = format!(
                "no tool call before has the id {:?}; Gemini needs the name of the function: keep the assistant \
                 message with the call, or give `name`",
                result.call_id
            );
            return Err(ApiError::bad_request(format!("{path}.tool_call_id"), message));
        };
        let response = self.response(result, path);
        let place = self.calls.iter().position(|id| *id == result.call_id).unwrap_or(usize::MAX);
        let part = PartKind::FunctionResponse { id: own_id(&result.call_id), name, response };
        self.results.push((place, part.into()));
        Ok(())
    }

    /// A JSON object as it is; anything else under Google's own member names, `result` and `error`.
    fn response(&mut self, result: &ToolResult, path: &str) -> Map<String, Value> {
        let text = self.result_text(result, path);
        match serde_json::from_str(&text) {
            Ok(Value::Object(object)) if !result.is_error => object,
            Ok(value) if !result.is_error => Map::from_iter([("result".to_owned(), value)]),
            _ => {
                let member = if result.is_error { "error" } else { "result" };
                Map::from_iter([(member.to_owned(), text.into())])
            }
        }
    }

    fn result_text<'r>(&mut self, result: &'r ToolResult, path: &str) -> Cow<'r, str> {
        if let [chat::Part::Text(text)] = result.content.as_slice() {
            losses::of_text(text, path, self.warnings);
            return text.text.as_str().into();
        }
        let mut lines = Vec::new();
        for (i, part) in result.content.iter().enumerate() {
            match part {
                chat::Part::Text(text) => lines.push(text.text.as_str()),
                _ => self.warnings.push_note(Verdict::Dropped, format!("{path}.content[{i}]"), "not_text"),
            }
        }
        lines.join("\n").into()
    }
}

fn signed<'a>(kind: PartKind<'a>, thought_signature: Option<&'a str>) -> Part<'a> {
    Part::Made(MadePart { kind, thought: false, thought_signature, media_resolution: None })
}

fn own_id(id: &str) -> Option<&str> {
    let is_foreign = id.is_empty() || FOREIGN_IDS.iter().any(|prefix| id.starts_with(prefix));
    (!is_foreign).then_some(id)
}

#[cfg(test)]
mod tests;
