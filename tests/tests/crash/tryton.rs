//! The same with a CRM that knows no key of ours: the plugin looks for what it wrote before it writes, and a host that dies
//! in between must leave no second note behind. The CRM is a real Tryton.

use std::collections::HashMap;
use std::time::Instant;

use ramal_tests::tryton::Tryton;
use ramal_tests::tryton_plugin::{TENANT, grant, secrets, settings};
use serde_json::{Value, json};

use crate::exchange::{Exchange, number_of};
use crate::kills::{self, Books};
use crate::process::{LIMITS, Place, PluginFiles, plugin};

/// How often the host dies. A real CRM is slower than it.
const KILLS: usize = 60;
/// Who call. What a dead host held in hand keeps its customer's lane for a minute, so there are more than are held.
const CUSTOMERS: usize = 300;

/// A Tryton with the parties who call.
struct Parties {
    tryton: Tryton,
    ids: Vec<String>,
}

impl Parties {
    async fn make(tryton: Tryton) -> Self {
        let party = |customer| {
            let phone = json!({"type": "mobile", "value": number_of(0, customer)});
            json!({"name": format!("Pessoa inventada {customer}"), "contact_mechanisms": [["create", [phone]]]})
        };
        let parties: Vec<Value> = (0..CUSTOMERS).map(party).collect();
        let made = tryton.rpc("model.party.party.create", json!([parties, {}])).await.unwrap();
        let ids = made.as_array().unwrap().iter().map(ToString::to_string).collect();
        Self { tryton, ids }
    }

    /// A host whose plugin writes notes, and asks for nobody.
    fn place(&self) -> Place {
        let grant = grant(&self.tryton.origin)
            .replace("\"screen-pop\", ", "")
            .replace("\"sync\", ", "")
            .replace("\nscreen-pop = ", "\n# ")
            .replace("[limits]\n", &format!("[limits]\n{LIMITS}"));
        let mut credentials = String::new();
        for (id, fields) in secrets(&self.tryton) {
            credentials += &format!("[{TENANT}.tryton.{id}]\n");
            for (name, value) in fields {
                credentials += &format!("{name} = {}\n", toml::Value::from(value));
            }
        }
        let files = PluginFiles {
            tenant: TENANT,
            component: plugin("tryton"),
            grant,
            settings: toml::to_string(&settings(&self.tryton, &self.tryton.origin)).unwrap(),
            credentials,
        };
        Place::holding(&files, None, None)
    }
}

impl Books for Parties {
    async fn compare(&self, exchange: &Exchange) {
        let parties: Vec<i64> = self.ids.iter().map(|id| id.parse().unwrap()).collect();
        let all = self.tryton.notes(&parties).await.unwrap();
        let written = all.len();
        let mut notes: HashMap<String, Vec<String>> = HashMap::new();
        for (party, note) in all {
            let customer = parties.iter().position(|id| *id == party).unwrap();
            notes.entry(number_of(0, customer)).or_default().push(note);
        }
        let mut expected = 0;
        for told in exchange.told().values() {
            let began = jiff::Timestamp::from_millisecond(told.started_ms).unwrap();
            let whole = told.started_ms % 1000 == 0;
            let began = if whole { began.to_string() } else { format!("{began:.3}") };
            let of_call: Vec<&String> =
                notes[&told.number].iter().filter(|note| note.contains(&format!(": {began}\n"))).collect();
            let (later, first): (Vec<&String>, Vec<&String>) =
                of_call.into_iter().partition(|note| note.contains("(complemento)"));
            assert_eq!(first.len(), 1, "one note for a call: {first:?}");
            assert_eq!(
                later.len(),
                usize::from(told.disposition.is_some()),
                "one for each change: {later:?}"
            );
            if let Some(notes) = &told.notes {
                assert!(first[0].contains(notes.as_str()), "Tryton has not heard of `{notes}`: {first:?}");
            }
            if let Some(disposition) = &told.disposition {
                assert!(later[0].contains(disposition.as_str()), "not heard of `{disposition}`: {later:?}");
            }
            expected += 1 + later.len();
        }
        assert_eq!(written, expected, "no note of a call that is not there");
        println!("{written} notes, each once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crm_without_keys_has_each_call_once_however_the_host_is_killed() {
    let test = "a_crm_without_keys_has_each_call_once_however_the_host_is_killed";
    let Some(tryton) = Tryton::start().await.unwrap().or_skip(test) else { return };
    let (seed, begun) = (kills::seed(), Instant::now());
    let parties = Parties::make(tryton).await;
    let place = parties.place();
    let mut exchange = Exchange::of(0, seed, parties.ids.clone());
    let (tally, _) = kills::kill_again_and_again(&parties, &place, &mut exchange, KILLS, seed).await;
    println!("in {:?}", begun.elapsed());
    tally.says_something();
}
