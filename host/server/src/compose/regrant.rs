//! Puts another grant into force while the host runs, with all that follows from it: the credentials that the plugin's
//! routes use, what its CRM is told, and the deliveries that waited for the grant.

use jiff::Timestamp;
use ramal_capability::{Grant, PlanError, PluginId, TenantId};
use ramal_store::{StoreError, Target};
use serde_json::Value;

use super::{Composed, journal};

/// Why another grant was not put into force.
#[derive(Debug, thiserror::Error)]
pub enum RegrantError {
    /// No such plugin.
    #[error(
        "the plugin `{plugin}` is not loaded for the tenant `{tenant}`; give it a `[[tenant.plugin]]` and restart"
    )]
    NotLoaded {
        /// Whose.
        tenant: TenantId,
        /// Which.
        plugin: PluginId,
    },
    /// The grant does not fit; the old one stays in force.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The grant is in force, and the deliveries that wait for it could not be let go.
    #[error(
        "the grant is in force, but the deliveries that waited for it still wait: {0}; put it into force again"
    )]
    Store(#[from] StoreError),
}

impl Composed {
    /// Puts another grant or other settings of a loaded plugin into force, and lets go the deliveries that waited for a
    /// person: what is still not allowed pauses them again with its first try.
    ///
    /// # Errors
    /// When the plugin is not loaded, the grant does not fit the component, or the store cannot be written.
    pub async fn regrant(&self, grant: &Grant, settings: &Value) -> Result<(), RegrantError> {
        let (tenant, name) = (&grant.tenant, &grant.plugin);
        let plugin = self
            .plugins
            .get(&(tenant.clone(), name.clone()))
            .ok_or_else(|| RegrantError::NotLoaded { tenant: tenant.clone(), plugin: name.clone() })?;
        plugin.regrant(grant, settings)?;
        self.credentials.keeper().declare(&plugin.plan());
        {
            let mut journals = self.journals.lock();
            let told = &mut journals.entry(tenant.clone()).or_default().plugins;
            match journal::keeper(plugin.manifest(), grant) {
                Some(keeper) => told.insert(name.clone(), keeper),
                None => told.remove(name),
            };
            self.state.center().set_journals(journals.clone());
        }
        let target = Target::Plugin(name.clone());
        let resumed = self.store.resume(tenant, &target, Timestamp::now()).await?;
        tracing::info!(%tenant, plugin = %name, revision = grant.revision, resumed, "another grant is in force");
        Ok(())
    }
}
