//! Numbers as the store keeps them.

use ramal_numbers::{PhoneNumber, Region};

/// Reads a number back that was stored in E.164. The region only matters for numbers without a country.
pub(crate) fn stored_number(e164: &str) -> Option<PhoneNumber> {
    PhoneNumber::parse(e164, Region::BR).ok()
}
