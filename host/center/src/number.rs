//! Numbers as the store keeps them.

use ramal_numbers::{PhoneNumber, Region};
use ramal_store::{ContactIdentity, ContactKind};

/// Reads a number back that was stored in E.164. The region only matters for numbers without a country.
pub(crate) fn stored_number(e164: &str) -> Option<PhoneNumber> {
    PhoneNumber::parse(e164, Region::BR).ok()
}

/// The number by which a customer is looked up; `None` where only other names are known.
pub(crate) fn customers_number(contacts: &[ContactIdentity]) -> Option<PhoneNumber> {
    contacts.iter().find(|c| c.kind == ContactKind::Phone).and_then(|c| stored_number(c.value().expose()))
}
