use std::fmt;

use tidegate_ledger::PoolAway;

/// Why the database could not be opened, or did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PoolError {
    /// No connection, or no answer in time. What was asked may have been done.
    Away(PoolAway),
    /// A newer program made the tables.
    TooNew { found: u32, ours: u32 },
    /// The server refused what it was told: a mistake of this program, or tables that somebody altered.
    Refused(String),
    /// No such budget, or nothing of it is held there.
    NotThere,
}

impl PoolError {
    pub(crate) fn away(reason: impl fmt::Display) -> Self {
        Self::Away(PoolAway { reason: reason.to_string() })
    }
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(away) => away.fmt(f),
            Self::TooNew { found, ours } => {
                write!(f, "the pool of budgets has schema {found}, and this program knows {ours}")
            }
            Self::Refused(reason) => write!(f, "the pool of budgets refused: {reason}"),
            Self::NotThere => {
                f.write_str("there is no such budget in the pool, or nothing of it is held there")
            }
        }
    }
}

impl std::error::Error for PoolError {}
