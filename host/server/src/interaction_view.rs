//! What the API tells of calls and conversations, for people who may see them.

use jiff::Timestamp;
use ramal_center::{
    Cause, ContactIdentity, EventRecord, FindingView, Interaction, InteractionId, Message, MessageView,
    NumberView, Page, PluginId, Snapshot,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// One call or conversation as it stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct InteractionView {
    /// Ramal's identifier.
    #[schema(value_type = String, format = "uuid")]
    interaction: InteractionId,
    /// `fixed`, `mobile`, `whatsapp` or `sms`.
    channel: &'static str,
    /// `inbound`, `outbound` or `internal`.
    direction: &'static str,
    /// Where it stands.
    #[schema(example = "ended")]
    state: &'static str,
    /// Who told of it.
    source: String,
    /// The calling or writing number; `null` when it was withheld or is not told.
    from: Option<NumberView>,
    /// The number that was called or written to.
    to: Option<NumberView>,
    /// The queue.
    queue: Option<String>,
    /// Who answered.
    agent: Option<String>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When somebody answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    answered_at: Option<Timestamp>,
    /// When it was over.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Why it is over.
    #[schema(example = "missed")]
    cause: Option<&'static str>,
    /// Why, in the provider's own word or number.
    provider_cause: Option<String>,
    /// The disposition that the agent chose.
    disposition: Option<String>,
    /// The agent's notes.
    notes: Option<String>,
    /// The protocol number that the customer was given.
    protocol: Option<String>,
    /// How often it was handed on.
    transfers: u32,
    /// Messages from the customer.
    messages_in: u32,
    /// Messages to the customer.
    messages_out: u32,
    /// What became of telling each CRM.
    journal: Vec<JournalView>,
    /// The number of its last event.
    seq: u32,
}

/// What became of telling one CRM one step.
#[derive(Serialize, ToSchema)]
pub(crate) struct JournalView {
    #[schema(value_type = String)]
    plugin: PluginId,
    /// `journal`, `amend:3`, `journal:2026-11-23`.
    step: String,
    /// `written`, `dead` or `withheld`.
    result: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl InteractionView {
    fn of(of: &Interaction) -> Self {
        Self {
            interaction: of.id,
            channel: of.channel.as_str(),
            direction: of.direction.as_str(),
            state: of.state.as_str(),
            source: of.source.as_str().to_owned(),
            from: of.from.as_ref().map(NumberView::of),
            to: of.to.as_ref().map(NumberView::of),
            queue: of.queue.clone(),
            agent: of.agent.as_ref().map(|agent| agent.expose().to_owned()),
            started_at: of.started_at,
            answered_at: of.answered_at,
            ended_at: of.ended_at,
            cause: of.cause.map(|cause| cause.as_str()),
            provider_cause: of.provider_cause.clone(),
            disposition: of.disposition.clone(),
            notes: of.notes.as_ref().map(|notes| notes.expose().to_owned()),
            protocol: of.protocol.clone(),
            transfers: of.transfers,
            messages_in: of.messages_in,
            messages_out: of.messages_out,
            journal: of
                .journal
                .iter()
                .map(|told| JournalView {
                    plugin: told.plugin.clone(),
                    step: told.step.clone(),
                    result: told.result.as_str(),
                    at: told.at,
                })
                .collect(),
            seq: of.seq,
        }
    }
}

/// A page of calls and conversations.
#[derive(Serialize, ToSchema)]
pub(crate) struct InteractionsView {
    /// The newest first.
    items: Vec<InteractionView>,
    /// The `cursor` of the next page; `null` when this is the last one.
    next: Option<String>,
}

impl InteractionsView {
    pub(crate) fn of(page: &Page<Interaction>) -> Self {
        Self {
            items: page.items.iter().map(InteractionView::of).collect(),
            next: page.next.as_ref().map(ToString::to_string),
        }
    }
}

/// One name of a customer.
#[derive(Serialize, ToSchema)]
pub(crate) struct ContactView {
    /// `phone`, `whatsapp` or `email`.
    kind: &'static str,
    /// Within what the value is unique.
    #[schema(example = "e164")]
    namespace: String,
    /// The number or identifier.
    value: String,
}

impl ContactView {
    fn of(of: &ContactIdentity) -> Self {
        Self {
            kind: of.kind.as_str(),
            namespace: of.namespace.as_str().to_owned(),
            value: of.value().expose().to_owned(),
        }
    }
}

/// One call or conversation with all that is known of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct InteractionDetail {
    #[serde(flatten)]
    of: InteractionView,
    /// The provider's identifier of the call.
    reference: Option<String>,
    /// The customer, by every name that is known.
    contacts: Vec<ContactView>,
    /// What the plugins found.
    findings: Vec<FindingView>,
    /// The ways to single devices.
    #[schema(value_type = Vec<Object>)]
    legs: Value,
    /// When the other side waited on the line.
    #[schema(value_type = Vec<Object>)]
    holds: Value,
    /// That something was recorded; not the sound.
    #[schema(value_type = Vec<Object>)]
    recordings: Value,
    /// The CRM's records that it belongs to.
    #[schema(value_type = Vec<Object>)]
    links: Value,
}

impl InteractionDetail {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let of = &snapshot.interaction;
        // Names, numbers and times: there is nothing that has no form in JSON.
        let list = |value: Result<Value, serde_json::Error>| value.unwrap_or_default();
        Self {
            of: InteractionView::of(of),
            reference: of.reference.as_ref().map(|reference| reference.as_str().to_owned()),
            contacts: of.contacts.iter().map(ContactView::of).collect(),
            findings: FindingView::all(snapshot),
            legs: list(serde_json::to_value(&of.legs)),
            holds: list(serde_json::to_value(&of.holds)),
            recordings: list(serde_json::to_value(&of.recordings)),
            links: list(serde_json::to_value(&of.links)),
        }
    }
}

/// One event of a history.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its own identifier.
    #[schema(value_type = String, format = "uuid")]
    id: uuid::Uuid,
    /// Its number within the interaction, from 1 and without a gap.
    seq: u32,
    /// When it happened, by the clock of who told it.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was written, by this host's clock.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// Who did it: `system`, `source:pbx`, `user:ana`, `plugin:tryton`.
    actor: String,
    /// Why: `event`, `request` or `rule`, and which.
    cause: CauseView,
    /// What happened: `event` is its word with a version, such as `answered.1`.
    #[schema(value_type = Object)]
    what: Value,
}

/// Why something was done.
#[derive(Serialize, ToSchema)]
pub(crate) struct CauseView {
    kind: &'static str,
    id: String,
}

impl EventView {
    pub(crate) fn of(record: &EventRecord) -> Self {
        let (kind, id) = match &record.cause {
            Cause::Event(id) => ("event", id.as_str().to_owned()),
            Cause::Request(id) => ("request", id.as_str().to_owned()),
            Cause::Rule(name) => ("rule", name.clone()),
        };
        Self {
            id: record.id,
            seq: record.seq,
            at: record.at,
            recorded_at: record.recorded_at,
            actor: record.actor.to_string(),
            cause: CauseView { kind, id },
            what: serde_json::to_value(&record.event).unwrap_or_default(),
        }
    }
}

/// Part of a history.
#[derive(Serialize, ToSchema)]
pub(crate) struct HistoryView {
    /// In order.
    pub(crate) items: Vec<EventView>,
    /// Ask for what is `after` this one; `null` when there is no more.
    pub(crate) next: Option<u32>,
}

/// Part of a conversation.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessagesView {
    /// In order.
    items: Vec<MessageView>,
    /// Ask for what is `after` this one; `null` when there is no more.
    next: Option<u32>,
}

impl MessagesView {
    pub(crate) fn of(interaction: InteractionId, messages: &[Message], most: u32) -> Self {
        let full = u32::try_from(messages.len()).unwrap_or(u32::MAX) >= most;
        Self {
            items: messages.iter().map(|message| MessageView::of(interaction, message)).collect(),
            next: messages.last().map(|message| message.seq).filter(|_| full),
        }
    }
}
