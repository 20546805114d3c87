//! Every kind of bad day at every request of what is written: a typed outcome, and after the next try one record.

use ramal_engine::JournalEntry;

use super::desk::{Desk, KEY, Practice, TENANT, entry};
use crate::composed::PluginFiles;
use crate::desk::delivered::{self, Delivered};
use crate::desk::matrix::{self, ADDED, Call, Field, Plugin};

impl Field for Practice {
    const PLUGIN: Plugin = Plugin::Practice;

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn desk(&self, origin: &str, limits: &str) -> Desk {
        self.desk_at(origin, limits).await
    }

    fn requests(call: Call) -> &'static [&'static str] {
        match call {
            Call::Find => &["GET /api/v1/contacts?phone="],
            Call::Create => &["GET /api/v1/contacts?phone=", "POST /api/v1/contacts "],
            Call::Write => &["POST /api/v1/activities "],
            Call::Amend => &["GET /api/v1/activities/", "PATCH /api/v1/activities/"],
        }
    }

    fn entry(&self, key: String) -> JournalEntry {
        entry(&key)
    }

    async fn entries(&self, written: &JournalEntry) -> usize {
        self.written(&written.idempotency_key).await.len()
    }

    async fn additions(&self, written: &JournalEntry, _: &JournalEntry) -> usize {
        let written = self.written(&written.idempotency_key).await;
        written[0]["body"].as_str().unwrap().matches(&format!("Disposition: {ADDED}")).count()
    }

    async fn people(&self, name: &str) -> usize {
        let query = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let found = self.at(&format!("/contacts?limit=100&q={query}")).await;
        found["items"].as_array().unwrap().iter().filter(|person| person["name"] == name).count()
    }
}

impl Delivered for Practice {
    const TENANT: &str = TENANT;
    const CALLER: &str = "+5512987654002";

    fn files(&self, origin: &str) -> PluginFiles {
        let secrets = vec![("key", vec![("token", KEY.to_owned())])];
        let settings = serde_json::json!({ "server": origin });
        PluginFiles::of(TENANT, "practice", secrets, self.grant(origin, ""), &settings)
    }

    async fn all_entries(&self) -> usize {
        let export = self.at("/contacts/c-0002/export").await;
        let by_us = |one: &&serde_json::Value| one["external_id"].is_string();
        export["activities"].as_array().unwrap().iter().filter(by_us).count()
    }
}

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    matrix::a_call_is_written_and_added_to_once(&Practice::start().await).await;
}

#[tokio::test]
async fn a_caller_is_found_and_a_new_customer_is_one_contact_in_any_weather() {
    let practice = Practice::start().await;
    matrix::a_caller_is_found(&practice).await;
    matrix::a_new_customer_is_one_contact(&practice, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_arrives_once_whatever_happens_on_the_way() {
    delivered::each_call_arrives_once_whatever_happens_on_the_way(&Practice::start().await).await;
}
