//! Reading, exporting and verifying the audit log.

use super::Store;
use crate::audit::{AuditEntry, AuditHead, AuditQuery, Detail, Text, same};
use crate::backend::{AuditRow, AuditRowQuery};
use crate::error::StoreError;
use crate::id::{hex, unhex};
use crate::scope::Scope;

/// Rows read at a time.
const STEP: u32 = 500;

/// What a verification found: nothing wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    pub entries: u64,
    pub head: AuditHead,
}

impl Store {
    /// Entries of a scope that the query fits, oldest first, at most `limit`, decrypted. The number to go on after is
    /// that of the last entry looked at; `None` when there are no more.
    ///
    /// # Errors
    /// The database's, or [`StoreError::Tampered`].
    pub async fn audit_log(
        &self,
        scope: &Scope,
        query: &AuditQuery,
        limit: usize,
    ) -> Result<(Vec<AuditEntry>, Option<u64>), StoreError> {
        let mut found = Vec::new();
        let mut after = query.after;
        loop {
            let rows = self.0.backend.audit(AuditRowQuery {
                after,
                organisation: Some(scope.organisation()),
                workspace: scope.workspace(),
                from: query.from.unwrap_or(0).min(i64::MAX as u64),
                until: query.until.unwrap_or(i64::MAX as u64).min(i64::MAX as u64),
                limit: STEP,
            });
            let rows = rows.await?;
            if rows.is_empty() {
                return Ok((found, None));
            }
            for row in rows {
                if found.len() >= limit {
                    return Ok((found, Some(after)));
                }
                after = row.seq;
                found.extend(self.entry(&row, query).await?);
            }
        }
    }

    /// Entries of a scope as JSON lines, up to `limit` of them, and the number to go on after.
    ///
    /// # Errors
    /// As [`Store::audit_log`].
    pub async fn export_audit(
        &self,
        scope: &Scope,
        query: &AuditQuery,
        limit: usize,
    ) -> Result<(String, Option<u64>), StoreError> {
        let (entries, next) = self.audit_log(scope, query, limit).await?;
        let mut lines = String::new();
        for entry in entries {
            lines.push_str(&serde_json::to_string(&entry).map_err(StoreError::internal)?);
            lines.push('\n');
        }
        Ok((lines, next))
    }

    /// The end of the log. Kept outside of the database, it lets [`Store::verify_audit`] notice that newer entries
    /// were cut off.
    ///
    /// # Errors
    /// The database's.
    pub async fn audit_head(&self) -> Result<AuditHead, StoreError> {
        let (seq, hash) = self.0.backend.audit_head().await?;
        Ok(AuditHead { seq, hash: hex(&hash) })
    }

    /// Reads the whole log and checks every entry, also against a head that was kept.
    ///
    /// # Errors
    /// [`StoreError::AuditBroken`] naming the first entry that is not what was written.
    pub async fn verify_audit(&self, kept: Option<&AuditHead>) -> Result<AuditReport, StoreError> {
        // Read first: entries that come while this runs are beyond it.
        let (head, head_hash) = self.0.backend.audit_head().await?;
        let (mut seq, mut hash) = (0, Vec::new());
        let broken = |at, problem: &str| Err(StoreError::AuditBroken { at, problem: problem.to_owned() });
        while seq < head {
            let rows = self.0.backend.audit(AuditRowQuery {
                after: seq,
                organisation: None,
                workspace: None,
                from: 0,
                until: i64::MAX as u64,
                limit: STEP,
            });
            let rows = rows.await?;
            if rows.is_empty() {
                return broken(seq + 1, "is missing, and so is what came after it");
            }
            for row in rows.into_iter().filter(|row| row.seq <= head) {
                if row.seq != seq + 1 {
                    return broken(seq + 1, "is missing");
                }
                let expected = self.0.chain.link(&hash, row.seq, &row.entry);
                if !same(&expected, &row.hash) {
                    return broken(row.seq, "was altered, or is not where it was written");
                }
                if !columns_agree(&row) {
                    return broken(row.seq, "is filed under another time, organisation or workspace");
                }
                if kept.is_some_and(|kept| {
                    kept.seq == row.seq && !unhex(&kept.hash).is_some_and(|hash| same(&hash, &row.hash))
                }) {
                    return broken(row.seq, "is not the one that was the last when the head was kept");
                }
                (seq, hash) = (row.seq, row.hash);
            }
        }
        if !same(&hash, &head_hash) {
            return broken(head, "is not the one that was written last");
        }
        if let Some(kept) = kept.filter(|kept| kept.seq > head) {
            return broken(kept.seq, "is missing: the log was cut off after the head was kept");
        }
        Ok(AuditReport { entries: seq, head: AuditHead { seq, hash: hex(&hash) } })
    }

    async fn entry(&self, row: &AuditRow, query: &AuditQuery) -> Result<Option<AuditEntry>, StoreError> {
        let Text { event, detail } = parse(row)?;
        let fits = query.action.is_none_or(|action| action == event.action)
            && query.kind.is_none_or(|kind| kind == event.resource_type)
            && query.actor.as_ref().is_none_or(|actor| *actor == event.actor)
            && query.resource.is_none_or(|id| id == event.resource_id);
        let Some(organisation) = event.organisation_id.filter(|_| fits) else { return Ok(None) };
        let detail = match self.sealer(organisation, event.resource_type, event.resource_id).await {
            Ok(sealer) => serde_json::from_slice(&sealer.open("audit", "", &detail)?)
                .map_err(|_| StoreError::internal("an audit entry's detail cannot be read"))?,
            // The organisation was removed, and its key with it.
            Err(StoreError::NotFound { .. }) => Detail::default(),
            Err(error) => return Err(error),
        };
        let Detail { before, after } = detail;
        Ok(Some(AuditEntry { seq: row.seq, hash: hex(&row.hash), event, before, after }))
    }
}

fn parse(row: &AuditRow) -> Result<Text, StoreError> {
    serde_json::from_str(&row.entry)
        .map_err(|error| StoreError::AuditBroken { at: row.seq, problem: format!("cannot be read: {error}") })
}

fn columns_agree(row: &AuditRow) -> bool {
    parse(row).is_ok_and(|text| {
        text.event.at == row.at
            && text.event.organisation_id == row.organisation
            && text.event.workspace_id == row.workspace
    })
}
