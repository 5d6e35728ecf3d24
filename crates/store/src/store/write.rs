//! Changes. Each is one batch: the object, its history, the hashes it is found by, and the audit entry.

use uuid::Uuid;

use super::{Store, codec};
use crate::audit::By;
use crate::backend::{AuditDraft, Batch, Row, VersionRow, Write};
use crate::entity::{Entity, Organisation, Stored, Workspace};
use crate::error::StoreError;
use crate::id::{EntityId, OrganisationId, WorkspaceId};
use crate::kind::{Action, Kind};
use crate::scope::{Home, Scope};

/// Which version a change is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The one the caller read: another one is a [`StoreError::Conflict`].
    Version(u64),
    /// Whatever is there. Still no change is lost: when somebody else comes in between, the change is made again
    /// from what they wrote.
    Latest,
}

/// How often a change from [`Expected::Latest`] is tried.
const TRIES: u32 = 16;

impl Store {
    /// Makes an organisation, with its data key.
    ///
    /// # Errors
    /// [`StoreError::Invalid`], [`StoreError::Taken`], or the database's.
    pub async fn create_organisation(
        &self,
        by: &By,
        organisation: Organisation,
    ) -> Result<Stored<Organisation>, StoreError> {
        self.create_organisation_once(by, OrganisationId::make(self.now())?, organisation).await
    }

    /// [`Store::create_organisation`] for one that exists at most once: however many make it at once, one does.
    ///
    /// # Errors
    /// As [`Store::create_organisation`]; [`StoreError::Taken`] also when there is one with this id.
    pub async fn create_organisation_once(
        &self,
        by: &By,
        id: OrganisationId,
        organisation: Organisation,
    ) -> Result<Stored<Organisation>, StoreError> {
        let _founding = self.0.founding.lock().await;
        if self.0.backend.row(Kind::Organisation, id.uuid()).await?.is_some() {
            return Err(StoreError::Taken { kind: Kind::Organisation, what: id.to_string() });
        }
        let key = self.0.vault.make(Some(id))?;
        self.0.vault.take(std::slice::from_ref(&key))?;
        let made = self.insert(by, Home::organisation(id), id, organisation, vec![Write::DataKey(key)]).await;
        if made.is_err() {
            // Another replica's key may be the one that counts: it is read when it is needed.
            self.0.vault.forget(id);
        }
        made
    }

    /// Makes an object in its place.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a member out of bounds, [`StoreError::Taken`] for a slug in use,
    /// [`StoreError::NotFound`] when organisation or workspace are not there.
    pub async fn create<E: Entity>(&self, by: &By, home: Home, entity: E) -> Result<Stored<E>, StoreError> {
        if E::KIND == Kind::Organisation {
            return Err(StoreError::invalid("organisation", "is made by create_organisation"));
        }
        self.insert(by, home, E::Id::make(self.now())?, entity, Vec::new()).await
    }

    pub(super) async fn insert<E: Entity>(
        &self,
        by: &By,
        home: Home,
        id: E::Id,
        mut entity: E,
        mut writes: Vec<Write>,
    ) -> Result<Stored<E>, StoreError> {
        home.check(E::KIND, E::LEVEL)?;
        let sealer = self.sealer(home.organisation, E::KIND, id.uuid()).await?;
        entity.check()?;
        entity.prepare(None, &sealer)?;
        let now = self.now();
        let row = Row {
            kind: E::KIND,
            id: id.uuid(),
            home,
            slug: entity.slug().map(str::to_owned),
            version: 1,
            created_at: now,
            updated_at: now,
            body: codec::encode(&entity, None, &sealer)?,
        };
        if E::KIND != Kind::Organisation {
            writes.push(Write::Require(Kind::Organisation, home.organisation.uuid()));
        }
        if let Some(workspace) = home.workspace {
            // Of this organisation: one cannot write into another's workspace by its id.
            self.get::<Workspace>(&Scope::Organisation(home.organisation), workspace).await?;
            writes.push(Write::Require(Kind::Workspace, workspace.uuid()));
        }
        self.require_all(home, entity.refers(), &mut writes).await?;
        let draft = self.draft_of::<E>(by, Action::Create, &row, &sealer, None, Some(&entity))?;
        let version = self.version_of::<E>(by, &row)?;
        writes.push(Write::Insert(row));
        writes.extend(version);
        let digests = entity.digests();
        if !digests.is_empty() {
            writes.push(Write::Digests { kind: E::KIND, id: id.uuid(), digests });
        }
        let stored = Stored { id, home, version: 1, created_at: now, updated_at: now, entity };
        self.commit(writes, vec![draft]).await?;
        Ok(stored)
    }

    /// Changes an object. `change` may be called several times, each time with what is stored then. Nothing is
    /// written, and the version stays, when it changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] also for objects outside of the scope; [`StoreError::Conflict`] naming the current
    /// version; whatever `change` returns.
    pub async fn update<E: Entity>(
        &self,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        change: impl FnMut(&mut E) -> Result<(), StoreError> + Send,
    ) -> Result<Stored<E>, StoreError> {
        self.update_as(Action::Update, by, scope, id, expected, change).await
    }

    /// [`Store::update`] as long as another object stays as it was read: of two changes that each rely on what the other
    /// takes away, one is made.
    ///
    /// # Errors
    /// As [`Store::update`]; [`StoreError::Conflict`] and [`StoreError::NotFound`] may be about the other object too.
    pub async fn update_given<E: Entity, O: Entity>(
        &self,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        given: &Stored<O>,
        mut change: impl FnMut(&mut E) -> Result<(), StoreError> + Send,
    ) -> Result<Stored<E>, StoreError> {
        let given = Write::RequireVersion(O::KIND, given.id.uuid(), given.version);
        self.try_update(Action::Update, by, scope, id, expected, Some(given), &mut change).await
    }

    /// [`Store::delete`] as long as another object stays as it was read.
    ///
    /// # Errors
    /// As [`Store::delete`] and [`Store::update_given`].
    pub async fn delete_given<E: Entity, O: Entity>(
        &self,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        given: &Stored<O>,
    ) -> Result<(), StoreError> {
        let given = Write::RequireVersion(O::KIND, given.id.uuid(), given.version);
        self.try_delete_given::<E>(Action::Delete, by, scope, id, expected, Some(given)).await
    }

    /// [`Store::update`] under another name in the audit log.
    ///
    /// # Errors
    /// As [`Store::update`].
    pub async fn update_as<E: Entity>(
        &self,
        action: Action,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        mut change: impl FnMut(&mut E) -> Result<(), StoreError> + Send,
    ) -> Result<Stored<E>, StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.try_update(action, by, scope, id, expected, None, &mut change).await;
            match outcome {
                Err(StoreError::Conflict { .. }) if expected == Expected::Latest && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a change is made of")]
    async fn try_update<E: Entity>(
        &self,
        action: Action,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        given: Option<Write>,
        change: &mut (impl FnMut(&mut E) -> Result<(), StoreError> + Send),
    ) -> Result<Stored<E>, StoreError> {
        let row = self.row_of::<E>(scope, id, expected).await?;
        let sealer = self.sealer(row.home.organisation, E::KIND, row.id).await?;
        let before: Stored<E> = codec::stored(&row, &sealer)?;
        let mut entity = before.entity.clone();
        change(&mut entity)?;
        entity.check()?;
        entity.prepare(Some(&before.entity), &sealer)?;
        if codec::clear(&entity)? == codec::clear(&before.entity)? {
            return Ok(before);
        }
        // Clocks may step back, objects do not.
        let now = self.now().max(row.updated_at);
        let next = Row {
            slug: entity.slug().map(str::to_owned),
            version: row.version + 1,
            updated_at: now,
            body: codec::encode(&entity, Some(&row.body), &sealer)?,
            ..row.clone()
        };
        let draft = self.draft_of(by, action, &next, &sealer, Some(&before.entity), Some(&entity))?;
        let version = self.version_of::<E>(by, &next)?;
        // What it named before may be gone since: that does not hinder other changes.
        let known = before.entity.refers();
        let named = entity.refers().into_iter().filter(|one| !known.contains(one)).collect();
        let mut writes: Vec<Write> = given.into_iter().collect();
        self.require_all(row.home, named, &mut writes).await?;
        writes.push(Write::Update { row: next, expected: row.version });
        writes.extend(version);
        let digests = entity.digests();
        if digests != before.entity.digests() {
            writes.push(Write::Digests { kind: E::KIND, id: row.id, digests });
        }
        self.commit(writes, vec![draft]).await?;
        Ok(Stored { version: row.version + 1, updated_at: now, entity, ..before })
    }

    /// Removes an object with its history. An organisation or a workspace must be empty.
    ///
    /// # Errors
    /// As [`Store::update`], and [`StoreError::HasDependents`].
    pub async fn delete<E: Entity>(
        &self,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
    ) -> Result<(), StoreError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_delete::<E>(Action::Delete, by, scope, id, expected).await {
                Err(StoreError::Conflict { .. }) if expected == Expected::Latest && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    pub(super) async fn try_delete<E: Entity>(
        &self,
        action: Action,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
    ) -> Result<(), StoreError> {
        self.try_delete_given::<E>(action, by, scope, id, expected, None).await
    }

    async fn try_delete_given<E: Entity>(
        &self,
        action: Action,
        by: &By,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
        given: Option<Write>,
    ) -> Result<(), StoreError> {
        let row = self.row_of::<E>(scope, id, expected).await?;
        let organisation = row.home.organisation;
        let sealer = self.sealer(organisation, E::KIND, row.id).await?;
        let before: E = codec::decode_text(&row.body, &sealer)?;
        let mut writes: Vec<Write> = given.into_iter().collect();
        match E::KIND {
            Kind::Organisation => {
                writes.push(Write::RequireEmptyOrganisation(organisation));
                writes.push(Write::DropDataKeys(organisation));
            }
            Kind::Workspace => {
                let workspace = WorkspaceId::from_uuid(row.id);
                writes.push(Write::RequireEmptyWorkspace(organisation, workspace));
            }
            _ => {}
        }
        let draft = self.draft_of(by, action, &row, &sealer, Some(&before), None)?;
        writes.push(Write::Delete { kind: E::KIND, id: row.id, home: row.home, expected: row.version });
        self.commit(writes, vec![draft]).await?;
        if E::KIND == Kind::Organisation {
            self.0.vault.forget(organisation);
        }
        Ok(())
    }

    /// Objects that are named must be ones that the place may know.
    async fn require_all(
        &self,
        home: Home,
        named: Vec<(Kind, Uuid)>,
        writes: &mut Vec<Write>,
    ) -> Result<(), StoreError> {
        for (kind, id) in named {
            let known = self.0.backend.row(kind, id).await?.is_some_and(|row| {
                let there = row.home.workspace;
                row.home.organisation == home.organisation && (there.is_none() || there == home.workspace)
            });
            if !known {
                return Err(StoreError::NotFound { kind, what: id.to_string() });
            }
            writes.push(Write::Require(kind, id));
        }
        Ok(())
    }

    async fn row_of<E: Entity>(
        &self,
        scope: &Scope,
        id: E::Id,
        expected: Expected,
    ) -> Result<Row, StoreError> {
        let row = self.0.backend.row(E::KIND, id.uuid()).await?.filter(|row| scope.sees(row));
        let row = row.ok_or_else(|| StoreError::NotFound { kind: E::KIND, what: id.to_string() })?;
        match expected {
            Expected::Version(expected) if expected != row.version => Err(StoreError::Conflict {
                kind: E::KIND,
                what: id.to_string(),
                expected,
                current: row.version,
            }),
            _ => Ok(row),
        }
    }

    fn version_of<E: Entity>(&self, by: &By, row: &Row) -> Result<Option<Write>, StoreError> {
        if !E::HISTORY {
            return Ok(None);
        }
        Ok(Some(Write::Version(VersionRow {
            kind: row.kind,
            id: row.id,
            version: row.version,
            at: row.updated_at,
            author: serde_json::to_string(&by.actor).map_err(StoreError::internal)?,
            comment: by.comment.chars().take(1_000).collect(),
            body: row.body.clone(),
        })))
    }

    /// An audit entry without a change of an object: an export, a sign-out, a budget that was reached.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for an object outside of the scope.
    pub async fn note<E: Entity>(
        &self,
        by: &By,
        action: Action,
        scope: &Scope,
        id: E::Id,
    ) -> Result<(), StoreError> {
        let row = self.row_of::<E>(scope, id, Expected::Latest).await?;
        let sealer = self.sealer(row.home.organisation, E::KIND, row.id).await?;
        let entity: E = codec::decode_text(&row.body, &sealer)?;
        let draft = self.draft_of(by, action, &row, &sealer, Some(&entity), Some(&entity))?;
        self.commit(Vec::new(), vec![draft]).await
    }

    pub(super) async fn commit(&self, writes: Vec<Write>, audit: Vec<AuditDraft>) -> Result<(), StoreError> {
        debug_assert!(!audit.is_empty(), "a change without an audit entry");
        let batch = Batch { writes, audit, chain: self.0.chain.clone() };
        self.0.backend.commit(batch).await.map(|_| ())
    }
}
