//! An interaction as a vCon (draft-ietf-vcon-vcon-core, syntax 0.4.0): what other systems and the person it is about
//! can read without knowing Ramal.
//!
//! Pure: the same history on the same host is the same document, so that two exports can be compared. It is made of
//! the events alone and says nothing that they do not say. Sound stays where it is and is referred to, with the hash
//! of what is there: a document that is passed on carries no recording with it.

mod call;
mod conversation;
mod document;
mod parties;

use ramal_store::{EventRecord, FoldError, Interaction, InteractionId, TenantId, fold, fold_messages};
use uuid::{Builder, Uuid};

use crate::{Center, CenterError};

pub use document::Vcon;
use document::{Analysis, Dialog};
use parties::Parties;

/// Who issues documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VconIssuer {
    /// The host's name in the network: identifiers are unique within it.
    pub domain: String,
    /// The address under which `recordings/ID` opens a recording, `https://…/`. Without one, recordings are named but
    /// not linked: the draft forbids any other scheme.
    pub recordings: Option<String>,
}

impl Center {
    /// One interaction as a vCon; `None` when there is none. Holds customers' data.
    ///
    /// # Errors
    /// When the store cannot be read, or what it has is no history.
    pub async fn vcon(
        &self,
        tenant: &TenantId,
        id: InteractionId,
        issuer: &VconIssuer,
    ) -> Result<Option<Vcon>, CenterError> {
        let events = self.history(tenant, id, 0, u32::MAX).await?;
        export(tenant, id, &events, issuer).map_err(|error| {
            tracing::error!(%tenant, interaction = %id, %error, "a history cannot be exported; run `ramal store check`");
            CenterError::Broken
        })
    }
}

/// The document that a history makes; `None` when nothing happened.
///
/// # Errors
/// When the events are no complete history.
pub(crate) fn export(
    tenant: &TenantId,
    id: InteractionId,
    events: &[EventRecord],
    issuer: &VconIssuer,
) -> Result<Option<Vcon>, FoldError> {
    let Some(of) = fold(tenant, id, events)? else { return Ok(None) };
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(None) };
    let mut parties = Parties::of(&of, issuer);
    let (dialog, attachments) = if of.channel.is_voice() {
        (call::dialogs(&of, events, &mut parties, issuer), Vec::new())
    } else {
        conversation::dialogs(&of, &fold_messages(events), &mut parties)
    };
    Ok(Some(Vcon {
        vcon: "0.4.0",
        uuid: identifier(tenant, id, first.recorded_at.as_millisecond(), issuer),
        created_at: first.recorded_at,
        updated_at: last.recorded_at,
        subject: format!("Interaction {id}"),
        analysis: analysis(&of, &dialog),
        parties: parties.into_list(),
        dialog,
        attachments,
    }))
}

/// A UUID of version 8: the time, then bits that follow from the host's name and the interaction. The draft takes the
/// last 62 bits from the host's name alone, which leaves 12 bits to tell apart what begins in one millisecond; under
/// load that is too few for "must be globally unique".
fn identifier(tenant: &TenantId, id: InteractionId, millis: i64, issuer: &VconIssuer) -> Uuid {
    let domain = Uuid::new_v5(&Uuid::NAMESPACE_DNS, issuer.domain.as_bytes());
    let mut bytes = *Uuid::new_v5(&domain, format!("{tenant}/{id}").as_bytes()).as_bytes();
    let time = u64::try_from(millis).unwrap_or_default().to_be_bytes();
    for (byte, of_time) in bytes.iter_mut().zip(time.into_iter().skip(2)) {
        *byte = of_time;
    }
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// What people said of it afterwards: no dialog, by the draft's own words.
fn analysis(of: &Interaction, dialog: &[Dialog]) -> Vec<Analysis> {
    let about: Vec<usize> = (0..dialog.len()).collect();
    let disposition = of.disposition.clone().map(|text| ("disposition", text));
    let notes = of.notes.as_ref().map(|notes| ("notes", notes.expose().to_owned()));
    let made = |(kind, body)| Analysis::text(kind, about.clone(), body);
    disposition.into_iter().chain(notes).map(made).collect()
}

#[cfg(test)]
mod tests;
