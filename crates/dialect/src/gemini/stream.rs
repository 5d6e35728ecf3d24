//! The stream of `streamGenerateContent`: server-sent events (`alt=sse`), a JSON array that arrives over time, or, when
//! the vendor answers a stream with a plain body, that body.
//!
//! Each piece is a whole answer with a part of the text. Gemini has no end marker: the body's end is clean once every
//! candidate has named a reason. Reasons wait until then, because some models name one in every piece and because a
//! function call changes what the reason means.

use serde_json::Value;
use tidegate_core::clock::rfc3339_seconds;
use tidegate_core::{ApiError, Usage, Verdict, Warning};

use super::wire::{Answer, Candidate};
use super::{grounding, parts, response, usage};
use crate::StreamDecoder;
use crate::body::{Frame, StreamBody, unreadable};
use crate::chat::{Part, StreamEvent, Text, ToolCall};

/// Far above what a request can ask for.
const MAX_CHOICES: usize = 64;
/// Bytes of text kept per candidate to place citations.
const MAX_TEXT: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Decoder {
    body: StreamBody,
    pieces: Pieces,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        if self.pieces.over {
            return;
        }
        let pieces = &mut self.pieces;
        if let Err(e) = self.body.push(bytes, &mut |frame| pieces.push(frame, events)) {
            pieces.fail(ApiError::upstream(e.to_string()), events);
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        if self.pieces.over {
            return;
        }
        let pieces = &mut self.pieces;
        match self.body.finish(&mut |frame| pieces.push(frame, events)) {
            Err(e) => pieces.fail(ApiError::upstream(e.to_string()), events),
            Ok(()) => pieces.end(events),
        }
    }
}

/// What has to be remembered from piece to piece.
#[derive(Debug, Default)]
struct Pieces {
    started: bool,
    /// `End` or `Error` was given.
    over: bool,
    usage: Option<Usage>,
    choices: Vec<Choice>,
}

#[derive(Debug, Default)]
struct Choice {
    index: u32,
    calls: u32,
    has_content: bool,
    /// The visible text so far.
    text: String,
    /// There was more than [`MAX_TEXT`], and `text` is not it.
    text_too_long: bool,
    reason: Option<String>,
    message: Option<String>,
}

impl Pieces {
    /// A body that is one object is like a stream of one piece.
    fn push(&mut self, frame: Frame<'_>, events: &mut Vec<StreamEvent>) {
        let (Frame::Piece(bytes) | Frame::Whole(bytes)) = frame;
        let bytes = bytes.trim_ascii();
        if self.over || bytes.is_empty() || bytes == b"[DONE]" {
            return;
        }
        let outcome = read(bytes).and_then(|answer| self.answer(answer, events));
        if let Err(error) = outcome {
            self.fail(error, events);
        }
    }

    fn answer(&mut self, mut answer: Answer, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        response::check(&answer)?;
        let extra = response::extra(&mut answer);
        if !self.started {
            self.started = true;
            let created = answer.create_time.as_deref().and_then(rfc3339_seconds);
            events.push(StreamEvent::Start { id: answer.response_id, model: answer.model_version, created });
        }
        if !extra.is_empty() {
            events.push(StreamEvent::Extra { choice: None, extra });
        }
        for candidate in answer.candidates {
            self.candidate(candidate, events)?;
        }
        let usage = answer.usage_metadata.as_ref().map(usage::usage);
        if let Some(usage) = usage.filter(|usage| self.usage.as_ref() != Some(usage)) {
            self.usage = Some(usage.clone());
            events.push(StreamEvent::Usage(usage));
        }
        Ok(())
    }

    fn candidate(&mut self, mut candidate: Candidate, events: &mut Vec<StreamEvent>) -> Result<(), ApiError> {
        let choice = self.choice(candidate.index)?;
        let mut warnings = Vec::new();
        for part in std::mem::take(&mut candidate.content.parts) {
            if let Some(part) = parts::read(part, &mut warnings) {
                choice.part(part, events);
            }
        }
        events.extend(warnings.into_iter().map(StreamEvent::Warning));
        if let Some(result) = &candidate.logprobs_result {
            events.push(StreamEvent::Logprobs { choice: choice.index, logprobs: parts::logprobs(result) });
        }
        if let Some(metadata) = candidate.rest.get("groundingMetadata") {
            choice.citations(metadata, events);
        }
        let extra = parts::extra(&mut candidate);
        if !extra.is_empty() {
            events.push(StreamEvent::Extra { choice: Some(choice.index), extra });
        }
        choice.reason = candidate.finish_reason.or(choice.reason.take());
        choice.message = candidate.finish_message.or(choice.message.take());
        Ok(())
    }

    fn choice(&mut self, index: u32) -> Result<&mut Choice, ApiError> {
        let at = self.choices.iter().position(|choice| choice.index == index).unwrap_or(self.choices.len());
        if at == MAX_CHOICES {
            return Err(ApiError::upstream(format!("the stream has more than {MAX_CHOICES} candidates")));
        }
        if at == self.choices.len() {
            self.choices.push(Choice { index, ..Choice::default() });
        }
        Ok(&mut self.choices[at])
    }

    /// The body has ended.
    fn end(&mut self, events: &mut Vec<StreamEvent>) {
        if self.over {
            return;
        }
        let choices = std::mem::take(&mut self.choices);
        if choices.is_empty() || choices.iter().any(|choice| choice.reason.is_none()) {
            let message = "the stream ended before the answer was complete";
            return self.fail(ApiError::upstream(message), events);
        }
        let alone = choices.len() == 1;
        for choice in choices {
            let word = choice.reason.as_deref().unwrap_or_default();
            let empty = alone && !choice.has_content;
            match parts::finish(word, choice.message.as_deref(), choice.calls > 0, empty) {
                Ok((finish, warning)) => {
                    events.extend(warning.map(StreamEvent::Warning));
                    events.push(StreamEvent::Finish { choice: choice.index, finish });
                }
                Err(error) => return self.fail(error, events),
            }
        }
        self.over = true;
        events.push(StreamEvent::End);
    }

    fn fail(&mut self, error: ApiError, events: &mut Vec<StreamEvent>) {
        if !self.over {
            self.over = true;
            events.push(StreamEvent::Error(error));
        }
    }
}

/// A piece is an answer, or, when it holds an error, sometimes a list of one.
fn read(bytes: &[u8]) -> Result<Answer, ApiError> {
    let parsed = if bytes.starts_with(b"[") {
        serde_json::from_slice::<[Answer; 1]>(bytes).map(|[answer]| answer)
    } else {
        serde_json::from_slice(bytes)
    };
    parsed.map_err(|e| unreadable("Gemini", &e))
}

impl Choice {
    fn part(&mut self, part: Part, events: &mut Vec<StreamEvent>) {
        let choice = self.index;
        self.has_content = true;
        match part {
            Part::Text(mut text) => {
                let words = std::mem::take(&mut text.text);
                self.keep(&words);
                if !words.is_empty() {
                    events.push(StreamEvent::Text { choice, text: words });
                }
                // A text part without text brings the rest to the text before it.
                if text != Text::default() {
                    events.push(StreamEvent::Part { choice, part: Part::Text(text) });
                }
            }
            Part::Reasoning(reasoning) => {
                if !reasoning.text.is_empty() {
                    events.push(StreamEvent::Reasoning { choice, text: reasoning.text });
                }
                if let Some(signature) = reasoning.signature {
                    events.push(StreamEvent::ReasoningSignature { choice, signature });
                }
            }
            Part::ToolCall(call) => self.call(call, events),
            part => events.push(StreamEvent::Part { choice, part }),
        }
    }

    fn keep(&mut self, words: &str) {
        if self.text_too_long || self.text.len() + words.len() > MAX_TEXT {
            self.text_too_long = true;
            self.text = String::new();
        } else {
            self.text.push_str(words);
        }
    }

    fn call(&mut self, call: ToolCall, events: &mut Vec<StreamEvent>) {
        let (choice, index) = (self.index, self.calls);
        self.calls += 1;
        let ToolCall { id, name, arguments, kind, signature, extra, .. } = call;
        events.extend(extra.keys().map(|member| StreamEvent::Warning(parts::lost(member))));
        events.push(StreamEvent::ToolCallStart { choice, index, id, name, kind, signature });
        events.push(StreamEvent::ToolCallArguments { choice, index, fragment: arguments });
    }

    fn citations(&self, metadata: &Value, events: &mut Vec<StreamEvent>) {
        let choice = self.index;
        if self.text_too_long {
            let note = Some("text_too_long".to_owned());
            let warning = Warning { verdict: Verdict::Dropped, param: "annotations".into(), note };
            events.push(StreamEvent::Warning(warning));
            return;
        }
        let annotations = grounding::annotations(metadata, &self.text, &[]);
        events
            .extend(annotations.into_iter().map(|annotation| StreamEvent::Annotation { choice, annotation }));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidegate_core::ErrorKind;

    use super::*;
    use crate::DialectId;
    use crate::chat::FinishReason;
    use crate::fixtures::Fixtures;

    fn fixtures() -> Fixtures {
        Fixtures::of(DialectId::Gemini, "gemini")
    }

    fn events(body: &str) -> Vec<StreamEvent> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.push(body.as_bytes(), &mut events);
        decoder.finish(&mut events);
        events
    }

    #[test]
    fn splits_do_not_matter() {
        fixtures().assert_splits_do_not_matter();
    }

    #[test]
    fn streams_fold_to_the_plain_answers() {
        fixtures().assert_streams_fold_to_the_plain_answers();
    }

    #[test]
    fn streams_keep_to_the_grammar() {
        fixtures().assert_grammar();
    }

    #[test]
    fn arrays_and_events_say_the_same() {
        for case in ["text", "thinking", "json", "error-mid-stream"] {
            let (events, array) = (format!("{case}.sse"), format!("{case}.array"));
            assert_eq!(fixtures().events(&events), fixtures().events(&array), "{case}");
        }
    }

    #[test]
    fn a_text_streams_piece_by_piece() {
        let finish = |event: &StreamEvent| match event {
            StreamEvent::Finish { finish, .. } => Some(finish.reason),
            _ => None,
        };
        let events = fixtures().events("text.sse");
        let texts = events.iter().filter(|event| matches!(event, StreamEvent::Text { .. })).count();
        let usages = events.iter().filter(|event| matches!(event, StreamEvent::Usage(_))).count();
        assert_eq!((texts, usages), (3, 3));
        assert_eq!(events.iter().find_map(finish), Some(FinishReason::Stop));
        let start = StreamEvent::Start {
            id: Some("tide-text-1".into()),
            model: Some("gemini-2.5-flash".into()),
            created: None,
        };
        assert_eq!(events[0], start);
    }

    #[test]
    fn a_call_makes_the_reason_tool_calls() {
        for file in ["tool.sse", "parallel-tools.sse"] {
            let response = fixtures().folded(file).unwrap();
            assert_eq!(
                response.choices[0].finish.as_ref().unwrap().reason,
                FinishReason::ToolCalls,
                "{file}"
            );
        }
    }

    #[test]
    fn bad_ends_are_errors() {
        for (file, status, kind) in [
            ("error-mid-stream.sse", 503, ErrorKind::Overloaded),
            ("error-first.array", 503, ErrorKind::Overloaded),
            ("error-in-list.sse", 429, ErrorKind::RateLimit),
            ("cut-short.sse", 502, ErrorKind::UpstreamBroken),
            ("unreadable.sse", 502, ErrorKind::UpstreamBroken),
            ("blocked-prompt.sse", 400, ErrorKind::ContentBlocked),
            ("malformed-call.sse", 502, ErrorKind::UpstreamBroken),
        ] {
            let error = fixtures().folded(file).unwrap_err();
            assert_eq!((error.status, error.kind), (status, kind), "{file}");
        }
    }

    #[test]
    fn bodies_that_are_no_stream_are_read_all_the_same() {
        let answer = json!({"candidates": [{"content": {"parts": [{"text": "a"}]}, "finishReason": "STOP"}]});
        assert_eq!(events(&format!("\r\n {answer:#}")).last(), Some(&StreamEvent::End));
        let error = |body: &str| match events(body).pop() {
            Some(StreamEvent::Error(error)) => (error.status, error.kind),
            other => panic!("{other:?}"),
        };
        let body =
            json!({"error": {"code": 404, "message": "no such model", "status": "NOT_FOUND"}}).to_string();
        assert_eq!(error(&body), (404, ErrorKind::NotFound));
        for body in ["", "<html></html>", "[", "[{}", "[1]", "{", "data: [1]\n\n"] {
            assert_eq!(error(body), (502, ErrorKind::UpstreamBroken), "{body}");
        }
    }

    #[test]
    fn a_marker_of_other_dialects_is_passed_over() {
        let piece = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#;
        let body = format!(": hello\ndata: {piece}\n\ndata: [DONE]\n\n");
        assert_eq!(events(&body).last(), Some(&StreamEvent::End));
    }

    #[test]
    fn citations_of_an_endless_text_are_left_out() {
        let supports = json!([{"segment": {"endIndex": 1}, "groundingChunkIndices": [0]}]);
        let grounding = json!({
            "groundingChunks": [{"web": {"uri": "https://example.com"}}], "groundingSupports": supports,
        });
        let citations = |length: usize| {
            let parts = json!([{"text": "x".repeat(length)}]);
            let candidate = json!({
                "content": {"parts": parts}, "finishReason": "STOP", "groundingMetadata": grounding,
            });
            let events = events(&format!("data: {}\n\n", json!({"candidates": [candidate]})));
            let count =
                |wanted: fn(&StreamEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
            (
                count(|event| matches!(event, StreamEvent::Annotation { .. })),
                count(|event| matches!(event, StreamEvent::Warning(_))),
            )
        };
        assert_eq!(citations(MAX_TEXT), (1, 0));
        assert_eq!(citations(MAX_TEXT + 1), (0, 1));
    }

    #[test]
    fn candidates_are_bounded() {
        let candidates: Vec<Value> = (0..=MAX_CHOICES).map(|index| json!({"index": index})).collect();
        let body = format!("data: {}\n\n", json!({"candidates": candidates}));
        assert!(matches!(events(&body).last(), Some(StreamEvent::Error(_))));
    }
}
