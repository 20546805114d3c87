//! `[journal]`: on what a journal entry stands in the CRM.
//!
//! Many CRMs keep no entry that stands alone: a note belongs to a contact or to a deal. Without this word the host would
//! send such a plugin every call of a stranger, and each would end as a dead letter that no replay could help.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::source::{Item, quote};

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalDecl {
    /// Kinds of records of which one must be linked with the interaction before its account is sent. Never empty.
    pub on: BTreeSet<RecordKind>,
}

/// A CRM's kind of record, in the plugin's word: `contact`, `deal`, `ticket`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKind(String);

impl RecordKind {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no kind of record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a kind of record is 1 to 40 of a-z, 0-9, `.`, `_` and `-`, such as \"contact\" or \"deal\"")]
pub struct BadRecordKind;

impl FromStr for RecordKind {
    type Err = BadRecordKind;
    fn from_str(text: &str) -> Result<Self, BadRecordKind> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        if (1..=40).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err(BadRecordKind)
    }
}

pub(super) fn read(item: &Item<'_>) -> Option<JournalDecl> {
    let section = item.section("[journal]".to_owned())?;
    let on = section.need("on", "on = [\"contact\"], the kinds of records on which an entry can stand")?;
    let kinds: BTreeSet<RecordKind> = on.set();
    section.finish();
    if on.value().as_array().is_some_and(|list| list.is_empty()) {
        on.wrong(format!(
            "{} is empty; list a kind, or leave [journal] out where an entry can stand alone",
            quote("on")
        ));
    }
    (!kinds.is_empty()).then_some(JournalDecl { on: kinds })
}
