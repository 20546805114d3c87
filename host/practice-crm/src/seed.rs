//! The invented customers. They are a data file, so that they read as data and change one line a person.

use serde::Deserialize;

use crate::book::Book;
use crate::records::{Account, Activity, Contact, Deal, Note, User};

/// Every name, number, address and document in it is invented; its first line says how one can tell.
const SEED: &str = include_str!("../data/seed.json");

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seed {
    #[serde(rename = "invented")]
    _invented: String,
    pub(crate) account: Account,
    pub(crate) users: Vec<User>,
    pub(crate) contacts: Vec<Contact>,
    pub(crate) notes: Vec<Note>,
    pub(crate) deals: Vec<Deal>,
    pub(crate) activities: Vec<Activity>,
}

/// A fresh copy of the invented records.
#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
pub(crate) fn book() -> Book {
    Book::from(serde_json::from_str::<Seed>(SEED).expect("the embedded customers are well formed"))
}

#[cfg(test)]
mod tests;
