//! Reads, each within a scope.

use serde::Deserialize;
use uuid::Uuid;

use super::{Store, codec};
use crate::audit::Actor;
use crate::backend::{Row, RowQuery};
use crate::entity::{Backing, Entity, Grants, Integration, Limits, Provider, Stored};
use crate::error::StoreError;
use crate::id::EntityId;
use crate::scope::{Home, Page, Scope};
use crate::vault::Sealer;

/// A part of a list and how long the whole is.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<E: Entity> {
    pub rows: Vec<Stored<E>>,
    pub total: u64,
}

/// One version of an object that keeps its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Version<E> {
    pub version: u64,
    /// Milliseconds since 1970.
    pub at: u64,
    pub author: Actor,
    pub comment: String,
    pub entity: E,
}

impl Store {
    /// # Errors
    /// [`StoreError::NotFound`], also for an object outside of the scope.
    pub async fn get<E: Entity>(&self, scope: &Scope, id: E::Id) -> Result<Stored<E>, StoreError> {
        let row = self.0.backend.row(E::KIND, id.uuid()).await?;
        self.seen(scope, row).await?.ok_or_else(|| not_found::<E>(id.to_string()))
    }

    /// The object by its slug at the scope's own level: that of the workspace, or of the organisation.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn by_slug<E: Entity>(&self, scope: &Scope, slug: &str) -> Result<Stored<E>, StoreError> {
        let organisation = scope.organisation();
        // Workspaces are objects of the organisation: those inside may still name their own.
        let workspace = scope.workspace().filter(|_| E::LEVEL != crate::entity::Level::Organisation);
        let row =
            self.0.backend.row_by_slug(E::KIND, Home { organisation, workspace }, slug.to_owned()).await?;
        self.seen(scope, row).await?.ok_or_else(|| not_found::<E>(slug.to_owned()))
    }

    /// # Errors
    /// The database's.
    pub async fn list<E: Entity>(&self, scope: &Scope, page: Page) -> Result<Listing<E>, StoreError> {
        if let (Scope::Workspace(_, workspace), crate::kind::Kind::Workspace) = (scope, E::KIND) {
            let own = self.get::<E>(scope, E::Id::from_uuid(workspace.uuid())).await;
            let rows: Vec<_> = own.into_iter().skip(usize::try_from(page.offset).unwrap_or(1)).collect();
            return Ok(Listing { rows, total: 1 });
        }
        let query = RowQuery {
            kind: E::KIND,
            organisation: scope.organisation(),
            workspace: scope.workspace(),
            offset: page.offset.min(i64::MAX as u64),
            limit: page.limit.clamp(1, Page::MAX),
        };
        let (rows, total) = self.0.backend.rows(query).await?;
        let mut listing = Listing { rows: Vec::with_capacity(rows.len()), total };
        for row in rows {
            listing.rows.push(self.decode(&row).await?);
        }
        Ok(listing)
    }

    /// Objects of all organisations in the order of their ids, after `after`: how a data plane fills its memory.
    ///
    /// # Errors
    /// The database's.
    pub async fn scan<E: Entity>(
        &self,
        after: Option<E::Id>,
        limit: u32,
    ) -> Result<Vec<Stored<E>>, StoreError> {
        let limit = limit.clamp(1, Page::MAX);
        let rows = self.0.backend.scan(E::KIND, after.map(EntityId::uuid), limit).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(self.decode(&row).await?);
        }
        Ok(found)
    }

    /// One object of whatever organisation, for those who follow [`Store::changes`]; `None` when it is gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn follow<E: Entity>(&self, id: Uuid) -> Result<Option<Stored<E>>, StoreError> {
        match self.0.backend.row(E::KIND, id).await? {
            Some(row) => self.decode(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Versions before `before` (`None`: all), newest first. Empty for kinds without history.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for an object outside of the scope.
    pub async fn history<E: Entity>(
        &self,
        scope: &Scope,
        id: E::Id,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Version<E>>, StoreError> {
        let home = self.get::<E>(scope, id).await?.home;
        let sealer = self.sealer(home.organisation, E::KIND, id.uuid()).await?;
        let before = before.unwrap_or(i64::MAX as u64).min(i64::MAX as u64);
        let rows = self.0.backend.versions(E::KIND, id.uuid(), before, limit.clamp(1, Page::MAX)).await?;
        let read = |row: crate::backend::VersionRow| {
            Ok(Version {
                version: row.version,
                at: row.at,
                author: Actor::deserialize(&mut serde_json::Deserializer::from_str(&row.author))
                    .map_err(StoreError::internal)?,
                comment: row.comment,
                entity: codec::decode_text(&row.body, &sealer)?,
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// The integration behind a provider, with the limits its workspace has there; `None` when the provider has a
    /// connection of its own.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the integration is gone, disabled, or not lent to the provider's workspace.
    pub async fn integration_of(
        &self,
        provider: &Stored<Provider>,
    ) -> Result<Option<(Stored<Integration>, Limits)>, StoreError> {
        let Backing::Integration(id) = provider.entity.backing else { return Ok(None) };
        let home = provider.home;
        let integration = self.get::<Integration>(&Scope::Organisation(home.organisation), id).await?;
        let limits = match (integration.home.workspace, home.workspace) {
            (Some(owner), user) => (user == Some(owner)).then(Limits::default),
            (None, Some(user)) => Grants::of(&integration.entity.grants, user).cloned(),
            (None, None) => None,
        };
        match limits.filter(|_| !integration.entity.disabled) {
            Some(limits) => Ok(Some((integration, limits))),
            None => Err(not_found::<Integration>(id.to_string())),
        }
    }

    pub(super) async fn seen<E: Entity>(
        &self,
        scope: &Scope,
        row: Option<Row>,
    ) -> Result<Option<Stored<E>>, StoreError> {
        match row.filter(|row| scope.sees(row)) {
            Some(row) => self.decode(&row).await.map(Some),
            None => Ok(None),
        }
    }

    pub(super) async fn decode<E: Entity>(&self, row: &Row) -> Result<Stored<E>, StoreError> {
        let sealer: Sealer = self.sealer(row.home.organisation, E::KIND, row.id).await?;
        codec::stored(row, &sealer)
    }
}

pub(super) fn not_found<E: Entity>(what: String) -> StoreError {
    StoreError::NotFound { kind: E::KIND, what }
}
