//! A whole request for `/api/chat`.

use std::borrow::Cow;

use serde_json::{Map, Value};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{Request, Think};
use super::{messages, tools};
use crate::chat::{ChatRequest, Effort, Reasoning, ResponseFormat};
use crate::{EncodeContext, Encoded, losses};

/// Runtime parameters of Ollama's that have no name in the neutral form; also understood at the top of a request.
const OWN_OPTIONS: [&str; 17] = [
    "num_ctx",
    "num_keep",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "use_mmap",
    "min_p",
    "typical_p",
    "tfs_z",
    "repeat_last_n",
    "repeat_penalty",
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "penalize_newline",
    "numa",
];

pub(super) fn encode(request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(ApiError::bad_request("n", "Ollama gives one answer at a time: `n` must be 1"));
    }
    let mut warnings = Warnings::default();
    let mut own = own_members(request, &mut warnings)?;
    losses::of_request(request, &mut warnings);
    options(request, &mut own.options);
    let body = Request {
        model: &request.model,
        messages: messages::messages(request, &mut warnings)?,
        stream: request.stream,
        tools: tools::tools(request, &mut warnings)?,
        format: request.response_format.as_ref().and_then(format),
        think: request.reasoning.as_ref().map(|reasoning| think(reasoning, &mut warnings)),
        keep_alive: own.keep_alive,
        logprobs: request.logprobs,
        top_logprobs: request.top_logprobs,
        options: own.options,
    };
    Encoded::of(&body, ctx.adjust, warnings)
}

/// Members that only Ollama has, as the client wrote them.
#[derive(Debug, Default)]
struct OwnMembers<'a> {
    keep_alive: Option<&'a Value>,
    options: Map<String, Value>,
}

fn own_members<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Result<OwnMembers<'a>, ApiError> {
    let mut own = OwnMembers::default();
    for (member, value) in &request.extra {
        match (member.as_str(), value) {
            ("keep_alive", _) => own.keep_alive = Some(value),
            ("options", Value::Object(options)) => own.options.extend(options.clone()),
            ("options", _) => {
                let message = "an object of Ollama's parameters is wanted, such as `{\"num_ctx\": 8192}`";
                return Err(ApiError::bad_request(member, message));
            }
            ("modalities", Value::Array(words)) if words.iter().all(|word| word == "text") => {}
            ("modalities" | "audio", _) => {
                return Err(ApiError::bad_request(member, "Ollama answers with text only"));
            }
            ("mcp_servers", _) => {
                let message = "Ollama does not reach MCP servers: give their tools as functions";
                return Err(ApiError::bad_request(member, message));
            }
            (name, _) if OWN_OPTIONS.contains(&name) => {
                own.options.insert(name.to_owned(), value.clone());
            }
            _ => warnings.dropped(member),
        }
    }
    Ok(own)
}

fn options(request: &ChatRequest, options: &mut Map<String, Value>) {
    let number = |number: &Option<serde_json::Number>| number.clone().map(Value::Number);
    let given = [
        ("num_predict", request.max_tokens.map(Value::from)),
        ("temperature", number(&request.temperature)),
        ("top_p", number(&request.top_p)),
        ("top_k", number(&request.top_k)),
        ("seed", number(&request.seed)),
        ("frequency_penalty", number(&request.frequency_penalty)),
        ("presence_penalty", number(&request.presence_penalty)),
        ("stop", (!request.stop.is_empty()).then(|| request.stop.clone().into())),
    ];
    options.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

fn format(format: &ResponseFormat) -> Option<Cow<'_, Value>> {
    match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(Cow::Owned("json".into())),
        ResponseFormat::JsonSchema { schema, .. } => Some(Cow::Borrowed(schema)),
    }
}

/// Ollama knows three levels, and on and off.
fn think(reasoning: &Reasoning, warnings: &mut Warnings) -> Think {
    let raw_type = reasoning.raw.as_ref().and_then(|raw| raw.get("type"));
    let (effort, param) = match (reasoning.budget_tokens, reasoning.effort) {
        (Some(tokens), _) => (Effort::of_budget(tokens), "thinking.budget_tokens"),
        (None, Some(effort)) => (effort, "reasoning_effort"),
        (None, None) => return Think::Switch(raw_type.is_none_or(|kind| kind != "disabled")),
    };
    let (level, exact) = match effort {
        Effort::None => return Think::Switch(false),
        Effort::Minimal => ("low", false),
        Effort::Low => ("low", true),
        Effort::Medium => ("medium", true),
        Effort::High => ("high", true),
        Effort::XHigh | Effort::Max => ("high", false),
    };
    if !exact || reasoning.budget_tokens.is_some() {
        warnings.push_note(Verdict::Shaped, param, level);
    }
    Think::Level(level)
}

#[cfg(test)]
mod tests {
    use serde_json::{Number, json};

    use super::*;
    use crate::chat::{Message, Role};
    use crate::{Adjust, DialectId};

    fn request() -> ChatRequest {
        let messages = vec![Message::text(Role::User, "a")];
        ChatRequest { messages, ..ChatRequest::new(DialectId::OpenAi, "llama") }
    }

    fn with_extra(extra: Value) -> ChatRequest {
        let Value::Object(extra) = extra else { panic!("an object is wanted") };
        ChatRequest { extra, ..request() }
    }

    fn encoded(request: &ChatRequest) -> Result<(Value, String), ApiError> {
        let adjust = Adjust::default();
        let encoded =
            encode(request, &EncodeContext { provider: "ollama", adjust: &adjust, max_output_tokens: None })?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    #[test]
    fn parameters_go_into_options() {
        let request = ChatRequest {
            max_tokens: Some(9),
            temperature: Number::from_f64(0.5),
            top_p: Number::from_f64(0.9),
            top_k: Some(40.into()),
            seed: Some(7.into()),
            frequency_penalty: Number::from_f64(-0.5),
            presence_penalty: Number::from_f64(1.5),
            stop: vec!["x".into()],
            logprobs: Some(true),
            top_logprobs: Some(2),
            ..with_extra(json!({
                "options": {"num_ctx": 8192, "temperature": 1}, "min_p": 0.1, "keep_alive": "5m", "store": true,
            }))
        };
        let expected = json!({
            "model": "llama", "messages": [{"role": "user", "content": "a"}], "stream": false,
            "keep_alive": "5m", "logprobs": true, "top_logprobs": 2,
            "options": {
                "num_ctx": 8192, "temperature": 0.5, "min_p": 0.1, "num_predict": 9, "top_p": 0.9, "top_k": 40,
                "seed": 7, "frequency_penalty": -0.5, "presence_penalty": 1.5, "stop": ["x"],
            },
        });
        assert_eq!(encoded(&request).unwrap(), (expected, "dropped;store".to_owned()));
    }

    #[test]
    fn streaming_is_always_said() {
        let (body, _) = encoded(&ChatRequest { stream: true, ..request() }).unwrap();
        assert_eq!(body["stream"], true);
    }

    #[test]
    fn members_without_a_place_are_reported() {
        let request = ChatRequest {
            logit_bias: Some(json!({})),
            user: Some("u".into()),
            service_tier: Some("flex".into()),
            parallel_tool_calls: Some(false),
            ..request()
        };
        let expected = "dropped;logit_bias, dropped;user, dropped;service_tier, dropped;parallel_tool_calls";
        assert_eq!(encoded(&request).unwrap().1, expected);
    }

    #[test]
    fn requests_that_cannot_be_said_are_refused() {
        for (request, param) in [
            (ChatRequest { n: Some(2), ..request() }, "n"),
            (with_extra(json!({"options": 1})), "options"),
            (with_extra(json!({"modalities": ["text", "audio"]})), "modalities"),
            (with_extra(json!({"audio": {}})), "audio"),
            (with_extra(json!({"mcp_servers": []})), "mcp_servers"),
        ] {
            let error = encoded(&request).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
        assert!(encoded(&with_extra(json!({"modalities": ["text"]}))).is_ok());
    }

    #[test]
    fn the_form_of_the_answer_is_a_word_or_a_schema() {
        let schema = json!({"type": "object"});
        let by_schema = ResponseFormat::JsonSchema {
            name: "n".into(),
            description: None,
            schema: schema.clone(),
            strict: None,
        };
        for (format, expected) in [
            (ResponseFormat::Text, Value::Null),
            (ResponseFormat::JsonObject, json!("json")),
            (by_schema, schema),
        ] {
            let (body, _) = encoded(&ChatRequest { response_format: Some(format), ..request() }).unwrap();
            assert_eq!(body.get("format").unwrap_or(&Value::Null), &expected);
        }
    }

    #[test]
    fn thinking_is_a_switch_or_a_level() {
        let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
        let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
        let raw = |kind: &str| Reasoning { raw: Some(json!({"type": kind})), ..Reasoning::default() };
        for (reasoning, expected, warned) in [
            (effort(Effort::None), json!(false), ""),
            (effort(Effort::Minimal), json!("low"), "shaped;reasoning_effort=low"),
            (effort(Effort::Medium), json!("medium"), ""),
            (effort(Effort::Max), json!("high"), "shaped;reasoning_effort=high"),
            (budget(0), json!(false), ""),
            (budget(5_000), json!("medium"), "shaped;thinking.budget_tokens=medium"),
            (raw("disabled"), json!(false), ""),
            (raw("adaptive"), json!(true), ""),
        ] {
            let (body, seen) = encoded(&ChatRequest { reasoning: Some(reasoning), ..request() }).unwrap();
            assert_eq!((&body["think"], seen.as_str()), (&expected, warned));
        }
    }
}
