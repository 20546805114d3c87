//! Facts as live events, and the contacts of which copies are no longer true.

use ramal_numbers::PhoneNumber;
use ramal_store::{CrmRecord, NewLive};
use serde::Serialize;
use uuid::Uuid;

use super::{CrmEvents, CrmFact};

/// What follows from some facts.
#[derive(Default)]
pub(super) struct Told {
    pub(super) live: Vec<NewLive>,
    /// Contacts of which no copy may stay.
    pub(super) gone: Vec<String>,
}

/// The body of `contact.changed` and `contact.deleted`.
#[derive(Serialize)]
struct ContactBody<'a> {
    plugin: &'a str,
    contact: &'a str,
}

#[derive(Serialize)]
struct RecordBody<'a> {
    kind: &'a str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// The body of `record.deleted`.
#[derive(Serialize)]
struct DeletedBody<'a> {
    plugin: &'a str,
    record: RecordBody<'a>,
}

/// The body of `dial.requested`.
#[derive(Serialize)]
struct DialBody<'a> {
    plugin: &'a str,
    /// Of this request alone: whoever dials does it once.
    request: Uuid,
    agent: &'a str,
    number: String,
    national: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<RecordBody<'a>>,
}

fn record(of: &CrmRecord) -> RecordBody<'_> {
    RecordBody { kind: &of.kind, id: &of.id, url: of.url.as_deref() }
}

/// What the panel is told of these facts, each contact's change once.
pub(super) fn told(crm: &dyn CrmEvents, facts: &[CrmFact]) -> Told {
    let plugin = crm.plugin().as_str();
    let mut told = Told::default();
    for (index, fact) in facts.iter().enumerate() {
        if facts.iter().skip(index + 1).any(|later| later == fact && !matches!(fact, CrmFact::Dial { .. })) {
            continue;
        }
        match fact {
            CrmFact::ContactChanged(contact) => {
                told.push("contact.changed", &ContactBody { plugin, contact });
                told.gone.push(contact.clone());
            }
            CrmFact::ContactDeleted(contact) => {
                told.push("contact.deleted", &ContactBody { plugin, contact });
                told.gone.push(contact.clone());
            }
            CrmFact::RecordDeleted(gone) => {
                told.push("record.deleted", &DeletedBody { plugin, record: record(gone) });
            }
            CrmFact::Dial { agent, number, about } => {
                // What cannot be dialled is not asked of anybody.
                let Ok(number) = PhoneNumber::parse(number.expose(), crm.region()) else {
                    tracing::warn!(tenant = %crm.tenant(), plugin, "the CRM wants a call to what is no telephone number");
                    continue;
                };
                told.push(
                    "dial.requested",
                    &DialBody {
                        plugin,
                        request: Uuid::now_v7(),
                        agent: agent.expose(),
                        number: number.e164(),
                        national: number.national(),
                        about: about.as_ref().map(record),
                    },
                );
            }
        }
    }
    told
}

impl Told {
    fn push(&mut self, kind: &str, body: &impl Serialize) {
        // Texts alone: this cannot fail.
        let body = serde_json::to_string(body).unwrap_or_default();
        self.live.push(NewLive { kind: kind.to_owned(), interaction: None, body });
    }
}
