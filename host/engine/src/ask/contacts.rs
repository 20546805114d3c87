//! `contacts`: find, search, get, create, update.

use ramal_capability::{Clear, DataClass, Denial, Export, Invocation, Place, longest};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::{
    Answer, Ask, Exports, all, length, length_some, link_some, needed, optional, present, sealed, show,
    show_some,
};
use crate::bindings::exports::ramal::crm::contacts::Matches;
use crate::bindings::ramal::crm::types;
use crate::record::{Contact, ContactDraft, Listed, Page};
use crate::state::CallState;

/// Who has this number?
#[derive(Debug, Clone)]
pub struct FindByPhone {
    /// The same number in the forms that a CRM may hold, best first, in E.164.
    pub candidates: Vec<Clear>,
}

/// Contacts that match what somebody typed.
#[derive(Debug, Clone)]
pub struct SearchContacts {
    /// What was typed. Handed in as a name: it may hold one.
    pub query: Clear,
    /// Which part.
    pub page: Page,
}

/// One contact.
#[derive(Debug, Clone)]
pub struct GetContact {
    /// The CRM's identifier.
    pub id: String,
}

/// A new contact.
#[derive(Debug, Clone)]
pub struct CreateContact {
    /// What it holds.
    pub draft: ContactDraft,
}

/// Change a contact.
#[derive(Debug, Clone)]
pub struct UpdateContact {
    /// The CRM's identifier.
    pub id: String,
    /// What changes.
    pub changes: ContactDraft,
}

impl sealed::Sealed for FindByPhone {}
impl Ask for FindByPhone {
    const EXPORT: Export = Export::ContactsFindByPhone;
    type Out = Vec<Contact>;
    type Args = Vec<String>;
    type Raw = Vec<types::Contact>;

    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial> {
        self.candidates.iter().map(|c| needed(invocation, DataClass::ContactPhone, c)).collect()
    }
    async fn invoke(
        args: Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.contacts.as_ref())?.load(&mut *store, instance)?;
        guest.call_find_by_phone(store, &args).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        raw.into_iter().map(|c| contact(c, invocation)).collect()
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        raw.iter().map(bytes).sum()
    }
}

impl sealed::Sealed for SearchContacts {}
impl Ask for SearchContacts {
    const EXPORT: Export = Export::ContactsSearch;
    type Out = Listed<Contact>;
    type Args = (String, types::Page);
    type Raw = Matches;

    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial> {
        Ok((needed(invocation, DataClass::ContactName, &self.query)?, page(self.page)))
    }
    async fn invoke(
        (query, page): Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.contacts.as_ref())?.load(&mut *store, instance)?;
        guest.call_search(store, &query, &page).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        Ok(Listed {
            items: raw.items.into_iter().map(|c| contact(c, invocation)).collect::<Result<_, _>>()?,
            next: super::plain_some(invocation, "next", raw.next)?,
        })
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        raw.items.iter().map(bytes).sum::<u64>() + length_some(raw.next.as_ref())
    }
}

/// The three functions that give one contact.
macro_rules! one_contact {
    ($ask:ident, $export:ident, $args:ty, |$self:ident, $invocation:ident| $hand_in:expr, |$guest:ident, $store:ident, $given:ident| $call:expr) => {
        impl sealed::Sealed for $ask {}
        impl Ask for $ask {
            const EXPORT: Export = Export::$export;
            type Out = Contact;
            type Args = $args;
            type Raw = types::Contact;

            fn hand_in($self, $invocation: &mut Invocation) -> Result<Self::Args, Denial> {
                $hand_in
            }
            async fn invoke(
                $given: Self::Args,
                exports: &Exports,
                $store: &mut Store<CallState>,
                instance: &Instance,
            ) -> Answer<Self::Raw> {
                let $guest = present(exports.contacts.as_ref())?.load(&mut *$store, instance)?;
                $call.await
            }
            fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
                contact(raw, invocation)
            }
            fn bytes(raw: &Self::Raw) -> u64 {
                bytes(raw)
            }
        }
    };
}

one_contact!(GetContact, ContactsGet, String, |self, _invocation| Ok(self.id), |guest, store, id| {
    guest.call_get(store, &id)
});
one_contact!(
    CreateContact,
    ContactsCreate,
    types::ContactDraft,
    |self, invocation| draft(&self.draft, invocation),
    |guest, store, draft| guest.call_create(store, &draft)
);
one_contact!(
    UpdateContact,
    ContactsUpdate,
    (String, types::ContactDraft),
    |self, invocation| Ok((self.id, draft(&self.changes, invocation)?)),
    |guest, store, given| guest.call_update(store, &given.0, &given.1)
);

fn draft(draft: &ContactDraft, invocation: &mut Invocation) -> Result<types::ContactDraft, Denial> {
    Ok(types::ContactDraft {
        name: optional(invocation, DataClass::ContactName, draft.name.as_ref())?,
        organization: optional(invocation, DataClass::ContactOrganization, draft.organization.as_ref())?,
        phones: all(invocation, DataClass::ContactPhone, &draft.phones)?,
        emails: all(invocation, DataClass::ContactEmail, &draft.emails)?,
        extra: Vec::new(),
    })
}

pub(super) fn page(page: Page) -> types::Page {
    types::Page { limit: page.limit.clamp(1, 200), cursor: page.cursor }
}

fn contact(raw: types::Contact, invocation: &Invocation) -> Result<Contact, Denial> {
    let shown = |place, texts: &[String]| -> Result<Vec<_>, Denial> {
        texts.iter().filter(|t| !t.is_empty()).map(|t| show(invocation, place, t)).collect()
    };
    Ok(Contact {
        id: invocation.plain("id", &raw.id, longest::ID)?.to_owned(),
        name: show(invocation, Place::ContactName, &raw.name)?,
        organization: show_some(invocation, Place::ContactOrganization, raw.organization.as_ref())?,
        phones: shown(Place::ContactPhone, &raw.phones)?,
        emails: shown(Place::ContactEmail, &raw.emails)?,
        owner: show_some(invocation, Place::Owner, raw.owner.as_ref())?,
        url: link_some(invocation, raw.url)?,
        updated: raw.updated,
        extra: raw
            .extra
            .into_iter()
            .map(|field| {
                let label = invocation.plain("label", &field.label, longest::LABEL)?.to_owned();
                Ok((label, show(invocation, Place::ContactExtra, &field.value)?))
            })
            .collect::<Result<_, Denial>>()?,
    })
}

fn bytes(contact: &types::Contact) -> u64 {
    let lists = contact.phones.iter().chain(&contact.emails).map(|t| length(t)).sum::<u64>();
    let extra = contact.extra.iter().map(|f| length(&f.label) + length(&f.value)).sum::<u64>();
    let optional = [&contact.organization, &contact.owner, &contact.url]
        .into_iter()
        .map(|t| length_some(t.as_ref()))
        .sum::<u64>();
    // A fixed part each, so that a flood of empty records counts too.
    64 + length(&contact.id) + length(&contact.name) + lists + extra + optional
}
