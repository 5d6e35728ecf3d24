//! The calls a provider can be asked for, and the wire dialects they are made in.

use std::fmt;

use serde::de::{Deserialize, Deserializer};

/// A unified endpoint. Rows name them in snake case (`chat_completions`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    ChatCompletions,
    Completions,
    Embeddings,
    /// Anthropic's `/v1/messages`.
    Messages,
    /// Anthropic's `/v1/messages/count_tokens`.
    CountTokens,
    Responses,
    Rerank,
    Moderations,
    ImagesGenerations,
    ImagesEdits,
    ImagesVariations,
    AudioSpeech,
    AudioTranscriptions,
    AudioTranslations,
    Files,
    Batches,
    FineTuning,
    Realtime,
    Assistants,
    VectorStores,
    Models,
    Videos,
    Ocr,
    FimCompletions,
    /// Gemini's `:generateContent`, for clients that speak it.
    GenerateContent,
    GeminiCountTokens,
    /// Chat in the provider's own shape.
    ChatNative,
    EmbeddingsNative,
    Classify,
    Tokenize,
    Search,
    /// Anything else the provider offers: pass-through.
    Raw,
}

impl Endpoint {
    /// Portkey's name for the endpoint, as its error texts show it (`embed is not supported by groq`). For the
    /// endpoints with several names by method it is the one of the POST; `proxy` for those it only passes through.
    pub fn portkey_fn_name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chatComplete",
            Self::Completions => "complete",
            Self::Embeddings => "embed",
            Self::Messages => "messages",
            Self::CountTokens => "messagesCountTokens",
            Self::Responses => "createModelResponse",
            Self::ImagesGenerations => "imageGenerate",
            Self::ImagesEdits => "imageEdit",
            Self::AudioSpeech => "createSpeech",
            Self::AudioTranscriptions => "createTranscription",
            Self::AudioTranslations => "createTranslation",
            Self::Files => "uploadFile",
            Self::Batches => "createBatch",
            Self::FineTuning => "createFinetune",
            Self::Realtime => "realtime",
            _ => "proxy",
        }
    }

    /// Whether the body is a form unless the row says otherwise.
    pub(crate) fn is_multipart(self) -> bool {
        matches!(
            self,
            Self::ImagesEdits
                | Self::ImagesVariations
                | Self::AudioTranscriptions
                | Self::AudioTranslations
                | Self::Files
        )
    }
}

/// A wire format. Azure's and Mistral's chat is OpenAI's with differences that a row's
/// [`Adjust`](crate::Adjust) holds, so they are [`Dialect::OpenAi`] here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
    Cohere,
    /// Ollama's native `/api/chat`.
    Ollama,
    /// A format without code: calls can be passed through, not translated.
    Other(&'static str),
}

impl Dialect {
    fn of_name(name: &'static str) -> Self {
        match name {
            "openai" | "azure-openai" | "azure-ai" | "mistral" => Self::OpenAi,
            "anthropic" => Self::Anthropic,
            "gemini" => Self::Gemini,
            "cohere" => Self::Cohere,
            "ollama" => Self::Ollama,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Cohere => "cohere",
            Self::Ollama => "ollama",
            Self::Other(name) => name,
        })
    }
}

impl Deserialize<'static> for Dialect {
    fn deserialize<D: Deserializer<'static>>(deserializer: D) -> Result<Self, D::Error> {
        <&'static str>::deserialize(deserializer).map(Self::of_name)
    }
}
