//! How a provider is reached and with which credentials.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::check;
use crate::error::StoreError;
use crate::id::{CredentialId, EntityId};
use crate::kind::words;
use crate::vault::{Material, Sealed, Sealer};

/// Where requests go. A credential is encrypted for one destination and cannot be decrypted for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The provider's id in the catalogue (`openai`).
    pub provider: String,
    /// In place of the provider's own.
    #[serde(default)]
    pub base_url: Option<String>,
    /// Options that stand in the host or path, such as a region or an Azure resource.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A destination, the pool of credentials for it, and what may be asked of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub destination: Destination,
    /// Tried by health and weight; empty for a provider that needs none, or whose destination was changed.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// What else the provider needs to know (API versions, deployments). Encrypted, because people put keys here.
    #[serde(default)]
    pub settings: Map<String, Value>,
    #[serde(default)]
    pub models: AllowedModels,
}

words! {
    CredentialState { Active = "active", Disabled = "disabled" }
}

/// One key of a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Credential {
    pub id: CredentialId,
    #[serde(default)]
    pub label: String,
    /// The share of requests among the pool's active credentials; 0 is used when no other is left.
    pub weight: u32,
    pub state: CredentialState,
    /// First and last characters, to be shown.
    pub shown: String,
    pub added_at: u64,
    content: Content,
}

/// The ciphertext; and until the change is stored, what was entered.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
struct Content(Sealed, #[serde(skip)] Option<Material>);

/// A credential as it is entered.
#[derive(Debug, Clone)]
pub struct NewCredential {
    pub label: String,
    pub weight: u32,
    pub material: Material,
}

/// Which models a connection serves.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AllowedModels {
    /// Models without a row are allowed unless this is set.
    #[serde(default)]
    pub only_listed: bool,
    #[serde(default)]
    pub rows: Vec<ModelRow>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRow {
    pub slug: String,
    pub enabled: bool,
    /// Names, prices, base model: what the admin API knows of it.
    #[serde(default)]
    pub details: Map<String, Value>,
}

impl ModelRow {
    /// The member of the details that holds the model's prices, in the words of the admin API.
    pub const PRICES: &'static str = "pricing_config";
    /// The member that says which model it is, where that is another one.
    pub const BASE: &'static str = "base_model_slug";

    pub fn prices(&self) -> Option<&Value> {
        self.details.get(Self::PRICES).filter(|prices| !prices.is_null())
    }

    pub fn base(&self) -> Option<&str> {
        self.details.get(Self::BASE).and_then(Value::as_str)
    }
}

/// Limits in the words of the admin API; checked by the crates that enforce them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Limits {
    #[serde(default)]
    pub usage: Vec<Value>,
    #[serde(default)]
    pub rates: Vec<Value>,
    /// When usage was last set back by hand.
    #[serde(default)]
    pub usage_reset_at: Option<u64>,
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 && self.1.is_none() && other.1.is_none()
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Limits {
    const MOST: usize = 50;

    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (field, list) in [("usage_limits", &self.usage), ("rate_limits", &self.rates)] {
            if list.len() > Self::MOST {
                return Err(StoreError::invalid(field, format!("at most {} limits", Self::MOST)));
            }
            list.iter().try_for_each(|limit| check::object(field, limit))?;
        }
        Ok(())
    }
}

impl AllowedModels {
    pub fn allows(&self, model: &str) -> bool {
        self.rows.iter().find(|row| row.slug == model).map_or(!self.only_listed, |row| row.enabled)
    }
}

impl Connection {
    /// The member of the settings that holds the factors of all prices, in the words of the admin API.
    pub const PRICE_FACTORS: &'static str = "pricing_adjustments";
    /// The member of `settings` with headers that every request to the provider carries.
    pub const HEADERS: &'static str = "custom_headers";
    /// The member of `settings` with Azure's deployments.
    pub const DEPLOYMENTS: &'static str = "deployments";

    /// Credentials of one pool at most.
    const MOST_CREDENTIALS: usize = 100;

    pub fn new(provider: impl Into<String>, base_url: Option<String>) -> Self {
        Self {
            destination: Destination { provider: provider.into(), base_url, options: BTreeMap::new() },
            credentials: Vec::new(),
            settings: Map::new(),
            models: AllowedModels::default(),
        }
    }

    /// Enters a credential. It is encrypted when the change is stored.
    ///
    /// # Errors
    /// [`StoreError::Internal`] when the system has no random bytes.
    pub fn add_credential(&mut self, new: NewCredential, now: u64) -> Result<CredentialId, StoreError> {
        let id = CredentialId::make(now)?;
        self.credentials.push(Credential {
            id,
            label: new.label,
            weight: new.weight,
            state: CredentialState::Active,
            shown: new.material.shown(),
            added_at: now,
            content: Content(Sealed::default(), Some(new.material)),
        });
        Ok(id)
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        check::name("provider", &self.destination.provider)?;
        if let Some(url) = &self.destination.base_url {
            let schemed = url.starts_with("https://") || url.starts_with("http://");
            if !schemed || url.len() > 2_000 || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
                return Err(StoreError::invalid("base_url", "must be an http or https address"));
            }
        }
        if self.credentials.len() > Self::MOST_CREDENTIALS {
            let problem = format!("at most {} credentials", Self::MOST_CREDENTIALS);
            return Err(StoreError::invalid("key", problem));
        }
        Ok(())
    }

    /// Drops credentials that were entered for another destination, and encrypts those that are new.
    pub(super) fn prepare(&mut self, before: Option<&Self>, sealer: &Sealer) -> Result<(), StoreError> {
        let known = |credential: &Credential| {
            before.is_some_and(|before| {
                before.destination == self.destination
                    && before.credentials.iter().any(|old| old.content.0 == credential.content.0)
            })
        };
        let keep: Vec<bool> =
            self.credentials.iter().map(|one| one.content.1.is_some() || known(one)).collect();
        let mut keep = keep.into_iter();
        self.credentials.retain(|_| keep.next().unwrap_or(false));
        let bound = self.bound()?;
        for credential in &mut self.credentials {
            if let Some(material) = credential.content.1.take() {
                let place = place(credential.id);
                credential.content.0 = sealer.seal(&place, &bound, &material.to_bytes()?)?;
            }
        }
        Ok(())
    }

    pub(crate) fn open(&self, id: CredentialId, sealer: &Sealer) -> Result<Option<Material>, StoreError> {
        let Some(credential) = self.credentials.iter().find(|credential| credential.id == id) else {
            return Ok(None);
        };
        let bytes = sealer.open(&place(id), &self.bound()?, &credential.content.0)?;
        Material::from_bytes(&bytes).map(Some)
    }

    fn bound(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.destination).map_err(StoreError::internal)
    }
}

fn place(id: CredentialId) -> String {
    format!("credential {id}")
}
