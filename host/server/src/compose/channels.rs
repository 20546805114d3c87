//! Opens the channels that the configuration names: reads their secrets and makes their adapters. Those that are not
//! called run as tasks, from when there is a center until it is about to close.

mod asterisk;
mod gammu;
mod mapped;
mod twilio;
mod whatsapp;

use std::path::Path;
use std::sync::Arc;

use ramal_center::{Center, Origin, Region};
use ramal_channels::Webhook;
use ramal_egress::Builder;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::ComposeError;
use crate::channels::{ChannelDoor, ChannelDoors};
use crate::config::{ChannelConfig, ServerConfig, TenantConfig};
use crate::messages::Line;
use crate::metrics::Metrics;
use crate::secret::Secret;
pub(super) use asterisk::{Connected, Exchanges};

/// What was opened.
#[derive(Default)]
pub(super) struct Opened {
    /// The channels whose providers post to us.
    pub(super) doors: ChannelDoors,
    /// What sends messages.
    pub(super) lines: Vec<(Origin, Line)>,
    /// Those that we watch.
    pub(super) watched: Vec<gammu::Watched>,
}

/// The tasks of channels that are not called.
pub(super) struct Watching {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Reads every secret and mapping; opens no connection.
pub(super) fn open(config: &ServerConfig, way_out: &Builder) -> Result<Opened, ComposeError> {
    let mut opened = Opened::default();
    for tenant in &config.tenants {
        let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
        for channel in &tenant.channels {
            let origin = Origin { tenant: tenant.id.clone(), source: channel.id().clone() };
            let mut door = |webhook: Arc<dyn Webhook>| {
                opened.doors.add(ChannelDoor { origin: origin.clone(), webhook });
            };
            match channel {
                ChannelConfig::Twilio(twilio) => {
                    door(Arc::new(twilio::open(twilio, region)?));
                    let line = twilio::line(config, twilio, way_out)?;
                    opened.lines.extend(line.map(|line| (origin, line)));
                }
                ChannelConfig::WhatsApp(whatsapp) => {
                    let (webhook, line) = whatsapp::open(whatsapp, way_out, region)?;
                    door(Arc::new(webhook));
                    opened.lines.extend(line.map(|line| (origin, line)));
                }
                ChannelConfig::Mapped(mapped) => door(Arc::new(mapped::open(mapped, region)?)),
                ChannelConfig::Gammu(gammu) => {
                    opened.lines.push((origin.clone(), gammu::line(gammu)));
                    opened.watched.push(gammu::open(gammu, origin, zone(tenant), region));
                }
                // Connected by this host: see [`Exchanges`] and `queues`.
                ChannelConfig::Asterisk(_) | ChannelConfig::AsteriskQueues(_) => {}
            }
        }
    }
    Ok(opened)
}

impl Watching {
    pub(super) fn start(watched: Vec<gammu::Watched>, center: &Center, metrics: &Metrics) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = watched
            .into_iter()
            .map(|w| tokio::spawn(w.run(center.clone(), metrics.clone(), stopped.clone())));
        Self { tasks: tasks.collect(), stop }
    }

    /// Ends them, each after what it has begun. To be called before the store closes.
    pub(super) async fn close(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a channel's task ended before its time; the next start goes on with it");
            }
        }
    }
}

fn zone(tenant: &TenantConfig) -> &str {
    tenant.time_zone.as_deref().unwrap_or("America/Sao_Paulo")
}

/// A secret and the one before it.
fn secrets(
    of: &str,
    (now, now_file): (Option<&Secret>, Option<&Path>),
    (before, before_file): (Option<&Secret>, Option<&Path>),
) -> Result<Vec<ramal_center::Clear>, ComposeError> {
    let now = crate::registry::read(of, now, now_file)?;
    let before = crate::registry::read(of, before, before_file)?;
    Ok(now.iter().chain(&before).map(|secret| ramal_center::Clear::from(secret.expose())).collect())
}
