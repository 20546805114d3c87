//! The custom section `ramal:sdk`: what a component was built with.
//!
//! The host reads it before it compiles anything, so that a plugin of another age is refused with a sentence
//! ("built for 0.4, this host serves 0.1 to 0.3") and not with a link error.

/// The version of this SDK.
pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The version of the WIT package `ramal:crm` that this SDK speaks.
pub const WIT_VERSION: &str = "0.1.0";

/// The section's content, JSON. `concat!` takes no constants, hence the version once more; a test holds them
/// together.
#[doc(hidden)]
pub const SECTION: &[u8; SECTION_LEN] = match TEXT.as_bytes().first_chunk() {
    Some(bytes) => bytes,
    None => &[0; SECTION_LEN],
};
#[doc(hidden)]
pub const SECTION_LEN: usize = TEXT.len();

const TEXT: &str = concat!(r#"{"sdk":""#, env!("CARGO_PKG_VERSION"), r#"","wit":"0.1.0","lang":"rust"}"#);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_tells_both_versions() {
        let json: serde_json::Value = serde_json::from_slice(SECTION).unwrap();
        assert_eq!(json, serde_json::json!({"sdk": SDK_VERSION, "wit": WIT_VERSION, "lang": "rust"}));
    }

    #[test]
    fn every_wit_file_has_the_version_that_the_section_claims() {
        let wit = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");
        let mut seen = 0;
        for file in std::fs::read_dir(wit).unwrap().map(|f| f.unwrap().path()) {
            if file.extension().is_some_and(|e| e == "wit") {
                let text = std::fs::read_to_string(&file).unwrap();
                assert!(text.starts_with(&format!("package ramal:crm@{WIT_VERSION};")), "{}", file.display());
                seen += 1;
            }
        }
        assert!(seen > 10);
    }
}
