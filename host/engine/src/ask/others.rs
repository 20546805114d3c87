//! `connector`, `work-items`, `users` and `privacy`.

use ramal_capability::{Denial, Export, Invocation, Place, longest};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::contacts::page;
use super::journal::ref_bytes;
use super::{
    Answer, Ask, Exports, length, length_some, link_some, plain_some, present, record_ref, sealed, show,
    show_some,
};
use crate::bindings::exports::ramal::crm::{connector, privacy, users, work_items};
use crate::record::{Account, CrmUser, EraseMode, EraseReceipt, HeldRecord, Listed, Page, WorkItem};
use crate::state::CallState;

/// Is the connection in order?
#[derive(Debug, Clone, Copy)]
pub struct Check;

/// The open deals and tickets of a contact.
#[derive(Debug, Clone)]
pub struct OpenWorkItems {
    /// The CRM's identifier of the contact.
    pub contact: String,
}

/// The company's people in the CRM.
#[derive(Debug, Clone, Default)]
pub struct ListUsers {
    /// Which part.
    pub page: Page,
}

/// Everything that the CRM holds on a contact.
#[derive(Debug, Clone)]
pub struct ExportSubject {
    /// The CRM's identifier of the contact.
    pub contact: String,
}

/// Remove a contact with all that repeats its data.
#[derive(Debug, Clone)]
pub struct EraseSubject {
    /// The CRM's identifier of the contact.
    pub contact: String,
    /// How.
    pub mode: EraseMode,
}

impl sealed::Sealed for Check {}
impl Ask for Check {
    const EXPORT: Export = Export::ConnectorCheck;
    type Out = Account;
    type Args = ();
    type Raw = connector::Account;

    fn hand_in(self, _: &mut Invocation) -> Result<(), Denial> {
        Ok(())
    }
    async fn invoke(
        (): (),
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.connector.as_ref())?.load(&mut *store, instance)?;
        guest.call_check(store).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Account, Denial> {
        Ok(Account {
            name: invocation.plain("account name", &raw.name, longest::ACCOUNT)?.to_owned(),
            id: plain_some(invocation, "account id", raw.id)?,
        })
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        length(&raw.name) + length_some(raw.id.as_ref())
    }
}

impl sealed::Sealed for OpenWorkItems {}
impl Ask for OpenWorkItems {
    const EXPORT: Export = Export::WorkItemsOpenFor;
    type Out = Vec<WorkItem>;
    type Args = String;
    type Raw = Vec<work_items::Item>;

    fn hand_in(self, _: &mut Invocation) -> Result<String, Denial> {
        Ok(self.contact)
    }
    async fn invoke(
        contact: String,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.work_items.as_ref())?.load(&mut *store, instance)?;
        guest.call_open_for(store, &contact).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        raw.into_iter()
            .map(|item| {
                Ok(WorkItem {
                    kind: invocation.plain("kind", &item.kind, longest::KIND)?.to_owned(),
                    id: invocation.plain("id", &item.id, longest::ID)?.to_owned(),
                    title: show(invocation, Place::ItemTitle, &item.title)?,
                    stage: plain_some(invocation, "stage", item.stage)?,
                    amount: show_some(invocation, Place::ItemAmount, item.amount.as_ref())?,
                    owner: show_some(invocation, Place::Owner, item.owner.as_ref())?,
                    url: link_some(invocation, item.url)?,
                    updated: item.updated,
                })
            })
            .collect()
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        raw.iter()
            .map(|item| {
                let optional = [&item.stage, &item.amount, &item.owner, &item.url];
                64 + length(&item.kind)
                    + length(&item.id)
                    + length(&item.title)
                    + optional.into_iter().map(|t| length_some(t.as_ref())).sum::<u64>()
            })
            .sum()
    }
}

impl sealed::Sealed for ListUsers {}
impl Ask for ListUsers {
    const EXPORT: Export = Export::UsersList;
    type Out = Listed<CrmUser>;
    type Args = Page;
    type Raw = users::Listing;

    fn hand_in(self, _: &mut Invocation) -> Result<Page, Denial> {
        Ok(self.page)
    }
    async fn invoke(
        asked: Page,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.users.as_ref())?.load(&mut *store, instance)?;
        guest.call_list(store, &page(asked)).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        let items = raw
            .items
            .into_iter()
            .map(|user| {
                Ok(CrmUser {
                    id: invocation.plain("id", &user.id, longest::ID)?.to_owned(),
                    name: show(invocation, Place::UserName, &user.name)?,
                    email: show_some(invocation, Place::UserEmail, user.email.as_ref())?,
                    extension: plain_some(invocation, "extension", user.extension)?,
                })
            })
            .collect::<Result<_, Denial>>()?;
        Ok(Listed { items, next: plain_some(invocation, "next", raw.next)? })
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        raw.items
            .iter()
            .map(|u| {
                64 + length(&u.id)
                    + length(&u.name)
                    + length_some(u.email.as_ref())
                    + length_some(u.extension.as_ref())
            })
            .sum()
    }
}

impl sealed::Sealed for ExportSubject {}
impl Ask for ExportSubject {
    const EXPORT: Export = Export::PrivacyExportSubject;
    type Out = Vec<HeldRecord>;
    type Args = String;
    type Raw = Vec<privacy::Held>;

    fn hand_in(self, _: &mut Invocation) -> Result<String, Denial> {
        Ok(self.contact)
    }
    async fn invoke(
        contact: String,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.privacy.as_ref())?.load(&mut *store, instance)?;
        guest.call_export_subject(store, &contact).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        raw.into_iter()
            .map(|held| {
                let fields = held
                    .fields
                    .into_iter()
                    .map(|(label, value)| {
                        let label = invocation.plain("label", &label, longest::LABEL)?.to_owned();
                        Ok((label, show(invocation, Place::HeldField, &value)?))
                    })
                    .collect::<Result<_, Denial>>()?;
                Ok(HeldRecord {
                    record: record_ref(invocation, held.record_id)?,
                    what: invocation.plain("what", &held.what, longest::WHAT)?.to_owned(),
                    fields,
                })
            })
            .collect()
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        raw.iter()
            .map(|held| {
                let fields = held.fields.iter().map(|(l, v)| length(l) + length(v)).sum::<u64>();
                ref_bytes(&held.record_id) + length(&held.what) + fields
            })
            .sum()
    }
}

impl sealed::Sealed for EraseSubject {}
impl Ask for EraseSubject {
    const EXPORT: Export = Export::PrivacyEraseSubject;
    type Out = EraseReceipt;
    type Args = (String, privacy::Mode);
    type Raw = privacy::Receipt;

    fn hand_in(self, _: &mut Invocation) -> Result<Self::Args, Denial> {
        let mode = match self.mode {
            EraseMode::Erase => privacy::Mode::Erase,
            EraseMode::Anonymise => privacy::Mode::Anonymise,
        };
        Ok((self.contact, mode))
    }
    async fn invoke(
        (contact, mode): Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.privacy.as_ref())?.load(&mut *store, instance)?;
        guest.call_erase_subject(store, &contact, mode).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        Ok(EraseReceipt {
            removed: raw.removed.into_iter().map(|r| record_ref(invocation, r)).collect::<Result<_, _>>()?,
            anonymised: raw
                .anonymised
                .into_iter()
                .map(|r| record_ref(invocation, r))
                .collect::<Result<_, _>>()?,
            kept: raw
                .kept
                .into_iter()
                .map(|(r, why)| {
                    Ok((
                        record_ref(invocation, r)?,
                        invocation.plain("reason", &why, longest::REASON)?.to_owned(),
                    ))
                })
                .collect::<Result<_, Denial>>()?,
        })
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        let refs = raw.removed.iter().chain(&raw.anonymised).map(ref_bytes).sum::<u64>();
        refs + raw.kept.iter().map(|(r, why)| ref_bytes(r) + length(why)).sum::<u64>()
    }
}
