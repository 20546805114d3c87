//! What the webhooks of a tenant are told: each event of an interaction as a CloudEvent, pure, in the transaction of
//! the event itself.
//!
//! An event goes out without personal facts unless the configuration says otherwise for this webhook: identifiers,
//! states, times and the disposition are what most receivers need, and what is not sent need not be protected, found
//! and erased there. With `include-personal` the whole is told, and each delivery is a disclosure.
//!
//! The form is CloudEvents 1.0 in JSON: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, civil::Date};
use ramal_capability::DataClass;
use ramal_store::{
    Clear, ContactIdentity, ContactKind, CrmLink, EventRecord, Interaction, InteractionEvent,
    InteractionWrite, Lane, Message, NewDelivery, Recording, RecordingId, Step, Target, TenantId, WebhookId,
    WebhookMessage,
};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::journal::JournalRules;

/// What stands before the word of every event's type.
const TYPES: &str = "dev.ramal.interaction";

/// A kind of event that a webhook may want, by its word: `ended`, `disposition-set`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WebhookEvent(&'static str);

/// A word that is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event that a webhook can be told")]
pub struct UnknownEvent;

impl WebhookEvent {
    /// Every kind that can be told. That a CRM was told is the outbox's own business: telling of telling has no end.
    pub fn all() -> impl Iterator<Item = Self> {
        InteractionEvent::KINDS.iter().copied().filter(|kind| *kind != "journaled.1").map(Self)
    }

    /// The word without its version.
    pub fn as_str(self) -> &'static str {
        self.0.rsplit_once('.').map_or(self.0, |(word, _)| word)
    }

    /// The CloudEvent's type: `dev.ramal.interaction.ended.v1`.
    pub fn cloud_type(self) -> String {
        let (word, version) = self.0.rsplit_once('.').unwrap_or((self.0, "1"));
        format!("{TYPES}.{word}.v{version}")
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookEvent {
    type Err = UnknownEvent;
    fn from_str(text: &str) -> Result<Self, UnknownEvent> {
        Self::all().find(|event| event.as_str() == text).ok_or(UnknownEvent)
    }
}

/// What one webhook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRules {
    /// Which events.
    pub events: BTreeSet<WebhookEvent>,
    /// Whether numbers, names, notes and texts go along.
    pub personal: bool,
}

/// The webhooks of a tenant.
pub type Webhooks = BTreeMap<WebhookId, WebhookRules>;

/// The deliveries to webhooks that follow from a change.
pub(crate) fn deliveries(write: &InteractionWrite, rules: &JournalRules) -> Vec<NewDelivery> {
    let after = write.after();
    if rules.webhooks.is_empty() || rules.do_not_log.covers(after) {
        return Vec::new();
    }
    let mut made = Vec::new();
    for record in write.events() {
        let Some(event) = WebhookEvent::all().find(|event| event.0 == record.event.kind()) else { continue };
        for (id, webhook) in rules.webhooks.iter().filter(|(_, w)| w.events.contains(&event)) {
            // Everything in an event has a form in JSON.
            let Some(payload) = message(after, record, event, webhook.personal) else { continue };
            let (target, step) = (Target::Webhook(*id), Step::event(record.seq));
            made.push(NewDelivery {
                tenant: after.tenant.clone(),
                lane: Lane(format!("interaction:{}", after.id)),
                interaction: Some(after.id),
                key: NewDelivery::key(&after.tenant, &target, Some(after.id), &step),
                step,
                target,
                payload,
                not_before: write.at,
                at: write.at,
            });
        }
    }
    made
}

fn message(of: &Interaction, record: &EventRecord, event: WebhookEvent, personal: bool) -> Option<String> {
    let cloud = CloudEvent {
        specversion: "1.0",
        id: record.id,
        source: source(&of.tenant),
        kind: event.cloud_type(),
        subject: of.id.to_string(),
        time: record.at,
        datacontenttype: "application/json",
        data: Data::of(of, record, personal),
    };
    let mut message = WebhookMessage::new(serde_json::to_string(&cloud).ok()?);
    if personal {
        message.classes = classes(&cloud.data);
        message.subject = of.contacts.first().map(|contact| contact.value().clone());
    }
    message.to_payload().ok()
}

/// Who tells: the tenant, whatever the host is called.
fn source(tenant: &TenantId) -> String {
    format!("urn:ramal:tenant:{tenant}")
}

/// A CloudEvent in its JSON form.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: Uuid,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    subject: String,
    time: Timestamp,
    datacontenttype: &'static str,
    data: Data<'a>,
}

/// What is told of an interaction: as it stands after the change, and what the event itself adds.
#[derive(Serialize)]
struct Data<'a> {
    interaction: Uuid,
    /// The event's number within the interaction, from 1 and without a gap.
    seq: u32,
    channel: &'static str,
    direction: &'static str,
    state: &'static str,
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<&'a str>,
    transfers: u32,
    messages_in: u32,
    messages_out: u32,
    /// The day that is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recording: Option<RecordingData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageData<'a>>,
    /// Only where the configuration includes what is personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<Personal<'a>>,
}

#[derive(Serialize)]
struct RecordingData {
    id: RecordingId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

#[derive(Serialize)]
struct MessageData<'a> {
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'static str>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    text: Option<&'a Clear>,
}

/// Numbers, names, texts, and what leads to a person in another system.
#[derive(Serialize)]
struct Personal<'a> {
    actor: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    from: Option<&'a Clear>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    to: Option<&'a Clear>,
    contacts: &'a [ContactIdentity],
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    agent: Option<&'a Clear>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "exposed")]
    notes: Option<&'a Clear>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_cause: Option<&'a str>,
    links: &'a [CrmLink],
}

/// The one place at which a customer's value leaves by way of a webhook.
fn exposed<S: Serializer>(value: &Option<&Clear>, to: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => to.serialize_some(value.expose()),
        None => to.serialize_none(),
    }
}

impl<'a> Data<'a> {
    fn of(of: &'a Interaction, record: &'a EventRecord, personal: bool) -> Self {
        Self {
            interaction: of.id.0,
            seq: record.seq,
            channel: of.channel.as_str(),
            direction: of.direction.as_str(),
            state: of.state.as_str(),
            started_at: of.started_at,
            answered_at: of.answered_at,
            ended_at: of.ended_at,
            cause: of.cause.map(|cause| cause.as_str()),
            queue: of.queue.as_deref(),
            disposition: of.disposition.as_deref(),
            transfers: of.transfers,
            messages_in: of.messages_in,
            messages_out: of.messages_out,
            day: match &record.event {
                InteractionEvent::DayClosed { date } => Some(*date),
                _ => None,
            },
            recording: recording(of, &record.event),
            message: message_of(&record.event, personal),
            personal: personal.then(|| Personal {
                actor: record.actor.to_string(),
                from: of.from.as_ref(),
                to: of.to.as_ref(),
                contacts: &of.contacts,
                agent: of.agent.as_ref(),
                notes: of.notes.as_ref(),
                protocol: of.protocol.as_deref(),
                provider_cause: of.provider_cause.as_deref(),
                links: &of.links,
            }),
        }
    }
}

fn recording(of: &Interaction, event: &InteractionEvent) -> Option<RecordingData> {
    use InteractionEvent as E;
    let (E::RecordingStarted { recording }
    | E::RecordingPaused { recording }
    | E::RecordingResumed { recording }
    | E::RecordingReady { recording, .. }
    | E::RecordingDeleted { recording }) = event
    else {
        return None;
    };
    let Recording { id, state, duration_ms, .. } = of.recordings.iter().find(|r| r.id == *recording)?;
    Some(RecordingData { id: *id, state: state.as_str(), duration_ms: *duration_ms })
}

fn message_of(event: &InteractionEvent, personal: bool) -> Option<MessageData<'_>> {
    match event {
        InteractionEvent::MessageAdded { message, .. } => {
            let Message { id, direction, at, status, text, .. } = message;
            Some(MessageData {
                id: id.0,
                direction: Some(direction.as_str()),
                status: status.as_str(),
                at: Some(*at),
                text: text.as_ref().filter(|_| personal),
            })
        }
        InteractionEvent::MessageStatus { message, status, .. } => Some(MessageData {
            id: message.0,
            direction: None,
            status: status.as_str(),
            at: None,
            text: None,
        }),
        _ => None,
    }
}

/// What stands in an event, by kinds: what the ledger keeps of it.
fn classes(data: &Data<'_>) -> BTreeMap<DataClass, u32> {
    let mut all = BTreeMap::from([(DataClass::InteractionMeta, 1)]);
    let mut count = |class: DataClass, values: usize| {
        if values > 0 {
            let sum = all.entry(class).or_insert(0);
            *sum = u32::try_from(values).unwrap_or(u32::MAX).saturating_add(*sum);
        }
    };
    let Some(personal) = &data.personal else { return all };
    let email = |contact: &&ContactIdentity| contact.kind == ContactKind::Email;
    let emails = personal.contacts.iter().filter(email).count();
    let numbers = personal.contacts.len().saturating_sub(emails);
    let sides = usize::from(personal.from.is_some()) + usize::from(personal.to.is_some());
    count(DataClass::ContactPhone, numbers.saturating_add(sides));
    count(DataClass::ContactEmail, emails);
    count(DataClass::Agent, usize::from(personal.agent.is_some()));
    let text = data.message.as_ref().is_some_and(|message| message.text.is_some());
    count(DataClass::InteractionText, usize::from(personal.notes.is_some()) + usize::from(text));
    count(DataClass::WorkItem, personal.links.len());
    all
}

#[cfg(test)]
mod tests;
