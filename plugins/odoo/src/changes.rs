//! What has changed since the last tick: contacts that were made, written, or archived.
//!
//! Odoo tells nobody when a contact changes, but keeps with each when it was last written: the moment at which the
//! transaction began, of which it tells the whole second. So a round of ticks asks for all that was written since, and
//! each round looks a round further back than it must ([`Marks`]). Within a round contacts come by number, so that no
//! page skips one of many that were written at one moment, as an import does it.
//!
//! An archived contact is told as deleted. One that is deleted outright leaves no trace and cannot be told.

use ramal_sdk::Marks;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::reply::found;
use crate::settings::Settings;

/// Contacts of one question.
const PAGE: u32 = 200;
/// Odoo tells times to the second and compares them with what it does not tell.
const SECOND_MS: u64 = 1000;

#[derive(Serialize, Deserialize)]
struct Cursor {
    marks: Marks,
    /// The last contact of this round that was seen.
    after: i64,
}

/// A `res.partner` of which only the time matters.
#[derive(Deserialize)]
struct Changed {
    id: Id,
    write_date: Option<String>,
    #[serde(default)]
    active: bool,
}

impl Changed {
    fn written(&self) -> Result<Instant> {
        let read = self.write_date.as_deref().and_then(Instant::parse);
        read.ok_or_else(|| Error::Permanent("Odoo told a contact without the time of its last change".into()))
    }
}

pub(crate) fn since(cx: &Cx<Settings>, cursor: Option<&str>) -> Result<News> {
    let Some(text) = cursor else { return begin(cx) };
    let mut cursor: Cursor = serde_json::from_str(text)
        .map_err(|_| Error::Permanent("the cursor is none that this plugin gave".into()))?;
    let body = json!({
        "domain": [["write_date", ">=", after(cursor.marks.since())], ["id", ">", cursor.after]],
        "fields": ["write_date", "active"],
        "order": "id",
        "limit": PAGE,
        // Without this Odoo leaves out what is archived.
        "context": {"active_test": false},
    });
    let changed: Vec<Changed> = found(cx, "changes", &body)?;
    for contact in &changed {
        cursor.marks.saw(contact.written()?);
    }
    let more = changed.len() >= PAGE as usize;
    match changed.last().filter(|_| more) {
        Some(last) => cursor.after = last.id.number()?,
        None => {
            cursor.marks.round_is_over();
            cursor.after = 0;
        }
    }
    let fact = |contact: Changed| match contact.active {
        true => Fact::ContactChanged(contact.id),
        false => Fact::ContactDeleted(contact.id),
    };
    Ok(News { facts: changed.into_iter().map(fact).collect(), next: Some(text_of(&cursor)?), more })
}

/// The first tick: what was there before is no news.
fn begin(cx: &Cx<Settings>) -> Result<News> {
    let body = json!({
        "domain": [["write_date", "!=", false]],
        "fields": ["write_date", "active"],
        "order": "write_date desc, id desc",
        "limit": 1,
        "context": {"active_test": false},
    });
    let newest: Vec<Changed> = found(cx, "newest-change", &body)?;
    let newest = newest.first().map(Changed::written).transpose()?.unwrap_or_default();
    // More may be written in the same second.
    let before = Instant::from_millis(newest.as_millis().saturating_sub(SECOND_MS));
    let cursor = Cursor { marks: Marks::at(before), after: 0 };
    Ok(News { next: Some(text_of(&cursor)?), ..News::default() })
}

/// The second after a moment, as Odoo reads it in a domain.
fn after(moment: Instant) -> String {
    let next = Instant::from_millis((moment.as_millis() / SECOND_MS + 1) * SECOND_MS);
    next.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

fn text_of(cursor: &Cursor) -> Result<String> {
    serde_json::to_string(cursor).map_err(|_| Error::Permanent("the cursor cannot be written".into()))
}
