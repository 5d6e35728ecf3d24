//! A store in a scratch directory.

use std::path::PathBuf;

#[path = "../../../records/conformance/records.rs"]
mod records;

pub use records::*;

use crate::{SqliteOptions, SqliteReader, SqliteSink};

#[derive(Debug)]
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        let name = tidegate_core::id::random("tidegate-records-", 16);
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn sink(&self) -> SqliteSink {
        SqliteSink::open(SqliteOptions { roll_records: 100, ..SqliteOptions::new(&self.0) }).unwrap()
    }

    pub fn reader(&self) -> SqliteReader {
        SqliteReader::new(&self.0)
    }

    pub fn files(&self) -> Vec<String> {
        let names =
            std::fs::read_dir(&self.0).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(".db")).collect();
        names.sort();
        names
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
