//! A real Tryton 8.2 on a loopback port, with a database of its own for each test.
//!
//! `tests/tryton/install.sh` makes a venv and a template database once; a start is a copy of 6 MB and about
//! two seconds. The answers of the real server are what the Tryton plugin is held to: it refuses numbers, locks
//! notes and keeps erased telephone numbers in ways that no mock of ours would have thought of.
//!
//! [`Tryton::party`], [`Tryton::create`], [`Tryton::write`] and [`Tryton::traces`] go around the plugin by
//! the vendor's own client and, for the traces, by the rows of the database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::peer::{Peer, PeerError, Server, free_port, install, request, tail};

/// Seconds that trytond may take to answer; it takes two on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(120);
/// Tries to get a port that nobody takes in between.
const PORTS: usize = 3;

/// A running Tryton. It ends with this value, and its database with it.
#[derive(Debug)]
pub struct Tryton {
    /// `http://127.0.0.1:<port>`.
    pub origin: String,
    /// The database's name, the first segment of every path.
    pub database: String,
    /// The application key of the user that the panel works as.
    pub key: String,
    /// The key of a user who may administer parties but has no right to opportunities.
    pub key_without_sales: String,
    /// The login of the panel's user, for JSON-RPC.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The id of the one company.
    pub company: i64,
    /// The ids of the invented customers by name. Their numbers are in `tests/tryton/seed.py`.
    pub parties: BTreeMap<String, i64>,
    admin_password: String,
    python: PathBuf,
    // Dropped in this order: the server must be gone before its folder.
    _server: Server,
    dir: tempfile::TempDir,
}

/// What the install script wrote beside the template.
#[derive(Deserialize)]
struct Seeds {
    database: String,
    company: i64,
    user: String,
    password: String,
    key: String,
    key_without_sales: String,
    admin_password: String,
    parties: BTreeMap<String, i64>,
}

/// A party as the vendor's client sees it, switched-off parts included.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Party {
    /// The id.
    pub id: i64,
    /// The name; `None` after Tryton's erasure.
    pub name: Option<String>,
    /// Whether Tryton lists it.
    pub active: bool,
    /// Telephone numbers, addresses of e-mail and the like, by id.
    pub mechanisms: Vec<Mechanism>,
    /// Notes on the party, by id.
    pub notes: Vec<Note>,
    /// Attachments of the party, by id.
    pub attachments: Vec<Attachment>,
    /// Opportunities of the party, by id.
    pub opportunities: Vec<Opportunity>,
}

/// A `party.contact_mechanism`.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Mechanism {
    /// The id.
    pub id: i64,
    /// `phone`, `mobile`, `email`, `other` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// As a person reads it.
    pub value: String,
    /// What lookups go by: E.164 for a number that Tryton understood.
    pub value_compact: Option<String>,
    /// Whether Tryton lists it.
    pub active: bool,
}

/// An `ir.note`.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Note {
    /// The id.
    pub id: i64,
    /// The text.
    pub message: String,
}

/// An `ir.attachment`.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Attachment {
    /// The id.
    pub id: i64,
    /// The title.
    pub name: String,
    /// The URL, for the type `link`.
    pub link: Option<String>,
}

/// A `sale.opportunity`.
#[derive(Debug, Deserialize, PartialEq)]
pub struct Opportunity {
    /// The id.
    pub id: i64,
    /// `lead`, `opportunity`, `converted`, `won`, `lost` or `cancelled`.
    pub state: String,
    /// One line.
    pub description: Option<String>,
    /// Free text.
    pub comment: Option<String>,
    /// Notes on the opportunity.
    pub notes: Vec<Note>,
}

impl Tryton {
    /// Install the peer if need be, copy the template and start the server.
    ///
    /// # Errors
    /// Where the peer is installed but does not come up, and where it is missing although `CI` is set.
    pub async fn start() -> Result<Peer<Self>, PeerError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tryton/install.sh");
        let peer = match install(&script).await? {
            Peer::Ready(peer) => peer,
            Peer::Missing(reason) => return Ok(Peer::Missing(reason)),
        };
        let mut tries = 1;
        loop {
            match Self::start_once(&peer).await {
                Err(PeerError::Start { log, .. }) if log.contains("in use") && tries < PORTS => tries += 1,
                done => return done.map(Peer::Ready),
            }
        }
    }

    async fn start_once(peer: &Path) -> Result<Self, PeerError> {
        let python = peer.join("venv/bin/python");
        let seeds = read_seeds(&peer.join("template/peer.json"))?;
        let dir = tempfile::Builder::new()
            .prefix("ramal-tryton-")
            .tempdir()
            .map_err(|source| PeerError::File { path: std::env::temp_dir(), source })?;

        let file = format!("{}.sqlite", seeds.database);
        copy_database(&python, &peer.join("template").join(&file), &dir.path().join(&file)).await?;

        let config = dir.path().join("trytond.conf");
        let port = free_port().map_err(|source| PeerError::File { path: config.clone(), source })?;
        let text = format!(
            "[database]\nuri = sqlite://\npath = {}\n[web]\nlisten = 127.0.0.1:{port}\n",
            dir.path().display()
        );
        std::fs::write(&config, text).map_err(|source| PeerError::File { path: config.clone(), source })?;

        let mut command = Command::new(&python);
        command
            .args(["-W", "ignore", "-m", "trytond.cli", "--database", &seeds.database, "--config"])
            .arg(&config)
            // Each of these would win over the file.
            .env_remove("TRYTOND_CONFIG")
            .env_remove("TRYTOND_DATABASE_URI")
            .env_remove("TRYTOND_DATABASE_NAMES");
        let mut server = Server::spawn(command, dir.path().join("trytond.log"))?;

        let origin = format!("http://127.0.0.1:{port}");
        let door = format!("{origin}/{}/rest/model/party.party", seeds.database);
        // Without a key the answer is 401, from Tryton itself and not from whoever else has the port.
        server
            .ready(START_LIMIT, async || matches!(request("GET", &door, &[], None).await, Ok((401, _))))
            .await?;

        Ok(Self {
            origin,
            database: seeds.database,
            key: seeds.key,
            key_without_sales: seeds.key_without_sales,
            user: seeds.user,
            password: seeds.password,
            company: seeds.company,
            parties: seeds.parties,
            admin_password: seeds.admin_password,
            python,
            _server: server,
            dir,
        })
    }

    /// One bare REST request with the panel's key, for what the plugin is compared with. `path` starts after
    /// `/rest/model/`. The status and the JSON of the answer, `Null` if it is not JSON.
    ///
    /// # Errors
    /// Where no answer came.
    pub async fn rest(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(u16, Value), PeerError> {
        let url = format!("{}/{}/rest/model/{path}", self.origin, self.database);
        request(method, &url, &[("authorization", &format!("Bearer {}", self.key))], body)
            .await
            .map_err(|reason| PeerError::Ask { what: format!("{method} {path}"), reason })
    }

    /// One JSON-RPC call as the panel's user, whose session opens and closes with it. What is in `result`;
    /// Tryton answers its refusals with 200 and an `error`.
    ///
    /// # Errors
    /// Where no answer came, or where Tryton refused; the reason is then Tryton's own text.
    pub async fn rpc(&self, method: &str, params: Value) -> Result<Value, PeerError> {
        let url = format!("{}/{}/rpc/", self.origin, self.database);
        let failed = |reason: String| PeerError::Ask { what: method.to_owned(), reason };
        let call = async |session: Option<String>, method: &str, params: Value| {
            let body = json!({"id": 1, "method": method, "params": params});
            let headers = Vec::from_iter(session.as_deref().map(|session| ("authorization", session)));
            let (status, mut answer) = request("POST", &url, &headers, Some(&body)).await.map_err(failed)?;
            match answer.get_mut("result") {
                Some(result) => Ok(result.take()),
                None => Err(failed(format!("{status} {answer}"))),
            }
        };
        let login = json!([self.user, {"password": self.password}, "en"]);
        let session = call(None, "common.db.login", login).await?;
        let (user, token) = (session.get(0), session.get(1).and_then(Value::as_str));
        let (Some(user), Some(token)) = (user, token) else {
            return Err(failed("the login gave no session".to_owned()));
        };
        let session = BASE64.encode(format!("{}:{user}:{token}", self.user).as_bytes());
        let session = format!("Session {session}");
        let result = call(Some(session.clone()), method, params).await;
        call(Some(session), "common.db.logout", json!([])).await?;
        result
    }

    /// A party by its id, read by the vendor's client.
    ///
    /// # Errors
    /// Where there is no such party.
    pub async fn party(&self, id: i64) -> Result<Party, PeerError> {
        let answer = self.ask(&self.origin, &self.database, "party", &[&id.to_string()]).await?;
        serde_json::from_value(answer)
            .map_err(|error| PeerError::Ask { what: "party".to_owned(), reason: error.to_string() })
    }

    /// The notes of some parties, each with the party's id. The vendor's client takes seconds for each party; this is for
    /// tests that ask often.
    ///
    /// # Errors
    /// Where Tryton refuses, or answers something else.
    pub async fn notes(&self, parties: &[i64]) -> Result<Vec<(i64, String)>, PeerError> {
        const METHOD: &str = "model.ir.note.search_read";
        let resources: Vec<String> = parties.iter().map(|id| format!("party.party,{id}")).collect();
        let domain = json!([["resource", "in", resources]]);
        let params = json!([domain, 0, null, [["id", "ASC"]], ["resource", "message"], {}]);
        let answer = self.rpc(METHOD, params).await?;
        let note = |note: &Value| {
            let party = note["resource"].as_str()?.rsplit_once(',')?.1.parse().ok()?;
            Some((party, note["message"].as_str()?.to_owned()))
        };
        answer.as_array().and_then(|all| all.iter().map(note).collect()).ok_or_else(|| PeerError::Ask {
            what: METHOD.to_owned(),
            reason: "the answer is no list of notes".to_owned(),
        })
    }

    /// Create a record as the administrator; its id.
    ///
    /// # Errors
    /// Where Tryton refuses it.
    pub async fn create(&self, model: &str, values: &Value) -> Result<i64, PeerError> {
        let answer = self.ask(&self.origin, &self.database, "create", &[model, &values.to_string()]).await?;
        answer
            .as_i64()
            .ok_or_else(|| PeerError::Ask { what: format!("create {model}"), reason: "no id".to_owned() })
    }

    /// Change a record as the administrator.
    ///
    /// # Errors
    /// Where Tryton refuses it.
    pub async fn write(&self, model: &str, id: i64, values: &Value) -> Result<(), PeerError> {
        let args = [model, &id.to_string(), &values.to_string()];
        self.ask(&self.origin, &self.database, "write", &args).await.map(drop)
    }

    /// Every `table.column` of the database in which one of the texts stands, history tables included: what
    /// an erasure has really left.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn traces(&self, texts: &[&str]) -> Result<Vec<String>, PeerError> {
        let file = self.dir.path().join(format!("{}.sqlite", self.database)).display().to_string();
        let answer = self.ask(&file, "-", "traces", texts).await?;
        serde_json::from_value(answer)
            .map_err(|error| PeerError::Ask { what: "traces".to_owned(), reason: error.to_string() })
    }

    /// What trytond has logged so far, with every URL that it was asked for.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("trytond.log")).unwrap_or_default()
    }

    async fn ask(&self, origin: &str, database: &str, what: &str, args: &[&str]) -> Result<Value, PeerError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tryton/ask.py");
        let mut command = tokio::process::Command::new(&self.python);
        command
            .args(["-W", "ignore"])
            .arg(script)
            .args([origin, database, what])
            .args(args)
            .env("TRYTON_PASSWORD", &self.admin_password);
        let stdout = run(command, &self.python, what).await?;
        serde_json::from_slice(&stdout)
            .map_err(|error| PeerError::Ask { what: what.to_owned(), reason: error.to_string() })
    }
}

fn read_seeds(path: &Path) -> Result<Seeds, PeerError> {
    let file = |source| PeerError::File { path: path.to_path_buf(), source };
    let text = std::fs::read(path).map_err(file)?;
    serde_json::from_slice(&text).map_err(|error| file(error.into()))
}

/// SQLite's own backup: a plain copy could pair the file with somebody else's write-ahead log.
async fn copy_database(python: &Path, from: &Path, to: &Path) -> Result<(), PeerError> {
    const COPY: &str = "import sqlite3, sys; a, b = map(sqlite3.connect, sys.argv[1:]); a.backup(b)";
    let mut command = tokio::process::Command::new(python);
    command.args(["-c", COPY]).arg(from).arg(to);
    run(command, python, "a copy of the template").await.map(drop)
}

async fn run(mut command: tokio::process::Command, program: &Path, what: &str) -> Result<Vec<u8>, PeerError> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|source| PeerError::Run { program: program.to_path_buf(), source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(PeerError::Ask { what: what.to_owned(), reason: tail(&String::from_utf8_lossy(&output.stderr)) })
}
