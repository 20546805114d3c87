//! Connecting an account over HTTP, with an authorization server that is not ours and a person whose browser keeps
//! cookies as browsers do.

use std::net::{IpAddr, Ipv4Addr};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ipnet::IpNet;
use ramal_capability::{Clear, ClientProof, Flow, OAuthPlan};
use ramal_credentials::{CredentialKey, Entered};
use serde_json::json;

use crate::oidc::Oidc;
use crate::support::*;
use crate::{Host, config};

const SECOND: &str = "second-token-of-acme-0123456789abcd";
const MORE: &str = "[[tenant.token]]\nid = \"second\"\ntoken = \"second-token-of-acme-0123456789abcd\"\n\
                    [[tenant]]\nid = \"beta\"\n[[tenant.token]]\nid = \"panel\"\ntoken = \"token-of-beta-0123456789abcdef0123\"\n";

struct World {
    oidc: Oidc,
    host: Host,
    _folder: tempfile::TempDir,
}

impl World {
    /// A host whose credential `api` of the plugin `crm` is connected in the browser.
    async fn start(test: &str) -> Option<Self> {
        let oidc = Oidc::start(test).await?;
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "public-url = \"https://ramal.example\"", MORE);
        let host = Host::start(&config).await;
        let flow = Flow::AuthorizationCode {
            authorize: format!("{}/auth", oidc.told.origin),
            parameters: vec![("prompt".to_owned(), "consent".to_owned())],
            issuer: Some(oidc.told.origin.clone()),
        };
        let plan = OAuthPlan {
            flow,
            origin: oidc.told.origin.parse().unwrap(),
            target: "/token".to_owned(),
            private: vec![IpNet::from(IpAddr::V4(Ipv4Addr::LOCALHOST))],
            scope: "openid offline_access contacts.read".to_owned(),
            client: ClientProof::Basic,
            bearer: true,
            refresh_lifetime: None,
        };
        host.composed.credentials().declare_one(key(), Some(plan));
        Some(Self { oidc, host, _folder: folder })
    }

    async fn enter_client(&self) {
        let fields = [("client_id", "panel:basic"), ("client_secret", self.oidc.told.secret.as_str())];
        let fields = fields.map(|(name, value)| (name.to_owned(), Clear::from(value)));
        let entered = Entered { fields: fields.into(), until: None, keep_others: false };
        self.host.composed.credentials().set(&key(), entered).await.unwrap();
    }

    async fn send(&self, request: Request<Body>) -> Reply {
        answer(&self.host.http, request).await
    }

    /// Begins a consent and has the person consent: what the browser then comes back with.
    async fn consented(&self) -> String {
        let begun = self.send(with_token(post("/v1/credentials/crm/api/connect", ""))).await;
        assert_eq!(begun.status, StatusCode::OK, "{}", begun.text);
        self.oidc.consent(begun.json()["url"].as_str().unwrap()).await
    }

    async fn come_back(&self, query: &str, cookie: Option<&str>) -> Reply {
        let mut request = get(&format!("/v1/credentials/callback?{query}"));
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
        }
        self.send(request).await
    }

    /// The cookie of somebody who opened the page with this token.
    async fn session(&self, token: &str) -> String {
        let reply = self.send(get(&format!("/?token={token}"))).await;
        reply.header("set-cookie").split(';').next().unwrap().to_owned()
    }

    async fn state(&self) -> String {
        let listed = self.send(with_token(get("/v1/credentials"))).await;
        listed.json()[0]["state"].as_str().unwrap().to_owned()
    }
}

fn key() -> CredentialKey {
    CredentialKey {
        tenant: "acme".parse().unwrap(),
        plugin: "crm".parse().unwrap(),
        credential: "api".parse().unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_in_the_browser_of_the_person_who_began() {
    let Some(world) = World::start("an account is connected over HTTP").await else { return };
    assert_eq!(world.state().await, "missing");
    world.enter_client().await;
    assert_eq!(world.state().await, "needs-reconnect");
    let query = world.consented().await;
    // From the other site the browser sends no cookie: the page goes on by itself, from here.
    let first = world.come_back(&query, None).await;
    assert_eq!((first.status, first.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    let next = first.text.split("url=").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let next = next.strip_prefix("/v1/credentials/callback?").unwrap();
    assert_eq!(world.state().await, "needs-reconnect");
    let panel = world.session(TOKEN).await;
    let done = world.come_back(next, Some(&panel)).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.text.contains("<h1>Connected</h1>"), "{}", done.text);
    let listed = world.send(with_token(get("/v1/credentials"))).await;
    assert_eq!(
        (&listed.json()[0]["state"], &listed.json()[0]["waits_for_person"]),
        (&json!("valid"), &json!(false))
    );
    // No answer ever holds a secret.
    let token = world.host.composed.credentials().secret(&key()).await.unwrap();
    let token = token.fields()["token"].expose().to_owned();
    assert_eq!(world.oidc.who_am_i(&token).await, 200);
    for reply in [&first, &done, &listed] {
        assert!(!reply.text.contains(&token) && !reply.text.contains(&world.oidc.told.secret));
    }
    // The state is used up.
    let again = world.come_back(&query, Some(&panel)).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(
        again.text.contains("This consent was not begun here, or was finished already"),
        "{}",
        again.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_finishes_a_consent() {
    let Some(world) = World::start("somebody else's consent").await else { return };
    world.enter_client().await;
    for (token, status, told) in [
        (OTHER_TOKEN, StatusCode::BAD_REQUEST, "This consent was not begun here"),
        (SECOND, StatusCode::BAD_REQUEST, "Another person began this consent"),
        ("no-token", StatusCode::UNAUTHORIZED, "This browser has no session"),
    ] {
        let query = format!("{}&again=1", world.consented().await);
        let cookie = world.session(token).await;
        let reply =
            world.come_back(&query, Some(&cookie).filter(|c| !c.is_empty()).map(String::as_str)).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(reply.text.contains(told), "{}", reply.text);
        assert_eq!(world.state().await, "needs-reconnect");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_connected_is_refused_with_what_to_do() {
    let Some(world) = World::start("what cannot be connected").await else { return };
    let connect = async |path: &str| world.send(with_token(post(path, ""))).await;
    // The client was not entered yet.
    let early = connect("/v1/credentials/crm/api/connect").await;
    assert_eq!(
        (early.status, &early.json()["code"]),
        (StatusCode::CONFLICT, &json!("credential-not-connectable"))
    );
    assert!(early.text.contains("ramal credential set acme crm api"), "{}", early.text);
    let unknown = connect("/v1/credentials/crm/other/connect").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let stranger = world.send(post("/v1/credentials/crm/api/connect", "")).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    // The person said no; a text of the server's own stands on no page.
    world.enter_client().await;
    let begun = connect("/v1/credentials/crm/api/connect").await.json();
    let state =
        begun["url"].as_str().unwrap().split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let panel = world.session(TOKEN).await;
    let query = format!(
        "error=access_denied&error_description=<script>&state={state}&iss={}",
        world.oidc.told.origin
    );
    let denied = world.come_back(&query.replace('<', "%3C").replace('>', "%3E"), Some(&panel)).await;
    assert_eq!(denied.status, StatusCode::BAD_REQUEST);
    assert!(denied.text.contains("(access_denied)") && !denied.text.contains("script"), "{}", denied.text);
}
