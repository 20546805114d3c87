//! The keeper as the way out sees it.

use futures_util::future::BoxFuture;
use ramal_capability::{CredentialId, PluginId, TenantId};
use ramal_egress::{CredentialError, CredentialSource, Secret};
use ramal_store::CredentialKey;

use super::Keeper;
use crate::error::KeeperError;
use crate::vault::VaultError;
use crate::wrap::WrapError;

fn key(tenant: &TenantId, plugin: &PluginId, credential: &CredentialId) -> CredentialKey {
    CredentialKey { tenant: tenant.clone(), plugin: plugin.clone(), credential: credential.clone() }
}

impl CredentialSource for Keeper {
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        Box::pin(async move {
            Keeper::secret(self, &key(tenant, plugin, credential)).await.map_err(|error| {
                let text = error.to_string();
                match error {
                    KeeperError::Later { .. }
                    | KeeperError::Store(_)
                    | KeeperError::Conflict(_)
                    | KeeperError::Sealed { source: VaultError::Key(WrapError::Unavailable(_)), .. } => {
                        CredentialError::Later(text)
                    }
                    // What is missing, was changed or put back does not come right by itself.
                    _ => CredentialError::NeedsPerson(text),
                }
            })
        })
    }

    fn refused<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
        secret: &'a Secret,
    ) -> BoxFuture<'a, bool> {
        Box::pin(async move { Keeper::refused(self, &key(tenant, plugin, credential), secret).await })
    }
}
