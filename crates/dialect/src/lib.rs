//! Wire formats: bytes in, typed values out, and back. No I/O, no runtime, no clock, no knowledge of providers.
//!
//! A call whose client and target speak the same dialect never comes here (see [`peek`] and [`tap`]); every other call
//! takes the hub: client dialect → [`chat`] → provider dialect, and the answer the other way. Each dialect is a folder
//! with the same file names: `request`, `response`, `stream`, `error`.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use serde_json::Value;
use tidegate_core::{ApiError, Warnings};

pub mod anthropic_messages;
mod body;
pub mod chat;
pub mod cohere;
mod decoder;
#[cfg(test)]
mod fixtures;
pub mod fold;
pub mod framing;
mod function_tools;
pub mod gemini;
mod losses;
pub mod ollama;
pub mod openai_chat;
pub mod peek;
pub mod tap;

use chat::{ChatRequest, ChatResponse, EmbeddingsRequest, EmbeddingsResponse, StreamEvent};

/// The wire dialects with code. A provider's row names one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialectId {
    /// OpenAI chat completions, completions and embeddings, and everything that speaks them (Azure included).
    OpenAi,
    /// Anthropic messages.
    Anthropic,
    Gemini,
    Cohere,
    /// Ollama's native `/api/chat`.
    Ollama,
}

/// What an encoder needs to know beside the request.
#[derive(Debug, Clone, Copy)]
pub struct EncodeContext<'a> {
    /// Id of the provider the bytes are for (`google`), for error texts.
    pub provider: &'a str,
    /// The vendor's differences from its dialect, as data.
    pub adjust: &'a Adjust,
    /// The model's own bound on generated tokens, where known: used when the dialect requires the member.
    pub max_output_tokens: Option<u64>,
}

/// What a decoder or a client-side encoder needs to know beside the bytes.
#[derive(Debug, Clone, Copy)]
pub struct AnswerContext<'a> {
    /// Id of the provider that answered; goes into `provider` members and made-up ids.
    pub provider: &'a str,
    /// Model the request named, for answers that do not repeat it.
    pub model: &'a str,
    /// Leave out every member that the client's dialect does not define.
    pub strict: bool,
    /// The client asked for usage in its stream.
    pub include_usage: bool,
    /// Seconds since 1970, for answers that carry no time.
    pub now_s: u64,
}

/// How a vendor differs from the dialect it speaks: data of its row, applied by the dialect's encoder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Adjust {
    /// Top-level members under another name: (`max_completion_tokens`, `max_tokens`).
    pub rename: Vec<(String, String)>,
    /// Top-level members the vendor refuses or ignores: left out, with a warning.
    pub drop: Vec<String>,
    /// Top-level numbers and their bounds: clamped, with a warning.
    pub clamp: Vec<(String, f64, f64)>,
    /// `developer` messages become `system`.
    pub developer_to_system: bool,
    /// `tool_choice: "required"` is said with this word.
    pub tool_choice_required: Option<String>,
    /// A single `stop` string must be a list.
    pub stop_as_list: bool,
    /// Member of assistant messages in which the vendor wants its reasoning text back (`reasoning_content`,
    /// `reasoning`); most refuse or ignore it.
    pub reasoning_member: Option<String>,
    /// The vendor reads Anthropic's `cache_control` on parts and tools.
    pub cache_control: bool,
    /// Ids of tool calls must be exactly this many letters and digits.
    pub tool_id_length: Option<usize>,
}

impl Adjust {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An encoded request body, and what it could not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    pub body: Vec<u8>,
    pub warnings: Warnings,
}

impl Encoded {
    /// Writes `body`, with the vendor's differences applied to its top-level members.
    ///
    /// # Errors
    /// 500 when it is no JSON object, which is a defect of the encoder.
    pub fn of(
        body: &impl serde::Serialize,
        adjust: &Adjust,
        mut warnings: Warnings,
    ) -> Result<Self, ApiError> {
        let internal = |e: serde_json::Error| {
            let message = format!("the request cannot be written as JSON: {e}");
            ApiError::new(tidegate_core::ErrorKind::Internal, tidegate_core::Fault::Gateway, 500, message)
        };
        if adjust.is_empty() {
            return Ok(Self { body: serde_json::to_vec(body).map_err(internal)?, warnings });
        }
        let mut members = serde_json::to_value(body).and_then(serde_json::from_value).map_err(internal)?;
        openai_chat::adjust_body(&mut members, adjust, &mut warnings);
        Ok(Self { body: serde_json::to_vec(&members).map_err(internal)?, warnings })
    }
}

/// A dialect as a provider speaks it. All functions are pure; errors are ready for the client.
pub trait ProviderDialect: Sync {
    /// # Errors
    /// A request that would be answered wrongly (`n` > 1, audio to a text API): 400 naming the member.
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError>;

    /// Reads a whole 2xx answer.
    ///
    /// # Errors
    /// A body of another shape, or an error hidden in a 200: kind and fault say whether to try elsewhere.
    fn decode_chat(&self, body: &[u8], ctx: &AnswerContext<'_>) -> Result<ChatResponse, ApiError>;

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamDecoder>;

    /// # Errors
    /// As [`Self::encode_chat`]; a dialect without embeddings refuses.
    fn encode_embeddings(
        &self,
        request: &EmbeddingsRequest,
        ctx: &EncodeContext<'_>,
    ) -> Result<Encoded, ApiError>;

    /// # Errors
    /// As [`Self::decode_chat`].
    fn decode_embeddings(&self, body: &[u8], ctx: &AnswerContext<'_>)
    -> Result<EmbeddingsResponse, ApiError>;

    /// Reads a non-2xx answer. Never fails: an unknown shape becomes a message of its own. `message` is the vendor's
    /// text without a provider prefix.
    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError;
}

/// Bytes of a stream in, events out. State is only what a split can leave behind.
pub trait StreamDecoder: Send {
    /// Takes the next bytes, cut anywhere, and appends the events they complete.
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>);

    /// The body ended. Appends `End` where the dialect's end is the end of body, or an `Error` where the dialect's
    /// marker is missing; nothing when `End` or `Error` was already given.
    fn finish(&mut self, events: &mut Vec<StreamEvent>);
}

/// A dialect as a client speaks it.
pub trait ClientDialect: Sync {
    fn id(&self) -> DialectId;

    /// # Errors
    /// 400 with `param` naming the first wrong member and a message that says what would be right.
    fn decode_chat(&self, body: &[u8]) -> Result<ChatRequest, ApiError>;

    /// The whole answer, as this dialect's body.
    fn encode_chat(&self, response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8>;

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamEncoder>;

    /// The body of an error answer before anything was sent. `provider` is the one at fault, if any.
    fn encode_error(&self, error: &ApiError, provider: Option<&str>) -> Value;

    /// The event(s) that end a stream in an error, in SSE framing.
    fn error_event(&self, error: &ApiError, provider: Option<&str>) -> Vec<u8>;

    /// HTTP status for this kind of client, where the dialect has its own (529 becomes 503 for OpenAI's).
    fn error_status(&self, error: &ApiError) -> u16 {
        error.status
    }
}

/// Events in, bytes of the client's stream out.
pub trait StreamEncoder: Send {
    /// Appends what `event` looks like to the client; possibly nothing.
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>);

    /// A keep-alive the client's dialect allows, for long silences.
    fn ping(&self) -> &'static [u8] {
        b": ping\n\n"
    }
}

/// The dialect a provider's row names.
pub fn provider_dialect(id: DialectId) -> &'static dyn ProviderDialect {
    match id {
        DialectId::OpenAi => &openai_chat::OpenAi,
        DialectId::Anthropic => &anthropic_messages::Anthropic,
        DialectId::Gemini => &gemini::Gemini,
        DialectId::Cohere => &cohere::Cohere,
        DialectId::Ollama => &ollama::Ollama,
    }
}
