//! `journal`: write and amend.

use ramal_capability::{DataClass, Denial, Export, Invocation};
use wasmtime::Store;
use wasmtime::component::Instance;

use super::{Answer, Ask, Exports, length, length_some, optional, present, raw_ref, record_ref, sealed};
use crate::bindings::exports::ramal::crm::journal::{Direction, Entry, Outcome};
use crate::bindings::ramal::crm::types;
use crate::record::{CallDirection, CallOutcome, JournalEntry, RecordRef};
use crate::state::CallState;

/// Write down an interaction.
#[derive(Debug, Clone)]
pub struct WriteJournal {
    /// What happened.
    pub entry: JournalEntry,
}

/// Bring an entry up to date.
#[derive(Debug, Clone)]
pub struct AmendJournal {
    /// The entry in the CRM.
    pub record: RecordRef,
    /// What is known now.
    pub entry: JournalEntry,
}

impl sealed::Sealed for WriteJournal {}
impl Ask for WriteJournal {
    const EXPORT: Export = Export::JournalWrite;
    type Out = RecordRef;
    type Args = Entry;
    type Raw = types::Ref;

    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial> {
        entry(self.entry, invocation)
    }
    async fn invoke(
        args: Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.journal.as_ref())?.load(&mut *store, instance)?;
        guest.call_write(store, &args).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        record_ref(invocation, raw)
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        ref_bytes(raw)
    }
}

impl sealed::Sealed for AmendJournal {}
impl Ask for AmendJournal {
    const EXPORT: Export = Export::JournalAmend;
    type Out = RecordRef;
    type Args = (types::Ref, Entry);
    type Raw = types::Ref;

    fn hand_in(self, invocation: &mut Invocation) -> Result<Self::Args, Denial> {
        Ok((raw_ref(&self.record), entry(self.entry, invocation)?))
    }
    async fn invoke(
        (record, entry): Self::Args,
        exports: &Exports,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> Answer<Self::Raw> {
        let guest = present(exports.journal.as_ref())?.load(&mut *store, instance)?;
        guest.call_amend(store, &record, &entry).await
    }
    fn open(raw: Self::Raw, invocation: &Invocation) -> Result<Self::Out, Denial> {
        record_ref(invocation, raw)
    }
    fn bytes(raw: &Self::Raw) -> u64 {
        ref_bytes(raw)
    }
}

pub(super) fn ref_bytes(raw: &types::Ref) -> u64 {
    64 + length(&raw.kind) + length(&raw.id) + length_some(raw.url.as_ref())
}

fn entry(entry: JournalEntry, invocation: &mut Invocation) -> Result<Entry, Denial> {
    Ok(Entry {
        idempotency_key: entry.idempotency_key,
        contact: entry.contact,
        channel: entry.channel,
        direction: match entry.direction {
            CallDirection::Inbound => Direction::Inbound,
            CallDirection::Outbound => Direction::Outbound,
            CallDirection::Internal => Direction::Internal,
        },
        outcome: match entry.outcome {
            CallOutcome::Answered => Outcome::Answered,
            CallOutcome::Missed => Outcome::Missed,
            CallOutcome::Busy => Outcome::Busy,
            CallOutcome::NoAnswer => Outcome::NoAnswer,
            CallOutcome::Voicemail => Outcome::Voicemail,
            CallOutcome::Failed => Outcome::Failed,
            CallOutcome::Abandoned => Outcome::Abandoned,
        },
        counterpart: optional(invocation, DataClass::ContactPhone, entry.counterpart.as_ref())?,
        agent: optional(invocation, DataClass::Agent, entry.agent.as_ref())?,
        queue: entry.queue,
        started: entry.started,
        answered: entry.answered,
        ended: entry.ended,
        disposition: entry.disposition,
        notes: optional(invocation, DataClass::InteractionText, entry.notes.as_ref())?,
        transcript: optional(invocation, DataClass::InteractionText, entry.transcript.as_ref())?,
        recording: optional(invocation, DataClass::RecordingLink, entry.recording.as_ref())?,
        about: entry.about.as_ref().map(raw_ref),
    })
}
