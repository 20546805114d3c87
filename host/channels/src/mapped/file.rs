//! The mapping file: strict TOML, every mistake with its line and what to do.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ramal_capability::SourceError;
use ramal_capability::source::{self, Item, Section, quote};
use ramal_center::{Channel, EndCause, InteractionDirection, MessageStatus, Region};

use super::at::{At, Clock, Form};
use super::body::BodyForm;
use super::place::Place;
use super::proof::{Algorithm, Encoding, Proof};
use super::rule::{self, CallRule, Condition, Files, Frame, Holds, MessageRule, Rule, What, Word};
use crate::{Reading, Refusal};

/// What a provider's payloads mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    name: String,
    pub(super) proof: Proof,
    body: BodyForm,
    clock: Clock,
    region: Option<Region>,
    rules: Vec<Rule>,
}

impl Mapping {
    /// Reads a mapping file; `file` is its name in errors.
    ///
    /// # Errors
    /// Every mistake that was found, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        source::read(file, text, |top, _| read(top))
    }

    /// The provider's name, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads a payload, whose sender is proved. `media_type` is its `Content-Type`; numbers without a country are of
    /// `region`, if the file names none.
    ///
    /// # Errors
    /// When the body is not of the form that the mapping says.
    pub fn read(
        &self,
        media_type: &str,
        body: &[u8],
        region: Region,
        now: Timestamp,
    ) -> Result<Reading, Refusal> {
        let value = self.body.read(media_type, body)?;
        let frame =
            Frame { clock: &self.clock, region: self.region.unwrap_or(region), name: "provider", now };
        Ok(rule::apply(&self.rules, &value, body, &frame))
    }
}

fn read(top: &Section<'_>) -> Option<Mapping> {
    let name = top.need("name", "name = \"Acme Voice\"").and_then(|i| i.line(1..=60));
    let proof = top.need("verify", "verify = { scheme = \"ramal-signature\" }").and_then(|i| proof(&i));
    let body = body(top);
    let clock = clock(top);
    let region = top.get("region").map_or(Some(None), |i| i.parse().map(Some));
    let id = top.get("id").map_or(Some(Vec::new()), |i| places(&i));
    let call = top.get("call-id").map_or(Some(Vec::new()), |i| places(&i));
    let (calls, messages, statuses) = (list(top, "call"), list(top, "message"), list(top, "status"));
    let id = id?;
    let call = call?;
    let mut rules = Vec::new();
    let mut whole = true;
    type Reader<'r> = &'r dyn Fn(&Section<'_>) -> Option<What>;
    let kinds: [(&str, &[Item<'_>], Reader<'_>); 3] = [
        ("[[call]]", &calls, &|section| call_rule(section, &call)),
        ("[[message]]", &messages, &message_rule),
        ("[[status]]", &statuses, &status_rule),
    ];
    for (word, items, reader) in kinds {
        for item in items {
            let rule = item.section(word.to_owned()).and_then(|section| {
                let rule = one(&section, &id, reader);
                section.finish();
                rule
            });
            whole &= rule.is_some();
            rules.extend(rule);
        }
    }
    if rules.is_empty() && whole {
        top.wrong("there is no rule; add a [[call]], a [[message]] or a [[status]]");
        return None;
    }
    whole.then_some(())?;
    Some(Mapping { name: name?, proof: proof?, body: body?, clock: clock?, region: region?, rules })
}

fn list<'a>(top: &Section<'a>, key: &'static str) -> Vec<Item<'a>> {
    top.get(key).map(|item| item.list()).unwrap_or_default()
}

fn one(section: &Section<'_>, id: &[Place], what: &dyn Fn(&Section<'_>) -> Option<What>) -> Option<Rule> {
    let when = section.get("when").map_or(Some(Vec::new()), |i| conditions(&i));
    let own = section.get("id").map_or(Some(id.to_vec()), |i| places(&i));
    let at = section.get("at").map_or(Some(At::default()), |i| at(&i));
    let what = what(section);
    Some(Rule { when: when?, id: own?, at: at?, what: what? })
}

// === what makes an event ===

fn call_rule(section: &Section<'_>, usual: &[Place]) -> Option<What> {
    const KINDS: &[(&str, &str)] = &[
        ("ringing", "ringing"),
        ("answered", "answered"),
        ("held", "held"),
        ("resumed", "resumed"),
        ("transferred", "transferred"),
        ("queued", "queued"),
        ("leg-opened", "leg-opened"),
        ("leg-closed", "leg-closed"),
        ("recording-started", "recording-started"),
        ("recording-ready", "recording-ready"),
        ("recording-deleted", "recording-deleted"),
        ("ended", "ended"),
    ];
    let own = section.get("call-id");
    let call = own.as_ref().map_or(Some(usual.to_vec()), places);
    if own.is_none() && usual.is_empty() {
        section
            .wrong("nothing says which call it is; add call-id = \"/id\" here, or at the file's beginning");
    }
    let kind = section.need("kind", "kind = \"ringing\"").and_then(|i| i.word(KINDS));
    let optional = |key| section.get(key).map_or(Some(Vec::new()), |i| places(&i));
    let needed = |key, example: &str| section.need(key, example).and_then(|i| places(&i));
    let Some(kind) = kind else {
        // Without the kind nothing can be said about the rest.
        know(
            section,
            &[
                "from",
                "to",
                "channel",
                "direction",
                "queue",
                "agent",
                "leg",
                "number",
                "recording",
                "seconds",
                "cause",
                "provider-cause",
            ],
        );
        return None;
    };
    let kind = match kind {
        "ringing" => {
            let channel = word(section, "channel", VOICE, Some(Channel::Fixed));
            let direction = word(section, "direction", DIRECTIONS, Some(InteractionDirection::Inbound));
            let from = needed("from", "from = \"/from\", where the caller's number stands");
            let (to, queue) = (optional("to"), optional("queue"));
            CallRule::Ringing {
                channel: channel?,
                direction: direction?,
                from: from?,
                to: to?,
                queue: queue?,
            }
        }
        "answered" => CallRule::Answered { agent: optional("agent")? },
        "held" => CallRule::Held,
        "resumed" => CallRule::Resumed,
        "transferred" => {
            let (agent, queue) = (optional("agent"), optional("queue"));
            CallRule::Transferred { agent: agent?, queue: queue? }
        }
        "queued" => CallRule::Queued { queue: needed("queue", "queue = \"/queue\"")? },
        "leg-opened" => {
            let leg = needed("leg", "leg = \"/leg/id\"");
            let (agent, number) = (optional("agent"), optional("number"));
            CallRule::LegOpened { leg: leg?, agent: agent?, number: number? }
        }
        "leg-closed" => {
            let (leg, cause) = (needed("leg", "leg = \"/leg/id\""), optional("provider-cause"));
            CallRule::LegClosed { leg: leg?, cause: cause? }
        }
        "recording-started" => {
            CallRule::RecordingStarted { recording: needed("recording", "recording = \"/recording/id\"")? }
        }
        "recording-deleted" => {
            CallRule::RecordingDeleted { recording: needed("recording", "recording = \"/recording/id\"")? }
        }
        "recording-ready" => {
            let recording = needed("recording", "recording = \"/recording/id\"");
            let seconds = optional("seconds");
            CallRule::RecordingReady { recording: recording?, seconds: seconds? }
        }
        _ => {
            let cause = word(section, "cause", CAUSES, None);
            let provider_cause = optional("provider-cause");
            CallRule::Ended { cause: cause?, provider_cause: provider_cause? }
        }
    };
    Some(What::Call { call: call?, kind })
}

fn message_rule(section: &Section<'_>) -> Option<What> {
    let needed = |key, example: &str| section.need(key, example).and_then(|i| places(&i));
    let optional = |key| section.get(key).map_or(Some(Vec::new()), |i| places(&i));
    let reference = needed("reference", "reference = \"/message/id\"");
    let channel = word(section, "channel", TEXT, None);
    let direction = word(section, "direction", SIDES, Some(InteractionDirection::Inbound));
    let contact = needed("contact", "contact = \"/message/from\", where the customer stands");
    let (line, text, agent) = (optional("line"), optional("text"), optional("agent"));
    let files = section.get("files").map_or(Some(None), |i| files(&i).map(Some));
    Some(What::Message(Box::new(MessageRule {
        reference: reference?,
        channel: channel?,
        direction: direction?,
        contact: contact?,
        line: line?,
        text: text?,
        files: files?,
        agent: agent?,
    })))
}

fn status_rule(section: &Section<'_>) -> Option<What> {
    let reference = section.need("reference", "reference = \"/message/id\"").and_then(|i| places(&i));
    let status = word(section, "status", STATUSES, None);
    let cause = section.get("provider-cause").map_or(Some(Vec::new()), |i| places(&i));
    Some(What::Status { reference: reference?, status: status?, cause: cause? })
}

fn files(item: &Item<'_>) -> Option<Files> {
    let section = item.section("files".to_owned())?;
    let each = section.need("each", "each = \"/message/files/*\"").and_then(|i| i.parse());
    let url = section.need("url", "url = \"/url\", within each").and_then(|i| i.parse());
    let media_type = section.get("media-type").map_or(Some(None), |i| i.parse().map(Some));
    section.finish();
    Some(Files { each: each?, url: url?, media_type: media_type? })
}

// === words ===

const VOICE: &[(&str, Channel)] = &[("fixed", Channel::Fixed), ("mobile", Channel::Mobile)];
const TEXT: &[(&str, Channel)] = &[("sms", Channel::Sms), ("whatsapp", Channel::Whatsapp)];
const DIRECTIONS: &[(&str, InteractionDirection)] = &[
    ("inbound", InteractionDirection::Inbound),
    ("outbound", InteractionDirection::Outbound),
    ("internal", InteractionDirection::Internal),
];
const SIDES: &[(&str, InteractionDirection)] =
    &[("inbound", InteractionDirection::Inbound), ("outbound", InteractionDirection::Outbound)];
const CAUSES: &[(&str, EndCause)] = &[
    ("completed", EndCause::Completed),
    ("missed", EndCause::Missed),
    ("abandoned", EndCause::Abandoned),
    ("busy", EndCause::Busy),
    ("rejected", EndCause::Rejected),
    ("failed", EndCause::Failed),
    ("no-answer", EndCause::NoAnswer),
    ("voicemail", EndCause::Voicemail),
];
const STATUSES: &[(&str, MessageStatus)] = &[
    ("queued", MessageStatus::Queued),
    ("sent", MessageStatus::Sent),
    ("delivered", MessageStatus::Delivered),
    ("read", MessageStatus::Read),
    ("failed", MessageStatus::Failed),
];

/// A word of ours as it is, or a table from the provider's words to ours.
fn word<T: Copy>(
    section: &Section<'_>,
    key: &'static str,
    ours: &[(&'static str, T)],
    usual: Option<T>,
) -> Option<Word<T>> {
    let first = ours.first().map_or("", |(word, _)| word);
    let item = match usual {
        Some(usual) => match section.get(key) {
            Some(item) => item,
            None => return Some(Word::Is(usual)),
        },
        None => section.need(
            key,
            &format!("{key} = \"{first}\", or {key} = {{ at = \"/status\", words = {{ \"their word\" = \"{first}\" }} }}"),
        )?,
    };
    if item.value().as_table().is_none() {
        return item.word(ours).map(Word::Is);
    }
    let table = item.section(key.to_owned())?;
    let at = table.need("at", "at = \"/status\", where the provider's word stands").and_then(|i| places(&i));
    let words = table.need("words", &format!("words = {{ \"their word\" = \"{first}\" }}")).map(|item| {
        every(item.entries().iter().map(|entry| Some((entry.key().to_owned(), entry.word(ours)?))))
    });
    let other = table.get("else").map_or(Some(None), |i| i.word(ours).map(Some));
    table.finish();
    Some(Word::At { places: at?, words: words??, other: other? })
}

// === places ===

/// One place, or a list of places of which the first with a value counts.
fn places(item: &Item<'_>) -> Option<Vec<Place>> {
    if item.value().as_array().is_none() {
        return place(item).map(|place| vec![place]);
    }
    let items = item.list();
    if items.is_empty() {
        item.wrong("the list is empty; name at least one place, such as \"/id\"");
        return None;
    }
    every(items.iter().map(place))
}

fn place(item: &Item<'_>) -> Option<Place> {
    let place: Place = item.parse()?;
    // The whole body is no text; an empty place is a slip.
    if item.text().is_some_and(str::is_empty) {
        item.wrong("a place starts with `/`, such as \"/id\"");
        return None;
    }
    Some(place)
}

/// Takes keys as known, where a mistake leaves open which ones are.
fn know(section: &Section<'_>, keys: &[&'static str]) {
    for key in keys {
        let _ = section.get(key);
    }
}

/// All of them, or nothing; each is looked at either way, so that every mistake is shown.
fn every<T>(parts: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let parts: Vec<Option<T>> = parts.collect();
    parts.into_iter().collect()
}

fn conditions(item: &Item<'_>) -> Option<Vec<Condition>> {
    every(item.entries().iter().map(|entry| {
        let place = entry.key().parse::<Place>();
        let place = place.map_err(|error| entry.wrong_key(error.to_string())).ok();
        let holds = if let Some(present) = entry.value().as_bool() {
            Some(if present { Holds::Present } else { Holds::Absent })
        } else if entry.value().as_array().is_some() {
            let words: Option<Vec<String>> =
                entry.list().iter().map(|word| word.text().map(str::to_owned)).collect();
            words.map(Holds::OneOf)
        } else {
            entry.text().map(|word| Holds::OneOf(vec![word.to_owned()]))
        };
        Some(Condition { place: place?, holds: holds? })
    }))
}

fn at(item: &Item<'_>) -> Option<At> {
    if item.value().as_table().is_none() {
        return Some(At { places: places(item)?, plus_seconds: Vec::new() });
    }
    let section = item.section("at".to_owned())?;
    let at = section.need("at", "at = \"/begun\", where the time stands").and_then(|i| places(&i));
    let plus = section.get("plus-seconds").map_or(Some(Vec::new()), |i| places(&i));
    section.finish();
    Some(At { places: at?, plus_seconds: plus? })
}

// === what holds for the whole file ===

fn body(top: &Section<'_>) -> Option<BodyForm> {
    let Some(item) = top.get("body") else { return Some(BodyForm::Json) };
    if item.value().as_table().is_none() {
        return match item.word(&[("json", true), ("form", false)])? {
            true => Some(BodyForm::Json),
            false => Some(BodyForm::Form),
        };
    }
    let section = item.section("body".to_owned())?;
    let part =
        section.need("multipart", "multipart = \"the name of the part\"").and_then(|i| i.line(1..=128));
    section.finish();
    Some(BodyForm::Multipart(part?))
}

fn clock(top: &Section<'_>) -> Option<Clock> {
    let Some(item) = top.get("time") else { return Some(Clock { form: Form::Rfc3339, zone: None }) };
    let section = item.section("time".to_owned())?;
    let form_item = section.get("format");
    let form = match form_item.as_ref() {
        None => Some(Form::Rfc3339),
        Some(item) => match item.text()? {
            "rfc3339" => Some(Form::Rfc3339),
            "rfc2822" => Some(Form::Rfc2822),
            "unix" => Some(Form::Unix),
            pattern if pattern.contains('%') && is_pattern(pattern) => {
                Some(Form::Pattern(pattern.to_owned()))
            }
            other => {
                item.wrong(format!(
                    "{} is no way to write times; use rfc3339, rfc2822, unix, or a pattern such as \"%d/%m/%Y %H:%M:%S\"",
                    quote(other)
                ));
                None
            }
        },
    };
    let zone_item = section.get("zone");
    let zone = zone_item.as_ref().map_or(Some(None), |item| {
        let zone = TimeZone::get(item.text()?);
        zone.map_err(|_| item.wrong("`zone` is a name that this machine knows, such as \"America/Sao_Paulo\"; they come with the package tzdata"))
            .ok()
            .map(Some)
    });
    section.finish();
    let (form, zone) = (form?, zone?);
    if form.needs_zone() && zone.is_none() {
        section.wrong("times of this form have no offset, so nobody knows when they are; add zone = \"America/Sao_Paulo\"");
        return None;
    }
    Some(Clock { form, zone })
}

/// Whether a pattern can be read at all: one that cannot refuses every text for another reason than the text.
fn is_pattern(pattern: &str) -> bool {
    let some = Timestamp::UNIX_EPOCH.to_zoned_datetime(TimeZone::UTC);
    let written = jiff::fmt::strtime::format(pattern, &some);
    written.is_ok_and(|text| jiff::fmt::strtime::parse(pattern, text).is_ok())
}

fn proof(item: &Item<'_>) -> Option<Proof> {
    #[derive(Clone, Copy)]
    enum Scheme {
        Ramal,
        Hmac(Algorithm),
        Secret,
    }
    const SCHEMES: &[(&str, Scheme)] = &[
        ("ramal-signature", Scheme::Ramal),
        ("hmac-sha256", Scheme::Hmac(Algorithm::Sha256)),
        ("hmac-sha512", Scheme::Hmac(Algorithm::Sha512)),
        ("hmac-sha1", Scheme::Hmac(Algorithm::Sha1)),
        ("secret", Scheme::Secret),
    ];
    const ENCODINGS: &[(&str, Encoding)] = &[("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let section = item.section("verify".to_owned())?;
    let scheme = section.need("scheme", "scheme = \"hmac-sha256\"").and_then(|i| i.word(SCHEMES));
    let prefix = |section: &Section<'_>| section.get("prefix").map_or(Some(String::new()), |i| prefix(&i));
    let proof = match scheme {
        Some(Scheme::Ramal) => Some(Proof::Ramal),
        Some(Scheme::Hmac(algorithm)) => {
            let header = section.need("header", "header = \"X-Acme-Signature\"").and_then(|i| header(&i));
            let encoding = section.need("encoding", "encoding = \"hex\"").and_then(|i| i.word(ENCODINGS));
            let prefix = prefix(&section);
            header.zip(encoding).zip(prefix).map(|((header, encoding), prefix)| Proof::Hmac {
                algorithm,
                header,
                encoding,
                prefix,
            })
        }
        Some(Scheme::Secret) => {
            match (section.get("header"), section.get("query")) {
                (Some(item), None) => {
                    let (name, prefix) = (header(&item), prefix(&section));
                    name.zip(prefix).map(|(name, prefix)| Proof::Header { name, prefix })
                }
                (None, Some(item)) => item.line(1..=64).map(Proof::Query),
                _ => {
                    section.wrong("say where the secret stands: header = \"X-Token\" or query = \"token\", one of the two");
                    None
                }
            }
        }
        None => {
            know(&section, &["header", "query", "encoding", "prefix"]);
            None
        }
    };
    section.finish();
    proof
}

fn header(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    let is_token = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !is_token {
        item.wrong(format!("{} is no header name; use letters, digits and `-`", quote(text)));
        return None;
    }
    Some(text.to_ascii_lowercase())
}

fn prefix(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    if text.len() > 32 || !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        item.wrong("what stands before it is at most 32 visible ASCII characters, such as \"sha256=\" or \"Bearer \"");
        return None;
    }
    Some(text.to_owned())
}
