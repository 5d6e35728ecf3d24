//! The files of a store and the days they belong to.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tidegate_core::clock::{rfc3339_seconds, rfc3339_text};

pub(crate) const ROWS: &str = "rows";
pub(crate) const BODIES: &str = "bodies";

pub(crate) fn path(directory: &Path, what: &str, day: u32) -> PathBuf {
    directory.join(format!("{what}-{}.db", date(day)))
}

/// Days since 1970 as `20261121`.
fn date(day: u32) -> String {
    rfc3339_text(u64::from(day) * 86_400_000)[..10].replace('-', "")
}

fn day_of(date: &str) -> Option<u32> {
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = format!("{}-{}-{}T00:00:00Z", &date[..4], &date[4..6], &date[6..]);
    let day = u32::try_from(rfc3339_seconds(&text)? / 86_400).ok()?;
    // `20260231` is no day.
    (self::date(day) == date).then_some(day)
}

/// The days that have a file of this kind, newest first.
pub(crate) fn days(directory: &Path, what: &str) -> io::Result<Vec<u32>> {
    let mut days = Vec::new();
    for file in fs::read_dir(directory)? {
        let name = file?.file_name();
        let date =
            name.to_str().and_then(|name| name.strip_prefix(what)?.strip_prefix('-')?.strip_suffix(".db"));
        days.extend(date.and_then(day_of));
    }
    days.sort_unstable_by(|a, b| b.cmp(a));
    Ok(days)
}

/// What was committed to these files survives the machine afterwards. Commits stand in the file beside the database until
/// SQLite has copied them, and it waits for the disk itself when it copies. A checkpoint would do the same, but a reader can
/// hold it up. (The database must not be opened here: closing it again would give up SQLite's locks.)
pub(crate) fn sync(directory: &Path, day: u32) -> io::Result<()> {
    for what in [ROWS, BODIES] {
        let mut name = path(directory, what, day).into_os_string();
        name.push("-wal");
        match File::open(name) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(directory)?.sync_all()
}

/// Deletes a day's file and what SQLite keeps beside it. The database goes first: without it nobody opens the rest.
pub(crate) fn delete(directory: &Path, what: &str, day: u32) -> io::Result<()> {
    let path = path(directory, what, day);
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        match fs::remove_file(name) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_the_same() {
        for day in 0..60_000 {
            assert_eq!(day_of(&date(day)), Some(day));
        }
        assert_eq!(date(20_778), "20261121");
        for text in ["20260231", "2026112", "202611211", "2026112x", "20261301"] {
            assert_eq!(day_of(text), None, "{text}");
        }
    }
}
