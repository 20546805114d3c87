//! The check before compilation reads a stranger's bytes: it neither panics nor takes long, and what it lets
//! through is a component with a manifest of bounded size.

use ramal_engine::precheck::{self, PrecheckLimits};

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let limits = PrecheckLimits::default();
    match precheck::check(data, &limits) {
        Ok(checked) => {
            assert_eq!(checked.wasm(), data);
            assert!(checked.manifest().map_or(0, <[u8]>::len) as u64 <= limits.manifest_bytes);
            assert!(checked.counts().functions <= limits.functions);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
