//! Every kind of bad day at every request of what is written: a typed outcome, and after the next try one record.

use ramal_engine::JournalEntry;
use ramal_tests::tryton::Tryton;
use ramal_tests::tryton_plugin::{TENANT, grant};
use serde_json::json;

use super::card::{files, warm};
use super::desk::{Desk, tryton_or_skip};
use super::journal::entry;
use crate::composed::PluginFiles;
use crate::desk::delivered::{self, Delivered};
use crate::desk::matrix::{self, Call, Field, Plugin};

impl Field for Tryton {
    const PLUGIN: Plugin = Plugin::Tryton;

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn desk(&self, origin: &str, limits: &str) -> Desk {
        let grant = grant(origin).replace("[limits]\n", &format!("[limits]\n{limits}\n"));
        Desk::tryton_at(self, origin, &grant).await
    }

    fn requests(call: Call) -> &'static [&'static str] {
        match call {
            Call::Find => &["party.party/search_read"],
            Call::Create => &["party.party/search_read", "POST /crm/rest/model/party.party?"],
            // The one that looks for the note, the one that writes it.
            Call::Write | Call::Amend => &["GET /crm/rest/model/ir.note", "POST /crm/rest/model/ir.note"],
        }
    }

    fn entry(&self, key: String) -> JournalEntry {
        JournalEntry { idempotency_key: key, ..entry(Some(self.parties["João Souza"])) }
    }

    async fn entries(&self, written: &JournalEntry) -> usize {
        times(self, &written.idempotency_key).await
    }

    async fn additions(&self, _: &JournalEntry, later: &JournalEntry) -> usize {
        times(self, &later.idempotency_key).await
    }

    async fn people(&self, name: &str) -> usize {
        let found =
            self.rpc("model.party.party.search", json!([[["name", "=", name]], 0, 10, null, {}])).await;
        found.unwrap().as_array().unwrap().len()
    }
}

impl Delivered for Tryton {
    const TENANT: &str = TENANT;
    const CALLER: &str = "+5511987654321";

    fn files(&self, origin: &str) -> PluginFiles {
        files(self, origin)
    }

    async fn all_entries(&self) -> usize {
        self.notes(&[self.parties["Maria da Silva"]]).await.unwrap().len()
    }
}

/// A note ends with its key.
async fn times(tryton: &Tryton, key: &str) -> usize {
    let all = tryton.notes(&[tryton.parties["João Souza"]]).await.unwrap();
    all.iter().filter(|(_, note)| note.contains(key)).count()
}

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    let tryton = tryton_or_skip!("a_call_is_written_and_added_to_once_in_any_weather");
    matrix::a_call_is_written_and_added_to_once(&tryton).await;
}

#[tokio::test]
async fn a_caller_is_found_and_a_new_customer_is_one_party_in_any_weather() {
    let tryton = tryton_or_skip!("a_caller_is_found_and_a_new_customer_is_one_party_in_any_weather");
    matrix::a_caller_is_found(&tryton).await;
    matrix::a_new_customer_is_one_contact(&tryton, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_arrives_once_whatever_happens_on_the_way() {
    let tryton = tryton_or_skip!("each_call_arrives_once_whatever_happens_on_the_way");
    warm(&tryton).await;
    delivered::each_call_arrives_once_whatever_happens_on_the_way(&tryton).await;
}
