//! Animals that hear what the CRM tells by itself, and bodies that nobody should have to hear.

use ramal_capability::{Authority, Clear, HookFault, Listed, Purpose};
use ramal_engine::{CallError, CrmFact, HandleEvent, News, Plugin};
use rstest::rstest;
use serde_json::json;

use super::host::{Host, authority, unsealed};
use super::{fixture, people};

fn manifest() -> String {
    fixture::MANIFEST
        .replace("\"journal\", \"diagnostics\"]", "\"journal\", \"sync\", \"diagnostics\"]")
        .replace("\"journal.write\"]", "\"journal.write\", \"events.handle\"]")
        .replacen(
            "[[route]]",
            r#"
[[credential]]
id = "hook"
kind = "hook"
label = "Secret of the hooks"

[[hook]]
id = "changes"
reason = "to hear of changes"
credential = "hook"
verify = "path-secret"
max-bytes = 4096
header."X-Event" = "enum(changed|deleted)"
receive."/contact/id" = "id"
receive."/contact/phone" = "contact.phone"

[[hook]]
id = "deaf"
reason = "lists nothing, so it hears that something came and not what"
credential = "hook"
verify = "path-secret"

[[route]]"#,
            1,
        )
}

async fn load(host: &Host, animal: &str, text: &str, number: u64) -> Plugin {
    let cage = host.animal(animal).manifest(&manifest()).told(text).number(number).granted(|grant| {
        grant.purposes.insert(Purpose::Sync);
        grant.hooks.extend(["changes".parse().unwrap(), "deaf".parse().unwrap()]);
    });
    cage.load().await.unwrap_or_else(|e| panic!("it does not load: {e}"))
}

fn sync() -> Authority {
    Authority { purpose: Purpose::Sync, interaction: None, ..authority() }
}

/// A body with everything in it that the CRM knows.
fn body() -> Vec<u8> {
    json!({
        "contact": {"id": "c-0001", "phone": people::PHONE, "name": people::NAME, "document": people::DOCUMENT},
        "before": {"email": people::EMAIL, "phone": people::OTHER_PHONE},
    })
    .to_string()
    .into_bytes()
}

fn listed(plugin: &Plugin, hook: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Listed, HookFault> {
    let plan = plugin.plan();
    let hook = plan.hook(hook, &sync()).unwrap_or_else(|e| panic!("{e}"));
    hook.listed(headers.iter().copied(), body)
}

/// What came of it, once the host was looked after.
async fn heard(host: &Host, plugin: &Plugin, hook: &str, came: Listed) -> Result<News, CallError> {
    let ask = HandleEvent::Hook { hook: hook.parse().unwrap(), came };
    let called = plugin.call(sync(), ask).await;
    let said = called.outcome.as_ref().err().map_or_else(String::new, |error| format!("{error} {error:?}"));
    host.holds_nothing_personal(&format!("{said}\n{}", serde_json::to_string(&called.report).unwrap()));
    host.still_serves().await;
    called.outcome
}

#[tokio::test]
async fn a_personal_value_that_is_not_listed_is_neither_stored_nor_heard() {
    let host = Host::open().await;
    let plugin = load(&host, "listener", "", 0).await;
    let headers = [("x-event", "changed"), ("x-caller", people::NAME)];
    let came = listed(&plugin, "changes", &headers, &body()).unwrap();
    for value in [people::NAME, people::DOCUMENT, people::EMAIL, people::OTHER_PHONE] {
        assert!(!came.body.expose().contains(value), "what is stored holds {value}");
    }
    heard(&host, &plugin, "changes", came).await.unwrap();
    let kept = host.kept();
    assert_eq!(unsealed(&kept["body"]), r#"{"contact":{"id":"c-0001","phone":"‹contact.phone›"}}"#);
    assert_eq!(kept["headers"], r#"[("x-event", "changed")]"#);
}

#[tokio::test]
async fn where_nothing_is_listed_nothing_arrives() {
    let host = Host::open().await;
    let plugin = load(&host, "listener", "", 0).await;
    let came = listed(&plugin, "deaf", &[("x-event", "changed")], &body()).unwrap();
    assert_eq!(came, Listed { headers: Vec::new(), body: Clear::from("{}") });
    heard(&host, &plugin, "deaf", came).await.unwrap();
    assert_eq!(host.kept()["body"], "{}");
}

#[tokio::test]
async fn what_was_stored_is_projected_again_before_it_is_heard() {
    let host = Host::open().await;
    let plugin = load(&host, "listener", "", 0).await;
    // As if somebody had written into the database.
    let body = String::from_utf8(body()).unwrap();
    let forged = Listed { headers: vec![("x-caller".into(), people::NAME.into())], body: Clear::from(body) };
    heard(&host, &plugin, "changes", forged).await.unwrap();
    assert_eq!(host.kept()["headers"], "[]");
}

#[rstest]
#[case::the_seal("$0", "ok")]
#[case::in_clear("+5511900000077", "denied")]
#[case::premium_before_the_seal("00$0", "denied")]
#[case::twice("$0$0", "denied")]
#[case::made_up("sealed_contact.phone_aaaaaaaaaaaaaaaaaaaaaaaaaa", "denied")]
#[case::nothing("", "denied")]
#[tokio::test]
async fn only_a_number_that_the_crm_sent_is_dialled(#[case] number: &str, #[case] code: &str) {
    let host = Host::open().await;
    let plugin = load(&host, "dialler", number, 0).await;
    let came = listed(&plugin, "changes", &[], &body()).unwrap();
    let outcome = heard(&host, &plugin, "changes", came).await;
    assert_eq!(outcome.as_ref().map_or_else(CallError::code, |_| "ok"), code);
    if let Ok(news) = outcome {
        let [CrmFact::Dial(dial)] = news.facts.as_slice() else { panic!("{news:?}") };
        assert_eq!(dial.number.value.expose(), people::PHONE);
    }
}

#[rstest]
#[case::a_seal_as_a_cursor("cursor-keeper")]
#[case::a_seal_as_an_identifier("namer")]
#[tokio::test]
async fn a_seal_stays_in_its_call(#[case] animal: &str) {
    let host = Host::open().await;
    let plugin = load(&host, animal, "x$0", 0).await;
    let came = listed(&plugin, "changes", &[], &body()).unwrap();
    assert_eq!(heard(&host, &plugin, "changes", came).await.unwrap_err().code(), "denied");
}

#[tokio::test]
async fn a_flood_of_facts_is_refused() {
    let host = Host::open().await;
    let plugin = load(&host, "gossip", "", 1_001).await;
    let came = listed(&plugin, "changes", &[], &body()).unwrap();
    let error = heard(&host, &plugin, "changes", came).await.unwrap_err();
    assert!(error.to_string().contains("denied (quota)"), "{error}");
}

#[tokio::test]
async fn a_bomb_is_refused_before_it_is_parsed_stored_or_heard() {
    let host = Host::open().await;
    let plugin = load(&host, "listener", "", 0).await;
    let deep = [b"{\"contact\":".repeat(300), b"1".to_vec(), b"}".repeat(300)].concat();
    let brackets = vec![b'['; 4_096];
    let huge = [b"{\"contact\":{\"id\":\"".to_vec(), vec![b'a'; 5_000], b"\"}}".to_vec()].concat();
    assert_eq!(listed(&plugin, "changes", &[], &deep), Err(HookFault::TooDeep { most: 32 }));
    assert_eq!(listed(&plugin, "changes", &[], &brackets), Err(HookFault::TooDeep { most: 32 }));
    assert_eq!(listed(&plugin, "changes", &[], &huge), Err(HookFault::TooLarge { most: 4_096 }));
    host.still_serves().await;
}

#[tokio::test]
async fn a_plugin_that_may_not_synchronise_hears_nothing() {
    let host = Host::open().await;
    let plugin = load(&host, "listener", "", 0).await;
    let came = listed(&plugin, "changes", &[], &body()).unwrap();
    let ask = HandleEvent::Hook { hook: "changes".parse().unwrap(), came };
    let outcome = plugin.call(authority(), ask).await.outcome;
    assert!(matches!(outcome, Err(CallError::Denied(_))), "not for a screen pop");
    assert!(host.kept().is_empty());
}
