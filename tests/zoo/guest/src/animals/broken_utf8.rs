//! Tries: to hand the host a text that is none.

use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(_: &Visit) -> Result<Vec<Contact>, Error> {
    // SAFETY: there is none, which is the point: the host must not believe a guest's strings.
    let text = unsafe { String::from_utf8_unchecked(vec![0xc3, 0x28, 0xff]) };
    log::write(Level::Info, &text);
    Ok(Vec::new())
}
