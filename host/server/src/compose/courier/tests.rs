//! Made-up entries and every way in which a call can end.

use super::*;
use ramal_capability::InteractionId;
use ramal_center::{CenterParts, CenterSettings, Silent, SystemClock};
use ramal_engine::Stop;
use ramal_store::memory::MemoryStore;
use ramal_store::{Channel, DeliveryId, Lane};
use rstest::rstest;
use uuid::Uuid;

fn courier(panel: Option<&str>) -> PluginCourier {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let store = Arc::new(MemoryStore::new(10));
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store,
        observer: Arc::new(Silent),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    });
    let panel = panel.map(|url| url.parse().unwrap());
    PluginCourier::new(&HashMap::new(), center, Accounts::default(), Arc::new(key), panel)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + millis).unwrap()
}

fn entry() -> JournalEntry {
    let mut entry = JournalEntry::new(
        InteractionId(Uuid::from_u128(7)),
        Channel::Mobile,
        InteractionDirection::Inbound,
        JournalOutcome::Answered,
        at(0),
    );
    entry.counterpart = Some(Clear::new("+5511987654321"));
    entry.ended = Some(at(90_500));
    entry.recording = Some("0190a5b0-0000-7000-8000-000000000001".to_owned());
    entry
}

fn job(step: &str) -> Leased {
    let tenant = TenantId::new("acme").unwrap();
    let target = Target::Plugin(PluginId::new("practice").unwrap());
    let interaction = Some(InteractionId(Uuid::from_u128(7)));
    let step = Step(step.to_owned());
    Leased {
        id: DeliveryId(Uuid::nil()),
        lease: Uuid::nil(),
        key: NewDelivery::key(&tenant, &target, interaction, &step),
        tenant,
        target,
        lane: Lane("contact:1".to_owned()),
        interaction,
        step,
        payload: Clear::new(entry().to_payload().unwrap()),
        tries: 1,
        first_tried_at: at(0),
        record: None,
    }
}

fn denial(rule: Rule) -> CallError {
    CallError::Denied(Denial::new(rule, "asked", "granted"))
}

#[rstest]
#[case::expired(PluginError::AuthExpired.into(), "pause auth-expired")]
#[case::limited(PluginError::RateLimited(Some(90)).into(), "wait 90 s")]
#[case::limited_without_a_word(PluginError::RateLimited(None).into(), "wait")]
#[case::transient(PluginError::Transient("502".into()).into(), "retry transient")]
#[case::unknown(PluginError::Other("x".into(), "y".into()).into(), "retry other")]
#[case::invalid(PluginError::Invalid("no party".into()).into(), "dead invalid")]
#[case::gone(PluginError::NotFound.into(), "dead not-found")]
#[case::forbidden_for_this_one(PluginError::Denied("403".into()).into(), "dead plugin-denied")]
#[case::permanent(PluginError::Permanent("no".into()).into(), "dead permanent")]
#[case::not_offered(PluginError::Unsupported.into(), "dead unsupported")]
#[case::grant_ended(denial(Rule::GrantEnded), "pause denied")]
#[case::purpose(denial(Rule::Purpose), "pause denied")]
#[case::suspended(denial(Rule::Suspended), "pause denied")]
#[case::this_entry_breaks_a_rule(denial(Rule::ResultPlace), "dead denied")]
#[case::no_ledger(denial(Rule::Ledger), "retry denied")]
#[case::slow(CallError::Stopped { stop: Stop::WallTime, said: None }, "retry wall-time")]
#[case::panic(CallError::Stopped { stop: Stop::Panic, said: None }, "dead panic")]
#[case::busy(CallError::Busy("calls in one minute"), "not tried, 2 s")]
#[case::resting(CallError::Quarantined { stops: 3, seconds: 700 }, "not tried, 700 s")]
#[case::missing(CallError::Missing(Export::JournalWrite), "pause missing")]
#[case::large(CallError::ResultTooLarge(1), "dead result-too-large")]
#[case::host(CallError::Host("shutting down".into()), "retry host")]
fn each_end_of_a_call_has_its_outcome(#[case] error: CallError, #[case] expected: &str) {
    let told = match outcome(Err(error)) {
        Outcome::Done(_) => "done".to_owned(),
        Outcome::Transient(failure) => format!("retry {}", failure.code),
        Outcome::RetryAfter(Some(wait), _) => format!("wait {} s", wait.as_secs()),
        Outcome::RetryAfter(None, _) => "wait".to_owned(),
        Outcome::Untried(wait, _) => format!("not tried, {} s", wait.as_secs()),
        Outcome::Permanent(failure) => format!("dead {}", failure.code),
        Outcome::AuthExpired(failure) | Outcome::Denied(failure) => format!("pause {}", failure.code),
    };
    assert_eq!(told, expected);
}

#[test]
fn an_entry_is_told_in_the_terms_of_the_contract() {
    let told = courier(Some("https://ramal.example/")).entry(entry(), "key".to_owned());
    assert_eq!((told.channel.as_str(), told.idempotency_key.as_str()), ("mobile", "key"));
    assert_eq!((told.direction, told.outcome), (CallDirection::Inbound, CallOutcome::Answered));
    assert_eq!((told.started, told.ended), (1_780_000_000_000, Some(1_780_000_090_500)));
    assert_eq!(
        told.recording.unwrap().expose(),
        "https://ramal.example/recordings/0190a5b0-0000-7000-8000-000000000001"
    );
}

#[test]
fn without_an_address_of_the_panel_there_is_no_link() {
    assert!(courier(None).entry(entry(), "key".to_owned()).recording.is_none());
}

#[rstest]
#[case::first("journal", "journal")]
#[case::later("amend:3", "journal")]
#[case::day("journal:2026-11-23", "journal:2026-11-23")]
#[case::later_of_a_day("amend:2026-11-23:3", "journal:2026-11-23")]
fn what_is_written_first_has_the_key_of_the_first_account(#[case] step: &str, #[case] of: &str) {
    assert_eq!(first_key(&job(step)), job(of).key);
}

#[test]
fn the_subject_is_a_pseudonym_and_the_same_for_the_same_person() {
    let subject = |number: &str| {
        let mut entry = entry();
        entry.counterpart = Some(Clear::new(number));
        courier(None).authority(&job("journal"), &entry).subject.unwrap().0
    };
    assert_eq!(subject("+5511987654321"), subject("+5511987654321"));
    assert_ne!(subject("+5511987654321"), subject("+5511987654322"));
    assert!(!subject("+5511987654321").contains("98765"));
}

#[tokio::test]
async fn a_plugin_that_is_not_loaded_has_no_road_and_costs_no_try() {
    let job = job("journal");
    assert!(courier(None).road(&job.tenant, &job.target).is_none());
}

/// A grant for the journal alone must not stop the journal because nobody can be searched for.
#[rstest]
#[case::no_numbers(denial(Rule::Class), "found nobody")]
#[case::not_for_this(denial(Rule::Purpose), "found nobody")]
#[case::not_offered(denial(Rule::NotProvided), "found nobody")]
#[case::grant_ended(denial(Rule::GrantEnded), "waits for a person")]
#[case::suspended(denial(Rule::Suspended), "waits for a person")]
#[case::no_ledger(denial(Rule::Ledger), "once more")]
#[case::the_crm_is_down(PluginError::Transient("502".into()).into(), "once more")]
fn a_search_that_is_denied_holds_nothing_up(#[case] error: CallError, #[case] then: &str) {
    let word = match matching::unanswered(error) {
        Outcome::Done(None) => "found nobody",
        Outcome::Denied(_) => "waits for a person",
        Outcome::Transient(_) => "once more",
        other => panic!("{other:?}"),
    };
    assert_eq!(word, then);
}
