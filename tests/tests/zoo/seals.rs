//! Animals that want to read, forge, keep or move what is sealed.

use ramal_capability::{DataClass, Direction, Level, Rule};
use ramal_engine::CallError;
use rstest::rstest;
use serde_json::{Value, json};

use super::crm::Answer;
use super::host::{Host, ask, authority, rule_in, unsealed};
use super::people;

fn params(route: &str, params: &[(&str, &str)]) -> Value {
    json!({"route": route, "params": params})
}

fn body(body: &str) -> Value {
    json!({"route": "note", "body": body})
}

#[rstest]
#[case::phone_as_name(params("by-name", &[("name", "$0")]), "seal-misplaced")]
#[case::phone_inside_a_name(params("by-name", &[("name", "Ana ($0)")]), "seal-misplaced")]
#[case::bounded_number(params("pair", &[("a", "$0"), ("b", "1"), ("n", "$0"), ("id", "x")]), "bounded")]
#[case::bounded_id(params("get", &[("id", "$0")]), "bounded")]
#[case::inside_an_id(params("get", &[("id", "c-$0")]), "bounded")]
#[case::name_of_a_parameter(params("find", &[("$0", "x")]), "params")]
#[case::name_of_a_route(params("$0", &[]), "unknown-route")]
#[case::bounded_in_a_body(body(r#"{"kind":"$0"}"#), "bounded")]
#[case::number_in_a_body(body(r#"{"seconds":"$0"}"#), "bounded")]
#[case::id_in_a_body(body(r#"{"id":"$0"}"#), "bounded")]
#[case::key_of_a_body(body(r#"{"$0":"call"}"#), "body-place")]
#[case::unlisted_place(body(r#"{"text":"x","more":{"text":"$0"}}"#), "body-place")]
#[case::element_of_a_list(body(r#"{"who":["$0"]}"#), "body-place")]
#[case::escaped_in_a_body(
    body(r#"{"kind":"\u0073ealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
    "bounded"
)]
#[case::escaped_and_made_up(
    body(r#"{"text":"\u0073ealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
    "seal-unknown"
)]
#[case::where_nothing_may_be(body(r#"{"options":"$0"}"#), "bounded")]
#[tokio::test]
async fn a_seal_in_a_wrong_place_is_denied_before_anything_leaves(
    #[case] request: Value,
    #[case] rule: &str,
) {
    let host = Host::open().await;
    let visited = host.animal("parrot").asked_to(&request).let_out().await;
    assert_eq!(visited.rule(), Some(rule), "{}", visited.error());
    assert_eq!(rule_in(&visited.took("answer")), Some(rule), "the animal must be told as well");
    assert!(visited.lines().is_empty());
    assert!(
        visited.report.rules.requests <= 1 && host.ledger.rows().len() == 1,
        "only the tame one's request left"
    );
}

#[tokio::test]
async fn a_seal_in_its_place_opens_there_and_nowhere_else() {
    let host = Host::open().await;
    let request = body(
        r#"{"kind":"call","seconds":7,"text":"from $0, \"twice\": $0","who":[{"phone":"$1"}],"options":{}}"#,
    );
    let visited = host.animal("parrot").asked_to(&request).let_out().await;
    assert_eq!(visited.code(), "ok", "{}", visited.error());
    let sent: Value = serde_json::from_str(&visited.asked[0].body).unwrap();
    assert_eq!(
        sent,
        json!({
            "kind": "call", "seconds": 7, "options": {},
            "text": format!("from {0}, \"twice\": {0}", people::PHONE),
            "who": [{"phone": people::OTHER_PHONE}],
        })
    );
    assert_eq!(visited.took("answer"), r#"200 {"id":"x-1"}"#);
    assert_eq!(host.ledger.rows()[0].classes, [(DataClass::ContactPhone, 3)].into());
}

#[tokio::test]
async fn forged_seals_open_nothing() {
    let host = Host::open().await;
    let visited = host.animal("forger").let_out().await;
    let answers = visited.took("answer");
    assert_eq!(answers.lines().count(), 9, "{answers}");
    for line in answers.lines() {
        let (what, answer) = line.split_once(": ").unwrap();
        assert_eq!(rule_in(answer), Some("seal-unknown"), "{what}: {answer}");
    }
    assert!(visited.lines().is_empty());
}

#[rstest]
#[case::at_the_class(22)]
#[case::in_the_token(30)]
#[case::in_the_prefix(3)]
#[tokio::test]
async fn a_seal_in_two_halves_opens_nothing(#[case] at: u64) {
    let host = Host::open().await;
    let visited = host.animal("shredder").number(at).let_out().await;
    if at == 3 {
        // Neither half looks like a seal: both are words, and leave as they are.
        let token = visited.lines()[0].clone();
        assert!(token.starts_with("GET /api/pair?a=sea&b=led_contact.phone_"), "{token}");
        return;
    }
    assert_eq!(visited.rule(), Some("seal-unknown"), "{}", visited.error());
    assert!(visited.lines().is_empty());
}

#[tokio::test]
async fn a_seal_in_capitals_is_words_and_opens_nothing() {
    let host = Host::open().await;
    let words = "SEALED_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA";
    let visited = host.animal("parrot").asked_to(&params("find", &[("phone", words)])).let_out().await;
    assert_eq!(visited.lines(), [format!("GET /api/contacts?phone={words}")]);
}

#[rstest]
#[case::in_a_request("", "seal-unknown")]
#[case::in_a_result("return it", "seal-unknown")]
#[tokio::test]
async fn a_seal_kept_from_an_earlier_call_opens_nothing(#[case] told: &str, #[case] rule: &str) {
    let host = Host::open().await;
    let keeper = host.animal("seal-keeper").let_out().await;
    assert_eq!((keeper.code(), keeper.took("seal").as_str()), ("ok", "‹contact.phone›"));
    let thief = host.animal("seal-thief").told(told).let_out().await;
    assert_eq!(thief.rule(), Some(rule), "{}", thief.error());
    assert!(thief.lines().is_empty());
}

#[tokio::test]
async fn a_seal_of_a_call_that_is_still_under_way_opens_nothing_in_another() {
    let host = Host::open().await;
    let gate = super::crm::Gate::closed();
    let held = gate.clone();
    host.crm.answers(move |_| Answer::json(200, &people::found()).held_by(&held));
    let keeper = host.animal("seal-keeper").load().await.unwrap();
    let thief = host.animal("seal-thief").load().await.unwrap();
    let (kept, stolen) = tokio::join!(keeper.call(authority(), ask(&[people::PHONE.into()])), async {
        gate.arrived(1).await;
        let stolen = thief.call(authority(), ask(&[people::PHONE.into()])).await;
        gate.open(1);
        stolen
    });
    assert!(kept.outcome.is_ok());
    let stolen = host.watched(stolen).await;
    assert_eq!(stolen.rule(), Some("seal-unknown"), "{}", stolen.error());
    assert_eq!(stolen.lines().len(), 1, "the keeper's request and no other");
}

#[tokio::test]
async fn a_guess_is_never_compared_with_a_seal() {
    let host = Host::open().await;
    let visited = host.animal("guesser").told(people::PHONE.trim_start_matches('+')).let_out().await;
    for line in visited.took("answer").lines() {
        assert_eq!(rule_in(line), Some("compare"), "{line}");
    }
    assert_eq!(visited.took("answer").lines().count(), 6);
}

#[tokio::test]
async fn seals_are_compared_a_limited_number_of_times() {
    // exceeds: comparisons
    let host = Host::open().await;
    let visited = host.animal("comparer").granted(|g| g.limits.comparisons = Some(5)).let_out().await;
    assert_eq!(visited.took("answers"), "5");
    assert_eq!(rule_in(&visited.took("answer")), Some("compare"));
}

#[tokio::test]
async fn text_functions_answer_in_kind_and_open_nothing() {
    let host = Host::open().await;
    let visited = host.animal("text-mixer").let_out().await;
    insta::assert_snapshot!(visited.took("answer"), @r"
    one seal or clear text, not both
    one seal or clear text, not both
    Ana ‹contact.phone›
    Ana ‹contact.phone›
    Ana ‹contact.phone›
    Ana ‹contact.phone›
    ‹contact.phone›
    ‹contact.phone›
    ‹contact.phone›
    ‹contact.phone›
    ");
}

#[tokio::test]
async fn seals_cannot_be_made_without_end() {
    // exceeds: seals
    let host = Host::open().await;
    let visited = host.animal("minter").granted(|g| g.limits.seals = Some(10)).let_out().await;
    assert_eq!(visited.took("made"), "8", "ten, two of which were handed in");
    let answer = visited.took("answer");
    assert_eq!(rule_in(&answer), Some("quota"), "{answer}");
    assert!(answer.ends_with("unchanged: [true, true]; 1"), "{answer}");
}

#[rstest]
#[case::handed_in(1, 0, "denied")]
#[case::in_an_answer(4, 1, "permanent")]
#[tokio::test]
async fn too_many_seals_are_no_call_and_no_answer(
    #[case] seals: u64,
    #[case] requests: usize,
    #[case] code: &str,
) {
    let host = Host::open().await;
    let visited = host
        .animal("parrot")
        .asked_to(&params("find", &[("phone", "$0")]))
        .granted(|g| g.limits.seals = Some(seals))
        .let_out()
        .await;
    assert_eq!((visited.code(), visited.lines().len()), (code, requests), "{}", visited.error());
}

#[rstest]
#[case::name("name", Rule::ResultPlace)]
#[case::inside_a_name("name in words", Rule::ResultPlace)]
#[case::organization("organization", Rule::ResultPlace)]
#[case::email("email", Rule::ResultPlace)]
#[case::owner("owner", Rule::ResultPlace)]
#[case::id("id", Rule::ResultPlace)]
#[case::link("url", Rule::ResultPlace)]
#[case::label("label", Rule::ResultPlace)]
#[case::made_up("made up", Rule::SealUnknown)]
#[case::cut("cut", Rule::SealUnknown)]
#[case::link_elsewhere("elsewhere", Rule::ResultPlace)]
#[case::script("script", Rule::ResultPlace)]
#[case::user_in_link("user in link", Rule::ResultPlace)]
#[case::terminal_control("control", Rule::ResultPlace)]
#[case::id_of_a_page("long id", Rule::ResultPlace)]
#[tokio::test]
async fn what_may_not_be_shown_there_is_not_shown(#[case] place: &str, #[case] rule: Rule) {
    let host = Host::open().await;
    let visited = host.animal("misplacer").told(place).let_out().await;
    match &visited.outcome {
        Err(CallError::Denied(denial)) => assert_eq!(denial.rule, rule),
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::phone("phone")]
#[case::extra("extra")]
#[tokio::test]
async fn what_may_be_shown_is_shown_to_people(#[case] place: &str) {
    let host = Host::open().await;
    let visited = host.animal("misplacer").told(place).let_out().await;
    let contact = &visited.outcome.unwrap()[0];
    let shown = contact.phones.first().or(contact.extra.first().map(|(_, shown)| shown)).unwrap();
    assert_eq!(shown.value.expose(), people::PHONE);
}

#[tokio::test]
async fn an_error_that_boasts_is_masked() {
    let host = Host::open().await;
    let visited = host.animal("boaster").told("found nobody:").let_out().await;
    let words = "found nobody: [contact.phone] [contact.phone] | FOUND NOBODY: SEALED_CONTACT.PHONE_";
    assert!(visited.error().starts_with(words), "{}", visited.error());
}

#[tokio::test]
async fn a_log_that_tells_tales_is_masked() {
    let host = Host::open().await;
    let visited = host.animal("tattler").told("told by nobody").let_out().await;
    assert_eq!(visited.code(), "permanent");
    let lines = host.lines.all();
    assert_eq!(lines.len(), 16);
    assert_eq!(lines[0], "[contact.phone]");
    insta::assert_snapshot!(lines[12], @r#"200 {"total":1,"items":[{"id":"c-0001","name":"[contact.name]","phone":"[contact.phone]","email":"[contact.email]","document":"[contact.document]"}]}"#);
}

#[tokio::test]
async fn a_value_in_clear_that_is_granted_is_masked_on_its_way_to_operators() {
    let host = Host::open().await;
    let clear = "from-crm = \"clear\"\nreason = \"to tell two";
    let cage = host
        .animal("tattler")
        .declaring("from-crm = \"sealed\"\nreason = \"to tell two", clear)
        .granted(|g| g.classes.set(DataClass::ContactEmail, Direction::FromCrm, Level::Clear));
    let plugin = cage.load().await.unwrap();
    let called = plugin.call(authority(), ask(&[people::PHONE.into()])).await;
    let received = unsealed(&host.kept()["answer"]);
    assert!(received.contains(people::EMAIL), "it was granted: {received}");
    let lines = host.lines.all().join("\n") + &called.outcome.unwrap_err().to_string();
    assert!(!lines.to_lowercase().contains(people::EMAIL), "{lines}");
}

#[tokio::test]
async fn the_store_takes_no_seal_and_no_key_that_reaches_elsewhere() {
    let host = Host::open().await;
    let visited = host.animal("key-trickster").let_out().await;
    let answer = visited.took("answer");
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines.len(), 8);
    assert!(lines[..7].iter().all(|line| line.starts_with("a key has 1 to 200 of")), "{answer}");
    assert_eq!(lines[7], "a seal is worth nothing after this call; store no seals");
}
