//! A mapping file is written by whoever connects a provider, and a payload by whoever knows the address.
//!
//! Any text is either refused with at least one finding that lies within the text, or is a mapping that reads any
//! payload without a defect, and the same payload the same way again.
//!
//! Input: the mapping, a line `---`, the payload.

use ramal_channels::Mapping;
use ramal_numbers::Region;

use super::plan::text;

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    const LINE: &[u8] = b"\n---\n";
    let cut = data.windows(LINE.len()).position(|at| at == LINE).unwrap_or(data.len());
    let (head, tail) = data.split_at(cut);
    let (text, body) = (text(head), tail.get(LINE.len()..).unwrap_or_default());
    let mapping = match Mapping::parse("mapping.toml", text) {
        Ok(mapping) => mapping,
        Err(error) => {
            assert!(!error.findings().is_empty(), "refused without a reason");
            for finding in error.findings() {
                assert!(text.get(finding.span()).is_some(), "a finding that points nowhere: {finding:?}");
            }
            let _ = error.render(false);
            return;
        }
    };
    let Ok(now) = "2026-12-01T12:00:00Z".parse() else { return };
    let read = || mapping.read("multipart/form-data; boundary=b", body, Region::BR, now);
    assert_eq!(read(), read(), "the same payload said something else");
}
