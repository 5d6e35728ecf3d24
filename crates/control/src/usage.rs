//! How much of its budgets an object has used. Whoever keeps the books answers; without one, nothing is used.

use std::fmt;
use std::pin::Pin;

use tidegate_ledger::{Amount, Unit};
use tidegate_store::id::{ApiKeyId, IntegrationId, PolicyId, ProviderId, WorkspaceId};

/// Whose budgets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    ApiKey(ApiKeyId),
    Workspace(WorkspaceId),
    /// A virtual key is one as well.
    Provider(ProviderId),
    /// A workspace's use of an integration.
    Integration(IntegrationId, WorkspaceId),
    /// One value of a usage policy's group, such as `metadata._user:alice`.
    Policy(PolicyId, String),
}

/// One budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub unit: Unit,
    pub limit: Amount,
    /// Settled, and held since a crash.
    pub used: Amount,
    /// Set aside for requests under way.
    pub reserved: Amount,
    pub is_exhausted: bool,
    /// The next reset, in milliseconds since 1970; `None` for never.
    pub resets_at: Option<u64>,
}

/// One value of a policy's group that was seen, and its budgets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// `metadata._user:alice`; of several keys, joined with commas.
    pub value_key: String,
    pub standing: Standing,
    /// The alerts of this period that were raised.
    pub threshold_alerted: bool,
    pub exhausted_alerted: bool,
}

/// What a crash left open: it counts as spent until somebody says what it cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub id: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    /// The id of its request. Empty for what may have gone out unrecorded, and where no records are kept.
    pub request: String,
    /// Its trace, if its caller said one.
    pub trace: String,
    pub parts: Vec<HeldPart>,
}

/// What is held on one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldPart {
    pub subject: Subject,
    pub unit: Unit,
    pub amount: Amount,
}

/// What something cost that was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing.
    Release,
    /// All that is held.
    Settle,
    /// So many US dollars, and so many tokens.
    Cost { cost: Amount, tokens: u64 },
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release => f.write_str("released"),
            Self::Settle => f.write_str("settled whole"),
            Self::Cost { cost, tokens } => write!(f, "settled at {cost} USD and {tokens} tokens"),
        }
    }
}

/// Why it was not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResolveError {
    /// Nothing of that id is held.
    NotThere,
    /// The books cannot be written.
    Unable(String),
}

/// Completes when the books have it on disk.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = Result<(), ResolveError>> + Send + 'a>>;

/// The reset could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetError(pub String);

impl fmt::Display for ResetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the usage was not set back: {}", self.0)
    }
}

impl std::error::Error for ResetError {}

/// Asked for each row of a list: answers from memory.
pub trait Usage: Send + Sync + fmt::Debug {
    /// One for each budget of the object; empty when it has none.
    fn standing(&self, subject: &Subject) -> Vec<Standing>;

    /// The values of a usage policy that were seen in the running period.
    fn counted(&self, policy: PolicyId) -> Vec<Counted>;

    /// Sets the usage of all budgets of the object to nothing.
    ///
    /// # Errors
    /// [`ResetError`]
    fn reset(&self, subject: &Subject) -> Result<(), ResetError>;

    /// What crashes left open in these books, by id.
    fn held(&self) -> Vec<Held> {
        Vec::new()
    }

    /// Says what something cost that is held.
    fn resolve(&self, _id: u64, _resolution: Resolution) -> Resolving<'_> {
        Box::pin(std::future::ready(Err(ResolveError::NotThere)))
    }
}

/// Nobody counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Uncounted;

impl Usage for Uncounted {
    fn standing(&self, _: &Subject) -> Vec<Standing> {
        Vec::new()
    }

    fn counted(&self, _: PolicyId) -> Vec<Counted> {
        Vec::new()
    }

    fn reset(&self, _: &Subject) -> Result<(), ResetError> {
        Ok(())
    }
}
