//! The part of a request's record that is about money and memory: who asked, what was tried, what it cost. There is one
//! where a key, a limit or the keeping of records asks for it; other requests do without.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tidegate_access::Who as Known;
use tidegate_core::{Usage, id};
use tidegate_directory::{ApiKey, Workspace};
use tidegate_ledger::How;
use tidegate_limits::Standing;
use tidegate_pricing::{Bill, Cost, Facts, ModelName, Unpriced};
use tidegate_records::{
    self as records, Attempt, Kind, RawBodies, RawBody, RequestRecord, Span, Text, Timing, Who,
};
use tidegate_routing::{Outcome, Target};

use crate::accept::{Call, CallBody};
use crate::authenticate::Caller;
use crate::bounds;
use crate::charge::{self, Meter};
use crate::control::Control;
use crate::headers::GatewayHeaders;
use crate::limiter::Permit;
use crate::plan::Resolved;
use crate::policy::Review;
use crate::record::{End, Record};

#[derive(Debug, Default)]
pub struct Account {
    key: Option<Arc<ApiKey>>,
    workspace: Option<Arc<Workspace>>,
    /// What the caller's limits were charged.
    pub charged: Option<Permit>,
    /// Where policies hold.
    pub review: Option<Arc<Review>>,
    /// What the attempt that answered set aside.
    pub meter: Option<Box<Meter>>,
    pub virtual_key: Option<Arc<str>>,
    /// The model that was sent to the provider.
    pub sent_model: Box<str>,
    /// The answer is one of a model: it has a cost.
    is_priced: bool,
    asked_model: Option<Box<str>>,
    saved: Option<(Arc<str>, u64)>,
    metadata: Vec<(Text, Text)>,
    user: Option<Box<str>>,
    stream: bool,
    attempts: Vec<Attempt>,
    /// Limits or budgets held for it.
    is_limited: bool,
    request_bytes: u64,
    pub response_bytes: u64,
    /// Work that is not counted in tokens.
    facts: Option<Box<Facts>>,
    /// Where bodies may be kept.
    bodies: Option<Box<Bodies>>,
}

/// The bodies that passed, by reference.
#[derive(Debug)]
struct Bodies {
    request: RawBody,
    response: Option<RawBody>,
    most: u64,
}

/// What is known when the last byte is gone.
pub struct Closing<'a> {
    pub record: &'a Record,
    pub duration: Duration,
    pub ttfb: Option<Duration>,
    pub end: End,
    pub streaming: bool,
}

impl Account {
    /// For a caller whose requests leave something behind.
    pub fn open(control: &Control, caller: &Caller) -> Option<Box<Self>> {
        if caller.key.is_none() && control.records.is_none() {
            return None;
        }
        let (key, workspace) = (caller.key.clone(), caller.workspace.clone());
        Some(Box::new(Self { key, workspace, ..Self::default() }))
    }

    pub fn call(&mut self, control: &Control, call: &Call) {
        self.asked_model = call.peek.model.as_deref().map(Box::from);
        self.stream = call.streams();
        if let CallBody::Json(frames) = &call.body {
            self.request_bytes = frames.iter().map(|frame| frame.len() as u64).sum();
        }
        if let Some(text) = GatewayHeaders::text(call.own.metadata.as_ref()) {
            let pairs = metadata_pairs(text);
            self.metadata =
                pairs.map(|(name, value)| (Text::Own(name.into()), Text::Own(value.into()))).collect();
            let user = self.metadata.iter().find(|(name, _)| *name == "_user");
            self.user = user.map(|(_, user)| user.as_str().into());
        }
        self.is_priced = call.route.is_of_model();
        if let CallBody::Json(frames) = &call.body {
            self.facts = bounds::facts(call.route, frames).map(Box::new);
        }
        let pipe = control.records.as_ref().map(|recorder| &recorder.pipe);
        if let (Some(pipe), CallBody::Json(frames)) = (pipe.filter(|pipe| pipe.may_keep_bodies()), &call.body)
        {
            let most = pipe.policy().most_bytes;
            let mut request =
                RawBody::new("request", Kind::Json, most).with_headers(texts(&call.parts.headers));
            frames.iter().for_each(|frame| request.frame(frame));
            self.bodies = Some(Box::new(Bodies { request, response: None, most }));
        }
    }

    /// The answer's head is known.
    pub fn answered(&mut self, headers: &HeaderMap) {
        if let Some(bodies) = &mut self.bodies {
            let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let kind = Kind::of(kind.unwrap_or("application/json"));
            let response = RawBody::new("response", kind, bodies.most).with_headers(texts(headers));
            bodies.response = Some(response);
        }
    }

    /// Bytes of the answer that go out.
    pub fn sent(&mut self, bytes: &Bytes) {
        self.response_bytes += bytes.len() as u64;
        if let Some(response) = self.bodies.as_mut().and_then(|bodies| bodies.response.as_mut()) {
            response.frame(bytes);
        }
    }

    pub fn plan(&mut self, resolved: &Resolved) {
        self.saved.clone_from(&resolved.saved);
    }

    pub fn attempted(&mut self, attempt: &Tried<'_>) {
        let outcome = attempt.outcome;
        let error = match outcome {
            Outcome { status: 0..=399, .. } => "",
            Outcome { timed_out: true, .. } => "timeout",
            Outcome { network: true, .. } => "network",
            Outcome { denied_before_call: true, .. } => "denied",
            Outcome { status: 429, .. } => "rate_limited",
            Outcome { status: 400..=499, .. } => "client_error",
            _ => "server_error",
        };
        self.attempts.push(Attempt {
            provider: Text::Fixed(attempt.provider),
            target: Text::Own(place_in_config(&attempt.target.path).into()),
            virtual_key: attempt.virtual_key.map_or_else(Text::default, |slug| Text::Shared(slug.clone())),
            model: Text::Own(attempt.model.into()),
            status: (!outcome.network).then_some(outcome.status),
            start_us: micros(attempt.began.saturating_duration_since(attempt.request_began)),
            duration_us: micros(attempt.began.elapsed()),
            first_byte_us: outcome.first_byte_ms.map(|ms| ms.saturating_mul(1_000)),
            error: Text::Fixed(error),
            retry_after_ms: outcome.retry_after_ms,
            ..Attempt::default()
        });
    }

    /// The headers that tell a client how its limits stand.
    pub fn standing(&self) -> Vec<(&'static str, String)> {
        let own = self.charged.as_ref().map(Permit::standing);
        let of_target = self.meter.as_ref().and_then(|meter| meter.standing());
        let of_policies = self.review.as_ref().and_then(|review| review.standing());
        let all = [own, of_target, of_policies].into_iter().flatten();
        all.reduce(Standing::and).map(|all| all.headers()).unwrap_or_default()
    }

    /// Settles what was set aside and writes the record. Success, error, a client that left and a panic come here alike.
    pub fn close(mut self, closing: &Closing<'_>) {
        let record = closing.record;
        let control = &record.gateway.control;
        let now = record.gateway.clock.now();
        let is_charged = self.review.as_ref().is_some_and(|review| review.is_charged());
        self.is_limited = self.charged.is_some() || self.meter.is_some() || is_charged;
        let (usage, estimated) = match &record.usage {
            Some(usage) => (Some(usage.clone()), false),
            // Images and speech are paid by what was asked for.
            None if self.facts.is_some() && (200..300).contains(&record.status) => {
                (Some(Usage::default()), false)
            }
            None if self.is_priced && (200..300).contains(&record.status) => {
                (Some(self.guess(closing.streaming)), true)
            }
            None => (None, false),
        };
        let tokens = usage.as_ref().map_or(0, Usage::total);
        let cost = match &usage {
            Some(usage) if self.is_priced => Some(self.cost(control, record, usage, estimated)),
            _ => None,
        };
        let bill = match &cost {
            Some(Cost::Priced(bill)) => Some(bill),
            _ => None,
        };
        if let Some(cost) = &cost {
            record.gateway.metrics.cost(cost);
        }
        if let Some(meter) = self.meter.take() {
            let how = match closing.end {
                _ if std::thread::panicking() => How::Panic,
                End::ClientGone => How::Disconnect,
                End::Ok => How::Success,
                _ => How::Error,
            };
            let amount = match (&usage, bill) {
                // Nothing was consumed.
                (None, _) => Some(tidegate_pricing::Money::ZERO),
                (Some(_), bill) => bill.map(|bill| bill.total),
            };
            meter.settle(amount, tokens, estimated, how, now);
        }
        if let Some(charged) = self.charged.take() {
            charged.settle(tokens, now);
        }
        if let Some(review) = self.review.take() {
            review.close(tokens, now);
        }
        if let Some(recorder) = &control.records {
            let id = recorder.ids.next(record.gateway.clock.unix_ms());
            let bodies = self.bodies.take().map(|bodies| {
                let Bodies { request, response, .. } = *bodies;
                std::iter::once(request).chain(response).collect::<RawBodies>()
            });
            let record = self.record(closing, id.bits(), usage, estimated, cost.as_ref());
            recorder.pipe.push(&record, bodies);
        }
    }

    fn cost(&self, control: &Control, record: &Record, usage: &Usage, estimated: bool) -> Cost {
        let found = control.prices.find(&ModelName {
            provider: record.provider,
            slug: self.virtual_key.as_deref(),
            asked: if self.sent_model.is_empty() { &record.model } else { &self.sent_model },
            answered: Some(&*record.model).filter(|model| !model.is_empty()),
            base_model: None,
        });
        charge::price(&found, usage, self.facts.as_deref(), estimated, record.gateway.clock.unix_ms() / 1_000)
    }

    /// Nobody told the usage: by the length of what went in and came out.
    fn guess(&self, streaming: bool) -> Usage {
        const BYTES_PER_TOKEN: u64 = 4;
        /// An event of a stream carries a token or two in a good deal of JSON.
        const BYTES_PER_EVENT: u64 = 160;
        let per = if streaming { BYTES_PER_EVENT } else { BYTES_PER_TOKEN };
        Usage {
            input: self.request_bytes / BYTES_PER_TOKEN,
            output: self.response_bytes / per,
            ..Usage::default()
        }
    }

    fn record(
        self,
        closing: &Closing<'_>,
        id: u64,
        usage: Option<Usage>,
        usage_estimated: bool,
        cost: Option<&Cost>,
    ) -> RequestRecord {
        let Closing { record, duration, ttfb, end, .. } = closing;
        let (config, config_version) = self.saved.unwrap_or_else(|| ("".into(), 0));
        let principal = self.key.as_ref().map(|key| &key.principal);
        let user = self.user.map(Text::Own).or_else(|| {
            let user = principal?.user.as_ref()?;
            Some(Text::Own(user.text().into()))
        });
        let trace = record.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        RequestRecord {
            id,
            who: Who {
                organisation: principal
                    .map_or_else(Text::default, |who| Text::Own(who.organisation.text().into())),
                workspace: self
                    .workspace
                    .as_ref()
                    .map_or_else(Text::default, |of| Text::Own(of.name.id.text().into())),
                api_key: match principal.map(|who| &who.who) {
                    Some(Known::Key { .. }) => {
                        self.key.as_ref().map_or_else(Text::default, |key| Text::Shared(key.id.clone()))
                    }
                    _ => Text::default(),
                },
                user: user.unwrap_or_default(),
                session: Text::default(),
                key_owner: principal
                    .and_then(|who| who.user.as_ref())
                    .map_or_else(Text::default, |user| Text::Own(user.text().into())),
                metadata: self.metadata,
            },
            route: Text::Fixed(record.route),
            method: Text::Own(record.method.as_str().into()),
            path: Text::Own(record.path.clone()),
            provider: Text::Fixed(record.provider),
            virtual_key: self.virtual_key.map(Text::Shared).unwrap_or_default(),
            config: Text::Shared(config),
            config_version,
            asked_model: self.asked_model.map(Text::Own).unwrap_or_default(),
            model: Text::Own(record.model.clone()),
            stream: self.stream,
            attempts: self.attempts,
            status: record.status,
            end: Text::Fixed(end.as_str()),
            error: record.detail.clone().map(Text::Own).unwrap_or_default(),
            timing: Timing { total_us: micros(*duration), ttft_us: ttfb.map(micros), ..Timing::default() },
            usage,
            usage_estimated,
            cost: cost.map(told).unwrap_or_default(),
            span: Span {
                trace: Text::Own(trace.into()),
                span: Text::Own(id::hex16().into()),
                ..Span::default()
            },
            cache: Text::Fixed("disabled"),
            limit_outcome: Text::Fixed(if record.limit.is_some() {
                "refused"
            } else if self.is_limited {
                "passed"
            } else {
                ""
            }),
            limit: Text::Fixed(record.limit.unwrap_or_default()),
            bytes: records::Bytes { request: self.request_bytes, response: self.response_bytes },
            ..RequestRecord::default()
        }
    }
}

/// One attempt, for the record.
pub struct Tried<'a> {
    pub target: &'a Target,
    pub outcome: &'a Outcome,
    pub provider: &'static str,
    pub model: &'a str,
    pub virtual_key: Option<&'a Arc<str>>,
    pub request_began: Instant,
    pub began: Instant,
}

/// Records have `targets[1]` where headers say `config.targets[1]`; nothing for a config that is one target.
fn place_in_config(path: &str) -> &str {
    path.strip_prefix("config").map_or(path, |rest| rest.trim_start_matches('.'))
}

/// Headers as they came; what is no text is left out.
fn texts(headers: &HeaderMap) -> Vec<(Text, Text)> {
    let pair = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((Text::Own(name.as_str().into()), Text::Own(value.to_str().ok()?.into())))
    };
    headers.iter().filter_map(pair).collect()
}

fn told(cost: &Cost) -> records::Cost {
    match cost {
        Cost::Priced(bill) => records::Cost {
            amount: Text::Own(bill.total.to_string().into()),
            currency: Text::Fixed("USD"),
            estimate: !bill.estimates.is_empty(),
            unpriced: !bill.is_complete(),
            parts: parts(bill),
            ..records::Cost::default()
        },
        Cost::Unpriced(why) => {
            records::Cost { unpriced: *why != Unpriced::NothingCounted, ..records::Cost::default() }
        }
    }
}

fn parts(bill: &Bill) -> Vec<(Text, Text)> {
    let line = |line: &tidegate_pricing::Line| {
        (Text::Fixed(line.meter.name()), Text::Own(line.amount.to_string().into()))
    };
    bill.lines.iter().map(line).collect()
}

/// The pairs of the metadata header: names and texts. What is no object of texts is no metadata.
pub fn metadata_pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    let members = match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    };
    pairs(members)
}

/// Metadata as it is written down: texts, and no long ones.
pub fn pairs(members: serde_json::Map<String, serde_json::Value>) -> impl Iterator<Item = (String, String)> {
    /// As the reference: longer values are cut.
    const LONGEST: usize = 128;
    members.into_iter().map(|(name, value)| {
        let value = match value {
            serde_json::Value::String(value) => value,
            other => other.to_string(),
        };
        (name, value.chars().take(LONGEST).collect())
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (path, place) in [("config", ""), ("config.targets[1].targets[0]", "targets[1].targets[0]")] {
            assert_eq!(place_in_config(path), place);
        }
    }
}
