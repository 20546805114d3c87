//! `kind = "gammu"`.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use ramal_center::{Center, Origin, Region};
use ramal_channels::{Gammu, GammuFolders, GammuSender};
use tokio::sync::watch;

use crate::config::GammuConfig;
use crate::messages::Line;
use crate::metrics::Metrics;

/// A channel whose folders are watched.
pub(in crate::compose) struct Watched {
    gammu: Gammu,
    origin: Origin,
}

pub(super) fn open(config: &GammuConfig, origin: Origin, zone: &str, region: Region) -> Watched {
    // The configuration was checked to name one that is known.
    let zone = TimeZone::get(config.time_zone.as_deref().unwrap_or(zone)).unwrap_or(TimeZone::UTC);
    Watched { gammu: Gammu::new(folders(config), zone, region), origin }
}

/// What sends.
pub(super) fn line(config: &GammuConfig) -> Line {
    Line { sender: Arc::new(GammuSender::new(folders(config))), files: None }
}

fn folders(config: &GammuConfig) -> GammuFolders {
    GammuFolders {
        inbox: config.inbox.clone(),
        outbox: config.outbox.clone(),
        sent: config.sent.clone(),
        error: config.error.clone(),
        done: config.done.clone(),
        keep: SignedDuration::from_hours(i64::from(config.keep_days).saturating_mul(24)),
    }
}

impl Watched {
    pub(super) async fn run(self, center: Center, metrics: Metrics, stop: watch::Receiver<bool>) {
        let source = self.origin.source.clone();
        self.gammu.run(center, self.origin, move |word| metrics.channel(&source, word), stop).await;
    }
}
