//! How much a usage policy allows: read by the crate that counts it.

use serde_json::{Value, json};
use tidegate_core::FieldError;
use tidegate_ledger::{Amount, Level, Limit, Unit, parse_limits};

use super::rule::{UsageRule, UsageType};

impl UsageRule {
    /// What the policy allows each value of its group; of requests, the limit's tokens are requests. `created_ms` is when
    /// the policy was made: periods of days count from there.
    ///
    /// # Errors
    /// The first member that is not accepted.
    pub fn limit(&self, created_ms: u64) -> Result<Limit, FieldError> {
        let mut limit = json!({
            "type": self.r#type,
            "credit_limit": self.credit_limit,
            "alert_threshold": self.alert_threshold,
            "periodic_reset": self.periodic_reset,
            "periodic_reset_days": self.periodic_reset_days,
            "next_usage_reset_at": self.next_usage_reset_at,
        });
        if self.r#type == UsageType::Requests {
            // The rest of it is as with tokens, of which nobody counts less than a hundred.
            limit["type"] = json!("tokens");
            limit["credit_limit"] = json!(u32::MAX);
            limit["alert_threshold"] = Value::Null;
        }
        let limits = parse_limits(WHOLE, &limit, Level::Policy, created_ms).map_err(|error| {
            let own = error.field.strip_prefix(WHOLE).and_then(|field| field.strip_prefix('.'));
            FieldError { field: own.unwrap_or(&error.field).to_owned(), ..error }
        })?;
        let limit = limits.into_iter().next().ok_or_else(|| {
            FieldError::new("credit_limit", "is missing", "how much each value of the group may use")
        })?;
        if self.r#type != UsageType::Requests {
            return Ok(limit);
        }
        let (most, alert) = requests(self)?;
        let alerts = alert.map(Amount::tokens).into_iter().collect();
        Limit::new(Unit::Tokens, Amount::tokens(most), limit.reset(), alerts)
    }
}

/// Where errors think that the members stand.
const WHOLE: &str = "policy";

/// The limit, and where it tells.
fn requests(rule: &UsageRule) -> Result<(u64, Option<u64>), FieldError> {
    let limit = rule.credit_limit.as_u64().filter(|limit| *limit >= 1).ok_or_else(|| {
        let problem = format!("{} is not accepted", rule.credit_limit);
        FieldError::new("credit_limit", problem, "a whole number of requests from 1")
    })?;
    let Some(alert) = &rule.alert_threshold else { return Ok((limit, None)) };
    match alert.as_u64().filter(|alert| *alert >= 1 && *alert < limit) {
        Some(alert) => Ok((limit, Some(alert))),
        None => {
            let expected = format!("a whole number from 1, below credit_limit, which is {limit}");
            Err(FieldError::new("alert_threshold", format!("{alert} is not accepted"), expected))
        }
    }
}
