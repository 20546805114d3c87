//! Tries: to have text functions open a seal, by mixing it with words or by asking the wrong question.

use crate::bindings::ramal::crm::text::{self, PhoneStyle};
use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::keeping::keep;
use crate::visit::Visit;

pub(super) fn run(visit: &Visit) -> Result<Vec<Contact>, Error> {
    let seal = visit.first();
    let mixed = format!("Ana {seal}");
    let lines = [
        text::phone_format(&mixed, PhoneStyle::E164).unwrap_or_else(|why| why),
        text::phone_format(&format!("{seal}0"), PhoneStyle::E164).unwrap_or_else(|why| why),
        text::lower(&mixed),
        text::given_name(&mixed),
        text::family_name(&mixed),
        text::phone_variants(&mixed).join(" "),
        text::lower(seal),
        text::given_name(seal),
        text::phone_format(seal, PhoneStyle::Digits).unwrap_or_else(|why| why),
        text::phone_variants(seal).join(" "),
    ];
    keep("answer", &lines.join("\n"));
    Ok(Vec::new())
}
