//! From the JSON of an event to the domain's event.
//!
//! Written by hand over [`Value`] for the sake of the errors: serde's quote what they found, which may be a customer's
//! number, and stop at the first. These name every field that is wrong, what is wrong with it, and quote nothing.

use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    CallEvent, CallId, Caller, Channel, Clear, EndCause, EventId, EventKind, InteractionDirection,
    RecordingId, RecordingStep,
};
use ramal_numbers::{PhoneNumber, Region};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::problem::{FieldProblem, Problem, ProblemCode};

/// How far ahead of this host's clock a provider's may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_NAME: usize = 128;

/// Reads the body of an event.
pub(crate) fn read(body: &[u8], region: Region, now: Timestamp) -> Result<CallEvent, Problem> {
    let value: Value = serde_json::from_slice(body).map_err(|e| {
        Problem::new(
            ProblemCode::NotJson,
            format!("the body is not JSON: line {}, column {}", e.line(), e.column()),
        )
        .hint("send one JSON object; /openapi.json has its fields")
    })?;
    let Value::Object(object) = value else {
        return Err(invalid(vec![fault("", "the body must be one JSON object".to_owned())]));
    };
    let mut fields = Fields { object, faults: Vec::new() };
    let event = fields.event(region, now);
    fields.refuse_the_rest();
    match event {
        Some(event) if fields.faults.is_empty() => Ok(event),
        _ => Err(invalid(fields.faults)),
    }
}

fn invalid(faults: Vec<FieldProblem>) -> Problem {
    let detail = match faults.as_slice() {
        [one] => one.detail.clone(),
        many => format!("{} fields are wrong", many.len()),
    };
    Problem::new(ProblemCode::Invalid, detail)
        .hint("see `errors` for each field, and /openapi.json for what is expected")
        .errors(faults)
}

fn fault(pointer: &str, detail: String) -> FieldProblem {
    FieldProblem { pointer: pointer.to_owned(), detail }
}

/// The lines that carry calls.
const VOICE: [Channel; 2] = [Channel::Fixed, Channel::Mobile];
const DIRECTIONS: [InteractionDirection; 3] =
    [InteractionDirection::Inbound, InteractionDirection::Outbound, InteractionDirection::Internal];

/// The types of events.
#[derive(Clone, Copy)]
enum Type {
    Ringing,
    Answered,
    Held,
    Resumed,
    Queued,
    Transferred,
    RecordingStarted,
    RecordingPaused,
    RecordingResumed,
    RecordingReady,
    RecordingDeleted,
    Ended,
}

impl Type {
    const ALL: [Self; 12] = [
        Self::Ringing,
        Self::Answered,
        Self::Held,
        Self::Resumed,
        Self::Queued,
        Self::Transferred,
        Self::RecordingStarted,
        Self::RecordingPaused,
        Self::RecordingResumed,
        Self::RecordingReady,
        Self::RecordingDeleted,
        Self::Ended,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Held => "held",
            Self::Resumed => "resumed",
            Self::Queued => "queued",
            Self::Transferred => "transferred",
            Self::RecordingStarted => "recording-started",
            Self::RecordingPaused => "recording-paused",
            Self::RecordingResumed => "recording-resumed",
            Self::RecordingReady => "recording-ready",
            Self::RecordingDeleted => "recording-deleted",
            Self::Ended => "ended",
        }
    }
}

struct Fields {
    object: Map<String, Value>,
    faults: Vec<FieldProblem>,
}

impl Fields {
    fn event(&mut self, region: Region, now: Timestamp) -> Option<CallEvent> {
        let event_id = self.required("event_id", |text| EventId::new(text).map_err(|e| e.to_string()));
        let call_id = self.required("call_id", |text| CallId::new(text).map_err(|e| e.to_string()));
        let at = self.optional("at", |text| time(text, now)).unwrap_or(now);
        let kind = self.required("type", |text| one_of(&Type::ALL, Type::as_str, text));
        let kind = match kind {
            Some(Type::Ringing) => self.ringing(region),
            Some(Type::Answered) => Some(EventKind::Answered { agent: self.agent() }),
            Some(Type::Held) => Some(EventKind::Held),
            Some(Type::Resumed) => Some(EventKind::Resumed),
            Some(Type::Queued) => Some(EventKind::Queued { queue: self.optional("queue", name) }),
            Some(Type::Transferred) => {
                Some(EventKind::Transferred { agent: self.agent(), queue: self.optional("queue", name) })
            }
            Some(Type::RecordingStarted) => self.recording(RecordingStep::Started),
            Some(Type::RecordingPaused) => self.recording(RecordingStep::Paused),
            Some(Type::RecordingResumed) => self.recording(RecordingStep::Resumed),
            Some(Type::RecordingDeleted) => self.recording(RecordingStep::Deleted),
            Some(Type::RecordingReady) => self.recording_ready(),
            Some(Type::Ended) => self.ended(),
            // Without the type nothing can be said about the rest.
            None => {
                self.object.clear();
                None
            }
        };
        Some(CallEvent { event_id: event_id?, call_id: call_id?, kind: kind?, at })
    }

    fn ringing(&mut self, region: Region) -> Option<EventKind> {
        let number = |text: &str| PhoneNumber::parse(text, region).map_err(|e| e.to_string());
        let from = match self.object.get("from") {
            None => {
                self.wrong("from", "is missing: give the caller's number, or null when it was withheld");
                None
            }
            Some(Value::Null) => {
                self.object.shift_remove("from");
                Some(Caller::Withheld)
            }
            Some(_) => self.required("from", number).map(Caller::Number),
        };
        let to = self.optional("to", number);
        let queue = self.optional("queue", name);
        let channel = self.optional("channel", |text| one_of(&VOICE, Channel::as_str, text));
        let direction =
            self.optional("direction", |text| one_of(&DIRECTIONS, InteractionDirection::as_str, text));
        Some(EventKind::Ringing {
            channel: channel.unwrap_or(Channel::Fixed),
            direction: direction.unwrap_or(InteractionDirection::Inbound),
            from: from?,
            to,
            queue,
        })
    }

    fn ended(&mut self) -> Option<EventKind> {
        let cause = self.required("cause", |text| one_of(EndCause::OF_CALLS, EndCause::as_str, text));
        let provider_cause = self.optional("provider_cause", name);
        Some(EventKind::Ended { cause: cause?, provider_cause })
    }

    fn agent(&mut self) -> Option<Clear> {
        self.optional("agent", name).map(Clear::new)
    }

    fn recording(&mut self, step: RecordingStep) -> Option<EventKind> {
        let recording = self.required("recording", |text| {
            Uuid::try_parse(text).map_err(|_| "is the recording's identifier, a UUID".to_owned())
        });
        Some(EventKind::Recording { recording: RecordingId(recording?), step })
    }

    fn recording_ready(&mut self) -> Option<EventKind> {
        let duration = match self.object.shift_remove("duration_ms") {
            None => {
                self.wrong("duration_ms", "is missing");
                None
            }
            Some(value) => {
                let duration = value.as_u64();
                if duration.is_none() {
                    self.wrong("duration_ms", "is a whole number of milliseconds, without quotes");
                }
                duration
            }
        };
        let digest = self.optional("digest", digest);
        let ready = RecordingStep::Ready { duration_ms: duration.unwrap_or_default(), digest };
        self.recording(ready).filter(|_| duration.is_some())
    }

    fn wrong(&mut self, field: &str, what: impl AsRef<str>) {
        self.faults.push(fault(&format!("/{field}"), format!("`{field}` {}", what.as_ref())));
    }

    fn optional<T>(&mut self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        match self.object.shift_remove(field) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match read(&text) {
                Ok(value) => Some(value),
                Err(what) => {
                    self.wrong(field, what);
                    None
                }
            },
            Some(_) => {
                self.wrong(field, "must be a text in quotes");
                None
            }
        }
    }

    fn required<T>(&mut self, field: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        if matches!(self.object.get(field), None | Some(Value::Null)) {
            self.object.shift_remove(field);
            self.wrong(field, "is missing");
            return None;
        }
        self.optional(field, read)
    }

    // A field that is misspelt must not be ignored: the event would be taken without what it was to say.
    fn refuse_the_rest(&mut self) {
        for field in std::mem::take(&mut self.object).keys() {
            // A name of this shape is no value that slipped into the wrong place.
            let shown = field.len() <= 40 && field.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            self.faults.push(if shown {
                fault(&format!("/{field}"), format!("`{field}` is no field of this type of event"))
            } else {
                fault("", "there is a field that no event has".to_owned())
            });
        }
    }
}

fn time(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let at: Timestamp = text
        .parse()
        .map_err(|_| "is no time: write it as in RFC 3339, such as 2026-01-31T12:00:00Z".to_owned())?;
    // A time from the future would make every later event of the call look late.
    if at.duration_since(now) > AHEAD {
        return Err("is more than 5 minutes ahead: check the sender's clock".to_owned());
    }
    Ok(at)
}

/// The one of these whose word it is; else what the words are.
fn one_of<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str, text: &str) -> Result<T, String> {
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
        let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        format!("is one of {}", words.join(", "))
    })
}

/// A digest as text: its algorithm and its value, of no other characters.
fn digest(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_=:+/".contains(&b);
    if (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err("is a digest such as `sha512-` and its value in base64url".to_owned())
    }
}

fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("is a text of 1 to {LONGEST_NAME} characters without control characters"))
    }
}

#[cfg(test)]
mod tests;
