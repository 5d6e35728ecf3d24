//! Prices of an operator's own in an integration: amounts for a model, and factors for all of them.

use serde_json::Value;
use tidegate_pricing::{CentsError, OwnPrices, PriceTable};
use tidegate_store::entity::Connection;

use crate::problem::Problem;

/// The member of a connection's settings that holds the factors.
pub(super) const ADJUSTMENTS: &str = Connection::PRICE_FACTORS;

/// `{"type":"static","pay_as_you_go":{"request_token":{"price":0.00025}}}`: US cents for each unit.
///
/// # Errors
/// 400 naming the member.
pub(super) fn check_config(field: &str, config: &Value) -> Result<(), Problem> {
    PriceTable::from_cents(config).map(drop).map_err(|error| problem(field, &error))
}

/// `{"multiplier":{"default":1.2,"image":{"default":2}}}`.
///
/// # Errors
/// 400 naming the member.
pub(super) fn check_adjustments(field: &str, adjustments: &Value) -> Result<(), Problem> {
    OwnPrices::default().adjust(adjustments).map_err(|error| problem(field, &error))
}

fn problem(field: &str, error: &CentsError) -> Problem {
    let names = error.at.split('.').filter(|name| !name.is_empty());
    let at = names.map(tidegate_core::field::shown).fold(field.to_owned(), |at, name| format!("{at}.{name}"));
    Problem::field(&at, "is not accepted", error.message)
}
