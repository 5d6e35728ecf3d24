//! Step 6. The loop: ask routing for the next step, send, say what happened, ask again. Deciding is routing's; this file
//! only does what it is told, and keeps the last answer in case it is to be the client's.

mod read;
mod send;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};
use tidegate_core::{ApiError, Fault, Moment, Usage, Warnings, id};
use tidegate_dialect::chat::StreamEvent;
use tidegate_dialect::tap::Tap;
use tidegate_dialect::{StreamDecoder, StreamEncoder};
use tidegate_directory::Provider;
use tidegate_routing::{CircuitState, Env, Facts, Outcome, RouteError, Step, Target, Walk};

use crate::accept::{Call, CallBody};
use crate::body::Source;
use crate::charge::{self, Meter};
use crate::guard;
use crate::headers::GatewayHeaders;
use crate::plan::refuse_route;
use crate::prepare::{self, Scene};
use crate::realm::Realm;
use crate::record::Record;
use crate::refuse::Refusal;
use crate::websocket::Opening;

/// Refusals that no other target would mend: a request that nobody can read, a caller's own limits.
const ENDS: [&str; 4] = ["request", "budget", "ledger", "limits_away"];

/// What the client will get: a provider's answer, or the account of its failure.
pub struct Answer {
    pub status: StatusCode,
    /// The provider's own headers, where there are any.
    pub headers: HeaderMap,
    pub body: AnswerBody,
    pub provider: &'static str,
    pub model: Box<str>,
    pub usage: Option<Usage>,
    pub warnings: Warnings,
    pub estimated: bool,
    /// No provider was called: an input guardrail said no.
    pub uncalled: bool,
    /// Leave out what the client's dialect does not define.
    pub strict: bool,
    /// The client's dialect names its events.
    pub names_events: bool,
    /// For the log.
    pub detail: Option<Box<str>>,
    /// What was set aside for it.
    pub meter: Option<Box<Meter>>,
    /// The slug of the workspace's provider that was called.
    pub stored: Option<Arc<Provider>>,
    /// The client did not ask for the usage of the stream.
    pub hides_usage: bool,
}

/// What is large is on the heap, because it passes through many hands.
pub enum AnswerBody {
    /// JSON of the gateway's own making.
    Full(Bytes),
    /// The provider's bytes.
    Pass(Box<Passing>),
    Translated(Box<Translating>),
    /// No body: a WebSocket.
    Session(Box<Opening>),
}

impl AnswerBody {
    pub fn is_stream(&self) -> bool {
        match self {
            Self::Pass(passing) => passing.events,
            Self::Translated(_) => true,
            Self::Full(_) | Self::Session(_) => false,
        }
    }
}

/// An answer that goes out as it comes.
#[derive(Debug)]
pub struct Passing {
    pub source: Source,
    pub tap: Tap,
    /// An event stream, which has to end honestly.
    pub events: bool,
}

/// A stream on its way from one dialect to another.
pub(crate) struct Translating {
    pub source: Source,
    pub decoder: Box<dyn StreamDecoder>,
    pub encoder: Box<dyn StreamEncoder>,
    /// Decoded and not yet written: those that were read while the head was held back.
    pub events: Vec<StreamEvent>,
    /// Bytes that go out before the first event.
    pub preface: Vec<u8>,
}

/// An answer, and where it came from.
pub struct Answered {
    pub answer: Box<Answer>,
    pub target: Arc<Target>,
    pub retry_count: i32,
    pub circuit: CircuitState,
}

/// One try's result.
pub struct Attempted {
    pub outcome: Outcome,
    /// On the heap, because it passes through many hands.
    pub answer: Result<Box<Answer>, Box<Refusal>>,
}

/// # Errors
/// The plan leads nowhere for this request, or the last target could not be called at all.
pub async fn run(scene: &Scene<'_>, call: &Call, record: &mut Record) -> Result<Answered, Refusal> {
    let known = Known::of(call, scene.resolved.plan.needs);
    let mut walk = Walk::new(&scene.resolved.plan);
    let mut now = scene.gateway.clock.now();
    let mut step = decide(scene, call, &known, now, |facts, env| walk.begin(facts, env))?;
    let mut last: Option<(Attempted, Arc<Target>)> = None;
    loop {
        let (target, wait_ms, hedge_after_ms) = match step {
            Step::Try { target, wait_ms, hedge_after_ms, .. } => (target, wait_ms, hedge_after_ms),
            Step::Done { retry_count } => return finish(scene, last, retry_count, now),
        };
        if wait_ms > 0 {
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
        record.attempts += 1;
        let began = Instant::now();
        let attempted = match hedge_after_ms {
            None => guard::attempt(scene, call, &target).await,
            Some(after_ms) => Box::pin(hedged(scene, call, &target, after_ms)).await,
        };
        now = scene.gateway.clock.now();
        note(scene, &target, &attempted, now);
        record.attempted(&target, &attempted, began);
        let outcome = attempted.outcome;
        last = Some((attempted, target));
        if !call.body.can_be_sent() {
            return finish(scene, last, 0, now); // an upload went through once; its answer stands
        }
        step = decide(scene, call, &known, now, |facts, env| walk.after(&outcome, facts, env))?;
    }
}

/// One try, or two when the first is slow: the first good answer wins, the other is dropped, which cancels it.
async fn hedged(scene: &Scene<'_>, call: &Call, target: &Arc<Target>, after_ms: u64) -> Attempted {
    let mut first = pin!(guard::attempt(scene, call, target));
    if let Ok(attempted) = tokio::time::timeout(Duration::from_millis(after_ms), &mut first).await {
        return attempted;
    }
    if !call.body.can_be_sent() || !scene.gateway.health.take_hedge(&target.key, scene.gateway.clock.now()) {
        return first.await;
    }
    scene.gateway.metrics.hedges.inc();
    let mut second = pin!(guard::attempt(scene, call, target));
    let (early, late) = tokio::select! {
        attempted = &mut first => (attempted, second),
        attempted = &mut second => (attempted, first),
    };
    if !early.outcome.is_provider_failure() {
        return early;
    }
    note(scene, target, &early, scene.gateway.clock.now());
    late.await
}

/// `changed` is the body that hooks put in place of the client's.
pub async fn one(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    changed: Option<Map<String, Value>>,
) -> Attempted {
    let mut prepared = match prepare::request(scene, call, target, changed.clone(), None) {
        Ok(prepared) => prepared,
        Err(refusal) => return Attempted::refused(refusal),
    };
    let now = scene.gateway.clock.now();
    let mut meter = match charge::reserve(scene, call, target, &prepared.job, now).await {
        Ok(meter) => meter,
        Err(refusal) => return Attempted::refused(refusal),
    };
    if let Some(cap) = meter.as_ref().and_then(|meter| meter.cap()) {
        // Little is left: the answer is held to what it pays for.
        prepared = match prepare::request(scene, call, target, changed, Some(cap)) {
            Ok(prepared) => prepared,
            Err(refusal) => return Attempted::refused(refusal),
        };
    }
    if let Some(meter) = &mut meter {
        meter.sent();
    }
    if let Some(review) = scene.review {
        review.sent().await;
    }
    let stored = prepared.job.stored.clone();
    let (credential, hides_usage) = (prepared.credential, prepared.job.hides_usage);
    let mut attempted = send::send(scene, call, target, prepared).await;
    if let (Some(stored), Some(credential)) = (&stored, credential) {
        rest(scene, stored, credential, &attempted.outcome);
    }
    match &mut attempted.answer {
        Ok(answer) => {
            answer.stored.clone_from(&stored);
            answer.hides_usage = hides_usage;
            if attempted.outcome.status < 400 {
                answer.meter = meter;
            } else if let Some(meter) = meter {
                meter.failed(scene.gateway.clock.now());
            }
        }
        // It never went out.
        Err(_) => {
            if let Some(meter) = meter {
                meter.failed(scene.gateway.clock.now());
            }
        }
    }
    attempted
}

/// A credential that the provider does not want at this moment rests, so that the others of its pool are used.
fn rest(scene: &Scene<'_>, stored: &Provider, credential: usize, outcome: &Outcome) {
    /// Of a limit that does not say when it ends, and of a key that is refused.
    const LIMITED_MS: u64 = 10_000;
    const REFUSED_MS: u64 = 60_000;
    let ms = match outcome.status {
        429 => outcome.retry_after_ms.unwrap_or(LIMITED_MS),
        401 | 403 => REFUSED_MS,
        _ => return,
    };
    if let Some(credential) = stored.pool.credentials().get(credential) {
        credential.rest_until(scene.gateway.clock.unix_ms() + ms);
    }
}

/// Asks routing, with the facts of the request and of the moment.
fn decide(
    scene: &Scene<'_>,
    call: &Call,
    known: &Known,
    now: Moment,
    ask: impl FnOnce(&Facts<'_>, &mut Env<'_>) -> Result<Step, RouteError>,
) -> Result<Step, Refusal> {
    let facts = Facts {
        metadata: &known.metadata,
        params: &known.params,
        url_path: call.path(),
        header: &|name| call.parts.headers.get(name).and_then(|value| value.to_str().ok()),
        prompt_prefix_hash: known.prompt_prefix_hash,
    };
    let mut env = Env {
        now,
        draw: &mut id::draw,
        health: &scene.gateway.health,
        price: &|target| price(scene.realm, call, target),
    };
    ask(&facts, &mut env).map_err(|error| refuse_route(&error))
}

/// What the target's model costs, in nano-USD per million tokens.
fn price(realm: &Realm, call: &Call, target: &Target) -> Option<u64> {
    let overridden = target.override_params.as_ref().and_then(|params| params.get("model")?.as_str());
    let model = overridden.or(call.peek.model.as_deref())?;
    let name = target.provider.strip_prefix('@').unwrap_or(&target.provider);
    let provider = realm.known(name).map_or(name, |known| known.row.id);
    tidegate_catalog::model(provider, model)?.blended_nano_usd
}

/// Tells health and metrics.
fn note(scene: &Scene<'_>, target: &Target, attempted: &Attempted, now: Moment) {
    let mut outcome = attempted.outcome;
    // Health is shared by all callers of a provider. A limit of the account that one of them brought is no fault of the
    // provider's, and nothing to keep the others from it.
    let brought = target.api_key.is_none() && scene.resolved.caller_key && !scene.resolved.settings_first;
    if outcome.status == 429 && brought && scene.caller.credential.is_some() {
        outcome.fault = Fault::Caller;
    }
    scene.gateway.health.record(&target.key, &outcome, now);
    let provider = attempted.answer.as_ref().map_or("", |answer| answer.provider);
    let word = match outcome {
        _ if attempted.answer.is_err() => "refused",
        Outcome { timed_out: true, .. } => "timeout",
        Outcome { network: true, .. } => "network",
        Outcome { status: 200..=299, .. } => "2xx",
        Outcome { status: 300..=399, .. } => "3xx",
        Outcome { status: 429, .. } => "429",
        Outcome { status: 400..=499, .. } => "4xx",
        _ => "5xx",
    };
    scene.gateway.metrics.attempt(provider, word);
}

fn finish(
    scene: &Scene<'_>,
    last: Option<(Attempted, Arc<Target>)>,
    retry_count: i32,
    now: Moment,
) -> Result<Answered, Refusal> {
    let Some((attempted, target)) = last else {
        return Err(Refusal::exception(500, "the config selects no target"));
    };
    let circuit = scene.gateway.health.state(&target.key, now);
    Ok(Answered { answer: attempted.answer.map_err(|refusal| *refusal)?, target, retry_count, circuit })
}

impl Attempted {
    /// The call was not made.
    pub fn refused(refusal: Refusal) -> Self {
        let outcome = Outcome {
            status: refusal.error.status,
            fault: refusal.error.fault,
            // A request that no provider could read ends the walk; one that only this target cannot say does not.
            gateway_exception: !refusal.target && (refusal.exception || ENDS.contains(&refusal.reason)),
            // Its limit is used up: asking again at once would change nothing.
            denied_before_call: refusal.target,
            ..Outcome::default()
        };
        Self { outcome, answer: Err(Box::new(refusal)) }
    }

    /// The provider, or the way to it, failed.
    fn failed(call: &Call, provider: &'static str, model: &str, error: &ApiError, outcome: Outcome) -> Self {
        let client = call.client();
        let status = read::error_status(client.error_status(error));
        let body = client.encode_error(error, Some(provider));
        let answer = Answer {
            status,
            headers: HeaderMap::new(),
            body: AnswerBody::Full(body.to_string().into()),
            provider,
            model: model.into(),
            usage: None,
            warnings: Warnings::default(),
            estimated: false,
            uncalled: false,
            strict: true,
            names_events: false,
            detail: Some(error.message.as_str().into()),
            meter: None,
            stored: None,
            hides_usage: false,
        };
        Self { outcome, answer: Ok(Box::new(answer)) }
    }
}

/// The outcome of an error that an answer held.
fn outcome_of(error: &ApiError) -> Outcome {
    Outcome {
        status: error.status,
        fault: error.fault,
        retry_after_ms: error.retry_after_ms,
        ..Outcome::default()
    }
}

/// The outcome of a connection that gave no usable answer.
fn network_outcome(status: u16, fault: Fault) -> Outcome {
    Outcome { status, fault, network: true, ..Outcome::default() }
}

/// What the plan's strategies look at, read only when they do.
#[derive(Default)]
struct Known {
    metadata: Map<String, Value>,
    params: Map<String, Value>,
    prompt_prefix_hash: Option<u64>,
}

impl Known {
    fn of(call: &Call, needs: tidegate_routing::plan::Needs) -> Self {
        let mut known = Self::default();
        if needs.metadata {
            let text = GatewayHeaders::text(call.own.metadata.as_ref());
            known.metadata = text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        }
        if (needs.params || needs.prompt_prefix_chars.is_some())
            && let CallBody::Json(frames) = &call.body
        {
            known.params = serde_json::from_slice(&frames.concat()).unwrap_or_default();
        }
        if let Some(chars) = needs.prompt_prefix_chars {
            known.prompt_prefix_hash = prompt_prefix(&known.params, chars);
        }
        known
    }
}

/// Hash over the first characters of everything that stands before the answer in the provider's prompt cache: system
/// text, tools and the first messages, as written.
fn prompt_prefix(params: &Map<String, Value>, chars: u32) -> Option<u64> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut text = String::new();
    for name in ["tools", "system", "messages", "prompt", "input"] {
        if let Some(value) = params.get(name) {
            text.push_str(&value.to_string());
        }
        if text.len() >= chars as usize * 4 {
            break;
        }
    }
    let mut hasher = DefaultHasher::new();
    text.chars().take(chars as usize).for_each(|c| c.hash(&mut hasher));
    (!text.is_empty()).then(|| hasher.finish())
}
