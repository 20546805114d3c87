//! Pages of a CRM that counts from an offset and has no cursors of its own.

use crate::{Error, Page, Result};

/// A page as such a CRM is asked for it. The cursor is the offset as text.
///
/// ```
/// use ramal_sdk::prelude::*;
/// use ramal_sdk::offset::Window;
///
/// let window = Window::of(&Page { limit: 2, cursor: Some("4".into()) }, 200).unwrap();
/// // Asked with `limit` 3 and `offset` 4, the CRM answers:
/// let (shown, next) = window.cut(vec!["Ana", "Bia", "Caio"]);
/// assert_eq!((shown, next.as_deref()), (vec!["Ana", "Bia"], Some("6")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    limit: u32,
    offset: u32,
}

impl Window {
    /// The page, of at most `most` records whatever is asked for.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cursor that no window gave.
    pub fn of(page: &Page, most: u32) -> Result<Self> {
        let offset = match &page.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| {
                Error::Invalid("the cursor is none that this plugin gave; begin without one".into())
            })?,
        };
        Ok(Self { limit: page.limit.clamp(1, most), offset })
    }

    /// How many records the page has at the most.
    pub fn limit(self) -> u32 {
        self.limit
    }

    /// One more, to ask for: whether it comes tells whether there is a next page.
    pub fn limit_and_one(self) -> u32 {
        self.limit.saturating_add(1)
    }

    /// How many records are before the page.
    pub fn offset(self) -> u32 {
        self.offset
    }

    /// The cursor of the next page, if there is one.
    pub fn next(self, more: bool) -> Option<String> {
        more.then(|| self.offset.saturating_add(self.limit).to_string())
    }

    /// The records of the page and the cursor of the next, from records that were asked for by
    /// [`Window::limit_and_one`].
    pub fn cut<T>(self, mut records: Vec<T>) -> (Vec<T>, Option<String>) {
        let full = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let next = self.next(records.len() > full);
        records.truncate(full);
        (records, next)
    }
}
