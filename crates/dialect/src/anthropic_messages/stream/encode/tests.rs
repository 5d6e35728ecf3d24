use super::*;
use crate::DialectId;
use crate::StreamDecoder;
use crate::anthropic_messages::stream::Decoder;
use crate::anthropic_messages::stream::grammar::{answer, check, pairs, recorded};
use crate::fold::{Fold, unfold};

const CTX: AnswerContext<'static> =
    AnswerContext { provider: "p", model: "asked", strict: false, include_usage: true, now_s: 0 };

fn encode(events: &[StreamEvent]) -> Vec<u8> {
    let mut encoder = Encoder::new(&CTX);
    let mut out = Vec::new();
    events.iter().for_each(|event| encoder.push(event, &mut out));
    out
}

fn start() -> StreamEvent {
    StreamEvent::Start { id: Some("chatcmpl-1".into()), model: Some("gpt-x".into()), created: Some(1) }
}

fn text(text: &str) -> StreamEvent {
    StreamEvent::Text { choice: 0, text: text.into() }
}

fn reasoning(text: &str) -> StreamEvent {
    StreamEvent::Reasoning { choice: 0, text: text.into() }
}

fn call(index: u32) -> StreamEvent {
    StreamEvent::ToolCallStart {
        choice: 0,
        index,
        id: format!("call_{index}"),
        name: format!("f{index}"),
        kind: ToolKind::Function,
        signature: None,
    }
}

fn arguments(index: u32, fragment: &str) -> StreamEvent {
    StreamEvent::ToolCallArguments { choice: 0, index, fragment: fragment.into() }
}

fn finish(reason: FinishReason) -> StreamEvent {
    StreamEvent::Finish { choice: 0, finish: Finish::new(reason) }
}

fn usage(input: u64, output: u64) -> StreamEvent {
    StreamEvent::Usage(Usage { input, output, ..Usage::default() })
}

fn tool(index: u32, input: Value) -> Value {
    json!({"type": "tool_use", "id": format!("call_{index}"), "name": format!("f{index}"), "input": input})
}

#[test]
fn other_dialects_streams_obey_the_grammar() {
    let annotation = json!({"type": "url_citation", "url_citation": {"url": "https://t", "title": "T"}});
    let cases: Vec<(&str, Vec<StreamEvent>, Value, &str)> = vec![
        ("nothing", vec![], json!([]), "end_turn"),
        (
            "thought, text",
            vec![
                start(),
                reasoning("h"),
                reasoning("m"),
                text(""),
                text("Low"),
                finish(FinishReason::Length),
            ],
            json!([
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "Low"},
            ]),
            "max_tokens",
        ),
        (
            "content before a start",
            vec![text("a"), StreamEvent::Ping, text("b")],
            json!([{"type": "text", "text": "ab"}]),
            "end_turn",
        ),
        (
            "calls after text, one by one",
            vec![
                start(),
                text("a"),
                call(0),
                arguments(0, "{\"q\":"),
                arguments(0, "\"}{\"}"),
                call(1),
                arguments(1, "{}"),
                finish(FinishReason::ToolCalls),
            ],
            json!([{"type": "text", "text": "a"}, tool(0, json!({"q": "}{"})), tool(1, json!({}))]),
            "tool_use",
        ),
        (
            "calls side by side",
            vec![
                start(),
                call(0),
                call(1),
                call(2),
                arguments(1, "{\"b\""),
                arguments(0, "{\"a\":"),
                arguments(2, "{}"),
                arguments(0, "1}"),
                arguments(1, ":2}"),
                finish(FinishReason::Stop),
            ],
            json!([tool(0, json!({"a": 1})), tool(1, json!({"b": 2})), tool(2, json!({}))]),
            "tool_use",
        ),
        (
            "calls without arguments",
            vec![start(), call(0), call(1), arguments(1, "{}"), finish(FinishReason::ToolCalls)],
            json!([tool(0, json!({})), tool(1, json!({}))]),
            "tool_use",
        ),
        (
            "text in the middle of a call",
            vec![
                start(),
                call(0),
                arguments(0, "{\"a\":"),
                text("by the "),
                text("way"),
                arguments(0, "1}"),
                finish(FinishReason::ToolCalls),
            ],
            json!([tool(0, json!({"a": 1})), {"type": "text", "text": "by the way"}]),
            "tool_use",
        ),
        (
            "text before the first piece of a call",
            vec![
                start(),
                call(0),
                text("by the way"),
                arguments(0, "{\"a\":1}"),
                finish(FinishReason::ToolCalls),
            ],
            json!([tool(0, json!({"a": 1})), {"type": "text", "text": "by the way"}]),
            "tool_use",
        ),
        (
            "text after calls that were held back",
            vec![
                start(),
                call(0),
                call(1),
                arguments(1, "{}"),
                text("a"),
                arguments(0, "{}"),
                text("b"),
                finish(FinishReason::ToolCalls),
            ],
            json!([tool(0, json!({})), tool(1, json!({})), {"type": "text", "text": "ab"}]),
            "tool_use",
        ),
        (
            "a refusal",
            vec![start(), StreamEvent::Refusal { choice: 0, text: "no".into() }, finish(FinishReason::Stop)],
            json!([{"type": "text", "text": "no"}]),
            "refusal",
        ),
        (
            "a URL citation of another vendor",
            vec![start(), text("a"), StreamEvent::Annotation { choice: 0, annotation }],
            json!([{"type": "text", "text": "a", "citations": [{
                "type": "web_search_result_location", "url": "https://t", "title": "T", "cited_text": "",
                "encrypted_index": "",
            }]}]),
            "end_turn",
        ),
        (
            "only the first choice",
            vec![start(), StreamEvent::Text { choice: 1, text: "other".into() }, text("first")],
            json!([{"type": "text", "text": "first"}]),
            "end_turn",
        ),
    ];
    for (name, mut events, content, word) in cases {
        events.extend([usage(3, 4), StreamEvent::End, text("after the end")]);
        let answer = answer(&check(&encode(&events), name));
        assert_eq!(answer["content"], content, "{name}");
        assert_eq!(answer["stop_reason"], word, "{name}");
        assert_eq!(answer["usage"], json!({"input_tokens": 3, "output_tokens": 4}), "{name}");
    }
}

#[test]
fn a_call_is_not_held_back_without_need() {
    let events = [start(), call(0), arguments(0, "{}"), call(1), arguments(1, "{\"a")];
    let sent = String::from_utf8(encode(&events)).unwrap();
    assert!(sent.contains("call_1") && sent.contains(r#""partial_json":"{\"a""#), "{sent}");
}

#[test]
fn free_text_of_a_custom_tool_becomes_its_input() {
    let start = StreamEvent::ToolCallStart {
        choice: 0,
        index: 0,
        id: String::new(),
        name: "run".into(),
        kind: ToolKind::Custom,
        signature: None,
    };
    let events = [start, arguments(0, "say \"hi"), arguments(0, "\"\n"), StreamEvent::End];
    let answer = answer(&check(&encode(&events), "custom"));
    assert_eq!(answer["content"][0]["input"], json!({"input": "say \"hi\"\n"}));
    assert!(answer["content"][0]["id"].as_str().unwrap().starts_with("toolu_"));
}

#[test]
fn an_error_ends_the_stream() {
    let error =
        tidegate_core::ApiError::new(tidegate_core::ErrorKind::Overloaded, Fault::Provider, 529, "busy");
    let sent = encode(&[start(), text("a"), StreamEvent::Error(error), StreamEvent::End]);
    let last = check(&sent, "error").pop().unwrap();
    assert_eq!(
        last,
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "p error: busy"}})
    );
}

#[test]
fn every_recorded_stream_of_the_others_obeys_the_grammar_and_keeps_its_calls() {
    for (dialect, id) in [
        ("openai", DialectId::OpenAi),
        ("gemini", DialectId::Gemini),
        ("cohere", DialectId::Cohere),
        ("ollama", DialectId::Ollama),
    ] {
        for (name, bytes) in recorded(dialect) {
            let mut decoder = crate::provider_dialect(id).chat_stream(&CTX);
            let mut events = Vec::new();
            decoder.push(&bytes, &mut events);
            decoder.finish(&mut events);
            let name = format!("{dialect}/{name}");
            let sent = check(&encode(&events), &name);
            let mut fold = Fold::of(id);
            events.iter().for_each(|event| fold.push(event));
            let Ok(folded) = fold.finish() else { continue };
            let answer = answer(&sent);
            let inputs =
                answer["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_use");
            let inputs: Vec<_> = inputs.map(|block| block["input"].clone()).collect();
            let parts = folded.choices.first().map_or(&[][..], |choice| &choice.parts);
            let calls = parts.iter().filter_map(|part| match part {
                Part::ToolCall(call) => Some(Value::Object(call.arguments_object().0)),
                _ => None,
            });
            assert_eq!(inputs, calls.collect::<Vec<_>>(), "{name}");
        }
    }
}

/// Fixtures whose tools stand in for something that this dialect's clients are not shown.
const EMULATED: [&str; 2] = ["custom-tool", "json-tool"];

#[test]
fn anthropics_own_streams_come_out_as_they_went_in() {
    for (name, sse, json) in pairs() {
        if EMULATED.contains(&name.as_str()) {
            continue;
        }
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        decoder.push(&sse, &mut events);
        decoder.finish(&mut events);
        let mut fold = Fold::of(DialectId::Anthropic);
        events.iter().for_each(|event| fold.push(event));
        let plain: Value = serde_json::from_slice(&json).unwrap();
        let refused = plain["stop_reason"] == "refusal";
        for events in [events, unfold(&fold.finish().unwrap())] {
            let mut answer = answer(&check(&encode(&events), &name));
            // The explanation of a refusal is shown as text.
            if let Some(content) = answer["content"].as_array_mut().filter(|_| refused) {
                content.truncate(plain["content"].as_array().unwrap().len());
            }
            for member in ["id", "model", "stop_reason", "stop_sequence"] {
                assert_eq!(answer[member], plain[member], "{name} {member}");
            }
            if !refused {
                assert_eq!(answer["content"], plain["content"], "{name}");
            }
        }
    }
}
