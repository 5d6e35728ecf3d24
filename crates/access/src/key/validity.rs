//! Whether a stored key is good at a moment. The moment is an argument: milliseconds since 1970.

use crate::refusal::{Reason, Refusal};

/// What a key's row says about time. Everything is optional but its being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// Set when somebody revoked it. For good, from that moment on.
    pub revoked_at_ms: Option<u64>,
    /// The first millisecond at which it is no longer good.
    pub expires_at_ms: Option<u64>,
    /// After a rotation: until when (exclusive) the secret before it is good beside the new one.
    pub overlap_until_ms: Option<u64>,
}

/// Which of a key's two secrets was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Current,
    /// The one before the last rotation.
    Previous,
}

/// Why a key that is in the store is not good. All are told in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    Revoked,
    Expired,
    RotatedOut,
}

/// The shortest and the usual overlap of a rotation.
pub const OVERLAP_MS: u64 = 1_800_000;

impl Validity {
    /// # Errors
    /// Revoked before expired before rotated: the first that holds is what the record says.
    pub fn judge(&self, which: Which, now_ms: u64) -> Result<(), KeyFault> {
        let past = |moment: Option<u64>| moment.is_some_and(|moment| moment <= now_ms);
        if past(self.revoked_at_ms) {
            return Err(KeyFault::Revoked);
        }
        if past(self.expires_at_ms) {
            return Err(KeyFault::Expired);
        }
        // Without an overlap there is no previous secret that could still be good.
        match (which, self.overlap_until_ms) {
            (Which::Previous, Some(until)) if now_ms < until => Ok(()),
            (Which::Previous, _) => Err(KeyFault::RotatedOut),
            (Which::Current, _) => Ok(()),
        }
    }

    /// The next moment at which the answer may change by itself: until then a cached verdict holds.
    pub fn holds_until_ms(&self, which: Which, now_ms: u64) -> Option<u64> {
        let overlap = self.overlap_until_ms.filter(|_| which == Which::Previous);
        let changes = [self.revoked_at_ms, self.expires_at_ms, overlap];
        changes.into_iter().flatten().filter(|moment| *moment > now_ms).min()
    }
}

impl From<KeyFault> for Refusal {
    fn from(fault: KeyFault) -> Self {
        Refusal::new(match fault {
            KeyFault::Revoked => Reason::RevokedKey,
            KeyFault::Expired => Reason::ExpiredKey,
            KeyFault::RotatedOut => Reason::RotatedKey,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_a_moment() {
        use KeyFault::{Expired, Revoked, RotatedOut};
        use Which::{Current, Previous};
        let of = |revoked_at_ms, expires_at_ms, overlap_until_ms| Validity {
            revoked_at_ms,
            expires_at_ms,
            overlap_until_ms,
        };
        let cases = [
            (of(None, None, None), Current, 0, Ok(()), None),
            (of(None, None, None), Previous, 0, Err(RotatedOut), None),
            (of(None, Some(10), None), Current, 9, Ok(()), Some(10)),
            (of(None, Some(10), None), Current, 10, Err(Expired), None),
            (of(Some(5), Some(10), None), Current, 4, Ok(()), Some(5)),
            (of(Some(5), Some(10), None), Current, 5, Err(Revoked), Some(10)),
            (of(Some(5), Some(10), None), Current, 11, Err(Revoked), None),
            (of(None, None, Some(7)), Previous, 6, Ok(()), Some(7)),
            (of(None, None, Some(7)), Previous, 7, Err(RotatedOut), None),
            (of(None, None, Some(7)), Current, 7, Ok(()), None),
            (of(None, Some(6), Some(7)), Previous, 6, Err(Expired), Some(7)),
            (of(Some(1), None, Some(7)), Previous, 3, Err(Revoked), Some(7)),
        ];
        for (validity, which, now, want, until) in cases {
            assert_eq!(validity.judge(which, now), want, "{validity:?} {which:?} {now}");
            assert_eq!(validity.holds_until_ms(which, now), until, "{validity:?} {which:?} {now}");
        }
        assert_eq!(Refusal::from(Expired).reason, Reason::ExpiredKey);
    }
}
