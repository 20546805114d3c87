//! Shapes instead of values: what a `masked` level gives, and what operators read in logs.

use std::collections::HashSet;

use crate::class::DataClass;
use crate::seal::{Part, Vault};

const DOT: char = '•';

/// A value with most of it hidden, in a form that still helps a person to recognise it.
pub(crate) fn mask(class: DataClass, value: &str) -> String {
    match class {
        DataClass::ContactPhone => {
            let digits = value.chars().filter(char::is_ascii_digit).count();
            let mut seen = 0;
            let keep_from = digits.saturating_sub(2);
            let country = if value.starts_with('+') { 4.min(digits.saturating_sub(6)) } else { 0 };
            value
                .chars()
                .map(|c| {
                    if !c.is_ascii_digit() {
                        return if c.is_ascii_punctuation() || c == ' ' { c } else { DOT };
                    }
                    seen += 1;
                    if seen <= country || seen > keep_from { c } else { DOT }
                })
                .collect()
        }
        DataClass::ContactEmail => match value.split_once('@') {
            Some((user, host)) => {
                let top = host.rsplit_once('.').map_or("", |(_, top)| top);
                format!("{}•••@•••.{top}", user.chars().next().unwrap_or(DOT))
            }
            None => "•••".to_owned(),
        },
        DataClass::ContactName | DataClass::ContactOrganization | DataClass::Agent => value
            .split_whitespace()
            .filter_map(|word| word.chars().next())
            .map(|first| format!("{first}."))
            .collect::<Vec<_>>()
            .join(" "),
        _ => "•••".to_owned(),
    }
}

/// Text for operators: seals become their class, values known in this invocation become their class, and
/// what looks like an address, a document or a telephone number becomes a word for it. An aid for text that
/// should not hold such values in the first place, never the boundary.
pub(crate) fn mask_words(vault: &Vault, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let known = vault.parts(text, |part| match part {
        Part::Words(words) => out.push_str(words),
        Part::Seal(held) => {
            out.push('[');
            out.push_str(held.class.as_str());
            out.push(']');
        }
    });
    if known.is_err() {
        out.clear();
        out.push_str(&text.replace("sealed_", "[unknown seal] "));
    }
    let grams = Grams::of(&out);
    for held in vault.values() {
        let value = held.value.expose();
        if value.chars().count() < 3 || !grams.may_hold(value) {
            continue;
        }
        let label = format!("[{}]", held.class);
        out = replace_folded(&out, value, &label);
        let reversed: String = value.chars().rev().collect();
        out = replace_folded(&out, &reversed, &label);
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 6 {
            out = out.replace(&digits, &label);
        }
    }
    mask_shapes(&out)
}

/// The three-character pieces of a text in lower case. A value whose first piece (of its characters, of its
/// characters backwards, of its digits) is not among them is not in the text: that spares the search for each of
/// many thousand values.
struct Grams(HashSet<[char; 3]>);

impl Grams {
    fn of(text: &str) -> Self {
        let folded: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
        Self(folded.windows(3).filter_map(|gram| <[char; 3]>::try_from(gram).ok()).collect())
    }

    fn may_hold(&self, value: &str) -> bool {
        let first = |chars: &mut dyn Iterator<Item = char>| match (chars.next(), chars.next(), chars.next()) {
            (Some(a), Some(b), Some(c)) => self.0.contains(&[a, b, c]),
            _ => false,
        };
        first(&mut value.chars().flat_map(char::to_lowercase))
            || first(&mut value.chars().rev().flat_map(char::to_lowercase))
            || first(&mut value.chars().filter(char::is_ascii_digit))
    }
}

/// Replaces without regard to case.
fn replace_folded(text: &str, value: &str, label: &str) -> String {
    let (folded, needle) = (text.to_lowercase(), value.to_lowercase());
    // Lower case may change lengths; then byte positions differ and the plain replacement must do.
    if folded.len() != text.len() || !folded.contains(&needle) {
        return text.replace(value, label);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in folded.match_indices(&needle) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(label);
        from = at + found.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Hides what has the shape of personal data: words with an `@` inside, runs with eight digits or more.
pub(crate) fn mask_shapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit() || c == '+' || c == '(') {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '+' | '(' | ')' | '-' | '.' | '/')))
            .unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        out.push_str(before);
        if run.chars().filter(char::is_ascii_digit).count() >= 8 {
            out.push_str("[number]");
            if run.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push_str(run);
        }
        rest = after;
    }
    out.push_str(rest);
    if !out.contains('@') {
        return out;
    }
    out.split_inclusive(char::is_whitespace)
        .map(|word| {
            let inside = word.trim_end();
            let looks = inside.find('@').is_some_and(|at| at > 0 && at + 1 < inside.len());
            if looks {
                format!("[e-mail]{}", word.get(inside.len()..).unwrap_or_default())
            } else {
                word.to_owned()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::mobile(DataClass::ContactPhone, "+5511900000021", "+5511•••••••21")]
    #[case::national(DataClass::ContactPhone, "(11) 90000-0021", "(••) •••••-••21")]
    #[case::short(DataClass::ContactPhone, "190", "•90")]
    #[case::email(DataClass::ContactEmail, "ana@example.invalid", "a•••@•••.invalid")]
    #[case::no_email(DataClass::ContactEmail, "ana", "•••")]
    #[case::name(DataClass::ContactName, "Ana de Souza", "A. d. S.")]
    #[case::document(DataClass::ContactDocument, "000.000.000-00", "•••")]
    #[case::note(DataClass::ContactNote, "anything", "•••")]
    fn masks_keep_a_shape(#[case] class: DataClass, #[case] value: &str, #[case] expected: &str) {
        assert_eq!(mask(class, value), expected);
    }

    #[rstest]
    #[case::phone("no answer from +55 (11) 90000-0021 today", "no answer from [number] today")]
    #[case::cpf("cpf 123.456.789-00", "cpf [number]")]
    #[case::email("wrote to ana.lima@example.invalid, no reply", "wrote to [e-mail] no reply")]
    #[case::small_numbers("status 404 after 3 tries", "status 404 after 3 tries")]
    #[case::at_alone("meet @ noon", "meet @ noon")]
    fn shapes_of_personal_data_are_hidden(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(mask_shapes(text), expected);
    }

    #[test]
    fn known_values_are_hidden_in_any_case_and_reversed() {
        let mut vault = Vault::new([3; 32], 10);
        let seal = vault.seal(DataClass::ContactName, "Ana Lima".into()).unwrap();
        let text = format!("{seal} / ana lima / ANA LIMA / amiL anA / sealed");
        assert_eq!(
            mask_words(&vault, &text),
            "[contact.name] / [contact.name] / [contact.name] / [contact.name] / sealed"
        );
    }
}
