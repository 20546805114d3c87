//! Calls and conversations as notes in the chatter of the contact.
//!
//! An entry is one message. Before it is written it is looked for by its `Message-Id`, which Odoo keeps for every
//! message and nobody edits: were the mark in the text, a person who tidies the text would make a retry write the call
//! twice. What becomes known later is put under the text as it is then, so that nothing that a person wrote is lost; a
//! mark in that part tells a repetition. Two hosts that deliver one entry at the same moment could still write it
//! twice, and a person who saves the message between our reading and our writing loses that one change.
//!
//! A message is HTML and an agent's words are not. They are sealed, so Odoo itself escapes them (`as-html`).

use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;
use serde_json::json;

use crate::answer::Record;
use crate::reply::{accepted, found};
use crate::settings::Settings;
use crate::{LEAD, MESSAGE, PARTNER};

/// The record in whose chatter an entry stands.
#[derive(Clone, Copy)]
struct Place {
    model: &'static str,
    record: i64,
}

impl Place {
    /// The contact; without one, the deal that the call was about.
    fn of(entry: &Entry) -> Result<Self> {
        if let Some(contact) = &entry.contact {
            return Ok(Self { model: PARTNER, record: contact.number()? });
        }
        match deal(entry) {
            Some(id) => Ok(Self { model: LEAD, record: id.number()? }),
            None => Err(Error::Invalid(
                "a call in Odoo is noted on a contact, and this entry has none; match it with a contact first"
                    .into(),
            )),
        }
    }

    /// The message; its page is that of the record on which it stands.
    fn message(self, cx: &Cx<Settings>, message: Id) -> Ref {
        Ref { url: cx.settings().link(self.model, &Id::from(self.record)), ..Ref::new(MESSAGE, message) }
    }
}

/// The lead that an entry is about.
fn deal(entry: &Entry) -> Option<&Id> {
    let about = entry.about.as_ref()?;
    matches!(about.kind.as_str(), "deal" | LEAD).then_some(&about.id)
}

pub(crate) fn write(cx: &Cx<Settings>, entry: &Entry) -> Result<Ref> {
    let place = Place::of(entry)?;
    let mark = format!("<{}@ramal>", entry.idempotency_key);
    let known = json!({
        "domain": [["model", "=", place.model], ["res_id", "=", place.record], ["message_id", "=", mark]],
        "fields": ["id"],
        "limit": 1,
    });
    let known: Vec<Record> = found(cx, "find-entry", &known)?;
    if let Some(message) = known.into_iter().next() {
        return Ok(place.message(cx, message.id));
    }
    let body = as_html(cx, &text(entry, cx.settings().language))?;
    let body = json!({
        "ids": [place.record],
        "body": body,
        "body_is_html": true,
        "message_type": "comment",
        // A note: it stays inside, and nobody gets an e-mail.
        "subtype_xmlid": "mail.mt_note",
        "message_id": mark,
    });
    let reply = cx.egress().post("write-entry", params! { "model" => place.model }, &body)?;
    let written: Vec<Id> = accepted(cx, "write-entry", reply)?.json()?;
    let id = written.into_iter().next();
    Ok(place.message(cx, id.ok_or_else(|| Error::Permanent("Odoo wrote a message without id".into()))?))
}

/// A message, as it stands now.
#[derive(Deserialize)]
struct Written {
    body: Option<Text>,
}

pub(crate) fn amend(cx: &Cx<Settings>, record: &Ref, entry: &Entry) -> Result<Ref> {
    let place = Place::of(entry)?;
    let message = record.id.number()?;
    let mark = format!("[ramal:{}]", entry.idempotency_key);
    let added = json!({"domain": [["id", "=", message], ["body", "like", mark]], "fields": ["id"]});
    let added: Vec<Record> = found(cx, "find-addition", &added)?;
    if !added.is_empty() {
        return Ok(place.message(cx, record.id.clone()));
    }
    let more = as_html(cx, &format!("{}\n{mark}", later(entry, cx.settings().language)))?;
    // Read last of all, so that little time lies between reading and writing. Odoo's page deletes a message by emptying
    // it: an empty one is one that somebody removed.
    let now = json!({"domain": [["id", "=", message], ["body", "!=", ""]], "fields": ["body"]});
    let now: Vec<Written> = found(cx, "read-entry", &now)?;
    let now = now.into_iter().next().and_then(|written| written.body?.non_empty()).ok_or(Error::NotFound)?;
    let body = json!({"ids": [message], "vals": {"body": format!("{now}<p>{more}</p>")}});
    let reply = cx.egress().post("rewrite-entry", params! {}, &body)?;
    accepted(cx, "rewrite-entry", reply)?;
    Ok(place.message(cx, record.id.clone()))
}

/// The text as HTML, with its seals opened and escaped on the way.
fn as_html(cx: &Cx<Settings>, text: &str) -> Result<Text> {
    let reply = cx.egress().post("as-html", params! {}, &json!({"value": text, "options": {}}))?;
    accepted(cx, "as-html", reply)?.json()
}

/// What a person reads, a fact a line. Customer's values in it are seals, which the host opens in place.
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, label: &str, value: Option<&str>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.0.push(format!("{label}: {value}"));
        }
    }
    fn add_text(&mut self, label: &str, value: &Option<Text>) {
        self.add(label, value.as_ref().map(Text::as_str));
    }
    /// What may become known only after the call.
    fn add_later_facts(&mut self, entry: &Entry, language: Language) {
        self.add(language.say("Resultado", "Disposition"), entry.disposition.as_deref());
        self.add_text(language.say("Gravação", "Recording"), &entry.recording);
        self.add_text(language.say("Anotações", "Notes"), &entry.notes);
        self.add_text(language.say("Transcrição", "Transcript"), &entry.transcript);
    }
}

/// All of an entry.
fn text(entry: &Entry, language: Language) -> String {
    let say = |pt, en| language.say(pt, en);
    let mut lines = Lines(vec![headline(entry, language)]);
    lines.add(say("Início", "Began"), Some(&entry.started.to_string()));
    lines.add_text(say("Número", "Number"), &entry.counterpart);
    lines.add_text(say("Atendente", "Agent"), &entry.agent);
    lines.add(say("Fila", "Queue"), entry.queue.as_deref());
    if entry.contact.is_some() {
        lines.add(say("Oportunidade", "Opportunity"), deal(entry).map(Id::as_str));
    }
    lines.add_later_facts(entry, language);
    lines.0.join("\n")
}

/// What is added to an entry: how it ended, and what came after.
fn later(entry: &Entry, language: Language) -> String {
    let mut lines =
        Lines(vec![format!("{}{}", headline(entry, language), language.say(" (complemento)", " (more)"))]);
    lines.add_later_facts(entry, language);
    lines.0.join("\n")
}

fn headline(entry: &Entry, language: Language) -> String {
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
    match entry.talk_seconds() {
        0 => format!("{what}, {outcome}"),
        seconds => format!("{what}, {outcome}, {} min {:02} s", seconds / 60, seconds % 60),
    }
}
