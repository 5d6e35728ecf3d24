//! Cohere's chat and embed APIs, version 2: the provider side.
//!
//! The older `/v1` shapes are not spoken here. Tool plans and thinking blocks are reasoning; citations stay raw beside
//! their text, because their sources are documents without an address. Tokens are reported as counted, the smaller
//! billed numbers stay in the extra members.

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
pub struct Cohere;

impl ProviderDialect for Cohere {
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
