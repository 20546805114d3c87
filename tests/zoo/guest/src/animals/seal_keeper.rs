//! Tries: to keep a seal for a later call. `seal-thief` comes for it.

use crate::asking::ask;
use crate::asking::call;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    keep("seal", visit.first());
    ask(&call("find", &[("phone", visit.first())]))
}
