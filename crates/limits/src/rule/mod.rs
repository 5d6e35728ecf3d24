//! Limits as values: so many requests, tokens or calls at once, in a window that is counted in some way.
//!
//! Written as OpenAI-Forward's text ([`parse_text`]) or as the objects of Portkey's admin API ([`parse_policies`]).

mod policy;
mod text;

use std::fmt;

pub use policy::parse_policies;
pub(crate) use text::{is_unlimited, parse_rate};
pub use text::{parse_text, parse_window};
pub use tidegate_core::FieldError as RuleError;
pub(crate) use tidegate_core::field::shown;

/// What a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    Requests,
    /// Tokens of prompt and answer together.
    Tokens,
    /// Requests that are being served at this moment.
    Concurrency,
}

/// One limit. `Copy`, so that refusals and counters can carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    unit: Unit,
    amount: u64,
    /// `None` for concurrency only.
    window: Option<Window>,
}

/// How long a rule remembers, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    pub span: Span,
    pub algorithm: Algorithm,
}

/// How usage leaves a window. The amounts given are for a rule of `n` per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Windows follow the calendar in UTC: minutes, hours, days from midnight, weeks from Monday. Up to 2n may pass
    /// around a border.
    FixedOnTheClock,
    /// A window opens with the first use and all of it is forgotten at its end.
    FixedFromFirstUse,
    /// As before, and each use puts the end off: whoever keeps calling stays out until they pause for a window.
    FixedFromLastUse,
    /// Never more than `n` in any stretch of a window's length, wherever it begins.
    Moving,
    /// Starts with `n` and gains `n` per window, evenly: up to 2n in a stretch, and no border to wait for.
    TokenBucket,
}

/// A length of time in calendar words: `2 minutes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    count: u32,
    period: Period,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    /// 30 days.
    Month,
    /// 360 days, as OpenAI-Forward counts.
    Year,
}

impl Rule {
    /// The greatest amount of a rule; more is cut to it. A thousand million million is no limit in practice, and
    /// leaves the arithmetic of buckets far from its end.
    pub const MAX_AMOUNT: u64 = 1_000_000_000_000_000;

    pub fn requests(amount: u64, window: Window) -> Self {
        Self { unit: Unit::Requests, amount: amount.min(Self::MAX_AMOUNT), window: Some(window) }
    }

    pub fn tokens(amount: u64, window: Window) -> Self {
        Self { unit: Unit::Tokens, amount: amount.min(Self::MAX_AMOUNT), window: Some(window) }
    }

    pub fn concurrency(amount: u64) -> Self {
        Self { unit: Unit::Concurrency, amount: amount.min(Self::MAX_AMOUNT), window: None }
    }

    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Zero refuses everything.
    pub fn amount(&self) -> u64 {
        self.amount
    }

    /// `None` for concurrency, which has no memory.
    pub fn window(&self) -> Option<Window> {
        self.window
    }

    /// The same rule with usage that can be carried over: all but the amount is equal.
    pub(crate) fn counts_like(&self, other: &Rule) -> bool {
        self.unit == other.unit && self.window == other.window
    }

    /// As Portkey's messages have it: `100 rpm`, and `100 per 2 minutes` where there is no short word.
    pub fn policy_words(&self) -> String {
        let Some(window) = self.window else { return format!("{} concurrent", self.amount) };
        match (window.span.count, window.span.period.short()) {
            (1, Some(short)) => format!("{} {short}", self.amount),
            _ => format!("{} per {}", self.amount, window.span),
        }
    }

    /// As OpenAI-Forward's messages have it: `100 per 2 minute`, `5 per 1 minute`.
    pub fn forward_words(&self) -> String {
        let Some(window) = self.window else { return format!("{} concurrent", self.amount) };
        format!("{} per {} {}", self.amount, window.span.count, window.span.period.word())
    }
}

impl fmt::Display for Rule {
    /// `100 requests per 2 minutes`, `5000 tokens per minute`, `8 requests at once`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unit, self.window) {
            (Unit::Tokens, Some(window)) => write!(f, "{} tokens per {}", self.amount, window.span),
            (_, Some(window)) => write!(f, "{} requests per {}", self.amount, window.span),
            (_, None) => write!(f, "{} requests at once", self.amount),
        }
    }
}

impl Algorithm {
    /// OpenAI-Forward's names of strategies, and two of our own.
    const NAMES: [(&str, Algorithm); 6] = [
        ("fixed-window", Self::FixedFromFirstUse),
        ("fixed-window-elastic-expiry", Self::FixedFromLastUse),
        ("moving-window", Self::Moving),
        // There an estimate that saves memory. Ours is bounded anyway, and lets no more through than it does.
        ("sliding-window-counter", Self::Moving),
        ("calendar-window", Self::FixedOnTheClock),
        ("token-bucket", Self::TokenBucket),
    ];

    /// Reads `fixed-window`, `moving-window` and the like; `field` is where it stands, for the error.
    pub fn parse(field: &str, name: &str) -> Result<Self, RuleError> {
        let name = name.trim();
        let known = Self::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
            RuleError::new(
                field,
                format!("`{name}` is no way to count"),
                format!("one of {}", names.join(", ")),
            )
        })
    }
}

impl Span {
    /// The longest window: ten years of 360 days.
    pub const MAX_MS: u64 = 10 * 360 * 86_400_000;

    /// `None` for zero and for more than [`Span::MAX_MS`].
    pub fn new(count: u32, period: Period) -> Option<Self> {
        let span = Self { count, period };
        (count > 0 && span.ms() <= Self::MAX_MS).then_some(span)
    }

    /// One second, one minute and so on.
    pub fn one(period: Period) -> Self {
        Self { count: 1, period }
    }

    /// Never zero.
    pub fn ms(self) -> u64 {
        u64::from(self.count) * self.period.ms()
    }

    /// How far the windows of this length that follow the calendar are from 1970-01-01, a Thursday.
    pub fn calendar_offset_ms(self) -> u64 {
        const MONDAY: u64 = 4 * 86_400_000;
        if self.period == Period::Week { MONDAY } else { 0 }
    }
}

impl fmt::Display for Span {
    /// `minute`, `2 minutes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => f.write_str(self.period.word()),
            count => write!(f, "{count} {}s", self.period.word()),
        }
    }
}

impl Period {
    const ALL: [Period; 7] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    fn ms(self) -> u64 {
        const DAY: u64 = 86_400_000;
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
            Self::Year => 360 * DAY,
        }
    }

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

    /// Portkey's word for "per" this.
    fn short(self) -> Option<&'static str> {
        match self {
            Self::Second => Some("rps"),
            Self::Minute => Some("rpm"),
            Self::Hour => Some("rph"),
            Self::Day => Some("rpd"),
            Self::Week => Some("rpw"),
            Self::Month | Self::Year => None,
        }
    }
}

#[cfg(test)]
mod tests;
