//! What the exchange tells becomes what the center hears: pure, so that every order of messages can be tried.
//!
//! Messages change a picture of channels and bridges; after each, what is true of a call and was not said before is
//! said ([`Call::settle`]). So a message that comes twice, late or never says nothing wrong: it only fills in the
//! picture. Which channels are one call follows from Asterisk's `linkedid` where `ari.conf` lets it through, else from
//! who dials whom, who is in one bridge, and which two halves a Local channel has. The order of messages is trusted
//! for one channel, never across channels: versions of Asterisk differ in it.

mod call;
mod device;
mod recent;
pub(crate) mod resync;

use std::collections::HashMap;

use jiff::Timestamp;
use ramal_center::{CallEvent, CallId, Clear, EndCause};

use self::call::{Call, Moment, Story, Told};
use self::device::Device;
use self::recent::Recent;
use super::cause::{ASKED_FOR, Dialled};
use super::message::{AriEvent, Bridge, Channel, What};
use super::plan::{LinePlan, Role};

/// Channels and calls that are over are known so long, by their number.
const REMEMBERED: usize = 8192;

/// The picture of one exchange.
#[derive(Debug)]
pub(crate) struct Tracker {
    plan: LinePlan,
    devices: HashMap<String, Device>,
    calls: HashMap<String, Call>,
    /// Names of calls that became part of another.
    merged: HashMap<String, String>,
    /// Channels that are gone: a message that comes after does not bring them back.
    gone: Recent,
    /// Calls that are over.
    over: Recent,
    order: u64,
}

/// How a call stands on the exchange, for whoever wants to do something with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The customers' channels.
    pub(crate) customers: Vec<String>,
    /// The agents' channels, those that are dialled among them.
    pub(crate) agents: Vec<String>,
    /// Those of them that talk or could.
    pub(crate) up: Vec<String>,
    /// The bridge that the customer, or else an agent, is in.
    pub(crate) bridge: Option<String>,
    pub(crate) answered: bool,
    pub(crate) parked: bool,
}

impl Tracker {
    pub(crate) fn new(plan: LinePlan) -> Self {
        Self {
            plan,
            devices: HashMap::new(),
            calls: HashMap::new(),
            merged: HashMap::new(),
            gone: Recent::new(REMEMBERED),
            over: Recent::new(REMEMBERED),
            order: 0,
        }
    }

    pub(crate) fn plan(&self) -> &LinePlan {
        &self.plan
    }

    /// Takes one message. `now` stands in for a time that it does not say.
    pub(crate) fn take(&mut self, event: &AriEvent, now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        let at = event.timestamp.unwrap_or(now);
        match &event.what {
            What::StasisStart { channel, .. }
            | What::StasisEnd { channel }
            | What::ChannelCreated { channel }
            | What::ChannelStateChange { channel }
            | What::ChannelDialplan { channel } => self.change(channel, "state", at, |_| {}, &mut out),
            What::ChannelHold { channel } => self.change(channel, "hold", at, |d| d.holds = true, &mut out),
            What::ChannelUnhold { channel } => {
                // Also where this host took the call up as held and cannot know whose hold it was.
                if let Some(key) = self.observe(channel, at)
                    && let Some(call) = self.calls.get_mut(&key)
                {
                    call.parked = false;
                }
                self.change(channel, "unhold", at, |d| d.holds = false, &mut out);
            }
            What::ChannelEnteredBridge { bridge, channel } => self.entered(bridge, channel, at, &mut out),
            What::ChannelLeftBridge { bridge, channel } => {
                let left = |device: &mut Device| {
                    if device.bridge.as_deref() == Some(bridge.id.as_str()) {
                        device.bridge = None;
                    }
                };
                self.change(channel, "left", at, left, &mut out);
            }
            What::BridgeDestroyed { bridge } => {
                let inside =
                    self.devices.values_mut().filter(|d| d.bridge.as_deref() == Some(bridge.id.as_str()));
                inside.for_each(|device| device.bridge = None);
            }
            What::ChannelHangupRequest { channel, cause } => self.hangup(channel, *cause, at, &mut out),
            What::ChannelDestroyed { channel, cause, cause_txt } => {
                let raw = format!("{cause} {cause_txt}");
                self.observe(channel, at);
                self.destroyed(&channel.id, *cause, raw.trim_end(), at, &mut out);
            }
            What::Dial { caller, peer, dialstatus } => {
                self.dial(caller.as_ref(), peer, dialstatus, at, &mut out);
            }
            What::BridgeBlindTransfer { channel, exten, result } if result == "Success" => {
                let agent = self.plan.agent(exten);
                let moment = Moment { at, of: format!("{} transfer", channel.id) };
                if let Some(key) = self.observe(channel, at)
                    && let Some(call) = self.calls.get_mut(&key)
                {
                    call.hand_on(agent, &moment, &mut out);
                }
            }
            What::BridgeAttendedTransfer { transferer_first_leg, transferer_second_leg, result }
                if result == "Success" =>
            {
                let (first, second) =
                    (self.observe(transferer_first_leg, at), self.observe(transferer_second_leg, at));
                if let (Some(first), Some(second)) = (first, second) {
                    let key = self.join(&first, &second, at, &mut out);
                    self.settle(&key, &transferer_first_leg.id, "transfer", at, &mut out);
                }
            }
            What::BridgeBlindTransfer { .. }
            | What::BridgeAttendedTransfer { .. }
            | What::RecordingFinished { .. }
            | What::RecordingFailed { .. }
            | What::ApplicationReplaced
            | What::Other => {}
        }
        out
    }

    fn change(
        &mut self,
        channel: &Channel,
        what: &str,
        at: Timestamp,
        change: impl FnOnce(&mut Device),
        out: &mut Vec<CallEvent>,
    ) {
        let Some(key) = self.observe(channel, at) else { return };
        if let Some(device) = self.devices.get_mut(&channel.id) {
            change(device);
        }
        let key = self.follow_link(channel, key, at, out);
        self.settle(&key, &channel.id, what, at, out);
    }

    fn entered(&mut self, bridge: &Bridge, channel: &Channel, at: Timestamp, out: &mut Vec<CallEvent>) {
        let Some(mut key) = self.observe(channel, at) else { return };
        if let Some(device) = self.devices.get_mut(&channel.id) {
            device.bridge = Some(bridge.id.clone());
        }
        let tool = |d: &Device| d.role == Role::Tool;
        if !self.devices.get(&channel.id).is_some_and(tool) {
            let others: Vec<String> = self
                .devices
                .values()
                .filter(|d| !tool(d) && d.call != key && d.bridge.as_deref() == Some(bridge.id.as_str()))
                .map(|d| d.call.clone())
                .collect();
            for other in others {
                key = self.join(&other, &key, at, out);
            }
        }
        self.settle(&key, &channel.id, "entered", at, out);
    }

    fn hangup(&mut self, channel: &Channel, cause: Option<i64>, at: Timestamp, out: &mut Vec<CallEvent>) {
        let Some(key) = self.observe(channel, at) else { return };
        let caller = self.devices.get(&channel.id).is_some_and(|d| d.incoming && d.is_person());
        if let Some(call) = self.calls.get_mut(&key) {
            let first = !call.ending.gave_up && !call.ending.dismissed;
            if first && cause == Some(ASKED_FOR) {
                call.ending.dismissed = caller;
            } else if first {
                call.ending.gave_up = caller;
            }
        }
        self.settle(&key, &channel.id, "hangup", at, out);
    }

    fn dial(
        &mut self,
        caller: Option<&Channel>,
        peer: &Channel,
        status: &str,
        at: Timestamp,
        out: &mut Vec<CallEvent>,
    ) {
        let (from, to) = (caller.and_then(|c| self.observe(c, at)), self.observe(peer, at));
        let key = match (from, to) {
            (Some(from), Some(to)) => self.join(&from, &to, at, out),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return,
        };
        if let (Some(dialled), Some(call)) = (Dialled::of(status), self.calls.get_mut(&key)) {
            call.ending.dialled = Some(dialled);
        }
        self.settle(&key, &peer.id, "dial", at, out);
    }

    /// The call of a channel, which is seen here for the first time or again. `None` when it is over.
    fn observe(&mut self, channel: &Channel, at: Timestamp) -> Option<String> {
        if self.gone.has(&channel.id) {
            return None;
        }
        if let Some(device) = self.devices.get_mut(&channel.id) {
            device.see(channel);
            return Some(device.call.clone());
        }
        let named = channel.linked().unwrap_or(&channel.id);
        let key = self.half(channel).unwrap_or_else(|| self.resolved(named));
        if self.over.has(&key) {
            self.gone.add(&channel.id);
            return None;
        }
        let id = CallId::new(&key).ok()?;
        let device = Device::new(channel, &self.plan, &key);
        let order = self.order;
        self.order = order.saturating_add(1);
        let begun = channel.creationtime.unwrap_or(at);
        let call = self.calls.entry(key.clone()).or_insert_with(|| Call::new(id, order, begun));
        call.seen |= device.is_person();
        call.channels.push(channel.id.clone());
        self.devices.insert(channel.id.clone(), device);
        Some(key)
    }

    /// The call of a Local channel's other half.
    fn half(&self, channel: &Channel) -> Option<String> {
        let (pair, _) = channel.local()?;
        let same = |d: &&Device| matches!(&d.role, Role::Local { pair: known, .. } if known == pair);
        self.devices.values().find(same).map(|d| d.call.clone())
    }

    fn resolved(&self, name: &str) -> String {
        self.merged.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// Asterisk itself says that a channel belongs to another call by now.
    fn follow_link(
        &mut self,
        channel: &Channel,
        key: String,
        at: Timestamp,
        out: &mut Vec<CallEvent>,
    ) -> String {
        match channel.linked().map(|linked| self.resolved(linked)) {
            Some(linked) if linked != key && self.calls.contains_key(&linked) => {
                self.join(&linked, &key, at, out)
            }
            _ => key,
        }
    }

    /// Two calls turn out to be one, unless each has a customer of its own. The one that was told stays; of two, the
    /// older.
    fn join(&mut self, one: &str, other: &str, at: Timestamp, out: &mut Vec<CallEvent>) -> String {
        let (Some(a), Some(b)) = (self.calls.get(one), self.calls.get(other)) else {
            return if self.calls.contains_key(one) { one.to_owned() } else { other.to_owned() };
        };
        if one == other || (a.has_customer(&self.devices) && b.has_customer(&self.devices)) {
            return one.to_owned();
        }
        let rank = |call: &Call| {
            let told = call.told().is_some();
            (!told, told && !call.has_customer(&self.devices), call.order)
        };
        let (stays, goes) = if rank(a) <= rank(b) { (one, other) } else { (other, one) };
        let Some(gone) = self.calls.remove(goes) else { return stays.to_owned() };
        if gone.told().is_some() {
            let cause = if gone.told().is_some_and(|t| t.answered) {
                EndCause::Completed
            } else {
                EndCause::Abandoned
            };
            gone.end_as(cause, Some("merged".to_owned()), at, out);
        }
        for id in &gone.channels {
            if let Some(device) = self.devices.get_mut(id) {
                stays.clone_into(&mut device.call);
                device.told = false;
            }
        }
        if let Some(call) = self.calls.get_mut(stays) {
            call.seen |= gone.seen;
            let older = gone.order < call.order;
            if older {
                call.order = gone.order;
                drop(call.channels.splice(0..0, gone.channels));
            } else {
                call.channels.extend(gone.channels);
            }
        }
        self.merged.values_mut().filter(|v| v.as_str() == goes).for_each(|v| stays.clone_into(v));
        self.merged.insert(goes.to_owned(), stays.to_owned());
        stays.to_owned()
    }

    fn destroyed(&mut self, id: &str, cause: i64, raw: &str, at: Timestamp, out: &mut Vec<CallEvent>) {
        self.gone.add(id);
        let Some(device) = self.devices.remove(id) else { return };
        let key = device.call.clone();
        if let Some(call) = self.calls.get_mut(&key) {
            call.channels.retain(|known| known != id);
            // The customer's says more than that of whoever was let go because of it.
            if device.is_customer() || (device.is_person() && !call.ending.by_customer) {
                call.raw = Some(raw.to_owned());
                call.ending.cause = cause;
                call.ending.by_customer |= device.is_customer();
                call.ending.voicemail |= device.is_customer() && device.voicemail;
            }
            call.tell_gone(id, &device, raw, at, out);
        }
        self.settle(&key, id, "destroyed", at, out);
    }

    fn settle(&mut self, key: &str, of: &str, what: &str, at: Timestamp, out: &mut Vec<CallEvent>) {
        let Some(call) = self.calls.get_mut(key) else { return };
        let moment = Moment { at, of: format!("{of} {what}") };
        call.settle(&mut self.devices, &self.plan, &moment, out);
        if call.is_over(&self.devices) {
            call.end(at, out);
            self.forget(key);
        }
    }

    /// The call is over: what is still heard of its channels is nothing new.
    fn forget(&mut self, key: &str) {
        let Some(call) = self.calls.remove(key) else { return };
        for id in &call.channels {
            self.devices.remove(id);
            self.gone.add(id);
        }
        if call.told().is_some() {
            self.over.add(key);
            let names: Vec<String> =
                self.merged.iter().filter(|(_, to)| *to == key).map(|(name, _)| name.clone()).collect();
            for name in names {
                self.merged.remove(&name);
                self.over.add(&name);
            }
        }
    }

    // === what this host does itself ===

    /// A call that this host makes: its first channel will have this very name.
    pub(crate) fn declare(&mut self, id: &CallId, now: Timestamp) {
        let order = self.order;
        self.order = order.saturating_add(1);
        let call =
            self.calls.entry(id.as_str().to_owned()).or_insert_with(|| Call::new(id.clone(), order, now));
        call.story = Story::Told(Told::begun(ramal_center::InteractionDirection::Outbound));
    }

    /// A channel that this host is about to make belongs to a call.
    pub(crate) fn expect(&mut self, channel: &str, call: &CallId) {
        self.merged.insert(channel.to_owned(), self.resolved(call.as_str()));
    }

    /// A call that this host could not make.
    pub(crate) fn give_up(&mut self, id: &CallId, why: &str, now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        let key = self.resolved(id.as_str());
        if let Some(call) = self.calls.get_mut(&key) {
            let at = call.moment(now, why).at;
            call.end_as(EndCause::Failed, Some(why.to_owned()), at, &mut out);
            self.forget(&key);
        }
        out
    }

    /// The customer waits, or no longer.
    pub(crate) fn park(&mut self, id: &CallId, parked: bool, now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        let key = self.resolved(id.as_str());
        if let Some(call) = self.calls.get_mut(&key) {
            call.parked = parked;
            let moment = call.moment(now, "park");
            call.settle(&mut self.devices, &self.plan, &moment, &mut out);
        }
        out
    }

    /// The call is handed on.
    pub(crate) fn hand_on(&mut self, id: &CallId, agent: Clear, now: Timestamp) -> Vec<CallEvent> {
        let mut out = Vec::new();
        let key = self.resolved(id.as_str());
        if let Some(call) = self.calls.get_mut(&key) {
            let moment = call.moment(now, "hand-on");
            call.hand_on(agent, &moment, &mut out);
        }
        out
    }

    /// A moment of a call for what this host does with it; `now` when it is over.
    pub(crate) fn moment(&mut self, id: &CallId, now: Timestamp) -> Timestamp {
        let key = self.resolved(id.as_str());
        self.calls.get_mut(&key).map_or(now, |call| call.moment(now, "own").at)
    }

    /// The call that a channel belongs to.
    pub(crate) fn call_of(&self, channel: &str) -> Option<CallId> {
        let device = self.devices.get(channel)?;
        self.calls.get(&device.call).map(|call| call.id.clone())
    }

    /// How a call stands. `None` when it is over or was never seen.
    pub(crate) fn standing(&self, id: &CallId) -> Option<Standing> {
        let call = self.calls.get(&self.resolved(id.as_str()))?;
        let mut standing = Standing {
            answered: call.told().is_some_and(|told| told.answered),
            parked: call.parked,
            ..Standing::default()
        };
        let mut agents_bridge = None;
        for id in &call.channels {
            let Some(device) = self.devices.get(id) else { continue };
            let side = match &device.role {
                Role::Customer(_) => &mut standing.customers,
                Role::Agent(_) | Role::Local { half: super::message::Half::Near, .. } => {
                    agents_bridge = agents_bridge.or_else(|| device.bridge.clone());
                    &mut standing.agents
                }
                Role::Local { .. } | Role::Tool => continue,
            };
            side.push(id.clone());
            if device.up {
                standing.up.push(id.clone());
            }
            if device.is_customer() && standing.bridge.is_none() {
                standing.bridge.clone_from(&device.bridge);
            }
        }
        standing.bridge = standing.bridge.or(agents_bridge);
        Some(standing)
    }

    /// The calls that live and that the center knows.
    pub(crate) fn calls(&self) -> Vec<CallId> {
        self.calls.values().filter(|call| call.told().is_some()).map(|call| call.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
