//! CRMs that keep no entry that stands alone: what is withheld, and when it goes out.

use super::*;

/// Odoo's entries stand on a contact or a deal, Tryton's on nothing.
fn rules() -> JournalRules {
    let mut rules = super::rules();
    let stands_on = ["contact", "deal"].map(|kind| kind.parse().unwrap()).into();
    let odoo = Keeper { reach: JournalReach::LaterChanges, stands_on, looks_up: true };
    rules.plugins.insert(PluginId::new("odoo").unwrap(), odoo);
    rules
}

fn link(plugin: &str, kind: &str) -> InteractionEvent {
    let plugin = PluginId::new(plugin).unwrap();
    InteractionEvent::CrmLinked(CrmLink { plugin, kind: kind.to_owned(), id: "9".to_owned(), url: None })
}

fn happens(word: &str) -> InteractionEvent {
    match word.split_once('=') {
        Some((plugin, kind)) => link(plugin, kind),
        None => event(word),
    }
}

/// As the center does it: what is withheld becomes part of the change.
fn written(before: &Interaction, words: &[&str], rules: &JournalRules) -> (InteractionWrite, Vec<Due>) {
    let mut write = change(before, words.iter().map(|word| happens(word)).collect());
    let due = due(&write, rules);
    for event in kept_back(write.after(), &due, at(13)) {
        write.and_then(event).unwrap();
    }
    (write, due)
}

fn told(write: &InteractionWrite, due: &[Due], rules: &JournalRules) -> String {
    let made = deliveries(write.after(), due, &[], rules, at(13));
    made.iter()
        .map(|d| format!("{} {}", d.target, d.step.0))
        .collect::<Vec<_>>()
        .join(", ")
        .replace("plugin:", "")
}

#[rstest]
#[case::a_stranger(Channel::Fixed, &[], &["ended"], "odoo match, tryton journal")]
#[case::a_customer(Channel::Fixed, &["odoo=contact"], &["ended"], "odoo journal, tryton journal")]
#[case::about_a_deal(Channel::Fixed, &["odoo=deal"], &["ended"], "odoo journal, tryton journal")]
#[case::about_what_it_cannot_stand_on(Channel::Fixed, &["odoo=ticket"], &["ended"], "odoo match, tryton journal")]
#[case::another_crm_knows_them(Channel::Fixed, &["tryton=contact"], &["ended"], "odoo match, tryton journal")]
#[case::found_at_the_last_moment(Channel::Fixed, &[], &["odoo=contact", "ended"], "odoo journal, tryton journal")]
#[case::strangers_have_no_changes(Channel::Fixed, &["ended"], &["note"], "tryton amend:4")]
#[case::then_somebody_knows_them(Channel::Fixed, &["ended", "note"], &["odoo=contact"], "odoo journal")]
#[case::with_one_fact_more(Channel::Fixed, &["ended"], &["odoo=contact", "note"], "odoo journal, tryton amend:4")]
#[case::found_as_two_records(Channel::Fixed, &["ended"], &["odoo=contact", "odoo=deal"], "odoo journal")]
#[case::from_then_on_changes(Channel::Fixed, &["ended", "odoo=contact"], &["note"], "odoo amend:5, tryton amend:5")]
#[case::a_second_record_is_a_change(Channel::Fixed, &["ended", "odoo=contact"], &["odoo=deal"], "odoo amend:5")]
#[case::a_call_that_goes_on(Channel::Fixed, &["answered"], &["odoo=contact"], "")]
#[case::a_day_with_a_stranger(Channel::Whatsapp, &["message 23"], &["day 23"], "odoo match:2026-11-23, tryton journal:2026-11-23")]
#[case::a_late_message_of_that_day(Channel::Whatsapp, &["message 24", "day 23"], &["message 23"], "tryton amend:2026-11-23:5")]
#[case::the_day_is_told_when_they_are_known(Channel::Whatsapp, &["message 23", "day 23"], &["odoo=contact"], "odoo journal:2026-11-23")]
fn the_table_of_what_has_a_place(
    #[case] channel: Channel,
    #[case] before: &[&str],
    #[case] now: &[&str],
    #[case] then: &str,
) {
    let rules = rules();
    let mut made = begin(channel, InteractionDirection::Inbound).after().clone();
    for word in before {
        made = written(&made, &[word], &rules).0.after().clone();
    }
    let (write, due) = written(&made, now, &rules);
    assert_eq!(told(&write, &due, &rules), then);
}

#[test]
fn the_history_keeps_that_it_is_withheld() {
    let rules = rules();
    let begun = begin(Channel::Fixed, InteractionDirection::Inbound);
    let (write, _) = written(begun.after(), &["ended"], &rules);
    let [kept] = write.after().journal.as_slice() else { panic!("{:?}", write.after().journal) };
    assert_eq!((kept.plugin.as_str(), kept.step.as_str()), ("odoo", "journal"));
    assert_eq!((kept.result, kept.outcome), (JournalResult::Withheld, Some(JournalOutcome::Answered)));
    let last = write.events().last().unwrap();
    assert_eq!((&last.actor, &last.cause), (&Actor::System, &Cause::Rule("no-place".to_owned())));
}

#[test]
fn an_account_that_was_withheld_has_what_became_known_since_and_every_day() {
    let rules = rules();
    let mut made = begin(Channel::Whatsapp, InteractionDirection::Inbound).after().clone();
    for words in [&["message 23"][..], &["day 23", "message 24"], &["note"]] {
        made = written(&made, words, &rules).0.after().clone();
    }
    let closed = InteractionEvent::DayClosed { date: "2026-11-24".parse().unwrap() };
    let mut write = change(&made, vec![closed]);
    let due_now = due(&write, &rules);
    kept_back(write.after(), &due_now, at(13)).into_iter().for_each(|event| write.and_then(event).unwrap());
    let (write, due) = written(write.after(), &["odoo=contact"], &rules);
    assert_eq!(told(&write, &due, &rules), "odoo journal:2026-11-23, odoo journal:2026-11-24");
    let made = deliveries(write.after(), &due, &[], &rules, at(13));
    let entry = JournalEntry::from_payload(&made[0].payload).unwrap();
    assert_eq!(entry.contact.as_deref(), Some("9"));
    assert_eq!(entry.notes.unwrap().expose(), "calls back (invented)");
}

#[test]
fn of_several_records_the_one_is_told_on_which_an_entry_can_stand() {
    let rules = rules();
    let mut made = begin(Channel::Fixed, InteractionDirection::Inbound).after().clone();
    for word in ["odoo=ticket", "odoo=deal"] {
        made = written(&made, &[word], &rules).0.after().clone();
    }
    let (write, due) = written(&made, &["ended"], &rules);
    let made = deliveries(write.after(), &due, &[], &rules, at(13));
    let entry = JournalEntry::from_payload(&made[0].payload).unwrap();
    assert_eq!(entry.about.unwrap().kind, "deal");
}

#[rstest]
#[case::by_the_number(true, &["contact"], true)]
#[case::the_plugin_looks_nobody_up(false, &["contact"], false)]
#[case::an_entry_stands_on_no_contact(true, &["deal"], false)]
fn a_contact_is_searched_for_where_one_could_be_found(
    #[case] looks_up: bool,
    #[case] kinds: &[&str],
    #[case] searched: bool,
) {
    let mut rules = rules();
    let stands_on = kinds.iter().map(|kind| kind.parse().unwrap()).collect();
    let odoo = Keeper { reach: JournalReach::LaterChanges, stands_on, looks_up };
    rules.plugins = [(PluginId::new("odoo").unwrap(), odoo)].into();
    let begun = begin(Channel::Fixed, InteractionDirection::Inbound);
    let (write, due) = written(begun.after(), &["ended"], &rules);
    assert_eq!(!told(&write, &due, &rules).is_empty(), searched);
    assert_eq!(write.after().journal.len(), 1, "withheld it is in any case");
}
