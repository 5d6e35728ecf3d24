//! Google's `generateContent`, as the Gemini API and Vertex AI speak it: the provider side.
//!
//! The model and whether the answer streams are said by the path, which is the caller's business; the bodies made here
//! hold neither. Structured output, thinking and some part members depend on the generation of the model, which
//! [`thinking::Generation`] reads from its name.

mod contents;
mod embeddings;
mod error;
mod generation_config;
mod grounding;
mod media;
mod parts;
mod request;
mod response;
mod schema;
mod stream;
mod thinking;
mod tools;
mod usage;
mod wire;

use tidegate_core::ApiError;

use crate::chat::{ChatRequest, ChatResponse, EmbeddingsRequest, EmbeddingsResponse};
use crate::{AnswerContext, EncodeContext, Encoded, ProviderDialect, StreamDecoder};

#[derive(Debug)]
pub struct Gemini;

impl ProviderDialect for Gemini {
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        request::encode(request, ctx)
    }

    fn decode_chat(&self, body: &[u8], _: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
        response::decode(body)
    }

    fn chat_stream(&self, _: &AnswerContext<'_>) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::default())
    }

    fn encode_embeddings(
        &self,
        request: &EmbeddingsRequest,
        ctx: &EncodeContext<'_>,
    ) -> Result<Encoded, ApiError> {
        embeddings::encode(request, ctx)
    }

    fn decode_embeddings(
        &self,
        body: &[u8],
        ctx: &AnswerContext<'_>,
    ) -> Result<EmbeddingsResponse, ApiError> {
        embeddings::decode(body, ctx)
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}
