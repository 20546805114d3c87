//! What this host does with calls: hands those that the dialplan gives it to agents, and carries out orders.
//!
//! Who is in a call is asked of the tracker each time; kept here is only what is under way: who rings for whom, who is
//! asked before a transfer, what is recorded. After a restart a talk that goes on can be held, handed on and ended
//! again; what was under way at that moment is left to the exchange.

use std::collections::HashMap;

use jiff::Timestamp;
use ramal_center::{
    CallEvent, CallId, Caller, Channel, EventId, EventKind, InteractionDirection, InteractionId, RecordingId,
    RecordingStep,
};
use uuid::Uuid;

use super::exchange::Exchange;
use super::message::What;
use super::recorder;
use super::rest::{AriError, Originate};
use super::tracker::Standing;
use super::tracker::resync::Census;
use crate::{ControlError, Dial, Order, RecordOrder, Transfer, TransferTo};

/// What the bridges of this host are called: this and the call.
pub(super) const BRIDGE: &str = "ramal-";
/// Of the names of calls that this host makes.
const DIALS: Uuid = Uuid::from_u128(0x2b0c_7f52_9b1e_4d0a_8f57_0d6a_11c4_73d9);

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// Channels that ring for a call.
    ringing: HashMap<CallId, Vec<String>>,
    /// Whom to call once the agent has answered.
    outgoing: HashMap<CallId, String>,
    moving: HashMap<CallId, Moving>,
    recordings: HashMap<CallId, Running>,
}

/// A transfer that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Moving {
    /// Nobody is with the customer until somebody answers.
    Blind,
    /// Somebody is asked; this is their channel.
    Asking(String),
}

#[derive(Debug)]
struct Running {
    id: RecordingId,
    name: String,
}

/// What was true of a call before a message.
pub(super) struct Before {
    call: CallId,
    standing: Standing,
}

impl Desk {
    pub(super) fn recording_ended(&mut self, name: &str) {
        self.recordings.retain(|_, running| running.name != name);
    }
}

// === what the exchange tells ===

impl Exchange {
    pub(super) fn situation(&self, what: &What) -> Option<Before> {
        let (What::ChannelDestroyed { channel, .. } | What::StasisEnd { channel }) = what else {
            return None;
        };
        let call = self.tracker.call_of(&channel.id)?;
        let standing = self.tracker.standing(&call)?;
        Some(Before { call, standing })
    }

    /// Does what a message makes necessary.
    pub(super) async fn attend(&mut self, what: &What, before: Option<Before>) {
        let done = match what {
            What::StasisStart { channel, args } => {
                let said: Vec<&str> = args.iter().map(String::as_str).collect();
                self.came(&channel.id, &said).await
            }
            What::ChannelDestroyed { channel, .. } => match before {
                Some(before) => self.left(&channel.id, before).await,
                None => Ok(()),
            },
            _ => Ok(()),
        };
        if let Err(error) = done {
            self.teller.tally.count(&self.teller.origin.source, "order-failed");
            tracing::warn!(channel = %self.teller.origin.source, %error, "a step of a call was not done");
        }
    }

    /// A channel came into the application: one that this host made, by what was written on it, or a customer whom the
    /// dialplan hands over.
    async fn came(&mut self, channel: &str, said: &[&str]) -> Result<(), AriError> {
        let call = match said {
            [_, name, ..] => CallId::new(name).ok(),
            _ => None,
        };
        match (said.first().copied(), call) {
            (Some("ramal-ring"), Some(call)) => self.picked_up(channel, &call).await,
            (Some("ramal-first"), Some(call)) => self.first_answered(channel, &call).await,
            (Some("ramal-customer" | "ramal-ask"), Some(call)) => {
                self.ari.add(&bridge(&call), &[channel]).await
            }
            _ => {
                let Some(call) = self.tracker.call_of(channel) else { return Ok(()) };
                let standing = self.tracker.standing(&call).unwrap_or_default();
                if standing.customers.iter().any(|c| c == channel) {
                    self.handed_over(channel, &call).await
                } else if standing.agents.iter().any(|c| c == channel) {
                    self.hand_back(channel).await
                } else {
                    // A tool of Asterisk's, such as a recorder.
                    Ok(())
                }
            }
        }
    }

    async fn handed_over(&mut self, customer: &str, call: &CallId) -> Result<(), AriError> {
        let endpoints = self.settings.ring.clone();
        let mut ringing = Vec::new();
        for endpoint in &endpoints {
            match self.ring(endpoint, "ramal-ring", call).await {
                Ok(channel) => ringing.push(channel),
                Err(error) => tracing::warn!(%error, "an agent was not rung"),
            }
        }
        if ringing.is_empty() {
            return self.hand_back(customer).await;
        }
        self.desk.ringing.insert(call.clone(), ringing);
        self.ari.tell(customer, "ring").await
    }

    /// Back into the dialplan, which rings somebody else or says that nobody is there.
    async fn hand_back(&self, customer: &str) -> Result<(), AriError> {
        self.ari.go_on(customer, &self.settings.fallback).await
    }

    async fn ring(&mut self, endpoint: &str, word: &str, call: &CallId) -> Result<String, AriError> {
        let channel = format!("{BRIDGE}leg-{}", Uuid::new_v4());
        self.tracker.expect(&channel, call);
        let ask = Originate {
            endpoint,
            channel: &channel,
            args: &format!("{word},{}", call.as_str()),
            caller: None,
            originator: None,
            seconds: self.settings.ring_seconds,
        };
        self.ari.originate(&ask).await?;
        Ok(channel)
    }

    /// An agent picked up: the first one gets the customer.
    async fn picked_up(&mut self, agent: &str, call: &CallId) -> Result<(), AriError> {
        let wanted = self.desk.ringing.remove(call);
        let standing = self.tracker.standing(call).filter(|s| !s.customers.is_empty());
        let (Some(others), Some(standing)) = (wanted, standing) else {
            // Too late: the customer has left, or talks with somebody else.
            return self.ari.hang_up(agent).await;
        };
        for other in &others {
            if other != agent {
                self.ignore_gone(self.ari.hang_up(other).await)?;
            }
        }
        let bridge = bridge(call);
        self.ari.bridge(&bridge).await?;
        if self.desk.moving.remove(call) == Some(Moving::Blind) {
            // Whether there was music decides nothing.
            if let Err(error) = self.ari.untell_bridge(&bridge, "moh").await {
                tracing::debug!(%error, "no music was ended");
            }
        }
        for customer in &standing.customers {
            if !standing.up.contains(customer) {
                self.ari.tell(customer, "answer").await?;
            }
        }
        let mut members: Vec<&str> = standing.customers.iter().map(String::as_str).collect();
        members.push(agent);
        self.ari.add(&bridge, &members).await
    }

    /// The agent of a call that this host makes has answered: now the customer is rung.
    async fn first_answered(&mut self, agent: &str, call: &CallId) -> Result<(), AriError> {
        let Some(endpoint) = self.desk.outgoing.remove(call) else {
            return self.ari.hang_up(agent).await;
        };
        let bridge = bridge(call);
        self.ari.bridge(&bridge).await?;
        self.ari.add(&bridge, &[agent]).await?;
        let channel = format!("{BRIDGE}leg-{}", Uuid::new_v4());
        self.tracker.expect(&channel, call);
        let ask = Originate {
            endpoint: &endpoint,
            channel: &channel,
            args: &format!("ramal-customer,{}", call.as_str()),
            caller: self.settings.caller_id.as_deref(),
            originator: Some(agent),
            seconds: 120,
        };
        let rung = self.ari.originate(&ask).await;
        if rung.is_err() {
            self.ari.hang_up(agent).await?;
        }
        rung
    }

    /// A channel left: whoever is alone now is let go, unless somebody is on the way.
    async fn left(&mut self, channel: &str, before: Before) -> Result<(), AriError> {
        let Before { call, standing } = before;
        if let Some(ringing) = self.desk.ringing.get_mut(&call) {
            ringing.retain(|known| known != channel);
        }
        let nobody_came = self.desk.ringing.get(&call).is_some_and(Vec::is_empty);
        let Some(now) = self.tracker.standing(&call) else {
            return self.over(channel, &call, standing).await;
        };
        if nobody_came {
            self.desk.ringing.remove(&call);
            self.desk.moving.remove(&call);
            return self.back(&now).await;
        }
        let asked = match self.desk.moving.get(&call) {
            Some(Moving::Asking(asked)) => Some(asked.clone()),
            Some(Moving::Blind) => return Ok(()),
            None => None,
        };
        match asked {
            Some(asked) if asked == channel => drop(self.desk.moving.remove(&call)),
            // The agent hung up in the middle of asking: that hands the call on.
            Some(asked) if now.up.contains(&asked) => {
                self.desk.moving.remove(&call);
                self.bring_back(&call, &now).await?;
            }
            _ => {}
        }
        self.not_alone(&call, &now).await
    }

    /// Whoever is alone in a call of this host's is let go, unless somebody is on the way.
    async fn not_alone(&self, call: &CallId, now: &Standing) -> Result<(), AriError> {
        let alone = now.agents.is_empty() || now.customers.is_empty();
        let waits = self.desk.ringing.contains_key(call)
            || self.desk.outgoing.contains_key(call)
            || self.desk.moving.contains_key(call);
        if alone && !waits {
            let left = [now.agents.as_slice(), &now.customers].concat();
            for channel in left {
                if self.is_mine(&channel) {
                    self.ignore_gone(self.ari.hang_up(&channel).await)?;
                }
            }
        }
        Ok(())
    }

    /// Does what was left undone while nothing was heard: calls that ended have channels left in them, and whoever was
    /// to be rung by a host that has ended waits for nobody.
    pub(super) async fn tidy(&mut self, census: &Census) {
        for call in self.tracker.calls() {
            let Some(now) = self.tracker.standing(&call) else { continue };
            let waits = !now.answered && !now.customers.is_empty() && now.agents.is_empty();
            let done = if waits && !self.desk.ringing.contains_key(&call) {
                self.back(&now).await
            } else if now.answered {
                self.not_alone(&call, &now).await
            } else {
                Ok(())
            };
            if let Err(error) = done {
                tracing::warn!(%error, "a call was not put in order");
            }
        }
        for channel in &census.channels {
            if !self.is_mine(&channel.id) || self.tracker.call_of(&channel.id).is_some() {
                continue;
            }
            let done = self.ari.hang_up(&channel.id).await;
            if let Err(error) = self.ignore_gone(done) {
                tracing::warn!(%error, "a channel of a call that is over was not let go");
            }
        }
    }

    async fn back(&self, now: &Standing) -> Result<(), AriError> {
        for customer in &now.customers {
            if self.ours.contains(customer) {
                self.ignore_gone(self.hand_back(customer).await)?;
            }
        }
        Ok(())
    }

    async fn over(&mut self, gone: &str, call: &CallId, was: Standing) -> Result<(), AriError> {
        let ringing = self.desk.ringing.remove(call).unwrap_or_default();
        self.desk.outgoing.remove(call);
        self.desk.moving.remove(call);
        self.desk.recordings.remove(call);
        let ours = was.agents.into_iter().chain(was.customers).filter(|c| self.is_mine(c));
        let left: Vec<String> = ours.chain(ringing).filter(|c| c != gone).collect();
        for channel in left {
            self.ignore_gone(self.ari.hang_up(&channel).await)?;
        }
        if was.bridge.is_some_and(|b| b.starts_with(BRIDGE)) || self.ours.contains(gone) {
            self.ignore_gone(self.ari.end_bridge(&bridge(call)).await)?;
        }
        Ok(())
    }

    async fn bring_back(&mut self, call: &CallId, now: &Standing) -> Result<(), AriError> {
        for customer in &now.customers {
            self.ignore_gone(self.ari.untell(customer, "moh").await)?;
            self.ari.add(&bridge(call), &[customer]).await?;
        }
        let events = self.tracker.park(call, false, Timestamp::now());
        self.teller.tell_all(events).await;
        Ok(())
    }

    /// A channel that is in this host's application, or that this host has made and that is still dialled.
    fn is_mine(&self, channel: &str) -> bool {
        self.ours.contains(channel) || channel.starts_with(BRIDGE)
    }

    /// What is gone already need not be let go.
    fn ignore_gone(&self, done: Result<(), AriError>) -> Result<(), AriError> {
        if done == Err(AriError::Gone) { Ok(()) } else { done }
    }
}

// === what people ask ===

impl Exchange {
    pub(super) async fn dial(&mut self, dial: Dial) -> Result<InteractionId, ControlError> {
        let Dial { id, agent, to } = dial;
        let agents =
            self.tracker.plan().endpoint(agent.expose()).ok_or(ControlError::UnknownAgent)?.to_owned();
        let template = self.settings.dial.as_ref().ok_or(ControlError::NoTrunk)?;
        let customers = template.replace("{number}", &to.digits()).replace("{e164}", &to.e164());
        // The same request makes the same call.
        let name = format!("{BRIDGE}{}", Uuid::new_v5(&DIALS, id.as_str().as_bytes()));
        let call = CallId::new(&name).map_err(|_| ControlError::NotStored("the call has no name"))?;
        let now = Timestamp::now();
        let ringing = CallEvent {
            event_id: EventId::new(&name).map_err(|_| ControlError::NotStored("the call has no name"))?,
            call_id: call.clone(),
            kind: EventKind::Ringing {
                channel: self.tag(&customers),
                direction: InteractionDirection::Outbound,
                from: Caller::Withheld,
                to: Some(to),
                queue: None,
            },
            at: now,
        };
        let handled = match self.teller.tell(ringing).await {
            Some(Ok(handled)) => handled,
            Some(Err(why)) => return Err(ControlError::NotStored(why.0)),
            None => return Err(ControlError::Offline),
        };
        if handled.repeated {
            return Ok(handled.interaction);
        }
        self.tracker.declare(&call, now);
        self.desk.outgoing.insert(call.clone(), customers);
        let shown = to.e164();
        let ask = Originate {
            endpoint: &agents,
            channel: &name,
            args: &format!("ramal-first,{name}"),
            caller: Some(&shown),
            originator: None,
            seconds: self.settings.ring_seconds,
        };
        if let Err(error) = self.ari.originate(&ask).await {
            self.desk.outgoing.remove(&call);
            let events = self.tracker.give_up(&call, "not originated", Timestamp::now());
            self.teller.tell_all(events).await;
            return Err(refused(&error));
        }
        Ok(handled.interaction)
    }

    fn tag(&self, endpoint: &str) -> Channel {
        self.tracker.plan().trunk(endpoint).unwrap_or(Channel::Fixed)
    }

    pub(super) async fn act(&mut self, call: &CallId, order: Order) -> Result<(), ControlError> {
        let standing = self.tracker.standing(call).ok_or(ControlError::Over)?;
        match order {
            Order::HangUp => self.hang_up(call, &standing).await,
            Order::Hold => {
                self.talks(call, &standing, "hold")?;
                self.park(call, &standing).await
            }
            Order::Resume => {
                if !standing.parked {
                    return Err(ControlError::WrongState("it is not held by this host"));
                }
                self.desk.moving.remove(call);
                self.bring_back(call, &standing).await.map_err(|e| refused(&e))
            }
            Order::Mute => self.mute(&standing, true).await,
            Order::Unmute => self.mute(&standing, false).await,
            Order::Transfer(transfer) => self.transfer(call, &standing, transfer).await,
            Order::Record(order) => self.record(call, &standing, order).await,
        }
    }

    async fn hang_up(&mut self, call: &CallId, standing: &Standing) -> Result<(), ControlError> {
        self.desk.moving.remove(call);
        let side = if standing.customers.is_empty() { &standing.agents } else { &standing.customers };
        if side.is_empty() {
            return Err(ControlError::Over);
        }
        for channel in side {
            let done = self.ari.hang_up(channel).await;
            self.ignore_gone(done).map_err(|e| refused(&e))?;
        }
        Ok(())
    }

    /// A talk in a bridge of this host's.
    fn talks(&self, call: &CallId, standing: &Standing, what: &'static str) -> Result<(), ControlError> {
        if !standing.answered {
            return Err(ControlError::WrongState("nobody has answered it"));
        }
        let ours = standing.customers.iter().any(|c| self.ours.contains(c));
        if !ours {
            return Err(ControlError::NotOurs(what));
        }
        if standing.parked {
            return Err(ControlError::WrongState("the customer waits already"));
        }
        if self.desk.moving.contains_key(call) {
            return Err(ControlError::WrongState("it is being handed on"));
        }
        Ok(())
    }

    async fn park(&mut self, call: &CallId, standing: &Standing) -> Result<(), ControlError> {
        for customer in &standing.customers {
            self.ari.remove(&bridge(call), &[customer]).await.map_err(|e| refused(&e))?;
            self.ari.tell(customer, "moh").await.map_err(|e| refused(&e))?;
        }
        let events = self.tracker.park(call, true, Timestamp::now());
        self.teller.tell_all(events).await;
        Ok(())
    }

    async fn mute(&self, standing: &Standing, mute: bool) -> Result<(), ControlError> {
        let agent = standing.agents.iter().find(|a| standing.up.contains(a));
        let agent = agent.ok_or(ControlError::WrongState("no agent is in it"))?;
        let done = if mute {
            self.ari.tell(agent, "mute?direction=in").await
        } else {
            self.ari.untell(agent, "mute?direction=in").await
        };
        done.map_err(|error| match error {
            AriError::NotOurs => ControlError::NotOurs("mute"),
            other => refused(&other),
        })
    }

    async fn transfer(
        &mut self,
        call: &CallId,
        standing: &Standing,
        transfer: Transfer,
    ) -> Result<(), ControlError> {
        let asking = match self.desk.moving.get(call) {
            Some(Moving::Asking(channel)) => Some(channel.clone()),
            _ => None,
        };
        match (transfer, asking) {
            (Transfer::Blind(_) | Transfer::Ask(_), Some(_)) => {
                Err(ControlError::WrongState("somebody is asked already; complete or cancel that first"))
            }
            (Transfer::Blind(to), None) => {
                self.talks(call, standing, "transfer")?;
                self.hand_on(call, standing, &to).await
            }
            (Transfer::Ask(to), None) => {
                self.talks(call, standing, "transfer")?;
                let endpoint = self.target(&to)?;
                self.park(call, standing).await?;
                let asked = self.ring(&endpoint, "ramal-ask", call).await.map_err(|e| refused(&e))?;
                self.desk.moving.insert(call.clone(), Moving::Asking(asked));
                Ok(())
            }
            (Transfer::Complete, Some(asked)) => {
                if !standing.up.contains(&asked) {
                    return Err(ControlError::WrongState("whoever is asked has not answered"));
                }
                self.desk.moving.remove(call);
                self.bring_back(call, standing).await.map_err(|e| refused(&e))?;
                let others: Vec<String> = standing.agents.iter().filter(|a| **a != asked).cloned().collect();
                self.let_go(&others).await
            }
            (Transfer::Cancel, Some(asked)) => {
                self.desk.moving.remove(call);
                self.let_go(std::slice::from_ref(&asked)).await?;
                self.bring_back(call, standing).await.map_err(|e| refused(&e))
            }
            (Transfer::Complete | Transfer::Cancel, None) => {
                Err(ControlError::WrongState("nobody is asked; begin with `ask`"))
            }
        }
    }

    async fn hand_on(
        &mut self,
        call: &CallId,
        standing: &Standing,
        to: &TransferTo,
    ) -> Result<(), ControlError> {
        let endpoint = self.target(to)?;
        let channel = self.ring(&endpoint, "ramal-ring", call).await.map_err(|e| refused(&e))?;
        self.desk.ringing.insert(call.clone(), vec![channel]);
        self.desk.moving.insert(call.clone(), Moving::Blind);
        let name = match to {
            TransferTo::Agent(name) => self.tracker.plan().agent(name.expose()),
            TransferTo::Number(number) => number.e164().into(),
        };
        let events = self.tracker.hand_on(call, name, Timestamp::now());
        self.teller.tell_all(events).await;
        // From here on the customer is on the way; whether there is music decides nothing.
        if let Err(error) = self.ari.tell_bridge(&bridge(call), "moh").await {
            tracing::debug!(%error, "no music while a call is handed on");
        }
        self.let_go(&standing.agents).await
    }

    async fn let_go(&self, channels: &[String]) -> Result<(), ControlError> {
        for channel in channels {
            let done = self.ari.hang_up(channel).await;
            self.ignore_gone(done).map_err(|e| refused(&e))?;
        }
        Ok(())
    }

    fn target(&self, to: &TransferTo) -> Result<String, ControlError> {
        match to {
            TransferTo::Agent(name) => {
                let endpoint = self.tracker.plan().endpoint(name.expose());
                endpoint.map(str::to_owned).ok_or(ControlError::UnknownAgent)
            }
            TransferTo::Number(number) => {
                let template = self.settings.dial.as_ref().ok_or(ControlError::NoTrunk)?;
                Ok(template.replace("{number}", &number.digits()).replace("{e164}", &number.e164()))
            }
        }
    }

    // === recordings ===

    async fn record(
        &mut self,
        call: &CallId,
        standing: &Standing,
        order: RecordOrder,
    ) -> Result<(), ControlError> {
        let running = self.desk.recordings.get(call).map(|r| (r.id, r.name.clone()));
        let (id, name, step) = match (order, running) {
            (RecordOrder::Start, Some(_)) => {
                return Err(ControlError::WrongState("it is recorded already"));
            }
            (RecordOrder::Start, None) => {
                self.talks(call, standing, "recording")?;
                let id = RecordingId(Uuid::now_v7());
                let name = recorder::name(id, call);
                self.ari.record(&bridge(call), &name).await.map_err(|e| refused(&e))?;
                self.desk.recordings.insert(call.clone(), Running { id, name: name.clone() });
                (id, name, Some(RecordingStep::Started))
            }
            (_, None) => return Err(ControlError::WrongState("it is not recorded")),
            (RecordOrder::Pause, Some((id, name))) => {
                self.ari.pause(&name).await.map_err(|e| refused(&e))?;
                (id, name, Some(RecordingStep::Paused))
            }
            (RecordOrder::Resume, Some((id, name))) => {
                self.ari.unpause(&name).await.map_err(|e| refused(&e))?;
                (id, name, Some(RecordingStep::Resumed))
            }
            (RecordOrder::Stop, Some((id, name))) => {
                self.ari.stop(&name).await.map_err(|e| refused(&e))?;
                (id, name, None)
            }
        };
        let Some(step) = step else { return Ok(()) };
        // The intervals are this host's own: neither the file nor what Asterisk says of it has them.
        let at = self.tracker.moment(call, Timestamp::now());
        let event = recorder::event(call, id, &name, step, at);
        if let Some(event) = event {
            self.teller.tell_all(vec![event]).await;
        }
        Ok(())
    }
}

fn bridge(call: &CallId) -> String {
    let name = call.as_str();
    if name.starts_with(BRIDGE) { name.to_owned() } else { format!("{BRIDGE}{name}") }
}

fn refused(error: &AriError) -> ControlError {
    match error {
        AriError::Gone => ControlError::Over,
        AriError::Unreachable(_) => ControlError::Offline,
        other => ControlError::Refused(other.to_string()),
    }
}
