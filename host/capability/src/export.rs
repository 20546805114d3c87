//! What a plugin offers and what it may import, as closed lists.

use std::fmt;
use std::str::FromStr;

use crate::purpose::Purpose;

macro_rules! exports {
    ($($(#[$doc:meta])* $variant:ident = $name:literal for [$($purpose:ident),*]),+ $(,)?) => {
        /// A function of the contract that a plugin may offer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Export {
            $($(#[$doc])* $variant),+
        }
        impl Export {
            /// Every function, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// `interface.function`, as in the manifest's `provides`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// The purposes for which the host calls it.
            pub fn purposes(self) -> &'static [Purpose] {
                match self { $(Self::$variant => &[$(Purpose::$purpose),*]),+ }
            }
        }
    };
}

exports! {
    /// Is the connection in order?
    ConnectorCheck = "connector.check" for [Diagnostics],
    /// Who has this number?
    ContactsFindByPhone = "contacts.find-by-phone" for [ScreenPop, Search, Journal, ClickToCall],
    /// Contacts that match a text.
    ContactsSearch = "contacts.search" for [Search],
    /// One contact.
    ContactsGet = "contacts.get" for [ScreenPop, Search, ClickToCall, Sync, SubjectRequest],
    /// A new contact.
    ContactsCreate = "contacts.create" for [Search, Journal, Sync],
    /// Change a contact.
    ContactsUpdate = "contacts.update" for [Search, Journal, Sync],
    /// Write down an interaction.
    JournalWrite = "journal.write" for [Journal],
    /// Bring an entry up to date.
    JournalAmend = "journal.amend" for [Journal],
    /// Open deals and tickets.
    WorkItemsOpenFor = "work-items.open-for" for [ScreenPop, Search, Journal],
    /// The company's people.
    UsersList = "users.list" for [Sync, Diagnostics],
    /// Everything held on a subject.
    PrivacyExportSubject = "privacy.export-subject" for [SubjectRequest],
    /// Remove a subject.
    PrivacyEraseSubject = "privacy.erase-subject" for [SubjectRequest],
    /// What the CRM sent to a hook, or what has changed since a tick.
    EventsHandle = "events.handle" for [Sync],
}

impl fmt::Display for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no function of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no function of ramal:crm{}", .near.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
pub struct UnknownExport {
    /// What was given.
    pub given: String,
    /// The nearest name.
    pub near: Option<Export>,
}

impl FromStr for Export {
    type Err = UnknownExport;
    fn from_str(text: &str) -> Result<Self, UnknownExport> {
        Self::ALL.iter().copied().find(|e| e.as_str() == text).ok_or_else(|| {
            let near = crate::source::nearest(text, Self::ALL.iter().map(|e| e.as_str()));
            UnknownExport {
                given: text.chars().take(64).collect(),
                near: near.and_then(|n| Self::ALL.iter().copied().find(|e| e.as_str() == n)),
            }
        })
    }
}

/// An interface that a plugin may import. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Import {
    /// Requests to the CRM.
    Egress,
    /// Functions on text and seals.
    Text,
    /// What the admin entered.
    Settings,
    /// A small key-value store.
    Store,
    /// Words for the operator.
    Log,
}

impl Import {
    /// Every interface.
    pub const ALL: &'static [Self] = &[Self::Egress, Self::Text, Self::Settings, Self::Store, Self::Log];

    /// The name in the manifest's `uses` and in `ramal:crm`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Egress => "egress",
            Self::Text => "text",
            Self::Settings => "settings",
            Self::Store => "store",
            Self::Log => "log",
        }
    }
}
impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Import {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|i| i.as_str() == text).ok_or_else(|| {
            format!("`{text}` is no interface that a plugin may use; there are egress, text, settings, store and log")
        })
    }
}
