//! The one trait that a plugin implements.
//!
//! Every function has a default that answers [`Error::Unsupported`]: a plugin writes what its CRM has, lists
//! the same in the manifest's `provides`, and is never asked for the rest.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{
    Account, Contact, ContactDraft, Cx, Entry, Erasure, Error, Held, Id, Item, Matches, News, Occasion, Page,
    Receipt, Ref, Result, Text, Users,
};

/// A CRM, as Ramal uses it. Each function's documentation opens with its name in the manifest's `provides`.
///
/// Errors decide what happens next, so choose them with care: [`Error::Transient`] and
/// [`Error::RateLimited`] are tried again, [`Error::Invalid`] waits for a person, [`Error::Permanent`] is the
/// end. Those that come from [`Cx::egress`] are mapped already; `?` is enough.
pub trait Crm {
    /// What the admin enters, in the shape of the manifest's settings schema. [`NoSettings`] if nothing.
    type Settings: DeserializeOwned;

    /// `connector.check`: whether address, credential and rights are in order. Must change nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn check(cx: &Cx<Self::Settings>) -> Result<Account> {
        unsupported(cx)
    }

    /// `contacts.find-by-phone`: the contacts with this number. `candidates` are the same number in the forms
    /// that a CRM may hold, best first. Must not create anything. No match is an empty list, not an error.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn find_by_phone(cx: &Cx<Self::Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
        let _ = candidates;
        unsupported(cx)
    }

    /// `contacts.search`: the contacts that match what somebody typed.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn search(cx: &Cx<Self::Settings>, query: &Text, page: &Page) -> Result<Matches> {
        let _ = (query, page);
        unsupported(cx)
    }

    /// `contacts.get`: one contact.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none with this identifier; [`Error::Unsupported`] unless implemented.
    fn get_contact(cx: &Cx<Self::Settings>, id: &Id) -> Result<Contact> {
        let _ = id;
        unsupported(cx)
    }

    /// `contacts.create`: a new contact.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the CRM refuses the data; [`Error::Unsupported`] unless implemented.
    fn create_contact(cx: &Cx<Self::Settings>, draft: &ContactDraft) -> Result<Contact> {
        let _ = draft;
        unsupported(cx)
    }

    /// `contacts.update`: change a contact. What `changes` does not have stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`]; [`Error::Unsupported`] unless implemented.
    fn update_contact(cx: &Cx<Self::Settings>, id: &Id, changes: &ContactDraft) -> Result<Contact> {
        let _ = (id, changes);
        unsupported(cx)
    }

    /// `journal.write`: write down an interaction. May be called again with the same
    /// [`Entry::idempotency_key`] after a failure, and must then not leave a second record.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn write_journal(cx: &Cx<Self::Settings>, entry: &Entry) -> Result<Ref> {
        let _ = entry;
        unsupported(cx)
    }

    /// `journal.amend`: bring a written entry up to date. What a person changed in the CRM meanwhile stays.
    ///
    /// # Errors
    /// [`Error::NotFound`] if somebody removed the record; [`Error::Unsupported`] unless implemented.
    fn amend_journal(cx: &Cx<Self::Settings>, record: &Ref, entry: &Entry) -> Result<Ref> {
        let _ = (record, entry);
        unsupported(cx)
    }

    /// `work-items.open-for`: the open deals and tickets of a contact, the latest first.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn open_items(cx: &Cx<Self::Settings>, contact: &Id) -> Result<Vec<Item>> {
        let _ = contact;
        unsupported(cx)
    }

    /// `users.list`: the company's own people in the CRM.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn list_users(cx: &Cx<Self::Settings>, page: &Page) -> Result<Users> {
        let _ = page;
        unsupported(cx)
    }

    /// `privacy.export-subject`: everything that the CRM holds on the contact.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn export_subject(cx: &Cx<Self::Settings>, contact: &Id) -> Result<Vec<Held>> {
        let _ = contact;
        unsupported(cx)
    }

    /// `privacy.erase-subject`: remove the contact, with all that repeats its data elsewhere in the CRM. May
    /// be called again after a failure: what is gone already is no error.
    ///
    /// # Errors
    /// [`Error::Unsupported`] unless implemented.
    fn erase_subject(cx: &Cx<Self::Settings>, contact: &Id, how: Erasure) -> Result<Receipt> {
        let _ = (contact, how);
        unsupported(cx)
    }

    /// `events.handle`: what the CRM sent to a hook, or what has changed since a tick, as facts. May be called
    /// again with the same occasion after a failure.
    ///
    /// # Errors
    /// [`Error::Permanent`] for what means nothing here and never will; [`Error::Unsupported`] unless
    /// implemented.
    fn handle_event(cx: &Cx<Self::Settings>, occasion: &Occasion) -> Result<News> {
        let _ = occasion;
        unsupported(cx)
    }
}

fn unsupported<S, T>(_: &Cx<S>) -> Result<T> {
    Err(Error::Unsupported)
}

/// The settings of a plugin that has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct NoSettings {}
