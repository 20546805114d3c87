//! Puts a host together from its configuration: store, ledger, way out, runtime, plugins, center.
//!
//! Everything is opened and checked before the first request is served, so that a wrong file is an error at the
//! start with its name, and not a missing card in the middle of a call. A plugin whose component or settings are wrong
//! stops nobody else: it is logged, stands in `/readyz`, `/metrics` and `/v1/plugins`, its calls show that the card
//! failed, and what its CRM is to be told waits.

mod account;
mod channels;
mod courier;
mod couriers;
mod credentials;
mod deliveries;
mod directory;
mod hearing;
mod housekeeping;
mod journal;
mod kept;
mod queues;
mod regrant;
mod storage;
mod webhook;

use std::collections::{BTreeMap, HashMap};
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use parking_lot::Mutex;
use ramal_capability::{Digest, Grant, PluginId, Purpose, SourceError, TenantId};
use ramal_center::{
    Center, CenterParts, CenterSettings, Directories, Directory, Journals, PhoneNumber, SourceId, SystemClock,
};
use ramal_channels::{ChannelBoard, FileFolder};
use ramal_credentials::{Keeper, KeyFileError};
use ramal_egress::{CredentialFileError, Egress, RootsError, WebhookError};
use ramal_engine::cache::CacheError;
use ramal_engine::{BuildError, Compiler, LoadError, Plugin, Runtime};
use ramal_ledger::{DisclosureSink, JsonLines, SinkError};
use ramal_numbers::Region;
use ramal_store::{Store, StoreError};
use serde_json::Value;

pub use credentials::{AskedCredential, CredentialDesk};
pub use regrant::RegrantError;
pub use storage::open as open_store;

use crate::config::{ConfigError, PluginConfig, ServerConfig};
use crate::hooks::{HookDoors, PlanNow};
use crate::inventory::Inventory;
use crate::messages::MessageDesk;
use crate::metrics::Metrics;
use crate::plugins::{PluginDesk, Standing};
use crate::state::{AppParts, AppState};

/// A host that is ready to serve.
pub struct Composed {
    /// What the router needs.
    pub state: AppState,
    /// The loaded plugins by tenant and name, for whoever revokes or resumes one.
    pub plugins: HashMap<(TenantId, PluginId), Plugin>,
    /// The runtime, for loading more.
    pub runtime: Runtime,
    credentials: credentials::Tended,
    heard: hearing::Heard,
    exchanges: channels::Connected,
    queues: queues::Watched,
    deliveries: deliveries::Deliveries,
    housekeeping: housekeeping::Housekeeping,
    watching: channels::Watching,
    /// What the CRMs are told by the grants in force.
    journals: Mutex<Journals>,
    store: Arc<dyn Store>,
    ledger: Arc<dyn DisclosureSink>,
}

impl Composed {
    /// Takes up what an earlier run left unfinished. Call it before serving.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(&self) -> Result<usize, StoreError> {
        self.state.center().resume().await
    }

    /// Who keeps the CRMs' secrets, for whoever connects accounts or shows how they stand.
    pub fn credentials(&self) -> &Keeper {
        self.credentials.keeper()
    }

    /// Writes what is still in memory and closes the store. Call it after serving.
    ///
    /// # Errors
    /// When the last rows of the ledger cannot be written.
    pub async fn close(self) -> Result<(), SinkError> {
        self.exchanges.close().await;
        self.queues.close().await;
        self.watching.close().await;
        self.housekeeping.close().await;
        self.heard.close().await;
        self.deliveries.close().await;
        self.credentials.close().await;
        if let Err(error) = self.store.close().await {
            tracing::error!(error = %crate::events::chain(&error), "the store did not close in order");
        }
        self.ledger.flush()
    }
}

/// Why a host could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A folder or file of the host's own.
    #[error("cannot use {path}: {source}; make sure that this user may write there", path = path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder or file of the host's own that others can read.
    #[error("other users of this machine may read {path}, which holds customers' data or keys; run `chmod {mode}` on it", path = path.display())]
    Open {
        /// Which one.
        path: PathBuf,
        /// The permissions that it should have.
        mode: &'static str,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger.
    #[error("cannot open the ledger of disclosures: {0}")]
    Ledger(#[from] SinkError),
    /// The roots of trust.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The runtime.
    #[error(transparent)]
    Runtime(#[from] BuildError),
    /// A file that belongs to a plugin.
    #[error("cannot read {path}: {source}; correct the path in the configuration, or let this user read it", path = path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A grant with mistakes.
    #[error("the grant has mistakes:\n{0}")]
    Grant(#[from] SourceError),
    /// A mapping file with mistakes.
    #[error("the mapping has mistakes:\n{0}")]
    Mapping(#[source] SourceError),
    /// A grant for another tenant than the one whose plugin it is.
    #[error("{path}: the grant is for the tenant `{grant}`, and the configuration gives it to `{tenant}`; have the grant made for `{tenant}`, or name the plugin under `{grant}`", path = path.display())]
    GrantTenant {
        /// Which file.
        path: PathBuf,
        /// In the grant.
        grant: TenantId,
        /// In the configuration.
        tenant: TenantId,
    },
    /// A plugin twice in one tenant.
    #[error("the plugin `{plugin}` stands twice in the tenant `{tenant}`; remove one `[[tenant.plugin]]`")]
    Twice {
        /// Whose.
        tenant: TenantId,
        /// Which.
        plugin: PluginId,
    },
    /// Settings that are no table.
    #[error("{path}: the settings are no table of names and values: {what}; write each as `name = value`", path = path.display())]
    Settings {
        /// Which file.
        path: PathBuf,
        /// The parser's words, without the text.
        what: String,
    },
    /// A file of credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialFileError),
    /// The keys that wrap the CRMs' secrets.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A webhook that cannot be posted to.
    #[error("webhook `{webhook}`: {source}")]
    Webhook {
        /// Which.
        webhook: String,
        /// Why.
        source: WebhookError,
    },
    /// A channel whose provider cannot be reached as it is configured.
    #[error("channel `{channel}`: {source}")]
    Channel {
        /// Which.
        channel: SourceId,
        /// Why.
        source: WebhookError,
    },
    /// A plugin that does not load.
    #[error("{path}: {source}", path = path.display())]
    Plugin {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: Box<LoadError>,
    },
}

impl ComposeError {
    /// Whether it came up while a plugin was loaded and is the host's own trouble all the same.
    fn is_of_the_host(&self) -> bool {
        use CacheError::{Io, Key, Unsafe};
        let Self::Plugin { source, .. } = self else { return false };
        matches!(**source, LoadError::Cache(Io { .. } | Key { .. } | Unsafe { .. }))
    }
}

/// Opens and loads everything that the configuration names. `compiler` is who compiles plugins; without it this
/// very program does, and its `main` calls `ramal_engine::intercept_worker` first.
///
/// # Errors
/// When anything of the host's own is missing or wrong; the error names the file and what to do.
pub async fn compose(
    config: &ServerConfig,
    compiler: Option<Compiler>,
    practice_numbers: Vec<PhoneNumber>,
) -> Result<Composed, ComposeError> {
    let data = private_folder(&config.data)?;
    let store = storage::open(config).await?;
    let ledger: Arc<dyn DisclosureSink> = Arc::new(JsonLines::open(data.join("disclosures.jsonl"))?);
    let subjects = Arc::new(subject_key(&data.join("subjects.key"))?);

    let way_out = Egress::builder().ledger(Arc::clone(&ledger));
    let channels::Opened { mut doors, lines, watched: folders } = channels::open(config, &way_out)?;
    let mut messages = MessageDesk::default();
    messages.keep_files(FileFolder::new(data.join("files")));
    lines.into_iter().for_each(|(origin, line)| messages.add(origin, line));
    doors.send_by(messages);
    let exchanges = channels::Exchanges::open(config, &way_out)?;
    let watched = queues::Exchanges::open(config, &way_out)?;
    doors.list(Inventory::new(config, Arc::clone(&store), ChannelBoard::default()));
    let webhooks = webhook::WebhookCourier::open(config, &way_out, Arc::clone(&subjects))?;
    let keeper = credentials::keeper(&data, Arc::clone(&store), &way_out)?;
    let mut credentials = credentials::PluginCredentials::new(keeper.clone());
    let mut wanted = Vec::new();
    for tenant in &config.tenants {
        let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
        for plugin in &tenant.plugins {
            let grant = read_grant(&plugin.grant, &tenant.id)?;
            if let Some(file) = &plugin.credentials {
                credentials.add(&tenant.id, &grant.plugin, file)?;
            }
            wanted.push((plugin, grant, region));
        }
    }

    let credentials = Arc::new(credentials);
    let egress = way_out.credentials(credentials.clone()).build()?;
    let mut builder = Runtime::builder(data.join("code"), Arc::new(egress));
    builder = builder.store(Arc::new(kept::KeptInStore(Arc::clone(&store))));
    if let Some(compiler) = compiler {
        builder = builder.compiler(compiler);
    }
    let runtime = builder.build()?;

    let accounts = account::Accounts::default();
    let mut plugins = HashMap::new();
    let mut directories: HashMap<TenantId, Vec<Arc<dyn Directory>>> = HashMap::new();
    let mut journals: Journals = journal::rules(config);
    let (mut plans, mut hearing) = (HashMap::<_, PlanNow>::new(), Vec::new());
    let (metrics, mut desk) = (Metrics::new(), BTreeMap::new());
    for (config, grant, region) in wanted {
        let (tenant, name) = (grant.tenant.clone(), grant.plugin.clone());
        let key = (tenant.clone(), name.clone());
        if desk.contains_key(&key) {
            return Err(ComposeError::Twice { tenant, plugin: name });
        }
        let plugin = match load(&runtime, config, &grant, region).await {
            Ok(plugin) => plugin,
            Err(error) if error.is_of_the_host() => return Err(error),
            Err(error) => {
                let error = crate::events::chain(&error);
                tracing::error!(%tenant, plugin = %name, %error, "a plugin did not load; all others serve");
                metrics.plugin_not_loaded(&name);
                if grant.purposes.contains(&Purpose::ScreenPop) {
                    let absent = Arc::new(directory::Absent(name.clone()));
                    directories.entry(tenant.clone()).or_default().push(absent);
                }
                if let Some(keeper) = journal::absent_keeper(&grant) {
                    journals.entry(tenant).or_default().plugins.insert(name, keeper);
                }
                desk.insert(key, Standing::NotLoaded);
                continue;
            }
        };
        keeper.declare(&plugin.plan());
        if let Some(directory) =
            directory::EngineDirectory::new(plugin.clone(), accounts.clone(), Arc::clone(&subjects))
        {
            directories.entry(tenant.clone()).or_default().push(Arc::new(directory));
        }
        if let Some(keeper) = journal::keeper(plugin.manifest(), &grant) {
            journals.entry(tenant.clone()).or_default().plugins.insert(name.clone(), keeper);
        }
        if plugin.plan().hooks().next().is_some() {
            let loaded = plugin.clone();
            plans.insert((tenant.clone(), name.clone()), Arc::new(move || loaded.plan()));
        }
        hearing.extend(hearing::PluginEvents::new(&plugin, accounts.clone(), &tenant, region).map(Arc::new));
        tracing::info!(%tenant, plugin = %name, digest = %plugin.digest(), "plugin loaded");
        desk.insert(key.clone(), Standing::Loaded(plugin.clone()));
        plugins.insert(key, plugin);
    }

    let in_use: Vec<Digest> = plugins.values().map(Plugin::digest).collect();
    if let Err(error) = runtime.retain_code(&in_use) {
        tracing::warn!(%error, "compiled code of plugins that are no longer loaded stays where it is");
    }
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(metrics.clone()),
        clock: Arc::new(SystemClock),
        settings: CenterSettings {
            reaping: config.forgotten_calls.reaping(config),
            ..CenterSettings::default()
        },
    });
    center.set_directories(Directories::from(directories));
    center.set_journals(journals.clone());
    center.set_look_up_rules(directory::rules(config));
    let (exchanges, controls) = exchanges.start(&center, &metrics);
    let (queues, boards) = watched.start(&center, &metrics)?;
    let (heard, bell) = hearing::Heard::start(center.clone(), store.clone(), hearing);
    let hooks = HookDoors { store: store.clone(), secrets: credentials, bell, plans };
    let parts = AppParts {
        center,
        health: store.clone(),
        outbox: Some(store.clone()),
        credentials: Some(keeper.clone()),
        hooks: Some(hooks),
        plugins: Some(PluginDesk::new(desk, runtime.health())),
        channels: doors,
        controls,
        queues: boards,
        metrics: metrics.clone(),
        practice_numbers,
    };
    let state = AppState::new(config, parts)?;
    let watching = channels::Watching::start(folders, state.center(), &metrics);
    let credentials = credentials::Tended::start(keeper);
    let tenants: Vec<TenantId> = config.tenants.iter().map(|tenant| tenant.id.clone()).collect();
    let courier = courier::PluginCourier::new(
        &plugins,
        state.center().clone(),
        accounts.clone(),
        subjects,
        config.public_url.clone(),
    );
    let couriers = Arc::new(couriers::Couriers { plugins: courier, webhooks });
    let deliveries =
        deliveries::Deliveries::start(store.clone(), couriers, accounts.0, metrics, tenants.clone());
    let housekeeping = housekeeping::Housekeeping::start(housekeeping::House {
        outbox: store.clone(),
        center: state.center().clone(),
        tenants,
        retention: config.retention,
    });
    let journals = Mutex::new(journals);
    Ok(Composed {
        state,
        plugins,
        runtime,
        credentials,
        heard,
        exchanges,
        queues,
        deliveries,
        housekeeping,
        watching,
        journals,
        store,
        ledger,
    })
}

async fn load(
    runtime: &Runtime,
    config: &PluginConfig,
    grant: &Grant,
    region: Region,
) -> Result<Plugin, ComposeError> {
    let failed =
        |source: LoadError| ComposeError::Plugin { path: config.file.clone(), source: Box::new(source) };
    let settings = match &config.settings {
        Some(path) => read_settings(path)?,
        None => Value::Object(serde_json::Map::new()),
    };
    let wasm = tokio::fs::read(&config.file)
        .await
        .map_err(|source| ComposeError::Unreadable { path: config.file.clone(), source })?;
    runtime.load_in(&wasm, grant, &settings, region).await.map_err(failed)
}

fn read_grant(path: &Path, tenant: &TenantId) -> Result<Grant, ComposeError> {
    let text = read(path)?;
    let grant = Grant::parse(&path.display().to_string(), &text)?;
    if grant.tenant != *tenant {
        return Err(ComposeError::GrantTenant {
            path: path.to_owned(),
            grant: grant.tenant,
            tenant: tenant.clone(),
        });
    }
    Ok(grant)
}

/// Settings are a TOML table, the same that the plugin's schema describes as JSON.
fn read_settings(path: &Path) -> Result<Value, ComposeError> {
    let wrong = |what: String| ComposeError::Settings { path: path.to_owned(), what };
    let table: toml::Table = toml::from_str(&read(path)?).map_err(|e| wrong(e.message().to_owned()))?;
    serde_json::to_value(table).map_err(|e| wrong(e.to_string()))
}

fn read(path: &Path) -> Result<String, ComposeError> {
    std::fs::read_to_string(path).map_err(|source| ComposeError::Unreadable { path: path.to_owned(), source })
}

/// The data folder, this user's alone: the database and the ledger are in it.
fn private_folder(path: &Path) -> Result<PathBuf, ComposeError> {
    let io = |source: std::io::Error| ComposeError::Io { path: path.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io)?;
    private(path, &std::fs::metadata(path).map_err(io)?, "700")?;
    Ok(path.to_owned())
}

/// Refuses what other users of this machine may read or write.
fn private(path: &Path, of: &std::fs::Metadata, mode: &'static str) -> Result<(), ComposeError> {
    if of.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(ComposeError::Open { path: path.to_owned(), mode })
}

/// The key by which people become pseudonyms in the ledger: made once, kept beside the database. Whoever has the
/// ledger alone cannot find out whom a row is about by trying numbers.
fn subject_key(path: &Path) -> Result<hmac::Key, ComposeError> {
    let io = |source: std::io::Error| ComposeError::Io { path: path.to_owned(), source };
    let mut bytes = [0u8; 32];
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            aws_lc_rs::rand::fill(&mut bytes)
                .map_err(|_| io(std::io::Error::other("the system gave no random bytes")))?;
            file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(io)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut file = OpenOptions::new().read(true).open(path).map_err(io)?;
            private(path, &file.metadata().map_err(io)?, "600")?;
            file.read_exact(&mut bytes).map_err(io)?;
        }
        Err(error) => return Err(io(error)),
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}
