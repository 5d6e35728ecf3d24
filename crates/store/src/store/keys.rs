//! API keys: kept, rotated, found, revoked. Their texts are made elsewhere.

use tidegate_core::Secret;

use super::{Expected, Store};
use crate::audit::By;
use crate::entity::{ApiKey, Entity, KeySecret, Standing, Stored};
use crate::error::StoreError;
use crate::id::{ApiKeyId, EntityId};
use crate::kind::{Action, Kind};
use crate::scope::{Home, Scope};
use crate::token::{self, Digest};

impl Store {
    /// Makes a key that is known by this text, of which only the hash is kept. What a key looks like is not the store's
    /// to say.
    ///
    /// # Errors
    /// As [`Store::create`], [`StoreError::Invalid`] for fewer than 20 characters, [`StoreError::Taken`] when a key has
    /// this text.
    pub async fn create_key_as(
        &self,
        by: &By,
        home: Home,
        mut key: ApiKey,
        text: &Secret,
    ) -> Result<Stored<ApiKey>, StoreError> {
        key.secrets = vec![self.key_secret(text)?];
        self.create(by, home, key).await
    }

    /// [`Store::create_key_as`] for a key that exists at most once: however many make it at once, one does.
    ///
    /// # Errors
    /// As [`Store::create_key_as`]; [`StoreError::Taken`] also when there is an object with this id.
    pub async fn create_key_once(
        &self,
        by: &By,
        home: Home,
        id: ApiKeyId,
        mut key: ApiKey,
        text: &Secret,
    ) -> Result<Stored<ApiKey>, StoreError> {
        key.secrets = vec![self.key_secret(text)?];
        self.insert(by, home, id, key, Vec::new()).await
    }

    fn key_secret(&self, text: &Secret) -> Result<KeySecret, StoreError> {
        if !token::is_long_enough(text) {
            return Err(StoreError::invalid("key", "must have at least 20 characters"));
        }
        Ok(KeySecret::new(text, self.now()))
    }

    /// Gives a key this text. The one before works for `overlap_ms` more (none: at once no longer); the time until
    /// which it does is returned.
    ///
    /// # Errors
    /// As [`Store::update`] and [`Store::create_key_as`], and [`StoreError::Invalid`] for a revoked key or an overlap
    /// beyond a year.
    pub async fn rotate_key_as(
        &self,
        by: &By,
        scope: &Scope,
        id: ApiKeyId,
        text: &Secret,
        overlap_ms: u64,
    ) -> Result<(Stored<ApiKey>, u64), StoreError> {
        const YEAR: u64 = 366 * 86_400_000;
        if overlap_ms > YEAR {
            return Err(StoreError::invalid("key_transition_period_ms", "must not be longer than a year"));
        }
        let secret = self.key_secret(text)?;
        let now = self.now();
        let until = now + overlap_ms;
        let change = |key: &mut ApiKey| {
            if key.revoked_at.is_some() {
                return Err(StoreError::invalid("status", "a revoked key cannot be rotated"));
            }
            // A text that it had before may come back.
            key.secrets.retain(|old| old.digest() != secret.digest());
            for old in &mut key.secrets {
                old.until = Some(old.until.map_or(until, |earlier| earlier.min(until)));
            }
            key.secrets.insert(0, secret.clone());
            key.secrets.truncate(ApiKey::MAX_SECRETS);
            Ok(())
        };
        let stored = self.update_as(Action::Rotate, by, scope, id, Expected::Latest, change).await?;
        Ok((stored, until))
    }

    /// Revokes a key for good. It stays, so that logs and errors can name it.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub async fn revoke_key(
        &self,
        by: &By,
        scope: &Scope,
        id: ApiKeyId,
    ) -> Result<Stored<ApiKey>, StoreError> {
        let now = self.now();
        let change = |key: &mut ApiKey| {
            key.revoked_at.get_or_insert(now);
            Ok(())
        };
        self.update_as(Action::Revoke, by, scope, id, Expected::Latest, change).await
    }

    /// The key that a caller sent, and whether it may be used now. `None` for a text that was never handed out, or
    /// was replaced so long ago that it is no longer kept.
    ///
    /// # Errors
    /// The database's.
    pub async fn find_key(&self, text: &Secret) -> Result<Option<(Stored<ApiKey>, Standing)>, StoreError> {
        let digest = Digest::of(text);
        let Some(row) = self.0.backend.row_by_digest(Kind::ApiKey, digest).await? else { return Ok(None) };
        let key: Stored<ApiKey> = self.decode(&row).await?;
        let standing = key.entity.standing(&digest, self.now());
        Ok(Some((key, standing)))
    }

    /// Notes when keys were last used (milliseconds since 1970). Meant for a batch every few seconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn touch<E: Entity>(&self, uses: &[(E::Id, u64)]) -> Result<(), StoreError> {
        let uses = uses.iter().map(|(id, at)| (E::KIND, id.uuid(), *at)).collect();
        self.0.backend.touch(uses).await
    }

    /// When objects were last used; those that never were are left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_used<E: Entity>(&self, ids: &[E::Id]) -> Result<Vec<(E::Id, u64)>, StoreError> {
        let ids = ids.iter().map(|id| id.uuid()).collect();
        let found = self.0.backend.last_used(E::KIND, ids).await?;
        Ok(found.into_iter().map(|(id, at)| (E::Id::from_uuid(id), at)).collect())
    }
}
