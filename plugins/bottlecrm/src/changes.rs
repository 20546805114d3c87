//! What has changed since the last tick: contacts that were made or written.
//!
//! BottleCRM's hooks reach no address inside a company, and its list of contacts can be neither sorted nor narrowed by
//! the time of the last change. So each round goes through the whole list, the latest contact first, page by page and
//! no more than [`PAGES`] pages a tick, and compares the time of each contact with what the rounds before have seen
//! ([`Marks`]). In a large BottleCRM a round takes several ticks.
//!
//! What is made meanwhile moves the list on, so that some are seen twice. What is deleted moves it back, so that some
//! may not be seen: then the next round looks for the same changes again. A deletion leaves no trace and cannot be told.

use ramal_sdk::Marks;
use ramal_sdk::prelude::*;

use crate::answer::ask;
use crate::settings::Settings;

/// Contacts of one page. Each comes twice and with much that nobody asked for.
const PAGE: u32 = 50;
/// Pages of one tick.
const PAGES: u32 = 20;

#[derive(Serialize, Deserialize)]
struct Cursor {
    marks: Marks,
    /// Where the next page of this round begins.
    offset: u32,
    /// How many contacts there were at the page before.
    count: u32,
    /// Contacts were deleted in this round.
    shrunk: bool,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    count: u32,
    results: Vec<Listed>,
}

/// A contact of which only the time matters.
#[derive(Deserialize)]
struct Listed {
    id: Id,
    updated_at: Option<String>,
}

impl Listed {
    fn written(&self) -> Result<Instant> {
        let read = self.updated_at.as_deref().and_then(Instant::parse);
        read.ok_or_else(|| {
            Error::Permanent("BottleCRM told a contact without the time of its last change".into())
        })
    }
}

pub(crate) fn since(cx: &Cx<Settings>, cursor: Option<&str>) -> Result<News> {
    let Some(text) = cursor else { return begin(cx) };
    let mut cursor: Cursor = serde_json::from_str(text)
        .map_err(|_| Error::Permanent("the cursor is none that this plugin gave".into()))?;
    let list = page(cx, cursor.offset)?;
    cursor.shrunk |= cursor.offset > 0 && list.count < cursor.count;
    cursor.count = list.count;
    let mut facts = Vec::new();
    for contact in list.results {
        let written = contact.written()?;
        cursor.marks.saw(written);
        if written > cursor.marks.since() {
            facts.push(Fact::ContactChanged(contact.id));
        }
    }
    cursor.offset = cursor.offset.saturating_add(PAGE);
    let is_over = cursor.offset >= list.count;
    let more = !is_over && !cursor.offset.is_multiple_of(PAGE * PAGES);
    if is_over {
        if !cursor.shrunk {
            cursor.marks.round_is_over();
        }
        cursor = Cursor { marks: cursor.marks, offset: 0, count: 0, shrunk: false };
    }
    Ok(News { facts, next: Some(text_of(&cursor)?), more })
}

/// The first tick: what was there before is no news. Nobody tells the latest change, so what counts as before is what
/// the latest contacts know of; a few later changes of older ones may be told although they are known.
fn begin(cx: &Cx<Settings>) -> Result<News> {
    let mut marks = Marks::at(Instant::default());
    for contact in page(cx, 0)?.results {
        marks.saw(contact.written()?);
    }
    // Twice: from the latest on, and no earlier.
    marks.round_is_over();
    marks.round_is_over();
    Ok(News {
        next: Some(text_of(&Cursor { marks, offset: 0, count: 0, shrunk: false })?),
        ..News::default()
    })
}

fn page(cx: &Cx<Settings>, offset: u32) -> Result<List> {
    ask(cx, "changes", params! { "offset" => offset })?.json()
}

fn text_of(cursor: &Cursor) -> Result<String> {
    serde_json::to_string(cursor).map_err(|_| Error::Permanent("the cursor cannot be written".into()))
}
