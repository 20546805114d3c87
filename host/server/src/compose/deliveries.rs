//! The outbox's worker, for as long as the host runs, and what lets paused deliveries go again.
//!
//! A target is paused when only a person can help: with the credential, or with the grant. The credential's keeper
//! says when a credential is good again; grants and files of credentials are read at the start, so each start tries
//! once more. What is still wrong pauses the target again with its first try.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ramal_capability::TenantId;
use ramal_credentials::{Alert, CredentialKey, CredentialObserver, CredentialState, LogAlerts};
use ramal_delivery::{Courier, DeliveryObserver, Upstreams, Worker, WorkerParts};
use ramal_store::{Fault, Leased, Settlement, Store, StoreError, Target};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::metrics::Metrics;

/// The reason for a pause that a good credential ends: the engine's word for a credential that is not accepted.
const CREDENTIAL: &str = "auth-expired";

pub(super) struct Deliveries {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Deliveries {
    /// Begins to empty the outbox of these tenants.
    pub(super) fn start(
        store: Arc<dyn Store>,
        courier: Arc<dyn Courier>,
        upstreams: Arc<Upstreams>,
        metrics: Metrics,
        tenants: Vec<TenantId>,
    ) -> Self {
        let (stop, stopped) = watch::channel(false);
        let observer = Arc::new(Counted(metrics));
        let parts = WorkerParts { observer, upstreams, ..WorkerParts::new(Arc::clone(&store), courier) };
        let task = tokio::spawn(async move {
            for tenant in &tenants {
                if let Err(error) = let_go(store.as_ref(), tenant, |_, _| true).await {
                    tracing::error!(%tenant, %error, "paused deliveries could not be looked at");
                }
            }
            Worker::new(parts, tenants).run(stopped).await;
        });
        Self { stop, task }
    }

    /// Lets what is under way come to its end. To be called before the store closes.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!(
                "the deliveries ended before their time; what waits is delivered after the next start"
            );
        }
    }
}

/// Resumes the paused targets of a tenant that are wanted, by the target and the code of the reason.
async fn let_go(
    store: &dyn Store,
    tenant: &TenantId,
    wanted: impl Fn(&Target, &str) -> bool,
) -> Result<(), StoreError> {
    for waiting in store.backlog(tenant).await? {
        let is_wanted = |code: &str| wanted(&waiting.target, code);
        if waiting.paused.as_ref().is_some_and(|pause| is_wanted(&pause.reason.code)) {
            store.resume(tenant, &waiting.target, Timestamp::now()).await?;
            tracing::info!(%tenant, target = %waiting.target, "its deliveries go on");
        }
    }
    Ok(())
}

/// Lets deliveries go on that waited for a credential.
pub(super) struct WhenConnected(pub(super) Arc<dyn Store>);

impl CredentialObserver for WhenConnected {
    fn changed(&self, key: &CredentialKey, state: &CredentialState) {
        LogAlerts.changed(key, state);
        if !matches!(state, CredentialState::Valid { .. }) {
            return;
        }
        let (store, key) = (Arc::clone(&self.0), key.clone());
        tokio::spawn(async move {
            let plugin = Target::Plugin(key.plugin.clone());
            let waits = |target: &Target, code: &str| *target == plugin && code == CREDENTIAL;
            if let Err(error) = let_go(store.as_ref(), &key.tenant, waits).await {
                tracing::error!(credential = %key, %error, "deliveries that waited for it still wait");
            }
            let resumed = store.resume_sync(&key.tenant, &key.plugin, Timestamp::now()).await;
            // A tool that stored the secret may be gone already; the host itself tries at its start.
            if let Err(error) = resumed
                && error.fault() != Fault::Closed
            {
                tracing::error!(credential = %key, %error, "questions for changes that waited for it still wait");
            }
        });
    }

    fn alert(&self, key: &CredentialKey, alert: &Alert) {
        LogAlerts.alert(key, alert);
    }
}

/// Deliveries as numbers.
struct Counted(Metrics);

impl DeliveryObserver for Counted {
    fn settled(&self, job: &Leased, settlement: &Settlement, _: Duration) {
        self.0.delivery(&job.target, settlement.as_str());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_capability::{CredentialId, PluginId};
    use ramal_store::{Failure, SqliteSettings, SqliteStore};

    fn tenant() -> TenantId {
        TenantId::new("acme").unwrap()
    }
    fn plugin(name: &str) -> Target {
        Target::Plugin(PluginId::new(name).unwrap())
    }

    #[tokio::test]
    async fn a_credential_that_is_good_again_lets_go_what_waited_for_it_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let settings = SqliteSettings::new(dir.path().join("ramal.db"));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&settings).await.unwrap());
        for (name, code) in [("odoo", CREDENTIAL), ("tryton", CREDENTIAL), ("practice", "denied")] {
            let reason = Failure::new(code, "as the test decided");
            store.pause(&tenant(), &plugin(name), &reason, Timestamp::now()).await.unwrap();
        }
        let mut bell = store.bell().listen();
        let changed = |name: &str, state: CredentialState| {
            let key = CredentialKey {
                tenant: tenant(),
                plugin: PluginId::new(name).unwrap(),
                credential: CredentialId::new("key").unwrap(),
            };
            WhenConnected(Arc::clone(&store)).changed(&key, &state);
        };
        changed("tryton", CredentialState::Missing);
        changed("practice", CredentialState::Valid { until: None });
        changed("odoo", CredentialState::Valid { until: None });
        bell.rung().await;
        let backlog = store.backlog(&tenant()).await.unwrap();
        let paused: Vec<_> =
            backlog.iter().filter(|b| b.paused.is_some()).map(|b| b.target.to_string()).collect();
        assert_eq!(paused, ["plugin:practice", "plugin:tryton"]);
    }
}
