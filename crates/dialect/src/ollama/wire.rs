//! The members of `/api/chat` bodies: requests as they are written, answers (whole, or a line of a stream) as they are
//! read.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::chat::Extra;
use crate::function_tools::Entry;

// === requests ===

#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    /// Ollama streams unless told otherwise.
    pub(super) stream: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<Cow<'a, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) think: Option<Think>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) keep_alive: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_logprobs: Option<u32>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) options: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Think {
    Switch(bool),
    Level(&'static str),
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) role: Role,
    pub(super) content: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking: Option<String>,
    /// Base64 without a `data:` prefix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_name: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    System,
    User,
    Assistant,
    Tool,
}

#[derive(Debug, Serialize)]
pub(super) struct ToolCall<'a> {
    pub(super) function: CalledFunction<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct CalledFunction<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Map<String, Value>,
}

// === answers ===

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) model: Option<String>,
    /// RFC 3339.
    pub(super) created_at: Option<String>,
    pub(super) message: Option<AnswerMessage>,
    pub(super) done: Option<bool>,
    pub(super) done_reason: Option<String>,
    pub(super) prompt_eval_count: Option<u64>,
    pub(super) eval_count: Option<u64>,
    /// Already in the shape of OpenAI's entries.
    pub(super) logprobs: Option<Vec<Value>>,
    /// What went wrong, in place of a message.
    pub(super) error: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerMessage {
    pub(super) content: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) tool_calls: Option<Vec<AnsweredCall>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnsweredCall {
    /// Newer versions only.
    pub(super) id: Option<String>,
    pub(super) function: AnsweredFunction,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnsweredFunction {
    pub(super) name: String,
    pub(super) arguments: Option<Map<String, Value>>,
}
