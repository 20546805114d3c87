//! Tries: to cut a seal in two, so that a server that joins two parameters gets the whole.

use crate::asking::{ask, call};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let (front, back) = visit.first().split_at(visit.told.number);
    ask(&call("pair", &[("a", front), ("b", back), ("n", "1"), ("id", "x")]))
}
