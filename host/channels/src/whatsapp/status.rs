//! How far a message of ours came.
//!
//! A message carries our own reference (`biz_opaque_callback_data`), and its statuses bring it back: so they find it also
//! when the answer to the request was lost and nobody here ever learned Meta's identifier.

use ramal_center::{EventId, MessageStatus, MessageStatusEvent};
use serde_json::Value;

use super::envelope::{Around, at, list, text};
use super::event_id;
use crate::{Heard, OUR_REFERENCE};

pub(super) fn status(around: &Around<'_>, part: &Value) -> Result<Heard, &'static str> {
    let word = text(part, "status").unwrap_or_default();
    let status = match word {
        "accepted" | "sent" => MessageStatus::Sent,
        "delivered" => MessageStatus::Delivered,
        // A voice message was listened to.
        "read" | "played" => MessageStatus::Read,
        "failed" => MessageStatus::Failed,
        _ => return Err("unknown-status"),
    };
    let id = text(part, "id").unwrap_or_default();
    let told = event_id(id, &format!(".{word}"))?;
    let ours = text(part, "biz_opaque_callback_data").filter(|data| data.starts_with(OUR_REFERENCE));
    let reference = match ours.and_then(|data| EventId::new(data).ok()) {
        Some(ours) => ours,
        None => event_id(id, "")?,
    };
    let failed = status == MessageStatus::Failed;
    Ok(Heard::Status(MessageStatusEvent {
        event_id: told,
        reference,
        status,
        provider_cause: failed.then(|| error_code(part).unwrap_or_else(|| word.to_owned())),
        at: at(part, "timestamp", around.now),
    }))
}

/// Meta's number of the first error. Its texts may repeat what was sent.
pub(super) fn error_code(part: &Value) -> Option<String> {
    let code = list(part, "errors").first()?.get("code")?;
    code.as_u64().or_else(|| code.as_str()?.parse().ok()).map(|code| code.to_string())
}
