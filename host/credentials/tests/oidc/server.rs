//! An authorization server that is not ours, on a loopback port: npm's `oidc-provider`, which `tests/oidc/install.sh`
//! installs. PKCE is required there, refresh tokens rotate, and a second use of one ends the consent.
//! [`Oidc::consent`] is the person with a browser.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use tokio::time::Instant;

/// The exit status by which the install script says "this machine lacks something".
const LACKING: i32 = 3;
/// The time that the server may take to listen; it takes one second on an idle machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Steps from the page of consent back to us, at most.
const STEPS: usize = 8;

/// A running authorization server. It ends with this value.
pub(crate) struct Oidc {
    /// What it told about itself.
    pub(crate) told: Told,
    server: Child,
    _dir: tempfile::TempDir,
}

/// What the server tells about itself. All of it is made up at each start.
#[derive(Deserialize)]
pub(crate) struct Told {
    /// `http://127.0.0.1:<port>`, also its issuer.
    pub(crate) origin: String,
    /// The secret of the clients that have one.
    pub(crate) secret: String,
    /// Where the clients' answers go.
    pub(crate) callback: String,
    /// How long an access token lives, in seconds.
    pub(crate) lifetime: u64,
    /// The private key that belongs to `robot-rsa` and `signer`, in PEM.
    pub(crate) rsa: String,
    /// The private key that belongs to `robot-ec` and `signer`, in PEM.
    pub(crate) p256: String,
}

impl Drop for Oidc {
    fn drop(&mut self) {
        // Neither can fail in a way that a test could mend.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Oidc {
    /// Installs the server if need be and starts it; `None` after saying on stderr which test is skipped and why,
    /// which on a build server is an error.
    pub(crate) async fn start(test: &str) -> Option<Self> {
        let folder = install(test).await?;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("told.json");
        let log = std::fs::File::create(dir.path().join("server.log")).unwrap();
        let mut server = Command::new("node")
            .arg(folder.join("server.mjs"))
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + START_LIMIT;
        // The file gets its name when the server listens.
        while !file.exists() {
            let ended = server.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(dir.path().join("server.log")).unwrap();
                panic!("the authorization server did not come up ({ended:?}): {log}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let told = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        Some(Self { told, server, _dir: dir })
    }

    /// The person opens the address, logs in and consents: the query of the address to which the browser is sent
    /// in the end.
    pub(crate) async fn consent(&self, address: &str) -> String {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let (mut next, mut cookies) = (address.to_owned(), BTreeMap::new());
        for _ in 0..STEPS {
            if let Some(query) =
                next.strip_prefix(&self.told.callback).and_then(|rest| rest.strip_prefix('?'))
            {
                return query.to_owned();
            }
            let whole = if next.starts_with('/') { format!("{}{next}", self.told.origin) } else { next };
            let jar: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = hyper::Request::get(&whole).header(COOKIE, jar.join("; ")).body(Empty::new());
            let response = client.request(request.unwrap()).await.unwrap();
            for cookie in response.headers().get_all(SET_COOKIE) {
                let pair = cookie.to_str().unwrap().split(';').next().unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let Some(location) = response.headers().get(LOCATION) else {
                let status = response.status();
                let body = response.into_body().collect().await.unwrap().to_bytes();
                panic!("{status} at {whole}: {}", String::from_utf8_lossy(&body));
            };
            next = location.to_str().unwrap().to_owned();
        }
        panic!("the browser was sent from page to page");
    }

    /// What the server answers to somebody who shows this access token: the status of its page about the person.
    pub(crate) async fn who_am_i(&self, token: &str) -> u16 {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let request = hyper::Request::get(format!("{}/me", self.told.origin))
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Empty::new());
        client.request(request.unwrap()).await.unwrap().status().as_u16()
    }
}

/// The folder of the server. The script waits for another one that is at work, so tests may all call this.
#[expect(clippy::print_stderr, reason = "a skipped test must say so where people look")]
async fn install(test: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oidc/install.sh");
    let output =
        tokio::process::Command::new("bash").arg(script).stdin(Stdio::null()).output().await.unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Some(PathBuf::from(stdout.lines().last().unwrap()));
    }
    let reason = stderr.lines().last().unwrap_or_default();
    assert!(
        output.status.code() == Some(LACKING) && std::env::var_os("CI").is_none(),
        "the authorization server cannot be installed: {stderr}"
    );
    eprintln!("SKIPPED {test}: {reason}");
    None
}
