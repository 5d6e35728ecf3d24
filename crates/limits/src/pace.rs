//! Spreads one answer over time: a stream gets so many tokens per second and no more.
//!
//! OpenAI-Forward's token limits: nothing is counted and nothing refused, the writes of one response are spaced out.
//! The first write waits as well, and so does the last.

use std::fmt;

use tidegate_core::Moment;

use crate::rule::{RuleError, Span, is_unlimited, parse_rate};

/// How fast: `60/second` is a token every 16.7 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Never zero.
    tokens: u64,
    span: Span,
}

/// The pace of one stream.
#[derive(Debug, Clone)]
pub struct Pacer {
    pace: Pace,
    /// When the last write was due or made, in `1/tokens` of a millisecond.
    last: u128,
}

impl Pace {
    /// `None` when `tokens` is zero: a stream that never moves is not a pace.
    pub fn new(tokens: u64, span: Span) -> Option<Self> {
        (tokens > 0).then_some(Self { tokens, span })
    }

    /// Reads a rule such as `60/second` or `16 per 2 seconds`. Of several, the first counts, as in OpenAI-Forward.
    /// `inf` is no pace. `field` is where the text stands, for the error.
    pub fn parse(field: &str, text: &str) -> Result<Option<Self>, RuleError> {
        if is_unlimited(text) {
            return Ok(None);
        }
        let first = text.split([';', ',', '|']).next().unwrap_or_default();
        let (tokens, span) = parse_rate(field, first)?;
        let pace = Self::new(tokens, span);
        let zero = || {
            RuleError::new(field, "a pace of 0 never ends", "at least 1, or `inf` for as fast as it comes")
        };
        pace.map(Some).ok_or_else(zero)
    }
}

impl fmt::Display for Pace {
    /// As [`Pace::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tokens, self.span)
    }
}

impl Pacer {
    /// For a stream whose request was answered at `start`.
    pub fn new(pace: Pace, start: Moment) -> Self {
        Self { pace, last: u128::from(start.0) * u128::from(pace.tokens) }
    }

    /// When a chunk of `tokens` may go; in the past if it is late already. Changes nothing. Chunks that carry no token
    /// count as one, as each write does in OpenAI-Forward.
    pub fn due(&self, tokens: u64) -> Moment {
        let due = self.due_exactly(tokens).div_ceil(u128::from(self.pace.tokens));
        Moment(u64::try_from(due).unwrap_or(u64::MAX))
    }

    /// A chunk of `tokens` went at `now`. One that was late does not let the next ones hurry; what is less than a
    /// millisecond is kept, so that a pace that is no whole number of milliseconds holds on average.
    pub fn wrote(&mut self, tokens: u64, now: Moment) {
        let now = u128::from(now.0) * u128::from(self.pace.tokens);
        let due = self.due_exactly(tokens);
        let is_punctual = now < due + u128::from(self.pace.tokens);
        self.last = if is_punctual { due } else { now };
    }

    fn due_exactly(&self, tokens: u64) -> u128 {
        self.last.saturating_add(u128::from(tokens.max(1)) * u128::from(self.pace.span.ms()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    fn pacer(text: &str, start: u64) -> Pacer {
        Pacer::new(Pace::parse("F", text).unwrap().unwrap(), Moment(start))
    }

    /// When `count` writes of one token go if each goes as soon as it may.
    fn times(mut pacer: Pacer, count: usize) -> Vec<u64> {
        let next = || {
            let due = pacer.due(1);
            pacer.wrote(1, due);
            due.0
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn each_write_waits_its_turn_and_the_first_too() {
        assert_eq!(times(pacer("4/second", 1_000), 4), [1_250, 1_500, 1_750, 2_000]);
        assert_eq!(times(pacer("16 per 2 second;1/hour", 0), 3), [125, 250, 375]);
    }

    #[test]
    fn paces_between_milliseconds_hold_on_average() {
        for (text, writes, last) in
            [("60/second", 600, 10_000), ("3/second", 9, 3_000), ("7000/second", 7_000, 1_000)]
        {
            let times = times(pacer(text, 0), writes);
            assert_eq!(times.last(), Some(&last), "{text}");
            assert!(times.is_sorted());
        }
    }

    #[test]
    fn a_late_write_is_no_reason_to_hurry() {
        let mut pacer = pacer("10/second", 0);
        pacer.wrote(1, Moment(950));
        assert_eq!(pacer.due(1), Moment(1_050));
    }

    #[test]
    fn several_tokens_at_once_take_as_long_as_one_by_one() {
        let mut pacer = pacer("10/second", 0);
        assert_eq!((pacer.due(5), pacer.due(0)), (Moment(500), Moment(100)));
        pacer.wrote(5, Moment(500));
        assert_eq!(pacer.due(1), Moment(600));
        assert_eq!(pacer.due(u64::MAX).0, u64::MAX);
        pacer.wrote(u64::MAX, Moment(u64::MAX));
        pacer.wrote(u64::MAX, Moment(0));
    }

    #[test]
    fn never_faster_than_the_pace_whatever_the_delays() {
        for seed in 0..500 {
            let chance = &mut Chance(seed);
            let rate = 1 + chance.below(2_000);
            let mut pacer = Pacer::new(pacer(&format!("{rate}/second"), 0).pace, Moment(0));
            let (mut sent, mut now) = (0, Moment(0));
            for _ in 0..200 {
                let tokens = 1 + chance.below(4);
                now = now.max(pacer.due(tokens)).plus(chance.below(3) * chance.below(20));
                pacer.wrote(tokens, now);
                sent += tokens;
                assert!(sent * 1_000 <= now.0 * rate, "seed {seed}: {sent} tokens after {now:?}");
            }
        }
    }

    #[test]
    fn what_is_no_pace() {
        assert_eq!(Pace::parse("F", "inf"), Ok(None));
        for text in ["0/second", "fast", "", "5/s"] {
            assert!(Pace::parse("F", text).unwrap_err().to_string().starts_with("F: "), "{text}");
        }
    }
}
