//! What there is now, as the exchange answers it: channels, waiting callers, members.

use std::collections::{HashMap, HashSet};

use super::action::Action;
use super::board::Member;
use super::event::{Event, Line, number};
use super::message::Message;

/// Channels that are taken notice of.
const MOST_CHANNELS: usize = 50_000;

/// The answers so far.
#[derive(Default)]
pub(super) struct Census {
    pub(super) channels: HashMap<String, Line>,
    pub(super) entries: Vec<Entry>,
    pub(super) queues: HashSet<String>,
    pub(super) members: Vec<(String, Member)>,
    channels_done: bool,
    queues_done: bool,
}

/// One caller who waits.
pub(super) struct Entry {
    pub(super) queue: String,
    pub(super) position: u32,
    /// The channel's identifier.
    pub(super) channel: String,
    pub(super) number: Option<String>,
    /// Seconds.
    pub(super) waited: i64,
}

/// What became of a message.
pub(super) enum Counted {
    /// It is an answer, and another one is to come.
    More,
    /// It was the last one.
    Done,
    /// The exchange does not let us ask which channels there are. The rest goes on.
    NoChannels,
    /// The exchange has no queues, or does not let us ask.
    NoQueues,
    /// It is none of the answers.
    Another,
}

impl Census {
    /// Takes one message.
    pub(super) fn take(&mut self, message: &Message) -> Counted {
        let id = message.get("ActionID");
        let of_channels = id == Some(Action::Channels.id());
        if !of_channels && id != Some(Action::Queues.id()) {
            return Counted::Another;
        }
        match (message.get("Event"), message.get("Response")) {
            (_, Some("Error")) if of_channels => {
                self.channels_done = true;
                return Counted::NoChannels;
            }
            (_, Some("Error")) => return Counted::NoQueues,
            (Some("CoreShowChannelsComplete"), _) => self.channels_done = true,
            (Some("QueueStatusComplete"), _) => self.queues_done = true,
            (Some("CoreShowChannel"), _) if self.channels.len() < MOST_CHANNELS => {
                if let Some(line) = Line::read(message, "") {
                    self.channels.insert(line.unique.clone(), line);
                }
            }
            (Some("QueueParams"), _) => self.queues.extend(message.text("Queue").map(str::to_owned)),
            (Some("QueueEntry"), _) if self.entries.len() < MOST_CHANNELS => {
                self.entries.extend(Entry::read(message));
            }
            (Some("QueueMember"), _) => {
                if let Some(Event::Member { queue, member }) = Event::read(message) {
                    self.members.push((queue, member));
                }
            }
            _ => {}
        }
        if self.channels_done && self.queues_done { Counted::Done } else { Counted::More }
    }

    /// The call that a channel belongs to.
    pub(super) fn linked<'a>(&'a self, channel: &'a str) -> &'a str {
        self.channels.get(channel).map_or(channel, |line| &line.linked)
    }

    /// The caller's channel of a call. An earlier run knows the call by the name of its first channel, which may be
    /// gone while the call goes on with another.
    pub(super) fn caller<'a>(&'a self, call: &str, known: &'a str, legs: &[String]) -> Option<&'a str> {
        if self.channels.contains_key(known) {
            return Some(known);
        }
        let of_call =
            self.channels.values().filter(|line| line.linked == call && !legs.contains(&line.unique));
        of_call.map(|line| &*line.unique).min()
    }

    /// The other channel in the bridge that a channel talks in.
    pub(super) fn partner(&self, channel: &str) -> Option<&Line> {
        let bridge = self.channels.get(channel)?.bridge.as_ref()?;
        self.channels.values().find(|line| line.unique != channel && line.bridge.as_ref() == Some(bridge))
    }
}

impl Entry {
    fn read(message: &Message) -> Option<Self> {
        Some(Self {
            queue: message.text("Queue")?.to_owned(),
            position: number(message, "Position")?,
            channel: message.text("Uniqueid")?.to_owned(),
            number: message.text("CallerIDNum").map(str::to_owned),
            waited: number(message, "Wait").filter(|seconds| *seconds >= 0).unwrap_or_default(),
        })
    }
}
