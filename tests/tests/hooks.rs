//! From a change in a CRM to the panel: the practice CRM signs and sends, a whole host takes, hears and tells. All
//! people are invented.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ramal_engine::Compiler;
use ramal_practice_crm::{ApiKey, BaseUrl, HookTarget, PracticeCrm};
use ramal_server::{Composed, ServerConfig, compose};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const KEY: &str = "made-up-practice-key";
const SECRET: &str = "made-up-hook-secret-0123456789abcdef";
const TOKEN: &str = "made-up-panel-token-0123456789abcdef";
const GRANT: &str = include_str!("../../plugins/practice/grant.toml");
/// Nothing here takes nearly as long.
const PATIENCE: Duration = Duration::from_secs(60);

fn practice_plugin() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder =
        std::env::var_os("RAMAL_FIXTURES").map_or_else(|| workspace.join("target/ramal"), PathBuf::from);
    let path = folder.join("practice.wasm");
    assert!(path.is_file(), "{} is not there; build it: make fixtures", path.display());
    path
}

struct World {
    crm: std::net::SocketAddr,
    host: std::net::SocketAddr,
    composed: Composed,
    stop: watch::Sender<bool>,
    served: Vec<tokio::task::JoinHandle<()>>,
    _dir: tempfile::TempDir,
}

/// A host and a practice CRM that tells it what happens; `secret` is what the CRM signs with.
async fn world(secret: &str) -> World {
    let crm_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (crm, host) = (crm_listener.local_addr().unwrap(), listener.local_addr().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    let here = |text: &str| text.replace("127.0.0.1:7788", &crm.to_string());
    write("grant.toml", &here(GRANT));
    write("settings.toml", &here("server = \"http://127.0.0.1:7788\"\n"));
    let credentials = format!(
        "[practice.practice.key]\ntoken = \"{KEY}\"\n[practice.practice.hook]\nsecret = \"{SECRET}\"\n"
    );
    write("credentials.toml", &credentials);
    let config = format!(
        "data = \"data\"\n[[tenant]]\nid = \"practice\"\n[[tenant.token]]\nid = \"panel\"\ntoken = \"{TOKEN}\"\n\
         [[tenant.plugin]]\nfile = '{}'\ngrant = \"grant.toml\"\nsettings = \"settings.toml\"\n\
         credentials = \"credentials.toml\"\n",
        practice_plugin().display()
    );
    let config = ServerConfig::parse(&config, Path::new("ramal.toml"), dir.path()).unwrap();
    let compiler = Compiler::program(env!("CARGO_BIN_EXE_zoo-compile-worker"));
    let composed = compose(&config, Some(compiler), Vec::new()).await.unwrap_or_else(|e| panic!("{e}"));

    let hook = format!("http://{host}/v1/hooks/practice/changes/practice");
    let practice = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(crm))
        .telling(HookTarget::new(&hook, secret).unwrap());
    let (stop, stopped) = watch::channel(false);
    let until =
        |mut stopped: watch::Receiver<bool>| async move { drop(stopped.wait_for(|stop| *stop).await) };
    let (crm_until, host_until) = (until(stopped.clone()), until(stopped));
    let state = composed.state.clone();
    let served = vec![
        tokio::spawn(
            async move { ramal_practice_crm::serve(crm_listener, practice, crm_until).await.unwrap() },
        ),
        tokio::spawn(async move { ramal_server::serve(listener, state, host_until).await.unwrap() }),
    ];
    World { crm, host, composed, stop, served, _dir: dir }
}

impl World {
    /// One request to the CRM; the status.
    async fn crm(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.crm).await.unwrap();
        let text = format!(
            "{request} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.crm,
            body.len()
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }

    /// Follows the live events from the first one on.
    async fn live(&self) -> Live {
        let mut stream = TcpStream::connect(self.host).await.unwrap();
        let request = format!(
            "GET /v1/live HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nLast-Event-ID: 0\r\n\r\n",
            self.host
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Live { stream, read: String::new() }
    }

    async fn close(self) {
        self.stop.send_replace(true);
        for served in self.served {
            served.await.unwrap();
        }
        self.composed.close().await.unwrap();
    }
}

struct Live {
    stream: TcpStream,
    read: String,
}

impl Live {
    /// The data of the first event of a kind.
    async fn event(&mut self, kind: &str) -> serde_json::Value {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let head = format!("event: {kind}\n");
                let after = self.read.split_once(&head).map(|(_, after)| after);
                if let Some((data, _)) =
                    after.and_then(|after| after.split_once("data: ")?.1.split_once('\n'))
                {
                    return serde_json::from_str(data).unwrap();
                }
                let mut bytes = vec![0; 4096];
                let length = self.stream.read(&mut bytes).await.unwrap();
                assert!(length > 0, "the stream ended: {}", self.read);
                self.read.push_str(&String::from_utf8_lossy(&bytes[..length]).replace('\r', ""));
            }
        });
        found.await.unwrap_or_else(|_| panic!("no {kind} came: {}", self.read))
    }
}

#[tokio::test]
async fn what_happens_in_the_crm_is_told_to_the_panel() {
    let w = world(SECRET).await;
    let mut live = w.live().await;
    assert_eq!(w.crm("PATCH /api/v1/contacts/c-0001", r#"{"city":"Recife"}"#).await, "200");
    let changed = live.event("contact.changed").await;
    assert_eq!(changed, serde_json::json!({"plugin": "practice", "contact": "c-0001"}));

    assert_eq!(w.crm("POST /api/v1/contacts/c-0001/call", r#"{"user_id":"u-0001"}"#).await, "202");
    let dial = live.event("dial.requested").await;
    assert_eq!((&dial["agent"], &dial["number"]), (&"u-0001".into(), &"+5561987654001".into()));
    assert_eq!(dial["about"]["id"], "c-0001");

    assert_eq!(w.crm("DELETE /api/v1/contacts/c-0002", "").await, "204");
    assert_eq!(live.event("contact.deleted").await["contact"], "c-0002");
    w.close().await;
}

#[tokio::test]
async fn whoever_has_another_secret_tells_nothing() {
    let w = world("another-made-up-secret-0123456789").await;
    let mut live = w.live().await;
    assert_eq!(w.crm("PATCH /api/v1/contacts/c-0001", r#"{"city":"Recife"}"#).await, "200");
    // What the host says of it is in its metrics; here it is enough that a true one comes and no other before it.
    let hook = format!("http://{}/v1/hooks/practice/changes/practice", w.host);
    let good = PracticeCrm::new(ApiKey::new(KEY).unwrap(), BaseUrl::from(w.crm))
        .telling(HookTarget::new(&hook, SECRET).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = World { crm: listener.local_addr().unwrap(), ..w };
    let mut stopped = other.stop.subscribe();
    let serving = tokio::spawn(ramal_practice_crm::serve(listener, good, async move {
        drop(stopped.wait_for(|stop| *stop).await);
    }));
    assert_eq!(other.crm("PATCH /api/v1/contacts/c-0003", r#"{"city":"Olinda"}"#).await, "200");
    assert_eq!(live.event("contact.changed").await["contact"], "c-0003");
    other.close().await;
    serving.await.unwrap().unwrap();
}
