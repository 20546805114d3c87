//! Tries: to burn the host's time instead of its own: large texts to functions that the host works off.

use crate::bindings::ramal::crm::text::{self, PhoneStyle};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let text = visit.told.text.repeat(visit.told.number / visit.told.text.len());
    loop {
        let _ = text::lower(&text);
        let _ = text::given_name(&text);
        let _ = text::phone_format(&text, PhoneStyle::E164);
    }
}
