//! Telephone numbers: canonical forms, variants and display, behind one type.
//!
//! Telephony, messaging and CRMs write one number in a dozen ways: `0 21 11 98765-4321` as dialled,
//! `005511987654321` as an exchange sends it, `551187654321` as WhatsApp names the same person. A lookup
//! that compares texts finds nobody, and the agent answers a stranger. So the host reads a number once, with
//! [`PhoneNumber::parse`], and from there on has one canonical value whose other forms are derived.
//!
//! The numbering plans come from the library `rlibphonenumber`, which stays inside this crate. What it does
//! not know is decided here: `00 55 …` dialled in Brazil (it takes 55 for a carrier and lands in another
//! country), carriers and prefixes that it does not list, the old forms that messaging still uses (Brazil's
//! mobiles without the ninth digit, Mexico's `1`), and that a short code or an extension is not a telephone
//! number. The table in `tests/library.rs` holds its wrong answers beside ours.
//!
//! Each question has its type. [`PhoneNumber`]: who is called, and with [`PhoneNumber::canonical`] whether two
//! are one line. [`PartyNumber`]: what an exchange says about one end of a call, which may be an extension, read
//! at a [`Home`]. [`WaId`]: the address of a WhatsApp account, which is sent as it came.
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
mod brazil;
mod error;
mod home;
mod kind;
mod number;
mod party;
mod plan;
mod reading;
mod region;
mod spelling;
mod wa_id;
mod written;

pub use error::NotANumber;
pub use home::{BadExtensions, ExtensionRanges, Extensions, Home, UnknownArea};
pub use kind::NumberKind;
pub use number::PhoneNumber;
pub use party::{Extension, PartyNumber, ShortCode};
pub use region::{Region, UnknownRegion};
pub use wa_id::WaId;
pub use written::MAX_CHARACTERS;
