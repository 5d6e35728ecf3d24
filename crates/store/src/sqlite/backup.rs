//! Copies of a database: while it serves, and back again.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{MIGRATIONS, connect, lock_file, migrate};
use crate::error::StoreError;
use crate::migration::plan;
use crate::vault::sync_directory;

/// A consistent copy of the database at `from`, which may be in use by another process. See [`super::Sqlite::backup`].
///
/// # Errors
/// [`StoreError::File`].
pub fn backup_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    // Writing is needed to take part in the shared memory of WAL; nothing is written to the database.
    let connection = connect(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    migrate::check_owner(&connection).map_err(|error| error.about(from))?;
    copy(&connection, to)
}

/// Copies in one read transaction: writers go on, and the copy is of one moment.
pub(super) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::file(to, "is there already"));
    }
    let partial = beside(to, ".partial");
    let wrong = |error: &dyn std::fmt::Display| StoreError::file(&partial, error);
    remove(&partial)?;
    // SQLite fills an empty file, and keeps the mode it has.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let file = made.map_err(|error| wrong(&error))?;
    let name = partial.to_str().ok_or_else(|| wrong(&"the name must be UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name]).map_err(|error| wrong(&error))?;
    file.sync_all().map_err(|error| wrong(&error))?;
    fs::rename(&partial, to).and_then(|()| sync_directory(to)).map_err(|error| StoreError::file(to, error))
}

/// Puts a backup in the place of the database at `to`, which nobody may have open. What was there is kept beside it
/// under the name that is returned.
///
/// # Errors
/// [`StoreError::File`] when the backup is damaged or the database is in use; [`StoreError::MigrationAltered`] or
/// [`StoreError::TooNew`] when this program could not open it.
pub fn restore(from: &Path, to: &Path) -> Result<Option<PathBuf>, StoreError> {
    check(from)?;
    let lock = lock_file(to)?;
    lock.try_lock().map_err(|_| StoreError::file(to, "is in use: stop tidegate first"))?;
    let partial = beside(to, ".restored");
    let wrong = |error: std::io::Error| StoreError::file(&partial, error);
    remove(&partial)?;
    let mut source = File::open(from).map_err(|error| StoreError::file(from, error))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial);
    let mut copy = made.map_err(wrong)?;
    std::io::copy(&mut source, &mut copy).map_err(wrong)?;
    copy.sync_all().map_err(wrong)?;
    let kept = keep(to)?;
    fs::rename(&partial, to)
        .and_then(|()| sync_directory(to))
        .map_err(|error| StoreError::file(to, error))?;
    Ok(kept)
}

/// Keeps the database under another name, its journal taken in first: a journal beside another database would be applied to it.
fn keep(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let mut kept = None;
    if path.exists() {
        if let Ok(connection) = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
            // Best effort: a damaged database is what one restores over.
            let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        let name =
            (1..1_000).map(|n| beside(path, &format!(".before-restore-{n}"))).find(|name| !name.exists());
        let name = name.ok_or_else(|| StoreError::file(path, "has too many copies from before restores"))?;
        // A second name: at no time is there no database, which the next start would take for a first one.
        fs::hard_link(path, &name).map_err(|error| StoreError::file(path, error))?;
        kept = Some(name);
    }
    remove(&beside(path, "-wal"))?;
    remove(&beside(path, "-shm"))?;
    Ok(kept)
}

/// Whether the backup is whole and this program can open it.
fn check(path: &Path) -> Result<(), StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    migrate::check_owner(&connection).map_err(|error| error.about(path))?;
    let verdict: rusqlite::Result<String> =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => {}
        Ok(verdict) => return Err(StoreError::file(path, format!("is damaged: {verdict}"))),
        Err(error) => return Err(StoreError::file(path, error)),
    }
    plan(MIGRATIONS, &migrate::applied(&connection).map_err(|error| error.about(path))?).map(|_| ())
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::file(path, error)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
