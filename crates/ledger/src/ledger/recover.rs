//! The start: what the journal says, what to make of what it left open, and where the desk goes on.

use std::collections::BTreeMap;

use super::OpenError;
use super::options::{AfterCrash, Options};
use crate::books::{Account, Books, Entry, How, Move, Open, Period, What};
use crate::desk::Desk;
use crate::journal::{Files, Segments, Sizes, WriteError, replay};

/// What a start found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Entries that were read and checked.
    pub entries: u64,
    /// Bytes at the end that were cut off while they were written.
    pub torn: u64,
    /// Reservations that a crash left open, by id, and what was done with them.
    pub unfinished: Vec<(u64, Open)>,
    pub done: AfterCrash,
    /// What may have gone out ahead of the disk, by id. It is held, whatever the policy: nobody knows which requests
    /// those were.
    pub in_doubt: Vec<(u64, Open)>,
}

pub(super) struct Recovered {
    pub(super) desk: Desk,
    pub(super) segments: Segments,
    pub(super) held: BTreeMap<u64, Open>,
    pub(super) opened: Opened,
}

pub(super) fn recover(files: Box<dyn Files>, options: &Options, now: u64) -> Result<Recovered, OpenError> {
    let found = replay(&*files).map_err(OpenError::Read)?;
    let mut start = Start { books: found.books.clone(), now: now.max(found.books.at), entries: Vec::new() };
    start.write(What::Start, Vec::new())?;
    let unfinished: Vec<(u64, Open)> =
        found.books.open.iter().map(|(id, open)| (*id, open.clone())).collect();
    for (id, open) in &unfinished {
        start.end(*id, open, options.after_crash)?;
    }
    let in_doubt = start.doubt()?;
    let mut desk = Desk::new(&start.books, options.stake, options.share);
    let held = start.books.held;
    let mut entries = start.entries;
    desk.resume(start.now, &mut entries);
    let sizes = Sizes { bytes: options.segment_bytes, keep: options.keep_segments };
    let mut segments = Segments::new(files, found.books, found.segments, sizes);
    segments.append(entries).map_err(|error| match error {
        WriteError::Io(error) => OpenError::Io(error),
        WriteError::Violation(violation) => OpenError::Violation(violation),
    })?;
    let opened =
        Opened { entries: found.entries, torn: found.torn, unfinished, done: options.after_crash, in_doubt };
    Ok(Recovered { desk, segments, held, opened })
}

/// Makes entries and applies them, before there is a desk.
struct Start {
    books: Books,
    now: u64,
    entries: Vec<Entry>,
}

impl Start {
    fn write(&mut self, what: What, moves: Vec<Move>) -> Result<(), OpenError> {
        let entry = Entry { seq: self.books.seq + 1, at: self.now, what, moves };
        self.books.apply(&entry).map_err(OpenError::Violation)?;
        self.entries.push(entry);
        Ok(())
    }

    fn end(&mut self, id: u64, open: &Open, policy: AfterCrash) -> Result<(), OpenError> {
        let settle = What::Settle { id, how: How::Crash, estimated: true, unpriced: false };
        let (what, to) = match policy {
            AfterCrash::Hold => (What::Hold { id }, Account::Held),
            AfterCrash::Settle => (settle, Account::Settled),
            AfterCrash::Release => (settle, Account::Free),
        };
        let part = |part: &crate::books::Part| Move {
            budget: part.budget,
            period: part.period,
            from: Account::Reserved,
            to,
            amount: part.amount,
        };
        let moves = open.parts.iter().map(part).collect();
        self.write(what, moves)
    }

    /// One id for each period, so that each can be resolved by itself.
    fn doubt(&mut self) -> Result<Vec<(u64, Open)>, OpenError> {
        let ahead = |period: &Period| period.balances.ahead;
        let mut steps = Vec::new();
        for (id, shelf) in &self.books.budgets {
            let periods = shelf.periods.iter().filter(|(_, period)| !ahead(period).is_zero());
            steps.extend(periods.map(|(number, period)| Move {
                budget: *id,
                period: *number,
                from: Account::Ahead,
                to: Account::Held,
                amount: ahead(period),
            }));
        }
        let mut found = Vec::new();
        for step in steps {
            let id = self.books.last_id + 1;
            self.write(What::Doubt { id }, vec![step])?;
            found.extend(self.books.held.get(&id).map(|open| (id, open.clone())));
        }
        Ok(found)
    }
}
