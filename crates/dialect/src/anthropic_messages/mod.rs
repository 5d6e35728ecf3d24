//! Anthropic's Messages API, as a provider speaks it and as a client does.
//!
//! Requests are in `request`, answers in `response`, streams in `stream`, errors in `error`; [`tokens`] counts the input.
//! What the models of a family take is in `models`.

use serde_json::Value;
use tidegate_core::ApiError;

use crate::chat::{ChatRequest, ChatResponse, EmbeddingsRequest, EmbeddingsResponse};
use crate::{
    AnswerContext, ClientDialect, DialectId, EncodeContext, Encoded, ProviderDialect, StreamDecoder,
    StreamEncoder,
};

mod block;
mod citations;
mod error;
mod models;
mod names;
mod path;
mod request;
mod response;
mod stream;
pub mod tokens;
mod usage;
mod wire;

/// `POST /v1/messages`, both sides.
#[derive(Debug, Clone, Copy)]
pub struct Anthropic;

impl ProviderDialect for Anthropic {
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        request::encode(request, ctx, request::Purpose::Message)
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
        let message = format!("{} has no embeddings; `{}` cannot be served", ctx.provider, request.model);
        Err(ApiError::bad_request("model", message))
    }

    fn decode_embeddings(&self, _: &[u8], ctx: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
        Err(ApiError::upstream(format!("{} has no embeddings", ctx.provider)))
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

impl ClientDialect for Anthropic {
    fn id(&self) -> DialectId {
        DialectId::Anthropic
    }

    fn decode_chat(&self, body: &[u8]) -> Result<ChatRequest, ApiError> {
        request::decode(body)
    }

    fn encode_chat(&self, response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8> {
        response::encode(response, ctx)
    }

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(ctx))
    }

    fn encode_error(&self, error: &ApiError, provider: Option<&str>) -> Value {
        error::encode(error, provider)
    }

    fn error_event(&self, error: &ApiError, provider: Option<&str>) -> Vec<u8> {
        stream::error_event(error, provider)
    }

    fn error_status(&self, error: &ApiError) -> u16 {
        error::status(error)
    }
}
