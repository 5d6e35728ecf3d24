//! SQLite as a store of records like any other.

#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../../records/conformance/mod.rs"]
mod conformance;

use std::fs;
use std::path::PathBuf;

use tidegate_core::id;
use tidegate_insight::Source;
use tidegate_records::{Reader, Sink};
use tidegate_records_sqlite::{SqliteOptions, SqliteReader, SqliteSink};

struct Scratch(PathBuf);

impl conformance::Place for Scratch {
    fn sink(&self) -> Box<dyn Sink> {
        Box::new(SqliteSink::open(SqliteOptions { roll_records: 70, ..SqliteOptions::new(&self.0) }).unwrap())
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(SqliteReader::new(&self.0))
    }

    fn source(&self) -> Box<dyn Source> {
        Box::new(SqliteReader::new(&self.0))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn it_is_a_store_like_any_other() {
    conformance::all(|| Scratch(std::env::temp_dir().join(id::random("tidegate-records-", 16))));
}

#[test]
fn it_is_a_book_like_any_other() {
    let scratch = Scratch(std::env::temp_dir().join(id::random("tidegate-book-", 16)));
    let next = std::cell::Cell::new(0);
    conformance::traces::all(|| {
        next.set(next.get() + 1);
        tidegate_records_sqlite::SqliteBook::new(&scratch.0.join(next.get().to_string()))
    });
}
