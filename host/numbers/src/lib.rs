//! Telephone numbers: canonical forms, variants and display, behind one type.
//!
//! Telephony, messaging and CRMs write one number in a dozen ways: `0 21 11 98765-4321` as dialled,
//! `005511987654321` as an exchange sends it, `551187654321` as WhatsApp names the same person. A lookup
//! that compares texts finds nobody, and the agent answers a stranger. So the host reads a number once, with
//! [`PhoneNumber::parse`], and from there on has one canonical value whose other forms are derived.
//!
//! The numbering plans come from the library `rlibphonenumber`, which stays inside this crate. Three things
//! it does not know, and which are decided here: `00 55 …` dialled in Brazil (it takes 55 for a carrier and
//! lands in another country), the old forms that messaging still uses (Brazil's mobiles without the ninth
//! digit, Mexico's `1`), and that a short code or an extension is not a telephone number.
//!
//! A number is personal data: [`PhoneNumber`] has no `Display` and no `Serialize`, its `Debug` shows no
//! digit, and no error carries what was read. A value leaves only through a method that says which form.
//!
//! ```
//! use ramal_numbers::{PhoneNumber, Region};
//!
//! let number = PhoneNumber::parse("0 21 (11) 98765-4321", Region::BR)?;
//! assert_eq!(number.e164(), "+5511987654321");
//! assert_eq!(number.national(), "(11) 98765-4321");
//! assert_eq!(number.variants().len(), 2);
//! # Ok::<(), ramal_numbers::NotANumber>(())
//! ```

mod aliases;
mod error;
mod number;
mod plan;
mod reading;
mod region;
mod written;

pub use error::NotANumber;
pub use number::PhoneNumber;
pub use region::{Region, UnknownRegion};
pub use written::MAX_CHARACTERS;
