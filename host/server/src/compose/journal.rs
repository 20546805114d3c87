//! What the CRMs and webhooks of each tenant are told, from the configuration. Which plugins keep a journal is added when they are
//! loaded.

use std::collections::BTreeSet;

use jiff::tz::{TimeZone, offset};
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

fn rules_of(tenant: &TenantConfig) -> JournalRules {
    // `ServerConfig::parse` has checked both.
    let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
    // Also where the machine has no table of zones: Brasília has had no summer time since 2019.
    let brasilia = || TimeZone::get("America/Sao_Paulo").unwrap_or_else(|_| TimeZone::fixed(offset(-3)));
    let zone = tenant.time_zone.as_ref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or_else(brasilia);
    // A number may be written as people do; an extension stays as it is dialled.
    let number = |text: &String| PhoneNumber::parse(text, region).map_or_else(|_| text.clone(), |n| n.e164());
    let numbers = tenant.do_not_log.iter().map(number).collect();
    let do_not_log = DoNotLog { numbers, internal: !tenant.log_internal };
    JournalRules { do_not_log, zone, webhooks: super::webhook::rules(tenant), ..JournalRules::default() }
}
