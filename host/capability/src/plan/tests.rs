use super::*;
use crate::authority::Authority;
use crate::class::ClassSet;
use crate::fixture::{authority, grant, manifest, plan, plan_with, settings};
use rstest::rstest;
use serde_json::json;

fn refused(change: impl FnOnce(&mut Grant)) -> String {
    let mut grant = grant();
    change(&mut grant);
    Plan::compile(&manifest(), Digest([1; 32]), &grant, &settings()).err().unwrap().to_string()
}

#[test]
fn a_grant_for_another_plugin_is_refused() {
    let error = refused(|g| g.plugin = "other".parse().unwrap());
    assert_eq!(
        error,
        "the grant is for the plugin `other`, the component is `acme`; give the grant of `acme`"
    );
}

#[test]
fn a_grant_for_other_bytes_is_refused() {
    assert!(
        refused(|g| g.digest = Some(Digest([2; 32]))).contains("review the new one with `ramal inspect`")
    );
}

#[test]
fn a_route_that_does_not_exist_is_refused() {
    let error = refused(|g| {
        g.routes.insert("nope".parse().unwrap());
    });
    assert_eq!(
        error,
        "the grant names the route `nope`, which `acme` does not have; remove it from `routes`"
    );
}

#[test]
fn a_route_to_a_place_that_the_grant_does_not_name_is_refused_with_the_lines_to_add() {
    let settings = json!({"server": "https://evil.example", "company": 1});
    let error = Plan::compile(&manifest(), Digest([1; 32]), &grant(), &settings).err().unwrap().to_string();
    assert!(error.contains("leads to https://evil.example, which the grant does not name"), "{error}");
    assert!(error.contains("[[destination]]\norigin = \"https://evil.example\""), "{error}");
}

#[rstest]
#[case::missing(json!({"server": "https://crm.example"}))]
#[case::kind(json!({"server": "https://crm.example", "company": "one"}))]
#[case::not_origin(json!({"server": "https://crm.example/path", "company": 1}))]
fn wrong_settings_are_refused(#[case] settings: Value) {
    let error = Plan::compile(&manifest(), Digest([1; 32]), &grant(), &settings).err().unwrap();
    assert!(matches!(error, PlanError::Settings(_)), "{error}");
}

fn admit(
    change_grant: impl FnOnce(&mut Grant),
    change: impl FnOnce(&mut Authority),
    export: Export,
) -> Result<LevelTable, Denial> {
    let mut authority = authority(Purpose::ScreenPop);
    change(&mut authority);
    plan_with(change_grant).admit(&authority, export)
}

const FIND: Export = Export::ContactsFindByPhone;

#[test]
fn an_ordinary_call_is_admitted_at_the_meet_of_ask_and_grant() {
    let levels =
        admit(|g| g.classes.set(DataClass::ContactEmail, Direction::FromCrm, Level::Clear), |_| {}, FIND)
            .unwrap();
    assert_eq!(levels.get(DataClass::ContactPhone, Direction::ToPlugin), Level::Sealed);
    assert_eq!(
        levels.get(DataClass::ContactEmail, Direction::FromCrm),
        Level::Masked,
        "never more than asked"
    );
    assert_eq!(
        levels.get(DataClass::ContactDocument, Direction::FromCrm),
        Level::None,
        "never more than granted"
    );
    assert_eq!(levels.get(DataClass::Sensitive, Direction::FromCrm), Level::None);
}

#[rstest]
#[case::purpose_not_granted(
    Purpose::Diagnostics,
    Export::ConnectorCheck,
    "denied (purpose): asked for a call for diagnostics; granted: screen-pop, search, journal; to allow it, add to grant.toml under [grant]: purposes = [\"screen-pop\", \"search\", \"journal\", \"diagnostics\"]"
)]
#[case::purpose_not_asked(
    Purpose::Sync,
    FIND,
    "denied (purpose): asked for a call for sync; granted: screen-pop, search, journal; to allow it, add to plugin.toml under [plugin]: purposes = [\"screen-pop\", \"search\", \"journal\", \"diagnostics\", \"sync\"]"
)]
#[case::not_provided(
    Purpose::ScreenPop,
    Export::ContactsGet,
    "denied (not-provided): asked for contacts.get; granted: what the manifest's `provides` lists; to allow it, add to plugin.toml under [plugin]: provides = [\"connector.check\", \"contacts.find-by-phone\", \"contacts.search\", \"journal.write\", \"contacts.get\"]"
)]
#[case::export_for_other_purpose(
    Purpose::ScreenPop,
    Export::JournalWrite,
    "denied (purpose): asked for journal.write for screen-pop; granted: journal"
)]
fn calls_outside_the_right_are_denied(#[case] purpose: Purpose, #[case] export: Export, #[case] text: &str) {
    let denial = admit(|_| {}, |a| a.purpose = purpose, export).unwrap_err();
    assert_eq!(denial.to_string(), text);
}

#[test]
fn a_screen_pop_needs_a_live_interaction() {
    let denial = admit(|_| {}, |a| a.interaction = None, FIND).unwrap_err();
    assert_eq!(denial.rule, Rule::Interaction);
}

#[test]
fn a_search_needs_an_acting_person() {
    let denial = admit(|_| {}, |a| a.purpose = Purpose::Search, Export::ContactsSearch).unwrap_err();
    assert_eq!(denial.rule, Rule::User);
}

#[test]
fn another_tenant_is_denied() {
    let denial = admit(|_| {}, |a| a.tenant = "other".parse().unwrap(), FIND).unwrap_err();
    assert_eq!(denial.rule, Rule::GrantEnded);
}

#[rstest]
#[case::last_day("2027-11-23T23:59:59Z", true)]
#[case::day_after("2027-11-24T00:00:00Z", false)]
fn a_grant_ends_with_its_last_day(#[case] at: &str, #[case] admitted: bool) {
    assert_eq!(admit(|_| {}, |a| a.at = at.parse().unwrap(), FIND).is_ok(), admitted);
}

#[test]
fn a_revoked_grant_gives_nothing() {
    let plan = plan();
    plan.end();
    assert_eq!(plan.admit(&authority(Purpose::ScreenPop), FIND).unwrap_err().rule, Rule::GrantEnded);
    assert_eq!(plan.route("find", &authority(Purpose::ScreenPop)).unwrap_err().rule, Rule::GrantEnded);
}

#[test]
fn a_plugin_gets_no_more_than_the_person_that_it_acts_for() {
    let may: ClassSet = [DataClass::ContactName].into_iter().collect();
    let levels = admit(|_| {}, |a| a.actor = Actor::User { id: "ana".parse().unwrap(), may }, FIND).unwrap();
    assert_eq!(levels.get(DataClass::ContactName, Direction::FromCrm), Level::Sealed);
    assert_eq!(levels.get(DataClass::ContactPhone, Direction::FromCrm), Level::None);
    assert_eq!(
        levels.get(DataClass::ContactPhone, Direction::ToPlugin),
        Level::Sealed,
        "what is handed in stays sealed"
    );
    assert_eq!(levels.get(DataClass::WorkItem, Direction::FromCrm), Level::None);
}

#[test]
fn an_empty_grant_allows_nothing() {
    let plan = plan_with(|g| {
        g.purposes.clear();
        g.routes.clear();
        g.classes = LevelTable::default();
    });
    for &purpose in Purpose::ALL {
        for &export in Export::ALL {
            assert!(plan.admit(&authority(purpose), export).is_err());
        }
    }
}

#[test]
fn links_lead_to_granted_destinations_only() {
    let plan = plan();
    assert!(plan.may_link("https://crm.example/contacts/7"));
    assert!(!plan.may_link("https://crm.example.evil.example/contacts/7"));
    assert!(!plan.may_link("http://crm.example/contacts/7"));
    assert!(!plan.may_link("javascript:alert(1)"));
}

#[test]
fn the_account_is_at_the_server_that_the_routes_send_to_and_not_at_a_page_that_is_only_linked_to() {
    let plan = plan_with(|g| {
        let mut page = g.destinations[0].clone();
        page.origin = "https://a.pages.example".parse().unwrap();
        g.destinations.insert(0, page);
    });
    assert_eq!(plan.origin().unwrap().to_string(), "https://crm.example");
    assert_eq!(plan_with(|g| g.routes.clear()).origin(), None);
}
