//! A clock that jumps under a running host: forward by days, as after a long sleep, and back, as when a wrong one is
//! corrected. What waits comes in its time by the new clock, and nothing is given up for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::exchange::Exchange;
use crate::kills;
use crate::process::{Crm, Place, text};

const HOUR: i64 = 3600;
/// Events that are acknowledged between two jumps.
const BETWEEN: usize = 60;

/// A time of day that a test moves, for processes that are started with it.
struct MovedClock {
    folder: TempDir,
}

impl MovedClock {
    fn make() -> Self {
        let folder = tempfile::Builder::new().prefix("ramal-clock-").tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/clock.c");
        let made = Command::new("cc")
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .args([folder.path().join("clock.so"), source])
            .status()
            .expect("a C compiler, as `make toolchain` asks for");
        assert!(made.success());
        let clock = Self { folder };
        clock.set(0);
        clock
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("seconds")
    }

    /// Moves it to so many seconds from the real one.
    fn set(&self, seconds: i64) {
        // In one step: a reader must not find half a number.
        let new = self.folder.path().join("new");
        fs::write(&new, seconds.to_string()).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn environment(&self) -> Vec<(String, String)> {
        let library = text(&self.folder.path().join("clock.so"));
        vec![("LD_PRELOAD".to_owned(), library), ("RAMAL_TEST_CLOCK".to_owned(), text(&self.file()))]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_loses_nothing_and_holds_nothing_back() {
    let clock = MovedClock::make();
    let crm = Crm::start().await;
    let mut place = Place::new(&crm, true, None);
    place.environment = clock.environment();
    let mut exchange = Exchange::new(0, kills::seed());
    exchange.clocks_differ();
    let mut host = place.start().await;
    let mut burst = exchange.burst(&host.api);
    for off in [48 * HOUR, 47 * HOUR, 0, -HOUR, 48 * HOUR, 47 * HOUR] {
        burst.acknowledged(BETWEEN).await;
        clock.set(off);
        exchange.set_clock(off);
        burst.count_anew();
        assert!(host.is_alive(), "{}", place.end_of_log());
    }
    burst.acknowledged(BETWEEN).await;
    exchange.begin_no_more();
    exchange.hang_up(burst).await;
    kills::finish(&crm, &place, &mut exchange, host).await;
}
