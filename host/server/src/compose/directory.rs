//! A plugin as the screen pop's directory: one call for the contact, one for each match's open deals.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use ramal_capability::{Actor, Authority, Clear, Export, PluginId, Purpose, Seen, Shown, Subject};
use ramal_center::{Card, Deal, Directory, Found, LookUp, LookUpFailure};
use ramal_engine::{
    CallError, CallReport, Contact, FindByPhone, OpenWorkItems, Plugin, PluginError, WorkItem,
};

/// Deals are asked for of so many matches; a number that more contacts share is a switchboard's.
const MOST_WITH_DEALS: usize = 3;

pub(super) struct EngineDirectory {
    plugin: Plugin,
    name: PluginId,
    has_deals: bool,
    subjects: Arc<hmac::Key>,
}

impl EngineDirectory {
    /// The directory of a plugin that can look numbers up.
    pub(super) fn new(plugin: Plugin, subjects: Arc<hmac::Key>) -> Option<Self> {
        let provides = &plugin.manifest().provides;
        if !provides.contains(&Export::ContactsFindByPhone) {
            return None;
        }
        let has_deals = provides.contains(&Export::WorkItemsOpenFor);
        Some(Self { name: plugin.manifest().id.clone(), has_deals, plugin, subjects })
    }

    fn authority(&self, ask: &LookUp) -> Authority {
        let number = ask.number.e164();
        let tag = hmac::sign(&self.subjects, format!("{}\n{number}", ask.tenant).as_bytes());
        let pseudonym = tag.as_ref().get(..16).map(|bytes| HEXLOWER.encode(bytes)).unwrap_or_default();
        Authority {
            tenant: ask.tenant.clone(),
            purpose: Purpose::ScreenPop,
            interaction: Some(ask.interaction),
            actor: Actor::System,
            subject: Some(Subject(pseudonym)),
            at: Timestamp::now(),
        }
    }

    async fn find(&self, ask: LookUp) -> Result<Found, LookUpFailure> {
        let started = Instant::now();
        let authority = self.authority(&ask);
        let candidates = ask.number.variants().iter().map(|form| Clear::from(form.e164())).collect();
        let called = self.plugin.call(authority.clone(), FindByPhone { candidates }).await;
        let contacts = called.outcome.map_err(failure)?;
        let mut tally = Tally::default();
        tally.add(&called.report);

        let with_deals = if self.has_deals { contacts.len().min(MOST_WITH_DEALS) } else { 0 };
        let asked = contacts.iter().take(with_deals).map(|contact| {
            self.plugin.call(authority.clone(), OpenWorkItems { contact: contact.id.clone() })
        });
        let mut deals = Vec::with_capacity(with_deals);
        for called in join_all(asked).await {
            tally.add(&called.report);
            // A card without deals helps more than no card; the plugin's own log says what failed.
            deals.push(called.outcome.unwrap_or_default());
        }
        let mut deals = deals.into_iter();
        let cards =
            contacts.into_iter().map(|contact| card(contact, deals.next().unwrap_or_default())).collect();
        Ok(Found { cards, seen: tally.seen, took: started.elapsed(), requests: tally.requests })
    }
}

impl Directory for EngineDirectory {
    fn plugin(&self) -> &PluginId {
        &self.name
    }

    // A dropped look-up leaves the guest to run to its end inside the engine.
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        Box::pin(self.find(ask))
    }
}

/// What several calls saw, as one.
#[derive(Default)]
struct Tally {
    seen: Vec<Seen>,
    requests: u32,
}

impl Tally {
    fn add(&mut self, report: &CallReport) {
        self.requests =
            self.requests.saturating_add(u32::try_from(report.rules.requests).unwrap_or(u32::MAX));
        for seen in &report.rules.seen {
            let same =
                |s: &&mut Seen| (s.class, s.direction, s.level) == (seen.class, seen.direction, seen.level);
            match self.seen.iter_mut().find(same) {
                Some(known) => known.count += seen.count,
                None => self.seen.push(*seen),
            }
        }
    }
}

fn text(shown: Shown) -> String {
    shown.value.expose().to_owned()
}

fn card(contact: Contact, deals: Vec<WorkItem>) -> Card {
    Card {
        id: contact.id,
        name: text(contact.name),
        organization: contact.organization.map(text),
        phones: contact.phones.into_iter().map(text).collect(),
        emails: contact.emails.into_iter().map(text).collect(),
        owner: contact.owner.map(text),
        url: contact.url,
        deals: deals.into_iter().map(deal).collect(),
        extra: contact.extra.into_iter().map(|(label, value)| (label, text(value))).collect(),
    }
}

fn deal(item: WorkItem) -> Deal {
    Deal {
        kind: item.kind,
        id: item.id,
        title: text(item.title),
        stage: item.stage,
        amount: item.amount.map(text),
        owner: item.owner.map(text),
        url: item.url,
    }
}

fn failure(error: CallError) -> LookUpFailure {
    match error {
        CallError::Denied(denial) => LookUpFailure::Denied(denial.to_string()),
        CallError::Plugin(error) => match error {
            PluginError::Unsupported => LookUpFailure::NotSupported,
            PluginError::Denied(text) => LookUpFailure::Denied(text),
            PluginError::AuthExpired => LookUpFailure::AuthExpired,
            PluginError::RateLimited(seconds) => LookUpFailure::RateLimited(seconds),
            PluginError::Transient(text) => LookUpFailure::Unavailable(text),
            other => LookUpFailure::Broken(other.to_string()),
        },
        CallError::Busy(text) => LookUpFailure::Unavailable(text.to_owned()),
        other => LookUpFailure::Broken(other.to_string()),
    }
}
