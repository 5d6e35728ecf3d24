//! Anthropic's older text completion, `POST /v1/complete`: one prompt of turns in plain text, for models that are served
//! no other way. It knows no tools, no images and no usage.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};
use tidegate_core::{ApiError, ErrorKind, Fault, Verdict, Warnings};

use super::error;
use crate::chat::{
    ChatRequest, ChatResponse, Choice, EmbeddingsRequest, EmbeddingsResponse, Extra, Finish, FinishReason,
    Message, Part, Role, StreamEvent,
};
use crate::framing::Sse;
use crate::{AnswerContext, EncodeContext, Encoded, ProviderDialect, StreamDecoder};

const DEFAULT_MAX_TOKENS: u64 = 256;

/// `POST /v1/complete`, as a provider's dialect.
#[derive(Debug, Clone, Copy)]
pub struct Complete;

impl ProviderDialect for Complete {
    fn encode_chat(&self, request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
        let mut warnings = Warnings::default();
        let body = body(request, ctx, &mut warnings)?;
        let body = serde_json::to_vec(&body).map_err(|error| {
            let message = format!("the request could not be written: {error}");
            ApiError::new(ErrorKind::Internal, Fault::Gateway, 500, message)
        })?;
        Ok(Encoded { body, warnings })
    }

    fn decode_chat(&self, body: &[u8], _: &AnswerContext<'_>) -> Result<ChatResponse, ApiError> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| ApiError::upstream(format!("the answer is not valid JSON: {error}")))?;
        if value["type"] == "error" {
            return Err(error::decode_value(None, &value));
        }
        let answer: Completion = serde_json::from_value(value)
            .map_err(|error| ApiError::upstream(format!("the answer is not a completion: {error}")))?;
        let finish = answer.finish().unwrap_or_else(|| Finish::new(FinishReason::Stop));
        let choice = Choice {
            index: 0,
            parts: vec![Part::text(answer.completion)],
            finish: Some(finish),
            logprobs: None,
            extra: Extra::new(),
        };
        Ok(ChatResponse {
            id: answer.id,
            model: answer.model,
            choices: vec![choice],
            ..ChatResponse::default()
        })
    }

    fn chat_stream(&self, _: &AnswerContext<'_>) -> Box<dyn StreamDecoder> {
        Box::new(Decoder::default())
    }

    fn encode_embeddings(
        &self,
        request: &EmbeddingsRequest,
        ctx: &EncodeContext<'_>,
    ) -> Result<Encoded, ApiError> {
        super::Anthropic.encode_embeddings(request, ctx)
    }

    fn decode_embeddings(
        &self,
        body: &[u8],
        ctx: &AnswerContext<'_>,
    ) -> Result<EmbeddingsResponse, ApiError> {
        super::Anthropic.decode_embeddings(body, ctx)
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ApiError {
        error::decode(status, body)
    }
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    prompt: String,
    max_tokens_to_sample: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<&'a Number>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Value>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

fn body<'a>(
    request: &'a ChatRequest,
    ctx: &EncodeContext<'_>,
    warnings: &mut Warnings,
) -> Result<Body<'a>, ApiError> {
    if request.n.is_some_and(|n| n > 1) {
        return Err(ApiError::bad_request("n", "Anthropic gives one completion; `n` must be 1 or left out"));
    }
    if !request.tools.is_empty() {
        return Err(ApiError::bad_request("tools", "Anthropic's text completion knows no tools"));
    }
    let prompt = prompt(&request.messages)?;
    let max_tokens_to_sample = request.max_tokens.or(ctx.max_output_tokens).unwrap_or_else(|| {
        warnings.push_note(Verdict::Shaped, "max_tokens", DEFAULT_MAX_TOKENS.to_string());
        DEFAULT_MAX_TOKENS
    });
    let mut temperature = request.temperature.clone();
    if temperature.as_ref().and_then(Number::as_f64).is_some_and(|value| value > 1.0) {
        warnings.push_note(Verdict::Shaped, "temperature", "1");
        temperature = Some(Number::from(1));
    }
    note_dropped(request, warnings);
    Ok(Body {
        model: &request.model,
        prompt,
        max_tokens_to_sample,
        temperature,
        top_p: request.top_p.as_ref(),
        top_k: request.top_k.as_ref(),
        stop_sequences: &request.stop,
        metadata: request.user.as_ref().map(|user| json!({"user_id": user})),
        stream: request.stream,
    })
}

/// The turns in plain text. The API wants the first to be the human's and the last to be left to the assistant.
fn prompt(messages: &[Message]) -> Result<String, ApiError> {
    let mut prompt = String::new();
    for (index, message) in messages.iter().enumerate() {
        let speaker = match message.role {
            Role::User | Role::System | Role::Developer => "Human",
            Role::Assistant => "Assistant",
            Role::Tool => {
                let param = format!("messages[{index}].role");
                return Err(ApiError::bad_request(param, "Anthropic's text completion knows no tools"));
            }
        };
        // Writing to a string cannot fail.
        let _ = write!(prompt, "\n\n{speaker}: ");
        for part in &message.parts {
            let Part::Text(text) = part else {
                let param = format!("messages[{index}].content");
                return Err(ApiError::bad_request(param, "Anthropic's text completion takes text only"));
            };
            prompt.push_str(&text.text);
        }
    }
    prompt.push_str("\n\nAssistant:");
    Ok(prompt)
}

fn note_dropped(request: &ChatRequest, warnings: &mut Warnings) {
    for (param, said) in [
        ("frequency_penalty", request.frequency_penalty.is_some()),
        ("presence_penalty", request.presence_penalty.is_some()),
        ("seed", request.seed.is_some()),
        ("logit_bias", request.logit_bias.is_some()),
        ("logprobs", request.logprobs == Some(true) || request.top_logprobs.is_some()),
        (
            "response_format",
            !matches!(request.response_format, None | Some(crate::chat::ResponseFormat::Text)),
        ),
        ("reasoning_effort", request.reasoning.is_some()),
        ("service_tier", request.service_tier.is_some()),
    ] {
        if said {
            warnings.dropped(param);
        }
    }
    let unsaid = |key: &str| matches!(key, "anthropic_beta" | "anthropic_version" | "stream_options");
    for (key, _) in request.extra.iter().filter(|(key, value)| !value.is_null() && !unsaid(key)) {
        warnings.dropped(key);
    }
}

/// A whole answer, and each piece of a stream.
#[derive(Deserialize)]
struct Completion {
    id: Option<String>,
    model: Option<String>,
    completion: String,
    stop_reason: Option<String>,
    /// The sequence that ended it.
    stop: Option<String>,
}

impl Completion {
    fn finish(&self) -> Option<Finish> {
        let word = self.stop_reason.as_deref()?;
        let reason = if word == "max_tokens" { FinishReason::Length } else { FinishReason::Stop };
        Some(Finish { reason, raw: Some(word.to_owned()), stop_sequence: self.stop.clone() })
    }
}

#[derive(Debug, Default)]
struct Decoder {
    sse: Sse,
    state: State,
}

#[derive(Debug, Default)]
struct State {
    started: bool,
    ended: bool,
}

impl StreamDecoder for Decoder {
    fn push(&mut self, bytes: &[u8], events: &mut Vec<StreamEvent>) {
        let state = &mut self.state;
        if let Err(error) = self.sse.push(bytes, &mut |event| state.data(event.data, events)) {
            state.fail(ApiError::upstream(error.to_string()), events);
        }
    }

    fn finish(&mut self, events: &mut Vec<StreamEvent>) {
        let state = &mut self.state;
        if let Err(error) = self.sse.finish(&mut |event| state.data(event.data, events)) {
            state.fail(ApiError::upstream(error.to_string()), events);
        }
        state.fail(ApiError::upstream("the stream ended before a stop reason"), events);
    }
}

impl State {
    fn data(&mut self, data: &[u8], events: &mut Vec<StreamEvent>) {
        if self.ended {
            return;
        }
        let value: Value = match serde_json::from_slice(data) {
            Ok(value) => value,
            Err(error) => {
                let message = format!("an event of the stream cannot be read: {error}");
                return self.fail(ApiError::upstream(message), events);
            }
        };
        match value["type"].as_str() {
            Some("ping") => events.push(StreamEvent::Ping),
            Some("error") => self.fail(error::decode_value(None, &value), events),
            _ => match serde_json::from_value(value) {
                Ok(piece) => self.piece(piece, events),
                Err(error) => {
                    let message = format!("an event of the stream is no completion: {error}");
                    self.fail(ApiError::upstream(message), events);
                }
            },
        }
    }

    fn piece(&mut self, piece: Completion, events: &mut Vec<StreamEvent>) {
        let finish = piece.finish();
        if !self.started {
            self.started = true;
            events.push(StreamEvent::Start { id: piece.id, model: piece.model, created: None });
        }
        if !piece.completion.is_empty() {
            events.push(StreamEvent::Text { choice: 0, text: piece.completion });
        }
        if let Some(finish) = finish {
            events.extend([StreamEvent::Finish { choice: 0, finish }, StreamEvent::End]);
            self.ended = true;
        }
    }

    fn fail(&mut self, error: ApiError, events: &mut Vec<StreamEvent>) {
        if !self.ended {
            events.push(StreamEvent::Error(error));
            self.ended = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::Fold;
    use crate::{Adjust, DialectId};

    const CTX: AnswerContext<'static> =
        AnswerContext { provider: "anthropic", model: "cl", strict: false, include_usage: false, now_s: 0 };

    fn request(messages: Vec<Message>) -> ChatRequest {
        let mut request = ChatRequest::new(DialectId::OpenAi, "cl");
        request.messages = messages;
        request
    }

    fn encode(request: &ChatRequest) -> Result<(Value, String), ApiError> {
        let adjust = Adjust::default();
        let ctx = EncodeContext { provider: "anthropic", adjust: &adjust, max_output_tokens: None };
        let encoded = Complete.encode_chat(request, &ctx)?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    fn stream(pieces: &[&[u8]]) -> Vec<StreamEvent> {
        let mut decoder = Complete.chat_stream(&CTX);
        let mut events = Vec::new();
        pieces.iter().for_each(|piece| decoder.push(piece, &mut events));
        decoder.finish(&mut events);
        events
    }

    #[test]
    fn a_prompt_is_wrapped() {
        let mut plain = request(vec![Message::text(Role::User, "p")]);
        plain.max_tokens = Some(4);
        let wrapped =
            json!({"model": "cl", "prompt": "\n\nHuman: p\n\nAssistant:", "max_tokens_to_sample": 4});
        assert_eq!(encode(&plain).unwrap(), (wrapped, String::new()));
        let mut full = request(vec![
            Message::text(Role::User, "a"),
            Message::text(Role::Assistant, "b"),
            Message::text(Role::User, "c"),
        ]);
        full.stop = vec!["x".into()];
        full.user = Some("u".into());
        full.temperature = Some(Number::from(2));
        full.seed = Some(Number::from(1));
        full.stream = true;
        let (body, warnings) = encode(&full).unwrap();
        assert_eq!(
            body,
            json!({
                "model": "cl", "prompt": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:",
                "max_tokens_to_sample": 256, "temperature": 1, "stop_sequences": ["x"],
                "metadata": {"user_id": "u"}, "stream": true,
            })
        );
        assert_eq!(warnings, "shaped;max_tokens=256, shaped;temperature=1, dropped;seed");
    }

    #[test]
    fn what_it_does_not_know_is_refused() {
        let mut two = request(vec![Message::text(Role::User, "p")]);
        two.n = Some(2);
        for (request, param) in [
            (two, "n"),
            (request(vec![Message::new(Role::User, vec![Part::Refusal("x".into())])]), "messages[0].content"),
            (request(vec![Message::new(Role::Tool, vec![])]), "messages[0].role"),
        ] {
            assert_eq!(encode(&request).unwrap_err().param.as_deref(), Some(param));
        }
    }

    #[test]
    fn streamed_and_plain_are_the_same_answer_at_every_split() {
        let events = "event: completion\r\ndata: {\"type\":\"completion\",\"id\":\"compl_1\",\"completion\":\" Hé\",\"stop_reason\":null,\"model\":\"claude-2.1\"}\r\n\r\n\
             event: ping\r\ndata: {\"type\":\"ping\"}\r\n\r\n\
             event: completion\r\ndata: {\"type\":\"completion\",\"id\":\"compl_1\",\"completion\":\"gh\",\"stop_reason\":\"stop_sequence\",\"stop\":\"x\",\"model\":\"claude-2.1\"}\r\n\r\n";
        let plain = json!({
            "id": "compl_1", "type": "completion", "completion": " Hégh", "stop_reason": "stop_sequence",
            "stop": "x", "model": "claude-2.1",
        });
        let plain = Complete.decode_chat(plain.to_string().as_bytes(), &CTX).unwrap();
        assert_eq!(plain.choices[0].finish.as_ref().unwrap().stop_sequence.as_deref(), Some("x"));
        for at in 0..events.len() {
            let (head, tail) = events.as_bytes().split_at(at);
            let mut fold = Fold::new();
            stream(&[head, tail]).iter().for_each(|event| fold.push(event));
            assert_eq!(fold.finish().unwrap(), plain, "split at {at}");
        }
    }

    #[test]
    fn failures_are_errors() {
        let busy = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
        assert_eq!(Complete.decode_chat(busy.as_bytes(), &CTX).unwrap_err().status, 529);
        assert_eq!(Complete.decode_chat(b"{}", &CTX).unwrap_err().status, 502);
        for body in ["", "data: {oops\n\n", "data: {}\n\n", &format!("event: error\ndata: {busy}\n\n")] {
            assert!(matches!(stream(&[body.as_bytes()])[..], [StreamEvent::Error(_)]), "{body}");
        }
    }
}
