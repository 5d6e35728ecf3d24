//! PostgreSQL: one database for several replicas. Writes go through one connection per replica and an advisory lock
//! among them, because audit entries and changes are numbered in the order in which they become visible. Reads share a
//! few connections, on which they are pipelined.

mod alerts;
mod apply;
mod listen;
mod migrate;
mod question;
mod session;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::timeout;
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
use listen::{Listener, raise};
use session::Session;
pub use tidegate_postgres::{BadAddress, Server};

/// The schema as this program knows it.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, sql: include_str!("../../migrations/postgres/0001.sql"), min_reader: 1 },
    Migration { number: 2, sql: include_str!("../../migrations/postgres/0002.sql"), min_reader: 1 },
];

const READERS: usize = 3;

/// How long a server may take, the wait for other writers included, before it counts as away. A write that was given up
/// may still have been made when the server was told to commit and its answer did not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database on a server. Connections that break are made anew when they are needed next.
pub struct Postgres {
    server: Server,
    /// Taken out while it writes: a write that is given up drops its connection, and the server rolls it back.
    writer: Mutex<Option<Session>>,
    readers: [Mutex<Option<Arc<Session>>>; READERS],
    turn: AtomicUsize,
    /// Set when a newer program made the schema: found and known.
    read_only: Option<(u32, u32)>,
    head: watch::Sender<u64>,
    _listener: Listener,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({:?})", self.server)
    }
}

impl Postgres {
    /// Connects and brings the database to this program's schema in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Away`], [`StoreError::MigrationFailed`], [`StoreError::MigrationAltered`] or
    /// [`StoreError::TooNew`].
    pub async fn open(server: Server) -> Result<Self, StoreError> {
        Self::open_with(server, MIGRATIONS).await
    }

    /// [`Postgres::open`] with another schema, for tests of upgrades.
    ///
    /// # Errors
    /// As [`Postgres::open`].
    pub async fn open_with(server: Server, migrations: &[Migration]) -> Result<Self, StoreError> {
        let session = Session::connect(&server).await?;
        let read_only = match migrate::run(&session, migrations).await? {
            Plan::RunFrom(_) => None,
            Plan::ReadOnly { found, ours } => Some((found, ours)),
        };
        let head = watch::Sender::new(question::counter(&session, "change").await?);
        let listener = Listener::start(server.clone(), head.clone());
        Ok(Self {
            server,
            writer: Mutex::new(Some(session)),
            readers: Default::default(),
            turn: AtomicUsize::new(0),
            read_only,
            head,
            _listener: listener,
        })
    }

    /// Whether a newer program made the schema, so that this one may only read.
    pub fn is_read_only(&self) -> bool {
        self.read_only.is_some()
    }

    /// A connection to read on.
    async fn reader(&self) -> Result<Arc<Session>, StoreError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let mut slot = self.readers[turn].lock().await;
        match slot.as_ref().filter(|session| session.is_open()) {
            Some(session) => Ok(session.clone()),
            None => {
                let session = Arc::new(Session::connect(&self.server).await?);
                *slot = Some(session.clone());
                Ok(session)
            }
        }
    }

    /// Runs `write` in a transaction, alone among all replicas.
    async fn write<T>(
        &self,
        write: impl AsyncFnOnce(&Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some((found, ours)) = self.read_only {
            return Err(StoreError::ReadOnly { found, ours });
        }
        timeout(PATIENCE, self.write_slowly(write)).await.unwrap_or_else(|_| Err(too_slow()))
    }

    async fn write_slowly<T>(
        &self,
        write: impl AsyncFnOnce(&Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.writer.lock().await;
        let session = match slot.take().filter(Session::is_open) {
            Some(session) => session,
            None => Session::connect(&self.server).await?,
        };
        session.begin().await?;
        let outcome = write(&session).await;
        match &outcome {
            Ok(_) => session.end("COMMIT").await?,
            // When this fails too, the connection goes, and the transaction with it.
            Err(_) => session.end("ROLLBACK").await?,
        }
        *slot = Some(session);
        outcome
    }
}

/// A read on one of the connections. One that does not answer in time is not used again.
macro_rules! reads {
    ($self:ident, $session:ident, $question:expr) => {
        Box::pin(async move {
            let $session = $self.reader().await?;
            match timeout(PATIENCE, $question).await {
                Ok(answer) => answer,
                Err(_) => {
                    $session.give_up();
                    Err(too_slow())
                }
            }
        })
    };
}

fn too_slow() -> StoreError {
    StoreError::away(format_args!("no answer for {} seconds", PATIENCE.as_secs()))
}

impl Backend for Postgres {
    fn row(&self, kind: Kind, id: Uuid) -> Answer<'_, Option<Row>> {
        reads!(self, session, question::row(&session, kind, id))
    }

    fn row_by_slug(&self, kind: Kind, home: Home, slug: String) -> Answer<'_, Option<Row>> {
        reads!(self, session, question::row_by_slug(&session, kind, home, &slug))
    }

    fn row_by_digest(&self, kind: Kind, digest: Digest) -> Answer<'_, Option<Row>> {
        reads!(self, session, question::row_by_digest(&session, kind, &digest))
    }

    fn rows(&self, query: RowQuery) -> Answer<'_, (Vec<Row>, u64)> {
        reads!(self, session, question::rows(&session, &query))
    }

    fn scan(&self, kind: Kind, after: Option<Uuid>, limit: u32) -> Answer<'_, Vec<Row>> {
        reads!(self, session, question::scan(&session, kind, after, limit))
    }

    fn versions(&self, kind: Kind, id: Uuid, before: u64, limit: u32) -> Answer<'_, Vec<VersionRow>> {
        reads!(self, session, question::versions(&session, kind, id, before, limit))
    }

    fn changes(&self, since: u64, limit: u32) -> Answer<'_, ChangeRows> {
        reads!(self, session, question::changes(&session, since, limit))
    }

    fn trim_changes(&self, upto: u64) -> Answer<'_, ()> {
        Box::pin(self.write(async move |session: &Session| apply::trim(session, upto).await))
    }

    fn audit(&self, query: AuditRowQuery) -> Answer<'_, Vec<AuditRow>> {
        reads!(self, session, question::audit(&session, &query))
    }

    fn audit_head(&self) -> Answer<'_, (u64, Vec<u8>)> {
        reads!(self, session, question::audit_head(&session))
    }

    fn data_keys(&self) -> Answer<'_, Vec<DataKeyRow>> {
        reads!(self, session, question::data_keys(&session))
    }

    fn touch(&self, uses: Vec<(Kind, Uuid, u64)>) -> Answer<'_, ()> {
        Box::pin(self.write(async move |session: &Session| apply::touch(session, &uses).await))
    }

    fn last_used(&self, kind: Kind, ids: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, u64)>> {
        reads!(self, session, question::last_used(&session, kind, &ids))
    }

    fn alert_states(&self, rules: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, AlertStateRow)>> {
        reads!(self, session, alerts::states(&session, &rules))
    }

    fn note_alert(&self, note: AlertNote) -> Answer<'_, bool> {
        Box::pin(self.write(async move |session: &Session| alerts::note(session, &note).await))
    }

    fn amend_alert(&self, rule: Uuid, event: Uuid, body: String) -> Answer<'_, ()> {
        Box::pin(self.write(async move |session: &Session| alerts::amend(session, rule, event, &body).await))
    }

    fn alert_events(&self, rule: Uuid, before: Option<Uuid>, limit: u32) -> Answer<'_, Vec<(Uuid, String)>> {
        reads!(self, session, alerts::events(&session, rule, before, limit))
    }

    fn take_turn(&self, name: &'static str, now: u64, due: u64) -> Answer<'_, bool> {
        Box::pin(self.write(async move |session: &Session| alerts::take_turn(session, name, now, due).await))
    }

    fn commit(&self, batch: Batch) -> Answer<'_, u64> {
        Box::pin(async move {
            let head = self.write(async move |session: &Session| apply::batch(session, batch).await).await?;
            raise(&self.head, head);
            Ok(head)
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }
}
