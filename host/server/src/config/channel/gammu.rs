//! `kind = "gammu"`.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use ramal_center::SourceId;
use serde::Deserialize;

/// Short messages by gammu-smsd with its service `files`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GammuConfig {
    /// Its name.
    pub id: SourceId,
    /// smsd's `InboxPath`.
    pub inbox: PathBuf,
    /// smsd's `OutboxPath`.
    pub outbox: PathBuf,
    /// smsd's `SentSMSPath`.
    pub sent: PathBuf,
    /// smsd's `ErrorSMSPath`.
    pub error: PathBuf,
    /// Where files go that Ramal is done with; on the same file system.
    pub done: PathBuf,
    /// How many days they are kept there.
    #[serde(default = "keep_days")]
    pub keep_days: u16,
    /// Where the modem is, if that is not where the tenant is: a name such as `America/Manaus`.
    #[serde(default)]
    pub time_zone: Option<String>,
}

fn keep_days() -> u16 {
    7
}

impl GammuConfig {
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.inbox, &mut self.outbox, &mut self.sent, &mut self.error, &mut self.done]
    }

    /// The first rule that is broken, in words.
    pub(super) fn broken_rule(&self) -> Option<&'static str> {
        let folders = [&self.inbox, &self.outbox, &self.sent, &self.error, &self.done];
        let twice =
            (1..).zip(folders).any(|(n, folder)| folders.iter().skip(n).any(|other| *other == folder));
        if twice {
            return Some("`inbox`, `outbox`, `sent`, `error` and `done` are five folders; give each its own");
        }
        let unknown = self.time_zone.as_ref().is_some_and(|zone| TimeZone::get(zone).is_err());
        unknown.then_some("`time-zone` is a name that this machine knows, such as \"America/Manaus\"; they come with the package tzdata")
    }
}
