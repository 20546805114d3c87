//! Seals: `sealed_<class>_<26 base32 characters>`, 128 random bits that stand for a value in one invocation.
//!
//! A seal is an ordinary string so that every guest language can carry it. Its value stays in this vault on
//! the host's side. It says nothing (constant length for a class, random), it cannot be made up (128 bits),
//! and it dies with the vault: one kept from an earlier call opens nothing.

use std::collections::BTreeMap;

use data_encoding::Encoding;
use memchr::memmem;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

use crate::class::DataClass;
use crate::value::Clear;

const PREFIX: &str = "sealed_";
const TAIL: usize = 26;

/// RFC 4648 section 7 in lower case, without padding.
const BASE32: Encoding = data_encoding::BASE32_DNSSEC;

/// A value behind a seal.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) class: DataClass,
    pub(crate) value: Clear,
}

/// The values behind the seals of one invocation.
pub(crate) struct Vault {
    random: ChaCha12Rng,
    held: Vec<Held>,
    by_token: BTreeMap<u128, u32>,
    most: usize,
}

/// A text that looks like a seal and is none of this vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownSeal;

/// No more seals in this invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// A part of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Clear words.
    Words(&'a str),
    /// A seal with what it stands for.
    Seal(&'a Held),
}

impl Vault {
    /// `seed` comes from a cryptographic generator and is used for this vault only.
    pub(crate) fn new(seed: [u8; 32], most: usize) -> Self {
        Self { random: ChaCha12Rng::from_seed(seed), held: Vec::new(), by_token: BTreeMap::new(), most }
    }

    /// Takes a value in and writes its seal.
    pub(crate) fn seal_into(
        &mut self,
        out: &mut String,
        class: DataClass,
        value: Clear,
    ) -> Result<(), TooMany> {
        if self.held.len() >= self.most {
            return Err(TooMany);
        }
        let slot = u32::try_from(self.held.len()).map_err(|_| TooMany)?;
        let mut token = [0u8; 16];
        self.random.fill_bytes(&mut token);
        self.held.push(Held { class, value });
        self.by_token.insert(u128::from_be_bytes(token), slot);
        out.push_str(PREFIX);
        out.push_str(class.as_str());
        out.push('_');
        let start = out.len();
        BASE32.encode_append(&token, out);
        debug_assert_eq!(out.len() - start, TAIL);
        Ok(())
    }

    /// Takes a value in and gives its seal.
    pub(crate) fn seal(&mut self, class: DataClass, value: Clear) -> Result<String, TooMany> {
        let mut out = String::with_capacity(PREFIX.len() + class.as_str().len() + 1 + TAIL);
        self.seal_into(&mut out, class, value)?;
        Ok(out)
    }

    /// Cuts a text into clear words and seals.
    pub(crate) fn parts<'a>(
        &'a self,
        text: &'a str,
        mut each: impl FnMut(Part<'a>),
    ) -> Result<(), UnknownSeal> {
        let mut rest = text;
        while let Some(at) = memmem::find(rest.as_bytes(), PREFIX.as_bytes()) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                each(Part::Words(before));
            }
            let (held, length) = self.read(from).ok_or(UnknownSeal)?;
            each(Part::Seal(held));
            rest = from.get(length..).unwrap_or_default();
        }
        if !rest.is_empty() {
            each(Part::Words(rest));
        }
        Ok(())
    }

    /// The value behind a text that is one seal and nothing else.
    pub(crate) fn exactly<'a>(&'a self, text: &str) -> Option<&'a Held> {
        self.read(text).filter(|(_, length)| *length == text.len()).map(|(held, _)| held)
    }

    /// Whether a text holds anything that looks like a seal.
    pub(crate) fn mentions(text: &str) -> bool {
        memmem::find(text.as_bytes(), PREFIX.as_bytes()).is_some()
    }

    /// Every value, for masking what goes to operators.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Held> {
        self.held.iter()
    }

    /// Reads the seal at the start of `text`: what it stands for, and its length.
    fn read(&self, text: &str) -> Option<(&Held, usize)> {
        let after = text.strip_prefix(PREFIX)?;
        let split = after.find('_')?;
        let (class, tail) = after.split_at(split);
        let tail = tail.get(1..=TAIL)?;
        // The decoder would take capitals too, but an altered seal is none.
        if tail.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut token = [0; 16];
        BASE32.decode_mut(tail.as_bytes(), &mut token).ok()?;
        let slot = *self.by_token.get(&u128::from_be_bytes(token))?;
        let held = self.held.get(slot as usize)?;
        (held.class.as_str() == class).then_some((held, PREFIX.len() + split + 1 + TAIL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn vault() -> Vault {
        Vault::new([7; 32], 100)
    }

    fn words(vault: &Vault, text: &str) -> Result<Vec<String>, UnknownSeal> {
        let mut out = Vec::new();
        vault.parts(text, |part| {
            out.push(match part {
                Part::Words(w) => w.to_owned(),
                Part::Seal(held) => format!("<{}={}>", held.class, held.value.expose()),
            });
        })?;
        Ok(out)
    }

    #[test]
    fn a_seal_opens_to_its_value_alone_or_inside_text() {
        let mut vault = vault();
        let phone = vault.seal(DataClass::ContactPhone, "+5511900000001".into()).unwrap();
        let name = vault.seal(DataClass::ContactName, "Ana Invented".into()).unwrap();
        assert_eq!(
            words(&vault, &format!("call from {name} ({phone})!")).unwrap(),
            ["call from ", "<contact.name=Ana Invented>", " (", "<contact.phone=+5511900000001>", ")!"]
        );
        assert!(vault.exactly(&phone).is_some());
        assert!(vault.exactly(&format!("{phone} ")).is_none());
    }

    #[test]
    fn seals_of_a_class_have_one_length_and_never_repeat() {
        let mut vault = vault();
        let one = vault.seal(DataClass::ContactPhone, "1".into()).unwrap();
        let other = vault.seal(DataClass::ContactPhone, "1".repeat(500).into()).unwrap();
        let same = vault.seal(DataClass::ContactPhone, "1".into()).unwrap();
        assert_eq!(one.len(), other.len());
        assert_eq!(one.len(), "sealed_contact.phone_".len() + 26);
        assert_ne!(one, same);
    }

    #[test]
    fn what_looks_like_a_seal_and_is_none_is_an_error() {
        let mut vault = vault();
        let seal = vault.seal(DataClass::ContactPhone, "1".into()).unwrap();
        let relabelled = seal.replace("contact.phone", "contact.name");
        let other_vault = Vault::new([8; 32], 100).seal(DataClass::ContactPhone, "1".into()).unwrap();
        let upper = seal.replace("sealed_", "SEALED_");
        let capitals = seal.split_at(seal.len() - TAIL);
        let capitals = format!("{}{}", capitals.0, capitals.1.to_uppercase());
        for bad in [
            "sealed_contact.phone_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "sealed_",
            "sealed_contact.phone_",
            "sealed_x_y",
            &seal[..seal.len() - 1],
            &relabelled,
            &other_vault,
            &capitals,
            &seal.to_lowercase().replacen("sealed_", "xsealed_", 1)[1..].replace('_', "__"),
        ] {
            assert!(words(&vault, bad).is_err(), "{bad}");
        }
        assert_eq!(
            words(&vault, &upper).unwrap().len(),
            1,
            "another case is clear words, which open nothing"
        );
    }

    #[test]
    fn the_number_of_seals_is_limited() {
        let mut vault = Vault::new([1; 32], 2);
        assert!(vault.seal(DataClass::Agent, "a".into()).is_ok());
        assert!(vault.seal(DataClass::Agent, "b".into()).is_ok());
        assert_eq!(vault.seal(DataClass::Agent, "c".into()), Err(TooMany));
    }

    proptest! {
        #[test]
        fn no_text_opens_what_was_not_sealed(text in "(sealed_)?(contact\\.phone_)?[a-z2-7A-Z_]{0,40}") {
            let mut vault = vault();
            let _ = vault.seal(DataClass::ContactPhone, "secret".into());
            let mut opened = false;
            let _ = vault.parts(&text, |p| opened |= matches!(p, Part::Seal(_)));
            prop_assert!(!opened);
        }

        #[test]
        fn any_value_survives(value in any::<String>(), before in "[^s]{0,10}", after in "[^s]{0,10}") {
            let mut vault = vault();
            let seal = vault.seal(DataClass::ContactNote, value.as_str().into()).unwrap();
            let text = format!("{before}{seal}{after}");
            let mut got = String::new();
            vault.parts(&text, |p| got.push_str(match p { Part::Words(w) => w, Part::Seal(h) => h.value.expose() })).unwrap();
            prop_assert_eq!(got, format!("{before}{value}{after}"));
        }
    }
}
