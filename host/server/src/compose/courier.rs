//! Deliveries to plugins: a stored entry becomes a call of `journal.write` or `journal.amend`, and the call's end one
//! of the outcomes that delivery understands.
//!
//! The first account of an interaction is written, each later one amends the record that the first one made. What a
//! person changed in the CRM meanwhile is the plugin's to keep (read, merge, write). Where the first account never
//! came through, a later one is written in its place, under the first one's key: should the first be replayed after
//! all, the CRM recognises it.
//!
//! A third kind of delivery tells nothing and searches: see [`matching`].

mod matching;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::{Actor, Authority, Denial, Export, PluginId, Purpose, Rule, Subject, TenantId};
use ramal_center::Center;
use ramal_delivery::{Courier, Outcome, Road};
use ramal_engine::{
    AmendJournal, CallDirection, CallError, CallOutcome, Called, JournalEntry as Entry, Plugin, PluginError,
    RecordRef, Stop, WriteJournal,
};
use ramal_store::{
    Clear, CrmRecord, Failure, InteractionDirection, JournalEntry, JournalOutcome, Leased, NewDelivery, Step,
    Target,
};
use url::Url;

use super::account::{Accounts, Terms};

/// Of the calls that a plugin may have under way, people keep at least half.
const MOST_AT_ONCE: u64 = 8;
/// How long to wait when the plugin has more calls under way than it may.
const BUSY: Duration = Duration::from_secs(2);

/// Speaks with the CRMs through their plugins.
pub(super) struct PluginCourier {
    /// Those that keep a journal.
    plugins: HashMap<(TenantId, PluginId), Plugin>,
    center: Center,
    accounts: Accounts,
    subjects: Arc<hmac::Key>,
    /// Where people open the panel.
    panel: Option<Url>,
}

impl PluginCourier {
    /// `plugins` are all that are loaded.
    pub(super) fn new(
        plugins: &HashMap<(TenantId, PluginId), Plugin>,
        center: Center,
        accounts: Accounts,
        subjects: Arc<hmac::Key>,
        panel: Option<Url>,
    ) -> Self {
        let keeps = |plugin: &Plugin| plugin.manifest().provides.contains(&Export::JournalWrite);
        let plugins = plugins.iter().filter(|(_, plugin)| keeps(plugin));
        let plugins = plugins.map(|(key, plugin)| (key.clone(), plugin.clone())).collect();
        Self { plugins, center, accounts, subjects, panel }
    }

    fn connected(&self, tenant: &TenantId, target: &Target) -> Option<&Plugin> {
        match target {
            Target::Plugin(plugin) => self.plugins.get(&(tenant.clone(), plugin.clone())),
            Target::Webhook(_) => None,
        }
    }

    async fn call(&self, job: &Leased) -> Outcome {
        let permanent = |code: &str, text: String| Outcome::Permanent(Failure::new(code, text));
        let Some(plugin) = self.connected(&job.tenant, &job.target) else {
            return Outcome::Transient(Failure::new("not-connected", "the plugin is not loaded any more"));
        };
        let entry = match JournalEntry::from_payload(job.payload.expose()) {
            Ok(entry) => entry,
            Err(error) => return permanent("bad-payload", error.to_string()),
        };
        let who = self.authority(job, &entry);
        if job.step.is_matching() {
            return self.search(plugin, job, who).await;
        }
        // A step that is not the first, for a record that is there.
        let amends = job.step != Step::journal(job.step.part());
        match job.record.clone().filter(|_| amends) {
            Some(record) if plugin.manifest().provides.contains(&Export::JournalAmend) => {
                let entry = self.entry(entry, job.key.to_string());
                let ask = AmendJournal { record: record_ref(record), entry };
                self.outcome(plugin, plugin.call(who, ask).await)
            }
            Some(_) => permanent(
                "unsupported",
                "the plugin cannot bring an entry up to date: it does not provide `journal.amend`".to_owned(),
            ),
            None => {
                let entry = self.entry(entry, first_key(job).to_string());
                self.outcome(plugin, plugin.call(who, WriteJournal { entry }).await)
            }
        }
    }

    fn outcome(&self, plugin: &Plugin, called: Called<RecordRef>) -> Outcome {
        self.accounts.charge(&Terms::of(plugin), &called.report);
        outcome(called.outcome)
    }

    fn authority(&self, job: &Leased, entry: &JournalEntry) -> Authority {
        let subject = entry.counterpart.as_ref().map(|who| {
            let tag = hmac::sign(&self.subjects, format!("{}\n{}", job.tenant, who.expose()).as_bytes());
            Subject(tag.as_ref().get(..16).map(|bytes| HEXLOWER.encode(bytes)).unwrap_or_default())
        });
        Authority {
            tenant: job.tenant.clone(),
            purpose: Purpose::Journal,
            interaction: job.interaction,
            actor: Actor::System,
            subject,
            at: Timestamp::now(),
        }
    }

    fn entry(&self, entry: JournalEntry, idempotency_key: String) -> Entry {
        let recording = entry.recording.as_ref().and_then(|id| self.link(id));
        Entry {
            idempotency_key,
            contact: entry.contact,
            channel: entry.channel.as_str().to_owned(),
            direction: match entry.direction {
                InteractionDirection::Inbound => CallDirection::Inbound,
                InteractionDirection::Outbound => CallDirection::Outbound,
                InteractionDirection::Internal => CallDirection::Internal,
            },
            outcome: match entry.outcome {
                JournalOutcome::Answered => CallOutcome::Answered,
                JournalOutcome::Missed => CallOutcome::Missed,
                JournalOutcome::Busy => CallOutcome::Busy,
                JournalOutcome::NoAnswer => CallOutcome::NoAnswer,
                JournalOutcome::Voicemail => CallOutcome::Voicemail,
                JournalOutcome::Failed => CallOutcome::Failed,
                JournalOutcome::Abandoned => CallOutcome::Abandoned,
            },
            counterpart: entry.counterpart,
            agent: entry.agent,
            queue: entry.queue,
            started: millis(entry.started),
            answered: entry.answered.map(millis),
            ended: entry.ended.map(millis),
            disposition: entry.disposition,
            notes: entry.notes,
            transcript: entry.transcript,
            recording,
            about: entry.about.map(record_ref),
        }
    }

    /// The panel's page of a recording; it asks for a login.
    fn link(&self, recording: &str) -> Option<Clear> {
        let page = self.panel.as_ref()?.join(&format!("recordings/{recording}")).ok()?;
        Some(Clear::new(page.as_str()))
    }
}

impl Courier for PluginCourier {
    fn road(&self, tenant: &TenantId, target: &Target) -> Option<Road> {
        let plugin = self.connected(tenant, target)?;
        let Terms { upstream, rate } = Terms::of(plugin);
        let plan = plugin.plan();
        let limits = plan.limits();
        let at_once = (limits.calls_in_flight / 2).clamp(1, MOST_AT_ONCE);
        Some(Road {
            upstream,
            rate,
            dedup: plugin.manifest().dedup,
            at_once: usize::try_from(at_once).unwrap_or(1),
        })
    }

    fn deliver<'a>(&'a self, job: &'a Leased) -> BoxFuture<'a, Outcome> {
        Box::pin(self.call(job))
    }
}

/// The key of the account that stands at the beginning.
fn first_key(job: &Leased) -> uuid::Uuid {
    NewDelivery::key(&job.tenant, &job.target, job.interaction, &Step::journal(job.step.part()))
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

fn record_ref(record: CrmRecord) -> RecordRef {
    RecordRef { kind: record.kind, id: record.id, url: record.url }
}

fn outcome(result: Result<RecordRef, CallError>) -> Outcome {
    match result {
        Ok(record) => Outcome::Done(Some(CrmRecord { kind: record.kind, id: record.id, url: record.url })),
        Err(error) => ended(error),
    }
}

/// What a call that failed means for its delivery.
fn ended(error: CallError) -> Outcome {
    let failure = Failure::new(error.code(), error.to_string());
    match error {
        CallError::Denied(denial) => denied(&denial, failure),
        CallError::Plugin(error) => match error {
            PluginError::AuthExpired => Outcome::AuthExpired(failure),
            PluginError::RateLimited(seconds) => {
                Outcome::RetryAfter(seconds.map(|s| Duration::from_secs(s.into())), failure)
            }
            // What has no word yet may pass; a day of tries finds out.
            PluginError::Transient(_) | PluginError::Other(..) => Outcome::Transient(failure),
            // Denied in the middle of a call: for this entry. Others may go through.
            PluginError::Unsupported
            | PluginError::NotFound
            | PluginError::Denied(_)
            | PluginError::Invalid(_)
            | PluginError::Permanent(_) => Outcome::Permanent(failure),
        },
        CallError::Stopped { stop: Stop::WallTime | Stop::CpuTime, .. } | CallError::Host(_) => {
            Outcome::Transient(failure)
        }
        // The same entry would bring it down again.
        CallError::Stopped { .. } | CallError::ResultTooLarge(_) => Outcome::Permanent(failure),
        // The host's own gate: the CRM did not ask for rest, and people may have theirs.
        CallError::Busy(_) => Outcome::Untried(BUSY, failure),
        CallError::Quarantined { seconds, .. } => Outcome::Untried(Duration::from_secs(seconds), failure),
        CallError::Missing(_) => Outcome::Denied(failure),
    }
}

/// Whether a denial is about every delivery, so that a person must change the grant first, or about this one.
fn denied(denial: &Denial, failure: Failure) -> Outcome {
    match denial.rule {
        Rule::GrantEnded
        | Rule::Purpose
        | Rule::Class
        | Rule::NotProvided
        | Rule::Suspended
        | Rule::Subjects => Outcome::Denied(failure),
        // Nothing may leave while the ledger cannot be written; that is not the grant's fault.
        Rule::Ledger => Outcome::Transient(failure),
        _ => Outcome::Permanent(failure),
    }
}

#[cfg(test)]
mod tests;
