//! What an interaction's history keeps of its deliveries: that a CRM has it, or that it was given up.
//!
//! Tries in between are the outbox's own business, as is a search for the contact that found nobody, and so is the record that the CRM made of it: a history's links are
//! what the interaction is about, not what tells of it. The write goes with the settlement in one transaction, so a
//! history can never say that a CRM was told when the outbox would tell it again, nor the other way round.

use jiff::Timestamp;
use ramal_store::{
    Actor, Cause, InteractionEvent, InteractionWrite, JournalEntry, JournalResult, Journaled, Leased,
    NewEvent, Settlement, Step, Store, StoreError, Target,
};

/// The step by which a CRM was told already what a delivery would tell, if there is one: a later account of the same
/// part of the interaction. In a lane an earlier step goes first, but one that was given up comes to its end when a
/// person replays it.
pub(crate) async fn superseded_by(store: &dyn Store, job: &Leased) -> Result<Option<String>, StoreError> {
    // Without a record in the CRM nothing later was written either.
    let (Target::Plugin(plugin), Some(id), Some(_)) = (&job.target, job.interaction, &job.record) else {
        return Ok(None);
    };
    let Some(snapshot) = store.interaction(&job.tenant, id).await? else { return Ok(None) };
    let later = |told: &&Journaled| {
        let step = Step(told.step.clone());
        let written = told.plugin == *plugin && told.result == JournalResult::Written;
        written && step.part() == job.step.part() && step.number() > job.step.number()
    };
    Ok(snapshot.interaction.journal.iter().find(later).map(|told| told.step.clone()))
}

/// What is to be written for a settlement, if anything.
pub(crate) async fn of(
    store: &dyn Store,
    job: &Leased,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<Option<InteractionWrite>, StoreError> {
    let (Target::Plugin(plugin), Some(id)) = (&job.target, job.interaction) else { return Ok(None) };
    let result = match settlement {
        // What supersedes it was written, and has all of it.
        Settlement::Done { .. } | Settlement::Superseded { .. } if job.step.is_matching() => return Ok(None),
        Settlement::Done { .. } | Settlement::Superseded { .. } => JournalResult::Written,
        Settlement::Dead { .. } => JournalResult::Dead,
        Settlement::Retry { .. } | Settlement::Pause { .. } | Settlement::Untried { .. } => return Ok(None),
    };
    // It may have been erased since.
    let Some(snapshot) = store.interaction(&job.tenant, id).await? else { return Ok(None) };
    let event = NewEvent {
        at: now,
        actor: Actor::Plugin(plugin.clone()),
        cause: Cause::Rule("delivery".to_owned()),
        event: InteractionEvent::Journaled {
            plugin: plugin.clone(),
            step: job.step.0.clone(),
            result,
            outcome: JournalEntry::from_payload(job.payload.expose()).ok().map(|entry| entry.outcome),
        },
    };
    match InteractionWrite::change(&snapshot.interaction, Vec::new(), vec![event], now) {
        Ok(write) => Ok(Some(write)),
        Err(error) => {
            // A delivery must not fail because its history does.
            tracing::error!(tenant = %job.tenant, interaction = %id, %error, "a delivery's outcome does not fit the history");
            Ok(None)
        }
    }
}
