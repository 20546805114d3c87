//! What a callback about a message says: that one came in, or how far one came that went out.

use jiff::Timestamp;
use ramal_center::{
    Attachment, Channel, EventId, InteractionDirection, MessageEvent, MessageStatus, MessageStatusEvent,
};

use super::form::Form;
use super::{Twilio, clear};
use crate::{Heard, OUR_REFERENCE, Reading, party, text};

/// A message has at most ten files.
const MOST_FILES: u64 = 10;

/// `ours` is the reference in the address that was called; the address is signed.
pub(super) fn read(form: &Form, twilio: &Twilio, ours: Option<&str>, now: Timestamp, reading: &mut Reading) {
    let status = form.get("MessageStatus").or_else(|| form.get("SmsStatus"));
    let heard = match status {
        None | Some("received" | "receiving") => message(form, twilio, now),
        Some(word) => come_further(form, word, ours, now),
    };
    match heard {
        Ok(heard) => reading.heard.push(heard),
        Err(why) => reading.pass_over(why),
    }
}

fn message(form: &Form, twilio: &Twilio, now: Timestamp) -> Result<Heard, &'static str> {
    let from = form.get("From").ok_or("nobody")?;
    let channel = if from.starts_with("whatsapp:") { Channel::Whatsapp } else { Channel::Sms };
    let contacts = party::contacts(channel, from, form.get("WaId"), &twilio.account, twilio.region);
    let files = 0..form.count("NumMedia").unwrap_or_default().min(MOST_FILES);
    let attachments = files.filter_map(|n| {
        let kind = form.get(&format!("MediaContentType{n}")).unwrap_or("application/octet-stream");
        let reference = form.get(&format!("MediaUrl{n}"))?.to_owned();
        Some(Attachment { media_type: kind.to_owned(), reference })
    });
    Ok(Heard::Message(MessageEvent {
        reference: reference(form)?,
        channel,
        direction: InteractionDirection::Inbound,
        contacts,
        line: clear(form.get("To")),
        text: form.get("Body").map(text::kept),
        attachments: attachments.collect(),
        agent: None,
        at: now,
    }))
}

fn come_further(form: &Form, word: &str, ours: Option<&str>, now: Timestamp) -> Result<Heard, &'static str> {
    let status = match word {
        "accepted" | "scheduled" | "queued" | "sending" => MessageStatus::Queued,
        "sent" => MessageStatus::Sent,
        "delivered" => MessageStatus::Delivered,
        "read" => MessageStatus::Read,
        "undelivered" | "failed" | "canceled" => MessageStatus::Failed,
        _ => return Err("unknown-status"),
    };
    let told = reference(form)?;
    let ours = ours.filter(|text| text.starts_with(OUR_REFERENCE)).and_then(|text| EventId::new(text).ok());
    let failed = status == MessageStatus::Failed;
    let cause = || form.get("ErrorCode").map_or_else(|| word.to_owned(), str::to_owned);
    Ok(Heard::Status(MessageStatusEvent {
        event_id: EventId::new(&format!("{}.{word}", told.as_str())).map_err(|_| "bad-id")?,
        reference: ours.unwrap_or(told),
        status,
        provider_cause: failed.then(cause),
        at: now,
    }))
}

fn reference(form: &Form) -> Result<EventId, &'static str> {
    EventId::new(form.message().unwrap_or_default()).map_err(|_| "bad-id")
}
