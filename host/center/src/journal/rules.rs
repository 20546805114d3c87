//! Who is told, and what nobody is told.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use ramal_capability::RecordKind;
use ramal_store::{ContactIdentity, ContactKind, CrmLink, Interaction, InteractionDirection, PluginId};

use super::CONTACT;
use crate::number::customers_number;
use crate::webhook::Webhooks;

/// How much of an interaction's account a plugin keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalReach {
    /// The first account alone: the plugin cannot change what it has written.
    FirstAccount,
    /// What becomes known later, too.
    LaterChanges,
}

/// A plugin that keeps a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeper {
    /// How much of an account it keeps.
    pub reach: JournalReach,
    /// The kinds of records of which one must be linked before it is told; none where an entry can stand alone.
    pub stands_on: BTreeSet<RecordKind>,
    /// Whether it can say whose a number is.
    pub looks_up: bool,
}

impl From<JournalReach> for Keeper {
    /// One whose entries can stand alone.
    fn from(reach: JournalReach) -> Self {
        Self { reach, stands_on: BTreeSet::new(), looks_up: false }
    }
}

impl Keeper {
    /// Whether an entry could stand on a record of this kind.
    pub(super) fn takes(&self, kind: &str) -> bool {
        self.stands_on.is_empty() || self.stands_on.iter().any(|known| known.as_str() == kind)
    }

    /// Whether a contact could be found by the customer's number, and an entry stand on it.
    pub(super) fn could_match(&self, of: &Interaction) -> bool {
        self.looks_up && self.takes(CONTACT) && customers_number(&of.contacts).is_some()
    }

    /// Whether the plugin's CRM has something on which an entry can stand.
    pub(super) fn has_place(&self, plugin: &PluginId, of: &Interaction) -> bool {
        let linked = |link: &CrmLink| link.plugin == *plugin && self.takes(&link.kind);
        self.stands_on.is_empty() || of.links.iter().any(linked)
    }
}

/// What a tenant's CRMs and webhooks are told.
#[derive(Debug, Clone)]
pub struct JournalRules {
    /// The plugins that keep a journal.
    pub plugins: BTreeMap<PluginId, Keeper>,
    /// The webhooks.
    pub webhooks: Webhooks,
    /// What neither a CRM nor a webhook is told.
    pub do_not_log: DoNotLog,
    /// By which clock a day of a conversation begins.
    pub zone: TimeZone,
}

impl Default for JournalRules {
    fn default() -> Self {
        Self {
            plugins: BTreeMap::new(),
            webhooks: Webhooks::new(),
            do_not_log: DoNotLog::default(),
            zone: TimeZone::UTC,
        }
    }
}

/// What nobody is told: calls with one's doctor, with the bank, between colleagues.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DoNotLog {
    lines: BTreeSet<String>,
    internal: bool,
}

// Whose calls are left out is nobody's business.
impl std::fmt::Debug for DoNotLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoNotLog")
            .field("lines", &self.lines.len())
            .field("internal", &self.internal)
            .finish()
    }
}

impl DoNotLog {
    /// Leaves out these lines on either side, numbers in E.164 and extensions as they are dialled; and talk between
    /// colleagues if `internal` says so. A number stands for its line: it covers the line's other form too.
    pub fn new(lines: impl IntoIterator<Item = String>, internal: bool) -> Self {
        Self { lines: lines.into_iter().map(|text| line(&text)).collect(), internal }
    }

    /// Whether the interaction is one that nobody is told.
    pub fn covers(&self, interaction: &Interaction) -> bool {
        if self.internal && interaction.direction == InteractionDirection::Internal {
            return true;
        }
        let sides = interaction.from.iter().chain(&interaction.to);
        let names = interaction.contacts.iter().filter(|c| c.kind == ContactKind::Phone).map(|c| c.value());
        !self.lines.is_empty() && sides.chain(names).any(|side| self.lines.contains(&line(side.expose())))
    }
}

/// By what two spellings of one line are compared; an extension is itself.
fn line(text: &str) -> String {
    ContactIdentity::phone(text).map_or_else(|_| text.to_owned(), |number| number.value().expose().to_owned())
}
