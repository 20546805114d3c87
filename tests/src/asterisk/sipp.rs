//! SIPp as the telephones: one process for each scenario of tests/sipp, whose exit code says whether the exchange
//! did what the scenario says, call by call.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::free_udp_port;
use crate::peer::{PeerError, Server};

/// What a scenario may take.
const LIMIT: Duration = Duration::from_secs(90);
/// How often a process and its files are looked at.
const POLL: Duration = Duration::from_millis(25);

/// One scenario that runs. It ends with this value.
#[derive(Debug)]
pub struct Sipp {
    scenario: &'static str,
    // Dropped in this order: the process must be gone before its folder.
    server: Server,
    dir: tempfile::TempDir,
}

/// What became of a scenario's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// 0 where every call went as the scenario says, 1 where one did not, 97 where the time was up.
    pub exit: i32,
    /// Calls that went as the scenario says.
    pub successful: u64,
    /// Calls that did not.
    pub failed: u64,
    /// What was unexpected, in SIPp's words.
    pub errors: String,
}

impl Report {
    /// Whether every call, and so many, went as the scenario says.
    pub fn is_as_planned(&self, calls: u64) -> bool {
        self.exit == 0 && self.successful == calls && self.failed == 0
    }
}

/// How a scenario is run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The name of its file in tests/sipp.
    pub(super) scenario: &'static str,
    /// Whom it calls; `None` where it is called.
    pub(super) remote: Option<SocketAddrV4>,
    /// Its own address.
    pub(super) at: Ipv4Addr,
    /// Its own port; any that is free where it is not given.
    pub(super) port: Option<u16>,
    /// Calls in all.
    pub(super) calls: u64,
    /// Calls that it begins in a second, at most as many as there are at once.
    pub(super) rate: u64,
    /// How long each pause is.
    pub(super) pause: Duration,
    /// More arguments: who calls whom, with which password.
    pub(super) more: Vec<String>,
}

impl Plan {
    pub(super) fn new(scenario: &'static str, at: Ipv4Addr) -> Self {
        let (calls, rate, pause) = (1, 10, Duration::ZERO);
        Self { scenario, remote: None, at, port: None, calls, rate, pause, more: Vec::new() }
    }

    pub(super) fn with(mut self, option: &str, value: impl ToString) -> Self {
        self.more.extend([option.to_owned(), value.to_string()]);
        self
    }

    pub(super) fn key(mut self, name: &str, value: impl ToString) -> Self {
        self.more.extend(["-key".to_owned(), name.to_owned(), value.to_string()]);
        self
    }
}

impl Sipp {
    /// Starts a scenario, and where it is called, waits until it can be.
    pub(super) async fn start(plan: Plan) -> Result<Self, PeerError> {
        let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("sipp");
        let dir = tempfile::Builder::new()
            .prefix("ramal-sipp-")
            .tempdir()
            .map_err(|source| PeerError::File { path: std::env::temp_dir(), source })?;
        let no_port = |source| PeerError::File { path: dir.path().to_owned(), source };
        let port = plan.port.map_or_else(|| free_udp_port(plan.at), Ok).map_err(no_port)?;
        let sound = free_udp_port(plan.at).map_err(no_port)?;

        let mut command = Command::new("sipp");
        command.args(plan.remote.map(|remote| remote.to_string()));
        command.arg("-sf").arg(scenarios.join(plan.scenario).with_extension("xml"));
        for (option, value) in [
            ("-i", plan.at.to_string()),
            ("-p", port.to_string()),
            ("-mi", plan.at.to_string()),
            ("-mp", sound.to_string()),
            ("-m", plan.calls.to_string()),
            ("-r", plan.rate.to_string()),
            ("-d", plan.pause.as_millis().to_string()),
            ("-timeout", LIMIT.as_secs().to_string()),
            // Only the last line is of interest.
            ("-fd", "3600".to_owned()),
        ] {
            command.args([option, &value]);
        }
        command.args(["-nostdin", "-timeout_error", "-trace_stat", "-trace_err", "-trace_logs"]);
        for (option, file) in [("-stf", "statistics"), ("-error_file", "errors"), ("-log_file", "steps")] {
            command.arg(option).arg(dir.path().join(file));
        }
        command.args(&plan.more).current_dir(dir.path());
        let mut server = Server::spawn(command, dir.path().join("screen"))?;
        if plan.remote.is_none() {
            let address = SocketAddrV4::new(plan.at, port);
            server.ready(LIMIT, async || listens(address)).await?;
        }
        Ok(Self { scenario: plan.scenario, server, dir })
    }

    /// Waits until so many calls of the scenario came to a step that it logs: `ringing`, `answered`, `held`,
    /// `resumed`, `transferred`.
    ///
    /// # Errors
    /// Where the scenario ends before, or does not come there in time.
    pub async fn until(&mut self, step: &str, calls: usize) -> Result<(), PeerError> {
        let deadline = Instant::now() + LIMIT;
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Asked first: what it wrote before it ended counts.
            let ended = self.server.ended();
            if self.read("steps").lines().filter(|line| *line == step).count() >= calls {
                return Ok(());
            }
            if ended.is_some() || Instant::now() > deadline {
                return Err(self.failure(&format!("the step `{step}`"), ended));
            }
        }
    }

    /// Waits until every call is over, and says what became of them.
    ///
    /// # Errors
    /// Where it does not end in time, or without a number.
    pub async fn end(mut self) -> Result<Report, PeerError> {
        let deadline = Instant::now() + LIMIT + LIMIT;
        let mut ticks = interval(POLL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(status) = self.server.ended() {
                let exit = status.code().ok_or_else(|| self.failure("its end", Some(status)))?;
                let (successful, failed) = statistics(&self.read("statistics"))
                    .ok_or_else(|| self.failure("its statistics", Some(status)))?;
                return Ok(Report { exit, successful, failed, errors: self.read("errors") });
            }
            if Instant::now() > deadline {
                return Err(self.failure("its end", None));
            }
        }
    }

    fn failure(&self, what: &str, ended: Option<ExitStatus>) -> PeerError {
        let ended =
            ended.map_or_else(|| "the time was up".to_owned(), |status| format!("it ended with {status}"));
        let reason = format!("{ended}\n{}\n{}", self.read("errors"), self.read("steps"));
        PeerError::Ask { what: format!("{what} of the scenario {}", self.scenario), reason }
    }

    fn read(&self, file: &str) -> String {
        let path: PathBuf = self.dir.path().join(file);
        std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

/// Whether some process has the port for UDP, by the kernel's own list.
fn listens(address: SocketAddrV4) -> bool {
    // The address as the machine keeps it: four bytes read as one number.
    let wanted = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port());
    let list = std::fs::read_to_string("/proc/net/udp").unwrap_or_default();
    list.lines().any(|line| line.split_whitespace().nth(1) == Some(wanted.as_str()))
}

/// How many calls succeeded and failed, from the last line of the statistics.
fn statistics(text: &str) -> Option<(u64, u64)> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next()?.split(';').collect();
    let values: Vec<&str> = lines.next_back()?.split(';').collect();
    let value = |name: &str| {
        let place = names.iter().position(|known| *known == name)?;
        values.get(place)?.parse().ok()
    };
    Some((value("SuccessfulCall(C)")?, value("FailedCall(C)")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_statistics_counts() {
        let text = "StartTime;SuccessfulCall(P);SuccessfulCall(C);FailedCall(C);\na;9;1;0;\nb;0;7;2;\n";
        assert_eq!(statistics(text), Some((7, 2)));
        assert_eq!(statistics(""), None);
    }

    #[test]
    fn a_port_listens_as_long_as_somebody_has_it() {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).unwrap();
        let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else { unreachable!() };
        assert!(listens(address));
        drop(socket);
        assert!(!listens(address));
    }
}
