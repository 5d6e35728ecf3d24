//! Between values and columns, and between rows and refusals, for both databases.

use uuid::Uuid;

use crate::backend::Row;
use crate::error::StoreError;
use crate::id::{EntityId, OrganisationId, WorkspaceId, parse};
use crate::kind::Kind;
use crate::scope::Home;

/// Databases have no unsigned numbers. Versions, times and counters never come near the end.
pub(crate) fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn natural(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn missing(kind: Kind, id: Uuid) -> StoreError {
    StoreError::NotFound { kind, what: id.to_string() }
}

pub(crate) fn taken(row: &Row) -> StoreError {
    StoreError::Taken { kind: row.kind, what: row.slug.clone().unwrap_or_else(|| row.id.to_string()) }
}

/// Refuses what still owns others, of which `example` is one.
pub(crate) fn nothing(example: Option<String>, kind: Kind, what: impl ToString) -> Result<(), StoreError> {
    match example {
        None => Ok(()),
        Some(example) => Err(StoreError::HasDependents { kind, what: what.to_string(), example }),
    }
}

pub(crate) fn workspace(workspace: Option<WorkspaceId>) -> String {
    workspace.map_or_else(String::new, |workspace| workspace.to_string())
}

pub(crate) fn owner(organisation: Option<OrganisationId>) -> String {
    organisation.map_or_else(String::new, |organisation| organisation.to_string())
}

pub(crate) fn organisation(text: &str) -> Result<Option<OrganisationId>, StoreError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(|id| Some(OrganisationId::from_uuid(id))) }
}

pub(crate) fn workspace_of(text: &str) -> Result<Option<WorkspaceId>, StoreError> {
    if text.is_empty() { Ok(None) } else { parse(text).map(|id| Some(WorkspaceId::from_uuid(id))) }
}

pub(crate) fn home(org: &str, workspace: &str) -> Result<Home, StoreError> {
    Ok(Home { organisation: org.parse()?, workspace: workspace_of(workspace)? })
}

/// # Errors
/// [`StoreError::NotFound`] and [`StoreError::Conflict`].
pub(crate) fn unchanged(row: Option<&Row>, kind: Kind, id: Uuid, expected: u64) -> Result<(), StoreError> {
    match row.map(|row| row.version) {
        None => Err(missing(kind, id)),
        Some(current) if current == expected => Ok(()),
        Some(current) => Err(StoreError::Conflict { kind, what: id.to_string(), expected, current }),
    }
}
