//! A private PostgreSQL cluster on a loopback port, for CRM servers that keep their data there.
//!
//! A cluster of the machine's own would be shared by tests that then see each other's rows, and whose roles
//! and databases outlive them. This one lives in a folder that goes with it. It has no durability: it is
//! thrown away after the test.
//!
//! [`Postgres::rows`] and [`Postgres::traces`] read below the CRM: what a server does not show any more may
//! still stand in its tables, and that is what a proof of erasure is about.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::peer::{Peer, PeerError, Server, free_port, tail};

/// The superuser of every cluster of ours.
const SUPERUSER: &str = "postgres";
/// Its password. The cluster listens on loopback for the length of a test and holds invented people.
const PASSWORD: &str = "postgres-test-only";
/// The oldest PostgreSQL that the CRMs are tried on.
const OLDEST: u32 = 15;
/// Where Debian puts the programs, one folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Seconds that a new cluster may take to accept connections; it takes less than one on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Tries to get a port that nobody takes in between.
const PORTS: usize = 3;

/// A running cluster. It ends with this value, and its databases with it.
#[derive(Debug)]
pub struct Postgres {
    /// The port on 127.0.0.1.
    pub port: u16,
    programs: Programs,
    // Dropped in this order: the server must be gone before its folder.
    server: Server,
    dir: tempfile::TempDir,
}

/// The programs of one version and whom they run as.
#[derive(Debug, Clone)]
struct Programs {
    folder: PathBuf,
    /// `initdb` and the server refuse root. User and group then.
    user: Option<(u32, u32)>,
}

impl Postgres {
    /// Make a cluster in a folder of its own and start it. Nothing but the superuser is in it.
    ///
    /// # Errors
    /// Where PostgreSQL is there but does not come up.
    pub async fn start() -> Result<Peer<Self>, PeerError> {
        let programs = match Programs::find() {
            Ok(programs) => programs,
            Err(reason) => return Ok(Peer::Missing(reason)),
        };
        let mut tries = 1;
        loop {
            match Self::start_once(&programs).await {
                Err(PeerError::Start { log, .. }) if log.contains("in use") && tries < PORTS => tries += 1,
                done => return done.map(Peer::Ready),
            }
        }
    }

    async fn start_once(programs: &Programs) -> Result<Self, PeerError> {
        let dir = tempfile::Builder::new()
            .prefix("ramal-postgres-")
            .tempdir()
            .map_err(|source| PeerError::File { path: std::env::temp_dir(), source })?;
        let data = dir.path().join("data");
        let file = |source| PeerError::File { path: data.clone(), source };
        let password = dir.path().join("password");
        std::fs::write(&password, PASSWORD).map_err(file)?;
        if let Some((user, group)) = programs.user {
            for path in [dir.path(), &password] {
                chown(path, Some(user), Some(group)).map_err(file)?;
            }
        }

        let mut initdb = programs.server_side("initdb");
        initdb
            .args(["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
            .args(["--username", SUPERUSER])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data);
        run(initdb.into(), "a new cluster", None).await?;

        let port = free_port().map_err(file)?;
        let mut command = programs.server_side("postgres");
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string()).arg("-k").arg(dir.path());
        for setting in [
            "listen_addresses=127.0.0.1",
            // Nothing here has to survive a power cut.
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ] {
            command.args(["-c", setting]);
        }
        let server = Server::spawn(command, dir.path().join("log"))?;
        let mut postgres = Self { port, programs: programs.clone(), server, dir };
        let mut is_ready = postgres.client("pg_isready");
        is_ready.args(["--quiet", "--timeout", "1"]);
        postgres
            .server
            .ready(START_LIMIT, async || is_ready.status().is_ok_and(|status| status.success()))
            .await?;
        Ok(postgres)
    }

    /// Where a program connects to one of the databases as the superuser.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// Run statements as the superuser; all of them or none. No values of a stranger: they are not escaped.
    ///
    /// # Errors
    /// Where one of them fails.
    pub async fn execute(&self, database: &str, statements: &str) -> Result<(), PeerError> {
        self.psql(database, &["--single-transaction"], statements).await.map(drop)
    }

    /// The rows of one query, without its semicolon, each as a JSON object of its columns.
    ///
    /// # Errors
    /// Where the query fails.
    pub async fn rows(&self, database: &str, query: &str) -> Result<Vec<Value>, PeerError> {
        let query = format!("SELECT coalesce(json_agg(row_of), '[]') FROM ({query}) AS row_of;");
        let answer = self.psql(database, &[], &query).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| PeerError::Ask { what: "rows".to_owned(), reason: error.to_string() })
    }

    /// A role that may log in and nothing else, so that row-level security holds for it.
    ///
    /// # Errors
    /// Where there is such a role.
    pub async fn role(&self, name: &str, password: &str) -> Result<(), PeerError> {
        let statement = format!("CREATE ROLE {name} LOGIN PASSWORD '{password}' NOSUPERUSER;");
        self.execute("postgres", &statement).await
    }

    /// A new database with what `pg_dump --format custom` wrote; its owners must exist as roles.
    ///
    /// # Errors
    /// Where the dump is not readable or names a role that is not there.
    pub async fn restore(&self, database: &str, owner: &str, dump: &Path) -> Result<(), PeerError> {
        // Not within a transaction.
        let statement = format!("CREATE DATABASE {database} OWNER {owner};");
        self.psql("postgres", &[], &statement).await?;
        let mut command = self.client("pg_restore");
        command.args(["--no-privileges", "--exit-on-error", "--jobs", "2", "--dbname", database]).arg(dump);
        run(command.into(), "a copy of the template", None).await.map(drop)
    }

    /// Every `table.column` of a database in which one of the texts stands, whatever the column's type.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn traces(&self, database: &str, texts: &[&str]) -> Result<Vec<String>, PeerError> {
        let mut dump = self.client("pg_dump");
        dump.args(["--data-only", "--dbname", database]);
        let dump = run(dump.into(), "every row", None).await?;
        Ok(columns_with(&String::from_utf8_lossy(&dump), texts))
    }

    async fn psql(&self, database: &str, args: &[&str], input: &str) -> Result<Vec<u8>, PeerError> {
        let mut command = self.client("psql");
        command
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"])
            .args(args)
            .args(["--dbname", database, "--file", "-"]);
        run(command.into(), "SQL", Some(input)).await
    }

    /// A program that talks to the cluster over the network.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.folder.join(program));
        command
            .env("PGHOST", "127.0.0.1")
            .env("PGPORT", self.port.to_string())
            .env("PGUSER", SUPERUSER)
            .env("PGPASSWORD", PASSWORD)
            // What a developer has set for the real work.
            .env_remove("PGDATABASE")
            .env_remove("PGOPTIONS")
            .env_remove("PGSERVICE");
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A killed server would leave its piece of shared memory; asked to stop it takes it along. The process is
        // the one of our own folder. Should it fail, the handle of the process kills it.
        let mut stop = self.programs.server_side("pg_ctl");
        stop.args(["stop", "--silent", "--wait", "--mode", "immediate", "--pgdata"])
            .arg(self.dir.path().join("data"));
        let _ = stop.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

impl Programs {
    /// The newest version of Debian's, or the one on the path; why there is none.
    fn find() -> Result<Self, String> {
        let wanted =
            || format!("missing: PostgreSQL {OLDEST} or newer (on Debian: apt-get install postgresql)");
        let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten().filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        });
        let newest = debian.filter(|(version, folder)| *version >= OLDEST && whole(folder)).max();
        let folder = newest
            .map(|(_, folder)| folder)
            .or_else(|| std::env::split_paths(&std::env::var_os("PATH")?).find(|folder| whole(folder)))
            .ok_or_else(wanted)?;
        // The owner of this process's own entry is who we are.
        let root = std::fs::metadata("/proc/self").is_ok_and(|of_us| of_us.uid() == 0);
        let user = if root {
            let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
            let user = account(&passwd, SUPERUSER)
                .ok_or("missing: the user postgres, since PostgreSQL does not run as root (Debian's package makes it)")?;
            Some(user)
        } else {
            None
        };
        Ok(Self { folder, user })
    }

    /// A program that works on the cluster's files and therefore must not be root.
    fn server_side(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        // The folder where the tests run may be closed to that user.
        command.current_dir("/");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }
}

/// Whether the folder has both the server's programs and the client's.
fn whole(folder: &Path) -> bool {
    ["initdb", "postgres", "pg_ctl", "pg_isready", "psql", "pg_dump", "pg_restore"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

/// User and group of an account, from the text of `/etc/passwd`.
fn account(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    })
}

/// The `table.column`s that hold one of the texts, from a dump in the form of `COPY`: a head with the columns' names,
/// then a line for each row with tabs between its values, and `\.` at the end.
fn columns_with(dump: &str, texts: &[&str]) -> Vec<String> {
    let mut found = BTreeSet::new();
    let mut table: Option<(&str, Vec<&str>)> = None;
    for line in dump.lines() {
        if let Some(head) = line.strip_prefix("COPY ").filter(|_| table.is_none()) {
            table = head.split_once(" (").map(|(name, rest)| {
                let name = name.rsplit('.').next().unwrap_or(name);
                let columns = rest.split(')').next().unwrap_or_default();
                (name.trim_matches('"'), columns.split(", ").map(|column| column.trim_matches('"')).collect())
            });
        } else if line == "\\." {
            table = None;
        } else if let Some((name, columns)) = &table {
            for (column, value) in columns.iter().zip(line.split('\t')) {
                if texts.iter().any(|text| value.contains(text)) {
                    found.insert(format!("{name}.{column}"));
                }
            }
        }
    }
    found.into_iter().collect()
}

async fn run(
    mut command: tokio::process::Command,
    what: &str,
    input: Option<&str>,
) -> Result<Vec<u8>, PeerError> {
    let program = PathBuf::from(command.as_std().get_program());
    let failed = |source: io::Error| PeerError::Run { program: program.clone(), source };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
        // A program that ends early says why on stderr; the broken pipe says less.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(PeerError::Ask { what: what.to_owned(), reason: tail(&String::from_utf8_lossy(&output.stderr)) })
}

#[cfg(test)]
mod tests;
