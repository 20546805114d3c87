//! Takes things home: whatever an animal sees goes into the plugin's store, for the test to read.

use crate::bindings::ramal::crm::store;

/// Below the host's limit for one value.
const PIECE: usize = 60_000;

/// Keeps a text under a key, in pieces if it is long. The store refuses seals, so a seal is written in another
/// case, as a plugin that wants to keep one would do it.
pub(crate) fn keep(key: &str, text: &str) {
    let text = text.replace("sealed_", "SEALED_");
    let mut rest = text.as_str();
    let mut piece = 0;
    loop {
        let mut at = rest.len().min(PIECE);
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let name = if piece == 0 { key.to_owned() } else { format!("{key}.{piece}") };
        store::set(&name, &rest[..at], None).expect("the store takes what an animal saw");
        rest = &rest[at..];
        piece += 1;
        if rest.is_empty() {
            return;
        }
    }
}

/// What an earlier call kept, seals in their first case again.
pub(crate) fn kept(key: &str) -> Option<String> {
    store::get(key).expect("the store answers").map(|text| text.replace("SEALED_", "sealed_"))
}
