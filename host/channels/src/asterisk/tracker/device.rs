//! One channel of the exchange, as far as a call depends on it.

use ramal_center::Channel;

use crate::asterisk::message;
use crate::asterisk::plan::{LinePlan, Role};

/// Applications of the dialplan that mean that a channel was made by dialling, not by a caller.
const DIALLED: &[&str] = &["AppDial", "AppDial2", "AppQueue"];

#[derive(Debug)]
pub(crate) struct Device {
    /// The key of its call.
    pub(crate) call: String,
    pub(crate) role: Role,
    /// Somebody called in on it, as opposed to: it was dialled.
    pub(crate) incoming: bool,
    pub(crate) up: bool,
    pub(crate) bridge: Option<String>,
    /// Its owner pressed hold.
    pub(crate) holds: bool,
    pub(crate) number: String,
    pub(crate) exten: String,
    pub(crate) voicemail: bool,
    /// The center knows of this leg.
    pub(crate) told: bool,
}

impl Device {
    pub(crate) fn new(channel: &message::Channel, plan: &LinePlan, call: &str) -> Self {
        let root = channel.linked().is_none_or(|linked| linked == channel.id);
        let dialled = DIALLED.contains(&channel.dialplan.app_name.as_str());
        let mut device = Self {
            call: call.to_owned(),
            role: plan.role(channel),
            incoming: channel.state == "Ring" || (channel.state == "Up" && root && !dialled),
            up: false,
            bridge: None,
            holds: false,
            number: String::new(),
            exten: String::new(),
            voicemail: false,
            told: false,
        };
        device.see(channel);
        device
    }

    /// What a later message says of it. The first number and extension stay: later ones are those of a transfer.
    pub(crate) fn see(&mut self, channel: &message::Channel) {
        self.up |= channel.state == "Up";
        self.voicemail = channel.dialplan.app_name == "VoiceMail";
        for (known, said) in
            [(&mut self.number, &channel.caller.number), (&mut self.exten, &channel.dialplan.exten)]
        {
            if known.is_empty() {
                known.clone_from(said);
            }
        }
    }

    pub(crate) fn customer(&self) -> Option<Channel> {
        match self.role {
            Role::Customer(tag) => Some(tag),
            _ => None,
        }
    }

    pub(crate) fn is_customer(&self) -> bool {
        matches!(self.role, Role::Customer(_))
    }

    /// A telephone or a line: not half of a Local channel, not Asterisk's own.
    pub(crate) fn is_person(&self) -> bool {
        matches!(self.role, Role::Customer(_) | Role::Agent(_))
    }
}
