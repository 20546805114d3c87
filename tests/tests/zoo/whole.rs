//! The canary over a whole host, put together as an admin does it: a plugin that tells all that it holds, a real
//! database, signed events and bad ones. Values stand in the columns that are for them, and nowhere else that anybody
//! can read: not in the other columns, the ledger, the metrics, the problems that clients get, or the log.

use std::collections::BTreeSet;
use std::fs;

use ramal_store::testing::texts;
use serde_json::{Value, json};
use tracing_subscriber::util::SubscriberInitExt;

use super::crm::{Answer, Crm};
use super::host::Traces;
use super::needles::Needles;
use super::{fixture, people};
use crate::composed::{PluginFiles, Setup, Whole, built};

/// Where the host keeps what the panel shows, and what the CRM is to be told.
const MAY_HOLD_VALUES: &[&str] = &[
    "deliveries.payload",
    "findings.body",
    // A timeline is found by the customer's own name there, and so are the other names of the customer.
    "contact_aliases.alias",
    "contact_aliases.contact",
    "interaction_contacts.contact",
    "interaction_events.body",
    "interactions.body",
    "live_events.body",
];

const TENANT: &str = super::host::TENANT;

fn files(crm: &Crm, animal: &str) -> PluginFiles {
    fixture::component();
    let origin = crm.origin();
    let grant = format!(
        r#"
[grant]
tenant = "{TENANT}"
plugin = "zoo"
digest = "any"
revision = 1
approved-by = "bia@example.invalid"
approved-at = "2026-11-23"
expires = "2028-11-22"
reason = "tests"
purposes = ["screen-pop", "search", "journal"]
routes = ["find", "get", "by-name", "who", "pair", "note"]

[classes]
"contact.phone" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.name" = {{ to-plugin = "sealed", from-crm = "sealed" }}
"contact.email" = {{ from-crm = "sealed" }}
"contact.document" = {{ from-crm = "sealed" }}
"interaction.text" = {{ to-plugin = "sealed" }}

[[destination]]
origin = "{origin}"
private = ["127.0.0.1/32"]
reason = "the zoo's CRM runs on this machine"
"#
    );
    PluginFiles {
        component: built("zoo"),
        grant,
        settings: format!("server = \"{origin}\"\nanimal = \"{animal}\"\ntext = \"keep\"\n"),
        credentials: format!("[{TENANT}.zoo.key]\ntoken = \"{}\"\n", people::TOKEN),
    }
}

/// What a client can send with a person's values where they do not belong; the answers.
async fn mistakes(host: &Whole) -> String {
    let event = |id: &str, from: &str| json!({"event_id": id, "call_id": people::EMAIL, "type": "ringing", "from": from});
    let wrong: Vec<Value> = vec![
        event("e-1", people::NAME),
        json!({"event_id": "e-2", "call_id": "c-2", "type": people::NAME, "from": people::PHONE}),
        json!({"event_id": "e-3", "call_id": "c-3", "type": "ended", "cause": people::DOCUMENT}),
        json!({"event_id": "e-4", "call_id": "c-4", "type": "answered", "agent": people::NAME}),
        json!([people::NAME, people::PHONE]),
    ];
    let mut said = String::new();
    for body in &wrong {
        let (status, problem) = host.event(body).await;
        assert!((400..500).contains(&status), "{status} {problem}");
        said += &problem;
    }
    let unsigned = host.exchange("POST /v1/events/calls?source=pbx", &[], &wrong[0].to_string()).await;
    assert_eq!(unsigned.0, 401);
    let query = percent_encoding::utf8_percent_encode(people::NAME, percent_encoding::NON_ALPHANUMERIC);
    let route = host.exchange(&format!("GET /v1/route?number={query}"), &[], "").await;
    assert_eq!(route.0, 400);
    let nowhere = host.exchange(&format!("GET /v1/{query}"), &[], "").await;
    assert_eq!(nowhere.0, 404);
    said + &unsigned.1 + &route.1 + &nowhere.1
}

/// One call of a person, from the ringing to what the CRM is told of it.
async fn one_call(host: &Whole) -> Value {
    let mut live = host.live().await;
    let event = |step: usize, mut more: Value| {
        more["event_id"] = format!("e-call-{step}").into();
        more["call_id"] = "c-call".into();
        more
    };
    let rings = event(1, json!({"type": "ringing", "from": people::PHONE, "queue": "Sales"}));
    assert_eq!(host.event(&rings).await.0, 202);
    let told = live.next(&["card", "card-none", "card-failed"]).await;
    assert_eq!(host.event(&event(2, json!({"type": "ended", "cause": "missed"}))).await.0, 202);
    // Until the CRM was told, or the plugin would not tell it.
    loop {
        let backlog = host.ask("GET /v1/deliveries/backlog", "").await;
        let open = backlog
            .as_array()
            .unwrap()
            .iter()
            .any(|target| target["open"] != 0 && target["paused"].is_null());
        let deliveries = host.ask("GET /v1/deliveries", "").await;
        let tried = deliveries["items"].as_array().unwrap().iter().any(|d| !d["tried_at"].is_null());
        if tried || (!open && !backlog.as_array().unwrap().is_empty()) {
            break told;
        }
    }
}

#[rstest::rstest]
#[case::well_behaved("tame", true)]
#[case::that_tells_all_it_holds("tattler", false)]
#[tokio::test]
async fn values_stand_only_in_the_columns_that_are_for_them(#[case] animal: &str, #[case] shown: bool) {
    let traces = Traces::default();
    let traced = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(traces.clone())
        .finish();
    let _traced = traced.set_default();
    let crm = Crm::start().await;
    crm.answers(|asked| match asked.method.as_str() {
        "POST" => Answer::json(200, &json!({"id": "n-1"})),
        _ => Answer::json(200, &people::found()),
    });
    let setup = Setup { tenant: TENANT, more: String::new(), plugins: vec![files(&crm, animal)] };
    let host = Whole::start(&setup).await;
    let problems = mistakes(&host).await;
    let told = one_call(&host).await;
    assert_eq!(told.to_string().contains(people::NAME), shown, "{told}");
    let (_, metrics) = host.exchange("GET /metrics", &[], "").await;
    let data = host.folder.path().join("data");
    let stored = texts(&data.join("ramal.sqlite")).await.unwrap();
    let ledger = fs::read_to_string(data.join("disclosures.jsonl")).unwrap();
    host.end().await;

    let needles = Needles::of(people::PERSONAL.iter().copied());
    for (place, text) in
        [("problems", &problems), ("metrics", &metrics), ("ledger", &ledger), ("log", &traces.text())]
    {
        assert!(!text.is_empty(), "there is nothing to search in the {place}");
        let hits = needles.within(text);
        assert!(hits.is_empty(), "{hits:?} in the {place}:\n{text}");
    }
    let holding: BTreeSet<&str> = stored
        .iter()
        .filter(|(_, value)| !needles.within(value).is_empty())
        .map(|(column, _)| column.as_str())
        .collect();
    let elsewhere: Vec<&&str> = holding.iter().filter(|column| !MAY_HOLD_VALUES.contains(column)).collect();
    assert!(elsewhere.is_empty(), "personal values stand in {elsewhere:?}");
    // The search would find what is there.
    assert!(
        holding.contains("interactions.body") && (!shown || holding.contains("findings.body")),
        "{holding:?}"
    );
}
