//! Tries: to fill its store with entries, each as small as can be.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    super::store_filler::run(visit)
}
