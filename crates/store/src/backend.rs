//! What a database must do for the store. Rows and batches only: what they mean is decided above, once for all.

use std::fmt;
use std::pin::Pin;

use tokio::sync::watch;
use uuid::Uuid;

use crate::audit::ChainKey;
use crate::error::StoreError;
use crate::id::{OrganisationId, WorkspaceId};
use crate::kind::{Kind, Op};
use crate::scope::Home;
use crate::token::Digest;

pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A database.
///
/// What every one promises:
/// * `commit` applies a batch whole or not at all, and batches one after the other: audit entries and changes are
///   numbered in the order in which they become visible, without gaps in the audit log.
/// * When `commit` has answered, the batch survives the end of the process and of the machine.
/// * A read that begins after `commit` has answered sees the batch.
pub trait Backend: Send + Sync + fmt::Debug {
    fn row(&self, kind: Kind, id: Uuid) -> Answer<'_, Option<Row>>;
    fn row_by_slug(&self, kind: Kind, home: Home, slug: String) -> Answer<'_, Option<Row>>;
    fn row_by_digest(&self, kind: Kind, digest: Digest) -> Answer<'_, Option<Row>>;
    /// A part of the rows of a scope, newest first, and how many there are.
    fn rows(&self, query: RowQuery) -> Answer<'_, (Vec<Row>, u64)>;
    /// Rows of all organisations in the order of their ids, after `after`.
    fn scan(&self, kind: Kind, after: Option<Uuid>, limit: u32) -> Answer<'_, Vec<Row>>;
    /// Versions before `before`, newest first.
    fn versions(&self, kind: Kind, id: Uuid, before: u64, limit: u32) -> Answer<'_, Vec<VersionRow>>;
    fn changes(&self, since: u64, limit: u32) -> Answer<'_, ChangeRows>;
    /// Forgets changes up to `upto`.
    fn trim_changes(&self, upto: u64) -> Answer<'_, ()>;
    /// Entries after `after`, oldest first.
    fn audit(&self, query: AuditRowQuery) -> Answer<'_, Vec<AuditRow>>;
    /// What the log says its last entry is; `(0, empty)` before the first.
    fn audit_head(&self) -> Answer<'_, (u64, Vec<u8>)>;
    fn data_keys(&self) -> Answer<'_, Vec<DataKeyRow>>;
    /// Notes when objects were last used, keeping the later time. Not a change: no version, no audit entry.
    fn touch(&self, uses: Vec<(Kind, Uuid, u64)>) -> Answer<'_, ()>;
    fn last_used(&self, kind: Kind, ids: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, u64)>>;
    /// How rules stand; those that were never looked at are left out.
    fn alert_states(&self, rules: Vec<Uuid>) -> Answer<'_, Vec<(Uuid, AlertStateRow)>>;
    /// Writes what a look found. False, and nothing is written: somebody else did since.
    fn note_alert(&self, note: AlertNote) -> Answer<'_, bool>;
    /// Puts another text in an event's place.
    fn amend_alert(&self, rule: Uuid, event: Uuid, body: String) -> Answer<'_, ()>;
    /// Events before one (`None`: all), newest first.
    fn alert_events(&self, rule: Uuid, before: Option<Uuid>, limit: u32) -> Answer<'_, Vec<(Uuid, String)>>;
    /// Whether the caller is the one of all replicas that does this now: nobody did since `due`.
    fn take_turn(&self, name: &'static str, now: u64, due: u64) -> Answer<'_, bool>;
    fn commit(&self, batch: Batch) -> Answer<'_, u64>;
    /// The number of the latest change that this process has heard of: a reason to poll at once.
    fn watch(&self) -> watch::Receiver<u64>;
}

/// An object as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub kind: Kind,
    pub id: Uuid,
    pub home: Home,
    pub slug: Option<String>,
    /// 1 for a new object, one more with each change.
    pub version: u64,
    /// Milliseconds since 1970, as all times here.
    pub created_at: u64,
    pub updated_at: u64,
    /// JSON. Members that hold secrets are encrypted in it.
    pub body: String,
}

#[derive(Debug, Clone)]
pub struct RowQuery {
    pub kind: Kind,
    pub organisation: OrganisationId,
    /// `None`: of the organisation and of all its workspaces.
    pub workspace: Option<WorkspaceId>,
    pub offset: u64,
    pub limit: u32,
}

/// One version of an object that keeps its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    pub kind: Kind,
    pub id: Uuid,
    pub version: u64,
    pub at: u64,
    /// JSON of the [`Actor`](crate::audit::Actor).
    pub author: String,
    pub comment: String,
    pub body: String,
}

/// That an object changed: enough to know whether one holds it, and to read it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub seq: u64,
    pub op: Op,
    pub kind: Kind,
    pub id: Uuid,
    pub home: Home,
    pub version: u64,
}

#[derive(Debug, Clone, Default)]
pub struct ChangeRows {
    pub changes: Vec<Change>,
    /// The number of the latest change; 0 before the first.
    pub head: u64,
    /// Changes up to this number have been forgotten.
    pub forgotten: u64,
}

/// An audit entry as it is stored: what is chained, and columns to find it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub seq: u64,
    pub at: u64,
    pub organisation: Option<OrganisationId>,
    pub workspace: Option<WorkspaceId>,
    /// JSON.
    pub entry: String,
    pub hash: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct AuditRowQuery {
    pub after: u64,
    pub organisation: Option<OrganisationId>,
    pub workspace: Option<WorkspaceId>,
    /// At or after, and before.
    pub from: u64,
    pub until: u64,
    pub limit: u32,
}

/// A data key, encrypted under a master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    pub id: String,
    /// `None` for the store's own key.
    pub owner: Option<OrganisationId>,
    /// The id of the master key.
    pub master: String,
    pub wrapped: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertStateRow {
    /// From 1, one more with each look that changed something.
    pub version: u64,
    /// JSON.
    pub body: String,
}

/// What a look at a rule found.
#[derive(Debug, Clone)]
pub struct AlertNote {
    pub rule: Uuid,
    /// The version that the look was made from; 0 when there was none.
    pub expected: u64,
    pub state: String,
    pub events: Vec<(Uuid, String)>,
    /// Older events than so many are forgotten.
    pub keep: u32,
}

/// Changes that happen together, with the audit entries that tell of them. Only this crate can make one.
#[derive(Debug)]
pub struct Batch {
    pub(crate) writes: Vec<Write>,
    pub(crate) audit: Vec<AuditDraft>,
    pub(crate) chain: ChainKey,
}

#[derive(Debug)]
pub(crate) enum Write {
    /// The object exists, else the batch fails.
    Require(Kind, Uuid),
    /// The object is as it was, else the batch fails.
    RequireVersion(Kind, Uuid, u64),
    /// Nothing lives in the workspace.
    RequireEmptyWorkspace(OrganisationId, WorkspaceId),
    /// Nothing lives in the organisation but itself.
    RequireEmptyOrganisation(OrganisationId),
    Insert(Row),
    /// `Row::version` is `expected + 1`.
    Update {
        row: Row,
        expected: u64,
    },
    Delete {
        kind: Kind,
        id: Uuid,
        home: Home,
        expected: u64,
    },
    /// All the digests by which the object is found, in place of those before.
    Digests {
        kind: Kind,
        id: Uuid,
        digests: Vec<Digest>,
    },
    Version(VersionRow),
    DataKey(DataKeyRow),
    /// Crypto-shredding: what was encrypted under the owner's keys cannot be read again, from backups neither.
    DropDataKeys(OrganisationId),
    Rewrap {
        id: String,
        from: String,
        to: String,
        wrapped: Vec<u8>,
    },
    /// All data keys are under this master key.
    RequireMaster(String),
}

/// An audit entry before it has its number and its hash.
#[derive(Debug)]
pub(crate) struct AuditDraft {
    pub at: u64,
    pub organisation: Option<OrganisationId>,
    pub workspace: Option<WorkspaceId>,
    pub entry: String,
}
