//! Which file holds whose secrets: each plugin of each tenant has its own, and none reads another's.

use std::collections::HashMap;
use std::path::Path;

use futures_util::future::BoxFuture;
use ramal_capability::{CredentialId, PluginId, TenantId};
use ramal_egress::{CredentialError, CredentialFileError, CredentialSource, FileCredentials, Secret};

#[derive(Default)]
pub(super) struct PluginCredentials(HashMap<(TenantId, PluginId), FileCredentials>);

impl PluginCredentials {
    pub(super) fn add(
        &mut self,
        tenant: &TenantId,
        plugin: &PluginId,
        file: &Path,
    ) -> Result<(), CredentialFileError> {
        self.0.insert((tenant.clone(), plugin.clone()), FileCredentials::open(file)?);
        Ok(())
    }
}

impl CredentialSource for PluginCredentials {
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        match self.0.get(&(tenant.clone(), plugin.clone())) {
            Some(file) => file.secret(tenant, plugin, credential),
            None => Box::pin(async {
                Err(CredentialError::Source(
                    "no file of credentials for this plugin; name one as `credentials` in its [[tenant.plugin]]".to_owned(),
                ))
            }),
        }
    }
}
