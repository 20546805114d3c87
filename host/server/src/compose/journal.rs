//! What the CRMs and webhooks of each tenant are told, from the configuration. Which plugins keep a journal is added when they are
//! loaded.

use ramal_capability::{Export, Grant, Manifest, Purpose};
use ramal_center::{DoNotLog, JournalReach, JournalRules, Journals, Keeper, PhoneNumber};
use ramal_numbers::Region;

use crate::config::{ServerConfig, TenantConfig};

pub(super) fn rules(config: &ServerConfig) -> Journals {
    config.tenants.iter().map(|tenant| (tenant.id.clone(), rules_of(tenant))).collect()
}

/// What a plugin's journal takes under a grant; `None` where it is told nothing.
pub(super) fn keeper(manifest: &Manifest, grant: &Grant) -> Option<Keeper> {
    if !manifest.provides.contains(&Export::JournalWrite) || !grant.purposes.contains(&Purpose::Journal) {
        return None;
    }
    let amends = manifest.provides.contains(&Export::JournalAmend);
    let reach = if amends { JournalReach::LaterChanges } else { JournalReach::FirstAccount };
    let stands_on = manifest.journal.as_ref().map(|journal| journal.on.clone()).unwrap_or_default();
    let looks_up = manifest.provides.contains(&Export::ContactsFindByPhone);
    Some(Keeper { reach, stands_on, looks_up })
}

/// The same for a plugin that did not load. Of its functions nothing is known, so the grant's word counts: what its CRM
/// is to be told waits for it.
pub(super) fn absent_keeper(grant: &Grant) -> Option<Keeper> {
    grant.purposes.contains(&Purpose::Journal).then(|| JournalReach::LaterChanges.into())
}

fn rules_of(tenant: &TenantConfig) -> JournalRules {
    // `ServerConfig::parse` has checked it.
    let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
    // A number may be written as people do; an extension stays as it is dialled.
    let number = |text: &String| PhoneNumber::parse(text, region).map_or_else(|_| text.clone(), |n| n.e164());
    let do_not_log = DoNotLog::new(tenant.do_not_log.iter().map(number), !tenant.log_internal);
    JournalRules {
        do_not_log,
        zone: tenant.zone(),
        webhooks: super::webhook::rules(tenant),
        ..JournalRules::default()
    }
}
