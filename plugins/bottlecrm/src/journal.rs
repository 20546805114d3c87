//! Calls and conversations as interactions: written once, added to, and nothing of a person's lost.
//!
//! An entry is looked for by its [`Mark`] before it is written. What becomes known later goes *below* the text that
//! stands there, which comes and goes sealed: whatever somebody wrote into the entry meanwhile stays. A length or an
//! outcome is filled in only where there is none. Two hosts that deliver one entry at the same moment could still write
//! it twice, and what a person saves between the plugin's reading and its writing would be lost: BottleCRM has no lock.

use ramal_sdk::Params;
use ramal_sdk::language::Language;
use ramal_sdk::prelude::*;
use serde_json::{Map, Value, json};

use crate::answer::{Record, ask, tell, uuid};
use crate::mark::Mark;
use crate::settings::Settings;

/// The kind of record of an entry.
pub(crate) const ENTRY: &str = "interaction";
/// Entries on one page. A text may have 10 000 characters, and an answer of a MiB is usual at most.
const PAGE: u32 = 50;

/// The record on which an entry stands: BottleCRM's word for it, and its number.
struct Home<'e> {
    kind: &'static str,
    id: &'e str,
}

impl<'e> Home<'e> {
    /// The contact; without one, the deal or ticket that the call was about.
    fn of(entry: &'e Entry) -> Result<Self> {
        let about = entry.about.as_ref().and_then(|about| match about.kind.as_str() {
            "deal" | "opportunity" => Some(("opportunity", &about.id)),
            "ticket" | "case" => Some(("case", &about.id)),
            _ => None,
        });
        let Some((kind, id)) = entry.contact.as_ref().map(|id| ("contact", id)).or(about) else {
            return Err(Error::Invalid(
                "an entry in BottleCRM stands on a contact, a deal or a ticket, and this one has none; match it with a \
                 contact first"
                    .into(),
            ));
        };
        Ok(Self { kind, id: uuid(id).map_err(|_| gone())? })
    }

    fn params(&self, offset: u32) -> Params {
        params! { "home" => self.kind, "record" => self.id, "offset" => offset }
    }
}

fn gone() -> Error {
    Error::Invalid(
        "BottleCRM has no such contact, deal or ticket any more; match the entry with a contact again".into(),
    )
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    count: u32,
    interactions: Vec<Line>,
}

/// An entry as it stands there.
#[derive(Deserialize)]
struct Line {
    id: Id,
    #[serde(default)]
    occurred_at: String,
    kind: Option<String>,
    duration_seconds: Option<u64>,
    outcome: Option<String>,
    body: Option<Text>,
    #[serde(default)]
    can_edit: bool,
}

/// Goes through the entries of a record, the latest first, until `take` takes one or says that the rest is older.
fn look(
    cx: &Cx<Settings>,
    route: &str,
    home: &Home,
    take: impl Fn(&Line) -> bool,
    oldest: u64,
) -> Result<Option<Line>> {
    let mut offset = 0;
    loop {
        let reply = ask(cx, route, home.params(offset))?;
        if reply.status() == 404 {
            return Err(gone());
        }
        let page: Written = reply.json()?;
        let last = page.interactions.last().and_then(|line| Instant::parse(&line.occurred_at));
        if let Some(found) = page.interactions.into_iter().find(&take) {
            return Ok(Some(found));
        }
        offset += PAGE;
        if offset >= page.count || last.is_none_or(|last| last.as_millis() < oldest) {
            return Ok(None);
        }
    }
}

pub(crate) fn write(cx: &Cx<Settings>, entry: &Entry) -> Result<Ref> {
    let home = Home::of(entry)?;
    let mark = Mark::of(&entry.idempotency_key);
    let second = entry.started.as_millis() / 1000;
    let is_this = |line: &Line| {
        Mark::read(&line.occurred_at) == Some(mark)
            && Instant::parse(&line.occurred_at).is_some_and(|at| at.as_millis() / 1000 == second)
    };
    if let Some(line) = look(cx, "find-entries", &home, is_this, second * 1000)? {
        return Ok(reference(cx, entry, line.id));
    }
    let language = cx.settings().language;
    let mut body = facts(entry);
    body.insert("kind".into(), kind(entry).into());
    // BottleCRM knows no calls within the company; the first line says that it was one.
    let inbound = entry.direction == Direction::Inbound;
    body.insert("direction".into(), if inbound { "inbound" } else { "outbound" }.into());
    body.insert("subject".into(), headline(entry, language).into());
    body.insert("occurred_at".into(), mark.on(entry.started).into());
    body.insert(home.kind.into(), home.id.into());
    let reply = fitting(entry, |entry| {
        let mut body = body.clone();
        body.insert("body".into(), text(entry, language, false).into());
        tell(cx, "write-entry", params! {}, &body)
    })?;
    if reply.status() == 404 {
        return Err(gone());
    }
    Ok(reference(cx, entry, reply.json::<Record>()?.id))
}

pub(crate) fn amend(cx: &Cx<Settings>, record: &Ref, entry: &Entry) -> Result<Ref> {
    let home = Home::of(entry)?;
    let id = uuid(&record.id)?;
    let Some(line) = look(cx, "read-entries", &home, |line| line.id == record.id, 0)? else {
        return Err(Error::NotFound);
    };
    let mark = Mark::of(&entry.idempotency_key);
    if Mark::read(&line.occurred_at) == Some(mark) {
        return Ok(reference(cx, entry, line.id));
    }
    if !line.can_edit {
        return Err(Error::Denied(
            "another member or an integration wrote this entry; only an administrator's token may add to it"
                .into(),
        ));
    }
    let occurred = mark.instead(&line.occurred_at).unwrap_or_else(|| mark.on(entry.started));
    let mut body = facts(entry);
    body.insert("occurred_at".into(), occurred.into());
    // What stands there may be a person's correction.
    if line.duration_seconds.is_some() {
        body.remove("duration_seconds");
    }
    if line.outcome.is_some() || line.kind.as_deref() != Some("call") {
        body.remove("outcome");
    }
    let before = line.body;
    let reply = fitting(entry, |entry| {
        let more = text(entry, cx.settings().language, true);
        let mut body = body.clone();
        body.insert("body".into(), json!(Text::from(more).below(before.clone())));
        tell(cx, "amend-entry", params! { "id" => id }, &body)
    })?;
    Ok(reference(cx, entry, reply.json::<Record>()?.id))
}

/// Sends once, and once more without the transcript where BottleCRM refused it: 400 says that nothing was kept, and how
/// long a sealed text is, only BottleCRM knows.
fn fitting(entry: &Entry, send: impl Fn(&Entry) -> Result<Reply>) -> Result<Reply> {
    let reply = send(entry)?;
    if reply.status() == 400 && entry.transcript.is_some() {
        return send(&Entry { transcript: None, ..entry.clone() });
    }
    Ok(reply)
}

/// The entry; its page is that of the contact.
fn reference(cx: &Cx<Settings>, entry: &Entry, id: Id) -> Ref {
    let url = entry.contact.as_ref().and_then(|contact| cx.settings().link(contact));
    Ref { url, ..Ref::new(ENTRY, id) }
}

/// How long it was and how it ended, as far as that is known.
fn facts(entry: &Entry) -> Map<String, Value> {
    let mut facts = Map::new();
    if entry.ended.is_some() {
        facts.insert("duration_seconds".into(), json!(entry.talk_seconds()));
    }
    let outcome = match entry.outcome {
        Outcome::Answered => Some("connected"),
        Outcome::Busy => Some("busy"),
        Outcome::Voicemail => Some("voicemail"),
        Outcome::Missed | Outcome::NoAnswer | Outcome::Abandoned => Some("no_answer"),
        // None of BottleCRM's words says that a call could not be made.
        Outcome::Failed => None,
    };
    if let Some(outcome) = outcome.filter(|_| kind(entry) == "call") {
        facts.insert("outcome".into(), outcome.into());
    }
    facts
}

fn kind(entry: &Entry) -> &'static str {
    match entry.channel.as_str() {
        "whatsapp" => "whatsapp",
        "sms" => "sms",
        _ => "call",
    }
}

/// What a person reads. Customer's values in it are seals, which the host opens in place.
fn text(entry: &Entry, language: Language, later: bool) -> String {
    let say = |pt, en| language.say(pt, en);
    let mut lines = Vec::new();
    let mut line = |label: &str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("{label}: {value}"));
        }
    };
    if later {
        line(say("Complemento", "Added"), Some(headline(entry, language)));
    } else {
        line(say("Número", "Number"), entry.counterpart.as_ref().map(Text::as_str));
        line(say("Fila", "Queue"), entry.queue.as_deref());
    }
    line(say("Atendente", "Agent"), entry.agent.as_ref().map(Text::as_str));
    line(say("Resultado", "Disposition"), entry.disposition.as_deref());
    line(say("Gravação", "Recording"), entry.recording.as_ref().map(Text::as_str));
    line(say("Anotações", "Notes"), entry.notes.as_ref().map(Text::as_str));
    line(say("Transcrição", "Transcript"), entry.transcript.as_ref().map(Text::as_str));
    lines.push(format!("[ramal:{}]", entry.idempotency_key));
    lines.join("\n")
}

/// The subject: nobody's name or number, since lists and reports show it.
fn headline(entry: &Entry, language: Language) -> &'static str {
    let (pt, en) = match (kind(entry), entry.direction, entry.outcome) {
        ("whatsapp", ..) => ("Conversa no WhatsApp", "WhatsApp conversation"),
        ("sms", ..) => ("SMS", "SMS"),
        (_, Direction::Internal, _) => ("Chamada interna", "Internal call"),
        (_, Direction::Inbound, Outcome::Answered) => ("Chamada recebida", "Call received"),
        (_, Direction::Inbound, Outcome::Voicemail) => ("Recado na caixa postal", "Message left"),
        (_, Direction::Inbound, Outcome::Abandoned) => ("Desistiu na fila", "Gave up in the queue"),
        (_, Direction::Inbound, _) => ("Chamada perdida", "Call missed"),
        (_, Direction::Outbound, Outcome::Answered) => ("Chamada feita", "Call made"),
        (_, Direction::Outbound, Outcome::Failed) => ("Chamada não completada", "Call not connected"),
        (_, Direction::Outbound, _) => ("Chamada sem resposta", "Call not answered"),
    };
    language.say(pt, en)
}
