//! Look-ups through a whole host: the configuration, the server, the practice plugin and the practice CRM, in which
//! everybody is invented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ramal_capability::{Grant, PluginId, TenantId};
use ramal_engine::{Compiler, Plugin};
use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm};
use ramal_server::{Composed, ServerConfig, compose};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const KEY: &str = "made-up-practice-key";
const TOKEN: &str = "made-up-token-of-the-exchange-0123456789";
const GRANT: &str = include_str!("../../plugins/practice/grant.toml");

/// A host and its CRM on two ports of this machine.
struct Host {
    crm: SocketAddr,
    server: SocketAddr,
    plugin: Plugin,
    composed: Composed,
    stop: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    folder: TempDir,
}

fn practice_plugin() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder =
        std::env::var_os("RAMAL_FIXTURES").map_or_else(|| workspace.join("target/ramal"), PathBuf::from);
    let file = folder.join("practice.wasm");
    assert!(file.is_file(), "{} is not there; build it: make fixtures", file.display());
    file
}

impl Host {
    /// `names` are by which the host knows the agent at 2001.
    async fn start(names: &str, grant: impl Fn(String) -> String) -> Self {
        let (stop, stopped) = watch::channel(false);
        let until = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|stop| *stop).await) }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let crm = listener.local_addr().unwrap();
        let practice = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(crm));
        let crm_served = ramal_practice_crm::serve(listener, practice, until());

        let folder = TempDir::new().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        let here = |text: &str| text.replace("127.0.0.1:7788", &crm.to_string());
        put("grant.toml", &grant(here(GRANT)));
        put("settings.toml", &here("server = \"http://127.0.0.1:7788\"\n"));
        put("credentials.toml", &format!("[practice.practice.key]\ntoken = \"{KEY}\"\n"));
        let text = format!(
            r#"
data = "data"
practice = true
[[tenant]]
id = "practice"
[[tenant.agent]]
extension = "2001"
names = {names}
[[tenant.token]]
id = "exchange"
token = "{TOKEN}"
[[tenant.plugin]]
file = '{}'
grant = "grant.toml"
settings = "settings.toml"
credentials = "credentials.toml"
"#,
            practice_plugin().display()
        );
        let config = ServerConfig::parse(&text, Path::new("ramal.toml"), folder.path()).unwrap();
        let compiler = Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker"));
        let composed = compose(&config, Some(compiler), Vec::new()).await.unwrap_or_else(|e| panic!("{e}"));
        let name = (TenantId::new("practice").unwrap(), PluginId::new("practice").unwrap());
        let plugin = composed.plugins[&name].clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let served = ramal_server::serve(listener, composed.state.clone(), until());
        let serving = vec![
            tokio::spawn(async move { crm_served.await.unwrap() }),
            tokio::spawn(async move { served.await.unwrap() }),
        ];
        Self { crm, server, plugin, composed, stop, serving, folder }
    }

    async fn request(at: SocketAddr, token: &str, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(at).await.unwrap();
        let text = format!(
            "{head} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// The answer to a request; everything is small, so nothing comes in chunks.
    async fn ask(at: SocketAddr, token: &str, head: &str, body: &str) -> Value {
        let mut answer = String::new();
        Self::request(at, token, head, body).await.read_to_string(&mut answer).await.unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {answer}"))
    }

    async fn route(&self, number: &str) -> Value {
        let head = format!("GET /v1/route?number={number}");
        let mut told = Self::ask(self.server, TOKEN, &head, "").await;
        let took = told["took_ms"].take();
        assert!(took.as_u64().unwrap() <= 300, "{took}");
        told
    }

    /// Simulates a call and gives the answer of the CRM, as the panel gets it.
    async fn call(&self, number: &str) -> Value {
        let live = Self::request(self.server, TOKEN, "GET /v1/live", "").await;
        let mut lines = BufReader::new(live).lines();
        // Its head has come: from now on nothing is missed.
        while !lines.next_line().await.unwrap().unwrap().is_empty() {}
        let body = serde_json::json!({ "number": number }).to_string();
        Self::ask(self.server, TOKEN, "POST /v1/practice/calls", &body).await;
        loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some(data) = line.strip_prefix("data: ") {
                let body: Value = serde_json::from_str(data).unwrap();
                if body.get("plugin").is_some() {
                    return body;
                }
            }
        }
    }

    /// How many contacts the CRM has.
    async fn contacts(&self) -> usize {
        let all = Self::ask(self.crm, KEY, "GET /api/v1/contacts?limit=100", "").await;
        all["items"].as_array().unwrap().len()
    }

    /// Ends everything; gives the routes by which something left, each as often as it did.
    async fn end(self) -> Vec<String> {
        let ledger = self.folder.path().join("data/disclosures.jsonl");
        self.stop.send_replace(true);
        for served in self.serving {
            served.await.unwrap();
        }
        self.composed.close().await.unwrap();
        let rows = fs::read_to_string(ledger).unwrap();
        let route = |row: &str| {
            let row: Value = serde_json::from_str(row).unwrap();
            row["route"].as_str().unwrap().to_owned()
        };
        rows.lines().map(route).collect()
    }
}

fn times(routes: &[String], name: &str) -> usize {
    routes.iter().filter(|route| *route == name).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dialplan_is_told_the_owner_and_the_card_that_follows_costs_no_request() {
    let host = Host::start(r#"["Bruno Lima"]"#, |grant| grant).await;
    // The first call of a plugin may take longer than a dialplan waits.
    let card = host.call("+5561987654001").await;
    assert_eq!((&card["cached"], &card["cards"][0]["owner"]), (&false.into(), &"Bruno Lima".into()));
    let told = host.route("%2B5561987654001").await;
    let owner = serde_json::json!({ "name": "Bruno Lima", "extension": "2001" });
    assert_eq!((&told["decision"], &told["owner"]), (&"owner".into(), &owner));
    let again = host.call("+5561987654001").await;
    assert_eq!((&again["cached"], &again["requests"]), (&true.into(), &0.into()));
    assert_eq!(again["cards"], card["cards"]);
    // One for each form of the number, and one for the deals: all of them for the first call.
    assert_eq!(Some(host.end().await.len() as u64), card["requests"].as_u64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_found_is_not_made() {
    let host = Host::start("[]", |grant| grant).await;
    let before = host.contacts().await;
    let none = host.call("+5511987650000").await;
    assert_eq!(none["cards"], serde_json::json!([]));
    let told = host.route("%2B5511987650000").await;
    assert_eq!((&told["decision"], &told["reason"]), (&"default".into(), &"unknown".into()));
    // One number that two contacts share: all are shown, and nobody else comes to be.
    assert_eq!(host.call("+554132100009").await["cards"].as_array().unwrap().len(), 2);
    assert_eq!(host.route("%2B554132100009").await["reason"], "ambiguous");
    assert_eq!(host.contacts().await, before);
    let routes: BTreeSet<String> = host.end().await.into_iter().collect();
    assert_eq!(routes, BTreeSet::from(["deals".to_owned(), "find-by-phone".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_under_a_grant_is_not_told_when_it_is_revoked() {
    let host = Host::start(r#"["Bruno Lima"]"#, |grant| grant).await;
    host.call("+5561987654001").await;
    assert_eq!(host.route("%2B5561987654001").await["decision"], "owner");
    host.plugin.revoke();
    let told = host.route("%2B5561987654001").await;
    assert_eq!(
        (&told["decision"], &told["reason"], &told["owner"]),
        (&"default".into(), &"failed".into(), &Value::Null)
    );
    assert_eq!(host.call("+5561987654001").await["reason"], "denied");
    host.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crms_own_users_tell_who_the_owner_is() {
    let host = Host::start(r#"["bruno.lima@example.invalid"]"#, |grant| {
        grant.replace(r#""create"]"#, r#""create", "users"]"#)
    })
    .await;
    host.call("+5561987654001").await;
    // The question for the users goes on when the dialplan has stopped waiting.
    let mut told = host.route("%2B5561987654001").await;
    for _ in 0..20 {
        if told["reason"] != "late" {
            break;
        }
        told = host.route("%2B5561987654001").await;
    }
    assert_eq!(told["owner"]["extension"], "2001", "{told}");
    assert_eq!(times(&host.end().await, "users"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_grant_lets_go_the_deliveries_that_waited_for_one() {
    let host = Host::start("[]", |grant| grant).await;
    host.call("+5561987654001").await;
    host.plugin.revoke();
    let calls = Host::ask(host.server, TOKEN, "GET /v1/calls", "").await;
    let id = calls["calls"][0]["call"]["call_id"].as_str().unwrap().to_owned();
    Host::ask(host.server, TOKEN, &format!("POST /v1/practice/calls/{id}/missed"), "").await;
    // Asks until it is so: nothing tells of what was not sent.
    let backlog = async |is_so: fn(&Value) -> bool| {
        loop {
            let told = Host::ask(host.server, TOKEN, "GET /v1/deliveries/backlog", "").await;
            if is_so(&told[0]) {
                break;
            }
        }
    };
    backlog(|target| target["paused"].is_object() && target["open"] == 1).await;
    let file = fs::read_to_string(host.folder.path().join("grant.toml")).unwrap();
    let next = Grant::parse("grant.toml", &file.replace("revision = 1", "revision = 2")).unwrap();
    let settings = serde_json::json!({ "server": format!("http://{}", host.crm) });
    host.composed.regrant(&next, &settings).await.unwrap();
    backlog(|target| target["paused"].is_null() && target["open"] == 0).await;
    assert_eq!(times(&host.end().await, "log-activity"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_does_not_fit_leaves_the_old_one_in_force() {
    let host = Host::start("[]", |grant| grant).await;
    let file = fs::read_to_string(host.folder.path().join("grant.toml")).unwrap();
    let other = |from: &str, to: &str| Grant::parse("grant.toml", &file.replacen(from, to, 1)).unwrap();
    let settings = serde_json::json!({ "server": format!("http://{}", host.crm) });
    let unknown =
        host.composed.regrant(&other("tenant = \"practice\"", "tenant = \"acme\""), &settings).await;
    assert!(unknown.unwrap_err().to_string().contains("is not loaded for the tenant `acme`"));
    let wrong = host.composed.regrant(&other("", ""), &serde_json::json!({ "server": 7 })).await;
    assert!(wrong.is_err());
    assert_eq!(host.call("+5561987654001").await["cards"].as_array().unwrap().len(), 1);
    host.end().await;
}
