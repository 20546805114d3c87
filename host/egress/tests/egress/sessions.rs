//! Logins whose token the host keeps. Secrets are invented.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use ramal_capability::{CredentialId, EgressFailure, PluginId, TenantId};
use ramal_egress::{CredentialError, CredentialSource, Secret};

use crate::bench::{Setup, begin, get_call, soon};
use crate::crm::{Crm, Seen, answer};

const SESSION: &str = r#"
kind = "session"
secrets = ["user", "password"]
request = "POST ORIGIN/login"
body = '{"user":{user},"password":{password}}'
take.token = "/token"
value = "{token}"
name = "Authorization"
scheme = "Session"
"#;

pub(crate) fn setup(crm: &Crm) -> Setup {
    Setup::at(crm.address).credential(SESSION, &[("user", "panel"), ("password", "pa55\"word")])
}

fn logins(crm: &Crm) -> usize {
    crm.seen().iter().filter(|s| s.target == "/login").count()
}

/// A CRM whose logins give `token-1`, `token-2`, …; `valid` says which number is accepted.
async fn crm(valid: Arc<AtomicUsize>) -> Crm {
    let given = AtomicUsize::new(0);
    Crm::answers(move |seen: &Seen| {
        if seen.target == "/login" {
            let n = given.fetch_add(1, Ordering::SeqCst) + 1;
            return answer(200, &format!(r#"{{"token":"token-{n}"}}"#));
        }
        let expected = format!("Session token-{}", valid.load(Ordering::SeqCst));
        if seen.header("authorization") == Some(&expected) {
            answer(200, r#"{"id":"c-1"}"#)
        } else {
            answer(401, "{}")
        }
    })
    .await
}

#[tokio::test]
async fn a_session_logs_in_once_and_keeps_its_token() {
    let crm = crm(Arc::new(AtomicUsize::new(1))).await;
    let bench = setup(&crm).bench();
    for _ in 0..3 {
        assert_eq!(bench.find().await.unwrap().status, 200);
    }
    let seen = crm.seen();
    assert_eq!((logins(&crm), seen.len()), (1, 4));
    assert_eq!(seen[0].body, r#"{"user":"panel","password":"pa55\"word"}"#);
    assert_eq!(seen[0].header("authorization"), None);
    assert_eq!(bench.ledger.rows().len(), 3, "a login discloses nothing about a customer");
}

#[tokio::test]
async fn requests_side_by_side_wait_for_one_login() {
    let crm = crm(Arc::new(AtomicUsize::new(1))).await;
    let bench = setup(&crm).bench();
    let mut inv = begin(&bench.plan);
    let calls = (0..4).map(|i| get_call(&format!("c-{i}"))).collect();
    let replies = bench.egress.send_all(&mut inv, calls, soon()).await;
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
    assert_eq!(logins(&crm), 1);
}

#[tokio::test]
async fn a_session_that_ended_is_begun_anew_and_the_request_sent_once_more() {
    let valid = Arc::new(AtomicUsize::new(1));
    let crm = crm(valid.clone()).await;
    let bench = setup(&crm).bench();
    bench.find().await.unwrap();
    valid.store(2, Ordering::SeqCst);
    assert_eq!(bench.find().await.unwrap().status, 200);
    assert_eq!(logins(&crm), 2);
    let statuses: Vec<_> = bench.ledger.rows().iter().map(|r| r.status.unwrap()).collect();
    assert_eq!(statuses, [200, 401, 200], "each sending is a disclosure");
}

#[tokio::test]
async fn a_token_that_is_refused_at_once_is_not_renewed_for_ever() {
    let crm = crm(Arc::new(AtomicUsize::new(0))).await;
    let bench = setup(&crm).bench();
    assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
    assert_eq!((logins(&crm), bench.ledger.rows().len()), (2, 2));
}

#[tokio::test]
async fn a_refused_login_is_not_repeated_by_the_next_calls() {
    for refusal in [(401, "{}"), (403, "{}"), (200, r#"{"token":null}"#), (200, r#"{"error":"wrong"}"#)] {
        let crm = Crm::answers(move |_| answer(refusal.0, refusal.1)).await;
        let bench = setup(&crm).bench();
        for _ in 0..3 {
            assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired, "{refusal:?}");
        }
        assert_eq!(crm.seen().len(), 1, "{refusal:?}");
        assert!(bench.ledger.rows().is_empty());
    }
}

/// A secret that a person changes.
struct Entered(Mutex<Secret>);

impl CredentialSource for Entered {
    fn secret<'a>(
        &'a self,
        _: &'a TenantId,
        _: &'a PluginId,
        _: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        Box::pin(std::future::ready(Ok(self.0.lock().unwrap().clone())))
    }
}

#[tokio::test]
async fn a_login_without_its_secret_sends_nothing_and_goes_on_once_a_person_entered_it() {
    let crm = crm(Arc::new(AtomicUsize::new(1))).await;
    let entered = Arc::new(Entered(Mutex::new(Secret::new([("user", "panel")]))));
    let bench = setup(&crm).bench_with(|b| b.credentials(entered.clone()));
    assert_eq!(bench.find().await.unwrap_err(), EgressFailure::AuthExpired);
    assert_eq!(crm.accepts(), 0);
    *entered.0.lock().unwrap() = Secret::new([("user", "panel"), ("password", "pa55word")]);
    assert_eq!(bench.find().await.unwrap().status, 200, "no refusal of a login is remembered");
}

#[tokio::test]
async fn a_revoked_plugins_token_is_forgotten() {
    let valid = Arc::new(AtomicUsize::new(1));
    let crm = crm(valid.clone()).await;
    let bench = setup(&crm).bench();
    bench.find().await.unwrap();
    bench.egress.forget(bench.plan.tenant(), bench.plan.plugin());
    valid.store(2, Ordering::SeqCst);
    bench.find().await.unwrap();
    assert_eq!(
        (logins(&crm), bench.ledger.rows().len()),
        (2, 2),
        "a new login, and no refused try before it"
    );
}

#[tokio::test]
async fn a_token_that_the_crm_repeats_does_not_reach_the_guest() {
    let crm = Crm::answers(|seen| {
        if seen.target == "/login" {
            answer(200, r#"{"token":"abcdefgh-token"}"#)
        } else {
            answer(200, r#"{"id":"abcdefgh-token"}"#)
        }
    })
    .await;
    let reply = setup(&crm).bench().find().await.unwrap();
    assert!(!reply.body.contains("abcdefgh"), "{}", reply.body);
}
