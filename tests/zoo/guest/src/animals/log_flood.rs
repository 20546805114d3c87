//! Tries: to fill the operator's disk with lines.

use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    for line in 0..visit.told.number {
        log::write(Level::Error, &format!("line {line}\nand a second one {}", visit.told.text));
    }
    Ok(Vec::new())
}
