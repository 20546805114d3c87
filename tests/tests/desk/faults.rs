//! Bad days that are the same with every CRM, and what each plugin has to make of them. Every CRM has the invented Maria.

use ramal_engine::{CallError, PluginError};
use ramal_tests::weather::{Proxy, Weather};

use super::{Desk, refused};

const MARIA: &str = "+5511987654321";

/// The CRM behind the desk is gone.
pub(crate) async fn a_server_that_is_down_is_worth_another_try(desk: &Desk) {
    let refusal = refused(desk.who_is(MARIA).await);
    assert!(matches!(refusal, PluginError::Transient(_)), "{refusal}");
    assert!(desk.ledger.rows().is_empty(), "nothing left");
}

/// The desk's grant allows little time for a request.
pub(crate) async fn a_slow_server_is_given_up_and_asked_again(desk: &Desk, proxy: &Proxy) {
    proxy.turn(Weather::Silent);
    assert_eq!(
        refused(desk.who_is(MARIA).await),
        PluginError::Transient("no answer in the time that the grant allows".into())
    );
    proxy.turn(Weather::Fair);
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"]);
}

pub(crate) async fn an_error_page_is_worth_another_try_and_none_of_it_is_told(desk: &Desk, proxy: &Proxy) {
    for weather in [Weather::Broken, Weather::Traceback] {
        proxy.turn(weather);
        assert_eq!(refused(desk.who_is(MARIA).await), PluginError::Transient("the CRM answered 500".into()));
    }
    proxy.turn(Weather::Fair);
    assert_eq!(desk.who_is(MARIA).await.unwrap(), ["Maria da Silva"]);
}

/// `open` opens a desk under another grant than the whole one.
pub(crate) async fn what_is_not_granted_is_denied_before_anything_leaves(
    grant: &str,
    open: impl AsyncFn(&str) -> Desk,
) {
    let desk = open(&grant.replace("\"find-by-phone\", ", "")).await;
    let refusal = refused(desk.who_is(MARIA).await);
    assert!(matches!(&refusal, PluginError::Denied(text) if text.contains("find-by-phone")), "{refusal}");
    assert!(desk.ledger.rows().is_empty());
    let desk = open(&grant.replace("\"screen-pop\", ", "").replace("\nscreen-pop = ", "\n# ")).await;
    assert!(matches!(desk.who_is(MARIA).await, Err(CallError::Denied(_))));
}

/// A name that nobody has, and a server that does not speak TLS. `open` opens a desk at an origin.
pub(crate) async fn a_server_without_a_name_or_without_tls_is_worth_another_try(
    origin: &str,
    open: impl AsyncFn(&str) -> Desk,
) {
    for origin in [origin.replace("127.0.0.1", "crm.example.invalid"), origin.replace("http://", "https://")]
    {
        let desk = open(&origin).await;
        let error = refused(desk.who_is(MARIA).await);
        assert!(matches!(error, PluginError::Transient(_)), "{origin}: {error}");
        assert!(desk.ledger.rows().is_empty(), "nothing left");
    }
}
