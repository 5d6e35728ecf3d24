//! Budgets of what goes on for long: one answer after another is set aside and settled, as long as there is something left.

use std::sync::Arc;

use tidegate_directory::Provider;
use tidegate_ledger as ledger;
use tidegate_ledger::{BudgetId, Charge, How, Least, Reservation, SharedRefusal};
use tidegate_pricing::Money;

use crate::authenticate::Caller;
use crate::charge::exhausted;
use crate::policy::Review;
use crate::refuse::Refusal;
use crate::state::Gateway;

/// What each answer of a session is reserved by.
#[derive(Debug)]
pub struct Tab {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub stored: Option<Arc<Provider>>,
    pub review: Option<Arc<Review>>,
    pub budgets: Box<[BudgetId]>,
    /// The most that one answer can cost; `None` where it has no price.
    pub cost: Option<Money>,
    pub tokens: u64,
    /// With how little left an answer may still begin.
    pub least: Option<Least>,
    pub trace: Box<str>,
}

impl Tab {
    /// Sets the most aside that an answer can cost, or what is left of that.
    ///
    /// # Errors
    /// 412 when too little is left, 503 when the books cannot be kept.
    pub async fn reserve(self: Arc<Self>) -> Result<Reservation, Refusal> {
        let exhausted = |refusal: &ledger::Refusal| {
            exhausted(&self.caller, self.review.as_deref(), self.stored.as_deref(), refusal)
        };
        let Some(books) = &self.gateway.control.books else { return Err(exhausted(&ledger::Refusal::Busy)) };
        let reserved = books.reserve(&self.demand()).await;
        let mut reservation = reserved.map_err(|refusal| match refusal {
            SharedRefusal::Refused(refusal) => exhausted(&refusal),
            SharedRefusal::Away(_) => exhausted(&ledger::Refusal::Busy),
        })?;
        if !reservation.is_ready() && reservation.ready().await.is_err() {
            reservation.cancel();
            return Err(exhausted(&ledger::Refusal::Journal));
        }
        reservation.sent();
        Ok(reservation)
    }

    /// Pays for what nothing was set aside for when its session ended: the answer before had just ended as well, or there
    /// was nothing left.
    pub fn charge(&self, charge: &Charge, how: How) {
        if let Some(books) = &self.gateway.control.books {
            books.ledger().charge(&self.demand(), charge, how);
        }
    }

    fn demand(&self) -> ledger::Demand<'_> {
        ledger::Demand {
            budgets: &self.budgets,
            cost: self.cost,
            tokens: self.tokens,
            least: self.least,
            request: "",
            trace: &self.trace,
        }
    }
}
