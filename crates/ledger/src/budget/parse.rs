//! Usage limits as the objects of Portkey's admin API:
//! `{"type":"cost","credit_limit":10,"alert_threshold":8,"periodic_reset":"monthly"}`, alone or in an array.
//!
//! Beyond the reference: `"periodic_reset":"daily"`, and `alert_thresholds`, an array of amounts and of shares such as
//! `"80%"`.

use serde_json::{Map, Number, Value};
use tidegate_core::clock::rfc3339_seconds;

use super::BudgetError;
use super::{FirstDay, Limit, Reset, Unit};
use crate::amount::Amount;
use tidegate_core::field::shown;

const MEMBERS: [&str; 7] = [
    "type",
    "credit_limit",
    "alert_threshold",
    "alert_thresholds",
    "periodic_reset",
    "periodic_reset_days",
    "next_usage_reset_at",
];
/// One request is checked against every limit, so their number is bounded.
const MOST: usize = 32;
const SECONDS_PER_DAY: u64 = 86_400;

/// Where limits are written. It decides on which day their weeks begin, as the reference's documents have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Keys, workspaces, integrations and providers: Sunday.
    Object,
    /// Usage limit policies: Monday.
    Policy,
}

/// Reads `usage_limits`: an object, an array of objects, or null for none. `field` is the member's name, for the
/// errors. `created_ms` (milliseconds since 1970) is when `periodic_reset_days` begins to count unless
/// `next_usage_reset_at` says otherwise.
///
/// # Errors
/// The first member that is not accepted. Unknown members are errors: a limit with a misspelt member is one that nobody
/// enforces.
pub fn parse_limits(
    field: &str,
    value: &Value,
    level: Level,
    created_ms: u64,
) -> Result<Vec<Limit>, BudgetError> {
    let parse = |field: &str, value: &Value| {
        let object = value.as_object().ok_or_else(|| {
            wrong(field, Some(value), "an object {\"type\", \"credit_limit\", …} or an array of them")
        })?;
        Reader { field, object }.limit(level, created_ms)
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) if items.len() > MOST => {
            let problem = format!("{} limits are too many", items.len());
            Err(BudgetError::new(field, problem, format!("at most {MOST}")))
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(i, item)| parse(&format!("{field}[{i}]"), item)).collect()
        }
        one => Ok(vec![parse(field, one)?]),
    }
}

struct Reader<'a> {
    field: &'a str,
    object: &'a Map<String, Value>,
}

impl Reader<'_> {
    fn limit(&self, level: Level, created_ms: u64) -> Result<Limit, BudgetError> {
        if let Some(unknown) = self.object.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            let problem = "is not a member of a usage limit";
            return Err(BudgetError::new(&self.name(&shown(unknown)), problem, MEMBERS.join(", ")));
        }
        let unit = match self.object.get("type").map(Value::as_str) {
            Some(Some("cost")) => Unit::Usd,
            Some(Some("tokens")) => Unit::Tokens,
            _ => return Err(self.wrong("type", "\"cost\" or \"tokens\"")),
        };
        let amount = self.amount(unit)?;
        let reset = self.reset(level, created_ms)?;
        let alerts = self.alerts(amount)?;
        Limit::new(unit, amount, reset, alerts)
            .map_err(|error| BudgetError { field: self.name(&error.field), ..error })
    }

    fn amount(&self, unit: Unit) -> Result<Amount, BudgetError> {
        let (least, expected) = match unit {
            Unit::Usd => (1, "a number of US dollars from 1"),
            Unit::Tokens => (100, "a whole number of tokens from 100"),
        };
        let amount = self.given("credit_limit").and_then(number);
        let amount = amount.filter(|amount| *amount >= Amount::tokens(least));
        let amount = amount.filter(|amount| unit == Unit::Usd || !amount.to_string().contains('.'));
        amount.ok_or_else(|| self.wrong("credit_limit", expected))
    }

    fn reset(&self, level: Level, created_ms: u64) -> Result<Reset, BudgetError> {
        let from = self.next_reset()?;
        match (self.given("periodic_reset"), self.given("periodic_reset_days")) {
            (Some(_), Some(_)) => {
                let problem = "cannot stand beside periodic_reset";
                Err(BudgetError::new(&self.name("periodic_reset_days"), problem, "one of the two"))
            }
            (None, None) => Ok(Reset::Never),
            (Some(word), None) => match word.as_str() {
                Some("daily") => Ok(Reset::Daily),
                Some("weekly") if level == Level::Policy => Ok(Reset::Weekly(FirstDay::Monday)),
                Some("weekly") => Ok(Reset::Weekly(FirstDay::Sunday)),
                Some("monthly") => Ok(Reset::Monthly),
                _ => Err(self.wrong("periodic_reset", "\"weekly\", \"monthly\" or \"daily\"")),
            },
            (None, Some(days)) => {
                let count = days.as_u64().filter(|days| (1..=365).contains(days));
                let count = count.and_then(|count| u32::try_from(count).ok());
                let count =
                    count.ok_or_else(|| self.wrong("periodic_reset_days", "a whole number from 1 to 365"))?;
                let day = from.unwrap_or(created_ms / 1_000 / SECONDS_PER_DAY);
                // The first border is what tells two series apart, so that both ways of writing one are one budget.
                let from = u32::try_from(day % u64::from(count)).unwrap_or(0);
                Ok(Reset::Days { count, from })
            }
        }
    }

    /// The day of the next reset. Read for `periodic_reset_days`; otherwise only checked, the calendar decides.
    fn next_reset(&self) -> Result<Option<u64>, BudgetError> {
        let Some(value) = self.given("next_usage_reset_at") else { return Ok(None) };
        let seconds = value.as_str().and_then(rfc3339_seconds);
        let seconds = seconds
            .ok_or_else(|| self.wrong("next_usage_reset_at", "a time such as 2026-01-01T00:00:00Z"))?;
        Ok(Some(seconds / SECONDS_PER_DAY))
    }

    fn alerts(&self, amount: Amount) -> Result<Vec<Amount>, BudgetError> {
        let mut alerts = Vec::new();
        if let Some(value) = self.given("alert_threshold") {
            let one = Amount::tokens(1);
            let alert = number(value).filter(|alert| *alert >= one && *alert < amount);
            let expected = format!("a number from 1, below credit_limit, which is {amount}");
            alerts.push(alert.ok_or_else(|| self.wrong("alert_threshold", &expected))?);
        }
        let Some(list) = self.given("alert_thresholds") else { return Ok(alerts) };
        let items = list.as_array();
        let items = items.ok_or_else(|| self.wrong("alert_thresholds", "an array such as [\"80%\", 9.5]"))?;
        for (i, item) in items.iter().enumerate() {
            let alert = number(item).or_else(|| share(item, amount));
            let alert = alert.filter(|alert| *alert > Amount::ZERO && *alert < amount);
            let expected = format!("an amount above 0 and below {amount}, or a share from \"1%\" to \"99%\"");
            alerts.push(alert.ok_or_else(|| {
                wrong(&self.name(&format!("alert_thresholds[{i}]")), Some(item), &expected)
            })?);
        }
        Ok(alerts)
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn name(&self, member: &str) -> String {
        format!("{}.{member}", self.field)
    }

    fn wrong(&self, member: &str, expected: &str) -> BudgetError {
        wrong(&self.name(member), self.object.get(member), expected)
    }
}

/// The digits that were written. A JSON number is held as a float, whose shortest text gives them back up to 15.
fn number(value: &Value) -> Option<Amount> {
    let text = value.as_number().map(Number::to_string)?;
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.parse().ok().filter(|amount| *amount <= Amount::MOST_PER_BUDGET)
}

fn share(value: &Value, of: Amount) -> Option<Amount> {
    let percent: u32 = value.as_str()?.strip_suffix('%')?.parse().ok()?;
    (1..100).contains(&percent).then(|| of.millionths(percent * 10_000))
}

fn wrong(field: &str, value: Option<&Value>, expected: &str) -> BudgetError {
    let problem = match value {
        None => "is missing".to_owned(),
        Some(value) => format!("{} is not accepted", shown(&value.to_string())),
    };
    BudgetError::new(field, problem, expected)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn one(value: Value) -> Limit {
        parse_limits("usage_limits", &value, Level::Object, 86_400_000 * 9 + 5).unwrap().remove(0)
    }

    #[test]
    fn the_references_objects_are_read() {
        let limit = one(json!({"type": "cost", "credit_limit": 10.5, "alert_threshold": 8,
            "periodic_reset": "weekly"}));
        assert_eq!((limit.unit(), limit.amount().to_string().as_str()), (Unit::Usd, "10.5"));
        assert_eq!(limit.reset(), Reset::Weekly(FirstDay::Sunday));
        assert_eq!(limit.alerts(), [Amount::tokens(8)]);
        let limit = one(json!({"type": "tokens", "credit_limit": 1000, "periodic_reset_days": 7,
            "alert_thresholds": ["80%", 500, "50%"]}));
        assert_eq!(limit.reset(), Reset::Days { count: 7, from: 2 });
        assert_eq!(limit.alerts(), [Amount::tokens(500), Amount::tokens(800)]);
        let limit = one(json!({"type": "tokens", "credit_limit": 100, "periodic_reset_days": 7,
            "next_usage_reset_at": "1970-01-10T13:00:00Z"}));
        assert_eq!(limit.reset(), Reset::Days { count: 7, from: 2 }, "to midnight, and in the same series");
        assert_eq!(parse_limits("x", &json!(null), Level::Policy, 0), Ok(Vec::new()));
        let two = json!([{"type": "cost", "credit_limit": 1}, {"type": "tokens", "credit_limit": 100}]);
        assert_eq!(parse_limits("x", &two, Level::Policy, 0).unwrap().len(), 2);
        let policy = json!({"type": "cost", "credit_limit": 1, "periodic_reset": "weekly"});
        let policy = parse_limits("x", &policy, Level::Policy, 0).unwrap();
        assert_eq!(policy[0].reset(), Reset::Weekly(FirstDay::Monday));
    }

    #[test]
    fn mistakes_are_named_with_what_would_be_right() {
        for (value, message) in [
            (
                json!({"type": "cost", "credit_limit": 0.5}),
                "u.credit_limit: 0.5 is not accepted; expected a number of US dollars from 1",
            ),
            (
                json!({"type": "tokens", "credit_limit": 99}),
                "u.credit_limit: 99 is not accepted; expected a whole number of tokens from 100",
            ),
            (
                json!({"type": "tokens", "credit_limit": 100.5}),
                "u.credit_limit: 100.5 is not accepted; expected a whole number of tokens from 100",
            ),
            (json!({"type": "cost"}), "u.credit_limit: is missing; expected a number of US dollars from 1"),
            (
                json!({"type": "requests", "credit_limit": 5}),
                "u.type: \"requests\" is not accepted; expected \"cost\" or \"tokens\"",
            ),
            (
                json!({"type": "cost", "credit_limit": 5, "alert_threshold": 5}),
                "u.alert_threshold: 5 is not accepted; expected a number from 1, below credit_limit, which is 5",
            ),
            (
                json!({"type": "cost", "credit_limit": 5, "periodic_reset": "weekly", "periodic_reset_days": 3}),
                "u.periodic_reset_days: cannot stand beside periodic_reset; expected one of the two",
            ),
            (
                json!({"type": "cost", "credit_limit": 5, "periodic_reset_days": 366}),
                "u.periodic_reset_days: 366 is not accepted; expected a whole number from 1 to 365",
            ),
            (
                json!({"type": "cost", "credit_limit": 5, "periodic_reset": "hourly"}),
                "u.periodic_reset: \"hourly\" is not accepted; expected \"weekly\", \"monthly\" or \"daily\"",
            ),
            (
                json!([3]),
                "u[0]: 3 is not accepted; expected an object {\"type\", \"credit_limit\", …} or an array of them",
            ),
        ] {
            let error = parse_limits("u", &value, Level::Object, 0).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        for value in [
            json!({"type": "cost", "credit_limit": 5, "creditLimit": 5}),
            json!({"type": "cost", "credit_limit": "5"}),
            json!({"type": "cost", "credit_limit": 1e300}),
            json!({"type": "cost", "credit_limit": -5}),
            json!({"type": "cost", "credit_limit": 5, "alert_thresholds": ["0%"]}),
            json!({"type": "cost", "credit_limit": 5, "alert_thresholds": ["100%"]}),
            json!({"type": "cost", "credit_limit": 5, "alert_thresholds": 3}),
            json!({"type": "cost", "credit_limit": 5, "next_usage_reset_at": "soon"}),
            json!("cost"),
        ] {
            assert!(parse_limits("u", &value, Level::Object, 0).is_err(), "{value}");
        }
    }
}
