//! What calls take and give, on the host's side: customer values as [`Clear`] or [`Shown`], never as strings
//! that something might print.

use ramal_capability::{Clear, Shown};

/// A record in a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRef {
    /// The CRM's word for the kind of record.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// Where a person opens it.
    pub url: Option<String>,
}

/// A person or company, as a CRM knows it, opened for the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The CRM's identifier.
    pub id: String,
    /// The name.
    pub name: Shown,
    /// The company.
    pub organization: Option<Shown>,
    /// Telephone numbers.
    pub phones: Vec<Shown>,
    /// E-mail addresses.
    pub emails: Vec<Shown>,
    /// Who looks after the contact.
    pub owner: Option<Shown>,
    /// Where a person opens it.
    pub url: Option<String>,
    /// When the CRM last changed it: milliseconds since the epoch.
    pub updated: Option<u64>,
    /// Label and value of what else helps.
    pub extra: Vec<(String, Shown)>,
}

/// What is to be written to a contact; an absent value is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactDraft {
    /// The name.
    pub name: Option<Clear>,
    /// The company.
    pub organization: Option<Clear>,
    /// Telephone numbers.
    pub phones: Vec<Clear>,
    /// E-mail addresses.
    pub emails: Vec<Clear>,
}

/// Which part of a long answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// At most so many items.
    pub limit: u32,
    /// What the answer before gave as `next`.
    pub cursor: Option<String>,
}

impl Default for Page {
    fn default() -> Self {
        Self { limit: 50, cursor: None }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as cursor for more.
    pub next: Option<String>,
}

/// A deal or a ticket, opened for the panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// `deal`, `ticket`, or the CRM's own word.
    pub kind: String,
    /// The CRM's identifier.
    pub id: String,
    /// The title.
    pub title: Shown,
    /// The CRM's word for where it stands.
    pub stage: Option<String>,
    /// The amount with its currency.
    pub amount: Option<Shown>,
    /// Who looks after it.
    pub owner: Option<Shown>,
    /// Where a person opens it.
    pub url: Option<String>,
    /// When the CRM last changed it: milliseconds since the epoch.
    pub updated: Option<u64>,
}

/// One of the company's own people in a CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrmUser {
    /// The CRM's identifier.
    pub id: String,
    /// The name.
    pub name: Shown,
    /// The e-mail address.
    pub email: Option<Shown>,
    /// The extension that the CRM has for the user.
    pub extension: Option<String>,
}

/// The account behind a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What a person recognises it by.
    pub name: String,
    /// The CRM's identifier.
    pub id: Option<String>,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallDirection {
    /// The customer called.
    Inbound,
    /// The company called.
    Outbound,
    /// Within the company.
    Internal,
}

/// How an interaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallOutcome {
    /// Somebody spoke.
    Answered,
    /// Nobody answered.
    Missed,
    /// The line was busy.
    Busy,
    /// It rang without an answer.
    NoAnswer,
    /// A machine answered.
    Voicemail,
    /// The network failed.
    Failed,
    /// The customer gave up in the queue.
    Abandoned,
}

/// What is written down of an interaction. Times are milliseconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The same for every try of the same step.
    pub idempotency_key: String,
    /// The contact that it belongs to.
    pub contact: Option<String>,
    /// `fixed`, `mobile`, `whatsapp` or `sms`.
    pub channel: String,
    /// Who called whom.
    pub direction: CallDirection,
    /// How it ended.
    pub outcome: CallOutcome,
    /// The customer's number or name on the channel.
    pub counterpart: Option<Clear>,
    /// Who answered.
    pub agent: Option<Clear>,
    /// The queue.
    pub queue: Option<String>,
    /// When it started.
    pub started: u64,
    /// When somebody answered.
    pub answered: Option<u64>,
    /// When it ended.
    pub ended: Option<u64>,
    /// The disposition that the agent chose.
    pub disposition: Option<String>,
    /// The agent's notes.
    pub notes: Option<Clear>,
    /// What was said or written.
    pub transcript: Option<Clear>,
    /// A link to the recording.
    pub recording: Option<Clear>,
    /// The deal or ticket that it was about.
    pub about: Option<RecordRef>,
}

/// One thing that a CRM holds on a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// The record.
    pub record: RecordRef,
    /// What it is, in words for the subject.
    pub what: String,
    /// Its fields.
    pub fields: Vec<(String, Shown)>,
}

/// How a subject is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseMode {
    /// Delete what can be deleted, make anonymous what must stay.
    Erase,
    /// Keep the records, remove who they are about.
    Anonymise,
}

/// What was done with a subject's records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseReceipt {
    /// Deleted.
    pub removed: Vec<RecordRef>,
    /// Kept without the person.
    pub anonymised: Vec<RecordRef>,
    /// Kept, with the reason.
    pub kept: Vec<(RecordRef, String)>,
}

/// Somebody in the CRM wants to be connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialRequest {
    /// Who.
    pub agent: Shown,
    /// With which number, as the CRM holds it.
    pub number: Shown,
    /// The record from which it was asked.
    pub about: Option<RecordRef>,
}

/// Something that happened in the CRM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrmFact {
    /// The contact with this identifier is no longer as it was.
    ContactChanged(String),
    /// The contact with this identifier is gone.
    ContactDeleted(String),
    /// Another record is gone.
    RecordDeleted(RecordRef),
    /// Somebody wants to be connected.
    Dial(DialRequest),
    /// What this host has no word for.
    Other {
        /// The plugin's word.
        code: String,
        /// Of which record.
        record: RecordRef,
    },
}

/// What a plugin made of a hook or a tick.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What happened, in order.
    pub facts: Vec<CrmFact>,
    /// Of a tick: the cursor of the next one.
    pub next: Option<String>,
    /// Of a tick: whether there is more at once.
    pub more: bool,
}
