//! What the handlers share.

use std::fmt;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ramal_center::{Center, PhoneNumber};
use ramal_credentials::Keeper;
use ramal_store::{OutboxStore, StoreHealth};
use tokio::sync::watch;
use url::Url;

use crate::call_control::CallControls;
use crate::channels::ChannelDoors;
use crate::config::{ConfigError, ServerConfig};
use crate::credentials::CALLBACK;
use crate::guard::HostPolicy;
use crate::hooks::HookDoors;
use crate::live::Places;
use crate::metrics::Metrics;
use crate::openapi;
use crate::plugins::PluginDesk;
use crate::problem::{Problem, ProblemCode};
use crate::queues::QueueBoards;
use crate::registry::Registry;
use crate::webhooks::WebhookList;

/// Readers of live events that may be connected at once.
const MOST_READERS: usize = 1024;

/// What the server is composed of.
pub struct AppParts {
    /// The domain; its directories may be set later, until then `/readyz` says so.
    pub center: Center,
    /// The store, for `/readyz`.
    pub health: Arc<dyn StoreHealth>,
    /// The outbox, to look at and to replay; without it there is nothing at `/v1/deliveries`.
    pub outbox: Option<Arc<dyn OutboxStore>>,
    /// Who keeps the CRMs' secrets, to show how they stand and to connect accounts; without it there is nothing at
    /// `/v1/credentials`.
    pub credentials: Option<Keeper>,
    /// What comes in by hooks; without it there is nothing at `/v1/hooks`.
    pub hooks: Option<HookDoors>,
    /// The plugins, to look at, to resume and to revoke; without them there is nothing at `/v1/plugins`.
    pub plugins: Option<PluginDesk>,
    /// The channels whose providers post to us.
    pub channels: ChannelDoors,
    /// The channels whose calls this host can do something with.
    pub controls: CallControls,
    /// The queues that are watched.
    pub queues: QueueBoards,
    /// What the center reports to, too.
    pub metrics: Metrics,
    /// The invented customers' numbers, for simulated calls without a number.
    pub practice_numbers: Vec<PhoneNumber>,
}

struct Inner {
    center: Center,
    health: Arc<dyn StoreHealth>,
    outbox: Option<Arc<dyn OutboxStore>>,
    credentials: Option<Keeper>,
    callback: Url,
    webhooks: WebhookList,
    hooks: Option<HookDoors>,
    plugins: Option<PluginDesk>,
    channels: ChannelDoors,
    controls: CallControls,
    queues: QueueBoards,
    public: Url,
    metrics: Metrics,
    registry: Registry,
    hosts: HostPolicy,
    places: Places,
    secure_cookie: bool,
    practice_numbers: Vec<PhoneNumber>,
    next_number: AtomicUsize,
    openapi: String,
    stop: watch::Sender<bool>,
}

/// What the handlers share. Cloning is cheap.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

impl fmt::Debug for AppState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppState").finish_non_exhaustive()
    }
}

impl AppState {
    /// Composes the state and reads every secret that the configuration names.
    ///
    /// # Errors
    /// When a secret cannot be read or is too short.
    pub fn new(config: &ServerConfig, parts: AppParts) -> Result<Self, ConfigError> {
        Self::with_readers(config, parts, MOST_READERS)
    }

    /// As [`AppState::new`], with another limit of live readers.
    ///
    /// # Errors
    /// As [`AppState::new`].
    pub fn with_readers(
        config: &ServerConfig,
        parts: AppParts,
        most_readers: usize,
    ) -> Result<Self, ConfigError> {
        let AppParts {
            center,
            health,
            outbox,
            credentials,
            hooks,
            plugins,
            channels,
            controls,
            queues,
            metrics,
            practice_numbers,
        } = parts;
        let public = public(config)?;
        Ok(Self(Arc::new(Inner {
            center,
            health,
            outbox,
            credentials,
            callback: callback(&public)?,
            webhooks: WebhookList::new(config),
            hooks,
            plugins,
            channels,
            controls,
            queues,
            public,
            metrics,
            registry: Registry::new(config)?,
            hosts: HostPolicy::new(config.listen.ip(), &config.allowed_hosts, config.public_url.clone()),
            places: Places::new(most_readers),
            secure_cookie: config.public_url.as_ref().is_some_and(|url| url.scheme() == "https"),
            practice_numbers,
            next_number: AtomicUsize::new(0),
            openapi: openapi::document(),
            stop: watch::Sender::new(false),
        })))
    }

    pub(crate) fn center(&self) -> &Center {
        &self.0.center
    }
    pub(crate) fn store_health(&self) -> &dyn StoreHealth {
        &*self.0.health
    }
    pub(crate) fn outbox(&self) -> Result<&dyn OutboxStore, Problem> {
        self.0.outbox.as_deref().ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, "this host was put together without deliveries")
                .hint("`ramal run` has them; whoever composes gives `AppParts` an outbox")
        })
    }
    pub(crate) fn credentials(&self) -> Result<&Keeper, Problem> {
        self.0.credentials.as_ref().ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, "this host was put together without credentials")
                .hint("`ramal run` has them; whoever composes gives `AppParts` a keeper")
        })
    }
    /// Where a page of consent sends the browser.
    pub(crate) fn callback(&self) -> &Url {
        &self.0.callback
    }
    pub(crate) fn webhooks(&self) -> &WebhookList {
        &self.0.webhooks
    }
    pub(crate) fn hooks(&self) -> Option<&HookDoors> {
        self.0.hooks.as_ref()
    }
    pub(crate) fn plugins(&self) -> Result<&PluginDesk, Problem> {
        self.0.plugins.as_ref().ok_or_else(|| {
            Problem::new(ProblemCode::NotFound, "this host was put together without plugins")
                .hint("`ramal run` has them; whoever composes gives `AppParts` a desk of plugins")
        })
    }
    pub(crate) fn channels(&self) -> &ChannelDoors {
        &self.0.channels
    }
    pub(crate) fn controls(&self) -> &CallControls {
        &self.0.controls
    }
    pub(crate) fn queues(&self) -> &QueueBoards {
        &self.0.queues
    }
    /// How others reach this server.
    pub(crate) fn public_url(&self) -> &Url {
        &self.0.public
    }
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
    pub(crate) fn registry(&self) -> &Registry {
        &self.0.registry
    }
    pub(crate) fn hosts(&self) -> &HostPolicy {
        &self.0.hosts
    }
    pub(crate) fn places(&self) -> &Places {
        &self.0.places
    }
    pub(crate) fn secure_cookie(&self) -> bool {
        self.0.secure_cookie
    }
    pub(crate) fn openapi(&self) -> &str {
        &self.0.openapi
    }

    /// The invented customers in turn, so that whoever presses the button sees them all.
    pub(crate) fn next_practice_number(&self) -> Option<String> {
        let turn = self.0.next_number.fetch_add(1, Ordering::Relaxed);
        let index = turn.checked_rem(self.0.practice_numbers.len())?;
        self.0.practice_numbers.get(index).map(PhoneNumber::e164)
    }

    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// Ends the live streams and turns `/readyz` off.
    pub(crate) fn begin_stop(&self) {
        self.0.stop.send_replace(true);
    }
}

/// How others reach this server: by the name that people use, else by the address that is listened at.
fn public(config: &ServerConfig) -> Result<Url, ConfigError> {
    if let Some(url) = &config.public_url {
        return Ok(url.clone());
    }
    let mut listen = config.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Url::parse(&format!("http://{listen}/")).map_err(|_| no_address())
}

/// Where a page of consent sends the browser.
fn callback(public: &Url) -> Result<Url, ConfigError> {
    public.join(&format!("/{CALLBACK}")).map_err(|_| no_address())
}

fn no_address() -> ConfigError {
    ConfigError::Secret {
        of: "accounts that are connected in the browser".to_owned(),
        what: "no address of this host follows from `public-url` and `listen`; set `public-url`".to_owned(),
    }
}
