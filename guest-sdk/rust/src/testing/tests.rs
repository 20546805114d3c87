use rstest::rstest;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::prelude::*;
use crate::{Crm, StoreFailure, params};

const MANIFEST: &str = include_str!("sample.toml");
/// Invented: the block of numbers 0000-0099 is given to nobody.
const PHONE: &str = "+5511900000021";

#[derive(Deserialize)]
struct Settings {
    size: u32,
}

#[derive(Deserialize)]
struct Found {
    results: Vec<Person>,
}
#[derive(Deserialize)]
struct Person {
    id: Id,
    name: Text,
    #[serde(default)]
    phones: Vec<Text>,
    document: Option<String>,
}

struct Acme;

impl Crm for Acme {
    type Settings = Settings;

    fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
        let size = cx.settings().size;
        let calls = candidates
            .iter()
            .map(|phone| Call::new("find-by-phone", params! { "phone" => phone, "limit" => size }));
        let mut all = Vec::new();
        for answer in cx.egress().send_all(calls.collect()) {
            for person in answer?.json::<Found>()?.results {
                assert_eq!(person.document, None, "what `receive` does not list never arrives");
                all.push(Contact {
                    id: person.id,
                    name: person.name,
                    phones: person.phones,
                    ..Contact::default()
                });
            }
        }
        Ok(all)
    }

    fn write_journal(cx: &Cx<Settings>, entry: &Entry) -> Result<Ref> {
        let text = format!("Call with {}", entry.counterpart.clone().unwrap_or_default());
        let reply =
            cx.egress().post("note", params! {}, &json!({"key": entry.idempotency_key, "text": text}))?;
        if reply.status() == 409 {
            #[derive(Deserialize)]
            struct Refusal {
                code: String,
            }
            return Err(Error::other(reply.json_of_any_status::<Refusal>()?.code, "the CRM has it"));
        }
        Ok(Ref::new("note", reply.json::<Written>()?.id))
    }

    fn handle_event(_: &Cx<Settings>, occasion: &Occasion) -> Result<News> {
        let Occasion::Hook(hook) = occasion else {
            return Ok(News { next: Some("c1".into()), ..News::default() });
        };
        let told: Told = hook.json()?;
        assert_eq!(told.name, None, "what `receive` does not list never arrives");
        let number = told.phone.unwrap_or_default();
        Ok(News::of(match hook.header("X-Acme-Event") {
            Some("pressed") => Some(Fact::Dial(Dial { agent: "u-1".into(), number, about: None })),
            _ => told.contact.map(|contact| Fact::ContactChanged(contact.id)),
        }))
    }
}

#[derive(Deserialize)]
struct Told {
    contact: Option<Written>,
    phone: Option<Text>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    id: Id,
}

fn host() -> Host {
    Host::new(MANIFEST).grant_all()
}
fn screen_pop() -> Host {
    host().purpose("screen-pop")
}
fn ana() -> serde_json::Value {
    json!({"results": [{"id": 17, "name": "Ana (invented)", "phones": [PHONE], "document": "000.000.000-00"}]})
}
fn find(cx: &TestCx<Settings>) -> Result<Vec<Contact>> {
    Acme::find_by_phone(cx, &[cx.sealed("contact.phone", PHONE)])
}

#[test]
fn what_the_plugin_gets_is_sealed_and_what_leaves_is_not() {
    let cx = screen_pop().answer("find-by-phone", 200, ana()).cx();
    let found = find(&cx).unwrap();
    assert_eq!(found[0].id, "17");
    assert!(found[0].name.is_sealed());
    let sent = cx.sent("find-by-phone");
    assert_eq!(sent[0].method, "GET");
    assert_eq!(sent[0].url, "https://crm.example/contacts?limit=5&phone=%2B5511900000021");
    assert_eq!(sent[0].headers, [("X-Mode".to_owned(), "exact".to_owned())]);
    assert_eq!(sent[0].body, Value::Null);
    let opened = cx.opened(found);
    assert_eq!(opened[0].name.as_str(), "Ana (invented)");
    assert_eq!(opened[0].phones[0].as_str(), PHONE);
}

#[test]
fn settings_come_with_the_schemas_defaults_and_are_checked_by_it() {
    assert_eq!(screen_pop().cx::<Settings>().settings().size, 5);
    assert_eq!(screen_pop().settings(json!({"size": 7})).cx::<Settings>().settings().size, 7);
    let refused = screen_pop().settings(json!({"size": 0})).try_cx::<Settings>().err().unwrap();
    assert!(refused.contains("`size`"), "{refused}");
}

#[test]
fn settings_that_the_type_does_not_fit_say_so() {
    #[derive(Debug, Deserialize)]
    struct Other {
        #[serde(rename = "size")]
        _size: String,
    }
    let refused = screen_pop().try_cx::<Other>().err().unwrap();
    assert!(refused.contains("do not fit the plugin's Settings type"), "{refused}");
}

#[test]
fn nothing_is_granted_unless_somebody_grants() {
    let refused = Host::new(MANIFEST).try_cx::<Settings>().err().unwrap();
    assert!(refused.contains("nothing is granted"), "{refused}");
}

/// A grant with one thing less than the manifest asks for.
const NARROW: &str = r#"
    [grant]
    tenant = "test"
    plugin = "acme"
    digest = "any"
    revision = 1
    approved-by = "ana@example.invalid"
    approved-at = "2025-12-31"
    expires = "2026-12-31"
    reason = "to try it"
    purposes = ["screen-pop", "journal"]
    routes = ["find-by-phone"]
    [classes]
    "contact.phone" = { to-plugin = "sealed", from-crm = "masked" }
    "contact.name" = { from-crm = "sealed" }
    [[destination]]
    origin = "https://crm.example"
"#;

#[test]
fn a_narrower_grant_gives_less() {
    let cx = Host::new(MANIFEST).grant(NARROW).purpose("screen-pop").answer("find-by-phone", 200, ana()).cx();
    let found = find(&cx).unwrap();
    assert!(found[0].name.is_sealed());
    assert!(!found[0].phones[0].is_sealed() && found[0].phones[0].as_str() != PHONE, "masked");
}

#[rstest]
#[case::purpose_not_granted("search", "2026-01-01T12:00:00Z", "denied (purpose)")]
#[case::expired("screen-pop", "2027-01-01T12:00:00Z", "denied (grant-ended)")]
fn a_call_that_the_host_would_not_begin_is_not_begun(
    #[case] purpose: &str,
    #[case] at: &str,
    #[case] says: &str,
) {
    let host = Host::new(MANIFEST).grant(NARROW).purpose(purpose).at(at);
    let refused = host.try_cx::<Settings>().err().unwrap();
    assert!(refused.starts_with(says), "{refused}");
}

#[test]
fn a_route_that_is_not_granted_is_denied_and_nothing_is_sent() {
    let cx =
        Host::new(MANIFEST).grant(NARROW).purpose("journal").answer("note", 200, json!({"id": "1"})).cx();
    let entry = Entry { idempotency_key: "k-1".into(), ..Entry::default() };
    let Err(Error::Denied(says)) = Acme::write_journal(&cx, &entry) else { panic!("not denied") };
    assert!(
        says.starts_with("denied (route)") && says.contains(r#"routes = ["find-by-phone", "note"]"#),
        "{says}"
    );
    assert!(cx.all_sent().is_empty());
}

#[test]
fn a_seal_at_a_place_of_another_class_is_denied() {
    let cx = screen_pop().answer("find-by-phone", 200, ana()).cx();
    let name = cx.sealed("contact.name", "Ana (invented)");
    let Err(Error::Denied(says)) = Acme::find_by_phone(&cx, &[name]) else { panic!("not denied") };
    assert!(says.starts_with("denied (seal-misplaced)"), "{says}");
}

#[test]
fn a_seal_of_another_call_opens_nothing() {
    let earlier = screen_pop().cx::<Settings>();
    // Seals are the same in every run, so the second one is a seal that the later call has not made.
    earlier.sealed("contact.phone", "+5511900000022");
    let old = earlier.sealed("contact.phone", PHONE);
    let cx = screen_pop().cx::<Settings>();
    let Err(Error::Denied(says)) = Acme::find_by_phone(&cx, &[old]) else { panic!("not denied") };
    assert!(says.starts_with("denied (seal-unknown)"), "{says}");
}

#[test]
fn a_person_who_may_not_see_a_class_gets_nothing_of_it() {
    let cx = host()
        .purpose("search")
        .user_may(&["contact.phone"])
        .answer("find-by-phone", 200, ana())
        .calling("contacts.find-by-phone")
        .cx();
    // The name is not there at all, and the plugin's type wants one.
    assert!(matches!(find(&cx), Err(Error::Permanent(says)) if says.contains("missing field `name`")));
}

#[test]
fn a_record_that_the_host_would_refuse_is_refused() {
    let cx = screen_pop().answer("find-by-phone", 200, ana()).cx();
    let mut contact = find(&cx).unwrap().remove(0);
    contact.name = contact.phones[0].clone();
    assert!(cx.try_opened(contact.clone()).unwrap_err().starts_with("denied (result-place)"));
    contact.name = Text::new();
    contact.id = contact.phones[0].as_str().into();
    assert!(cx.try_opened(contact.clone()).unwrap_err().contains("a seal in the returned id"));
    contact.id = "17".into();
    contact.url = Some("https://elsewhere.example/17".into());
    assert!(cx.try_opened(contact).unwrap_err().contains("link"));
}

#[test]
fn several_answers_come_in_their_order_and_the_last_one_stays() {
    let none = json!({"results": []});
    let cx = screen_pop().answer("find-by-phone", 200, none).answer("find-by-phone", 200, ana()).cx();
    let found: Vec<usize> = (0..3).map(|_| find(&cx).unwrap().len()).collect();
    assert_eq!(found, [0, 1, 1]);
}

#[test]
fn an_answer_for_a_certain_request_goes_before_the_others() {
    let cx = screen_pop()
        .answer("find-by-phone", 200, json!({"results": []}))
        .answer_when("find-by-phone", When::url("phone=%2B5511900000021"), 200, ana())
        .cx();
    assert_eq!(find(&cx).unwrap().len(), 1);
    let other = cx.sealed("contact.phone", "+5511900000022");
    assert_eq!(Acme::find_by_phone(&cx, &[other]).unwrap().len(), 0);
}

#[test]
fn recorded_replies_come_from_a_file() {
    let file = r#"[
        {"route": "note", "when": {"body": {"key": "k-2"}}, "status": 409, "body": {"code": "closed", "who": "Ana"}},
        {"route": "note", "status": 201, "body": {"id": "n-1"}}
    ]"#;
    let cx = host().purpose("journal").recorded(file).cx();
    let entry = |key: &str| Entry {
        idempotency_key: key.into(),
        counterpart: Some(cx.sealed("contact.phone", PHONE)),
        ..Entry::default()
    };
    assert_eq!(Acme::write_journal(&cx, &entry("k-1")).unwrap(), Ref::new("note", "n-1"));
    assert_eq!(cx.sent("note")[0].body, json!({"key": "k-1", "text": format!("Call with {PHONE}")}));
    assert_eq!(Acme::write_journal(&cx, &entry("k-2")), Err(Error::other("closed", "the CRM has it")));
}

#[rstest]
#[case::expired(r#"{"route": "note", "status": 401}"#, Error::AuthExpired)]
#[case::busy(r#"{"route": "note", "status": 429, "retry-after": 7}"#, Error::RateLimited(Some(7)))]
#[case::down(r#"{"route": "note", "status": 502}"#, Error::Transient("the CRM answered 502".into()))]
#[case::down_for_a_while(
    r#"{"route": "note", "status": 503, "retry-after": 9}"#,
    Error::RateLimited(Some(9))
)]
#[case::moved(r#"{"route": "note", "status": 302}"#, Error::Transient("redirect refused: the CRM answered 302".into()))]
#[case::gone(r#"{"route": "note", "status": 404}"#, Error::NotFound)]
fn statuses_become_what_they_become_in_a_host(#[case] recorded: &str, #[case] error: Error) {
    let cx = host().purpose("journal").recorded(&format!("[{recorded}]")).cx();
    let entry = Entry { idempotency_key: "k-1".into(), ..Entry::default() };
    assert_eq!(Acme::write_journal(&cx, &entry), Err(error));
}

#[test]
fn words_answer_in_kind() {
    let cx = screen_pop().cx::<Settings>();
    let phone = cx.sealed("contact.phone", PHONE);
    let national = cx.text().phone_format(&phone, PhoneStyle::National).unwrap();
    assert_eq!(national.class(), Some("contact.phone"));
    assert_eq!(cx.shown(&national), "(11) 90000-0021");
    let international = cx.text().phone_format(&phone, PhoneStyle::International).unwrap();
    assert_eq!(cx.shown(&international), "+55 11 90000-0021");
    assert!(cx.text().phone_variants(&phone).iter().all(Text::is_sealed));
    let name = cx.sealed("contact.name", "Ana Maria de Souza (invented)");
    assert_eq!(cx.shown(&cx.text().given_name(&name)), "Ana");
    assert_eq!(cx.text().lower(&"ANA".into()), "ana".into());
    assert_eq!(cx.text().same(&phone, &cx.sealed("contact.phone", PHONE)), Ok(true));
    assert!(matches!(cx.text().same(&phone, &PHONE.into()), Err(Error::Denied(_))));
}

#[test]
fn the_store_keeps_what_is_not_personal() {
    let cx = screen_pop().stored("cursor", "3").cx::<Settings>();
    assert_eq!(cx.store().get_json::<u32>("cursor"), Ok(Some(3)));
    cx.store().set_json_for(60, "cursor", &4).unwrap();
    assert_eq!(cx.stored("cursor").as_deref(), Some("4"));
    cx.store().delete("cursor").unwrap();
    assert_eq!(cx.store().get("cursor"), Ok(None));
    let seal = cx.sealed("contact.phone", PHONE);
    assert!(matches!(cx.store().set("phone", seal.as_str()), Err(StoreFailure::Refused(_))));
    assert!(matches!(cx.store().get("a key"), Err(StoreFailure::Refused(_))));
    let large = "x".repeat(65 * 1024);
    assert!(matches!(cx.store().set("large", &large), Err(StoreFailure::Refused(_))));
}

#[test]
fn the_log_is_masked() {
    let cx = screen_pop().cx::<Settings>();
    cx.log().warn(format!("no contact for {PHONE}\nnor for {}", cx.sealed("contact.phone", PHONE)));
    let logged = cx.logged();
    assert_eq!(logged[0].0, Level::Warn);
    assert!(logged[0].1.starts_with("no contact for ") && !logged[0].1.contains("900000021"), "{logged:?}");
    assert!(!logged[0].1.contains('\n'), "{logged:?}");
}

fn sync() -> TestCx<Settings> {
    host().purpose("sync").cx()
}

#[test]
fn a_hook_is_heard_as_an_answer_is() {
    let cx = sync();
    let body = json!({"contact": {"id": 17}, "name": "Ana (invented)", "phone": PHONE});
    let occasion = cx.hooked("changes", &[("X-Acme-Event", "pressed")], &body);
    let Occasion::Hook(hook) = &occasion else { panic!("no hook") };
    assert!(!hook.body.contains("Ana") && !hook.body.contains(PHONE), "{}", hook.body);
    let news = cx.opened(Acme::handle_event(&cx, &occasion).unwrap());
    let [Fact::Dial(dial)] = news.facts.as_slice() else { panic!("{news:?}") };
    assert_eq!(dial.number.as_str(), PHONE);
    let changed = cx.hooked("changes", &[("x-acme-event", "changed")], &body);
    assert_eq!(Acme::handle_event(&cx, &changed).unwrap().facts, [Fact::ContactChanged("17".into())]);
}

#[test]
fn a_number_to_dial_that_is_no_seal_is_refused() {
    let dial = Fact::Dial(Dial { agent: "u-1".into(), number: PHONE.into(), about: None });
    let refused = sync().try_opened(News::of([dial])).unwrap_err();
    assert!(refused.contains("one seal of contact.phone from this call"), "{refused}");
}

#[test]
fn a_hook_that_is_not_granted_is_not_heard() {
    let refused = sync().try_hooked("others", &[], &json!({})).unwrap_err();
    assert!(refused.starts_with("denied (unknown-hook)"), "{refused}");
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(sync().try_hooked("changes", &[], &deep).unwrap_err(), "the body nests deeper than 32 levels");
}

#[test]
fn a_tick_gives_the_next_cursor() {
    let cx = sync();
    let news = cx.opened(Acme::handle_event(&cx, &Occasion::Tick { cursor: None }).unwrap());
    assert_eq!((news.next.as_deref(), news.more), (Some("c1"), false));
}

#[test]
#[should_panic(expected = "add \"store\" to `uses` in plugin.toml")]
fn an_interface_that_the_manifest_does_not_list_is_not_there() {
    let manifest = MANIFEST.replace("\"settings\", \"store\", \"log\"", "\"settings\", \"log\"");
    let cx = Host::new(&manifest).grant_all().cx::<Settings>();
    let _ = cx.store().get("cursor");
}

#[test]
#[should_panic(expected = "the test has no answer for this request")]
fn a_request_without_an_answer_fails_the_test() {
    let _ = find(&screen_pop().cx());
}

#[test]
#[should_panic(expected = "which plugin.toml does not declare")]
fn an_answer_for_a_route_that_is_not_there_fails_the_test() {
    let _ = host().answer("find-by-fone", 200, json!({}));
}

#[test]
#[should_panic(expected = "plugin.toml")]
fn a_manifest_with_mistakes_fails_the_test() {
    let _ = Host::new("[plugin]\nid = 1\n");
}
