//! What a callback about a call says.

use jiff::{SignedDuration, Timestamp};
use ramal_center::{CallEvent, CallId, Clear, EndCause, EventId, EventKind, InteractionDirection};

use super::Twilio;
use super::form::Form;
use crate::{Heard, Reading, party};

/// One call, as a callback shows it.
struct Told<'f> {
    id: &'f str,
    status: &'f str,
    /// The number of the callback among those of its call: the same is the same callback, sent again.
    sequence: &'f str,
    at: Timestamp,
    /// How long the talk was; told at the end.
    talked: Option<SignedDuration>,
}

pub(super) fn read(form: &Form, twilio: &Twilio, now: Timestamp, reading: &mut Reading) {
    let told = Told {
        id: form.get("CallSid").unwrap_or_default(),
        status: form.get("CallStatus").unwrap_or_default(),
        sequence: form.get("SequenceNumber").unwrap_or("0"),
        at: form.at("Timestamp", now),
        talked: form
            .count("CallDuration")
            .and_then(|seconds| i64::try_from(seconds).ok())
            .filter(|seconds| *seconds <= LONGEST_CALL)
            .map(SignedDuration::from_secs),
    };
    let events = match form.get("ParentCallSid") {
        Some(parent) => told.leg(parent, form, twilio),
        None => told.call(form, twilio),
    };
    match events {
        Ok(events) => reading.heard.extend(events.into_iter().map(Heard::Call)),
        Err(why) => reading.pass_over(why),
    }
}

/// Twilio ends a call after a day. A longer one is no length, and must not put the beginning into another year.
const LONGEST_CALL: i64 = 24 * 60 * 60;

impl Told<'_> {
    /// A call of its own.
    fn call(&self, form: &Form, twilio: &Twilio) -> Result<Vec<CallEvent>, &'static str> {
        let direction = direction(form);
        let began = self.talked.and_then(|talked| self.at.checked_sub(talked).ok()).unwrap_or(self.at);
        let inbound = direction == InteractionDirection::Inbound;
        let ringing = EventKind::Ringing {
            channel: twilio.line,
            direction,
            from: party::caller(form.get("From").or_else(|| form.get("Caller")), twilio.region),
            to: form.get("To").or_else(|| form.get("Called")).and_then(|to| party::number(to, twilio.region)),
            queue: None,
        };
        // Whichever callback comes first begins the history, and all others know it again.
        let mut events = vec![self.event(self.id, "begun", "", ringing, began)?];
        match self.status {
            "queued" | "initiated" | "ringing" => {}
            "in-progress" => events.push(self.answered(self.id, None, self.at)?),
            "completed" => {
                events.push(self.answered(self.id, None, began)?);
                events.push(self.ended(EndCause::Completed)?);
            }
            "busy" => events.push(self.ended(EndCause::Busy)?),
            "failed" => events.push(self.ended(EndCause::Failed)?),
            "no-answer" if inbound => events.push(self.ended(EndCause::Missed)?),
            "no-answer" => events.push(self.ended(EndCause::NoAnswer)?),
            "canceled" => events.push(self.ended(EndCause::Abandoned)?),
            _ => return Err("unknown-status"),
        }
        Ok(events)
    }

    /// A leg of another call: who it is dialled to, and whether somebody takes it.
    fn leg(&self, parent: &str, form: &Form, twilio: &Twilio) -> Result<Vec<CallEvent>, &'static str> {
        let to = form.get("To").or_else(|| form.get("Called"));
        let agent = to.and_then(softphone);
        let leg = CallId::new(self.id).map_err(|_| "bad-id")?;
        let opened = EventKind::LegOpened {
            leg: leg.clone(),
            agent: agent.clone(),
            number: to.and_then(|to| party::number(to, twilio.region)),
        };
        let began = self.talked.and_then(|talked| self.at.checked_sub(talked).ok()).unwrap_or(self.at);
        let mut events = vec![self.event(parent, "leg", "", opened, began)?];
        match self.status {
            "queued" | "initiated" | "ringing" => {}
            "in-progress" => events.push(self.answered(parent, agent, self.at)?),
            "completed" | "busy" | "failed" | "no-answer" | "canceled" => {
                if self.status == "completed" {
                    events.push(self.answered(parent, agent, began)?);
                }
                let closed = EventKind::LegClosed { leg, provider_cause: Some(self.cause(form)) };
                events.push(self.event(parent, self.status, self.sequence, closed, self.at)?);
            }
            _ => return Err("unknown-status"),
        }
        Ok(events)
    }

    fn answered(&self, call: &str, agent: Option<Clear>, at: Timestamp) -> Result<CallEvent, &'static str> {
        self.event(call, "answered", "", EventKind::Answered { agent }, at)
    }

    fn ended(&self, cause: EndCause) -> Result<CallEvent, &'static str> {
        let kind = EventKind::Ended { cause, provider_cause: Some(self.status.to_owned()) };
        self.event(self.id, self.status, self.sequence, kind, self.at)
    }

    /// Why a leg is over: the network's number where it is told.
    fn cause(&self, form: &Form) -> String {
        let code =
            form.get("SipResponseCode").filter(|c| c.len() <= 3 && c.bytes().all(|b| b.is_ascii_digit()));
        code.map_or_else(|| self.status.to_owned(), |code| format!("{} {code}", self.status))
    }

    fn event(
        &self,
        call: &str,
        word: &str,
        sequence: &str,
        kind: EventKind,
        at: Timestamp,
    ) -> Result<CallEvent, &'static str> {
        let event_id = EventId::new(&format!("{}.{word}.{sequence}", self.id)).map_err(|_| "bad-id")?;
        Ok(CallEvent { event_id, call_id: CallId::new(call).map_err(|_| "bad-id")?, kind, at })
    }
}

/// Who began it. A softphone of the company that dials is an inbound call to Twilio, and none to the company.
fn direction(form: &Form) -> InteractionDirection {
    let colleague = |name: &str| form.get(name).is_some_and(|text| softphone(text).is_some());
    let inbound = form.get("Direction").is_none_or(|word| word == "inbound");
    match (inbound, colleague("From"), colleague("To")) {
        (_, true, true) => InteractionDirection::Internal,
        (true, false, _) => InteractionDirection::Inbound,
        (true, true, false) | (false, _, _) => InteractionDirection::Outbound,
    }
}

/// The name of one of the company's own softphones. A SIP address may be anybody's, so it names a colleague only as
/// the target of a leg or with a user that is no number.
fn softphone(text: &str) -> Option<Clear> {
    let name = text.strip_prefix("client:").or_else(|| {
        let user = text.strip_prefix("sip:")?.split('@').next()?;
        (!user.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())).then_some(user)
    })?;
    (!name.is_empty() && name.len() <= 128).then(|| Clear::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ramal_center::Caller;
    use rstest::rstest;

    #[rstest]
    #[case("client:bruno", Some("bruno"))]
    #[case("sip:bruno@pbx.example", Some("bruno"))]
    #[case("sip:+5511987654321@pbx.example", None)]
    #[case("+5511987654321", None)]
    #[case("client:", None)]
    fn a_softphone_has_a_name(#[case] text: &str, #[case] name: Option<&str>) {
        assert_eq!(softphone(text).as_ref().map(Clear::expose), name);
    }

    #[test]
    fn nobody_is_a_caller_without_a_number() {
        assert_eq!(party::caller(Some("client:bruno"), ramal_center::Region::BR), Caller::Withheld);
    }
}
