//! A request as spans: itself, and each of its attempts below it, with the attributes of OpenTelemetry's conventions for
//! generative AI.

use tidegate_records::traces::attempt_span;
use tidegate_records::{Attempt, RequestRecord};

use crate::json::unhex;
use crate::message::{Any, AnyValue, ArrayValue, KeyValue, Span, SpanKind, Status, StatusCode};

/// The request first. Empty for what was told to the gateway: who told it exports it.
pub fn of(record: &RequestRecord) -> Vec<Span> {
    if !record.source.is_empty() {
        return Vec::new();
    }
    let trace = trace_id(record);
    let start_us = record.began_us();
    let request = Span {
        trace_id: trace.clone(),
        span_id: span_id(&record.span.span, record.id),
        parent_span_id: if record.span.parent.is_empty() {
            Vec::new()
        } else {
            span_id(&record.span.parent, 0)
        },
        name: name(record),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: start_us * 1_000,
        end_time_unix_nano: (start_us + record.timing.total_us) * 1_000,
        attributes: attributes(record),
        events: Vec::new(),
        status: Some(status(record.is_error(), &record.error)),
    };
    let parent = request.span_id.clone();
    let attempts = (1u32..)
        .zip(&record.attempts)
        .map(|(number, attempt)| attempt_span_of(record, attempt, number, &trace, &parent, start_us));
    let attempts: Vec<Span> = attempts.collect();
    std::iter::once(request).chain(attempts).collect()
}

fn attempt_span_of(
    record: &RequestRecord,
    attempt: &Attempt,
    number: u32,
    trace: &[u8],
    parent: &[u8],
    request_us: u64,
) -> Span {
    let start_us = request_us + attempt.start_us;
    let is_error = !attempt.error.is_empty() || attempt.status.is_none_or(|status| status >= 400);
    let mut all = Attributes::default();
    let call = Call {
        operation: operation(&record.route),
        provider: provider(&attempt.provider),
        model: first(&[&attempt.model, &record.asked_model]),
    };
    all.call(&call);
    all.server(&attempt.url);
    all.text("url.full", &attempt.url);
    all.text("http.request.method", &record.method);
    if let Some(status) = attempt.status {
        all.number("http.response.status_code", status.into());
    }
    if number > 1 {
        all.number("http.request.resend_count", u64::from(number) - 1);
    }
    if is_error {
        all.text("error.type", &error_type(&attempt.error, attempt.status.unwrap_or(0)));
    }
    all.text("tidegate.target", &attempt.target);
    all.text("tidegate.virtual_key", &attempt.virtual_key);
    all.text("tidegate.reason", &attempt.reason);
    Span {
        trace_id: trace.to_vec(),
        span_id: unhex(&attempt_span(record.id, number)).unwrap_or_default(),
        parent_span_id: parent.to_vec(),
        name: call.name().unwrap_or_else(|| format!("attempt {number}")),
        kind: SpanKind::Client.into(),
        start_time_unix_nano: start_us * 1_000,
        end_time_unix_nano: (start_us + attempt.duration_us) * 1_000,
        attributes: all.0,
        events: Vec::new(),
        status: Some(status(is_error, &attempt.error)),
    }
}

fn attributes(record: &RequestRecord) -> Vec<KeyValue> {
    let mut all = Attributes::default();
    let call = call(record);
    all.call(&call);
    if call.is_whole() {
        of_answer(record, &mut all);
    }
    all.text("http.request.method", &record.method);
    all.text("url.path", &record.path);
    if record.status > 0 {
        all.number("http.response.status_code", record.status.into());
    }
    if record.is_error() {
        all.text(
            "error.type",
            &error_type(if record.status >= 400 { "" } else { &record.end }, record.status),
        );
    }
    all.server(record.attempts.last().map_or("", |attempt| &attempt.url));
    all.text("user.id", &record.who.user);
    all.text("gen_ai.conversation.id", &record.who.session);
    all.text("tidegate.log_id", &record.id().uuid());
    all.text("tidegate.trace_id", &record.span.trace);
    all.text("tidegate.workspace", &record.who.workspace);
    all.text("tidegate.config", &record.config);
    all.text("tidegate.virtual_key", &record.virtual_key);
    all.text("tidegate.cache", &record.cache);
    all.text("tidegate.limit", &record.limit);
    all.text("tidegate.end", &record.end);
    // An exact decimal: a floating-point number would not add up.
    all.text("tidegate.cost", &record.cost.amount);
    all.text("tidegate.cost.currency", &record.cost.currency);
    for (name, value) in &record.who.metadata {
        all.text(&format!("tidegate.metadata.{name}"), value);
    }
    all.0
}

/// What is told of calls of models only.
fn of_answer(record: &RequestRecord, all: &mut Attributes) {
    // As it was called before 2025: dashboards ask for either.
    all.text("gen_ai.system", provider(&record.provider));
    all.text("gen_ai.response.model", &record.model);
    if !record.finish.is_empty() {
        let finish = match &*record.finish {
            "tool_calls" | "tool_use" | "function_call" => "tool_call",
            other => other,
        };
        let values = vec![AnyValue { value: Some(Any::String(finish.to_owned())) }];
        all.any("gen_ai.response.finish_reasons", Any::Array(ArrayValue { values }));
    }
    if let Some(usage) = &record.usage {
        all.number("gen_ai.usage.input_tokens", usage.prompt());
        all.number("gen_ai.usage.output_tokens", usage.output);
        for (name, count) in [
            ("gen_ai.usage.cache_read.input_tokens", usage.cache_read),
            ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning),
        ] {
            if let Some(count) = count {
                all.number(name, count);
            }
        }
    }
    // Said of streams only.
    if record.stream {
        all.any("gen_ai.request.stream", Any::Bool(true));
        if let Some(ttft) = record.timing.ttft_us {
            all.any("gen_ai.response.time_to_first_chunk", Any::Double(ttft as f64 / 1e6));
        }
    }
}

/// The names that the convention wants of a call of a model: all of them, or it is none.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    operation: &'a str,
    provider: &'a str,
    model: &'a str,
}

impl Call<'_> {
    fn is_whole(&self) -> bool {
        !(self.operation.is_empty() || self.provider.is_empty() || self.model.is_empty())
    }

    /// `chat gpt-4o`
    fn name(&self) -> Option<String> {
        self.is_whole().then(|| format!("{} {}", self.operation, self.model))
    }
}

fn call(record: &RequestRecord) -> Call<'_> {
    Call {
        operation: operation(&record.route),
        provider: provider(&record.provider),
        model: first(&[&record.asked_model, &record.model]),
    }
}

#[derive(Default)]
struct Attributes(Vec<KeyValue>);

impl Attributes {
    fn any(&mut self, key: &str, value: Any) {
        self.0.push(KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) });
    }

    /// Nothing where there is nothing to say.
    fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.any(key, Any::String(text.to_owned()));
        }
    }

    fn call(&mut self, call: &Call<'_>) {
        if call.is_whole() {
            self.text("gen_ai.operation.name", call.operation);
            self.text("gen_ai.provider.name", call.provider);
            self.text("gen_ai.request.model", call.model);
        }
    }

    /// The host and port of an address.
    fn server(&mut self, url: &str) {
        if let Some((host, port)) = server(url) {
            self.text("server.address", host);
            self.number("server.port", port.into());
        }
    }

    fn number(&mut self, key: &str, number: u64) {
        self.any(key, Any::Int(i64::try_from(number).unwrap_or(i64::MAX)));
    }
}

/// As the client calls it; `chat gpt-4o` or `POST /v1/files` where it does not.
fn name(record: &RequestRecord) -> String {
    if !record.span.name.is_empty() {
        return record.span.name.to_string();
    }
    call(record).name().unwrap_or_else(|| format!("{} {}", record.method, record.path).trim().to_owned())
}

/// The convention's word for a route; empty for what is no call of a model.
fn operation(route: &str) -> &'static str {
    match route {
        "chat_completions" | "messages" | "responses" => "chat",
        "completions" => "text_completion",
        "embeddings" => "embeddings",
        "images_generations"
        | "images_edits"
        | "audio_speech"
        | "audio_transcriptions"
        | "audio_translations" => "generate_content",
        _ => "",
    }
}

/// The convention's words for the catalogue's ids.
fn provider(id: &str) -> &str {
    match id {
        "bedrock" => "aws.bedrock",
        "azure-openai" => "azure.ai.openai",
        "azure-ai" => "azure.ai.inference",
        "vertex-ai" => "gcp.vertex_ai",
        "google" => "gcp.gemini",
        "mistral-ai" => "mistral_ai",
        "x-ai" => "x_ai",
        "perplexity-ai" => "perplexity",
        other => other,
    }
}

fn first<'a>(texts: &[&'a str]) -> &'a str {
    texts.iter().find(|text| !text.is_empty()).copied().unwrap_or_default()
}

/// Host and port of `https://api.openai.com/v1`.
fn server(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let usual = if scheme == "http" { 80 } else { 443 };
    let authority = rest.split(['/', '?']).next().filter(|authority| !authority.is_empty())?;
    match authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((authority, usual)),
    }
}

fn error_type(word: &str, status: u16) -> String {
    match (word, status) {
        ("", 0) => "error".to_owned(),
        ("", status) => status.to_string(),
        (word, _) => word.to_owned(),
    }
}

fn status(is_error: bool, message: &str) -> Status {
    if is_error {
        Status { code: StatusCode::Error.into(), message: message.to_owned() }
    } else {
        // Said only of what failed: the convention leaves success unset.
        Status::default()
    }
}

/// 16 bytes: the trace id itself where it is 32 hexadecimal digits or a UUID, else made from it.
fn trace_id(record: &RequestRecord) -> Vec<u8> {
    let digits: String = record.span.trace.chars().filter(|letter| *letter != '-').collect();
    match unhex(&digits).filter(|bytes| bytes.len() == 16 && bytes.iter().any(|byte| *byte != 0)) {
        Some(bytes) => bytes,
        None if record.span.trace.is_empty() => [hashed("", record.id), hashed("t", record.id)].concat(),
        None => [hashed(&record.span.trace, 0), hashed(&record.span.trace, 1)].concat(),
    }
}

/// 8 bytes: the span id itself where it is 16 hexadecimal digits, else made from it.
fn span_id(text: &str, record: u64) -> Vec<u8> {
    match unhex(text).filter(|bytes| bytes.len() == 8 && bytes.iter().any(|byte| *byte != 0)) {
        Some(bytes) => bytes,
        None if text.is_empty() => hashed("s", record).to_vec(),
        None => hashed(text, 0).to_vec(),
    }
}

/// Never all zeros.
fn hashed(text: &str, seed: u64) -> [u8; 8] {
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mixed = (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed ^ mixed >> 32) | 1).to_be_bytes()
}

#[cfg(test)]
#[path = "spans_tests.rs"]
mod tests;
