//! What one attempt may cost, set aside before it is sent; and what it did cost, settled when its answer is over.
//!
//! Limits and budgets of the caller (key, workspace) and of what is called (provider, integration) are reserved together:
//! a target that has nothing left is refused like a provider that says no, so that a fallback can go on to another.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use tidegate_core::{ErrorKind, Moment, Usage};
use tidegate_directory::{Bounds as Limited, Provider};
use tidegate_ledger as ledger;
use tidegate_ledger::{BudgetId, Charge, How, Reservation, SharedRefusal};
use tidegate_limits as limits;
use tidegate_limits::{Demand, Denial, Layer, Scope};
use tidegate_pricing::{Admission, Bounds, CacheWrites, Found, Kinds, ModelName, Money};
use tidegate_routing::Target;

use crate::accept::{Call, CallBody};
use crate::admit;
use crate::limiter::Permit;
use crate::prepare::{Job, Scene};
use crate::refuse::Refusal;

/// Models whose longest answer nobody knows are taken to give no more than this.
const LONGEST_ANSWER: u64 = 32_768;
/// What a picture that is named by its address can be worth in tokens.
const TOKENS_PER_IMAGE: u64 = 4_096;

/// What was set aside for an attempt, and what is needed to say what it cost. Dropped without a word it costs nothing.
#[derive(Debug)]
pub struct Meter {
    reservation: Option<Reservation>,
    permit: Option<Permit>,
}

/// # Errors
/// 429 and 412, as the reference has them.
pub async fn reserve(
    scene: &Scene<'_>,
    call: &Call,
    target: &Target,
    job: &Job,
    now: Moment,
) -> Result<Option<Box<Meter>>, Refusal> {
    let control = &scene.gateway.control;
    let stored = job.stored.as_deref();
    let of_policies = match scene.review {
        Some(review) => review.attempt(scene, call, job, now).await?,
        None => Vec::new(),
    };
    let permit = permit(scene, call, stored, now).await?;
    let mut budgets = budgets(scene, stored);
    budgets.extend(of_policies);
    let must_be_priced = scene.snapshot.doors.unpriced == tidegate_pricing::UnpricedPolicy::Refuse;
    if budgets.is_empty() && !must_be_priced {
        return Ok(permit.map(|permit| Box::new(Meter { reservation: None, permit: Some(permit) })));
    }
    let found = control.prices.find(&ModelName {
        provider: job.provider,
        slug: stored.map(|stored| &*stored.slug),
        asked: &job.model,
        ..ModelName::default()
    });
    let bounds = bounds(call, target, job);
    // More than 28 digits: no budget has that much.
    let Ok(ceiling) = found.ceiling(&bounds) else { return Err(unpriced(job)) };
    let cost = match scene.snapshot.doors.unpriced.decide(ceiling) {
        Admission::Reserve(cost) => Some(cost),
        Admission::Mark(_) => None,
        Admission::Refuse(_) => return Err(unpriced(job)),
    };
    let Some(books) = control.books.as_ref().filter(|_| !budgets.is_empty()) else {
        return Ok(permit.map(|permit| Box::new(Meter { reservation: None, permit: Some(permit) })));
    };
    let trace = call.own.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let demand = ledger::Demand {
        budgets: &budgets,
        cost,
        tokens: bounds
            .prompt_tokens
            .saturating_add(bounds.output_tokens.saturating_mul(u64::from(bounds.answers))),
        least: None,
        request: "",
        trace,
    };
    let reservation = books.reserve(&demand).await.map_err(|refusal| match refusal {
        SharedRefusal::Refused(refusal) => exhausted(scene, stored, &refusal),
        // For the operator: clients learn only that it passes.
        SharedRefusal::Away(_) => exhausted(scene, stored, &ledger::Refusal::Busy),
    })?;
    if !reservation.is_ready() && reservation.ready().await.is_err() {
        reservation.cancel();
        return Err(exhausted(scene, stored, &ledger::Refusal::Journal));
    }
    Ok(Some(Box::new(Meter { reservation: Some(reservation), permit })))
}

impl Meter {
    /// The request goes out.
    pub fn sent(&mut self) {
        if let Some(reservation) = &mut self.reservation {
            reservation.sent();
        }
    }

    /// No answer of worth came.
    pub fn failed(mut self, now: Moment) {
        if let Some(reservation) = self.reservation.take() {
            reservation.settle(&Charge::NOTHING, How::Error);
        }
        if let Some(permit) = self.permit.take() {
            permit.settle(0, now);
        }
    }

    /// The answer is over. `cost` is `None` when nobody knows it.
    pub fn settle(mut self, cost: Option<Money>, tokens: u64, estimated: bool, how: How, now: Moment) {
        if let Some(reservation) = self.reservation.take() {
            reservation.settle(&Charge { cost, tokens, estimated }, how);
        }
        if let Some(permit) = self.permit.take() {
            permit.settle(tokens, now);
        }
    }

    /// How the limits of what was called stood.
    pub fn standing(&self) -> Option<limits::Standing> {
        self.permit.as_ref().map(Permit::standing)
    }
}

/// The rate limits of what is called. Those of the caller were charged once, when the request came in.
async fn permit(
    scene: &Scene<'_>,
    call: &Call,
    stored: Option<&Provider>,
    now: Moment,
) -> Result<Option<Permit>, Refusal> {
    let Some(stored) = stored else { return Ok(None) };
    let integration = stored.integration.as_ref().map(|bounds| (Scope::Integration, bounds));
    let own = Some((Scope::VirtualKey, &stored.bounds));
    let limited: Vec<(Scope, &Limited)> =
        [integration, own].into_iter().flatten().filter(|(_, bounds)| !bounds.rules.is_empty()).collect();
    if limited.is_empty() {
        return Ok(None);
    }
    let layers: Vec<Layer<'_>> = limited
        .iter()
        .map(|(scope, bounds)| Layer { scope: *scope, id: &bounds.id, rules: &bounds.rules })
        .collect();
    let demand = Demand { layers: &layers, tokens: admit::tokens(call, &layers) };
    match scene.gateway.control.limits.admit(&demand, now).await {
        Ok(permit) => Ok(Some(permit)),
        Err(Denial::Away(_)) => Err(admit::away()),
        Err(Denial::Refused(refusal)) => {
            let name = match refusal.cause {
                limits::Cause::Rule { layer, .. } => limited.get(layer).map_or("", |(_, of)| &*of.name),
                limits::Cause::NoRoom => "",
            };
            Err(admit::over(&refusal, name).of_target())
        }
    }
}

fn budgets(scene: &Scene<'_>, stored: Option<&Provider>) -> Vec<BudgetId> {
    let key = scene.caller.key.as_deref().map(|key| &key.bounds);
    let workspace = scene.caller.workspace.as_deref().map(|workspace| &workspace.bounds);
    let integration = stored.and_then(|stored| stored.integration.as_ref());
    let own = stored.map(|stored| &stored.bounds);
    let all = [key, workspace, integration, own].into_iter().flatten();
    all.flat_map(|bounds| bounds.budgets.iter().copied()).collect()
}

/// The most that the request can consume: a token is at least a byte of the prompt.
fn bounds<'a>(call: &Call, target: &Target, job: &Job) -> Bounds<'a> {
    let facts = tidegate_catalog::model(job.provider, &job.model);
    let asked = Asked::of(call, target);
    let CallBody::Json(frames) = &call.body else {
        return Bounds::new(0, LONGEST_ANSWER);
    };
    let bytes = frames.iter().map(|frame| frame.len() as u64).sum::<u64>();
    let says = |word: &[u8]| frames.iter().any(|frame| memchr::memmem::find(frame, word).is_some());
    let (images, audio, cached) = (says(b"image"), says(b"audio"), says(b"cache_control"));
    let pictures = if images {
        frames.iter().map(|frame| memchr::memmem::find_iter(frame, b"image_url").count() as u64).sum()
    } else {
        0
    };
    let window = facts.and_then(|facts| facts.context_window).unwrap_or(u64::MAX);
    let prompt = bytes.saturating_add(pictures * TOKENS_PER_IMAGE).min(window);
    let longest = facts.and_then(|facts| facts.max_output_tokens);
    let output = asked.output.or(longest).unwrap_or(LONGEST_ANSWER);
    Bounds {
        answers: asked.answers,
        kinds: Kinds {
            image_in: images,
            image_out: images,
            audio_in: audio,
            audio_out: audio,
            ..Kinds::TEXT
        },
        cache: if cached { CacheWrites::Any } else { CacheWrites::Short },
        ..Bounds::new(prompt, output)
    }
}

/// What the request says about the length of its answers.
struct Asked {
    output: Option<u64>,
    answers: u32,
}

impl Asked {
    fn of(call: &Call, target: &Target) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Members {
            max_tokens: Option<Value>,
            max_completion_tokens: Option<Value>,
            max_output_tokens: Option<Value>,
            n: Option<Value>,
        }
        let whole: Vec<u8>;
        let bytes: &[u8] = match &call.body {
            CallBody::Json(frames) => match &**frames {
                [one] => one,
                several => {
                    whole = several.concat();
                    &whole
                }
            },
            _ => b"{}",
        };
        let members: Members = serde_json::from_slice(bytes).unwrap_or_default();
        let params = |name: &str| target.override_params.as_deref().and_then(|params| params.get(name));
        let number = |name: &str, own: &Option<Value>| params(name).or(own.as_ref()).and_then(Value::as_u64);
        let output = number("max_completion_tokens", &members.max_completion_tokens)
            .or_else(|| number("max_tokens", &members.max_tokens))
            .or_else(|| number("max_output_tokens", &members.max_output_tokens));
        let answers = number("n", &members.n).and_then(|n| u32::try_from(n).ok()).unwrap_or(1).max(1);
        Self { output, answers }
    }
}

fn unpriced(job: &Job) -> Refusal {
    let message = format!(
        "the model `{}` of {} has no price here, and models without one are refused: set its price, or `budgets.unpriced = \"mark\"`",
        job.model, job.provider
    );
    let mut refusal = Refusal::with_status("unpriced", ErrorKind::BadRequest, 412, message);
    refusal.error.code = Some("unpriced_model".into());
    refusal.of_target()
}

fn exhausted(scene: &Scene<'_>, stored: Option<&Provider>, refusal: &ledger::Refusal) -> Refusal {
    let ledger::Refusal::Exceeded(exceeded) = refusal else {
        let message = format!("budgets cannot be kept at this moment: {refusal}");
        return Refusal::with_status("ledger", ErrorKind::Overloaded, 503, message);
    };
    if let (ledger::Scope::Policy, Some(review)) = (exceeded.scope, scene.review) {
        return review.exhausted(&exceeded.id);
    }
    let bounds = match exceeded.scope {
        ledger::Scope::ApiKey => scene.caller.key.as_deref().map(|key| &key.bounds),
        ledger::Scope::Workspace => scene.caller.workspace.as_deref().map(|workspace| &workspace.bounds),
        ledger::Scope::Integration => stored.and_then(|stored| stored.integration.as_ref()),
        _ => stored.map(|stored| &stored.bounds),
    };
    let name = bounds.map_or(&*exceeded.id, |bounds| &*bounds.name);
    let message = format!("Usage limit exceeded for {} '{}'", exceeded.scope.word(), admit::shown(name));
    let mut told = Refusal::with_status("budget", ErrorKind::BadRequest, 412, message);
    told.error.code = Some("412".into());
    told.error.vendor_type = Some("usage_limit_exceeded".into());
    match exceeded.scope {
        ledger::Scope::Integration | ledger::Scope::VirtualKey => told.of_target(),
        // No other target has more of it.
        _ => told,
    }
}

/// What an answer's usage costs.
pub fn price(found: &Found, usage: &Usage, estimated: bool, unix_s: u64) -> tidegate_pricing::Cost {
    let quantities = tidegate_pricing::Quantities::of_usage(usage);
    let quantities = if estimated { quantities.guessed() } else { quantities };
    let served = tidegate_pricing::Served { unix_s, ..tidegate_pricing::Served::default() };
    found
        .cost(&quantities, &served)
        .unwrap_or(tidegate_pricing::Cost::Unpriced(tidegate_pricing::Unpriced::NothingCounted))
}

/// The slug of a stored provider, for records.
pub fn slug(stored: Option<&Arc<Provider>>) -> Option<Arc<str>> {
    stored.map(|stored| stored.slug.clone())
}
