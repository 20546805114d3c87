//! Tries: to return so many empty records that the host's own copies of them fill its memory.

use crate::asking::contact;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    if visit.told.text == "phones" {
        let mut one = contact("", "");
        one.phones = vec![String::new(); visit.told.number];
        return Ok(vec![one]);
    }
    Ok((0..visit.told.number).map(|_| contact("", "")).collect())
}
