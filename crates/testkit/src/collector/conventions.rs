//! OpenTelemetry's conventions for spans of generative AI (semantic conventions 1.41, `gen-ai/gen-ai-spans`), with the parts
//! about errors, HTTP and servers that they name.

use serde_json::Value;

use super::Span;

#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Texts,
    Int,
    Double,
    Bool,
}

use Type::{Bool, Double, Int, Text, Texts};

/// Attributes with a meaning of their own, and of what type they are.
const TYPES: &[(&str, Type)] = &[
    ("error.type", Text),
    ("gen_ai.conversation.id", Text),
    ("gen_ai.operation.name", Text),
    ("gen_ai.output.type", Text),
    ("gen_ai.provider.name", Text),
    ("gen_ai.request.choice.count", Int),
    ("gen_ai.request.encoding_formats", Texts),
    ("gen_ai.request.frequency_penalty", Double),
    ("gen_ai.request.max_tokens", Int),
    ("gen_ai.request.model", Text),
    ("gen_ai.request.presence_penalty", Double),
    ("gen_ai.request.seed", Int),
    ("gen_ai.request.stop_sequences", Texts),
    ("gen_ai.request.stream", Bool),
    ("gen_ai.request.temperature", Double),
    ("gen_ai.request.top_k", Double),
    ("gen_ai.request.top_p", Double),
    ("gen_ai.response.finish_reasons", Texts),
    ("gen_ai.response.id", Text),
    ("gen_ai.response.model", Text),
    ("gen_ai.response.time_to_first_chunk", Double),
    // Deprecated, and asked for by dashboards of before.
    ("gen_ai.system", Text),
    ("gen_ai.usage.cache_creation.input_tokens", Int),
    ("gen_ai.usage.cache_read.input_tokens", Int),
    ("gen_ai.usage.input_tokens", Int),
    ("gen_ai.usage.output_tokens", Int),
    ("gen_ai.usage.reasoning.output_tokens", Int),
    ("http.request.method", Text),
    ("http.request.resend_count", Int),
    ("http.response.status_code", Int),
    ("server.address", Text),
    ("server.port", Int),
    ("url.full", Text),
    ("url.path", Text),
    ("user.id", Text),
];

/// Names of operations that the conventions list for calls of models.
const OPERATIONS: [&str; 4] = ["chat", "embeddings", "generate_content", "text_completion"];

/// Providers whose names the catalogue's ids must not stand for.
const MISNAMED: [&str; 8] =
    ["azure-openai", "azure-ai", "bedrock", "google", "mistral-ai", "vertex-ai", "x-ai", "perplexity-ai"];

/// In sentences; empty for a span that is as it should be.
pub(super) fn mistakes(span: &Span) -> Vec<String> {
    let mut found = Vec::new();
    let all = &span.attributes;
    let text = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| all.get(name).and_then(Value::as_i64);
    for (name, value) in all {
        match TYPES.iter().find(|(known, _)| known == name) {
            Some((_, kind)) if !is_of(*kind, value) => found.push(format!("{name} is no {kind:?}: {value}")),
            Some(_) => {}
            None if name.starts_with("gen_ai.") => found.push(format!("there is no {name}")),
            None if !name.contains('.') => found.push(format!("{name} has no name space")),
            None => {}
        }
    }
    let mut must = |is_so: bool, why: &str| {
        if !is_so {
            found.push(format!("{why}: {all:?}"));
        }
    };
    let operation = text("gen_ai.operation.name");
    let is_call = all.keys().any(|name| name.starts_with("gen_ai.") && name != "gen_ai.conversation.id");
    if is_call {
        let provider = text("gen_ai.provider.name");
        must(OPERATIONS.contains(&operation), "gen_ai.operation.name is required, of the names there are");
        must(!provider.is_empty(), "gen_ai.provider.name is required");
        must(!MISNAMED.contains(&provider), "the provider has another name in the conventions");
        must(!text("gen_ai.request.model").is_empty(), "the model is known, so it is required");
        // The gateway itself is a server to its client.
        must(matches!(span.kind, "CLIENT" | "SERVER"), "the kind is CLIENT");
    }
    if is_call && span.kind == "CLIENT" {
        let name = format!("{operation} {}", text("gen_ai.request.model"));
        must(span.name == name, "the name is `{operation} {model}`");
    }
    let error = text("error.type");
    must(span.is_error != error.is_empty(), "error.type is there if and only if the status is an error");
    must(
        !all.contains_key("server.address") || number("server.port").is_some(),
        "server.port goes with server.address",
    );
    must(
        all.get("gen_ai.request.stream") != Some(&Value::Bool(false)),
        "gen_ai.request.stream is there for streams only",
    );
    let is_stream = all.contains_key("gen_ai.request.stream");
    must(
        is_stream || !all.contains_key("gen_ai.response.time_to_first_chunk"),
        "first chunks are those of streams",
    );
    for (part, whole) in [
        ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.input_tokens"),
        ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.input_tokens"),
        ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.output_tokens"),
    ] {
        let is_inside = number(part).is_none_or(|part| Some(part) <= number(whole));
        must(is_inside, &format!("{part} is counted in {whole}"));
    }
    let status = number("http.response.status_code");
    must(status.is_none_or(|status| (100..600).contains(&status)), "the status is one of HTTP");
    let method = text("http.request.method");
    must(method == method.to_ascii_uppercase(), "methods are written as they are sent");
    found
}

fn is_of(kind: Type, value: &Value) -> bool {
    match kind {
        Text => value.as_str().is_some_and(|text| !text.is_empty()),
        Texts => value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string)),
        Int => value.is_i64() || value.is_u64(),
        Double => value.is_f64(),
        Bool => value.is_boolean(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn span(change: &[(&str, Value)]) -> Span {
        let mut attributes = json!({
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
            "gen_ai.usage.input_tokens": 3, "server.address": "api.openai.com", "server.port": 443,
        });
        let members = attributes.as_object_mut().unwrap();
        for (name, value) in change {
            match value {
                Value::Null => drop(members.remove(*name)),
                value => drop(members.insert((*name).to_owned(), value.clone())),
            }
        }
        let attributes = members.clone();
        let (trace, id) = ("1".repeat(32), "2".repeat(16));
        Span {
            trace,
            id,
            parent: String::new(),
            name: "chat gpt-4o".into(),
            kind: "CLIENT",
            start: 1,
            end: 2,
            is_error: false,
            attributes,
        }
    }

    #[test]
    fn a_good_span_has_no_mistakes_and_others_have() {
        assert_eq!(mistakes(&span(&[])), [""; 0]);
        for change in [
            ("gen_ai.operation.name", json!("chat_completions")),
            ("gen_ai.operation.name", Value::Null),
            ("gen_ai.provider.name", Value::Null),
            ("gen_ai.provider.name", json!("bedrock")),
            ("gen_ai.request.model", json!("")),
            ("gen_ai.request.model", json!("other")),
            ("gen_ai.usage.input_tokens", json!("3")),
            ("gen_ai.usage.cache_read.input_tokens", json!(4)),
            ("gen_ai.usage.all", json!(4)),
            ("gen_ai.request.stream", json!(false)),
            ("gen_ai.response.time_to_first_chunk", json!(0.5)),
            ("gen_ai.response.finish_reasons", json!("stop")),
            ("server.port", Value::Null),
            ("error.type", json!("500")),
            ("http.response.status_code", json!(0)),
            ("metadata", json!("x")),
        ] {
            assert_eq!(mistakes(&span(std::slice::from_ref(&change))).len().min(1), 1, "{change:?}");
        }
    }
}
