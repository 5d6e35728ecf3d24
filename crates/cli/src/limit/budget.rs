//! Budgets: `5usd/month`, `$2.50/day`, `1000000tokens/2weeks`, `100usd` (once, for ever).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Number;

use super::{Period, Span, split_number, split_per};

const FORM: &str = "write <amount>usd or <count>tokens, then /[n]<day|week|month> if it starts anew, such as 5usd/month, \
                    1000000tokens/day or 100usd";
/// JSON numbers are exact to so many digits for every reader.
const MAX_DIGITS: usize = 15;
const LEAST_TOKENS: u64 = 100;

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Spent {
    /// US dollars.
    Cost,
    Tokens,
    Requests,
    #[serde(other)]
    Unknown,
}

/// The calendar of `periodic_reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reset {
    Daily,
    Weekly,
    Monthly,
    #[serde(other)]
    Unknown,
}

/// `usage_limits`, or a member of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsageLimit {
    #[serde(rename = "type")]
    pub(crate) spent: Spent,
    #[serde(serialize_with = "write_number", deserialize_with = "read_number")]
    pub(crate) credit_limit: Decimal,
    /// An amount, in the unit of the limit.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_optional",
        deserialize_with = "read_optional"
    )]
    pub(crate) alert_threshold: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) periodic_reset: Option<Reset>,
    /// 1 to 365.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) periodic_reset_days: Option<u32>,
    /// Only read: when it starts anew.
    #[serde(default, skip_serializing)]
    pub(crate) next_usage_reset_at: Option<String>,
    /// How much is used: said beside the budgets, see [`Used`](super::Used).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        skip_deserializing,
        serialize_with = "write_optional"
    )]
    pub(crate) current_usage: Option<Decimal>,
}

/// A budget as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget(pub(crate) UsageLimit);

/// When to give notice, as it was written: `4usd`, `4`, `80%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    Amount(Decimal),
    Percent(Decimal),
}

impl Budget {
    /// # Errors
    /// A threshold that is not below the budget.
    pub(crate) fn with_alert(mut self, alert: Option<Alert>) -> Result<UsageLimit, String> {
        let Some(alert) = alert else { return Ok(self.0) };
        let whole = self.0.credit_limit;
        let mut amount = match alert {
            Alert::Amount(amount) => amount,
            Alert::Percent(percent) => whole * percent / Decimal::ONE_HUNDRED,
        };
        if self.0.spent != Spent::Cost {
            amount = amount.trunc();
        }
        if amount < Decimal::ONE || amount >= whole {
            let unit = if self.0.spent == Spent::Cost { "usd" } else { "tokens" };
            return Err(format!(
                "--alert: {amount}{unit} is not from 1 to below the budget, which is {whole}{unit}"
            ));
        }
        self.0.alert_threshold = Some(amount.normalize());
        Ok(self.0)
    }
}

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text.trim()).map(Self).map_err(|problem| format!("{problem}; {FORM}"))
    }
}

fn parse(text: &str) -> Result<UsageLimit, String> {
    let (left, period) = split_per(text);
    let (unsigned, has_sign) = left.strip_prefix('$').map_or((left, false), |rest| (rest.trim_start(), true));
    let (digits, word) = split_number(unsigned);
    if digits.is_empty() {
        return Err(format!("`{text}` does not begin with an amount"));
    }
    let spent = match (has_sign, word.trim().to_ascii_lowercase().as_str()) {
        (_, "usd" | "dollar" | "dollars") | (true, "") | (false, "$") => Spent::Cost,
        (false, "token" | "tokens") => Spent::Tokens,
        (false, "") => return Err(format!("`{text}` says neither usd nor tokens")),
        (_, other) => return Err(format!("`{other}` cannot be budgeted; usd and tokens can")),
    };
    let credit_limit = amount(&digits)?;
    match spent {
        Spent::Cost if credit_limit < Decimal::ONE => return Err("a budget has 1usd at least".to_owned()),
        Spent::Tokens if credit_limit < Decimal::from(LEAST_TOKENS) => {
            return Err(format!("a budget has {LEAST_TOKENS} tokens at least"));
        }
        Spent::Tokens if credit_limit.scale() > 0 => return Err(format!("{digits} tokens are not whole")),
        _ => {}
    }
    let (periodic_reset, periodic_reset_days) = match period {
        None => (None, None),
        Some(period) => reset(Span::parse(period)?)?,
    };
    Ok(UsageLimit {
        spent,
        credit_limit,
        alert_threshold: None,
        periodic_reset,
        periodic_reset_days,
        next_usage_reset_at: None,
        current_usage: None,
    })
}

fn amount(digits: &str) -> Result<Decimal, String> {
    let amount: Option<Decimal> = digits.parse().ok();
    let amount = amount.filter(|_| digits.chars().filter(char::is_ascii_digit).count() <= MAX_DIGITS);
    amount
        .map(|amount| amount.normalize())
        .ok_or_else(|| format!("`{digits}` is no amount of at most {MAX_DIGITS} digits"))
}

fn reset(span: Span) -> Result<(Option<Reset>, Option<u32>), String> {
    let days = match (span.count, span.period) {
        (1, Period::Month) => return Ok((Some(Reset::Monthly), None)),
        (1, Period::Week) => return Ok((Some(Reset::Weekly), None)),
        (count, Period::Day) => count,
        (count, Period::Week) => count.saturating_mul(7),
        (_, Period::Month | Period::Year) => {
            return Err("a budget starts anew every month, or after 1 to 365 days".to_owned());
        }
        (_, Period::Second | Period::Minute | Period::Hour) => {
            return Err("a budget runs for a day at least; shorter windows are for --limit".to_owned());
        }
    };
    if days > 365 {
        return Err(format!("{days} days are more than 365"));
    }
    Ok((None, Some(days)))
}

impl FromStr for Alert {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (digits, word) = split_number(text.strip_prefix('$').unwrap_or(text));
        let value = amount(&digits)
            .map_err(|_| format!("`{text}` is no threshold; write 80% or an amount such as 4usd"))?;
        match word.trim().to_ascii_lowercase().as_str() {
            "%" if value < Decimal::ONE_HUNDRED => Ok(Self::Percent(value)),
            "%" => Err(format!("{text} is not below the budget; write a share such as 80%")),
            "" | "usd" | "$" | "token" | "tokens" => Ok(Self::Amount(value)),
            _ => Err(format!("`{text}` is no threshold; write 80% or an amount such as 4usd")),
        }
    }
}

impl fmt::Display for UsageLimit {
    /// As it would be written: `5usd/month`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.credit_limit.normalize(), self.spent.word())?;
        match (self.periodic_reset, self.periodic_reset_days) {
            (Some(Reset::Daily), _) | (None, Some(1)) => f.write_str("/day"),
            (Some(Reset::Weekly), _) => f.write_str("/week"),
            (Some(Reset::Monthly), _) => f.write_str("/month"),
            (Some(Reset::Unknown), _) => f.write_str("/?"),
            (None, Some(days)) => write!(f, "/{days}days"),
            (None, None) => Ok(()),
        }
    }
}

impl UsageLimit {
    /// As it would be written, with the threshold for notices behind it.
    pub(crate) fn with_threshold(&self) -> String {
        match self.alert_threshold {
            Some(at) => format!("{self}, notice at {}{}", at.normalize(), self.spent.word()),
            None => self.to_string(),
        }
    }
}

impl Spent {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Cost => "usd",
            Self::Tokens => "tokens",
            Self::Requests => "requests",
            Self::Unknown => "(?)",
        }
    }
}

fn write_number<S: Serializer>(amount: &Decimal, to: S) -> Result<S::Ok, S::Error> {
    let number: Number = serde_json::from_str(&amount.normalize().to_string()).map_err(S::Error::custom)?;
    number.serialize(to)
}

fn write_optional<S: Serializer>(amount: &Option<Decimal>, to: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => write_number(amount, to),
        None => to.serialize_none(),
    }
}

pub(super) fn read_number<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
    decimal(&Number::deserialize(from)?)
}

fn read_optional<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Decimal>, D::Error> {
    Option::<Number>::deserialize(from)?.as_ref().map(decimal).transpose()
}

fn decimal<E: serde::de::Error>(number: &Number) -> Result<Decimal, E> {
    let text = number.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).map_err(E::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidegate_ledger::{Level, parse_limits};

    use super::*;

    #[test]
    fn budgets_become_what_the_api_takes() {
        for (text, alert, expected) in [
            ("5usd/month", None, json!({"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"})),
            ("$2.50 / week", None, json!({"type": "cost", "credit_limit": 2.5, "periodic_reset": "weekly"})),
            (
                "1000000tokens/day",
                None,
                json!({"type": "tokens", "credit_limit": 1_000_000, "periodic_reset_days": 1}),
            ),
            ("100 USD", None, json!({"type": "cost", "credit_limit": 100})),
            ("9usd/2weeks", None, json!({"type": "cost", "credit_limit": 9, "periodic_reset_days": 14})),
            (
                "5usd/month",
                Some("80%"),
                json!({"type": "cost", "credit_limit": 5, "alert_threshold": 4, "periodic_reset": "monthly"}),
            ),
            ("150tokens", Some("33%"), json!({"type": "tokens", "credit_limit": 150, "alert_threshold": 49})),
            ("5usd", Some("4.5usd"), json!({"type": "cost", "credit_limit": 5, "alert_threshold": 4.5})),
        ] {
            let budget: Budget = text.parse().unwrap();
            let limit = budget.with_alert(alert.map(|alert| alert.parse().unwrap())).unwrap();
            let written = serde_json::to_value(&limit).unwrap();
            assert_eq!(written, expected, "{text}");
            assert_eq!(parse_limits("usage_limits", &written, Level::Object, 0).unwrap().len(), 1, "{text}");
            assert_eq!(serde_json::from_value::<UsageLimit>(written).unwrap(), limit);
        }
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for text in ["5usd/month", "2.5usd/week", "1000000tokens/day", "100usd", "9usd/14days"] {
            assert_eq!(text.parse::<Budget>().unwrap().0.to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, problem) in [
            ("", "does not begin with an amount"),
            ("usd", "does not begin with an amount"),
            ("5", "`5` says neither usd nor tokens"),
            ("5eur/month", "`eur` cannot be budgeted"),
            ("0.5usd", "1usd at least"),
            ("99tokens", "100 tokens at least"),
            ("100.5tokens", "100.5 tokens are not whole"),
            ("5usd/hour", "a budget runs for a day at least"),
            ("5usd/2months", "every month, or after 1 to 365 days"),
            ("5usd/53weeks", "371 days are more than 365"),
            ("5usd/", "the unit of time is missing"),
            ("1.2.3usd", "`1.2.3` is no amount"),
            ("1234567890123456usd", "is no amount of at most 15 digits"),
        ] {
            let error = text.parse::<Budget>().unwrap_err();
            assert!(error.contains(problem) && error.contains("such as 5usd/month"), "{text}: {error}");
        }
    }

    #[test]
    fn a_threshold_is_below_its_budget() {
        let budget = || "5usd".parse::<Budget>().unwrap();
        for alert in ["5usd", "0.5", "10%"] {
            let error = budget().with_alert(Some(alert.parse().unwrap())).unwrap_err();
            assert!(error.contains("not from 1 to below the budget, which is 5usd"), "{error}");
        }
        for alert in ["100%", "x", "", "4eur"] {
            assert!(alert.parse::<Alert>().is_err(), "{alert}");
        }
    }
}
