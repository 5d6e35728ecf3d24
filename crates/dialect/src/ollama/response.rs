//! A whole answer of `/api/chat`, and the readings that streams share with it.

use serde_json::{Value, json};
use tidegate_core::clock::rfc3339_seconds;
use tidegate_core::{ApiError, Usage, id};

use super::error;
use super::wire::{Answer, AnswerMessage, AnsweredCall};
use crate::DialectId;
use crate::body;
use crate::chat::{
    ChatResponse, Choice, Extra, Finish, FinishReason, Part, ReasoningText, ToolCall, ToolKind,
};

pub(super) fn decode(body: &[u8]) -> Result<ChatResponse, ApiError> {
    let answer = read(body)?;
    let message = answer.message.ok_or_else(|| ApiError::upstream("the answer holds no message"))?;
    if answer.done == Some(false) {
        return Err(ApiError::upstream("the answer ends before it is done"));
    }
    let usage = usage(answer.prompt_eval_count, answer.eval_count);
    let parts = parts(message);
    let called = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let choice = Choice {
        index: 0,
        parts,
        finish: Some(finish(answer.done_reason, called)),
        logprobs: answer.logprobs.and_then(logprobs),
        extra: Extra::new(),
    };
    Ok(ChatResponse {
        model: answer.model,
        created: answer.created_at.as_deref().and_then(rfc3339_seconds),
        choices: vec![choice],
        usage,
        extra: answer.rest,
        ..ChatResponse::default()
    })
}

/// A whole answer or a line of a stream.
///
/// # Errors
/// Something else, or the error that stands in its place.
pub(super) fn read(bytes: &[u8]) -> Result<Answer, ApiError> {
    let answer: Answer = serde_json::from_slice(bytes).map_err(|e| body::unreadable("Ollama", &e))?;
    match &answer.error {
        Some(error) => Err(error::from_member(error)),
        None => Ok(answer),
    }
}

/// Thinking, text, calls: in a line as in a whole answer.
pub(super) fn parts(message: AnswerMessage) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(text) = message.thinking.filter(|text| !text.is_empty()) {
        parts.push(Part::Reasoning(ReasoningText { origin: DialectId::Ollama, text, signature: None }));
    }
    parts.extend(message.content.filter(|text| !text.is_empty()).map(Part::text));
    parts.extend(message.tool_calls.into_iter().flatten().map(call));
    parts
}

fn call(call: AnsweredCall) -> Part {
    Part::ToolCall(ToolCall {
        id: call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| id::random("call_", 24)),
        name: call.function.name,
        arguments: Value::Object(call.function.arguments.unwrap_or_default()).to_string(),
        kind: ToolKind::Function,
        signature: None,
        cache: None,
        extra: Extra::new(),
    })
}

pub(super) fn finish(word: Option<String>, called: bool) -> Finish {
    let reason = match word.as_deref() {
        Some("length") => FinishReason::Length,
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    Finish { reason, raw: word, stop_sequence: None }
}

/// Ollama leaves the prompt out where it was cached; what is not said is unknown, unless nothing is.
pub(super) fn usage(prompt: Option<u64>, generated: Option<u64>) -> Option<Usage> {
    if prompt.is_none() && generated.is_none() {
        return None;
    }
    Some(Usage { input: prompt.unwrap_or(0), output: generated.unwrap_or(0), ..Usage::default() })
}

pub(super) fn logprobs(entries: Vec<Value>) -> Option<Value> {
    (!entries.is_empty()).then(|| json!({"content": entries, "refusal": null}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_by_a_table() {
        use FinishReason::{Length, Stop, ToolCalls};
        for (word, called, reason) in [
            (Some("stop"), false, Stop),
            (Some("stop"), true, ToolCalls),
            (Some("length"), true, Length),
            (Some("load"), false, Stop),
            (Some("unload"), false, Stop),
            (None, false, Stop),
        ] {
            assert_eq!(finish(word.map(str::to_owned), called).reason, reason, "{word:?}");
        }
    }

    #[test]
    fn counts_may_be_left_out() {
        assert_eq!(usage(None, None), None);
        for (prompt, generated) in [(Some(12), Some(2)), (None, Some(2)), (Some(12), None)] {
            let usage = usage(prompt, generated).unwrap();
            assert_eq!((usage.input, usage.output), (prompt.unwrap_or(0), generated.unwrap_or(0)));
        }
    }

    #[test]
    fn members_find_their_place() {
        let body = json!({
            "model": "m", "created_at": "2026-01-01T00:00:00.5Z", "done": true, "done_reason": "stop",
            "message": {
                "role": "assistant", "content": "High.", "thinking": "hm",
                "tool_calls": [{"function": {"name": "tide", "arguments": {"port": "Brest", "days": 2}}}],
            },
            "total_duration": 5,
        });
        let response = decode(body.to_string().as_bytes()).unwrap();
        let [Part::Reasoning(thought), text, Part::ToolCall(call)] = response.choices[0].parts.as_slice()
        else {
            panic!("{:?}", response.choices[0].parts)
        };
        assert_eq!((thought.text.as_str(), text), ("hm", &Part::text("High.")));
        assert_eq!((call.name.as_str(), call.arguments.as_str()), ("tide", r#"{"port":"Brest","days":2}"#));
        assert!(call.id.starts_with("call_"));
        assert_eq!((response.model.as_deref(), response.created), (Some("m"), Some(1_767_225_600)));
        assert_eq!(Value::Object(response.extra), json!({"total_duration": 5}));
    }

    #[test]
    fn other_bodies_are_errors() {
        for body in ["", "[]", "{}", r#"{"message":{"content":"a"},"done":false}"#, r#"{"error":"no"}"#] {
            assert_eq!(decode(body.as_bytes()).unwrap_err().status, 502, "{body}");
        }
    }
}
