//! What an animal is given: the call's texts, and what the test told it by way of the settings.

use serde::Deserialize;

use crate::bindings::ramal::crm::settings;

/// One call.
pub(crate) struct Visit {
    /// The texts that the host handed in; most are seals.
    pub(crate) given: Vec<String>,
    pub(crate) told: Told,
}

/// The settings.
#[derive(Deserialize)]
pub(crate) struct Told {
    pub(crate) animal: String,
    pub(crate) text: String,
    pub(crate) number: usize,
}

impl Visit {
    pub(crate) fn of(given: Vec<String>) -> Self {
        Self { given, told: serde_json::from_str(&settings::all()).expect("the settings fit the schema") }
    }
    /// The first text that was handed in.
    pub(crate) fn first(&self) -> &str {
        self.given.first().map_or("", String::as_str)
    }
}
