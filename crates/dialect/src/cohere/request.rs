//! A whole request for `/v2/chat`.

use std::collections::BTreeMap;

use serde_json::{Number, Value};
use tidegate_core::{ApiError, Verdict, Warnings};

use super::wire::{Request, ResponseFormat, Thinking};
use super::{messages, tools};
use crate::chat::{self, ChatRequest, Effort, Reasoning};
use crate::{EncodeContext, Encoded, losses};

const MAX_STOPS: usize = 5;

pub(super) fn encode(request: &ChatRequest, ctx: &EncodeContext<'_>) -> Result<Encoded, ApiError> {
    if request.n.is_some_and(|n| n != 1) {
        return Err(ApiError::bad_request("n", "Cohere gives one answer at a time: `n` must be 1"));
    }
    let mut warnings = Warnings::default();
    let own = own_members(request, &mut warnings)?;
    report_lost(request, &mut warnings);
    let tools = tools::tools(request, &mut warnings)?;
    let clamp = |value: &Option<Number>, bounds, param, warnings: &mut Warnings| {
        value.as_ref().map(|value| clamped(value, bounds, param, warnings))
    };
    let body = Request {
        model: &request.model,
        messages: messages::messages(&request.messages, &mut warnings)?,
        stream: request.stream,
        max_tokens: request.max_tokens,
        temperature: request.temperature.as_ref(),
        p: clamp(&request.top_p, (0.01, 0.99), "top_p", &mut warnings),
        k: clamp(&request.top_k, (0.0, 500.0), "top_k", &mut warnings),
        frequency_penalty: clamp(&request.frequency_penalty, (0.0, 1.0), "frequency_penalty", &mut warnings),
        presence_penalty: clamp(&request.presence_penalty, (0.0, 1.0), "presence_penalty", &mut warnings),
        stop_sequences: losses::of_stops(&request.stop, MAX_STOPS, &mut warnings),
        seed: request.seed.as_ref(),
        logprobs: request.logprobs,
        tool_choice: tools.choice,
        strict_tools: tools.strict,
        tools: tools.entries,
        response_format: request.response_format.as_ref().and_then(response_format),
        thinking: request.reasoning.as_ref().map(|reasoning| thinking(reasoning, &mut warnings)),
        own,
    };
    Encoded::of(&body, ctx.adjust, warnings)
}

/// Members that only Cohere has, as the client wrote them.
fn own_members<'a>(
    request: &'a ChatRequest,
    warnings: &mut Warnings,
) -> Result<BTreeMap<&'a str, &'a Value>, ApiError> {
    let mut own = BTreeMap::new();
    for (member, value) in &request.extra {
        match member.as_str() {
            "documents" | "citation_options" | "safety_mode" | "priority" => {
                own.insert(member.as_str(), value);
            }
            "modalities" if !wants_audio(value) => {}
            "modalities" | "audio" => {
                return Err(ApiError::bad_request(member, "Cohere answers with text only"));
            }
            "mcp_servers" => {
                let message = "Cohere does not reach MCP servers: give their tools as functions";
                return Err(ApiError::bad_request(member, message));
            }
            _ => warnings.dropped(member),
        }
    }
    Ok(own)
}

/// Anything beside text is wanted.
fn wants_audio(modalities: &Value) -> bool {
    modalities.as_array().is_none_or(|words| words.iter().any(|word| word != "text"))
}

fn report_lost(request: &ChatRequest, warnings: &mut Warnings) {
    losses::of_request(request, warnings);
    if request.top_logprobs.is_some() {
        warnings.dropped("top_logprobs");
    }
}

fn clamped(value: &Number, (low, high): (f64, f64), param: &str, warnings: &mut Warnings) -> Number {
    let given = value.as_f64().unwrap_or(low);
    let bound = given.clamp(low, high);
    if bound == given {
        return value.clone();
    }
    let bound = if bound.fract() == 0.0 { Some(Number::from(bound as i64)) } else { Number::from_f64(bound) };
    let bound = bound.unwrap_or_else(|| value.clone());
    warnings.push_note(Verdict::Shaped, param, bound.to_string());
    bound
}

/// Text is the default and goes unsaid.
fn response_format(format: &chat::ResponseFormat) -> Option<ResponseFormat<'_>> {
    let json_schema = match format {
        chat::ResponseFormat::Text => return None,
        chat::ResponseFormat::JsonObject => None,
        chat::ResponseFormat::JsonSchema { schema, .. } => Some(schema),
    };
    Some(ResponseFormat { r#type: "json_object", json_schema })
}

/// Cohere's switch has no levels between off and on, only a bound.
fn thinking(reasoning: &Reasoning, warnings: &mut Warnings) -> Thinking {
    let raw_type = reasoning.raw.as_ref().and_then(|raw| raw.get("type"));
    let off = match (reasoning.budget_tokens, reasoning.effort) {
        (Some(tokens), _) => tokens == 0,
        (None, Some(effort)) => effort == Effort::None,
        (None, None) => raw_type.is_some_and(|kind| kind == "disabled"),
    };
    if off {
        return Thinking { r#type: "disabled", token_budget: None };
    }
    if reasoning.budget_tokens.is_none() && reasoning.effort.is_some() {
        warnings.push_note(Verdict::Shaped, "reasoning_effort", "enabled");
    }
    Thinking { r#type: "enabled", token_budget: reasoning.budget_tokens }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Message, Role};
    use crate::{Adjust, DialectId};

    fn request() -> ChatRequest {
        let messages = vec![Message::text(Role::User, "a")];
        ChatRequest { messages, ..ChatRequest::new(DialectId::OpenAi, "command-a") }
    }

    fn with_extra(extra: Value) -> ChatRequest {
        let Value::Object(extra) = extra else { panic!("an object is wanted") };
        ChatRequest { extra, ..request() }
    }

    fn encoded(request: &ChatRequest) -> Result<(Value, String), ApiError> {
        let adjust = Adjust::default();
        let encoded =
            encode(request, &EncodeContext { provider: "cohere", adjust: &adjust, max_output_tokens: None })?;
        Ok((serde_json::from_slice(&encoded.body).unwrap(), encoded.warnings.header_value()))
    }

    #[test]
    fn parameters_are_renamed_and_clamped() {
        let number = |value: f64| Number::from_f64(value);
        let plain = ChatRequest {
            max_tokens: Some(9),
            temperature: number(0.5),
            top_p: number(0.9),
            top_k: Some(40.into()),
            frequency_penalty: number(0.5),
            presence_penalty: number(0.25),
            stop: vec!["x".into()],
            seed: Some(7.into()),
            logprobs: Some(true),
            stream: true,
            ..request()
        };
        let expected = json!({
            "model": "command-a", "messages": [{"role": "user", "content": "a"}], "stream": true,
            "max_tokens": 9, "temperature": 0.5, "p": 0.9, "k": 40, "frequency_penalty": 0.5,
            "presence_penalty": 0.25, "stop_sequences": ["x"], "seed": 7, "logprobs": true,
        });
        assert_eq!(encoded(&plain).unwrap(), (expected, String::new()));

        let beyond = ChatRequest {
            top_p: Some(1.into()),
            top_k: Some(501.into()),
            frequency_penalty: number(-0.5),
            presence_penalty: number(1.5),
            stop: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(),
            ..request()
        };
        let (body, warned) = encoded(&beyond).unwrap();
        let seen = (&body["p"], &body["k"], &body["frequency_penalty"], &body["presence_penalty"]);
        assert_eq!(seen, (&json!(0.99), &json!(500), &json!(0), &json!(1)));
        let lost = "shaped;top_p=0.99, shaped;top_k=500, shaped;frequency_penalty=0, shaped;presence_penalty=1, \
                    shaped;stop=first_5";
        assert_eq!(warned, lost);
    }

    #[test]
    fn members_of_cohere_pass_and_others_are_reported() {
        let own = json!({"documents": ["d"], "citation_options": {"mode": "FAST"}, "safety_mode": "OFF"});
        let (body, warned) = encoded(&with_extra(own.clone())).unwrap();
        for (member, value) in own.as_object().unwrap() {
            assert_eq!(&body[member], value);
        }
        assert_eq!(warned, "");

        let lost = ChatRequest {
            logit_bias: Some(json!({})),
            top_logprobs: Some(2),
            user: Some("u".into()),
            service_tier: Some("flex".into()),
            parallel_tool_calls: Some(false),
            ..with_extra(json!({"store": true, "modalities": ["text"]}))
        };
        let (_, warned) = encoded(&lost).unwrap();
        let expected = "dropped;store, dropped;logit_bias, dropped;user, dropped;service_tier, \
                        dropped;parallel_tool_calls, dropped;top_logprobs";
        assert_eq!(warned, expected);
    }

    #[test]
    fn differences_of_a_vendor_are_applied() {
        let adjust = Adjust {
            rename: vec![("stop_sequences".into(), "stops".into())],
            drop: vec!["seed".into()],
            ..Adjust::default()
        };
        let request = ChatRequest { stop: vec!["x".into()], seed: Some(7.into()), ..request() };
        let ctx = EncodeContext { provider: "elsewhere", adjust: &adjust, max_output_tokens: None };
        let encoded = encode(&request, &ctx).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        let expected = json!({
            "model": "command-a", "messages": [{"role": "user", "content": "a"}], "stream": false, "stops": ["x"],
        });
        assert_eq!((body, encoded.warnings.header_value().as_str()), (expected, "dropped;seed"));
    }

    #[test]
    fn requests_that_cannot_be_said_are_refused() {
        for (request, param) in [
            (ChatRequest { n: Some(2), ..request() }, "n"),
            (with_extra(json!({"modalities": ["text", "audio"]})), "modalities"),
            (with_extra(json!({"audio": {"voice": "x"}})), "audio"),
            (with_extra(json!({"mcp_servers": []})), "mcp_servers"),
        ] {
            let error = encoded(&request).unwrap_err();
            assert_eq!((error.status, error.param.as_deref()), (400, Some(param)));
        }
    }

    #[test]
    fn the_form_of_the_answer_is_json_with_or_without_a_schema() {
        let schema = json!({"type": "object", "required": ["a"]});
        let by_schema = chat::ResponseFormat::JsonSchema {
            name: "n".into(),
            description: None,
            schema: schema.clone(),
            strict: None,
        };
        for (format, expected) in [
            (chat::ResponseFormat::Text, Value::Null),
            (chat::ResponseFormat::JsonObject, json!({"type": "json_object"})),
            (by_schema, json!({"type": "json_object", "json_schema": schema})),
        ] {
            let (body, _) = encoded(&ChatRequest { response_format: Some(format), ..request() }).unwrap();
            assert_eq!(body.get("response_format").unwrap_or(&Value::Null), &expected);
        }
    }

    #[test]
    fn thinking_is_a_switch_with_a_bound() {
        let effort = |effort| Reasoning { effort: Some(effort), ..Reasoning::default() };
        let budget = |tokens| Reasoning { budget_tokens: Some(tokens), ..Reasoning::default() };
        let raw = |kind: &str| Reasoning { raw: Some(json!({"type": kind})), ..Reasoning::default() };
        for (reasoning, expected, warned) in [
            (effort(Effort::None), json!({"type": "disabled"}), ""),
            (effort(Effort::High), json!({"type": "enabled"}), "shaped;reasoning_effort=enabled"),
            (budget(500), json!({"type": "enabled", "token_budget": 500}), ""),
            (budget(0), json!({"type": "disabled"}), ""),
            (raw("disabled"), json!({"type": "disabled"}), ""),
            (raw("adaptive"), json!({"type": "enabled"}), ""),
        ] {
            let (body, seen) = encoded(&ChatRequest { reasoning: Some(reasoning), ..request() }).unwrap();
            assert_eq!((&body["thinking"], seen.as_str()), (&expected, warned));
        }
    }
}
