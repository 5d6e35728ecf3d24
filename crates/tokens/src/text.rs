//! The text in bodies as they passed: what was asked, and what a model said.

use bytes::Bytes;
use serde_json::Value;

/// What a model was given to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    pub text: String,
    /// Messages of a chat; 0 in other requests.
    pub messages: u64,
}

/// Members of a request that the model reads.
const READ: [&str; 9] = [
    "system",
    "instructions",
    "messages",
    "prompt",
    "input",
    "suffix",
    "tools",
    "functions",
    "response_format",
];

/// Members inside them that it does not read as text: what is said about the text, and what is no text.
const NOT_READ: [&str; 15] = [
    "type",
    "id",
    "model",
    "tool_call_id",
    "tool_use_id",
    "call_id",
    "url",
    "image_url",
    "input_audio",
    "file_data",
    "data",
    "media_type",
    "detail",
    "cache_control",
    "signature",
];

/// Members of an answer that hold what the model said.
const SAID: [&str; 12] = [
    "content",
    "text",
    "reasoning_content",
    "reasoning",
    "refusal",
    "name",
    "arguments",
    "partial_json",
    "thinking",
    "function_call",
    "tool_calls",
    "function",
];

/// The text of a request. `None` when it is no JSON object.
pub fn prompt_text(request: &[Bytes]) -> Option<Prompt> {
    let Ok(Value::Object(members)) = serde_json::from_slice(&whole(request)) else { return None };
    let mut prompt = Prompt::default();
    for (name, value) in members.iter().filter(|(name, _)| READ.contains(&name.as_str())) {
        if let (true, Value::Array(messages)) = (name == "messages" || name == "input", value) {
            prompt.messages += messages.iter().filter(|message| message.get("role").is_some()).count() as u64;
        }
        read(value, &mut prompt.text);
    }
    Some(prompt)
}

/// What a model said in an answer: events of a stream, or one JSON object. `None` for anything else.
pub fn answer_text(answer: &[Bytes]) -> Option<String> {
    let whole = whole(answer);
    let mut text = String::new();
    if let Ok(Value::Object(answer)) = serde_json::from_slice(&whole) {
        answered(&Value::Object(answer), &mut text);
        return Some(text);
    }
    let lines = whole.split(|byte| matches!(byte, b'\n' | b'\r'));
    let events = lines.filter_map(|line| line.strip_prefix(b"data:"));
    let mut is_stream = false;
    for event in events {
        is_stream = true;
        // `[DONE]`, and the event in which the client left.
        if let Ok(event) = serde_json::from_slice::<Value>(event) {
            streamed(&event, &mut text);
        }
    }
    is_stream.then_some(text)
}

/// A whole answer: choices (chat, completions), content (messages), output (responses).
fn answered(answer: &Value, text: &mut String) {
    for choice in list(&answer["choices"]) {
        said(&choice["message"], text);
        said(&choice["text"], text);
    }
    said(&answer["content"], text);
    for item in list(&answer["output"]) {
        said(item, text);
    }
}

fn streamed(event: &Value, text: &mut String) {
    for choice in list(&event["choices"]) {
        said(&choice["delta"], text);
        said(&choice["text"], text);
    }
    // Messages: an object that says what it adds. Responses: the text itself, in events whose type says so.
    said(&event["delta"], text);
    said(&event["content_block"], text);
}

fn said(value: &Value, text: &mut String) {
    match value {
        Value::String(part) => text.push_str(part),
        Value::Array(items) => items.iter().for_each(|item| said(item, text)),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| SAID.contains(&name.as_str()));
            members.for_each(|(_, value)| said(value, text));
        }
        _ => {}
    }
}

fn read(value: &Value, text: &mut String) {
    match value {
        Value::String(part) => {
            text.push_str(part);
            text.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| read(item, text)),
        Value::Object(members) => {
            let members = members.iter().filter(|(name, _)| !NOT_READ.contains(&name.as_str()));
            members.for_each(|(_, value)| read(value, text));
        }
        _ => {}
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn whole(frames: &[Bytes]) -> Bytes {
    match frames {
        [one] => one.clone(),
        several => several.concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(text: &str) -> Vec<Bytes> {
        text.as_bytes().chunks(7).map(Bytes::copy_from_slice).collect()
    }

    #[test]
    fn what_a_model_reads() {
        let request = r#"{"model":"gpt-4o","user":"ann","messages":[
            {"role":"system","content":"Be brief."},
            {"role":"user","content":[{"type":"text","text":"High water?"},{"type":"image_url","image_url":{"url":"data:AAAA"}}]}],
            "tools":[{"type":"function","function":{"name":"tide","description":"Looks it up."}}]}"#;
        let prompt = prompt_text(&frames(request)).unwrap();
        assert_eq!(prompt.messages, 2);
        assert_eq!(prompt.text, "system\nBe brief.\nuser\nHigh water?\ntide\nLooks it up.\n");
        let embedded = prompt_text(&frames(r#"{"model":"m","input":["a","b"]}"#)).unwrap();
        assert_eq!(embedded, Prompt { text: "a\nb\n".into(), messages: 0 });
        assert_eq!(prompt_text(&frames("[1]")), None);
    }

    #[test]
    fn what_a_model_said() {
        let chat = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"No\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"on.\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"t\",\"arguments\":\"{}\"}}]}}]}\n\ndata: [DONE]\n\ndata: {\"cut";
        let messages = "event: a\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\",\"text\":\"Noon.\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n";
        let responses = "data: {\"type\":\"response.output_text.delta\",\"delta\":\"Noon.\"}\n\ndata: {\"type\":\"response.output_text.done\",\"text\":\"Noon.\"}\n\n";
        for (answer, text) in [
            (chat, Some("Noon.t{}")),
            (messages, Some("Noon.")),
            (responses, Some("Noon.")),
            (r#"{"id":"c","choices":[{"message":{"role":"assistant","content":"Noon."}}]}"#, Some("Noon.")),
            (r#"{"type":"message","content":[{"type":"text","text":"Noon."}]}"#, Some("Noon.")),
            (r#"{"choices":[{"text":"Noon."}]}"#, Some("Noon.")),
            (
                r#"{"output":[{"type":"message","content":[{"type":"output_text","text":"Noon."}]}]}"#,
                Some("Noon."),
            ),
            (r#"{"object":"list","data":[{"embedding":[1]}]}"#, Some("")),
            ("\u{1f}\u{8b}", None),
        ] {
            assert_eq!(answer_text(&frames(answer)).as_deref(), text, "{answer}");
        }
    }
}
