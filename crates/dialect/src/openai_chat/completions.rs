//! `POST /v1/completions`, OpenAI's deprecated endpoint, for clients whose target has chat only. A prompt becomes one
//! user message. What a chat cannot do (token prompts, several prompts, `suffix`, `echo`, `best_of`) is refused by name.
//!
//! The endpoint's default of 16 generated tokens is not applied: a client that names no bound gets the target's own.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tidegate_core::{ApiError, Usage, id};

use super::member::{self, Place};
use super::response::{word, write_usage};
use super::{error, request};
use crate::chat::{
    ChatRequest, ChatResponse, Choice, Finish, FinishReason, Message, Part, Role, StreamEvent,
};
use crate::{AnswerContext, ClientDialect, DialectId, StreamEncoder, framing};

/// The client's side of legacy completions.
#[derive(Debug, Clone, Copy)]
pub struct Completions;

impl ClientDialect for Completions {
    fn id(&self) -> DialectId {
        DialectId::OpenAi
    }

    fn decode_chat(&self, body: &[u8]) -> Result<ChatRequest, ApiError> {
        let mut request = ChatRequest::new(DialectId::OpenAi, "");
        for (key, value) in member::body(body)? {
            if value.is_null() {
                continue;
            }
            if let Some(value) = request::read_shared(&mut request, &key, value)? {
                read_own(&mut request, &key, value)?;
            }
        }
        if request.model.is_empty() {
            return Err(Place::top("model").missing());
        }
        if request.messages.is_empty() {
            return Err(Place::top("prompt").missing());
        }
        request::check_stream_options(&request)?;
        Ok(request)
    }

    fn encode_chat(&self, response: &ChatResponse, ctx: &AnswerContext<'_>) -> Vec<u8> {
        let mut answer = head(response.id.as_deref(), response.created, response.model.as_deref(), ctx);
        let choices: Vec<Value> =
            response.choices.iter().map(|choice| write_choice(choice, ctx.strict)).collect();
        answer.insert("choices".to_owned(), Value::Array(choices));
        if let Some(usage) = &response.usage {
            answer.insert("usage".to_owned(), write_usage(usage, ctx.strict));
        }
        Value::Object(answer).to_string().into_bytes()
    }

    fn chat_stream(&self, ctx: &AnswerContext<'_>) -> Box<dyn StreamEncoder> {
        Box::new(Encoder {
            head: head(None, None, None, ctx),
            provider: ctx.provider.to_owned(),
            strict: ctx.strict,
            include_usage: ctx.include_usage,
            usage: None,
            offsets: BTreeMap::new(),
        })
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

/// Members that chat does not have, or has in another form.
fn read_own(request: &mut ChatRequest, key: &str, value: Value) -> Result<(), ApiError> {
    let at = Place::top(key);
    match key {
        "prompt" => request.messages.push(Message::text(Role::User, read_prompt(&at, value)?)),
        "logprobs" => {
            request.top_logprobs = Some(at.small_count(&value)?);
            request.logprobs = Some(true);
        }
        "echo" if at.boolean(&value)? => return Err(unavailable(&at)),
        "best_of" if at.count(&value)? > 1 => return Err(unavailable(&at)),
        "suffix" if !at.string(value.clone())?.is_empty() => return Err(unavailable(&at)),
        "echo" | "best_of" | "suffix" => {}
        _ => {
            request.extra.insert(key.to_owned(), value);
        }
    }
    Ok(())
}

fn unavailable(at: &Place<'_>) -> ApiError {
    at.refuse(format!(
        "'{at}' is not available for this model, which answers chats only: leave it out, or choose a model with \
         completions of its own"
    ))
}

fn read_prompt(at: &Place<'_>, value: Value) -> Result<String, ApiError> {
    match value {
        Value::String(prompt) => Ok(prompt),
        Value::Array(mut items) => match (items.pop(), items.is_empty()) {
            (Some(Value::String(prompt)), true) => Ok(prompt),
            (Some(Value::String(_)), false) => {
                Err(at.refuse(format!("'{at}' must be one prompt: this model answers one at a time")))
            }
            (Some(Value::Number(_) | Value::Array(_)), _) => Err(at.refuse(format!(
                "'{at}' must be text: token numbers of another model mean nothing to this one"
            ))),
            (Some(other), _) => Err(at.wrong("a string", &other)),
            (None, _) => Err(at.refuse(format!("'{at}' must not be empty"))),
        },
        other => Err(at.wrong("a string", &other)),
    }
}

fn head(
    id: Option<&str>,
    created: Option<u64>,
    model: Option<&str>,
    ctx: &AnswerContext<'_>,
) -> Map<String, Value> {
    let id = id.map_or_else(|| id::random("cmpl-", 24), str::to_owned);
    Map::from_iter([
        ("id".to_owned(), Value::String(id)),
        ("object".to_owned(), json!("text_completion")),
        ("created".to_owned(), json!(created.unwrap_or(ctx.now_s))),
        ("model".to_owned(), json!(model.unwrap_or(ctx.model))),
        ("provider".to_owned(), json!(ctx.provider)),
    ])
}

fn write_choice(choice: &Choice, strict: bool) -> Value {
    let said = choice.parts.iter().filter_map(|part| match part {
        Part::Text(text) => Some(text.text.as_str()),
        Part::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    let text: String = said.collect();
    let logprobs = choice.logprobs.as_ref().map(|logprobs| write_logprobs(logprobs, &mut 0));
    choice_value(choice.index, &text, logprobs, Some(finish_word(choice.finish.as_ref(), strict)))
}

fn choice_value(index: u32, text: &str, logprobs: Option<Value>, finish: Option<&str>) -> Value {
    json!({"index": index, "text": text, "logprobs": logprobs, "finish_reason": finish})
}

/// The endpoint knows no tools, so an answer that would call one has simply stopped.
fn finish_word(finish: Option<&Finish>, strict: bool) -> &str {
    match finish {
        Some(Finish { reason: FinishReason::ToolCalls, .. }) if strict => "stop",
        _ => word(finish, strict),
    }
}

/// Chat's list of tokens as parallel lists. `offset` counts characters of the text so far.
fn write_logprobs(logprobs: &Value, offset: &mut usize) -> Value {
    let (mut tokens, mut values, mut tops, mut offsets) = (vec![], vec![], vec![], vec![]);
    for entry in logprobs.get("content").and_then(Value::as_array).into_iter().flatten() {
        let token = entry.get("token").and_then(Value::as_str).unwrap_or_default();
        offsets.push(json!(*offset));
        *offset += token.chars().count();
        tokens.push(json!(token));
        values.push(entry.get("logprob").cloned().unwrap_or_default());
        let top = entry.get("top_logprobs").and_then(Value::as_array).into_iter().flatten();
        let top =
            top.filter_map(|top| Some((top.get("token")?.as_str()?.to_owned(), top.get("logprob")?.clone())));
        tops.push(Value::Object(top.collect()));
    }
    json!({"tokens": tokens, "token_logprobs": values, "top_logprobs": tops, "text_offset": offsets})
}

#[derive(Debug)]
struct Encoder {
    head: Map<String, Value>,
    provider: String,
    strict: bool,
    include_usage: bool,
    usage: Option<Usage>,
    /// Characters sent per choice, for the offsets of logprobs.
    offsets: BTreeMap<u32, usize>,
}

impl Encoder {
    fn chunk(&self, choices: Value, usage: Option<&Usage>, out: &mut Vec<u8>) {
        let mut chunk = self.head.clone();
        chunk.insert("choices".to_owned(), choices);
        if self.include_usage {
            let usage = usage.map_or(Value::Null, |usage| write_usage(usage, self.strict));
            chunk.insert("usage".to_owned(), usage);
        }
        framing::write_event(out, None, Value::Object(chunk).to_string().as_bytes());
    }

    fn say(&self, choice: u32, text: &str, out: &mut Vec<u8>) {
        self.chunk(json!([choice_value(choice, text, None, None)]), None, out);
    }

    fn set(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.head.insert(name.to_owned(), value);
        }
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>) {
        match event {
            StreamEvent::Start { id, model, created } => {
                self.set("id", id.as_deref().map(Value::from));
                self.set("model", model.as_deref().map(Value::from));
                self.set("created", created.map(Value::from));
            }
            StreamEvent::Text { choice, text } | StreamEvent::Refusal { choice, text } => {
                self.say(*choice, text, out);
            }
            StreamEvent::Part { choice, part: Part::Text(text) } if !text.text.is_empty() => {
                self.say(*choice, &text.text, out);
            }
            StreamEvent::Logprobs { choice, logprobs } => {
                let logprobs = write_logprobs(logprobs, self.offsets.entry(*choice).or_default());
                self.chunk(json!([choice_value(*choice, "", Some(logprobs), None)]), None, out);
            }
            StreamEvent::Finish { choice, finish } => {
                let word = finish_word(Some(finish), self.strict);
                self.chunk(json!([choice_value(*choice, "", None, Some(word))]), None, out);
            }
            StreamEvent::Usage(usage) => self.usage = Some(usage.clone()),
            StreamEvent::End => {
                if let Some(usage) = self.usage.take().filter(|_| self.include_usage) {
                    self.chunk(json!([]), Some(&usage), out);
                }
                out.extend_from_slice(b"data: [DONE]\n\n");
            }
            StreamEvent::Error(failure) => out.extend(error::write_event(failure, Some(&self.provider))),
            StreamEvent::Ping => out.extend_from_slice(self.ping()),
            // The endpoint has text and nothing else.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Extra;

    const CTX: AnswerContext<'static> =
        AnswerContext { provider: "p", model: "m", strict: true, include_usage: true, now_s: 7 };

    fn decode(value: Value) -> Result<ChatRequest, ApiError> {
        Completions.decode_chat(value.to_string().as_bytes())
    }

    #[test]
    fn a_prompt_is_one_user_message() {
        for prompt in [json!("hi"), json!(["hi"])] {
            let request =
                decode(json!({"model": "m", "prompt": prompt, "max_tokens": 5, "logprobs": 2, "stop": "x",
                "echo": false, "best_of": 1, "suffix": "", "min_p": 0.1}))
                .unwrap();
            assert_eq!(request.messages, [Message::text(Role::User, "hi")]);
            assert_eq!(
                (request.max_tokens, request.top_logprobs, request.logprobs),
                (Some(5), Some(2), Some(true))
            );
            assert_eq!(request.extra.keys().collect::<Vec<_>>(), ["min_p"]);
        }
    }

    #[test]
    fn what_chat_cannot_do_is_refused_by_name() {
        for (members, param) in [
            (json!({"prompt": ["a", "b"]}), "prompt"),
            (json!({"prompt": [1, 2]}), "prompt"),
            (json!({"prompt": [[1], [2]]}), "prompt"),
            (json!({"prompt": []}), "prompt"),
            (json!({"prompt": 7}), "prompt"),
            (json!({}), "prompt"),
            (json!({"prompt": "a", "echo": true}), "echo"),
            (json!({"prompt": "a", "best_of": 2}), "best_of"),
            (json!({"prompt": "a", "suffix": "z"}), "suffix"),
            (json!({"prompt": "a", "model": null}), "model"),
            (json!({"prompt": "a", "logprobs": true}), "logprobs"),
        ] {
            let mut body = members.clone();
            body.as_object_mut().unwrap().entry("model").or_insert(json!("m"));
            let error = decode(body).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{members}");
        }
    }

    fn logprobs() -> Value {
        json!({"content": [
            {"token": "é", "logprob": -0.5, "top_logprobs": [{"token": "é", "logprob": -0.5}]},
            {"token": "b", "logprob": -1.0, "top_logprobs": []}
        ]})
    }

    #[test]
    fn answers_are_text_completions() {
        let choice = Choice {
            index: 0,
            parts: vec![Part::text("éb")],
            finish: Some(Finish::new(FinishReason::ToolCalls)),
            logprobs: Some(logprobs()),
            extra: Extra::new(),
        };
        let response = ChatResponse {
            id: Some("c1".into()),
            choices: vec![choice],
            usage: Some(Usage { input: 1, output: 2, ..Usage::default() }),
            ..ChatResponse::default()
        };
        assert_eq!(
            String::from_utf8(Completions.encode_chat(&response, &CTX)).unwrap(),
            concat!(
                r#"{"id":"c1","object":"text_completion","created":7,"model":"m","provider":"p","choices":["#,
                r#"{"index":0,"text":"éb","logprobs":{"tokens":["é","b"],"token_logprobs":[-0.5,-1.0],"#,
                r#""top_logprobs":[{"é":-0.5},{}],"text_offset":[0,1]},"finish_reason":"stop"}],"#,
                r#""usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{"cached_tokens":0}}}"#
            )
        );
    }

    #[test]
    fn streams_have_the_same_shape() {
        let mut encoder = Completions.chat_stream(&CTX);
        let mut out = Vec::new();
        let start = StreamEvent::Start { id: Some("c1".into()), model: Some("m-1".into()), created: Some(9) };
        for event in [
            start,
            StreamEvent::Reasoning { choice: 0, text: "hidden".into() },
            StreamEvent::Text { choice: 0, text: "a".into() },
            StreamEvent::Finish { choice: 0, finish: Finish::new(FinishReason::Length) },
            StreamEvent::Usage(Usage { input: 1, output: 2, ..Usage::default() }),
            StreamEvent::End,
        ] {
            encoder.push(&event, &mut out);
        }
        let head = r#"data: {"id":"c1","object":"text_completion","created":9,"model":"m-1","provider":"p","choices":"#;
        let want = [
            format!(
                r#"{head}[{{"index":0,"text":"a","logprobs":null,"finish_reason":null}}],"usage":null}}"#
            ),
            format!(
                r#"{head}[{{"index":0,"text":"","logprobs":null,"finish_reason":"length"}}],"usage":null}}"#
            ),
            format!(
                r#"{head}[],"usage":{{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"prompt_tokens_details":{{"cached_tokens":0}}}}}}"#
            ),
            "data: [DONE]".to_owned(),
        ];
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.split_terminator("\n\n").collect::<Vec<_>>(), want);
    }

    #[test]
    fn offsets_go_on_over_chunks() {
        let mut offset = 0;
        write_logprobs(&logprobs(), &mut offset);
        assert_eq!(write_logprobs(&logprobs(), &mut offset)["text_offset"], json!([2, 3]));
    }
}
