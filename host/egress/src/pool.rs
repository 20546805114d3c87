//! Kept connections, apart for each (tenant, plugin, grant revision, credential, origin, granted ranges).
//!
//! A connection carries what was decided when it was opened: whom it authenticates as, and which addresses
//! were allowed. Shared by more than one grant it would let a revoked or narrower one ride on another's
//! connection, so the whole decision is the key, and [`Pools::forget`] drops a plugin's connections when its
//! grant is revoked.
//!
//! HTTP/1.1 only, and nothing that moves a request elsewhere: the client under it knows no redirects, cookies,
//! `Alt-Svc` or proxies from the environment.

use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use parking_lot::Mutex;
use ramal_capability::{CredentialId, Origin, PluginId, TenantId};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;
use tokio_rustls::rustls::ClientConfig;

use crate::connector::{ConnectError, Connector};
use crate::resolver::Resolver;

/// Connections at once in one pool, and idle ones that are kept.
const CONNECTIONS: usize = 32;
/// How long an idle connection is kept: below the minute after which most servers close it.
const IDLE: Duration = Duration::from_secs(55);
/// Pools at once.
const POOLS: usize = 4_096;
/// Bytes that the head of an answer may have. hyper itself refuses more than 100 headers.
const HEAD_BYTES: usize = 64 * 1024;

/// Everything that was decided for a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    pub(crate) tenant: TenantId,
    pub(crate) plugin: PluginId,
    pub(crate) grant_revision: u64,
    pub(crate) credential: Option<CredentialId>,
    pub(crate) origin: Origin,
    pub(crate) private: Vec<IpNet>,
}

/// The connections of one key.
pub(crate) struct Pool {
    client: Client<Connector, Full<Bytes>>,
    slots: Semaphore,
    used: Mutex<Instant>,
    /// Scheme, host and port, for the ledger.
    pub(crate) destination: Arc<str>,
}

impl Pool {
    /// The client, and the right to use it; waits while all connections are busy.
    pub(crate) async fn client(&self) -> (&Client<Connector, Full<Bytes>>, Option<SemaphorePermit<'_>>) {
        // The semaphore is never closed, so there is always a permit in the end.
        (&self.client, self.slots.acquire().await.ok())
    }
}

/// All kept connections.
pub(crate) struct Pools {
    pools: DashMap<PoolKey, Arc<Pool>>,
    resolver: Arc<dyn Resolver>,
    tls: ClientConfig,
    connect: Duration,
}

impl Pools {
    /// No connection yet; `connect` is the time to open one.
    pub(crate) fn new(resolver: Arc<dyn Resolver>, tls: ClientConfig, connect: Duration) -> Self {
        Self { pools: DashMap::new(), resolver, tls, connect }
    }

    /// The pool of a key, made if there is none.
    pub(crate) fn get(&self, key: PoolKey) -> Result<Arc<Pool>, ConnectError> {
        let now = Instant::now();
        if let Some(pool) = self.pools.get(&key) {
            *pool.used.lock() = now;
            return Ok(pool.clone());
        }
        let connector =
            Connector::new(key.origin.clone(), &key.private, self.resolver.clone(), &self.tls, self.connect)?;
        let mut client = Client::builder(TokioExecutor::new());
        client
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(CONNECTIONS)
            .http1_max_buf_size(HEAD_BYTES);
        let made = Arc::new(Pool {
            destination: key.origin.to_string().into(),
            client: client.build(connector),
            slots: Semaphore::new(CONNECTIONS),
            used: Mutex::new(now),
        });
        self.make_room(now);
        // Two calls may come here at once for one key; both go on with the one that is in the map.
        Ok(self.pools.entry(key).or_insert(made).clone())
    }

    /// Drops every connection of a plugin. Exchanges under way keep theirs until they end or are dropped.
    pub(crate) fn forget(&self, tenant: &TenantId, plugin: &PluginId) {
        self.pools.retain(|key, _| !(key.tenant == *tenant && key.plugin == *plugin));
    }

    /// Drops pools without connections, and if that is not enough the one that was used longest ago.
    fn make_room(&self, now: Instant) {
        if self.pools.len() < POOLS {
            return;
        }
        self.pools.retain(|_, pool| now.duration_since(*pool.used.lock()) < IDLE);
        if self.pools.len() >= POOLS {
            let oldest = self.pools.iter().min_by_key(|e| *e.value().used.lock()).map(|e| e.key().clone());
            if let Some(key) = oldest {
                self.pools.remove(&key);
            }
        }
    }
}
