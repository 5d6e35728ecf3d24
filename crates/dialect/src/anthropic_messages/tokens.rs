//! Counting the tokens of a prompt: by the provider's own counter, or by an estimate where it has none.
//!
//! The estimate needs no tokenizer: about four bytes of Latin text are a token, and every other character is one;
//! images, documents and the frame around messages and tools are flat amounts. It is meant for clients that decide
//! when to shorten a conversation, not for billing. It is linear in the size of the request.

use serde_json::Value;
use tidegate_core::{ApiError, ErrorKind, Fault};

use super::request::{self, Purpose};
use super::{error, path};
use crate::chat::{ChatRequest, File, Part, ResponseFormat, Source, Tool};
use crate::{Adjust, EncodeContext, Encoded};

/// Around each message: role and separators.
const PER_MESSAGE: u64 = 4;
/// Around each tool, beside its text.
const PER_TOOL: u64 = 12;
/// The instructions the provider adds once when there are tools.
const FOR_TOOLS: u64 = 300;
/// An image of about a megapixel.
const PER_IMAGE: u64 = 1_600;
/// A document whose content is not here.
const PER_DOCUMENT: u64 = 3_000;
/// Base64 of a PDF per token: its pages are read as text and as images.
const PDF_BYTES_PER_TOKEN: u64 = 40;

/// `POST /v1/messages/count_tokens` as a client writes it: a message request without `max_tokens`.
///
/// # Errors
/// 400 with the path of the first wrong member in `param`.
pub fn decode_count_tokens(body: &[u8]) -> Result<ChatRequest, ApiError> {
    request::decode_count_tokens(body)
}

/// The same request for Anthropic, without what has no part in the prompt.
///
/// # Errors
/// As [`ProviderDialect::encode_chat`](crate::ProviderDialect::encode_chat).
pub fn encode_count_tokens(request: &ChatRequest) -> Result<Encoded, ApiError> {
    let adjust = Adjust::default();
    let ctx = EncodeContext { provider: "anthropic", adjust: &adjust, max_output_tokens: None };
    request::encode(request, &ctx, Purpose::CountTokens)
}

/// The answer for a client: `{"input_tokens":n}`.
pub fn encode_count_tokens_answer(input_tokens: u64) -> Vec<u8> {
    format!("{{\"input_tokens\":{input_tokens}}}").into_bytes()
}

/// Reads Anthropic's 2xx answer: input tokens.
///
/// # Errors
/// An error in the place of an answer, or another body: 502.
pub fn decode_count_tokens_answer(body: &[u8]) -> Result<u64, ApiError> {
    let broken = |text: String| ApiError::new(ErrorKind::UpstreamBroken, Fault::Provider, 502, text);
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| broken(format!("the token count is not valid JSON: {error}")))?;
    if value["type"] == "error" {
        return Err(error::decode_value(None, &value));
    }
    let at = path::Path::Root.member("input_tokens");
    path::unsigned(&value["input_tokens"], &at)
        .map_err(|error| broken(format!("the token count cannot be read: {}", error.message)))
}

/// About how many tokens the prompt of `request` has.
pub fn estimate_input_tokens(request: &ChatRequest) -> u64 {
    let messages = request.messages.iter().map(|message| PER_MESSAGE + parts(&message.parts));
    let tools: u64 = request.tools.iter().map(|tool| PER_TOOL + self::tool(tool)).sum();
    let for_tools = if request.tools.is_empty() { 0 } else { FOR_TOOLS };
    let format = match &request.response_format {
        Some(ResponseFormat::JsonSchema { schema, .. }) => json(schema),
        _ => 0,
    };
    messages.sum::<u64>() + tools + for_tools + format
}

fn parts(list: &[Part]) -> u64 {
    list.iter().map(part).sum()
}

fn part(part: &Part) -> u64 {
    match part {
        Part::Text(text) => self::text(&text.text),
        Part::Refusal(text) => self::text(text),
        Part::Reasoning(thought) => self::text(&thought.text),
        Part::RedactedReasoning { data, .. } => bytes(data.len()),
        Part::Image(_) => PER_IMAGE,
        Part::Audio(audio) => audio.transcript.as_deref().map_or(PER_DOCUMENT, self::text),
        Part::File(file) => document(file),
        Part::ToolCall(call) => PER_MESSAGE + self::text(&call.name) + self::text(&call.arguments),
        Part::ToolResult(result) => PER_MESSAGE + parts(&result.content),
        Part::Opaque { block, .. } => json(block),
    }
}

fn document(file: &File) -> u64 {
    match &file.source {
        Source::PlainText(content) => text(content),
        Source::Inline { mime, data } if mime.starts_with("text/") => bytes(data.len() * 3 / 4),
        Source::Inline { data, .. } => data.len() as u64 / PDF_BYTES_PER_TOKEN,
        Source::Url(_) | Source::FileId(_) => PER_DOCUMENT,
    }
}

fn tool(tool: &Tool) -> u64 {
    match tool {
        Tool::Function(tool) => {
            let description = tool.description.as_deref().map_or(0, text);
            text(&tool.name) + description + tool.parameters.as_ref().map_or(0, json)
        }
        Tool::Custom { name, description, format } => {
            text(name) + description.as_deref().map_or(0, text) + format.as_ref().map_or(0, json)
        }
        Tool::Opaque { tool, .. } => json(tool),
    }
}

fn text(text: &str) -> u64 {
    let latin = text.bytes().filter(u8::is_ascii).count();
    // Scripts outside ASCII are about a token a character; their bytes are not counted again.
    let others = text.chars().filter(|c| !c.is_ascii()).count();
    bytes(latin) + others as u64
}

/// JSON has more punctuation than prose, but the provider packs it: the same rate as text.
fn json(value: &Value) -> u64 {
    text(&value.to_string())
}

fn bytes(count: usize) -> u64 {
    (count as u64).div_ceil(4)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(body: Value) -> ChatRequest {
        decode_count_tokens(body.to_string().as_bytes()).unwrap()
    }

    fn of(content: Value) -> u64 {
        estimate_input_tokens(&request(
            json!({"model": "m", "messages": [{"role": "user", "content": content}]}),
        ))
    }

    #[test]
    fn estimates_by_kind_of_content() {
        let image = json!([{"type": "image", "source": {"type": "url", "url": "u"}}]);
        let document = json!([{"type": "document", "source": {"type": "url", "url": "u"}}]);
        for (content, expected) in [
            (json!(""), 4),
            (json!("high water"), 4 + 3),
            (json!("満潮は六時"), 4 + 5),
            (image, 4 + PER_IMAGE),
            (document, 4 + PER_DOCUMENT),
        ] {
            assert_eq!(of(content.clone()), expected, "{content}");
        }
    }

    #[test]
    fn tools_and_system_count() {
        let plain = json!({"model": "m", "messages": [{"role": "user", "content": "a"}]});
        let mut full = plain.clone();
        full["system"] = json!("Answer in French.");
        full["tools"] = json!([{"name": "tide", "input_schema": {"type": "object"}}]);
        let more = estimate_input_tokens(&request(full)) - estimate_input_tokens(&request(plain));
        assert!(more > FOR_TOOLS + PER_TOOL, "{more}");
    }

    #[test]
    fn a_count_goes_out_without_what_is_no_prompt() {
        let asked = request(json!({
            "model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "a"}], "system": "s",
            "temperature": 1, "stream": true, "metadata": {"user_id": "u"}, "stop_sequences": ["x"],
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        }));
        let sent = encode_count_tokens(&asked).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&sent.body).unwrap(),
            json!({
                "model": "claude-sonnet-4-5",
                "messages": [{"role": "user", "content": "a"}],
                "system": [{"type": "text", "text": "s"}],
                "thinking": {"type": "enabled", "budget_tokens": 2048},
            })
        );
        assert!(sent.warnings.is_empty());
    }

    #[test]
    fn answers_both_ways() {
        assert_eq!(decode_count_tokens_answer(&encode_count_tokens_answer(42)).unwrap(), 42);
        let overloaded = br#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
        for (body, status) in [(&b"{}"[..], 502), (b"x", 502), (overloaded, 529)] {
            assert_eq!(decode_count_tokens_answer(body).unwrap_err().status, status);
        }
    }
}
