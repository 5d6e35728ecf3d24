//! The members of `generateContent` bodies: requests as they are written, answers as they are read.
//!
//! Requests borrow from the neutral form, so that inline media is copied once, into the body. Answers keep every member
//! without a field here in `rest`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::chat::Extra;

// === requests ===

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request<'a> {
    pub(super) contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) system_instruction: Option<SystemInstruction<'a>>,
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    pub(super) generation_config: GenerationConfig<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) safety_settings: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cached_content: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
pub(super) struct SystemInstruction<'a> {
    pub(super) parts: Vec<Part<'a>>,
}

#[derive(Debug, Serialize)]
pub(super) struct Content<'a> {
    pub(super) role: ContentRole,
    pub(super) parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ContentRole {
    User,
    Model,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part<'a> {
    Made(MadePart<'a>),
    /// A part that Gemini wrote and only Gemini understands.
    Raw(&'a Value),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MadePart<'a> {
    #[serde(flatten)]
    pub(super) kind: PartKind<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) thought: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thought_signature: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_resolution: Option<MediaResolution>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum PartKind<'a> {
    Text(Cow<'a, str>),
    #[serde(rename_all = "camelCase")]
    InlineData {
        mime_type: Cow<'a, str>,
        data: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    FileData {
        #[serde(skip_serializing_if = "Option::is_none")]
        mime_type: Option<&'static str>,
        file_uri: Cow<'a, str>,
    },
    FunctionCall {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        name: &'a str,
        args: Map<String, Value>,
    },
    FunctionResponse {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        name: &'a str,
        response: Map<String, Value>,
    },
}

#[derive(Debug, Serialize)]
pub(super) struct MediaResolution {
    pub(super) level: &'static str,
}

impl<'a> From<PartKind<'a>> for Part<'a> {
    fn from(kind: PartKind<'a>) -> Self {
        Self::Made(MadePart { kind, thought: false, thought_signature: None, media_resolution: None })
    }
}

impl<'a> Part<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        PartKind::Text(text.into()).into()
    }

    pub(super) fn is_function_response(&self) -> bool {
        matches!(self, Self::Made(MadePart { kind: PartKind::FunctionResponse { .. }, .. }))
    }
}

#[derive(Debug, Default, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) top_k: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) candidate_count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) presence_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) seed: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_json_schema: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_config: Option<ThinkingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response_modalities: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speech_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) image_config: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_resolution: Option<&'a Value>,
}

impl GenerationConfig<'_> {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) include_thoughts: bool,
    /// Tokens; 0 turns thinking off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_budget: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_level: Option<&'static str>,
}

#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) function_calling_config: Option<FunctionCallingConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retrieval_config: Option<Value>,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FunctionCallingConfig<'a> {
    pub(super) mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) allowed_function_names: Vec<&'a str>,
}

// === answers ===

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Answer {
    pub(super) candidates: Vec<Candidate>,
    pub(super) prompt_feedback: Option<PromptFeedback>,
    pub(super) usage_metadata: Option<UsageMetadata>,
    pub(super) model_version: Option<String>,
    pub(super) response_id: Option<String>,
    /// RFC 3339.
    pub(super) create_time: Option<String>,
    /// An error inside a 200.
    pub(super) error: Option<Value>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PromptFeedback {
    pub(super) block_reason: Option<String>,
    pub(super) block_reason_message: Option<String>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Candidate {
    pub(super) index: u32,
    pub(super) content: AnswerContent,
    pub(super) finish_reason: Option<String>,
    pub(super) finish_message: Option<String>,
    pub(super) logprobs_result: Option<LogprobsResult>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerContent {
    pub(super) parts: Vec<AnswerPart>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AnswerPart {
    pub(super) text: Option<String>,
    pub(super) thought: bool,
    pub(super) thought_signature: Option<String>,
    pub(super) inline_data: Option<Blob>,
    pub(super) function_call: Option<FunctionCall>,
    #[serde(flatten)]
    pub(super) rest: Extra,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Blob {
    pub(super) mime_type: String,
    pub(super) data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionCall {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) args: Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LogprobsResult {
    pub(super) top_candidates: Vec<TopCandidates>,
    pub(super) chosen_candidates: Vec<TokenLogprob>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct TopCandidates {
    pub(super) candidates: Vec<TokenLogprob>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TokenLogprob {
    pub(super) token: String,
    pub(super) log_probability: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct UsageMetadata {
    pub(super) prompt_token_count: u64,
    pub(super) tool_use_prompt_token_count: u64,
    pub(super) cached_content_token_count: Option<u64>,
    pub(super) candidates_token_count: u64,
    pub(super) thoughts_token_count: Option<u64>,
    pub(super) total_token_count: Option<u64>,
    pub(super) prompt_tokens_details: Vec<ModalityCount>,
    pub(super) candidates_tokens_details: Vec<ModalityCount>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ModalityCount {
    pub(super) modality: String,
    pub(super) token_count: u64,
}
