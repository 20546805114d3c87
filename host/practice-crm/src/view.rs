//! A contact as the API answers with it. A list and a single answer are alike and hold everything: the
//! address, the credit, what colleagues noted, every deal. Real CRMs do this, and it is the point here: one
//! sees what a host keeps from a plugin that asked for a name.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::BaseUrl;
use crate::book::Book;
use crate::id::{ContactId, UserId};
use crate::records::{Contact, Deal, Note};

/// A contact with all that the CRM knows of it.
#[derive(Serialize)]
pub(crate) struct ContactView<'a> {
    id: ContactId,
    name: &'a str,
    company: Option<&'a str>,
    phones: &'a [String],
    emails: &'a [String],
    document: Option<&'a str>,
    owner: Option<Owner<'a>>,
    city: Option<&'a str>,
    since: &'a str,
    /// Where a person opens it.
    url: String,
    updated_ms: u64,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
    notes: Vec<&'a Note>,
    deals: Vec<&'a Deal>,
    activity_count: usize,
    last_activity: Option<Value>,
    links: Value,
}

#[derive(Serialize)]
struct Owner<'a> {
    id: UserId,
    name: &'a str,
}

impl<'a> ContactView<'a> {
    pub(crate) fn of(contact: &'a Contact, book: &'a Book, base: &BaseUrl) -> Self {
        let id = contact.id;
        let owner = contact.owner_id.and_then(|id| book.users.get(&id));
        let last = book.activities_of(id).max_by_key(|activity| activity.started_ms);
        Self {
            id,
            name: &contact.name,
            company: contact.company.as_deref(),
            phones: &contact.phones,
            emails: &contact.emails,
            document: contact.document.as_deref(),
            owner: owner.map(|owner| Owner { id: owner.id, name: &owner.name }),
            city: contact.city.as_deref(),
            since: &contact.since,
            url: format!("{base}/contacts/{id}"),
            updated_ms: contact.updated_ms,
            more: &contact.more,
            notes: book.notes_of(id).collect(),
            deals: book.deals_of(id, None).collect(),
            activity_count: book.activities_of(id).count(),
            last_activity: last
                .map(|last| json!({"id": last.id, "kind": last.kind, "subject": last.subject})),
            links: json!({
                "self": format!("/api/v1/contacts/{id}"),
                "deals": format!("/api/v1/contacts/{id}/deals"),
                "export": format!("/api/v1/contacts/{id}/export"),
            }),
        }
    }
}
