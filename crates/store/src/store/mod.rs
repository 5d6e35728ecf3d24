//! The store: typed objects over a [`Backend`], with encryption, audit entries and versions done in one place.

mod alerts;
mod audit;
mod changes;
mod codec;
mod credentials;
mod keys;
mod read;
mod record;
mod rotate;
mod sessions;
mod write;

use std::fmt;
use std::sync::Arc;

pub use alerts::AlertState;
pub use audit::AuditReport;
pub use changes::{Changes, Feed};
pub use read::{Listing, Version};
use tidegate_core::clock::Clock;
use uuid::Uuid;
pub use write::Expected;

use crate::audit::{By, ChainKey};
use crate::backend::{Backend, Batch, Write};
use crate::error::StoreError;
use crate::id::OrganisationId;
use crate::kind::Kind;
use crate::vault::{MasterKeys, Sealer, Vault};

/// The control plane's data. Cheap to clone; clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    backend: Arc<dyn Backend>,
    vault: Vault,
    chain: ChainKey,
    clock: Arc<dyn Clock>,
    /// Held while an organisation is made: two data keys for one would be taken for each other.
    founding: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({:?})", self.0.backend)
    }
}

impl Store {
    /// Opens the store over a database that has its schema. An empty one gets its first data key here.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] naming the key that is needed, [`StoreError::Tampered`] when a data key was
    /// altered, or whatever the database says.
    pub async fn open(
        backend: Arc<dyn Backend>,
        masters: MasterKeys,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let vault = Vault::new(masters);
        vault.take(&backend.data_keys().await?)?;
        if vault.sealer(None, Kind::Store, Uuid::nil()).is_none() {
            Self::first_start(&*backend, &vault, &*clock).await?;
        }
        let chain = chain_key(&own_sealer(&vault)?)?;
        Ok(Self(Arc::new(Inner { backend, vault, chain, clock, founding: tokio::sync::Mutex::default() })))
    }

    /// Makes the store's own key. Two replicas may do so at once: the database takes one key per owner, and the other
    /// replica reads that.
    async fn first_start(backend: &dyn Backend, vault: &Vault, clock: &dyn Clock) -> Result<(), StoreError> {
        let row = vault.make(None)?;
        vault.take(std::slice::from_ref(&row))?;
        let sealer = own_sealer(vault)?;
        let event = record::event_of_store(&By::system(), crate::kind::Action::Create, clock.unix_ms());
        let draft = record::draft(event, &sealer, serde_json::Value::Null, serde_json::Value::Null)?;
        let batch =
            Batch { writes: vec![Write::DataKey(row)], audit: vec![draft], chain: chain_key(&sealer)? };
        match backend.commit(batch).await {
            Ok(_) => Ok(()),
            Err(StoreError::Taken { .. }) => vault.take(&backend.data_keys().await?),
            Err(error) => Err(error),
        }
    }

    /// Milliseconds since 1970 by the store's clock.
    pub fn now(&self) -> u64 {
        self.0.clock.unix_ms()
    }

    /// Encrypts and decrypts for one object of an organisation. Its key is read again when it is not here: another
    /// replica may have made the organisation.
    async fn sealer(&self, owner: OrganisationId, kind: Kind, id: Uuid) -> Result<Sealer, StoreError> {
        let vault = &self.0.vault;
        if let Some(sealer) = vault.sealer(Some(owner), kind, id) {
            return Ok(sealer);
        }
        vault.take(&self.0.backend.data_keys().await?)?;
        vault
            .sealer(Some(owner), kind, id)
            .ok_or_else(|| StoreError::NotFound { kind: Kind::Organisation, what: owner.to_string() })
    }
}

fn own_sealer(vault: &Vault) -> Result<Sealer, StoreError> {
    vault
        .sealer(None, Kind::Store, Uuid::nil())
        .ok_or_else(|| StoreError::internal("the store has no data key of its own"))
}

fn chain_key(own: &Sealer) -> Result<ChainKey, StoreError> {
    Ok(ChainKey::new(&own.derive("audit chain 1")?))
}
