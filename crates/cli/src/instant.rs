//! Times of the audit log: a day, a time, or so long ago.

use std::str::FromStr;

use tidegate_core::clock::{rfc3339_seconds, rfc3339_text};

const MINUTE_MS: u64 = 60_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instant {
    /// RFC 3339.
    At(String),
    /// Milliseconds ago.
    Ago(u64),
}

impl Instant {
    pub(crate) fn text(&self, now_ms: u64) -> String {
        match self {
            Self::At(time) => time.clone(),
            Self::Ago(ms) => rfc3339_text(now_ms.saturating_sub(*ms)),
        }
    }
}

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let time = if text.len() == 10 { format!("{text}T00:00:00.000Z") } else { text.to_owned() };
        if rfc3339_seconds(&time).is_some() {
            return Ok(Self::At(time));
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let minutes = match text.get(digits.len()..) {
            Some("m" | "min") => Some(1),
            Some("h") => Some(60),
            Some("d") => Some(24 * 60),
            Some("w") => Some(7 * 24 * 60),
            _ => None,
        };
        let ago = minutes
            .zip(digits.parse::<u64>().ok())
            .and_then(|(unit, count)| count.checked_mul(unit * MINUTE_MS));
        ago.map(Self::Ago).ok_or_else(|| {
            "write 24h, 7d, a day such as 2026-12-31 or a time such as 2026-12-31T12:00:00Z".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_so_long_ago() {
        assert_eq!("2026-12-31".parse::<Instant>().unwrap().text(0), "2026-12-31T00:00:00.000Z");
        assert_eq!("24h".parse::<Instant>().unwrap().text(1_795_261_936_966), "2026-11-20T11:52:16.966Z");
        assert_eq!("1w".parse(), Ok(Instant::Ago(604_800_000)));
        for text in ["", "h", "yesterday", "5y", "99999999999999999999d"] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }
}
