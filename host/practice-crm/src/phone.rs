//! When two texts are the same telephone number, by this CRM's lights: like many a real one it looks at
//! digits, knows its own country's code, and knows nothing of the ninth digit. The host is what knows that.

/// The shortest and the longest run of digits that is compared.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// The digits under which a text may be kept: as given, and with Brazil's code if it may be national.
pub(crate) struct Digits {
    given: String,
    with_country: Option<String>,
}

impl Digits {
    /// Nothing if the text has too few digits or too many.
    pub(crate) fn of(text: &str) -> Option<Self> {
        // In a query a plus that was not encoded arrives as a space.
        let has_plus = text.starts_with(['+', ' ']);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let given = digits.trim_start_matches('0').to_owned();
        let may_be_national = !has_plus && matches!(given.len(), 10 | 11);
        let with_country = may_be_national.then(|| format!("55{given}"));
        DIGITS.contains(&given.len()).then_some(Self { given, with_country })
    }

    /// Whether both may be one number.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        let own = [Some(&self.given), self.with_country.as_ref()];
        own.into_iter()
            .flatten()
            .any(|form| *form == other.given || Some(form) == other.with_country.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::same("+5511987654001", "+5511987654001", true)]
    #[case::formatted("+5511987654001", "+55 (11) 98765-4001", true)]
    #[case::national("+5511987654001", "(11) 98765-4001", true)]
    #[case::trunk_zero("+5511987654001", "011 98765 4001", true)]
    #[case::double_zero("+5511987654001", "005511987654001", true)]
    #[case::plus_lost_in_a_query("+5511987654001", " 5511987654001", true)]
    #[case::both_national("011 98765 4001", "11987654001", true)]
    #[case::foreign("+14155552671", "14155552671", true)]
    #[case::ninth_digit_is_not_known("+5511987654001", "+551187654001", false)]
    #[case::end_alone_is_not_enough("+5511987654001", "987654001", false)]
    #[case::other_area("+5511987654001", "(21) 98765-4001", false)]
    fn numbers_are_compared_by_their_digits(#[case] kept: &str, #[case] asked: &str, #[case] expected: bool) {
        let (kept, asked) = (Digits::of(kept).unwrap(), Digits::of(asked).unwrap());
        assert_eq!((kept.matches(&asked), asked.matches(&kept)), (expected, expected));
    }

    #[rstest::rstest]
    #[case::nothing("")]
    #[case::extension("7002")]
    #[case::sixteen_digits("1234567890123456")]
    fn too_few_or_too_many_digits_are_no_number(#[case] text: &str) {
        assert!(Digits::of(text).is_none());
    }
}
