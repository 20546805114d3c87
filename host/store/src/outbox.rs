//! What is to be told to a CRM or a webhook, stored with the fact that it tells: a process that dies between the two
//! has either both or neither.
//!
//! The unit of work is the **lane**: deliveries of one tenant, target and lane leave one after the other, lanes run
//! side by side. A worker leases a lane and gets its oldest delivery; a lease that is not renewed ends by itself, so
//! a worker that died holds nothing back. What cannot be delivered parks its own lane until the next try and no
//! other. A delivery that is over (`done`, `dead`) lets the next of its lane go.
//!
//! Delivery is at least once: a crash between the CRM's answer and [`OutboxStore::settle`] makes a second try with
//! the same key, by which the CRM or the plugin recognises the repetition.

mod bell;
mod delivery;
mod lease;

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{Answer, Clear, CrmRecord, InteractionId, InteractionWrite, PluginId, TenantId, WebhookName};

pub use bell::{OutboxBell, OutboxListener};
pub use delivery::{Backlog, Delivery, DeliveryFilter, DeliveryId, DeliveryState, Pause};
pub use lease::{DueTarget, Failure, LeaseOrder, Leased, Settled, Settlement};

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A plugin, and through it a CRM.
    Plugin(PluginId),
    /// A webhook of the tenant.
    Webhook(WebhookId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plugin(plugin) => write!(f, "plugin:{plugin}"),
            Self::Webhook(webhook) => write!(f, "webhook:{webhook}"),
        }
    }
}

/// A text that names no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a target: write `plugin:` and a plugin's name, or `webhook:` and a webhook's id")]
pub struct BadTarget;

impl FromStr for Target {
    type Err = BadTarget;
    fn from_str(text: &str) -> Result<Self, BadTarget> {
        match text.split_once(':') {
            Some(("plugin", name)) => PluginId::new(name).map(Self::Plugin).map_err(|_| BadTarget),
            Some(("webhook", id)) => id.parse().map(|id| Self::Webhook(WebhookId(id))).map_err(|_| BadTarget),
            _ => Err(BadTarget),
        }
    }
}

/// An outgoing webhook of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct WebhookId(pub Uuid);

impl WebhookId {
    /// The same for the same name of the same tenant, in every process and after every restart: what waits for a
    /// webhook finds it again.
    pub fn named(tenant: &TenantId, name: &WebhookName) -> Self {
        // Drawn once for this use.
        const SPACE: Uuid = Uuid::from_u128(0x3d5a_1e77_90c2_4b0e_a1f4_27c8_6b9d_e805);
        Self(Uuid::new_v5(&SPACE, format!("{}\n{name}", tenant.as_str()).as_bytes()))
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is delivered in order: within one tenant, target and lane one delivery waits for the one before it. A
/// contact's pseudonym or an interaction, never a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane(pub String);

/// Which step of an interaction's account a delivery is: `journal`, `amend:3`, and for one day of a conversation
/// `journal:2026-11-23`, `amend:2026-11-23:3`; `match` and `match:2026-11-23` look for whom it can be told of; of a
/// webhook `event:…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Step(pub String);

impl Step {
    /// The first account of an interaction, or of one of its parts.
    pub fn journal(part: &str) -> Self {
        Self(if part.is_empty() { "journal".to_owned() } else { format!("journal:{part}") })
    }

    /// The search for the contact on whom the account of an interaction, or of one of its parts, could stand.
    pub fn matching(part: &str) -> Self {
        Self(if part.is_empty() { "match".to_owned() } else { format!("match:{part}") })
    }

    /// Whether it searches and tells nothing.
    pub fn is_matching(&self) -> bool {
        self.0 == "match" || self.0.starts_with("match:")
    }

    /// One event of an interaction, by its number.
    pub fn event(seq: u32) -> Self {
        Self(format!("event:{seq}"))
    }

    /// The part of the interaction that the CRM keeps one record for: a day of a conversation, or nothing for the
    /// whole.
    pub fn part(&self) -> &str {
        match self.0.split_once(':') {
            Some(("journal" | "match", part)) => part,
            // The last word is the number of the change.
            Some(("amend", rest)) => rest.rsplit_once(':').map_or("", |(part, _)| part),
            _ => "",
        }
    }

    /// The event up to which it tells the facts: 0 for a first account. An account tells all facts that are known, so
    /// of one part a later step has everything that an earlier one has.
    pub fn number(&self) -> u32 {
        let number = self.0.strip_prefix("amend:").and_then(|rest| rest.rsplit(':').next());
        number.and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

/// A delivery that is not stored yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Whose.
    pub tenant: TenantId,
    /// Who is told.
    pub target: Target,
    /// Within what its order is kept.
    pub lane: Lane,
    /// The call or conversation that it is about.
    pub interaction: Option<InteractionId>,
    /// Which step.
    pub step: Step,
    /// The same for every try, so that the receiver can tell a repetition: see [`NewDelivery::key`]. A key that the
    /// target has had before is not stored again.
    pub key: Uuid,
    /// One JSON object. Holds customers' data.
    pub payload: String,
    /// Not sent before this moment.
    pub not_before: Timestamp,
    /// When it was decided.
    pub at: Timestamp,
}

impl NewDelivery {
    /// The idempotency key: UUIDv5 over tenant, target, interaction and step, so that the same step has the same key
    /// in every process and after every crash.
    pub fn key(tenant: &TenantId, target: &Target, interaction: Option<InteractionId>, step: &Step) -> Uuid {
        // Drawn once for this use.
        const SPACE: Uuid = Uuid::from_u128(0x6f1c_9a52_1d0e_4f7b_9e35_7a80_c4b1_52d6);
        let (kind, name) = match target {
            Target::Plugin(plugin) => ("plugin", plugin.as_str().to_owned()),
            Target::Webhook(webhook) => ("webhook", webhook.to_string()),
        };
        let interaction = interaction.map(|i| i.0.to_string()).unwrap_or_default();
        // None of the parts but the last can hold a line break, so no two tuples make the same text.
        let text = format!("{}\n{kind}\n{name}\n{interaction}\n{}", tenant.as_str(), step.0);
        Uuid::new_v5(&SPACE, text.as_bytes())
    }
}

// The payload holds customers' data.
impl fmt::Debug for NewDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDelivery")
            .field("target", &self.target)
            .field("interaction", &self.interaction)
            .field("step", &self.step)
            .field("payload", &"<personal>")
            .finish_non_exhaustive()
    }
}

/// The outbox. Deliveries come in beside the fact that they tell (the writes of interactions take them along) or by
/// [`OutboxStore::enqueue`]; workers lease, deliver and settle them; people look, pause and replay.
///
/// Every method is about one tenant. Each that makes something due rings the [`OutboxStore::bell`] after it is
/// stored.
pub trait OutboxStore: Send + Sync + 'static {
    /// Rings when a tenant may have something due. It says nothing of other processes unless the database can tell
    /// (PostgreSQL does), so who listens also looks by itself now and then.
    fn bell(&self) -> &OutboxBell;

    /// Stores deliveries of one tenant in a transaction of their own; says how many were new.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is stored then.
    fn enqueue<'a>(&'a self, tenant: &'a TenantId, deliveries: &'a [NewDelivery]) -> Answer<'a, u64>;

    /// The targets that are not paused and have something open, with the moment at which their next lane is due (or
    /// its lease ends), the longest due first.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn due<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<DueTarget>>;

    /// Takes the oldest delivery of some lanes that are due and that nobody holds; none of a paused target. Counts
    /// the try.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is leased then.
    fn lease<'a>(&'a self, order: &'a LeaseOrder) -> Answer<'a, Vec<Leased>>;

    /// Holds a lease until a later moment. False when it is no longer held.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn renew<'a>(&'a self, leased: &'a Leased, until: Timestamp) -> Answer<'a, bool>;

    /// Says what became of a delivery and gives its lane back; with it, in the same transaction, what the interaction's
    /// history keeps of that.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is changed then.
    fn settle<'a>(
        &'a self,
        leased: &'a Leased,
        settlement: &'a Settlement,
        history: Option<InteractionWrite>,
        now: Timestamp,
    ) -> Answer<'a, Settled>;

    /// The record in the CRM that the target keeps for a part of an interaction: see [`Step::part`].
    ///
    /// # Errors
    /// When the store cannot be read.
    fn crm_record<'a>(
        &'a self,
        tenant: &'a TenantId,
        target: &'a Target,
        interaction: InteractionId,
        part: &'a str,
    ) -> Answer<'a, Option<CrmRecord>>;

    /// Deliveries, the newest first: at most `limit` that are older than `before`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn deliveries<'a>(
        &'a self,
        tenant: &'a TenantId,
        filter: &'a DeliveryFilter,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Answer<'a, Vec<Delivery>>;

    /// One delivery with its payload, for a person who decides whether to send it again. Delivered ones have no
    /// payload any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn delivery<'a>(&'a self, tenant: &'a TenantId, id: DeliveryId) -> Answer<'a, Option<(Delivery, Clear)>>;

    /// What waits and what is dead, for each target that ever had a delivery.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn backlog<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<Backlog>>;

    /// Opens a dead delivery again, at the end of its lane, with the same key and a new day to be delivered in. False
    /// when there is no such dead delivery.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn replay<'a>(&'a self, tenant: &'a TenantId, id: DeliveryId, now: Timestamp) -> Answer<'a, bool>;

    /// Opens all dead deliveries of a target again, the oldest first; says how many.
    ///
    /// # Errors
    /// When the store cannot be written; what was opened by then stays open.
    fn replay_all<'a>(&'a self, tenant: &'a TenantId, target: &'a Target, now: Timestamp) -> Answer<'a, u64>;

    /// Lets a target's deliveries wait until [`OutboxStore::resume`]. A reason that stands already stays.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn pause<'a>(
        &'a self,
        tenant: &'a TenantId,
        target: &'a Target,
        reason: &'a Failure,
        now: Timestamp,
    ) -> Answer<'a, ()>;

    /// Lets a paused target's deliveries go, each with a new day to be delivered in: the wait was not the CRM's
    /// fault. False when it was not paused.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn resume<'a>(&'a self, tenant: &'a TenantId, target: &'a Target, now: Timestamp) -> Answer<'a, bool>;

    /// Brings forward what waits for a time after `later`, by so much but not before `now`: the clock was set back, and
    /// those times were of the clock before.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn bring_forward<'a>(
        &'a self,
        tenant: &'a TenantId,
        later: Timestamp,
        by: SignedDuration,
        now: Timestamp,
    ) -> Answer<'a, ()>;

    /// Removes the traces of deliveries that were delivered before a moment, at most `limit`; says how many. The
    /// records in the CRM that they made stay known.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn prune_delivered<'a>(&'a self, tenant: &'a TenantId, before: Timestamp, limit: u32) -> Answer<'a, u64>;
}

#[cfg(test)]
mod tests;
