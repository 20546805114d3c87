//! What a CRM tells by itself, and what a plugin makes of it.

use serde::de::DeserializeOwned;

use crate::error::parse_failure;
use crate::{Error, Id, Ref, Result, Text};

/// Why [`Crm::handle_event`](crate::Crm::handle_event) is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occasion {
    /// The CRM sent something to a hook of the manifest. The host has proved who sent it.
    Hook(Hook),
    /// It is time to ask what has changed, as the manifest's `[sync]` wants it.
    Tick {
        /// What the tick before gave as [`News::next`]. None at the first tick: what was there before is no
        /// news, so the answer is the cursor alone.
        cursor: Option<String>,
    },
}

/// What came to a hook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    /// The `id` of the `[[hook]]`.
    pub name: String,
    /// The headers that the hook lists, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, with nothing but the fields that the hook's `receive` lists, classed values sealed.
    pub body: String,
}

impl Hook {
    /// The value of a listed header; its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// The body as a type of the plugin's.
    ///
    /// # Errors
    /// [`Error::Permanent`] if the body does not fit: sending the same again would not help. The text says what
    /// kind of value stood where, never the value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body)
            .map_err(|error| Error::Permanent(format!("hook `{}`: {}", self.name, parse_failure(&error))))
    }
}

/// Somebody pressed a number in the CRM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dial {
    /// Who wants to speak: the user's identifier or name in the CRM. Class `agent`.
    pub agent: Text,
    /// The number: one seal of class `contact.phone` from this call. A number in clear text is refused.
    pub number: Text,
    /// The record from which it was pressed.
    pub about: Option<Ref>,
}

/// Something that the host should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The contact is no longer as it was.
    ContactChanged(Id),
    /// The contact is gone.
    ContactDeleted(Id),
    /// Another record is gone.
    RecordDeleted(Ref),
    /// Somebody in the CRM wants to be connected.
    Dial(Dial),
    /// What no variant above fits. Hosts pass over codes that they do not know.
    Other {
        /// A stable code.
        code: String,
        /// The record that it is about.
        record: Ref,
    },
}

/// What the plugin makes of an occasion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// What happened, in order; at most 1000.
    pub facts: Vec<Fact>,
    /// Of a tick: the cursor for the next one, at most 500 characters and no seal. None leaves it as it was.
    pub next: Option<String>,
    /// Of a tick: whether there is more at once after [`News::next`].
    pub more: bool,
}

impl News {
    /// Facts of a hook.
    pub fn of(facts: impl IntoIterator<Item = Fact>) -> Self {
        Self { facts: facts.into_iter().collect(), ..Self::default() }
    }
}
