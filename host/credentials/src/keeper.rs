//! Keeps every credential: hands out, renews, stores, and tells how each one stands.
//!
//! `cell` is what this process remembers of one credential, `renew` the one road to a new token, `connect` a
//! person's consent, `rows` what goes into the store and comes from there.

mod cell;
mod connect;
mod renew;
mod rows;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dashmap::DashMap;
use futures_util::StreamExt;
use futures_util::stream;
use jiff::Timestamp;
use parking_lot::RwLock;
use ramal_capability::{Clear, OAuthPlan, Plan, PluginId, TenantId};
use ramal_egress::Secret;
use ramal_store::{CredentialKey, CredentialStore};
use uuid::Uuid;

use crate::clock::{Clock, SystemClock};
use crate::endpoint::TokenEndpoint;
use crate::error::KeeperError;
use crate::observer::{CredentialObserver, LogAlerts};
use crate::record::{Due, Hidden, Record};
use crate::state::CredentialState;
use crate::vault::{Vault, context};
use crate::wrap::KeyWrapper;
use cell::Cell;

/// The longest text of one field.
const MOST_FIELD: usize = 64 * 1024;
/// Credentials that are tended at once.
const AT_ONCE: usize = 8;

/// Times that a keeper keeps to.
#[derive(Debug, Clone)]
pub struct KeeperSettings {
    /// A token is renewed this long before its end, or a fifth of its life if that is less; up to half as much
    /// earlier still, by chance, so that nodes and accounts do not all come at one moment.
    pub ahead: Duration,
    /// How long a node that renews may take before another one may. Longer than a request to a token endpoint.
    pub lease: Duration,
    /// How long a caller waits for another node.
    pub patience: Duration,
    /// Pauses before each try to store a new token.
    pub store_pauses: Vec<Duration>,
    /// For how long what was read from the store is taken for what is there.
    pub recheck: Duration,
    /// How long before a dead end a person is told.
    pub warn: Duration,
    /// How many failures in a row a person is told of.
    pub failures: u32,
    /// How long a person has for a consent.
    pub consent: Duration,
}

impl Default for KeeperSettings {
    fn default() -> Self {
        Self {
            ahead: Duration::from_secs(300),
            lease: Duration::from_secs(60),
            patience: Duration::from_secs(20),
            store_pauses: [0, 50, 200, 1_000, 3_000].map(Duration::from_millis).into(),
            recheck: Duration::from_secs(5),
            warn: Duration::from_secs(7 * 86_400),
            failures: 3,
            consent: Duration::from_secs(600),
        }
    }
}

/// What a keeper is made of.
pub struct KeeperParts {
    /// Where sealed secrets lie.
    pub store: Arc<dyn CredentialStore>,
    /// Who wraps their keys.
    pub wrapper: Arc<dyn KeyWrapper>,
    /// The way to token endpoints.
    pub endpoint: Arc<dyn TokenEndpoint>,
    /// Who is told.
    pub observer: Arc<dyn CredentialObserver>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The times.
    pub settings: KeeperSettings,
}

impl KeeperParts {
    /// The usual parts: the machine's clock, alerts into the log.
    pub fn new(
        store: Arc<dyn CredentialStore>,
        wrapper: Arc<dyn KeyWrapper>,
        endpoint: Arc<dyn TokenEndpoint>,
    ) -> Self {
        Self {
            store,
            wrapper,
            endpoint,
            observer: Arc::new(LogAlerts),
            clock: Arc::new(SystemClock),
            settings: KeeperSettings::default(),
        }
    }
}

/// What an admin enters.
#[derive(Debug)]
pub struct Entered {
    /// Named texts.
    pub fields: BTreeMap<String, Clear>,
    /// When they end, if the admin knows: a person is told before.
    pub until: Option<Timestamp>,
    /// Whether fields that are not named here stay as they are.
    pub keep_others: bool,
}

/// A stored credential, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Whose.
    pub key: CredentialKey,
    /// The names of what was entered.
    pub fields: Vec<String>,
    /// How it stands; or why it cannot be opened.
    pub state: Result<CredentialState, String>,
    /// When it was written last.
    pub updated_at: Timestamp,
}

/// Keeps every credential. Cheap to clone.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("node", &self.0.node).finish_non_exhaustive()
    }
}

struct Inner {
    store: Arc<dyn CredentialStore>,
    vault: Vault,
    endpoint: Arc<dyn TokenEndpoint>,
    observer: Arc<dyn CredentialObserver>,
    clock: Arc<dyn Clock>,
    settings: KeeperSettings,
    /// Who this is among the nodes, for leases.
    node: Uuid,
    declared: RwLock<BTreeMap<CredentialKey, Option<Arc<OAuthPlan>>>>,
    cells: DashMap<CredentialKey, Arc<Cell>>,
}

impl Inner {
    fn cell(&self, key: &CredentialKey) -> Arc<Cell> {
        if let Some(cell) = self.cells.get(key) {
            return Arc::clone(&cell);
        }
        Arc::clone(&self.cells.entry(key.clone()).or_default())
    }

    fn plan(&self, key: &CredentialKey) -> Option<Arc<OAuthPlan>> {
        self.declared.read().get(key).cloned().flatten()
    }

    fn declared(&self) -> Vec<CredentialKey> {
        self.declared.read().keys().cloned().collect()
    }
}

impl Keeper {
    /// A keeper over these parts. Reads nothing yet.
    pub fn new(parts: KeeperParts) -> Self {
        Self(Arc::new(Inner {
            store: parts.store,
            vault: Vault::new(parts.wrapper),
            endpoint: parts.endpoint,
            observer: parts.observer,
            clock: parts.clock,
            settings: parts.settings,
            node: Uuid::new_v4(),
            declared: RwLock::default(),
            cells: DashMap::new(),
        }))
    }

    // === What plugins need ===

    /// Takes up the credentials that a loaded plugin's routes use, in place of those of an earlier plan of it.
    pub fn declare(&self, plan: &Plan) {
        let mut declared = self.0.declared.write();
        declared.retain(|key, _| !(key.tenant == *plan.tenant() && key.plugin == *plan.plugin()));
        for (credential, (_, oauth)) in plan.credentials() {
            let key =
                CredentialKey { tenant: plan.tenant().clone(), plugin: plan.plugin().clone(), credential };
            declared.insert(key, oauth);
        }
    }

    /// Takes up one credential; without a plan it is what the admin entered.
    pub fn declare_one(&self, key: CredentialKey, plan: Option<OAuthPlan>) {
        self.0.declared.write().insert(key, plan.map(Arc::new));
    }

    /// Lets go of a plugin's credentials, because it is no longer loaded. What is stored stays.
    pub fn forget(&self, tenant: &TenantId, plugin: &PluginId) {
        let others = |key: &CredentialKey| !(key.tenant == *tenant && key.plugin == *plugin);
        self.0.declared.write().retain(|key, _| others(key));
        self.0.cells.retain(|key, _| others(key));
    }

    // === Secrets ===

    /// The secret, renewed if need be. Many that ask at once wait for one renewal; one that is due only soon goes on
    /// with the token that is there.
    ///
    /// # Errors
    /// When nothing is stored, a person has to act, or it cannot be renewed just now.
    pub async fn secret(&self, key: &CredentialKey) -> Result<Secret, KeeperError> {
        let inner = &self.0;
        let (cell, plan) = (inner.cell(key), inner.plan(key));
        let live = inner.live(key, &cell).await?;
        let now = inner.clock.now();
        match live.due(plan.as_deref(), cell.stale().as_ref(), now) {
            Due::No => Ok(live.record.secret(plan.as_deref())),
            Due::Never(reason) => Err(KeeperError::NeedsPerson { key: key.clone(), reason }),
            due => {
                let Some(plan) = plan else { return Ok(live.record.secret(None)) };
                if due == Due::Soon {
                    // Nobody waits for it: the token at hand is good.
                    if !live.rests(now) {
                        drop(inner.fly(key, &cell, &plan));
                    }
                    return Ok(live.record.secret(Some(&plan)));
                }
                inner.fly(key, &cell, &plan).await?;
                let live = cell.live().ok_or_else(|| KeeperError::Missing(key.clone()))?;
                // An admin may have been quicker than the renewal.
                match live.due(Some(&plan), None, now) {
                    Due::Never(reason) => Err(KeeperError::NeedsPerson { key: key.clone(), reason }),
                    _ => Ok(live.record.secret(Some(&plan))),
                }
            }
        }
    }

    /// The CRM refused this secret although its time had not come: says whether there is another one now.
    pub async fn refused(&self, key: &CredentialKey, secret: &Secret) -> bool {
        let inner = &self.0;
        let (cell, Some(plan)) = (inner.cell(key), inner.plan(key)) else { return false };
        let Some(token) = secret.fields().get("token") else { return false };
        // Another caller, or another node, may have a new one already.
        cell.forget_when_read();
        let Ok(live) = inner.live(key, &cell).await else { return false };
        let Some(tokens) = &live.record.tokens else { return false };
        if tokens.access.0 != *token {
            return true;
        }
        let age = crate::record::left(inner.clock.now(), tokens.obtained_at);
        if age < renew::REFUSED_FRESH {
            // A token that is refused as soon as it was given: a newer one would fare no better.
            return false;
        }
        cell.set_stale(token.clone());
        inner.fly(key, &cell, &plan).await.is_ok()
    }

    /// Stores what an admin entered.
    ///
    /// # Errors
    /// When a field's name or text is none, or the store cannot be written.
    pub async fn set(&self, key: &CredentialKey, entered: Entered) -> Result<(), KeeperError> {
        let named = |name: &str| {
            (1..=64).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        let good = |(name, value): (&String, &Clear)| named(name) && value.expose().len() <= MOST_FIELD;
        if entered.fields.is_empty() || !entered.fields.iter().all(good) {
            return Err(KeeperError::Field);
        }
        self.0
            .change(key, |record| {
                let mut record = record.unwrap_or_default();
                let before = record.fields.get("client_id").cloned();
                if !entered.keep_others {
                    record.fields.clear();
                }
                let fields = entered.fields.iter();
                record.fields.extend(fields.map(|(name, value)| (name.clone(), Hidden(value.clone()))));
                record.fields_until = entered.until;
                if record.fields.get("client_id") != before.as_ref() {
                    // Tokens belong to the client that they were given to.
                    record.tokens = None;
                    record.settle();
                } else if record.ended.is_some_and(|ended| ended.reason.is_clients()) {
                    record.ended = None;
                }
                record.failing = None;
                Some(record)
            })
            .await
            .map(|_| ())
    }

    /// Removes a credential, tokens and all; says whether there was one. The server that gave tokens is not told.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remove(&self, key: &CredentialKey) -> Result<bool, KeeperError> {
        let mut there = false;
        self.0
            .remove(key, |found| {
                there = found;
            })
            .await?;
        Ok(there)
    }

    // === How they stand ===

    /// How a credential stands. Without a loaded plugin that gets tokens by it, what was entered is all there is.
    ///
    /// # Errors
    /// When the store cannot be read, or the row not be opened.
    pub async fn state(&self, key: &CredentialKey) -> Result<CredentialState, KeeperError> {
        let inner = &self.0;
        let cell = inner.cell(key);
        cell.forget_when_read();
        match inner.live(key, &cell).await {
            Ok(live) => Ok(inner.state_of(key, &cell, &live.record)),
            Err(KeeperError::Missing(_)) => Ok(CredentialState::Missing),
            Err(error) => Err(error),
        }
    }

    /// What a tenant has stored, and what its loaded plugins need and is not stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<Listed>, KeeperError> {
        let inner = &self.0;
        let mut all = Vec::new();
        for row in inner.store.credentials(tenant).await? {
            let opened = inner.open(&inner.cell(&row.key), &row).await;
            let plan = inner.plan(&row.key);
            let (fields, state) = match opened {
                Ok(Some(record)) => {
                    let state = record.state(plan.as_deref(), inner.settings.warn, inner.clock.now());
                    (record.fields.keys().cloned().collect(), Ok(state))
                }
                Ok(None) => continue,
                Err(error) => (Vec::new(), Err(error.to_string())),
            };
            all.push(Listed { key: row.key, fields, state, updated_at: row.updated_at });
        }
        let missing = inner.declared().into_iter().filter(|key| key.tenant == *tenant);
        for key in missing {
            if !all.iter().any(|listed| listed.key == key) {
                let state = Ok(CredentialState::Missing);
                all.push(Listed { key, fields: Vec::new(), state, updated_at: Timestamp::UNIX_EPOCH });
            }
        }
        all.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(all)
    }

    // === Care ===

    /// Looks after every declared credential once: renews what is due, stores what could not be stored, tells
    /// people what they should know. To be called each minute, so that a token does not end because nobody used it.
    pub async fn tend(&self) {
        let inner = &self.0;
        let work = inner.declared().into_iter().map(|key| async move {
            let (cell, plan) = (inner.cell(&key), inner.plan(&key));
            cell.forget_when_read();
            let live = match inner.live(&key, &cell).await {
                Ok(live) => live,
                Err(KeeperError::Missing(_)) => return,
                Err(error) => {
                    tracing::error!(credential = %key, %error, "a credential cannot be read");
                    return;
                }
            };
            inner.tell(&key, &cell, &live.record);
            let now = inner.clock.now();
            let Some(plan) = plan else { return };
            let due = matches!(live.due(Some(&plan), None, now), Due::Soon | Due::Now);
            if cell.holds_unsaved() || (due && !live.rests(now)) {
                // How it went is in the record, and the observer was told.
                let _ = inner.fly(&key, &cell, &plan).await;
            }
        });
        stream::iter(work).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Tends until `stopped` comes, then stores what is not stored yet.
    pub async fn tend_until(&self, every: Duration, stopped: impl Future<Output = ()>) {
        tokio::pin!(stopped);
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = &mut stopped => break,
                _ = ticks.tick() => self.tend().await,
            }
        }
        self.close().await;
    }

    /// Waits for renewals under way and stores what is not stored yet. Call it before the store closes.
    pub async fn close(&self) {
        let cells: Vec<_> = self.0.cells.iter().map(|e| (e.key().clone(), Arc::clone(e.value()))).collect();
        for (key, cell) in cells {
            if let Some(flight) = cell.flight() {
                // Its outcome was told to those who asked.
                let _ = flight.await;
            }
            if let Err(error) = self.0.store_unsaved(&key, &cell).await {
                tracing::error!(credential = %key, %error, "a new token is lost, since it cannot be stored");
            }
        }
    }

    /// Makes a new wrapping key and wraps every data key of these tenants with it. Secrets are not touched; the old
    /// wrapping key can be retired when no tenant is left out. Says how many rows were wrapped anew.
    ///
    /// # Errors
    /// When a key cannot be made, or a row not be opened or written. What was done until then stays done, and can
    /// be read with either key.
    pub async fn rotate_key(&self, tenants: &[TenantId]) -> Result<usize, KeeperError> {
        let inner = &self.0;
        let mut newest = None;
        let mut done = 0;
        for tenant in tenants {
            for mut row in inner.store.credentials(tenant).await? {
                let sealed_error = |source| KeeperError::Sealed { key: row.key.clone(), source };
                if newest.is_none() {
                    let made = inner.vault.wrapper().rotate().await;
                    newest = Some(made.map_err(|error| sealed_error(error.into()))?);
                }
                let Some(id) = &newest else { continue };
                // Somebody may write the row meanwhile: then its data key is another one, wrapped with whichever key
                // that writer knew.
                while let Some(sealed) = &row.sealed {
                    let bound = context(&row.key, row.revision);
                    let wrapped = inner
                        .vault
                        .rewrap(&bound, sealed, id)
                        .await
                        .map_err(|source| KeeperError::Sealed { key: row.key.clone(), source })?;
                    let Some(wrapped) = wrapped else { break };
                    let store = &inner.store;
                    if store
                        .rewrap_credential(&row.key, row.revision, &wrapped.key_id, &wrapped.bytes)
                        .await?
                    {
                        done += 1;
                        break;
                    }
                    match inner.store.credential(&row.key).await? {
                        Some(now) => row = now,
                        None => break,
                    }
                }
            }
        }
        Ok(done)
    }
}

impl Inner {
    fn state_of(&self, key: &CredentialKey, cell: &Cell, record: &Record) -> CredentialState {
        let state = record.state(self.plan(key).as_deref(), self.settings.warn, self.clock.now());
        match state {
            CredentialState::Valid { .. } if cell.is_flying() => {
                CredentialState::Refreshing { failing_since: None, failures: 0, in_doubt: false }
            }
            state => state,
        }
    }
}
