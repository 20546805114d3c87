//! The one type for a telephone number.

use std::fmt;

use crate::error::NotANumber;
use crate::home::Home;
use crate::kind::NumberKind;
use crate::region::Region;
use crate::{aliases, brazil, plan, reading, spelling};

/// A telephone number with its country, in canonical form.
///
/// Two values are equal if they dial the same digits. `+5511987654321` and `+551187654321` are two values,
/// although they reach one person: compare [`canonical`](Self::canonical) for that.
///
/// Invariant: the E.164 form is 4 to 15 digits, begins with a known calling code, and reads as this value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber {
    /// The calling code, 1 to 999.
    pub(crate) country: u16,
    /// How many zeros stand before `national`; they count in Italy and elsewhere.
    pub(crate) zeros: u8,
    /// What follows the calling code, without its leading zeros.
    pub(crate) national: u64,
}

impl PhoneNumber {
    /// Reads a number as it is typed, dialled or sent in `region`.
    ///
    /// Takes the international form, the national form with or without the trunk zero, with a carrier's
    /// code (`0 15 11 98765-4321`), with `00` before the country code, an RFC 3966 `tel:` URI, and the
    /// digits of a country code and a number without a plus. A national reading wins over an international
    /// one; a value that is *known* to begin with a country code is for [`from_wa_id`](Self::from_wa_id).
    ///
    /// What was given is kept: no digit is added, so a Brazilian mobile without its ninth digit stays so.
    /// With a plus, a number of a possible length is enough, since plans grow faster than libraries; without
    /// one, the number must be in the plan, since the guess of its country rests on that.
    ///
    /// # Errors
    /// [`NotANumber`] says what is missing. No input panics, and the cost is bounded by
    /// [`MAX_CHARACTERS`](crate::MAX_CHARACTERS).
    pub fn parse(text: &str, region: Region) -> Result<Self, NotANumber> {
        reading::dialled(text, region, None)
    }

    /// Reads a number as [`parse`](Self::parse) does in the home's region, and one without its area code, also
    /// as `9090 3210-0000`, in the home's area if that is known.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn parse_at(text: &str, home: &Home) -> Result<Self, NotANumber> {
        reading::dialled(text, home.region(), home.area())
    }

    /// Reads a text that begins with a country code whether or not a plus stands before it, as the `wa_id`
    /// of the WhatsApp Business Platform does.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn from_wa_id(text: &str) -> Result<Self, NotANumber> {
        reading::international(text)
    }

    /// The E.164 form: `+5511987654321`.
    pub fn e164(&self) -> String {
        format!("+{}", self.digits())
    }

    /// The E.164 form without its plus: `5511987654321`.
    pub fn digits(&self) -> String {
        format!("{}{:0>zeros$}{}", self.country, "", self.national, zeros = usize::from(self.zeros))
    }

    /// As it is written in its own country: `(11) 98765-4321`.
    pub fn national(&self) -> String {
        spelling::national(*self)
    }

    /// With its country code, in groups: `+55 11 98765-4321`. The grouping is that of its country.
    pub fn international(&self) -> String {
        spelling::international(*self)
    }

    /// The URI of RFC 3966: `tel:+55-11-98765-4321`.
    pub fn rfc3966(&self) -> String {
        spelling::rfc3966(*self)
    }

    /// The number of today's plan for the same line: the key by which two numbers are one.
    ///
    /// It differs from the number itself only for the old forms that [`variants`](Self::variants) lists. The
    /// last eight or ten digits are no such key: eight are the same in two areas, ten differ between the forms
    /// of one mobile, and the area with the last eight makes one of a land line and a mobile (`11 2345-6789`,
    /// `11 92345-6789`).
    #[must_use]
    pub fn canonical(&self) -> Self {
        aliases::of(*self).map_or(*self, |aliases| aliases.current)
    }

    /// What sort of line the number leads to, by its plan.
    pub fn kind(&self) -> NumberKind {
        brazil::kind(*self).unwrap_or_else(|| plan::kind(self.canonical()))
    }

    /// The numbers under which a CRM may hold the same line, the one of today's plan first, itself included.
    ///
    /// A Brazilian mobile has two: with and without the ninth digit. So does a Mexican number: without and
    /// with the `1` after the country code. Every other number has only itself. Every variant has the same
    /// variants, in the same order.
    pub fn variants(&self) -> Vec<Self> {
        match aliases::of(*self) {
            Some(aliases) => vec![aliases.current, aliases.old],
            None => vec![*self],
        }
    }
}

/// Shows that there is a number, and none of its digits.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(<personal>)")
    }
}
