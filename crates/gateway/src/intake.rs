//! Large requests of the gateway's own API: what programs tell of logs and spans. They are read whole before anybody looks
//! who sends them, so what all of them hold together is bounded, and how long they may take.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a large body may be under way.
pub const WITHIN: Duration = Duration::from_secs(60);

/// Bodies up to here are taken as they come.
pub const SMALL: usize = 1024 * 1024;

/// Bytes of all large bodies that are read or served at the same time.
const TOGETHER: usize = 256 * 1024 * 1024;
/// Room is given out in pieces of this size.
const PIECE: usize = 64 * 1024;

#[derive(Debug)]
pub struct Intake(Semaphore);

/// The room of a body, until it is dropped.
#[derive(Debug)]
pub struct Room<'a>(#[expect(dead_code, reason = "held, not looked at")] Option<SemaphorePermit<'a>>);

impl Default for Intake {
    fn default() -> Self {
        Self(Semaphore::new(TOGETHER / PIECE))
    }
}

impl Intake {
    /// Room for a body of at most `most` bytes; `length` where its head says it. `None`: there is none at the moment.
    pub fn room(&self, length: Option<u64>, most: usize) -> Option<Room<'_>> {
        let length = length.and_then(|length| usize::try_from(length).ok()).unwrap_or(most).min(most);
        if length <= SMALL {
            return Some(Room(None));
        }
        // One that is larger than all of the room has it alone.
        let pieces = length.min(TOGETHER).div_ceil(PIECE);
        let permit = self.0.try_acquire_many(u32::try_from(pieces).ok()?).ok()?;
        Some(Room(Some(permit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_they_hold_so_much_and_no_more() {
        let (intake, most) = (Intake::default(), 16 << 20);
        let held: Vec<_> = (0..16).map(|_| intake.room(None, most).unwrap()).collect();
        assert!(intake.room(Some(2 << 20), most).is_none());
        assert!(intake.room(Some(SMALL as u64), most).is_some(), "small ones need no room");
        drop(held);
        let alone = intake.room(Some(1 << 30), 1 << 30).unwrap();
        assert!(intake.room(None, most).is_none());
        drop(alone);
        assert!(intake.room(Some(u64::MAX), most).is_some());
    }
}
