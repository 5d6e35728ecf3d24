//! OpenAI's chat completions, legacy completions and embeddings, and everything that speaks them.
//!
//! As a provider's dialect it must survive every known way in which vendors break the format, so its decoders take what
//! they understand and hand the rest on as extra members. As a client's dialect it is strict: what OpenAI would refuse
//! is refused here, by name. How single vendors differ is data ([`Adjust`](crate::Adjust)), not code.

use serde_json::Value;
use tidegate_core::ApiError;

use crate::chat::{ChatRequest, ChatResponse, EmbeddingsRequest, EmbeddingsResponse};
use crate::{
    AnswerContext, ClientDialect, DialectId, EncodeContext, Encoded, ProviderDialect, StreamDecoder,
    StreamEncoder,
};

mod base64;
pub mod completions;
pub mod embeddings;
mod error;
mod media;
mod member;
mod reasoning;
mod request;
mod response;
mod stream;

pub use completions::Completions;
pub use request::adjust_body;

/// `POST /v1/chat/completions`, both sides, and the provider's side of `/v1/embeddings`.
#[derive(Debug, Clone, Copy)]
pub struct OpenAi;

impl ProviderDialect for OpenAi {
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        request::write(request, ctx)
    }

    fn decode_chat(&self, body: &[u8], ctx: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
        response::read(body, ctx)
    }

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(ctx))
    }

    fn encode_embeddings(
        &self,
        request: &EmbeddingsRequest,
        ctx: &EncodeContext<'_>,
    ) -> Result<Encoded, ApiError> {
        Ok(embeddings::encode_request(request, ctx))
    }

    fn decode_embeddings(
        &self,
        body: &[u8],
        ctx: &AnswerContext<'_>,
    ) -> Result<EmbeddingsResponse, ApiError> {
        embeddings::decode_response(body, ctx)
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::read(status, body)
    }
}

impl ClientDialect for OpenAi {
    fn id(&self) -> DialectId {
        DialectId::OpenAi
    }

    fn decode_chat(&self, body: &[u8]) -> Result<ChatRequest, ApiError> {
        request::read(body)
    }

    fn encode_chat(&self, response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8> {
        response::write(response, ctx)
    }

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(ctx))
    }

    fn encode_error(&self, error: &ApiError, provider: Option<&str>) -> Value {
        error::write(error, provider)
    }

    fn error_event(&self, error: &ApiError, provider: Option<&str>) -> Vec<u8> {
        error::write_event(error, provider)
    }

    fn error_status(&self, error: &ApiError) -> u16 {
        error::status(error)
    }
}
