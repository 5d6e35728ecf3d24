//! When a budget begins again. All borders are midnights in UTC.

use std::ops::Range;

use serde::{Deserialize, Serialize};

const DAY_MS: u64 = 86_400_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// Used up once and for all, or until somebody resets it.
    Never,
    Daily,
    Weekly(FirstDay),
    /// On the first.
    Monthly,
    /// Every so many days, counted from a day.
    Days {
        /// 1 to 365.
        count: u32,
        /// Any day on which a period begins, in days since 1970-01-01.
        from: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstDay {
    Sunday,
    Monday,
}

impl Reset {
    /// The end of a period that does not end.
    pub const NEVER: u64 = u64::MAX;

    /// The period that holds `unix_ms`, in milliseconds since 1970-01-01 UTC; its end is the next reset.
    pub fn period(self, unix_ms: u64) -> Range<u64> {
        let day = i64::try_from(unix_ms / DAY_MS).unwrap_or(i64::MAX / 2);
        let every = |count: i64, from: i64| {
            let start = day - (day - from).rem_euclid(count);
            start..start + count
        };
        let days = match self {
            Self::Never => return 0..Self::NEVER,
            Self::Daily => day..day + 1,
            // 1970-01-04 was a Sunday.
            Self::Weekly(FirstDay::Sunday) => every(7, 3),
            Self::Weekly(FirstDay::Monday) => every(7, 4),
            Self::Monthly => month(day),
            Self::Days { count, from } => every(i64::from(count.max(1)), i64::from(from)),
        };
        // A period may begin before 1970: no time that anybody has seen.
        let ms = |day: i64| u64::try_from(day).unwrap_or(0).saturating_mul(DAY_MS);
        ms(days.start)..ms(days.end)
    }
}

/// The month that holds a day, as days since 1970. Years are counted from March, so that the leap day is the last.
fn month(day: i64) -> Range<i64> {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let start_of_year = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let month = (5 * (day_of_era - start_of_year) + 2) / 153;
    let first = |month: i64| (153 * month + 2) / 5;
    let base = era * 146_097 - 719_468 + start_of_year;
    // The last of the twelve is February: the next year begins where it ends.
    let leap = (year_of_era % 4 == 3 && year_of_era % 100 != 99) || year_of_era == 399;
    let end = if month == 11 { base + 365 + i64::from(leap) } else { base + first(month + 1) };
    base + first(month)..end
}

#[cfg(test)]
mod tests {
    use tidegate_core::clock::rfc3339_seconds;

    use super::*;

    fn ms(day: &str) -> u64 {
        rfc3339_seconds(&format!("{day}T00:00:00Z")).unwrap() * 1_000
    }

    #[test]
    fn periods_follow_the_calendar() {
        for (reset, at, start, end) in [
            (Reset::Daily, "2026-02-28", "2026-02-28", "2026-03-01"),
            (Reset::Weekly(FirstDay::Sunday), "2026-11-21", "2026-11-15", "2026-11-22"),
            (Reset::Weekly(FirstDay::Monday), "2026-11-22", "2026-11-16", "2026-11-23"),
            (Reset::Monthly, "2024-02-29", "2024-02-01", "2024-03-01"),
            (Reset::Monthly, "2100-02-28", "2100-02-01", "2100-03-01"),
            (Reset::Monthly, "2000-02-29", "2000-02-01", "2000-03-01"),
            (Reset::Monthly, "2026-12-31", "2026-12-01", "2027-01-01"),
            (Reset::Days { count: 10, from: 0 }, "1970-01-25", "1970-01-21", "1970-01-31"),
            (Reset::Days { count: 30, from: 20_000 }, "1970-01-01", "1970-01-01", "1970-01-21"),
        ] {
            for late in [0, DAY_MS - 1] {
                assert_eq!(reset.period(ms(at) + late), ms(start)..ms(end), "{reset:?} {at}");
            }
        }
        assert_eq!(Reset::Never.period(5), 0..Reset::NEVER);
    }

    #[test]
    fn months_meet_without_gaps() {
        let (mut at, mut months) = (0, 0);
        while at < ms("2401-01-01") {
            let period = Reset::Monthly.period(at);
            assert_eq!(period.start, at);
            assert!((28..=31).contains(&((period.end - at) / DAY_MS)), "{at}");
            at = period.end;
            months += 1;
        }
        assert_eq!((at, months), (ms("2401-01-01"), 431 * 12));
    }
}
