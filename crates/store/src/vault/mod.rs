//! Encryption at rest, in envelopes: what an organisation stores is encrypted under its data key, data keys are
//! encrypted under a master key that is not in the database. Changing the master key encrypts a few data keys anew and
//! touches nothing else; forgetting a data key makes an organisation's secrets unreadable, in backups too.
//!
//! AES-256-GCM with random nonces: fine for 2^32 secrets per organisation. The place of a ciphertext (organisation,
//! kind, id, member, and for credentials the destination) is authenticated with it, so a ciphertext that is moved in
//! the database cannot be opened.

mod cipher;
mod file;
mod master;
mod material;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::backend::DataKeyRow;
use crate::error::StoreError;
use crate::id::{OrganisationId, hex, random};
use crate::kind::Kind;
use cipher::Cipher;
pub(crate) use file::sync_directory;
pub use file::{add_master_key, master_keys_in};
pub use master::{MasterKey, MasterKeys};
pub use material::Material;

/// A ciphertext with the id of its data key, as text. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(***)")
    }
}

impl Sealed {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// A data key that can be used.
struct DataKey {
    id: String,
    cipher: Cipher,
}

/// All keys that this process holds.
pub(crate) struct Vault {
    masters: RwLock<Arc<MasterKeys>>,
    keys: RwLock<HashMap<Option<OrganisationId>, Arc<DataKey>>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

impl Vault {
    pub fn new(masters: MasterKeys) -> Self {
        Self { masters: RwLock::new(Arc::new(masters)), keys: RwLock::default() }
    }

    pub fn masters(&self) -> Arc<MasterKeys> {
        self.masters.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether these master keys open all the data keys.
    pub fn check(&self, masters: &MasterKeys, rows: &[DataKeyRow]) -> Result<(), StoreError> {
        rows.iter().try_for_each(|row| masters.unwrap(row).map(|_| ()))
    }

    pub fn replace_masters(&self, masters: MasterKeys) {
        *self.masters.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(masters);
    }

    /// A new data key, under the current master key. It can be used once it is stored.
    pub fn make(&self, owner: Option<OrganisationId>) -> Result<DataKeyRow, StoreError> {
        let bytes = Zeroizing::new(random::<32>()?);
        let id = hex(&random::<6>()?);
        let masters = self.masters();
        let wrapped = masters.current().wrap(&id, owner, bytes.as_slice())?;
        Ok(DataKeyRow { id, owner, master: masters.current().id().to_owned(), wrapped })
    }

    /// Takes keys in. Those under a master key that is not here make an error that names it.
    pub fn take(&self, rows: &[DataKeyRow]) -> Result<(), StoreError> {
        let masters = self.masters();
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            let bytes = masters.unwrap(row)?;
            opened.push((row.owner, Arc::new(DataKey { id: row.id.clone(), cipher: Cipher::new(&bytes)? })));
        }
        self.keys.write().unwrap_or_else(PoisonError::into_inner).extend(opened);
        Ok(())
    }

    pub fn forget(&self, owner: OrganisationId) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&Some(owner));
    }

    /// The same data key under the current master key.
    pub fn rewrap(&self, row: &DataKeyRow) -> Result<DataKeyRow, StoreError> {
        let masters = self.masters();
        let bytes = masters.unwrap(row)?;
        let current = masters.current();
        let wrapped = current.wrap(&row.id, row.owner, &bytes)?;
        Ok(DataKeyRow { master: current.id().to_owned(), wrapped, ..row.clone() })
    }

    /// `None` when the owner's key is not here (yet).
    pub fn sealer(&self, owner: Option<OrganisationId>, kind: Kind, id: Uuid) -> Option<Sealer> {
        let key = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(&owner)?.clone();
        let owner = owner.map_or_else(|| "-".to_owned(), |owner| owner.to_string());
        Some(Sealer { key, subject: format!("{owner}/{kind}/{id}") })
    }
}

/// Encrypts and decrypts for one object.
pub struct Sealer {
    key: Arc<DataKey>,
    subject: String,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({})", self.subject)
    }
}

impl Sealer {
    /// `place` says where in the object it will stand, `bound` what else must be the same when it is opened.
    pub(crate) fn seal(&self, place: &str, bound: &str, plain: &[u8]) -> Result<Sealed, StoreError> {
        let sealed = self.key.cipher.seal(&self.context(place, bound), plain)?;
        Ok(Sealed(format!("1.{}.{}", self.key.id, cipher::encode(&sealed))))
    }

    pub(crate) fn open(
        &self,
        place: &str,
        bound: &str,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let tampered = || StoreError::Tampered { what: format!("{} {place}", self.subject) };
        let (id, text) =
            sealed.0.strip_prefix("1.").and_then(|rest| rest.split_once('.')).ok_or_else(tampered)?;
        let bytes = cipher::decode(text).filter(|_| id == self.key.id).ok_or_else(tampered)?;
        self.key.cipher.open(&self.context(place, bound), &bytes).ok_or_else(tampered)
    }

    /// A key for something else than encryption, that is as secret as the data key.
    pub(crate) fn derive(&self, purpose: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.key.cipher.derive(purpose)
    }

    /// Parts with their lengths, so that no two places have the same text.
    fn context(&self, place: &str, bound: &str) -> Vec<u8> {
        let mut context = b"tidegate 1".to_vec();
        for part in [&self.key.id, &self.subject, place, bound] {
            context.extend_from_slice(&(part.len() as u64).to_be_bytes());
            context.extend_from_slice(part.as_bytes());
        }
        context
    }
}
