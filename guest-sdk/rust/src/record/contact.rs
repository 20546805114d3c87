//! Accounts, contacts, and how records are named.

use crate::{Id, Instant, Text};

/// The account behind the credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// What a person recognises it by, such as the company's name in the CRM.
    pub name: String,
    /// The CRM's identifier of it.
    pub id: Option<Id>,
}

/// A record in the CRM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ref {
    /// The CRM's own word for the kind of record, such as `contact`, `note` or `party.party`.
    pub kind: String,
    /// The CRM's identifier.
    pub id: Id,
    /// Where a person opens the record, if the CRM has such a page.
    pub url: Option<String>,
}

impl Ref {
    /// A record without a page.
    pub fn new(kind: impl Into<String>, id: impl Into<Id>) -> Self {
        Self { kind: kind.into(), id: id.into(), url: None }
    }
}

/// A value with a name that a person reads, for what the other fields have no place for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labelled {
    /// The plugin's own words, such as `City` or `Customer since`.
    pub label: String,
    /// The value.
    pub value: Text,
}

impl Labelled {
    /// A value with its label.
    pub fn new(label: impl Into<String>, value: impl Into<Text>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// A person or a company, as the CRM knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// The CRM's identifier.
    pub id: Id,
    /// The name to show. Class `contact.name` or `contact.organization`.
    pub name: Text,
    /// The company that the person belongs to. Class `contact.organization`.
    pub organization: Option<Text>,
    /// Telephone numbers, the preferred one first. Class `contact.phone`.
    pub phones: Vec<Text>,
    /// E-mail addresses, the preferred one first. Class `contact.email`.
    pub emails: Vec<Text>,
    /// Who in the company looks after this contact. Class `agent`.
    pub owner: Option<Text>,
    /// Where a person opens the contact in the CRM.
    pub url: Option<String>,
    /// When the CRM last changed it.
    pub updated: Option<Instant>,
    /// Anything else that helps the person who answers. Any class but `recording.*`.
    pub extra: Vec<Labelled>,
}

/// What is to be written to a contact. Absent means "leave it"; a list replaces the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactDraft {
    /// The name. Class `contact.name`.
    pub name: Option<Text>,
    /// The company. Class `contact.organization`.
    pub organization: Option<Text>,
    /// Telephone numbers, the preferred one first. Class `contact.phone`.
    pub phones: Vec<Text>,
    /// E-mail addresses, the preferred one first. Class `contact.email`.
    pub emails: Vec<Text>,
    /// Fields that the tenant's mapping names. Their classes follow from the route.
    pub extra: Vec<Labelled>,
}

/// Which part of a long answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// At most so many items. The host asks for 1 to 200.
    pub limit: u32,
    /// What the answer before gave as `next`.
    pub cursor: Option<String>,
}

/// Some of the contacts that match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matches {
    /// The contacts, best match first.
    pub items: Vec<Contact>,
    /// What to give as [`Page::cursor`] for more.
    pub next: Option<String>,
}
