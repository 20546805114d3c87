//! Every kind of bad day at the requests that write: a typed outcome, and after the next try one record.

use ramal_capability::Purpose;
use ramal_engine::{AmendJournal, ContactDraft, CreateContact, JournalEntry, WriteJournal};
use ramal_tests::bottlecrm_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};

use super::desk::{Desk, bottlecrm_or_skip};
use super::journal::{entries, entry};

#[tokio::test]
async fn a_caller_is_found_and_a_call_is_written_and_added_to_once_in_any_weather() {
    let bottlecrm =
        bottlecrm_or_skip!("a_caller_is_found_and_a_call_is_written_and_added_to_once_in_any_weather");
    let proxy = Proxy::before(&bottlecrm.origin).await.unwrap();
    let desk = Desk::bottlecrm_at(&bottlecrm, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = bottlecrm.contacts["João Souza"].clone();
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        proxy.turn(weather);
        weather.judge(desk.who_is("+5511987654321").await).unwrap();
        // All in one second, as a burst is.
        let written = JournalEntry {
            idempotency_key: format!("0191a5f2-7f3a-7000-8000-{number:012}"),
            notes: None,
            ..entry(&joao)
        };
        let write = async || desk.call(Purpose::Journal, WriteJournal { entry: written.clone() }).await;
        proxy.turn_for("POST ", weather);
        weather.judge(write().await).unwrap();
        proxy.turn(Weather::Fair);
        let record = write().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));

        let later = JournalEntry {
            idempotency_key: format!("0191a5f2-7f3a-7000-8001-{number:012}"),
            disposition: Some("Venda".into()),
            ..written.clone()
        };
        let amend = async || {
            let (record, entry) = (record.clone(), later.clone());
            desk.call(Purpose::Journal, AmendJournal { record, entry }).await
        };
        proxy.turn_for("PATCH ", weather);
        weather.judge(amend().await).unwrap();
        proxy.turn(Weather::Fair);
        amend().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));

        let all = entries(&bottlecrm).await;
        assert_eq!(all.len(), number + 1, "records after {weather:?}");
        let added = all[number]["body"].as_str().unwrap().matches("Resultado: Venda").count();
        assert_eq!(added, 1, "additions after {weather:?}");
    }
}

/// What the plugin can find out by itself, nobody needs to be asked.
#[tokio::test]
async fn a_new_customer_is_one_row_in_any_weather() {
    let bottlecrm = bottlecrm_or_skip!("a_new_customer_is_one_row_in_any_weather");
    let proxy = Proxy::before(&bottlecrm.origin).await.unwrap();
    let desk = Desk::bottlecrm_at(&bottlecrm, &proxy.origin, &grant(&proxy.origin)).await;
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        let draft = ContactDraft {
            name: Some(format!("Rita Inventada {number}").as_str().into()),
            phones: vec![format!("+55119123400{number:02}").as_str().into()],
            ..ContactDraft::default()
        };
        let create = async || desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await;
        proxy.turn_for("POST /api/contacts/ ", weather);
        let outcome = create().await;
        if weather.reaches() {
            outcome.unwrap_or_else(|e| panic!("{weather:?}: {e}"));
        } else {
            weather.judge(outcome).unwrap();
        }
        proxy.turn(Weather::Fair);
        create().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        let query = format!("SELECT id FROM contacts WHERE first_name = 'Rita Inventada {number}'");
        assert_eq!(bottlecrm.rows(&query).await.unwrap().len(), 1, "rows after {weather:?}");
    }
}
