//! What CRMs tell by themselves: the plugins behind the center's seam, and their task for as long as the host runs.
//!
//! A plugin that waits for a person (its credential was refused, its grant lacks something) is asked once more at
//! each start, since files and grants are read then, and when the keeper says that a credential is good again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::{Actor, Authority, Denial, Export, PluginId, Purpose, Rule, TenantId};
use ramal_center::{
    Center, CrmEvents, CrmFact, CrmNews, CrmOccasion, Hearing, HearingBell, HearingParts, Region, Setback,
};
use ramal_delivery::Class;
use ramal_engine::{
    CallError, CrmFact as PluginFact, HandleEvent, News, Plugin, PluginError, RecordRef, Stop,
};
use ramal_store::{CrmRecord, Failure, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::account::{Accounts, Held, Terms};

/// How long to wait when the plugin has more calls under way than it may.
const BUSY: Duration = Duration::from_secs(2);
/// How long to wait for the account's turn before the wait is written down.
const PATIENCE: Duration = Duration::from_secs(5);

/// A plugin that hears what its CRM tells.
pub(super) struct PluginEvents {
    plugin: Plugin,
    accounts: Accounts,
    tenant: TenantId,
    name: PluginId,
    region: Region,
}

impl PluginEvents {
    /// `None` for a plugin that hears nothing.
    pub(super) fn new(
        plugin: &Plugin,
        accounts: Accounts,
        tenant: &TenantId,
        region: Region,
    ) -> Option<Self> {
        let hears = plugin.manifest().provides.contains(&Export::EventsHandle);
        hears.then(|| Self {
            plugin: plugin.clone(),
            accounts,
            tenant: tenant.clone(),
            name: plugin.manifest().id.clone(),
            region,
        })
    }

    async fn call(&self, occasion: CrmOccasion) -> Result<CrmNews, Setback> {
        let authority = Authority {
            tenant: self.tenant.clone(),
            purpose: Purpose::Sync,
            interaction: None,
            actor: Actor::System,
            subject: None,
            at: Timestamp::now(),
        };
        let ask = match occasion {
            CrmOccasion::Hook { hook, came } => HandleEvent::Hook { hook, came },
            CrmOccasion::Tick { cursor } => HandleEvent::Tick { cursor },
        };
        let plugin = self.plugin.clone();
        let call = async move { plugin.call(authority, ask).await };
        let patience = Instant::now() + PATIENCE;
        let called = self.accounts.call(Terms::of(&self.plugin), Class::Batch, patience, call).await;
        called.map_err(held)?.outcome.map(|news| self.news(news)).map_err(setback)
    }

    fn news(&self, news: News) -> CrmNews {
        CrmNews {
            facts: news.facts.into_iter().filter_map(|raw| self.fact(raw)).collect(),
            next: news.next,
            more: news.more,
        }
    }

    fn fact(&self, fact: PluginFact) -> Option<CrmFact> {
        Some(match fact {
            PluginFact::ContactChanged(contact) => CrmFact::ContactChanged(contact),
            PluginFact::ContactDeleted(contact) => CrmFact::ContactDeleted(contact),
            PluginFact::RecordDeleted(gone) => CrmFact::RecordDeleted(record(gone)),
            PluginFact::Dial(dial) => CrmFact::Dial {
                agent: dial.agent.value,
                number: dial.number.value,
                about: dial.about.map(record),
            },
            // Room for what a later contract says; this host has no word for it.
            PluginFact::Other { code, .. } => {
                tracing::debug!(tenant = %self.tenant, plugin = %self.name, code, "a fact that this host does not know");
                return None;
            }
        })
    }
}

impl CrmEvents for PluginEvents {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }
    fn plugin(&self) -> &PluginId {
        &self.name
    }
    fn region(&self) -> Region {
        self.region
    }
    fn every(&self) -> Option<Duration> {
        self.plugin.plan().sync()
    }
    fn handle(&self, occasion: CrmOccasion) -> BoxFuture<'_, Result<CrmNews, Setback>> {
        Box::pin(self.call(occasion))
    }
}

fn record(record: RecordRef) -> CrmRecord {
    CrmRecord { kind: record.kind, id: record.id, url: record.url }
}

/// The account must not be called at the moment: nothing was asked.
fn held(held: Held) -> Setback {
    match held {
        Held::Open(wait) => {
            let why = "the account's last calls failed, so it is left alone";
            Setback::RetryAfter(Some(wait), Failure::new("circuit-open", why))
        }
        Held::Spent(wait) => {
            let why = "the account's budget is used up, or the CRM asked for rest";
            Setback::RetryAfter(Some(wait), Failure::new("rate-limited", why))
        }
        Held::Broken => {
            Setback::Transient(Failure::new("broken", "the call stopped without an end; see the log"))
        }
    }
}

fn setback(error: CallError) -> Setback {
    let failure = Failure::new(error.code(), error.to_string());
    match error {
        CallError::Denied(denial) => denied(&denial, failure),
        CallError::Plugin(error) => match error {
            PluginError::AuthExpired | PluginError::Denied(_) => Setback::NeedsPerson(failure),
            PluginError::RateLimited(seconds) => {
                Setback::RetryAfter(seconds.map(|s| Duration::from_secs(s.into())), failure)
            }
            PluginError::Transient(_) | PluginError::Other(..) => Setback::Transient(failure),
            PluginError::Unsupported
            | PluginError::NotFound
            | PluginError::Invalid(_)
            | PluginError::Permanent(_) => Setback::Permanent(failure),
        },
        CallError::Stopped { stop: Stop::WallTime | Stop::CpuTime, .. } | CallError::Host(_) => {
            Setback::Transient(failure)
        }
        // The same would bring it down again.
        CallError::Stopped { .. } | CallError::ResultTooLarge(_) => Setback::Permanent(failure),
        CallError::Busy(_) => Setback::RetryAfter(Some(BUSY), failure),
        CallError::Quarantined { seconds, .. } => {
            Setback::RetryAfter(Some(Duration::from_secs(seconds)), failure)
        }
        CallError::Missing(_) => Setback::NeedsPerson(failure),
    }
}

/// Whether a denial is about everything that the plugin hears, so that a person must change the grant, or about what
/// it answered this time.
fn denied(denial: &Denial, failure: Failure) -> Setback {
    match denial.rule {
        Rule::GrantEnded
        | Rule::Purpose
        | Rule::NotProvided
        | Rule::Suspended
        | Rule::Subjects
        | Rule::Hook
        | Rule::UnknownHook => Setback::NeedsPerson(failure),
        Rule::Ledger => Setback::Transient(failure),
        _ => Setback::Permanent(failure),
    }
}

/// Hearing, for as long as the host runs.
pub(super) struct Heard {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Heard {
    /// Begins to hear; what wakes it when something came.
    pub(super) fn start(
        center: Center,
        store: Arc<dyn Store>,
        plugins: Vec<Arc<PluginEvents>>,
    ) -> (Self, HearingBell) {
        let crms = plugins.iter().map(|plugin| Arc::clone(plugin) as Arc<dyn CrmEvents>).collect();
        let hearing = Hearing::new(HearingParts {
            copies: Arc::new(center.clone()),
            center,
            store: store.clone(),
            crms,
            roll: Arc::new(random),
        });
        let bell = hearing.bell();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move {
            for plugin in plugins {
                if let Err(error) = store.resume_sync(&plugin.tenant, &plugin.name, Timestamp::now()).await {
                    tracing::error!(tenant = %plugin.tenant, plugin = %plugin.name, %error, "what waits could not be looked at");
                }
            }
            hearing.run(stopped).await;
        });
        (Self { stop, task }, bell)
    }

    /// Lets what is under way come to its end. To be called before the store closes.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("hearing ended before its time; what waits is heard after the next start");
        }
    }
}

/// For spreading waits; without randomness all wait their whole time.
fn random() -> u32 {
    let mut bytes = [0; 4];
    aws_lc_rs::rand::fill(&mut bytes).map_or(u32::MAX, |()| u32::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn told(setback: &Setback) -> &'static str {
        match setback {
            Setback::Transient(_) => "transient",
            Setback::RetryAfter(..) => "retry-after",
            Setback::Permanent(_) => "permanent",
            Setback::NeedsPerson(_) => "needs-person",
        }
    }
    fn refused(rule: Rule) -> CallError {
        CallError::Denied(Denial::new(rule, "asked", "granted"))
    }

    #[rstest]
    #[case::credential(CallError::Plugin(PluginError::AuthExpired), "needs-person")]
    #[case::right_in_the_crm(CallError::Plugin(PluginError::Denied("no".into())), "needs-person")]
    #[case::slow(CallError::Plugin(PluginError::Transient("slow".into())), "transient")]
    #[case::limited(CallError::Plugin(PluginError::RateLimited(Some(9))), "retry-after")]
    #[case::meaningless(CallError::Plugin(PluginError::Permanent("what".into())), "permanent")]
    #[case::too_long(CallError::Stopped { stop: Stop::WallTime, said: None }, "transient")]
    #[case::panicked(CallError::Stopped { stop: Stop::Panic, said: None }, "permanent")]
    #[case::hook_not_granted(refused(Rule::Hook), "needs-person")]
    #[case::grant_ended(refused(Rule::GrantEnded), "needs-person")]
    #[case::number_made_up(refused(Rule::ResultPlace), "permanent")]
    #[case::ledger_full(refused(Rule::Ledger), "transient")]
    #[case::busy(CallError::Busy("calls"), "retry-after")]
    fn each_failure_has_its_consequence(#[case] error: CallError, #[case] then: &str) {
        assert_eq!(told(&setback(error)), then);
    }
}
