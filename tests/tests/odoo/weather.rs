//! Every kind of bad day at every request of what is written: a typed outcome, and after the next try one record.

use ramal_engine::JournalEntry;
use ramal_tests::odoo::Odoo;
use ramal_tests::odoo_plugin::{TENANT, grant, secrets, settings};

use super::desk::{Desk, odoo_or_skip};
use super::journal::{entries, entry};
use crate::composed::PluginFiles;
use crate::desk::delivered::{self, Delivered};
use crate::desk::matrix::{self, ADDED, Call, Field, Plugin};

impl Field for Odoo {
    const PLUGIN: Plugin = Plugin::Odoo;

    fn origin(&self) -> &str {
        &self.origin
    }

    async fn desk(&self, origin: &str, limits: &str) -> Desk {
        let grant = grant(origin).replace("[limits]\n", &format!("[limits]\n{limits}\n"));
        Desk::odoo_at(self, origin, &grant).await
    }

    fn requests(call: Call) -> &'static [&'static str] {
        match call {
            Call::Find => &["res.partner/search_read"],
            Call::Create => &["res.partner/search_read", "res.partner/create"],
            // The one that looks for the entry, the one that escapes it, the one that writes it.
            Call::Write => &["mail.message/search_read", "value_to_html", "message_post"],
            Call::Amend => &["mail.message/search_read", "value_to_html", "mail.message/write"],
        }
    }

    fn entry(&self, key: String) -> JournalEntry {
        JournalEntry { idempotency_key: key, notes: None, ..entry(Some(self.partners["João Souza"])) }
    }

    async fn entries(&self, written: &JournalEntry) -> usize {
        let query =
            format!("SELECT id FROM mail_message WHERE message_id = '<{}@ramal>'", written.idempotency_key);
        let marked = self.rows(&query).await.unwrap().len();
        // Nothing of it without a mark.
        let begun = entries(self, "res.partner", self.partners["João Souza"]).await.len();
        let query = "SELECT DISTINCT message_id FROM mail_message WHERE message_id LIKE '%@ramal>'";
        assert_eq!(begun, self.rows(query).await.unwrap().len());
        marked
    }

    async fn additions(&self, _: &JournalEntry, later: &JournalEntry) -> usize {
        let all = entries(self, "res.partner", self.partners["João Souza"]).await;
        let added = all.iter().find(|text| text.contains(&later.idempotency_key));
        added.map_or(0, |text| text.matches(&format!("Resultado: {ADDED}")).count())
    }

    async fn people(&self, name: &str) -> usize {
        self.rows(&format!("SELECT id FROM res_partner WHERE name = '{name}'")).await.unwrap().len()
    }
}

impl Delivered for Odoo {
    const TENANT: &str = TENANT;
    const CALLER: &str = "+5511987654321";

    fn files(&self, origin: &str) -> PluginFiles {
        PluginFiles::of(TENANT, "odoo", secrets(self), grant(origin), &settings(self, origin))
    }

    async fn all_entries(&self) -> usize {
        entries(self, "res.partner", self.partners["Maria da Silva"]).await.len()
    }
}

#[tokio::test]
async fn a_call_is_written_and_added_to_once_in_any_weather() {
    let odoo = odoo_or_skip!("a_call_is_written_and_added_to_once_in_any_weather");
    matrix::a_call_is_written_and_added_to_once(&odoo).await;
}

#[tokio::test]
async fn a_caller_is_found_and_a_new_customer_is_one_row_in_any_weather() {
    let odoo = odoo_or_skip!("a_caller_is_found_and_a_new_customer_is_one_row_in_any_weather");
    matrix::a_caller_is_found(&odoo).await;
    matrix::a_new_customer_is_one_contact(&odoo, |_| true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_arrives_once_whatever_happens_on_the_way() {
    let odoo = odoo_or_skip!("each_call_arrives_once_whatever_happens_on_the_way");
    delivered::each_call_arrives_once_whatever_happens_on_the_way(&odoo).await;
}
