//! A real Asterisk on loopback ports of its own, with the configuration that Ramal ships in docs/asterisk.
//!
//! `tests/asterisk/install.sh` unpacks Debian's packages once; a start takes about a second. The files are the
//! shipped ones, letter by letter: only what an integrator fills in (addresses, ports, passwords) is filled in here,
//! and a start fails where one of those places is gone. So a page that is pasted is a page that was tried.
//!
//! Customers, carriers and agents are SIPp ([`Phones`]); what Asterisk itself thinks of a call is in its own records
//! ([`Asterisk::cdrs`]).

mod cdr;
mod files;
mod phones;
mod sipp;

use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::peer::{Peer, PeerError, Server, free_port, install_with, request, tail};
pub use cdr::{Cdr, Disposition};
pub use phones::{Phone, Phones};
pub use sipp::{Report, Sipp};

/// How long Asterisk may take to be ready; it takes one second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long an orderly stop may take.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// Tries to get ports that nobody takes in between.
const TRIES: usize = 3;
/// What Asterisk says when somebody has.
const TAKEN: &str = "Address already in use";

/// Who controls calls, over ARI.
pub const ARI_USER: &str = "ramal";
/// Who watches queues, over AMI.
pub const AMI_USER: &str = "ramal";
/// Invented: the exchange listens on loopback and is gone after the test.
pub const ARI_PASSWORD: &str = "ari-test-only";
/// As above.
pub const AMI_SECRET: &str = "ami-test-only-0123456789abcdef01234";
/// As above, of every phone of the house.
pub const PHONE_PASSWORD: &str = "phone-test-only";
/// The exchange and the phones of the house.
pub const HOUSE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// The carrier: customers come from this address.
pub const CARRIER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Which Asterisk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// 16, the oldest that is supported: of Debian's suite bullseye.
    Sixteen,
    /// 22 or newer: of the suite sid, which may be out of reach of a build server too.
    TwentyTwo,
}

impl Release {
    fn suite(self) -> &'static str {
        match self {
            Self::Sixteen => "bullseye",
            Self::TwentyTwo => "sid",
        }
    }
}

/// A running Asterisk. It ends with this value, and its files with it.
#[derive(Debug)]
pub struct Asterisk {
    /// `http://127.0.0.1:<port>`: ARI is at `/ari` there.
    pub http: String,
    /// The port of AMI.
    pub ami: u16,
    /// The port for SIP over UDP.
    pub sip: u16,
    /// The port at [`CARRIER`] where the exchange calls the carrier.
    pub carrier: u16,
    root: PathBuf,
    // Dropped in this order: the process must be gone before its folder.
    server: Option<Server>,
    home: tempfile::TempDir,
}

impl Asterisk {
    /// Install the peer if need be and start an exchange with the shipped configuration.
    ///
    /// # Errors
    /// Where the peer is installed but does not come up, and where 16 is missing although `CI` is set.
    pub async fn start(release: Release) -> Result<Peer<Self>, PeerError> {
        Self::start_changed(release, &[]).await
    }

    /// The same, with lines of the shipped files changed: `(file, from, to)`, such as a queue's patience.
    ///
    /// # Errors
    /// As above, and where what is to be changed does not stand in the file.
    pub async fn start_changed(
        release: Release,
        changes: &[(&str, &str, &str)],
    ) -> Result<Peer<Self>, PeerError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("asterisk/install.sh");
        let root = match (install_with(&script, &[release.suite()]).await, release) {
            (Ok(Peer::Ready(root)), _) => root,
            (Ok(Peer::Missing(reason)), _) | (Err(PeerError::Required(reason)), Release::TwentyTwo) => {
                return Ok(Peer::Missing(reason));
            }
            (Err(error), _) => return Err(error),
        };
        let mut tries = 1;
        loop {
            match Self::start_once(&root, changes).await {
                Err(PeerError::Start { log, .. }) if log.contains(TAKEN) && tries < TRIES => tries += 1,
                done => return done.map(Peer::Ready),
            }
        }
    }

    async fn start_once(root: &Path, changes: &[(&str, &str, &str)]) -> Result<Self, PeerError> {
        let place = root.join("srv");
        let file = |source| PeerError::File { path: place.clone(), source };
        let home = tempfile::Builder::new().prefix("ramal-").tempdir_in(&place).map_err(file)?;
        let mut asterisk = Self {
            http: format!("http://{HOUSE}:{}", free_port().map_err(file)?),
            ami: free_port().map_err(file)?,
            sip: free_udp_port(HOUSE).map_err(file)?,
            carrier: free_udp_port(CARRIER).map_err(file)?,
            root: root.to_owned(),
            server: None,
            home,
        };
        files::write(&asterisk, changes)?;
        asterisk.restart().await?;
        Ok(asterisk)
    }

    /// Start it again, with the ports, files and registrations that it had, once it was stopped or killed.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn restart(&mut self) -> Result<(), PeerError> {
        self.kill();
        let mut command = Command::new("chroot");
        command.arg(&self.root).args(["/usr/sbin/asterisk", "-f", "-C"]);
        command.arg(self.inside().join("etc/asterisk.conf"));
        let server = Server::spawn(command, self.home.path().join("stdout"))?;
        let server = self.server.insert(server);
        let info = format!("{}/ari/asterisk/info", self.http);
        // 503 while it loads, 401 to whoever else has the port.
        let asks = format!("{ARI_USER}:{ARI_PASSWORD}");
        let asks = format!("Basic {}", data_encoding::BASE64.encode(asks.as_bytes()));
        let log = self.home.path().join("log/full");
        server
            .ready(START_LIMIT, async || {
                let ready = request("GET", &info, &[("authorization", &asks)], None).await;
                matches!(ready, Ok((200, _)))
            })
            .await
            .map_err(|error| match error {
                PeerError::Start { reason, .. } => {
                    let log = std::fs::read_to_string(log).unwrap_or_default();
                    let taken = log.lines().find(|line| line.contains(TAKEN)).unwrap_or_default();
                    PeerError::Start { reason, log: format!("{taken}\n{}", tail(&log)) }
                }
                other => other,
            })
    }

    /// End it at once, as a power cut would: no goodbye, no record of the calls that were under way.
    pub fn kill(&mut self) {
        self.server = None;
    }

    /// End it in order: callers hear that it is over, records are written.
    ///
    /// # Errors
    /// Where it does not end.
    pub async fn stop(&mut self) -> Result<(), PeerError> {
        match self.server.take() {
            Some(server) => server.stop(STOP_LIMIT).await,
            None => Ok(()),
        }
    }

    /// The customers, the carrier and the agents of this exchange.
    pub fn phones(&self) -> Phones<'_> {
        Phones(self)
    }

    /// Asterisk's own records of the calls that are over, in the order in which they ended.
    ///
    /// # Errors
    /// Where the file is not readable.
    pub fn cdrs(&self) -> Result<Vec<Cdr>, PeerError> {
        cdr::read(&self.home.path().join("log/cdr-csv/Master.csv"))
    }

    /// The records once there are so many.
    ///
    /// # Errors
    /// Where there are not in half a minute.
    pub async fn cdrs_once(&self, count: usize) -> Result<Vec<Cdr>, PeerError> {
        cdr::wait(&self.home.path().join("log/cdr-csv/Master.csv"), count).await
    }

    /// Everything that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log/full")).unwrap_or_default()
    }

    /// Where its files are, seen from outside.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where its files are, seen from within the chroot.
    fn inside(&self) -> PathBuf {
        Path::new("/srv").join(self.home.path().file_name().unwrap_or_default())
    }
}

/// A port for UDP that was free a moment ago.
pub(crate) fn free_udp_port(address: Ipv4Addr) -> std::io::Result<u16> {
    Ok(UdpSocket::bind((address, 0))?.local_addr()?.port())
}
