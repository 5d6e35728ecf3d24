//! Rules as the objects of Portkey's admin API: `{"type":"requests","unit":"rpm","value":100}`, alone or in an array.
//!
//! Beyond the reference: `"type":"concurrency"` (no unit), units in words (`"unit":"2minutes"`), and a member
//! `algorithm`. Windows follow the calendar unless `algorithm` says otherwise, as hosted Portkey's do.

use serde_json::{Map, Value};

use super::text::parse_window;
use super::{Algorithm, Period, Rule, Span, Unit, Window};
use super::{RuleError, shown};

const MEMBERS: [&str; 4] = ["type", "unit", "value", "algorithm"];
const TYPES: &str = "\"requests\", \"tokens\" or \"concurrency\"";
const UNITS: &str = "\"rps\", \"rpm\", \"rph\", \"rpd\", \"rpw\" or a window such as \"2minutes\"";
/// One request is checked against every rule, so their number is bounded.
const MOST: usize = 32;

/// Reads `rate_limits`: an array of objects, one object, or null for none. A `value` of 0 switches the rule off, so it
/// is left out. `field` is the member's name, for the errors: `rate_limits[1].unit`.
///
/// Unknown members are errors: a limit with a misspelt member is one that nobody enforces.
pub fn parse_policies(field: &str, value: &Value) -> Result<Vec<Rule>, RuleError> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(object) => Ok(parse_policy(field, object)?.into_iter().collect()),
        Value::Array(items) if items.len() > MOST => Err(RuleError::new(
            field,
            format!("{} rules are too many", items.len()),
            format!("at most {MOST}"),
        )),
        Value::Array(items) => {
            let mut rules = Vec::new();
            for (i, item) in items.iter().enumerate() {
                let field = format!("{field}[{i}]");
                let object = item.as_object().ok_or_else(|| not_an_object(&field, item))?;
                rules.extend(parse_policy(&field, object)?);
            }
            Ok(rules)
        }
        other => Err(not_an_object(field, other)),
    }
}

fn parse_policy(field: &str, object: &Map<String, Value>) -> Result<Option<Rule>, RuleError> {
    if let Some(unknown) = object.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        let problem = "is not a member of a rate limit";
        return Err(RuleError::new(&format!("{field}.{}", shown(unknown)), problem, MEMBERS.join(", ")));
    }
    let unit = parse_type(field, object.get("type"))?;
    let amount = parse_value(field, object.get("value"))?;
    let window = parse_window_of(field, unit, object)?;
    let rule = match (unit, window) {
        (Unit::Tokens, Some(window)) => Rule::tokens(amount, window),
        (Unit::Requests, Some(window)) => Rule::requests(amount, window),
        _ => Rule::concurrency(amount),
    };
    Ok((amount > 0).then_some(rule))
}

fn parse_type(field: &str, value: Option<&Value>) -> Result<Unit, RuleError> {
    let field = format!("{field}.type");
    match value.map(Value::as_str) {
        Some(Some("requests")) => Ok(Unit::Requests),
        Some(Some("tokens")) => Ok(Unit::Tokens),
        Some(Some("concurrency")) => Ok(Unit::Concurrency),
        _ => Err(wrong(&field, value, TYPES)),
    }
}

fn parse_value(field: &str, value: Option<&Value>) -> Result<u64, RuleError> {
    let amount = value.and_then(Value::as_u64).filter(|amount| *amount <= Rule::MAX_AMOUNT);
    amount.ok_or_else(|| {
        let expected = format!("a whole number from 0 (no limit) to {}", Rule::MAX_AMOUNT);
        wrong(&format!("{field}.value"), value, &expected)
    })
}

/// `None` for concurrency.
fn parse_window_of(
    field: &str,
    unit: Unit,
    object: &Map<String, Value>,
) -> Result<Option<Window>, RuleError> {
    let given = |name: &str| object.get(name).filter(|value| !value.is_null());
    if unit == Unit::Concurrency {
        return match ["unit", "algorithm"].into_iter().find(|name| given(name).is_some()) {
            Some(name) => {
                let problem = "concurrency is counted at each moment and has no window";
                Err(RuleError::new(&format!("{field}.{name}"), problem, "no such member"))
            }
            None => Ok(None),
        };
    }
    let span = parse_unit(&format!("{field}.unit"), object.get("unit"))?;
    let algorithm_field = format!("{field}.algorithm");
    let algorithm = match given("algorithm") {
        None => Algorithm::FixedOnTheClock,
        Some(Value::String(name)) => Algorithm::parse(&algorithm_field, name)?,
        Some(other) => return Err(wrong(&algorithm_field, Some(other), "text")),
    };
    Ok(Some(Window { span, algorithm }))
}

fn parse_unit(field: &str, value: Option<&Value>) -> Result<Span, RuleError> {
    let Some(Value::String(word)) = value else { return Err(wrong(field, value, UNITS)) };
    match Period::ALL.into_iter().find(|period| period.short() == Some(word.as_str())) {
        Some(period) => Ok(Span::one(period)),
        None => parse_window(field, word).map_err(|_| wrong(field, value, UNITS)),
    }
}

fn not_an_object(field: &str, value: &Value) -> RuleError {
    wrong(field, Some(value), "an object {\"type\", \"unit\", \"value\"} or an array of them")
}

fn wrong(field: &str, value: Option<&Value>, expected: &str) -> RuleError {
    let problem = match value {
        None => "is missing".to_owned(),
        Some(value) => format!("{} is not accepted", shown(&value.to_string())),
    };
    RuleError::new(field, problem, expected)
}
