//! The practice CRM's answers, as the routes' `receive` leaves them.

use ramal_sdk::prelude::*;

#[derive(Deserialize)]
pub(crate) struct Account {
    pub(crate) account: Named,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    pub(crate) id: Id,
}

#[derive(Deserialize)]
pub(crate) struct Found {
    pub(crate) items: Vec<Person>,
    pub(crate) next: Option<Id>,
}

#[derive(Deserialize)]
pub(crate) struct Person {
    pub(crate) id: Id,
    #[serde(default)]
    pub(crate) name: Text,
    company: Option<Text>,
    #[serde(default)]
    phones: Vec<Text>,
    #[serde(default)]
    emails: Vec<Text>,
    owner: Option<Owner>,
    city: Option<Text>,
    url: Option<String>,
    updated_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Owner {
    name: Option<Text>,
}

impl From<Person> for Contact {
    fn from(person: Person) -> Self {
        Self {
            id: person.id,
            name: person.name,
            organization: person.company,
            phones: person.phones,
            emails: person.emails,
            owner: person.owner.and_then(|owner| owner.name),
            url: person.url,
            updated: person.updated_ms.map(Instant::from_millis),
            extra: person.city.map(|city| Labelled::new("City", city)).into_iter().collect(),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Deals {
    pub(crate) items: Vec<Deal>,
}

#[derive(Deserialize)]
pub(crate) struct Deal {
    id: Id,
    #[serde(default)]
    title: Text,
    stage: Option<String>,
    value: Option<Value>,
    updated_ms: Option<u64>,
}

#[derive(Deserialize)]
struct Value {
    amount: Option<Text>,
    #[serde(default)]
    currency: String,
}

impl From<Deal> for Item {
    fn from(deal: Deal) -> Self {
        let amount = deal.value.and_then(|value| {
            let amount = value.amount?;
            Some(Text::from(format!("{} {}", value.currency, amount.as_str()).trim().to_owned()))
        });
        Self {
            kind: "deal".into(),
            id: deal.id,
            title: deal.title,
            stage: deal.stage,
            amount,
            updated: deal.updated_ms.map(Instant::from_millis),
            ..Self::default()
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Activity {
    pub(crate) id: Id,
}

/// An activity as it stands there now.
#[derive(Deserialize)]
pub(crate) struct Standing {
    pub(crate) updated_ms: u64,
    pub(crate) contact_id: Option<Id>,
    pub(crate) outcome: Option<Text>,
    pub(crate) body: Option<Text>,
    pub(crate) duration_s: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct Users {
    pub(crate) items: Vec<CrmUser>,
}

#[derive(Deserialize)]
pub(crate) struct CrmUser {
    id: Id,
    #[serde(default)]
    name: Text,
    email: Option<Text>,
    #[serde(default)]
    pub(crate) active: bool,
}

impl From<CrmUser> for User {
    fn from(user: CrmUser) -> Self {
        Self { id: user.id, name: user.name, email: user.email, extension: None }
    }
}

#[derive(Deserialize)]
pub(crate) struct Export {
    contact: Subject,
    #[serde(default)]
    activities: Vec<Record>,
}

#[derive(Deserialize)]
struct Subject {
    id: Id,
    name: Option<Text>,
    company: Option<Text>,
    #[serde(default)]
    phones: Vec<Text>,
    #[serde(default)]
    emails: Vec<Text>,
    document: Option<Text>,
    since: Option<String>,
    #[serde(default)]
    notes: Vec<Record>,
    #[serde(default)]
    deals: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    id: Id,
    text: Option<Text>,
    title: Option<Text>,
    body: Option<Text>,
    phone: Option<Text>,
}

impl Export {
    /// Everything that is held, record by record.
    pub(crate) fn held(self) -> Vec<Held> {
        let Subject { id, name, company, phones, emails, document, since, notes, deals } = self.contact;
        let one = |label: &str, value: Option<Text>| value.map(|value| (label.to_owned(), value));
        let contact = Held {
            record: Ref::new("contact", id),
            what: "The contact".into(),
            fields: one("Name", name)
                .into_iter()
                .chain(one("Company", company))
                .chain(phones.into_iter().map(|phone| ("Phone".to_owned(), phone)))
                .chain(emails.into_iter().map(|email| ("E-mail".to_owned(), email)))
                .chain(one("Document", document))
                .chain(one("Since", since.map(Text::from)))
                .collect(),
        };
        let held = |kind: &'static str, what: &'static str| {
            move |record: Record| Held {
                record: Ref::new(kind, record.id),
                what: what.to_owned(),
                fields: [
                    ("Title", record.title),
                    ("Text", record.text),
                    ("Text", record.body),
                    ("Phone", record.phone),
                ]
                .into_iter()
                .filter_map(|(label, value)| value.map(|value| (label.to_owned(), value)))
                .collect(),
            }
        };
        std::iter::once(contact)
            .chain(notes.into_iter().map(held("note", "A note about the contact")))
            .chain(deals.into_iter().map(held("deal", "A deal")))
            .chain(self.activities.into_iter().map(held("activity", "A call or message")))
            .collect()
    }
}

/// What the CRM sends to the hook.
#[derive(Deserialize)]
pub(crate) struct Told {
    pub(crate) event: What,
    pub(crate) contact: Whose,
    pub(crate) user: Option<Whose>,
    pub(crate) phone: Option<Text>,
}

#[derive(Deserialize)]
pub(crate) enum What {
    #[serde(rename = "contact.changed")]
    Changed,
    #[serde(rename = "contact.deleted")]
    Deleted,
    #[serde(rename = "call.wanted")]
    CallWanted,
}

#[derive(Deserialize)]
pub(crate) struct Whose {
    pub(crate) id: Id,
}
