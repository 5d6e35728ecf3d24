//! From the events of a stream to the answer it amounts to, and back.
//!
//! [`Fold`] is for whoever needs the whole answer of a streamed call (logs, caches, clients that did not ask to
//! stream); [`unfold`] is for clients that asked to stream when the provider answered whole. Neither knows a dialect.
//!
//! Deltas of one kind that follow each other join into one part. Two rules make block boundaries and metadata of texts
//! expressible: a [`StreamEvent::Part`] holding an *empty* [`Text`] adds its citations, annotations, signature and extra
//! members to the text under way, or, when it holds nothing at all, ends that text; and the members `service_tier` and
//! `system_fingerprint` of a [`StreamEvent::Extra`] without a choice are those of the answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tidegate_core::ApiError;

use crate::DialectId;
use crate::chat::{
    ChatResponse, Choice, Extra, Finish, Part, ReasoningText, StreamEvent, Text, ToolCall, ToolKind,
};
use crate::decoder::incomplete;

/// Gathers the events of one stream. Memory is that of the answer.
#[derive(Debug)]
pub struct Fold {
    origin: DialectId,
    response: ChatResponse,
    choices: BTreeMap<u32, Gathered>,
    error: Option<ApiError>,
    ended: bool,
}

impl Fold {
    /// For streams of OpenAI-like vendors, and wherever the origin of reasoning does not matter.
    pub fn new() -> Self {
        Self::of(DialectId::OpenAi)
    }

    /// `origin` is the dialect the stream came in: events do not say whose reasoning they hold, parts do.
    pub fn of(origin: DialectId) -> Self {
        Self {
            origin,
            response: ChatResponse::default(),
            choices: BTreeMap::new(),
            error: None,
            ended: false,
        }
    }

    pub fn push(&mut self, event: &StreamEvent) {
        let origin = self.origin;
        match event {
            StreamEvent::Start { id, model, created } => {
                self.response.id.clone_from(id);
                self.response.model.clone_from(model);
                self.response.created = *created;
            }
            StreamEvent::Text { choice, text } => self.choice(*choice).text(text),
            StreamEvent::Refusal { choice, text } => self.choice(*choice).refusal(text),
            StreamEvent::Reasoning { choice, text } => self.choice(*choice).reasoning(origin, text),
            StreamEvent::ReasoningSignature { choice, signature } => {
                self.choice(*choice).sign(origin, signature);
            }
            StreamEvent::RedactedReasoning { choice, data } => {
                self.choice(*choice).whole(Part::RedactedReasoning { origin, data: data.clone() });
            }
            StreamEvent::ToolCallStart { choice, index, id, name, kind, signature } => {
                self.choice(*choice).call(*index, new_call(id, name, *kind, signature.as_ref()));
            }
            StreamEvent::ToolCallArguments { choice, index, fragment } => {
                self.choice(*choice).arguments(*index, fragment);
            }
            StreamEvent::Logprobs { choice, logprobs } => self.choice(*choice).logprobs(logprobs),
            StreamEvent::Annotation { choice, annotation } => {
                self.choice(*choice).with_text(|text| text.annotations.push(annotation.clone()));
            }
            StreamEvent::Part { choice, part } => self.choice(*choice).part(part),
            StreamEvent::Extra { choice: Some(choice), extra } => {
                merge(&mut self.choice(*choice).extra, extra);
            }
            StreamEvent::Extra { choice: None, extra } => self.answer_members(extra),
            StreamEvent::Finish { choice, finish } => self.choice(*choice).finish = Some(finish.clone()),
            StreamEvent::Usage(usage) => self.response.usage = Some(usage.clone()),
            StreamEvent::Warning(warning) => self.response.warnings.push(warning.clone()),
            StreamEvent::Ping => {}
            StreamEvent::Error(error) => self.error = Some(error.clone()),
            StreamEvent::End => self.ended = true,
        }
    }

    /// # Errors
    /// The stream's own error; 502 when it never came to its end, because half an answer is not the answer.
    pub fn finish(self) -> Result<ChatResponse, ApiError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if !self.ended {
            return Err(incomplete());
        }
        let mut response = self.response;
        response.choices =
            self.choices.into_iter().map(|(index, gathered)| gathered.into_choice(index)).collect();
        Ok(response)
    }

    fn choice(&mut self, index: u32) -> &mut Gathered {
        self.choices.entry(index).or_default()
    }

    fn answer_members(&mut self, extra: &Extra) {
        for (key, value) in extra {
            match (key.as_str(), value) {
                ("service_tier", Value::String(tier)) => self.response.service_tier = Some(tier.clone()),
                ("system_fingerprint", Value::String(print)) => {
                    self.response.system_fingerprint = Some(print.clone());
                }
                _ => {
                    self.response.extra.insert(key.clone(), value.clone());
                }
            }
        }
    }
}

impl Default for Fold {
    fn default() -> Self {
        Self::new()
    }
}

/// The events of a plain answer: folding them gives the answer back. Parts that stream come as one delta each.
pub fn unfold(response: &ChatResponse) -> Vec<StreamEvent> {
    let mut events = vec![StreamEvent::Start {
        id: response.id.clone(),
        model: response.model.clone(),
        created: response.created,
    }];
    let extra = unfold_members(response);
    if !extra.is_empty() {
        events.push(StreamEvent::Extra { choice: None, extra });
    }
    events.extend(response.warnings.iter().cloned().map(StreamEvent::Warning));
    for choice in &response.choices {
        unfold_choice(choice, &mut events);
    }
    events.extend(response.usage.clone().map(StreamEvent::Usage));
    events.push(StreamEvent::End);
    events
}

/// One choice under way.
#[derive(Debug, Default)]
struct Gathered {
    parts: Vec<Part>,
    /// The last part may still grow by deltas of its kind.
    open: bool,
    /// Place in `parts` of each tool call, by its index.
    calls: BTreeMap<u32, usize>,
    logprobs: Option<Value>,
    finish: Option<Finish>,
    extra: Extra,
}

impl Gathered {
    fn text(&mut self, text: &str) {
        self.with_text(|under_way| under_way.text.push_str(text));
    }

    /// Lets `change` work on the text under way; on a new one when there is none.
    fn with_text(&mut self, change: impl FnOnce(&mut Text)) {
        match self.parts.last_mut() {
            Some(Part::Text(text)) if self.open => change(text),
            _ => {
                let mut text = Text::default();
                change(&mut text);
                self.grow(Part::Text(text));
            }
        }
    }

    fn refusal(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Refusal(under_way)) if self.open => under_way.push_str(text),
            _ => self.grow(Part::Refusal(text.to_owned())),
        }
    }

    fn reasoning(&mut self, origin: DialectId, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Reasoning(under_way)) if self.open => under_way.text.push_str(text),
            _ => self.grow(Part::Reasoning(ReasoningText { origin, text: text.to_owned(), signature: None })),
        }
    }

    fn sign(&mut self, origin: DialectId, signature: &str) {
        let signature = Some(signature.to_owned());
        match self.parts.last_mut() {
            Some(Part::Reasoning(under_way)) if self.open => {
                under_way.signature = signature;
                self.open = false;
            }
            _ => self.whole(Part::Reasoning(ReasoningText { origin, text: String::new(), signature })),
        }
    }

    fn call(&mut self, index: u32, call: ToolCall) {
        self.calls.insert(index, self.parts.len());
        self.whole(Part::ToolCall(call));
    }

    /// A fragment for a call that never began has nowhere to go; decoders do not produce it.
    fn arguments(&mut self, index: u32, fragment: &str) {
        let part = self.calls.get(&index).and_then(|&at| self.parts.get_mut(at));
        if let Some(Part::ToolCall(call)) = part {
            call.arguments.push_str(fragment);
        }
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(text) if text.text.is_empty() => {
                if *text == Text::default() {
                    self.open = false;
                } else {
                    self.with_text(|under_way| attach(under_way, text));
                }
            }
            _ => self.whole(part.clone()),
        }
    }

    /// Joins lists of the same name; the first of anything else stays.
    fn logprobs(&mut self, more: &Value) {
        match (&mut self.logprobs, more) {
            (Some(Value::Object(sum)), Value::Object(more)) => {
                for (key, value) in more {
                    match (sum.get_mut(key), value) {
                        (Some(Value::Array(list)), Value::Array(items)) => list.extend(items.iter().cloned()),
                        (Some(place @ Value::Null), _) => *place = value.clone(),
                        (Some(_), _) => {}
                        (None, _) => {
                            sum.insert(key.clone(), value.clone());
                        }
                    }
                }
            }
            (place, _) => *place = Some(more.clone()),
        }
    }

    fn grow(&mut self, part: Part) {
        self.parts.push(part);
        self.open = true;
    }

    fn whole(&mut self, part: Part) {
        self.parts.push(part);
        self.open = false;
    }

    fn into_choice(self, index: u32) -> Choice {
        Choice { index, parts: self.parts, finish: self.finish, logprobs: self.logprobs, extra: self.extra }
    }
}

fn new_call(id: &str, name: &str, kind: ToolKind, signature: Option<&String>) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: String::new(),
        kind,
        signature: signature.cloned(),
        cache: None,
        extra: Extra::new(),
    }
}

fn attach(text: &mut Text, more: &Text) {
    text.annotations.extend(more.annotations.iter().cloned());
    text.citations.extend(more.citations.iter().cloned());
    if more.signature.is_some() {
        text.signature.clone_from(&more.signature);
    }
    if more.cache.is_some() {
        text.cache.clone_from(&more.cache);
    }
    merge(&mut text.extra, &more.extra);
}

fn merge(into: &mut Extra, more: &Extra) {
    for (key, value) in more {
        into.insert(key.clone(), value.clone());
    }
}

fn unfold_members(response: &ChatResponse) -> Extra {
    let mut extra = Map::new();
    for (key, value) in
        [("service_tier", &response.service_tier), ("system_fingerprint", &response.system_fingerprint)]
    {
        if let Some(value) = value {
            extra.insert(key.to_owned(), Value::String(value.clone()));
        }
    }
    merge(&mut extra, &response.extra);
    extra
}

fn unfold_choice(choice: &Choice, events: &mut Vec<StreamEvent>) {
    let index = choice.index;
    let mut calls = 0;
    let mut previous = None;
    for part in &choice.parts {
        if joins(previous, part) {
            events.push(StreamEvent::Part { choice: index, part: Part::Text(Text::default()) });
        }
        unfold_part(index, part, &mut calls, events);
        previous = Some(part);
    }
    if let Some(logprobs) = &choice.logprobs {
        events.push(StreamEvent::Logprobs { choice: index, logprobs: logprobs.clone() });
    }
    if !choice.extra.is_empty() {
        events.push(StreamEvent::Extra { choice: Some(index), extra: choice.extra.clone() });
    }
    if let Some(finish) = &choice.finish {
        events.push(StreamEvent::Finish { choice: index, finish: finish.clone() });
    }
}

/// Two neighbours that deltas alone would make one.
fn joins(previous: Option<&Part>, part: &Part) -> bool {
    match (previous, part) {
        (Some(Part::Text(_)), Part::Text(_)) | (Some(Part::Refusal(_)), Part::Refusal(_)) => true,
        (Some(Part::Reasoning(before)), Part::Reasoning(_)) => before.signature.is_none(),
        _ => false,
    }
}

fn unfold_part(choice: u32, part: &Part, calls: &mut u32, events: &mut Vec<StreamEvent>) {
    match part {
        Part::Text(text) => unfold_text(choice, text, events),
        Part::Refusal(text) => events.push(StreamEvent::Refusal { choice, text: text.clone() }),
        Part::Reasoning(reasoning) => {
            if !reasoning.text.is_empty() || reasoning.signature.is_none() {
                events.push(StreamEvent::Reasoning { choice, text: reasoning.text.clone() });
            }
            if let Some(signature) = &reasoning.signature {
                events.push(StreamEvent::ReasoningSignature { choice, signature: signature.clone() });
            }
        }
        Part::RedactedReasoning { data, .. } => {
            events.push(StreamEvent::RedactedReasoning { choice, data: data.clone() });
        }
        Part::ToolCall(call) => {
            events.push(StreamEvent::ToolCallStart {
                choice,
                index: *calls,
                id: call.id.clone(),
                name: call.name.clone(),
                kind: call.kind,
                signature: call.signature.clone(),
            });
            if !call.arguments.is_empty() {
                events.push(StreamEvent::ToolCallArguments {
                    choice,
                    index: *calls,
                    fragment: call.arguments.clone(),
                });
            }
            *calls += 1;
        }
        Part::Image(_) | Part::Audio(_) | Part::File(_) | Part::ToolResult(_) | Part::Opaque { .. } => {
            events.push(StreamEvent::Part { choice, part: part.clone() });
        }
    }
}

fn unfold_text(choice: u32, text: &Text, events: &mut Vec<StreamEvent>) {
    events.push(StreamEvent::Text { choice, text: text.text.clone() });
    let beside = Text { text: String::new(), annotations: Vec::new(), ..text.clone() };
    if beside != Text::default() {
        events.push(StreamEvent::Part { choice, part: Part::Text(beside) });
    }
    for annotation in &text.annotations {
        events.push(StreamEvent::Annotation { choice, annotation: annotation.clone() });
    }
}

#[cfg(test)]
mod tests;
