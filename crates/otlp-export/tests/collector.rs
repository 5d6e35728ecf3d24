//! Requests on their way to a collector that takes nothing it does not understand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by failing")]

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flate2::read::GzDecoder;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tidegate_core::{Secret, Usage};
use tidegate_otlp::json::{hex_text, members};
use tidegate_otlp::message::{ExportTraceServiceRequest, SpanKind};
use tidegate_otlp_export::{Exporter, Options, Outcome, Tee, channel};
use tidegate_records::{
    Attempt, Batch, Entry, Facts, RecordId, RequestRecord, Sink, SinkError, Span, Timing, Written, codec,
};
use tidegate_upstream::{AddressPolicy, Egress, EgressSettings};
use tokio::net::TcpListener;

/// What it answers next, and what it took.
#[derive(Debug, Default)]
struct Collector {
    statuses: Vec<u16>,
    asked: u32,
    traces: Vec<String>,
}

/// Panics, and so answers nothing, where a request is not as the protocol and the conventions say.
async fn answer(
    collector: Arc<Mutex<Collector>>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/base/v1/traces"));
    let header = |name: &str| request.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/x-protobuf");
    assert_eq!(
        (header("content-encoding").as_str(), header("authorization").as_str()),
        ("gzip", "Basic YTpi")
    );
    let packed = request.into_body().collect().await.unwrap().to_bytes();
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    let taken = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
    let mut collector = collector.lock().unwrap();
    collector.asked += 1;
    let status = if collector.statuses.is_empty() { 200 } else { collector.statuses.remove(0) };
    if status == 200 {
        take(&mut collector, taken);
    }
    let response = Response::builder().status(status).header("retry-after", "0");
    Ok(response.body(Empty::new()).unwrap())
}

fn take(collector: &mut Collector, taken: ExportTraceServiceRequest) {
    for of_resource in taken.resource_spans {
        let resource = members(of_resource.resource.unwrap().attributes);
        assert_eq!(resource["service.name"], "tides");
        for scope in of_resource.scope_spans {
            assert_eq!(scope.scope.unwrap().name, "tidegate");
            let ids: HashSet<Vec<u8>> = scope.spans.iter().map(|span| span.span_id.clone()).collect();
            for span in scope.spans {
                assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
                assert!(
                    span.start_time_unix_nano > 0 && span.end_time_unix_nano >= span.start_time_unix_nano
                );
                let attributes = members(span.attributes.clone());
                for name in ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"] {
                    assert!(attributes.contains_key(name), "{name} of {}: {attributes:?}", span.name);
                }
                match span.kind() {
                    SpanKind::Server => {
                        assert_eq!(attributes["gen_ai.usage.input_tokens"], 7);
                        collector.traces.push(hex_text(&span.trace_id));
                    }
                    SpanKind::Client => {
                        assert!(ids.contains(&span.parent_span_id), "an attempt is below its request")
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

async fn collector(statuses: &[u16]) -> (Arc<Mutex<Collector>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/base", listener.local_addr().unwrap());
    let collector = Arc::new(Mutex::new(Collector { statuses: statuses.to_vec(), ..Collector::default() }));
    let shared = collector.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = shared.clone();
            let service = service_fn(move |request| answer(shared.clone(), request));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    (collector, url)
}

/// A store that takes everything, or is away.
struct Store {
    is_away: bool,
}

impl Sink for Store {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        if self.is_away {
            return Err(SinkError::Away("gone".to_owned()));
        }
        Ok(Written { new: batch.len() as u64, ..Written::default() })
    }
}

fn options(url: &str) -> Options {
    let soon = Duration::from_millis(1);
    Options {
        headers: Some(Secret::from("authorization=Basic%20YTpi")),
        service: "tides".to_owned(),
        gather: soon,
        pause: soon,
        ..Options::new(url)
    }
}

fn both(options: Options, allow_private: bool) -> (Tee, Exporter) {
    let policy = AddressPolicy { allow_private, ..AddressPolicy::default() };
    let egress = Egress::new(EgressSettings { policy, ..EgressSettings::default() }).unwrap();
    channel(options, egress, Box::new(Store { is_away: false })).unwrap()
}

fn record(number: u64) -> RequestRecord {
    let attempt =
        |status| Attempt { provider: "openai".into(), model: "gpt-4o".into(), status, ..Attempt::default() };
    RequestRecord {
        id: RecordId::first_of(1_790_000_000_000 + number).bits(),
        route: "chat_completions".into(),
        provider: "openai".into(),
        asked_model: "gpt-4o".into(),
        model: "gpt-4o".into(),
        status: 200,
        usage: Some(Usage { input: 7, ..Usage::default() }),
        timing: Timing { total_us: 1_000, ..Timing::default() },
        span: Span { trace: format!("{:032x}", number + 1).into(), ..Span::default() },
        attempts: vec![attempt(None), attempt(Some(200))],
        ..RequestRecord::default()
    }
}

fn write(sink: &mut dyn Sink, records: &[RequestRecord]) -> Result<Written, SinkError> {
    let encoded = records.iter().map(|record| {
        let mut bytes = Vec::new();
        codec::encode(record, &mut bytes);
        bytes
    });
    let encoded: Vec<Vec<u8>> = encoded.collect();
    let entries = records.iter().zip(&encoded);
    let entries: Vec<Entry<'_>> =
        entries.map(|(record, encoded)| Entry { facts: Facts::of(record), encoded, bodies: None }).collect();
    sink.write(&entries)
}

/// Runs until the store is closed, and gives what became of how many.
async fn finished(exporter: Exporter) -> HashMap<&'static str, u64> {
    let told = Arc::new(Mutex::new(HashMap::new()));
    let tell = told.clone();
    exporter
        .run(move |outcome: Outcome, count, _| {
            *tell.lock().unwrap().entry(outcome.as_str()).or_default() += count
        })
        .await;
    told.lock().unwrap().clone()
}

#[tokio::test]
async fn requests_reach_a_collector_that_was_busy() {
    let (collector, url) = collector(&[503, 429]).await;
    let (mut tee, exporter) = both(options(&url), true);
    let records: Vec<_> = (0..600).map(record).collect();
    assert_eq!(write(&mut tee, &records).unwrap().new, 600);
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::from([("sent", 600)]));
    let collector = collector.lock().unwrap();
    let traces: HashSet<_> = collector.traces.iter().collect();
    assert_eq!((collector.traces.len(), traces.len()), (600, 600));
    assert_eq!(collector.asked, 2 + 3, "batches of 256, and two that were sent again");
}

#[tokio::test]
async fn what_cannot_be_sent_is_counted() {
    // A refusal is not tried again.
    let (refusing, url) = collector(&[400]).await;
    let (mut tee, exporter) = both(options(&url), true);
    write(&mut tee, &[record(1)]).unwrap();
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::from([("failed", 1)]));
    assert_eq!(refusing.lock().unwrap().asked, 1);
    // Nor is an address that the operator has not allowed.
    let (mut tee, exporter) = both(options(&url), false);
    write(&mut tee, &[record(1)]).unwrap();
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::from([("failed", 1)]));
    assert_eq!(refusing.lock().unwrap().asked, 1);
    // Tries end.
    let (busy, url) = collector(&[503; 50]).await;
    let (mut tee, exporter) = both(Options { tries: 3, ..options(&url) }, true);
    write(&mut tee, &[record(1)]).unwrap();
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::from([("failed", 1)]));
    assert_eq!(busy.lock().unwrap().asked, 3);
}

#[tokio::test]
async fn a_full_queue_drops_and_the_store_does_not_notice() {
    let (collector, url) = collector(&[]).await;
    let (mut tee, exporter) = both(Options { queue: 10, ..options(&url) }, true);
    let records: Vec<_> = (0..25).map(record).collect();
    assert_eq!(write(&mut tee, &records).unwrap().new, 25);
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::from([("sent", 10), ("dropped", 15)]));
    assert_eq!(collector.lock().unwrap().traces.len(), 10);
}

#[tokio::test]
async fn what_the_store_did_not_take_is_not_told() {
    let (collector, url) = collector(&[]).await;
    let egress = Egress::new(EgressSettings::default()).unwrap();
    let (mut tee, exporter) = channel(options(&url), egress, Box::new(Store { is_away: true })).unwrap();
    assert!(write(&mut tee, &[record(1)]).is_err());
    drop(tee);
    assert_eq!(finished(exporter).await, HashMap::new());
    assert_eq!(collector.lock().unwrap().asked, 0);
}

#[test]
fn an_endpoint_that_is_none_is_named() {
    for (endpoint, headers, field) in [
        ("collector:4318", None, "otlp.endpoint"),
        ("ftp://collector", None, "otlp.endpoint"),
        ("http://user:secret@collector", None, "otlp.endpoint"),
        ("http://collector:4318", Some("novalue-secret"), "otlp.headers"),
    ] {
        let options = Options { headers: headers.map(Secret::from), ..Options::new(endpoint) };
        let egress = Egress::new(EgressSettings::default()).unwrap();
        let error = channel(options, egress, Box::new(Store { is_away: false })).map(drop).unwrap_err();
        assert_eq!(error.field, field, "{endpoint}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
