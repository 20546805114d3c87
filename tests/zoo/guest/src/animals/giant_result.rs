//! Tries: to return more than the host wants to hold.

use crate::asking::contact;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    Ok(vec![contact("c-1", &"x".repeat(visit.told.number))])
}
