//! Calls that are not, or no longer, allowed, whoever asks for them.

use ramal_capability::{Actor, Authority, ClassSet, DataClass, Purpose, Rule, TenantId};
use ramal_engine::{
    CallError, Check, ContactDraft, CreateContact, GetContact, ListUsers, Page, SearchContacts,
};
use rstest::rstest;

use super::crm::{Answer, Gate};
use super::host::{Host, ask, authority, person, rule_in};
use super::people;

#[rstest]
#[case::other_tenant(Authority { tenant: TenantId::new("another").unwrap(), ..authority() }, Rule::GrantEnded)]
#[case::after_the_end(Authority { at: "2027-11-25T00:00:00Z".parse().unwrap(), ..authority() }, Rule::GrantEnded)]
#[case::purpose_not_granted(person(Purpose::ClickToCall), Rule::Purpose)]
#[case::purpose_not_asked(Authority { purpose: Purpose::Sync, ..authority() }, Rule::Purpose)]
#[case::no_interaction(Authority { interaction: None, ..authority() }, Rule::Interaction)]
#[case::nobody_acts(Authority { purpose: Purpose::Search, ..authority() }, Rule::User)]
#[tokio::test]
async fn a_call_without_a_right_does_not_begin(#[case] who: Authority, #[case] rule: Rule) {
    let host = Host::open().await;
    let plugin = host.animal("seal-keeper").load().await.unwrap();
    let called = plugin.call(who, ask(&[people::PHONE.into()])).await;
    let visited = host.watched(called).await;
    match &visited.outcome {
        Err(CallError::Denied(denial)) => assert_eq!(denial.rule, rule),
        other => panic!("{other:?}"),
    }
    assert!(visited.lines().is_empty());
    assert!(host.kept().is_empty(), "the guest did not run");
}

#[tokio::test]
async fn a_function_that_is_not_provided_or_not_for_this_is_not_called() {
    let host = Host::open().await;
    let plugin = host.animal("seal-keeper").load().await.unwrap();
    let rule = |error: CallError| match error {
        CallError::Denied(denial) => denial.rule,
        other => panic!("{other}"),
    };
    let create = CreateContact { draft: ContactDraft::default() };
    assert_eq!(
        rule(plugin.call(person(Purpose::Search), create).await.outcome.unwrap_err()),
        Rule::NotProvided
    );
    let users = ListUsers::default();
    assert_eq!(
        rule(plugin.call(person(Purpose::Search), users).await.outcome.unwrap_err()),
        Rule::NotProvided
    );
    assert_eq!(rule(plugin.call(person(Purpose::Search), Check).await.outcome.unwrap_err()), Rule::Purpose);
    let get = GetContact { id: "c-1".to_owned() };
    let journal = Authority { purpose: Purpose::Journal, ..authority() };
    assert_eq!(rule(plugin.call(journal, get).await.outcome.unwrap_err()), Rule::Purpose);
    assert!(host.kept().is_empty() && host.crm.asked().is_empty());
    host.still_serves().await;
}

#[tokio::test]
async fn a_class_that_is_not_granted_does_not_come_in_and_does_not_come_back() {
    let host = Host::open().await;
    let nothing = |class: DataClass| {
        move |g: &mut ramal_capability::Grant| {
            for direction in [ramal_capability::Direction::ToPlugin, ramal_capability::Direction::FromCrm] {
                g.classes.set(class, direction, ramal_capability::Level::None);
            }
        }
    };
    let visited = host.animal("seal-keeper").granted(nothing(DataClass::ContactPhone)).let_out().await;
    assert_eq!((visited.rule(), visited.lines().len()), (Some("class"), 0), "{}", visited.error());
    let visited = host.animal("seal-keeper").granted(nothing(DataClass::ContactName)).let_out().await;
    assert_eq!(
        visited.took("answer"),
        r#"200 {"total":1,"items":[{"id":"c-0001","phone":"‹contact.phone›","email":"‹contact.email›","document":"‹contact.document›"}]}"#
    );
}

#[rstest]
#[case::exists(ramal_capability::Level::Exists, r#"{"name":true,"email":true}"#)]
#[case::masked(ramal_capability::Level::Masked, r#"{"name":"A. L. I.","email":"a•••@•••.invalid"}"#)]
#[tokio::test]
async fn a_smaller_level_gives_less(#[case] level: ramal_capability::Level, #[case] expected: &str) {
    let host = Host::open().await;
    host.crm.answers(|_| {
        Answer::json(200, &serde_json::json!({"items": [{"name": people::NAME, "email": people::EMAIL}]}))
    });
    let visited = host
        .animal("seal-keeper")
        .granted(|g| {
            for class in [DataClass::ContactName, DataClass::ContactEmail] {
                g.classes.set(class, ramal_capability::Direction::FromCrm, level);
            }
        })
        .let_out()
        .await;
    assert_eq!(visited.took("answer"), format!("200 {{\"items\":[{expected}]}}"));
}

#[tokio::test]
async fn a_plugin_gets_no_more_than_the_person_for_whom_it_acts() {
    let host = Host::open().await;
    let plugin = host.animal("tame").told("keep").load().await.unwrap();
    let may: ClassSet = [DataClass::ContactName].into_iter().collect();
    let who = Authority { actor: Actor::User { id: "bia".parse().unwrap(), may }, ..person(Purpose::Search) };
    let search = SearchContacts { query: people::NAME.into(), page: Page::default() };
    let called = plugin.call(who, search).await;
    let found = called.outcome.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(found.items[0].name.value.expose(), people::NAME);
    assert!(found.items[0].phones.is_empty() && found.items[0].emails.is_empty());
    let kept = super::host::unsealed(&host.kept()["answer-0"]);
    assert_eq!(kept, r#"200 {"total":1,"items":[{"id":"c-0001","name":"‹contact.name›"}]}"#);
    host.holds_nothing_personal("");
}

#[tokio::test]
async fn after_a_revocation_nothing_begins() {
    let host = Host::open().await;
    let plugin = host.animal("seal-keeper").load().await.unwrap();
    plugin.revoke();
    let visited = host.watched(plugin.call(authority(), ask(&[people::PHONE.into()])).await).await;
    assert_eq!((visited.rule(), visited.lines().len()), (Some("grant-ended"), 0));
    assert!(host.kept().is_empty());
}

#[tokio::test]
async fn a_call_under_way_is_denied_at_its_next_request_after_a_revocation() {
    let host = Host::open().await;
    let gate = Gate::closed();
    let held = gate.clone();
    host.crm.answers(move |_| Answer::json(200, &people::found()).held_by(&held));
    let plugin = host.animal("two-steps").load().await.unwrap();
    let (called, ()) = tokio::join!(plugin.call(authority(), ask(&[people::PHONE.into()])), async {
        gate.arrived(1).await;
        plugin.revoke();
        gate.open(5);
    });
    let visited = host.watched(called).await;
    assert!(visited.took("first").starts_with("200 "), "what was sent already is answered");
    assert_eq!(rule_in(&visited.took("answer")), Some("grant-ended"));
    assert_eq!((visited.rule(), visited.lines().len()), (Some("grant-ended"), 1));
}

#[tokio::test]
async fn a_narrower_grant_holds_for_the_next_request_too() {
    let host = Host::open().await;
    let gate = Gate::closed();
    let held = gate.clone();
    host.crm.answers(move |_| Answer::json(200, &people::found()).held_by(&held));
    let plugin = host.animal("two-steps").load().await.unwrap();
    let narrow = host.animal("two-steps").granted(|g| {
        g.revision = 2;
        g.routes.remove("find");
    });
    let settings = serde_json::json!({"server": host.crm.origin(), "animal": "two-steps"});
    let (called, ()) = tokio::join!(plugin.call(authority(), ask(&[people::PHONE.into()])), async {
        gate.arrived(1).await;
        plugin.regrant(&narrow.grant, &settings).unwrap();
        gate.open(5);
    });
    let visited = host.watched(called).await;
    assert_eq!((visited.rule(), visited.lines().len()), (Some("grant-ended"), 1), "{}", visited.error());
    let visited = host.watched(plugin.call(authority(), ask(&[people::PHONE.into()])).await).await;
    assert_eq!((visited.rule(), visited.lines().len()), (Some("route"), 0), "{}", visited.error());
}

#[tokio::test]
async fn what_one_tenants_plugin_keeps_is_not_there_for_another() {
    let host = Host::open().await;
    assert_eq!(host.animal("seal-keeper").let_out().await.code(), "ok");
    let other = TenantId::new("another").unwrap();
    let thief = host.animal("seal-thief").granted(|g| g.tenant = other.clone()).load().await.unwrap();
    let called = thief.call(Authority { tenant: other, ..authority() }, ask(&[people::PHONE.into()])).await;
    // It expects the seal to be there, and panics.
    assert_eq!(called.outcome.unwrap_err().code(), "panic");
    host.still_serves().await;
}
