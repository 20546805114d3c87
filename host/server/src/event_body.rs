//! From the JSON of an event to the domain's event.
//!
//! Written by hand over [`Value`] for the sake of the errors: serde's quote what they found, which may be a customer's
//! number, and stop at the first. These name every field that is wrong, what is wrong with it, and quote nothing.

use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    CallEvent, CallId, Caller, Channel, Clear, EndCause, EventId, EventKind, InteractionDirection,
};
use ramal_numbers::{PhoneNumber, Region};
use serde_json::{Map, Value};

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

struct Fields {
    object: Map<String, Value>,
    faults: Vec<FieldProblem>,
}

impl Fields {
    fn event(&mut self, region: Region, now: Timestamp) -> Option<CallEvent> {
        let event_id = self.required("event_id", |text| EventId::new(text).map_err(|e| e.to_string()));
        let call_id = self.required("call_id", |text| CallId::new(text).map_err(|e| e.to_string()));
        let at = self.optional("at", |text| time(text, now)).unwrap_or(now);
        let kind = self.required("type", |text| match text {
            "ringing" | "answered" | "ended" => Ok(text.to_owned()),
            _ => Err("is `ringing`, `answered` or `ended`".to_owned()),
        });
        let kind = match kind.as_deref() {
            Some("ringing") => self.ringing(region),
            Some("answered") => {
                Some(EventKind::Answered { agent: self.optional("agent", name).map(Clear::new) })
            }
            Some("ended") => {
                let cause = self.required("cause", |text| {
                    EndCause::OF_CALLS.iter().copied().find(|c| c.as_str() == text).ok_or_else(|| {
                        let words: Vec<&str> = EndCause::OF_CALLS.iter().map(|c| c.as_str()).collect();
                        format!("is one of {}", words.join(", "))
                    })
                });
                cause.map(|cause| EventKind::Ended { cause, provider_cause: None })
            }
            // Without the type nothing can be said about the rest.
            _ => {
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
        Some(EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: from?,
            to,
            queue,
        })
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

fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!("is a text of 1 to {LONGEST_NAME} characters without control characters"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn now() -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    fn faults(body: &str) -> String {
        match read(body.as_bytes(), Region::BR, now()) {
            Ok(event) => format!("ok: {:?} {}", event.kind, event.at),
            Err(problem) => {
                let json = serde_json::to_value(&problem).unwrap();
                let list = json["errors"].as_array().cloned().unwrap_or_default();
                let list = list.iter().map(|e| e["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
                format!("{}: {}", problem.code().as_str(), list.join("; "))
            }
        }
    }

    #[rstest]
    #[case::ringing(r#"{"event_id":"e","call_id":"c","type":"ringing","from":"+5511987654321","to":"(11) 3333-4444","queue":"sales"}"#, "ok: ringing 2026-11-23T12:00:00Z")]
    #[case::national(
        r#"{"event_id":"e","call_id":"c","type":"ringing","from":"11 98765-4321"}"#,
        "ok: ringing 2026-11-23T12:00:00Z"
    )]
    #[case::withheld(
        r#"{"event_id":"e","call_id":"c","type":"ringing","from":null}"#,
        "ok: ringing 2026-11-23T12:00:00Z"
    )]
    #[case::answered(
        r#"{"event_id":"e","call_id":"c","type":"answered","agent":"Bruna"}"#,
        "ok: answered 2026-11-23T12:00:00Z"
    )]
    #[case::ended(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"2026-11-23T11:59:00-03:00"}"#,
        "invalid: `at` is more than 5 minutes ahead: check the sender's clock"
    )]
    #[case::ended_in_time(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"2026-11-23T08:59:00-03:00"}"#,
        "ok: ended 2026-11-23T11:59:00Z"
    )]
    #[case::no_from(
        r#"{"event_id":"e","call_id":"c","type":"ringing"}"#,
        "invalid: `from` is missing: give the caller's number, or null when it was withheld"
    )]
    #[case::nothing("{}", "invalid: `event_id` is missing; `call_id` is missing; `type` is missing")]
    #[case::no_cause(r#"{"event_id":"e","call_id":"c","type":"ended"}"#, "invalid: `cause` is missing")]
    #[case::bad_cause(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"bored"}"#,
        "invalid: `cause` is one of completed, missed, abandoned, busy, rejected, failed, no-answer, voicemail"
    )]
    #[case::bad_type(
        r#"{"event_id":"e","call_id":"c","type":"hold"}"#,
        "invalid: `type` is `ringing`, `answered` or `ended`"
    )]
    #[case::number_as_number(
        r#"{"event_id":"e","call_id":"c","type":"ringing","from":5511987654321}"#,
        "invalid: `from` must be a text in quotes"
    )]
    #[case::bad_time(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","at":"yesterday"}"#,
        "invalid: `at` is no time: write it as in RFC 3339, such as 2026-01-31T12:00:00Z"
    )]
    #[case::misspelt(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","form":"x"}"#,
        "invalid: `form` is no field of this type of event"
    )]
    #[case::value_as_field(
        r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","+5511987654321":"x"}"#,
        "invalid: there is a field that no event has"
    )]
    #[case::field_of_another_type(
        r#"{"event_id":"e","call_id":"c","type":"answered","cause":"missed"}"#,
        "invalid: `cause` is no field of this type of event"
    )]
    #[case::control_character(
        r#"{"event_id":"e","call_id":"c","type":"answered","agent":"a\u0007"}"#,
        "invalid: `agent` is a text of 1 to 128 characters without control characters"
    )]
    #[case::spaces_in_an_id(
        r#"{"event_id":"e 1","call_id":"c","type":"answered"}"#,
        "invalid: `event_id` not a event id: use 1 to 128 visible ASCII characters without spaces"
    )]
    #[case::a_list("[]", "invalid: the body must be one JSON object")]
    #[case::not_json("{", "not-json: ")]
    #[case::empty("", "not-json: ")]
    fn an_event_is_read_or_every_fault_is_named(#[case] body: &str, #[case] then: &str) {
        assert_eq!(faults(body), then);
    }

    #[rstest]
    #[case::not_a_number(r#"{"event_id":"e","call_id":"c","type":"ringing","from":"98765CANARY"}"#)]
    #[case::in_the_wrong_place(r#"{"event_id":"e","call_id":"c","type":"98765CANARY"}"#)]
    #[case::in_the_cause(r#"{"event_id":"e","call_id":"c","type":"ended","cause":"98765CANARY"}"#)]
    #[case::in_an_id(r#"{"event_id":"e","call_id":"98765 CANARY","type":"ended","cause":"missed"}"#)]
    #[case::as_a_field(r#"{"event_id":"e","call_id":"c","type":"ended","cause":"missed","98765CANARY":1}"#)]
    #[case::outside_of_json("98765CANARY")]
    fn no_error_quotes_what_was_sent(#[case] body: &str) {
        let problem = read(body.as_bytes(), Region::BR, now()).unwrap_err();
        let json = serde_json::to_string(&problem).unwrap();
        assert!(!json.contains("98765") && !json.contains("CANARY"), "{json}");
    }
}
