//! The conversation as Anthropic's turns: leading system messages apart, the results of tools in one user turn with
//! what the user says next, thinking only back to its maker.

use std::borrow::Cow;

use tidegate_core::{ApiError, Verdict, Warnings};

use super::media;
use crate::DialectId;
use crate::anthropic_messages::names;
use crate::anthropic_messages::wire::{Block, Content, Members, Turn, TurnRole};
use crate::chat::{ChatRequest, Message, Part, Role, Text, ToolCall, ToolResult};

/// `system` and `messages` of the body.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    pub(super) system: Vec<Block<'a>>,
    pub(super) turns: Vec<Turn<'a>>,
}

/// # Errors
/// 400 naming the part that the API cannot take.
pub(super) fn write<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<Conversation<'a>, ApiError> {
    let mut writer = Writer { origin: request.origin, warnings, system: Vec::new(), turns: Vec::new() };
    let is_system = |message: &Message| matches!(message.role, Role::System | Role::Developer);
    let leading = request.messages.iter().take_while(|message| is_system(message)).count();
    for (index, message) in request.messages.iter().enumerate() {
        let place = place(request, index);
        writer.note_name(message, &place);
        match message.role {
            Role::System | Role::Developer if index < leading => writer.system(message, &place)?,
            Role::System | Role::Developer => writer.late_system(message, &place)?,
            Role::User => writer.user(message, &place)?,
            Role::Assistant => writer.assistant(message, &place)?,
            Role::Tool => writer.tool(message, &place)?,
        }
    }
    let turns = writer.turns.into_iter().map(Draft::into_turn).collect();
    Ok(Conversation { system: writer.system, turns })
}

struct Writer<'a, 'w> {
    origin: DialectId,
    warnings: &'w mut Warnings,
    system: Vec<Block<'a>>,
    turns: Vec<Draft<'a>>,
}

/// A turn that may still be joined.
struct Draft<'a> {
    role: TurnRole,
    /// Ends in results of tools: what the user says next belongs to the same turn.
    results: bool,
    blocks: Vec<Block<'a>>,
    more: Members<'a>,
}

impl<'a> Draft<'a> {
    /// A single plain text is a string, as most clients write it.
    fn into_turn(mut self) -> Turn<'a> {
        let plain = match self.blocks.as_mut_slice() {
            [] => Some(Cow::Borrowed("")),
            [Block::Text { text, citations, cache_control: None, more }]
                if citations.is_empty() && more.0.is_empty() =>
            {
                Some(std::mem::take(text))
            }
            _ => None,
        };
        let content = plain.map_or_else(|| Content::Blocks(self.blocks), Content::Plain);
        Turn { role: self.role, content, more: self.more }
    }
}

impl<'a> Writer<'a, '_> {
    /// The API has no names of speakers.
    fn note_name(&mut self, message: &Message, place: &str) {
        if message.name.is_some() && message.role != Role::Tool {
            self.warnings.dropped(format!("{place}.name"));
        }
    }

    fn system(&mut self, message: &'a Message, place: &str) -> Result<(), ApiError> {
        let texts = self.system_texts(message, place)?;
        self.system.extend(texts.into_iter().map(text_block));
        self.drop_members(message, place);
        Ok(())
    }

    /// In place, as a marked text of the user: moved to the front it would mean something else.
    fn late_system(&mut self, message: &'a Message, place: &str) -> Result<(), ApiError> {
        let mut blocks = Vec::new();
        for text in self.system_texts(message, place)? {
            let mut block = text_block(text);
            if let Block::Text { text, .. } = &mut block {
                *text = Cow::Owned(format!("<system>\n{text}\n</system>"));
            }
            blocks.push(block);
        }
        self.warnings.push_note(Verdict::Shaped, format!("{place}.role"), "user");
        self.user_turn(blocks, Members::default());
        self.drop_members(message, place);
        Ok(())
    }

    fn system_texts(&self, message: &'a Message, place: &str) -> Result<Vec<&'a Text>, ApiError> {
        let mut texts = Vec::with_capacity(message.parts.len());
        for part in &message.parts {
            match part {
                Part::Text(text) if text.text.is_empty() => {}
                Part::Text(text) => texts.push(text),
                _ => {
                    let message = "a system message can only hold text";
                    return Err(ApiError::bad_request(format!("{place}.content"), message));
                }
            }
        }
        Ok(texts)
    }

    fn user(&mut self, message: &'a Message, place: &str) -> Result<(), ApiError> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            let place = self.part_place(place, index);
            blocks.extend(self.user_block(part, &place)?);
        }
        let more = self.members(message, place);
        self.user_turn(blocks, more);
        Ok(())
    }

    fn user_turn(&mut self, blocks: Vec<Block<'a>>, more: Members<'a>) {
        match self.turns.last_mut() {
            Some(last) if last.results => {
                last.blocks.extend(blocks);
                last.more.0.extend(more.0);
                last.results = false;
            }
            _ => self.turns.push(Draft { role: TurnRole::User, results: false, blocks, more }),
        }
    }

    fn user_block(&mut self, part: &'a Part, place: &str) -> Result<Option<Block<'a>>, ApiError> {
        Ok(match part {
            Part::Text(text) if text.text.is_empty() => None,
            Part::Text(text) => Some(text_block(text)),
            Part::Image(image) => Some(media::image(image, self.origin, place, self.warnings)?),
            Part::File(file) => Some(media::document(file, self.origin, place, self.warnings)?),
            Part::Audio(_) => {
                let message = "Anthropic takes no sound; send a transcript as text";
                return Err(ApiError::bad_request(place, message));
            }
            Part::Opaque { origin: DialectId::Anthropic, block } => Some(Block::Raw(block)),
            Part::ToolResult(result) => Some(self.result_block(result, place)?),
            Part::Refusal(_)
            | Part::Reasoning(_)
            | Part::RedactedReasoning { .. }
            | Part::ToolCall(_)
            | Part::Opaque { .. } => {
                self.warnings.dropped(place);
                None
            }
        })
    }

    fn tool(&mut self, message: &'a Message, place: &str) -> Result<(), ApiError> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            blocks.extend(self.user_block(part, &self.part_place(place, index))?);
        }
        let more = self.members(message, place);
        match self.turns.last_mut() {
            Some(last) if last.results => {
                last.blocks.extend(blocks);
                last.more.0.extend(more.0);
            }
            _ => self.turns.push(Draft { role: TurnRole::User, results: true, blocks, more }),
        }
        Ok(())
    }

    fn result_block(&mut self, result: &'a ToolResult, place: &str) -> Result<Block<'a>, ApiError> {
        let mut blocks = Vec::with_capacity(result.content.len());
        for part in &result.content {
            match part {
                Part::ToolResult(_) => self.warnings.dropped(place),
                _ => blocks.extend(self.user_block(part, place)?),
            }
        }
        let draft = Draft { role: TurnRole::User, results: false, blocks, more: Members::default() };
        let content = (!result.content.is_empty()).then(|| draft.into_turn().content);
        Ok(Block::ToolResult {
            tool_use_id: names::call_id(&result.call_id),
            content,
            is_error: result.is_error,
            cache_control: result.cache.as_ref().map(|mark| &mark.0),
        })
    }

    fn assistant(&mut self, message: &'a Message, place: &str) -> Result<(), ApiError> {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            let place = self.part_place(place, index);
            blocks.extend(self.assistant_block(part, &place)?);
        }
        let more = self.members(message, place);
        // A turn without content is refused, and nothing is lost without it.
        if !blocks.is_empty() {
            self.turns.push(Draft { role: TurnRole::Assistant, results: false, blocks, more });
        }
        Ok(())
    }

    fn assistant_block(&mut self, part: &'a Part, place: &str) -> Result<Option<Block<'a>>, ApiError> {
        Ok(match part {
            Part::Text(text) if text.text.is_empty() => None,
            Part::Text(text) => Some(text_block(text)),
            Part::Refusal(text) => {
                self.warnings.push_note(Verdict::Shaped, place, "text");
                Some(Block::text(text))
            }
            Part::Reasoning(thought) => match (&thought.signature, thought.origin) {
                (Some(signature), DialectId::Anthropic) => {
                    Some(Block::Thinking { thinking: &thought.text, signature })
                }
                _ => self.dropped(place),
            },
            Part::RedactedReasoning { origin: DialectId::Anthropic, data } => {
                Some(Block::RedactedThinking { data })
            }
            Part::ToolCall(call) => Some(self.call_block(call, place)?),
            Part::Opaque { origin: DialectId::Anthropic, block } => Some(Block::Raw(block)),
            Part::Audio(audio) => match &audio.transcript {
                Some(transcript) => {
                    self.warnings.push_note(Verdict::Shaped, place, "text");
                    Some(Block::text(transcript))
                }
                None => self.dropped(place),
            },
            Part::Image(_)
            | Part::File(_)
            | Part::RedactedReasoning { .. }
            | Part::ToolResult(_)
            | Part::Opaque { .. } => self.dropped(place),
        })
    }

    fn call_block(&mut self, call: &'a ToolCall, place: &str) -> Result<Block<'a>, ApiError> {
        let (input, wrapped) = call.arguments_object();
        if wrapped {
            self.warnings.push_note(Verdict::Shaped, format!("{place}.arguments"), "_raw");
        }
        let more = match self.origin {
            DialectId::Anthropic => Members::all(&call.extra),
            _ => Members::default(),
        };
        Ok(Block::ToolUse {
            id: names::call_id(&call.id),
            name: names::on_wire(&call.name, call.kind, &format!("{place}.name"))?,
            input,
            cache_control: call.cache.as_ref().map(|mark| &mark.0),
            more,
        })
    }

    fn dropped(&mut self, place: &str) -> Option<Block<'a>> {
        self.warnings.dropped(place);
        None
    }

    /// Members of a message that the neutral form does not name mean something to their own dialect only.
    fn members(&mut self, message: &'a Message, place: &str) -> Members<'a> {
        if self.origin == DialectId::Anthropic {
            return Members::all(&message.extra);
        }
        self.drop_members(message, place);
        Members::default()
    }

    fn drop_members(&mut self, message: &Message, place: &str) {
        for key in message.extra.keys() {
            self.warnings.dropped(format!("{place}.{key}"));
        }
    }

    fn part_place(&self, message: &str, index: usize) -> String {
        match self.origin {
            DialectId::Anthropic => format!("{message}.content.{index}"),
            _ => format!("{message}.content[{index}]"),
        }
    }
}

/// The client's name of a message: Anthropic's `system` is no message of its list.
fn place(request: &ChatRequest, index: usize) -> String {
    if request.origin != DialectId::Anthropic {
        return format!("messages[{index}]");
    }
    let system = usize::from(request.messages.first().is_some_and(|first| first.role == Role::System));
    match index.checked_sub(system) {
        Some(index) => format!("messages.{index}"),
        None => "system".to_owned(),
    }
}

fn text_block(text: &Text) -> Block<'_> {
    Block::Text {
        text: Cow::Borrowed(&text.text),
        citations: crate::anthropic_messages::citations::own(text).map(Cow::Borrowed).collect(),
        cache_control: text.cache.as_ref().map(|mark| &mark.0),
        more: Members::all(&text.extra),
    }
}

#[cfg(test)]
mod tests;
