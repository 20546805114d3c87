//! Requests to token endpoints, and tokens that a source of credentials renews. Secrets are invented.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::IpNet;
use ramal_capability::{Clear, CredentialId, EgressFailure, Origin, PluginId, Rule, TenantId};
use ramal_egress::{
    CredentialError, CredentialSource, Egress, Secret, TableResolver, TokenAnswer, TokenCall, TokenFailure,
};
use rstest::rstest;

use crate::bench::{Bench, Setup};
use crate::crm::{Crm, Raw, Seen, Then, answer};

async fn ask(origin: &str, private: &[&str]) -> Result<TokenAnswer, TokenFailure> {
    let builder = Egress::builder().resolver(Arc::new(TableResolver::local("login.test")));
    let client =
        builder.idle_timeout(Duration::from_millis(300)).token_client(Duration::from_secs(2)).unwrap();
    let origin: Origin = origin.parse().unwrap();
    let private: Vec<IpNet> = private.iter().map(|range| range.parse().unwrap()).collect();
    let (form, proof) = (Clear::from("grant_type=client_credentials"), Clear::from("Basic czNjcmV0"));
    let call = TokenCall {
        origin: &origin,
        target: "/token",
        private: &private,
        authorization: Some(&proof),
        form: &form,
    };
    client.post(&call).await
}

fn at(port: u16) -> String {
    format!("http://login.test:{port}")
}

#[tokio::test]
async fn a_form_goes_out_with_its_proof_and_the_answer_comes_back() {
    let server = Crm::answers(|_| answer(200, r#"{"access_token":"t"}"#)).await;
    let answer = ask(&at(server.address.port()), &["127.0.0.0/8"]).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"access_token":"t"}"#.as_slice()));
    assert_eq!(format!("{answer:?}"), "TokenAnswer { status: 200, .. }");
    let seen = &server.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/token"));
    assert_eq!(seen.body, "grant_type=client_credentials");
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen.header("authorization"), Some("Basic czNjcmV0"));
}

#[rstest]
#[case::bad_request(400, r#"{"error":"invalid_grant"}"#)]
#[case::unauthorized(401, r#"{"error":"invalid_client"}"#)]
#[tokio::test]
async fn a_refusal_is_an_answer_with_its_reason(#[case] status: u16, #[case] body: &'static str) {
    let server = Crm::answers(move |_| answer(status, body)).await;
    let answer = ask(&at(server.address.port()), &["127.0.0.0/8"]).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()));
}

#[tokio::test]
async fn an_address_that_the_grant_does_not_name_is_not_asked() {
    let server = Crm::answers(|_| answer(200, "{}")).await;
    let failure = ask(&at(server.address.port()), &[]).await.unwrap_err();
    assert!(
        matches!(&failure, TokenFailure { sent: false, failure: EgressFailure::Denied(d) } if d.rule == Rule::Address),
        "{failure:?}"
    );
    assert_eq!(server.accepts(), 0);
}

#[tokio::test]
async fn nobody_there_and_no_such_name_are_known_not_to_be_sent() {
    let gone = Crm::finds().await.address.port();
    for origin in [at(gone), "http://nobody.test".to_owned()] {
        let failure = ask(&origin, &["127.0.0.0/8"]).await.unwrap_err();
        assert!(!failure.sent, "{failure:?}");
    }
}

#[rstest]
#[case::broken_off(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{",
    Then::Close
)]
#[case::silent("", Then::Hold)]
#[case::server_error("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", Then::Close)]
#[case::redirect("HTTP/1.1 302 X\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n", Then::Close)]
#[case::too_large(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 70000\r\n\r\n",
    Then::Hold
)]
#[case::no_json("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", Then::Close)]
#[tokio::test]
async fn an_answer_that_is_none_may_have_been_an_effect(#[case] bytes: &str, #[case] then: Then) {
    let server = Raw::writes(bytes, then).await;
    let failure = ask(&at(server.address.port()), &["127.0.0.0/8"]).await.unwrap_err();
    assert!(failure.sent, "{failure:?}");
}

// === A source that renews ===

/// Gives `token-1`, and the next one after each refusal while there are more.
struct Renewing {
    now: AtomicUsize,
    last: usize,
    refusals: AtomicUsize,
}

impl CredentialSource for Renewing {
    fn secret<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a PluginId,
        _: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        let token = format!("token-{}", self.now.load(Ordering::SeqCst));
        Box::pin(async { Ok(Secret::new([("token", token)])) })
    }
    fn refused<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a PluginId,
        _: &'a CredentialId,
        secret: &'a Secret,
    ) -> BoxFuture<'a, bool> {
        self.refusals.fetch_add(1, Ordering::SeqCst);
        let now = self.now.load(Ordering::SeqCst);
        assert_eq!(secret.fields()["token"].expose(), format!("token-{now}"));
        let more = now < self.last;
        if more {
            self.now.store(now + 1, Ordering::SeqCst);
        }
        Box::pin(async move { more })
    }
}

const OAUTH: &str =
    "kind = \"oauth2\"\nflow = \"client-credentials\"\ntoken = \"ORIGIN/token\"\nscheme = \"Zoho\"";

async fn crm(valid: &'static str) -> Crm {
    Crm::answers(move |seen: &Seen| match seen.header("authorization") == Some(valid) {
        true => answer(200, r#"{"id":"c-1"}"#),
        false => answer(401, "{}"),
    })
    .await
}

fn bench(crm: &Crm, last: usize) -> (Bench, Arc<Renewing>) {
    let source = Arc::new(Renewing { now: AtomicUsize::new(1), last, refusals: AtomicUsize::new(0) });
    let theirs = Arc::clone(&source);
    (Setup::at(crm.address).credential(OAUTH, &[]).bench_with(|builder| builder.credentials(theirs)), source)
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_sent_once_more() {
    let crm = crm("Zoho token-2").await;
    let (bench, source) = bench(&crm, 9);
    assert_eq!(bench.find().await.unwrap().status, 200);
    assert_eq!((crm.seen().len(), source.refusals.load(Ordering::SeqCst)), (2, 1));
    let statuses: Vec<_> = bench.ledger.rows().iter().map(|row| row.status.unwrap()).collect();
    assert_eq!(statuses, [401, 200], "each sending is a disclosure");
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_or_is_refused_again_is_not_tried_for_ever() {
    for (last, requests) in [(1, 1), (9, 2)] {
        let crm = crm("Zoho token-7").await;
        let (bench, source) = bench(&crm, last);
        assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
        assert_eq!((crm.seen().len(), source.refusals.load(Ordering::SeqCst)), (requests, 1));
    }
}
