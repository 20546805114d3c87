//! Tries: to take all memory that there is.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(_: &Visit) -> Result<Vec<Contact>, Error> {
    let mut hoard = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}
