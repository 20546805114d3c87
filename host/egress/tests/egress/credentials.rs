//! Each kind of credential, as the server sees it. Secrets are invented.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ramal_capability::{CredentialId, EgressFailure, PluginId, TenantId};
use ramal_egress::{CredentialError, CredentialSource, Secret, StaticCredentials};
use rstest::rstest;

use crate::bench::Setup;
use crate::crm::{Crm, answer};

#[rstest]
#[case::bearer("kind = \"bearer\"", "authorization", "Bearer s3cr3t-t0ken")]
#[case::header("kind = \"header\"\nname = \"X-Api-Key\"", "x-api-key", "s3cr3t-t0ken")]
#[case::scheme(
    "kind = \"header\"\nname = \"Authorization\"\nscheme = \"Token\"",
    "authorization",
    "Token s3cr3t-t0ken"
)]
#[case::basic("kind = \"basic\"", "authorization", "Basic YW5hOnM6M2NyZXQ=")]
#[tokio::test]
async fn a_header_credential_stands_in_its_slot(
    #[case] toml: &'static str,
    #[case] name: &str,
    #[case] value: &str,
) {
    let crm = Crm::finds().await;
    let secret = [("token", "s3cr3t-t0ken"), ("user", "ana"), ("password", "s:3cret")];
    Setup::at(crm.address).credential(toml, &secret).bench().find().await.unwrap();
    assert_eq!(crm.seen()[0].header(name), Some(value));
}

#[tokio::test]
async fn a_query_credential_is_percent_encoded_at_the_end() {
    let crm = Crm::finds().await;
    let setup = Setup::at(crm.address)
        .credential("kind = \"query\"\nname = \"api_token\"", &[("token", "a&b=c/ç d")]);
    let bench = setup.bench();
    bench.find().await.unwrap();
    assert_eq!(crm.seen()[0].target, "/find?limit=1&api_token=a%26b%3Dc%2F%C3%A7%20d");
    let row = serde_json::to_string(&bench.ledger.rows()[0]).unwrap();
    assert!(!row.contains("a%26") && !row.contains("api_token"), "{row}");
}

#[tokio::test]
async fn a_route_without_credential_sends_none() {
    let crm = Crm::finds().await;
    Setup::at(crm.address).bench().find().await.unwrap();
    assert_eq!(crm.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_secret_that_is_not_stored_sends_nothing_and_waits_for_a_person() {
    let crm = Crm::finds().await;
    let setup = Setup::at(crm.address).credential("kind = \"bearer\"", &[]);
    let bench = setup.bench_with(|b| b.credentials(Arc::new(StaticCredentials::new())));
    assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
    assert_eq!(crm.accepts(), 0);
    assert!(bench.ledger.rows().is_empty());
}

#[rstest]
#[case::without_its_field("kind = \"bearer\"", &[("key", "s3cr3t-t0ken")])]
#[case::without_its_password("kind = \"basic\"", &[("user", "ana")])]
#[case::with_a_line_break("kind = \"bearer\"", &[("token", "s3cr3t\nt0ken")])]
#[case::with_a_user_that_basic_cannot_write("kind = \"basic\"", &[("user", "a:na"), ("password", "s3cret")])]
#[tokio::test]
async fn a_secret_that_cannot_stand_in_a_request_waits_for_a_person(
    #[case] toml: &'static str,
    #[case] secret: &[(&'static str, &'static str)],
) {
    let crm = Crm::finds().await;
    let bench = Setup::at(crm.address).credential(toml, secret).bench();
    assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
    assert_eq!(crm.accepts(), 0);
}

/// A source that fails with what a test says.
struct Failing(fn() -> CredentialError);

impl CredentialSource for Failing {
    fn secret<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a PluginId,
        _: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        Box::pin(std::future::ready(Err(self.0())))
    }
}

#[rstest]
#[case::that_fails(
    || CredentialError::Source("disk full".into()),
    "unavailable: the credential `api` cannot be read just now"
)]
#[case::that_renews_later(
    || CredentialError::Later("503".into()),
    "unavailable: the credential `api` cannot be renewed just now"
)]
#[tokio::test]
async fn a_source_that_fails_is_worth_another_try(
    #[case] error: fn() -> CredentialError,
    #[case] told: &str,
) {
    let crm = Crm::finds().await;
    let setup = Setup::at(crm.address).credential("kind = \"bearer\"", &[]);
    let bench = setup.bench_with(|b| b.credentials(Arc::new(Failing(error))));
    let failure = bench.find().await.unwrap_err();
    assert_eq!(failure.to_string(), told);
    assert!(matches!(failure, EgressFailure::Unavailable(_)));
    assert_eq!(crm.accepts(), 0);
}

#[tokio::test]
async fn a_source_that_needs_a_person_says_so() {
    let crm = Crm::finds().await;
    let setup = Setup::at(crm.address).credential("kind = \"bearer\"", &[]);
    let revoked = || CredentialError::NeedsPerson("access was revoked".into());
    let bench = setup.bench_with(|b| b.credentials(Arc::new(Failing(revoked))));
    assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
    assert_eq!(crm.accepts(), 0);
}

/// A CRM (or a debugging proxy before it) that repeats the credential where the guest may read.
#[rstest]
#[case::bearer("kind = \"bearer\"", "s3cr3t-t0ken")]
#[case::query("kind = \"query\"\nname = \"key\"", "s3cr3t-t0ken")]
#[case::basic("kind = \"basic\"", "pa55word-of-ana")]
#[case::basic_encoded("kind = \"basic\"", "YW5hOnBhNTV3b3JkLW9mLWFuYQ")]
#[tokio::test]
async fn a_credential_that_the_crm_repeats_does_not_reach_the_guest(
    #[case] toml: &'static str,
    #[case] echo: &'static str,
) {
    let crm = Crm::answers(move |_| answer(200, &format!(r#"{{"id":"{echo}"}}"#))).await;
    let secret = [("token", "s3cr3t-t0ken"), ("user", "ana"), ("password", "pa55word-of-ana")];
    let reply = Setup::at(crm.address).credential(toml, &secret).bench().find().await.unwrap();
    assert!(!reply.body.contains(echo), "{}", reply.body);
}
