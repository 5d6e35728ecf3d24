//! One item of `/v1/logs`: as the reference describes it, as the callback handlers of LangChain and LlamaIndex send it, and
//! as the span exporter of the official client does.

use serde_json::{Map, Value};
use tidegate_catalog::catalog;

use super::read_value::{cut, first, milliseconds, moment, object, pairs, word};
use super::told::{Content, ModelCall, Origin, Told};
use super::{gen_ai, usage};
use crate::problem::Problem;

/// Bytes of ids, and of names.
const LONGEST_ID: usize = 512;
const LONGEST_NAME: usize = 256;

/// # Errors
/// The item says nothing that could be kept.
pub(super) fn read(value: Value, origin: &Origin) -> Result<Told, Problem> {
    let Value::Object(mut item) = value else {
        return Err(Problem::field("body", "is not an object", "a JSON object {…} or an array of them"));
    };
    let mut metadata = object(item.remove("metadata"));
    let mut lifted = |names: &[&str], most: usize| {
        let own = word(first(&item, names), most);
        let of_metadata = names.iter().filter_map(|name| metadata.shift_remove(*name)).collect::<Vec<_>>();
        if !own.is_empty() { own } else { word(of_metadata.iter().find(|value| !value.is_null()), most) }
    };
    let trace = lifted(&["trace_id", "traceId", "traceID"], LONGEST_ID);
    let span = lifted(&["span_id", "spanId", "spanID"], LONGEST_ID);
    let parent = lifted(&["parent_span_id", "parentSpanId", "parentSpanID"], LONGEST_ID);
    let name = lifted(&["span_name", "spanName"], LONGEST_NAME);
    let start_us = moment(first(&item, &["start_time", "startTime"]))
        .or_else(|| moment(first(&metadata, &["startTime", "start_time"])));
    let end_us = moment(first(&item, &["end_time", "endTime"]))
        .or_else(|| moment(first(&metadata, &["endTime", "end_time"])));
    for taken in ["startTime", "start_time", "endTime", "end_time"] {
        metadata.shift_remove(taken);
    }
    let (request, response) = (item.remove("request"), item.remove("response"));
    if request.is_none() && response.is_none() && name.is_empty() {
        let expected = "request, response, or span_name at least";
        return Err(Problem::field("request", "is missing", expected));
    }
    let mut told = Told { trace, span, parent, name, start_us, source: "log", ..Told::default() };
    if let Some(user) = metadata.shift_remove("user").filter(|_| !metadata.contains_key("_user")) {
        metadata.insert("_user".to_owned(), user);
    }
    let is_exported = metadata.shift_remove("_logType").is_some_and(|kind| kind == "opentelemetry");
    let source_metadata = object(metadata.shift_remove("source_metadata"));
    told.kind = word(source_metadata.get("type"), 64);
    if told.kind.is_empty() {
        told.kind = word(item.get("event_type"), 64);
    }
    if told.kind == "function_call"
        && let Some(tool) = request.as_ref().and_then(|request| request.get("tool")?.get("name"))
    {
        // LlamaIndex calls them all the same.
        let tool = word(Some(tool), LONGEST_NAME);
        told.name = if tool.is_empty() { told.name } else { tool };
    }
    let response = object(response);
    let given = first(&response, &["response_time", "responseTime", "time"]);
    let between = start_us.zip(end_us).and_then(|(start, end)| end.checked_sub(start));
    told.duration_us = milliseconds(given).or(between).unwrap_or(0);
    told.status = usage_status(&response);
    if is_exported {
        read_exported(&mut told, request, metadata, origin);
        return Ok(told);
    }
    told.metadata = pairs(metadata);
    read_step(&mut told, request, response, origin);
    Ok(told)
}

fn usage_status(response: &Map<String, Value>) -> Option<u16> {
    let status = usage::whole(response.get("status")?)?;
    u16::try_from(status).ok().filter(|status| (100..600).contains(status))
}

/// A request and its answer: of a model, or of any step.
fn read_step(told: &mut Told, request: Option<Value>, response: Map<String, Value>, origin: &Origin) {
    // Some send the JSON text of an object; other text is what went in.
    let request = match request {
        Some(Value::String(text)) => match serde_json::from_str(&text) {
            Ok(Value::Object(members)) => members,
            _ => [("input".to_owned(), Value::String(text))].into_iter().collect(),
        },
        other => object(other),
    };
    let (url, provider) = (word(request.get("url"), 2_048), word(request.get("provider"), 64));
    let body = object(request.get("body").cloned());
    let answer = object(response.get("body").cloned());
    // LlamaIndex puts the provider's answer into its own.
    let raw = answer.get("raw").and_then(Value::as_object).unwrap_or(&answer);
    let model = |members: &Map<String, Value>| word(first(members, &["model", "model_name"]), LONGEST_NAME);
    let asked_model = model(&body);
    let is_call = !url.is_empty() || !provider.is_empty() || !asked_model.is_empty() || told.kind == "llm";
    told.is_error = told.status.is_some_and(|status| status >= 400);
    let error = first(raw, &["error", "message"]).filter(|_| told.is_error);
    told.reason = error.map(why).unwrap_or_default();
    if !is_call {
        told.input = Some(Content { body: Value::Object(request), ..Content::default() });
        let output = if answer.is_empty() { response } else { answer };
        told.output =
            (!output.is_empty()).then(|| Content { body: Value::Object(output), ..Content::default() });
        return;
    }
    let counted =
        |members: &Map<String, Value>| members.get("usage").and_then(Value::as_object).and_then(usage::of);
    let headers = |of: &Map<String, Value>| texts(of.get("headers"));
    let request_headers = headers(&request);
    let handler = told
        .metadata
        .iter()
        .any(|(name, value)| name == "_source" && matches!(value.as_str(), "Langchain" | "LlamaIndex"));
    let has_key = request_headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-portkey-api-key"));
    let stream = first(&response, &["streamingMode", "streaming_mode"]).or(body.get("stream"));
    let answered = model(raw);
    told.call = Some(ModelCall {
        provider: provider_of(&provider),
        model: if answered.is_empty() { model(&answer) } else { answered },
        asked_model,
        route: route(&url, &told.kind),
        method: word(request.get("method"), 16).to_ascii_uppercase(),
        stream: stream.and_then(Value::as_bool).unwrap_or(false),
        finish: finish(raw),
        usage: counted(raw).or_else(|| counted(&answer)),
        is_ours: origin.is(&url) || (handler && has_key),
        url: without_query(&url),
    });
    if told.name.is_empty() {
        told.name = told.call.as_ref().map(|call| call.route.to_owned()).unwrap_or_default();
    }
    told.input = Some(Content { headers: request_headers, body: with_roles(body) });
    told.output = Some(Content { headers: headers(&response), body: Value::Object(answer) });
}

/// The official client's own exporter: the body is a span as OpenTelemetry's Python library writes it.
fn read_exported(told: &mut Told, request: Option<Value>, metadata: Map<String, Value>, origin: &Origin) {
    let span = object(object(request).remove("body"));
    let mut attributes = object(span.get("attributes").cloned());
    let resource = span.get("resource").and_then(|resource| resource.get("attributes")).cloned();
    told.metadata = pairs(metadata);
    gen_ai::read(told, &mut attributes, &object(resource), origin);
    if told.name.is_empty() {
        told.name = word(span.get("name"), LONGEST_NAME);
    }
    if let Some(status) = span.get("status").and_then(Value::as_object) {
        told.is_error |= word(status.get("status_code"), 16).ends_with("ERROR");
        told.reason = word(status.get("description"), 1_024);
    }
    told.attributes = attributes;
}

fn why(error: &Value) -> String {
    let text = error.get("message").and_then(Value::as_str).or_else(|| error.as_str());
    cut(text.unwrap_or_default(), 1_024).to_owned()
}

/// `openai_llm` as handlers say it; a name of the catalogue where it is one.
pub(super) fn provider_of(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix("_llm").unwrap_or(&name);
    let dashed = name.replace('_', "-");
    let known = catalog().get(name).or_else(|| catalog().get(&dashed));
    known.map_or_else(|| name.to_owned(), |provider| provider.id.to_owned())
}

fn route(url: &str, kind: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    [
        ("chat/completions", "chat_completions"),
        ("completions", "completions"),
        ("embeddings", "embeddings"),
        ("messages", "messages"),
        ("responses", "responses"),
    ]
    .into_iter()
    .find_map(|(end, route)| path.ends_with(end).then_some(route))
    .unwrap_or(match kind {
        "embedding" => "embeddings",
        "llm" => "chat_completions",
        _ => "",
    })
}

fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

fn finish(answer: &Map<String, Value>) -> String {
    let choice = answer.get("choices").and_then(|choices| choices.get(0));
    word(choice.and_then(|choice| choice.get("finish_reason")).or_else(|| answer.get("stop_reason")), 64)
}

fn texts(headers: Option<&Value>) -> Vec<(String, String)> {
    let members = headers.and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// LangChain's names of those who speak.
fn with_roles(mut body: Map<String, Value>) -> Value {
    let messages = body.get_mut("messages").and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        let role = match message.get("role").and_then(Value::as_str) {
            Some("Human") => "user",
            Some("AI") => "assistant",
            Some("System") => "system",
            Some("Tool") => "tool",
            _ => continue,
        };
        message["role"] = role.into();
    }
    Value::Object(body)
}
