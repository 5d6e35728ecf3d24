//! How much a usage policy allows: checked by the crate that counts it.

use serde_json::{Value, json};
use tidegate_core::FieldError;
use tidegate_ledger::{Level, parse_limits};

use super::rule::{UsageRule, UsageType};

/// `created_ms` is when the policy was made: periods of days count from there.
///
/// # Errors
/// The first member that is not accepted.
pub(super) fn check(rule: &UsageRule, created_ms: u64) -> Result<(), FieldError> {
    let mut limit = json!({
        "type": rule.r#type,
        "credit_limit": rule.credit_limit,
        "alert_threshold": rule.alert_threshold,
        "periodic_reset": rule.periodic_reset,
        "periodic_reset_days": rule.periodic_reset_days,
        "next_usage_reset_at": rule.next_usage_reset_at,
    });
    if rule.r#type == UsageType::Requests {
        requests(rule)?;
        // The rest of it is as with tokens, of which nobody counts less than a hundred.
        limit["type"] = json!("tokens");
        limit["credit_limit"] = json!(u32::MAX);
        limit["alert_threshold"] = Value::Null;
    }
    parse_limits(WHOLE, &limit, Level::Policy, created_ms).map(drop).map_err(|error| {
        let own = error.field.strip_prefix(WHOLE).and_then(|field| field.strip_prefix('.'));
        FieldError { field: own.unwrap_or(&error.field).to_owned(), ..error }
    })
}

/// Where errors think that the members stand.
const WHOLE: &str = "policy";

fn requests(rule: &UsageRule) -> Result<(), FieldError> {
    let limit = rule.credit_limit.as_u64().filter(|limit| *limit >= 1).ok_or_else(|| {
        let problem = format!("{} is not accepted", rule.credit_limit);
        FieldError::new("credit_limit", problem, "a whole number of requests from 1")
    })?;
    match &rule.alert_threshold {
        Some(alert) if !alert.as_u64().is_some_and(|alert| alert >= 1 && alert < limit) => {
            let expected = format!("a whole number from 1, below credit_limit, which is {limit}");
            Err(FieldError::new("alert_threshold", format!("{alert} is not accepted"), expected))
        }
        _ => Ok(()),
    }
}
