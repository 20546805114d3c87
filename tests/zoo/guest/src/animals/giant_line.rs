//! Tries: to log one line that is larger than what the host takes at once.

use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    log::write(Level::Info, &"x".repeat(visit.told.number));
    Ok(Vec::new())
}
