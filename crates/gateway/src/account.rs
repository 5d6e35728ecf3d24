//! The part of a request's record that is about money and memory: who asked, what was tried, what it cost. There is one
//! where a key, a limit or the keeping of records asks for it; other requests do without.

use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tidegate_access::Who as Known;
use tidegate_core::Usage;
use tidegate_directory::{ApiKey, KeepBodies, Provider, Workspace};
use tidegate_ledger::How;
use tidegate_limits::Standing;
use tidegate_pricing::{Bill, Cost, Facts, ModelName, Unpriced};
use tidegate_records::{
    self as records, Attempt, Keep, Kind, Pipe, RawBodies, RawBody, RecordId, RequestRecord, Text, Timing,
    Who,
};
use tidegate_routing::{Outcome, Target};
use tidegate_websocket::Sender;

use crate::accept::{Call, CallBody};
use crate::authenticate::Caller;
use crate::bounds;
use crate::charge::{self, Meter};
use crate::control::Control;
use crate::headers::GatewayHeaders;
use crate::limiter::Permit;
use crate::plan::Resolved;
use crate::policy::Review;
use crate::queue::Asker;
use crate::record::End;
use crate::state::Gateway;
use crate::trace_context::{self, TraceContext};
use crate::unsaid::{Kept, Unsaid};

#[derive(Debug, Default)]
pub struct Account {
    /// Of its record.
    id: Option<RecordId>,
    key: Option<Arc<ApiKey>>,
    /// Where its record is seen.
    workspace: Option<Arc<Workspace>>,
    /// What the caller's limits were charged.
    pub charged: Option<Permit>,
    /// Where policies hold.
    pub review: Option<Arc<Review>>,
    /// What the attempt that answered set aside.
    pub meter: Option<Box<Meter>>,
    /// How long it waited for its limits, and as whom.
    pub waited: Option<Duration>,
    pub asker: Option<Asker>,
    /// The workspace's provider that answered.
    pub stored: Option<Arc<Provider>>,
    /// The model that was sent to the provider.
    pub sent_model: Text,
    /// The answer is one of a model: it has a cost.
    is_priced: bool,
    asked_model: Text,
    saved: Option<(Arc<str>, u64)>,
    metadata: Vec<(Text, Text)>,
    user: Option<Text>,
    context: Option<Arc<TraceContext>>,
    stream: bool,
    attempts: Vec<Attempt>,
    /// Limits or budgets held for it.
    is_limited: bool,
    request_bytes: u64,
    pub response_bytes: u64,
    /// For answers that do not say their usage.
    kept: Option<Kept>,
    /// Work that is not counted in tokens.
    facts: Option<Box<Facts>>,
    /// Where bodies may be kept.
    bodies: Option<Box<Bodies>>,
    /// What the answers of a session cost, and whether one of them was cut off.
    summed: Option<Box<Summed>>,
}

/// What a session's answers cost together.
#[derive(Debug)]
struct Summed {
    cost: Option<Cost>,
    is_estimate: bool,
    /// A budget or a limit of the provider's held for it.
    is_limited: bool,
}

/// The bodies that passed, by reference.
#[derive(Debug)]
struct Bodies {
    request: RawBody,
    response: Option<RawBody>,
    most: u64,
}

/// What is known when the last byte is gone.
#[derive(Debug)]
pub struct Closing {
    pub gateway: Arc<Gateway>,
    /// When that was.
    pub unix_ms: u64,
    pub route: &'static str,
    pub method: Method,
    pub path: Box<str>,
    pub provider: &'static str,
    pub model: Box<str>,
    pub status: u16,
    /// As the provider said it.
    pub usage: Option<Usage>,
    pub trace_id: Option<HeaderValue>,
    pub detail: Option<Box<str>>,
    pub limit: Option<&'static str>,
    pub duration: Duration,
    pub ttfb: Option<Duration>,
    pub end: End,
    pub streaming: bool,
    /// The stream has said its finish, whether or not its client heard it.
    pub is_finished: bool,
    pub how: How,
}

impl Account {
    /// For a caller whose requests leave something behind. `now_ms` is when this one came.
    pub fn open(gateway: &Gateway, caller: &Caller, now_ms: u64) -> Option<Box<Self>> {
        let records = gateway.control.records.as_ref();
        if caller.key.is_none() && records.is_none() {
            return None;
        }
        // Its time is the record's, so it is made now and not at the end.
        let id = records.map(|recorder| recorder.ids.next(now_ms));
        let key = caller.key.clone();
        // Somebody has to see requests without a key: whoever sees the default workspace.
        let nobodys = || if key.is_none() { gateway.control.directory.home() } else { None };
        let workspace = caller.workspace.clone().or_else(nobodys);
        Some(Box::new(Self { id, key, workspace, ..Self::default() }))
    }

    pub fn call(&mut self, control: &Control, call: &Call) {
        self.asked_model = call.peek.model.as_deref().map(Text::new).unwrap_or_default();
        self.stream = call.streams() || call.asked.is_some();
        if let CallBody::Json(frames) = &call.body {
            self.request_bytes = frames.iter().map(|frame| frame.len() as u64).sum();
        }
        if let Some(text) = GatewayHeaders::text(call.own.metadata.as_ref()) {
            let pairs = metadata_pairs(text);
            self.metadata = pairs.map(|(name, value)| (Text::new(&name), Text::new(&value))).collect();
            let user = self.metadata.iter().find(|(name, _)| *name == "_user");
            self.user = user.map(|(_, user)| user.clone());
        }
        if let Some(context) = &call.own.context {
            context.add_baggage(&mut self.metadata);
            self.context = Some(context.clone());
        }
        self.is_priced = call.route.is_of_model() || call.asked.is_some();
        if let CallBody::Json(frames) = &call.body {
            self.facts = bounds::facts(call.route, frames).map(Box::new);
            if self.is_priced && self.facts.is_none() && self.key.is_some() {
                self.kept = Some(Kept::of_request(frames));
            }
        }
        let pipe = control.records.as_ref().map(|recorder| &recorder.pipe);
        // So that none are collected in vain.
        let pipe = pipe.filter(|pipe| self.keep(pipe).may_keep());
        if let (Some(pipe), CallBody::Json(frames)) = (pipe, &call.body) {
            let most = pipe.policy().most_bytes;
            let mut request =
                RawBody::new("request", Kind::Json, most).with_headers(texts(&call.parts.headers));
            frames.iter().for_each(|frame| request.frame(frame));
            self.bodies = Some(Box::new(Bodies { request, response: None, most }));
        }
    }

    /// Bytes of a session.
    pub fn passed(&mut self, from: Sender, bytes: u64) {
        match from {
            Sender::Client => self.request_bytes += bytes,
            Sender::Server => self.response_bytes += bytes,
        }
    }

    /// A session is over: each of its answers had a price of its own.
    pub fn summed(&mut self, cost: Option<Cost>, is_estimate: bool, is_limited: bool) {
        self.summed = Some(Box::new(Summed { cost, is_estimate, is_limited }));
    }

    pub fn id(&self) -> Option<RecordId> {
        self.id
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
        if let Some(kept) = &mut self.kept {
            kept.sent(bytes);
        }
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
        // Most requests have one.
        self.attempts.reserve_exact(1);
        self.attempts.push(Attempt {
            provider: Text::Fixed(attempt.provider),
            target: Text::new(place_in_config(&attempt.target.path)),
            virtual_key: attempt
                .stored
                .map_or_else(Text::default, |stored| Text::Shared(stored.slug.clone())),
            model: Text::new(attempt.model),
            status: (!outcome.network).then_some(outcome.status),
            start_us: micros(attempt.began.saturating_duration_since(attempt.request_began)),
            duration_us: micros(attempt.began.elapsed()),
            first_byte_us: outcome.first_byte_ms.map(|ms| ms.saturating_mul(1_000)),
            error: Text::Fixed(error),
            retry_after_ms: outcome.retry_after_ms,
            ..Attempt::default()
        });
    }

    /// How the limits stand that the request came under.
    pub fn standing(&self) -> Standing {
        let own = self.charged.as_ref().map(Permit::standing);
        let of_target = self.meter.as_ref().and_then(|meter| meter.standing());
        let of_policies = self.review.as_ref().and_then(|review| review.standing());
        let all = [own, of_target, of_policies].into_iter().flatten();
        all.reduce(Standing::and).unwrap_or_default()
    }

    /// Settles what was set aside and writes the record, now or when its tokens are counted. Success, error, a client
    /// that left and a panic come here alike.
    pub fn close(mut self: Box<Self>, mut closing: Box<Closing>) {
        let is_success = (200..300).contains(&closing.status);
        if is_success && self.facts.is_some() {
            // Images and speech are paid by what was asked for.
            closing.usage.get_or_insert_default();
        }
        // What a stream says on the way is not all that it used.
        let is_whole = !closing.streaming || closing.is_finished || closing.end == End::Ok;
        let is_said = closing.usage.is_some() && (is_whole || self.facts.is_some());
        if is_said || !is_success || !self.is_priced {
            return self.settle(closing, false);
        }
        let gateway = closing.gateway.clone();
        let how = match self.kept.take() {
            None => Err(("length", self, closing)),
            Some(kept) => {
                let unsaid = Box::new(Unsaid { account: self, closing, kept });
                gateway.counting.offer(unsaid).map_err(|back| ("busy", back.account, back.closing))
            }
        };
        if let Err((why, account, mut closing)) = how {
            gateway.metrics.usage_estimate(why);
            let guess = account.guess(closing.streaming);
            let is_estimate = take_more(&mut closing.usage, guess);
            account.settle(closing, is_estimate);
        }
    }

    /// On the thread that counts.
    pub fn counted(self: Box<Self>, mut closing: Box<Closing>, kept: &Kept) {
        let gateway = closing.gateway.clone();
        let usage =
            kept.count(self.model_asked(&closing), &self.guess(closing.streaming), self.response_bytes);
        let is_estimate = take_more(&mut closing.usage, usage);
        self.settle(closing, is_estimate);
        gateway.metrics.usage_estimate("counted");
    }

    fn settle(mut self: Box<Self>, mut closing: Box<Closing>, mut estimated: bool) {
        let gateway = closing.gateway.clone();
        let control = &gateway.control;
        let now = gateway.clock.now();
        let is_charged = self.review.as_ref().is_some_and(|review| review.is_charged());
        self.is_limited = self.charged.is_some() || self.meter.is_some() || is_charged;
        let usage = closing.usage.take();
        let tokens = usage.as_ref().map_or(0, Usage::total);
        let cost = match (&usage, self.summed.take()) {
            (_, Some(summed)) => {
                estimated = summed.is_estimate;
                self.is_limited |= summed.is_limited;
                summed.cost
            }
            (Some(usage), None) if self.is_priced => Some(self.cost(&closing, usage, estimated)),
            _ => None,
        };
        let bill = match &cost {
            Some(Cost::Priced(bill)) => Some(bill),
            _ => None,
        };
        if let Some(cost) = &cost {
            gateway.metrics.cost(cost);
        }
        if let Some(meter) = self.meter.take() {
            let amount = match (&usage, bill) {
                // Nothing was consumed.
                (None, _) => Some(tidegate_pricing::Money::ZERO),
                (Some(_), bill) => bill.map(|bill| bill.total),
            };
            meter.settle(amount, tokens, estimated, closing.how, now);
        }
        if let Some(charged) = self.charged.take() {
            charged.settle(tokens, now);
            gateway.queue.freed();
        }
        if let Some(asker) = self.asker.take() {
            gateway.queue.used(&asker, tokens);
        }
        if let Some(review) = self.review.take() {
            review.close(tokens, now);
        }
        if let Some(recorder) = &control.records {
            let id = self.id.unwrap_or_else(|| recorder.ids.next(closing.unix_ms));
            let bodies = self.bodies.take().map(|bodies| {
                let Bodies { request, response, .. } = *bodies;
                std::iter::once(request).chain(response).collect::<RawBodies>()
            });
            let keep = self.keep(&recorder.pipe);
            let record = self.record(closing, id.bits(), usage, estimated, cost.as_ref());
            recorder.pipe.push_as(&record, bodies, keep);
        }
    }

    /// Whose bodies are kept, by the workspace's rule or else by the gateway's.
    fn keep(&self, pipe: &Pipe) -> Keep {
        match self.workspace.as_ref().and_then(|workspace| workspace.bodies) {
            None => pipe.policy().keep,
            Some(KeepBodies::None) => Keep::None,
            Some(KeepBodies::Errors) => Keep::Errors,
            Some(KeepBodies::All) => Keep::All,
            Some(KeepBodies::Sampled(in_million)) => Keep::Sampled(in_million),
        }
    }

    /// The model that the provider was asked for, as far as it is known.
    fn model_asked<'a>(&'a self, closing: &'a Closing) -> &'a str {
        if self.sent_model.is_empty() { &closing.model } else { &self.sent_model }
    }

    fn cost(&self, closing: &Closing, usage: &Usage, estimated: bool) -> Cost {
        let name = ModelName {
            provider: closing.provider,
            slug: self.stored.as_ref().map(|stored| &*stored.slug),
            asked: self.model_asked(closing),
            answered: Some(&*closing.model).filter(|model| !model.is_empty()),
            base_model: None,
        };
        charge::price(
            &charge::prices(&closing.gateway.control.prices, self.stored.as_deref(), &name),
            usage,
            self.facts.as_deref(),
            estimated,
            closing.unix_ms / 1_000,
        )
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

    /// Takes what the record has of its own.
    fn record(
        &mut self,
        closing: Box<Closing>,
        id: u64,
        usage: Option<Usage>,
        usage_estimated: bool,
        cost: Option<&Cost>,
    ) -> RequestRecord {
        let Closing { duration, ttfb, end, .. } = *closing;
        let (config, config_version) = self.saved.take().unwrap_or_else(|| ("".into(), 0));
        let principal = self.key.as_ref().map(|key| &key.principal);
        let user = self.user.take().or_else(|| {
            let user = principal?.user.as_ref()?;
            Some(Text::Shared(user.shared()))
        });
        let trace = closing.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        let context = self.context.as_deref();
        RequestRecord {
            id,
            who: Who {
                organisation: principal
                    .map(|who| &who.organisation)
                    .or_else(|| self.workspace.as_ref().map(|workspace| &workspace.organisation))
                    .map_or_else(Text::default, |organisation| Text::Shared(organisation.shared())),
                workspace: self
                    .workspace
                    .as_ref()
                    .map_or_else(Text::default, |of| Text::Shared(of.name.id.shared())),
                api_key: match principal.map(|who| &who.who) {
                    Some(Known::Key { .. }) => {
                        self.key.as_ref().map_or_else(Text::default, |key| Text::Shared(key.id.clone()))
                    }
                    _ => Text::default(),
                },
                user: user.unwrap_or_default(),
                session: trace_context::session_of(context, &self.metadata),
                key_owner: principal
                    .and_then(|who| who.user.as_ref())
                    .map_or_else(Text::default, |user| Text::Shared(user.shared())),
                metadata: take(&mut self.metadata),
            },
            route: Text::Fixed(closing.route),
            method: Text::new(closing.method.as_str()),
            path: Text::Own(closing.path),
            provider: Text::Fixed(closing.provider),
            virtual_key: self
                .stored
                .take()
                .map_or_else(Text::default, |stored| Text::Shared(stored.slug.clone())),
            config: Text::Shared(config),
            config_version,
            asked_model: take(&mut self.asked_model),
            model: Text::Own(closing.model),
            stream: self.stream,
            attempts: take(&mut self.attempts),
            status: closing.status,
            end: Text::Fixed(end.as_str()),
            error: closing.detail.map(Text::Own).unwrap_or_default(),
            timing: Timing {
                total_us: micros(duration),
                ttft_us: ttfb.map(micros),
                waited_us: self.waited.map_or(0, micros),
                ..Timing::default()
            },
            usage,
            usage_estimated,
            cost: cost.map(told).unwrap_or_default(),
            span: trace_context::span(context, trace),
            cache: Text::Fixed("disabled"),
            limit_outcome: Text::Fixed(if closing.limit.is_some() {
                "refused"
            } else if self.waited.is_some() {
                "queued"
            } else if self.is_limited {
                "passed"
            } else {
                ""
            }),
            limit: Text::Fixed(closing.limit.unwrap_or_default()),
            bytes: records::Bytes { request: self.request_bytes, response: self.response_bytes },
            ..RequestRecord::default()
        }
    }
}

/// Takes an estimate where the provider said less, or nothing. True when the usage is one then.
fn take_more(said: &mut Option<Usage>, estimate: Usage) -> bool {
    match said {
        Some(said) if said.output >= estimate.output => false,
        // What it said of the prompt is right from the beginning.
        Some(said) => {
            said.output = estimate.output;
            true
        }
        None => {
            *said = Some(estimate);
            true
        }
    }
}

/// One attempt, for the record.
pub struct Tried<'a> {
    pub target: &'a Target,
    pub outcome: &'a Outcome,
    pub provider: &'static str,
    pub model: &'a str,
    pub stored: Option<&'a Provider>,
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
        Some((Text::new(name.as_str()), Text::new(value.to_str().ok()?)))
    };
    headers.iter().filter_map(pair).collect()
}

fn told(cost: &Cost) -> records::Cost {
    match cost {
        Cost::Priced(bill) => records::Cost {
            amount: Text::of(&bill.total),
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
    let line = |line: &tidegate_pricing::Line| (Text::Fixed(line.meter.name()), Text::of(&line.amount));
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
