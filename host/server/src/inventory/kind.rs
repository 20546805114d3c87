//! What each kind of channel collects, and where each of it is kept: what a record of processing asks.

use serde::Serialize;
use utoipa::ToSchema;

use crate::config::ChannelConfig;

/// A kind of channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Signed call events.
    Events,
    Twilio,
    Gammu,
    Mapped,
    WhatsApp,
    Asterisk,
    AsteriskQueues,
}

/// One kind of data that a channel collects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CollectedView {
    /// `number`, `name`, `text`, `media`, `recording` or `metadata`.
    #[schema(example = "number")]
    pub data: &'static str,
    /// Where it is kept.
    #[schema(example = "ramal.sqlite in the data folder")]
    pub kept_in: &'static str,
    /// How long.
    pub kept_for: &'static str,
}

/// With the interaction: nothing of it is removed by time.
const WITH_THE_INTERACTION: &str = "as long as the interaction";
const AT_THE_PROVIDER: &str = "the provider's; the host keeps its identifier";
const BY_THE_PROVIDER: &str = "as the provider's contract says";

impl Kind {
    pub(super) fn of(channel: &ChannelConfig) -> Self {
        match channel {
            ChannelConfig::Twilio(_) => Self::Twilio,
            ChannelConfig::Gammu(_) => Self::Gammu,
            ChannelConfig::Mapped(_) => Self::Mapped,
            ChannelConfig::WhatsApp(_) => Self::WhatsApp,
            ChannelConfig::Asterisk(_) => Self::Asterisk,
            ChannelConfig::AsteriskQueues(_) => Self::AsteriskQueues,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Twilio => "twilio",
            Self::Gammu => "gammu",
            Self::Mapped => "mapped",
            Self::WhatsApp => "whatsapp",
            Self::Asterisk => "asterisk",
            Self::AsteriskQueues => "asterisk-queues",
        }
    }

    /// Whether the host connects to it; the others post.
    pub(super) fn is_link(self) -> bool {
        matches!(self, Self::Asterisk | Self::AsteriskQueues)
    }

    /// What it collects. Names are those of agents, and of customers where the provider tells them.
    pub(super) fn collects(self, database: &'static str) -> Vec<CollectedView> {
        let here = |data| CollectedView { data, kept_in: database, kept_for: WITH_THE_INTERACTION };
        let there = |data| CollectedView { data, kept_in: AT_THE_PROVIDER, kept_for: BY_THE_PROVIDER };
        let call = || vec![here("metadata"), here("number"), here("name")];
        match self {
            Self::Events | Self::AsteriskQueues => call(),
            Self::Mapped => [call(), vec![here("text")]].concat(),
            Self::Asterisk => [call(), vec![there("recording")]].concat(),
            Self::Twilio => [call(), vec![here("text"), there("media"), there("recording")]].concat(),
            Self::WhatsApp => {
                let fetched = CollectedView {
                    data: "media",
                    kept_in: "files in the data folder, once somebody asked for them; before that the provider's",
                    kept_for: "until somebody removes the file; at the provider some weeks",
                };
                vec![here("metadata"), here("number"), here("text"), fetched]
            }
            Self::Gammu => vec![here("metadata"), here("number"), here("text")],
        }
    }
}
