//! Calls and conversations as notes on the party.
//!
//! Tryton keeps no outside key and locks a note once it is saved. So each note ends with a mark, `[ramal:…]`, that
//! is looked for before a note is written, and what becomes known later is a further note: nothing that a person
//! wrote is ever touched. Two hosts that deliver one entry at the same moment could still write it twice.

use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::Record;
use crate::contacts::accepted;
use crate::search::found_in;
use crate::settings::Settings;
use crate::{NOTE, OPPORTUNITY, PARTY};

/// The record on which a note stands.
#[derive(Clone, Copy)]
struct Place {
    model: &'static str,
    record: i64,
}

impl Place {
    /// The party; without one, the deal that the call was about.
    fn of(entry: &Entry) -> Result<Self> {
        if let Some(contact) = &entry.contact {
            return Ok(Self { model: PARTY, record: contact.number()? });
        }
        match deal(entry) {
            Some(id) => Ok(Self { model: OPPORTUNITY, record: id.number()? }),
            None => Err(Error::Invalid(
                "a note in Tryton stands on a party, and this entry has none; match it with a contact first"
                    .into(),
            )),
        }
    }

    /// As Tryton refers to a record: `party.party,17`.
    fn resource(self) -> String {
        format!("{},{}", self.model, self.record)
    }
}

/// The opportunity that an entry is about.
fn deal(entry: &Entry) -> Option<&Id> {
    entry
        .about
        .as_ref()
        .filter(|about| matches!(about.kind.as_str(), "deal" | OPPORTUNITY))
        .map(|about| &about.id)
}

pub(crate) fn write(cx: &Cx<Settings>, entry: &Entry) -> Result<Ref> {
    let place = Place::of(entry)?;
    once(cx, place, &entry.idempotency_key, &text(entry, cx.settings().language, false))
}

pub(crate) fn amend(cx: &Cx<Settings>, record: &Ref, entry: &Entry) -> Result<Ref> {
    let place = Place::of(entry)?;
    let params = params! { "resource" => place.resource(), "note" => record.id.number()? };
    let found: Vec<Record> = found_in(cx, cx.egress().send("get-note", params)?)?;
    if found.is_empty() {
        return Err(Error::NotFound);
    }
    // A mark of its own, so that a host which uses one key for both steps still gets its further note.
    let mark = format!("{}.later", entry.idempotency_key);
    once(cx, place, &mark, &text(entry, cx.settings().language, true))
}

/// Writes a note unless one with the mark is there.
fn once(cx: &Cx<Settings>, place: Place, mark: &str, text: &str) -> Result<Ref> {
    let params = params! { "resource" => place.resource(), "mark" => mark };
    let found: Vec<Record> = found_in(cx, cx.egress().send("find-note", params)?)?;
    if let Some(note) = found.into_iter().next() {
        return Ok(reference(cx, place, note.id));
    }
    let note = json!({"resource": place.resource(), "message": format!("{text}\n[ramal:{mark}]")});
    let reply = cx.egress().post("write-note", params! {}, &note)?;
    let written: Record = accepted("write-note", reply)?.json()?;
    Ok(reference(cx, place, written.id))
}

/// The note; its page is that of the record on which it stands.
fn reference(cx: &Cx<Settings>, place: Place, note: Id) -> Ref {
    Ref { url: cx.settings().link(place.model, &Id::from(place.record)), ..Ref::new(NOTE, note) }
}

/// What a person reads. Customer's values in it are seals, which the host opens in place.
fn text(entry: &Entry, language: Language, later: bool) -> String {
    let say = |pt, en| language.say(pt, en);
    let mut lines = vec![headline(entry, language, later)];
    let mut line = |label: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{label}: {value}"));
        }
    };
    let shown = |text: &'_ Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
    line(say("Início", "Began"), Some(&entry.started.to_string()));
    line(say("Número", "Number"), shown(&entry.counterpart).as_deref());
    line(say("Atendente", "Agent"), shown(&entry.agent).as_deref());
    line(say("Fila", "Queue"), entry.queue.as_deref());
    line(say("Resultado", "Disposition"), entry.disposition.as_deref());
    if entry.contact.is_some() {
        line(say("Oportunidade", "Opportunity"), deal(entry).map(Id::as_str));
    }
    line(say("Gravação", "Recording"), shown(&entry.recording).as_deref());
    line(say("Anotações", "Notes"), shown(&entry.notes).as_deref());
    line(say("Transcrição", "Transcript"), shown(&entry.transcript).as_deref());
    lines.join("\n")
}

fn headline(entry: &Entry, language: Language, later: bool) -> String {
    let say = |pt, en| language.say(pt, en);
    let what = match (entry.channel.as_str(), entry.direction) {
        ("whatsapp", _) => say("Conversa no WhatsApp", "WhatsApp conversation"),
        ("sms", _) => "SMS",
        (_, Direction::Inbound) => say("Chamada recebida", "Call received"),
        (_, Direction::Outbound) => say("Chamada feita", "Call made"),
        (_, Direction::Internal) => say("Chamada interna", "Internal call"),
    };
    let outcome = match entry.outcome {
        Outcome::Answered => say("atendida", "answered"),
        Outcome::Missed => say("não atendida", "missed"),
        Outcome::Busy => say("ocupado", "busy"),
        Outcome::NoAnswer => say("sem resposta", "no answer"),
        Outcome::Voicemail => say("recado na caixa postal", "message left"),
        Outcome::Failed => say("não completada", "not connected"),
        Outcome::Abandoned => say("desistiu na fila", "gave up in the queue"),
    };
    let mut headline = format!("{what}, {outcome}");
    let seconds = entry.talk_seconds();
    if seconds > 0 {
        headline.push_str(&format!(", {} min {:02} s", seconds / 60, seconds % 60));
    }
    if later {
        headline.push_str(say(" (complemento)", " (more)"));
    }
    headline
}
