//! Changing the master key.

use serde_json::json;

use super::Store;
use crate::audit::By;
use crate::backend::Write;
use crate::error::StoreError;
use crate::kind::Action;
use crate::vault::MasterKeys;

impl Store {
    /// Encrypts all data keys anew under the first of `masters`, in one transaction. `masters` has the old keys behind
    /// the new one; when this has returned, the old ones are needed by older backups only. Returns how many data keys
    /// were encrypted anew. Replicas must have been given the new key before.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when one of the old keys is missing; nothing was changed then.
    pub async fn rotate_master(&self, by: &By, masters: MasterKeys) -> Result<usize, StoreError> {
        let current = masters.current().id().to_owned();
        self.0.vault.check(&masters, &self.0.backend.data_keys().await?)?;
        self.0.vault.replace_masters(masters);
        loop {
            let rows = self.0.backend.data_keys().await?;
            let old: Vec<_> = rows.into_iter().filter(|row| row.master != current).collect();
            if old.is_empty() {
                return Ok(0);
            }
            let mut writes = Vec::with_capacity(old.len() + 1);
            for row in &old {
                let new = self.0.vault.rewrap(row)?;
                writes.push(Write::Rewrap {
                    id: new.id,
                    from: row.master.clone(),
                    to: new.master,
                    wrapped: new.wrapped,
                });
            }
            writes.push(Write::RequireMaster(current.clone()));
            let after = json!({ "master": current, "data_keys": old.len() });
            let draft = self.draft_of_store(by, Action::Rotate, after)?;
            match self.commit(writes, vec![draft]).await {
                // An organisation came or went in between.
                Err(StoreError::Conflict { .. }) => {}
                outcome => return outcome.map(|()| old.len()),
            }
        }
    }
}
