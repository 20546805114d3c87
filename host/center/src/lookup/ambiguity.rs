//! Which of several contacts a call belongs to, when a CRM has more than one with the caller's number.
//!
//! A wrong link is worse than none: notes of one customer end up with another. So by default nothing is linked and a
//! person chooses. Whatever a policy chooses stands in the history with the policy's name, and a person's choice is
//! never overruled.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ramal_store::{
    Actor, Cause, CrmLink, FindingKind, Interaction, InteractionEvent, InteractionId, InteractionWrite,
    NewEvent, PluginId, Recorded, Snapshot, StoreError, TenantId,
};
use serde::Deserialize;
use tokio::time::Instant;

use super::Aliases;
use crate::center::{ATTEMPTS, Inner};
use crate::journal::CONTACT;
use crate::view;

/// Interactions of a customer that are looked through for the last contact.
const LOOKED_AT: u32 = 50;

/// What happens when several contacts have the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ambiguity {
    /// Nothing is linked; the panel shows all and a person chooses.
    #[default]
    Ask,
    /// The one to whom this customer's newest interaction belongs that belongs to any of them.
    Latest,
    /// The one whom the agent on the call looks after, if it is exactly one.
    Owner,
}

impl Ambiguity {
    /// Every policy.
    pub const ALL: &'static [Self] = &[Self::Ask, Self::Latest, Self::Owner];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Latest => "latest",
            Self::Owner => "owner",
        }
    }
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Ambiguity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().copied().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| "is `ask`, `latest` or `owner`".to_owned())
    }
}

/// The contact of one plugin, among these, that the customer's history names last.
///
/// # Errors
/// When the history cannot be read.
pub(crate) async fn by_history(
    inner: &Inner,
    of: &Interaction,
    plugin: &PluginId,
    among: &[&str],
) -> Result<Option<String>, StoreError> {
    let Some(customer) = of.contacts.first() else { return Ok(None) };
    last_of(inner, &of.tenant, customer, Some(of.id), plugin, among).await
}

/// As [`by_history`], for a customer who has no interaction yet.
pub(crate) async fn last_of(
    inner: &Inner,
    tenant: &TenantId,
    customer: &ramal_store::ContactIdentity,
    but: Option<InteractionId>,
    plugin: &PluginId,
    among: &[&str],
) -> Result<Option<String>, StoreError> {
    let before = inner.interactions.timeline(tenant, customer, None, LOOKED_AT).await?;
    let links = before.items.iter().filter(|one| Some(one.id) != but).flat_map(|one| &one.links);
    let mut ids = links.filter(|link| link.plugin == *plugin && link.kind == CONTACT).map(|link| &link.id);
    Ok(ids.find(|id| among.contains(&id.as_str())).cloned())
}

/// A stored answer, as far as a choice needs it.
#[derive(Deserialize)]
struct Told {
    cards: Vec<ToldCard>,
    left_out: usize,
}

#[derive(Deserialize)]
struct ToldCard {
    id: String,
    owner: Option<String>,
    url: Option<String>,
}

/// Links the contacts whose owner is the agent on the call. To be called when an answer with several contacts was
/// stored and when an agent came: whichever is later finds both in the store.
///
/// # Errors
/// When the store fails.
pub(crate) async fn by_owner(
    inner: &Arc<Inner>,
    tenant: &TenantId,
    interaction: InteractionId,
) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let Some(snapshot) = inner.interactions.interaction(tenant, interaction).await? else {
            return Ok(());
        };
        let now = inner.clock.now();
        let new = |link: CrmLink| NewEvent {
            at: now,
            actor: Actor::Plugin(link.plugin.clone()),
            cause: Cause::Rule("owner-match".to_owned()),
            event: InteractionEvent::CrmLinked(link),
        };
        let events: Vec<_> = owned(inner, tenant, &snapshot).await.into_iter().map(new).collect();
        if events.is_empty() {
            return Ok(());
        }
        let Ok(mut write) = InteractionWrite::change(&snapshot.interaction, Vec::new(), events, now) else {
            return Ok(());
        };
        inner.with_deliveries(&mut write).await?;
        if !matches!(inner.interactions.append(write).await?, Recorded::Conflict) {
            return Ok(());
        }
    }
    // Somebody changes it faster than it can be read; a person may still choose.
    Ok(())
}

/// The links that follow, at most one for each plugin that has none.
async fn owned(inner: &Arc<Inner>, tenant: &TenantId, snapshot: &Snapshot) -> Vec<CrmLink> {
    let of = &snapshot.interaction;
    let Some(agent) = &of.agent else { return Vec::new() };
    let rules = inner.look_up_rules(tenant);
    let mut links = Vec::new();
    for finding in snapshot.findings.iter().filter(|finding| finding.kind == FindingKind::Card) {
        if of.links.iter().any(|link| link.plugin == finding.plugin && link.kind == CONTACT) {
            continue;
        }
        let Ok(Told { cards, left_out }) = serde_json::from_str(&finding.body) else { continue };
        // Of those that were left out nobody knows the owner.
        if cards.len() < 2 || left_out > 0 {
            continue;
        }
        let deadline = Instant::now() + inner.settings.deadline;
        let people = inner.people_of(tenant, &finding.plugin, deadline, deadline).await;
        let is_owner = |owner: &str| Aliases::of(owner, &people).is(agent.expose(), &rules.agents);
        let mut theirs = cards.into_iter().filter(|card| card.owner.as_deref().is_some_and(is_owner));
        if let (Some(card), None) = (theirs.next(), theirs.next()) {
            links.push(CrmLink {
                plugin: finding.plugin.clone(),
                kind: CONTACT.to_owned(),
                id: card.id,
                url: card.url.filter(|url| view::is_web(url)),
            });
        }
    }
    links
}
