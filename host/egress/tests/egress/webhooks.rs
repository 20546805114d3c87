//! Posts to webhooks: what arrives, what is never asked, what the ledger keeps. All values are invented.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ramal_capability::{Clear, DataClass, EgressFailure, Rule, TenantId};
use ramal_egress::{
    Builder, Egress, TableResolver, WebhookAddress, WebhookAnswer, WebhookCall, WebhookClient,
    WebhookDisclosure, WebhookError,
};
use ramal_ledger::{Deny, DisclosedBy, Outcome, Recording};
use rstest::rstest;

use crate::crm::{Crm, Raw, Then, answer};

const BODY: &str = r#"{"number":"+5511987654321"}"#;

fn address(port: u16, target: &str, private: &[&str]) -> WebhookAddress {
    WebhookAddress {
        origin: format!("http://erp.test:{port}").parse().unwrap(),
        target: target.to_owned(),
        private: private.iter().map(|range| range.parse().unwrap()).collect(),
    }
}

fn builder() -> Builder {
    let resolver = Arc::new(TableResolver::local("erp.test"));
    Egress::builder().resolver(resolver).idle_timeout(Duration::from_millis(300))
}

fn at(port: u16) -> WebhookClient {
    let address = address(port, "/in?key=s3cret", &["127.0.0.0/8"]);
    builder().webhook(&address, Duration::from_secs(2)).unwrap()
}

fn disclosure() -> WebhookDisclosure {
    WebhookDisclosure {
        tenant: TenantId::new("acme").unwrap(),
        webhook: "erp".into(),
        interaction: None,
        subject: Some("s-4f2a".to_owned()),
        classes: BTreeMap::from([(DataClass::ContactPhone, 1)]),
    }
}

async fn post(
    client: &WebhookClient,
    disclosure: Option<WebhookDisclosure>,
) -> Result<WebhookAnswer, EgressFailure> {
    let headers = [("webhook-id", "m-1".to_owned())];
    let body = Clear::from(BODY);
    let content_type = "application/cloudevents+json";
    client.post(WebhookCall { content_type, headers: &headers, body: &body, disclosure }).await
}

#[tokio::test]
async fn a_post_arrives_with_its_headers_and_the_connection_is_kept() {
    let server = Crm::answers(|_| answer(204, "")).await;
    let client = at(server.address.port());
    for _ in 0..3 {
        assert_eq!(post(&client, None).await.unwrap(), WebhookAnswer { status: 204, retry_after: None });
    }
    assert_eq!(server.accepts(), 1);
    let seen = &server.seen()[0];
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str(), seen.body.as_str()),
        ("POST", "/in?key=s3cret", BODY)
    );
    assert_eq!(seen.header("content-type"), Some("application/cloudevents+json"));
    assert_eq!(seen.header("webhook-id"), Some("m-1"));
    assert!(!format!("{client:?}").contains("s3cret"));
}

#[rstest]
#[case::gone(410, None, None)]
#[case::slow_down(429, Some("7"), Some(7))]
#[case::resting(503, Some("86400"), Some(3600))]
#[case::redirect(302, None, None)]
#[case::error(500, None, None)]
#[tokio::test]
async fn every_status_is_an_answer_and_a_redirect_is_followed_nowhere(
    #[case] status: u16,
    #[case] wish: Option<&'static str>,
    #[case] retry_after: Option<u32>,
) {
    let elsewhere = Crm::finds().await;
    let location = format!("http://127.0.0.1:{}/", elsewhere.address.port());
    let server = Crm::answers(move |_| {
        let told = answer(status, "no").with("location", &location);
        match wish {
            Some(wish) => told.with("retry-after", wish),
            None => told,
        }
    })
    .await;
    let told = post(&at(server.address.port()), None).await.unwrap();
    assert_eq!(told, WebhookAnswer { status, retry_after });
    assert_eq!(elsewhere.accepts(), 0);
}

#[rstest]
#[case::none_named(&[])]
#[case::another_range(&["10.0.0.0/8"])]
#[tokio::test]
async fn an_address_inside_is_not_asked_unless_the_configuration_names_it(#[case] private: &[&str]) {
    let server = Crm::finds().await;
    let address = address(server.address.port(), "/", private);
    let ledger = Arc::new(Recording::default());
    let client = builder().ledger(ledger.clone()).webhook(&address, Duration::from_secs(2)).unwrap();
    let failure = post(&client, Some(disclosure())).await.unwrap_err();
    assert!(matches!(&failure, EgressFailure::Denied(d) if d.rule == Rule::Address), "{failure:?}");
    assert!(server.accepts() == 0 && ledger.rows().is_empty());
}

#[tokio::test]
async fn what_carries_personal_facts_leaves_a_row_without_a_value() {
    let server = Crm::answers(|_| answer(200, "ok")).await;
    let ledger = Arc::new(Recording::default());
    let address = address(server.address.port(), "/in?key=s3cret", &["127.0.0.0/8"]);
    let client = builder().ledger(ledger.clone()).webhook(&address, Duration::from_secs(2)).unwrap();
    post(&client, None).await.unwrap();
    assert!(ledger.rows().is_empty(), "nothing personal, no disclosure");
    post(&client, Some(disclosure())).await.unwrap();
    let rows = ledger.rows();
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row.by, DisclosedBy::Webhook { webhook: "erp".into() });
    assert_eq!(
        (row.status, row.outcome, row.subject.as_deref()),
        (Some(200), Outcome::SentAnswered, Some("s-4f2a"))
    );
    assert_eq!(row.classes, BTreeMap::from([(DataClass::ContactPhone, 1)]));
    let text = serde_json::to_string(row).unwrap();
    for value in ["98765", "s3cret", "/in"] {
        assert!(!text.contains(value), "{value} in {text}");
    }
}

#[tokio::test]
async fn without_a_ledger_nothing_personal_leaves() {
    let server = Crm::finds().await;
    let address = address(server.address.port(), "/", &["127.0.0.0/8"]);
    let client = builder().ledger(Arc::new(Deny)).webhook(&address, Duration::from_secs(2)).unwrap();
    let failure = post(&client, Some(disclosure())).await.unwrap_err();
    assert!(matches!(&failure, EgressFailure::Denied(d) if d.rule == Rule::Ledger), "{failure:?}");
    assert_eq!(server.accepts(), 0);
    post(&client, None).await.unwrap();
}

#[rstest]
#[case::silent("", Then::Hold, None)]
#[case::breaks_off("HTTP/1.1 20", Then::Close, None)]
// The status says it all; what comes after is not waited for.
#[case::endless_body("HTTP/1.1 200 OK\r\n\r\n", Then::Flood, Some(200))]
#[case::slow_body("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", Then::Hold, Some(200))]
#[case::endless_head("HTTP/1.1 200 OK\r\n", Then::Flood, None)]
#[tokio::test]
async fn a_hostile_receiver_holds_nothing_up(
    #[case] bytes: &'static str,
    #[case] then: Then,
    #[case] status: Option<u16>,
) {
    let server = Raw::writes(bytes, then).await;
    let ledger = Arc::new(Recording::default());
    let address = address(server.address.port(), "/", &["127.0.0.0/8"]);
    let client = builder().ledger(ledger.clone()).webhook(&address, Duration::from_secs(1)).unwrap();
    let told = post(&client, Some(disclosure())).await;
    assert_eq!(told.as_ref().ok().map(|answer| answer.status), status, "{told:?}");
    // It was sent: the receiver may have it.
    assert_eq!(ledger.rows().len(), 1);
}

#[rstest]
#[case::no_slash("in")]
#[case::line_break("/a\r\nx: y")]
#[case::fragment("/a#b")]
fn an_address_that_cannot_stand_in_a_request_is_refused_at_once(#[case] target: &str) {
    let made = builder().webhook(&address(1, target, &[]), Duration::from_secs(1));
    assert!(matches!(made, Err(WebhookError::Address)));
}
