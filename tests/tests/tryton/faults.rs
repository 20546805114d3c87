//! Bad days: each ends in the error by which delivery knows what to do.

use ramal_capability::Purpose;
use ramal_engine::{Check, ContactDraft, CreateContact, OpenWorkItems, PluginError};
use ramal_tests::tryton_plugin::grant;
use ramal_tests::weather::Proxy;

use super::desk::{Desk, refused, tryton_or_skip};
use crate::desk::faults;

const MARIA: &str = "+5511987654321";

#[tokio::test]
async fn a_wrong_key_asks_for_another_one() {
    let mut tryton = tryton_or_skip!("a_wrong_key_asks_for_another_one");
    tryton.key = "no-such-key".to_owned();
    let desk = Desk::tryton(&tryton).await;
    assert_eq!(refused(desk.who_is(MARIA).await), PluginError::AuthExpired);
    assert_eq!(refused(desk.call(Purpose::Diagnostics, Check).await), PluginError::AuthExpired);
}

#[tokio::test]
async fn a_key_without_the_right_is_denied_and_told_which() {
    let mut tryton = tryton_or_skip!("a_key_without_the_right_is_denied_and_told_which");
    tryton.key = tryton.key_without_sales.clone();
    let desk = Desk::tryton(&tryton).await;
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"], "it may see parties");
    let contact = tryton.parties["Maria da Silva"].to_string();
    let refusal = refused(desk.call(Purpose::ScreenPop, OpenWorkItems { contact }).await);
    assert!(matches!(refusal, PluginError::Denied(_)), "{refusal}");
    assert_eq!(
        refused(desk.call(Purpose::Diagnostics, Check).await),
        PluginError::Denied(
            "the key's user may not read sale.opportunity; put the user into Tryton's group \"Sale Opportunity\"".into()
        )
    );
}

#[tokio::test]
async fn a_wrong_database_is_named() {
    let mut tryton = tryton_or_skip!("a_wrong_database_is_named");
    tryton.database = "nowhere".to_owned();
    let desk = Desk::tryton(&tryton).await;
    for refusal in [refused(desk.who_is(MARIA).await), refused(desk.call(Purpose::Diagnostics, Check).await)]
    {
        assert!(matches!(&refusal, PluginError::Invalid(text) if text.contains("`nowhere`")), "{refusal}");
    }
}

#[tokio::test]
async fn data_that_tryton_refuses_wait_for_a_person_and_name_nobody() {
    let tryton = tryton_or_skip!("data_that_tryton_refuses_wait_for_a_person_and_name_nobody");
    let desk = Desk::tryton(&tryton).await;
    // A mechanism needs a value; Tryton's own refusal would name the party.
    let draft = ContactDraft {
        name: Some("Rita Inventada".into()),
        emails: vec!["".into()],
        ..ContactDraft::default()
    };
    let refusal = refused(desk.call(Purpose::Search, CreateContact { draft }).await);
    assert!(matches!(refusal, PluginError::Invalid(_)) && !refusal.to_string().contains("Rita"), "{refusal}");
}

#[tokio::test]
async fn a_server_that_is_down_is_worth_another_try() {
    let tryton = tryton_or_skip!("a_server_that_is_down_is_worth_another_try");
    let desk = Desk::tryton(&tryton).await;
    drop(tryton);
    faults::a_server_that_is_down_is_worth_another_try(&desk).await;
}

#[tokio::test]
async fn a_slow_server_is_given_up_and_an_error_page_is_worth_another_try() {
    let tryton = tryton_or_skip!("a_slow_server_is_given_up_and_an_error_page_is_worth_another_try");
    let proxy = Proxy::before(&tryton.origin).await.unwrap();
    let short = grant(&proxy.origin).replace("requests = 100", "requests = 100\nrequest-ms = 1500");
    let desk = Desk::tryton_at(&tryton, &proxy.origin, &short).await;
    faults::a_slow_server_is_given_up_and_asked_again(&desk, &proxy).await;
    faults::an_error_page_is_worth_another_try_and_none_of_it_is_told(&desk, &proxy).await;
}

#[tokio::test]
async fn what_is_not_granted_or_out_of_reach_leaves_nothing() {
    let tryton = tryton_or_skip!("what_is_not_granted_or_out_of_reach_leaves_nothing");
    let open = async |grant: &str| Desk::tryton_at(&tryton, &tryton.origin, grant).await;
    faults::what_is_not_granted_is_denied_before_anything_leaves(&grant(&tryton.origin), open).await;
    let open = async |origin: &str| Desk::tryton_at(&tryton, origin, &grant(origin)).await;
    faults::a_server_without_a_name_or_without_tls_is_worth_another_try(&tryton.origin, open).await;
}
