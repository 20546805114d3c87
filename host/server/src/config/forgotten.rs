//! `[forgotten-calls]`: when a call whose end was lost is taken for over.

use std::num::NonZeroU16;
use std::time::Duration;

use ramal_center::Reaping;
use serde::Deserialize;

use super::{ChannelConfig, ServerConfig};

/// How long nothing may be heard of a call that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ForgottenCallsConfig {
    /// Minutes for one that rings.
    pub ringing_minutes: NonZeroU16,
    /// Hours for one that somebody took.
    pub talking_hours: NonZeroU16,
}

impl Default for ForgottenCallsConfig {
    fn default() -> Self {
        let usual = Reaping::default();
        let or_one =
            |number: u64| u16::try_from(number).ok().and_then(NonZeroU16::new).unwrap_or(NonZeroU16::MIN);
        Self {
            ringing_minutes: or_one(usual.ringing.as_secs() / 60),
            talking_hours: or_one(usual.talking.as_secs() / 3600),
        }
    }
}

impl ForgottenCallsConfig {
    /// As the center takes it. An exchange that the host connects to says itself which calls live.
    pub(crate) fn reaping(self, config: &ServerConfig) -> Reaping {
        let channels = config.tenants.iter().flat_map(|tenant| &tenant.channels);
        let connected = channels.filter(|channel| matches!(channel, ChannelConfig::Asterisk(_)));
        Reaping {
            ringing: Duration::from_mins(self.ringing_minutes.get().into()),
            talking: Duration::from_hours(self.talking_hours.get().into()),
            spared: connected.map(|channel| channel.id().clone()).collect(),
        }
    }
}
