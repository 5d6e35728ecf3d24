//! The neutral form of a conversation: what every client dialect is read into and every provider dialect is written
//! from, and the same for answers and streams.
//!
//! It is rich enough for the union of the dialects. What it cannot name stays beside it: members of the request in
//! [`ChatRequest::extra`], vendor blocks in [`Part::Opaque`]. An encoder either carries such a thing or reports it in
//! the [`Warnings`](tidegate_core::Warnings); it never loses it silently.

use serde_json::{Map, Number, Value};
use tidegate_core::{ApiError, Usage, Warning};

use crate::DialectId;

/// Members that the neutral form does not name, under the names and in the order of the dialect they came from.
pub type Extra = Map<String, Value>;

// === requests ===

#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// The dialect the request was written in; says how to read `extra` and `Opaque`.
    pub origin: DialectId,
    pub model: String,
    /// In order, system and developer messages included (Anthropic's `system` becomes the first message).
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_tool_calls: Option<bool>,
    /// Bound on generated tokens, reasoning included.
    pub max_tokens: Option<u64>,
    pub temperature: Option<Number>,
    pub top_p: Option<Number>,
    pub top_k: Option<Number>,
    pub frequency_penalty: Option<Number>,
    pub presence_penalty: Option<Number>,
    pub seed: Option<Number>,
    pub stop: Vec<String>,
    /// Answers wanted; `None` is one.
    pub n: Option<u32>,
    pub logprobs: Option<bool>,
    pub top_logprobs: Option<u32>,
    pub logit_bias: Option<Value>,
    pub response_format: Option<ResponseFormat>,
    pub reasoning: Option<Reasoning>,
    /// The end user's id (`user`, `safety_identifier`, `metadata.user_id`).
    pub user: Option<String>,
    pub service_tier: Option<String>,
    pub stream: bool,
    /// The client asked for a usage event in its stream (always true for dialects that always send it).
    pub include_usage: bool,
    pub extra: Extra,
    /// What the decoder could not carry over; to be reported with the encoder's.
    pub warnings: Vec<Warning>,
}

impl ChatRequest {
    pub fn new(origin: DialectId, model: impl Into<String>) -> Self {
        Self {
            origin,
            model: model.into(),
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_tool_calls: None,
            max_tokens: None,
            temperature: None,
            top_p: None,
            top_k: None,
            frequency_penalty: None,
            presence_penalty: None,
            seed: None,
            stop: Vec::new(),
            n: None,
            logprobs: None,
            top_logprobs: None,
            logit_bias: None,
            response_format: None,
            reasoning: None,
            user: None,
            service_tier: None,
            stream: false,
            include_usage: false,
            extra: Extra::new(),
            warnings: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    /// A plain string of content is one [`Part::Text`]. Empty means that there was no content.
    pub parts: Vec<Part>,
    pub name: Option<String>,
    pub extra: Extra,
}

impl ChatRequest {
    /// The name of the tool whose call `result` answers: as written, or looked up among the calls of the conversation.
    pub fn tool_name<'a>(&'a self, result: &'a ToolResult) -> Option<&'a str> {
        let called = || {
            let calls = self.messages.iter().flat_map(|message| &message.parts);
            calls.rev().find_map(|part| match part {
                Part::ToolCall(call) if call.id == result.call_id => Some(call.name.as_str()),
                _ => None,
            })
        };
        result.name.as_deref().or_else(called)
    }
}

impl Message {
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None, extra: Extra::new() }
    }

    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self::new(role, vec![Part::text(text)])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    System,
    /// OpenAI's newer word for system; other dialects treat both alike.
    Developer,
    User,
    Assistant,
    /// Holds [`Part::ToolResult`] only: one message per OpenAI `tool` message, or all results of one Anthropic turn.
    Tool,
}

/// One piece of a message, in a request or in an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text(Text),
    Image(Image),
    Audio(Audio),
    File(File),
    Reasoning(ReasoningText),
    /// Encrypted reasoning: opaque, goes back to its maker byte for byte.
    RedactedReasoning {
        origin: DialectId,
        data: String,
    },
    Refusal(String),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
    /// A block only `origin` understands (server tools, search results, …), as it came.
    Opaque {
        origin: DialectId,
        block: Value,
    },
}

impl Part {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Text { text: text.into(), ..Text::default() })
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Text {
    pub text: String,
    pub cache: Option<CacheMark>,
    /// URL citations in OpenAI's shape: `{"type":"url_citation","url_citation":{start_index,end_index,url,title}}`.
    pub annotations: Vec<Value>,
    /// The vendor's own citations of this text, raw, and Gemini's signature on a text part.
    pub citations: Vec<Value>,
    pub signature: Option<String>,
    pub extra: Extra,
}

/// Anthropic's `cache_control` (`{"type":"ephemeral","ttl":"1h"}`), as written.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheMark(pub Value);

/// Where the bytes of an image, file or sound are.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `data` is base64 as the client wrote it (never re-encoded); `mime` like `image/png`.
    Inline {
        mime: String,
        data: String,
    },
    Url(String),
    /// An id in the files API of the vendor the client means.
    FileId(String),
    /// Plain text given as a document.
    PlainText(String),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    pub source: Source,
    /// OpenAI's `detail`: `auto`, `low`, `high`.
    pub detail: Option<String>,
    pub cache: Option<CacheMark>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Base64.
    pub data: String,
    /// `wav`, `mp3`, `pcm16`, …
    pub format: String,
    pub transcript: Option<String>,
    /// Id of generated audio, to refer to it in a later turn.
    pub id: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct File {
    pub source: Source,
    pub name: Option<String>,
    pub title: Option<String>,
    pub context: Option<String>,
    /// Anthropic's `citations: {enabled}`, raw.
    pub citations: Option<Value>,
    pub cache: Option<CacheMark>,
}

/// Visible reasoning. `signature` proves to `origin` that the text is its own; it is sent back to `origin` only.
#[derive(Debug, Clone, PartialEq)]
pub struct ReasoningText {
    pub origin: DialectId,
    pub text: String,
    pub signature: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    pub id: String,
    pub name: String,
    /// JSON text for functions (may be invalid or empty: it is what the model wrote), free text for custom tools.
    pub arguments: String,
    pub kind: ToolKind,
    /// Gemini's thought signature, base64 as it came.
    pub signature: Option<String>,
    pub cache: Option<CacheMark>,
    pub extra: Extra,
}

impl ToolCall {
    /// The arguments as an object, for dialects that have no other form. Nothing written is `{}`; free text of a
    /// custom tool is `{"input": text}`; anything else that is no object is `{"_raw": text}`, and the flag is true.
    pub fn arguments_object(&self) -> (Map<String, Value>, bool) {
        let wrap = |name: &str| Map::from_iter([(name.to_owned(), Value::from(self.arguments.as_str()))]);
        if self.kind == ToolKind::Custom {
            return (wrap("input"), false);
        }
        if self.arguments.trim().is_empty() {
            return (Map::new(), false);
        }
        match serde_json::from_str(&self.arguments) {
            Ok(object) => (object, false),
            Err(_) => (wrap("_raw"), true),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ToolKind {
    #[default]
    Function,
    Custom,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    pub call_id: String,
    /// The tool's name where the dialect gives it; else look it up among the calls before.
    pub name: Option<String>,
    /// Text, and in some dialects images and files.
    pub content: Vec<Part>,
    pub is_error: bool,
    pub cache: Option<CacheMark>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Tool {
    Function(FunctionTool),
    /// Free-text tool of OpenAI; `format` is raw.
    Custom {
        name: String,
        description: Option<String>,
        format: Option<Value>,
    },
    /// A tool only `origin` knows (web search, bash, …), as written.
    Opaque {
        origin: DialectId,
        tool: Value,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct FunctionTool {
    pub name: String,
    pub description: Option<String>,
    /// JSON Schema; `None` when the client gave none.
    pub parameters: Option<Value>,
    pub strict: Option<bool>,
    pub cache: Option<CacheMark>,
    pub extra: Extra,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice {
    Auto,
    None,
    Required,
    /// Exactly this tool.
    Named(String),
    /// One of these; `required` says that it must be one.
    Allowed {
        names: Vec<String>,
        required: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { name: String, description: Option<String>, schema: Value, strict: Option<bool> },
}

/// How much the model may think. Dialects say it as a word, as a budget, or as a switch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reasoning {
    pub effort: Option<Effort>,
    pub budget_tokens: Option<u64>,
    /// Anthropic's `thinking` object when the client gave it, raw, for same-dialect targets.
    pub raw: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// The word for a budget of thinking tokens: 0 none, up to 1,024 low, up to 8,192 medium, above high.
    pub fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=1_024 => Self::Low,
            1_025..=8_192 => Self::Medium,
            _ => Self::High,
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }
}

// === answers ===

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatResponse {
    pub id: Option<String>,
    pub model: Option<String>,
    /// Seconds since 1970.
    pub created: Option<u64>,
    pub choices: Vec<Choice>,
    pub usage: Option<Usage>,
    pub service_tier: Option<String>,
    pub system_fingerprint: Option<String>,
    /// Vendor members at the top of the answer that have no neutral place.
    pub extra: Extra,
    /// What the decoder could not carry over.
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub index: u32,
    /// In the order of the answer. Adjacent texts are kept apart as the vendor sent them.
    pub parts: Vec<Part>,
    pub finish: Option<Finish>,
    /// In OpenAI's shape: `{"content":[…],"refusal":…}`.
    pub logprobs: Option<Value>,
    /// Vendor members of the choice or message that have no neutral place.
    pub extra: Extra,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Finish {
    pub reason: FinishReason,
    /// The vendor's own word (`end_turn`, `MAX_TOKENS`).
    pub raw: Option<String>,
    /// Which stop sequence ended it, where known.
    pub stop_sequence: Option<String>,
}

impl Finish {
    pub fn new(reason: FinishReason) -> Self {
        Self { reason, raw: None, stop_sequence: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FinishReason {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
}

// === streams ===

/// What a provider's stream says, one small step at a time. Folding the events of a stream with
/// [`crate::fold::Fold`] gives the [`ChatResponse`] that the plain answer would have been.
///
/// Grammar per stream: `Start` first; per choice any mix of content events, then one `Finish`; `Usage` any number of
/// times (each **replaces** the last: decoders turn deltas into running totals); then `End`. `Error` ends a stream too.
#[derive(Debug, Clone, PartialEq)]
pub enum StreamEvent {
    Start {
        id: Option<String>,
        model: Option<String>,
        created: Option<u64>,
    },
    Text {
        choice: u32,
        text: String,
    },
    Refusal {
        choice: u32,
        text: String,
    },
    Reasoning {
        choice: u32,
        text: String,
    },
    /// Ends the reasoning block under way and signs it.
    ReasoningSignature {
        choice: u32,
        signature: String,
    },
    RedactedReasoning {
        choice: u32,
        data: String,
    },
    /// `index` counts the calls of this choice from 0.
    ToolCallStart {
        choice: u32,
        index: u32,
        id: String,
        name: String,
        kind: ToolKind,
        signature: Option<String>,
    },
    ToolCallArguments {
        choice: u32,
        index: u32,
        fragment: String,
    },
    /// Logprobs of the tokens just sent, in OpenAI's shape.
    Logprobs {
        choice: u32,
        logprobs: Value,
    },
    /// A URL citation in OpenAI's shape.
    Annotation {
        choice: u32,
        annotation: Value,
    },
    /// A whole part that does not stream: a generated image or sound, a vendor block. An empty text is not a part of
    /// its own: its citations and other members belong to the text under way, and without any it ends that text.
    Part {
        choice: u32,
        part: Part,
    },
    /// Vendor members of the stream's objects that have no neutral place (shown to non-strict clients).
    Extra {
        choice: Option<u32>,
        extra: Extra,
    },
    Finish {
        choice: u32,
        finish: Finish,
    },
    Usage(Usage),
    Warning(Warning),
    /// The provider says that it is still alive.
    Ping,
    /// The provider reported an error inside the stream, or the bytes cannot be read. Nothing follows.
    Error(ApiError),
    /// The provider's own end marker was seen (or its clean end of body, where that is the marker).
    End,
}

impl StreamEvent {
    /// Once such an event has been sent to a client the answer has begun: no other target may be tried.
    pub fn is_content(&self) -> bool {
        !matches!(
            self,
            Self::Start { .. }
                | Self::Usage(_)
                | Self::Warning(_)
                | Self::Ping
                | Self::Error(_)
                | Self::Extra { .. }
        )
    }
}

// === embeddings ===

#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingsRequest {
    pub origin: DialectId,
    pub model: String,
    pub input: EmbeddingsInput,
    /// The client wants base64 (little-endian f32) instead of numbers.
    pub base64: bool,
    pub dimensions: Option<u64>,
    pub user: Option<String>,
    /// `input_type`, `task`, `truncate`, … as written.
    pub extra: Extra,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EmbeddingsInput {
    Texts(Vec<String>),
    /// Token arrays or multimodal objects, raw: only OpenAI-shaped targets take them.
    Raw(Value),
}

#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddingsResponse {
    pub model: Option<String>,
    /// In the order of the input.
    pub vectors: Vec<Vec<f32>>,
    pub usage: Option<Usage>,
    pub extra: Extra,
}
