//! Look-ups of several calls: one request for one question, answers that are kept and forgotten, which of several
//! contacts a call belongs to, and where a dialplan should send it. Time is tokio's, stopped. All people and numbers
//! are invented.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use parking_lot::Mutex;
use ramal_center::*;
use ramal_store::memory::MemoryStore;
use rstest::rstest;
use serde_json::Value;
use tokio::time::Instant;

// === a CRM that counts ===

#[derive(Default)]
struct Crm {
    cards: Vec<Card>,
    people: Vec<CrmPerson>,
    failure: Option<LookUpFailure>,
    takes: Duration,
    standing: u64,
    asked: usize,
}

/// What a test changes while the center holds the directory.
type Shared = Arc<Mutex<Crm>>;

struct Fake {
    plugin: PluginId,
    crm: Shared,
}

impl Directory for Fake {
    fn plugin(&self) -> &PluginId {
        &self.plugin
    }
    fn look_up(&self, _: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        let (takes, answer) = {
            let mut crm = self.crm.lock();
            crm.asked += 1;
            let found = Found { cards: crm.cards.clone(), took: crm.takes, requests: 1, ..Found::default() };
            (crm.takes, crm.failure.clone().map_or(Ok(found), Err))
        };
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            answer
        })
    }
    fn people(&self, _: TenantId) -> BoxFuture<'_, Result<Vec<CrmPerson>, LookUpFailure>> {
        let people = self.crm.lock().people.clone();
        Box::pin(async move { Ok(people) })
    }
    fn standing(&self) -> Option<Standing> {
        Some(Standing(self.crm.lock().standing))
    }
}

struct Noon;
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }
}

#[derive(Default)]
struct Counted(Mutex<Vec<String>>);
impl Observer for Counted {
    fn event(&self, _: &'static str, _: &'static str) {}
    fn look_up(&self, plugin: &PluginId, outcome: &'static str, _: Duration) {
        self.0.lock().push(format!("{plugin} {outcome}"));
    }
    fn remembered(&self, plugin: &PluginId, outcome: &'static str) {
        self.0.lock().push(format!("{plugin} {outcome} remembered"));
    }
    fn route(&self, reason: &'static str, _: Duration) {
        self.0.lock().push(format!("route {reason}"));
    }
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}
fn plugin(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}
fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text, Region::BR).unwrap()
}
const ANA: &str = "+5511987654321";

fn card(id: &str, owner: Option<&str>) -> Card {
    Card {
        id: id.to_owned(),
        name: format!("Customer {id} (invented)"),
        owner: owner.map(str::to_owned),
        ..Card::default()
    }
}
fn knows(cards: &[Card]) -> Crm {
    Crm { cards: cards.to_vec(), ..Crm::default() }
}

struct World {
    center: Center,
    counted: Arc<Counted>,
    crms: Vec<Shared>,
}

/// The CRMs `a`, `b`, … in this order.
fn world(rules: LookUpRules, crms: Vec<Crm>) -> World {
    let store = Arc::new(MemoryStore::new(1000));
    let counted = Arc::new(Counted::default());
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store,
        observer: counted.clone(),
        clock: Arc::new(Noon),
        settings: CenterSettings::default(),
    });
    let crms: Vec<Shared> = crms.into_iter().map(|crm| Arc::new(Mutex::new(crm))).collect();
    let world = World { center, counted, crms };
    world.connect();
    world.center.set_look_up_rules(HashMap::from([(tenant(), rules)]));
    world
}

impl World {
    fn connect(&self) {
        let directories = self.crms.iter().zip(["a", "b", "c"]).map(|(crm, name)| {
            Arc::new(Fake { plugin: plugin(name), crm: Arc::clone(crm) }) as Arc<dyn Directory>
        });
        self.center.set_directories(HashMap::from([(tenant(), directories.collect())]));
    }

    fn asked(&self) -> usize {
        self.crms[0].lock().asked
    }

    async fn event(&self, call: &str, event: &str, kind: EventKind) -> InteractionId {
        let origin = Origin { tenant: tenant(), source: SourceId::new("pbx").unwrap() };
        let event = CallEvent {
            event_id: EventId::new(&format!("{call}-{event}")).unwrap(),
            call_id: CallId::new(call).unwrap(),
            kind,
            at: Noon.now(),
        };
        self.center.handle(origin, event).await.unwrap().interaction
    }

    async fn rings(&self, call: &str, from: &str) -> InteractionId {
        let (channel, direction) = (Channel::Fixed, InteractionDirection::Inbound);
        let from = Caller::Number(number(from));
        self.event(call, "rings", EventKind::Ringing { channel, direction, from, to: None, queue: None })
            .await
    }

    async fn answered(&self, call: &str, agent: &str) {
        self.event(call, "answered", EventKind::Answered { agent: Some(Clear::new(agent)) }).await;
    }

    fn live(&self) -> LiveTail {
        self.center.live(tenant(), Some(LiveId(0)))
    }

    /// Rings and waits for what the first CRM says.
    async fn card(&self, live: &mut LiveTail, call: &str, from: &str) -> Value {
        self.rings(call, from).await;
        loop {
            if let LiveItem::Event(event) = live.next().await.unwrap()
                && event.kind != "call"
            {
                return serde_json::from_str(&event.body).unwrap();
            }
        }
    }

    /// The contact that a call is linked to, once all is done, with the rule that said so.
    async fn linked(&self, id: InteractionId) -> Option<(String, String)> {
        assert!(self.center.shutdown(Duration::from_secs(60)).await);
        self.link(id).await
    }

    async fn link(&self, id: InteractionId) -> Option<(String, String)> {
        let history = self.center.history(&tenant(), id, 0, 100).await.unwrap();
        history.into_iter().find_map(|record| match (record.event, record.cause) {
            (InteractionEvent::CrmLinked(link), Cause::Rule(rule)) => Some((link.id, rule)),
            (InteractionEvent::CrmLinked(link), _) => Some((link.id, "a person".to_owned())),
            _ => None,
        })
    }
}

fn policy(ambiguous: Ambiguity) -> LookUpRules {
    let agent = |extension: &str, names: &[&str]| Agent {
        extension: extension.to_owned(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
    };
    let agents = vec![agent("2001", &["Bruno Lima"]), agent("2002", &["Vera Dias", "vera@acme.example"])];
    LookUpRules { ambiguous, agents }
}

// === one question, one request ===

#[tokio::test(start_paused = true)]
async fn two_calls_of_one_number_at_once_are_one_request_and_both_get_the_card() {
    let w = world(
        LookUpRules::default(),
        vec![Crm { takes: Duration::from_millis(500), ..knows(&[card("7", None)]) }],
    );
    let (one, two) = tokio::join!(w.rings("c1", ANA), w.rings("c2", "+551187654321"));
    for id in [one, two] {
        assert_eq!(w.linked(id).await, Some(("7".to_owned(), "only-match".to_owned())));
    }
    assert_eq!(w.asked(), 1, "the old and the new form of one number are one question");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_kept_says_so_and_costs_no_request() {
    let w = world(
        LookUpRules::default(),
        vec![Crm { takes: Duration::from_millis(500), ..knows(&[card("7", None)]) }],
    );
    let mut live = w.live();
    let first = w.card(&mut live, "c1", ANA).await;
    let again = w.card(&mut live, "c2", ANA).await;
    let told = |card: &Value| (card["cached"].clone(), card["took_ms"].clone(), card["requests"].clone());
    assert_eq!(told(&first), (false.into(), 500.into(), 1.into()));
    assert_eq!(told(&again), (true.into(), 0.into(), 0.into()));
    assert_eq!(first["cards"], again["cards"]);
    assert_eq!(w.asked(), 1);
    assert_eq!(*w.counted.0.lock(), ["a card", "a card remembered"]);
}

#[rstest]
#[case::a_contact(&[card("7", None)], 119, true)]
#[case::a_contact_for_long(&[card("7", None)], 120, false)]
#[case::nobody(&[], 19, true)]
#[case::nobody_for_long(&[], 20, false)]
#[tokio::test(start_paused = true)]
async fn that_nobody_has_a_number_is_kept_for_a_shorter_time(
    #[case] cards: &[Card],
    #[case] seconds: u64,
    #[case] cached: bool,
) {
    let w = world(LookUpRules::default(), vec![knows(cards)]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    tokio::time::advance(Duration::from_secs(seconds)).await;
    assert_eq!(w.card(&mut live, "c2", ANA).await["cached"], cached);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_not_kept() {
    let w = world(LookUpRules::default(), vec![knows(&[card("7", None)])]);
    let mut live = w.live();
    w.crms[0].lock().failure = Some(LookUpFailure::Unavailable("connection refused".to_owned()));
    assert_eq!(w.card(&mut live, "c1", ANA).await["reason"], "unavailable");
    w.crms[0].lock().failure = None;
    assert_eq!(w.card(&mut live, "c2", ANA).await["cached"], false);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_too_large_is_told_and_not_kept() {
    let large = Card { name: "x".repeat(64 * 1024 + 1), ..card("7", None) };
    let w = world(LookUpRules::default(), vec![knows(&[large])]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    assert_eq!(w.card(&mut live, "c2", ANA).await["cached"], false);
}

#[rstest]
#[case::nothing(None, true)]
#[case::its_number(Some(("acme", "a", Forget::Number(number(ANA)))), false)]
#[case::its_number_as_it_was_written_once(Some(("acme", "a", Forget::Number(number("+551187654321")))), false)]
#[case::another_number(Some(("acme", "a", Forget::Number(number("+5511987650000")))), true)]
#[case::its_contact(Some(("acme", "a", Forget::Contact("7".to_owned()))), false)]
#[case::another_contact(Some(("acme", "a", Forget::Contact("8".to_owned()))), true)]
#[case::all(Some(("acme", "a", Forget::All)), false)]
#[case::another_plugin(Some(("acme", "b", Forget::All)), true)]
#[case::another_tenant(Some(("beta", "a", Forget::All)), true)]
#[tokio::test(start_paused = true)]
async fn what_a_crm_changed_is_asked_again(
    #[case] forget: Option<(&str, &str, Forget)>,
    #[case] cached: bool,
) {
    let w = world(LookUpRules::default(), vec![knows(&[card("7", None)])]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    if let Some((tenant, of, what)) = forget {
        w.center.forget_contact(&TenantId::new(tenant).unwrap(), &plugin(of), &what);
    }
    assert_eq!(w.card(&mut live, "c2", ANA).await["cached"], cached);
}

#[tokio::test(start_paused = true)]
async fn a_contact_that_changed_may_have_a_number_that_nobody_had() {
    let w = world(LookUpRules::default(), vec![knows(&[])]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    w.crms[0].lock().cards = vec![card("7", None)];
    w.center.forget_contact(&tenant(), &plugin("a"), &Forget::Contact("7".to_owned()));
    assert_eq!(w.card(&mut live, "c2", ANA).await["cards"][0]["id"], "7");
}

#[tokio::test(start_paused = true)]
async fn another_grant_sees_nothing_of_what_was_read_under_the_one_before() {
    let w = world(LookUpRules::default(), vec![knows(&[card("7", None)])]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    w.crms[0].lock().standing = 1;
    assert_eq!(w.card(&mut live, "c2", ANA).await["cached"], false);
    w.connect();
    assert_eq!(w.card(&mut live, "c3", ANA).await["cached"], false, "other directories are asked anew");
}

// === several contacts ===

fn two() -> Vec<Card> {
    vec![card("7", Some("Bruno Lima")), card("8", Some("Vera Dias"))]
}

#[rstest]
#[case::the_owner_by_extension(Ambiguity::Owner, two(), "2002", Some(("8", "owner-match")))]
#[case::the_owner_by_name(Ambiguity::Owner, two(), "bruno lima", Some(("7", "owner-match")))]
#[case::by_what_the_crm_tells_of_its_users(Ambiguity::Owner, vec![card("7", Some("Bruno Lima")), card("8", Some("Vera D."))], "2002", Some(("8", "owner-match")))]
#[case::somebody_elses(Ambiguity::Owner, two(), "2009", None)]
#[case::both_theirs(Ambiguity::Owner, vec![card("7", Some("Vera Dias")), card("8", Some("Vera Dias"))], "2002", None)]
#[case::nobodys(Ambiguity::Owner, vec![card("7", None), card("8", None)], "2002", None)]
#[case::a_person_is_asked(Ambiguity::Ask, two(), "2002", None)]
#[case::no_history(Ambiguity::Latest, two(), "2002", None)]
#[tokio::test(start_paused = true)]
async fn of_several_contacts_the_tenants_policy_chooses(
    #[case] ambiguous: Ambiguity,
    #[case] cards: Vec<Card>,
    #[case] agent: &str,
    #[case] then: Option<(&str, &str)>,
    #[values(0, 900)] crm_takes_ms: u64,
) {
    let people = vec![CrmPerson {
        id: "u-2".to_owned(),
        name: "Vera D.".to_owned(),
        email: Some("vera@acme.example".to_owned()),
        extension: None,
    }];
    // The agent comes after the answer, and before it.
    let takes = Duration::from_millis(crm_takes_ms);
    let w = world(policy(ambiguous), vec![Crm { people, takes, ..knows(&cards) }]);
    let id = w.rings("c1", ANA).await;
    w.answered("c1", agent).await;
    let then = then.map(|(id, rule)| (id.to_owned(), rule.to_owned()));
    assert_eq!(w.linked(id).await, then);
}

#[tokio::test(start_paused = true)]
async fn the_owner_may_be_who_gets_the_call_by_a_transfer() {
    let w = world(policy(Ambiguity::Owner), vec![knows(&two())]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    let id = w.center.recent(&tenant(), 1).await.unwrap().calls[0].call.interaction;
    w.answered("c1", "2009").await;
    let to = EventKind::Transferred { agent: Some(Clear::new("2002")), queue: None };
    w.event("c1", "transferred", to).await;
    assert_eq!(w.linked(id).await, Some(("8".to_owned(), "owner-match".to_owned())));
}

fn linking(contact: &str) -> (Request, CrmLink) {
    let id = EventId::new(&format!("choose-{contact}")).unwrap();
    let actor = Actor::User(UserId::new("bruno").unwrap());
    let link = CrmLink { plugin: plugin("a"), kind: "contact".to_owned(), id: contact.to_owned(), url: None };
    (Request { tenant: tenant(), actor, id }, link)
}

#[rstest]
#[case::one_of_them("8", Some(("8", "latest-match")))]
#[case::none_of_them("99", None)]
#[tokio::test(start_paused = true)]
async fn latest_is_who_the_customers_history_names_last(
    #[case] chosen: &str,
    #[case] then: Option<(&str, &str)>,
) {
    let w = world(policy(Ambiguity::Latest), vec![knows(&two())]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    let (request, link) = linking(chosen);
    let first = w.center.recent(&tenant(), 1).await.unwrap().calls[0].call.interaction;
    w.center.link_crm(request, first, link).await.unwrap();
    let second = w.rings("c2", ANA).await;
    let then = then.map(|(id, rule)| (id.to_owned(), rule.to_owned()));
    assert_eq!(w.linked(second).await, then);
}

#[tokio::test(start_paused = true)]
async fn a_persons_choice_is_never_overruled() {
    let w = world(policy(Ambiguity::Owner), vec![knows(&two())]);
    let mut live = w.live();
    w.card(&mut live, "c1", ANA).await;
    let id = w.center.recent(&tenant(), 1).await.unwrap().calls[0].call.interaction;
    let (request, link) = linking("7");
    w.center.link_crm(request, id, link).await.unwrap();
    w.answered("c1", "Vera Dias").await;
    assert_eq!(w.linked(id).await, Some(("7".to_owned(), "a person".to_owned())));
    let links = w.center.interaction(&tenant(), id).await.unwrap().unwrap().interaction.links;
    assert_eq!(links.len(), 1);
}

// === where a call should go ===

fn told(view: &RouteView) -> (String, Option<&str>, Option<&str>) {
    (view.reason.as_str().to_owned(), view.extension(), view.plugin.as_ref().map(PluginId::as_str))
}

fn slow(seconds: u64, crm: Crm) -> Crm {
    Crm { takes: Duration::from_secs(seconds), ..crm }
}
fn failing() -> Crm {
    Crm { failure: Some(LookUpFailure::Unavailable("refused".to_owned())), ..Crm::default() }
}
fn owned(owner: &str) -> Crm {
    knows(&[card("7", Some(owner))])
}

#[rstest]
#[case::its_owner(vec![owned("Bruno Lima")], ("owner", Some("2001"), Some("a")))]
#[case::no_crm(vec![], ("no-directory", None, None))]
#[case::unknown(vec![knows(&[])], ("unknown", None, None))]
#[case::no_owner(vec![knows(&[card("7", None)])], ("no-owner", None, None))]
#[case::several_contacts_of_one_owner(vec![knows(&[card("7", Some("Vera Dias")), card("8", Some("Vera Dias")), card("9", None)])], ("owner", Some("2002"), Some("a")))]
#[case::several_owners(vec![knows(&two())], ("ambiguous", None, Some("a")))]
#[case::nobody_knows_the_extension(vec![owned("Rui Prado")], ("no-extension", None, Some("a")))]
#[case::failed(vec![failing()], ("failed", None, None))]
#[case::late(vec![slow(1, owned("Bruno Lima"))], ("late", None, None))]
#[case::the_second_knows(vec![knows(&[]), owned("Vera Dias")], ("owner", Some("2002"), Some("b")))]
#[case::the_first_decides(vec![owned("Bruno Lima"), owned("Vera Dias")], ("owner", Some("2001"), Some("a")))]
#[case::a_slow_one_costs_no_other_its_say(vec![slow(1, owned("Bruno Lima")), owned("Vera Dias")], ("owner", Some("2002"), Some("b")))]
#[case::a_broken_one_costs_no_other_its_say(vec![failing(), knows(&[]), owned("Vera Dias")], ("owner", Some("2002"), Some("c")))]
#[case::what_is_nearest_to_an_answer_is_told(vec![failing(), owned("Rui Prado"), knows(&[])], ("no-extension", None, Some("b")))]
#[tokio::test(start_paused = true)]
async fn a_dialplan_is_told_whose_customer_calls(
    #[case] crms: Vec<Crm>,
    #[case] then: (&str, Option<&str>, Option<&str>),
) {
    let w = world(policy(Ambiguity::Ask), crms);
    let begun = Instant::now();
    let view = w.center.route(&tenant(), number(ANA)).await;
    assert!(begun.elapsed() <= Duration::from_millis(300), "{:?}", begun.elapsed());
    assert_eq!(told(&view), (then.0.to_owned(), then.1, then.2));
    let is_owner = view.decision == RouteDecision::Owner;
    assert_eq!((is_owner, view.extension().is_some()), (then.0 == "owner", then.0 == "owner"));
    assert_eq!(*w.counted.0.lock(), [format!("route {}", then.0)]);
}

#[tokio::test(start_paused = true)]
async fn the_crm_tells_an_extension_that_the_configuration_does_not() {
    let person = |name: &str, extension: &str| CrmPerson {
        name: name.to_owned(),
        extension: Some(extension.to_owned()),
        ..CrmPerson::default()
    };
    let people = vec![person("Rui Prado", "2003"), person("Bruno Lima", "9999")];
    let w = world(policy(Ambiguity::Ask), vec![Crm { people, ..owned("Rui Prado") }]);
    assert_eq!(w.center.route(&tenant(), number(ANA)).await.extension(), Some("2003"));
}

#[tokio::test(start_paused = true)]
async fn of_several_owners_the_last_contacts_is_asked_for_if_the_tenant_wants_so() {
    let w = world(policy(Ambiguity::Latest), vec![knows(&two())]);
    let mut live = w.live();
    assert_eq!(w.center.route(&tenant(), number(ANA)).await.reason, RouteReason::Ambiguous);
    w.card(&mut live, "c1", ANA).await;
    let id = w.center.recent(&tenant(), 1).await.unwrap().calls[0].call.interaction;
    let (request, link) = linking("8");
    w.center.link_crm(request, id, link).await.unwrap();
    assert_eq!(w.center.route(&tenant(), number(ANA)).await.extension(), Some("2002"));
}

#[tokio::test(start_paused = true)]
async fn the_question_of_a_dialplan_and_the_screen_pop_after_it_are_one_request() {
    let w = world(policy(Ambiguity::Ask), vec![slow(1, owned("Bruno Lima"))]);
    let mut live = w.live();
    let begun = Instant::now();
    let view = w.center.route(&tenant(), number(ANA)).await;
    assert_eq!((view.reason, view.took_ms), (RouteReason::Late, 300));
    let card = w.card(&mut live, "c1", ANA).await;
    assert_eq!((card["cached"].as_bool(), begun.elapsed()), (Some(false), Duration::from_secs(1)));
    assert_eq!(w.center.route(&tenant(), number(ANA)).await.extension(), Some("2001"));
    assert_eq!(w.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dialplan_of_another_tenant_hears_nothing() {
    let w = world(policy(Ambiguity::Ask), vec![owned("Bruno Lima")]);
    let view = w.center.route(&TenantId::new("beta").unwrap(), number(ANA)).await;
    assert_eq!(view.reason, RouteReason::NoDirectory);
}

#[test]
fn nothing_of_a_customer_is_printed() {
    let printed = format!(
        "{:?} {:?} {:?} {:?}",
        Forget::Number(number(ANA)),
        Forget::Contact("CANARY".to_owned()),
        Agent { extension: "2001".to_owned(), names: vec!["CANARY".to_owned()] },
        RouteOwner { name: "CANARY".to_owned(), extension: None },
    );
    assert!(!printed.contains("CANARY") && !printed.contains("98765"), "{printed}");
}
