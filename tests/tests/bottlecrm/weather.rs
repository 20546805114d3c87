//! Every kind of bad day at every request of what is written: a typed outcome, and after the next try one record.

use ramal_engine::JournalEntry;
use ramal_tests::bottlecrm::BottleCrm;
use ramal_tests::bottlecrm_plugin::{TENANT, grant, secrets, settings};
use serde_json::Value;

use super::desk::{Desk, bottlecrm_or_skip};
use super::journal::{entries, entry};
use crate::composed::PluginFiles;
use crate::desk::delivered::{self, Delivered};
use crate::desk::matrix::{self, ADDED, Call, Field, Plugin};

impl Field for BottleCrm {
    const PLUGIN: Plugin = Plugin::BottleCrm;

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn desk(&self, origin: &str, limits: &str) -> Desk {
        let grant = grant(origin).replace("[limits]\n", &format!("[limits]\n{limits}\n"));
        Desk::bottlecrm_at(self, origin, &grant).await
    }

    fn requests(call: Call) -> &'static [&'static str] {
        match call {
            Call::Find => &["POST /api/contacts/duplicates/"],
            Call::Create => &["POST /api/contacts/ "],
            Call::Write => &["GET /api/interactions/", "POST /api/interactions/"],
            Call::Amend => &["GET /api/interactions/", "PATCH /api/interactions/"],
        }
    }

    /// All in one second, as a burst is.
    fn entry(&self, key: String) -> JournalEntry {
        JournalEntry { idempotency_key: key, notes: None, ..entry(&self.contacts["João Souza"]) }
    }

    async fn entries(&self, written: &JournalEntry) -> usize {
        bodies(self).await.iter().filter(|body| body.contains(&written.idempotency_key)).count()
    }

    async fn additions(&self, written: &JournalEntry, _: &JournalEntry) -> usize {
        let all = bodies(self).await;
        let entry = all.iter().find(|body| body.contains(&written.idempotency_key));
        entry.map_or(0, |body| body.matches(&format!("Resultado: {ADDED}")).count())
    }

    async fn people(&self, name: &str) -> usize {
        self.rows(&format!("SELECT id FROM contacts WHERE first_name = '{name}'")).await.unwrap().len()
    }
}

impl Delivered for BottleCrm {
    const TENANT: &str = TENANT;
    const CALLER: &str = "+5511987654321";

    fn files(&self, origin: &str) -> PluginFiles {
        PluginFiles::of(TENANT, "bottlecrm", secrets(self), grant(origin), &settings(origin))
    }

    async fn all_entries(&self) -> usize {
        entries(self).await.len()
    }
}

async fn bodies(bottlecrm: &BottleCrm) -> Vec<String> {
    let text = |entry: &Value| entry["body"].as_str().unwrap().to_owned();
    entries(bottlecrm).await.iter().map(text).collect()
}

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    let bottlecrm = bottlecrm_or_skip!("a_call_is_written_and_added_to_once_in_any_weather");
    matrix::a_call_is_written_and_added_to_once(&bottlecrm).await;
}

#[tokio::test]
async fn a_caller_is_found_in_any_weather() {
    let bottlecrm = bottlecrm_or_skip!("a_caller_is_found_in_any_weather");
    matrix::a_caller_is_found(&bottlecrm).await;
}

/// What the plugin can find out by itself, nobody needs to be asked. In two parts: BottleCRM answers 120 such questions in a
/// minute.
#[rstest::rstest]
#[case::every_other_kind(0)]
#[case::the_others(1)]
#[tokio::test]
async fn a_new_customer_is_one_row_in_any_weather(#[case] part: usize) {
    let bottlecrm = bottlecrm_or_skip!("a_new_customer_is_one_row_in_any_weather");
    matrix::a_new_customer_is_one_contact(&bottlecrm, |number| number % 2 == part).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_arrives_once_whatever_happens_on_the_way() {
    let bottlecrm = bottlecrm_or_skip!("each_call_arrives_once_whatever_happens_on_the_way");
    delivered::each_call_arrives_once_whatever_happens_on_the_way(&bottlecrm).await;
}
