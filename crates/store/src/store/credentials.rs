//! Credentials of providers, in clear: for the data plane only.

use super::Store;
use crate::entity::{Backing, Connection, CredentialState, Entity, Integration, Provider, Stored};
use crate::error::StoreError;
use crate::id::{CredentialId, EntityId};
use crate::vault::Material;

impl Store {
    /// The active credentials of a provider's own connection, decrypted.
    ///
    /// # Errors
    /// [`StoreError::Tampered`] when a ciphertext was altered, moved, or stands beside another destination than it
    /// was entered for.
    pub async fn provider_credentials(
        &self,
        provider: &Stored<Provider>,
    ) -> Result<Vec<(CredentialId, Material)>, StoreError> {
        match &provider.entity.backing {
            Backing::Own(connection) => self.open_all(provider, connection).await,
            Backing::Integration(_) => Ok(Vec::new()),
        }
    }

    /// The active credentials of an integration, decrypted.
    ///
    /// # Errors
    /// As [`Store::provider_credentials`].
    pub async fn integration_credentials(
        &self,
        integration: &Stored<Integration>,
    ) -> Result<Vec<(CredentialId, Material)>, StoreError> {
        self.open_all(integration, &integration.entity.connection).await
    }

    async fn open_all<E: Entity>(
        &self,
        owner: &Stored<E>,
        connection: &Connection,
    ) -> Result<Vec<(CredentialId, Material)>, StoreError> {
        let sealer = self.sealer(owner.home.organisation, E::KIND, owner.id.uuid()).await?;
        let mut found = Vec::new();
        for credential in connection.credentials.iter().filter(|one| one.state == CredentialState::Active) {
            if let Some(material) = connection.open(credential.id, &sealer)? {
                found.push((credential.id, material));
            }
        }
        Ok(found)
    }
}
