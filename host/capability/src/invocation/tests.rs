use super::*;
use crate::class::DataClass as C;
use crate::fixture::{begin, plan, plan_with};
use crate::purpose::Purpose;
use data_encoding::BASE64URL;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

const PHONE: &str = "+5511900000021";

fn call(route: &str, params: &[(&str, &str)], body: Option<&str>) -> EgressCall {
    EgressCall {
        route: route.into(),
        params: params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: body.map(str::to_owned),
    }
}

fn sealed(inv: &mut Invocation, class: C, value: &str) -> String {
    inv.hand_in(class, &Clear::from(value)).unwrap().unwrap()
}

fn denied(result: Result<Prepared, EgressFailure>) -> Denial {
    match result {
        Err(EgressFailure::Denied(denial)) => denial,
        other => panic!("{other:?}"),
    }
}

/// The first request of an ordinary screen pop, with its phone opened in place.
fn found(inv: &mut Invocation) -> Prepared {
    let phone = sealed(inv, C::ContactPhone, PHONE);
    inv.prepare(&call("find", &[("phone", &phone)], None)).unwrap()
}

#[test]
fn a_seal_is_opened_at_its_place_and_encoded_for_it() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let prepared = found(&mut inv);
    assert_eq!(prepared.method().as_str(), "GET");
    assert_eq!(prepared.origin().to_string(), "https://crm.example");
    let target = prepared.target().expose();
    let domain = target.strip_prefix("/api/contacts?d=").unwrap().strip_suffix("&limit=10").unwrap();
    let domain = percent_encoding::percent_decode_str(domain).decode_utf8().unwrap().into_owned();
    let domain: Value = serde_json::from_slice(&BASE64URL.decode(domain.as_bytes()).unwrap()).unwrap();
    assert_eq!(domain, json!([["phone", "=", PHONE], ["company", "=", 1]]));
    let (name, context) = &prepared.headers()[0];
    assert_eq!(name, "X-Context");
    assert_eq!(BASE64URL.decode(context.expose().as_bytes()).unwrap(), br#"{"company":1}"#);
    assert_eq!(prepared.disclosed(), [crate::Disclosed { class: C::ContactPhone, count: 1 }]);
}

#[rstest]
#[case::unknown_route(&[], "nope", &[], None, Rule::UnknownRoute)]
#[case::route_not_granted(&[], "secret", &[], None, Rule::Route)]
#[case::route_for_other_purpose(&[], "log", &[], Some("{}"), Rule::RoutePurpose)]
#[case::param_missing(&[], "find", &[], None, Rule::Params)]
#[case::param_unknown(&[], "find", &[("phone", "x"), ("more", "y")], None, Rule::Params)]
#[case::param_twice(&[], "find", &[("phone", "x"), ("phone", "y")], None, Rule::Params)]
#[case::body_unwanted(&[], "find", &[("phone", "x")], Some("{}"), Rule::Body)]
#[case::forged_seal(&[], "find", &[("phone", "sealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA")], None, Rule::SealUnknown)]
#[case::seal_of_other_class(&[(C::ContactName, "Ana (made up)")], "find", &[("phone", "@0")], None, Rule::SealMisplaced)]
#[case::seal_in_bounded(&[(C::ContactPhone, PHONE)], "get", &[("id", "@0")], None, Rule::Bounded)]
#[case::text_in_bounded(&[], "get", &[("id", "a/../b")], None, Rule::Bounded)]
#[case::encoded_slash(&[], "get", &[("id", "a%2fb")], None, Rule::Bounded)]
#[case::crlf_in_bounded(&[], "get", &[("id", "a\r\nX: y")], None, Rule::Bounded)]
#[case::dots(&[], "get", &[("id", "..")], None, Rule::Bounded)]
fn wrong_requests_are_denied_before_any_effect(
    #[case] seals: &[(C, &str)],
    #[case] route: &str,
    #[case] params: &[(&str, &str)],
    #[case] body: Option<&str>,
    #[case] rule: Rule,
) {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let seals: Vec<String> = seals.iter().map(|(class, value)| sealed(&mut inv, *class, value)).collect();
    let params: Vec<(&str, &str)> =
        params.iter().map(|(n, v)| (*n, if *v == "@0" { seals[0].as_str() } else { *v })).collect();
    let denial = denied(inv.prepare(&call(route, &params, body)));
    assert_eq!(denial.rule, rule, "{denial}");
    assert!(!denial.to_string().contains("5511"), "{denial}");
}

#[rstest]
#[case::slash("Ana/../admin")]
#[case::backslash("Ana\\x")]
#[case::line_break("Ana\r\nX-Evil: 1")]
#[case::accent_in_header("Ânia")]
fn a_value_that_has_no_safe_spelling_is_denied(#[case] name: &str) {
    let mut inv = begin(&plan(), Purpose::Search);
    let seal = sealed(&mut inv, C::ContactName, name);
    assert_eq!(denied(inv.prepare(&call("by-name", &[("name", &seal)], None))).rule, Rule::Unencodable);
}

#[test]
fn a_seal_kept_from_an_earlier_call_opens_nothing() {
    let plan = plan();
    let kept = sealed(&mut begin(&plan, Purpose::ScreenPop), C::ContactPhone, PHONE);
    let mut later = Invocation::begin(
        plan,
        crate::fixture::authority(Purpose::ScreenPop),
        Export::ContactsFindByPhone,
        [10; 32],
    )
    .unwrap();
    assert_eq!(denied(later.prepare(&call("find", &[("phone", &kept)], None))).rule, Rule::SealUnknown);
}

#[rstest]
#[case::good(r#"{"kind":"call","seconds":143,"text":"from @0, bye","who":[{"phone":"@0"}],"options":{}}"#, Ok(r#"{"kind":"call","seconds":143,"text":"from +5511900000021, bye","who":[{"phone":"+5511900000021"}],"options":{}}"#))]
#[case::key_not_listed(r#"{"kind":"call","admin":true}"#, Err(Rule::BodyPlace))]
#[case::key_injection(r#"{"kind":"call","who":[{"phone\":\"x\",\"admin":"1"}]}"#, Err(Rule::BodyPlace))]
#[case::key_twice(r#"{"kind":"call","kind":"message"}"#, Err(Rule::BodyPlace))]
#[case::seal_as_key(r#"{"@0":"call"}"#, Err(Rule::BodyPlace))]
#[case::seal_at_enum(r#"{"kind":"@0"}"#, Err(Rule::Bounded))]
#[case::word_not_in_enum(r#"{"kind":"wire"}"#, Err(Rule::Bounded))]
#[case::number_over(r#"{"seconds":99999999}"#, Err(Rule::Bounded))]
#[case::list_for_value(r#"{"kind":["call"]}"#, Err(Rule::BodyPlace))]
#[case::object_for_value(r#"{"text":{"a":1}}"#, Err(Rule::BodyPlace))]
#[case::options_full(r#"{"options":{"a":1}}"#, Err(Rule::BodyPlace))]
#[case::top_level_text(r#""@0""#, Err(Rule::BodyPlace))]
#[case::no_json(r#"{"kind":"#, Err(Rule::Body))]
#[case::two_documents(r#"{"kind":"call"}{}"#, Err(Rule::Body))]
#[case::text_keeps_its_quotes(
    r#"{"text":"say \"hi\" \\ @0"}"#,
    Ok(r#"{"text":"say \"hi\" \\ +5511900000021"}"#)
)]
fn a_body_is_written_anew_with_listed_places_only(#[case] body: &str, #[case] expected: Result<&str, Rule>) {
    let mut inv = begin(&plan(), Purpose::Journal);
    let phone = sealed(&mut inv, C::ContactPhone, PHONE);
    let got = inv.prepare(&call("log", &[], Some(&body.replace("@0", &phone))));
    match (got, expected) {
        (Ok(prepared), Ok(text)) => assert_eq!(prepared.body().unwrap().expose(), text),
        (Err(EgressFailure::Denied(denial)), Err(rule)) => {
            assert_eq!(denial.rule, rule, "{denial}");
            assert!(
                !denial.to_string().contains("5511") && !denial.to_string().contains("admin"),
                "{denial}"
            );
        }
        (got, _) => panic!("{got:?}"),
    }
}

#[test]
fn a_value_with_quotes_stays_inside_its_json_text() {
    let mut inv = begin(&plan(), Purpose::Journal);
    let note = sealed(&mut inv, C::InteractionText, r#"x","admin":true,"y":""#);
    let prepared = inv.prepare(&call("log", &[], Some(&json!({"text": note}).to_string()))).unwrap();
    let body: Value = serde_json::from_str(prepared.body().unwrap().expose()).unwrap();
    assert_eq!(body, json!({"text": r#"x","admin":true,"y":""#}));
}

#[test]
fn requests_and_bytes_of_a_call_are_limited() {
    let plan = plan_with(|g| {
        g.limits.requests = Some(1);
        g.limits.request_bytes = Some(400);
    });
    let mut inv = begin(&plan, Purpose::Journal);
    let long = json!({"text": "x".repeat(500)}).to_string();
    assert_eq!(denied(inv.prepare(&call("log", &[], Some(&long)))).rule, Rule::Quota);
    assert_eq!(denied(inv.prepare(&call("log", &[], Some("{}")))).rule, Rule::Quota);
}

fn projected(inv: &mut Invocation, status: u16, body: &Value) -> Result<Value, EgressFailure> {
    let prepared = found(inv);
    let reply = inv.project(&prepared, status, body.to_string().as_bytes())?;
    assert_eq!(reply.status, status);
    Ok(serde_json::from_str(&reply.body).unwrap())
}

#[test]
fn an_answer_gives_listed_fields_at_their_levels_and_nothing_else() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let answer = json!({
        "total": 1, "secret": "x",
        "items": [{
            "id": "c-7", "name": "Ana Inventada", "email": "ana@example.invalid", "note": "calls often",
            "document": "000.000.000-00", "deal": "Plano anual", "state": "open", "password": "p",
            "mechanisms": [
                {"type": "phone", "value": "+5511900000099"},
                {"value": "b@example.invalid", "type": "email"},
                {"type": "fax", "value": "123"},
                {"value": "123"}
            ]
        }]
    });
    let got = projected(&mut inv, 200, &answer).unwrap();
    let item = &got["items"][0];
    let name = item["name"].as_str().unwrap();
    assert!(name.starts_with("sealed_contact.name_"), "{got}");
    assert_eq!(inv.show(Place::ContactName, name).unwrap().value.expose(), "Ana Inventada");
    let phone = item["mechanisms"][0]["value"].as_str().unwrap();
    assert_eq!(inv.show(Place::ContactPhone, phone).unwrap().value.expose(), "+5511900000099");
    let expected = json!({
        "total": 1,
        "items": [{
            "id": "c-7", "name": name, "email": "a•••@•••.invalid", "note": true, "deal": "Plano anual", "state": "open",
            "mechanisms": [{"value": phone}, {"value": "b•••@•••.invalid"}, {}, {}]
        }]
    });
    assert_eq!(got, expected);
    let levels: Vec<String> = inv
        .report()
        .seen
        .iter()
        .map(|s| format!("{} {} {} {}", s.class, s.direction, s.level, s.count))
        .collect();
    assert_eq!(
        levels,
        [
            "contact.phone to-plugin sealed 1",
            "contact.name from-crm sealed 1",
            "contact.email from-crm masked 2",
            "contact.note from-crm exists 1",
            "contact.document from-crm none 1",
            "work.item from-crm clear 1",
            "contact.phone from-crm sealed 1",
        ]
    );
}

#[rstest]
#[case::plain("5511900000021")]
#[case::hex("2b35353131393030303030303231")]
#[case::base64("KzU1MTE5MDAwMDAwMjE")]
#[case::reversed("1200000091155")]
#[case::national("11900000021")]
fn an_echo_of_an_opened_value_in_an_id_is_withheld(#[case] echo: &str) {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let got = projected(&mut inv, 200, &json!({"items": [{"id": echo, "state": "open"}]})).unwrap();
    assert_eq!(got, json!({"items": [{"state": "open"}]}));
    assert_eq!(inv.report().withheld, 1);
}

#[test]
fn an_echo_split_over_bounded_fields_withholds_the_answer() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let items: Vec<Value> = ["5511", "9000", "0002", "1"].iter().map(|id| json!({"id": id})).collect();
    let failure = projected(&mut inv, 200, &json!({"items": items})).unwrap_err();
    assert!(matches!(failure, EgressFailure::Unavailable(_)));
    assert_eq!(inv.report().withheld, 1);
}

#[test]
fn a_credential_that_comes_back_is_withheld() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    inv.guard(&Clear::from("made-up-key-12345"));
    let got = projected(&mut inv, 200, &json!({"items": [{"id": "made-up-key-12345"}]})).unwrap();
    assert_eq!(got, json!({"items": [{}]}));
}

#[rstest]
#[case::misfit(json!({"total": "many", "items": [{"id": "Ana Lima", "state": "lost"}]}), json!({"items": [{}]}))]
#[case::wrong_shapes(json!({"total": {"a": 1}, "items": {"id": "c-7"}}), json!({"items": {}}))]
#[case::nulls(json!({"total": null, "items": [null, {"id": null}]}), json!({"total": null, "items": [null, {"id": null}]}))]
#[case::list_at_top(json!([1, 2]), json!([null, null]))]
#[case::scalar(json!("x"), json!({}))]
#[case::key_case(json!({"Total": 1}), json!({}))]
fn what_does_not_fit_is_dropped(#[case] answer: Value, #[case] expected: Value) {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    assert_eq!(projected(&mut inv, 200, &answer).unwrap(), expected);
}

#[test]
fn a_name_that_comes_twice_counts_once() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let prepared = found(&mut inv);
    let reply = inv.project(&prepared, 200, br#"{"total":1,"total":2}"#).unwrap();
    assert_eq!(reply.body, r#"{"total":1}"#);
}

#[test]
fn an_error_answer_gives_its_own_list_only() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let answer = json!({"code": "no-right", "message": "Ana Inventada may not", "items": [{"id": "c-7"}]});
    assert_eq!(projected(&mut inv, 400, &answer).unwrap(), json!({"code": "no-right"}));
    let prepared = found(&mut inv);
    assert_eq!(inv.project(&prepared, 404, b"<html>").unwrap().body, "{}");
}

#[rstest]
#[case::not_json(b"<html>".to_vec())]
#[case::cut(br#"{"items":[{"id":"#.to_vec())]
#[case::more_after(b"{} {}".to_vec())]
#[case::bad_utf8(b"{\"items\":[{\"name\":\"\xff\"}]}".to_vec())]
fn an_answer_that_is_no_json_is_unavailable_and_quotes_nothing(#[case] body: Vec<u8>) {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let prepared = found(&mut inv);
    match inv.project(&prepared, 200, &body) {
        Err(EgressFailure::Unavailable(text)) => {
            assert!(text.starts_with("the answer is no JSON (line"), "{text}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_deep_or_large_answer_is_too_large() {
    let plan = plan_with(|g| {
        g.limits.answer_bytes = Some(1_000);
        g.limits.json_depth = Some(4);
    });
    let mut inv = begin(&plan, Purpose::ScreenPop);
    let prepared = found(&mut inv);
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(20), "]".repeat(20));
    assert_eq!(inv.project(&prepared, 200, deep.as_bytes()), Err(EgressFailure::TooLarge));
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(1_000));
    assert_eq!(inv.project(&prepared, 200, large.as_bytes()), Err(EgressFailure::TooLarge));
}

#[test]
fn too_many_seals_are_too_large() {
    let plan = plan_with(|g| g.limits.seals = Some(3));
    let mut inv = begin(&plan, Purpose::ScreenPop);
    let items: Vec<Value> = (0..5).map(|i| json!({"name": format!("Person {i}")})).collect();
    assert_eq!(projected(&mut inv, 200, &json!({"items": items})), Err(EgressFailure::TooLarge));
}

#[test]
fn text_functions_answer_in_kind() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let phone = sealed(&mut inv, C::ContactPhone, "+5511900000021");
    let name = sealed(&mut inv, C::ContactName, "Maria da Silva");
    let national = inv.phone_format(&phone, PhoneStyle::Digits).unwrap();
    assert!(national.starts_with("sealed_contact.phone_"));
    assert_eq!(inv.show(Place::ContactPhone, &national).unwrap().value.expose(), "5511900000021");
    assert_eq!(inv.phone_format("+5511900000021", PhoneStyle::Digits).unwrap(), "5511900000021");
    let family = inv.family_name(&name);
    assert_eq!(inv.show(Place::ContactName, &family).unwrap().value.expose(), "da Silva");
    assert_eq!(inv.given_name("Maria da Silva"), "Maria");
    let lower = inv.lower(&name);
    assert_eq!(inv.show(Place::ContactName, &lower).unwrap().value.expose(), "maria da silva");
    let mobile = sealed(&mut inv, C::ContactPhone, "+5511987650021");
    let variants = inv.phone_variants(&mobile);
    assert!(variants.len() >= 2 && variants.iter().all(|v| v.starts_with("sealed_contact.phone_")));
    assert!(inv.phone_format(&format!("x {phone}"), PhoneStyle::E164).is_err());
    assert!(inv.phone_format(&name, PhoneStyle::E164).unwrap_err().contains("not a telephone number"));
}

#[test]
fn same_never_compares_a_guess_with_a_seal() {
    let plan = plan_with(|g| g.limits.comparisons = Some(2));
    let mut inv = begin(&plan, Purpose::ScreenPop);
    let a = sealed(&mut inv, C::ContactPhone, PHONE);
    let b = sealed(&mut inv, C::ContactPhone, PHONE);
    assert_eq!(inv.same(&a, &b), Ok(true));
    assert_eq!(inv.same("x", "y"), Ok(false));
    assert_eq!(inv.same(&a, PHONE).unwrap_err().rule, Rule::Compare);
    assert_eq!(inv.same(PHONE, &a).unwrap_err().rule, Rule::Compare);
    assert_eq!(inv.same(&a, &format!("{b} ")).unwrap_err().rule, Rule::Compare);
    assert_eq!(inv.same(&a, &b), Ok(true));
    assert_eq!(inv.same(&a, &b).unwrap_err().rule, Rule::Compare, "the third comparison of seals");
}

#[test]
fn returned_plain_fields_hold_no_seal() {
    let mut inv = begin(&plan(), Purpose::ScreenPop);
    let phone = sealed(&mut inv, C::ContactPhone, PHONE);
    assert_eq!(inv.plain("id", &phone, 100).unwrap_err().rule, Rule::ResultPlace);
    assert!(inv.plain("id", "c-7", 100).is_ok());
    assert!(inv.plain("id", &"a".repeat(101), 100).is_err());
    assert!(inv.link("https://crm.example/c/7").is_ok());
    assert_eq!(inv.link("https://evil.example/c/7").unwrap_err().rule, Rule::ResultPlace);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever the CRM puts into whatever field: a value of a sealed class is never in what the guest gets.
    #[test]
    fn a_sealed_value_never_appears_in_what_the_guest_gets(
        value in "[A-Za-zÀ-ü0-9+@ \"\\\\]{8,40}",
        extra in "[a-z]{1,8}",
        more in any::<bool>(),
    ) {
        let plan = plan_with(|g| {
            g.classes.set(C::WorkItem, Direction::FromCrm, Level::Sealed);
            g.classes.set(C::ContactEmail, Direction::FromCrm, Level::Sealed);
        });
        let mut inv = begin(&plan, Purpose::ScreenPop);
        let mut item = json!({
            "name": value, "email": value, "note": value, "document": value, "deal": value,
            "mechanisms": [{"type": "phone", "value": value}, {"type": value, "value": value}],
        });
        item[&extra] = json!(value);
        let prepared = found(&mut inv);
        let body = if more { json!({"items": [item, value, [value]], &extra: value}) } else { json!({"items": [item]}) };
        let reply = inv.project(&prepared, 200, body.to_string().as_bytes()).unwrap();
        let quoted = serde_json::to_string(&value).unwrap();
        prop_assert!(!reply.body.contains(value.as_str()) && !reply.body.contains(quoted.trim_matches('"')), "{}", reply.body);
    }

    /// Whatever a sealed value is: it stands in its place of the address, of a header or of the body, and
    /// nowhere else.
    #[test]
    fn a_value_cannot_leave_its_place(value in any::<String>()) {
        let mut inv = begin(&plan(), Purpose::ScreenPop);
        let phone = sealed(&mut inv, C::ContactPhone, &value);
        let prepared = inv.prepare(&call("find", &[("phone", &phone)], None)).unwrap();
        let url = url::Url::parse(&format!("https://crm.example{}", prepared.target().expose())).unwrap();
        prop_assert_eq!(url.path(), "/api/contacts");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        prop_assert_eq!(pairs.len(), 2);
        let domain: Value = serde_json::from_slice(&BASE64URL.decode(pairs[0].1.as_bytes()).unwrap()).unwrap();
        prop_assert_eq!(domain, json!([["phone", "=", value], ["company", "=", 1]]));

        let mut inv = begin(&plan(), Purpose::Journal);
        let phone = sealed(&mut inv, C::ContactPhone, &value);
        let body = json!({"kind": "call", "text": format!("a {phone} b")}).to_string();
        let prepared = inv.prepare(&call("log", &[], Some(&body))).unwrap();
        let sent: Value = serde_json::from_str(prepared.body().unwrap().expose()).unwrap();
        prop_assert_eq!(sent, json!({"kind": "call", "text": format!("a {value} b")}));
    }

    /// No bytes of an answer make the projection panic or give more than JSON.
    #[test]
    fn any_answer_is_survived(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut inv = begin(&plan(), Purpose::ScreenPop);
        let prepared = found(&mut inv);
        if let Ok(reply) = inv.project(&prepared, 200, &body) {
            prop_assert!(serde_json::from_str::<Value>(&reply.body).is_ok());
        }
    }
}
