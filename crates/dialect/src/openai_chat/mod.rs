//! placeholder
use crate::chat::*;
use crate::*;

#[derive(Debug)]
pub struct OpenAi;

impl ProviderDialect for OpenAi {
    fn encode_chat(&self, _: &ChatRequest, _: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        Err(ApiError::upstream("not built"))
    }
    fn decode_chat(&self, _: &[u8], _: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
        Err(ApiError::upstream("not built"))
    }
    fn chat_stream(&self, _: &AnswerContext<'_>) -> Box<dyn StreamDecoder> {
        Box::new(Nothing)
    }
    fn encode_embeddings(&self, _: &EmbeddingsRequest, _: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        Err(ApiError::upstream("not built"))
    }
    fn decode_embeddings(&self, _: &[u8], _: &AnswerContext<'_>) -> Result<EmbeddingsResponse, ApiError> {
        Err(ApiError::upstream("not built"))
    }
    fn decode_error(&self, status: u16, _: &[u8]) -> ApiError {
        ApiError::new(
            tidegate_core::ErrorKind::of_status(status),
            tidegate_core::Fault::of_status(status),
            status,
            "not built",
        )
    }
}

struct Nothing;
impl StreamDecoder for Nothing {
    fn push(&mut self, _: &[u8], _: &mut Vec<StreamEvent>) {}
    fn finish(&mut self, _: &mut Vec<StreamEvent>) {}
}
