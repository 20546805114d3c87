//! Tries: to fail with everything that it holds in its error, so that operators read it.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let all = format!("{} {}", visit.told.text, visit.given.join(" "));
    let backwards: String = all.chars().rev().collect();
    Err(Error::Other(("boast".to_owned(), format!("{all} | {} | {backwards}", all.to_uppercase()))))
}
