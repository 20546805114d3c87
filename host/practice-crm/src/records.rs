//! What the CRM keeps. The shapes are those of the seed file and, but for a contact's, of the API's answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::id::{ActivityId, ContactId, DealId, NoteId, UserId};

/// The company whose CRM this is, as the API tells it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

/// Somebody who works with the CRM.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) active: bool,
}

/// A customer.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    pub(crate) name: String,
    pub(crate) company: Option<String>,
    /// As somebody typed them.
    pub(crate) phones: Vec<String>,
    pub(crate) emails: Vec<String>,
    /// CPF or CNPJ.
    pub(crate) document: Option<String>,
    pub(crate) owner_id: Option<UserId>,
    pub(crate) city: Option<String>,
    /// A day, `2021-03-04`.
    pub(crate) since: String,
    pub(crate) updated_ms: u64,
    /// What the API shows and does not let anyone change.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}

/// A remark about a contact.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: NoteId,
    pub(crate) contact_id: ContactId,
    pub(crate) author_id: UserId,
    pub(crate) text: String,
    pub(crate) created_ms: u64,
}

/// How far a deal has come.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DealState {
    Open,
    Won,
    Lost,
}

/// A sale in the making.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Deal {
    pub(crate) id: DealId,
    /// Nothing once the contact has been erased; the sale stays in the figures.
    pub(crate) contact_id: Option<ContactId>,
    pub(crate) title: String,
    pub(crate) state: DealState,
    pub(crate) stage: String,
    pub(crate) value: Money,
    pub(crate) expected_close: String,
    pub(crate) owner_id: Option<UserId>,
    pub(crate) updated_ms: u64,
}

/// An amount in decimal notation and its ISO 4217 currency.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Money {
    pub(crate) amount: String,
    pub(crate) currency: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ActivityKind {
    Call,
    Message,
    Email,
    Meeting,
}

/// Who began it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Direction {
    Inbound,
    Outbound,
}

/// Something that happened with a contact, such as a call.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: ActivityId,
    /// The identifier in the system that wrote it; one activity per identifier.
    #[serde(default)]
    pub(crate) external_id: Option<String>,
    /// The identifiers of the changes that were told by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) amendments: Vec<String>,
    /// Nothing if nobody knows who it was.
    pub(crate) contact_id: Option<ContactId>,
    pub(crate) kind: ActivityKind,
    pub(crate) subject: String,
    pub(crate) body: Option<String>,
    pub(crate) direction: Option<Direction>,
    pub(crate) outcome: Option<String>,
    /// The number that was talked to.
    pub(crate) phone: Option<String>,
    pub(crate) user_id: Option<UserId>,
    pub(crate) started_ms: u64,
    pub(crate) duration_s: Option<u32>,
    pub(crate) created_ms: u64,
    pub(crate) updated_ms: u64,
}
