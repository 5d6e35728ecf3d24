//! From an answer to the client's response: headers that tell what happened, and the body that carries the record to
//! its last byte.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tidegate_catalog::Endpoint;
use tidegate_core::Usage;
use tidegate_dialect::ClientDialect;
use tidegate_http1::MoreFields;
use tidegate_limits::Pace;
use tidegate_records::Text;
use tidegate_routing::CircuitState;

use crate::accept::Call;
use crate::attempt::{Answer, AnswerBody, Answered};
use crate::body::ClientBody;
use crate::headers::{
    CACHE_STATUS, CIRCUIT, ESTIMATED, EXCEPTION, LAST_INDEX, LIMITS, PROVIDER, QUEUED, RETRY_COUNT, TRACE_ID,
    WARNINGS, is_gateway_header, put_standing, strip_hop_by_hop,
};
use crate::paced::PacedBody;
use crate::pass::{Ending, Events, PassBody};
use crate::patience::Patience;
use crate::prepare::Scene;
use crate::record::Record;
use crate::route::Route;
use crate::translated::TranslatedBody;
use crate::websocket::{self, Joined};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const DISABLED: HeaderValue = HeaderValue::from_static("DISABLED");
/// What an answer says of this gateway.
static OWN: [HeaderName; 11] = [
    LAST_INDEX,
    PROVIDER,
    RETRY_COUNT,
    TRACE_ID,
    CACHE_STATUS,
    WARNINGS,
    ESTIMATED,
    CIRCUIT,
    EXCEPTION,
    LIMITS,
    HeaderName::from_static(QUEUED),
];

/// An answer with its head written, waiting for the record that will ride with its body.
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    /// The gateway's own.
    more: MoreFields,
    body: AnswerBody,
    provider: &'static str,
    model: Box<str>,
    usage: Option<Usage>,
    detail: Option<Box<str>>,
    client: &'static dyn ClientDialect,
    ending: Ending,
    hides_usage: bool,
    patience: Patience,
    /// Of a stream.
    pace: Option<Pace>,
    /// In place of a body.
    session: Option<Box<Joined>>,
}

/// Writes the head: the provider's own headers, and those that say which target answered and how.
pub fn of(scene: &Scene<'_>, call: &Call, answered: Answered, record: &mut Record) -> Box<Reply> {
    let Answered { answer, target, retry_count, circuit } = answered;
    let Answer {
        status,
        mut headers,
        body,
        provider,
        model,
        usage,
        warnings,
        estimated,
        uncalled,
        detail,
        meter,
        stored,
        hides_usage,
        ..
    } = *answer;
    strip_hop_by_hop(&mut headers);
    if headers.keys().any(is_gateway_header) {
        for name in &OWN {
            headers.remove(name); // another gateway's
        }
    }
    let mut more = MoreFields::with_capacity(512);
    match &*target.path {
        "config" => more.put(&LAST_INDEX, &HeaderValue::from_static("config")),
        path => put(&mut more, &LAST_INDEX, HeaderValue::from_str(path)),
    }
    more.put(&PROVIDER, &HeaderValue::from_static(provider));
    more.put(&RETRY_COUNT, &retry_count_value(retry_count));
    more.put(&TRACE_ID, call.own.trace_id.as_ref().unwrap_or(&HeaderValue::from_static("")));
    if !uncalled {
        more.put(&CACHE_STATUS, &DISABLED);
    }
    if !warnings.is_empty() {
        put(&mut more, &WARNINGS, HeaderValue::from_str(&warnings.header_value()));
    }
    if estimated {
        more.put(&ESTIMATED, &HeaderValue::from_static("true"));
    }
    match circuit {
        CircuitState::Closed => {}
        CircuitState::Open => more.put(&CIRCUIT, &HeaderValue::from_static("open")),
        CircuitState::HalfOpen => more.put(&CIRCUIT, &HeaderValue::from_static("half-open")),
    }
    match &body {
        AnswerBody::Full(_) => rewritten(&mut headers, JSON),
        AnswerBody::Translated(_) => {
            rewritten(&mut headers, EVENT_STREAM);
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        // A stream that breaks ends in an event more than was announced.
        AnswerBody::Pass(passing) if passing.events => drop(headers.remove(header::CONTENT_LENGTH)),
        AnswerBody::Pass(_) => {}
        AnswerBody::Session(_) => drop(headers.remove(header::SEC_WEBSOCKET_ACCEPT)),
    }
    let idle_ms = target.timeouts.between_chunks_ms.or(scene.snapshot.timeouts.between_chunks_ms);
    let idle = idle_ms.map(Duration::from_millis);
    let (body, meter, session) = match body {
        AnswerBody::Session(opening) => {
            let session = opening.join(scene, call, meter, stored.clone(), (&model, idle));
            (AnswerBody::Full(Bytes::new()), None, session)
        }
        body => (body, meter, None),
    };
    if let Some(account) = &mut record.account {
        account.meter = meter;
        account.stored = stored;
        account.sent_model = Text::new(&model);
        account.answered(&headers);
        if scene.gateway.control.limits.is_away() {
            more.put(&LIMITS, &HeaderValue::from_static("local"));
        }
        if let Some(waited) = account.waited {
            let ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
            more.put_numbers(&HeaderName::from_static(QUEUED), std::iter::once((ms, "")));
        }
        put_standing(&mut headers, &mut more, &account.standing());
    }
    let patience = Patience::new(idle, &scene.gateway.cut);
    let ending = match call.route {
        Route::Unified(Endpoint::Responses) => Ending::Responses { seen: false },
        _ => Ending::Tapped,
    };
    let client = call.client();
    Box::new(Reply {
        status,
        headers,
        more,
        body,
        provider,
        model,
        usage,
        detail,
        client,
        ending,
        hides_usage,
        patience,
        pace: scene.snapshot.pace,
        session,
    })
}

impl Reply {
    pub fn into_response(self, mut record: Box<Record>) -> Response<ClientBody> {
        record.provider = self.provider;
        record.model = self.model;
        record.status = self.status.as_u16();
        record.usage = self.usage;
        record.detail = self.detail;
        if let Some(session) = self.session {
            let mut response = websocket::respond(*session, self.headers, record);
            response.extensions_mut().insert(self.more);
            return response;
        }
        let cut = record.gateway.cut.clone();
        let is_stream = self.body.is_stream();
        let body = match self.body {
            AnswerBody::Full(bytes) => ClientBody::recorded(bytes, record),
            // Taken out when the head was written.
            AnswerBody::Session(_) => ClientBody::recorded(Bytes::new(), record),
            AnswerBody::Pass(passing) => {
                let events = passing.events.then(|| {
                    Events::new(self.client, self.provider, self.ending).hiding_usage(self.hides_usage)
                });
                ClientBody::Pass(Box::new(PassBody::new(passing, events, self.patience, record)))
            }
            AnswerBody::Translated(translating) => ClientBody::Translated(Box::new(TranslatedBody::new(
                *translating,
                self.client,
                self.provider,
                self.patience,
                record,
            ))),
        };
        let body = match self.pace.filter(|_| is_stream) {
            Some(pace) => ClientBody::Paced(Box::new(PacedBody::new(body, pace, &cut))),
            None => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        if !self.more.is_empty() {
            response.extensions_mut().insert(self.more);
        }
        response
    }
}

/// The body is no longer the provider's: headers that describe its bytes go.
fn rewritten(headers: &mut HeaderMap, content_type: HeaderValue) {
    for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::ETAG, header::ACCEPT_RANGES] {
        headers.remove(name);
    }
    headers.insert(header::CONTENT_TYPE, content_type);
}

fn retry_count_value(count: i32) -> HeaderValue {
    match count {
        0 => HeaderValue::from_static("0"),
        -1 => HeaderValue::from_static("-1"),
        count => HeaderValue::from(count),
    }
}

fn put<E>(more: &mut MoreFields, name: &HeaderName, value: Result<HeaderValue, E>) {
    if let Ok(value) = value {
        more.put(name, &value);
    }
}

/// A JSON answer of the gateway's own, on the path of a request.
pub fn own_json(call: &Call, body: &serde_json::Value) -> Box<Reply> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, JSON);
    Box::new(Reply {
        status: StatusCode::OK,
        headers,
        more: MoreFields::default(),
        body: AnswerBody::Full(body.to_string().into()),
        provider: "",
        model: Box::default(),
        usage: None,
        detail: None,
        client: call.client(),
        ending: Ending::Tapped,
        hides_usage: false,
        patience: Patience::new(None, &std::sync::Arc::default()),
        pace: None,
        session: None,
    })
}

/// A page of the gateway's own.
pub fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<ClientBody> {
    let mut response = Response::new(ClientBody::full(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
