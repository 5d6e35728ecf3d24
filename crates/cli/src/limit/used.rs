//! `current_usage`: how the budgets of an object stand.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::UsageLimit;
use super::budget::{Spent, read_number};

/// One budget's.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Used {
    #[serde(rename = "type")]
    spent: Spent,
    #[serde(deserialize_with = "read_number")]
    credit_limit: Decimal,
    #[serde(deserialize_with = "read_number")]
    current_usage: Decimal,
    #[serde(default)]
    next_usage_reset_at: Option<String>,
}

impl Used {
    /// The budgets, with how they stand. Those that are alike stand in the same order on both sides.
    pub(crate) fn of(mut budgets: Vec<UsageLimit>, mut standings: Vec<Self>) -> Vec<UsageLimit> {
        for budget in &mut budgets {
            let is_its = |used: &Self| used.spent == budget.spent && used.credit_limit == budget.credit_limit;
            let Some(at) = standings.iter().position(is_its) else { continue };
            let used = standings.remove(at);
            budget.current_usage = Some(used.current_usage);
            budget.next_usage_reset_at = budget.next_usage_reset_at.take().or(used.next_usage_reset_at);
        }
        budgets
    }
}
