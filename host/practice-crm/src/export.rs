//! All that is held about one person in one document, for whoever asks for their data (LGPD, article 18).

use serde::Serialize;

use crate::base::BaseUrl;
use crate::book::Book;
use crate::id::ContactId;
use crate::records::Activity;
use crate::refusal::Refusal;
use crate::view::ContactView;

/// Everything about one contact. Notes and deals are within the contact.
#[derive(Serialize)]
pub(crate) struct Export<'a> {
    contact: ContactView<'a>,
    activities: Vec<&'a Activity>,
}

impl<'a> Export<'a> {
    pub(crate) fn of(id: ContactId, book: &'a Book, base: &BaseUrl) -> Result<Self, Refusal> {
        let contact = ContactView::of(book.contact(id)?, book, base);
        Ok(Self { contact, activities: book.activities_of(id).collect() })
    }
}
