//! What the policies that look at the provider were charged for one request, over all of its attempts.

use tidegate_core::Moment;
use tidegate_ledger::{self as ledger, BudgetId, Charge, How, Reservation, SharedRefusal};
use tidegate_limits::{Cause, Demand, Denial, Layer, Rule, Standing, Unit};
use tidegate_pricing::Money;

use super::{Matched, exhausted};
use crate::accept::Call;
use crate::admit;
use crate::limiter::Permit;
use crate::prepare::Scene;
use crate::refuse::Refusal;

type Fresh<'a> = (&'a Matched<'a>, Unit);

#[derive(Debug, Default)]
pub struct Charges {
    permits: Vec<Permitted>,
    reserved: Vec<Reserved>,
}

/// One request, from a budget that counts them.
#[derive(Debug)]
struct Reserved {
    counter: String,
    reservation: Reservation,
    is_met: bool,
    /// An attempt that meets it went out.
    is_sent: bool,
}

/// Leave of one or several counters.
#[derive(Debug)]
struct Permitted {
    counters: Vec<String>,
    permit: Permit,
    /// The running attempt meets it: if that one answers, it counts the tokens.
    is_met: bool,
}

impl Charges {
    /// A new attempt, which meets these.
    pub fn begin<'a>(&mut self, met: impl Iterator<Item = &'a str> + Clone) {
        for one in &mut self.permits {
            one.is_met = met.clone().any(|id| one.counters.iter().any(|counter| counter == id));
        }
        for one in &mut self.reserved {
            one.is_met = met.clone().any(|id| one.counter == id);
        }
    }

    /// Charges the rate limits that were not yet charged. A refusal charges none of them.
    pub async fn admit(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        rates: &[(Matched<'_>, Rule)],
        now: Moment,
    ) -> Result<(), Refusal> {
        // Tokens belong to the attempt that answers, so each of their counters has a permit of its own. What it sets aside
        // can be given back.
        let (of_tokens, of_requests) = self.fresh(rates);
        let mut permits = Vec::new();
        let groups = of_tokens.iter().map(std::slice::from_ref).chain([&*of_requests]);
        for group in groups.filter(|group| !group.is_empty()) {
            let layers: Vec<Layer<'_>> = group.iter().map(|(one, _)| one.layer()).collect();
            let demand = Demand { layers: &layers, tokens: admit::tokens(call, &layers) };
            match scene.gateway.control.limits.admit(&demand, now).await {
                Ok(permit) => {
                    let counters = group.iter().map(|(one, _)| one.counter.clone()).collect();
                    permits.push(Permitted { counters, permit, is_met: true });
                }
                Err(denial) => {
                    permits.into_iter().for_each(|one: Permitted| one.permit.settle(0, now));
                    return Err(refuse(&denial, group));
                }
            }
        }
        self.permits.extend(permits);
        Ok(())
    }

    /// Those that were not yet charged: of tokens, and of requests.
    fn fresh<'a>(&self, rates: &'a [(Matched<'a>, Rule)]) -> (Vec<Fresh<'a>>, Vec<Fresh<'a>>) {
        let is_new = |one: &Matched<'_>| {
            !self.permits.iter().any(|permitted| permitted.counters.contains(&one.counter))
        };
        let fresh = rates.iter().filter(|(one, _)| is_new(one));
        fresh.map(|(one, rule)| (one, rule.unit())).partition(|(_, unit)| *unit == Unit::Tokens)
    }

    /// Takes one request from each budget that it was not yet taken from; gives how many that were. A refusal takes none.
    pub async fn reserve(
        &mut self,
        scene: &Scene<'_>,
        call: &Call,
        requests: &[(Matched<'_>, BudgetId)],
    ) -> Result<usize, Refusal> {
        let trace = call.own.trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        let mut taken = 0;
        for (one, id) in requests {
            if self.reserved.iter().any(|reserved| reserved.counter == one.counter) {
                continue;
            }
            match take(scene, trace, one, *id).await {
                Ok(reservation) => {
                    let counter = one.counter.clone();
                    self.reserved.push(Reserved { counter, reservation, is_met: true, is_sent: false });
                    taken += 1;
                }
                Err(refusal) => {
                    self.take_back(taken);
                    return Err(refusal);
                }
            }
        }
        Ok(taken)
    }

    /// The last so many requests were not made.
    pub fn take_back(&mut self, count: usize) {
        for one in self.reserved.drain(self.reserved.len().saturating_sub(count)..) {
            one.reservation.cancel();
        }
    }

    pub fn sent(&mut self) {
        for one in self.reserved.iter_mut().filter(|one| one.is_met) {
            one.reservation.sent();
            one.is_sent = true;
        }
    }

    pub fn close(&mut self, tokens: u64, now: Moment) {
        for one in self.permits.drain(..) {
            one.permit.settle(if one.is_met { tokens } else { 0 }, now);
        }
        for one in self.reserved.drain(..) {
            if one.is_sent {
                let charge = Charge { cost: Some(Money::ZERO), tokens: 1, estimated: false };
                one.reservation.settle(&charge, How::Success);
            } else {
                one.reservation.cancel();
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.permits.is_empty() && self.reserved.is_empty()
    }

    pub fn standing(&self) -> Option<Standing> {
        self.permits.iter().map(|one| one.permit.standing()).reduce(Standing::and)
    }
}

async fn take(
    scene: &Scene<'_>,
    trace: &str,
    one: &Matched<'_>,
    budget: BudgetId,
) -> Result<Reservation, Refusal> {
    let unable = |why: &ledger::Refusal| {
        let message = format!("budgets cannot be kept at this moment: {why}");
        Refusal::with_status("ledger", tidegate_core::ErrorKind::Overloaded, 503, message)
    };
    let Some(books) = &scene.gateway.control.books else { return Err(unable(&ledger::Refusal::Journal)) };
    let demand = ledger::Demand {
        budgets: &[budget],
        cost: Some(Money::ZERO),
        tokens: 1,
        least: None,
        request: "",
        trace,
    };
    let reservation = books.reserve(&demand).await.map_err(|refusal| match refusal {
        SharedRefusal::Refused(ledger::Refusal::Exceeded(_)) => exhausted(one.policy),
        SharedRefusal::Refused(other) => unable(&other),
        SharedRefusal::Away(_) => unable(&ledger::Refusal::Busy),
    })?;
    if !reservation.is_ready() && reservation.ready().await.is_err() {
        reservation.cancel();
        return Err(unable(&ledger::Refusal::Journal));
    }
    Ok(reservation)
}

fn refuse(denial: &Denial, group: &[Fresh<'_>]) -> Refusal {
    let refusal = match denial {
        Denial::Away(_) => return admit::away(),
        Denial::Refused(refusal) => refusal,
    };
    let name = match refusal.cause {
        Cause::Rule { layer, .. } => group.get(layer).map_or("", |(one, _)| &*one.policy.name),
        Cause::NoRoom => "",
    };
    admit::over(refusal, name).of_target()
}
