//! How much of its limits an object has used, as clients see it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;
use tidegate_ledger::{Amount, Unit};

use crate::call::Visit;
use crate::problem::Problem;
use crate::timestamp::Timestamp;
use crate::usage::{Standing, Subject};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Active,
    Exhausted,
    Expired,
}

/// One budget: how it stands.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Used {
    r#type: Type,
    /// US dollars, or tokens.
    #[schemars(with = "f64")]
    credit_limit: Number,
    #[schemars(with = "f64")]
    current_usage: Number,
    /// Set aside for requests under way; what they do not use is free again.
    #[schemars(with = "f64")]
    reserved_usage: Number,
    status: Status,
    next_usage_reset_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Type {
    Cost,
    Tokens,
}

/// Whether an object can be used now, and how its budgets stand.
pub(crate) fn of(visit: &Visit, subject: &Subject, expires_at: Option<u64>) -> (Status, Vec<Used>) {
    let budgets = visit.api.options.usage.standing(subject);
    let status = if expires_at.is_some_and(|at| at <= visit.now()) {
        Status::Expired
    } else if budgets.iter().any(|budget| budget.is_exhausted) {
        Status::Exhausted
    } else {
        Status::Active
    };
    (status, budgets.iter().map(Used::of).collect())
}

/// # Errors
/// 503: the books cannot be written.
pub(crate) fn reset(visit: &Visit, subject: &Subject) -> Result<(), Problem> {
    visit.api.options.usage.reset(subject).map_err(|error| {
        Problem::new(http::StatusCode::SERVICE_UNAVAILABLE, "usage cannot be set back now; try again")
            .because(error.to_string())
    })
}

impl Used {
    fn of(standing: &Standing) -> Self {
        Self {
            r#type: if standing.unit == Unit::Usd { Type::Cost } else { Type::Tokens },
            credit_limit: number(standing.limit),
            current_usage: number(standing.used),
            reserved_usage: number(standing.reserved),
            status: status(standing),
            next_usage_reset_at: standing.resets_at.map(Timestamp),
        }
    }
}

pub(crate) fn status(standing: &Standing) -> Status {
    if standing.is_exhausted { Status::Exhausted } else { Status::Active }
}

/// An exact amount, in as many digits as JSON numbers are read with.
pub(crate) fn number(amount: Amount) -> Number {
    serde_json::from_str(&amount.to_string()).unwrap_or_else(|_| Number::from(0))
}
