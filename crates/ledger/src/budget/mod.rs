//! Budgets as values: so much money or so many tokens, for somebody, in each period.
//!
//! [`parse_limits`] reads the admin API's `usage_limits`; a [`Limit`] becomes a [`Budget`] with whose it is.

mod parse;
mod period;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;

pub use parse::{Level, parse_limits};
pub use period::{FirstDay, Reset};
pub use tidegate_core::FieldError as BudgetError;

/// Whose budget it is. With an id it names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    ApiKey,
    Workspace,
    Integration,
    VirtualKey,
    /// A value of the request's metadata, such as its user. The id holds the name and the value.
    Metadata,
    /// A usage limit policy; its id holds the policy and the values that it groups by.
    Policy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Usd,
    /// Tokens of prompt and answer together.
    Tokens,
}

/// What is limited, without whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    unit: Unit,
    amount: Amount,
    reset: Reset,
    /// Rising, each once, above zero and below the amount.
    alerts: Vec<Amount>,
}

/// A limit and whose it is. Two budgets of the same scope, id, unit and reset are the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub scope: Scope,
    /// The slug or name that messages show.
    pub id: String,
    #[serde(flatten)]
    pub limit: Limit,
}

/// By what a budget is found again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) scope: Scope,
    pub(crate) id: String,
    pub(crate) unit: Unit,
    pub(crate) reset: Reset,
}

impl Scope {
    /// As messages have it: `api key`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ApiKey => "api key",
            Self::Workspace => "workspace",
            Self::Integration => "integration",
            Self::VirtualKey => "provider",
            Self::Metadata => "user",
            Self::Policy => "policy",
        }
    }
}

impl Limit {
    /// How many alert thresholds one budget may have.
    pub const MOST_ALERTS: usize = 16;

    /// `alerts` are amounts in the limit's unit; their order does not matter.
    ///
    /// # Errors
    /// An amount that is not above zero, above [`Amount::MOST_PER_BUDGET`], or not whole where it counts tokens; a
    /// period of no days or of more than 365; alerts that are not above zero and below the amount, or too many.
    pub fn new(
        unit: Unit,
        amount: Amount,
        reset: Reset,
        mut alerts: Vec<Amount>,
    ) -> Result<Self, BudgetError> {
        if amount <= Amount::ZERO || amount > Amount::MOST_PER_BUDGET {
            let expected = format!("an amount above 0, at most {}", Amount::MOST_PER_BUDGET);
            return Err(BudgetError::new("credit_limit", format!("{amount} is not accepted"), expected));
        }
        if unit == Unit::Tokens && amount.to_string().contains('.') {
            return Err(BudgetError::new("credit_limit", format!("{amount} is not whole"), "whole tokens"));
        }
        if let Reset::Days { count, .. } = reset
            && !(1..=365).contains(&count)
        {
            let problem = format!("{count} is not accepted");
            return Err(BudgetError::new("periodic_reset_days", problem, "a whole number from 1 to 365"));
        }
        if let Some(wrong) = alerts.iter().find(|alert| **alert <= Amount::ZERO || **alert >= amount) {
            let expected = format!("an amount above 0 and below credit_limit, which is {amount}");
            return Err(BudgetError::new("alert_threshold", format!("{wrong} is not accepted"), expected));
        }
        alerts.sort_unstable();
        alerts.dedup();
        if alerts.len() > Self::MOST_ALERTS {
            let problem = format!("{} thresholds are too many", alerts.len());
            return Err(BudgetError::new(
                "alert_threshold",
                problem,
                format!("at most {}", Self::MOST_ALERTS),
            ));
        }
        Ok(Self { unit, amount, reset, alerts })
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    pub fn amount(&self) -> Amount {
        self.amount
    }

    pub fn reset(&self) -> Reset {
        self.reset
    }

    /// Rising.
    pub fn alerts(&self) -> &[Amount] {
        &self.alerts
    }

    /// Everything that yields an event when usage reaches it: the alerts, and the amount itself.
    pub(crate) fn marks(&self) -> impl Iterator<Item = Amount> {
        self.alerts.iter().copied().chain([self.amount])
    }
}

impl Budget {
    pub fn new(scope: Scope, id: impl Into<String>, limit: Limit) -> Self {
        Self { scope, id: id.into(), limit }
    }

    pub(crate) fn key(&self) -> Key {
        Key { scope: self.scope, id: self.id.clone(), unit: self.limit.unit, reset: self.limit.reset }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Usd => "USD",
            Self::Tokens => "tokens",
        })
    }
}
