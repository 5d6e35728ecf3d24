//! A collector of OpenTelemetry that takes nothing it does not understand: requests have to be as the published protocol says,
//! to the field, and spans as the conventions for generative AI do.

mod conventions;
mod proto;

use std::collections::HashSet;
use std::io::Read as _;
use std::sync::{Mutex, PoisonError};

use flate2::read::GzDecoder;
use serde_json::{Map, Value};

use crate::reply::Reply;
use crate::seen::Seen;
use crate::server::Handler;

/// What it was sent, and everything that was wrong with it.
#[derive(Debug, Default)]
pub struct Collector(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    spans: Vec<Span>,
    mistakes: Vec<String>,
}

/// A span with its attributes as plain values; ids in hexadecimal digits.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty for a root.
    pub parent: String,
    pub name: String,
    /// `SERVER`, `CLIENT` and so on.
    pub kind: &'static str,
    pub start: u64,
    pub end: u64,
    pub is_error: bool,
    pub attributes: Map<String, Value>,
}

impl Collector {
    pub fn spans(&self) -> Vec<Span> {
        self.taken().spans.clone()
    }

    pub fn mistakes(&self) -> Vec<String> {
        self.taken().mistakes.clone()
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Collector {
    fn answer(&self, request: &Seen) -> Reply {
        match read(request) {
            Ok(spans) => {
                let mut taken = self.taken();
                let known: HashSet<String> = taken.spans.iter().map(|span| span.id.clone()).collect();
                for span in spans {
                    let mut mistakes = conventions::mistakes(&span);
                    if known.contains(&span.id) {
                        mistakes.push("its id is that of another span".to_owned());
                    }
                    taken.mistakes.extend(mistakes.iter().map(|mistake| format!("{}: {mistake}", span.name)));
                    taken.spans.push(span);
                }
                Reply::text(200, "application/x-protobuf", Vec::new())
            }
            Err(mistake) => {
                self.taken().mistakes.push(mistake.clone());
                Reply::text(400, "text/plain", mistake)
            }
        }
    }
}

fn read(request: &Seen) -> Result<Vec<Span>, String> {
    if (request.method.as_str(), request.path()) != ("POST", "/v1/traces") {
        return Err(format!("{} {} is no request of OTLP", request.method, request.url));
    }
    if request.header("content-type") != Some("application/x-protobuf") {
        return Err(format!("content-type: {:?}", request.header("content-type")));
    }
    let mut bytes = Vec::new();
    match request.header("content-encoding") {
        None => bytes.extend_from_slice(&request.body),
        Some("gzip") => {
            let read = GzDecoder::new(&request.body[..]).read_to_end(&mut bytes);
            read.map_err(|error| format!("no gzip: {error}"))?;
        }
        Some(other) => return Err(format!("content-encoding: {other}")),
    }
    let message = proto::decode(proto::REQUEST, &bytes)?;
    let mut spans = Vec::new();
    for of_resource in list(&message["resource_spans"]) {
        let resource = proto::attributes(&of_resource["resource"]["attributes"])?;
        if resource.get("service.name").and_then(Value::as_str).is_none_or(str::is_empty) {
            return Err("the resource has no service.name".to_owned());
        }
        for of_scope in list(&of_resource["scope_spans"]) {
            for span in list(&of_scope["spans"]) {
                spans.push(span_of(span)?);
            }
        }
    }
    Ok(spans)
}

fn span_of(span: &Value) -> Result<Span, String> {
    let text = |name: &str| span[name].as_str().unwrap_or_default().to_owned();
    let id = |name: &str, digits: usize| {
        let id = text(name);
        let is_id = id.len() == digits && id.bytes().any(|digit| digit != b'0');
        if is_id {
            Ok(id)
        } else {
            Err(format!("{name} is {id:?}: {} bytes with something in them", digits / 2))
        }
    };
    let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    let kind = span["kind"].as_u64().unwrap_or(0);
    let kind = usize::try_from(kind).ok().and_then(|kind| kinds.get(kind).copied());
    let (start, end) = (&span["start_time_unix_nano"], &span["end_time_unix_nano"]);
    let parent = if text("parent_span_id").is_empty() { String::new() } else { id("parent_span_id", 16)? };
    let span = Span {
        trace: id("trace_id", 32)?,
        id: id("span_id", 16)?,
        parent,
        name: text("name"),
        kind: kind.ok_or("there is no such kind of span")?,
        start: start.as_u64().unwrap_or(0),
        end: end.as_u64().unwrap_or(0),
        is_error: match span["status"]["code"].as_u64().unwrap_or(0) {
            0 | 1 => false,
            2 => true,
            other => return Err(format!("there is no status {other}")),
        },
        attributes: proto::attributes(&span["attributes"])?,
    };
    if span.name.is_empty() || span.start == 0 || span.end < span.start {
        return Err(format!("a name and times are missing: {span:?}"));
    }
    Ok(span)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
