//! A vendor's whole answer. Read leniently: members that are missing have defaults, members nobody knows go to `extra`.

use serde_json::{Map, Value};
use tidegate_core::{ApiError, ErrorKind, Fault, ServiceTier, Usage};

use super::super::member::{take, take_text, whole};
use super::super::{error, media, reasoning, stream};
use super::content::{argument_text, content_parts, made_up_call_id};
use super::finish::{Ended, ended};
use super::usage::read_usage;
use crate::chat::{
    ChatResponse, Choice, Extra, Finish, FinishReason, Part, ReasoningText, ToolCall, ToolKind,
};
use crate::{AnswerContext, DialectId};

/// # Errors
/// An error hidden in the 200, or 502 for a body that is no answer.
pub(in super::super) fn read(body: &[u8], ctx: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => answer(members, ctx.provider),
        // Some models only stream, asked or not.
        _ if stream::looks_like_events(body) => stream::fold(body, ctx),
        _ => Err(error::unreadable(body, ctx.provider)),
    }
}

/// The answer in a parsed body.
///
/// # Errors
/// As [`read`].
pub(in super::super) fn answer(
    mut members: Map<String, Value>,
    provider: &str,
) -> Result<ChatResponse, ApiError> {
    if let Some(error) = error::in_success(&members) {
        return Err(error);
    }
    // Workers AI's own endpoint wraps the answer.
    if let Some(Value::Object(result)) =
        members.get_mut("result").filter(|result| result.get("choices").is_some())
    {
        members = std::mem::take(result);
    }
    let Some(Value::Array(items)) = take(&mut members, "choices") else {
        return Err(ApiError::upstream(format!("{provider} answered with JSON that has no 'choices'")));
    };
    if items.is_empty() {
        return Err(ApiError::upstream(format!("{provider} answered with no choices")));
    }
    let mut usage = take_usage(&mut members);
    let id = take_text(&mut members, "id");
    let mut choices = Vec::with_capacity(items.len());
    for (position, item) in items.into_iter().enumerate() {
        let Value::Object(mut choice) = item else { continue };
        usage = usage.or_else(|| take(&mut choice, "usage").as_ref().and_then(read_usage));
        choices.push(read_choice(choice, position, id.as_deref().unwrap_or_default())?);
    }
    let created = take(&mut members, "created").as_ref().and_then(whole).filter(|seconds| *seconds > 0);
    let model = take_text(&mut members, "model");
    let service_tier = take_text(&mut members, "service_tier");
    if let Some(usage) = &mut usage {
        usage.tier = service_tier.as_deref().and_then(ServiceTier::of_answer);
    }
    let system_fingerprint = take_text(&mut members, "system_fingerprint");
    Ok(ChatResponse {
        id,
        model,
        created,
        choices,
        usage,
        service_tier,
        system_fingerprint,
        extra: rest(members, &["object", "created", "model", "id"]),
        warnings: Vec::new(),
    })
}

/// Takes `usage`, or takes it from Groq's own place for it.
pub(in super::super) fn take_usage(members: &mut Map<String, Value>) -> Option<Usage> {
    let groq = members.get_mut("x_groq").and_then(Value::as_object_mut);
    let elsewhere = groq.and_then(|groq| take(groq, "usage"));
    let usage = take(members, "usage").as_ref().and_then(read_usage);
    usage.or_else(|| elsewhere.as_ref().and_then(read_usage))
}

fn read_choice(mut choice: Map<String, Value>, position: usize, id: &str) -> Result<Choice, ApiError> {
    let index = take(&mut choice, "index").as_ref().and_then(whole);
    let index = u32::try_from(index.unwrap_or(position as u64)).unwrap_or(u32::MAX);
    let mut message = match take(&mut choice, "message") {
        Some(Value::Object(message)) => message,
        _ => Map::new(),
    };
    let mut parts = read_message(&mut message, index, id);
    if parts.is_empty() {
        // Completions behind a chat endpoint.
        parts.extend(take_text(&mut choice, "text").map(Part::text));
    }
    let calls = parts.iter().any(|part| matches!(part, Part::ToolCall(_)));
    let raw = take_text(&mut choice, "finish_reason");
    let native = take_text(&mut choice, "native_finish_reason");
    let reason = match ended(raw.as_deref().unwrap_or_default(), calls) {
        Ended::As(reason) => reason,
        Ended::Starved if !parts.is_empty() => FinishReason::Length,
        Ended::Starved => {
            return Err(ApiError::new(
                ErrorKind::Overloaded,
                Fault::Provider,
                503,
                "the provider ran out of resources before it answered",
            ));
        }
        Ended::Failed => return Err(ApiError::upstream("the provider failed while it answered")),
    };
    let logprobs =
        choice.get("logprobs").is_some_and(is_chat_logprobs).then(|| take(&mut choice, "logprobs"));
    let mut extra = rest(choice, &["text"]);
    extra.extend(rest(message, &["role", "content"]));
    Ok(Choice {
        index,
        parts,
        finish: Some(Finish { reason, raw: native.or(raw), stop_sequence: None }),
        logprobs: logprobs.flatten(),
        extra,
    })
}

fn read_message(message: &mut Map<String, Value>, choice: u32, id: &str) -> Vec<Part> {
    let found = reasoning::take_from(message);
    let mut parts = found.parts;
    parts.iter_mut().for_each(claim);
    let content = take(message, "content");
    if let Some(content) = content.filter(|_| !found.whole) {
        parts.extend(content_parts(content));
    }
    if let Some(Value::Array(annotations)) = take(message, "annotations") {
        annotate(&mut parts, annotations);
    }
    parts.extend(take_text(message, "refusal").map(Part::Refusal));
    if let Some(Value::Array(images)) = take(message, "images") {
        parts.extend(images.iter().filter_map(media::answered_image));
    }
    if let Some(Value::Object(audio)) = take(message, "audio") {
        parts.push(media::answered_audio(audio, ""));
    }
    let mut calls = match take(message, "tool_calls") {
        Some(Value::Array(calls)) => calls,
        _ => Vec::new(),
    };
    if let Some(function) = take(message, "function_call") {
        calls.push(Value::Object(Map::from_iter([("function".to_owned(), function)])));
    }
    for (i, call) in calls.into_iter().enumerate() {
        let index = u32::try_from(i).unwrap_or(u32::MAX);
        parts.extend(tool_call(call, choice, index, id).map(Part::ToolCall));
    }
    parts
}

/// Reasoning that the vendor relays from another maker still goes back to this vendor, as its streams imply.
fn claim(part: &mut Part) {
    if let Part::Reasoning(ReasoningText { origin, .. }) | Part::RedactedReasoning { origin, .. } = part {
        *origin = DialectId::OpenAi;
    }
}

/// Citations belong to the text; the format does not say to which one when there are several.
fn annotate(parts: &mut [Part], annotations: Vec<Value>) {
    let text = parts.iter_mut().rev().find_map(|part| match part {
        Part::Text(text) => Some(text),
        _ => None,
    });
    if let Some(text) = text {
        text.annotations.extend(annotations);
    }
}

/// `None` for an entry that names no function.
fn tool_call(value: Value, choice: u32, index: u32, answer_id: &str) -> Option<ToolCall> {
    let Value::Object(mut call) = value else { return None };
    let mut id = take_text(&mut call, "id").unwrap_or_default();
    let (kind, inner) = match (take(&mut call, "function"), take(&mut call, "custom")) {
        (Some(function), _) => (ToolKind::Function, function),
        (None, Some(custom)) => (ToolKind::Custom, custom),
        (None, None) => return None,
    };
    let Value::Object(mut inner) = inner else { return None };
    let signature = reasoning::take_signature(&mut call, &mut inner, &mut id);
    let name = take_text(&mut inner, "name")?;
    let member = if kind == ToolKind::Custom { "input" } else { "arguments" };
    let arguments = argument_text(take(&mut inner, member));
    if id.is_empty() {
        id = made_up_call_id(answer_id, choice, index, &name);
    }
    let extra = rest(call, &["type", "index", "id"]);
    Some(ToolCall { id, name, arguments, kind, signature, cache: None, extra })
}

/// OpenAI's shape, as opposed to the lists and numbers of older APIs.
pub(in super::super) fn is_chat_logprobs(logprobs: &Value) -> bool {
    logprobs.get("content").is_some() || logprobs.get("refusal").is_some()
}

/// What is left of an object: members that say something, `known` ones aside.
fn rest(mut members: Map<String, Value>, known: &[&str]) -> Extra {
    members.retain(|key, value| !value.is_null() && !known.contains(&key.as_str()));
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CTX: AnswerContext<'static> =
        AnswerContext { provider: "vendor", model: "m", strict: true, include_usage: true, now_s: 1 };

    fn decode(value: Value) -> Result<ChatResponse, ApiError> {
        read(value.to_string().as_bytes(), &CTX)
    }

    fn one(message: Value, finish: &str) -> Choice {
        let answer = json!({"id": "a", "choices": [{"message": message, "finish_reason": finish}]});
        decode(answer).unwrap().choices.remove(0)
    }

    #[test]
    fn every_member_of_the_reference_is_read() {
        let response = decode(json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1760000000, "model": "m-1",
            "choices": [{"index": 1, "message": {"role": "assistant", "content": "hi", "refusal": null,
                "annotations": [{"type": "url_citation"}]},
                "logprobs": {"content": [], "refusal": null}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
            "service_tier": "default", "system_fingerprint": "fp", "moderation": null, "citations": ["u"]
        }))
        .unwrap();
        assert_eq!(response.id.as_deref(), Some("chatcmpl-1"));
        assert_eq!((response.model.as_deref(), response.created), (Some("m-1"), Some(1_760_000_000)));
        assert_eq!(response.service_tier.as_deref(), Some("default"));
        assert_eq!(response.system_fingerprint.as_deref(), Some("fp"));
        assert_eq!(response.usage.unwrap().output, 2);
        assert_eq!(Value::Object(response.extra), json!({"citations": ["u"]}));
        let choice = &response.choices[0];
        let Part::Text(text) = &choice.parts[0] else { panic!("{choice:?}") };
        assert_eq!((text.text.as_str(), text.annotations.len(), choice.index), ("hi", 1, 1));
        assert_eq!(choice.logprobs, Some(json!({"content": [], "refusal": null})));
        assert_eq!(choice.finish.as_ref().unwrap().reason, FinishReason::Length);
        assert!(choice.extra.is_empty());
    }

    #[test]
    fn tool_calls_of_each_form() {
        let choice = one(
            json!({"content": null, "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"function": {"name": "g", "arguments": {"a": 1}}},
                {"id": "c3", "type": "custom", "custom": {"name": "h", "input": "free"}},
                {"id": "c4", "function": {"name": "k", "arguments": null},
                    "extra_content": {"google": {"thought_signature": "SIG"}}}
            ]}),
            "stop",
        );
        let calls: Vec<&ToolCall> = choice
            .parts
            .iter()
            .map(|part| match part {
                Part::ToolCall(call) => call,
                other => panic!("{other:?}"),
            })
            .collect();
        let seen: Vec<(&str, &str)> =
            calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!(seen, [("f", "{}"), ("g", "{\"a\":1}"), ("h", "free"), ("k", "")]);
        assert!(calls[1].id.starts_with("call_") && calls[1].id.len() == 29);
        assert_eq!((calls[2].kind, calls[3].signature.as_deref()), (ToolKind::Custom, Some("SIG")));
        assert_eq!(choice.finish.unwrap().reason, FinishReason::ToolCalls);
    }

    #[test]
    fn the_deprecated_function_call_is_a_tool_call() {
        let choice =
            one(json!({"content": null, "function_call": {"name": "f", "arguments": "{}"}}), "function_call");
        assert!(matches!(&choice.parts[..], [Part::ToolCall(call)] if call.name == "f"));
    }

    #[test]
    fn reasoning_comes_before_content() {
        let choice = one(json!({"content": "a", "reasoning_content": "why", "executed_tools": []}), "stop");
        assert!(matches!(&choice.parts[0], Part::Reasoning(thought) if thought.text == "why"));
        assert_eq!(choice.parts[1], Part::text("a"));
        assert_eq!(Value::Object(choice.extra), json!({"executed_tools": []}));
    }

    #[test]
    fn texts_beside_messages_and_wrapped_answers_are_found() {
        let choice = decode(json!({"choices": [{"text": "hi"}]})).unwrap().choices.remove(0);
        assert_eq!(choice.parts, [Part::text("hi")]);
        let wrapped =
            json!({"success": true, "result": {"id": "w", "choices": [{"message": {"content": "hi"}}]}});
        assert_eq!(decode(wrapped).unwrap().id.as_deref(), Some("w"));
    }

    #[test]
    fn vendors_own_finish_words_are_kept() {
        let answer = json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop",
            "native_finish_reason": "end_turn"}]});
        let finish = decode(answer).unwrap().choices.remove(0).finish.unwrap();
        assert_eq!((finish.reason, finish.raw.as_deref()), (FinishReason::Stop, Some("end_turn")));
    }

    #[test]
    fn bodies_that_are_no_answer_are_errors() {
        for (body, status, message) in [
            ("<html>", 502, "vendor answered with an HTML page instead of a completion"),
            ("", 502, "vendor answered with an empty body instead of a completion"),
            ("[]", 502, "vendor answered with something that is not a JSON object instead of a completion"),
            ("{}", 502, "vendor answered with JSON that has no 'choices'"),
            (r#"{"error":{"message":"no","code":503}}"#, 503, "no"),
            (
                r#"{"choices":[{"message":{"content":""},"finish_reason":"insufficient_system_resource"}]}"#,
                503,
                "the provider ran out of resources before it answered",
            ),
            (
                r#"{"choices":[{"message":{"content":"x"},"finish_reason":"error"}]}"#,
                502,
                "the provider failed while it answered",
            ),
        ] {
            let error = read(body.as_bytes(), &CTX).unwrap_err();
            assert_eq!((error.status, error.message.as_str()), (status, message), "{body}");
            assert_eq!(error.fault, Fault::Provider, "{body}");
        }
    }

    #[test]
    fn a_starved_answer_that_began_is_a_cut_one() {
        let choice = one(json!({"content": "half"}), "insufficient_system_resource");
        assert_eq!(choice.finish.unwrap().reason, FinishReason::Length);
    }
}
