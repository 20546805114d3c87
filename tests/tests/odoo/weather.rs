//! Every kind of bad day at every request of what is written: a typed outcome, and after the next try one record.

use ramal_capability::Purpose;
use ramal_engine::{AmendJournal, ContactDraft, CreateContact, JournalEntry, WriteJournal};
use ramal_tests::odoo_plugin::grant;
use ramal_tests::weather::{Proxy, Weather};

use super::desk::{Desk, odoo_or_skip};
use super::journal::{entries, entry};

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    let odoo = odoo_or_skip!("a_call_is_written_and_added_to_once_in_any_weather");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &grant(&proxy.origin)).await;
    let joao = odoo.partners["João Souza"];
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        let written = JournalEntry {
            idempotency_key: format!("0191a5f2-7f3a-7000-8000-{number:012}"),
            notes: None,
            ..entry(Some(joao))
        };
        let write = async || desk.call(Purpose::Journal, WriteJournal { entry: written.clone() }).await;
        // The one that looks for the entry, the one that escapes it, the one that writes it.
        for part in ["mail.message/search_read", "value_to_html", "message_post"] {
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
        for part in ["mail.message/search_read", "value_to_html", "mail.message/write"] {
            proxy.turn_for(part, weather);
            weather.judge(amend().await).unwrap_or_else(|e| panic!("{part}: {e}"));
        }
        proxy.turn(Weather::Fair);
        amend().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));

        let all = entries(&odoo, "res.partner", joao).await;
        assert_eq!(all.len(), number + 1, "records after {weather:?}");
        let added = all[number].matches("Resultado: Venda").count();
        assert_eq!(added, 1, "additions after {weather:?}");
    }
}

#[tokio::test]
async fn a_caller_is_found_and_a_new_customer_is_one_row_in_any_weather() {
    let odoo = odoo_or_skip!("a_caller_is_found_and_a_new_customer_is_one_row_in_any_weather");
    let proxy = Proxy::before(&odoo.origin).await.unwrap();
    let desk = Desk::odoo_at(&odoo, &proxy.origin, &grant(&proxy.origin)).await;
    for (number, weather) in Weather::ALL.iter().copied().enumerate() {
        proxy.turn(weather);
        weather.judge(desk.who_is("+5511987654321").await).unwrap();

        let draft = ContactDraft {
            name: Some(format!("Rita Inventada {number}").as_str().into()),
            phones: vec![format!("+55119123400{number:02}").as_str().into()],
            ..ContactDraft::default()
        };
        let create = async || desk.call(Purpose::Search, CreateContact { draft: draft.clone() }).await;
        for part in ["res.partner/search_read", "res.partner/create"] {
            proxy.turn_for(part, weather);
            weather.judge(create().await).unwrap_or_else(|e| panic!("{part}: {e}"));
        }
        proxy.turn(Weather::Fair);
        create().await.unwrap_or_else(|e| panic!("after {weather:?}: {e}"));
        let query = format!("SELECT id FROM res_partner WHERE name = 'Rita Inventada {number}'");
        assert_eq!(odoo.rows(&query).await.unwrap().len(), 1, "rows after {weather:?}");
    }
}
