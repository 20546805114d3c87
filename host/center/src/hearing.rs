//! What CRMs tell by themselves: a stored hook or a tick is heard by its plugin, and the facts become live events.
//!
//! ```text
//! hook ──stored by the server──▶ lease ─▶ CrmEvents::handle ─▶ facts ─▶ settled with their live events
//! tick ──due by the clock──────▶ lease ─▶ CrmEvents::handle ─▶ facts ─▶ settled with them and the next cursor
//! ```
//!
//! Each connected CRM has a task of its own, so that one that hangs delays no other. What fails is tried again with
//! growing waits for a day. Hooks are heard in no promised order and at least once, but what follows from one is told
//! once. A tick whose credential is no longer accepted stops the ticks until a person has renewed it: a CRM that is
//! asked with a dead key every minute locks the account.

mod facts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use ramal_capability::{HookId, Listed};
use ramal_delivery::{CAP, DELIVERY_DAY, LONGEST_WAIT, backoff};
use ramal_numbers::Region;
use ramal_store::{
    Clear, CrmRecord, Failure, HookSettlement, InboundOrder, InboundStore, LeasedHook, LeasedSync, LiveId,
    PluginId, StoreError, SyncSettlement, TenantId,
};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::{Center, Forget};

/// Hooks of one CRM that are heard at once.
const AT_ONCE: u32 = 8;
/// Longer than a plugin's call may take by any grant.
const LEASE: Duration = Duration::from_secs(120);
/// How long until a CRM's task looks without being told: another process may have stored something.
const LOOK: Duration = Duration::from_secs(5);
/// Answers of one tick that are taken one after the other; then others have their turn.
const MOST_PAGES: u32 = 100;
/// How long what was heard, or given up, is remembered.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How often what is older is forgotten.
const PRUNE: Duration = Duration::from_secs(60 * 60);

/// One connected CRM that tells something by itself, as the center sees it.
pub trait CrmEvents: Send + Sync + 'static {
    /// Whose data.
    fn tenant(&self) -> &TenantId;
    /// Which plugin hears for it.
    fn plugin(&self) -> &PluginId;
    /// By which country's rules its numbers are read.
    fn region(&self) -> Region;
    /// How often it is asked for changes; `None` when it is not.
    fn every(&self) -> Option<Duration>;
    /// What the plugin makes of the occasion.
    fn handle(&self, occasion: CrmOccasion) -> BoxFuture<'_, Result<CrmNews, Setback>>;
}

/// Why the plugin is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmOccasion {
    /// The CRM sent something.
    Hook {
        /// To which hook.
        hook: HookId,
        /// What the hook took of it.
        came: Listed,
    },
    /// It is time to ask what has changed.
    Tick {
        /// How far it came.
        cursor: Option<String>,
    },
}

/// What a plugin made of an occasion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CrmNews {
    /// What happened, in order.
    pub facts: Vec<CrmFact>,
    /// Of a tick: the next cursor.
    pub next: Option<String>,
    /// Of a tick: whether there is more at once.
    pub more: bool,
}

/// Something that happened in a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmFact {
    /// The contact is no longer as it was.
    ContactChanged(String),
    /// The contact is gone.
    ContactDeleted(String),
    /// Another record is gone.
    RecordDeleted(CrmRecord),
    /// Somebody in the CRM wants to be connected.
    Dial {
        /// Who.
        agent: Clear,
        /// With which number, as the CRM holds it.
        number: Clear,
        /// The record from which it was asked.
        about: Option<CrmRecord>,
    },
}

/// Why nothing could be made of an occasion. The texts are for operators and hold no customer's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setback {
    /// Worth another try.
    Transient(Failure),
    /// Worth another try after so long.
    RetryAfter(Option<Duration>, Failure),
    /// Another try of the same will not help.
    Permanent(Failure),
    /// A person must act: the credential is not accepted, or the grant does not allow it.
    NeedsPerson(Failure),
}

/// Who keeps copies of contacts, and lets go of one that is no longer true.
pub trait ContactCopies: Send + Sync + 'static {
    /// Forgets what is known of a CRM's contact.
    fn forget_contact(&self, tenant: &TenantId, plugin: &PluginId, contact: &str);
}

// The answers of look-ups.
impl ContactCopies for Center {
    fn forget_contact(&self, tenant: &TenantId, plugin: &PluginId, contact: &str) {
        Center::forget_contact(self, tenant, plugin, &Forget::Contact(contact.to_owned()));
    }
}

/// Wakes the task of a CRM when something was stored for it. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct HearingBell(Arc<HashMap<(TenantId, PluginId), Arc<Notify>>>);

impl HearingBell {
    /// Says that something was stored. Call it after it is.
    pub fn ring(&self, tenant: &TenantId, plugin: &PluginId) {
        if let Some(bell) = self.0.get(&(tenant.clone(), plugin.clone())) {
            bell.notify_one();
        }
    }
}

/// What hearing needs.
pub struct HearingParts {
    /// Whose live events tell of it.
    pub center: Center,
    /// Where it waits.
    pub store: Arc<dyn InboundStore>,
    /// Who keeps copies of contacts.
    pub copies: Arc<dyn ContactCopies>,
    /// The CRMs.
    pub crms: Vec<Arc<dyn CrmEvents>>,
    /// Draws evenly from all values.
    pub roll: Arc<dyn Fn() -> u32 + Send + Sync>,
}

/// Hears what CRMs tell, until it is told to stop.
pub struct Hearing {
    shared: Arc<Shared>,
    crms: Vec<Arc<dyn CrmEvents>>,
    bell: HearingBell,
}

struct Shared {
    center: Center,
    store: Arc<dyn InboundStore>,
    copies: Arc<dyn ContactCopies>,
    roll: Arc<dyn Fn() -> u32 + Send + Sync>,
}

impl Hearing {
    /// Begins nothing yet.
    pub fn new(parts: HearingParts) -> Self {
        let HearingParts { center, store, copies, crms, roll } = parts;
        let key = |crm: &Arc<dyn CrmEvents>| (crm.tenant().clone(), crm.plugin().clone());
        let bell = HearingBell(Arc::new(crms.iter().map(|crm| (key(crm), Arc::default())).collect()));
        Self { shared: Arc::new(Shared { center, store, copies, roll }), crms, bell }
    }

    /// What wakes it.
    pub fn bell(&self) -> HearingBell {
        self.bell.clone()
    }

    /// Hears until `stop` says true (or is gone), then lets what is under way come to its end.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for crm in self.crms {
            let bell = self.bell.0.get(&(crm.tenant().clone(), crm.plugin().clone())).cloned();
            let (shared, stop) = (Arc::clone(&self.shared), stop.clone());
            tasks.spawn(async move { shared.attend(&*crm, &bell.unwrap_or_default(), stop).await });
        }
        while let Some(ended) = tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "what a CRM tells is heard no longer, by a defect; restart to hear it again");
            }
        }
    }
}

impl Shared {
    fn now(&self) -> Timestamp {
        self.center.0.clock.now()
    }

    async fn attend(&self, crm: &dyn CrmEvents, bell: &Notify, mut stop: watch::Receiver<bool>) {
        let (tenant, plugin) = (crm.tenant(), crm.plugin());
        let mut pruned_at = Timestamp::MIN;
        loop {
            if self.now() >= later(pruned_at, PRUNE) {
                pruned_at = self.now();
                if let Err(error) = self.prune(tenant).await {
                    tracing::error!(%tenant, %error, "what was heard long ago could not be forgotten");
                }
            }
            let next = match self.round(crm, &stop).await {
                Ok(next) => next,
                Err(error) => {
                    tracing::error!(%tenant, %plugin, %error, "what the CRM tells waits: the store did not answer");
                    None
                }
            };
            let pause = next.map_or(LOOK, |next| {
                Duration::try_from(next.duration_since(self.now())).unwrap_or_default().min(LOOK)
            });
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = bell.notified() => {}
                // Never at once: a clock that stands still must not make it spin.
                () = tokio::time::sleep(pause.max(Duration::from_millis(5))) => {}
            }
        }
    }

    /// Hears all that is due; says when something will be.
    async fn round(
        &self,
        crm: &dyn CrmEvents,
        stop: &watch::Receiver<bool>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (tenant, plugin) = (crm.tenant(), crm.plugin());
        let order = |now| InboundOrder {
            tenant: tenant.clone(),
            plugin: plugin.clone(),
            now,
            until: later(now, LEASE),
        };
        while !*stop.borrow() {
            let leased = self.store.lease_hooks(&order(self.now()), AT_ONCE).await?;
            if leased.is_empty() {
                break;
            }
            for heard in join_all(leased.iter().map(|job| self.hear(crm, job))).await {
                heard?;
            }
        }
        let mut next = self.store.next_hook(tenant, plugin).await?;
        if let Some(every) = crm.every() {
            for _ in 0..MOST_PAGES {
                if *stop.borrow() {
                    break;
                }
                let Some(job) = self.store.lease_sync(&order(self.now())).await? else { break };
                if !self.ask(crm, &job, every).await? {
                    break;
                }
            }
            let ask = self.store.next_sync(tenant, plugin).await?;
            next = next.into_iter().chain(ask).min();
        }
        Ok(next)
    }

    async fn hear(&self, crm: &dyn CrmEvents, job: &LeasedHook) -> Result<(), StoreError> {
        let occasion = CrmOccasion::Hook { hook: job.hook.clone(), came: job.came.clone() };
        let outcome = crm.handle(occasion).await;
        let now = self.now();
        let (told, settlement) = match outcome {
            Ok(news) => (facts::told(crm, &news.facts), HookSettlement::Done),
            Err(setback) => (facts::Told::default(), self.hook_setback(setback, job, now)),
        };
        match &settlement {
            HookSettlement::Done => {}
            HookSettlement::Retry { failure, .. } => {
                tracing::warn!(tenant = %job.tenant, plugin = %crm.plugin(), hook = %job.hook, tries = job.tries,
                    code = failure.code, "what came to a hook is heard later: {}", failure.text);
            }
            HookSettlement::Dead { failure } => {
                tracing::error!(tenant = %job.tenant, plugin = %crm.plugin(), hook = %job.hook, tries = job.tries,
                    code = failure.code, "what came to a hook is given up: {}", failure.text);
            }
        }
        let (live, gone) = (told.live, told.gone);
        match self.store.settle_hook(job, &settlement, live, now).await? {
            Ok(last) => self.tell(crm, &gone, last),
            Err(lost) => {
                tracing::warn!(tenant = %job.tenant, plugin = %crm.plugin(), "a hook is heard again: {lost}")
            }
        }
        Ok(())
    }

    fn hook_setback(&self, setback: Setback, job: &LeasedHook, now: Timestamp) -> HookSettlement {
        let day = later(job.first_tried_at, DELIVERY_DAY);
        let wait = match &setback {
            Setback::Transient(_) | Setback::RetryAfter(None, _) => backoff(job.tries, (self.roll)()),
            Setback::RetryAfter(Some(wish), _) => (*wish).min(LONGEST_WAIT),
            // A person may act within the day.
            Setback::NeedsPerson(_) => CAP,
            Setback::Permanent(_) => Duration::ZERO,
        };
        match setback {
            Setback::Permanent(failure) => HookSettlement::Dead { failure },
            Setback::Transient(failure) | Setback::RetryAfter(_, failure) | Setback::NeedsPerson(failure) => {
                if now >= day {
                    HookSettlement::Dead { failure }
                } else {
                    HookSettlement::Retry { at: later(now, wait).min(day), failure }
                }
            }
        }
    }

    /// One tick; whether there is more at once.
    async fn ask(&self, crm: &dyn CrmEvents, job: &LeasedSync, every: Duration) -> Result<bool, StoreError> {
        let outcome = crm.handle(CrmOccasion::Tick { cursor: job.cursor.clone() }).await;
        let now = self.now();
        let (told, settlement, more) = match outcome {
            Ok(news) => {
                // More without a step forward would be the same answer for ever.
                let more = news.more && news.next.is_some() && news.next != job.cursor;
                let next = if more { now } else { later(now, self.spread(every)) };
                (facts::told(crm, &news.facts), SyncSettlement::Done { cursor: news.next, next }, more)
            }
            Err(setback) => (facts::Told::default(), self.sync_setback(setback, job, every, now), false),
        };
        match &settlement {
            SyncSettlement::Done { .. } => {}
            SyncSettlement::Retry { failure, .. } => {
                tracing::warn!(tenant = %job.tenant, plugin = %job.plugin, tries = job.tries, code = failure.code,
                    "the CRM is asked for changes later: {}", failure.text);
            }
            SyncSettlement::Stop { failure } => {
                tracing::error!(tenant = %job.tenant, plugin = %job.plugin, code = failure.code,
                    "the CRM is not asked for changes until a person acts: {}", failure.text);
            }
        }
        match self.store.settle_sync(job, &settlement, told.live, now).await? {
            Ok(last) => self.tell(crm, &told.gone, last),
            Err(lost) => {
                tracing::warn!(tenant = %job.tenant, plugin = %job.plugin, "the CRM is asked again: {lost}");
                return Ok(false);
            }
        }
        Ok(more)
    }

    fn sync_setback(
        &self,
        setback: Setback,
        job: &LeasedSync,
        every: Duration,
        now: Timestamp,
    ) -> SyncSettlement {
        let again = |wait: Duration, failure| SyncSettlement::Retry { at: later(now, wait), failure };
        match setback {
            Setback::NeedsPerson(failure) => SyncSettlement::Stop { failure },
            Setback::RetryAfter(Some(wish), failure) => again(wish.min(LONGEST_WAIT), failure),
            Setback::Transient(failure) | Setback::RetryAfter(None, failure) => {
                again(backoff(job.tries, (self.roll)()), failure)
            }
            // The same question fails again, but the CRM may hold something else by then.
            Setback::Permanent(failure) => again(self.spread(every).max(CAP), failure),
        }
    }

    /// The interval, up to a tenth longer, so that not all ask in one moment.
    fn spread(&self, every: Duration) -> Duration {
        let tenth = every.as_micros() / 10 * u128::from((self.roll)()) / u128::from(u32::MAX);
        every.saturating_add(Duration::from_micros(u64::try_from(tenth).unwrap_or(0)))
    }

    /// After the commit: copies go first, so that whoever hears the live event finds none.
    fn tell(&self, crm: &dyn CrmEvents, gone: &[String], last: Option<LiveId>) {
        for contact in gone {
            self.copies.forget_contact(crm.tenant(), crm.plugin(), contact);
        }
        if let Some(last) = last {
            self.center.0.bells.ring(crm.tenant(), last);
        }
    }

    async fn prune(&self, tenant: &TenantId) -> Result<(), StoreError> {
        const AT_A_TIME: u32 = 500;
        let before = SignedDuration::try_from(KEPT).ok().and_then(|kept| self.now().checked_sub(kept).ok());
        let before = before.unwrap_or(Timestamp::MIN);
        while self.store.prune_hooks(tenant, before, AT_A_TIME).await? == u64::from(AT_A_TIME) {}
        Ok(())
    }
}

/// A moment after another, or the end of time.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| at.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}
