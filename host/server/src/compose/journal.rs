//! What the CRMs and webhooks of each tenant are told, from the configuration. Which plugins keep a journal is added when they are
//! loaded.

use std::collections::BTreeSet;

use ramal_capability::{Export, Grant, Purpose};
use ramal_center::{DoNotLog, JournalReach, JournalRules, Journals, PhoneNumber};
use ramal_numbers::Region;

use crate::config::{ServerConfig, TenantConfig};

pub(super) fn rules(config: &ServerConfig) -> Journals {
    config.tenants.iter().map(|tenant| (tenant.id.clone(), rules_of(tenant))).collect()
}

/// What a plugin's journal takes under a grant; `None` where it is told nothing.
pub(super) fn reach(provides: &BTreeSet<Export>, grant: &Grant) -> Option<JournalReach> {
    if !provides.contains(&Export::JournalWrite) || !grant.purposes.contains(&Purpose::Journal) {
        return None;
    }
    let amends = provides.contains(&Export::JournalAmend);
    Some(if amends { JournalReach::LaterChanges } else { JournalReach::FirstAccount })
}

/// The same for a plugin that did not load. Of its functions nothing is known, so the grant's word counts: what its CRM
/// is to be told waits for it.
pub(super) fn reach_of_absent(grant: &Grant) -> Option<JournalReach> {
    grant.purposes.contains(&Purpose::Journal).then_some(JournalReach::LaterChanges)
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
