//! The neutral request as a body for Anthropic. What each member becomes, and what is lost, is decided here and in the
//! files beside; the warnings say the rest.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};
use tidegate_core::{ApiError, ErrorKind, Fault, Verdict, Warnings};

use super::{thinking, tools, turns};
use crate::anthropic_messages::models::Model;
use crate::anthropic_messages::wire::{Block, Body, Members, Sampling};
use crate::chat::{ChatRequest, Part, Role};
use crate::{DialectId, EncodeContext, Encoded, openai_chat};

/// Bound on generated tokens where neither the client nor the catalogue has one, beside what is set aside for
/// thinking. Every model takes it.
const DEFAULT_MAX_TOKENS: u64 = 4_096;

/// Top-level members of Anthropic's that clients of any dialect may add.
const OWN_MEMBERS: [&str; 7] = [
    "cache_control",
    "container",
    "context_management",
    "mcp_servers",
    "inference_geo",
    "speed",
    "diagnostics",
];

/// Members that were used elsewhere: as headers, as a tool, or because answers of this dialect always hold them.
const USED_MEMBERS: [&str; 4] =
    ["anthropic_beta", "anthropic_version", "web_search_options", "stream_options"];

/// What the body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::anthropic_messages) enum Purpose {
    Message,
    /// `count_tokens` refuses whatever has no part in the prompt.
    CountTokens,
}

/// # Errors
/// 400 naming the member that cannot be said and must not be left out.
pub(in crate::anthropic_messages) fn encode(
    request: &ChatRequest,
    ctx: &EncodeContext<'_>,
    purpose: Purpose,
) -> Result<Encoded, ApiError> {
    let mut warnings = Warnings::default();
    let body = body(request, ctx, purpose, &mut warnings)?;
    let mut bytes = bytes_of(&body)?;
    if !ctx.adjust.is_empty() {
        bytes = adjusted(&bytes, ctx, &mut warnings)?;
    }
    Ok(Encoded { body: bytes, warnings })
}

fn body<'a>(
    request: &'a ChatRequest,
    ctx: &EncodeContext<'_>,
    purpose: Purpose,
    warnings: &mut Warnings,
) -> Result<Body<'a>, ApiError> {
    let model = Model::of(&request.model);
    refuse_unsayable(request, model)?;
    let turns::Conversation { mut system, turns } = turns::write(request, warnings)?;
    let limit = request.max_tokens.or(ctx.max_output_tokens);
    let thinking = thinking::plan(request, model, limit, warnings);
    let tools = tools::plan(request, model, thinking.on, warnings)?;
    system.extend(tools.instruction.map(Block::text));
    let mut output_config = own_output_config(request);
    if let Some(effort) = thinking.effort {
        output_config.insert("effort".to_owned(), effort.as_str().into());
    }
    if let Some(format) = tools.format {
        output_config.insert("format".to_owned(), format);
    }
    let mut body = Body {
        model: &request.model,
        messages: turns,
        system,
        tools: tools.tools,
        tool_choice: tools.choice,
        max_tokens: None,
        sampling: Sampling::default(),
        stop_sequences: Vec::new(),
        stream: false,
        metadata: None,
        thinking: thinking.thinking,
        output_config,
        service_tier: None,
        more: more(request, warnings),
    };
    if purpose == Purpose::Message {
        note_dropped(request, warnings);
        body.max_tokens = Some(limit.unwrap_or_else(|| default_max_tokens(thinking.budget, warnings)));
        body.sampling = sampling(request, model, thinking.on, warnings);
        body.stop_sequences = stop_sequences(request, warnings);
        body.stream = request.stream;
        body.metadata = metadata(request);
        body.service_tier = service_tier(request, warnings);
    }
    Ok(body)
}

/// What cannot be left out without answering another question than the one asked.
fn refuse_unsayable(request: &ChatRequest, model: Model) -> Result<(), ApiError> {
    if request.n.is_some_and(|n| n > 1) {
        return Err(ApiError::bad_request("n", "Anthropic gives one answer; `n` must be 1 or left out"));
    }
    let wants_audio = |modalities: &Value| {
        modalities.as_array().is_some_and(|list| list.iter().any(|modality| modality == "audio"))
    };
    if request.extra.get("modalities").is_some_and(wants_audio) {
        let message = "Anthropic answers in text only; leave `audio` out of `modalities`";
        return Err(ApiError::bad_request("modalities", message));
    }
    if !model.prefill && ends_in_prefill(request) {
        let message = format!(
            "`{}` does not go on from a last message of the assistant; end with a user message",
            request.model
        );
        return Err(ApiError::bad_request("messages", message));
    }
    if request.messages.iter().all(|message| matches!(message.role, Role::System | Role::Developer)) {
        let message = "Anthropic needs a message that is not a system message";
        return Err(ApiError::bad_request("messages", message));
    }
    Ok(())
}

/// A paused turn with server tools in it is sent back to be gone on with: that is no prefill.
fn ends_in_prefill(request: &ChatRequest) -> bool {
    request.messages.last().is_some_and(|last| {
        last.role == Role::Assistant
            && !last.parts.is_empty()
            && !last
                .parts
                .iter()
                .any(|part| matches!(part, Part::Opaque { origin: DialectId::Anthropic, .. }))
    })
}

fn default_max_tokens(budget: u64, warnings: &mut Warnings) -> u64 {
    let max_tokens = budget + DEFAULT_MAX_TOKENS;
    warnings.push_note(Verdict::Shaped, "max_tokens", max_tokens.to_string());
    max_tokens
}

fn sampling<'a>(
    request: &'a ChatRequest,
    model: Model,
    thinking: bool,
    warnings: &mut Warnings,
) -> Sampling<'a> {
    let mut sampling = Sampling {
        temperature: request.temperature.as_ref().map(Cow::Borrowed),
        top_p: request.top_p.as_ref(),
        top_k: request.top_k.as_ref(),
    };
    let value = |number: &Number| number.as_f64().unwrap_or_default();
    let fixed = !model.sampling;
    if !fixed && sampling.temperature.as_ref().is_some_and(|temperature| value(temperature) > 1.0) {
        warnings.push_note(Verdict::Shaped, "temperature", "1");
        sampling.temperature = Some(Cow::Owned(Number::from(1)));
    }
    let mut drop = |name: &str, drop: bool| {
        if drop {
            warnings.dropped(name);
        }
        drop
    };
    let hot = sampling.temperature.as_ref().is_some_and(|t| fixed || thinking && value(t) != 1.0);
    if drop("temperature", hot) {
        sampling.temperature = None;
    }
    let both = sampling.temperature.is_some() && !model.temperature_with_top_p;
    // While thinking only values close to 1 are taken.
    let narrow = sampling.top_p.is_some_and(|p| fixed || both || thinking && value(p) < 0.95);
    if drop("top_p", narrow) {
        sampling.top_p = None;
    }
    if drop("top_k", sampling.top_k.is_some() && (fixed || thinking)) {
        sampling.top_k = None;
    }
    sampling
}

/// The API refuses sequences of white space only.
fn stop_sequences<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Vec<&'a str> {
    let (blank, said): (Vec<&str>, Vec<&str>) =
        request.stop.iter().map(String::as_str).partition(|stop| stop.trim().is_empty());
    if !blank.is_empty() {
        warnings.dropped("stop");
    }
    said
}

fn metadata(request: &ChatRequest) -> Option<Value> {
    let mut metadata = match request.extra.get("metadata") {
        Some(Value::Object(own)) if request.origin == DialectId::Anthropic => own.clone(),
        _ => Map::new(),
    };
    if let Some(user) = &request.user {
        metadata.insert("user_id".to_owned(), user.as_str().into());
    }
    (!metadata.is_empty()).then_some(Value::Object(metadata))
}

fn service_tier<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Option<&'a str> {
    let tier = request.service_tier.as_deref()?;
    if request.origin == DialectId::Anthropic {
        return Some(tier);
    }
    Some(match tier {
        "default" => "standard_only",
        "auto" => "auto",
        _ => {
            warnings.push_note(Verdict::Shaped, "service_tier", "auto");
            "auto"
        }
    })
}

/// Members of `output_config` without a neutral place.
fn own_output_config(request: &ChatRequest) -> Map<String, Value> {
    match request.extra.get("output_config") {
        Some(Value::Object(config)) if request.origin == DialectId::Anthropic => config.clone(),
        _ => Map::new(),
    }
}

/// The members that have no neutral place: Anthropic's own go on, the others are reported.
fn more<'a>(request: &'a ChatRequest, warnings: &mut Warnings) -> Members<'a> {
    let own = request.origin == DialectId::Anthropic;
    let mut more = Members::default();
    for (key, value) in &request.extra {
        let written_elsewhere = own && matches!(key.as_str(), "metadata" | "output_config");
        if written_elsewhere || USED_MEMBERS.contains(&key.as_str()) || says_nothing(key, value) {
            continue;
        }
        if own || OWN_MEMBERS.contains(&key.as_str()) {
            more.0.push((key, value));
        } else {
            warnings.dropped(key);
        }
    }
    more
}

/// Members whose absence means the same.
fn says_nothing(key: &str, value: &Value) -> bool {
    match (key, value) {
        (_, Value::Null) => true,
        ("store", Value::Bool(store)) => !store,
        ("modalities", Value::Array(modalities)) => modalities.iter().all(|modality| modality == "text"),
        _ => false,
    }
}

/// Parameters with a neutral name that this API does not have.
fn note_dropped(request: &ChatRequest, warnings: &mut Warnings) {
    let counts = |number: &Option<Number>| number.as_ref().is_some_and(|n| n.as_f64() != Some(0.0));
    let bias = request.logit_bias.as_ref();
    for (param, said) in [
        ("frequency_penalty", counts(&request.frequency_penalty)),
        ("presence_penalty", counts(&request.presence_penalty)),
        ("seed", request.seed.is_some()),
        ("logit_bias", bias.is_some_and(|bias| bias.as_object().is_none_or(|bias| !bias.is_empty()))),
        ("logprobs", request.logprobs == Some(true)),
        ("top_logprobs", request.top_logprobs.is_some_and(|top| top > 0)),
    ] {
        if said {
            warnings.dropped(param);
        }
    }
}

fn bytes_of(body: &impl serde::Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(body).map_err(not_written)
}

fn not_written(error: serde_json::Error) -> ApiError {
    let message = format!("the request could not be written: {error}");
    ApiError::new(ErrorKind::Internal, Fault::Gateway, 500, message)
}

/// Applies a vendor's differences, which are about top-level members.
fn adjusted(bytes: &[u8], ctx: &EncodeContext<'_>, warnings: &mut Warnings) -> Result<Vec<u8>, ApiError> {
    let mut body: Map<String, Value> = serde_json::from_slice(bytes).map_err(not_written)?;
    openai_chat::adjust_body(&mut body, ctx.adjust, warnings);
    bytes_of(&body)
}

#[cfg(test)]
mod tests;
