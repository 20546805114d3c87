//! The arguments of each function, as `--arg name=value`: one table for reading them, for the help and for the
//! errors. No error repeats a value: it may be a customer's.

use jiff::Timestamp;
use ramal_capability::{Clear, Export, Listed};
use ramal_engine::{
    AmendJournal, CallDirection, CallOutcome, Check, ContactDraft, CreateContact, EraseMode, EraseSubject,
    ExportSubject, FindByPhone, GetContact, HandleEvent, JournalEntry, ListUsers, OpenWorkItems, Page,
    RecordRef, SearchContacts, UpdateContact, WriteJournal,
};
use ramal_numbers::{PhoneNumber, Region};
use uuid::Uuid;

use crate::failure::{Failure, Outcome};

/// A function of the contract with its arguments.
#[derive(Debug)]
pub(crate) enum Request {
    Check(Check),
    FindByPhone(FindByPhone),
    Search(SearchContacts),
    Get(GetContact),
    Create(CreateContact),
    Update(UpdateContact),
    Write(Box<WriteJournal>),
    Amend(Box<AmendJournal>),
    OpenFor(OpenWorkItems),
    ListUsers(ListUsers),
    ExportSubject(ExportSubject),
    EraseSubject(EraseSubject),
    Handle(HandleEvent),
}

/// How often an argument stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    AtMostOnce,
    Any,
}

type Field = (&'static str, Times);

const PAGE: &[Field] = &[("limit", Times::AtMostOnce), ("cursor", Times::AtMostOnce)];
const DRAFT: &[Field] = &[
    ("name", Times::AtMostOnce),
    ("organization", Times::AtMostOnce),
    ("phone", Times::Any),
    ("email", Times::Any),
];
const RECORD: &[Field] = &[("kind", Times::Once), ("id", Times::Once), ("url", Times::AtMostOnce)];
const ENTRY: &[Field] = &[
    ("counterpart", Times::AtMostOnce),
    ("contact", Times::AtMostOnce),
    ("channel", Times::AtMostOnce),
    ("direction", Times::AtMostOnce),
    ("outcome", Times::AtMostOnce),
    ("started", Times::AtMostOnce),
    ("answered", Times::AtMostOnce),
    ("ended", Times::AtMostOnce),
    ("agent", Times::AtMostOnce),
    ("queue", Times::AtMostOnce),
    ("disposition", Times::AtMostOnce),
    ("notes", Times::AtMostOnce),
    ("transcript", Times::AtMostOnce),
    ("recording", Times::AtMostOnce),
    ("key", Times::AtMostOnce),
];

const OCCASION: &[Field] = &[
    ("hook", Times::AtMostOnce),
    ("header", Times::Any),
    ("body", Times::AtMostOnce),
    ("cursor", Times::AtMostOnce),
];

const DIRECTIONS: &[(&str, CallDirection)] = &[
    ("inbound", CallDirection::Inbound),
    ("outbound", CallDirection::Outbound),
    ("internal", CallDirection::Internal),
];
const OUTCOMES: &[(&str, CallOutcome)] = &[
    ("answered", CallOutcome::Answered),
    ("missed", CallOutcome::Missed),
    ("busy", CallOutcome::Busy),
    ("no-answer", CallOutcome::NoAnswer),
    ("voicemail", CallOutcome::Voicemail),
    ("failed", CallOutcome::Failed),
    ("abandoned", CallOutcome::Abandoned),
];
const MODES: &[(&str, EraseMode)] = &[("erase", EraseMode::Erase), ("anonymise", EraseMode::Anonymise)];
const CHANNELS: &[(&str, &str)] =
    &[("mobile", "mobile"), ("fixed", "fixed"), ("whatsapp", "whatsapp"), ("sms", "sms")];

/// The arguments of a function, in parts that functions share.
fn fields(export: Export) -> Vec<Field> {
    const ID: Field = ("id", Times::Once);
    const CONTACT: Field = ("contact", Times::Once);
    let parts: &[&[Field]] = match export {
        Export::ConnectorCheck => &[],
        Export::ContactsFindByPhone => &[&[("phone", Times::Once)]],
        Export::ContactsSearch => &[&[("query", Times::Once)], PAGE],
        Export::ContactsGet => &[&[ID]],
        Export::ContactsCreate => &[DRAFT],
        Export::ContactsUpdate => &[&[ID], DRAFT],
        Export::JournalWrite => &[ENTRY],
        Export::JournalAmend => &[RECORD, ENTRY],
        Export::WorkItemsOpenFor | Export::PrivacyExportSubject => &[&[CONTACT]],
        Export::UsersList => &[PAGE],
        Export::PrivacyEraseSubject => &[&[CONTACT, ("mode", Times::Once)]],
        Export::EventsHandle => &[OCCASION],
    };
    parts.concat()
}

fn shown(fields: &[Field]) -> String {
    let one = |(name, times): &Field| match times {
        Times::Once => (*name).to_owned(),
        Times::AtMostOnce => format!("[{name}]"),
        Times::Any => format!("[{name}…]"),
    };
    fields.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The part of a function's name that says it: no two functions share it.
fn short(export: Export) -> &'static str {
    export.as_str().rsplit('.').next().unwrap_or_default()
}

fn words<T>(table: &[(&'static str, T)]) -> String {
    table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

/// For `--help`.
pub(crate) fn table() -> String {
    let entry = "the entry";
    let mut lines: Vec<String> = Export::ALL
        .iter()
        .map(|export| {
            let fields = match export {
                Export::ConnectorCheck => "none".to_owned(),
                Export::JournalWrite => entry.to_owned(),
                Export::JournalAmend => format!("{} and {entry}", shown(RECORD)),
                other => shown(&fields(*other)),
            };
            format!("  {:<24} {fields}", export.as_str())
        })
        .collect();
    lines.push(String::new());
    let (first, rest) = ENTRY.split_at(ENTRY.len() / 2);
    lines.push(format!("  the entry: {}", shown(first)));
    lines.push(format!("             {}", shown(rest)));
    lines.push("             a minute that has just ended, answered, if nothing else is said".to_owned());
    for (name, all) in [
        ("channel", words(CHANNELS)),
        ("direction", words(DIRECTIONS)),
        ("outcome", words(OUTCOMES)),
        ("mode", words(MODES)),
    ] {
        lines.push(format!("  {:<10} {all}", format!("{name}:")));
    }
    lines.push("  times are written 2026-11-23T12:00:00Z; what stands in [ ] may be left out".to_owned());
    lines.join("\n")
}

/// Reads the name of a function, with or without its interface.
pub(crate) fn export(text: &str) -> Outcome<Export> {
    if let Some(export) = Export::ALL.iter().copied().find(|export| short(*export) == text) {
        return Ok(export);
    }
    text.parse::<Export>().map_err(|error| {
        let all: Vec<&str> = Export::ALL.iter().map(|export| export.as_str()).collect();
        Failure::usage(error.to_string()).hint(format!("the functions are {}", all.join(", ")))
    })
}

/// Reads the arguments of a function. Numbers without a country code are read by the rules of `region`.
pub(crate) fn parse(export: Export, given: &[String], region: Region, now: Timestamp) -> Outcome<Request> {
    let given = Given::read(export, given)?;
    Ok(match export {
        Export::ConnectorCheck => Request::Check(Check),
        Export::ContactsFindByPhone => {
            Request::FindByPhone(FindByPhone { candidates: given.number("phone", region)? })
        }
        Export::ContactsSearch => {
            Request::Search(SearchContacts { query: given.need("query")?, page: given.page()? })
        }
        Export::ContactsGet => Request::Get(GetContact { id: given.word("id")? }),
        Export::ContactsCreate => Request::Create(CreateContact { draft: given.draft() }),
        Export::ContactsUpdate => {
            Request::Update(UpdateContact { id: given.word("id")?, changes: given.draft() })
        }
        Export::JournalWrite => Request::Write(Box::new(WriteJournal { entry: given.entry(now)? })),
        Export::JournalAmend => {
            let record = RecordRef {
                kind: given.word("kind")?,
                id: given.word("id")?,
                url: given.optional_word("url"),
            };
            Request::Amend(Box::new(AmendJournal { record, entry: given.entry(now)? }))
        }
        Export::WorkItemsOpenFor => Request::OpenFor(OpenWorkItems { contact: given.word("contact")? }),
        Export::UsersList => Request::ListUsers(ListUsers { page: given.page()? }),
        Export::PrivacyExportSubject => {
            Request::ExportSubject(ExportSubject { contact: given.word("contact")? })
        }
        Export::PrivacyEraseSubject => {
            let mode = given.choice("mode", MODES)?.ok_or_else(|| given.missing("mode"))?;
            Request::EraseSubject(EraseSubject { contact: given.word("contact")?, mode })
        }
        Export::EventsHandle => Request::Handle(given.occasion()?),
    })
}

/// What was given, by name.
struct Given {
    export: Export,
    pairs: Vec<(&'static str, Clear)>,
}

impl Given {
    fn read(export: Export, given: &[String]) -> Outcome<Self> {
        let known = fields(export);
        let usage = |text: String| {
            let all = if known.is_empty() {
                "it takes none".to_owned()
            } else {
                format!("it takes {}", shown(&known))
            };
            Failure::usage(text).hint(format!("{export}: {all}"))
        };
        let mut pairs: Vec<(&'static str, Clear)> = Vec::new();
        for (at, argument) in given.iter().enumerate() {
            let Some((name, value)) = argument.split_once('=') else {
                return Err(usage(format!("argument {} is not written as NAME=VALUE", at + 1)));
            };
            let Some((name, times)) = known.iter().find(|(known, _)| *known == name) else {
                // What stands before a `=` is repeated only if it looks like a name.
                let is_name = name.len() <= 24 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
                let what = if is_name { format!("`{name}`") } else { format!("number {}", at + 1) };
                return Err(usage(format!("{export} has no argument {what}")));
            };
            if *times != Times::Any && pairs.iter().any(|(other, _)| other == name) {
                return Err(usage(format!("the argument `{name}` is given twice")));
            }
            pairs.push((name, Clear::from(value)));
        }
        let given = Self { export, pairs };
        match known.iter().find(|(name, times)| *times == Times::Once && given.get(name).is_none()) {
            Some((name, _)) => Err(given.missing(name)),
            None => Ok(given),
        }
    }

    fn missing(&self, name: &str) -> Failure {
        Failure::usage(format!("{} needs the argument `{name}`", self.export))
            .hint(format!("add --arg {name}=VALUE; it takes {}", shown(&fields(self.export))))
    }
    fn wrong(name: &str, what: &str) -> Failure {
        Failure::usage(format!("the argument `{name}` is wrong")).hint(format!("write {name}={what}"))
    }

    fn get(&self, name: &str) -> Option<&Clear> {
        self.pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
    fn optional(&self, name: &str) -> Option<Clear> {
        self.get(name).cloned()
    }
    fn need(&self, name: &str) -> Outcome<Clear> {
        self.optional(name).ok_or_else(|| self.missing(name))
    }
    fn all(&self, name: &str) -> Vec<Clear> {
        self.pairs.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.clone()).collect()
    }
    fn optional_word(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| value.expose().to_owned())
    }
    fn word(&self, name: &str) -> Outcome<String> {
        self.optional_word(name).ok_or_else(|| self.missing(name))
    }
    fn choice<T: Copy>(&self, name: &str, table: &[(&'static str, T)]) -> Outcome<Option<T>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match table.iter().find(|(word, _)| *word == value.expose()) {
            Some((_, meant)) => Ok(Some(*meant)),
            None => Err(Self::wrong(name, &format!("one of {}", words(table)))),
        }
    }
    fn instant(&self, name: &str) -> Outcome<Option<u64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let at =
            value.expose().parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
        at.map(Some).ok_or_else(|| Self::wrong(name, "2026-11-23T12:00:00Z"))
    }
    /// The forms in which a CRM may hold the number, best first.
    fn number(&self, name: &str, region: Region) -> Outcome<Vec<Clear>> {
        let number = PhoneNumber::parse(self.need(name)?.expose(), region)
            .map_err(|_| Self::wrong(name, "a telephone number, such as +5511987654321"))?;
        Ok(number.variants().iter().map(|variant| Clear::from(variant.e164())).collect())
    }
    fn page(&self) -> Outcome<Page> {
        let usual = Page::default();
        let limit = match self.get("limit") {
            Some(value) => {
                let limit = value.expose().parse().ok().filter(|limit| (1..=200).contains(limit));
                limit.ok_or_else(|| Self::wrong("limit", "a number from 1 to 200"))?
            }
            None => usual.limit,
        };
        Ok(Page { limit, cursor: self.optional_word("cursor") })
    }
    /// What came to a hook; without one it is a tick.
    fn occasion(&self) -> Outcome<HandleEvent> {
        let Some(hook) = self.get("hook") else {
            if let Some(name) = ["body", "header"].into_iter().find(|name| self.get(name).is_some()) {
                return Err(Self::wrong(name, "… beside hook=NAME; a tick has neither body nor headers"));
            }
            return Ok(HandleEvent::Tick { cursor: self.optional_word("cursor") });
        };
        if self.get("cursor").is_some() {
            return Err(Self::wrong("cursor", "… without a hook: it belongs to a tick"));
        }
        let hook = hook.expose().parse().map_err(|_| Self::wrong("hook", "the id of a [[hook]]"))?;
        let header = |text: &Clear| {
            let (name, value) = text.expose().split_once(':')?;
            Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = self.all("header").iter().map(header).collect::<Option<_>>();
        let headers = headers.ok_or_else(|| Self::wrong("header", "Name: value"))?;
        let body = self.optional("body").unwrap_or_else(|| Clear::from("{}"));
        Ok(HandleEvent::Hook { hook, came: Listed { headers, body } })
    }
    fn draft(&self) -> ContactDraft {
        ContactDraft {
            name: self.optional("name"),
            organization: self.optional("organization"),
            phones: self.all("phone"),
            emails: self.all("email"),
        }
    }
    /// An entry: of a call that lasted a minute and has just ended, if nothing else is said.
    fn entry(&self, now: Timestamp) -> Outcome<JournalEntry> {
        const MINUTE: u64 = 60_000;
        let now = u64::try_from(now.as_millisecond()).unwrap_or_default();
        let ended = self.instant("ended")?;
        let started = self.instant("started")?.unwrap_or_else(|| ended.unwrap_or(now).saturating_sub(MINUTE));
        let outcome = self.choice("outcome", OUTCOMES)?.unwrap_or(CallOutcome::Answered);
        let ended = ended.unwrap_or(now.max(started));
        if ended < started {
            return Err(Self::wrong("ended", "a time after the start"));
        }
        let answered = match self.instant("answered")? {
            Some(at) => Some(at),
            None => (outcome == CallOutcome::Answered).then_some(started),
        };
        Ok(JournalEntry {
            idempotency_key: self.optional_word("key").unwrap_or_else(|| Uuid::now_v7().to_string()),
            contact: self.optional_word("contact"),
            channel: self.choice("channel", CHANNELS)?.unwrap_or("mobile").to_owned(),
            direction: self.choice("direction", DIRECTIONS)?.unwrap_or(CallDirection::Inbound),
            outcome,
            counterpart: self.optional("counterpart"),
            agent: self.optional("agent"),
            queue: self.optional_word("queue"),
            started,
            answered,
            ended: Some(ended),
            disposition: self.optional_word("disposition"),
            notes: self.optional("notes"),
            transcript: self.optional("transcript"),
            recording: self.optional("recording"),
            about: None,
        })
    }
}

#[cfg(test)]
mod tests;
