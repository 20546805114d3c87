//! After a time in which nothing was heard: what lives on the exchange, compared with what was thought to.
//!
//! Asterisk repeats nothing. So whoever connects asks what lives; calls of which nothing is left are ended and the
//! history says by what that is known, calls that live go on, and those that began meanwhile begin.

use std::collections::HashSet;

use jiff::Timestamp;
use ramal_center::{CallEvent, EndCause, Interaction, InteractionState};

use super::Tracker;
use super::call::{Call, Story, Told};
use crate::asterisk::message::{Bridge, Channel};

/// What the exchange said when it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Census {
    pub(crate) channels: Vec<Channel>,
    pub(crate) bridges: Vec<Bridge>,
    /// When the exchange was started.
    pub(crate) since: Option<Timestamp>,
}

impl Tracker {
    /// Takes up the calls that the center knows and this host, started since, does not.
    pub(crate) fn adopt(&mut self, known: &[Interaction], now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        for interaction in known.iter().filter(|i| i.state != InteractionState::Ended) {
            let Some(id) = &interaction.reference else { continue };
            let key = self.resolved(id.as_str());
            if self.calls.contains_key(&key) {
                continue;
            }
            let mut call = Call::new(id.clone(), self.order, interaction.started_at);
            call.last = interaction.changed_at;
            self.order = self.order.saturating_add(1);
            call.seen = true;
            call.parked = interaction.state == InteractionState::Held;
            call.story = Story::Told(Told {
                direction: interaction.direction,
                answered: interaction.answered_at.is_some(),
                held: interaction.state == InteractionState::Held,
                agent: interaction.agent.clone(),
                handed: false,
            });
            for leg in interaction.legs.iter().filter(|leg| leg.span.until.is_none()) {
                let name = leg.id.as_str();
                if name != key {
                    self.merged.insert(name.to_owned(), key.clone());
                }
            }
            if self.over.has(&key) {
                // It ended, and the center did not take that.
                let (cause, why) = unseen_end(&call, None);
                let at = call.moment(now, "resync").at;
                call.end_as(cause, Some(why.to_owned()), at, &mut out);
                continue;
            }
            self.calls.insert(key, call);
        }
        out
    }

    /// Compares.
    pub(crate) fn resync(&mut self, census: &Census, now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        let live: HashSet<&str> = census.channels.iter().map(|c| c.id.as_str()).collect();
        let vanished: Vec<String> =
            self.devices.keys().filter(|id| !live.contains(id.as_str())).cloned().collect();
        for id in vanished {
            self.gone.add(&id);
            let Some(device) = self.devices.remove(&id) else { continue };
            if let Some(call) = self.calls.get_mut(&device.call) {
                call.channels.retain(|known| *known != id);
                call.raw = Some("resync".to_owned());
                let at = call.moment(now, "resync").at;
                call.tell_gone(&id, &device, "resync", at, &mut out);
            }
        }
        let mut channels: Vec<&Channel> = census.channels.iter().collect();
        channels.sort_by_key(|c| (c.creationtime, c.id.clone()));
        for channel in channels {
            let at = channel.creationtime.unwrap_or(now);
            if let Some(key) = self.observe(channel, at) {
                self.follow_link(channel, key, now, &mut out);
            }
        }
        self.rejoin(&census.bridges, now, &mut out);
        let keys: Vec<String> = self.calls.keys().cloned().collect();
        for key in keys {
            let Some(call) = self.calls.get_mut(&key) else { continue };
            if call.told().is_none() && call.channels.is_empty() {
                self.calls.remove(&key);
                continue;
            }
            // A call that began meanwhile began when its channel did.
            let at = if call.told().is_some() { call.moment(now, "resync").at } else { call.last };
            let moment = super::Moment { at, of: format!("{key} resync") };
            call.settle(&mut self.devices, &self.plan, &moment, &mut out);
            if call.is_over(&self.devices) {
                let (cause, why) = unseen_end(call, census.since);
                let at = call.moment(now, "resync").at;
                call.end_as(cause, Some(why.to_owned()), at, &mut out);
                self.forget(&key);
            }
        }
        out
    }

    fn rejoin(&mut self, bridges: &[Bridge], now: Timestamp, out: &mut Vec<CallEvent>) {
        self.devices.values_mut().for_each(|device| device.bridge = None);
        for bridge in bridges {
            let mut first: Option<String> = None;
            for id in &bridge.channels {
                let Some(device) = self.devices.get_mut(id) else { continue };
                device.bridge = Some(bridge.id.clone());
                let key = device.call.clone();
                first = Some(match first {
                    Some(first) => self.join(&first, &key, now, out),
                    None => key,
                });
            }
        }
    }
}

/// How a call ended that ended unseen: an exchange that was started since has cut it.
fn unseen_end(call: &Call, since: Option<Timestamp>) -> (EndCause, &'static str) {
    let answered = call.told().is_some_and(|told| told.answered);
    let cut = since.is_some_and(|since| since > call.began);
    match (cut, answered) {
        (true, _) => (EndCause::Failed, "resync: the exchange was restarted"),
        (false, true) => (EndCause::Completed, "resync"),
        (false, false) => (EndCause::Failed, "resync"),
    }
}
