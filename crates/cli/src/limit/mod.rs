//! Limits and budgets as people write them (`100/minute`, `5usd/month`), and as the admin API has them.

mod budget;
mod rate;
mod used;

pub(crate) use budget::{Alert, Budget, UsageLimit};
pub(crate) use rate::{RateLimit, Rates};
pub(crate) use used::Used;

use serde::{Deserialize, Deserializer};

/// Calendar units of windows and periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    const ALL: [Self; 7] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }

    /// `minute`, `Minutes`, `min`. Not `m`, which could be a month.
    fn parse(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let singular = word.strip_suffix('s').filter(|rest| !rest.is_empty()).unwrap_or(&word);
        let short = match singular {
            "s" | "sec" => Some(Self::Second),
            "min" => Some(Self::Minute),
            "h" | "hr" => Some(Self::Hour),
            "d" => Some(Self::Day),
            "w" => Some(Self::Week),
            "mo" => Some(Self::Month),
            _ => None,
        };
        short.or_else(|| Self::ALL.into_iter().find(|period| period.word() == singular))
    }
}

/// So many of a unit: the 2 minutes of `100/2minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    count: u32,
    period: Period,
}

impl Span {
    /// Reads what stands behind the `/`.
    fn parse(text: &str) -> Result<Self, String> {
        let (digits, word) = split_number(text.trim());
        let word = word.trim();
        if word.is_empty() {
            return Err("the unit of time is missing".to_owned());
        }
        let period = Period::parse(word).ok_or_else(|| format!("`{word}` is no unit of time"))?;
        let count = if digits.is_empty() { Some(1) } else { digits.parse().ok() };
        let count =
            count.filter(|count| *count > 0).ok_or_else(|| format!("`{digits}` is no count of {word}"))?;
        Ok(Self { count, period })
    }
}

/// The digits (with `_` and a point between them) that `text` begins with, without the `_`, and what follows.
fn split_number(text: &str) -> (String, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_' && c != '.').unwrap_or(text.len());
    (text[..end].replace('_', ""), &text[end..])
}

/// The two sides of `/` or `per`; nothing on the right when neither is there.
fn split_per(text: &str) -> (&str, Option<&str>) {
    if let Some((left, right)) = text.split_once('/') {
        return (left.trim(), Some(right));
    }
    match text.split_once(" per ") {
        Some((left, right)) => (left.trim(), Some(right)),
        None => (text.trim(), None),
    }
}

/// A list that the API writes as an array, an object or null, depending on where it stands.
pub(crate) fn one_or_many<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form<T> {
        Many(Vec<T>),
        One(T),
    }
    Ok(match Option::<Form<T>>::deserialize(from)? {
        None => Vec::new(),
        Some(Form::Many(many)) => many,
        Some(Form::One(one)) => vec![one],
    })
}
