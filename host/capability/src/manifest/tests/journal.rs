//! `[journal]`: what parses, and what each mistake is told.

use std::fmt::Write;

use crate::Manifest;

const TRYTON: &str = include_str!("tryton.toml");

fn with(journal: &str) -> String {
    TRYTON.replacen("[ask.\"contact.phone\"]", &format!("{journal}\n\n[ask.\"contact.phone\"]"), 1)
}

#[test]
fn an_entry_can_need_a_record_to_stand_on() {
    let manifest =
        Manifest::parse("plugin.toml", &with("[journal]\non = [\"contact\", \"sale.opportunity\"]")).unwrap();
    let kinds: Vec<&str> = manifest.journal.iter().flat_map(|j| &j.on).map(|kind| kind.as_str()).collect();
    assert_eq!(kinds, ["contact", "sale.opportunity"]);
    let says = manifest.sentences().join("\n");
    assert!(
        says.contains("Writes what happened only on a record of the CRM: contact or sale.opportunity."),
        "{says}"
    );
    assert_eq!(Manifest::parse("plugin.toml", TRYTON).unwrap().journal, None);
}

#[test]
fn each_mistake_is_told_with_its_place_and_what_to_do() {
    let mut page = String::new();
    for (name, text) in [
        ("nothing listed", with("[journal]\non = []")),
        ("no list", with("[journal]")),
        ("no list but a word", with("[journal]\non = \"contact\"")),
        ("a kind that is none", with("[journal]\non = [\"Contact record\"]")),
        ("twice", with("[journal]\non = [\"contact\", \"contact\"]")),
        ("an unknown key", with("[journal]\non = [\"contact\"]\nor = [\"deal\"]")),
        ("nothing writes", with("[journal]\non = [\"contact\"]").replacen("\"journal.write\", ", "", 1)),
    ] {
        let error = Manifest::parse("plugin.toml", &text).expect_err(name);
        writeln!(page, "# {name}\n{error}\n").unwrap();
    }
    insta::assert_snapshot!(page);
}
