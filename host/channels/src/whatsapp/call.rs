//! Calls over WhatsApp, as its webhooks tell them: when they come, how the other side's telephone stands, how they end.
//!
//! <https://developers.facebook.com/docs/whatsapp/cloud-api/calling/reference>. The sound does not come this way; a
//! business that talks connects WhatsApp to its exchange over SIP, and then none of this is told. Events come in any
//! order, so the end also tells that the call began and was answered, under identifiers that are the same whoever comes
//! first.

use jiff::Timestamp;
use ramal_center::{CallEvent, CallId, Caller, Channel, EndCause, EventKind, InteractionDirection};
use serde_json::Value;

use super::envelope::{Around, at, seconds, text};
use super::{event_id, user};
use crate::party;

/// A call begins or is over.
pub(super) fn call(around: &Around<'_>, part: &Value) -> Result<Vec<CallEvent>, &'static str> {
    let id = text(part, "id").unwrap_or_default();
    let inbound = match text(part, "direction") {
        Some("BUSINESS_INITIATED") => false,
        Some("USER_INITIATED") => true,
        _ => return Err("unknown-direction"),
    };
    let when = at(part, "timestamp", around.now);
    match text(part, "event").unwrap_or_default() {
        "connect" => {
            let mut events = vec![begun(around, id, inbound, part, when)?];
            if !inbound {
                // The answer of the user's telephone, with which the talk begins.
                events.push(answered(id, when)?);
            }
            Ok(events)
        }
        "terminate" => {
            let took = seconds(part, "start_time").filter(|start| *start <= when);
            let mut events = vec![begun(around, id, inbound, part, took.unwrap_or(when))?];
            if let Some(took) = took {
                events.push(answered(id, took)?);
            }
            let word = text(part, "status").unwrap_or_default();
            let cause = match (took, word, inbound) {
                (Some(_), _, _) => EndCause::Completed,
                (None, "REJECTED", _) => EndCause::Rejected,
                (None, "FAILED", false) => EndCause::Failed,
                (None, _, true) => EndCause::Missed,
                (None, _, false) => EndCause::NoAnswer,
            };
            let kind = EventKind::Ended { cause, provider_cause: Some(word.to_ascii_lowercase()) };
            events.push(event(id, "terminate", kind, when)?);
            Ok(events)
        }
        _ => Err("unknown-call-event"),
    }
}

/// How a call of ours stands at the user's telephone.
pub(super) fn status(around: &Around<'_>, part: &Value) -> Result<Vec<CallEvent>, &'static str> {
    let id = text(part, "id").unwrap_or_default();
    let when = at(part, "timestamp", around.now);
    let mut events = vec![begun(around, id, false, part, when)?];
    match text(part, "status").unwrap_or_default() {
        "RINGING" => {}
        "ACCEPTED" => events.push(answered(id, when)?),
        "REJECTED" => {
            let kind =
                EventKind::Ended { cause: EndCause::Rejected, provider_cause: Some("rejected".to_owned()) };
            events.push(event(id, "rejected", kind, when)?);
        }
        _ => return Err("unknown-call-status"),
    }
    Ok(events)
}

fn begun(
    around: &Around<'_>,
    id: &str,
    inbound: bool,
    part: &Value,
    when: Timestamp,
) -> Result<CallEvent, &'static str> {
    let line = around.line.as_deref().or_else(|| text(part, if inbound { "to" } else { "from" }));
    let line = line.and_then(|line| party::number(&plus(line), around.whatsapp.region));
    let (digits, named) = match (inbound, text(part, "recipient_id")) {
        (true, _) => (text(part, "from"), text(part, "from_user_id")),
        (false, Some(recipient)) => (Some(recipient), text(part, "recipient_user_id")),
        (false, None) => (text(part, "to"), text(part, "to_user_id")),
    };
    let customer = user::caller(around, digits, named);
    let (from, to) = if inbound {
        (customer, line)
    } else {
        let to = match customer {
            Caller::Number(number) => Some(number),
            Caller::Withheld => None,
        };
        (line.map_or(Caller::Withheld, Caller::Number), to)
    };
    let direction = if inbound { InteractionDirection::Inbound } else { InteractionDirection::Outbound };
    let kind = EventKind::Ringing { channel: Channel::Mobile, direction, from, to, queue: None };
    event(id, "begun", kind, when)
}

/// Meta writes international numbers without their plus, and display numbers with spaces.
fn plus(number: &str) -> String {
    if number.starts_with('+') { number.to_owned() } else { format!("+{number}") }
}

fn answered(id: &str, when: Timestamp) -> Result<CallEvent, &'static str> {
    event(id, "answered", EventKind::Answered { agent: None }, when)
}

fn event(id: &str, word: &str, kind: EventKind, at: Timestamp) -> Result<CallEvent, &'static str> {
    let call_id = CallId::new(event_id(id, "")?.as_str()).map_err(|_| "bad-id")?;
    Ok(CallEvent { event_id: event_id(id, &format!(".{word}"))?, call_id, kind, at })
}
