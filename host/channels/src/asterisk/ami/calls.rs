//! The calls of the queues, from when they wait to when they end: pure, event by event.
//!
//! A call is known by `Linkedid`, which all its channels share, and is over when the caller's own channel ends. Calls
//! that never waited in a queue are none of this reader's. When the connection was lost, every call is in doubt until
//! the census says whether it lives.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    CallEvent, CallId, Caller, Channel, Clear, EndCause, EventId, EventKind, Interaction,
    InteractionDirection, InteractionState,
};
use ramal_numbers::{Home, PartyNumber, PhoneNumber};

use super::census::Census;
use super::event::{Event, Line};

/// Calls, and channels besides, that are kept in mind.
const MOST: usize = 50_000;
/// The provider's word for what was not seen because there was no connection.
const UNSEEN: &str = "unseen";
/// The provider's word for a phone that rang long enough.
const NOT_ANSWERED: &str = "ring-no-answer";

/// The calls of one exchange's queues.
pub(super) struct Calls {
    home: Home,
    /// Beginnings of endpoints whose lines are mobile ones.
    mobile: Vec<String>,
    calls: HashMap<String, Call>,
    /// The number that was dialled, by channel, of channels that have not come to a queue yet.
    dialled: HashMap<String, String>,
}

struct Call {
    /// The caller's own channel.
    caller: String,
    stage: Stage,
    /// Whether anybody ever talked with the caller.
    answered: bool,
    /// Whether the other side waits on the line.
    held: bool,
    /// Phones that ring or talk.
    legs: Vec<String>,
    /// Whether it is not known if it lives.
    in_doubt: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It waits in a queue.
    Waiting,
    /// It is neither in a queue nor with anybody.
    Between,
    /// Somebody talks with the caller.
    Talking,
    /// The caller hung up while waiting.
    GaveUp,
}

/// One event under way to the center.
struct Told<'a> {
    call: &'a str,
    at: Timestamp,
    events: Vec<CallEvent>,
}

impl Calls {
    pub(super) fn new(home: Home, mobile: Vec<String>) -> Self {
        Self { home, mobile, calls: HashMap::new(), dialled: HashMap::new() }
    }

    /// Takes over what an earlier run left open. Call it before the first [`Calls::set`].
    pub(super) fn adopt(&mut self, open: &[Interaction]) {
        for call in open {
            let Some(reference) = call.reference.as_ref().map(CallId::as_str) else { continue };
            let answered = call.answered_at.is_some() || call.state != InteractionState::Ringing;
            let legs = call.legs.iter().filter(|leg| leg.span.until.is_none());
            let known = Call {
                caller: reference.to_owned(),
                stage: if answered { Stage::Talking } else { Stage::Waiting },
                answered,
                held: call.state == InteractionState::Held,
                legs: legs.map(|leg| leg.id.as_str().to_owned()).collect(),
                in_doubt: true,
            };
            self.calls.entry(reference.to_owned()).or_insert(known);
        }
    }

    /// The connection is lost: nothing is certain from here on.
    pub(super) fn doubt(&mut self) {
        self.calls.values_mut().for_each(|call| call.in_doubt = true);
        self.dialled.clear();
    }

    /// Sets all right by what there is now, and says what must have happened meanwhile.
    pub(super) fn set(&mut self, census: &Census, now: Timestamp) -> Vec<CallEvent> {
        let mut events = Vec::new();
        let in_doubt: Vec<String> =
            self.calls.iter().filter(|(_, call)| call.in_doubt).map(|(id, _)| id.clone()).collect();
        for id in in_doubt {
            let Some(call) = self.calls.get_mut(&id) else { continue };
            let mut told = Told { call: &id, at: now, events: Vec::new() };
            if let Some(caller) = census.caller(&id, &call.caller, &call.legs) {
                call.caller = caller.to_owned();
            }
            let waits = census.entries.iter().any(|entry| entry.channel == call.caller);
            if !waits && !census.channels.contains_key(&call.caller) {
                let cause = if call.answered { EndCause::Completed } else { EndCause::Failed };
                told.end(call, cause, Some(&UNSEEN.to_owned()));
                self.calls.remove(&id);
            } else {
                call.in_doubt = false;
                let partner = census.partner(&call.caller);
                if !waits && call.stage == Stage::Waiting {
                    call.stage = Stage::Between;
                }
                if let Some(partner) = partner.filter(|_| !waits && call.stage == Stage::Between) {
                    told.answer(call, &partner.unique, partner.device(), None);
                }
            }
            events.append(&mut told.events);
        }
        for entry in &census.entries {
            let mut caller = census.channels.get(&entry.channel).cloned().unwrap_or_else(|| Line {
                unique: entry.channel.clone(),
                linked: entry.channel.clone(),
                name: String::new(),
                number: None,
                exten: None,
                bridge: None,
            });
            // The extension is the queue's by now.
            (caller.number, caller.exten) = (entry.number.clone(), None);
            let since = now.checked_sub(SignedDuration::from_secs(entry.waited)).unwrap_or(now);
            events.append(&mut self.join(&caller, &entry.queue, since));
        }
        events
    }

    /// Takes one event, and says what it means for the center.
    pub(super) fn apply(&mut self, event: &Event, at: Timestamp) -> Vec<CallEvent> {
        match event {
            Event::Began(line) => {
                if let Some(exten) = &line.exten
                    && line.unique == line.linked
                    && self.dialled.len() < MOST
                {
                    self.dialled.insert(line.unique.clone(), exten.clone());
                }
                Vec::new()
            }
            Event::Joined { caller, queue, .. } => self.join(caller, queue, at),
            Event::Left { caller, .. } => self.change(&caller.linked, at, |call, _| {
                if call.stage == Stage::Waiting {
                    call.stage = Stage::Between;
                }
            }),
            Event::GaveUp { caller } => self.change(&caller.linked, at, |call, _| call.stage = Stage::GaveUp),
            Event::Called { caller, leg, agent } => {
                self.change(&caller.linked, at, |call, told| told.ring(call, &leg.unique, agent))
            }
            Event::NotAnswered { caller, leg } => self.change(&caller.linked, at, |call, told| {
                told.close(call, &leg.unique, Some(NOT_ANSWERED.to_owned()));
            }),
            Event::Connected { caller, leg, queue, agent } => {
                self.change(&caller.linked, at, |call, told| {
                    told.answer(call, &leg.unique, agent, Some(queue));
                })
            }
            // Of a queue's own dialling `Connected` follows, and says who it is.
            Event::Dialled { caller, leg } => self.change(&caller.linked, at, |call, told| {
                if call.stage == Stage::Between && call.caller == caller.unique {
                    told.answer(call, &leg.unique, leg.device(), None);
                }
            }),
            Event::Held { linked } => self.change(linked, at, |call, told| told.hold(call, true)),
            Event::Resumed { linked } => self.change(linked, at, |call, told| told.hold(call, false)),
            Event::HandedOn { linked } => self.change(linked, at, |call, _| call.stage = Stage::Between),
            Event::Ended { line, cause } => self.end(line, cause.as_ref(), at),
            Event::Member { .. } | Event::MemberLeft { .. } => Vec::new(),
        }
    }

    fn change(
        &mut self,
        linked: &str,
        at: Timestamp,
        change: impl FnOnce(&mut Call, &mut Told<'_>),
    ) -> Vec<CallEvent> {
        let Some(call) = self.calls.get_mut(linked) else { return Vec::new() };
        call.in_doubt = false;
        let mut told = Told { call: linked, at, events: Vec::new() };
        change(call, &mut told);
        told.events
    }

    fn join(&mut self, caller: &Line, queue: &str, at: Timestamp) -> Vec<CallEvent> {
        let dialled = self.dialled.remove(&caller.unique);
        let mut told = Told { call: &caller.linked, at, events: Vec::new() };
        if let Some(call) = self.calls.get_mut(&caller.linked) {
            call.in_doubt = false;
            if call.caller == caller.unique {
                call.stage = Stage::Waiting;
                told.say(&format!("queued:{at}"), EventKind::Queued { queue: Some(queue.to_owned()) });
            }
            return told.events;
        }
        if self.calls.len() >= MOST {
            tracing::warn!("more calls than can be kept in mind: one is passed over");
            return Vec::new();
        }
        let number = |text: &String| PartyNumber::read(text, &self.home).ok();
        let from = caller.number.as_ref().and_then(number);
        let is_mobile = self.mobile.iter().any(|beginning| caller.endpoint().starts_with(beginning.as_str()));
        told.say(
            "ringing",
            EventKind::Ringing {
                channel: if is_mobile { Channel::Mobile } else { Channel::Fixed },
                direction: match from {
                    Some(PartyNumber::Extension(_)) => InteractionDirection::Internal,
                    _ => InteractionDirection::Inbound,
                },
                from: from.and_then(|from| from.telephone()).map_or(Caller::Withheld, Caller::Number),
                to: dialled
                    .as_ref()
                    .and_then(number)
                    .and_then(|to: PartyNumber| -> Option<PhoneNumber> { to.telephone() }),
                queue: Some(queue.to_owned()),
            },
        );
        let call = Call {
            caller: caller.unique.clone(),
            stage: Stage::Waiting,
            answered: false,
            held: false,
            legs: Vec::new(),
            in_doubt: false,
        };
        self.calls.insert(caller.linked.clone(), call);
        told.events
    }

    fn end(&mut self, line: &Line, cause: Option<&String>, at: Timestamp) -> Vec<CallEvent> {
        self.dialled.remove(&line.unique);
        let Some(call) = self.calls.get_mut(&line.linked) else { return Vec::new() };
        let mut told = Told { call: &line.linked, at, events: Vec::new() };
        if call.caller != line.unique {
            told.close(call, &line.unique, cause.cloned());
            return told.events;
        }
        let end = match (call.answered, call.stage) {
            (true, _) => EndCause::Completed,
            (false, Stage::GaveUp) => EndCause::Abandoned,
            (false, _) => EndCause::Missed,
        };
        told.end(call, end, cause);
        let told = told.events;
        self.calls.remove(&line.linked);
        told
    }
}

impl Told<'_> {
    /// The step is the event's name within the call: the same step is told once, also when a resync repeats it.
    fn say(&mut self, step: &str, kind: EventKind) {
        let event_id = EventId::new(&format!("ami:{}:{step}", self.call));
        // An exchange whose identifiers cannot stand in one is none.
        if let (Ok(event_id), Ok(call_id)) = (event_id, CallId::new(self.call)) {
            self.events.push(CallEvent { event_id, call_id, kind, at: self.at });
        }
    }

    fn ring(&mut self, call: &mut Call, leg: &str, agent: &str) {
        if let Ok(id) = CallId::new(leg)
            && !call.legs.iter().any(|known| known == leg)
        {
            call.legs.push(leg.to_owned());
            let agent = Some(Clear::from(agent));
            self.say(&format!("leg:{leg}"), EventKind::LegOpened { leg: id, agent, number: None });
        }
    }

    fn close(&mut self, call: &mut Call, leg: &str, provider_cause: Option<String>) {
        let Some(place) = call.legs.iter().position(|known| known == leg) else { return };
        call.legs.swap_remove(place);
        if let Ok(id) = CallId::new(leg) {
            self.say(&format!("leg-closed:{leg}"), EventKind::LegClosed { leg: id, provider_cause });
        }
    }

    fn answer(&mut self, call: &mut Call, leg: &str, agent: &str, queue: Option<&String>) {
        self.ring(call, leg, agent);
        (call.stage, call.held) = (Stage::Talking, false);
        let agent = Some(Clear::from(agent));
        if std::mem::replace(&mut call.answered, true) {
            let kind = EventKind::Transferred { agent, queue: queue.cloned() };
            self.say(&format!("transferred:{leg}"), kind);
        } else {
            self.say("answered", EventKind::Answered { agent });
        }
    }

    /// A phone may say so of a call that was not held: some do before they hand it on.
    fn hold(&mut self, call: &mut Call, held: bool) {
        if call.stage == Stage::Talking && call.held != held {
            call.held = held;
            let kind = if held { EventKind::Held } else { EventKind::Resumed };
            self.say(&format!("{}:{}", kind.word(), self.at), kind);
        }
    }

    /// The phones first: the exchange may tell of the caller's end before theirs.
    fn end(&mut self, call: &mut Call, cause: EndCause, provider_cause: Option<&String>) {
        for leg in call.legs.clone() {
            self.close(call, &leg, provider_cause.cloned());
        }
        let provider_cause = provider_cause.cloned();
        self.say("ended", EventKind::Ended { cause, provider_cause });
    }
}

#[cfg(test)]
mod tests;
