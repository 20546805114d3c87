//! What a payload says by a mapping: every rule whose condition holds makes one event.
//!
//! A rule that holds and cannot be filled is counted with its reason and takes nothing from the others: a record of a
//! call whose answer has an odd time still begins and ends.

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ramal_center::{
    Attachment, CallEvent, CallId, Channel, Clear, EndCause, EventId, EventKind, InteractionDirection,
    MessageEvent, MessageStatus, MessageStatusEvent, RecordingId, RecordingStep, Region,
};
use serde_json::Value;
use uuid::Uuid;

use super::at::{At, Clock, seconds};
use super::place::{Place, first_text, text};
use crate::{Heard, Reading, party, text as texts};

/// Under which a provider's name for a recording becomes an identifier of Ramal's.
const NAMESPACE: Uuid = Uuid::from_u128(0x1b0f_6a34_8d8e_4a71_9a53_f6f0_0c4d_7d22);

/// When a rule holds. All of them have to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) place: Place,
    pub(super) holds: Holds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holds {
    /// A value is there.
    Present,
    /// None is there.
    Absent,
    /// It is one of these.
    OneOf(Vec<String>),
}

impl Condition {
    fn holds(&self, body: &Value) -> bool {
        let values: Vec<String> = self.place.all(body).into_iter().filter_map(text).collect();
        match &self.holds {
            // A list or an object is something too.
            Holds::Present => !values.is_empty() || self.place.first(body).is_some_and(is_filled),
            Holds::Absent => values.is_empty() && !self.place.first(body).is_some_and(is_filled),
            Holds::OneOf(words) => values.iter().any(|value| words.contains(value)),
        }
    }
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        _ => false,
    }
}

/// One of our words: always the same, or by the provider's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word<T> {
    Is(T),
    At {
        places: Vec<Place>,
        /// The provider's word and ours.
        words: Vec<(String, T)>,
        /// Ours for any other, and for none.
        other: Option<T>,
    },
}

impl<T: Copy> Word<T> {
    fn read(&self, body: &Value) -> Result<T, &'static str> {
        match self {
            Self::Is(value) => Ok(*value),
            Self::At { places, words, other } => {
                let given = first_text(places, body);
                let found = given.as_ref().and_then(|given| words.iter().find(|(word, _)| word == given));
                let missing = if given.is_none() { "word-missing" } else { "word-unknown" };
                found.map(|(_, value)| *value).or(*other).ok_or(missing)
            }
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) when: Vec<Condition>,
    /// What makes it the same event; the whole body when nothing is listed.
    pub(super) id: Vec<Place>,
    pub(super) at: At,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Call { call: Vec<Place>, kind: CallRule },
    Message(Box<MessageRule>),
    Status { reference: Vec<Place>, status: Word<MessageStatus>, cause: Vec<Place> },
}

/// What happens to a call, and where its parts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallRule {
    Ringing {
        channel: Word<Channel>,
        direction: Word<InteractionDirection>,
        from: Vec<Place>,
        to: Vec<Place>,
        queue: Vec<Place>,
    },
    Answered {
        agent: Vec<Place>,
    },
    Held,
    Resumed,
    Transferred {
        agent: Vec<Place>,
        queue: Vec<Place>,
    },
    Queued {
        queue: Vec<Place>,
    },
    LegOpened {
        leg: Vec<Place>,
        agent: Vec<Place>,
        number: Vec<Place>,
    },
    LegClosed {
        leg: Vec<Place>,
        cause: Vec<Place>,
    },
    RecordingStarted {
        recording: Vec<Place>,
    },
    RecordingReady {
        recording: Vec<Place>,
        seconds: Vec<Place>,
    },
    RecordingDeleted {
        recording: Vec<Place>,
    },
    Ended {
        cause: Word<EndCause>,
        provider_cause: Vec<Place>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessageRule {
    pub(super) reference: Vec<Place>,
    pub(super) channel: Word<Channel>,
    pub(super) direction: Word<InteractionDirection>,
    pub(super) contact: Vec<Place>,
    pub(super) line: Vec<Place>,
    /// Every value of these, in lines.
    pub(super) text: Vec<Place>,
    pub(super) files: Option<Files>,
    pub(super) agent: Vec<Place>,
}

/// Where the files of a message are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) each: Place,
    /// Within each.
    pub(super) url: Place,
    pub(super) media_type: Option<Place>,
}

/// What the rules need beside the body.
pub(super) struct Frame<'m> {
    pub(super) clock: &'m Clock,
    pub(super) region: Region,
    /// The business within which a name is unique that is no number.
    pub(super) name: &'m str,
    pub(super) now: Timestamp,
}

pub(super) fn apply(rules: &[Rule], body: &Value, raw: &[u8], frame: &Frame<'_>) -> Reading {
    let mut reading = Reading::default();
    let mut before: Vec<&'static str> = Vec::new();
    let mut any = false;
    for rule in rules.iter().filter(|rule| rule.when.iter().all(|c| c.holds(body))) {
        any = true;
        let word = rule.what.word();
        // Two rules of one kind in one payload are two events.
        let nth = before.iter().filter(|earlier| **earlier == word).count();
        before.push(word);
        let id = || event_id(&rule.id, body, raw, word, nth);
        match rule.heard(body, frame, id) {
            Ok(heard) => reading.heard.push(heard),
            Err(why) => reading.pass_over(why),
        }
    }
    if !any {
        reading.pass_over("no-rule");
    }
    reading
}

impl Rule {
    fn heard(
        &self,
        body: &Value,
        frame: &Frame<'_>,
        id: impl FnOnce() -> Result<EventId, &'static str>,
    ) -> Result<Heard, &'static str> {
        let at = self.at.read(frame.clock, body, frame.now)?;
        Ok(match &self.what {
            What::Call { call, kind } => {
                let call_id = CallId::new(&named(call, body, "call-missing")?).map_err(|_| "bad-id")?;
                Heard::Call(CallEvent { event_id: id()?, call_id, kind: kind.read(body, frame)?, at })
            }
            What::Message(rule) => Heard::Message(rule.read(body, frame, at)?),
            What::Status { reference, status, cause } => {
                let reference = named(reference, body, "reference-missing")?;
                let status = status.read(body)?;
                let failed = status == MessageStatus::Failed;
                Heard::Status(MessageStatusEvent {
                    event_id: id()?,
                    reference: EventId::new(&reference).map_err(|_| "bad-id")?,
                    status,
                    provider_cause: failed.then(|| cause_text(cause, body)).flatten(),
                    at,
                })
            }
        })
    }
}

impl What {
    fn word(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Status { .. } => "status",
            Self::Call { kind, .. } => match kind {
                CallRule::Ringing { .. } => "ringing",
                CallRule::Answered { .. } => "answered",
                CallRule::Held => "held",
                CallRule::Resumed => "resumed",
                CallRule::Transferred { .. } => "transferred",
                CallRule::Queued { .. } => "queued",
                CallRule::LegOpened { .. } => "leg-opened",
                CallRule::LegClosed { .. } => "leg-closed",
                CallRule::RecordingStarted { .. } => "recording-started",
                CallRule::RecordingReady { .. } => "recording-ready",
                CallRule::RecordingDeleted { .. } => "recording-deleted",
                CallRule::Ended { .. } => "ended",
            },
        }
    }
}

impl CallRule {
    fn read(&self, body: &Value, frame: &Frame<'_>) -> Result<EventKind, &'static str> {
        let number =
            |places: &[Place]| first_text(places, body).and_then(|n| party::number(&n, frame.region));
        let agent = |places: &[Place]| name(places, body).map(Clear::new);
        let leg = |places: &[Place]| CallId::new(&named(places, body, "leg-missing")?).map_err(|_| "bad-id");
        let recording = |places: &[Place]| {
            let name = first_text(places, body).ok_or("recording-missing")?;
            Ok::<_, &'static str>(RecordingId(Uuid::new_v5(&NAMESPACE, name.as_bytes())))
        };
        Ok(match self {
            Self::Ringing { channel, direction, from, to, queue } => EventKind::Ringing {
                channel: channel.read(body)?,
                direction: direction.read(body)?,
                from: party::caller(first_text(from, body).as_deref(), frame.region),
                to: number(to),
                queue: name(queue, body),
            },
            Self::Answered { agent: places } => EventKind::Answered { agent: agent(places) },
            Self::Held => EventKind::Held,
            Self::Resumed => EventKind::Resumed,
            Self::Transferred { agent: places, queue } => {
                EventKind::Transferred { agent: agent(places), queue: name(queue, body) }
            }
            Self::Queued { queue } => EventKind::Queued { queue: name(queue, body) },
            Self::LegOpened { leg: places, agent: who, number: which } => {
                EventKind::LegOpened { leg: leg(places)?, agent: agent(who), number: number(which) }
            }
            Self::LegClosed { leg: places, cause } => {
                EventKind::LegClosed { leg: leg(places)?, provider_cause: cause_text(cause, body) }
            }
            Self::RecordingStarted { recording: places } => {
                EventKind::Recording { recording: recording(places)?, step: RecordingStep::Started }
            }
            Self::RecordingReady { recording: places, seconds: length } => {
                let length = seconds(length, body).unwrap_or_default();
                let duration_ms = u64::try_from(length.as_millis()).unwrap_or_default();
                EventKind::Recording {
                    recording: recording(places)?,
                    step: RecordingStep::Ready { duration_ms, digest: None },
                }
            }
            Self::RecordingDeleted { recording: places } => {
                EventKind::Recording { recording: recording(places)?, step: RecordingStep::Deleted }
            }
            Self::Ended { cause, provider_cause } => EventKind::Ended {
                cause: cause.read(body)?,
                provider_cause: cause_text(provider_cause, body),
            },
        })
    }
}

impl MessageRule {
    fn read(&self, body: &Value, frame: &Frame<'_>, at: Timestamp) -> Result<MessageEvent, &'static str> {
        let channel = self.channel.read(body)?;
        let contact = first_text(&self.contact, body).ok_or("nobody")?;
        let contacts = party::contacts(channel, &contact, None, frame.name, frame.region);
        let lines: Vec<String> =
            self.text.iter().flat_map(|place| place.all(body)).filter_map(text).collect();
        let attachments = self.files.iter().flat_map(|files| {
            files.each.all(body).into_iter().filter_map(|file| {
                let kind = files.media_type.as_ref().and_then(|place| place.first(file)).and_then(text);
                let media_type = kind.unwrap_or_else(|| "application/octet-stream".to_owned());
                Some(Attachment { media_type, reference: text(files.url.first(file)?)? })
            })
        });
        Ok(MessageEvent {
            reference: EventId::new(&named(&self.reference, body, "reference-missing")?)
                .map_err(|_| "bad-id")?,
            channel,
            direction: self.direction.read(body)?,
            contacts,
            line: first_text(&self.line, body).map(Clear::new),
            text: (!lines.is_empty()).then(|| texts::kept(&lines.join("\n"))),
            attachments: attachments.collect(),
            agent: name(&self.agent, body).map(Clear::new),
            at,
        })
    }
}

fn name(places: &[Place], body: &Value) -> Option<String> {
    first_text(places, body).and_then(|text| texts::name(&text))
}

/// Why, in the provider's own words: short, in one line.
fn cause_text(places: &[Place], body: &Value) -> Option<String> {
    name(places, body)
}

/// The provider's identifier of a call, a leg or a message. One that cannot be kept as it is (too long, with spaces)
/// is kept by its digest: it is as good to know the thing again.
fn named(places: &[Place], body: &Value, missing: &'static str) -> Result<String, &'static str> {
    let text = first_text(places, body).ok_or(missing)?;
    let is_plain = text.len() <= 128 && text.bytes().all(|b| b.is_ascii_graphic());
    Ok(if is_plain { text } else { short(digest::digest(&digest::SHA256, text.as_bytes()).as_ref()) })
}

fn event_id(
    places: &[Place],
    body: &Value,
    raw: &[u8],
    word: &str,
    nth: usize,
) -> Result<EventId, &'static str> {
    let mut context = digest::Context::new(&digest::SHA256);
    if places.is_empty() {
        context.update(raw);
    } else {
        let mut any = false;
        for place in places {
            let value = place.first(body).and_then(text);
            any |= value.is_some();
            // Lengths keep `1`, `23` and `12`, `3` apart.
            let value = value.unwrap_or_default();
            context.update(&value.len().to_be_bytes());
            context.update(value.as_bytes());
        }
        if !any {
            return Err("id-missing");
        }
    }
    let digest = short(context.finish().as_ref());
    let nth = if nth == 0 { String::new() } else { format!(".{nth}") };
    EventId::new(&format!("{digest}.{word}{nth}")).map_err(|_| "bad-id")
}

fn short(digest: &[u8]) -> String {
    HEXLOWER.encode(digest.get(..16).unwrap_or(digest))
}
