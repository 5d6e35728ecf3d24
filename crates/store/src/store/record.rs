//! Audit entries for changes.

use serde_json::Value;
use uuid::Uuid;

use super::{Store, codec, own_sealer};
use crate::audit::{By, Detail, Event, Text, mask};
use crate::backend::{AuditDraft, Row};
use crate::entity::Entity;
use crate::error::StoreError;
use crate::kind::{Action, Kind};
use crate::vault::Sealer;

impl Store {
    pub(super) fn draft_of<E: Entity>(
        &self,
        by: &By,
        action: Action,
        row: &Row,
        sealer: &Sealer,
        before: Option<&E>,
        after: Option<&E>,
    ) -> Result<AuditDraft, StoreError> {
        let shown = |entity: Option<&E>| entity.map_or(Ok(Value::Null), codec::clear).map(mask);
        let named = after.or(before);
        let event = Event {
            at: self.now(),
            organisation_id: Some(row.home.organisation),
            workspace_id: row.home.workspace,
            actor: by.actor.clone(),
            action,
            resource_type: row.kind,
            resource_id: row.id,
            resource_name: named.map_or("", Entity::label).chars().take(255).collect(),
            version: row.version,
            origin: by.origin.cut(),
            comment: by.comment.chars().take(1_000).collect(),
        };
        draft(event, sealer, shown(before)?, shown(after)?)
    }

    /// An entry about the store itself.
    pub(super) fn draft_of_store(
        &self,
        by: &By,
        action: Action,
        after: Value,
    ) -> Result<AuditDraft, StoreError> {
        let event = event_of_store(by, action, self.now());
        draft(event, &own_sealer(&self.0.vault)?, Value::Null, after)
    }
}

pub(super) fn event_of_store(by: &By, action: Action, at: u64) -> Event {
    Event {
        at,
        organisation_id: None,
        workspace_id: None,
        actor: by.actor.clone(),
        action,
        resource_type: Kind::Store,
        resource_id: Uuid::nil(),
        resource_name: "store".to_owned(),
        version: 0,
        origin: by.origin.cut(),
        comment: by.comment.chars().take(1_000).collect(),
    }
}

pub(super) fn draft(
    event: Event,
    sealer: &Sealer,
    before: Value,
    after: Value,
) -> Result<AuditDraft, StoreError> {
    let detail = serde_json::to_vec(&Detail { before, after }).map_err(StoreError::internal)?;
    let detail = sealer.seal("audit", "", &detail)?;
    let (at, organisation, workspace) = (event.at, event.organisation_id, event.workspace_id);
    let entry = serde_json::to_string(&Text { event, detail }).map_err(StoreError::internal)?;
    Ok(AuditDraft { at, organisation, workspace, entry })
}
