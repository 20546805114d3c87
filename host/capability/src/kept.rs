//! What a plugin may keep from call to call and what of its words an operator reads.
//!
//! The engine and the SDK's test harness both ask here. A rule that stood in each would let a plugin pass its own tests
//! and be refused by the first host.

use crate::{Invocation, Limits};

/// Characters of a key.
const KEY: std::ops::RangeInclusive<usize> = 1..=200;

impl Invocation {
    /// Whether a plugin may keep something under this key.
    ///
    /// # Errors
    /// What a key may be, for the plugin's author.
    pub fn kept_key(&self, key: &str) -> Result<(), String> {
        let good = KEY.contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:/-".contains(&b))
            && !self.mentions_seal(key);
        if good {
            return Ok(());
        }
        Err("a key has 1 to 200 of A-Z a-z 0-9 . _ : / - and is no seal".to_owned())
    }

    /// Whether a plugin may keep this value.
    ///
    /// # Errors
    /// What a value may be, for the plugin's author.
    pub fn kept_value(&self, value: &str) -> Result<(), String> {
        if self.mentions_seal(value) {
            return Err("a seal is worth nothing after this call; store no seals".to_owned());
        }
        let most = self.plan().limits().store_value_bytes;
        if value.len() as u64 > most {
            return Err(format!("a value has at most {most} bytes"));
        }
        Ok(())
    }

    /// A line of a plugin's log as an operator reads it: in one line, masked, of at most so many characters as are granted.
    pub fn log_line(&self, message: &str) -> String {
        let most = usize::try_from(self.plan().limits().log_line_chars).unwrap_or(usize::MAX);
        let mut text = self.words(message, most);
        if let Some((cut, _)) = text.char_indices().nth(most) {
            text.truncate(cut);
            text.push('…');
        }
        text
    }

    /// Words of a plugin for an operator, in one line and masked. A text far longer than `most`, the characters that are
    /// kept of it, is not masked, which is work that no deadline ends, but left out; a cut before masking could leave
    /// half a value.
    pub fn words(&self, text: &str, most: usize) -> String {
        if text.len() > most.saturating_mul(16).max(8192) {
            return format!("({} bytes, too long to be shown)", text.len());
        }
        let one_line = text.replace(|c: char| c.is_control(), " ");
        self.mask(&one_line)
    }
}

impl Limits {
    /// Whether a plugin's store has room for an entry beside the others of that plugin, whose keys and values these are.
    pub fn has_room<'a>(
        &self,
        key: &str,
        value: &str,
        others: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let (entries, bytes) =
            others.fold((1, key.len() + value.len()), |(n, b), (k, v)| (n + 1, b + k.len() + v.len()));
        entries <= self.store_entries && bytes as u64 <= self.store_bytes
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::fixture::{begin, plan_with};
    use crate::{Clear, DataClass, Invocation, Limits, Purpose};

    fn invocation() -> Invocation {
        let plan = plan_with(|grant| {
            grant.limits.store_value_bytes = Some(10);
            grant.limits.log_line_chars = Some(20);
        });
        begin(&plan, Purpose::ScreenPop)
    }

    #[rstest]
    #[case::of_all_signs("a-Z_0.9:/", true)]
    #[case::of_200(&"k".repeat(200), true)]
    #[case::of_201(&"k".repeat(201), false)]
    #[case::empty("", false)]
    #[case::with_a_space("a b", false)]
    #[case::not_ascii("número", false)]
    fn a_key_is_short_and_plain(#[case] key: &str, #[case] good: bool) {
        assert_eq!(invocation().kept_key(key).is_ok(), good);
    }

    #[test]
    fn no_seal_is_kept_as_a_key_or_a_value() {
        let mut invocation = invocation();
        let phone = Clear::from("+5511900000021");
        let seal = invocation.hand_in(DataClass::ContactPhone, &phone).unwrap().unwrap();
        assert!(invocation.kept_key(&seal).is_err());
        insta::assert_snapshot!(invocation.kept_value(&seal).unwrap_err(), @"a seal is worth nothing after this call; store no seals");
        insta::assert_snapshot!(invocation.kept_value(&"x".repeat(11)).unwrap_err(), @"a value has at most 10 bytes");
        assert!(invocation.kept_value(&"x".repeat(10)).is_ok());
    }

    #[test]
    fn a_line_is_one_line_masked_and_cut() {
        let invocation = invocation();
        insta::assert_snapshot!(invocation.log_line("one\ntwo\u{7}three"), @"one two three");
        insta::assert_snapshot!(invocation.log_line("+5511900000021 called again"), @"[number] called agai…");
        insta::assert_snapshot!(invocation.log_line(&"x".repeat(9_000)), @"(9000 bytes, too lon…");
    }

    #[rstest]
    #[case::the_last_entry(1, 4, true)]
    #[case::one_entry_more(0, 5, false)]
    #[case::the_last_byte(5, 1, true)]
    #[case::one_byte_more(6, 1, false)]
    fn a_store_has_room_for_so_many_entries_and_bytes(
        #[case] value: usize,
        #[case] others: usize,
        #[case] room: bool,
    ) {
        let limits = Limits { store_entries: 5, store_bytes: 8, ..Limits::default() };
        let others = std::iter::repeat_n(("k", ""), others);
        assert_eq!(limits.has_room("k2", &"x".repeat(value), others), room);
    }
}
