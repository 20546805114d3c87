//! What the tests share: a clock that stands, a token endpoint, a store that can be made to fail, a keeper over them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use ramal_capability::{Clear, ClientProof, EgressFailure, Flow, OAuthPlan, TenantId};
use ramal_credentials::{
    Alert, Clock, CredentialKey, CredentialObserver, CredentialState, Entered, Keeper, KeeperError,
    KeeperParts, KeeperSettings, LocalKeyFile, TokenEndpoint,
};
use ramal_egress::{Secret, TokenAnswer, TokenCall, TokenFailure};
use ramal_store::{
    Answer, ConsentRow, CredentialRow, CredentialStore, Fault, Lease, SqliteSettings, SqliteStore, StoreError,
};
use tokio::sync::Notify;
use uuid::Uuid;

pub(crate) fn key() -> CredentialKey {
    key_of("acme")
}

pub(crate) fn key_of(tenant: &str) -> CredentialKey {
    CredentialKey {
        tenant: tenant.parse().unwrap(),
        plugin: "crm".parse().unwrap(),
        credential: "api".parse().unwrap(),
    }
}

pub(crate) fn code_plan() -> OAuthPlan {
    OAuthPlan {
        flow: Flow::AuthorizationCode {
            authorize: "https://login.example.com/authorize".to_owned(),
            parameters: vec![("access_type".to_owned(), "offline".to_owned())],
            issuer: None,
        },
        origin: "https://login.example.com".parse().unwrap(),
        target: "/token".to_owned(),
        private: vec![],
        scope: "contacts.read".to_owned(),
        client: ClientProof::Body,
        bearer: true,
        refresh_lifetime: None,
    }
}

pub(crate) fn client_plan() -> OAuthPlan {
    OAuthPlan { flow: Flow::ClientCredentials, ..code_plan() }
}

// === Clock ===

/// A clock that goes only when it is told to.
pub(crate) struct Standing(AtomicU64);

impl Standing {
    pub(crate) fn advance(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(i64::try_from(self.0.load(Ordering::SeqCst)).unwrap()).unwrap()
    }
}

// === Token endpoint ===

/// What the endpoint does with a request besides the rules.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mood {
    /// By the rules.
    Good,
    /// Nobody takes the connection.
    Unreachable,
    /// It rotates the token, and the answer is lost.
    Lost,
    /// It answers these words with this status, and does nothing.
    Says(u16, &'static str),
    /// It asks to wait so many seconds.
    Busy(u32),
    /// It waits until it is told to go on.
    Holds,
}

/// One request, as the endpoint saw it.
pub(crate) type Asked = BTreeMap<String, String>;

pub(crate) struct Server {
    pub(crate) mood: parking_lot::Mutex<Mood>,
    pub(crate) asked: parking_lot::Mutex<Vec<Asked>>,
    /// Refresh tokens and whether each was used. A used one that comes again ends all.
    tokens: parking_lot::Mutex<HashMap<String, bool>>,
    ended: AtomicBool,
    /// Whether an already used refresh token is taken once more, as some servers do for a while.
    pub(crate) forgives: AtomicBool,
    given: AtomicUsize,
    pub(crate) lifetime: AtomicU64,
    pub(crate) refresh_lifetime: AtomicU64,
    pub(crate) rotates: AtomicBool,
    /// Told when a request is held.
    pub(crate) holding: Notify,
    pub(crate) go_on: Notify,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            mood: parking_lot::Mutex::new(Mood::Good),
            asked: parking_lot::Mutex::default(),
            tokens: parking_lot::Mutex::default(),
            ended: AtomicBool::new(false),
            forgives: AtomicBool::new(false),
            given: AtomicUsize::new(0),
            lifetime: AtomicU64::new(3_600),
            refresh_lifetime: AtomicU64::new(0),
            rotates: AtomicBool::new(true),
            holding: Notify::new(),
            go_on: Notify::new(),
        }
    }
}

impl Server {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock() = mood;
    }
    /// How many requests it had.
    pub(crate) fn count(&self) -> usize {
        self.asked.lock().len()
    }
    /// A person takes the consent back.
    pub(crate) fn revoke(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }

    fn give(&self, asked: &Asked) -> (u16, String) {
        let refused =
            |word: &str| (400, format!(r#"{{"error":"{word}","error_description":"canary-words"}}"#));
        let mut refresh = None;
        match asked["grant_type"].as_str() {
            "refresh_token" => {
                let mut tokens = self.tokens.lock();
                let token = &asked["refresh_token"];
                let Some(used) = tokens.get_mut(token) else { return refused("invalid_grant") };
                if *used && !self.forgives.load(Ordering::SeqCst) {
                    self.ended.store(true, Ordering::SeqCst);
                }
                if self.ended.load(Ordering::SeqCst) {
                    return refused("invalid_grant");
                }
                if self.rotates.load(Ordering::SeqCst) {
                    *used = true;
                    refresh = Some(());
                }
            }
            "authorization_code" => {
                if asked["code"] != "good-code" {
                    return refused("invalid_grant");
                }
                self.ended.store(false, Ordering::SeqCst);
                refresh = Some(());
            }
            "client_credentials" if asked["client_secret"] != "s3cret" => {
                return (401, r#"{"error":"invalid_client"}"#.to_owned());
            }
            _ => {}
        }
        let number = self.given.fetch_add(1, Ordering::SeqCst) + 1;
        let mut answer = serde_json::json!({
            "access_token": format!("canary-access-{number}"), "token_type": "Bearer",
            "expires_in": self.lifetime.load(Ordering::SeqCst),
        });
        if refresh.is_some() {
            let token = format!("canary-refresh-{number}");
            answer["refresh_token"] = token.clone().into();
            self.tokens.lock().insert(token, false);
            let lifetime = self.refresh_lifetime.load(Ordering::SeqCst);
            if lifetime > 0 {
                answer["refresh_token_expires_in"] = lifetime.into();
            }
        }
        (200, answer.to_string())
    }
}

impl TokenEndpoint for Server {
    fn post<'a>(&'a self, call: TokenCall<'a>) -> BoxFuture<'a, Result<TokenAnswer, TokenFailure>> {
        Box::pin(async move {
            let form = url::form_urlencoded::parse(call.form.expose().as_bytes());
            let asked: Asked = form.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
            let mood = self.mood.lock().clone();
            let failed = |sent, failure| TokenFailure { sent, failure };
            if mood == Mood::Unreachable {
                return Err(failed(
                    false,
                    EgressFailure::Unavailable("no address takes a connection".to_owned()),
                ));
            }
            self.asked.lock().push(asked.clone());
            if mood == Mood::Holds {
                self.holding.notify_one();
                self.go_on.notified().await;
            }
            let (status, body) = match mood {
                Mood::Says(status, body) => (status, body.to_owned()),
                Mood::Busy(seconds) => return Err(failed(true, EgressFailure::RateLimited(Some(seconds)))),
                Mood::Lost => {
                    self.give(&asked);
                    return Err(failed(true, EgressFailure::Timeout));
                }
                _ => self.give(&asked),
            };
            Ok(TokenAnswer { status, body: body.into_bytes().into() })
        })
    }
}

// === Store ===

/// A store that counts what is done and can be made to fail at one of its doings.
pub(crate) struct Faulty {
    pub(crate) inner: SqliteStore,
    /// Counts writes.
    pub(crate) writes: AtomicUsize,
    /// From which write on writes fail.
    pub(crate) fail_from: AtomicUsize,
    /// Until which, exclusive.
    pub(crate) fail_to: AtomicUsize,
    /// Whether a failing write is done nevertheless: the answer is lost.
    pub(crate) done_anyway: AtomicBool,
    /// At which write everything stops, as with a process that is killed before it.
    pub(crate) stop_before: AtomicUsize,
    /// The same, after it.
    pub(crate) stop_after: AtomicUsize,
    pub(crate) stopped: Notify,
}

impl Faulty {
    pub(crate) fn new(inner: SqliteStore) -> Self {
        let never = || AtomicUsize::new(usize::MAX);
        Self {
            inner,
            writes: AtomicUsize::new(0),
            fail_from: never(),
            fail_to: never(),
            done_anyway: AtomicBool::new(false),
            stop_before: never(),
            stop_after: never(),
            stopped: Notify::new(),
        }
    }

    /// The next `count` writes fail.
    pub(crate) fn fail_next(&self, count: usize) {
        let now = self.writes.load(Ordering::SeqCst);
        self.fail_from.store(now, Ordering::SeqCst);
        self.fail_to.store(now + count, Ordering::SeqCst);
    }

    async fn die(&self) {
        self.stopped.notify_one();
        std::future::pending::<()>().await;
    }

    async fn write<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst);
        if number >= self.stop_before.load(Ordering::SeqCst) {
            self.die().await;
        }
        let fails =
            (self.fail_from.load(Ordering::SeqCst)..self.fail_to.load(Ordering::SeqCst)).contains(&number);
        if fails && !self.done_anyway.load(Ordering::SeqCst) {
            return Err(full());
        }
        let done = work.await;
        if number >= self.stop_after.load(Ordering::SeqCst) {
            self.die().await;
        }
        if fails { Err(full()) } else { done }
    }
}

fn full() -> StoreError {
    StoreError::Failed { doing: "write a credential to", fault: Fault::DiskFull, source: None }
}

impl CredentialStore for Faulty {
    fn credential<'a>(&'a self, key: &'a CredentialKey) -> Answer<'a, Option<CredentialRow>> {
        self.inner.credential(key)
    }
    fn credentials<'a>(&'a self, tenant: &'a TenantId) -> Answer<'a, Vec<CredentialRow>> {
        self.inner.credentials(tenant)
    }
    fn put_credential<'a>(&'a self, row: &'a CredentialRow, before: u64) -> Answer<'a, bool> {
        Box::pin(self.write(self.inner.put_credential(row, before)))
    }
    fn rewrap_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        revision: u64,
        key_id: &'a str,
        wrapped: &'a [u8],
    ) -> Answer<'a, bool> {
        Box::pin(self.write(self.inner.rewrap_credential(key, revision, key_id, wrapped)))
    }
    fn lease_credential<'a>(
        &'a self,
        key: &'a CredentialKey,
        holder: Uuid,
        now: Timestamp,
        time: Duration,
    ) -> Answer<'a, Lease> {
        self.inner.lease_credential(key, holder, now, time)
    }
    fn release_credential<'a>(&'a self, key: &'a CredentialKey, holder: Uuid) -> Answer<'a, ()> {
        self.inner.release_credential(key, holder)
    }
    fn begin_consent<'a>(&'a self, consent: &'a ConsentRow, now: Timestamp) -> Answer<'a, ()> {
        self.inner.begin_consent(consent, now)
    }
    fn take_consent<'a>(
        &'a self,
        tenant: &'a TenantId,
        state: &'a [u8; 32],
    ) -> Answer<'a, Option<ConsentRow>> {
        self.inner.take_consent(tenant, state)
    }
}

// === Observer ===

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) states: parking_lot::Mutex<Vec<&'static str>>,
    pub(crate) alerts: parking_lot::Mutex<Vec<Alert>>,
}

impl CredentialObserver for Heard {
    fn changed(&self, _: &CredentialKey, state: &CredentialState) {
        self.states.lock().push(state.as_str());
    }
    fn alert(&self, _: &CredentialKey, alert: &Alert) {
        self.alerts.lock().push(alert.clone());
    }
}

// === World ===

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<Standing>,
    pub(crate) server: Arc<Server>,
    pub(crate) heard: Arc<Heard>,
    pub(crate) store: Arc<Faulty>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Faulty::new(open(dir.path().join("ramal.sqlite")).await));
        let start = u64::try_from(Timestamp::from_second(1_790_000_000).unwrap().as_microsecond()).unwrap();
        let clock = Arc::new(Standing(AtomicU64::new(start)));
        Self { dir, clock, server: Arc::default(), heard: Arc::default(), store }
    }

    /// A process of its own over the same store and key file.
    pub(crate) fn node(&self) -> Keeper {
        self.node_over(Arc::clone(&self.store))
    }

    pub(crate) fn node_over(&self, store: Arc<Faulty>) -> Keeper {
        self.node_with(store, Duration::from_secs(5))
    }

    /// One that waits so long for another node.
    pub(crate) fn node_with(&self, store: Arc<Faulty>, patience: Duration) -> Keeper {
        let wrapper = Arc::new(LocalKeyFile::open(self.dir.path().join("credentials.keys")).unwrap());
        let keeper = Keeper::new(KeeperParts {
            store,
            wrapper,
            endpoint: Arc::clone(&self.server) as Arc<dyn TokenEndpoint>,
            observer: Arc::clone(&self.heard) as Arc<dyn CredentialObserver>,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            settings: KeeperSettings {
                patience,
                store_pauses: [0, 1, 1, 1, 1].map(Duration::from_millis).into(),
                ..KeeperSettings::default()
            },
        });
        keeper.declare_one(key(), Some(code_plan()));
        keeper
    }

    /// A store over the same file that does not fail.
    pub(crate) async fn second_store(&self) -> Arc<Faulty> {
        Arc::new(Faulty::new(open(self.dir.path().join("ramal.sqlite")).await))
    }

    /// A node with a connected account: its token is `canary-access-1`.
    pub(crate) async fn connected(&self) -> Keeper {
        let keeper = self.node();
        keeper.set(&key(), entered(&[("client_id", "client-7"), ("client_secret", "s3cret")])).await.unwrap();
        connect(&keeper).await;
        keeper
    }
}

async fn open(path: PathBuf) -> SqliteStore {
    SqliteStore::open(&SqliteSettings::new(path)).await.unwrap()
}

pub(crate) fn entered(fields: &[(&str, &str)]) -> Entered {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Clear::from(*value))).collect();
    Entered { fields, until: None, keep_others: false }
}

/// Connects the account with the code that the server takes.
pub(crate) async fn connect(keeper: &Keeper) {
    let admin = "ana".parse().unwrap();
    let redirect = url::Url::parse("https://ramal.example/v1/credentials/callback").unwrap();
    let start = keeper.begin_consent(&key(), &admin, &redirect).await.unwrap();
    let state = query(&start.url)["state"].clone();
    let callback = ramal_credentials::Callback::parse(&format!("code=good-code&state={state}")).unwrap();
    keeper.finish_consent(&key().tenant, &admin, callback).await.unwrap();
}

pub(crate) fn query(address: &str) -> BTreeMap<String, String> {
    url::Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

pub(crate) async fn token(keeper: &Keeper) -> Result<String, KeeperError> {
    keeper.secret(&key()).await.map(|secret| token_of(&secret))
}

pub(crate) fn token_of(secret: &Secret) -> String {
    secret.fields()["token"].expose().to_owned()
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
