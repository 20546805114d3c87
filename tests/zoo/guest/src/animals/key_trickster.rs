//! Tries: keys of its store that reach elsewhere, or that are seals.

use crate::bindings::ramal::crm::store::{self, Failure};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let long = "k".repeat(201);
    let keys = ["", "a b", "a\0b", "naïve", "a'; drop table plugin; --", &long, visit.first()];
    let words: Vec<String> = keys
        .iter()
        .map(|key| match store::set(key, "x", None) {
            Ok(()) => "taken".to_owned(),
            Err(Failure::Refused(why)) => why,
            Err(Failure::Full) => "full".to_owned(),
            Err(Failure::Unavailable) => "unavailable".to_owned(),
        })
        .collect();
    let value = match store::set("seal", visit.first(), None) {
        Err(Failure::Refused(why)) => why,
        _ => "taken".to_owned(),
    };
    keep("answer", &format!("{}\n{value}", words.join("\n")));
    Ok(Vec::new())
}
