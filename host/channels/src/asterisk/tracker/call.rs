//! One call as the tracker sees it, and the events that it turns into.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use ramal_center::{
    CallEvent, CallId, Caller, Channel, Clear, EndCause, EventId, EventKind, InteractionDirection,
};
use uuid::Uuid;

use super::device::Device;
use crate::asterisk::cause::{Ending, end_cause};
use crate::asterisk::plan::{LinePlan, Role};

/// Of the identifiers of events.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_5a52_2c5e_4e0c_9d43_7c1f_0a3b_9e11);

/// When something happened, and what of it makes the identifiers of events: the channel, the type and the time.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: Timestamp,
    pub(crate) of: String,
}

/// A call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: CallId,
    /// Its place among all calls: of two that become one, the older stays.
    pub(crate) order: u64,
    /// Its channels that live, the first one first.
    pub(crate) channels: Vec<String>,
    pub(crate) story: Story,
    pub(crate) ending: Ending,
    /// The customer waits because this host asked for it.
    pub(crate) parked: bool,
    /// The raw cause of the channel that went last.
    pub(crate) raw: Option<String>,
    /// When it began.
    pub(crate) began: Timestamp,
    /// The latest time that is known of it.
    pub(crate) last: Timestamp,
    /// Whether a channel of it was ever seen.
    pub(crate) seen: bool,
}

/// What the center was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Story {
    /// Nothing: it is not clear yet what it is, or it is none of its business.
    Untold,
    /// It began.
    Told(Told),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) direction: InteractionDirection,
    pub(crate) answered: bool,
    pub(crate) held: bool,
    pub(crate) agent: Option<Clear>,
    /// It was said to be handed on, and whoever takes it has not come yet.
    pub(crate) handed: bool,
}

impl Told {
    pub(crate) fn begun(direction: InteractionDirection) -> Self {
        Self { direction, answered: false, held: false, agent: None, handed: false }
    }
}

/// Who talks with whom.
struct Talk {
    agents: Vec<Clear>,
}

impl Call {
    pub(crate) fn new(id: CallId, order: u64, at: Timestamp) -> Self {
        Self {
            id,
            order,
            channels: Vec::new(),
            story: Story::Untold,
            ending: Ending::default(),
            parked: false,
            raw: None,
            began: at,
            last: at,
            seen: false,
        }
    }

    pub(crate) fn told(&self) -> Option<&Told> {
        match &self.story {
            Story::Told(told) => Some(told),
            Story::Untold => None,
        }
    }

    fn devices<'a>(
        &'a self,
        all: &'a HashMap<String, Device>,
    ) -> impl Iterator<Item = (&'a str, &'a Device)> {
        self.channels.iter().filter_map(|id| all.get_key_value(id)).map(|(id, device)| (id.as_str(), device))
    }

    pub(crate) fn has_customer(&self, all: &HashMap<String, Device>) -> bool {
        self.devices(all).any(|(_, device)| device.is_customer())
    }

    /// Says everything that is true now and was not said before.
    pub(crate) fn settle(
        &mut self,
        all: &mut HashMap<String, Device>,
        plan: &LinePlan,
        moment: &Moment,
        out: &mut Vec<CallEvent>,
    ) {
        self.last = self.last.max(moment.at);
        if self.story == Story::Untold
            && let Some(ringing) = self.what_it_is(all, plan)
        {
            if let EventKind::Ringing { direction, .. } = &ringing {
                self.story = Story::Told(Told::begun(*direction));
            }
            out.extend(self.once("ringing", ringing, moment.at));
        }
        if self.told().is_none() {
            return;
        }
        self.tell_legs(all, moment, out);
        if let Some(talk) = self.talk(all) {
            self.tell_talk(talk, moment, out);
        }
        self.tell_hold(all, moment, out);
    }

    fn what_it_is(&self, all: &HashMap<String, Device>, plan: &LinePlan) -> Option<EventKind> {
        let people: Vec<&Device> = self.devices(all).map(|(_, d)| d).filter(|d| d.is_person()).collect();
        let customer = people.iter().copied().find_map(|d| Some((d, d.customer()?)));
        let caller = |text: &str| plan.number(text).map_or(Caller::Withheld, Caller::Number);
        let first = people.first()?;
        match customer {
            Some((customer, channel)) if customer.incoming => Some(EventKind::Ringing {
                channel,
                direction: InteractionDirection::Inbound,
                from: caller(&customer.number),
                to: plan.number(&customer.exten),
                queue: None,
            }),
            // Dialled, and by whom is not known yet.
            Some((customer, _)) if people.len() == 1 && !customer.up => None,
            Some((customer, channel)) => {
                // What the agent dialled; an exchange that dials by itself says it with the customer's channel.
                let dialled = [&first.exten, &customer.number].into_iter().find_map(|t| plan.number(t));
                let company = plan.number(&first.number).filter(|_| !first.is_customer());
                Some(EventKind::Ringing {
                    channel,
                    direction: InteractionDirection::Outbound,
                    from: company.map_or(Caller::Withheld, Caller::Number),
                    to: dialled,
                    queue: None,
                })
            }
            None if people.len() > 1 => Some(EventKind::Ringing {
                channel: Channel::Fixed,
                direction: InteractionDirection::Internal,
                from: Caller::Withheld,
                to: None,
                queue: None,
            }),
            None => None,
        }
    }

    fn tell_legs(&self, all: &mut HashMap<String, Device>, moment: &Moment, out: &mut Vec<CallEvent>) {
        for id in &self.channels {
            let Some(device) = all.get_mut(id).filter(|d| d.is_person() && !d.told) else { continue };
            device.told = true;
            let Ok(leg) = CallId::new(id) else { continue };
            let agent = match &device.role {
                Role::Agent(name) => Some(name.clone()),
                _ => None,
            };
            let kind = EventKind::LegOpened { leg, agent, number: None };
            out.extend(self.once(&format!("leg-opened {id}"), kind, moment.at));
        }
    }

    /// Two are in one bridge and can hear each other; one of them is the customer, unless all are colleagues.
    fn talk(&self, all: &HashMap<String, Device>) -> Option<Talk> {
        let internal = !self.has_customer(all);
        let (at, bridge) = self
            .devices(all)
            .filter(|(_, d)| d.up && (internal || d.is_customer()) && d.role != Role::Tool)
            .find_map(|(id, d)| Some((id, d.bridge.as_deref()?)))?;
        let mut others = self
            .devices(all)
            .filter(|(id, d)| {
                *id != at && d.up && d.role != Role::Tool && d.bridge.as_deref() == Some(bridge)
            })
            .peekable();
        others.peek()?;
        Some(Talk { agents: others.filter_map(|(_, d)| self.name(d, all)).collect() })
    }

    /// Whose device it is; behind a Local channel whoever talks with its other half.
    fn name(&self, device: &Device, all: &HashMap<String, Device>) -> Option<Clear> {
        match &device.role {
            Role::Agent(name) => Some(name.clone()),
            Role::Local { agent: Some(name), .. } => Some(name.clone()),
            Role::Local { pair, half, agent: None } => {
                let other = self.devices(all).map(|(_, d)| d).find(
                    |d| matches!(&d.role, Role::Local { pair: p, half: h, .. } if p == pair && h != half),
                )?;
                let bridge = other.bridge.as_deref()?;
                self.devices(all).find_map(|(_, d)| match &d.role {
                    Role::Agent(name) if d.bridge.as_deref() == Some(bridge) => Some(name.clone()),
                    _ => None,
                })
            }
            Role::Customer(_) | Role::Tool => None,
        }
    }

    fn tell_talk(&mut self, talk: Talk, moment: &Moment, out: &mut Vec<CallEvent>) {
        let Story::Told(told) = &mut self.story else { return };
        let newcomer = talk.agents.first().cloned();
        if !told.answered {
            told.answered = true;
            told.agent.clone_from(&newcomer);
            out.extend(self.once("answered", EventKind::Answered { agent: newcomer }, moment.at));
            return;
        }
        let Some(newcomer) = newcomer else { return };
        match &told.agent {
            Some(old) if talk.agents.contains(old) => told.handed = false,
            Some(_) if told.handed => {
                // It was said when it was handed on; who took it may go by another name than was dialled.
                told.handed = false;
                told.agent = Some(newcomer);
            }
            Some(_) => {
                told.agent = Some(newcomer.clone());
                let kind = EventKind::Transferred { agent: Some(newcomer), queue: None };
                out.extend(self.again(kind, moment));
            }
            None => {
                told.agent = Some(newcomer.clone());
                let kind = EventKind::Answered { agent: Some(newcomer) };
                out.extend(self.once("answered by", kind, moment.at));
            }
        }
    }

    fn tell_hold(&mut self, all: &HashMap<String, Device>, moment: &Moment, out: &mut Vec<CallEvent>) {
        let holds = self.parked || self.devices(all).any(|(_, d)| d.holds && !d.is_customer());
        let Story::Told(told) = &mut self.story else { return };
        let wanted = told.answered && holds;
        if told.held != wanted {
            told.held = wanted;
            let kind = if wanted { EventKind::Held } else { EventKind::Resumed };
            out.extend(self.again(kind, moment));
        }
    }

    /// It was handed on to somebody.
    pub(crate) fn hand_on(&mut self, agent: Clear, moment: &Moment, out: &mut Vec<CallEvent>) {
        let Story::Told(told) = &mut self.story else { return };
        told.handed = true;
        told.agent = Some(agent.clone());
        out.extend(self.again(EventKind::Transferred { agent: Some(agent), queue: None }, moment));
    }

    /// A channel of it is gone.
    pub(crate) fn tell_gone(
        &mut self,
        id: &str,
        device: &Device,
        raw: &str,
        at: Timestamp,
        out: &mut Vec<CallEvent>,
    ) {
        self.last = self.last.max(at);
        if device.told
            && let Ok(leg) = CallId::new(id)
        {
            let kind = EventKind::LegClosed { leg, provider_cause: Some(raw.to_owned()) };
            out.extend(self.once(&format!("leg-closed {id}"), kind, at));
        }
    }

    /// Nobody is left who makes it a call.
    pub(crate) fn is_over(&self, all: &HashMap<String, Device>) -> bool {
        let people = self.devices(all).filter(|(_, d)| d.is_person()).count();
        let customers = self.devices(all).filter(|(_, d)| d.is_customer()).count();
        match self.told() {
            Some(_) if !self.seen => false,
            Some(told) => match told.direction {
                InteractionDirection::Inbound => customers == 0,
                InteractionDirection::Outbound if told.answered => customers == 0,
                InteractionDirection::Internal if told.answered => people <= 1,
                InteractionDirection::Outbound | InteractionDirection::Internal => people == 0,
            },
            None => self.channels.is_empty(),
        }
    }

    /// That it is over; nothing when nobody knew of it.
    pub(crate) fn end(&self, at: Timestamp, out: &mut Vec<CallEvent>) {
        let Some(told) = self.told() else { return };
        let cause = end_cause(told.answered, told.direction, &self.ending);
        self.end_as(cause, self.raw.clone(), at, out);
    }

    pub(crate) fn end_as(
        &self,
        cause: EndCause,
        provider_cause: Option<String>,
        at: Timestamp,
        out: &mut Vec<CallEvent>,
    ) {
        out.extend(self.once("ended", EventKind::Ended { cause, provider_cause }, at));
    }

    /// What can happen to a call once. Whoever finds it out anew, after a restart or by asking what lives, says the
    /// same, so the center knows it.
    fn once(&self, word: &str, kind: EventKind, at: Timestamp) -> Option<CallEvent> {
        self.event(&format!("{}\n{word}", self.id.as_str()), kind, at)
    }

    /// What can happen again, by the message that said it.
    fn again(&self, kind: EventKind, moment: &Moment) -> Option<CallEvent> {
        let name = format!("{}\n{}\n{}\n{}", self.id.as_str(), moment.of, moment.at, kind.word());
        self.event(&name, kind, moment.at)
    }

    fn event(&self, name: &str, kind: EventKind, at: Timestamp) -> Option<CallEvent> {
        let id = Uuid::new_v5(&NAMESPACE, name.as_bytes());
        let event_id = EventId::new(&id.to_string()).ok()?;
        Some(CallEvent { event_id, call_id: self.id.clone(), kind, at })
    }

    /// For what this host does itself: now, but never before what is known already, or it would be taken for old news
    /// where the exchange's clock is ahead.
    pub(crate) fn moment(&mut self, now: Timestamp, what: &str) -> Moment {
        let next = self.last.saturating_add(SignedDuration::from_millis(1)).unwrap_or(self.last);
        let at = now.max(next);
        self.last = at;
        Moment { at, of: what.to_owned() }
    }
}
