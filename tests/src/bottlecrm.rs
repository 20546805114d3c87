//! A real BottleCRM 1.35 on a loopback port, with a PostgreSQL and a Redis of its own for each test.
//!
//! `tests/bottlecrm/install.sh` makes a venv and a dump of a template database once; a start is a new cluster, two seconds
//! of `pg_restore` and some seconds until the server answers. The answers of the real server are what the plugin for
//! BottleCRM is held to: it shares more than it is asked for, takes two cities' numbers for the same and keeps what was
//! deleted in ways that no mock of ours would have thought of.
//!
//! [`BottleCrm::rest`] is a bare request, [`BottleCrm::rows`] and [`BottleCrm::traces`] read the rows of the database:
//! they go around the plugin and, the last two, around BottleCRM.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::peer::{Peer, PeerError, Server, free_port, install, request};
use crate::postgres_peer::Postgres;

/// Seconds that the server may take to answer; it takes five on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Tries to get a port that nobody takes in between.
const PORTS: usize = 3;
/// The database, and the role that the server works as: none that row-level security would not hold for.
const DATABASE: &str = "bottlecrm";
const ROLE: &str = "crm_app";
/// Protects a database on loopback for the length of a test.
const ROLE_PASSWORD: &str = "crm-app-test-only";

/// Starts the server with one package out of its reach.
const WITHOUT_PACKAGING: &str = "import sys; sys.modules['packaging'] = None; import uvicorn; uvicorn.main()";

/// A running BottleCRM. It ends with this value, and its database with it.
#[derive(Debug)]
pub struct BottleCrm {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// The personal access token that the plugin works with.
    pub token: String,
    /// Every token by name; what each may do stands in `tests/bottlecrm/seed.py`.
    pub tokens: BTreeMap<String, String>,
    /// The ids of the invented customers by name. Their numbers are in `tests/bottlecrm/seed.py`.
    pub contacts: BTreeMap<String, String>,
    /// The one customer of another company on the same server, with Maria's number.
    pub rival: String,
    /// An id that nobody has.
    pub nobody: String,
    // Dropped in this order: the servers must be gone before their folder.
    _web: Server,
    _queue: Option<Server>,
    postgres: Postgres,
    dir: tempfile::TempDir,
}

/// What the install script wrote beside the template.
#[derive(Deserialize)]
struct Seeds {
    tokens: BTreeMap<String, String>,
    contacts: BTreeMap<String, String>,
    rivals: BTreeMap<String, String>,
    nobody: String,
}

/// What is wrong with the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Nothing,
    /// The Python package `packaging`, which BottleCRM needs and does not ask for.
    Packaging,
    /// Redis, which has its queue of background work.
    Queue,
}

impl BottleCrm {
    /// Install the peer if need be, restore the template and start the server.
    ///
    /// # Errors
    /// Where the peer is installed but does not come up, and where it is missing although `CI` is set.
    pub async fn start() -> Result<Peer<Self>, PeerError> {
        Self::start_with(Lack::Nothing).await
    }

    /// A server as `pip install django-crm` makes it: without a package that BottleCRM needs and does not ask for. It
    /// saves a new contact, cannot tell its members, and answers 500.
    ///
    /// # Errors
    /// As [`BottleCrm::start`].
    pub async fn start_as_pip_installs_it() -> Result<Peer<Self>, PeerError> {
        Self::start_with(Lack::Packaging).await
    }

    /// A server whose Redis is down: it saves a new contact, tries for 20 seconds to tell its members, and answers 500.
    ///
    /// # Errors
    /// As [`BottleCrm::start`].
    pub async fn start_without_its_queue() -> Result<Peer<Self>, PeerError> {
        Self::start_with(Lack::Queue).await
    }

    async fn start_with(lack: Lack) -> Result<Peer<Self>, PeerError> {
        let peer = match installed().await? {
            Peer::Ready(peer) => peer,
            Peer::Missing(reason) => return Ok(Peer::Missing(reason)),
        };
        let mut tries = 1;
        loop {
            match Self::start_once(&peer, lack).await {
                Err(PeerError::Start { log, .. }) if log.contains("in use") && tries < PORTS => tries += 1,
                done => return done,
            }
        }
    }

    async fn start_once(peer: &Path, lack: Lack) -> Result<Peer<Self>, PeerError> {
        let template = peer.join("template");
        let seeds: Seeds = read_json(&template.join("peer.json"))?;
        let dir = tempfile::Builder::new()
            .prefix("ramal-bottlecrm-")
            .tempdir()
            .map_err(|source| PeerError::File { path: std::env::temp_dir(), source })?;
        let port = || free_port().map_err(|source| PeerError::File { path: dir.path().into(), source });

        let postgres = match Postgres::start().await? {
            Peer::Ready(postgres) => postgres,
            Peer::Missing(reason) => return Ok(Peer::Missing(reason)),
        };
        postgres.role(ROLE, ROLE_PASSWORD).await?;
        postgres.restore(DATABASE, ROLE, &template.join("bottlecrm.dump")).await?;

        let redis = format!("redis://127.0.0.1:{}/0", port()?);
        let queue = match lack {
            Lack::Queue => None,
            Lack::Nothing | Lack::Packaging => Some(start_queue(&redis, dir.path())?),
        };

        let port = port()?;
        let origin = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(peer.join("venv/bin/python"));
        command
            .args(["-W", "ignore"])
            .args(match lack {
                Lack::Packaging => ["-c", WITHOUT_PACKAGING],
                Lack::Nothing | Lack::Queue => ["-m", "uvicorn"],
            })
            .args(["crm.asgi:application", "--host", "127.0.0.1"])
            .args(["--port", &port.to_string()])
            .current_dir(dir.path())
            .env("DJANGO_SETTINGS_MODULE", "crm.settings")
            .env("ENV_TYPE", "dev")
            .env("DEBUG", "False")
            .env("ALLOWED_HOSTS", "127.0.0.1")
            .env("SECRET_KEY", "made-up-and-only-for-tests-0123456789abcdef")
            .env("DBNAME", DATABASE)
            .env("DBUSER", ROLE)
            .env("DBPASSWORD", ROLE_PASSWORD)
            .env("DBHOST", "127.0.0.1")
            .env("DBPORT", postgres.port.to_string())
            .env("CELERY_BROKER_URL", &redis)
            .env("CELERY_RESULT_BACKEND", &redis)
            .env_remove("CACHE_URL");
        let mut web = Server::spawn(command, dir.path().join("bottlecrm.log"))?;
        let door = format!("{origin}/api/contacts/");
        // Without a token the answer is 403, from BottleCRM itself and not from whoever else has the port.
        web.ready(START_LIMIT, async || matches!(request("GET", &door, &[], None).await, Ok((403, _))))
            .await?;

        Ok(Peer::Ready(Self {
            origin,
            token: seeds.tokens.get("panel").cloned().unwrap_or_default(),
            tokens: seeds.tokens,
            contacts: seeds.contacts,
            rival: seeds.rivals.into_values().next().unwrap_or_default(),
            nobody: seeds.nobody,
            _web: web,
            _queue: queue,
            postgres,
            dir,
        }))
    }

    /// The vendor's own description of the interface, OpenAPI 3, made by the server's own code.
    ///
    /// # Errors
    /// Where the peer cannot be installed, and where it is missing although `CI` is set.
    pub async fn openapi() -> Result<Peer<Value>, PeerError> {
        Ok(match installed().await? {
            Peer::Ready(peer) => Peer::Ready(read_json(&peer.join("template/openapi.json"))?),
            Peer::Missing(reason) => Peer::Missing(reason),
        })
    }

    /// One bare request with the plugin's token, for what the plugin is compared with. `path` starts after `/api`. The
    /// status and the JSON of the answer, `Null` if it is not JSON.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn rest(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), PeerError> {
        self.rest_as("panel", method, path, body).await
    }

    /// The same with another of the tokens, by its name.
    ///
    /// # Errors
    /// Where there is no such token, and where no answer came.
    pub async fn rest_as(
        &self,
        token: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), PeerError> {
        let failed = |reason| PeerError::Ask { what: format!("{method} {path}"), reason };
        let token = self.tokens.get(token).ok_or_else(|| failed(format!("there is no token {token}")))?;
        let url = format!("{}/api{path}", self.origin);
        request(method, &url, &[("authorization", &format!("Bearer {token}"))], body).await.map_err(failed)
    }

    /// The rows of one query, as the superuser whom no rule holds back.
    ///
    /// # Errors
    /// Where the query fails.
    pub async fn rows(&self, query: &str) -> Result<Vec<Value>, PeerError> {
        self.postgres.rows(DATABASE, query).await
    }

    /// Statements as the superuser, for what no page and no call of BottleCRM makes.
    ///
    /// # Errors
    /// Where one of them fails.
    pub async fn execute(&self, statements: &str) -> Result<(), PeerError> {
        self.postgres.execute(DATABASE, statements).await
    }

    /// Every `table.column` of the database in which one of the texts stands: what an erasure has really left.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn traces(&self, texts: &[&str]) -> Result<Vec<String>, PeerError> {
        self.postgres.traces(DATABASE, texts).await
    }

    /// What the server has logged so far, with every address that it was asked for.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("bottlecrm.log")).unwrap_or_default()
    }
}

async fn installed() -> Result<Peer<PathBuf>, PeerError> {
    install(&Path::new(env!("CARGO_MANIFEST_DIR")).join("bottlecrm/install.sh")).await
}

/// Redis, for BottleCRM's background work; nothing of it is kept.
fn start_queue(url: &str, dir: &Path) -> Result<Server, PeerError> {
    let port = url.trim_start_matches("redis://127.0.0.1:").trim_end_matches("/0");
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"])
        .current_dir(dir);
    Server::spawn(command, dir.join("redis.log"))
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, PeerError> {
    let file = |source| PeerError::File { path: path.to_path_buf(), source };
    let text = std::fs::read(path).map_err(file)?;
    serde_json::from_slice(&text).map_err(|error| file(error.into()))
}
