//! A plugin's manifest is a stranger's file, read before anybody approved anything.
//!
//! Any text is either refused with at least one finding that lies within the text, or is a manifest whose
//! sentences, targets and proposed grant can be written.

use super::plan::{digest, text};
use ramal_capability::{Grant, Manifest, Plan, TenantId};
use serde_json::json;

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let text = text(data);
    let manifest = match Manifest::parse("plugin.toml", text) {
        Ok(manifest) => manifest,
        Err(error) => {
            assert!(!error.findings().is_empty(), "refused without a reason");
            for finding in error.findings() {
                assert!(text.get(finding.span()).is_some(), "a finding that points nowhere: {finding:?}");
            }
            let _ = error.render(false);
            return;
        }
    };
    for sentence in manifest.sentences() {
        assert!(
            !sentence.chars().any(char::is_control),
            "a sentence that could repaint a terminal: {sentence:?}"
        );
    }
    let _ = manifest.targets();
    let settings = manifest.settings.check(&json!({}));
    let (Ok(tenant), Ok(today)) = (TenantId::new("test"), "2026-11-23".parse()) else { return };
    let known = settings.as_ref().ok();
    let proposal = Grant::propose(&manifest, digest(), &tenant, "ana@example.invalid", today, known);
    // Without settings the proposal may leave a destination to be filled in; with them it is a whole grant.
    if let (Ok(grant), Some(settings)) = (Grant::parse("grant.toml", &proposal), known) {
        let _ = Plan::compile(&manifest, digest(), &grant, settings);
    }
}
