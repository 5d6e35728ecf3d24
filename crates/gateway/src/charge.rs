//! What one attempt may cost, set aside before it is sent; and what it did cost, settled when its answer is over.
//!
//! Limits and budgets of the caller (key, workspace) and of what is called (provider, integration) are reserved together:
//! a target that has nothing left is refused like a provider that says no, so that a fallback can go on to another.

use std::sync::Arc;

use tidegate_core::{ErrorKind, Moment, Usage};
use tidegate_directory::{Bounds as Limited, Provider};
use tidegate_ledger as ledger;
use tidegate_ledger::{BudgetId, Charge, How, Reservation, SharedRefusal};
use tidegate_limits as limits;
use tidegate_limits::{Demand, Denial, Layer, Scope};
use tidegate_pricing::{Admission, Class, Facts, Found, ModelName, Money, Prices};
use tidegate_routing::Target;

use crate::accept::Call;
use crate::authenticate::Caller;
use crate::limiter::Permit;
use crate::policy::Review;
use crate::prepare::{Job, Scene};
use crate::refuse::Refusal;
use crate::tab::Tab;
use crate::{admit, bounds};

/// What was set aside for an attempt, and what is needed to say what it cost. Dropped without a word, because a
/// client left before there was an answer, it costs what the books are opened with: see `tidegate_ledger::Unheard`.
#[derive(Debug)]
pub struct Meter {
    reservation: Option<Reservation>,
    permit: Option<Permit>,
    /// Less than the ceiling was left: the answer must not have more tokens than this.
    cap: Option<u64>,
    /// For what goes on after the first answer.
    tab: Option<Arc<Tab>>,
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
        return Ok(permit.map(Meter::of_permit));
    }
    let slug = stored.map(|stored| &*stored.slug);
    let name = ModelName { provider: job.provider, slug, asked: &job.model, ..ModelName::default() };
    let found = prices(&control.prices, stored, &name);
    let bounds = bounds::of(call, target, job);
    // More than 28 digits: no budget has that much.
    let Ok(ceiling) = found.ceiling(&bounds) else { return Err(unpriced(job)) };
    let cost = match scene.snapshot.doors.unpriced.decide(ceiling) {
        Admission::Reserve(cost) => Some(cost),
        Admission::Mark(_) => None,
        Admission::Refuse(_) => return Err(unpriced(job)),
    };
    let Some(books) = control.books.as_ref().filter(|_| !budgets.is_empty()) else {
        return Ok(permit.map(Meter::of_permit));
    };
    if call.asked.is_some() {
        return Box::pin(reserve_session(scene, call, job, &found, cost, &budgets, permit)).await.map(Some);
    }
    let trace = call.own.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let request = scene.request.map(|id| id.to_string()).unwrap_or_default();
    let demand = ledger::Demand {
        budgets: &budgets,
        cost,
        tokens: bounds::tokens(&bounds),
        least: None,
        request: &request,
        trace,
    };
    let refuse = |refusal: &_| exhausted(scene.caller, scene.review.map(|review| &**review), stored, refusal);
    let mut reserved = books.reserve(&demand).await;
    if let Err(SharedRefusal::Refused(ledger::Refusal::Exceeded(_))) = &reserved
        && let Some(least) = bounds::least(&found, &bounds, call.route, cost.is_some())
    {
        // Asked for only here: what a short answer costs takes as long to compute as the longest.
        reserved = books.reserve(&ledger::Demand { least: Some(least), ..demand }).await;
    }
    let reservation = reserved.map_err(|refusal| match refusal {
        SharedRefusal::Refused(refusal) => refuse(&refusal),
        // For the operator: clients learn only that it passes.
        SharedRefusal::Away(_) => refuse(&ledger::Refusal::Busy),
    })?;
    if !reservation.is_ready() && reservation.ready().await.is_err() {
        reservation.cancel();
        return Err(refuse(&ledger::Refusal::Journal));
    }
    let grant = reservation.grant();
    let cap = grant.lowered.then(|| bounds::affordable(&found, &bounds, &grant, cost.is_some()));
    Ok(Some(Box::new(Meter { reservation: Some(reservation), permit, cap, tab: None })))
}

/// A session pays answer by answer: this is for the first.
async fn reserve_session(
    scene: &Scene<'_>,
    call: &Call,
    job: &Job,
    found: &Found,
    cost: Option<Money>,
    budgets: &[BudgetId],
    permit: Option<Permit>,
) -> Result<Box<Meter>, Refusal> {
    let bounds = bounds::of_session(job);
    let trace = call.own.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    let tab = Arc::new(Tab {
        gateway: scene.gateway.clone(),
        caller: scene.caller.clone(),
        stored: job.stored.clone(),
        review: scene.review.cloned(),
        budgets: budgets.into(),
        cost,
        tokens: bounds::tokens(&bounds),
        least: bounds::least_of_session(found, cost.is_some()),
        trace: trace.into(),
    });
    let reservation = tab.clone().reserve().await?;
    Ok(Box::new(Meter { reservation: Some(reservation), permit, cap: None, tab: Some(tab) }))
}

impl Meter {
    /// Without a budget.
    fn of_permit(permit: Permit) -> Box<Self> {
        Box::new(Self { reservation: None, permit: Some(permit), cap: None, tab: None })
    }

    /// How many tokens the answer may have, where that is fewer than were asked for.
    pub fn cap(&self) -> Option<u64> {
        self.cap
    }

    /// The request goes out.
    pub fn sent(&mut self) {
        if let Some(reservation) = &mut self.reservation {
            reservation.sent();
        }
    }

    /// No answer of worth came.
    pub fn failed(self, now: Moment) {
        let Charge { cost, tokens, estimated } = Charge::NOTHING;
        self.settle(cost, tokens, estimated, How::Error, now);
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

    /// Of a session under a budget.
    pub fn tab(&self) -> Option<&Arc<Tab>> {
        self.tab.as_ref()
    }

    /// An answer of a session is over. False when nothing was set aside for it.
    pub fn step(&mut self, charge: &Charge) -> bool {
        let reservation = self.reservation.take();
        reservation.map(|reservation| reservation.settle(charge, How::Success)).is_some()
    }

    /// For the next answer of a session.
    pub fn renew(&mut self, reservation: Reservation) {
        self.reservation = Some(reservation);
    }

    /// A session is over. `rest` is what was not paid for yet, which is paid also when nothing was set aside for it;
    /// `tokens` are all of it.
    pub fn settle_session(mut self, rest: &Charge, tokens: u64, how: How, now: Moment) {
        match (self.reservation.take(), &self.tab) {
            (Some(reservation), _) => drop(reservation.settle(rest, how)),
            (None, Some(tab)) if *rest != Charge::NOTHING => tab.charge(rest, how),
            (None, _) => {}
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

fn unpriced(job: &Job) -> Refusal {
    let message = format!(
        "the model `{}` of {} has no price here, and models without one are refused: set its price, or `budgets.unpriced = \"mark\"`",
        job.model, job.provider
    );
    let mut refusal = Refusal::with_status("unpriced", ErrorKind::BadRequest, 412, message);
    refusal.error.code = Some("unpriced_model".into());
    refusal.of_target()
}

/// What somebody is told whose budget has not enough left, or whose books cannot be kept.
pub fn exhausted(
    caller: &Caller,
    review: Option<&Review>,
    stored: Option<&Provider>,
    refusal: &ledger::Refusal,
) -> Refusal {
    let ledger::Refusal::Exceeded(exceeded) = refusal else {
        let message = format!("budgets cannot be kept at this moment: {refusal}");
        return Refusal::with_status("ledger", ErrorKind::Overloaded, 503, message);
    };
    if let (ledger::Scope::Policy, Some(review)) = (exceeded.scope, review) {
        return review.exhausted(&exceeded.id);
    }
    let bounds = match exceeded.scope {
        ledger::Scope::ApiKey => caller.key.as_deref().map(|key| &key.bounds),
        ledger::Scope::Workspace => caller.workspace.as_deref().map(|workspace| &workspace.bounds),
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

/// The prices of a model: the operator's own for the workspace's provider come first.
pub fn prices(all: &Prices, stored: Option<&Provider>, name: &ModelName<'_>) -> Arc<Found> {
    match stored {
        Some(stored) => stored.prices.find(all, name),
        None => all.find(name),
    }
}

/// What an answer's usage costs.
pub fn price(
    found: &Found,
    usage: &Usage,
    facts: Option<&Facts>,
    estimated: bool,
    unix_s: u64,
) -> tidegate_pricing::Cost {
    let class = Class::of_usage(usage);
    let served = tidegate_pricing::Served { class, unix_s, ..tidegate_pricing::Served::default() };
    found
        .cost_of(usage, facts, estimated, &served)
        .unwrap_or(tidegate_pricing::Cost::Unpriced(tidegate_pricing::Unpriced::NothingCounted))
}
