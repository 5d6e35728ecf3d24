//! The proof of the books: for whoever has to believe them.

use std::fmt;
use std::path::Path;

use super::files::{Directory, Files};
use super::read::{ReadError, replay, replay_for};
use crate::books::{Books, Entry};

/// What a journal says, all of it checked: checksums, numbers without gaps, every entry balanced and allowed, no
/// reservation ended twice, every snapshot equal to the entries before it, every account equal to its sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub segments: usize,
    /// Entries that were checked one by one; those before the oldest segment are in its snapshot.
    pub entries: u64,
    /// The number of the last entry.
    pub last: u64,
    /// Bytes at the end that were cut off while they were written. They were never acknowledged.
    pub torn: u64,
    pub books: Books,
}

/// Proves the journal in a directory. Reads only; a process that writes it meanwhile is not disturbed.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn verify(directory: &Path) -> Result<Report, ReadError> {
    verify_files(&Directory::reader(directory))
}

/// As [`verify`].
///
/// # Errors
/// The same.
pub fn verify_files(files: &dyn Files) -> Result<Report, ReadError> {
    const ATTEMPTS: usize = 5;
    let mut result = replay(files);
    for _ in 1..ATTEMPTS {
        // A segment that was listed, and removed by the process that writes.
        match &result {
            Err(ReadError::Io { error, file })
                if error.kind() == std::io::ErrorKind::NotFound && !file.is_empty() =>
            {
                result = replay(files);
            }
            _ => break,
        }
    }
    let replay = result?;
    Ok(Report {
        segments: replay.segments.len(),
        entries: replay.entries,
        last: replay.books.seq,
        torn: replay.torn,
        books: replay.books,
    })
}

/// Proves the journal in a directory and tells every entry in its order: those of the segments that are still there.
/// Nobody may write the journal meanwhile.
///
/// # Errors
/// The first thing that is wrong, and where.
pub fn entries(directory: &Path, mut told: impl FnMut(&Entry)) -> Result<(), ReadError> {
    replay_for(&Directory::reader(directory), &mut told).map(|_| ())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "the books balance: {} entries in {} segments, the last is {}",
            self.entries, self.segments, self.last
        )?;
        if self.torn > 0 {
            writeln!(f, "{} bytes at the end were cut off while they were written", self.torn)?;
        }
        let (open, held) = (self.books.open.len(), self.books.held.len());
        writeln!(
            f,
            "{} budgets, {open} open reservations, {held} held by crashes",
            self.books.budgets.len()
        )?;
        for shelf in self.books.budgets.values() {
            let Some(period) = shelf.periods.get(&shelf.last_period) else { continue };
            let (budget, balances) = (&shelf.budget, &period.balances);
            writeln!(
                f,
                "{} '{}': {} of {} {} settled, {} reserved, {} held, {} free",
                budget.scope.word(),
                budget.id,
                balances.settled,
                budget.limit.amount(),
                budget.limit.unit(),
                balances.reserved,
                balances.held,
                balances.free + balances.ahead,
            )?;
        }
        Ok(())
    }
}
