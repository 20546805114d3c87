//! One message that a user wrote, or that a colleague wrote on the telephone that shares the number.

use ramal_center::{Attachment, Channel, Clear, ContactIdentity, InteractionDirection, MessageEvent};
use serde_json::Value;

use super::content::{self, reference};
use super::envelope::{Around, at, text};
use super::{event_id, kind, user};
use crate::Heard;

/// What a user wrote.
pub(super) fn message(around: &Around<'_>, part: &Value) -> Result<Heard, &'static str> {
    // Groups have several people in one thread, and none of them is the customer of a conversation.
    if part.get("group_id").is_some() {
        return Err("group");
    }
    let mut contacts = user::names(around, text(part, "from"), text(part, "from_user_id"));
    contacts.extend(renamed(around, part, &contacts));
    made(around, part, InteractionDirection::Inbound, contacts)
}

/// What a colleague wrote in the WhatsApp Business app, where the number lives in both
/// (<https://developers.facebook.com/docs/whatsapp/embedded-signup/custom-flows/onboarding-business-app-users>).
pub(super) fn echo(around: &Around<'_>, part: &Value) -> Result<Heard, &'static str> {
    let contacts = user::names(around, text(part, "to"), text(part, "to_user_id"));
    made(around, part, InteractionDirection::Outbound, contacts)
}

fn made(
    around: &Around<'_>,
    part: &Value,
    direction: InteractionDirection,
    contacts: Vec<ContactIdentity>,
) -> Result<Heard, &'static str> {
    if contacts.is_empty() {
        return Err("nobody");
    }
    let mut content = content::read(part);
    if let Some(answered) = part.get("context").and_then(|context| text(context, "id")) {
        let reference = reference(answered);
        content.files.push(Attachment { media_type: kind::REPLY.to_owned(), reference });
    }
    Ok(Heard::Message(MessageEvent {
        reference: event_id(text(part, "id").unwrap_or_default(), "")?,
        channel: Channel::Whatsapp,
        direction,
        contacts,
        line: around.line.clone().map(Clear::new),
        text: content.text,
        attachments: content.files,
        agent: None,
        at: at(part, "timestamp", around.now),
    }))
}

/// Who has another number from now on is the same user: the new names join the old ones.
fn renamed(around: &Around<'_>, part: &Value, known: &[ContactIdentity]) -> Vec<ContactIdentity> {
    let Some(system) = part.get("system").filter(|_| text(part, "type") == Some("system")) else {
        return Vec::new();
    };
    let (digits, user) =
        (text(system, "wa_id").or_else(|| text(system, "new_wa_id")), text(system, "user_id"));
    if digits.is_none() && user.is_none() {
        return Vec::new();
    }
    let mut names = user::names(around, digits, user);
    names.retain(|name| !known.contains(name));
    names
}
