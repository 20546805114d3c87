//! What has changed since the last tick: parties that were made, written, or switched off.
//!
//! Tryton tells nobody when a party changes, but keeps with each record when it was made and last written. So a tick
//! asks for the parties after the last one that it saw, in the order of that time, and by number where several were
//! written at one moment, as an import does it: no page can skip one. What was made and never written has no
//! `write_date`, so the two times are two questions and two halves of the cursor.
//!
//! A party that Tryton's own erasure emptied is switched off, and told as deleted. One that is deleted outright leaves
//! no trace and cannot be told.

use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::{Changed, Moment, Numbered};
use crate::search::{self, SearchRead};
use crate::settings::Settings;

/// Parties of one question.
const PAGE: u32 = 100;
const FIELDS: &[&str] = &["create_date", "write_date"];

/// Which of a record's times.
#[derive(Clone, Copy)]
enum When {
    Written,
    Made,
}

impl When {
    fn field(self) -> &'static str {
        match self {
            Self::Written => "write_date",
            Self::Made => "create_date",
        }
    }
    fn of(self, party: &Changed) -> Option<&Moment> {
        match self {
            Self::Written => party.write_date.as_ref(),
            Self::Made => party.create_date.as_ref(),
        }
    }
}

/// The last record that was seen in one order of time. Before the first: the start of the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    at: Moment,
    id: i64,
}

impl Mark {
    const START: Self = Self { at: Moment::START, id: 0 };
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    written: Mark,
    made: Mark,
}

pub(crate) fn since(cx: &Cx<Settings>, cursor: Option<&str>) -> Result<News> {
    let Some(text) = cursor else { return begin(cx) };
    let cursor: Cursor = serde_json::from_str(text)
        .map_err(|_| Error::Permanent("the cursor is none that this plugin gave".into()))?;
    let (written, more_written) = page(cx, When::Written, &cursor.written)?;
    let (made, more_made) = page(cx, When::Made, &cursor.made)?;
    let next = Cursor {
        written: last(When::Written, &written)?.unwrap_or(cursor.written),
        made: last(When::Made, &made)?.unwrap_or(cursor.made),
    };
    // One that was written since it was made is told by that.
    let only_made = made.iter().filter(|party| party.write_date.is_none());
    let changed: Vec<&Id> = written.iter().chain(only_made).map(|party| &party.id).collect();
    let facts = facts(cx, &changed)?;
    Ok(News { facts, next: Some(text_of(&next)?), more: more_written || more_made })
}

/// The first tick: what was there before is no news.
fn begin(cx: &Cx<Settings>) -> Result<News> {
    let newest = |when: When| -> Result<Mark> {
        // Only those that have the time: databases sort the others to different ends.
        let domain = json!([[when.field(), "!=", null]]);
        let body = SearchRead::new(domain).fields(FIELDS).latest_first(when.field()).limit(1);
        let found: Vec<Changed> = search::found(cx, "newest-change", &body)?;
        Ok(last(when, &found)?.unwrap_or(Mark::START))
    };
    let cursor = Cursor { written: newest(When::Written)?, made: newest(When::Made)? };
    Ok(News { next: Some(text_of(&cursor)?), ..News::default() })
}

fn page(cx: &Cx<Settings>, when: When, after: &Mark) -> Result<(Vec<Changed>, bool)> {
    let (field, at) = (when.field(), after.at.typed());
    let domain = json!(["OR", [[field, ">", at]], [[field, "=", at], ["id", ">", after.id]]]);
    let body = SearchRead::new(domain).fields(FIELDS).oldest_by(field).limit(PAGE + 1);
    let mut found: Vec<Changed> = search::found(cx, "changes", &body)?;
    let full = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = found.len() > full;
    found.truncate(full);
    Ok((found, more))
}

fn last(when: When, found: &[Changed]) -> Result<Option<Mark>> {
    let Some(party) = found.last() else { return Ok(None) };
    let at = when.of(party).cloned().ok_or_else(|| {
        Error::Permanent(format!("Tryton sorted by {} and answered a party without it", when.field()))
    })?;
    Ok(Some(Mark { at, id: party.id.number()? }))
}

fn text_of(cursor: &Cursor) -> Result<String> {
    serde_json::to_string(cursor).map_err(|_| Error::Permanent("the cursor cannot be written".into()))
}

/// Which of them are switched off. Tryton leaves those out of a search that does not ask for them; their field
/// `active` says it too, but as a number or a truth value, as the database has it.
fn facts(cx: &Cx<Settings>, changed: &[&Id]) -> Result<Vec<Fact>> {
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    let numbers: Vec<i64> = changed.iter().map(|id| id.number()).collect::<Result<_>>()?;
    let body = SearchRead::new(json!([["id", "in", numbers]])).fields(&["id"]).oldest_first();
    let there: Vec<Numbered> = search::found(cx, "still-there", &body)?;
    let is_there = |id: &Id| there.iter().any(|known| known.id == *id);
    let fact = |id: &&Id| match is_there(id) {
        true => Fact::ContactChanged((*id).clone()),
        false => Fact::ContactDeleted((*id).clone()),
    };
    Ok(changed.iter().map(fact).collect())
}
