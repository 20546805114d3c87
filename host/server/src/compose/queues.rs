//! The exchanges whose queues this host watches, for as long as it runs.

use std::sync::Arc;
use std::time::Duration;

use ramal_capability::Clear;
use ramal_center::{Center, Origin};
use ramal_channels::ChannelTally;
use ramal_channels::asterisk::ami::{BadLogin, Queues, QueuesParts, QueuesSettings};
use ramal_egress::{Builder, ProviderAddress, ProviderClient};
use ramal_numbers::{Home, Region};

use super::ComposeError;
use crate::config::{AsteriskQueuesConfig, ChannelConfig, ConfigError, ServerConfig, TenantConfig};
use crate::metrics::Metrics;
use crate::queues::QueueBoards;
use crate::registry::read;

/// The client opens connections only; nothing is sent by it.
const REQUEST: Duration = Duration::from_secs(30);

/// Exchanges that can be connected.
pub(super) struct Exchanges(Vec<Exchange>);

struct Exchange {
    origin: Origin,
    client: ProviderClient,
    settings: QueuesSettings,
}

/// Exchanges that are watched.
pub(super) struct Watched(Vec<Queues>);

impl Exchanges {
    /// Reads every secret; opens no connection.
    pub(super) fn open(config: &ServerConfig, way_out: &Builder) -> Result<Self, ComposeError> {
        let mut exchanges = Vec::new();
        for tenant in &config.tenants {
            for channel in &tenant.channels {
                if let ChannelConfig::AsteriskQueues(queues) = channel {
                    exchanges.push(open(tenant, queues, way_out)?);
                }
            }
        }
        Ok(Self(exchanges))
    }

    /// Begins to watch them.
    pub(super) fn start(
        self,
        center: &Center,
        metrics: &Metrics,
    ) -> Result<(Watched, QueueBoards), ComposeError> {
        let tally: Arc<dyn ChannelTally> = Arc::new(metrics.clone());
        let (mut watched, mut boards) = (Vec::new(), QueueBoards::default());
        for Exchange { origin, client, settings } in self.0 {
            let parts = QueuesParts {
                origin: origin.clone(),
                client,
                settings,
                center: center.clone(),
                tally: Arc::clone(&tally),
            };
            let queues = Queues::start(parts).map_err(|BadLogin| ConfigError::Secret {
                of: format!("channel `{}`", origin.source),
                what: BadLogin.to_string(),
            })?;
            boards.add(origin, queues.board());
            watched.push(queues);
        }
        Ok((Watched(watched), boards))
    }
}

impl Watched {
    /// Ends the connections and hands on what was heard. To be called before the store closes.
    pub(super) async fn close(self) {
        for queues in self.0 {
            queues.close().await;
        }
    }
}

fn open(
    tenant: &TenantConfig,
    config: &AsteriskQueuesConfig,
    way_out: &Builder,
) -> Result<Exchange, ComposeError> {
    let of = format!("channel `{}`", config.id);
    let missing = || ConfigError::Secret { of: of.clone(), what: "there is no secret".to_owned() };
    let secret = read(&of, config.secret.as_ref(), config.secret_file.as_deref())?.ok_or_else(missing)?;
    let address = ProviderAddress { origin: config.url.clone(), private: config.private.clone() };
    let client = way_out
        .provider(&address, REQUEST)
        .map_err(|source| ComposeError::Channel { channel: config.id.clone(), source })?;
    let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
    Ok(Exchange {
        origin: Origin { tenant: tenant.id.clone(), source: config.id.clone() },
        client,
        settings: QueuesSettings {
            user: config.user.clone(),
            secret: Clear::from(secret.expose()),
            calls: config.calls,
            home: Home::new(region),
            mobile: config.mobile.clone(),
        },
    })
}
