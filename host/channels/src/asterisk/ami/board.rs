//! Who waits in the queues, and who is there: as it stands now, for whoever looks at the queues.
//!
//! The exchange tells changes; after each new connection the whole is asked for and set in place of what was there, so
//! that nobody who left meanwhile waits on the board for ever.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use ramal_center::{CallId, Clear};

use super::census::Census;
use super::event::Event;

/// Queues that are shown. An exchange with more has its names made by a program.
const MOST_QUEUES: usize = 1000;
/// Callers or members of one queue that are shown.
const MOST_IN_ONE: usize = 5000;

/// How the connection to the exchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueLink {
    /// Not connected: the board is as it was last seen.
    Down,
    /// The exchange refuses the user; a person must act.
    Refused,
    /// Connected, and all is as the exchange has it.
    Up,
}

impl QueueLink {
    /// A fixed word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Refused => "refused",
            Self::Up => "up",
        }
    }
}

/// All queues of one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueBoard {
    /// How the connection stands.
    pub link: QueueLink,
    /// Since when it does.
    pub since: Timestamp,
    /// The queues by name.
    pub queues: BTreeMap<String, QueueView>,
}

/// One queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueView {
    /// Who waits, in the order of the queue.
    pub waiting: Vec<Waiting>,
    /// Who answers, by interface.
    pub members: Vec<Member>,
}

/// One call that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The call, by the exchange's identifier.
    pub call: CallId,
    /// Since when it waits in this queue.
    pub since: Timestamp,
    channel: String,
}

/// One member of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who, by the exchange's name for the agent.
    pub agent: Clear,
    /// The agent's device.
    pub interface: Clear,
    /// What the device does.
    pub state: MemberState,
    /// Whether the agent takes no calls of the queue for a while.
    pub paused: bool,
    /// Why, in the agent's own words.
    pub pause_reason: Option<Clear>,
    /// Whether the agent talks with a caller of this queue.
    pub in_call: bool,
    /// Calls of this queue that the agent took.
    pub calls_taken: u32,
    /// When the last of them was over.
    pub last_call: Option<Timestamp>,
    /// Since when the agent is logged in; where the exchange tells.
    pub since: Option<Timestamp>,
}

/// What a device does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberState {
    /// The exchange does not know.
    Unknown,
    /// It could ring.
    Free,
    /// It is in use.
    Talking,
    /// It is busy.
    Busy,
    /// It does not exist, or is not registered.
    Unavailable,
    /// It rings.
    Ringing,
    /// It holds a call.
    Holding,
}

impl MemberState {
    /// From `Status` of AMI, a `AST_DEVICE_…`.
    pub(super) fn of(status: u8) -> Self {
        match status {
            1 => Self::Free,
            2 => Self::Talking,
            3 => Self::Busy,
            4 | 5 => Self::Unavailable,
            6 | 7 => Self::Ringing,
            8 => Self::Holding,
            _ => Self::Unknown,
        }
    }

    /// A fixed word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Free => "free",
            Self::Talking => "talking",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
            Self::Ringing => "ringing",
            Self::Holding => "holding",
        }
    }
}

impl QueueBoard {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { link: QueueLink::Down, since: now, queues: BTreeMap::new() }
    }

    /// The connection stands otherwise. Says whether that is news.
    pub(super) fn turn(&mut self, link: QueueLink, now: Timestamp) -> bool {
        let news = self.link != link;
        if news {
            (self.link, self.since) = (link, now);
        }
        news
    }

    /// Puts what the exchange has in place of what was there.
    pub(super) fn set(&mut self, census: &Census, now: Timestamp) {
        self.queues =
            census.queues.iter().take(MOST_QUEUES).map(|q| (q.clone(), QueueView::default())).collect();
        let mut entries: Vec<_> = census.entries.iter().collect();
        entries.sort_by_key(|entry| entry.position);
        for entry in entries {
            let since = now.checked_sub(SignedDuration::from_secs(entry.waited)).unwrap_or(now);
            let linked = census.linked(&entry.channel);
            if let Some(queue) = self.queue(&entry.queue)
                && let Ok(call) = CallId::new(linked)
                && queue.waiting.len() < MOST_IN_ONE
            {
                queue.waiting.push(Waiting { call, since, channel: entry.channel.clone() });
            }
        }
        for (queue, member) in &census.members {
            self.member(queue, member);
        }
    }

    /// Takes one event. Says whether anything changed.
    pub(super) fn apply(&mut self, event: &Event, at: Timestamp) -> bool {
        match event {
            Event::Joined { caller, queue, position } => {
                let Ok(call) = CallId::new(&caller.linked) else { return false };
                let Some(queue) = self.queue(queue) else { return false };
                queue.waiting.retain(|waiting| waiting.channel != caller.unique);
                if queue.waiting.len() >= MOST_IN_ONE {
                    return false;
                }
                let place = usize::try_from(position.saturating_sub(1)).unwrap_or(usize::MAX);
                let waiting = Waiting { call, since: at, channel: caller.unique.clone() };
                queue.waiting.insert(place.min(queue.waiting.len()), waiting);
                true
            }
            Event::Left { caller, queue } => {
                let Some(queue) = self.queues.get_mut(queue) else { return false };
                let before = queue.waiting.len();
                queue.waiting.retain(|waiting| waiting.channel != caller.unique);
                queue.waiting.len() != before
            }
            Event::Member { queue, member } => self.member(queue, member),
            Event::MemberLeft { queue, interface } => {
                let Some(queue) = self.queues.get_mut(queue) else { return false };
                let before = queue.members.len();
                queue.members.retain(|member| member.interface.expose() != interface);
                queue.members.len() != before
            }
            _ => false,
        }
    }

    fn queue(&mut self, name: &str) -> Option<&mut QueueView> {
        if !self.queues.contains_key(name) && self.queues.len() >= MOST_QUEUES {
            return None;
        }
        Some(self.queues.entry(name.to_owned()).or_default())
    }

    fn member(&mut self, queue: &str, member: &Member) -> bool {
        let Some(queue) = self.queue(queue) else { return false };
        let place =
            queue.members.binary_search_by(|known| known.interface.expose().cmp(member.interface.expose()));
        match place {
            Ok(at) => match queue.members.get_mut(at) {
                Some(known) if *known != *member => *known = member.clone(),
                _ => return false,
            },
            Err(at) if queue.members.len() < MOST_IN_ONE => queue.members.insert(at, member.clone()),
            Err(_) => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests;
