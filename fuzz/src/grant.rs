//! A grant that parses gives no more than the manifest asks, whatever it says.

use super::plan::{digest, manifest, settings, text};
use ramal_capability::{DataClass, Direction, Grant, LimitWishes, Limits, Plan};

/// Reads the input and fails when what the head of this file says does not hold.
pub fn check(data: &[u8]) {
    let text = text(data);
    let grant = match Grant::parse("grant.toml", text) {
        Ok(grant) => grant,
        Err(error) => {
            assert!(!error.findings().is_empty(), "refused without a reason");
            for finding in error.findings() {
                assert!(text.get(finding.span()).is_some(), "a finding that points nowhere: {finding:?}");
            }
            let _ = error.render(false);
            return;
        }
    };
    assert!(grant.expires > grant.approved_at, "a grant that never held");
    let limits = serde_json::to_value(Limits::resolve(&LimitWishes::default(), &grant.limits));
    let limits = limits.unwrap_or_else(|e| panic!("{e}"));
    for limit in Limits::ALL {
        let value = limits.get(limit.name).and_then(serde_json::Value::as_u64);
        assert!(value.is_some_and(|v| v <= limit.ceiling), "{} above its ceiling", limit.name);
    }
    let Ok(plan) = Plan::compile(manifest(), digest(), &grant, &settings()) else { return };
    let asked = manifest().asked();
    for class in DataClass::ALL {
        for direction in [Direction::ToPlugin, Direction::FromCrm] {
            let level = plan.level(*class, direction);
            assert!(level <= asked.get(*class, direction), "{class} beyond what the manifest asks");
            assert!(level <= grant.classes.get(*class, direction), "{class} beyond what the grant gives");
        }
    }
}
