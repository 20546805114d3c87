//! A whole host as an admin sets one up: files in a folder, `compose`, a server on a port of this machine. All tests of
//! the whole share it, so that none of them starts a host that is less than another's.

pub(crate) mod stranger;

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use ramal_engine::Compiler;
use ramal_server::{ComposeError, Composed, Secret, ServerConfig, compose, sign};
use ramal_tests::fixture::{self, Secrets};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Who may read.
pub(crate) const TOKEN: &str = "made-up-token-of-the-exchange-0123456789";
/// What the exchange signs with.
const SECRET: &str = "made-up-secret-of-the-exchange-0123456789";
/// Nothing takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The files of one plugin, as an admin writes them.
#[derive(Clone)]
pub(crate) struct PluginFiles {
    pub(crate) component: PathBuf,
    pub(crate) grant: String,
    pub(crate) settings: String,
    pub(crate) credentials: String,
}

impl PluginFiles {
    /// Those of a plugin with its secrets, grant and settings.
    pub(crate) fn of(tenant: &str, plugin: &str, secrets: Secrets, grant: String, settings: &Value) -> Self {
        let mut credentials = String::new();
        for (id, fields) in secrets {
            credentials += &format!("[{tenant}.{plugin}.{id}]\n");
            for (name, value) in fields {
                credentials += &format!("{name} = {}\n", toml::Value::from(value));
            }
        }
        Self { component: built(plugin), grant, settings: toml::to_string(settings).unwrap(), credentials }
    }
}

/// One tenant with its plugins.
pub(crate) struct Setup<'a> {
    pub(crate) tenant: &'a str,
    /// More of the tenant's table, such as its agents.
    pub(crate) more: String,
    pub(crate) plugins: Vec<PluginFiles>,
}

/// A host that serves.
pub(crate) struct Whole {
    pub(crate) server: SocketAddr,
    pub(crate) composed: Composed,
    pub(crate) folder: TempDir,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// A plugin that `make fixtures` built.
pub(crate) fn built(plugin: &str) -> PathBuf {
    let file = fixture::folder().join(format!("{plugin}.wasm"));
    assert!(file.is_file(), "{} is not there; build it: make fixtures", file.display());
    file
}

/// Puts a host together, without serving.
pub(crate) async fn put_together(setup: &Setup<'_>, folder: &TempDir) -> Result<Composed, ComposeError> {
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let mut text = format!(
        "data = \"data\"\npractice = true\n[[tenant]]\nid = \"{}\"\n{}\n[[tenant.source]]\nid = \"pbx\"\n\
         secret = \"{SECRET}\"\n[[tenant.token]]\nid = \"exchange\"\ntoken = \"{TOKEN}\"\n",
        setup.tenant, setup.more
    );
    for (at, plugin) in setup.plugins.iter().enumerate() {
        put(&format!("grant-{at}.toml"), &plugin.grant);
        put(&format!("settings-{at}.toml"), &plugin.settings);
        put(&format!("credentials-{at}.toml"), &plugin.credentials);
        text += &format!(
            "[[tenant.plugin]]\nfile = '{}'\ngrant = \"grant-{at}.toml\"\nsettings = \"settings-{at}.toml\"\n\
             credentials = \"credentials-{at}.toml\"\n",
            plugin.component.display()
        );
    }
    let config = ServerConfig::parse(&text, "ramal.toml".as_ref(), folder.path()).unwrap();
    let compiler = Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker"));
    compose(&config, Some(compiler), Vec::new()).await
}

impl Whole {
    pub(crate) async fn start(setup: &Setup<'_>) -> Self {
        let folder = TempDir::new().unwrap();
        let composed = put_together(setup, &folder).await.unwrap_or_else(|e| panic!("{e}"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let (stop, mut stopped) = watch::channel(false);
        let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
        let served = ramal_server::serve(listener, composed.state.clone(), until);
        let serving = tokio::spawn(async move { served.await.unwrap() });
        Self { server, composed, folder, stop, serving }
    }

    /// The JSON that answers a request of somebody who may read.
    pub(crate) async fn ask(&self, head: &str, body: &str) -> Value {
        let (_, answer) = self.exchange(head, &[], body).await;
        serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    /// Status and body of the answer.
    pub(crate) async fn exchange(&self, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let authorization = format!("Bearer {TOKEN}");
        let headers: Vec<_> = headers.iter().copied().chain([("authorization", &*authorization)]).collect();
        exchange(self.server, head, &headers, body).await
    }

    /// An event as an exchange sends it: signed, at this moment.
    pub(crate) async fn event(&self, body: &Value) -> (u16, String) {
        let body = body.to_string();
        let now = jiff::Timestamp::now().as_second();
        let signature = sign(&Secret::new(SECRET), now, body.as_bytes());
        let head = "POST /v1/events/calls?source=pbx";
        exchange(self.server, head, &[("ramal-signature", &signature)], &body).await
    }

    /// Follows the live events from this moment on.
    pub(crate) async fn live(&self) -> Live {
        let authorization = format!("Bearer {TOKEN}");
        let stream = send(self.server, "GET /v1/live", &[("authorization", &authorization)], "").await;
        let mut lines = BufReader::new(stream).lines();
        // Its head has come: from now on nothing is missed.
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        Live { lines }
    }

    /// Ends everything; gives the rows of the ledger.
    pub(crate) async fn end(self) -> Vec<Value> {
        self.stop.send_replace(true);
        self.serving.await.unwrap();
        self.composed.close().await.unwrap();
        let rows = fs::read_to_string(self.folder.path().join("data/disclosures.jsonl")).unwrap();
        rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect()
    }
}

/// The live events of a host.
pub(crate) struct Live {
    lines: Lines<BufReader<TcpStream>>,
}

impl Live {
    /// The data of the next event of one of these kinds.
    pub(crate) async fn next(&mut self, kinds: &[&str]) -> Value {
        let found = async {
            let mut kind = String::new();
            loop {
                let line = self.lines.next_line().await.unwrap().expect("the stream goes on");
                if let Some(told) = line.strip_prefix("event: ") {
                    told.clone_into(&mut kind);
                } else if let Some(data) = line.strip_prefix("data: ").filter(|_| kinds.contains(&&*kind)) {
                    return serde_json::from_str(data).unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("none of {kinds:?} came"))
    }
}

/// One request on a connection of its own; everything is small, so nothing comes in chunks.
pub(crate) async fn exchange(
    at: SocketAddr,
    head: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String) {
    let mut answer = String::new();
    send(at, head, headers, body).await.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

async fn send(at: SocketAddr, head: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = format!(
        "{head} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}
