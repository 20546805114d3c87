//! The functions of the contract as values: what goes in, what comes out, how each is opened. One struct per
//! export; [`Plugin::call`](crate::Plugin::call) takes any of them.
// `Ask` is sealed: its methods are the road of a call, for this crate alone, and speak in its own types.
#![allow(private_interfaces)]

mod contacts;
mod events;
mod journal;
mod others;

use std::future::Future;

use ramal_capability::{Clear, DataClass, Denial, Export, Invocation, Place, Shown, longest};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

pub use contacts::{CreateContact, FindByPhone, GetContact, SearchContacts, UpdateContact};
pub use events::HandleEvent;
pub use journal::{AmendJournal, WriteJournal};
pub use others::{Check, EraseSubject, ExportSubject, ListUsers, OpenWorkItems};

use crate::bindings::exports::ramal::crm as exports;
use crate::bindings::ramal::crm::types;
use crate::record::RecordRef;
use crate::state::CallState;

/// The error of the contract.
pub(crate) type GuestError = types::Error;
/// What invoking an export gives: the runtime's word, then the guest's.
pub(crate) type Answer<T> = wasmtime::Result<Result<T, GuestError>>;

/// One function of the contract with its arguments.
pub trait Ask: Send + Sync + Sized + 'static + sealed::Sealed {
    /// Which function.
    const EXPORT: Export;
    /// What it gives, opened for the host.
    type Out: Send + 'static;
    #[doc(hidden)]
    type Args: Send + 'static;
    #[doc(hidden)]
    type Raw: Send + 'static;

    /// Seals the arguments for the guest.
    #[doc(hidden)]
    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial>;
    #[doc(hidden)]
    fn invoke<'a>(
        args: Self::Args,
        exports: &'a Exports,
        store: &'a mut Store<CallState>,
        instance: &'a Instance,
    ) -> impl Future<Output = Answer<Self::Raw>> + Send + 'a;
    /// Opens the result.
    #[doc(hidden)]
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial>;
    /// Bytes of the result, before it is opened.
    #[doc(hidden)]
    fn bytes(raw: &Self::Raw) -> u64;
}

pub(crate) mod sealed {
    /// Only the contract's own functions are asks.
    pub trait Sealed {}
}

/// Where the exports of one component are; an interface that it does not have is absent, so that a component
/// built before an interface existed still loads.
pub struct Exports {
    pub(crate) connector: Option<exports::connector::GuestIndices>,
    pub(crate) contacts: Option<exports::contacts::GuestIndices>,
    pub(crate) journal: Option<exports::journal::GuestIndices>,
    pub(crate) work_items: Option<exports::work_items::GuestIndices>,
    pub(crate) users: Option<exports::users::GuestIndices>,
    pub(crate) privacy: Option<exports::privacy::GuestIndices>,
    pub(crate) events: Option<exports::events::GuestIndices>,
}

impl Exports {
    pub(crate) fn of(component: &InstancePre<CallState>) -> Self {
        Self {
            connector: exports::connector::GuestIndices::new(component).ok(),
            contacts: exports::contacts::GuestIndices::new(component).ok(),
            journal: exports::journal::GuestIndices::new(component).ok(),
            work_items: exports::work_items::GuestIndices::new(component).ok(),
            users: exports::users::GuestIndices::new(component).ok(),
            privacy: exports::privacy::GuestIndices::new(component).ok(),
            events: exports::events::GuestIndices::new(component).ok(),
        }
    }

    pub(crate) fn has(&self, export: Export) -> bool {
        match export {
            Export::ConnectorCheck => self.connector.is_some(),
            Export::ContactsFindByPhone
            | Export::ContactsSearch
            | Export::ContactsGet
            | Export::ContactsCreate
            | Export::ContactsUpdate => self.contacts.is_some(),
            Export::JournalWrite | Export::JournalAmend => self.journal.is_some(),
            Export::WorkItemsOpenFor => self.work_items.is_some(),
            Export::UsersList => self.users.is_some(),
            Export::PrivacyExportSubject | Export::PrivacyEraseSubject => self.privacy.is_some(),
            Export::EventsHandle => self.events.is_some(),
        }
    }
}

/// The interface that the load checked is there.
pub(crate) fn present<T>(indices: Option<&T>) -> wasmtime::Result<&T> {
    indices.ok_or_else(|| wasmtime::Error::msg("the component has no such interface"))
}

/// A value that the function cannot do without, at the level of the grant.
pub(crate) fn needed(invocation: &mut Invocation, class: DataClass, value: &Clear) -> Result<String, Denial> {
    invocation.hand_in(class, value)?.ok_or_else(|| invocation.lacks(class))
}

pub(crate) fn optional(
    invocation: &mut Invocation,
    class: DataClass,
    value: Option<&Clear>,
) -> Result<Option<String>, Denial> {
    value.map_or(Ok(None), |value| invocation.hand_in(class, value))
}

pub(crate) fn all(
    invocation: &mut Invocation,
    class: DataClass,
    values: &[Clear],
) -> Result<Vec<String>, Denial> {
    let mut out = Vec::with_capacity(values.len());
    for value in values {
        out.extend(invocation.hand_in(class, value)?);
    }
    Ok(out)
}

pub(crate) fn show(invocation: &Invocation, place: Place, text: &str) -> Result<Shown, Denial> {
    invocation.show(place, text)
}

pub(crate) fn show_some(
    invocation: &Invocation,
    place: Place,
    text: Option<&String>,
) -> Result<Option<Shown>, Denial> {
    text.filter(|t| !t.is_empty()).map(|t| invocation.show(place, t)).transpose()
}

pub(crate) fn plain_some(
    invocation: &Invocation,
    what: &'static str,
    text: Option<String>,
) -> Result<Option<String>, Denial> {
    text.map(|t| invocation.plain(what, &t, longest::WORD).map(str::to_owned)).transpose()
}

pub(crate) fn link_some(invocation: &Invocation, url: Option<String>) -> Result<Option<String>, Denial> {
    url.map(|url| invocation.link(&url).map(str::to_owned)).transpose()
}

pub(crate) fn record_ref(invocation: &Invocation, raw: types::Ref) -> Result<RecordRef, Denial> {
    Ok(RecordRef {
        kind: invocation.plain("kind", &raw.kind, longest::KIND)?.to_owned(),
        id: invocation.plain("id", &raw.id, longest::ID)?.to_owned(),
        url: link_some(invocation, raw.url)?,
    })
}

pub(crate) fn raw_ref(record: &RecordRef) -> types::Ref {
    types::Ref { kind: record.kind.clone(), id: record.id.clone(), url: record.url.clone() }
}

pub(crate) fn length(text: &str) -> u64 {
    text.len() as u64
}

pub(crate) fn length_some(text: Option<&String>) -> u64 {
    text.map_or(0, |t| length(t))
}
