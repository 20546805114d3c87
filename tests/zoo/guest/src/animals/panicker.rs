//! Tries: to take the call down with a panic, and to say what it holds on the way.

use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let words = format!("panicked over {} {}", visit.first(), visit.told.text);
    log::write(Level::Error, &words);
    panic!("{words}");
}
