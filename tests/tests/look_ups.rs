//! Look-ups through a whole host: the configuration, the server, the practice plugin and the practice CRM, in which
//! everybody is invented.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;

use ramal_capability::{Grant, PluginId, TenantId};
use ramal_engine::Plugin;
use ramal_practice_crm::{ApiKey, BaseUrl, PracticeCrm};
use ramal_server::ComposeError;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::composed::{PluginFiles, Setup, Whole, built, exchange, put_together};

const KEY: &str = "made-up-practice-key";
const GRANT: &str = include_str!("../../plugins/practice/grant.toml");

/// A host and its CRM on two ports of this machine.
struct Host {
    crm: SocketAddr,
    plugin: Plugin,
    whole: Whole,
    stop_crm: oneshot::Sender<()>,
    crm_served: JoinHandle<()>,
}

impl Host {
    /// `names` are by which the host knows the agent at 2001.
    async fn start(names: &str, grant: impl Fn(String) -> String) -> Self {
        Self::start_beside(names, grant, Vec::new()).await
    }

    /// The same, with other plugins of the tenant.
    async fn start_beside(names: &str, grant: impl Fn(String) -> String, others: Vec<PluginFiles>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let crm = listener.local_addr().unwrap();
        let practice = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(crm));
        let (stop_crm, stopped) = oneshot::channel();
        let until = async move { drop(stopped.await) };
        let served = ramal_practice_crm::serve(listener, practice, until);
        let crm_served = tokio::spawn(async move { served.await.unwrap() });

        let here = |text: &str| text.replace("127.0.0.1:7788", &crm.to_string());
        let files = PluginFiles {
            component: built("practice"),
            grant: grant(here(GRANT)),
            settings: here("server = \"http://127.0.0.1:7788\"\n"),
            credentials: format!("[practice.practice.key]\ntoken = \"{KEY}\"\n"),
        };
        let agent = format!("[[tenant.agent]]\nextension = \"2001\"\nnames = {names}\n");
        let setup = Setup { tenant: "practice", more: agent, plugins: [vec![files], others].concat() };
        let whole = Whole::start(&setup).await;
        let name = (TenantId::new("practice").unwrap(), PluginId::new("practice").unwrap());
        let plugin = whole.composed.plugins[&name].clone();
        Self { crm, plugin, whole, stop_crm, crm_served }
    }

    async fn route(&self, number: &str) -> Value {
        let mut told = self.whole.ask(&format!("GET /v1/route?number={number}"), "").await;
        let took = told["took_ms"].take();
        assert!(took.as_u64().unwrap() <= 300, "{took}");
        told
    }

    /// Simulates a call and gives the answer of the CRM, as the panel gets it.
    async fn call(&self, number: &str) -> Value {
        let mut live = self.whole.live().await;
        let body = serde_json::json!({ "number": number }).to_string();
        self.whole.ask("POST /v1/practice/calls", &body).await;
        live.next(&["card", "card-none", "card-failed"]).await
    }

    /// How many contacts the CRM has.
    async fn contacts(&self) -> usize {
        let key = format!("Bearer {KEY}");
        let head = "GET /api/v1/contacts?limit=100";
        let (_, all) = exchange(self.crm, head, &[("authorization", &key)], "").await;
        let all: Value = serde_json::from_str(&all).unwrap();
        all["items"].as_array().unwrap().len()
    }

    /// The grant as it stands in its file.
    fn grant(&self) -> String {
        fs::read_to_string(self.whole.folder.path().join("grant-0.toml")).unwrap()
    }

    /// Ends everything; gives the routes by which something left, each as often as it did.
    async fn end(self) -> Vec<String> {
        let rows = self.whole.end().await;
        self.stop_crm.send(()).unwrap();
        self.crm_served.await.unwrap();
        rows.iter().map(|row| row["route"].as_str().unwrap().to_owned()).collect()
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
    let calls = host.whole.ask("GET /v1/calls", "").await;
    let id = calls["calls"][0]["call"]["call_id"].as_str().unwrap().to_owned();
    host.whole.ask(&format!("POST /v1/practice/calls/{id}/missed"), "").await;
    // Asks until it is so: nothing tells of what was not sent.
    let backlog = async |is_so: fn(&Value) -> bool| {
        loop {
            let told = host.whole.ask("GET /v1/deliveries/backlog", "").await;
            if is_so(&told[0]) {
                break;
            }
        }
    };
    backlog(|target| target["paused"].is_object() && target["open"] == 1).await;
    let file = host.grant();
    let next = Grant::parse("grant.toml", &file.replace("revision = 1", "revision = 2")).unwrap();
    let settings = serde_json::json!({ "server": format!("http://{}", host.crm) });
    host.whole.composed.regrant(&next, &settings).await.unwrap();
    backlog(|target| target["paused"].is_null() && target["open"] == 0).await;
    assert_eq!(times(&host.end().await, "log-activity"), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_does_not_fit_leaves_the_old_one_in_force() {
    let host = Host::start("[]", |grant| grant).await;
    let file = host.grant();
    let other = |from: &str, to: &str| Grant::parse("grant.toml", &file.replacen(from, to, 1)).unwrap();
    let settings = serde_json::json!({ "server": format!("http://{}", host.crm) });
    let unknown =
        host.whole.composed.regrant(&other("tenant = \"practice\"", "tenant = \"acme\""), &settings).await;
    assert!(unknown.unwrap_err().to_string().contains("is not loaded for the tenant `acme`"));
    let wrong = host.whole.composed.regrant(&other("", ""), &serde_json::json!({ "server": 7 })).await;
    assert!(wrong.is_err());
    assert_eq!(host.call("+5561987654001").await["cards"].as_array().unwrap().len(), 1);
    host.end().await;
}

/// A plugin whose file was cut off.
fn broken(folder: &TempDir) -> PluginFiles {
    let component = folder.path().join("broken.wasm");
    fs::write(&component, &fs::read(built("practice")).unwrap()[..5_000]).unwrap();
    PluginFiles {
        component,
        grant: GRANT.replace("plugin = \"practice\"", "plugin = \"broken\""),
        settings: "server = \"http://127.0.0.1:7788\"\n".to_owned(),
        credentials: format!("[practice.broken.key]\ntoken = \"{KEY}\"\n"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_does_not_load_stops_nobody_else_and_what_its_crm_is_to_be_told_waits() {
    let folder = TempDir::new().unwrap();
    let host = Host::start_beside("[]", |grant| grant, vec![broken(&folder)]).await;
    let (status, ready) = host.whole.exchange("GET /readyz", &[], "").await;
    assert_eq!((status, ready.as_str()), (200, r#"{"status":"ready","not_loaded":["broken"]}"#));
    let (_, metrics) = host.whole.exchange("GET /metrics", &[], "").await;
    assert!(metrics.contains("ramal_plugins_not_loaded{plugin=\"broken\"} 1\n"), "{metrics}");
    let states = host.whole.ask("GET /v1/plugins", "").await;
    let states: Vec<_> = states.as_array().unwrap().iter().map(|p| (&p["plugin"], &p["state"])).collect();
    assert_eq!(states, [(&"broken".into(), &"not-loaded".into()), (&"practice".into(), &"serving".into())]);
    assert_eq!(host.whole.exchange("POST /v1/plugins/broken/resume", &[], "").await.0, 409);

    let mut live = host.whole.live().await;
    host.whole.ask("POST /v1/practice/calls", r#"{"number": "+5561987654001"}"#).await;
    let kinds = ["card", "card-none", "card-failed"];
    let mut told = [live.next(&kinds).await, live.next(&kinds).await];
    told.sort_by_key(|told| told["plugin"].as_str().unwrap().to_owned());
    assert_eq!((&told[0]["plugin"], &told[0]["reason"]), (&"broken".into(), &"broken".into()));
    assert_eq!((&told[1]["plugin"], told[1]["cards"].as_array().unwrap().len()), (&"practice".into(), 1));

    let calls = host.whole.ask("GET /v1/calls", "").await;
    let id = calls["calls"][0]["call"]["call_id"].as_str().unwrap().to_owned();
    host.whole.ask(&format!("POST /v1/practice/calls/{id}/missed"), "").await;
    // Until the one that works has been told; what waits for the other one is neither tried nor dead.
    let backlog = loop {
        let told = host.whole.ask("GET /v1/deliveries/backlog", "").await;
        let of = |name: &str| told.as_array().unwrap().iter().find(|b| b["target"] == name).cloned();
        if let Some(waits) = of("plugin:broken")
            && of("plugin:practice").is_none_or(|told| told["open"] == 0)
        {
            break waits;
        }
    };
    assert_eq!((&backlog["open"], &backlog["dead"]), (&1.into(), &0.into()), "{backlog}");
    drop(live);
    assert_eq!(times(&host.end().await, "log-activity"), 1);
}

#[tokio::test]
async fn what_is_wrong_with_the_hosts_own_files_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("disclosures.jsonl")).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    let setup = Setup { tenant: "practice", more: String::new(), plugins: Vec::new() };
    let error = put_together(&setup, &folder).await.err().expect("a ledger that is a folder");
    assert!(matches!(error, ComposeError::Ledger(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_is_revoked_over_the_api_and_a_revoked_one_is_not_resumed() {
    let host = Host::start("[]", |grant| grant).await;
    let state = async |head: &str| host.whole.ask(head, "").await["state"].clone();
    assert_eq!(state("POST /v1/plugins/practice/resume").await, "serving");
    assert_eq!(host.call("+5561987654001").await["cards"].as_array().unwrap().len(), 1);
    assert_eq!(state("POST /v1/plugins/practice/revoke").await, "ended");
    assert_eq!(host.call("+5561987654001").await["reason"], "denied");
    assert_eq!(state("POST /v1/plugins/practice/resume").await, "ended");
    assert_eq!(host.whole.exchange("POST /v1/plugins/nobody/revoke", &[], "").await.0, 404);
    host.end().await;
}

/// The first start makes the folder and the key; a later one refuses what was opened to others since.
#[rstest::rstest]
#[case::folder("data", 0o755)]
#[case::key_of_the_pseudonyms("data/subjects.key", 0o644)]
#[tokio::test]
async fn what_others_may_read_of_the_hosts_data_stops_the_start(#[case] name: &str, #[case] mode: u32) {
    let folder = TempDir::new().unwrap();
    let setup = Setup { tenant: "practice", more: String::new(), plugins: Vec::new() };
    let composed = put_together(&setup, &folder).await.unwrap_or_else(|e| panic!("{e}"));
    composed.close().await.unwrap();
    fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    let error = put_together(&setup, &folder).await.err().expect("others may read it").to_string();
    assert!(error.contains(name) && error.contains("chmod"), "{error}");
}

#[tokio::test]
async fn compiled_code_of_a_plugin_that_is_gone_is_removed_at_the_next_start() {
    let host = Host::start("[]", |grant| grant).await;
    let code = host.whole.folder.path().join("data/code");
    let names = || -> BTreeSet<String> {
        let files = fs::read_dir(&code).unwrap().map(|file| file.unwrap().file_name());
        files.map(|name| name.into_string().unwrap()).collect()
    };
    assert!(names().len() > 1, "{:?}", names());
    let nobody = Setup { tenant: "practice", more: String::new(), plugins: Vec::new() };
    host.whole.composed.runtime.retain_code(&[host.plugin.digest()]).unwrap();
    assert!(names().len() > 1, "what is in use stays: {:?}", names());
    // A host in another folder, whose code is that of an earlier one.
    let later = TempDir::new().unwrap();
    let data = later.path().join("data/code");
    fs::create_dir_all(&data).unwrap();
    for folder in [later.path().join("data"), data.clone()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fs::write(data.join(format!("{}-00.cwasm", "ab".repeat(32))), b"old").unwrap();
    put_together(&nobody, &later).await.unwrap_or_else(|e| panic!("{e}")).close().await.unwrap();
    let left: Vec<_> = fs::read_dir(&data).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["key"]);
    host.end().await;
}
