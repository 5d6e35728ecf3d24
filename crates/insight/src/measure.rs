//! The figures of one record that metrics are made of. Stores that keep figures apart from text make it from those.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tidegate_core::Usage;
use tidegate_records::Facts;

use crate::cell::Shape;

/// Numbers only. Times are microseconds, amounts 10^-12 USD rounded down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// When the request began, milliseconds since 1970.
    pub at_ms: u64,
    pub status: u16,
    pub stream: bool,
    /// The client left before the end.
    pub client_gone: bool,
    /// The answer did not end as it should, by the provider's fault or the gateway's.
    pub broken: bool,
    /// One of the gateway's own limits or budgets refused it.
    pub limited: bool,
    pub attempts: u64,
    pub retries: u64,
    pub fell_back: bool,
    pub first_failed: bool,
    pub upstream_us: u64,
    pub total_us: u64,
    pub ttft_us: Option<u64>,
    pub waited_us: u64,
    pub prompt: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: u64,
    pub cache_write: u64,
    pub reasoning: u64,
    pub audio: u64,
    pub image: u64,
    pub searches: u64,
    pub usage_estimated: bool,
    pub unpriced: bool,
    /// `None`: unknown, or in another currency than USD.
    pub cost: Option<u64>,
    pub saved: u64,
    pub request_bytes: u64,
    pub response_bytes: u64,
    pub cache: Cached,
    pub has_user: bool,
}

/// What a cache did for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cached {
    /// It was not asked.
    #[default]
    Off,
    Hit,
    SemanticHit,
    Miss,
    SemanticMiss,
    Refreshed,
}

impl Cached {
    /// From the word of a record.
    pub fn of(word: &str) -> Self {
        match word {
            "hit" => Self::Hit,
            "semantic_hit" => Self::SemanticHit,
            "miss" => Self::Miss,
            "semantic_miss" => Self::SemanticMiss,
            "refreshed" => Self::Refreshed,
            _ => Self::Off,
        }
    }
}

impl Measure {
    pub fn of(facts: &Facts<'_>) -> Self {
        let usage = facts.usage.as_ref();
        let told = |of: fn(&Usage) -> Option<u64>| usage.and_then(of).unwrap_or(0);
        Self {
            at_ms: facts.id.unix_ms(),
            status: facts.status,
            stream: facts.stream,
            client_gone: facts.end == "client_gone",
            broken: !matches!(facts.end, "" | "ok" | "client_gone"),
            limited: !facts.limit.is_empty(),
            attempts: facts.attempts,
            retries: facts.retries,
            fell_back: facts.fell_back(),
            first_failed: facts.first_failed,
            upstream_us: facts.upstream_us,
            total_us: facts.total_us,
            ttft_us: facts.ttft_us,
            waited_us: facts.waited_us,
            prompt: usage.map(Usage::prompt),
            output: usage.map(|usage| usage.output),
            cache_read: told(|usage| usage.cache_read),
            cache_write: told(|usage| usage.cache_write),
            reasoning: told(|usage| usage.reasoning),
            audio: told(|usage| usage.audio_input).saturating_add(told(|usage| usage.audio_output)),
            image: told(|usage| usage.image_input).saturating_add(told(|usage| usage.image_output)),
            searches: told(|usage| usage.searches),
            usage_estimated: facts.usage_estimated,
            unpriced: facts.unpriced,
            cost: picos(facts.cost).filter(|_| is_usd(facts.currency)),
            saved: picos(facts.saved).unwrap_or(0),
            request_bytes: facts.request_bytes,
            response_bytes: facts.response_bytes,
            cache: Cached::of(facts.cache),
            has_user: !facts.user.is_empty(),
        }
    }

    /// The value that the record has in a shape.
    pub(crate) fn shape(&self, shape: Shape) -> Option<u64> {
        match shape {
            Shape::Latency => Some(self.total_us),
            // Of what is not streamed the first byte is the only one.
            Shape::Ttft => self.ttft_us.filter(|_| self.stream),
        }
    }

    /// 101 is a session that was opened.
    pub fn is_success(&self) -> bool {
        matches!(self.status, 101 | 200..=299)
    }

    pub fn is_error(&self) -> bool {
        self.status >= 400
    }
}

/// Amounts of records without a currency are in USD.
pub fn is_usd(currency: &str) -> bool {
    matches!(currency, "" | "USD")
}

/// An amount in 10^-12, rounded down. `None`: it is no decimal, negative, or beyond what a number holds.
pub fn picos(amount: &str) -> Option<u64> {
    // Most have few digits: these need no decimals of any size.
    if let Some(picos) = few_digits(amount) {
        return Some(picos);
    }
    let mut scaled = Decimal::from_str(amount).ok()?.trunc_with_scale(12);
    scaled.rescale(12);
    if scaled.scale() == 12 { scaled.mantissa().to_u64() } else { None }
}

/// An amount in 10^-12 when it is all of it. `None`: it has more than 12 decimal places or six digits before them, or is none.
pub fn few_digits(amount: &str) -> Option<u64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || fraction.len() > 12 || !is_plain(whole) || !is_plain(fraction) {
        return None;
    }
    let digits = |text: &str| text.bytes().fold(0u64, |all, byte| all * 10 + u64::from(byte - b'0'));
    let missing = u32::try_from(12 - fraction.len()).ok()?;
    Some(digits(whole) * 1_000_000_000_000 + digits(fraction) * 10u64.pow(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cut_to_picos() {
        for (text, want) in [
            ("", None),
            ("0", Some(0)),
            ("1.5", Some(1_500_000_000_000)),
            ("0.0000000000019", Some(1)),
            ("123456.789", Some(123_456_789_000_000_000)),
            ("1234567.5", Some(1_234_567_500_000_000_000)),
            ("18446744.073709551615", Some(u64::MAX)),
            ("18446745", None),
            ("-1", None),
            ("cheap", None),
            ("79228162514264337593543950335", None),
        ] {
            assert_eq!(picos(text), want, "{text}");
        }
    }
}
