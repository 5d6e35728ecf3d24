//! Prices of an operator's own in an integration: amounts for a model, and factors for all of them.

use serde_json::Value;

use crate::problem::Problem;

/// The member of a connection's settings that holds the factors.
pub(super) const ADJUSTMENTS: &str = "pricing_adjustments";
/// Levels of objects inside each other.
const DEEPEST: usize = 6;

/// `{"type":"static","pay_as_you_go":{"request_token":{"price":0.00025}}}`: US cents for each unit.
///
/// # Errors
/// 400 naming the member.
pub(super) fn check_config(field: &str, config: &Value) -> Result<(), Problem> {
    let Value::Object(members) = config else {
        return Err(Problem::field(
            field,
            "is not an object",
            "{\"type\": \"static\", \"pay_as_you_go\": {…}}",
        ));
    };
    if members.get("type").is_some_and(|kind| kind != "static") {
        return Err(Problem::field(&format!("{field}.type"), "is not accepted", "\"static\""));
    }
    numbers(field, config, DEEPEST, &|name| name == "price")
}

/// `{"multiplier":{"default":1.2,"image":{"default":2}}}`.
///
/// # Errors
/// 400 naming the member.
pub(super) fn check_adjustments(field: &str, adjustments: &Value) -> Result<(), Problem> {
    let at = format!("{field}.multiplier");
    match adjustments.get("multiplier") {
        Some(factors @ Value::Object(_)) => numbers(&at, factors, DEEPEST, &|_| true),
        _ => Err(Problem::field(&at, "is not an object", "an object of factors, such as {\"default\": 1.2}")),
    }
}

/// Members of these names must be numbers from 0; null clears.
fn numbers(
    field: &str,
    value: &Value,
    deepest: usize,
    is_number: &dyn Fn(&str) -> bool,
) -> Result<(), Problem> {
    let Value::Object(members) = value else { return Ok(()) };
    if deepest == 0 {
        return Err(Problem::field(field, "is nested too deep", format!("at most {DEEPEST} levels")));
    }
    for (name, value) in members {
        let field = format!("{field}.{}", tidegate_core::field::shown(name));
        match value {
            Value::Object(_) => numbers(&field, value, deepest - 1, is_number)?,
            Value::Null => {}
            Value::Number(number) if number.as_f64().is_some_and(|number| number >= 0.0) => {}
            _ if is_number(name) => return Err(Problem::field(&field, "is not accepted", "a number from 0")),
            _ => {}
        }
    }
    Ok(())
}
