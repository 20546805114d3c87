//! Tries: to go on with a second request after its grant ended during the first.

use crate::asking::{ask, call, words};
use crate::bindings::ramal::crm::egress;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let find = call("find", &[("phone", visit.first())]);
    keep("first", &words(&egress::send(&find)));
    ask(&find)
}
