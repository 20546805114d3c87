//! Every kind of bad day at the requests that write: a typed outcome, and after the next try one record.

use ramal_capability::Purpose;
use ramal_engine::{AmendJournal, ContactDraft, CreateContact, FindByPhone, JournalEntry, WriteJournal};
use ramal_tests::tryton_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};

use super::desk::{Desk, candidates, tryton_or_skip};
use super::journal::{entry, notes};

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    let tryton = tryton_or_skip!("a_call_is_written_and_added_to_once_in_any_weather");
    let proxy = Proxy::before(&tryton.origin).await.unwrap();
    let desk = Desk::tryton_at(&tryton, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = tryton.parties["João Souza"];
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        let written = JournalEntry {
            idempotency_key: format!("0191a5f2-7f3a-7000-8000-{number:012}"),
            ..entry(Some(joao))
        };
        let write = async || desk.call(Purpose::Journal, WriteJournal { entry: written.clone() }).await;
        // The one that looks for the note, the one that writes it.
        for part in ["GET ", "POST "] {
            proxy.turn_for(part, weather);
            weather.judge(write().await).unwrap_or_else(|e| panic!("{part}: {e}"));
        }
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
        // The one that looks for the note, the one that writes it.
        for part in ["GET ", "POST "] {
            proxy.turn_for(part, weather);
            weather.judge(amend().await).unwrap_or_else(|e| panic!("{part}: {e}"));
        }
        proxy.turn(Weather::Fair);
        amend().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));

        let all = notes(&tryton, joao).await;
        for key in [&written.idempotency_key, &later.idempotency_key] {
            let times = all.iter().filter(|note| note.contains(key.as_str())).count();
            assert_eq!(times, 1, "records with {key} after {weather:?}");
        }
    }
}

#[tokio::test]
async fn a_caller_is_found_and_a_new_customer_is_one_party_in_any_weather() {
    let tryton = tryton_or_skip!("a_caller_is_found_and_a_new_customer_is_one_party_in_any_weather");
    let proxy = Proxy::before(&tryton.origin).await.unwrap();
    let desk = Desk::tryton_at(&tryton, &proxy.origin, &grant(&proxy.origin)).await;
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        proxy.turn(weather);
        weather.judge(desk.who_is("+5511987654321").await).unwrap();

        let phone = format!("+55119123400{number:02}");
        let draft = ContactDraft {
            name: Some(format!("Rita Inventada {number}").as_str().into()),
            phones: vec![phone.as_str().into()],
            ..ContactDraft::default()
        };
        let create = async || desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await;
        for part in ["party.party/search_read", "POST /crm/rest/model/party.party?"] {
            proxy.turn_for(part, weather);
            weather.judge(create().await).unwrap_or_else(|e| panic!("{part}: {e}"));
        }
        proxy.turn(Weather::Fair);
        create().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        let ask = FindByPhone { candidates: candidates(&phone) };
        let parties = desk.call(Purpose::ScreenPop, ask).await.unwrap();
        assert_eq!(parties.len(), 1, "parties after {weather:?}");
    }
}
