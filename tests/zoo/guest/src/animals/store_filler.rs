//! Tries: to fill its store with bytes.

use crate::bindings::ramal::crm::store::{self, Failure};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let value = "x".repeat(visit.told.number);
    for key in 0.. {
        match store::set(&format!("k{key}"), &value, None) {
            Ok(()) => {}
            Err(Failure::Full) => return Err(Error::Permanent(format!("full after {key}"))),
            Err(_) => return Err(Error::Permanent("refused".to_owned())),
        }
    }
    unreachable!()
}
