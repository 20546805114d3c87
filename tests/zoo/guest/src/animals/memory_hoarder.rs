//! Tries: to take all memory page by page, and to behave once there is no more.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(_: &Visit) -> Result<Vec<Contact>, Error> {
    while core::arch::wasm32::memory_grow::<0>(1) != usize::MAX {}
    keep("pages", &core::arch::wasm32::memory_size::<0>().to_string());
    Ok(Vec::new())
}
