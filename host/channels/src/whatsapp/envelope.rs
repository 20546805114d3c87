//! What is around messages, statuses and calls: entries of accounts, changes of fields, values of numbers.

use jiff::Timestamp;
use serde_json::Value;

use super::user::Profile;
use super::{WhatsApp, call, message, status};
use crate::{Heard, Reading, Refusal};

/// The object of everything that is about WhatsApp. An app may be subscribed to others too.
const OBJECT: &str = "whatsapp_business_account";

/// What all parts of one value share.
pub(super) struct Around<'a> {
    pub(super) whatsapp: &'a WhatsApp,
    /// The number as people write it; may be absent.
    pub(super) line: Option<String>,
    pub(super) users: Vec<Profile>,
    pub(super) now: Timestamp,
}

pub(super) fn read(whatsapp: &WhatsApp, body: &[u8], now: Timestamp) -> Result<Reading, Refusal> {
    let body: Value =
        serde_json::from_slice(body).map_err(|_| Refusal::Unreadable("the body is not JSON"))?;
    let mut reading = Reading::default();
    if text(&body, "object") != Some(OBJECT) {
        reading.pass_over("other-object");
        return Ok(reading);
    }
    for entry in list(&body, "entry") {
        if text(entry, "id") != Some(whatsapp.number.account.as_str()) {
            reading.pass_over("other-account");
            continue;
        }
        for change in list(entry, "changes") {
            let value = change.get("value").unwrap_or(&Value::Null);
            one(whatsapp, text(change, "field").unwrap_or_default(), value, now, &mut reading);
        }
    }
    Ok(reading)
}

/// One change of one field.
fn one(whatsapp: &WhatsApp, field: &str, value: &Value, now: Timestamp, reading: &mut Reading) {
    if !matches!(field, "messages" | "calls" | "smb_message_echoes") {
        return reading.pass_over("other-field");
    }
    // Part by part, here as everywhere: a strange number for people must not lose what stands beside it.
    let metadata = value.get("metadata").unwrap_or(&Value::Null);
    if text(metadata, "phone_number_id") != Some(whatsapp.number.phone_number_id.as_str()) {
        return reading.pass_over("other-number");
    }
    let line = text(metadata, "display_phone_number").map(str::to_owned);
    let users = list(value, "contacts").iter().map(Profile::of).collect();
    let around = Around { whatsapp, line, users, now };
    let parts = |name: &str| list(value, name).iter();
    match field {
        "calls" => {
            parts("calls").for_each(|part| calls(reading, call::call(&around, part)));
            parts("statuses").for_each(|part| calls(reading, call::status(&around, part)));
        }
        "smb_message_echoes" => {
            parts("message_echoes").for_each(|part| heard(reading, message::echo(&around, part)));
        }
        _ => {
            parts("messages").for_each(|part| heard(reading, message::message(&around, part)));
            parts("statuses").for_each(|part| heard(reading, status::status(&around, part)));
            // Of the number as a whole; those of a message stand with it.
            parts("errors").for_each(|_| reading.pass_over("provider-error"));
        }
    }
}

fn heard(reading: &mut Reading, part: Result<Heard, &'static str>) {
    match part {
        Ok(heard) => reading.heard.push(heard),
        Err(why) => reading.pass_over(why),
    }
}

fn calls(reading: &mut Reading, part: Result<Vec<ramal_center::CallEvent>, &'static str>) {
    match part {
        Ok(events) => reading.heard.extend(events.into_iter().map(Heard::Call)),
        Err(why) => reading.pass_over(why),
    }
}

/// A list's elements; none when it is not there or is none.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text that is there and not empty.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// When it happened, by Meta's clock in seconds; now when it does not say, or says what has not come yet.
pub(super) fn at(value: &Value, name: &str, now: Timestamp) -> Timestamp {
    seconds(value, name).filter(|at| *at <= now).unwrap_or(now)
}

/// A time in seconds since 1970, as a text or a number.
pub(super) fn seconds(value: &Value, name: &str) -> Option<Timestamp> {
    let value = value.get(name)?;
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    // Zero is what a clock says that was never set.
    Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)
}
