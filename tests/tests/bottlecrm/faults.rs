//! Bad days: each ends in the error by which delivery knows what to do.

use ramal_capability::Purpose;
use ramal_engine::{
    Check, ContactDraft, CreateContact, GetContact, ListUsers, OpenWorkItems, Page, PluginError,
};
use ramal_tests::bottlecrm_plugin::grant;
use ramal_tests::weather::Proxy;
use serde_json::json;

use super::desk::{Desk, bottlecrm_or_skip, refused};
use crate::desk::faults;

const MARIA: &str = "+5511987654321";

/// BottleCRM says 403 to it, as to a missing right.
#[tokio::test]
async fn a_wrong_or_revoked_token_asks_for_another_one() {
    let mut bottlecrm = bottlecrm_or_skip!("a_wrong_or_revoked_token_asks_for_another_one");
    bottlecrm
        .execute("UPDATE personal_access_token SET revoked_at = now() WHERE name = 'read-only';")
        .await
        .unwrap();
    for token in ["bcrm_pat_wrong".to_owned(), "nonsense".to_owned(), bottlecrm.tokens["read-only"].clone()] {
        bottlecrm.token = token;
        let desk = Desk::bottlecrm(&bottlecrm).await;
        assert_eq!(refused(desk.who_is(MARIA).await), PluginError::AuthExpired);
        assert_eq!(refused(desk.call(Purpose::Diagnostics, Check).await), PluginError::AuthExpired);
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_denied_and_told_which() {
    let mut bottlecrm = bottlecrm_or_skip!("a_token_without_the_scope_is_denied_and_told_which");
    let told = |refusal: PluginError, scope: &str| {
        assert!(matches!(&refusal, PluginError::Denied(text) if text.contains(scope)), "{refusal}");
    };
    bottlecrm.token = bottlecrm.tokens["read-only"].clone();
    let desk = Desk::bottlecrm(&bottlecrm).await;
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"], "it may read contacts");
    told(refused(desk.call(Purpose::Diagnostics, Check).await), "contacts:write");
    let draft = ContactDraft { name: Some("Rita".into()), ..ContactDraft::default() };
    told(refused(desk.call(Purpose::Search, CreateContact { draft }).await), "contacts:write");

    bottlecrm.token = bottlecrm.tokens["deals-only"].clone();
    let desk = Desk::bottlecrm(&bottlecrm).await;
    told(refused(desk.who_is(MARIA).await), "contacts:read");
    let contact = bottlecrm.contacts["Maria da Silva"].clone();
    told(refused(desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await), "contacts:read");

    bottlecrm.token = bottlecrm.tokens["without-users"].clone();
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let page = Page { limit: 5, cursor: None };
    told(refused(desk.call(Purpose::Sync, ListUsers { page }).await), "users:read");
    desk.call(Purpose::Diagnostics, Check).await.unwrap();
}

#[tokio::test]
async fn another_companys_token_sees_its_own_customers_only() {
    let mut bottlecrm = bottlecrm_or_skip!("another_companys_token_sees_its_own_customers_only");
    bottlecrm.token = bottlecrm.tokens["rival"].clone();
    let desk = Desk::bottlecrm(&bottlecrm).await;
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Olga Concorrente"]);
    let id = bottlecrm.contacts["Maria da Silva"].clone();
    assert_eq!(refused(desk.call(Purpose::ScreenPop, GetContact { id }).await), PluginError::NotFound);
}

/// BottleCRM answers 120 of these in a minute.
#[tokio::test]
async fn too_many_lookups_wait_as_long_as_bottlecrm_says() {
    let bottlecrm = bottlecrm_or_skip!("too_many_lookups_wait_as_long_as_bottlecrm_says");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    let nobody = json!({});
    let mut asked = 0;
    while bottlecrm.rest("POST", "/contacts/duplicates/", Some(&nobody)).await.unwrap().0 == 200 {
        asked += 1;
        assert!(asked < 500, "there is no limit any more");
    }
    let refusal = refused(desk.who_is(MARIA).await);
    assert!(matches!(refusal, PluginError::RateLimited(Some(1..=60))), "{refusal}");
}

#[tokio::test]
async fn a_server_that_is_down_is_worth_another_try() {
    let bottlecrm = bottlecrm_or_skip!("a_server_that_is_down_is_worth_another_try");
    let desk = Desk::bottlecrm(&bottlecrm).await;
    drop(bottlecrm);
    faults::a_server_that_is_down_is_worth_another_try(&desk).await;
}

#[tokio::test]
async fn a_slow_server_is_given_up_and_an_error_page_is_worth_another_try() {
    let bottlecrm = bottlecrm_or_skip!("a_slow_server_is_given_up_and_an_error_page_is_worth_another_try");
    let proxy = Proxy::before(&bottlecrm.origin).await.unwrap();
    let short = grant(&proxy.origin).replace("requests = 150", "requests = 150\nrequest-ms = 1500");
    let desk = Desk::bottlecrm_at(&bottlecrm, &proxy.origin, &short).await;
    faults::a_slow_server_is_given_up_and_asked_again(&desk, &proxy).await;
    faults::an_error_page_is_worth_another_try_and_none_of_it_is_told(&desk, &proxy).await;
}

#[tokio::test]
async fn what_is_not_granted_or_out_of_reach_leaves_nothing() {
    let bottlecrm = bottlecrm_or_skip!("what_is_not_granted_or_out_of_reach_leaves_nothing");
    let open = async |grant: &str| Desk::bottlecrm_at(&bottlecrm, &bottlecrm.origin, grant).await;
    faults::what_is_not_granted_is_denied_before_anything_leaves(&grant(&bottlecrm.origin), open).await;
    let open = async |origin: &str| Desk::bottlecrm_at(&bottlecrm, origin, &grant(origin)).await;
    faults::a_server_without_a_name_or_without_tls_is_worth_another_try(&bottlecrm.origin, open).await;
}
