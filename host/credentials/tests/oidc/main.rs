//! The keeper of credentials against an authorization server that is not ours: over the way out's own connector, with
//! a SQLite store and a key file as in a host. The clock alone is moved. Accounts and secrets are made up.

mod server;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ipnet::IpNet;
use jiff::{Timestamp, ToSpan};
use ramal_capability::{Clear, ClientProof, Flow, OAuthPlan, UserId};
use ramal_credentials::{
    Callback, Clock, ConsentError, CredentialKey, CredentialState, Entered, Keeper, KeeperError, KeeperParts,
    LocalKeyFile, Reason, Trouble,
};
use ramal_egress::Egress;
use ramal_store::{CredentialStore, SqliteSettings, SqliteStore};
use rstest::rstest;
use server::Oidc;

/// The machine's time, and so many seconds.
struct Ahead(AtomicI64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.0.load(Ordering::SeqCst).seconds()
    }
}

struct World {
    oidc: Oidc,
    clock: Arc<Ahead>,
    store: SqliteStore,
    dir: tempfile::TempDir,
}

impl World {
    async fn start(test: &str) -> Option<Self> {
        let oidc = Oidc::start(test).await?;
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&SqliteSettings::new(dir.path().join("ramal.sqlite"))).await.unwrap();
        Some(Self { oidc, clock: Arc::new(Ahead(AtomicI64::new(0))), store, dir })
    }

    /// A node over the store, which gets tokens in this way.
    fn node(&self, flow: Flow, client: ClientProof) -> Keeper {
        let told = &self.oidc.told;
        let wrapper = LocalKeyFile::open(self.dir.path().join("credentials.keys")).unwrap();
        let endpoint = Egress::builder().token_client(Duration::from_secs(20)).unwrap();
        let store: Arc<dyn CredentialStore> = Arc::new(self.store.clone());
        let mut parts = KeeperParts::new(store, Arc::new(wrapper), Arc::new(endpoint));
        parts.clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let keeper = Keeper::new(parts);
        let scope = match &flow {
            Flow::AuthorizationCode { .. } => "openid offline_access contacts.read",
            _ => "contacts.read",
        };
        keeper.declare_one(
            key(),
            Some(OAuthPlan {
                flow,
                origin: told.origin.parse().unwrap(),
                target: "/token".to_owned(),
                private: vec![IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST))],
                scope: scope.to_owned(),
                client,
                bearer: true,
                refresh_lifetime: None,
            }),
        );
        keeper
    }

    fn code(&self) -> Flow {
        Flow::AuthorizationCode {
            authorize: format!("{}/auth", self.oidc.told.origin),
            parameters: vec![("prompt".to_owned(), "consent".to_owned())],
            issuer: Some(self.oidc.told.origin.clone()),
        }
    }

    async fn connect(&self, keeper: &Keeper) -> Result<CredentialKey, ConsentError> {
        let redirect = url::Url::parse(&self.oidc.told.callback).unwrap();
        let start = keeper.begin_consent(&key(), &ana(), &redirect).await?;
        let query = self.oidc.consent(&start.url).await;
        keeper.finish_consent(&key().tenant, &ana(), Callback::parse(&query)?).await
    }

    /// A node whose account is connected.
    async fn connected(&self) -> Keeper {
        let keeper = self.node(self.code(), ClientProof::Basic);
        let secret = self.oidc.told.secret.clone();
        keeper
            .set(&key(), entered(&[("client_id", "panel:basic"), ("client_secret", &secret)]))
            .await
            .unwrap();
        self.connect(&keeper).await.unwrap();
        keeper
    }

    fn later(&self) {
        let seconds = i64::try_from(self.oidc.told.lifetime).unwrap();
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn key() -> CredentialKey {
    CredentialKey {
        tenant: "acme".parse().unwrap(),
        plugin: "crm".parse().unwrap(),
        credential: "api".parse().unwrap(),
    }
}

fn ana() -> UserId {
    "ana".parse().unwrap()
}

fn entered(fields: &[(&str, &str)]) -> Entered {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), Clear::from(*value))).collect();
    Entered { fields, until: None, keep_others: false }
}

async fn token(keeper: &Keeper) -> Result<String, KeeperError> {
    keeper.secret(&key()).await.map(|secret| secret.fields()["token"].expose().to_owned())
}

#[rstest]
#[case::basic("panel:basic", ClientProof::Basic)]
#[case::body("panel-body", ClientProof::Body)]
#[case::public("panel-public", ClientProof::Public)]
#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_and_its_rotating_consent_renewed(
    #[case] client: &str,
    #[case] proof: ClientProof,
) {
    let Some(world) = World::start("an account is connected").await else { return };
    let keeper = world.node(world.code(), proof);
    let secret = world.oidc.told.secret.clone();
    keeper.set(&key(), entered(&[("client_id", client), ("client_secret", &secret)])).await.unwrap();
    assert_eq!(world.connect(&keeper).await.unwrap(), key());
    let mut seen = Vec::new();
    for round in 0..4 {
        let token = token(&keeper).await.unwrap();
        assert_eq!(world.oidc.who_am_i(&token).await, 200, "round {round}");
        assert!(!seen.contains(&token));
        seen.push(token);
        world.later();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_callers_on_two_nodes_renew_once_or_the_server_would_end_the_consent() {
    let Some(world) = World::start("a hundred callers on two nodes").await else { return };
    let one = world.connected().await;
    let two = world.node(world.code(), ClientProof::Basic);
    for _ in 0..3 {
        world.later();
        let tasks: Vec<_> = (0..100)
            .map(|number| {
                let keeper = if number % 2 == 0 { one.clone() } else { two.clone() };
                tokio::spawn(async move { token(&keeper).await.unwrap() })
            })
            .collect();
        let mut tokens = Vec::new();
        for task in tasks {
            tokens.push(task.await.unwrap());
        }
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(world.oidc.who_am_i(&tokens[0]).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_spent_elsewhere_ends_the_consent_and_a_new_one_begins_another() {
    let Some(world) = World::start("a spent refresh token").await else { return };
    let keeper = world.connected().await;
    // The row as a backup has it, put back after the token was renewed.
    let old = world.store.credential(&key()).await.unwrap().unwrap();
    world.later();
    token(&keeper).await.unwrap();
    let now = world.store.credential(&key()).await.unwrap().unwrap();
    assert!(world.store.put_credential(&old, now.revision).await.unwrap());
    // A process that has not seen the newer row cannot know; the server does.
    let fresh = world.node(world.code(), ClientProof::Basic);
    world.later();
    let error = token(&fresh).await.unwrap_err();
    assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::GrantRefused, .. }), "{error}");
    assert!(matches!(
        fresh.state(&key()).await.unwrap(),
        CredentialState::NeedsReconnect { reason: Reason::GrantRefused, .. }
    ));
    world.connect(&fresh).await.unwrap();
    assert_eq!(world.oidc.who_am_i(&token(&fresh).await.unwrap()).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_without_its_verifier_is_not_taken() {
    let Some(world) = World::start("a code without its verifier").await else { return };
    let keeper = world.connected().await;
    let before = token(&keeper).await.unwrap();
    let redirect = url::Url::parse(&world.oidc.told.callback).unwrap();
    // Two consents begun; the code of one with the state of the other.
    let one = keeper.begin_consent(&key(), &ana(), &redirect).await.unwrap();
    let two = keeper.begin_consent(&key(), &ana(), &redirect).await.unwrap();
    let of = |query: &str, name: &str| -> String {
        url::form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).unwrap().1.into_owned()
    };
    let query = world.oidc.consent(&one.url).await;
    let state = of(two.url.split_once('?').unwrap().1, "state");
    let crossed = format!("code={}&state={state}&iss={}", of(&query, "code"), of(&query, "iss"));
    let error = keeper.finish_consent(&key().tenant, &ana(), Callback::parse(&crossed).unwrap()).await;
    assert!(matches!(error.unwrap_err(), ConsentError::Refused(Reason::GrantRefused)));
    assert_eq!(token(&keeper).await.unwrap(), before);
}

#[rstest]
#[case::body("robot", ClientProof::Body)]
#[case::signed_rsa("robot-rsa", ClientProof::PrivateKeyJwt)]
#[case::signed_p256("robot-ec", ClientProof::PrivateKeyJwt)]
#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_tokens_for_itself(#[case] client: &str, #[case] proof: ClientProof) {
    let Some(world) = World::start("a client gets tokens for itself").await else { return };
    let keeper = world.node(Flow::ClientCredentials, proof);
    let told = &world.oidc.told;
    let (pem, id) = if client == "robot-ec" { (&told.p256, "ec-1") } else { (&told.rsa, "rsa-1") };
    let fields =
        [("client_id", client), ("client_secret", &told.secret), ("private_key", pem), ("key_id", id)];
    keeper.set(&key(), entered(&fields)).await.unwrap();
    let first = token(&keeper).await.unwrap();
    world.later();
    assert_ne!(token(&keeper).await.unwrap(), first);
}

#[rstest]
#[case::rsa(true, "panel@crm.example", true)]
#[case::p256(false, "panel@crm.example", true)]
#[case::other_person(true, "eve@crm.example", false)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signed_assertion_gets_tokens_for_whom_it_names(
    #[case] rsa: bool,
    #[case] subject: &str,
    #[case] good: bool,
) {
    let Some(world) = World::start("a signed assertion gets tokens").await else { return };
    // What is signed later than the server's time is not taken: this clock begins behind it.
    world.clock.0.store(-i64::try_from(world.oidc.told.lifetime).unwrap(), Ordering::SeqCst);
    let audience = "https://audience.example".to_owned();
    let flow = Flow::JwtBearer { subject: Some(subject.to_owned()), audience };
    let keeper = world.node(flow, ClientProof::Public);
    let pem = if rsa { &world.oidc.told.rsa } else { &world.oidc.told.p256 };
    keeper.set(&key(), entered(&[("client_id", "signer"), ("private_key", pem)])).await.unwrap();
    let got = token(&keeper).await;
    if good {
        let first = got.unwrap();
        world.later();
        assert_ne!(token(&keeper).await.unwrap(), first, "each assertion has an id of its own");
    } else {
        let error = got.unwrap_err();
        assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::GrantRefused, .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_client_secret_waits_for_a_person() {
    let Some(world) = World::start("a wrong client secret").await else { return };
    let keeper = world.node(Flow::ClientCredentials, ClientProof::Body);
    keeper.set(&key(), entered(&[("client_id", "robot"), ("client_secret", "wrong")])).await.unwrap();
    let error = token(&keeper).await.unwrap_err();
    assert!(matches!(error, KeeperError::NeedsPerson { reason: Reason::ClientRefused, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_inside_the_network_is_asked_only_if_the_grant_names_it() {
    let Some(world) = World::start("an endpoint inside the network").await else { return };
    let keeper = world.node(Flow::ClientCredentials, ClientProof::Body);
    keeper.declare_one(
        key(),
        Some(OAuthPlan {
            flow: Flow::ClientCredentials,
            origin: world.oidc.told.origin.parse().unwrap(),
            target: "/token".to_owned(),
            private: vec![],
            scope: String::new(),
            client: ClientProof::Body,
            bearer: true,
            refresh_lifetime: None,
        }),
    );
    let secret = world.oidc.told.secret.clone();
    keeper.set(&key(), entered(&[("client_id", "robot"), ("client_secret", &secret)])).await.unwrap();
    let error = token(&keeper).await.unwrap_err();
    assert!(matches!(error, KeeperError::Later { why: Trouble::NotAllowed, .. }), "{error}");
}
