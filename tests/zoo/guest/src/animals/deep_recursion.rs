//! Tries: to recurse until the stack ends.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    Err(Error::Permanent(deeper(visit.told.number as u64).to_string()))
}

#[inline(never)]
fn deeper(at: u64) -> u64 {
    let on_the_stack = std::hint::black_box([at; 8]);
    if at == u64::MAX { 0 } else { deeper(at + 1) + on_the_stack[3] }
}
