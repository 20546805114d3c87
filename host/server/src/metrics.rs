//! `/metrics`: numbers for Prometheus, in the OpenMetrics text format.
//!
//! Labels are routes, codes and configured names only. A label that could carry what was sent would put a customer's
//! number into a time series that is kept for years, and make series without end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use ramal_center::{Observer, PluginId, SourceId};
use ramal_channels::ChannelTally;
use ramal_store::{Backlog, Target};

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

// Fine below the 3 seconds of the deadline, where the difference is felt.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: MethodLabel,
    status: u16,
}

/// The methods that exist: a client may invent others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(clippy::upper_case_acronyms)]
enum MethodLabel {
    GET,
    HEAD,
    POST,
    PUT,
    PATCH,
    DELETE,
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookUpLabels {
    plugin: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    target: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BacklogLabels {
    target: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TargetLabels {
    target: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChannelLabels {
    channel: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SilentLabels {
    channel: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabels {
    plugin: String,
}

/// What is counted. Cloning is cheap and shares the numbers; give it to the center as its observer.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    events: Family<EventLabels, Counter>,
    look_ups: Family<LookUpLabels, Counter>,
    look_up_time: Family<PluginLabels, Histogram>,
    remembered: Family<LookUpLabels, Counter>,
    routes: Family<RouteLabels, Counter>,
    route_time: Histogram,
    deliveries: Family<DeliveryLabels, Counter>,
    waiting: Family<BacklogLabels, Gauge>,
    paused: Family<TargetLabels, Gauge>,
    channels: Family<ChannelLabels, Counter>,
    silent: Family<SilentLabels, Gauge>,
    live: Gauge,
    not_loaded: Family<PluginLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("ramal");
        let requests = Family::default();
        let events = Family::default();
        let look_ups = Family::default();
        let look_up_time = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let remembered = Family::default();
        let routes = Family::default();
        let route_time = Histogram::new(SECONDS);
        let deliveries = Family::default();
        let waiting = Family::default();
        let paused = Family::default();
        let channels = Family::default();
        let silent = Family::default();
        let live = Gauge::default();
        let not_loaded = Family::default();
        registry.register("http_requests", "Requests by route, method and status", requests.clone());
        registry.register("call_events", "Call events by kind and outcome", events.clone());
        registry.register("channel_events", "What providers told, by channel and outcome", channels.clone());
        registry.register(
            "channel_silent",
            "1 for a channel that is silent for longer than it usually is at this time",
            silent.clone(),
        );
        registry.register("look_ups", "Look-ups by plugin and outcome", look_ups.clone());
        registry.register_with_unit(
            "look_up",
            "Time until a plugin answered",
            Unit::Seconds,
            look_up_time.clone(),
        );
        registry.register(
            "look_ups_remembered",
            "Look-ups that needed no request, since the plugin had just answered",
            remembered.clone(),
        );
        registry.register("routes", "Answers to dialplans by reason", routes.clone());
        registry.register_with_unit(
            "route",
            "Time until a dialplan was answered",
            Unit::Seconds,
            route_time.clone(),
        );
        registry.register(
            "deliveries",
            "Tries of deliveries by target and what followed",
            deliveries.clone(),
        );
        registry.register(
            "deliveries_kept",
            "Deliveries that are `open`, or `dead` until a person replays them, by target",
            waiting.clone(),
        );
        registry.register(
            "deliveries_paused",
            "Tenants of whom a person must act before anything more is delivered, by target",
            paused.clone(),
        );
        registry.register("live_subscribers", "Readers of live events that are connected", live.clone());
        registry.register(
            "plugins_not_loaded",
            "Tenants whose plugin did not load when the host started",
            not_loaded.clone(),
        );
        Self(Arc::new(Inner {
            registry,
            requests,
            events,
            look_ups,
            look_up_time,
            remembered,
            routes,
            route_time,
            deliveries,
            waiting,
            paused,
            channels,
            silent,
            live,
            not_loaded,
        }))
    }

    pub(crate) fn request(&self, method: &Method, route: &str, status: u16) {
        let method = match *method {
            Method::GET => MethodLabel::GET,
            Method::HEAD => MethodLabel::HEAD,
            Method::POST => MethodLabel::POST,
            Method::PUT => MethodLabel::PUT,
            Method::PATCH => MethodLabel::PATCH,
            Method::DELETE => MethodLabel::DELETE,
            _ => MethodLabel::Other,
        };
        self.0.requests.get_or_create(&RequestLabels { route: route.to_owned(), method, status }).inc();
    }

    pub(crate) fn delivery(&self, target: &Target, outcome: &'static str) {
        self.0.deliveries.get_or_create(&DeliveryLabels { target: target.to_string(), outcome }).inc();
    }

    /// What waits at the moment, of all tenants.
    fn backlog(&self, of: &[Backlog]) {
        let mut now: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
        for backlog in of {
            let (open, dead, paused) = now.entry(backlog.target.to_string()).or_default();
            *open = open.saturating_add(i64::try_from(backlog.open).unwrap_or(i64::MAX));
            *dead = dead.saturating_add(i64::try_from(backlog.dead).unwrap_or(i64::MAX));
            *paused += i64::from(backlog.paused.is_some());
        }
        // A target that is not named any more has nothing.
        self.0.waiting.clear();
        self.0.paused.clear();
        for (target, (open, dead, paused)) in now {
            for (state, count) in [("open", open), ("dead", dead)] {
                self.0.waiting.get_or_create(&BacklogLabels { target: target.clone(), state }).set(count);
            }
            self.0.paused.get_or_create(&TargetLabels { target }).set(paused);
        }
    }

    pub(crate) fn plugin_not_loaded(&self, plugin: &PluginId) {
        self.0.not_loaded.get_or_create(&PluginLabels { plugin: plugin.as_str().to_owned() }).inc();
    }

    /// What became of one thing that a channel's provider told: `stored`, `repeated`, or why it changed nothing.
    pub(crate) fn channel(&self, channel: &SourceId, outcome: &'static str) {
        self.0.channels.get_or_create(&ChannelLabels { channel: channel.to_string(), outcome }).inc();
    }

    /// Whether a channel is quieter than it usually is.
    pub(crate) fn silent(&self, channel: &SourceId, silent: bool) {
        self.0.silent.get_or_create(&SilentLabels { channel: channel.to_string() }).set(i64::from(silent));
    }

    pub(crate) fn live_subscribers(&self, change: i64) {
        self.0.live.inc_by(change);
    }
}

impl ChannelTally for Metrics {
    fn count(&self, channel: &SourceId, outcome: &'static str) {
        self.channel(channel, outcome);
    }
}

impl Observer for Metrics {
    fn event(&self, kind: &'static str, outcome: &'static str) {
        self.0.events.get_or_create(&EventLabels { kind, outcome }).inc();
    }
    fn look_up(&self, plugin: &PluginId, outcome: &'static str, took: Duration) {
        let plugin = plugin.as_str().to_owned();
        self.0
            .look_up_time
            .get_or_create(&PluginLabels { plugin: plugin.clone() })
            .observe(took.as_secs_f64());
        self.0.look_ups.get_or_create(&LookUpLabels { plugin, outcome }).inc();
    }
    fn remembered(&self, plugin: &PluginId, outcome: &'static str) {
        let plugin = plugin.as_str().to_owned();
        self.0.remembered.get_or_create(&LookUpLabels { plugin, outcome }).inc();
    }
    fn route(&self, reason: &'static str, took: Duration) {
        self.0.route_time.observe(took.as_secs_f64());
        self.0.routes.get_or_create(&RouteLabels { reason }).inc();
    }
}

/// Numbers for Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses((status = 200, description = "OpenMetrics 1.0 text", content_type = "application/openmetrics-text", body = String)),
)]
pub(crate) async fn get_metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    if let Ok(outbox) = state.outbox() {
        let mut backlog = Vec::new();
        for tenant in state.registry().tenants() {
            match outbox.backlog(tenant).await {
                Ok(of_tenant) => backlog.extend(of_tenant),
                // The other numbers matter all the more when the database does not answer.
                Err(error) => {
                    tracing::warn!(%tenant, %error, "what waits to be delivered could not be counted")
                }
            }
        }
        state.metrics().backlog(&backlog);
    }
    let mut text = String::new();
    encode(&mut text, &state.metrics().0.registry)
        .map_err(|_| Problem::new(ProblemCode::Internal, "the metrics could not be written"))?;
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
