//! What the limits answer, and how a client is told.

use std::fmt;

use crate::demand::Scope;
use crate::rule::{Rule, Unit};

/// How one limit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gauge {
    pub limit: u64,
    pub remaining: u64,
    /// Milliseconds until all of the limit is back, if nothing else is used.
    pub reset_ms: u64,
}

/// The tightest limits of a request: what its client should know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub requests: Option<Gauge>,
    pub tokens: Option<Gauge>,
}

/// Nothing was charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub cause: Cause,
    /// At least 1. The longest wait among all rules that refuse, so that nobody comes back in vain.
    pub retry_after_ms: u64,
    pub standing: Standing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The first rule that refuses, in the order of the demand.
    Rule {
        /// Index in the demand's layers.
        layer: usize,
        scope: Scope,
        rule: Rule,
        gauge: Gauge,
    },
    /// The store keeps as many keys as it may, and none of them is idle.
    NoRoom,
}

/// A header's name and its value.
pub type Header = (&'static str, String);

impl Standing {
    /// Takes a limit in; the one with less remaining stays, and of equal ones the one that takes longer.
    pub fn note(&mut self, unit: Unit, gauge: Gauge) {
        match unit {
            Unit::Requests => self.requests = Some(tighter(self.requests, gauge)),
            Unit::Tokens => self.tokens = Some(tighter(self.tokens, gauge)),
            // No client knows a header for it.
            Unit::Concurrency => {}
        }
    }

    /// Of two checks of the same request, such as one for its key and one for its provider.
    #[must_use]
    pub fn and(mut self, other: Standing) -> Standing {
        other.requests.into_iter().for_each(|gauge| self.note(Unit::Requests, gauge));
        other.tokens.into_iter().for_each(|gauge| self.note(Unit::Tokens, gauge));
        self
    }

    /// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` as OpenAI sends them.
    pub fn headers(&self) -> Vec<Header> {
        self.figures().map(|(at, figure)| (HEADERS[at], figure.to_string())).collect()
    }

    /// What is known, each with its place in [`HEADERS`].
    pub fn figures(&self) -> impl Iterator<Item = (usize, Figure)> {
        [self.requests, self.tokens].into_iter().enumerate().flat_map(|(at, gauge)| {
            let figures = gauge.map(|gauge| {
                [Figure::Count(gauge.limit), Figure::Count(gauge.remaining), Figure::Time(gauge.reset_ms)]
            });
            figures.into_iter().flatten().enumerate().map(move |(of, figure)| (at * 3 + of, figure))
        })
    }
}

/// The headers that tell a standing, as OpenAI's SDKs know them.
pub const HEADERS: [&str; 6] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];

/// One value of a standing, as a header has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    Count(u64),
    /// Milliseconds; shown in the form of OpenAI's headers: `0s`, `120ms`, `1s`, `6m0s`, `24h0m0s`. From a second on it is
    /// rounded up to whole seconds.
    Time(u64),
}

impl Figure {
    /// Numbers, each with what is written behind it.
    pub fn parts(self) -> impl Iterator<Item = (u64, &'static str)> {
        let ms = match self {
            Self::Count(count) => return [Some((count, "")), None, None].into_iter().flatten(),
            Self::Time(ms) => ms,
        };
        let seconds = ms.div_ceil(1_000);
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        let parts = match (hours, minutes) {
            _ if (1..1_000).contains(&ms) => [Some((ms, "ms")), None, None],
            (0, 0) => [Some((seconds, "s")), None, None],
            (0, _) => [Some((minutes, "m")), Some((seconds % 60, "s")), None],
            _ => [Some((hours, "h")), Some((minutes, "m")), Some((seconds % 60, "s"))],
        };
        parts.into_iter().flatten()
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts().try_for_each(|(number, unit)| write!(f, "{number}{unit}"))
    }
}

impl Refusal {
    /// Whole seconds, rounded up: a client that waits so long has waited long enough.
    pub fn retry_after_s(&self) -> u64 {
        self.retry_after_ms.div_ceil(1_000)
    }

    /// `retry-after`, then the headers of the standing.
    pub fn headers(&self) -> Vec<Header> {
        let mut headers = vec![("retry-after", self.retry_after_s().to_string())];
        headers.extend(self.standing.headers());
        headers
    }

    /// `Rate limit exceeded for api key 'team-a': 100 rpm`. `slug` is the refusing object's name for people.
    pub fn message(&self, slug: &str) -> String {
        match &self.cause {
            Cause::Rule { scope, rule, .. } => {
                format!("Rate limit exceeded for {} '{slug}': {}", scope.word(), rule.policy_words())
            }
            Cause::NoRoom => "The gateway cannot count any more callers at this moment".to_owned(),
        }
    }
}

fn tighter(one: Option<Gauge>, other: Gauge) -> Gauge {
    match one {
        Some(one)
            if (one.remaining, u64::MAX - one.reset_ms) <= (other.remaining, u64::MAX - other.reset_ms) =>
        {
            one
        }
        _ => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Algorithm, Period, Span, Window};

    #[test]
    fn durations_as_openai_writes_them() {
        for (ms, text) in [
            (0, "0s"),
            (1, "1ms"),
            (999, "999ms"),
            (1_000, "1s"),
            (1_001, "2s"),
            (59_001, "1m0s"),
            (360_000, "6m0s"),
            (3_599_999, "1h0m0s"),
            (86_400_000, "24h0m0s"),
            (u64::MAX, "5124095576030h25m52s"),
        ] {
            assert_eq!(Figure::Time(ms).to_string(), text, "{ms}");
        }
    }

    #[test]
    fn the_tightest_limit_is_told() {
        let gauge = |limit, remaining, reset_ms| Gauge { limit, remaining, reset_ms };
        let mut standing = Standing::default();
        assert!(standing.headers().is_empty());
        standing.note(Unit::Requests, gauge(100, 5, 10));
        standing.note(Unit::Requests, gauge(10, 9, 90));
        standing.note(Unit::Requests, gauge(50, 5, 20));
        standing.note(Unit::Concurrency, gauge(1, 0, 0));
        let standing = standing.and(Standing { requests: None, tokens: Some(gauge(7, 0, 360_000)) });
        let headers = standing.headers();
        let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            headers,
            [
                "x-ratelimit-limit-requests: 50",
                "x-ratelimit-remaining-requests: 5",
                "x-ratelimit-reset-requests: 20ms",
                "x-ratelimit-limit-tokens: 7",
                "x-ratelimit-remaining-tokens: 0",
                "x-ratelimit-reset-tokens: 6m0s",
            ]
        );
    }

    #[test]
    fn a_refusal_in_words_and_headers() {
        let window = Window { span: Span::one(Period::Minute), algorithm: Algorithm::Moving };
        let rule = Rule::requests(2, window);
        let gauge = Gauge { limit: 2, remaining: 0, reset_ms: 1_001 };
        let cause = Cause::Rule { layer: 0, scope: Scope::ApiKey, rule, gauge };
        let refusal = Refusal { cause, retry_after_ms: 1_001, standing: Standing::default() };
        assert_eq!(refusal.message("team-a"), "Rate limit exceeded for api key 'team-a': 2 rpm");
        assert_eq!(refusal.headers(), [("retry-after", "2".to_owned())]);
    }
}
