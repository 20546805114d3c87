//! Whose customer calls: an answer for a dialplan, before anything rings.
//!
//! The caller hears silence while the dialplan waits, so there is one deadline, and past it the safe answer: whoever
//! is asked usually. Nothing here can fail in another way. What comes too late is not lost: the question goes on, and
//! the screen pop of the same call, moments later, gets its answer.
//!
//! Directories go in the order of the configuration: of two CRMs that both name an owner the first decides, whichever
//! is quicker, since a caller who reaches another person each time is worse off than one who always waits in the queue.

use std::fmt;
use std::sync::Arc;

use ramal_numbers::PhoneNumber;
use ramal_store::{ContactIdentity, InteractionId, PluginId, TenantId};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;
use utoipa::ToSchema;

use crate::center::{Inner, time_ordered};
use crate::lookup::{Aliases, last_of};
use crate::pop::chain;
use crate::view::millis;
use crate::{Ambiguity, Card, Center, Directory, LookUp, LookUpFailure};

/// Where the call should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RouteDecision {
    /// To the person who looks after the caller.
    Owner,
    /// As without an answer.
    Default,
}

/// Why it should go there. Of what several CRMs say the last in this order is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RouteReason {
    /// The tenant has no CRM that finds contacts.
    NoDirectory,
    /// No CRM answered well.
    Failed,
    /// A CRM did not answer in time.
    Late,
    /// Nobody has the number.
    Unknown,
    /// Whoever has it has no owner.
    NoOwner,
    /// Several contacts with several owners have it.
    Ambiguous,
    /// There is an owner, but neither the configuration nor the CRM tells the extension.
    NoExtension,
    /// A contact with this number has an owner, whom the exchange can reach.
    Owner,
}

impl RouteReason {
    /// The word on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::NoDirectory => "no-directory",
            Self::Failed => "failed",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::NoOwner => "no-owner",
            Self::Ambiguous => "ambiguous",
            Self::NoExtension => "no-extension",
        }
    }
}

/// The person who looks after the caller.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RouteOwner {
    /// As the CRM writes the name.
    #[schema(example = "Bruno Lima")]
    pub name: String,
    /// Where the exchange reaches the person, if that is known.
    #[schema(example = "2001")]
    pub extension: Option<String>,
}

// A person.
impl fmt::Debug for RouteOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteOwner(<personal>)")
    }
}

/// The answer to a dialplan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RouteView {
    /// Where the call should go.
    pub decision: RouteDecision,
    /// The owner, if there is exactly one. With the decision `owner` it has an extension.
    pub owner: Option<RouteOwner>,
    /// The plugin that told.
    #[schema(value_type = Option<String>)]
    pub plugin: Option<PluginId>,
    /// Why.
    pub reason: RouteReason,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

impl RouteView {
    /// Where the exchange should send the call, if it is decided.
    pub fn extension(&self) -> Option<&str> {
        let owner = self.owner.as_ref().filter(|_| self.decision == RouteDecision::Owner)?;
        owner.extension.as_deref()
    }
}

/// What one directory says of it.
struct Said {
    reason: RouteReason,
    owner: Option<RouteOwner>,
    plugin: Option<PluginId>,
}

impl Said {
    fn nothing(reason: RouteReason) -> Self {
        Self { reason, owner: None, plugin: None }
    }
}

impl Center {
    /// Says to whom a call from this number should go. Always answers, and within
    /// [`CenterSettings::route_deadline`](crate::CenterSettings::route_deadline).
    pub async fn route(&self, tenant: &TenantId, number: PhoneNumber) -> RouteView {
        let begun = Instant::now();
        let inner = &self.0;
        let patience = begun + inner.settings.route_deadline;
        // The call that is about to ring. Its provider's identifier comes with `ringing`; until then this one stands in
        // the ledger and in the log.
        let interaction = InteractionId(time_ordered(inner.clock.now()));
        let directories = inner.directories_of(tenant);
        let mut said = Said::nothing(RouteReason::NoDirectory);
        let asked: Vec<_> = directories
            .into_iter()
            .map(|directory| {
                let ask = LookUp {
                    tenant: tenant.clone(),
                    interaction,
                    number,
                    deadline: begun + inner.settings.deadline,
                };
                let ask = ask_one(Arc::clone(inner), directory, ask, patience);
                tokio::spawn(ask.in_current_span())
            })
            .collect();
        // All were asked at the same moment; in this order they are heard.
        for asked in asked {
            let answer = match timeout_at(patience, asked).await {
                Ok(answer) => answer.unwrap_or_else(|_| Said::nothing(RouteReason::Failed)),
                Err(_) => Said::nothing(RouteReason::Late),
            };
            // What is nearest to an answer says best what to look into.
            if answer.reason > said.reason {
                said = answer;
            }
            if said.reason == RouteReason::Owner {
                break;
            }
        }
        let took = begun.elapsed();
        let reason = said.reason.as_str();
        inner.observer.route(reason, took);
        tracing::info!(%tenant, %interaction, reason, took_ms = millis(took), "routed");
        let decision = match said.reason {
            RouteReason::Owner => RouteDecision::Owner,
            _ => RouteDecision::Default,
        };
        RouteView {
            decision,
            owner: said.owner,
            plugin: said.plugin,
            reason: said.reason,
            took_ms: millis(took),
        }
    }
}

async fn ask_one(inner: Arc<Inner>, directory: Arc<dyn Directory>, ask: LookUp, patience: Instant) -> Said {
    let (tenant, number, deadline) = (ask.tenant.clone(), ask.number, ask.deadline);
    let found = match inner.look_ups.ask(&directory, ask, patience).await {
        Ok(heard) => heard.found,
        Err(LookUpFailure::Timeout) => return Said::nothing(RouteReason::Late),
        Err(failure) => {
            tracing::warn!(%tenant, plugin = %directory.plugin(), %failure, "no owner");
            return Said::nothing(RouteReason::Failed);
        }
    };
    let plugin = directory.plugin();
    if found.cards.is_empty() {
        return Said::nothing(RouteReason::Unknown);
    }
    let owner = match one_owner(&found.cards) {
        Owners::None => return Said::nothing(RouteReason::NoOwner),
        Owners::One(owner) => owner.to_owned(),
        Owners::Several => match last_owner(&inner, &tenant, &number, plugin, &found.cards).await {
            Some(owner) => owner,
            None => return Said { plugin: Some(plugin.clone()), ..Said::nothing(RouteReason::Ambiguous) },
        },
    };
    let agents = &inner.look_up_rules(&tenant).agents;
    let mut extension = Aliases::of(&owner, &[]).extension(agents);
    if extension.is_none() {
        let people = inner.people_of(&tenant, plugin, deadline, patience).await;
        extension = Aliases::of(&owner, &people).extension(agents);
    }
    let reason = if extension.is_some() { RouteReason::Owner } else { RouteReason::NoExtension };
    let owner = RouteOwner { name: owner, extension };
    Said { reason, owner: Some(owner), plugin: Some(plugin.clone()) }
}

enum Owners<'a> {
    None,
    One(&'a str),
    Several,
}

/// Who looks after all of these; whoever has no owner does not count.
fn one_owner(cards: &[Card]) -> Owners<'_> {
    let mut owners = cards.iter().filter_map(|card| card.owner.as_deref()).filter(|owner| !owner.is_empty());
    match owners.next() {
        None => Owners::None,
        Some(owner) if owners.all(|other| other == owner) => Owners::One(owner),
        Some(_) => Owners::Several,
    }
}

/// The owner of the contact that the tenant's policy chooses. [`Ambiguity::Owner`] cannot: there is no agent yet.
async fn last_owner(
    inner: &Inner,
    tenant: &TenantId,
    number: &PhoneNumber,
    plugin: &PluginId,
    cards: &[Card],
) -> Option<String> {
    if inner.look_up_rules(tenant).ambiguous != Ambiguity::Latest {
        return None;
    }
    let customer = ContactIdentity::phone(&number.e164()).ok()?;
    let among: Vec<&str> = cards.iter().map(|card| card.id.as_str()).collect();
    let id = last_of(inner, tenant, &customer, None, plugin, &among).await.unwrap_or_else(|error| {
        tracing::error!(%tenant, error = %chain(&error), "a customer's history could not be read");
        None
    })?;
    cards.iter().find(|card| card.id == id)?.owner.clone().filter(|owner| !owner.is_empty())
}
