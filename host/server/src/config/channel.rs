//! `[[tenant.channel]]`: a line, a messaging account or an exchange, by the `kind` of its provider.

mod asterisk;
mod asterisk_queues;
mod gammu;
mod mapped;
mod twilio;
mod whatsapp;

use std::path::PathBuf;

use ramal_center::SourceId;
use serde::Deserialize;

pub use asterisk::{AsteriskConfig, TrunkTag};
pub use asterisk_queues::AsteriskQueuesConfig;
pub use gammu::GammuConfig;
pub use mapped::MappedConfig;
pub use twilio::{SharedKeyConfig, TwilioConfig};
pub use whatsapp::WhatsAppConfig;

/// One channel. Its name is unique over all tenants, sources among them: it stands in the address that the provider
/// posts to, and in every event.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChannelConfig {
    /// Voice and messages in Twilio's form.
    Twilio(TwilioConfig),
    /// Short messages by gammu-smsd.
    Gammu(GammuConfig),
    /// A provider that a mapping file describes.
    Mapped(MappedConfig),
    /// One number of a business on WhatsApp.
    #[serde(rename = "whatsapp")]
    WhatsApp(WhatsAppConfig),
    /// An Asterisk exchange.
    Asterisk(AsteriskConfig),
    /// The queues of an Asterisk exchange.
    AsteriskQueues(AsteriskQueuesConfig),
}

impl ChannelConfig {
    /// Its name.
    pub fn id(&self) -> &SourceId {
        match self {
            Self::Twilio(c) => &c.id,
            Self::Gammu(c) => &c.id,
            Self::Mapped(c) => &c.id,
            Self::WhatsApp(c) => &c.id,
            Self::Asterisk(c) => &c.id,
            Self::AsteriskQueues(c) => &c.id,
        }
    }

    /// Its files and folders, which may be written relative to the configuration's.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        match self {
            Self::Twilio(c) => c.paths(),
            Self::Gammu(c) => c.paths(),
            Self::Mapped(c) => c.paths(),
            Self::WhatsApp(c) => c.paths(),
            Self::Asterisk(c) => c.password_file.iter_mut().collect(),
            Self::AsteriskQueues(c) => c.secret_file.iter_mut().collect(),
        }
    }

    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<String> {
        let of = |rule: &str| format!("channel `{}`: {rule}", self.id());
        match self {
            Self::Twilio(c) => c.broken_rule().map(of),
            Self::Gammu(c) => c.broken_rule().map(of),
            Self::Mapped(c) => c.broken_rule().map(of),
            Self::WhatsApp(c) => c.broken_rule().map(of),
            Self::Asterisk(c) => c.broken_rule(),
            Self::AsteriskQueues(c) => c.broken_rule(),
        }
    }
}
