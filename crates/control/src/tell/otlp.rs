//! OpenTelemetry over HTTP: spans and log records, in protobuf or JSON, plain or gzipped.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use prost::Message;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tidegate_core::field::shown;
use tidegate_otlp::json::{hex_text, members};
use tidegate_otlp::logs::{ExportLogsServiceRequest, LogRecord};
use tidegate_otlp::message::{
    ExportServiceResponse, ExportTraceServiceRequest, PartialSuccess, RpcStatus, Span, SpanKind,
    StatusCode as SpanStatus,
};

use super::deliver::Delivery;
use super::gen_ai;
use super::read_value::cut;
use super::told::Told;
use super::unpacked::unpacked;
use crate::call::Call;
use crate::endpoint::Content;
use crate::find::Place;
use crate::problem::Problem;
use crate::read;

/// Spans of one request.
const MOST: usize = 10_000;
const LONGEST_NAME: usize = 256;

/// `ExportTraceServiceRequest` or `ExportLogsServiceRequest` of OTLP, as JSON or (`application/x-protobuf`) protobuf.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Export {
    #[expect(dead_code, reason = "read as OTLP's own message")]
    resource_spans: Option<Vec<Map<String, Value>>>,
    #[expect(dead_code, reason = "likewise")]
    resource_logs: Option<Vec<Map<String, Value>>>,
}

/// In the encoding of the request. Empty when everything was taken.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub(crate) struct Exported {
    /// How many were refused, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_success: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Protobuf,
    Json,
}

/// What was refused of a request.
#[derive(Debug, Default)]
struct Refused {
    count: i64,
    why: String,
}

impl Refused {
    fn one(&mut self, why: &str) {
        self.count += 1;
        if self.why.is_empty() {
            why.clone_into(&mut self.why);
        }
    }
}

pub(crate) async fn traces(call: Call, content: Content) -> Result<Response<Bytes>, Problem> {
    serve::<ExportTraceServiceRequest>(call, content, "rejectedSpans", |request, delivery, refused| {
        let mut told = Vec::new();
        for of_resource in request.resource_spans {
            let resource = members(of_resource.resource.unwrap_or_default().attributes);
            for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                match span_told(span, &resource, delivery) {
                    Ok(one) if told.len() < MOST => told.push(one),
                    Ok(_) => refused.one("more spans than 10,000 in one request"),
                    Err(why) => refused.one(why),
                }
            }
        }
        told
    })
    .await
}

pub(crate) async fn logs(call: Call, content: Content) -> Result<Response<Bytes>, Problem> {
    serve::<ExportLogsServiceRequest>(call, content, "rejectedLogRecords", |request, delivery, refused| {
        let mut told = Vec::new();
        for of_resource in request.resource_logs {
            let resource = members(of_resource.resource.unwrap_or_default().attributes);
            for record in of_resource.scope_logs.into_iter().flat_map(|scope| scope.log_records) {
                match log_told(record, &resource, delivery) {
                    Ok(one) if told.len() < MOST => told.push(one),
                    Ok(_) => refused.one("more log records than 10,000 in one request"),
                    Err(why) => refused.one(why),
                }
            }
        }
        told
    })
    .await
}

async fn serve<M: Message + Default + DeserializeOwned>(
    call: Call,
    content: Content,
    rejected: &'static str,
    told: impl Fn(M, &Delivery, &mut Refused) -> Vec<Told>,
) -> Result<Response<Bytes>, Problem> {
    let encoding = encoding(&content.headers)?;
    let taken = async {
        let named: Place = read::query(content.query.as_deref())?;
        let body = unpacked(&content.headers, &content.body, call.api.options.max_intake)?;
        let request: M = decoded(encoding, &body)?;
        let delivery = Delivery::begin(&call, named.workspace_id.as_deref()).await?;
        let mut refused = Refused::default();
        let told = told(request, &delivery, &mut refused);
        delivery.deliver(&call, told).await?;
        Ok(refused)
    };
    match (taken.await, encoding) {
        (Ok(refused), encoding) => Ok(answer(encoding, rejected, refused)),
        (Err(problem), Encoding::Json) => Err(problem),
        (Err(problem), Encoding::Protobuf) => Ok(failed(problem)),
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    let media = headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or("application/json");
    match media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        other => {
            let message = format!(
                "content-type: {} is not read here; expected application/x-protobuf or application/json",
                shown(other)
            );
            Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).about("content-type"))
        }
    }
}

fn decoded<M: Message + Default + DeserializeOwned>(encoding: Encoding, body: &[u8]) -> Result<M, Problem> {
    let expected = "a request of OTLP";
    match encoding {
        Encoding::Protobuf => M::decode(body)
            .map_err(|error| Problem::field("body", format!("is no protobuf of OTLP: {error}"), expected)),
        // An empty body says nothing, in either encoding.
        Encoding::Json if body.iter().all(u8::is_ascii_whitespace) => Ok(M::default()),
        // A list would be read as members without their names.
        Encoding::Json if body.trim_ascii_start().first() != Some(&b'{') => {
            Err(Problem::field("body", "is no JSON object", expected))
        }
        Encoding::Json => serde_json::from_slice(body)
            .map_err(|error| Problem::field("body", format!("is no JSON of OTLP: {error}"), expected)),
    }
}

fn answer(encoding: Encoding, rejected: &str, refused: Refused) -> Response<Bytes> {
    match encoding {
        Encoding::Protobuf => {
            let partial = PartialSuccess { rejected: refused.count, error_message: refused.why };
            let partial_success = (partial.rejected > 0).then_some(partial);
            let body = ExportServiceResponse { partial_success }.encode_to_vec();
            reply(StatusCode::OK, "application/x-protobuf", body.into())
        }
        Encoding::Json => {
            let body = match refused.count {
                0 => json!({}),
                count => {
                    let mut partial = Map::new();
                    partial.insert(rejected.to_owned(), count.to_string().into());
                    partial.insert("errorMessage".to_owned(), refused.why.into());
                    json!({ "partialSuccess": partial })
                }
            };
            reply(StatusCode::OK, "application/json", body.to_string().into())
        }
    }
}

/// A failure as OTLP tells it in protobuf, with the headers of ours.
fn failed(problem: Problem) -> Response<Bytes> {
    let message = problem.to_string();
    let ours = problem.into_response();
    let (mut parts, _) = ours.into_parts();
    // google.rpc.Code: INVALID_ARGUMENT, or UNAVAILABLE where coming again helps.
    let code = if parts.status.is_server_error() { 14 } else { 3 };
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    Response::from_parts(parts, RpcStatus { code, message }.encode_to_vec().into())
}

fn reply(status: StatusCode, media: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

fn span_told(span: Span, resource: &Map<String, Value>, delivery: &Delivery) -> Result<Told, &'static str> {
    if span.trace_id.len() != 16 || span.trace_id.iter().all(|byte| *byte == 0) {
        return Err("a trace id is not 16 bytes with something in them");
    }
    if span.span_id.len() != 8 || span.span_id.iter().all(|byte| *byte == 0) {
        return Err("a span id is not 8 bytes with something in them");
    }
    let start_us = span.start_time_unix_nano / 1_000;
    if !delivery.is_timely(start_us) {
        return Err("a span began more than a day ago, or is to begin");
    }
    let (kind, status) = (span.kind(), span.status.clone().unwrap_or_default());
    let parent = if span.parent_span_id.iter().all(|byte| *byte == 0) {
        String::new()
    } else {
        hex_text(&span.parent_span_id)
    };
    let mut attributes = members(span.attributes);
    let exception = span.events.iter().find(|event| event.name == "exception");
    let mut told = Told {
        trace: hex_text(&span.trace_id),
        span: hex_text(&span.span_id),
        parent,
        name: cut(&span.name, LONGEST_NAME).to_owned(),
        kind: kind_word(kind).to_owned(),
        start_us: Some(start_us),
        duration_us: (span.end_time_unix_nano / 1_000).saturating_sub(start_us),
        is_error: status.code() == SpanStatus::Error,
        reason: cut(&status.message, 1_024).to_owned(),
        source: "otlp",
        ..Told::default()
    };
    if let Some(event) = exception.filter(|_| told.reason.is_empty() && told.is_error) {
        let said = members(event.attributes.clone()).remove("exception.message");
        told.reason =
            said.and_then(|said| said.as_str().map(|said| cut(said, 1_024).to_owned())).unwrap_or_default();
    }
    gen_ai::read(&mut told, &mut attributes, resource, &delivery.origin);
    if let Some(service) = resource.get("service.name") {
        attributes.insert("service.name".to_owned(), service.clone());
    }
    told.attributes = attributes;
    Ok(told)
}

/// A log record stands below its span, as a moment.
fn log_told(
    record: LogRecord,
    resource: &Map<String, Value>,
    delivery: &Delivery,
) -> Result<Told, &'static str> {
    /// The first number of severity that is an error.
    const ERROR: i32 = 17;
    if record.trace_id.len() != 16 || record.trace_id.iter().all(|byte| *byte == 0) {
        return Err("a log record is of no trace: a trace id is 16 bytes");
    }
    let nanos = [record.time_unix_nano, record.observed_time_unix_nano].into_iter().find(|nanos| *nanos > 0);
    let start_us = nanos.unwrap_or_default() / 1_000;
    if !delivery.is_timely(start_us) {
        return Err("a log record is of more than a day ago, or of a time to come");
    }
    let mut attributes = members(record.attributes);
    let body = record.body.map(tidegate_otlp::json::plain).filter(|body| !body.is_null());
    let named = attributes.get("event.name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let names = [record.event_name.as_str(), named.as_str(), record.severity_text.as_str(), "log"];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    // It has no id of its own: one from what it says is the same when it comes again.
    let said = format!("{start_us}{name}{}", body.as_ref().map(Value::to_string).unwrap_or_default());
    let mut told = Told {
        trace: hex_text(&record.trace_id),
        span: tidegate_core::id::derived(&said, 16),
        parent: hex_text(&record.span_id),
        name: cut(name, LONGEST_NAME).to_owned(),
        kind: "log".to_owned(),
        start_us: Some(start_us),
        is_error: record.severity_number >= ERROR,
        source: "otlp",
        ..Told::default()
    };
    gen_ai::read(&mut told, &mut attributes, resource, &delivery.origin);
    if told.output.is_none() {
        told.output = body.map(|body| super::told::Content { body, ..Default::default() });
    }
    told.attributes = attributes;
    Ok(told)
}

fn kind_word(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}
