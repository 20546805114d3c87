//! Calls and conversations as activities: written once, added to, and nothing of a person's lost.
//!
//! The practice CRM knows a repeated entry by its `external_id` and a repeated change by its `amendment_id`. What
//! becomes known later goes *below* the text that stands there, which comes and goes sealed: whatever somebody wrote
//! into the entry meanwhile stays, and so does an outcome, a length or a contact that is there already. A change that
//! somebody saves between the plugin's reading and its writing is refused to the plugin, which reads again.

use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Activity, Standing};

/// Somebody who saves more often than this while we write is still at work; the host tries again later.
const READINGS: usize = 3;

pub(crate) fn write(cx: &Cx<NoSettings>, entry: &Entry) -> Result<Ref> {
    let kind = if is_written(entry) { "message" } else { "call" };
    let mut activity = facts(entry);
    activity.insert("external_id".into(), json!(entry.idempotency_key));
    activity.insert("kind".into(), json!(kind));
    activity.insert("subject".into(), json!(subject(entry)));
    activity.insert("started_ms".into(), json!(entry.started.as_millis()));
    let direction = match entry.direction {
        Direction::Outbound => "outbound",
        Direction::Inbound | Direction::Internal => "inbound",
    };
    activity.insert("direction".into(), json!(direction));
    if let Some(contact) = &entry.contact {
        activity.insert("contact_id".into(), json!(contact));
    }
    if let Some(phone) = &entry.counterpart {
        activity.insert("phone".into(), json!(phone));
    }
    let said = said(entry);
    if !said.is_empty() {
        activity.insert("body".into(), json!(said.join("\n")));
    }
    let written: Activity = cx.egress().post("log-activity", params! {}, &activity)?.json()?;
    Ok(Ref::new("activity", written.id))
}

pub(crate) fn amend(cx: &Cx<NoSettings>, record: &Ref, entry: &Entry) -> Result<Ref> {
    for _ in 0..READINGS {
        let now: Standing = cx.egress().send("read-activity", params! { "id" => &record.id })?.json()?;
        let change = change(now, entry);
        let reply = cx.egress().post("amend-activity", params! { "id" => &record.id }, &change)?;
        if reply.status() != 409 {
            return Ok(Ref::new("activity", reply.json::<Activity>()?.id));
        }
    }
    Err(Error::Transient("somebody else is changing this entry in the CRM".into()))
}

/// What is new, put to what stands there.
fn change(now: Standing, entry: &Entry) -> Map<String, Value> {
    let mut change = facts(entry);
    change.insert("amendment_id".into(), json!(entry.idempotency_key));
    change.insert("if_updated_ms".into(), json!(now.updated_ms));
    // What stands there may be a person's correction.
    if now.outcome.is_some() {
        change.remove("outcome");
    }
    if now.duration_s.is_some() {
        change.remove("duration_s");
    }
    if let (None, Some(contact)) = (now.contact_id, &entry.contact) {
        change.insert("contact_id".into(), json!(contact));
    }
    let more = std::iter::once(format!("Added: {}", outcome(entry))).chain(said(entry));
    let more = Text::from(more.collect::<Vec<_>>().join("\n"));
    change.insert("body".into(), json!(more.below(now.body)));
    change
}

/// How it ended and how long it was, as far as that is known.
fn facts(entry: &Entry) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("outcome".into(), json!(outcome(entry)));
    if entry.ended.is_some() {
        facts.insert("duration_s".into(), json!(entry.talk_seconds()));
    }
    facts
}

fn outcome(entry: &Entry) -> &'static str {
    match entry.outcome {
        Outcome::Answered => "answered",
        Outcome::Missed => "missed",
        Outcome::Busy => "busy",
        Outcome::NoAnswer => "no-answer",
        Outcome::Voicemail => "voicemail",
        Outcome::Failed => "failed",
        Outcome::Abandoned => "abandoned",
    }
}

/// What people said of it, a fact a line. Customer's values in it are seals, which the host opens in place.
fn said(entry: &Entry) -> Vec<String> {
    [("Notes", &entry.notes), ("Recording", &entry.recording)]
        .into_iter()
        .filter_map(|(label, text)| text.as_ref().map(|text| format!("{label}: {}", text.as_str())))
        .chain(entry.disposition.as_ref().map(|d| format!("Disposition: {d}")))
        .collect()
}

fn subject(entry: &Entry) -> String {
    let what = if is_written(entry) { "Conversation" } else { "Call" };
    match &entry.agent {
        Some(agent) => format!("{what} with {}", agent.as_str()),
        None => what.to_owned(),
    }
}

fn is_written(entry: &Entry) -> bool {
    matches!(entry.channel.as_str(), "whatsapp" | "sms")
}
