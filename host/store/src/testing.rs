//! PostgreSQL for tests: the server that `RAMAL_TEST_POSTGRES_URL` names, else a private one from Debian's programs,
//! which ends with the test and takes its data with it.
//!
//! Each test gets a database of its own and a role without any privilege, as in production: under a superuser the
//! walls between tenants would be passed over, and every test of them would prove nothing.

mod bare;
mod texts;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

pub use bare::BareInserts;
pub use texts::texts;

/// The variable with the address of a server whose role may make roles and databases.
pub const URL: &str = "RAMAL_TEST_POSTGRES_URL";
/// The oldest version that is supported.
const OLDEST: u32 = 15;
/// Where Debian puts the programs, one folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// A server that is not there after this time does not come.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often a server that is starting is asked.
const POLL: Duration = Duration::from_millis(20);

/// A PostgreSQL server for tests.
#[derive(Debug)]
pub struct TestPostgres {
    admin: PgConnectOptions,
    own: Option<Own>,
}

/// A server of the test's own. The process is ended before the folder goes.
#[derive(Debug)]
struct Own {
    server: Child,
    programs: Programs,
    port: u16,
    durable: bool,
    folder: TempDir,
}

#[derive(Debug, Clone)]
struct Programs {
    folder: PathBuf,
    version: u32,
    /// The server refuses root: whom it runs as then.
    user: Option<(u32, u32)>,
}

impl TestPostgres {
    /// A server, or `None` after saying on standard error which test is skipped and why. On a build server the same is
    /// an error.
    ///
    /// # Errors
    /// When there is a server that cannot be used, or none where `CI` is set.
    pub async fn start(test: &str) -> io::Result<Option<Self>> {
        if let Ok(url) = std::env::var(URL) {
            let admin = url.parse::<PgConnectOptions>().map_err(io::Error::other)?;
            return Ok(Some(Self { admin, own: None }));
        }
        match Programs::find() {
            Ok(programs) => Self::start_own(&programs, false).await.map(Some),
            Err(reason) if std::env::var_os("CI").is_some() => {
                Err(io::Error::other(format!("PostgreSQL is required where CI is set, but {reason}")))
            }
            Err(reason) => {
                #[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
                {
                    eprintln!("SKIPPED {test}: {reason}");
                }
                Ok(None)
            }
        }
    }

    /// A server of the test's own that keeps what it acknowledged also when it is killed: for tests that kill it.
    ///
    /// # Errors
    /// As [`TestPostgres::start`].
    pub async fn start_durable(test: &str) -> io::Result<Option<Self>> {
        match Programs::find() {
            Ok(programs) => Self::start_own(&programs, true).await.map(Some),
            Err(_) => Self::start(test).await.map(|found| found.filter(|server| server.own.is_some())),
        }
    }

    async fn start_own(programs: &Programs, durable: bool) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("ramal-postgres-").tempdir()?;
        programs.hand_over(folder.path())?;
        let template = programs.template()?;
        let data = folder.path().join("data");
        succeed(Command::new("cp").args(["-a", "--reflink=auto"]).arg(&template).arg(&data))?;
        let port = free_port()?;
        let server = programs.spawn(folder.path(), port, durable)?;
        let admin =
            PgConnectOptions::new().host("127.0.0.1").port(port).username("postgres").database("postgres");
        let mut made =
            Self { admin, own: Some(Own { server, programs: programs.clone(), port, durable, folder }) };
        made.wait().await?;
        Ok(made)
    }

    /// A new, empty database whose owner may do nothing else: its address.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn database(&self) -> io::Result<String> {
        let name = format!("ramal_{}", Uuid::new_v4().simple());
        let mut conn = self.connect().await?;
        for sql in [
            format!(
                "CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE PASSWORD '{name}'"
            ),
            format!("CREATE DATABASE {name} OWNER {name}"),
        ] {
            // The name is ours: letters and digits.
            sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.map_err(io::Error::other)?;
        }
        conn.close().await.map_err(io::Error::other)?;
        let (host, port) = (self.admin.get_host(), self.admin.get_port());
        Ok(format!("postgres://{name}:{name}@{host}:{port}/{name}"))
    }

    /// An address of the same database for the server's administrator, whom no wall holds.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub async fn as_admin(&self, url: &str) -> io::Result<PgConnection> {
        let of: PgConnectOptions = url.parse().map_err(io::Error::other)?;
        let database = of.get_database().unwrap_or("postgres").to_owned();
        self.admin.clone().database(&database).connect().await.map_err(io::Error::other)
    }

    /// Kills the server as a power cut would, and starts it again. Only a server of the test's own.
    ///
    /// # Errors
    /// When it is not the test's own, or does not come back.
    pub async fn kill_and_start(&mut self) -> io::Result<()> {
        self.end_and_start(Own::kill).await
    }

    /// Restarts the server without waiting for anybody, as `pg_ctl restart --mode immediate` does. Only a server of
    /// the test's own.
    ///
    /// # Errors
    /// As [`TestPostgres::kill_and_start`].
    pub async fn restart_at_once(&mut self) -> io::Result<()> {
        self.end_and_start(Own::stop).await
    }

    /// One of the programs that came with the server, such as `pg_dump`; `None` where the server is not our own.
    pub fn program(&self, name: &str) -> Option<Command> {
        self.own.as_ref().map(|own| own.programs.command(name))
    }

    /// The address of a database as whoever owns the server reaches it, past the walls between tenants.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn admin_url(&self, url: &str) -> io::Result<String> {
        let of: PgConnectOptions = url.parse().map_err(io::Error::other)?;
        let of = self.admin.clone().database(of.get_database().unwrap_or("postgres"));
        Ok(of.to_url_lossy().to_string())
    }

    async fn end_and_start(&mut self, ending: fn(&mut Own) -> io::Result<()>) -> io::Result<()> {
        let end = Instant::now() + START_LIMIT;
        loop {
            let not_own = || io::Error::other("the server is not this test's own");
            let own = self.own.as_mut().ok_or_else(not_own)?;
            // Another try: the one before has ended by itself.
            if own.server.try_wait()?.is_none() {
                ending(own)?;
            }
            own.server = own.programs.spawn(own.folder.path(), own.port, own.durable)?;
            match self.wait().await {
                // Until the killed server's children are gone too, a new one refuses the folder and ends.
                Err(_) if Instant::now() < end => tokio::time::sleep(POLL).await,
                done => return done,
            }
        }
    }

    async fn connect(&self) -> io::Result<PgConnection> {
        self.admin.connect().await.map_err(io::Error::other)
    }

    async fn wait(&mut self) -> io::Result<()> {
        let end = Instant::now() + START_LIMIT;
        loop {
            let failure = match self.connect().await {
                Ok(conn) => return conn.close().await.map_err(io::Error::other),
                Err(failure) => failure,
            };
            let over = match &mut self.own {
                Some(own) => own.server.try_wait()?.is_some(),
                None => true,
            };
            if over || Instant::now() > end {
                let log = self.own.as_ref().map(Own::log).unwrap_or_default();
                return Err(io::Error::other(format!("PostgreSQL does not answer: {failure}\n{log}")));
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Own {
    /// Ends the server at once and waits for it; it tells its children and gives its shared memory back.
    fn stop(&mut self) -> io::Result<()> {
        succeed(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]))?;
        self.server.wait().map(drop)
    }

    /// Ends the server's process as a power cut would. Its children see that it is gone and end too.
    fn kill(&mut self) -> io::Result<()> {
        self.server.kill()?;
        self.server.wait().map(drop)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Ended already, it has nobody to be told; nothing can be done about a process that does not end.
        let over = self.server.try_wait().is_ok_and(|status| status.is_some());
        if !over && self.stop().is_err() {
            let _ = self.kill();
        }
    }
}

impl Programs {
    fn find() -> Result<Self, String> {
        let missing = || {
            format!(
                "PostgreSQL {OLDEST} or later is not installed: install Debian's package `postgresql`, or set {URL}"
            )
        };
        let folders = std::fs::read_dir(DEBIAN).map_err(|_| missing())?;
        let (version, folder) = folders
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let bin = entry.path().join("bin");
                (version >= OLDEST && bin.join("postgres").exists()).then_some((version, bin))
            })
            .max()
            .ok_or_else(missing)?;
        let root = std::fs::metadata("/proc/self").map_err(|e| e.to_string())?.uid() == 0;
        let user = if root { Some(account("postgres").ok_or_else(missing)?) } else { None };
        Ok(Self { folder, version, user })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        command.current_dir("/").env_remove("PGDATA").env_remove("PGOPTIONS").stdin(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// Gives a new folder to whom the server runs as.
    fn hand_over(&self, folder: &Path) -> io::Result<()> {
        match self.user {
            Some((user, group)) => chown(folder, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// A fresh cluster that is copied for each test: making one takes a second, a copy a tenth.
    fn template(&self) -> io::Result<PathBuf> {
        let uid =
            self.user.map_or_else(|| std::fs::metadata("/proc/self").map(|m| m.uid()), |(uid, _)| Ok(uid))?;
        let ready = std::env::temp_dir().join(format!("ramal-postgres-{}-{uid}-template", self.version));
        // Somebody else's folder of this name is no template of ours.
        if std::fs::symlink_metadata(&ready).is_ok_and(|m| m.is_dir() && m.uid() == uid) {
            return Ok(ready.join("data"));
        }
        let folder = tempfile::Builder::new().prefix("ramal-postgres-").tempdir()?;
        self.hand_over(folder.path())?;
        let data = folder.path().join("data");
        succeed(
            self.command("initdb")
                .args(["--auth", "trust", "--username", "postgres", "--encoding", "UTF8"])
                .args(["--locale", "C.UTF-8", "--no-sync", "--wal-segsize", "1"])
                .arg("--pgdata")
                .arg(&data),
        )?;
        let made = folder.keep();
        if std::fs::rename(&made, &ready).is_err() {
            // Another test was quicker.
            std::fs::remove_dir_all(&made)?;
        }
        Ok(ready.join("data"))
    }

    fn spawn(&self, folder: &Path, port: u16, durable: bool) -> io::Result<Child> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(folder.join("log"))?;
        let sync = if durable { "on" } else { "off" };
        let mut command = self.command("postgres");
        command.arg("-D").arg(folder.join("data")).arg("-p").arg(port.to_string()).arg("-k").arg(folder);
        for setting in [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("fsync={sync}"),
            format!("full_page_writes={sync}"),
            "max_connections=200".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        command.stdout(log.try_clone()?).stderr(log).spawn()
    }
}

/// User and group of an account of this machine.
fn account(name: &str) -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        Some((uid, fields.next()?.parse().ok()?))
    })
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// A loopback port that was free a moment ago.
fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}
