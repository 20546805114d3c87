//! The processes: the host that is killed, and the practice CRM that is not. Both are the real `ramal`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::http::Api;
use crate::receiver::Receiver;

const TENANT: &str = "practice";
pub(crate) const SOURCE: (&str, &str) = ("pbx", "made-up-secret-of-the-exchange-0001");
const TOKEN: &str = "made-up-token-of-the-panel-00000001";
const WEBHOOK_SECRET: &str = "whsec_bWFkZS11cC1zZWNyZXQtb2YtYS13ZWJob29rLTAx";
const CRM_KEY: &str = "made-up-practice-key";
const GRANT: &str = include_str!("../../../plugins/practice/grant.toml");
/// A host that is not up by then does not come.
const START_LIMIT: Duration = Duration::from_secs(60);

/// The binary: the one of this build, or the one that `RAMAL_BIN` names.
fn ramal() -> PathBuf {
    let path = std::env::var_os("RAMAL_BIN").map_or_else(
        // <target>/<profile>/deps/<this test>
        || std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("ramal"),
        PathBuf::from,
    );
    assert!(path.is_file(), "{} is not there; build it: cargo build -p ramal-cli", path.display());
    path
}

/// A plugin that `make fixtures` built.
pub(crate) fn plugin(name: &str) -> PathBuf {
    let file = ramal_tests::fixture::folder().join(format!("{name}.wasm"));
    assert!(file.is_file(), "{} is not there; build it: make fixtures", file.display());
    file.canonicalize().unwrap()
}

/// The practice CRM as a process of its own: it outlives every host.
pub(crate) struct Crm {
    pub(crate) origin: String,
    pub(crate) api: Api,
    _child: Child,
}

impl Crm {
    pub(crate) async fn start() -> Self {
        let mut command = Command::new(ramal());
        command.args(["--quiet", "practice-crm", "--listen", "127.0.0.1:0"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let page = ready(&mut lines, "pages").await.expect("the practice CRM starts");
        let origin = page.trim_end_matches('/').to_owned();
        Self { api: Api::new(&origin, CRM_KEY), origin, _child: child }
    }
}

/// Reads what a process prints until the field that says that it is up.
async fn ready(lines: &mut Lines<BufReader<ChildStdout>>, field: &str) -> Option<String> {
    let wait = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if let Some(value) = line.trim_start().strip_prefix(field) {
                return Some(value.trim().to_owned());
            }
        }
        None
    };
    tokio::time::timeout(START_LIMIT, wait).await.expect("it starts within a minute")
}

/// In a grant: what is measured is what a crash does, not what the gate does.
pub(crate) const LIMITS: &str =
    "calls-per-minute = 100000\nsubjects-per-hour = 100000\nsubjects-per-day = 1000000\n";

/// The files of one tenant's plugin.
pub(crate) struct PluginFiles {
    pub(crate) tenant: &'static str,
    pub(crate) component: PathBuf,
    pub(crate) grant: String,
    pub(crate) settings: String,
    pub(crate) credentials: String,
}

/// Everything that one host keeps: its configuration, its database, its log.
pub(crate) struct Place {
    folder: TempDir,
    /// What the host is started with, such as another clock.
    pub(crate) environment: Vec<(String, String)>,
    /// What the host is started by, such as a program that enters a namespace.
    pub(crate) before: Vec<String>,
}

impl Place {
    /// A host that tells the CRM of calls; one that `looks_up` asks it who is calling as well.
    pub(crate) fn new(crm: &Crm, looks_up: bool, postgres: Option<&str>) -> Self {
        Self::telling(crm, looks_up, postgres, None)
    }

    /// The same, and it tells a webhook's receiver of each event.
    pub(crate) fn telling(
        crm: &Crm,
        looks_up: bool,
        postgres: Option<&str>,
        receiver: Option<&Receiver>,
    ) -> Self {
        let here = crm.origin.trim_start_matches("http://");
        let mut grant = GRANT.replace("127.0.0.1:7788", here);
        if !looks_up {
            let of_look_ups = |line: &&str| !line.starts_with("screen-pop = ");
            let lines = grant.lines().filter(of_look_ups).map(|line| line.replace("\"screen-pop\", ", ""));
            grant = lines.collect::<Vec<_>>().join("\n");
        }
        let files = PluginFiles {
            tenant: TENANT,
            component: plugin("practice"),
            grant: grant + "\n[limits]\n" + LIMITS,
            settings: format!("server = \"{}\"\n", crm.origin),
            credentials: format!("[practice.practice.key]\ntoken = \"{CRM_KEY}\"\n"),
        };
        Self::holding(&files, postgres, receiver)
    }

    /// A host with a plugin.
    pub(crate) fn holding(files: &PluginFiles, postgres: Option<&str>, receiver: Option<&Receiver>) -> Self {
        let place = Self {
            folder: tempfile::Builder::new().prefix("ramal-crash-").tempdir().unwrap(),
            environment: Vec::new(),
            before: Vec::new(),
        };
        fs::create_dir(place.data()).unwrap();
        fs::set_permissions(place.data(), fs::Permissions::from_mode(0o700)).unwrap();
        place.put("grant.toml", &files.grant);
        place.put("settings.toml", &files.settings);
        place.put("credentials.toml", &files.credentials);
        let postgres = postgres.map(|url| format!("[postgres]\nurl = \"{url}\"\n")).unwrap_or_default();
        let webhook = receiver.map(|receiver| {
            format!(
                "[[tenant.webhook]]\nid = \"erp\"\nurl = \"http://127.0.0.1:{}/in\"\nprivate = [\"127.0.0.0/8\"]\n\
                 secret = \"{WEBHOOK_SECRET}\"\n",
                receiver.port
            )
        });
        let webhook = webhook.unwrap_or_default();
        let (source, secret) = SOURCE;
        place.put(
            "ramal.toml",
            &format!(
                "listen = \"127.0.0.1:0\"\ndata = \"data\"\n{postgres}\
                 [[tenant]]\nid = \"{}\"\n\
                 [[tenant.token]]\nid = \"panel\"\ntoken = \"{TOKEN}\"\n\
                 [[tenant.source]]\nid = \"{source}\"\nsecret = \"{secret}\"\n\
                 [[tenant.plugin]]\nfile = '{}'\ngrant = \"grant.toml\"\nsettings = \"settings.toml\"\n\
                 credentials = \"credentials.toml\"\n{webhook}",
                files.tenant,
                files.component.display()
            ),
        );
        place
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The folder of the database.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What the hosts of this place said, all of them.
    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The end of what the hosts said.
    pub(crate) fn end_of_log(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let program = ramal();
        let mut command = match self.before.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        command
            .args(arguments)
            .args(["--config"])
            .arg(self.folder.path().join("ramal.toml"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("RAMAL_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true);
        command
    }

    /// Begins a life of the host, without waiting for it.
    pub(crate) fn spawn(&self) -> Child {
        self.command(&["--quiet", "run"]).spawn().unwrap()
    }

    /// A host that is up.
    pub(crate) async fn start(&self) -> Host {
        let mut child = self.spawn();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        match ready(&mut lines, "panel").await {
            Some(origin) => Host { api: Api::new(&origin, TOKEN), child, _lines: lines },
            None => panic!("the host did not start: {:?}\n{}", child.wait().await, self.end_of_log()),
        }
    }

    /// Folds every history again and compares, as an operator does: `ramal store check`.
    pub(crate) async fn check(&self) {
        let done = self.command(&["store", "check"]).output().await.unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{}: {said}\n{}", done.status, self.end_of_log());
        assert!(said.contains("sound"), "{said}");
    }
}

/// A host that is up.
pub(crate) struct Host {
    pub(crate) api: Api,
    child: Child,
    // Closed with the host: it must be able to print.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Host {
    /// Ends it as a power cut would end it, but for what the system still writes.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let id =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.unwrap(), rustix::process::Signal::TERM).unwrap();
        tokio::time::timeout(START_LIMIT, self.child.wait()).await.expect("it stops within a minute").unwrap()
    }

    /// Whether it is the process that was started.
    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

/// Kills a process that is not up yet.
pub(crate) async fn kill_in_the_bud(mut child: Child) {
    child.kill().await.unwrap();
}

/// A path that a shell does not read anything into.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
