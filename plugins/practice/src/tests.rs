//! The plugin under the host's own rules, without wasm or CRM. Every person here is invented.

use ramal_sdk::prelude::*;
use ramal_sdk::testing::Host;
use serde_json::json;

use super::Practice;

fn host(purpose: &str) -> Host {
    Host::new(include_str!("../plugin.toml"))
        .settings(json!({"server": "http://127.0.0.1:7788"}))
        .grant_all()
        .purpose(purpose)
}

fn person(id: &str) -> serde_json::Value {
    json!({
        "id": id, "name": "Ana Inventada", "company": "Loja (fictícia)", "phones": ["+5511987654007"],
        "emails": ["ana@example.invalid"], "document": "000.000.000-00", "owner": {"id": "u-1", "name": "Bia"},
        "city": "Campinas", "url": format!("http://127.0.0.1:7788/contacts/{id}"), "updated_ms": 1_794_984_507_780_u64,
    })
}

#[test]
fn a_caller_is_found_without_being_read() {
    let cx = host("screen-pop")
        .answer("find-by-phone", 200, json!({"items": [person("c-0007")], "total": 1, "next": null}))
        .cx();
    let found = Practice::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654007")]).unwrap();
    assert!(found[0].name.is_sealed() && found[0].phones[0].is_sealed());
    assert!(cx.sent("find-by-phone")[0].url.ends_with("/api/v1/contacts?phone=%2B5511987654007&limit=5"));
    let shown = cx.opened(found);
    assert_eq!(shown[0].name.as_str(), "Ana Inventada");
    assert_eq!(shown[0].owner.as_ref().unwrap().as_str(), "Bia");
}

#[test]
fn one_person_under_two_forms_of_a_number_comes_once() {
    let one = json!({"items": [person("c-0007")], "total": 1, "next": null});
    let cx =
        host("screen-pop").answer("find-by-phone", 200, one.clone()).answer("find-by-phone", 200, one).cx();
    let forms = [cx.sealed("contact.phone", "+5511987654007"), cx.sealed("contact.phone", "+551187654007")];
    assert_eq!(Practice::find_by_phone(&cx, &forms).unwrap().len(), 1);
}

#[test]
fn nobody_is_an_empty_list() {
    let cx =
        host("screen-pop").answer("find-by-phone", 200, json!({"items": [], "total": 0, "next": null})).cx();
    assert_eq!(Practice::find_by_phone(&cx, &[cx.sealed("contact.phone", "+5511987654999")]), Ok(vec![]));
}

#[test]
fn a_crm_that_is_down_is_worth_another_try() {
    let cx = host("screen-pop").fails("find-by-phone", Failure::Unavailable("no connection".into())).cx();
    let phone = cx.sealed("contact.phone", "+5511987654007");
    assert!(matches!(Practice::find_by_phone(&cx, &[phone]), Err(Error::Transient(_))));
}

#[test]
fn who_is_there_by_name_and_number_is_not_made_again() {
    let two = json!({"items": [person("c-0006"), person("c-0007")], "total": 2, "next": null});
    let made = |name: &str| {
        let cx =
            host("search").answer("find-same", 200, two.clone()).answer("create", 201, person("c-0041")).cx();
        let draft = ContactDraft {
            name: Some(cx.sealed("contact.name", name)),
            phones: vec![cx.sealed("contact.phone", "+5511987654007")],
            ..ContactDraft::default()
        };
        Practice::create_contact(&cx, &draft).unwrap().id.into_string()
    };
    assert_eq!(made("Ana Inventada"), "c-0006");
    assert_eq!(made("Ana"), "c-0041", "somebody else of the household");
}

#[test]
fn a_journal_entry_carries_its_key_and_seals_in_their_places() {
    let cx = host("journal").answer("log-activity", 201, json!({"id": "a-0001"})).cx();
    let entry = Entry {
        idempotency_key: "7f3a".into(),
        contact: Some("c-0007".into()),
        channel: "fixed".into(),
        counterpart: Some(cx.sealed("contact.phone", "+5511987654007")),
        notes: Some(cx.sealed("interaction.text", "asked for \"the\" price")),
        ..Entry::default()
    };
    let written = Practice::write_journal(&cx, &entry).unwrap();
    assert_eq!(written.id, "a-0001");
    let sent = cx.sent("log-activity");
    let body = &sent[0].body;
    assert_eq!(body["external_id"], "7f3a");
    assert_eq!(body["phone"], "+5511987654007");
    assert_eq!(body["body"], "Notes: asked for \"the\" price");
}

/// The person's words come and go sealed; only what nobody has said yet is filled in.
#[test]
fn what_is_added_goes_below_what_somebody_wrote() {
    let standing = |outcome: Option<&str>, body: Option<&str>| json!({"updated_ms": 7, "contact_id": null, "outcome": outcome, "body": body, "duration_s": null});
    let amended = |standing: serde_json::Value| {
        let cx = host("journal")
            .answer("read-activity", 200, standing)
            .answer("amend-activity", 200, json!({"id": "a-0001"}))
            .cx();
        let entry = Entry {
            idempotency_key: "7f3b".into(),
            contact: Some("c-0007".into()),
            outcome: Outcome::Answered,
            notes: Some(cx.sealed("interaction.text", "wants two")),
            disposition: Some("sale".into()),
            ..Entry::default()
        };
        Practice::amend_journal(&cx, &Ref::new("activity", "a-0001"), &entry).unwrap();
        cx.sent("amend-activity")[0].body.clone()
    };
    let body = amended(standing(Some("answered, call back on Monday"), Some("Notes: the price")));
    assert_eq!(
        body,
        json!({
            "amendment_id": "7f3b", "if_updated_ms": 7, "contact_id": "c-0007",
            "body": "Notes: the price\n\nAdded: answered\nNotes: wants two\nDisposition: sale",
        })
    );
    let body = amended(standing(None, None));
    assert_eq!(body["outcome"], "answered");
    assert_eq!(body["body"], "Added: answered\nNotes: wants two\nDisposition: sale");
}

#[test]
fn who_saves_meanwhile_is_read_again() {
    let standing = |at: u64, body: &str| json!({"updated_ms": at, "body": body});
    let cx = host("journal")
        .answer("read-activity", 200, standing(7, "before"))
        .answer("amend-activity", 409, json!({}))
        .answer("read-activity", 200, standing(8, "meanwhile"))
        .answer("amend-activity", 200, json!({"id": "a-0001"}))
        .cx();
    let entry = Entry { idempotency_key: "7f3b".into(), ..Entry::default() };
    Practice::amend_journal(&cx, &Ref::new("activity", "a-0001"), &entry).unwrap();
    let last = cx.sent("amend-activity").pop().unwrap().body.clone();
    assert_eq!(last["if_updated_ms"], 8);
    assert!(last["body"].as_str().unwrap().starts_with("meanwhile\n\n"), "{last}");
}

#[test]
fn erasing_again_is_no_error() {
    let cx = host("subject-request").answer("erase", 404, json!({})).cx();
    let receipt = Practice::erase_subject(&cx, &"c-0007".into(), Erasure::Erase).unwrap();
    assert_eq!(receipt.removed[0].id, "c-0007");
}

#[test]
fn what_the_crm_tells_becomes_facts() {
    let cx = host("sync").cx();
    let told = |event: &str| {
        let body = json!({
            "event": event, "contact": {"id": "c-0007", "name": "Ana Inventada"}, "user": {"id": "u-1"},
            "phone": "+5511987654007",
        });
        let news = Practice::handle_event(&cx, &cx.hooked("changes", &[], &body)).unwrap();
        cx.opened(news).facts
    };
    assert_eq!(told("contact.changed"), [Fact::ContactChanged("c-0007".into())]);
    assert_eq!(told("contact.deleted"), [Fact::ContactDeleted("c-0007".into())]);
    let wanted = Dial {
        agent: "u-1".into(),
        number: "+5511987654007".into(),
        about: Some(Ref::new("contact", "c-0007")),
    };
    assert_eq!(told("call.wanted"), [Fact::Dial(wanted)]);
}

#[test]
fn what_the_plugin_does_not_know_is_no_reason_to_try_again() {
    let cx = host("sync").cx();
    let told = cx.hooked("changes", &[], &json!({"event": "deal.won", "contact": {"id": "c-0007"}}));
    assert!(matches!(Practice::handle_event(&cx, &told), Err(Error::Permanent(_))));
}
