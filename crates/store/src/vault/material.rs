//! What a credential consists of: a key, or several named values.

use std::collections::BTreeMap;

use tidegate_core::Secret;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::token::masked;

/// The secret parts of one credential.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// The provider's API key; `None` where the scheme needs other values only.
    pub key: Option<Secret>,
    /// Values by option, such as `aws_secret_access_key` or `vertex_service_account_json`.
    pub options: BTreeMap<String, Secret>,
}

impl Material {
    pub fn key(key: impl Into<Secret>) -> Self {
        Self { key: Some(key.into()), options: BTreeMap::new() }
    }

    /// What may be shown of it.
    pub(crate) fn shown(&self) -> String {
        self.key.as_ref().map(masked).unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let options: BTreeMap<&str, &str> =
            self.options.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
        let parts = (self.key.as_ref().map(Secret::expose), options);
        serde_json::to_vec(&parts).map(Zeroizing::new).map_err(StoreError::internal)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        // The decoder's own text would quote what it could not read.
        let (key, options): (Option<String>, BTreeMap<String, String>) = serde_json::from_slice(bytes)
            .map_err(|_| StoreError::internal("a credential is not in the form it was stored in"))?;
        Ok(Self {
            key: key.map(Secret::from),
            options: options.into_iter().map(|(name, value)| (name, Secret::from(value))).collect(),
        })
    }
}
