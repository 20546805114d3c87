use std::sync::Arc;

use rstest::rstest;

use super::*;
use crate::class::DataClass as C;
use crate::fixture::{authority, hooked_grant, hooked_manifest, hooked_plan_with, settings};
use crate::invocation::Invocation;
use crate::manifest::Manifest;
use crate::plan::{Plan, PlanError};
use crate::purpose::Purpose;
use crate::show::Place;
use crate::{Denial, Digest, Export, Rule};

/// Everybody in it is invented.
const BODY: &[u8] = br#"{
    "event": "contact.updated", "secret": "000.000.000-00",
    "contact": {"id": 17, "name": "Ana (invented)", "email": "ana@example.invalid", "document": "000.000.000-00",
        "phone": "+5511900000021", "birth": "1990-01-01"},
    "more": {"deep": ["+5511900000021"]}
}"#;

fn plan() -> Arc<Plan> {
    hooked_plan_with(|_| {})
}

fn hook(plan: &Arc<Plan>) -> Arc<Hook> {
    Arc::clone(plan.hook("changes", &authority(Purpose::Sync)).unwrap())
}

fn listed(plan: &Arc<Plan>, body: &[u8]) -> Listed {
    hook(plan).listed([("x-acme-event", "updated"), ("x-other", "Ana (invented)")], body).unwrap()
}

fn hearing(plan: &Arc<Plan>) -> Invocation {
    Invocation::begin(Arc::clone(plan), authority(Purpose::Sync), Export::EventsHandle, [5; 32]).unwrap()
}

#[test]
fn nothing_is_stored_but_what_is_listed_and_granted() {
    let listed = listed(&plan(), BODY);
    insta::assert_snapshot!(listed.body.expose(), @r#"{"event":"contact.updated","contact":{"id":17,"name":"Ana (invented)","email":"ana@example.invalid","phone":"+5511900000021"}}"#);
    assert_eq!(listed.headers, [("x-acme-event".to_owned(), "updated".to_owned())]);
    assert_eq!(format!("{listed:?}").find("Ana"), None);
}

#[test]
fn what_the_guest_hears_is_sealed_as_an_answer_is() {
    let plan = plan();
    let mut invocation = hearing(&plan);
    let (headers, body) = invocation.hear("changes", &listed(&plan, BODY)).unwrap();
    assert_eq!(headers, [("x-acme-event".to_owned(), "updated".to_owned())]);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["contact"]["id"], 17);
    assert!(body["contact"]["phone"].as_str().unwrap().starts_with("sealed_contact.phone_"));
    assert_eq!(body["contact"]["email"], "a•••@•••.invalid", "masked, as the grant says");
}

#[rstest]
#[case::no_json(b"<html>", "the body is no JSON (line 1, column 1)")]
#[case::cut_off(br#"{"contact": {"id": 17"#, "the body is no JSON (line 1, column 21)")]
#[case::two_values(b"{}{}", "the body is no JSON (line 1, column 3)")]
#[case::not_utf8(b"{\"event\":\"\xff\"}", "the body is no UTF-8 from byte 10 on")]
fn a_body_that_is_no_json_is_refused_with_its_place(#[case] body: &[u8], #[case] text: &str) {
    assert_eq!(hook(&plan()).listed([], body).unwrap_err().to_string(), text);
}

#[test]
fn a_bomb_is_refused_before_it_is_parsed() {
    let hook = hook(&plan());
    let deep = [b"[".repeat(500), b"]".repeat(500)].concat();
    assert_eq!(hook.listed([], &deep).unwrap_err(), HookFault::TooDeep { most: 32 });
    let huge = vec![b' '; 2049];
    assert_eq!(hook.listed([], &huge).unwrap_err(), HookFault::TooLarge { most: 2048 });
}

#[rstest]
#[case::once(&[("x-acme-event", "updated")], 1)]
#[case::not_in_the_list(&[("x-acme-event", "Ana (invented)")], 0)]
#[case::twice(&[("x-acme-event", "updated"), ("x-acme-event", "deleted")], 0)]
#[case::absent(&[], 0)]
fn a_header_comes_through_once_and_only_if_it_fits(#[case] given: &[(&str, &str)], #[case] some: usize) {
    assert_eq!(hook(&plan()).headers(given.iter().copied()).len(), some);
}

fn refused(plan: &Plan, hook: &str, purpose: Purpose) -> Denial {
    plan.hook(hook, &authority(purpose)).unwrap_err()
}

#[test]
fn a_hook_that_is_not_granted_is_denied_with_the_line_that_would_allow_it() {
    insta::assert_snapshot!(refused(&plan(), "spare", Purpose::Sync), @"denied (hook): asked for the hook `spare`; granted: changes; to allow it, add to grant.toml under [grant]: hooks = [\"changes\", \"spare\"]");
    insta::assert_snapshot!(refused(&plan(), "Ana (invented)", Purpose::Sync), @"denied (unknown-hook): asked for a hook that the manifest does not have; granted: changes");
    let without = hooked_plan_with(|grant| {
        grant.purposes.remove(&Purpose::Sync);
    });
    insta::assert_snapshot!(refused(&without, "changes", Purpose::Sync), @"denied (purpose): asked for a call for sync; granted: screen-pop, search, journal; to allow it, add to grant.toml under [grant]: purposes = [\"screen-pop\", \"search\", \"journal\", \"sync\"]");
}

#[test]
fn a_grant_of_a_hook_that_is_not_there_is_an_error() {
    let manifest = Manifest::parse("plugin.toml", &hooked_manifest()).unwrap();
    let mut grant = hooked_grant();
    grant.hooks.insert("nope".parse().unwrap());
    let error = Plan::compile(&manifest, Digest([1; 32]), &grant, &settings());
    assert!(matches!(error, Err(PlanError::UnknownHook { .. })));
}

#[test]
fn a_hook_brings_its_credential_and_no_request_can_use_it() {
    let plan = plan();
    let credentials = plan.credentials();
    let (decl, _) = credentials.iter().find(|(id, _)| id.as_str() == "hook").unwrap().1;
    assert_eq!(decl.kind.secrets(), ["secret"]);
    let without = hooked_plan_with(|grant| grant.hooks.clear());
    assert!(!without.credentials().keys().any(|id| id.as_str() == "hook"));
}

#[test]
fn without_the_purpose_nothing_is_asked() {
    assert_eq!(plan().sync(), Some(std::time::Duration::from_secs(300)));
    let without = hooked_plan_with(|grant| {
        grant.purposes.remove(&Purpose::Sync);
    });
    assert_eq!(without.sync(), None);
}

#[test]
fn a_number_to_dial_is_one_seal_of_this_call() {
    let plan = plan();
    let mut invocation = hearing(&plan);
    let phone = invocation.hand_in(C::ContactPhone, &"+5511900000021".into()).unwrap().unwrap();
    let name = invocation.hand_in(C::ContactName, &"Ana (invented)".into()).unwrap().unwrap();
    let shown =
        |text: &str| invocation.show_sealed(Place::DialNumber, text).map(|s| s.value.expose().to_owned());
    assert_eq!(shown(&phone).unwrap(), "+5511900000021");
    for (text, rule) in [
        ("+5511900000099".to_owned(), Rule::ResultPlace),
        (format!("0{phone}"), Rule::ResultPlace),
        (format!("{phone}{phone}"), Rule::ResultPlace),
        (name, Rule::ResultPlace),
        ("sealed_contact.phone_aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(), Rule::SealUnknown),
        (String::new(), Rule::ResultPlace),
    ] {
        assert_eq!(shown(&text).unwrap_err().rule, rule);
    }
}
