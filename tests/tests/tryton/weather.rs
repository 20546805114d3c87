//! Every kind of bad day at the request that writes: a typed outcome, and after the next try one record.

use ramal_capability::Purpose;
use ramal_engine::{PluginError, WriteJournal};
use ramal_tests::tryton_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};

use super::desk::{Desk, refused, tryton_or_skip};
use super::journal::{entry, notes};

#[tokio::test]
async fn a_call_is_written_once_in_any_weather() {
    let tryton = tryton_or_skip!("a_call_is_written_once_in_any_weather");
    let proxy = Proxy::before(&tryton.origin).await.unwrap();
    let desk = Desk::open_at(&tryton, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = tryton.parties["João Souza"];
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        let mut entry = entry(Some(joao));
        entry.idempotency_key = format!("0191a5f2-7f3a-7000-8000-{number:012}");
        let key = entry.idempotency_key.clone();
        let write = async || desk.call(Purpose::Journal, WriteJournal { entry: entry.clone() }).await;

        proxy.turn_for("POST ", weather);
        let outcome = write().await;
        match weather {
            good if good.is_good() => drop(outcome.unwrap_or_else(|e| panic!("{weather:?}: {e}"))),
            Weather::TooMany(seconds) => {
                assert_eq!(refused(outcome), PluginError::RateLimited(seconds), "{weather:?}");
            }
            Weather::Maintenance(seconds) => {
                assert_eq!(refused(outcome), PluginError::RateLimited(Some(seconds)), "{weather:?}");
            }
            _ => {
                let error = refused(outcome);
                assert!(matches!(error, PluginError::Transient(_)), "{weather:?}: {error}");
                assert!(!error.to_string().contains("98765"), "{weather:?}: {error}");
            }
        }

        proxy.turn(Weather::Fair);
        write().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        let written = notes(&tryton, joao).await.iter().filter(|note| note.contains(&key)).count();
        assert_eq!(written, 1, "records after {weather:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_where_tls_was_granted_is_worth_another_try() {
    let tryton = tryton_or_skip!("a_server_without_tls_where_tls_was_granted_is_worth_another_try");
    let origin = tryton.origin.replace("http://", "https://");
    let desk = Desk::open_at(&tryton, &origin, &grant(&origin)).await;
    let error = refused(desk.who_is("+5511987654321").await);
    assert!(matches!(error, PluginError::Transient(_)), "{error}");
    assert!(desk.ledger.rows().is_empty(), "nothing left");
}
