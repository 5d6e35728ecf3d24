//! Step 1. Reads what came: the door, the gateway's headers, and the body as far as the door needs it. Bounds are
//! judged here, each with an error of its own.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use tidegate_core::{ApiError, ErrorKind, Fault};
use tidegate_dialect::ClientDialect;
use tidegate_dialect::peek::{Flaw, Peek, PeekError, PeekLimits, is_plain, peek_marked};
use tidegate_http1::server::Incoming;

use crate::headers::GatewayHeaders;
use crate::refuse::Refusal;
use crate::route::Route;
use crate::websocket::{self, Asked};
use tidegate_catalog::Endpoint;

/// A request as it arrived, before anything was judged. On the heap, because it passes through many hands.
pub type Inbound = Box<http::Request<Incoming>>;

/// What a request may cost to read. Sizes in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub max_body: usize,
    /// Of what programs tell of logs and spans.
    pub max_intake: usize,
    pub max_url: usize,
    pub json: PeekLimits,
}

/// A request that has been read.
#[derive(Debug)]
pub struct Call {
    pub route: Route,
    pub parts: Parts,
    pub own: Box<GatewayHeaders>,
    pub body: CallBody,
    /// Facts of a JSON body; empty for others.
    pub peek: Peek,
    /// It asks for a WebSocket.
    pub asked: Option<Box<Asked>>,
}

#[derive(Debug)]
pub enum CallBody {
    Empty,
    /// JSON, as the frames it came in: can be sent again.
    Json(Arc<[Bytes]>),
    /// A form or a recording, unread but kept: a plan may send it again.
    Whole(Arc<[Bytes]>),
    /// Anything else: goes through once, unread. `None` after it has been sent.
    Stream(Mutex<Option<Incoming>>),
}

impl Call {
    /// The dialect errors and answers are written in.
    pub fn client(&self) -> &'static dyn ClientDialect {
        client_of(self.route)
    }

    /// The answer shall be a stream.
    pub fn streams(&self) -> bool {
        self.peek.stream == Some(true)
    }

    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }
}

impl CallBody {
    /// False once a body that could only go through once has gone.
    pub fn can_be_sent(&self) -> bool {
        match self {
            Self::Empty | Self::Json(_) | Self::Whole(_) => true,
            Self::Stream(body) => body.lock().unwrap_or_else(PoisonError::into_inner).is_some(),
        }
    }
}

pub fn client_of(route: Route) -> &'static dyn ClientDialect {
    match route {
        Route::Unified(Endpoint::Messages | Endpoint::CountTokens) => {
            &tidegate_dialect::anthropic_messages::Anthropic
        }
        Route::Unified(Endpoint::Completions) => &tidegate_dialect::openai_chat::Completions,
        _ => &tidegate_dialect::openai_chat::OpenAi,
    }
}

/// # Errors
/// 400 for a wrong content type or JSON that is none, 413 and 414 for what is too large, 426 for a plain request to a
/// WebSocket.
pub async fn read(
    inbound: Inbound,
    asked: Option<Box<Asked>>,
    route: Route,
    bounds: &Bounds,
) -> Result<Box<Call>, Refusal> {
    let (parts, body) = inbound.into_parts();
    let own = GatewayHeaders::read(&parts.headers);
    judge_url(&parts, bounds)?;
    if asked.is_some() || route == Route::Realtime {
        return session(parts, own, asked, route);
    }
    let kind = BodyKind::of(&parts, &own, route, body.size_hint().upper(), bounds)?;
    let (body, peek) = match kind {
        BodyKind::Stream | BodyKind::Whole if body.is_end_stream() => (CallBody::Empty, Peek::default()),
        BodyKind::Stream => (CallBody::Stream(Mutex::new(Some(body))), Peek::default()),
        BodyKind::Json => {
            let (frames, plain) = read_frames(body, bounds.max_body).await?;
            let facts = look(&frames, &plain, bounds)?;
            (CallBody::Json(frames), facts)
        }
        BodyKind::Kept => {
            let (frames, plain) = read_frames(body, bounds.max_body).await?;
            let facts = peek_marked(&frames, &plain, bounds.json).unwrap_or_default();
            (CallBody::Json(frames), facts)
        }
        BodyKind::Whole => (CallBody::Whole(read_frames(body, bounds.max_body).await?.0), Peek::default()),
    };
    Ok(Box::new(Call { route, parts, own, body, peek, asked: None }))
}

/// A handshake has no body: its model stands in the query.
fn session(
    parts: Parts,
    own: Box<GatewayHeaders>,
    asked: Option<Box<Asked>>,
    route: Route,
) -> Result<Box<Call>, Refusal> {
    if asked.is_none() {
        return Err(websocket::no_upgrade());
    }
    let query = parts.uri.query();
    let model = ["model", "deployment"].iter().find_map(|name| websocket::parameter(query, name));
    let peek = Peek { model, ..Peek::default() };
    Ok(Box::new(Call { route, parts, own, body: CallBody::Empty, peek, asked }))
}

enum BodyKind {
    /// Has to be a JSON object.
    Json,
    /// JSON on its way through: kept whole so that it can be sent again, and not judged.
    Kept,
    /// A form or a recording of a size that can be kept.
    Whole,
    Stream,
}

impl BodyKind {
    /// A missing content type counts as JSON on routes that take JSON.
    fn of(
        parts: &Parts,
        own: &GatewayHeaders,
        route: Route,
        len: Option<u64>,
        bounds: &Bounds,
    ) -> Result<Self, Refusal> {
        let value = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let essence = value.unwrap_or_default().split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
        // Only a plan of several tries, or one that changes the body, has a use for a kept one.
        let planned = own.config.is_some() || own.fallbacks.is_some() || own.retry_count.is_some();
        let Route::Unified(_) = route else {
            let kept = planned && essence.eq_ignore_ascii_case(b"application/json");
            return Ok(if kept { Self::Kept } else { Self::Stream });
        };
        if essence.eq_ignore_ascii_case(b"application/json") || essence.is_empty() {
            Ok(Self::Json)
        } else if essence.eq_ignore_ascii_case(b"multipart/form-data")
            || essence.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case(b"audio"))
        {
            let fits = len.is_some_and(|len| len <= bounds.max_body as u64);
            Ok(if planned && fits { Self::Whole } else { Self::Stream })
        } else {
            let error = ApiError::bad_request(
                "content-type",
                "Invalid content type passed: send application/json (or multipart/form-data where the endpoint takes a file)",
            );
            Err(Refusal::new("content_type", error).saying("Invalid content type passed"))
        }
    }
}

fn judge_url(parts: &Parts, bounds: &Bounds) -> Result<(), Refusal> {
    let len = parts.uri.path_and_query().map_or(0, |url| url.as_str().len());
    if len <= bounds.max_url {
        return Ok(());
    }
    let message = format!("the request's URL is {len} bytes long; at most {} are accepted", bounds.max_url);
    Err(Refusal::with_status("url_too_long", ErrorKind::TooLarge, 414, message))
}

/// A frame of at least this size is looked at as it comes, while the processor has it at hand.
const LARGE_FRAME: usize = 4096;

/// The frames, and which of them hold nothing but a part of some string.
async fn read_frames(mut body: Incoming, max: usize) -> Result<(Arc<[Bytes]>, Vec<bool>), Refusal> {
    if body.size_hint().lower() > max as u64 {
        return Err(too_large(max));
    }
    // Most bodies come in one frame.
    let mut first = None;
    let mut frames = Vec::new();
    let mut plain = Vec::new();
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            let message = "the request's body broke off before its end";
            return Err(Refusal::with_status("body_cut", ErrorKind::BadRequest, 400, message));
        };
        let Ok(bytes) = frame.into_data() else { continue };
        len += bytes.len();
        if len > max {
            return Err(too_large(max));
        }
        if first.is_none() && frames.is_empty() {
            first = Some(bytes);
            continue;
        }
        frames.extend(first.take());
        // The first is read from its beginning in any case.
        plain.resize(frames.len(), false);
        plain.push(bytes.len() >= LARGE_FRAME && is_plain(&bytes));
        frames.push(bytes);
    }
    let frames = first.map_or_else(|| frames.into(), |first| Arc::from([first]));
    Ok((frames, plain))
}

fn too_large(max: usize) -> Refusal {
    let message = format!("the request's body is larger than the {max} bytes that `limits.max_body` allows");
    Refusal::with_status("body_too_large", ErrorKind::TooLarge, 413, message)
}

fn look(frames: &[Bytes], plain: &[bool], bounds: &Bounds) -> Result<Peek, Refusal> {
    let facts = peek_marked(frames, plain, bounds.json).map_err(|flaw| not_json(&flaw, bounds))?;
    if facts.valid_object {
        return Ok(facts);
    }
    Err(Refusal::bad_request("json", "body", "the request's body must be a JSON object"))
}

fn not_json(error: &PeekError, bounds: &Bounds) -> Refusal {
    let message = match error.what {
        Flaw::TooDeep => {
            format!("{error}; at most {} levels are accepted", bounds.json.max_depth)
        }
        Flaw::TooManyKeys => format!("{error}; at most {} are accepted", bounds.json.max_keys),
        _ => format!("the request's body is not valid JSON: {error}"),
    };
    let error = ApiError::new(ErrorKind::BadRequest, Fault::Caller, 400, message)
        .with_param("body")
        .with_code("invalid_json");
    Refusal::new("json", error)
}
