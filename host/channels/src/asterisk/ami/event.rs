//! Events of AMI that say something about queues and their calls; every other is none of ours.
//!
//! Names and fields as 16 and 22 send them, seen on both.
//! <https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/AMI_Events/>

use jiff::Timestamp;

use super::board::{Member, MemberState};
use super::message::Message;

/// One channel, as every event of one tells it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The channel's own identifier.
    pub(super) unique: String,
    /// The identifier of the first channel of the same call.
    pub(super) linked: String,
    /// Its name: `PJSIP/trunk-00000003`.
    pub(super) name: String,
    /// The number at its other end.
    pub(super) number: Option<String>,
    /// The extension in the dialplan.
    pub(super) exten: Option<String>,
    /// The bridge that it talks in.
    pub(super) bridge: Option<String>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A channel began.
    Began(Line),
    /// A call waits in a queue.
    Joined { caller: Line, queue: String, position: u32 },
    /// A call waits there no longer, for whatever reason.
    Left { caller: Line, queue: String },
    /// The caller hung up while waiting.
    GaveUp { caller: Line },
    /// An agent's phone rings for a call.
    Called { caller: Line, leg: Line, agent: String },
    /// It rang long enough.
    NotAnswered { caller: Line, leg: Line },
    /// The agent took the call.
    Connected { caller: Line, leg: Line, queue: String, agent: String },
    /// Somebody who was dialled outside of a queue took the call.
    Dialled { caller: Line, leg: Line },
    /// The other side waits on the line.
    Held { linked: String },
    /// It goes on.
    Resumed { linked: String },
    /// The call was handed on to another extension.
    HandedOn { linked: String },
    /// A channel ended.
    Ended { line: Line, cause: Option<String> },
    /// Something about a member of a queue.
    Member { queue: String, member: Member },
    /// Somebody is a member no longer.
    MemberLeft { queue: String, interface: String },
}

impl Event {
    /// Reads one; `None` when it is none of these.
    pub(super) fn read(message: &Message) -> Option<Self> {
        let text = |name: &str| message.text(name).map(str::to_owned);
        let caller = || Line::read(message, "");
        let leg = || Line::read(message, "Dest");
        Some(match message.get("Event")? {
            "Newchannel" => Self::Began(caller()?),
            "QueueCallerJoin" => Self::Joined {
                caller: caller()?,
                queue: text("Queue")?,
                position: number(message, "Position")?,
            },
            "QueueCallerLeave" => Self::Left { caller: caller()?, queue: text("Queue")? },
            "QueueCallerAbandon" => Self::GaveUp { caller: caller()? },
            "AgentCalled" => Self::Called { caller: caller()?, leg: leg()?, agent: agent(message)? },
            "AgentRingNoAnswer" => Self::NotAnswered { caller: caller()?, leg: leg()? },
            "AgentConnect" => Self::Connected {
                caller: caller()?,
                leg: leg()?,
                queue: text("Queue")?,
                agent: agent(message)?,
            },
            "DialEnd" if message.get("DialStatus") == Some("ANSWER") => {
                Self::Dialled { caller: caller()?, leg: leg()? }
            }
            "Hold" => Self::Held { linked: text("Linkedid")? },
            "Unhold" => Self::Resumed { linked: text("Linkedid")? },
            "BlindTransfer" if message.get("Result") == Some("Success") => {
                Self::HandedOn { linked: text("TransfereeLinkedid")? }
            }
            "Hangup" => Self::Ended { line: caller()?, cause: text("Cause") },
            "QueueMemberStatus" | "QueueMemberAdded" | "QueueMemberPause" | "QueueMember" => {
                Self::Member { queue: text("Queue")?, member: member(message)? }
            }
            "QueueMemberRemoved" => {
                Self::MemberLeft { queue: text("Queue")?, interface: interface(message)? }
            }
            _ => return None,
        })
    }
}

impl Line {
    /// Reads the channel whose fields begin like that.
    pub(super) fn read(message: &Message, prefix: &str) -> Option<Self> {
        let text = |name: &str| message.text(&format!("{prefix}{name}")).map(str::to_owned);
        let unique = text("Uniqueid")?;
        Some(Self {
            linked: text("Linkedid").unwrap_or_else(|| unique.clone()),
            unique,
            name: text("Channel").unwrap_or_default(),
            number: text("CallerIDNum"),
            exten: text("Exten"),
            bridge: text("BridgeId"),
        })
    }

    /// Whose device it is: `2001` of `PJSIP/2001-0000000c` and of `Local/2001@from-queue-00000001;2`.
    pub(super) fn device(&self) -> &str {
        let rest = self.name.split_once('/').map_or(&*self.name, |(_, rest)| rest);
        rest.split_once('@').or_else(|| rest.rsplit_once('-')).map_or(rest, |(device, _)| device)
    }

    /// Its kind and device: `PJSIP/trunk` of `PJSIP/trunk-00000003`.
    pub(super) fn endpoint(&self) -> &str {
        self.name.rsplit_once('-').map_or(&self.name, |(endpoint, _)| endpoint)
    }
}

/// When it happened, by the exchange's clock, where it tells (`timestampevents=yes`).
pub(super) fn at(message: &Message) -> Option<Timestamp> {
    let (seconds, rest) = message.text("Timestamp")?.split_once('.')?;
    let micros: i32 = rest.get(..6)?.parse().ok()?;
    Timestamp::new(seconds.parse().ok()?, micros.checked_mul(1000)?).ok()
}

pub(super) fn number<T: std::str::FromStr>(message: &Message, name: &str) -> Option<T> {
    message.text(name)?.parse().ok()
}

/// The member's name; where it has none, Asterisk repeats the interface, and the device in it says more.
fn agent(message: &Message) -> Option<String> {
    let interface = interface(message)?;
    let name = message.text("MemberName").or_else(|| message.text("Name"));
    Some(name.filter(|name| *name != interface).unwrap_or_else(|| resource(&interface)).to_owned())
}

fn interface(message: &Message) -> Option<String> {
    message.text("Interface").or_else(|| message.text("Location")).map(str::to_owned)
}

fn member(message: &Message) -> Option<Member> {
    let flag = |name: &str| message.get(name) == Some("1");
    let time = |name: &str| {
        number(message, name)
            .filter(|seconds: &i64| *seconds > 0)
            .and_then(|s| Timestamp::from_second(s).ok())
    };
    Some(Member {
        agent: agent(message)?.into(),
        interface: interface(message)?.into(),
        state: MemberState::of(number(message, "Status").unwrap_or_default()),
        paused: flag("Paused"),
        pause_reason: message.text("PausedReason").or_else(|| message.text("Reason")).map(Into::into),
        in_call: flag("InCall"),
        calls_taken: number(message, "CallsTaken").unwrap_or_default(),
        last_call: time("LastCall"),
        since: time("LoginTime"),
    })
}

fn resource(name: &str) -> &str {
    let rest = name.split_once('/').map_or(name, |(_, rest)| rest);
    rest.split('@').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests;
