//! Tries: to store one value that is larger than it may be.

use crate::bindings::ramal::crm::store::{self, Failure};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    match store::set("giant", &"x".repeat(visit.told.number), None) {
        Err(Failure::Refused(why)) => Err(Error::Permanent(why)),
        _ => Ok(Vec::new()),
    }
}
