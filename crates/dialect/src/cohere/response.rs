//! A whole answer of `/v2/chat`, and the readings that streams share with it.

use serde_json::{Map, Number, Value, json};
use tidegate_core::{ApiError, ErrorKind, Fault, Usage, id};

use super::error;
use super::wire::{self, Answer, AnswerBlock, AnswerMessage, AnsweredCall, Logprobs};
use crate::DialectId;
use crate::chat::{
    ChatResponse, Choice, Extra, Finish, FinishReason, Part, ReasoningText, Text, ToolCall, ToolKind,
};

pub(super) fn decode(body: &[u8]) -> Result<ChatResponse, ApiError> {
    let answer: Answer = serde_json::from_slice(body).map_err(|e| error::instead_of_answer(body, &e))?;
    let parts = parts(answer.message);
    let called = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let choice = Choice {
        index: 0,
        parts,
        finish: answer.finish_reason.as_deref().map(|word| finish(word, called)).transpose()?,
        logprobs: answer.logprobs.as_deref().and_then(logprobs),
        extra: Extra::new(),
    };
    let mut extra = answer.rest;
    extra.extend(answer.usage.as_ref().map(billed).unwrap_or_default());
    Ok(ChatResponse {
        id: answer.id,
        usage: answer.usage.as_ref().map(usage),
        choices: vec![choice],
        extra,
        ..ChatResponse::default()
    })
}

fn parts(message: AnswerMessage) -> Vec<Part> {
    let mut parts = Vec::new();
    parts.extend(message.tool_plan.filter(|plan| !plan.is_empty()).map(reasoning));
    parts.extend(message.content.into_iter().flatten().filter_map(block));
    if let Some(citations) = message.citations.filter(|citations| !citations.is_empty()) {
        match parts.iter_mut().rfind(|part| matches!(part, Part::Text(_))) {
            Some(Part::Text(text)) => text.citations = citations,
            _ => parts.push(Part::Text(Text { citations, ..Text::default() })),
        }
    }
    parts.extend(message.tool_calls.into_iter().flatten().map(call));
    parts
}

fn reasoning(text: String) -> Part {
    Part::Reasoning(ReasoningText { origin: DialectId::Cohere, text, signature: None })
}

/// `None` for a block that says nothing.
pub(super) fn block(block: AnswerBlock) -> Option<Part> {
    match (block.text, block.thinking) {
        (Some(text), _) => (!text.is_empty()).then(|| Part::text(text)),
        (None, Some(thinking)) => (!thinking.is_empty()).then(|| reasoning(thinking)),
        (None, None) => {
            let mut whole = Map::from_iter(block.r#type.map(|kind| ("type".to_owned(), kind.into())));
            whole.extend(block.rest);
            Some(Part::Opaque { origin: DialectId::Cohere, block: whole.into() })
        }
    }
}

fn call(call: AnsweredCall) -> Part {
    Part::ToolCall(ToolCall {
        id: id_or_made(call.id),
        name: call.function.name.unwrap_or_default(),
        arguments: call.function.arguments.unwrap_or_default(),
        kind: ToolKind::Function,
        signature: None,
        cache: None,
        extra: Extra::new(),
    })
}

pub(super) fn id_or_made(given: Option<String>) -> String {
    given.filter(|id| !id.is_empty()).unwrap_or_else(|| id::random("call_", 24))
}

/// # Errors
/// An answer that ended in a failure of the provider, so that another try can do better.
pub(super) fn finish(word: &str, called: bool) -> Result<Finish, ApiError> {
    let reason = match word {
        "MAX_TOKENS" | "ERROR_LIMIT" => FinishReason::Length,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        "ERROR" => return Err(failed("ERROR")),
        "TIMEOUT" => {
            let message = "the provider ran out of time for the answer (TIMEOUT)";
            return Err(ApiError::new(ErrorKind::Timeout, Fault::Provider, 504, message));
        }
        "TOOL_CALL" => FinishReason::ToolCalls,
        _ if called => FinishReason::ToolCalls,
        _ => FinishReason::Stop,
    };
    Ok(Finish { reason, raw: Some(word.to_owned()), stop_sequence: None })
}

/// The error of an answer that failed on the way; `text` is the provider's.
pub(super) fn failed(text: &str) -> ApiError {
    ApiError::upstream(format!("the provider failed during the answer: {text}"))
}

/// Tokens as counted; as billed where nothing else is said.
pub(super) fn usage(usage: &wire::Usage) -> Usage {
    let billed = |name: &str| {
        let units = usage.billed_units.as_ref()?;
        units.get(name)?.as_number().and_then(count)
    };
    let counted =
        |number: fn(&wire::Tokens) -> Option<&Number>| usage.tokens.as_ref().and_then(number).and_then(count);
    let input =
        counted(|tokens| tokens.input_tokens.as_ref()).or_else(|| billed("input_tokens")).unwrap_or(0);
    let output =
        counted(|tokens| tokens.output_tokens.as_ref()).or_else(|| billed("output_tokens")).unwrap_or(0);
    let cached = usage.cached_tokens.as_ref().and_then(count);
    Usage {
        input: input.saturating_sub(cached.unwrap_or(0)),
        cache_read: cached,
        output,
        searches: billed("search_units"),
        ..Usage::default()
    }
}

/// Counts are whole, however they are written.
pub(super) fn count(number: &Number) -> Option<u64> {
    number.as_u64().or_else(|| number.as_f64().filter(|n| *n >= 0.0 && *n < 9e15).map(|n| n as u64))
}

/// What is billed, for whoever prices the answer.
pub(super) fn billed(usage: &wire::Usage) -> Extra {
    let units = usage.billed_units.clone().map(|units| ("billed_units".to_owned(), Value::Object(units)));
    units.into_iter().collect()
}

/// Probabilities in OpenAI's shape. Cohere's are of pieces of text that may hold several tokens: a piece counts as one
/// token here, with the probability of all of it.
pub(super) fn logprobs(pieces: &[Logprobs]) -> Option<Value> {
    let content: Vec<Value> = pieces
        .iter()
        .filter_map(|piece| {
            let text = piece.text.as_deref()?;
            let logprob: f64 = piece.logprobs.as_ref()?.iter().sum();
            Some(json!({"token": text, "logprob": logprob, "bytes": text.as_bytes(), "top_logprobs": []}))
        })
        .collect();
    (!content.is_empty()).then(|| json!({"content": content, "refusal": null}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(answer: &Value) -> Result<ChatResponse, ApiError> {
        decode(answer.to_string().as_bytes())
    }

    fn answer(message: Value, finish: &str) -> Value {
        json!({"id": "29b4", "finish_reason": finish, "message": message})
    }

    #[test]
    fn messages_become_parts_in_order() {
        let citation = json!({"start": 0, "end": 3, "text": "Ebb", "sources": []});
        let response = decoded(&answer(
            json!({
                "role": "assistant", "tool_plan": "plan",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Ebb"}, {"type": "map"}],
                "citations": [citation],
                "tool_calls": [
                    {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"type": "function", "function": {"name": "g"}},
                ],
            }),
            "TOOL_CALL",
        ))
        .unwrap();
        let [plan, thinking, text, opaque, first, second] = response.choices[0].parts.as_slice() else {
            panic!("{:?}", response.choices[0].parts)
        };
        assert_eq!((plan, thinking), (&reasoning("plan".into()), &reasoning("hm".into())));
        let cited = Text { text: "Ebb".into(), citations: vec![citation], ..Text::default() };
        assert_eq!(text, &Part::Text(cited));
        assert_eq!(opaque, &Part::Opaque { origin: DialectId::Cohere, block: json!({"type": "map"}) });
        let (Part::ToolCall(first), Part::ToolCall(second)) = (first, second) else { panic!("no calls") };
        assert_eq!((first.id.as_str(), first.arguments.as_str()), ("f_1", "{}"));
        assert!(second.id.starts_with("call_") && second.arguments.is_empty());
        assert_eq!(response.id.as_deref(), Some("29b4"));
    }

    #[test]
    fn ends_are_told_by_a_table() {
        use FinishReason::{ContentFilter, Length, Stop, ToolCalls};
        for (word, called, reason) in [
            ("COMPLETE", false, Ok(Stop)),
            ("STOP_SEQUENCE", false, Ok(Stop)),
            ("MAX_TOKENS", false, Ok(Length)),
            ("TOOL_CALL", true, Ok(ToolCalls)),
            ("COMPLETE", true, Ok(ToolCalls)),
            ("ERROR_TOXIC", false, Ok(ContentFilter)),
            ("ERROR", false, Err((502, ErrorKind::UpstreamBroken))),
            ("TIMEOUT", false, Err((504, ErrorKind::Timeout))),
        ] {
            let seen = finish(word, called).map(|finish| finish.reason).map_err(|e| (e.status, e.kind));
            assert_eq!(seen, reason, "{word}");
        }
    }

    #[test]
    fn tokens_are_reported_and_bills_are_kept() {
        let units = json!({"input_tokens": 19, "output_tokens": 11.0, "search_units": 1});
        for (usage, input, output, cached) in [
            (
                json!({"billed_units": units, "tokens": {"input_tokens": 890.0, "output_tokens": 40}}),
                890,
                40,
                None,
            ),
            (json!({"billed_units": units}), 19, 11, None),
            (
                json!({"tokens": {"input_tokens": 890, "output_tokens": 40}, "cached_tokens": 800}),
                90,
                40,
                Some(800),
            ),
        ] {
            let billed = usage.get("billed_units").cloned();
            let mut answer = answer(json!({}), "COMPLETE");
            answer["usage"] = usage;
            let response = decoded(&answer).unwrap();
            assert_eq!(response.extra.get("billed_units"), billed.as_ref());
            let usage = response.usage.unwrap();
            assert_eq!((usage.input, usage.output, usage.cache_read), (input, output, cached));
            assert_eq!(usage.searches, billed.map(|_| 1));
        }
    }

    #[test]
    fn a_piece_of_text_counts_as_a_token() {
        let mut answer = answer(json!({"content": [{"type": "text", "text": "Ebbé"}]}), "COMPLETE");
        answer["logprobs"] = json!([{"text": "Ebbé", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}]);
        let piece =
            json!({"token": "Ebbé", "logprob": -0.75, "bytes": [69, 98, 98, 195, 169], "top_logprobs": []});
        let logprobs = decoded(&answer).unwrap().choices.remove(0).logprobs;
        assert_eq!(logprobs, Some(json!({"content": [piece], "refusal": null})));
    }

    #[test]
    fn other_bodies_are_errors() {
        for (body, status) in [("", 502), ("[]", 502), (r#"{"message":"no"}"#, 502), ("<html>", 502)] {
            assert_eq!(decode(body.as_bytes()).unwrap_err().status, status, "{body}");
        }
        assert!(decode(br#"{"message":"no such thing"}"#).unwrap_err().message.contains("no such thing"));
    }
}
