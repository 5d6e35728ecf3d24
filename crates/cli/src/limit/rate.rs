//! Rate limits: `100/minute`, `100/2minutes`, `20000 tokens/hour`, `8 concurrent`; several separated by commas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Period, Span, split_number, split_per};

const FORM: &str = "write <count>[tokens]/[n]<second|minute|hour|day|week>, such as 100/minute, 100/2minutes or \
                    20000tokens/hour; or `8 concurrent` for requests at the same time";

/// What a rate limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Counted {
    Requests,
    Tokens,
    /// Requests at the same time; no window.
    Concurrency,
    #[serde(other)]
    Unknown,
}

/// A member of `rate_limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RateLimit {
    #[serde(rename = "type")]
    pub(crate) counted: Counted,
    /// `rps`, `rpm`, `rph`, `rpd`, `rpw`, or a window such as `2minutes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    pub(crate) value: u64,
}

/// The limits of one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates(pub(crate) Vec<RateLimit>);

impl FromStr for Rates {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let limits = text.split([',', ';']).map(|part| parse(part.trim()));
        limits.collect::<Result<_, _>>().map(Self).map_err(|problem| format!("{problem}; {FORM}"))
    }
}

fn parse(text: &str) -> Result<RateLimit, String> {
    let (left, window) = split_per(text);
    let (digits, word) = split_number(left);
    if digits.is_empty() {
        return Err(if text.is_empty() {
            "a limit is empty".to_owned()
        } else {
            format!("`{text}` does not begin with a count")
        });
    }
    let value = digits.parse::<u64>().ok().filter(|value| *value > 0);
    let value = value.ok_or_else(|| format!("`{digits}` is not a whole number above zero"))?;
    let word = word.trim().to_ascii_lowercase();
    let counted = match word.as_str() {
        "" | "r" | "req" | "reqs" | "request" | "requests" | "call" | "calls" => Counted::Requests,
        "token" | "tokens" => Counted::Tokens,
        "concurrent" | "at once" | "concurrent requests" => Counted::Concurrency,
        "usd" | "$" => return Err(format!("`{text}` is money, which is a budget: --budget {text}")),
        other => return Err(format!("`{other}` is not counted; requests and tokens are")),
    };
    let unit = match (counted, window) {
        (Counted::Concurrency, None) => None,
        (Counted::Concurrency, Some(_)) => {
            return Err("what is counted at the same time has no window".to_owned());
        }
        (_, Some(window)) => Some(unit(Span::parse(window)?)?),
        (_, None) => return Err(format!("`{text}` has no window")),
    };
    Ok(RateLimit { counted, unit, value })
}

fn unit(span: Span) -> Result<String, String> {
    Ok(match (span.count, span.period) {
        (1, Period::Second) => "rps".to_owned(),
        (1, Period::Minute) => "rpm".to_owned(),
        (1, Period::Hour) => "rph".to_owned(),
        (1, Period::Day) => "rpd".to_owned(),
        (1, Period::Week) => "rpw".to_owned(),
        (_, Period::Month | Period::Year) => {
            return Err("rates are counted over weeks at most; longer periods are for --budget".to_owned());
        }
        (count, period) => format!("{count}{}s", period.word()),
    })
}

impl fmt::Display for RateLimit {
    /// As it would be written: `100/minute`, `20000 tokens/hour`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.counted {
            Counted::Requests => "",
            Counted::Tokens => " tokens",
            Counted::Concurrency => " concurrent",
            Counted::Unknown => " (?)",
        };
        write!(f, "{}{word}", self.value)?;
        match self.unit.as_deref() {
            None => Ok(()),
            Some("rps") => f.write_str("/second"),
            Some("rpm") => f.write_str("/minute"),
            Some("rph") => f.write_str("/hour"),
            Some("rpd") => f.write_str("/day"),
            Some("rpw") => f.write_str("/week"),
            Some(window) => write!(f, "/{window}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tidegate_limits::rule::parse_policies;

    use super::*;

    #[test]
    fn limits_become_what_the_api_takes() {
        for (text, expected) in [
            ("100/minute", json!([{"type": "requests", "unit": "rpm", "value": 100}])),
            ("100/2minutes", json!([{"type": "requests", "unit": "2minutes", "value": 100}])),
            ("20000 tokens/hour", json!([{"type": "tokens", "unit": "rph", "value": 20_000}])),
            ("1_000 requests per day", json!([{"type": "requests", "unit": "rpd", "value": 1_000}])),
            ("5/s", json!([{"type": "requests", "unit": "rps", "value": 5}])),
            ("8 concurrent", json!([{"type": "concurrency", "value": 8}])),
            (
                "60/min, 9tokens/3 weeks",
                json!([{"type": "requests", "unit": "rpm", "value": 60}, {"type": "tokens", "unit": "3weeks", "value": 9}]),
            ),
        ] {
            let limits: Rates = text.parse().unwrap();
            let written = serde_json::to_value(&limits.0).unwrap();
            assert_eq!(written, expected, "{text}");
            assert_eq!(parse_policies("rate_limits", &written).unwrap().len(), limits.0.len(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for text in ["100/minute", "100/2minutes", "20000 tokens/hour", "8 concurrent", "1/week"] {
            assert_eq!(text.parse::<Rates>().unwrap().0[0].to_string(), text);
        }
    }

    #[test]
    fn mistakes_say_what_is_wrong() {
        for (text, problem) in [
            ("", "a limit is empty"),
            ("100", "`100` has no window"),
            ("fast", "`fast` does not begin with a count"),
            ("0/minute", "`0` is not a whole number above zero"),
            ("1.5/minute", "`1.5` is not a whole number above zero"),
            ("100/fortnight", "`fortnight` is no unit of time"),
            ("100/", "the unit of time is missing"),
            ("100/0minutes", "`0` is no count of minutes"),
            ("5usd/month", "`5usd/month` is money, which is a budget"),
            ("100/month", "rates are counted over weeks at most"),
            ("3 apples/day", "`apples` is not counted"),
            ("99999999999999999999/day", "is not a whole number"),
        ] {
            let error = text.parse::<Rates>().unwrap_err();
            assert!(error.contains(problem) && error.contains("such as 100/minute"), "{text}: {error}");
        }
    }
}
