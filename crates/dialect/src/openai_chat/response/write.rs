//! The whole answer for a client of OpenAI's. `provider` and `reasoning_content` are always there; what else goes
//! beyond OpenAI's reference (content blocks, signatures, vendor members) only where the client may see more.

use serde_json::{Map, Value, json};
use tidegate_core::id;

use super::super::{media, reasoning};
use super::finish::word;
use super::usage::write_usage;
use crate::AnswerContext;
use crate::chat::{ChatResponse, Choice, Extra, Part, ToolCall, ToolKind};

pub(in super::super) fn write(response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8> {
    let choices: Vec<Value> =
        response.choices.iter().map(|choice| write_choice(choice, ctx.strict)).collect();
    let mut answer = Map::new();
    let id = response.id.clone().unwrap_or_else(|| id::random("chatcmpl-", 24));
    answer.insert("id".to_owned(), Value::String(id));
    answer.insert("object".to_owned(), json!("chat.completion"));
    answer.insert("created".to_owned(), json!(response.created.unwrap_or(ctx.now_s)));
    answer.insert("model".to_owned(), json!(response.model.as_deref().unwrap_or(ctx.model)));
    answer.insert("provider".to_owned(), json!(ctx.provider));
    answer.insert("choices".to_owned(), Value::Array(choices));
    if let Some(usage) = &response.usage {
        answer.insert("usage".to_owned(), write_usage(usage, ctx.strict));
    }
    if let Some(tier) = response.service_tier.as_deref().and_then(tier) {
        answer.insert("service_tier".to_owned(), json!(tier));
    }
    if let Some(fingerprint) = &response.system_fingerprint {
        answer.insert("system_fingerprint".to_owned(), json!(fingerprint));
    }
    if !ctx.strict {
        add(&mut answer, &response.extra);
    }
    Value::Object(answer).to_string().into_bytes()
}

/// The tier in OpenAI's words, which its clients take for the only ones; others have no place.
pub(in super::super) fn tier(word: &str) -> Option<&str> {
    match word {
        "standard" => Some("default"),
        "auto" | "default" | "flex" | "scale" | "priority" | "fast" => Some(word),
        _ => None,
    }
}

fn write_choice(choice: &Choice, strict: bool) -> Value {
    let mut written = Map::new();
    written.insert("index".to_owned(), json!(choice.index));
    written.insert("message".to_owned(), Value::Object(write_message(choice, strict)));
    written.insert("logprobs".to_owned(), choice.logprobs.clone().unwrap_or(Value::Null));
    written.insert("finish_reason".to_owned(), json!(word(choice.finish.as_ref(), strict)));
    if !strict {
        add(&mut written, &choice.extra);
    }
    Value::Object(written)
}

fn write_message(choice: &Choice, strict: bool) -> Map<String, Value> {
    let said = Said::of(&choice.parts, strict);
    let mut message = Map::new();
    message.insert("role".to_owned(), json!("assistant"));
    // Null stands for "something else was said instead".
    let instead = !said.refusal.is_empty() || !said.calls.is_empty() || said.audio.is_some();
    let content = if said.text.is_empty() && instead { Value::Null } else { Value::String(said.text) };
    message.insert("content".to_owned(), content);
    let refusal = if said.refusal.is_empty() { Value::Null } else { Value::String(said.refusal) };
    message.insert("refusal".to_owned(), refusal);
    if !said.reasoning.is_empty() {
        message.insert("reasoning_content".to_owned(), Value::String(said.reasoning));
    }
    if !said.annotations.is_empty() {
        message.insert("annotations".to_owned(), Value::Array(said.annotations));
    }
    if let Some(audio) = said.audio {
        message.insert("audio".to_owned(), audio);
    }
    if !said.calls.is_empty() {
        message.insert("tool_calls".to_owned(), Value::Array(said.calls));
    }
    if !said.blocks.is_empty() {
        message.insert("content_blocks".to_owned(), Value::Array(said.blocks));
    }
    if !strict {
        let stop_sequence = choice.finish.as_ref().and_then(|finish| finish.stop_sequence.as_deref());
        if let Some(fields) = specific_fields(said.citations, stop_sequence) {
            message.insert("provider_specific_fields".to_owned(), fields);
        }
    }
    message
}

/// What OpenAI's shape has no member for, where LiteLLM's clients look for it.
pub(in super::super) fn specific_fields(citations: Vec<Value>, stop_sequence: Option<&str>) -> Option<Value> {
    let mut fields = Map::new();
    if !citations.is_empty() {
        fields.insert("citations".to_owned(), Value::Array(citations));
    }
    if let Some(sequence) = stop_sequence {
        fields.insert("stop_sequence".to_owned(), json!(sequence));
    }
    (!fields.is_empty()).then_some(Value::Object(fields))
}

/// The parts of a message sorted into the members of OpenAI's.
#[derive(Default)]
struct Said {
    text: String,
    refusal: String,
    reasoning: String,
    annotations: Vec<Value>,
    citations: Vec<Value>,
    calls: Vec<Value>,
    audio: Option<Value>,
    blocks: Vec<Value>,
}

impl Said {
    fn of(parts: &[Part], strict: bool) -> Self {
        let mut said = Self::default();
        for part in parts {
            match part {
                Part::Text(text) => {
                    said.text.push_str(&text.text);
                    said.annotations.extend(text.annotations.iter().cloned());
                    said.citations.extend(text.citations.iter().cloned());
                }
                Part::Refusal(text) => said.refusal.push_str(text),
                Part::Reasoning(thought) => said.reasoning.push_str(&thought.text),
                Part::ToolCall(call) => said.calls.push(write_call(call, strict)),
                Part::Audio(audio) => said.audio = Some(media::audio_member(audio)),
                Part::Image(_)
                | Part::File(_)
                | Part::RedactedReasoning { .. }
                | Part::ToolResult(_)
                | Part::Opaque { .. } => {}
            }
            // Generated images have no other place, so even strict clients get those.
            if !strict || matches!(part, Part::Image(_)) {
                said.blocks.extend(reasoning::content_block(part));
            }
        }
        said
    }
}

fn write_call(call: &ToolCall, strict: bool) -> Value {
    let mut written = match call.kind {
        ToolKind::Function => json!({
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments}
        }),
        ToolKind::Custom => json!({
            "id": call.id,
            "type": "custom",
            "custom": {"name": call.name, "input": call.arguments}
        }),
    };
    if strict {
        return written;
    }
    if let Some(signature) = &call.signature {
        written["function"]["thought_signature"] = json!(signature);
    }
    if let Value::Object(members) = &mut written {
        add(members, &call.extra);
    }
    written
}

/// Adds members that are not there yet: a vendor's never replace the dialect's.
fn add(members: &mut Map<String, Value>, extra: &Extra) {
    for (key, value) in extra {
        if !members.contains_key(key) {
            members.insert(key.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_core::Usage;

    use super::*;
    use crate::DialectId;
    use crate::chat::{Finish, FinishReason, Image, ReasoningText, Source, Text};

    fn ctx(strict: bool) -> AnswerContext<'static> {
        AnswerContext {
            provider: "anthropic",
            model: "asked",
            strict,
            include_usage: true,
            now_s: 1_760_000_000,
        }
    }

    fn response(parts: Vec<Part>, finish: Finish) -> ChatResponse {
        let choice = Choice { index: 0, parts, finish: Some(finish), logprobs: None, extra: Extra::new() };
        ChatResponse { id: Some("a1".into()), choices: vec![choice], ..ChatResponse::default() }
    }

    fn message(parts: Vec<Part>, strict: bool) -> Value {
        let body = write(&response(parts, Finish::new(FinishReason::Stop)), &ctx(strict));
        serde_json::from_slice::<Value>(&body).unwrap()["choices"][0]["message"].take()
    }

    fn thought(signature: Option<&str>) -> Part {
        let signature = signature.map(str::to_owned);
        Part::Reasoning(ReasoningText { origin: DialectId::Anthropic, text: "why".into(), signature })
    }

    fn call() -> ToolCall {
        ToolCall {
            id: "c1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            kind: ToolKind::Function,
            signature: Some("SIG".into()),
            cache: None,
            extra: Extra::new(),
        }
    }

    #[test]
    fn members_and_their_order() {
        let mut answer = response(vec![Part::text("a")], Finish::new(FinishReason::Stop));
        answer.usage = Some(Usage { input: 3, output: 4, ..Usage::default() });
        answer.service_tier = Some("default".into());
        answer.extra.insert("citations".into(), json!(["u"]));
        answer.extra.insert("provider".into(), json!("not ours"));
        let text = |strict| String::from_utf8(write(&answer, &ctx(strict))).unwrap();
        let choice = concat!(
            r#""choices":[{"index":0,"message":{"role":"assistant","content":"a","refusal":null},"#,
            r#""logprobs":null,"finish_reason":"stop"}]"#
        );
        let start = r#"{"id":"a1","object":"chat.completion","created":1760000000,"model":"asked","provider":"anthropic","#;
        let end = r#","usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default"}"#;
        assert_eq!(text(true), format!("{start}{choice}{end}"));
        assert!(text(false).ends_with(r#""service_tier":"default","citations":["u"]}"#), "{}", text(false));
    }

    #[test]
    fn messages_of_each_kind() {
        let image = Image {
            source: Source::Inline { mime: "image/png".into(), data: "QUJD".into() },
            detail: None,
            cache: None,
        };
        let cited = Text {
            text: "a".into(),
            annotations: vec![json!({"type": "url_citation"})],
            citations: vec![json!({"type": "page_location"})],
            ..Text::default()
        };
        let called = json!({"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}});
        let mut custom = call();
        custom.kind = ToolKind::Custom;
        custom.signature = None;
        for (parts, want) in [
            (vec![], json!({"role": "assistant", "content": "", "refusal": null})),
            (
                vec![Part::text("a"), Part::text("b")],
                json!({"role": "assistant", "content": "ab", "refusal": null}),
            ),
            (
                vec![Part::ToolCall(call())],
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [called]}),
            ),
            (
                vec![Part::ToolCall(custom)],
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls":
                    [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": "{}"}}]}),
            ),
            (
                vec![Part::Refusal("no".into())],
                json!({"role": "assistant", "content": null, "refusal": "no"}),
            ),
            (
                vec![thought(Some("S")), Part::text("a")],
                json!({"role": "assistant", "content": "a", "refusal": null, "reasoning_content": "why"}),
            ),
            (
                vec![Part::Text(cited)],
                json!({"role": "assistant", "content": "a", "refusal": null,
                    "annotations": [{"type": "url_citation"}]}),
            ),
            (
                vec![Part::Image(image)],
                json!({"role": "assistant", "content": "", "refusal": null, "content_blocks":
                    [{"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}),
            ),
        ] {
            assert_eq!(message(parts.clone(), true), want, "{parts:?}");
        }
    }

    #[test]
    fn clients_that_may_see_more_do() {
        let parts = vec![
            thought(Some("S")),
            Part::RedactedReasoning { origin: DialectId::Anthropic, data: "ENC".into() },
            Part::text("a"),
            Part::ToolCall(call()),
        ];
        let message = message(parts, false);
        assert_eq!(
            message["content_blocks"],
            json!([
                {"type": "thinking", "thinking": "why", "signature": "S"},
                {"type": "redacted_thinking", "data": "ENC"},
                {"type": "text", "text": "a"}
            ])
        );
        assert_eq!(message["tool_calls"][0]["function"]["thought_signature"], "SIG");

        let finish = Finish {
            reason: FinishReason::Stop,
            raw: Some("stop_sequence".into()),
            stop_sequence: Some("END".into()),
        };
        let body = write(&response(vec![Part::text("a")], finish), &ctx(false));
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "stop_sequence");
        assert_eq!(choice["message"]["provider_specific_fields"], json!({"stop_sequence": "END"}));
    }

    #[test]
    fn answers_without_id_get_one() {
        let mut answer = response(vec![], Finish::new(FinishReason::Stop));
        answer.id = None;
        let body: Value = serde_json::from_slice(&write(&answer, &ctx(true))).unwrap();
        assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    }
}
