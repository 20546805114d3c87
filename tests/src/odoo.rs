//! A real Odoo 19 on a loopback port, with a PostgreSQL and a database of its own for each test.
//!
//! `tests/odoo/install.sh` unpacks Odoo, makes a venv and a dump of a template database once; a start is a new cluster, a
//! copy of the dump and some seconds of Odoo. What the real server does is what the plugin is held to: it says `false`
//! for nothing, gives everybody for an empty number, and keeps a deleted customer's number in five tables.
//!
//! [`Odoo::call`] prepares what a salesperson would type; [`Odoo::rows`] and [`Odoo::traces`] read the rows of the
//! database, below Odoo and around the plugin.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::peer::{Peer, PeerError, Server, free_port, install, request};
use crate::postgres_peer::Postgres;

/// Seconds that Odoo may take to answer; it takes seven on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(180);
/// Tries to get a port that nobody takes in between.
const PORTS: usize = 3;
/// The role that owns the database, and its password. The cluster listens on loopback for the length of a test.
const ROLE: (&str, &str) = ("odoo", "odoo-test-only");

/// A running Odoo. It ends with this value, and its database with it.
#[derive(Debug)]
pub struct Odoo {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// The database's name.
    pub database: String,
    /// The API key of the user that the panel works as.
    pub key: String,
    /// The key of a user who may administer contacts but has no right to leads.
    pub key_without_sales: String,
    /// The key of the administrator, for what a test prepares.
    pub admin_key: String,
    /// The id of a user who sells.
    pub seller: i64,
    /// The ids of the invented customers by name. Their numbers are in `tests/odoo/seed.py`.
    pub partners: BTreeMap<String, i64>,
    /// The ids of their leads by title.
    pub leads: BTreeMap<String, i64>,
    // Dropped in this order: the server, its database, the folder.
    _server: Server,
    postgres: Postgres,
    dir: tempfile::TempDir,
}

/// What the install script wrote beside the template.
#[derive(Deserialize)]
struct Seeds {
    database: String,
    key: String,
    key_without_sales: String,
    admin_key: String,
    seller: i64,
    partners: BTreeMap<String, i64>,
    leads: BTreeMap<String, i64>,
}

impl Odoo {
    /// Install the peer if need be, copy the template and start the server. Where Odoo's package cannot be had this is
    /// [`Peer::Missing`] on a build server too: it comes from a suite of Debian that may be out of reach.
    ///
    /// # Errors
    /// Where the peer is installed but does not come up.
    pub async fn start() -> Result<Peer<Self>, PeerError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("odoo/install.sh");
        let peer = match install(&script).await {
            Ok(Peer::Ready(peer)) => peer,
            Ok(Peer::Missing(reason)) | Err(PeerError::Required(reason)) => return Ok(Peer::Missing(reason)),
            Err(error) => return Err(error),
        };
        let mut tries = 1;
        loop {
            match Self::start_once(&peer).await {
                Err(PeerError::Start { log, .. }) if log.contains("in use") && tries < PORTS => tries += 1,
                done => return done,
            }
        }
    }

    async fn start_once(peer: &Path) -> Result<Peer<Self>, PeerError> {
        let template = peer.join("template");
        let seeds = read_seeds(&template.join("peer.json"))?;
        let postgres = match Postgres::start().await? {
            Peer::Ready(postgres) => postgres,
            Peer::Missing(reason) => return Ok(Peer::Missing(reason)),
        };
        postgres.role(ROLE.0, ROLE.1).await?;
        postgres.restore(&seeds.database, ROLE.0, &template.join("crm.dump")).await?;

        let dir = tempfile::Builder::new()
            .prefix("ramal-odoo-")
            .tempdir()
            .map_err(|source| PeerError::File { path: std::env::temp_dir(), source })?;
        let config = dir.path().join("odoo.conf");
        let port = free_port().map_err(|source| PeerError::File { path: config.clone(), source })?;
        let text = format!(
            "[options]\ndb_host = 127.0.0.1\ndb_port = {}\ndb_user = {}\ndb_password = {}\ndbfilter = ^{}$\n\
             http_interface = 127.0.0.1\nhttp_port = {port}\ndata_dir = {}\nlist_db = False\nmax_cron_threads = 0\n",
            postgres.port,
            ROLE.0,
            ROLE.1,
            seeds.database,
            dir.path().join("files").display(),
        );
        std::fs::write(&config, text).map_err(|source| PeerError::File { path: config.clone(), source })?;

        let mut command = Command::new(peer.join("venv/bin/python"));
        command
            .args(["-W", "ignore", "-m", "odoo", "--database", &seeds.database, "--config"])
            .arg(&config)
            .current_dir(dir.path())
            .env("PYTHONPATH", peer.join("code"));
        // Each of these would win over the file.
        for name in ["PGPASSWORD", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "ODOO_RC"] {
            command.env_remove(name);
        }
        let mut server = Server::spawn(command, dir.path().join("odoo.log"))?;

        let origin = format!("http://127.0.0.1:{port}");
        let door = format!("{origin}/json/2/res.users/context_get");
        let nothing = Value::Object(serde_json::Map::new());
        // Without a key the answer is 401, from Odoo itself and not from whoever else has the port.
        server
            .ready(START_LIMIT, async || {
                matches!(asked(&door, &seeds.database, None, &nothing).await, Ok((401, _)))
            })
            .await?;

        Ok(Peer::Ready(Self {
            origin,
            database: seeds.database,
            key: seeds.key,
            key_without_sales: seeds.key_without_sales,
            admin_key: seeds.admin_key,
            seller: seeds.seller,
            partners: seeds.partners,
            leads: seeds.leads,
            _server: server,
            postgres,
            dir,
        }))
    }

    /// One bare call, by whoever has the key; `method` is `<model>/<method>`. The status and the JSON of the answer,
    /// `Null` if it is not JSON.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn ask(&self, key: &str, method: &str, body: &Value) -> Result<(u16, Value), PeerError> {
        let url = format!("{}/json/2/{method}", self.origin);
        asked(&url, &self.database, Some(key), body)
            .await
            .map_err(|reason| PeerError::Ask { what: method.to_owned(), reason })
    }

    /// A call as the administrator that must succeed; its answer.
    ///
    /// # Errors
    /// Where Odoo refuses it.
    pub async fn call(&self, method: &str, body: &Value) -> Result<Value, PeerError> {
        match self.ask(&self.admin_key, method, body).await? {
            (200, answer) => Ok(answer),
            (status, answer) => {
                let reason = answer.get("message").and_then(Value::as_str).unwrap_or_default();
                Err(PeerError::Ask { what: method.to_owned(), reason: format!("{status} {reason}") })
            }
        }
    }

    /// Create a record as the administrator; its id.
    ///
    /// # Errors
    /// Where Odoo refuses it.
    pub async fn create(&self, model: &str, values: &Value) -> Result<i64, PeerError> {
        let made = self.call(&format!("{model}/create"), &serde_json::json!({"vals_list": [values]})).await?;
        made.pointer("/0")
            .and_then(Value::as_i64)
            .ok_or_else(|| PeerError::Ask { what: format!("create {model}"), reason: "no id".to_owned() })
    }

    /// The rows of a query in Odoo's database, without its semicolon, each as a JSON object.
    ///
    /// # Errors
    /// Where the query fails.
    pub async fn rows(&self, query: &str) -> Result<Vec<Value>, PeerError> {
        self.postgres.rows(&self.database, query).await
    }

    /// Statements as the superuser, for what no call of Odoo does.
    ///
    /// # Errors
    /// Where one of them fails.
    pub async fn execute(&self, statements: &str) -> Result<(), PeerError> {
        self.postgres.execute(&self.database, statements).await
    }

    /// Every `table.column` of the database in which one of the texts stands: what an erasure has really left.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn traces(&self, texts: &[&str]) -> Result<Vec<String>, PeerError> {
        self.postgres.traces(&self.database, texts).await
    }

    /// What Odoo has logged so far, with every address that it was asked for.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("odoo.log")).unwrap_or_default()
    }
}

fn read_seeds(path: &Path) -> Result<Seeds, PeerError> {
    let file = |source| PeerError::File { path: path.to_path_buf(), source };
    let text = std::fs::read(path).map_err(file)?;
    serde_json::from_slice(&text).map_err(|error| file(error.into()))
}

async fn asked(url: &str, database: &str, key: Option<&str>, body: &Value) -> Result<(u16, Value), String> {
    let authorization = key.map(|key| format!("bearer {key}"));
    let mut headers = vec![("x-odoo-database", database)];
    headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
    request("POST", url, &headers, Some(body)).await
}
