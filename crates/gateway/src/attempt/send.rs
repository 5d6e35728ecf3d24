//! One request on the wire, up to the point where it is known to have begun well or to have failed.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tidegate_core::{ApiError, ErrorKind, Fault, Warnings};
use tidegate_routing::{Outcome, Target};
use tidegate_upstream::{Handshake, OutBody, SendError, SendErrorKind};
use tokio::time::Instant;

use super::read::{self, Coming, Head};
use super::{Answer, AnswerBody, Attempted, network_outcome};
use crate::accept::Call;
use crate::body::Source;
use crate::prepare::{Job, Prepared, Reading, Scene, Send};
use crate::websocket::Opening;

/// Limits of one try, in ms.
#[derive(Debug, Clone, Copy)]
struct Limits {
    connect: Option<u64>,
    /// Until the head.
    head: Option<u64>,
    /// Until the first content.
    first_byte: u64,
}

impl Limits {
    fn of(scene: &Scene<'_>, target: &Target) -> Self {
        let defaults = &scene.snapshot.timeouts;
        Self {
            connect: target.timeouts.connect_ms.or(defaults.connect_ms),
            head: scene.resolved.overrides.request_ms.or(target.timeouts.request_ms).or(defaults.request_ms),
            first_byte: target.timeouts.first_byte_ms.or(defaults.first_byte_ms).unwrap_or(u64::MAX >> 20),
        }
    }
}

pub async fn send(scene: &Scene<'_>, call: &Call, target: &Target, prepared: Prepared) -> Attempted {
    let started = Instant::now();
    let Prepared { send, job, .. } = prepared;
    let request = match send {
        Send::Upstream(request) => request,
        Send::WebSocket(request) => return Box::pin(websocket(scene, call, target, job, request)).await,
        Send::Here(reply) => return Box::pin(here(scene, call, &job, reply)).await,
        Send::Estimate(body) => return estimate(&job, body),
    };
    let limits = Limits::of(scene, target);
    let answer = async {
        match coming(scene, call, &job, request, &limits).await {
            Ok(coming) => read::answer(scene, call, &job, coming).await,
            Err(attempted) => *attempted,
        }
    };
    let answer = pin!(answer);
    let late = started + Duration::from_millis(limits.first_byte);
    let mut attempted = match tokio::time::timeout_at(late, answer).await {
        Ok(attempted) => attempted,
        Err(_) => first_byte_timeout(call, &job, limits.first_byte),
    };
    attempted.outcome.first_byte_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
    attempted
}

/// Sends the request, up to the head of its answer. The future of that ends here, and so does the room that it takes.
async fn coming(
    scene: &Scene<'_>,
    call: &Call,
    job: &Job,
    request: Box<http::Request<OutBody>>,
    limits: &Limits,
) -> Result<Box<Coming>, Box<Attempted>> {
    // Pinned where it is: what a timeout takes by value it moves.
    let head = pin!(scene.snapshot.egress.send(request, limits.connect.map(Duration::from_millis)));
    let response = match limits.head {
        None => head.await,
        Some(ms) => match tokio::time::timeout(Duration::from_millis(ms), head).await {
            Ok(response) => response,
            Err(_) => return Err(Box::new(head_timeout(call, job, ms))),
        },
    };
    match response {
        Ok(response) => {
            let (head, body) = response.into_parts();
            let head = Head { status: head.status, headers: head.headers };
            Ok(Box::new(Coming { head, source: Source::new(body) }))
        }
        Err(error) => Err(Box::new(broken(call, job, &error))),
    }
}

/// Asks for a WebSocket. An upstream that does not agree has answered, and its answer is read as any other.
async fn websocket(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    job: Job,
    request: Box<http::Request<OutBody>>,
) -> Attempted {
    let limits = Limits::of(scene, target);
    let started = Instant::now();
    let ms = limits.head.unwrap_or(limits.first_byte);
    let asking = scene.snapshot.egress.websocket(request, limits.connect.map(Duration::from_millis));
    let response = match tokio::time::timeout(Duration::from_millis(ms), asking).await {
        Err(_) => return head_timeout(call, &job, ms),
        Ok(Err(error)) => return broken(call, &job, &error),
        Ok(Ok(Handshake::Answered(response))) => response,
        Ok(Ok(Handshake::Open(headers, tunnel))) => {
            let speaks_openai = matches!(job.reading, Reading::Same(_));
            let answer = Answer {
                status: StatusCode::SWITCHING_PROTOCOLS,
                headers,
                body: AnswerBody::Session(Box::new(Opening { tunnel, speaks_openai })),
                provider: job.provider,
                model: job.model,
                usage: None,
                warnings: job.warnings,
                estimated: false,
                uncalled: false,
                strict: true,
                names_events: false,
                detail: None,
                meter: None,
                stored: None,
                hides_usage: false,
            };
            let first_byte_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            let outcome = Outcome { first_byte_ms, ..Outcome::default() };
            return Attempted { outcome, answer: Ok(Box::new(answer)) };
        }
    };
    let (head, body) = response.into_parts();
    if head.status.as_u16() < 400 {
        let message = format!("the provider answered {} to a WebSocket's handshake", head.status.as_u16());
        let error = ApiError::upstream(message).with_code("no_websocket");
        let outcome = Outcome { fault: Fault::Provider, ..Outcome::of_status(502) };
        return Attempted::failed(call, job.provider, &job.model, &error, outcome);
    }
    let head = Head { status: head.status, headers: head.headers };
    read::answer(scene, call, &job, Box::new(Coming { head, source: Source::new(body) })).await
}

/// The demo model's answer takes the same way as a provider's.
async fn here(scene: &Scene<'_>, call: &Call, job: &Job, reply: tidegate_demo::Reply) -> Attempted {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let head = Head { status: StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK), headers };
    let source = Source::of(reply.chunks.into_iter().map(Bytes::from));
    read::answer(scene, call, job, Box::new(Coming { head, source })).await
}

fn estimate(job: &Job, body: Bytes) -> Attempted {
    let answer = Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: AnswerBody::Full(body),
        provider: job.provider,
        model: job.model.clone(),
        usage: None,
        warnings: Warnings::default(),
        estimated: true,
        uncalled: false,
        strict: true,
        names_events: false,
        detail: None,
        meter: None,
        stored: None,
        hides_usage: false,
    };
    Attempted { outcome: Outcome::default(), answer: Ok(Box::new(answer)) }
}

/// The reference's words and status.
fn head_timeout(call: &Call, job: &Job, ms: u64) -> Attempted {
    let message = format!("Request exceeded the timeout sent in the request: {ms}ms");
    let mut error = ApiError::new(ErrorKind::Timeout, Fault::Provider, 408, message);
    error.vendor_type = Some("timeout_error".into());
    timed_out(call, job, &error, None)
}

fn first_byte_timeout(call: &Call, job: &Job, ms: u64) -> Attempted {
    let message = format!("the provider sent no content within {ms} ms");
    let error =
        ApiError::new(ErrorKind::Timeout, Fault::Provider, 504, message).with_code("first_byte_timeout");
    timed_out(call, job, &error, Some(job.provider))
}

fn timed_out(call: &Call, job: &Job, error: &ApiError, provider: Option<&str>) -> Attempted {
    let outcome = Outcome { timed_out: true, ..network_outcome(error.status, Fault::Provider) };
    let outcome = Outcome { network: false, ..outcome };
    let mut attempted = Attempted::failed(call, job.provider, &job.model, error, outcome);
    if provider.is_none()
        && let Ok(answer) = &mut attempted.answer
    {
        answer.body = AnswerBody::Full(call.client().encode_error(error, None).to_string().into());
    }
    attempted
}

/// No answer came.
fn broken(call: &Call, job: &Job, error: &SendError) -> Attempted {
    let (kind, status) = match error.kind {
        SendErrorKind::InvalidRequest | SendErrorKind::Blocked | SendErrorKind::RequestBody => {
            (ErrorKind::BadRequest, 400)
        }
        SendErrorKind::ConnectTimeout => (ErrorKind::Timeout, 503),
        SendErrorKind::Exhausted => (ErrorKind::Overloaded, 503),
        _ => (ErrorKind::UpstreamBroken, 502),
    };
    let api = ApiError::new(kind, error.fault(), status, error.detail.clone()).with_code(error.kind.as_str());
    let outcome = network_outcome(status, error.fault());
    Attempted::failed(call, job.provider, &job.model, &api, outcome)
}

/// True for calls whose answers are JSON, so that anything else is a provider's fault.
pub fn expects_json(reading: Reading, call: &Call) -> bool {
    use tidegate_catalog::Endpoint;
    match reading {
        Reading::Proxy => false,
        Reading::Chat(_) | Reading::Embeddings { .. } => true,
        Reading::Same(_) => matches!(
            call.route,
            crate::route::Route::Unified(
                Endpoint::ChatCompletions
                    | Endpoint::Completions
                    | Endpoint::Messages
                    | Endpoint::CountTokens
                    | Endpoint::Embeddings
                    | Endpoint::Responses
            )
        ),
    }
}
