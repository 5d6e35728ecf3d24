//! When to try again.

use std::time::Duration;

/// How often a notice is tried, and the waits between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// The first one counts. At least 1.
    pub attempts: u32,
    pub first_wait: Duration,
    /// Waits double up to this; a receiver's `retry-after` is cut to it.
    pub longest_wait: Duration,
    /// For one attempt.
    pub timeout: Duration,
}

impl Default for Retry {
    /// Seven attempts within two minutes.
    fn default() -> Self {
        Self {
            attempts: 7,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
            timeout: Duration::from_secs(10),
        }
    }
}

impl Retry {
    /// The wait after so many attempts, 1 or more; nothing when that was the last.
    pub(crate) fn wait_after(&self, attempts: u32, asked: Option<Duration>) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doubled =
            self.first_wait.saturating_mul(1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX));
        Some(asked.map_or(doubled, |asked| asked.max(doubled)).min(self.longest_wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry { attempts: 6, longest_wait: Duration::from_secs(5), ..Retry::default() };
        let waits: Vec<_> = (1..=6).map(|n| retry.wait_after(n, None).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(5), Some(5), None]);
        assert_eq!(Retry { attempts: 100, ..retry }.wait_after(80, None), Some(retry.longest_wait));
    }

    #[test]
    fn a_receiver_may_ask_for_longer_but_not_for_ever() {
        let retry = Retry { longest_wait: Duration::from_secs(30), ..Retry::default() };
        let after =
            |seconds| retry.wait_after(1, Some(Duration::from_secs(seconds))).map(|wait| wait.as_secs());
        assert_eq!((after(0), after(7), after(3_600)), (Some(1), Some(7), Some(30)));
    }
}
