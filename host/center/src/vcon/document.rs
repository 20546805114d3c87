//! The words of the draft, as types: what it says a dialog of one kind must not have has no place here.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A document in its unsigned form. Holds customers' data, so it does not print itself.
#[derive(Serialize)]
pub struct Vcon {
    pub(super) vcon: &'static str,
    pub(super) uuid: Uuid,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) subject: String,
    pub(super) parties: Vec<Party>,
    pub(super) dialog: Vec<Dialog>,
    pub(super) analysis: Vec<Analysis>,
    pub(super) attachments: Vec<Attachment>,
}

/// Somebody who took part.
#[derive(Default, Serialize)]
pub(super) struct Party {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tel: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mailto: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    /// How the name was proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uuid: Option<Uuid>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<&'static str>,
}

/// A place in the list of parties.
pub(super) type PartyIndex = usize;
/// A place in the list of dialogs.
pub(super) type DialogIndex = usize;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(super) enum Dialog {
    Recording {
        start: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        parties: Vec<PartyIndex>,
        mediatype: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        recording_set: Option<DialogIndex>,
        #[serde(skip_serializing_if = "Option::is_none", flatten)]
        content: Option<External>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        party_history: Vec<PartyHistory>,
        application: &'static str,
    },
    RecordingSet {
        start: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        parties: Vec<PartyIndex>,
        recordings: Vec<DialogIndex>,
        // Not asked for by the draft; readers exist that want one on everything with a duration.
        mediatype: &'static str,
        party_history: Vec<PartyHistory>,
        application: &'static str,
    },
    Text {
        start: Timestamp,
        parties: Vec<PartyIndex>,
        mediatype: &'static str,
        body: String,
        encoding: &'static str,
        application: &'static str,
        message_id: String,
    },
    Transfer {
        start: Timestamp,
        transferee: PartyIndex,
        transferor: PartyIndex,
        transfer_target: PartyIndex,
        original: Vec<DialogIndex>,
        target_dialog: Vec<DialogIndex>,
    },
    Incomplete {
        start: Timestamp,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration: Option<f64>,
        parties: Vec<PartyIndex>,
        disposition: &'static str,
        application: &'static str,
    },
}

/// Content that lies elsewhere: never an address without the hash of what is there.
#[derive(Clone, Serialize)]
pub(super) struct External {
    pub(super) url: String,
    pub(super) content_hash: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PartyEvent {
    Join,
    Drop,
    Hold,
    Unhold,
}

#[derive(Serialize)]
pub(super) struct PartyHistory {
    pub(super) party: PartyIndex,
    pub(super) time: Timestamp,
    pub(super) event: PartyEvent,
}

#[derive(Serialize)]
pub(super) struct Analysis {
    #[serde(rename = "type")]
    kind: &'static str,
    dialog: Vec<DialogIndex>,
    vendor: &'static str,
    mediatype: &'static str,
    body: String,
    encoding: &'static str,
}

impl Analysis {
    pub(super) fn text(kind: &'static str, dialog: Vec<DialogIndex>, body: String) -> Self {
        Self { kind, dialog, vendor: "ramal", mediatype: "text/plain", body, encoding: "none" }
    }
}

/// That a file came along. The file stays where it is: what is attached is a note that names it.
#[derive(Serialize)]
pub(super) struct Attachment {
    purpose: &'static str,
    start: Timestamp,
    party: PartyIndex,
    dialog: DialogIndex,
    mediatype: &'static str,
    body: Value,
    encoding: &'static str,
}

impl Attachment {
    pub(super) fn reference(
        start: Timestamp,
        party: PartyIndex,
        dialog: DialogIndex,
        file: &ramal_store::Attachment,
    ) -> Self {
        Self {
            purpose: "names a file that came with the message",
            start,
            party,
            dialog,
            mediatype: "application/json",
            body: json!({ "media_type": file.media_type, "reference": file.reference }),
            encoding: "json",
        }
    }
}
