//! The text functions of the contract: alike on seals and clear text, answering in kind.

use ramal_numbers::{PhoneNumber, Region};

/// How a telephone number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneStyle {
    /// `+5511987654321`
    E164,
    /// `(11) 98765-4321`
    National,
    /// `5511987654321`
    Digits,
    /// `tel:+55-11-98765-4321` (RFC 3966)
    Rfc3966,
    /// `+55 11 98765-4321`
    International,
}

/// The number in another style, if it is one.
pub(crate) fn phone_format(value: &str, style: PhoneStyle, region: Region) -> Option<String> {
    let number = PhoneNumber::parse(value, region).ok()?;
    Some(match style {
        PhoneStyle::E164 => number.e164(),
        PhoneStyle::National => number.national(),
        PhoneStyle::Digits => number.digits(),
        PhoneStyle::Rfc3966 => number.rfc3966(),
        PhoneStyle::International => number.international(),
    })
}

/// The forms of one number, best first.
pub(crate) fn phone_variants(value: &str, region: Region) -> Vec<String> {
    match PhoneNumber::parse(value, region) {
        Ok(number) => number.variants().iter().map(PhoneNumber::e164).collect(),
        Err(_) => vec![value.to_owned()],
    }
}

/// The first word of a name.
pub(crate) fn given_name(name: &str) -> String {
    name.split_whitespace().next().unwrap_or_default().to_owned()
}

/// The last name with the particles that belong to it (`da Silva`) and a generation word behind it
/// (`Souza Filho`); empty when there is only one word.
pub(crate) fn family_name(name: &str) -> String {
    const PARTICLES: &[&str] = &["da", "de", "do", "das", "dos", "e", "di", "del", "van", "von", "la"];
    const GENERATIONS: &[&str] =
        &["filho", "filha", "neto", "neta", "junior", "júnior", "jr", "jr.", "sobrinho"];
    let words: Vec<&str> = name.split_whitespace().collect();
    if words.len() < 2 {
        return String::new();
    }
    let is = |list: &[&str], word: &str| list.contains(&word.to_lowercase().as_str());
    let mut start = words.len() - 1;
    if start > 1 && words.last().is_some_and(|w| is(GENERATIONS, w)) {
        start -= 1;
    }
    while start > 1 && words.get(start - 1).is_some_and(|w| is(PARTICLES, w)) {
        start -= 1;
    }
    words.get(start..).unwrap_or_default().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::e164(PhoneStyle::E164, "+5511976543210", "+551176543210")]
    #[case::national(PhoneStyle::National, "(11) 97654-3210", "(11) 7654-3210")]
    #[case::digits(PhoneStyle::Digits, "5511976543210", "551176543210")]
    #[case::rfc3966(PhoneStyle::Rfc3966, "tel:+55-11-97654-3210", "tel:+55-11-7654-3210")]
    #[case::international(PhoneStyle::International, "+55 11 97654-3210", "+55 11 7654-3210")]
    fn each_style_writes_both_forms_of_a_mobile(
        #[case] style: PhoneStyle,
        #[case] of_today: &str,
        #[case] of_before: &str,
    ) {
        let written = |text| phone_format(text, style, Region::BR);
        assert_eq!(written("11976543210").as_deref(), Some(of_today));
        assert_eq!(written("1176543210").as_deref(), Some(of_before));
        assert_eq!(written("Ana Inventada"), None);
    }

    #[rstest]
    #[case::two("Ana Lima", "Ana", "Lima")]
    #[case::particle("Maria da Silva", "Maria", "da Silva")]
    #[case::middle("João Carlos de Souza", "João", "de Souza")]
    #[case::generation("João Souza Filho", "João", "Souza Filho")]
    #[case::generation_particle("João da Costa Neto", "João", "da Costa Neto")]
    #[case::one("Pelé", "Pelé", "")]
    #[case::empty("", "", "")]
    #[case::spaces("  Ana   Lima ", "Ana", "Lima")]
    #[case::given_particle("Maria e Silva", "Maria", "e Silva")]
    fn names_split_by_custom(#[case] name: &str, #[case] given: &str, #[case] family: &str) {
        assert_eq!((given_name(name).as_str(), family_name(name).as_str()), (given, family));
    }
}
