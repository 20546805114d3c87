//! Deals, tickets, and the company's own people.

use crate::{Id, Instant, Text};

/// One deal or ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    /// `deal`, `ticket`, or the CRM's own word.
    pub kind: String,
    /// The CRM's identifier.
    pub id: Id,
    /// What it is called. Class `work.item`.
    pub title: Text,
    /// The CRM's word for where it stands.
    pub stage: Option<String>,
    /// The amount with its currency, as the CRM writes it. Class `work.item`.
    pub amount: Option<Text>,
    /// Who looks after it. Class `agent`.
    pub owner: Option<Text>,
    /// Where a person opens it in the CRM.
    pub url: Option<String>,
    /// When the CRM last changed it.
    pub updated: Option<Instant>,
}

/// One of the company's own people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The CRM's identifier.
    pub id: Id,
    /// Class `agent`.
    pub name: Text,
    /// Class `agent`.
    pub email: Option<Text>,
    /// The telephone extension that the CRM has for the user.
    pub extension: Option<String>,
}

/// Some of the company's own people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    /// The users.
    pub items: Vec<User>,
    /// What to give as [`Page::cursor`](crate::Page::cursor) for more.
    pub next: Option<String>,
}
