//! Tries: to keep the host busy with hiding: many seals first, then one long line in which each is looked for.

use crate::bindings::ramal::crm::log::{self, Level};
use crate::bindings::ramal::crm::text::{self, PhoneStyle};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    for _ in 0..visit.told.number {
        text::phone_format(visit.first(), PhoneStyle::National).expect("the seal holds a number");
    }
    let line = "Nobody in particular was here. ".repeat(16_000);
    if visit.told.text == "error" {
        return Err(Error::Permanent(line));
    }
    log::write(Level::Info, &line);
    Ok(Vec::new())
}
