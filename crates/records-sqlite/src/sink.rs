//! The store's writing end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rusqlite::ErrorCode;
use tidegate_records::{Batch, Entry, Sink, SinkError, Written};

use crate::day::Day;
use crate::files::{self, BODIES, ROWS};

/// Days open at once: requests end after midnight, and the journal brings yesterday's.
const OPEN_DAYS: usize = 4;

#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Made if it is not there. One process writes at a time.
    pub directory: PathBuf,
    /// Days that rows are kept, today included; 0 keeps them for ever.
    pub keep_rows_days: u32,
    /// Days that bodies are kept, today included; 0 keeps them as long as their rows.
    pub keep_bodies_days: u32,
    /// So many records are rolled up together: cells of many are fewer than those of few would be. Figures of records that
    /// are not rolled up yet are made when they are asked for.
    pub roll_records: u64,
    /// How long a call waits for a lock that a reader's checkpoint holds.
    pub patience: Duration,
}

impl SqliteOptions {
    /// 30 days of rows, 14 of bodies, 32,768 records rolled up together.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            keep_rows_days: 30,
            keep_bodies_days: 14,
            roll_records: 32_768,
            patience: Duration::from_millis(500),
        }
    }
}

/// Writes the files of a directory.
#[derive(Debug)]
pub struct SqliteSink {
    options: SqliteOptions,
    days: BTreeMap<u32, Day>,
    /// Days that were written since the last `sync`.
    unsynced: BTreeSet<u32>,
    /// Days that may have records which are not rolled up though the day is over.
    unrolled: Option<BTreeSet<u32>>,
    /// The first days of which rows and bodies are kept.
    first_rows: u32,
    first_bodies: u32,
    /// Held as long as the sink is.
    _lock: File,
}

impl SqliteSink {
    /// # Errors
    /// The directory cannot be made, or another process writes to it.
    pub fn open(options: SqliteOptions) -> io::Result<Self> {
        fs::create_dir_all(&options.directory)?;
        let lock = File::options().create(true).append(true).open(options.directory.join("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another process writes these records"))?;
        Ok(Self {
            options,
            days: BTreeMap::new(),
            unsynced: BTreeSet::new(),
            unrolled: None,
            first_rows: 0,
            first_bodies: 0,
            _lock: lock,
        })
    }

    /// Rolls up days that are over: those that were written, and at first those that an earlier process left.
    fn roll(&mut self, today: u32) -> Result<(), SinkError> {
        let directory = &self.options.directory;
        let unrolled = match &mut self.unrolled {
            Some(unrolled) => unrolled,
            None => {
                let days =
                    files::days(directory, ROWS).map_err(|error| SinkError::Away(error.to_string()))?;
                self.unrolled.insert(days.into_iter().collect())
            }
        };
        let mut failed = None;
        for day in unrolled.range(..today).copied().collect::<Vec<_>>() {
            let rolled = match self.days.get_mut(&day) {
                Some(open) => open.roll(),
                None => Day::open(&self.options, day).and_then(|mut day| day.roll()),
            };
            match rolled {
                Ok(()) => drop(unrolled.remove(&day)),
                // Tried again; the others are not to wait for it.
                Err(error) => {
                    self.days.remove(&day);
                    failed = Some(sort_error(error));
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn write_day(&mut self, day: u32, entries: &[&Entry<'_>]) -> rusqlite::Result<Written> {
        if !self.days.contains_key(&day) {
            while self.days.len() >= OPEN_DAYS {
                self.days.pop_first();
            }
            self.days.insert(day, Day::open(&self.options, day)?);
        }
        self.unsynced.insert(day);
        if let Some(unrolled) = &mut self.unrolled {
            unrolled.insert(day);
        }
        let Some(open) = self.days.get_mut(&day) else { return Ok(Written::default()) };
        let written = open.write(&self.options, day, entries, day >= self.first_bodies);
        if written.is_err() {
            // Whatever state it is in, the next try begins with a fresh one.
            self.days.remove(&day);
        }
        written
    }
}

impl Sink for SqliteSink {
    fn write(&mut self, batch: &Batch<'_>) -> Result<Written, SinkError> {
        let mut by_day = BTreeMap::<u32, Vec<&Entry<'_>>>::new();
        for entry in batch {
            by_day.entry(entry.id().day()).or_default().push(entry);
        }
        let mut all = Written::default();
        for (day, entries) in by_day {
            if day < self.first_rows {
                all.expired += entries.len() as u64;
                continue;
            }
            // Two days are two transactions. If the second fails the whole batch comes again, and the first is known then.
            let written = self.write_day(day, &entries).map_err(sort_error)?;
            all.new += written.new;
            all.known += written.known;
            all.clashed += written.clashed;
        }
        Ok(all)
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        while let Some(day) = self.unsynced.first().copied() {
            files::sync(&self.options.directory, day).map_err(|error| SinkError::Away(error.to_string()))?;
            self.unsynced.remove(&day);
        }
        Ok(())
    }

    fn tend(&mut self, unix_ms: u64) -> Result<(), SinkError> {
        let today = u32::try_from(unix_ms / 86_400_000).unwrap_or(u32::MAX);
        let first = |keep: u32| if keep == 0 { 0 } else { (today + 1).saturating_sub(keep) };
        // A clock that was set back brings nothing back.
        self.first_rows = self.first_rows.max(first(self.options.keep_rows_days));
        self.first_bodies = self.first_bodies.max(first(self.options.keep_bodies_days)).max(self.first_rows);
        let (first_rows, first_bodies) = (self.first_rows, self.first_bodies);
        self.days.retain(|day, _| *day >= first_rows);
        self.days.range_mut(..first_bodies).for_each(|(_, day)| day.forget_bodies());
        for (what, first) in [(ROWS, self.first_rows), (BODIES, self.first_bodies)] {
            let days = files::days(&self.options.directory, what)
                .map_err(|error| SinkError::Away(error.to_string()))?;
            for day in days.into_iter().filter(|day| *day < first) {
                files::delete(&self.options.directory, what, day)
                    .map_err(|error| SinkError::Away(error.to_string()))?;
            }
        }
        if let Some(unrolled) = &mut self.unrolled {
            *unrolled = unrolled.split_off(&first_rows);
        }
        self.roll(today)
    }
}

/// What the data itself is to blame for is refused; anything else may be over soon.
fn sort_error(error: rusqlite::Error) -> SinkError {
    let refused = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::TooBig | ErrorCode::TypeMismatch | ErrorCode::ConstraintViolation)
    );
    if refused { SinkError::Refused(error.to_string()) } else { SinkError::Away(error.to_string()) }
}
