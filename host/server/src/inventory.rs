//! `/v1/channels`: every way in to the host: what it is, whether it lives, what it collects and where that is kept.
//!
//! It is asked by whoever answers for the data as much as by whoever looks after the lines: a channel that is no
//! longer configured stays listed while its interactions are kept. A channel that is quieter than it ever is at this
//! time is an alert: a line can be down without any error of its own.

mod kind;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use ramal_center::{Center, InteractionDirection, SourceId, StoreError, TenantId};
use ramal_channels::{ChannelBoard, LOOK_BACK, Link, Rhythm, Silence, silence};
use ramal_store::{Activity, Carried, Store};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::access::Access;
use crate::config::ServerConfig;
use crate::interactions::unread;
use crate::metrics::Metrics;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

pub use kind::CollectedView;
use kind::Kind;

/// The days that are counted.
const COUNTED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The latest interactions in which lines are looked for.
const LATEST: u32 = 200;

/// One channel of the configuration.
struct Listed {
    tenant: TenantId,
    id: SourceId,
    kind: Kind,
    zone: TimeZone,
}

/// The channels of all tenants.
pub struct Inventory {
    store: Arc<dyn Store>,
    board: ChannelBoard,
    listed: Vec<Listed>,
    database: &'static str,
    /// Those that an alert was raised for.
    silent: Mutex<BTreeSet<SourceId>>,
}

/// One way in to the host.
#[derive(Serialize, ToSchema)]
pub struct ChannelView {
    /// Its name in ramal.toml.
    #[schema(example = "main-pbx")]
    pub channel: String,
    /// `events`, `whatsapp`, `twilio`, `gammu`, `mapped` or `asterisk`; `unknown` when it is no longer configured.
    #[schema(example = "asterisk")]
    pub kind: &'static str,
    /// Whether it is configured.
    pub active: bool,
    /// `listening` for one that is posted to, `connected`, `reconnecting`, `replaced` or `off` for one that is
    /// connected to, `silent` for one that should have been heard long ago, `gone` when it is no longer configured.
    #[schema(example = "connected")]
    pub health: &'static str,
    /// Since when it is silent; `null` when it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub silent_since: Option<Timestamp>,
    /// The first event; `null` when nothing ever came.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub first_event_at: Option<Timestamp>,
    /// The last event.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_event_at: Option<Timestamp>,
    /// The company's own numbers that were seen lately, in E.164.
    pub lines: Vec<String>,
    /// Calls and conversations of the last 30 days, by `fixed`, `mobile`, `whatsapp` and `sms`.
    #[schema(value_type = Object, example = json!({ "fixed": 120 }))]
    pub last_30_days: BTreeMap<&'static str, u64>,
    /// What it collects, and where that is kept.
    pub collects: Vec<CollectedView>,
}

/// The channels of a tenant.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelsView {
    /// By name, those of the configuration first.
    items: Vec<ChannelView>,
}

impl Inventory {
    /// The channels that the configuration names. `board` is where their adapters report.
    pub fn new(config: &ServerConfig, store: Arc<dyn Store>, board: ChannelBoard) -> Self {
        let mut listed = Vec::new();
        for tenant in &config.tenants {
            let zone = tenant.zone();
            let channels = tenant.channels.iter().map(|channel| (channel.id(), Kind::of(channel)));
            let sources = tenant.sources.iter().map(|source| (&source.id, Kind::Events));
            listed.extend(sources.chain(channels).map(|(id, kind)| Listed {
                tenant: tenant.id.clone(),
                id: id.clone(),
                kind,
                zone: zone.clone(),
            }));
        }
        let database =
            if config.postgres.is_some() { "PostgreSQL" } else { "ramal.sqlite in the data folder" };
        Self { store, board, listed, database, silent: Mutex::default() }
    }

    /// The channels of a tenant.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn list(&self, tenant: &TenantId, now: Timestamp) -> Result<Vec<ChannelView>, StoreError> {
        let mut views = Vec::new();
        let mine = || self.listed.iter().filter(|listed| listed.tenant == *tenant);
        for listed in mine() {
            let activity = self.activity(tenant, &listed.id, now).await?;
            let carried = self.carried(tenant, &listed.id, now).await?;
            let silent_since = match judge(&activity, &listed.zone, now) {
                Silence::Unusual { since } => Some(since),
                Silence::Unknown | Silence::Usual => None,
            };
            let link = self.board.standing(&listed.id).map(|standing| standing.link);
            let health = match (link, silent_since) {
                // What the link says is nearer to the cause.
                (Some(link), None) => link.as_str(),
                (Some(link), Some(_)) if link != Link::Connected => link.as_str(),
                (_, Some(_)) => "silent",
                // Nobody has reported: not while this process runs.
                (None, None) if listed.kind.is_link() => Link::Off.as_str(),
                (None, None) => "listening",
            };
            views.push(self.view(&listed.id, Some(listed.kind), health, silent_since, &activity, &carried));
        }
        views.sort_by(|a, b| a.channel.cmp(&b.channel));
        for source in self.store.sources(tenant).await? {
            if !mine().any(|listed| listed.id == source) {
                let activity = self.activity(tenant, &source, now).await?;
                let carried = self.carried(tenant, &source, now).await?;
                views.push(self.view(&source, None, "gone", None, &activity, &carried));
            }
        }
        Ok(views)
    }

    /// Raises an alert for each channel that went quiet, and takes it back when it is heard again.
    pub(crate) async fn listen(
        &self,
        center: &Center,
        metrics: &Metrics,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for listed in &self.listed {
            let activity = self.activity(&listed.tenant, &listed.id, now).await?;
            let was_silent = self.silent.lock().contains(&listed.id);
            let word = match (was_silent, judge(&activity, &listed.zone, now)) {
                (false, Silence::Unusual { .. }) => "channel.silent",
                (true, Silence::Usual) => "channel.heard",
                _ => {
                    metrics.silent(&listed.id, was_silent);
                    continue;
                }
            };
            let body = json!({ "channel": listed.id.as_str(), "last_event_at": activity.last });
            center.announce(&listed.tenant, word, body.to_string()).await?;
            // Only now: what was not told is tried again.
            if was_silent {
                self.silent.lock().remove(&listed.id);
                tracing::info!(tenant = %listed.tenant, channel = %listed.id, "a channel that was silent is heard again");
            } else {
                self.silent.lock().insert(listed.id.clone());
                tracing::warn!(
                    tenant = %listed.tenant, channel = %listed.id,
                    "a channel is silent for longer than it usually is at this time: look at the line, the provider's webhook and its credentials"
                );
            }
            metrics.silent(&listed.id, !was_silent);
        }
        Ok(())
    }

    async fn activity(
        &self,
        tenant: &TenantId,
        of: &SourceId,
        now: Timestamp,
    ) -> Result<Activity, StoreError> {
        let since = now.checked_sub(LOOK_BACK).unwrap_or(Timestamp::MIN);
        self.store.activity(tenant, of, since).await
    }

    async fn carried(&self, tenant: &TenantId, of: &SourceId, now: Timestamp) -> Result<Carried, StoreError> {
        let since = now.checked_sub(COUNTED).unwrap_or(Timestamp::MIN);
        self.store.carried(tenant, of, since, LATEST).await
    }

    fn view(
        &self,
        id: &SourceId,
        kind: Option<Kind>,
        health: &'static str,
        silent_since: Option<Timestamp>,
        activity: &Activity,
        carried: &Carried,
    ) -> ChannelView {
        ChannelView {
            channel: id.to_string(),
            kind: kind.map_or("unknown", Kind::as_str),
            active: kind.is_some(),
            health,
            silent_since,
            first_event_at: activity.first,
            last_event_at: activity.last,
            lines: lines(carried),
            last_30_days: carried
                .by_channel
                .iter()
                .map(|(channel, count)| (channel.as_str(), *count))
                .collect(),
            collects: kind.map(|kind| kind.collects(self.database)).unwrap_or_default(),
        }
    }
}

fn judge(activity: &Activity, zone: &TimeZone, now: Timestamp) -> Silence {
    match (activity.first, activity.last) {
        (Some(first), Some(last)) => silence(Rhythm { first, last, by_hour: &activity.by_hour }, zone, now),
        _ => Silence::Unknown,
    }
}

/// The company's own side of the latest interactions.
fn lines(carried: &Carried) -> Vec<String> {
    let line = |of: &ramal_center::Interaction| match of.direction {
        InteractionDirection::Inbound => of.to.clone(),
        InteractionDirection::Outbound => of.from.clone(),
        InteractionDirection::Internal => None,
    };
    let seen: BTreeSet<String> =
        carried.latest.iter().filter_map(line).map(|number| number.expose().to_owned()).collect();
    seen.into_iter().collect()
}

/// The channels
///
/// Every way in to the host: what it is, since when, when it was heard last, whether that is usual, which lines were
/// seen, what it collects and where each of it is kept.
#[utoipa::path(
    get, path = "/v1/channels", tag = "channels", security(("token" = []), ("session" = [])),
    responses(
        (status = 200, description = "The channels", body = ChannelsView),
        (status = 401, description = "No valid token", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database cannot be read", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_channels(
    State(state): State<AppState>,
    Access(principal): Access,
) -> Result<Json<ChannelsView>, Problem> {
    let inventory = state.channels().inventory().ok_or_else(|| {
        Problem::new(ProblemCode::NotFound, "this host was put together without an inventory")
            .hint("`ramal run` has one; whoever composes gives `ChannelDoors` an inventory")
    })?;
    let items = inventory.list(&principal.tenant, Timestamp::now()).await.map_err(unread)?;
    Ok(Json(ChannelsView { items }))
}

#[cfg(test)]
mod tests;
