//! Removes the traces of work that is done, so that a database of years holds what is still of use: deliveries that
//! were delivered long ago, and the memory of clients' requests that nobody repeats any more.
//!
//! Dead deliveries stay until a person has looked at them. So does the memory of what exchanges and providers sent:
//! some repeat a message after weeks, and it must not be taken for a new one.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ramal_capability::TenantId;
use ramal_center::{Center, CenterError};
use ramal_store::OutboxStore;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::RetentionConfig;
use crate::events::chain;

/// How often it is tidied up.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Rows that are removed in one transaction: the writer must not be held up for long.
const AT_ONCE: u32 = 500;

pub(super) struct Housekeeping {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// What is tidied up.
pub(super) struct House {
    pub(super) outbox: Arc<dyn OutboxStore>,
    pub(super) center: Center,
    pub(super) tenants: Vec<TenantId>,
    pub(super) retention: RetentionConfig,
}

/// What was removed of one tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Removed {
    deliveries: u64,
    requests: u64,
}

impl Housekeeping {
    pub(super) fn start(house: House) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stop| *stop) => return,
                    _ = ticks.tick() => {}
                }
                // Each transaction is whole, so it may stop between any two.
                tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stop| *stop) => return,
                    () = house.tidy_up(Timestamp::now()) => {}
                }
            }
        });
        Self { stop, task }
    }

    /// Ends it. To be called before the store closes.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the housekeeping ended before its time; the next start goes on with it");
        }
    }
}

impl House {
    async fn tidy_up(&self, now: Timestamp) {
        for tenant in &self.tenants {
            match self.tidy_tenant(tenant, now).await {
                Ok(Removed { deliveries: 0, requests: 0 }) => {}
                Ok(Removed { deliveries, requests }) => {
                    tracing::info!(%tenant, deliveries, requests, "traces of old work were removed");
                }
                Err(error) => {
                    tracing::error!(%tenant, error = %chain(&error), "traces of old work could not be removed");
                }
            }
        }
    }

    async fn tidy_tenant(&self, tenant: &TenantId, now: Timestamp) -> Result<Removed, CenterError> {
        let mut removed = Removed { deliveries: 0, requests: 0 };
        let before = days_before(now, self.retention.delivered_days);
        loop {
            let gone = self.outbox.prune_delivered(tenant, before, AT_ONCE).await?;
            removed.deliveries = removed.deliveries.saturating_add(gone);
            if gone < u64::from(AT_ONCE) {
                break;
            }
        }
        let before = days_before(now, self.retention.requests_days);
        loop {
            let gone = self.center.forget_requests(tenant, before, AT_ONCE).await?;
            removed.requests = removed.requests.saturating_add(gone);
            if gone < u64::from(AT_ONCE) {
                return Ok(removed);
            }
        }
    }
}

fn days_before(now: Timestamp, days: u16) -> Timestamp {
    let age = SignedDuration::from_hours(i64::from(days).saturating_mul(24));
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_center::{
        Actor, CallEvent, CallId, Caller, CenterParts, CenterSettings, Channel, EventId, EventKind,
        InteractionDirection, JournalRules, Origin, Request, Silent, SourceId, SystemClock, WebhookEvent,
        WebhookRules,
    };
    use ramal_store::{
        DeliveryFilter, DeliveryState, LeaseOrder, Settlement, SqliteSettings, SqliteStore, Target, WebhookId,
    };

    fn tenant() -> TenantId {
        TenantId::new("acme").unwrap()
    }

    /// A call that a webhook was told of twice; the second delivery still waits. One request was made.
    async fn house() -> (House, Arc<SqliteStore>, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let settings = SqliteSettings::new(dir.path().join("ramal.db"));
        let store = Arc::new(SqliteStore::open(&settings).await.unwrap());
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: Arc::new(SystemClock),
            settings: CenterSettings::default(),
        });
        let webhook = WebhookId(uuid::Uuid::from_u128(1));
        let rules = WebhookRules { events: WebhookEvent::all().collect(), personal: false };
        let rules = JournalRules { webhooks: [(webhook, rules)].into(), ..JournalRules::default() };
        center.set_journals([(tenant(), rules)].into());
        let origin = Origin { tenant: tenant(), source: SourceId::new("pbx").unwrap() };
        let kind = EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: Caller::Withheld,
            to: None,
            queue: None,
        };
        let rings = CallEvent {
            event_id: EventId::new("e1").unwrap(),
            call_id: CallId::new("c1").unwrap(),
            kind,
            at: Timestamp::now(),
        };
        let call = center.handle(origin, rings).await.unwrap().interaction;
        let now = Timestamp::now();
        let order = LeaseOrder {
            tenant: tenant(),
            target: Target::Webhook(webhook),
            lanes: 9,
            now,
            until: now + SignedDuration::from_mins(1),
        };
        let leased = store.lease(&order).await.unwrap();
        store.settle(&leased[0], &Settlement::Done { record: None }, None, now).await.unwrap();
        let request = Request { tenant: tenant(), actor: Actor::System, id: EventId::new("r1").unwrap() };
        center.set_disposition(request, call, Some("sold".to_owned())).await.unwrap();
        let retention = RetentionConfig { requests_days: 10, ..RetentionConfig::default() };
        (House { outbox: store.clone(), center, tenants: vec![tenant()], retention }, store, dir)
    }

    fn in_days(days: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(days * 24)
    }

    #[tokio::test]
    async fn what_is_done_goes_after_its_days_and_what_is_not_stays() {
        let (house, store, _dir) = house().await;
        let removed = async |days| house.tidy_tenant(&tenant(), in_days(days)).await.unwrap();
        assert_eq!(removed(9).await, Removed { deliveries: 0, requests: 0 });
        assert_eq!(removed(11).await, Removed { deliveries: 0, requests: 1 });
        assert_eq!(removed(31).await, Removed { deliveries: 1, requests: 0 });
        assert_eq!(removed(3000).await, Removed { deliveries: 0, requests: 0 });
        let left = store.deliveries(&tenant(), &DeliveryFilter::default(), None, 9).await.unwrap();
        assert_eq!(left.iter().map(|d| d.state).collect::<Vec<_>>(), [DeliveryState::Open]);
    }
}
