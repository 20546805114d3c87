//! Short messages by a modem at hand: the folders of `gammu-smsd` with its service `files`.
//!
//! smsd and Ramal meet in folders, so neither has to be up for the other. A file that came in is read, handed to the
//! center, and only then moved away: after a crash in between it is read again, and the center knows it by its content.
//! smsd writes its files in place, so a file is left alone until it has rested for a moment. What Ramal sends is written
//! beside and renamed into the outbox, and smsd moves it on to where the result shows.
//!
//! `InboxFormat = detail` is needed: the other forms lose the time zone, the parts of long messages, and every letter
//! outside of the machine's own alphabet. File names hold customers' numbers; they are never logged.

mod backup;
mod folders;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ramal_center::{Center, CenterError, Origin, Region};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::{Taken, take};
use folders::Found;
pub use folders::GammuFolders;
pub use outbox::GammuSender;

/// How often the folders are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// The folders of one smsd.
#[derive(Debug)]
pub struct Gammu {
    folders: GammuFolders,
    zone: TimeZone,
    region: Region,
}

impl Gammu {
    /// The adapter. Modems tell times of the network's place without saying where that is: `zone` says it. Numbers
    /// without a country are of this region.
    pub fn new(folders: GammuFolders, zone: TimeZone, region: Region) -> Self {
        Self { folders, zone, region }
    }

    /// Looks at the folders again and again, until it is told to stop. `count` is told what became of each file.
    pub async fn run(
        self,
        center: Center,
        origin: Origin,
        count: impl Fn(&'static str) + Send + Sync,
        mut stop: watch::Receiver<bool>,
    ) {
        let gammu = Arc::new(self);
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            let looked = Arc::clone(&gammu).pass(&center, &origin, &count, Timestamp::now()).await;
            if let Err(error) = looked {
                tracing::error!(channel = %origin.source, %error, "the folders of gammu-smsd were not worked through; they are looked at again");
            }
        }
    }

    /// Looks once: everything that has rested is handed to the center and moved away. A file that could not be stored
    /// stays where it is.
    ///
    /// # Errors
    /// When a folder cannot be used or the center did not store; what was not handled is there the next time.
    pub async fn pass(
        self: Arc<Self>,
        center: &Center,
        origin: &Origin,
        count: &(impl Fn(&'static str) + Send + Sync),
        now: Timestamp,
    ) -> Result<usize, GammuError> {
        let looking = Arc::clone(&self);
        let found = blocking(move || looking.folders.look(&looking.zone, looking.region, now)).await??;
        let mut handled = 0_usize;
        for Found { file, heard } in found {
            let word = match heard {
                Err(why) => why,
                Ok(heard) => match take(center, origin, heard).await? {
                    Taken::Stored(_) => "stored",
                    Taken::Repeated(_) => "repeated",
                    Taken::PassedOver(why) => why.0,
                },
            };
            count(word);
            let moving = Arc::clone(&self);
            blocking(move || moving.folders.put_away(&file)).await??;
            handled = handled.saturating_add(1);
        }
        let tidying = Arc::clone(&self);
        blocking(move || tidying.folders.tidy_up(now)).await??;
        Ok(handled)
    }
}

/// Why the folders were not worked through.
#[derive(Debug, thiserror::Error)]
pub enum GammuError {
    /// A folder.
    #[error(
        "cannot use the folder for {which}: {source}; see that this user may read and write there, as smsd's user does"
    )]
    Folder {
        /// Which.
        which: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// The center.
    #[error(transparent)]
    Center(#[from] CenterError),
    /// The host is going down.
    #[error("ramal is shutting down")]
    ShuttingDown,
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, GammuError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| GammuError::ShuttingDown)
}

#[cfg(test)]
mod tests;
