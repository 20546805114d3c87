//! Why a text is not read as a telephone number. The texts go to logs and to settings pages, so they name
//! places and lengths and never a digit of what was read.

use crate::written::MAX_CHARACTERS;

/// Why a text was not read as a telephone number. Carries no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotANumber {
    /// There is no digit in it.
    #[error("read a telephone number: the text holds no digit; give the number with its area code")]
    Empty,
    /// It is longer than any telephone number is written.
    #[error(
        "read a telephone number: the text is longer than {MAX_CHARACTERS} characters; give one number alone"
    )]
    TooLong,
    /// It holds a character that no telephone number is written with.
    #[error(
        "read a telephone number: character {position} is no digit, space, dot, dash or bracket; \
         give one number alone, without name or extension"
    )]
    Character {
        /// Which character, counted from 1.
        position: usize,
    },
    /// It is as short as an extension or a short code, which are no telephone numbers.
    #[error(
        "read a telephone number: too few digits, as in an extension or a short code; \
         give the number with its area code"
    )]
    TooShort,
    /// It has the length of a local number, and nothing tells the area.
    #[error("read a telephone number: the area code is missing; give the number with its area code")]
    NoAreaCode,
    /// It is written as an international number, and no country has this code.
    #[error("read a telephone number: no country has this calling code; check the digits after the plus")]
    UnknownCountry,
    /// The numbering plan of its country has no such number.
    #[error(
        "read a telephone number: the country's numbering plan has no such number; \
         check the area code and the number of digits"
    )]
    NotInPlan,
}
