//! That nobody can take a seeded customer for a real one.

use std::collections::HashSet;

use super::*;

fn seed() -> Seed {
    serde_json::from_str(SEED).unwrap()
}

/// The check digits of a CPF or CNPJ by modulus 11 with the given highest weight.
fn has_right_check_digits(document: &str) -> bool {
    let digits: Vec<u32> = document.chars().filter_map(|c| c.to_digit(10)).collect();
    let highest = if digits.len() == 11 { 11 } else { 9 };
    let (body, given) = digits.split_at(digits.len() - 2);
    let mut all = body.to_vec();
    for _ in 0..2 {
        let weights = (2..=highest).cycle();
        let sum: u32 = all.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
        all.push(if sum % 11 < 2 { 0 } else { 11 - sum % 11 });
    }
    all[digits.len() - 2..] == *given
}

#[test]
fn the_check_digit_rule_knows_right_from_wrong() {
    // The sequences that every textbook uses.
    assert!(has_right_check_digits("123.456.789-09") && !has_right_check_digits("123.456.789-08"));
    assert!(has_right_check_digits("11.222.333/0001-81") && !has_right_check_digits("11.222.333/0001-80"));
}

#[test]
fn there_are_forty_customers_and_every_document_is_wrong() {
    let contacts = seed().contacts;
    assert_eq!(contacts.len(), 40);
    for contact in contacts {
        let document = contact.document.unwrap();
        assert!(matches!(document.len(), 14 | 18) && !has_right_check_digits(&document), "{}", contact.id);
    }
}

#[test]
fn every_company_says_that_it_is_invented() {
    let seed = seed();
    let companies = seed.contacts.into_iter().filter_map(|contact| contact.company);
    assert!(companies.chain([seed.account.name]).all(|name| name.ends_with("(fictícia)")));
}

#[test]
fn no_mail_can_be_delivered() {
    let seed = seed();
    let users = seed.users.into_iter().map(|user| user.email);
    let mut all = seed.contacts.into_iter().flat_map(|contact| contact.emails).chain(users);
    assert!(all.all(|email| email.ends_with("@example.invalid") || email.ends_with(".example.invalid")));
}

#[test]
fn every_number_is_of_the_made_up_ranges() {
    for phone in seed().contacts.into_iter().flat_map(|contact| contact.phones) {
        let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
        let line = digits.get(digits.len() - 8..).unwrap();
        assert!(line.starts_with("87654") || line.starts_with("32100"));
    }
}

#[test]
fn one_number_belongs_to_two_customers_and_some_lack_the_ninth_digit() {
    let phones: Vec<String> = seed().contacts.into_iter().flat_map(|contact| contact.phones).collect();
    assert_eq!(phones.len() - phones.iter().collect::<HashSet<_>>().len(), 1);
    assert!(phones.iter().any(|phone| phone.len() == "+551187654000".len() && phone.contains("87654")));
}

#[test]
fn every_record_points_to_records_that_exist() {
    let seed = seed();
    let contacts: HashSet<_> = seed.contacts.iter().map(|contact| contact.id).collect();
    let users: HashSet<_> = seed.users.iter().map(|user| user.id).collect();
    assert!(
        seed.notes.iter().all(|note| contacts.contains(&note.contact_id) && users.contains(&note.author_id))
    );
    assert!(seed.deals.iter().all(|deal| deal.contact_id.is_some_and(|id| contacts.contains(&id))));
    assert!(
        seed.activities.iter().all(|activity| activity.contact_id.is_some_and(|id| contacts.contains(&id)))
    );
    assert!(seed.contacts.iter().all(|contact| contact.owner_id.is_some_and(|id| users.contains(&id))));
}
