//! Where the CRMs' secrets come from: a plugin with a file of its own reads that, every other one the encrypted
//! store. No plugin reads another's, and none reads either: the way out alone asks.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_capability::{CredentialId, Plan, PluginId, TenantId};
use ramal_credentials::{CredentialKey, Keeper, KeeperParts, LocalKeyFile};
use ramal_egress::{
    Builder, CredentialError, CredentialFileError, CredentialSource, Egress, FileCredentials, Secret,
};
use ramal_store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::deliveries::WhenConnected;
use super::{ComposeError, read_grant, read_settings};
use crate::config::ServerConfig;

/// The most that a request to a token endpoint may take. Less than the lease under which it is made.
const TOKEN_REQUEST: Duration = Duration::from_secs(20);
/// How often the keeper looks after every credential.
const CARE: Duration = Duration::from_secs(60);
/// The wrapping keys' file, in the data folder.
const KEYS: &str = "credentials.keys";

/// The keeper over the host's store. Makes the key file at the first run.
pub(super) fn keeper(data: &Path, store: Arc<dyn Store>, way_out: &Builder) -> Result<Keeper, ComposeError> {
    let wrapper = LocalKeyFile::open(data.join(KEYS))?;
    let endpoint = way_out.token_client(TOKEN_REQUEST)?;
    let observer = Arc::new(WhenConnected(Arc::clone(&store)));
    let parts = KeeperParts::new(store, Arc::new(wrapper), Arc::new(endpoint));
    Ok(Keeper::new(KeeperParts { observer, ..parts }))
}

pub(super) struct PluginCredentials {
    files: HashMap<(TenantId, PluginId), FileCredentials>,
    keeper: Keeper,
}

impl PluginCredentials {
    pub(super) fn new(keeper: Keeper) -> Self {
        Self { files: HashMap::new(), keeper }
    }

    pub(super) fn add(
        &mut self,
        tenant: &TenantId,
        plugin: &PluginId,
        file: &Path,
    ) -> Result<(), CredentialFileError> {
        self.files.insert((tenant.clone(), plugin.clone()), FileCredentials::open(file)?);
        Ok(())
    }

    fn source(&self, tenant: &TenantId, plugin: &PluginId) -> &dyn CredentialSource {
        match self.files.get(&(tenant.clone(), plugin.clone())) {
            Some(file) => file,
            None => &self.keeper,
        }
    }
}

impl CredentialSource for PluginCredentials {
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        self.source(tenant, plugin).secret(tenant, plugin, credential)
    }

    fn refused<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
        secret: &'a Secret,
    ) -> BoxFuture<'a, bool> {
        self.source(tenant, plugin).refused(tenant, plugin, credential, secret)
    }
}

/// A keeper that is looked after while the host runs.
pub(super) struct Tended {
    keeper: Keeper,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Tended {
    /// Begins to renew ahead of time, to store what could not be stored, and to tell people what they should know.
    pub(super) fn start(keeper: Keeper) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let tended = keeper.clone();
        let task = tokio::spawn(async move {
            let until = async {
                // An error means that nobody can stop it any more: the host is gone.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            tended.tend_until(CARE, until).await;
        });
        Self { keeper, stop, task }
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// Ends with everything stored. To be called before the store closes.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the care for credentials ended before its time");
        }
    }
}

/// What an admin's tool needs to store secrets beside a host that may be running: the keeper, and what the
/// configured plugins ask for.
pub struct CredentialDesk {
    /// Stores, lists, removes.
    pub keeper: Keeper,
    /// Every credential that a route of a configured plugin uses.
    pub asked: Vec<AskedCredential>,
    /// What could not be read of the configured plugins, in words.
    pub unread: Vec<String>,
    store: Arc<dyn Store>,
}

/// A credential that a configured plugin asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedCredential {
    /// Whose.
    pub key: CredentialKey,
    /// The plugin's word for the admin.
    pub label: String,
    /// Its kind, as the manifest writes it.
    pub kind: &'static str,
    /// The names of what has to be entered.
    pub fields: Vec<String>,
    /// The names of what may be entered besides.
    pub optional: Vec<String>,
}

impl CredentialDesk {
    /// Opens the store and the key file that the configuration names, and reads the plugins' manifests. Runs none.
    ///
    /// # Errors
    /// When the store or the key file cannot be opened. A plugin that cannot be read is noted and left out.
    pub async fn open(config: &ServerConfig) -> Result<Self, ComposeError> {
        let data = super::private_folder(&config.data)?;
        let store = super::storage::open(config).await?;
        let keeper = keeper(&data, Arc::clone(&store), &Egress::builder())?;
        let mut desk = Self { keeper, asked: Vec::new(), unread: Vec::new(), store };
        for tenant in &config.tenants {
            for plugin in &tenant.plugins {
                match plan(tenant, plugin) {
                    Ok(plan) => desk.take(&plan),
                    Err(error) => desk.unread.push(format!("{}: {error}", plugin.file.display())),
                }
            }
        }
        desk.asked.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(desk)
    }

    /// Closes the store.
    pub async fn close(self) {
        self.keeper.close().await;
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the store did not close in order");
        }
    }

    fn take(&mut self, plan: &Plan) {
        self.keeper.declare(plan);
        for (credential, (decl, _)) in plan.credentials() {
            let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            self.asked.push(AskedCredential {
                key: CredentialKey {
                    tenant: plan.tenant().clone(),
                    plugin: plan.plugin().clone(),
                    credential,
                },
                label: decl.label.clone(),
                kind: decl.kind.as_str(),
                fields: owned(&decl.kind.secrets()),
                optional: owned(decl.kind.optional_secrets()),
            });
        }
    }
}

fn plan(tenant: &crate::config::TenantConfig, plugin: &crate::config::PluginConfig) -> Result<Plan, String> {
    let grant = read_grant(&plugin.grant, &tenant.id).map_err(|error| error.to_string())?;
    let wasm = std::fs::read(&plugin.file).map_err(|error| error.to_string())?;
    let inspected = ramal_engine::inspect(&wasm).map_err(|error| error.to_string())?;
    let settings = match &plugin.settings {
        Some(path) => read_settings(path).map_err(|error| error.to_string())?,
        None => serde_json::Value::Object(serde_json::Map::new()),
    };
    Plan::compile(&inspected.manifest, inspected.digest, &grant, &settings).map_err(|error| error.to_string())
}
