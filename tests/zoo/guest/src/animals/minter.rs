//! Tries: to make seals without end, by functions that answer a seal with seals.

use crate::bindings::ramal::crm::text::{self, PhoneStyle};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let mut made = 0;
    let refusal = loop {
        match text::phone_format(visit.first(), PhoneStyle::National) {
            Ok(_) => made += 1,
            Err(refusal) => break refusal,
        }
    };
    let same = |after: &str| after == visit.first();
    let others = [same(&text::lower(visit.first())), same(&text::given_name(visit.first()))];
    keep("made", &made.to_string());
    keep("answer", &format!("{refusal}; unchanged: {others:?}; {}", text::phone_variants(visit.first()).len()));
    Ok(Vec::new())
}
