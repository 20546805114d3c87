//! Tries: to compare seals until it knows which of many are the same.

use crate::bindings::ramal::crm::text;
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let mut answers = 0;
    let refusal = loop {
        match text::same(&visit.given[0], &visit.given[1]) {
            Ok(_) => answers += 1,
            Err(refusal) => break refusal,
        }
    };
    keep("answers", &answers.to_string());
    keep("answer", &refusal);
    Ok(Vec::new())
}
