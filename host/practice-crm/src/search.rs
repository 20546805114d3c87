//! Finding contacts: by number, by what somebody typed, or all, page by page. Activities are listed page by page.

use std::ops::Bound;

use crate::book::Book;
use crate::id::{ActivityId, ContactId};
use crate::phone::Digits;
use crate::records::{Activity, Contact};
use crate::refusal::Refusal;

/// The most contacts in one answer.
pub(crate) const MAX_LIMIT: usize = 100;
const DEFAULT_LIMIT: usize = 20;

/// What is asked for. Both conditions must hold where both are given.
#[derive(Default)]
pub(crate) struct Search<'a> {
    pub(crate) phone: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    pub(crate) limit: Option<usize>,
    /// The last contact of the page before.
    pub(crate) cursor: Option<&'a str>,
}

/// One page of records.
pub(crate) struct Page<'a, T, I> {
    pub(crate) items: Vec<&'a T>,
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// The cursor of the next page, if there is one.
    pub(crate) next: Option<I>,
}

impl Book {
    pub(crate) fn search(&self, search: &Search<'_>) -> Result<Page<'_, Contact, ContactId>, Refusal> {
        let limit = limit(search.limit)?;
        let cursor = cursor::<ContactId>(search.cursor)?;
        let unreadable = Refusal::Field { field: "phone", rule: "it must have 8 to 15 digits" };
        let phone = search.phone.map(|phone| Digits::of(phone).ok_or(unreadable)).transpose()?;
        let words: Vec<String> = search.text.unwrap_or_default().split_whitespace().map(fold).collect();

        let mut page = Page { items: Vec::new(), total: 0, next: None };
        for contact in self.contacts.values() {
            let is_wanted =
                phone.as_ref().is_none_or(|phone| has_phone(contact, phone)) && has_words(contact, &words);
            if !is_wanted {
                continue;
            }
            page.total += 1;
            if cursor.is_some_and(|cursor| contact.id <= cursor) {
                continue;
            }
            if page.items.len() < limit {
                page.items.push(contact);
            } else if page.next.is_none() {
                page.next = page.items.last().map(|last| last.id);
            }
        }
        Ok(page)
    }

    /// The activities, in the order in which they were written.
    pub(crate) fn list_activities(
        &self,
        most: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<'_, Activity, ActivityId>, Refusal> {
        let most = limit(most)?;
        let after = cursor::<ActivityId>(after)?.map_or(Bound::Unbounded, Bound::Excluded);
        let mut rest = self.activities.range((after, Bound::Unbounded)).map(|(_, activity)| activity);
        let items: Vec<&Activity> = rest.by_ref().take(most).collect();
        let next = items.last().map(|last| last.id).filter(|_| rest.next().is_some());
        Ok(Page { items, total: self.activities.len(), next })
    }
}

fn limit(asked: Option<usize>) -> Result<usize, Refusal> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    let fits = (1..=MAX_LIMIT).contains(&limit);
    if fits { Ok(limit) } else { Err(Refusal::Field { field: "limit", rule: "it must be 1 to 100" }) }
}

fn cursor<I: std::str::FromStr>(asked: Option<&str>) -> Result<Option<I>, Refusal> {
    let wrong = |_| Refusal::Field { field: "cursor", rule: "it must be the next of a page" };
    asked.map(str::parse::<I>).transpose().map_err(wrong)
}

fn has_phone(contact: &Contact, asked: &Digits) -> bool {
    contact.phones.iter().filter_map(|phone| Digits::of(phone)).any(|phone| phone.matches(asked))
}

fn has_words(contact: &Contact, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let fields =
        [Some(&contact.name), contact.company.as_ref(), contact.city.as_ref(), contact.document.as_ref()];
    let all = fields
        .into_iter()
        .flatten()
        .chain(&contact.emails)
        .map(|field| fold(field))
        .collect::<Vec<_>>()
        .join("\n");
    words.iter().all(|word| all.contains(word))
}

/// In lower case and without the accents of Portuguese, which people leave out when they search.
fn fold(text: &str) -> String {
    let plain = |c: char| match c {
        'á' | 'à' | 'â' | 'ã' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        'ñ' => 'n',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}
