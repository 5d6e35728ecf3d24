//! The members of `/v2/chat` bodies: requests as they are written, answers and stream events as they are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::chat::Extra;
use crate::function_tools::Entry;

// === requests ===

#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) k: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<Number>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_choice: Option<ToolChoice>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) strict_tools: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<Thinking>,
    /// Members of Cohere's own that the client gave.
    #[serde(flatten)]
    pub(super) own: BTreeMap<&'a str, &'a Value>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub(super) enum Message<'a> {
    System {
        content: Content<'a>,
    },
    User {
        content: Content<'a>,
    },
    Assistant {
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Content<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_plan: Option<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: Content<'a>,
    },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Blocks(Vec<Block<'a>>),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block<'a> {
    Text { text: Cow<'a, str> },
    Thinking { thinking: &'a str },
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct ImageUrl<'a> {
    pub(super) url: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<&'a str>,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) id: &'a str,
    pub(super) r#type: &'static str,
    pub(super) function: CalledFunction<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct CalledFunction<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Cow<'a, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum ToolChoice {
    Required,
    None,
}

#[derive(Debug, Serialize)]
pub(super) struct ResponseFormat<'a> {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) json_schema: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct Thinking {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_budget: Option<u64>,
}

// === answers ===

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) id: Option<String>,
    pub(super) finish_reason: Option<String>,
    pub(super) message: AnswerMessage,
    pub(super) usage: Option<Usage>,
    pub(super) logprobs: Option<Vec<Logprobs>>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Deserialize)]
pub(super) struct AnswerMessage {
    pub(super) content: Option<Vec<AnswerBlock>>,
    pub(super) tool_plan: Option<String>,
    pub(super) tool_calls: Option<Vec<AnsweredCall>>,
    pub(super) citations: Option<Vec<Value>>,
}

/// A block, or a piece of one in a stream, where the type comes only at its start.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerBlock {
    pub(super) r#type: Option<String>,
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

/// A call, or a piece of one in a stream.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnsweredCall {
    pub(super) id: Option<String>,
    pub(super) function: AnsweredFunction,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnsweredFunction {
    pub(super) name: Option<String>,
    pub(super) arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    pub(super) tokens: Option<Tokens>,
    pub(super) billed_units: Option<Extra>,
    pub(super) cached_tokens: Option<Number>,
}

/// Cohere writes counts as `19` or `19.0`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Tokens {
    pub(super) input_tokens: Option<Number>,
    pub(super) output_tokens: Option<Number>,
}

/// The probabilities of a piece of text, token by token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Logprobs {
    pub(super) text: Option<String>,
    pub(super) logprobs: Option<Vec<f64>>,
}

// === streams ===

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) r#type: EventType,
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) delta: Delta,
    /// Beside the delta, in `content-delta`.
    pub(super) logprobs: Option<Logprobs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EventType {
    MessageStart,
    ToolPlanDelta,
    ContentStart,
    ContentDelta,
    ToolCallStart,
    ToolCallDelta,
    CitationStart,
    MessageEnd,
    /// Ends of parts, and what is yet to be invented.
    #[serde(other)]
    Other,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta {
    pub(super) message: DeltaMessage,
    #[serde(flatten)]
    pub(super) end: MessageEnd,
}

/// Members of a delta in `message-end` only.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageEnd {
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<Usage>,
    /// What went wrong, in words.
    pub(super) error: Option<String>,
}

/// In `message-start` the members are empty lists, later single objects: see [`One`].
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeltaMessage {
    pub(super) content: Option<One<AnswerBlock>>,
    pub(super) tool_plan: Option<String>,
    pub(super) tool_calls: Option<One<AnsweredCall>>,
    pub(super) citations: Option<One<Value>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum One<T> {
    List(Vec<T>),
    Alone(T),
}

impl<T> One<T> {
    pub(super) fn into_first(self) -> Option<T> {
        match self {
            Self::Alone(one) => Some(one),
            Self::List(list) => list.into_iter().next(),
        }
    }
}
