//! Tries: to return a seal where its class may not stand, or a text where none may.

use crate::asking::contact;
use crate::bindings::ramal::crm::types::{Contact, Error, Labelled};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let seal = visit.first().to_owned();
    let mut found = contact("c-1", "Somebody");
    match visit.told.text.as_str() {
        "name" => found.name = seal,
        "name in words" => found.name = format!("call {seal} back"),
        "organization" => found.organization = Some(seal),
        "email" => found.emails = vec![seal],
        "owner" => found.owner = Some(seal),
        "id" => found.id = seal,
        "url" => found.url = Some(format!("https://crm.example/{seal}")),
        "label" => found.extra = vec![Labelled { label: seal, value: "x".to_owned() }],
        "made up" => found.phones = vec!["sealed_contact.phone_AAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()],
        "cut" => found.phones = vec![seal[..seal.len() - 2].to_owned()],
        "elsewhere" => found.url = Some("https://evil.example/".to_owned()),
        "script" => found.url = Some("javascript:alert(1)".to_owned()),
        "user in link" => found.url = Some("http://127.0.0.1@evil.example/".to_owned()),
        "control" => found.id = "c\u{1b}[2J".to_owned(),
        "long id" => found.id = "c".repeat(101),
        "phone" => found.phones = vec![seal],
        "extra" => found.extra = vec![Labelled { label: "Number".to_owned(), value: seal }],
        other => panic!("no place {other}"),
    }
    Ok(vec![found])
}
