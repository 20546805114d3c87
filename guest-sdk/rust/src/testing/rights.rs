//! Under which right a call under test happens: the same plan that a host compiles, the same admission.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_capability::{
    Actor, Authority, ClassSet, Digest, Export, Grant, InteractionId, Invocation, Manifest, Plan, Purpose,
    Subject, TenantId,
};
use serde_json::Value;
use uuid::Uuid;

use super::must;

/// What the admin of the test gave.
pub(super) enum Given {
    /// All that the manifest asks for.
    All,
    /// What a grant file says.
    File(String),
}

/// The right of one call under test.
pub(super) struct Rights {
    pub(super) grant: Option<Given>,
    pub(super) purpose: Option<Purpose>,
    pub(super) export: Option<Export>,
    pub(super) may: Option<ClassSet>,
    pub(super) at: Timestamp,
}

impl Default for Rights {
    fn default() -> Self {
        Self { grant: None, purpose: None, export: None, may: None, at: must("2026-01-01T12:00:00Z".parse()) }
    }
}

impl Rights {
    /// Admits the call as a host would, or says in the host's words why not.
    pub(super) fn begin(&self, manifest: &Manifest, settings: &Value) -> Result<Invocation, String> {
        let digest = Digest([0; 32]);
        let text = match &self.grant {
            None => {
                return Err("nothing is granted: call `.grant_all()` or `.grant(…)` on the Host".to_owned());
            }
            Some(Given::File(text)) => text.clone(),
            Some(Given::All) => {
                let tenant = must(TenantId::new("test"));
                let today = jiff::tz::Offset::UTC.to_datetime(self.at).date();
                Grant::propose(manifest, digest, &tenant, "test@example.invalid", today, Some(settings))
            }
        };
        let mut grant = Grant::parse("grant.toml", &text).map_err(|error| error.render(false))?;
        // A test has no component, so there are no bytes that a grant could be bound to.
        grant.digest = None;
        let tenant = grant.tenant.clone();
        let plan = Plan::compile(manifest, digest, &grant, settings).map_err(|error| error.to_string())?;
        let first = || manifest.purposes.iter().next().copied();
        let purpose = self.purpose.or_else(first).ok_or("plugin.toml has no purposes")?;
        let serves = |export: &&Export| export.purposes().contains(&purpose);
        let export = self.export.or_else(|| manifest.provides.iter().find(serves).copied());
        let export = export.ok_or_else(|| format!("no function in `provides` is called for {purpose}"))?;
        let may = self.may.unwrap_or_else(ClassSet::all);
        let actor = if purpose.needs_user() || self.may.is_some() {
            Actor::User { id: must("tester".parse()), may }
        } else {
            Actor::System
        };
        let authority = Authority {
            tenant,
            purpose,
            interaction: Some(InteractionId(Uuid::from_u128(1))),
            actor,
            subject: Some(Subject("test".to_owned())),
            at: self.at,
        };
        // A fixed seed: seals of a test are the same in every run, so that a failure can be read again.
        Invocation::begin(Arc::new(plan), authority, export, [7; 32]).map_err(|denial| denial.to_string())
    }
}
