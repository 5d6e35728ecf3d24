//! Why a command did not do what it was asked, and the exit code that tells scripts.

use std::fmt;
use std::process::ExitCode;

use tidegate_ledger::ReadError;
use tidegate_store::StoreError;

/// What stands on standard error, and how the process ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub kind: FailureKind,
    /// What is wrong and what would be right; several lines at times. No secret.
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// A comparison found a difference: the message is it, and belongs on standard output. Exit code 1.
    Differs,
    /// Refused by the gateway, or not possible here. Exit code 1.
    Failed,
    /// What was asked cannot be meant. Exit code 2, as for arguments that do not parse.
    Usage,
    /// A check found that something was altered or lost. Exit code 3.
    Damaged,
    /// No gateway answers there. Exit code 4.
    Unreachable,
    /// The key may not do it. Exit code 1.
    Forbidden,
    /// There is no such object. Exit code 1.
    NotFound,
    /// There is no key, or the gateway does not take it. Exit code 5.
    Key,
}

impl FailureKind {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Differs | Self::Failed | Self::Forbidden | Self::NotFound => 1,
            Self::Usage => 2,
            Self::Damaged => 3,
            Self::Unreachable => 4,
            Self::Key => 5,
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Failed, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.kind.exit_code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::AuditBroken { .. } | StoreError::Tampered { .. } => FailureKind::Damaged,
            StoreError::WrongMasterKey { .. } | StoreError::MasterKey { .. } => FailureKind::Key,
            _ => FailureKind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        let kind = match error {
            ReadError::Io { .. } => FailureKind::Failed,
            _ => FailureKind::Damaged,
        };
        Self::new(kind, error.to_string())
    }
}
