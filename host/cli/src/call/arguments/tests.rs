use std::collections::HashSet;

use rstest::rstest;

use super::*;

const NOW: &str = "2026-11-23T12:00:00Z";

fn read(export: Export, given: &[&str]) -> Outcome<Request> {
    let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
    parse(export, &given, Region::BR, NOW.parse().unwrap())
}

fn told(failure: Failure) -> String {
    let (messages, hints) = failure.words();
    format!("{} | {}", messages.join(": "), hints.join(" / "))
}

#[test]
fn no_two_functions_share_their_short_name() {
    let names: HashSet<&str> = Export::ALL.iter().map(|export| short(*export)).collect();
    assert_eq!(names.len(), Export::ALL.len());
}

#[test]
fn every_function_is_found_by_either_name() {
    for &one in Export::ALL {
        assert_eq!(export(one.as_str()).unwrap(), one);
        assert_eq!(export(short(one)).unwrap(), one);
    }
}

#[test]
fn every_function_takes_what_its_table_lists() {
    for &export in Export::ALL {
        let value = |name: &str| match name {
            "phone" => "(11) 98765-4321",
            "mode" => "anonymise",
            "limit" => "20",
            "header" => "X-Acme-Event: updated",
            "channel" => "sms",
            "direction" => "outbound",
            "outcome" => "missed",
            "started" => "2026-11-23T11:00:00Z",
            "answered" | "ended" => "2026-11-23T11:01:00Z",
            _ => "x",
        };
        let given: Vec<String> =
            // A cursor belongs to a tick, and all that is here to a hook.
            fields(export).iter().filter(|(name, _)| export != Export::EventsHandle || *name != "cursor")
                .map(|(name, _)| format!("{name}={}", value(name))).collect();
        let parsed = parse(export, &given, Region::BR, NOW.parse().unwrap());
        assert!(parsed.is_ok(), "{export}: {:?}", parsed.err());
    }
}

#[test]
fn without_a_hook_it_is_a_tick() {
    let Ok(Request::Handle(tick)) = read(Export::EventsHandle, &["cursor=c1"]) else {
        panic!("wrong request")
    };
    assert!(matches!(tick, HandleEvent::Tick { cursor: Some(c) } if c == "c1"));
    let Ok(Request::Handle(hook)) =
        read(Export::EventsHandle, &["hook=changes", "header=X-Event: made", "body={}"])
    else {
        panic!("wrong request")
    };
    let HandleEvent::Hook { came, .. } = hook else { panic!("not the hook") };
    assert_eq!(came.headers, [("x-event".to_owned(), "made".to_owned())]);
    assert!(told(read(Export::EventsHandle, &["body={}"]).unwrap_err()).contains("hook=NAME"));
}

#[test]
fn a_number_is_handed_in_under_every_form_that_a_crm_may_hold() {
    let Ok(Request::FindByPhone(ask)) = read(Export::ContactsFindByPhone, &["phone=(11) 98765-4321"]) else {
        panic!("wrong request")
    };
    let forms: Vec<&str> = ask.candidates.iter().map(Clear::expose).collect();
    assert_eq!(forms, ["+5511987654321", "+551187654321"]);
}

#[test]
fn an_entry_without_arguments_is_a_minute_that_has_just_ended() {
    let Ok(Request::Write(ask)) = read(Export::JournalWrite, &["counterpart=+5511987654321"]) else {
        panic!("wrong request")
    };
    let entry = ask.entry;
    let now: Timestamp = NOW.parse().unwrap();
    assert_eq!(entry.ended, Some(now.as_millisecond() as u64));
    assert_eq!(entry.started, now.as_millisecond() as u64 - 60_000);
    assert_eq!((entry.answered, entry.outcome), (Some(entry.started), CallOutcome::Answered));
}

#[rstest]
#[case::unknown(
    Export::ContactsGet,
    &["id=1", "nome=Ana"],
    "contacts.get has no argument `nome` | contacts.get: it takes id"
)]
#[case::none_taken(
    Export::ConnectorCheck,
    &["phone=1"],
    "connector.check has no argument `phone` | connector.check: it takes none"
)]
#[case::missing(
    Export::ContactsFindByPhone,
    &[],
    "contacts.find-by-phone needs the argument `phone` | add --arg phone=VALUE; it takes phone"
)]
#[case::twice(
    Export::ContactsGet,
    &["id=1", "id=2"],
    "the argument `id` is given twice | contacts.get: it takes id"
)]
#[case::no_choice(
    Export::PrivacyEraseSubject,
    &["contact=1", "mode=burn"],
    "the argument `mode` is wrong | write mode=one of erase, anonymise"
)]
#[case::no_time(
    Export::JournalWrite,
    &["started=yesterday"],
    "the argument `started` is wrong | write started=2026-11-23T12:00:00Z"
)]
#[case::ends_before_it_starts(
    Export::JournalWrite,
    &["started=2026-11-23T12:00:00Z", "ended=2026-11-23T11:00:00Z"],
    "the argument `ended` is wrong | write ended=a time after the start"
)]
#[case::too_many(
    Export::UsersList,
    &["limit=201"],
    "the argument `limit` is wrong | write limit=a number from 1 to 200"
)]
fn a_wrong_argument_says_what_to_write(
    #[case] export: Export,
    #[case] given: &[&str],
    #[case] expected: &str,
) {
    assert_eq!(told(read(export, given).unwrap_err()), expected);
}

#[rstest]
#[case::no_equals_sign(&["+5521912345678"])]
#[case::a_number_for_a_name(&["+5521912345678=phone"])]
#[case::a_name_for_a_name(&["Ana Lima=phone"])]
#[case::no_number(&["phone=Ana Lima 2191234"])]
fn no_error_repeats_what_may_be_a_customers_value(#[case] given: &[&str]) {
    let text = told(read(Export::ContactsFindByPhone, given).unwrap_err());
    assert!(!text.contains("2191234") && !text.contains("Ana"), "{text}");
}

#[test]
fn a_mistyped_function_names_the_near_one() {
    let text = told(export("contacts.find-by-fone").unwrap_err());
    assert!(text.starts_with("`contacts.find-by-fone` is no function of ramal:crm | did you mean"), "{text}");
}
