//! A call's dialogs: what was recorded and when it stood still, who was there when, who handed it to whom; or why it
//! never came to a talk.

use std::collections::BTreeSet;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use jiff::Timestamp;
use ramal_store::{
    CallId, EndCause, EventRecord, Interaction, InteractionDirection, InteractionEvent as Event, Recording,
    RecordingState,
};

use super::VconIssuer;
use super::document::{Dialog, DialogIndex, External, PartyEvent, PartyHistory, PartyIndex};
use super::parties::Parties;

/// What exchanges record. The history does not say it; a reader learns better from the answer's own header.
const SOUND: &str = "audio/x-wav";

pub(super) fn dialogs(
    of: &Interaction,
    events: &[EventRecord],
    parties: &mut Parties<'_>,
    issuer: &VconIssuer,
) -> Vec<Dialog> {
    let application = of.channel.as_str();
    let talked =
        of.answered_at.is_some() || of.cause == Some(EndCause::Completed) || !of.recordings.is_empty();
    if !talked {
        let sides = sides(of, parties);
        // A call that still rings has no dialog yet, and none that failed.
        return of
            .cause
            .map(|cause| Dialog::Incomplete {
                start: of.started_at,
                duration: of.ended_at.and_then(|end| seconds(of.started_at, end)),
                parties: sides,
                disposition: disposition(cause),
                application,
            })
            .into_iter()
            .collect();
    }
    let Walk { history: party_history, handed_on, were_there, .. } = Walk::through(of, events, parties);
    let start = of.answered_at.unwrap_or(of.started_at);
    let mut segments: Vec<Segment> =
        of.recordings.iter().flat_map(|recording| segments(recording, of.ended_at, issuer)).collect();
    if segments.is_empty() {
        // Nothing was recorded: that they talked is said all the same.
        let duration = of.ended_at.and_then(|end| seconds(start, end));
        segments.push(Segment { start, duration, content: None });
    }
    let is_set = segments.len() > 1;
    let first: DialogIndex = usize::from(is_set);
    let recordings: Vec<DialogIndex> = (first..first.saturating_add(segments.len())).collect();
    let mut dialogs = Vec::new();
    let mut of_one = Some(party_history);
    if is_set {
        dialogs.push(Dialog::RecordingSet {
            start,
            duration: of.ended_at.and_then(|end| seconds(start, end)),
            parties: were_there.clone(),
            recordings: recordings.clone(),
            mediatype: SOUND,
            party_history: of_one.take().unwrap_or_default(),
            application,
        });
    }
    let starts: Vec<Timestamp> = segments.iter().map(|segment| segment.start).collect();
    dialogs.extend(segments.into_iter().map(|segment| Dialog::Recording {
        start: segment.start,
        duration: segment.duration,
        parties: were_there.clone(),
        mediatype: SOUND,
        recording_set: is_set.then_some(0),
        content: segment.content,
        party_history: of_one.take().unwrap_or_default(),
        application,
    }));
    let customer = parties.customer();
    dialogs.extend(handed_on.into_iter().map(|handed| {
        // What began before it is the talk that was handed on; what goes on after it is the talk with the target.
        let before = starts.iter().filter(|start| **start <= handed.at).count().max(1);
        let after = before.saturating_sub(1);
        Dialog::Transfer {
            start: handed.at,
            transferee: customer,
            transferor: handed.by,
            transfer_target: handed.to,
            original: recordings.iter().take(before).copied().collect(),
            target_dialog: recordings.iter().skip(after).copied().collect(),
        }
    }));
    dialogs
}

/// Both sides, whoever began it first.
fn sides(of: &Interaction, parties: &mut Parties<'_>) -> Vec<PartyIndex> {
    let (customer, company) = (parties.customer(), parties.company());
    if of.direction == InteractionDirection::Outbound {
        vec![company, customer]
    } else {
        vec![customer, company]
    }
}

fn disposition(cause: EndCause) -> &'static str {
    match cause {
        EndCause::Missed | EndCause::NoAnswer | EndCause::Rejected => "no-answer",
        EndCause::Abandoned => "hung-up",
        EndCause::Busy => "busy",
        EndCause::Voicemail => "voicemail-no-message",
        // The last three cannot end a call that nobody took; a history that says so is told as a failure.
        EndCause::Failed | EndCause::Completed | EndCause::Closed | EndCause::Idle => "failed",
    }
}

fn seconds(from: Timestamp, until: Timestamp) -> Option<f64> {
    let span = until.duration_since(from);
    (!span.is_negative()).then(|| span.as_secs_f64())
}

// === what was recorded ===

/// A part of a recording between two pauses.
struct Segment {
    start: Timestamp,
    duration: Option<f64>,
    content: Option<External>,
}

/// The parts of one recording. Its file leaves the pauses out, so each part says where in the file it is.
fn segments(recording: &Recording, ended_at: Option<Timestamp>, issuer: &VconIssuer) -> Vec<Segment> {
    let mut spans: Vec<(Timestamp, Option<f64>)> = Vec::new();
    let mut from = Some(recording.started_at);
    for pause in &recording.pauses {
        let Some(begun) = from else { break };
        if pause.from > begun {
            spans.push((begun, seconds(begun, pause.from)));
        }
        from = pause.until.map(|until| until.max(begun));
    }
    let whole = recording.duration_ms.map(|ms| std::time::Duration::from_millis(ms).as_secs_f64());
    let so_far: f64 = spans.iter().filter_map(|(_, duration)| *duration).sum();
    if let Some(begun) = from {
        let rest = match (whole, ended_at) {
            (Some(whole), _) => Some((whole - so_far).max(0.0)),
            (None, Some(end)) => seconds(begun, end),
            (None, None) => None,
        };
        // A recording that ended in its pause has nothing after it.
        if rest != Some(0.0) || spans.is_empty() {
            spans.push((begun, rest));
        }
    }
    let content = content(recording, issuer);
    let several = spans.len() > 1;
    let mut at = 0.0;
    spans
        .into_iter()
        .map(|(start, duration)| {
            let from = at;
            at += duration.unwrap_or_default();
            let part = content.clone().map(|mut content| {
                if several {
                    // A temporal fragment (W3C Media Fragments URI 1.0): the hash is of the whole file.
                    content.url.push_str(&format!("#t={from:.3},{at:.3}"));
                }
                content
            });
            Segment { start, duration, content: part }
        })
        .collect()
}

/// Where the sound is, when it can be heard and its hash is one that the draft knows.
fn content(recording: &Recording, issuer: &VconIssuer) -> Option<External> {
    if recording.state != RecordingState::Ready {
        return None;
    }
    let content_hash = content_hash(recording.digest.as_deref()?)?;
    let url = format!("{}recordings/{}", issuer.recordings.as_ref()?, recording.id.0);
    Some(External { url, content_hash })
}

/// SHA-512 in the draft's spelling, from the usual ones: 128 hexadecimal digits, with or without the name before it.
pub(super) fn content_hash(digest: &str) -> Option<String> {
    let named = ["sha512-", "sha512:", "sha-512:"].iter().find_map(|name| digest.strip_prefix(name));
    let text = named.unwrap_or(digest);
    let decode = |with: &data_encoding::Encoding| with.decode(text.as_bytes()).ok().filter(|b| b.len() == 64);
    let bytes = decode(&HEXLOWER_PERMISSIVE).or_else(|| decode(&BASE64URL_NOPAD))?;
    Some(format!("sha512-{}", BASE64URL_NOPAD.encode(&bytes)))
}

// === who was there ===

/// That the call was handed on.
struct HandedOn {
    at: Timestamp,
    by: PartyIndex,
    to: PartyIndex,
}

/// Goes through a history and notes who comes and goes.
struct Walk {
    customer: PartyIndex,
    /// Who speaks for the company.
    speaks: PartyIndex,
    present: BTreeSet<PartyIndex>,
    legs: Vec<(CallId, PartyIndex)>,
    history: Vec<PartyHistory>,
    handed_on: Vec<HandedOn>,
    were_there: Vec<PartyIndex>,
}

impl Walk {
    fn through(of: &Interaction, events: &[EventRecord], parties: &mut Parties<'_>) -> Self {
        let mut walk = Self {
            customer: parties.customer(),
            speaks: parties.company(),
            present: BTreeSet::new(),
            legs: Vec::new(),
            history: Vec::new(),
            handed_on: Vec::new(),
            were_there: Vec::new(),
        };
        // What came late is told where it belongs.
        let mut in_time: Vec<&EventRecord> = events.iter().collect();
        in_time.sort_by_key(|record| record.at);
        let begins = of.answered_at.unwrap_or(of.started_at);
        let outbound = of.direction == InteractionDirection::Outbound;
        for record in in_time {
            walk.take(record, begins, outbound, parties);
        }
        if let Some(end) = of.ended_at {
            for party in std::mem::take(&mut walk.present) {
                walk.note(party, end, PartyEvent::Drop);
            }
        }
        walk.history.sort_by_key(|one| one.time);
        if walk.were_there.is_empty() {
            walk.were_there = sides(of, parties);
        }
        walk
    }

    fn take(&mut self, record: &EventRecord, begins: Timestamp, outbound: bool, parties: &mut Parties<'_>) {
        let at = record.at;
        match &record.event {
            Event::Answered { agent } => {
                let agent = parties.agent(agent.as_ref());
                let company_stood_in = self.speaks == parties.company() && self.speaks != agent;
                if company_stood_in && self.present.contains(&self.speaks) {
                    // Who took it was told a second time, with a name.
                    self.leave(self.speaks, at);
                }
                self.speaks = agent;
                let (first, second) = if outbound { (agent, self.customer) } else { (self.customer, agent) };
                self.come(first, at);
                self.come(second, at);
            }
            Event::LegOpened { leg, agent, number } => {
                let party = match (agent, number) {
                    (Some(agent), _) => parties.agent(Some(agent)),
                    (None, Some(number)) => parties.number(number),
                    (None, None) => return,
                };
                self.legs.push((leg.clone(), party));
                // A device that only rings is not in the talk.
                if at > begins {
                    self.come(party, at);
                }
            }
            Event::LegClosed { leg, .. } => {
                let Some(place) = self.legs.iter().position(|(id, _)| id == leg) else { return };
                let (_, party) = self.legs.swap_remove(place);
                if !self.legs.iter().any(|(_, other)| *other == party) {
                    self.leave(party, at);
                }
            }
            Event::Held {} => self.note(self.customer, at, PartyEvent::Hold),
            Event::Resumed {} => self.note(self.customer, at, PartyEvent::Unhold),
            Event::Transferred { agent, queue } => {
                let to = match (agent, queue) {
                    (None, Some(queue)) => parties.queue(queue),
                    (agent, _) => parties.agent(agent.as_ref()),
                };
                self.handed_on.push(HandedOn { at, by: self.speaks, to });
                self.hand_over(to, at);
            }
            _ => {}
        }
    }

    fn hand_over(&mut self, to: PartyIndex, at: Timestamp) {
        if to != self.speaks {
            self.leave(self.speaks, at);
        }
        self.speaks = to;
        self.come(to, at);
    }

    fn come(&mut self, party: PartyIndex, at: Timestamp) {
        if self.present.insert(party) {
            self.note(party, at, PartyEvent::Join);
        }
        if !self.were_there.contains(&party) {
            self.were_there.push(party);
        }
    }

    fn leave(&mut self, party: PartyIndex, at: Timestamp) {
        if self.present.remove(&party) {
            self.note(party, at, PartyEvent::Drop);
        }
    }

    fn note(&mut self, party: PartyIndex, time: Timestamp, event: PartyEvent) {
        self.history.push(PartyHistory { party, time, event });
    }
}
