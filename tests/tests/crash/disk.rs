//! A disk that is full, and then is not: events are refused and nothing is half written; with space the host goes on
//! by itself.
//!
//! The disk is a small file system in memory, mounted in namespaces of the test's own, for which nobody has to be
//! root. Where the system forbids such namespaces, the test says that it is skipped; on a build server that is an
//! error.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::exchange::Exchange;
use crate::kills;
use crate::process::{Crm, Place, text};

/// What the disk holds. The database and its log of up to 4 MB must find room beside the ballast, or the disk stays
/// full when that is gone.
const SIZE: &str = "size=32m,mode=700";
/// How often it fills up.
const TIMES: usize = 6;
/// Events that are refused before there is space again.
const REFUSED: usize = 60;
/// Events that are acknowledged between.
const BETWEEN: usize = 60;

/// A small disk at a folder, which only processes see that enter its namespaces.
struct SmallDisk {
    holder: Child,
    folder: PathBuf,
}

impl SmallDisk {
    /// The disk, or why there is none.
    async fn mount(folder: PathBuf) -> Result<Self, String> {
        // It holds the mount until its input ends, which is at the latest when the test does.
        let script = format!("mount -t tmpfs -o {SIZE} ramal-crash \"$0\" && echo mounted && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", &script])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("`unshare` of util-linux cannot be run: {error}"))?;
        let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        if lines.next_line().await.unwrap().as_deref() == Some("mounted") {
            return Ok(Self { holder, folder });
        }
        let said = holder.wait_with_output().await.unwrap();
        Err(format!(
            "this system mounts nothing for a user: {}",
            String::from_utf8_lossy(&said.stderr).trim()
        ))
    }

    /// What a command begins with, so that it sees the disk.
    fn enter(&self) -> Vec<String> {
        let target = format!("--target={}", self.holder.id().unwrap());
        ["nsenter", &target, "--user", "--mount", "--preserve-credentials"].map(str::to_owned).to_vec()
    }

    /// A file on it, from outside.
    fn file(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id().unwrap()));
        root.join(self.folder.strip_prefix("/").unwrap()).join(name)
    }

    /// Writes until nothing more goes on it.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.file("ballast")).unwrap();
        for size in [64 * 1024, 4096, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
    }

    fn make_space(&self) {
        fs::remove_file(self.file("ballast")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_events_and_with_space_the_host_goes_on() {
    let crm = Crm::start().await;
    let mut place = Place::new(&crm, false, None);
    let disk = match SmallDisk::mount(place.data()).await {
        Ok(disk) => disk,
        Err(reason) => {
            println!("SKIPPED a_full_disk_refuses_events: {reason}");
            assert!(
                std::env::var_os("CI").is_none(),
                "a small disk is required where CI is set, but {reason}"
            );
            return;
        }
    };
    place.before = disk.enter();
    let mut exchange = Exchange::new(0, kills::seed());
    let mut host = place.start().await;
    assert!(disk.file("ramal.sqlite").is_file(), "the database is not on {}", text(&place.data()));
    let mut burst = exchange.burst(&host.api);
    for time in 0..TIMES {
        burst.acknowledged(BETWEEN).await;
        disk.fill();
        exchange.refused_at_least(exchange.refused() + REFUSED).await;
        if time == TIMES / 2 {
            // It dies with the disk full, and its successor comes up when there is space.
            host.kill().await;
            exchange.hang_up(burst).await;
            disk.make_space();
            place.check().await;
            host = place.start().await;
            burst = exchange.burst(&host.api);
        } else {
            disk.make_space();
            burst.count_anew();
        }
        assert!(host.is_alive(), "{}", place.end_of_log());
    }
    burst.acknowledged(BETWEEN).await;
    exchange.begin_no_more();
    exchange.hang_up(burst).await;
    kills::finish(&crm, &place, &mut exchange, host).await;
}
