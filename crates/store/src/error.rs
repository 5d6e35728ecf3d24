//! What can go wrong with the store, each with what the caller needs to act on it.

use std::fmt;

use crate::kind::Kind;

/// A failure of the store. Texts name ids, slugs and members, never contents and never secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// There is no such object, or it is not in the scope that was asked: the two are told alike on purpose.
    NotFound { kind: Kind, what: String },
    /// Somebody else changed the object first. `current` is the version to read and start again from.
    Conflict { kind: Kind, what: String, expected: u64, current: u64 },
    /// The slug, address or secret is in use by another object of the same kind in the same place.
    Taken { kind: Kind, what: String },
    /// A member of the object is out of bounds.
    Invalid { field: String, problem: String },
    /// The object still owns others, `example` being the kind of one of them.
    HasDependents { kind: Kind, what: String, example: String },
    /// The database was made by a newer program that says this one must not read it.
    TooNew { found: u32, needs: u32, ours: u32 },
    /// The database was made by a newer program; this one may read it but not change it.
    ReadOnly { found: u32, ours: u32 },
    /// A migration that has run is not the one that this program knows under its number.
    MigrationAltered { number: u32 },
    /// A migration failed; the schema is what it was before.
    MigrationFailed { number: u32, reason: String },
    /// No master key that was given is the one the data is encrypted under.
    WrongMasterKey { needed: String, given: Vec<String> },
    /// The master key's text or file cannot be used.
    MasterKey { place: String, problem: String },
    /// A stored ciphertext does not belong to the place it was found in, or was altered.
    Tampered { what: String },
    /// The changes that were asked for are gone; read everything again and follow from the head.
    ChangesGone { since: u64, oldest: u64 },
    /// The audit log is not what was written.
    AuditBroken { at: u64, problem: String },
    /// The database does not answer now; nothing was changed, as far as anybody knows.
    Away { reason: String },
    /// The database file cannot be used as it is (backup, restore, permissions, damage).
    File { path: String, problem: String },
    /// A defect, or a database that holds what this program never writes.
    Internal { reason: String },
}

impl StoreError {
    pub(crate) fn invalid(field: &str, problem: impl Into<String>) -> Self {
        Self::Invalid { field: field.to_owned(), problem: problem.into() }
    }

    pub(crate) fn internal(reason: impl fmt::Display) -> Self {
        Self::Internal { reason: reason.to_string() }
    }

    pub(crate) fn away(reason: impl fmt::Display) -> Self {
        Self::Away { reason: reason.to_string() }
    }

    pub(crate) fn file(path: &std::path::Path, problem: impl fmt::Display) -> Self {
        Self::File { path: path.display().to_string(), problem: problem.to_string() }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { kind, what } => write!(f, "there is no {kind} {what}"),
            Self::Conflict { kind, what, expected, current } => write!(
                f,
                "{kind} {what} is at version {current}, the change was made from version {expected}: \
                 read it again"
            ),
            Self::Taken { kind, what } => write!(f, "another {kind} has {what} already"),
            Self::Invalid { field, problem } => write!(f, "{field}: {problem}"),
            Self::HasDependents { kind, what, example } => {
                write!(f, "{kind} {what} still has objects of its own, such as {example}")
            }
            Self::TooNew { found, needs, ours } => write!(
                f,
                "the database has schema {found}, which programs that know schema {needs} or later can read; \
                 this one knows {ours}: use a newer tidegate"
            ),
            Self::ReadOnly { found, ours } => write!(
                f,
                "the database has schema {found} and this program knows {ours}: it can read but not change it"
            ),
            Self::MigrationAltered { number } => write!(
                f,
                "migration {number} of the database is not the one this program has under that number"
            ),
            Self::MigrationFailed { number, reason } => {
                write!(f, "migration {number} failed and the schema is what it was: {reason}")
            }
            Self::WrongMasterKey { needed, given } => write!(
                f,
                "the data is encrypted under master key {needed}; given: {}",
                if given.is_empty() { "none".to_owned() } else { given.join(", ") }
            ),
            Self::MasterKey { place, problem } => write!(f, "master key in {place}: {problem}"),
            Self::Tampered { what } => {
                write!(f, "the stored secret of {what} was altered, or moved there from another place")
            }
            Self::ChangesGone { since, oldest } => write!(
                f,
                "changes after {since} are gone, the oldest kept is {oldest}: read everything again"
            ),
            Self::AuditBroken { at, problem } => write!(f, "audit log, entry {at}: {problem}"),
            Self::Away { reason } => write!(f, "the database does not answer: {reason}"),
            Self::File { path, problem } => write!(f, "{path}: {problem}"),
            Self::Internal { reason } => write!(f, "store: {reason}"),
        }
    }
}

impl std::error::Error for StoreError {}
