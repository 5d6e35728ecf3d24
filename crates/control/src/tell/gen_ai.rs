//! OpenTelemetry's attributes of generative AI, in their present and earlier names, and those of OpenInference and Traceloop.

use serde_json::{Map, Value};
use tidegate_core::Usage;

use super::item::provider_of;
use super::read_value::{cut, first, word};
use super::told::{Content, ModelCall, Origin, Told};
use super::usage::whole;

/// What went in, and what came out: names and beginnings of names.
const INPUT: [&str; 8] = [
    "gen_ai.input.messages",
    "gen_ai.system_instructions",
    "gen_ai.prompt",
    "gen_ai.tool.call.arguments",
    "llm.input_messages",
    "llm.prompts",
    "input.value",
    "traceloop.entity.input",
];
const OUTPUT: [&str; 7] = [
    "gen_ai.output.messages",
    "gen_ai.completion",
    "gen_ai.tool.call.result",
    "llm.output_messages",
    "llm.completions",
    "output.value",
    "traceloop.entity.output",
];
const LONGEST: usize = 256;

/// Takes what has a place of its own out of the attributes of a span.
pub(super) fn read(
    told: &mut Told,
    attributes: &mut Map<String, Value>,
    resource: &Map<String, Value>,
    origin: &Origin,
) {
    let operation = word(first(attributes, &["gen_ai.operation.name"]), 64);
    let kind =
        word(first(attributes, &["openinference.span.kind", "traceloop.span.kind", "llm.request.type"]), 64);
    told.input = taken(attributes, &INPUT);
    told.output = taken(attributes, &OUTPUT);
    let user = first(attributes, &["user.id", "enduser.id"]).or_else(|| first(resource, &["user.id"]));
    let session = first(attributes, &["session.id", "gen_ai.conversation.id"])
        .or_else(|| first(resource, &["session.id"]));
    for (name, value) in [("_user", user), ("_session", session)] {
        let value = word(value, 128);
        if !value.is_empty() && !told.metadata.iter().any(|(known, _)| known == name) {
            told.metadata.push((name.to_owned(), value));
        }
    }
    let status = first(attributes, &["http.response.status_code", "http.status_code"]).and_then(whole);
    told.status = status.and_then(|status| u16::try_from(status).ok()).or(told.status);
    let error = word(first(attributes, &["error.type", "exception.message"]), 1_024);
    told.is_error |= !error.is_empty() || told.status.is_some_and(|status| status >= 400);
    if told.reason.is_empty() {
        told.reason = error;
    }
    if let Some(route) = route(&operation, &kind, attributes) {
        told.call = Some(call(attributes, route, origin));
    }
    let said = if operation.is_empty() { kind.to_ascii_lowercase() } else { operation };
    if !said.is_empty() {
        told.kind = said;
    }
}

/// `None`: it is no call of a model.
fn route(operation: &str, kind: &str, attributes: &Map<String, Value>) -> Option<&'static str> {
    match operation {
        "chat" | "generate_content" => return Some("chat_completions"),
        "text_completion" => return Some("completions"),
        "embeddings" => return Some("embeddings"),
        "" => {}
        _ => return None,
    }
    match kind.to_ascii_lowercase().as_str() {
        "llm" | "chat" | "completion" => return Some("chat_completions"),
        "embedding" => return Some("embeddings"),
        "" => {}
        _ => return None,
    }
    let model = first(attributes, &["gen_ai.request.model", "gen_ai.response.model", "llm.model_name"]);
    model.map(|_| "chat_completions")
}

fn call(attributes: &Map<String, Value>, route: &'static str, origin: &Origin) -> ModelCall {
    let text = |names: &[&str]| word(first(attributes, names), LONGEST);
    let finish = first(attributes, &["gen_ai.response.finish_reasons"]);
    let finish = finish.map(|all| all.get(0).unwrap_or(all));
    ModelCall {
        provider: provider(&text(&["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"])),
        asked_model: text(&["gen_ai.request.model", "llm.model_name"]),
        model: text(&["gen_ai.response.model"]),
        route,
        method: "POST".to_owned(),
        url: text(&["url.full", "http.url", "server.address"])
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned(),
        stream: first(attributes, &["gen_ai.request.stream", "llm.is_streaming"])
            .and_then(Value::as_bool)
            .unwrap_or(false),
        finish: word(finish, 64),
        usage: usage(attributes),
        is_ours: is_ours(attributes, origin),
    }
}

/// By the address that the call went to.
fn is_ours(attributes: &Map<String, Value>, origin: &Origin) -> bool {
    let text = |names: &[&str]| word(first(attributes, names), 2_048);
    let host = text(&["server.address", "net.peer.name"]);
    let port = first(attributes, &["server.port", "net.peer.port"]).and_then(whole);
    let is_host = !host.is_empty() && origin.is_host(&host, port);
    is_host || origin.is(&text(&["url.full", "http.url"])) || origin.is(&host)
}

/// OpenTelemetry's names of providers, as the catalogue has them.
fn provider(name: &str) -> String {
    let known = match name.to_ascii_lowercase().as_str() {
        "aws.bedrock" => "bedrock",
        "azure.ai.openai" | "az.ai.openai" | "azure" => "azure-openai",
        "azure.ai.inference" | "az.ai.inference" => "azure-ai",
        "gcp.vertex_ai" | "vertex_ai" => "vertex-ai",
        "gcp.gemini" | "gcp.gen_ai" | "gemini" => "google",
        "mistral_ai" => "mistral-ai",
        "x_ai" | "xai" => "x-ai",
        other => return provider_of(other),
    };
    known.to_owned()
}

/// The input has the cached tokens inside, as the conventions say.
fn usage(attributes: &Map<String, Value>) -> Option<Usage> {
    let count = |names: &[&str]| first(attributes, names).and_then(whole);
    let input = count(&[
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ]);
    let output = count(&[
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ]);
    if input.is_none() && output.is_none() {
        return None;
    }
    let read = count(&[
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ]);
    let written = count(&[
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ]);
    let input = input.unwrap_or(0);
    let read = read.map(|read| read.min(input));
    let written = written.map(|written| written.min(input - read.unwrap_or(0)));
    Some(Usage {
        input: input - read.unwrap_or(0) - written.unwrap_or(0),
        cache_read: read,
        cache_write: written,
        output: output.unwrap_or(0),
        reasoning: count(&["gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens"]),
        ..Usage::default()
    })
}

/// One attribute is its value; several are an object of them.
fn taken(attributes: &mut Map<String, Value>, names: &[&str]) -> Option<Content> {
    let is_one = |name: &str| {
        names.iter().any(|known| {
            name.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let found: Vec<String> = attributes.keys().filter(|name| is_one(name)).cloned().collect();
    let mut all: Map<String, Value> = found
        .into_iter()
        .filter_map(|name| attributes.shift_remove(&name).map(|value| (name, parsed(value))))
        .collect();
    let body = match all.len() {
        0 => return None,
        1 => all.values_mut().next().map(Value::take)?,
        _ => Value::Object(all),
    };
    Some(Content { body, ..Content::default() })
}

/// Attributes have no objects: messages travel as their JSON text.
fn parsed(value: Value) -> Value {
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        other => other,
    }
}

/// Bounded: so many attributes, so long texts.
pub(super) fn bounded(attributes: Map<String, Value>) -> Map<String, Value> {
    const MOST: usize = 128;
    const LONGEST_TEXT: usize = 4_096;
    let one = |(name, value): (String, Value)| {
        let value = match value {
            Value::String(text) => Value::String(cut(&text, LONGEST_TEXT).to_owned()),
            other if other.to_string().len() > LONGEST_TEXT => Value::String("[too large]".to_owned()),
            other => other,
        };
        (cut(&name, LONGEST).to_owned(), value)
    };
    attributes.into_iter().take(MOST).map(one).collect()
}
