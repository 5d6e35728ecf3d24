//! Ollama's native `/api/chat` and `/api/embed`: the provider side.
//!
//! Ollama keeps sampling parameters in `options`, takes images as bytes only, writes arguments of tools as objects, and
//! streams lines of JSON. It cannot be made to call a tool, so a request that insists on one is refused.

mod embeddings;
mod error;
mod messages;
mod request;
mod response;
mod stream;
mod tools;
mod wire;

use tidegate_core::ApiError;

use crate::chat::{ChatRequest, ChatResponse, EmbeddingsRequest, EmbeddingsResponse};
use crate::{AnswerContext, EncodeContext, Encoded, ProviderDialect, StreamDecoder};

#[derive(Debug)]
pub struct Ollama;

impl ProviderDialect for Ollama {
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        request::encode(request, ctx)
    }

    fn decode_chat(&self, body: &[u8], _: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
        response::decode(body)
    }

    fn chat_stream(&self, _: &AnswerContext<'_>) -> Box<dyn StreamDecoder> {
        Box::new(stream::decoder())
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
