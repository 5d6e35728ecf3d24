//! From a provider's head and body to an answer for the client, or to the account of a failure while another target can
//! still be tried: the head of a stream is held back until its first content says that it is no error.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use tidegate_catalog::Endpoint;
use tidegate_core::{ApiError, Usage};
use tidegate_dialect::chat::StreamEvent;
use tidegate_dialect::tap::{FirstEvent, Tap, TapKind, classify_first};
use tidegate_dialect::{AnswerContext, DialectId, openai_chat, provider_dialect};
use tidegate_routing::Outcome;

use super::send::expects_json;
use super::{Answer, AnswerBody, Attempted, Passing, Translating, network_outcome, outcome_of};
use crate::accept::Call;
use crate::body::{CollectError, Piece, Source};
use crate::headers::SHOULD_RETRY;
use crate::prepare::{Job, Reading, Scene};
use crate::responses;
use crate::route::Route;
use crate::translated::ends;

/// An error's body is read up to here; providers' errors are far smaller.
const ERROR_LIMIT: usize = 1024 * 1024;
const ERROR_PATIENCE: Duration = Duration::from_secs(10);
/// A whole answer that has to be translated is read up to here.
const ANSWER_LIMIT: usize = 256 * 1024 * 1024;
/// Bytes of a stream that may pass without content before the answer counts as begun.
const HOLD_LIMIT: usize = 64 * 1024;

pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
}

/// An answer as it comes. On the heap, because it passes through many hands.
pub struct Coming {
    pub head: Head,
    pub source: Source,
}

/// Reads as far as it takes to know that the answer is one.
pub async fn answer(scene: &Scene<'_>, call: &Call, job: &Job, coming: Box<Coming>) -> Attempted {
    let reader = Reader { scene, call, job };
    let status = coming.head.status;
    match job.reading {
        Reading::Proxy => reader.proxied(coming),
        Reading::Same(_) if status.is_redirection() && !expects_json(job.reading, call) => {
            reader.proxied(coming)
        }
        // The rarer ways are boxed, so that the common one does not carry room for them.
        _ if !status.is_success() => Box::pin(reader.failure(coming)).await,
        Reading::Same(dialect) => reader.same(dialect, coming).await,
        Reading::Chat(dialect) if job.stream => Box::pin(reader.stream(dialect, coming)).await,
        Reading::Chat(dialect) => Box::pin(reader.whole(dialect, coming)).await,
        Reading::Embeddings { dialect, base64 } => Box::pin(reader.embeddings(dialect, base64, coming)).await,
    }
}

struct Reader<'a> {
    scene: &'a Scene<'a>,
    call: &'a Call,
    job: &'a Job,
}

impl Reader<'_> {
    fn proxied(&self, coming: Box<Coming>) -> Attempted {
        let events = is_event_stream(&coming.head.headers);
        self.pass(coming, TapKind::None, events)
    }

    /// The bytes pass as they come.
    fn pass(&self, coming: Box<Coming>, tap: TapKind, events: bool) -> Attempted {
        let Coming { head, source } = *coming;
        let body = AnswerBody::Pass(Box::new(Passing { source, tap: Tap::new(tap), events }));
        self.done(self.outcome(&head), head, body, None)
    }

    /// The provider said no: its error in the client's form, its status and headers kept.
    async fn failure(&self, coming: Box<Coming>) -> Attempted {
        let Coming { head, mut source } = *coming;
        let collected = tokio::time::timeout(ERROR_PATIENCE, source.collect(ERROR_LIMIT)).await;
        let body = match collected {
            Ok(Ok(body)) => unzipped(&head.headers, body, ERROR_LIMIT).unwrap_or_default(),
            _ => Bytes::new(),
        };
        let dialect = provider_dialect(self.dialect());
        let mut error = dialect.decode_error(head.status.as_u16(), &body);
        error.answered = true;
        if let Some(ms) = retry_after_ms(&head.headers) {
            error.retry_after_ms = Some(ms);
        }
        let client = self.call.client();
        let mut shown = client.encode_error(&error, Some(self.job.provider));
        if let (serde_json::Value::Object(members), false) = (&mut shown, is_json(&head.headers)) {
            // What the reference answers for pages and plain text, beside the error that SDKs read.
            members.insert("html-message".into(), String::from_utf8_lossy(&body).into());
        }
        let outcome =
            Outcome { retry_after_ms: error.retry_after_ms, fault: error.fault, ..self.outcome(&head) };
        let status = error_status(client.error_status(&error));
        let detail = error.message.as_str().into();
        let body = AnswerBody::Full(shown.to_string().into());
        let mut attempted = self.done(outcome, Head { status, ..head }, body, None);
        if let Ok(answer) = &mut attempted.answer {
            answer.detail = Some(detail);
            if let (Some(ms), false) =
                (error.retry_after_ms, answer.headers.contains_key(header::RETRY_AFTER))
            {
                answer.headers.insert(header::RETRY_AFTER, ms.div_ceil(1000).into());
            }
        }
        attempted
    }

    /// Same dialect: the bytes pass as they come.
    async fn same(&self, dialect: DialectId, mut coming: Box<Coming>) -> Attempted {
        let anthropic = dialect == DialectId::Anthropic;
        let headers = &coming.head.headers;
        if self.job.stream && headers.contains_key(header::CONTENT_ENCODING) {
            // Nobody asked for it, and what passes untouched is not unpacked: it is the client's to read.
            return self.pass(coming, TapKind::None, false);
        }
        if self.job.stream && expects_json(self.job.reading, self.call) {
            if !content_type(headers).is_empty() && !is_event_stream(headers) {
                return Box::pin(self.not_a_stream(dialect, coming)).await;
            }
            if let Err(attempted) = self.hold_back(dialect, &mut coming.source).await {
                return *attempted;
            }
            let tap = match dialect {
                _ if self.is_responses() => TapKind::None,
                DialectId::Anthropic => TapKind::AnthropicStream,
                _ => TapKind::OpenAiStream,
            };
            return self.pass(coming, tap, true);
        }
        if expects_json(self.job.reading, self.call) && !is_json(headers) {
            return Box::pin(self.wrong_type(coming)).await;
        }
        if let Err(attempted) = self.wait_for_first_byte(&mut coming.source).await {
            return *attempted;
        }
        let events = is_event_stream(&coming.head.headers);
        let tap = match (is_json(&coming.head.headers), anthropic) {
            (false, _) => TapKind::None,
            (true, true) => TapKind::AnthropicBody,
            (true, false) => TapKind::OpenAiBody,
        };
        self.pass(coming, tap, events)
    }

    fn is_responses(&self) -> bool {
        self.call.route == Route::Unified(Endpoint::Responses)
    }

    fn classify(&self, bytes: &[u8]) -> FirstEvent {
        if self.is_responses() { responses::classify_first(bytes) } else { classify_first(bytes) }
    }

    /// A whole answer to a request for a stream: read as the dialect's stream decoder reads it.
    async fn not_a_stream(&self, dialect: DialectId, coming: Box<Coming>) -> Attempted {
        if !is_json(&coming.head.headers) {
            return self.wrong_type(coming).await;
        }
        if self.is_responses() {
            return self.pass(coming, TapKind::None, false);
        }
        self.stream(dialect, coming).await
    }

    /// A head alone is no answer: until the first byte of the body another target can still be tried.
    async fn wait_for_first_byte(&self, source: &mut Source) -> Result<(), Box<Attempted>> {
        match source.next().await {
            Piece::Data(bytes) => source.hold(std::iter::once(bytes)),
            Piece::End if !expects_json(self.job.reading, self.call) => {}
            Piece::End => return Err(Box::new(self.broken("the provider's answer is empty"))),
            Piece::Broken => {
                return Err(Box::new(self.broken("the provider's answer broke off before its first byte")));
            }
        }
        Ok(())
    }

    /// Reads until the first event that is content or an error.
    async fn hold_back(&self, dialect: DialectId, source: &mut Source) -> Result<(), Box<Attempted>> {
        let mut held: Vec<Bytes> = Vec::new();
        let mut joined: Vec<u8> = Vec::new();
        loop {
            match source.next().await {
                Piece::Data(bytes) => {
                    let first = if held.is_empty() {
                        self.classify(&bytes)
                    } else {
                        if joined.is_empty() {
                            joined.extend_from_slice(&held.concat());
                        }
                        joined.extend_from_slice(&bytes);
                        self.classify(&joined)
                    };
                    held.push(bytes);
                    let len: usize = held.iter().map(Bytes::len).sum();
                    match first {
                        FirstEvent::Error => {
                            return Err(Box::new(self.error_inside(dialect, &held.concat())));
                        }
                        FirstEvent::Undecided if len < HOLD_LIMIT => {}
                        FirstEvent::Content | FirstEvent::Undecided => {
                            source.hold(held.into_iter());
                            return Ok(());
                        }
                    }
                }
                Piece::End => {
                    return Err(Box::new(self.broken("the provider's stream ended before any content")));
                }
                Piece::Broken => {
                    return Err(Box::new(self.broken("the provider's stream broke off before any content")));
                }
            }
        }
    }

    /// The first event was an error: the attempt failed, whatever the status said.
    fn error_inside(&self, dialect: DialectId, bytes: &[u8]) -> Attempted {
        let mut decoder = provider_dialect(dialect).chat_stream(&self.context());
        let mut events = Vec::new();
        decoder.push(bytes, &mut events);
        decoder.finish(&mut events);
        let error = events.into_iter().find_map(|event| match event {
            StreamEvent::Error(error) => Some(error),
            _ => None,
        });
        self.failed(&error.unwrap_or_else(|| ApiError::upstream("the provider's stream began with an error")))
    }

    /// Another dialect's stream.
    async fn stream(&self, dialect: DialectId, coming: Box<Coming>) -> Attempted {
        if coming.head.headers.contains_key(header::CONTENT_ENCODING) {
            return self.broken("the provider compressed its stream, which was not asked for");
        }
        if is_html(&coming.head.headers) {
            return self.wrong_type(coming).await;
        }
        let Coming { head, mut source } = *coming;
        let context = self.context();
        let mut decoder = provider_dialect(dialect).chat_stream(&context);
        let mut events = Vec::new();
        let mut len = 0;
        loop {
            match source.next().await {
                Piece::Data(bytes) => {
                    len += bytes.len();
                    decoder.push(&bytes, &mut events);
                }
                Piece::End => {
                    decoder.finish(&mut events);
                    if !ends(&events) {
                        return self.broken("the provider's stream ended before any content");
                    }
                }
                Piece::Broken => return self.broken("the provider's stream broke off before any content"),
            }
            let error = events.iter().find_map(|event| match event {
                StreamEvent::Error(error) => Some(error),
                _ => None,
            });
            let content = events.iter().any(StreamEvent::is_content);
            match error {
                Some(error) if !content => return self.failed(error),
                _ if content || len > HOLD_LIMIT => break,
                _ => {}
            }
        }
        let encoder = self.call.client().chat_stream(&context);
        let body = Translating { source, decoder, encoder, events, preface: Vec::new() };
        let body = AnswerBody::Translated(Box::new(body));
        self.done(self.outcome(&head), head, body, None)
    }

    /// Another dialect's whole answer.
    async fn whole(&self, dialect: DialectId, coming: Box<Coming>) -> Attempted {
        let Coming { head, source } = *coming;
        let body = match self.collected(&head, source).await {
            Ok(body) => body,
            Err(attempted) => return *attempted,
        };
        let context = self.context();
        match provider_dialect(dialect).decode_chat(&body, &context) {
            Ok(response) => {
                let shown = self.call.client().encode_chat(&response, &context);
                let mut attempted =
                    self.done(self.outcome(&head), head, AnswerBody::Full(shown.into()), response.usage);
                if let Ok(answer) = &mut attempted.answer {
                    response.warnings.into_iter().for_each(|warning| answer.warnings.add(warning));
                    if let Some(model) = response.model {
                        answer.model = model.into();
                    }
                }
                attempted
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn embeddings(&self, dialect: DialectId, base64: bool, coming: Box<Coming>) -> Attempted {
        let Coming { head, source } = *coming;
        let body = match self.collected(&head, source).await {
            Ok(body) => body,
            Err(attempted) => return *attempted,
        };
        match provider_dialect(dialect).decode_embeddings(&body, &self.context()) {
            Ok(response) => {
                let shown = openai_chat::embeddings::encode_response(&response, base64, &self.job.model);
                self.done(self.outcome(&head), head, AnswerBody::Full(shown.into()), response.usage)
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn collected(&self, head: &Head, mut source: Source) -> Result<Bytes, Box<Attempted>> {
        let body = match source.collect(ANSWER_LIMIT).await {
            Ok(body) => body,
            Err(CollectError::TooLong) => {
                return Err(Box::new(self.broken("the provider's answer is too large to be translated")));
            }
            Err(CollectError::Broken) => {
                return Err(Box::new(self.broken("the provider's answer broke off")));
            }
        };
        match unzipped(&head.headers, body, ANSWER_LIMIT) {
            Some(body) => Ok(body),
            None => Err(Box::new(
                self.broken("the provider's answer is compressed in a way that was not asked for"),
            )),
        }
    }

    /// A page where JSON was due: an edge or a proxy in front of the provider answered.
    async fn wrong_type(&self, coming: Box<Coming>) -> Attempted {
        let Coming { head, mut source } = *coming;
        let _ = tokio::time::timeout(ERROR_PATIENCE, source.collect(ERROR_LIMIT)).await;
        let kind =
            head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("nothing");
        let kind: String = kind.chars().take(60).collect();
        self.failed(&ApiError::upstream(format!("the provider answered with {kind} instead of JSON")))
    }

    fn broken(&self, message: &str) -> Attempted {
        let error = ApiError::upstream(message).with_code("upstream_broken");
        let outcome = network_outcome(error.status, error.fault);
        Attempted::failed(self.call, self.job.provider, &self.job.model, &error, outcome)
    }

    fn failed(&self, error: &ApiError) -> Attempted {
        Attempted::failed(self.call, self.job.provider, &self.job.model, error, outcome_of(error))
    }

    fn outcome(&self, head: &Head) -> Outcome {
        let no_retry = head.headers.get(SHOULD_RETRY).is_some_and(|value| value == "false");
        Outcome {
            retry_after_ms: if head.status.is_success() { None } else { retry_after_ms(&head.headers) },
            provider_said_no_retry: no_retry,
            ..Outcome::of_status(head.status.as_u16())
        }
    }

    fn done(&self, outcome: Outcome, head: Head, body: AnswerBody, usage: Option<Usage>) -> Attempted {
        let answer = Answer {
            status: head.status,
            headers: head.headers,
            body,
            provider: self.job.provider,
            model: self.job.model.clone(),
            usage,
            warnings: self.job.warnings.clone(),
            estimated: false,
            uncalled: false,
            strict: self.job.strict,
            names_events: self.call.client().id() == DialectId::Anthropic,
            detail: None,
            meter: None,
            stored: None,
            hides_usage: false,
        };
        Attempted { outcome, answer: Ok(Box::new(answer)) }
    }

    fn context(&self) -> AnswerContext<'_> {
        AnswerContext {
            provider: self.job.provider,
            model: &self.job.model,
            strict: self.job.strict,
            include_usage: self.call.peek.include_usage == Some(true),
            now_s: self.scene.gateway.clock.unix_ms() / 1000,
        }
    }

    /// The dialect the provider's errors are in.
    fn dialect(&self) -> DialectId {
        match self.job.reading {
            Reading::Proxy => DialectId::OpenAi,
            Reading::Same(dialect) | Reading::Chat(dialect) | Reading::Embeddings { dialect, .. } => dialect,
        }
    }
}

/// A redirect without its target would send clients nowhere: redirects are not followed, so one is a broken upstream.
pub fn error_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::BAD_GATEWAY)
}

/// How long the provider asks to wait. Seconds may be a fraction; a date is not read, as in the reference.
fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    let ms = number("retry-after-ms")
        .or_else(|| number("x-ms-retry-after-ms"))
        .or_else(|| number("retry-after").map(|seconds| seconds * 1000.0))?;
    (ms.is_finite() && ms > 0.0).then_some(ms as u64)
}

fn content_type(headers: &HeaderMap) -> &[u8] {
    headers.get(header::CONTENT_TYPE).map_or(b"", |value| value.as_bytes())
}

/// Events that can be told apart: not behind a content coding.
fn is_event_stream(headers: &HeaderMap) -> bool {
    starts_with(content_type(headers), b"text/event-stream")
        && !headers.contains_key(header::CONTENT_ENCODING)
}

/// A missing type counts as JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = content_type(headers);
    if kind == b"application/json" {
        return true;
    }
    let essence = kind.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    essence.is_empty() || essence.eq_ignore_ascii_case(b"application/json") || essence.ends_with(b"+json")
}

fn is_html(headers: &HeaderMap) -> bool {
    starts_with(content_type(headers), b"text/html")
}

fn starts_with(kind: &[u8], prefix: &[u8]) -> bool {
    kind.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The body without its content coding; `None` for a coding that was not asked for and is not gzip, for a bad body, and
/// for one that grows beyond `limit` bytes.
fn unzipped(headers: &HeaderMap, body: Bytes, limit: usize) -> Option<Bytes> {
    let Some(coding) = headers.get(header::CONTENT_ENCODING) else { return Some(body) };
    match coding.as_bytes() {
        b"identity" => Some(body),
        b"gzip" | b"x-gzip" => {
            let mut plain = Vec::new();
            let bounded =
                flate2::read::GzDecoder::new(&body[..]).take(limit as u64 + 1).read_to_end(&mut plain);
            (bounded.is_ok() && plain.len() <= limit).then(|| plain.into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn waits() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<u64>)] = &[
            (&[("retry-after", "2")], Some(2000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after", "2"), ("retry-after-ms", "10")], Some(10)),
            (&[("x-ms-retry-after-ms", "7")], Some(7)),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[], None),
        ];
        for (given, want) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in *given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            assert_eq!(retry_after_ms(&headers), *want, "{given:?}");
        }
    }

    #[test]
    fn content_types() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
            headers
        };
        assert!(is_json(&with("application/json; charset=utf-8")));
        assert!(is_json(&with("application/problem+json")));
        assert!(!is_json(&with("text/html")));
        assert!(is_event_stream(&with("Text/Event-Stream;charset=utf-8")));
        assert!(!is_event_stream(&HeaderMap::new()));
        assert!(is_json(&HeaderMap::new()));
        assert!(!is_event_stream(&with("application/json")));
    }
}
