//! Tries: to use the seal that `seal-keeper` put away in another call.

use crate::asking::{ask, call, contact};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::kept;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let seal = kept("seal").expect("the keeper was here before");
    if visit.told.text == "return it" {
        let mut found = contact("c-1", "Somebody");
        found.phones.push(seal);
        return Ok(vec![found]);
    }
    ask(&call("find", &[("phone", &seal)]))
}
