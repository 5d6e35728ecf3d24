//! SQLite: one file beside the binary. One thread writes, a few read on connections of their own (WAL), and commits
//! that arrive together share a transaction and its fsync.

mod alerts;
mod apply;
mod backup;
mod migrate;
mod question;
mod thread;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use backup::{backup_file, restore};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;
use uuid::Uuid;

use crate::backend::{
    AlertNote, AlertStateRow, Answer, AuditRow, AuditRowQuery, Backend, Batch, ChangeRows, DataKeyRow, Row,
    RowQuery, VersionRow,
};
use crate::error::StoreError;
use crate::kind::Kind;
use crate::migration::{Migration, Plan};
use crate::scope::Home;
use crate::token::Digest;
use thread::{Readers, Writer};

/// The schema as this program knows it.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, sql: include_str!("../../migrations/sqlite/0001.sql"), min_reader: 1 },
    Migration { number: 2, sql: include_str!("../../migrations/sqlite/0002.sql"), min_reader: 1 },
];

/// Marks the file as ours (`PRAGMA application_id`).
const APPLICATION: i32 = 0x5469_6467;
const READERS: usize = 3;

/// A database file. Dropping it waits until what was asked before is done and the file is closed; then others may have it.
pub struct Sqlite {
    path: PathBuf,
    // In the order in which they are closed: only one that may write takes the journal into the file at its end.
    readers: Readers,
    writer: Writer,
    /// Set when a newer program made the file: found and known schema.
    read_only: Option<(u32, u32)>,
    head: watch::Receiver<u64>,
    /// Shared among those who have the file open; a restore wants it alone.
    _lock: File,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sqlite({})", self.path.display())
    }
}

impl Sqlite {
    /// Opens the file, makes it (mode 0600) when there is none, and brings it to this program's schema in one
    /// transaction. Blocks: call it before serving.
    ///
    /// # Errors
    /// [`StoreError::File`], [`StoreError::MigrationFailed`], [`StoreError::MigrationAltered`] or
    /// [`StoreError::TooNew`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, MIGRATIONS)
    }

    /// [`Sqlite::open`] for who fills a new database with what it begins with, and then calls [`Sqlite::settle`]. Until then the
    /// commits of a new file are not waited for: a power cut takes the last of them or all, as if there had been no start.
    /// A file that was there is as durable as ever.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn found(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, MIGRATIONS, true)
    }

    /// [`Sqlite::open`] with another schema, for tests of upgrades.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_with(path: &Path, migrations: &[Migration]) -> Result<Self, StoreError> {
        Self::open_as(path, migrations, false)
    }

    fn open_as(path: &Path, migrations: &[Migration], is_settled_later: bool) -> Result<Self, StoreError> {
        let lock = lock_file(path)?;
        let locked = lock.try_lock_shared();
        locked.map_err(|_| StoreError::file(path, "a restore is going on, or another program holds it"))?;
        let created = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
        let created = created.map_err(|error| StoreError::file(path, error))?;
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let is_empty = || created.metadata().is_ok_and(|file| file.len() == 0);
        let is_unsettled = is_settled_later && is_empty();
        let sync = |how: Sync| how.set(&connection).map_err(|error| StoreError::file(path, error));
        if is_unsettled {
            sync(Sync::Off)?;
        }
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(|error| StoreError::file(path, error))?;
        if mode != "wal" {
            return Err(StoreError::file(path, "its file system cannot share memory, which WAL needs"));
        }
        if is_unsettled {
            // From here on a power cut takes commits, never the file.
            sync(Sync::Normal)?;
        }
        let read_only = match migrate::run(&mut connection, migrations).map_err(|error| error.about(path))? {
            Plan::RunFrom(_) => None,
            Plan::ReadOnly { found, ours } => Some((found, ours)),
        };
        let (sender, head) = watch::channel(question::change_head(&connection)?);
        Ok(Self {
            path: path.to_owned(),
            readers: Readers::start(path, READERS)?,
            writer: Writer::start(connection, sender, is_unsettled)?,
            read_only,
            head,
            _lock: lock,
        })
    }

    /// A consistent copy of the database as it is now, made while it serves. `to` must not exist; it gets mode 0600
    /// and appears when it is complete.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn backup(&self, to: PathBuf) -> Answer<'_, ()> {
        self.readers.ask(move |connection| backup::copy(connection, &to))
    }

    /// Everything so far is on the disk after this, and from then on every commit when it is answered. Nothing to do unless
    /// the file was [founded](Sqlite::found) here.
    pub fn settle(&self) -> Answer<'_, ()> {
        self.writer.settle()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a newer program made the file, so that this one may only read.
    pub fn is_read_only(&self) -> bool {
        self.read_only.is_some()
    }

    fn write<T: Send + 'static>(
        &self,
        run: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<'_, T> {
        match self.read_only {
            Some((found, ours)) => Box::pin(async move { Err(StoreError::ReadOnly { found, ours }) }),
            None => self.writer.ask(run),
        }
    }
}

/// The file whose lock says who has the database open: a lock on the database itself would meet SQLite's own.
fn lock_file(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
    opened.map_err(|error| StoreError::file(Path::new(&name), error))
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        // Another process may be writing: the command line, or the one that is about to end.
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(64);
        // What was committed is there after a power cut, and what was deleted is overwritten.
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF; \
             PRAGMA temp_store = MEMORY;",
        )?;
        Ok(connection)
    };
    open().map_err(|error| StoreError::file(path, error))
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy)]
enum Sync {
    Off,
    /// Nothing in WAL; only what a checkpoint copies is in order on the disk.
    Normal,
    Full,
}

impl Sync {
    fn set(self, connection: &Connection) -> rusqlite::Result<()> {
        let word = match self {
            Self::Off => "off",
            Self::Normal => "normal",
            Self::Full => "full",
        };
        connection.pragma_update(None, "synchronous", word)
    }
}

/// A failure of SQLite while it serves.
fn failed(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, ReadOnly, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure | ReadOnly) => {
            StoreError::away(error)
        }
        _ => StoreError::internal(error),
    }
}

impl StoreError {
    fn about(self, path: &Path) -> Self {
        match self {
            Self::Internal { reason } | Self::Away { reason } => StoreError::file(path, reason),
            other => other,
        }
    }
}

impl Backend for Sqlite {
    fn row(&self, kind: Kind, id: Uuid) -> Answer<'_, Option<Row>> {
        self.readers.ask(move |connection| question::row(connection, kind, id))
    }

    fn row_by_slug(&self, kind: Kind, home: Home, slug: String) -> Answer<'_, Option<Row>> {
        self.readers.ask(move |connection| question::row_by_slug(connection, kind, home, &slug))
    }

    fn row_by_digest(&self, kind: Kind, digest: Digest) -> Answer<'_, Option<Row>> {
        self.readers.ask(move |connection| question::row_by_digest(connection, kind, &digest))
    }

    fn rows(&self, query: RowQuery) -> Answer<'_, (Vec<Row>, u64)> {
        self.readers.ask(move |connection| question::rows(connection, &query))
    }

    fn scan(&self, kind: Kind, after: Option<Uuid>, limit: u32) -> Answer<'_, Vec<Row>> {
        self.readers.ask(move |connection| question::scan(connection, kind, after, limit))
    }

    fn versions(&self, kind: Kind, id: Uuid, before: u64, limit: u32) -> Answer<'_, Vec<VersionRow>> {
        self.readers.ask(move |connection| question::versions(connection, kind, id, before, limit))
    }

    fn changes(&self, since: u64, limit: u32) -> Answer<'_, ChangeRows> {
        self.readers.ask(move |connection| question::changes(connection, since, limit))
    }

    fn trim_changes(&self, upto: u64) -> Answer<'_, ()> {
        self.write(move |connection| apply::trim(connection, upto))
    }

    fn audit(&self, query: AuditRowQuery) -> Answer<'_, Vec<AuditRow>> {
        self.readers.ask(move |connection| question::audit(connection, &query))
    }

    fn audit_head(&self) -> Answer<'_, (u64, Vec<u8>)> {
        self.readers.ask(question::audit_head)
    }

    fn data_keys(&self) -> Answer<'_, Vec<DataKeyRow>> {
        self.readers.ask(question::data_keys)
    }

    fn touch(&self, uses: Vec<(Kind, Uuid, u64)>) -> Answer<'_, ()> {
        self.write(move |connection| apply::touch(connection, &uses))
    }

    fn last_used(&self, kind: Kind, ids: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, u64)>> {
        self.readers.ask(move |connection| question::last_used(connection, kind, &ids))
    }

    fn alert_states(&self, rules: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, AlertStateRow)>> {
        self.readers.ask(move |connection| alerts::states(connection, &rules))
    }

    fn note_alert(&self, note: AlertNote) -> Answer<'_, bool> {
        self.write(move |connection| alerts::note(connection, &note))
    }

    fn amend_alert(&self, rule: Uuid, event: Uuid, body: String) -> Answer<'_, ()> {
        self.write(move |connection| alerts::amend(connection, rule, event, &body))
    }

    fn alert_events(&self, rule: Uuid, before: Option<Uuid>, limit: u32) -> Answer<'_, Vec<(Uuid, String)>> {
        self.readers.ask(move |connection| alerts::events(connection, rule, before, limit))
    }

    fn take_turn(&self, name: &'static str, now: u64, due: u64) -> Answer<'_, bool> {
        self.write(move |connection| alerts::take_turn(connection, name, now, due))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, u64> {
        self.write(move |connection| apply::batch(connection, batch))
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.head.clone()
    }
}
