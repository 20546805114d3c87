//! The name that WhatsApp gives to an account with a telephone number.
//!
//! It looks like a number and is an address: WhatsApp answers to the very digits that it gave, and for most
//! Brazilian areas these lack the ninth digit. Who writes it anew "properly" sends to nobody, or opens a second
//! thread; who matches by it finds no contact. So it is kept as it came, beside the number that it stands for.

use std::fmt;

use crate::error::NotANumber;
use crate::number::PhoneNumber;
use crate::written::MAX_CHARACTERS;

/// A `wa_id` of the WhatsApp Business Platform: digits that begin with a country code, without a plus.
///
/// Two are equal if they are the same digits. To find out whether two are one line, compare
/// [`canonical`](Self::canonical).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WaId {
    verbatim: Box<str>,
    number: Option<PhoneNumber>,
}

impl WaId {
    /// Reads a `wa_id` as a webhook brings it. Digits of no known plan are kept too: a message must not be lost
    /// because a country opened a new range.
    ///
    /// # Errors
    /// [`NotANumber`] when it is empty, longer than [`MAX_CHARACTERS`], or not only digits, as the user
    /// identifiers are that WhatsApp gives in place of a number.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        if text.is_empty() {
            return Err(NotANumber::Empty);
        }
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return Err(NotANumber::TooLong);
        }
        if let Some(index) = text.chars().position(|character| !character.is_ascii_digit()) {
            return Err(NotANumber::Character { position: index + 1 });
        }
        Ok(Self { verbatim: text.into(), number: PhoneNumber::from_wa_id(text).ok() })
    }

    /// The digits as WhatsApp gave them, and as it wants them back.
    pub fn verbatim(&self) -> &str {
        &self.verbatim
    }

    /// The telephone number that it stands for, as it is written there; nothing if no plan could have it.
    pub fn number(&self) -> Option<PhoneNumber> {
        self.number
    }

    /// The number by which contacts are matched: [`PhoneNumber::canonical`].
    pub fn canonical(&self) -> Option<PhoneNumber> {
        self.number.map(|number| number.canonical())
    }
}

/// Shows that there is one, and none of its digits.
impl fmt::Debug for WaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WaId(<personal>)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::with_the_ninth_digit("5511987654321", Some("+5511987654321"))]
    #[case::of_the_south_without_it("554787654321", Some("+5547987654321"))]
    #[case::of_mexico_with_its_1("5215512345678", Some("+525512345678"))]
    #[case::of_a_land_line("551132100000", Some("+551132100000"))]
    #[case::of_another_country("351912345678", Some("+351912345678"))]
    #[case::that_no_plan_could_have("99912345678", None)]
    #[case::too_short_for_a_number("55", None)]
    fn it_is_sent_as_it_came_and_matched_by_its_canonical_number(
        #[case] text: &str,
        #[case] canonical: Option<&str>,
    ) {
        let id = WaId::parse(text).unwrap();
        assert_eq!(id.verbatim(), text);
        assert_eq!(id.canonical().map(|number| number.e164()).as_deref(), canonical);
    }

    #[rstest::rstest]
    #[case::empty("", NotANumber::Empty)]
    #[case::plus("+5511987654321", NotANumber::Character { position: 1 })]
    #[case::user_identifier("BR.13491208655302741918", NotANumber::Character { position: 1 })]
    #[case::written_for_people("55 11 98765-4321", NotANumber::Character { position: 3 })]
    #[case::group("120363025246125486@g.us", NotANumber::Character { position: 19 })]
    #[case::forty_one_digits("11111111111111111111111111111111111111111", NotANumber::TooLong)]
    fn what_is_no_wa_id_is_refused(#[case] text: &str, #[case] expected: NotANumber) {
        assert_eq!(WaId::parse(text), Err(expected));
    }

    #[test]
    fn debug_shows_no_digit() {
        assert_eq!(format!("{:?}", WaId::parse("5511987654321")), "Ok(WaId(<personal>))");
    }
}
