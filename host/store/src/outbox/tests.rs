use super::*;
use rstest::rstest;

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn plugin(name: &str) -> Target {
    Target::Plugin(PluginId::new(name).unwrap())
}

#[rstest]
#[case::first("journal", 0)]
#[case::first_of_a_day("journal:2026-11-23", 0)]
#[case::later("amend:6", 6)]
#[case::later_of_a_day("amend:2026-11-23:12", 12)]
fn a_step_says_up_to_which_event_it_tells(#[case] step: &str, #[case] number: u32) {
    assert_eq!(Step(step.to_owned()).number(), number);
}

#[rstest]
#[case::plugin("plugin:tryton", true)]
#[case::webhook("webhook:0190a5b0-0000-7000-8000-000000000001", true)]
#[case::unknown_kind("queue:tryton", false)]
#[case::bad_name("plugin:Try ton", false)]
#[case::bad_id("webhook:7", false)]
#[case::no_kind("tryton", false)]
fn a_target_is_written_one_way(#[case] text: &str, #[case] ok: bool) {
    assert_eq!(text.parse::<Target>().map(|target| target.to_string()).ok(), ok.then(|| text.to_owned()));
}

#[rstest]
#[case::call("journal", "")]
#[case::later("amend:3", "")]
#[case::day("journal:2026-11-23", "2026-11-23")]
#[case::later_of_a_day("amend:2026-11-23:3", "2026-11-23")]
#[case::webhook("event:call.ended", "")]
fn a_step_says_which_record_it_is_about(#[case] step: &str, #[case] part: &str) {
    let step = Step(step.to_owned());
    assert_eq!(step.part(), part);
    assert_eq!(Step::journal(part).part(), part);
}

#[test]
fn a_step_keeps_its_key_and_no_other_shares_it() {
    let interaction = InteractionId(Uuid::from_u128(7));
    let key = |tenant: &str, target: &Target, interaction, step: &str| {
        NewDelivery::key(&TenantId::new(tenant).unwrap(), target, interaction, &Step(step.to_owned()))
    };
    let first = key("acme", &plugin("tryton"), Some(interaction), "journal");
    assert_eq!(first, key("acme", &plugin("tryton"), Some(interaction), "journal"));
    let webhook = Target::Webhook(WebhookId(Uuid::from_u128(1)));
    for other in [
        key("other", &plugin("tryton"), Some(interaction), "journal"),
        key("acme", &plugin("odoo"), Some(interaction), "journal"),
        key("acme", &webhook, Some(interaction), "journal"),
        key("acme", &plugin("tryton"), Some(InteractionId(Uuid::from_u128(8))), "journal"),
        key("acme", &plugin("tryton"), None, "journal"),
        key("acme", &plugin("tryton"), Some(interaction), "amend:1"),
    ] {
        assert_ne!(first, other);
    }
    // What a CRM has stored must be recognised by every later version.
    assert_eq!(first.get_version_num(), 5);
}

#[test]
fn a_webhook_keeps_its_identifier_and_shares_it_with_no_other() {
    let named = |tenant: &str, name: &str| {
        WebhookId::named(&TenantId::new(tenant).unwrap(), &crate::WebhookName::new(name).unwrap())
    };
    // What waits in a database must be found by every later version.
    assert_eq!(named("acme", "erp").to_string(), "d7f72956-6d8f-51f7-836d-54c525cc83dc");
    assert_ne!(named("acme", "erp"), named("other", "erp"));
    assert_ne!(named("acme", "erp"), named("acme", "bi"));
}

#[test]
fn what_is_to_be_told_is_not_printed() {
    let step = Step("journal".to_owned());
    let delivery = NewDelivery {
        tenant: tenant(),
        target: plugin("tryton"),
        lane: Lane("contact-1".to_owned()),
        interaction: None,
        key: NewDelivery::key(&tenant(), &plugin("tryton"), None, &step),
        step,
        payload: r#"{"counterpart":"+5511987654321"}"#.to_owned(),
        not_before: Timestamp::UNIX_EPOCH,
        at: Timestamp::UNIX_EPOCH,
    };
    assert!(!format!("{delivery:?}").contains("98765"));
}

#[tokio::test]
async fn a_bell_wakes_with_the_tenant_and_says_when_rings_were_missed() {
    let bell = OutboxBell::default();
    let mut listener = bell.listen();
    bell.ring(&tenant());
    assert_eq!(listener.rung().await, Some(tenant()));
    for _ in 0..1000 {
        bell.ring(&tenant());
    }
    assert_eq!(listener.rung().await, None);
}
