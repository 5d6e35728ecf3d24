//! One attempt's request: whom it goes to, in which dialect, with which credential, and its bytes.
//!
//! The body goes out as it came whenever it can: same dialect, nothing overridden, no member the vendor names
//! differently. A model name alone is exchanged in place. Everything else is rebuilt, and what could not be carried over
//! is reported.

mod body;
mod headers;
mod upstream;
mod websocket;

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use http::request::Parts;
use serde_json::{Map, Value};
use tidegate_catalog::Endpoint;
use tidegate_core::Warnings;
use tidegate_dialect::DialectId;
use tidegate_dialect::anthropic_messages::tokens;
use tidegate_records::RecordId;
use tidegate_routing::Target;
use tidegate_upstream::OutBody;

use crate::accept::{Call, CallBody};
use crate::authenticate::Caller;
use crate::plan::Resolved;
use crate::policy::Review;
use crate::realm::Realm;
use crate::refuse::Refusal;
use crate::route::Route;
use crate::state::{Gateway, Snapshot};

pub use upstream::Upstream;

/// What every attempt of one request shares.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub gateway: &'a Arc<Gateway>,
    pub snapshot: &'a Snapshot,
    /// What the caller can name.
    pub realm: &'a Realm,
    pub caller: &'a Caller,
    pub resolved: &'a Resolved,
    /// Where policies may hold.
    pub review: Option<&'a Arc<Review>>,
    pub hops: &'a HeaderValue,
    /// The id of its record, where one is kept.
    pub request: Option<RecordId>,
}

/// A request ready to be sent, and what has to be known to read its answer.
#[derive(Debug)]
pub struct Prepared {
    pub send: Send,
    pub job: Job,
    /// Which credential of the stored provider's pool was taken.
    pub credential: Option<usize>,
}

/// How the answer of one attempt is to be read, and what to call it.
#[derive(Debug)]
pub struct Job {
    pub reading: Reading,
    /// Catalogue id, for labels, headers and error texts.
    pub provider: &'static str,
    pub model: Box<str>,
    pub stream: bool,
    pub warnings: Warnings,
    /// Leave out members that the client's dialect does not define.
    pub strict: bool,
    /// The workspace's provider that is called, if it is one.
    pub stored: Option<Arc<tidegate_directory::Provider>>,
    /// The usage of the stream is the gateway's to know: the client did not ask for it.
    pub hides_usage: bool,
}

/// Where the answer comes from.
#[derive(Debug)]
pub enum Send {
    Upstream(Box<http::Request<OutBody>>),
    /// A WebSocket's handshake, without the headers of it.
    WebSocket(Box<http::Request<OutBody>>),
    /// The demo model's answer, made in this process.
    Here(tidegate_demo::Reply),
    /// An answer the gateway computes itself: the body of a token count, marked as an estimate.
    Estimate(Bytes),
}

/// How the answer's bytes become the client's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Untouched, errors included.
    Proxy,
    /// Same dialect: successes untouched, errors in the client's form.
    Same(DialectId),
    /// A chat answer of this dialect, translated.
    Chat(DialectId),
    /// Vectors of this dialect, in OpenAI's form.
    Embeddings { dialect: DialectId, base64: bool },
}

/// `changed` is the body that hooks put in place of the client's, overrides included; `cap` bounds the answer's tokens.
///
/// # Errors
/// A [`Refusal`] marked as an exception: the call cannot be made at this target, and no other try would mend it.
pub fn request(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    changed: Option<Map<String, Value>>,
    cap: Option<u64>,
) -> Result<Prepared, Refusal> {
    let upstream = Upstream::resolve(scene, call, target)?;
    match call.route {
        Route::Unified(endpoint) if matches!(call.body, CallBody::Json(_)) => {
            let mut draft = body::Draft::of(call, target, scene.resolved.model.as_deref())?;
            if let Some(members) = changed {
                draft.replace(members);
            }
            if let Some(cap) = cap {
                draft.cap_output(cap, endpoint)?;
            }
            let upstream = upstream.serving(&draft.model);
            unified(scene, call, target, endpoint, draft, &upstream)
        }
        Route::Unified(endpoint) => form(scene, call, target, endpoint, &upstream.serving(peeked(call))),
        _ if call.asked.is_some() => websocket::asked(scene, call, target, upstream),
        _ => proxied(scene, call, target, &upstream.serving(peeked(call))),
    }
}

/// The body as this target would get it in the client's dialect, for hooks to look at.
///
/// # Errors
/// A body that is not a JSON object after all.
pub fn merged(scene: &Scene<'_>, call: &Call, target: &Target) -> Result<Map<String, Value>, Refusal> {
    body::Draft::of(call, target, scene.resolved.model.as_deref())?.parse()
}

/// The model of a body that is not read further.
fn peeked(call: &Call) -> &str {
    call.peek.model.as_deref().unwrap_or_default()
}

/// A POST whose JSON the gateway understands.
fn unified(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    endpoint: Endpoint,
    mut draft: body::Draft<'_>,
    upstream: &Upstream<'_>,
) -> Result<Prepared, Refusal> {
    let way = upstream.way(endpoint, &draft)?;
    let Some(mut way) = way else { return estimate(call, &draft, upstream) };
    upstream.judge_model(&draft.model)?;
    draft.set_model(way.model);
    let mut written = body::write(call, &draft, &mut way.reading, way.endpoint, upstream, &way.set)?;
    let hides_usage =
        scene.caller.key.is_some() && body::lacks_usage(&draft, way.endpoint, way.reading, upstream);
    if hides_usage {
        written.frames = body::asking_for_usage(&written.frames);
    }
    let send = match way.url {
        None => {
            Send::Here(upstream::demo(way.endpoint, &written.frames, scene.gateway.clock.unix_ms() / 1000))
        }
        Some(url) => {
            let mut parts = headers::head(&way.method, &url)?;
            upstream.judge(scene, &parts.uri)?;
            let client_signs =
                headers::unified(scene, call, target, upstream, way.reading, &mut parts.headers)?;
            let frames = written.frames;
            if !client_signs {
                upstream.sign(scene, &mut parts, Some(&frames))?;
            }
            Send::Upstream(Box::new(http::Request::from_parts(parts, OutBody::frames(frames))))
        }
    };
    let job = Job {
        reading: way.reading,
        provider: upstream.label(),
        model: upstream.model_behind().map_or_else(|| draft.model.into(), Box::from),
        stream: draft.stream && can_stream(endpoint),
        warnings: written.warnings,
        strict: strict(scene, target),
        stored: upstream.stored(),
        hides_usage,
    };
    Ok(Prepared { send, job, credential: upstream.credential_index() })
}

/// A form or a recording: goes through unread, to the provider's own address for it.
fn form(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    endpoint: Endpoint,
    upstream: &Upstream<'_>,
) -> Result<Prepared, Refusal> {
    let (method, url) = upstream.address(endpoint, call.parts.uri.query())?;
    let mut parts = headers::head(&method, &url)?;
    upstream.judge(scene, &parts.uri)?;
    let reading = Reading::Same(DialectId::OpenAi);
    let client_signs = headers::form(scene, call, target, upstream, reading, &mut parts.headers)?;
    if !client_signs {
        upstream.sign(scene, &mut parts, None)?;
    }
    send_through(scene, call, target, upstream, parts, reading)
}

/// Any other path: the client's own path on the provider's base.
fn proxied(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: &Upstream<'_>,
) -> Result<Prepared, Refusal> {
    upstream.judge_model(peeked(call))?;
    let url = upstream.pass_through(call.parts.uri.path(), call.parts.uri.query())?;
    let mut parts = headers::head(&call.parts.method, &url)?;
    upstream.judge(scene, &parts.uri)?;
    let client_signs = headers::through(scene, call, target, upstream, &mut parts.headers);
    let reading = if call.route == Route::Managed && upstream.speaks_openai() {
        headers::own(call, upstream, Reading::Same(DialectId::OpenAi), &mut parts.headers)?;
        Reading::Same(DialectId::OpenAi)
    } else {
        headers::complete(upstream, &mut parts.headers)?;
        Reading::Proxy
    };
    headers::operators(upstream, &mut parts.headers);
    if !client_signs {
        upstream.sign(scene, &mut parts, None)?;
    }
    send_through(scene, call, target, upstream, parts, reading)
}

/// The client's body as it came, or as the target's members change it.
fn send_through(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    upstream: &Upstream<'_>,
    parts: Parts,
    reading: Reading,
) -> Result<Prepared, Refusal> {
    let body = match &call.body {
        CallBody::Empty => OutBody::empty(),
        CallBody::Json(_) => OutBody::frames(body::Draft::of(call, target, None)?.frames()),
        CallBody::Whole(frames) => OutBody::frames(frames.clone()),
        CallBody::Stream(body) => match body.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(body) => OutBody::incoming(body),
            None => return Err(already_sent()),
        },
    };
    let job = Job {
        reading,
        provider: upstream.label(),
        model: upstream.model_behind().unwrap_or_else(|| peeked(call)).into(),
        stream: false,
        warnings: Warnings::default(),
        strict: strict(scene, target),
        stored: upstream.stored(),
        hides_usage: false,
    };
    let send = Send::Upstream(Box::new(http::Request::from_parts(parts, body)));
    Ok(Prepared { send, job, credential: upstream.credential_index() })
}

/// The vendor cannot count tokens: the gateway estimates.
fn estimate(call: &Call, draft: &body::Draft<'_>, upstream: &Upstream<'_>) -> Result<Prepared, Refusal> {
    let request =
        tokens::decode_count_tokens(&draft.bytes()).map_err(|error| Refusal::new("request", error))?;
    let answer = tokens::encode_count_tokens_answer(tokens::estimate_input_tokens(&request));
    let job = Job {
        reading: Reading::Same(call.client().id()),
        provider: upstream.label(),
        model: draft.model.as_str().into(),
        stream: false,
        warnings: Warnings::default(),
        strict: true,
        stored: upstream.stored(),
        hides_usage: false,
    };
    Ok(Prepared { send: Send::Estimate(answer.into()), job, credential: None })
}

/// Endpoints whose answers may be events. A `stream` in any other body is the provider's to judge.
fn can_stream(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Messages | Endpoint::Responses
    )
}

/// Off when either the header or the target says so.
fn strict(scene: &Scene<'_>, target: &Target) -> bool {
    !scene.resolved.overrides.strict_off && target.strict.unwrap_or(true)
}

fn already_sent() -> Refusal {
    Refusal::exception(
        502,
        "the request's body was streamed to a first target and cannot be sent again; send JSON, or configure a single target for uploads",
    )
}
