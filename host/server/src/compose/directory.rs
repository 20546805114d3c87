//! A plugin as the screen pop's directory: one call for the contact, one for each match's open deals.
//!
//! Nothing here writes to a CRM: of the contract's functions only those that read are called.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use futures_util::future::{BoxFuture, join_all};
use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_capability::{
    Actor, Authority, Clear, Export, Plan, PluginId, Purpose, Seen, Shown, Subject, TenantId,
};
use ramal_center::{
    Agent, Card, CrmPerson, Deal, Directory, Found, LookUp, LookUpFailure, LookUpRules, Standing,
};
use ramal_delivery::Class;
use ramal_engine::{
    CallError, CallReport, Contact, FindByPhone, ListUsers, OpenWorkItems, Page, Plugin, PluginError,
    WorkItem,
};
use tokio::time::Instant;

use super::account::{Accounts, Terms};
use crate::config::{ServerConfig, TenantConfig};

/// Deals are asked for of so many matches; a number that more contacts share is a switchboard's.
const MOST_WITH_DEALS: usize = 3;
/// The CRM's users are asked for in parts of this size, so many at most.
const USERS: Page = Page { limit: 200, cursor: None };
const MOST_PARTS: usize = 5;
/// How long the question for the users may wait for its turn.
const USERS_WAIT: Duration = Duration::from_secs(2);

/// What each tenant wants done with what is found.
pub(super) fn rules(config: &ServerConfig) -> HashMap<TenantId, LookUpRules> {
    config.tenants.iter().map(|tenant| (tenant.id.clone(), rules_of(tenant))).collect()
}

fn rules_of(tenant: &TenantConfig) -> LookUpRules {
    let agents = tenant.agents.iter();
    let agents = agents
        .map(|agent| Agent { extension: agent.extension.clone(), names: agent.names.clone() })
        .collect();
    LookUpRules { ambiguous: tenant.ambiguous, agents }
}

pub(super) struct EngineDirectory {
    plugin: Plugin,
    name: PluginId,
    has_deals: bool,
    has_users: bool,
    accounts: Accounts,
    subjects: Arc<hmac::Key>,
    /// The rights that were in force last, and how often they were others.
    standing: Mutex<(Weak<Plan>, u64)>,
}

impl EngineDirectory {
    /// The directory of a plugin that can look numbers up.
    pub(super) fn new(plugin: Plugin, accounts: Accounts, subjects: Arc<hmac::Key>) -> Option<Self> {
        let provides = &plugin.manifest().provides;
        if !provides.contains(&Export::ContactsFindByPhone) {
            return None;
        }
        let has_deals = provides.contains(&Export::WorkItemsOpenFor);
        let has_users = provides.contains(&Export::UsersList);
        let name = plugin.manifest().id.clone();
        Some(Self { plugin, name, has_deals, has_users, accounts, subjects, standing: Mutex::default() })
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
        let terms = Terms::of(&self.plugin);
        let (plugin, who) = (self.plugin.clone(), authority.clone());
        let call = async move { plugin.call(who, FindByPhone { candidates }).await };
        let called = self.accounts.call(terms.clone(), Class::Interactive, ask.deadline, call).await?;
        let contacts = called.outcome.map_err(failure)?;
        let mut tally = Tally::default();
        tally.add(&called.report);

        let with_deals = if self.has_deals { contacts.len().min(MOST_WITH_DEALS) } else { 0 };
        let asked = contacts.iter().take(with_deals).map(|contact| {
            let (plugin, who) = (self.plugin.clone(), authority.clone());
            let ask_deals = OpenWorkItems { contact: contact.id.clone() };
            let call = async move { plugin.call(who, ask_deals).await };
            self.accounts.call(terms.clone(), Class::Interactive, ask.deadline, call)
        });
        let mut deals = Vec::with_capacity(with_deals);
        for called in join_all(asked).await {
            // A card without deals helps more than no card; the plugin's own log says what failed.
            deals.push(called.map_or_else(
                |_| Vec::new(),
                |called| {
                    tally.add(&called.report);
                    called.outcome.unwrap_or_default()
                },
            ));
        }
        let mut deals = deals.into_iter();
        let cards =
            contacts.into_iter().map(|contact| card(contact, deals.next().unwrap_or_default())).collect();
        Ok(Found { cards, seen: tally.seen, took: started.elapsed(), requests: tally.requests })
    }

    async fn users(&self, tenant: TenantId) -> Result<Vec<CrmPerson>, LookUpFailure> {
        if !self.has_users {
            return Err(LookUpFailure::NotSupported);
        }
        let who = Authority {
            tenant,
            purpose: Purpose::Sync,
            interaction: None,
            actor: Actor::System,
            subject: None,
            at: Timestamp::now(),
        };
        let (mut people, mut page) = (Vec::new(), USERS);
        for _ in 0..MOST_PARTS {
            let (plugin, who) = (self.plugin.clone(), who.clone());
            let call = async move { plugin.call(who, ListUsers { page }).await };
            let patience = Instant::now() + USERS_WAIT;
            let terms = Terms::of(&self.plugin);
            let called = self.accounts.call(terms, Class::Interactive, patience, call).await?;
            let listed = called.outcome.map_err(failure)?;
            people.extend(listed.items.into_iter().map(|user| CrmPerson {
                id: user.id,
                name: text(user.name),
                email: user.email.map(text),
                extension: user.extension,
            }));
            let Some(cursor) = listed.next else { break };
            page = Page { cursor: Some(cursor), ..USERS };
        }
        Ok(people)
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

    fn people(&self, tenant: TenantId) -> BoxFuture<'_, Result<Vec<CrmPerson>, LookUpFailure>> {
        Box::pin(self.users(tenant))
    }

    fn standing(&self) -> Option<Standing> {
        let plan = self.plugin.plan();
        if plan.is_over(Timestamp::now()) {
            return None;
        }
        let plan = Arc::downgrade(&plan);
        let mut known = self.standing.lock();
        // The reference keeps its place in memory, so no later plan can be taken for this one.
        if !Weak::ptr_eq(&known.0, &plan) {
            *known = (plan, known.1.wrapping_add(1));
        }
        Some(Standing(known.1))
    }
}

/// The directory of a plugin that did not load: it says so for every call.
pub(super) struct Absent(pub(super) PluginId);

impl Directory for Absent {
    fn plugin(&self) -> &PluginId {
        &self.0
    }

    fn look_up(&self, _: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        let why = "it did not load when the host started; the host's log says why";
        Box::pin(async move { Err(LookUpFailure::Broken(why.to_owned())) })
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
