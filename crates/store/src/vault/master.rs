//! Master keys: 32 bytes that are never in the database.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use tidegate_core::Secret;
use zeroize::Zeroizing;

use super::cipher::Cipher;
use crate::backend::DataKeyRow;
use crate::error::StoreError;
use crate::id::{OrganisationId, hex, random, unhex};

/// One master key. Known by an id that is made from it, so that a wrong key is told by name and not by failure.
pub struct MasterKey {
    id: String,
    cipher: Cipher,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// The master key in use, and older ones for as long as a change of keys takes.
#[derive(Debug)]
pub struct MasterKeys {
    current: MasterKey,
    older: Vec<MasterKey>,
}

impl MasterKey {
    /// Ids have 16 hex digits.
    fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        let named = [b"tidegate master key id".as_slice(), bytes].concat();
        let named = Zeroizing::new(named);
        let id = hex(&digest(&SHA256, &named).as_ref()[..8]);
        Ok(Self { id, cipher: Cipher::new(bytes)? })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn wrap(
        &self,
        key: &str,
        owner: Option<OrganisationId>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        self.cipher.seal(&context(key, owner), bytes)
    }
}

impl MasterKeys {
    /// A key for tests and for what need not outlive the process.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when the system has no random bytes.
    pub fn random() -> Result<Self, StoreError> {
        Self::parse(&random_text()?, "memory")
    }

    /// Keys as text: 64 hex digits each, separated by commas or white space; the first is the one in use, the others
    /// are older ones that are still needed. `place` names the source in errors.
    ///
    /// # Errors
    /// [`StoreError::MasterKey`].
    pub fn parse(text: &Secret, place: &str) -> Result<Self, StoreError> {
        let wrong =
            |problem: &str| StoreError::MasterKey { place: place.to_owned(), problem: problem.to_owned() };
        let mut keys = Vec::new();
        let words = text.expose().split(|c: char| c == ',' || c.is_whitespace());
        for word in words.filter(|word| !word.is_empty()) {
            let bytes = unhex(word).map(Zeroizing::new).filter(|bytes| bytes.len() == 32);
            let bytes = bytes.ok_or_else(|| {
                wrong("a key is 64 hex digits (32 random bytes, as `openssl rand -hex 32` prints)")
            })?;
            if bytes.iter().all(|byte| *byte == bytes[0]) {
                return Err(wrong("all bytes of the key are the same: that is no random key"));
            }
            keys.push(MasterKey::new(&bytes)?);
        }
        let mut keys = keys.into_iter();
        let current = keys.next().ok_or_else(|| wrong("is empty"))?;
        Ok(Self { current, older: keys.collect() })
    }

    /// Text of a new key.
    pub(super) fn random_text() -> Result<Secret, StoreError> {
        random_text()
    }

    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// Ids of all keys, the one in use first.
    pub fn ids(&self) -> Vec<String> {
        std::iter::once(&self.current).chain(&self.older).map(|key| key.id.clone()).collect()
    }

    pub(super) fn unwrap(&self, row: &DataKeyRow) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let master = std::iter::once(&self.current).chain(&self.older).find(|key| key.id == row.master);
        let Some(master) = master else {
            return Err(StoreError::WrongMasterKey { needed: row.master.clone(), given: self.ids() });
        };
        let bytes = master.cipher.open(&context(&row.id, row.owner), &row.wrapped);
        bytes.ok_or_else(|| StoreError::Tampered { what: format!("data key {}", row.id) })
    }
}

fn random_text() -> Result<Secret, StoreError> {
    let bytes = Zeroizing::new(random::<32>()?);
    Ok(Secret::from(hex(bytes.as_slice())))
}

fn context(key: &str, owner: Option<OrganisationId>) -> Vec<u8> {
    let owner = owner.map_or_else(|| "-".to_owned(), |owner| owner.to_string());
    format!("tidegate data key 1/{key}/{owner}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_named_without_being_shown() {
        let text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let keys = MasterKeys::parse(&Secret::from(text), "X").unwrap();
        assert_eq!(keys.ids().len(), 1);
        assert!(!format!("{keys:?}").contains("8899"));
        let both = MasterKeys::parse(&Secret::from(format!("{}\n{text}\n", text.replace("00", "01"))), "X");
        let both = both.unwrap();
        assert_eq!(both.ids()[1], keys.ids()[0]);
        assert_ne!(both.ids()[0], keys.ids()[0]);
    }

    #[test]
    fn what_is_no_key_is_said_with_its_place() {
        for text in ["", " , ", "abcd", &"0".repeat(64), &"z".repeat(64), "password"] {
            let error = MasterKeys::parse(&Secret::from(text), "TIDEGATE_MASTER_KEY").unwrap_err();
            assert!(error.to_string().starts_with("master key in TIDEGATE_MASTER_KEY: "), "{error}");
        }
    }
}
