//! Tries: to write all that it holds into the log, in every spelling that it can think of.

use crate::asking::{call, words};
use crate::bindings::ramal::crm::egress;
use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let answer = words(&egress::send(&call("find", &[("phone", visit.first())])));
    keep("answer", &answer);
    for text in visit.given.iter().chain([&visit.told.text, &answer]) {
        let backwards: String = text.chars().rev().collect();
        for spelling in [text.clone(), text.to_lowercase(), text.to_uppercase(), backwards] {
            log::write(Level::Warn, &spelling);
        }
    }
    Err(Error::Permanent(answer))
}
