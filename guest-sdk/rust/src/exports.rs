//! From the component's exports to the plugin's [`Crm`]: settings read, panics hooked, types converted.

use std::marker::PhantomData;

use crate::bindings::exports::ramal::crm as wit;
use crate::bindings::ramal::crm::types;
use crate::host::imports;
use crate::{Crm, Cx, Id, Result, Text, panic};

/// Implements every exported interface by means of a [`Crm`].
#[doc(hidden)]
pub struct Exports<P>(PhantomData<P>);

fn call<P: Crm, T>(run: impl FnOnce(&Cx<P::Settings>) -> Result<T>) -> Result<T, types::Error> {
    panic::install();
    let cx = Cx::open(imports())?;
    Ok(run(&cx)?)
}

fn all<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl<P: Crm> wit::connector::Guest for Exports<P> {
    fn check() -> Result<wit::connector::Account, types::Error> {
        call::<P, _>(|cx| P::check(cx)).map(Into::into)
    }
}

impl<P: Crm> wit::contacts::Guest for Exports<P> {
    fn find_by_phone(candidates: Vec<String>) -> Result<Vec<types::Contact>, types::Error> {
        let candidates: Vec<Text> = all(candidates);
        call::<P, _>(|cx| P::find_by_phone(cx, &candidates)).map(all)
    }
    fn search(query: String, page: types::Page) -> Result<wit::contacts::Matches, types::Error> {
        call::<P, _>(|cx| P::search(cx, &Text(query), &page.into())).map(Into::into)
    }
    fn get(id: String) -> Result<types::Contact, types::Error> {
        call::<P, _>(|cx| P::get_contact(cx, &Id::from(id))).map(Into::into)
    }
    fn create(draft: types::ContactDraft) -> Result<types::Contact, types::Error> {
        call::<P, _>(|cx| P::create_contact(cx, &draft.into())).map(Into::into)
    }
    fn update(id: String, changes: types::ContactDraft) -> Result<types::Contact, types::Error> {
        call::<P, _>(|cx| P::update_contact(cx, &Id::from(id), &changes.into())).map(Into::into)
    }
}

impl<P: Crm> wit::journal::Guest for Exports<P> {
    fn write(entry: wit::journal::Entry) -> Result<types::Ref, types::Error> {
        call::<P, _>(|cx| P::write_journal(cx, &entry.into())).map(Into::into)
    }
    fn amend(record_id: types::Ref, entry: wit::journal::Entry) -> Result<types::Ref, types::Error> {
        call::<P, _>(|cx| P::amend_journal(cx, &record_id.into(), &entry.into())).map(Into::into)
    }
}

impl<P: Crm> wit::work_items::Guest for Exports<P> {
    fn open_for(contact: String) -> Result<Vec<wit::work_items::Item>, types::Error> {
        call::<P, _>(|cx| P::open_items(cx, &Id::from(contact))).map(all)
    }
}

impl<P: Crm> wit::users::Guest for Exports<P> {
    fn list(page: types::Page) -> Result<wit::users::Listing, types::Error> {
        call::<P, _>(|cx| P::list_users(cx, &page.into())).map(Into::into)
    }
}

impl<P: Crm> wit::privacy::Guest for Exports<P> {
    fn export_subject(contact: String) -> Result<Vec<wit::privacy::Held>, types::Error> {
        call::<P, _>(|cx| P::export_subject(cx, &Id::from(contact))).map(all)
    }
    fn erase_subject(
        contact: String,
        mode: wit::privacy::Mode,
    ) -> Result<wit::privacy::Receipt, types::Error> {
        call::<P, _>(|cx| P::erase_subject(cx, &Id::from(contact), mode.into())).map(Into::into)
    }
}

impl<P: Crm> wit::events::Guest for Exports<P> {
    fn handle(occasion: wit::events::Occasion) -> Result<wit::events::News, types::Error> {
        call::<P, _>(|cx| P::handle_event(cx, &occasion.into())).map(Into::into)
    }
}
