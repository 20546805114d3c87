//! `[ask."contact.phone"]`: how much of a class the plugin wants, and why.

use std::collections::BTreeMap;

use crate::class::{DataClass, Direction, Level};
use crate::source::{Item, quote};

/// What a plugin asks of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What it wants of what the panel hands in.
    pub to_plugin: Level,
    /// What it wants of what the CRM answers.
    pub from_crm: Level,
    /// Why, in the author's words, for the person who decides.
    pub reason: String,
    /// Whether the plugin also works without.
    pub optional: bool,
}

impl Ask {
    /// The level in one direction.
    pub fn level(&self, direction: Direction) -> Level {
        match direction {
            Direction::ToPlugin => self.to_plugin,
            Direction::FromCrm => self.from_crm,
        }
    }
    /// The larger of the two levels.
    pub fn most(&self) -> Level {
        self.to_plugin.max(self.from_crm)
    }
}

pub(crate) const LEVELS: &[(&str, Level)] = &[
    ("none", Level::None),
    ("exists", Level::Exists),
    ("masked", Level::Masked),
    ("sealed", Level::Sealed),
    ("clear", Level::Clear),
];

/// Reads `[ask]`. A class whose name or table is wrong in parts is still taken as what was probably meant, so
/// that the routes that use it are not called wrong as well; the file is refused either way.
pub(super) fn read_all(item: &Item<'_>) -> BTreeMap<DataClass, Ask> {
    let mut asks = BTreeMap::new();
    for entry in item.entries() {
        let class = match entry.key().parse::<DataClass>() {
            Ok(class) => Some(class),
            Err(_) if entry.value().is_table() && is_unquoted(&entry) => {
                entry.wrong_key(format!(
                    "{} is no data class; write the class in quotes, such as [ask.\"contact.phone\"]",
                    quote(entry.key())
                ));
                continue;
            }
            Err(error) => {
                entry.wrong_key(error.to_string());
                error.near
            }
        };
        let ask = read_one(&entry, class);
        if let (Some(class), Some(ask)) = (class, ask) {
            asks.entry(class).or_insert(ask);
        }
    }
    asks
}

/// `[ask.contact.phone]`: TOML reads two tables where one name was meant.
fn is_unquoted(entry: &Item<'_>) -> bool {
    let prefix = format!("{}.", entry.key());
    DataClass::ALL.iter().any(|class| {
        class
            .as_str()
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| entry.value().as_table().is_some_and(|table| table.contains_key(rest)))
    })
}

fn read_one(entry: &Item<'_>, class: Option<DataClass>) -> Option<Ask> {
    let section = entry.section(format!("[ask.\"{}\"]", entry.key()))?;
    let level =
        |item: Option<Item<'_>>| item.map_or(Level::None, |item| item.word(LEVELS).unwrap_or(Level::Sealed));
    let to_plugin = level(section.get("to-plugin"));
    let from_crm = level(section.get("from-crm"));
    let reason_item = section.need("reason", "reason = \"what the plugin does with it\"");
    let reason = reason_item.as_ref().and_then(|item| item.line(10..=300));
    let optional = section.get("optional").map_or(Some(false), |item| item.bool());
    section.finish();

    let most = to_plugin.max(from_crm);
    if most == Level::None {
        section.wrong("this asks for nothing; give `to-plugin` or `from-crm` a level, or remove the table");
    }
    if let (Some(item), Some(text)) = (&reason_item, &reason) {
        let weighty = match class {
            _ if most == Level::Clear => Some("a value in the clear"),
            Some(DataClass::Sensitive) => Some("sensitive data"),
            Some(DataClass::RecordingAudio) => Some("the sound of a recording"),
            _ => None,
        };
        if let Some(what) = weighty
            && text.chars().count() < 30
        {
            item.wrong(format!(
                "{what} needs a reason of at least 30 characters; say what it is used for and why less does not do"
            ));
        }
    }
    let meant = |level| if most == Level::None { Level::Sealed } else { level };
    Some(Ask {
        to_plugin: meant(to_plugin),
        from_crm: meant(from_crm),
        reason: reason.unwrap_or_default(),
        optional: optional.unwrap_or_default(),
    })
}
