//! The exchanges that this host connects to by itself.

use std::sync::Arc;
use std::time::Duration;

use ramal_capability::Clear;
use ramal_center::{Center, Origin};
use ramal_channels::{
    Asterisk, AsteriskParts, AsteriskSettings, ChannelTally, FolderStore, LinePlan, Pace, RecordingStore,
};
use ramal_egress::{Builder, ProviderAddress};
use ramal_numbers::{Home, Region};

use crate::call_control::CallControls;
use crate::compose::ComposeError;
use crate::config::{AsteriskConfig, ChannelConfig, ConfigError, ServerConfig, TenantConfig};
use crate::metrics::Metrics;
use crate::registry::read_any;

/// The most that one request to an exchange may take: a recording of an hour is 58 MB.
const REQUEST: Duration = Duration::from_secs(60);

/// The exchanges that this host connects to.
pub(in crate::compose) struct Exchanges(Vec<Ready>);

struct Ready {
    parts: Box<dyn FnOnce(Center, Arc<dyn ChannelTally>) -> AsteriskParts + Send>,
    origin: Origin,
}

impl Exchanges {
    /// Reads every password; opens no connection.
    pub(in crate::compose) fn open(config: &ServerConfig, way_out: &Builder) -> Result<Self, ComposeError> {
        let recordings: Arc<dyn RecordingStore> = Arc::new(FolderStore::new(config.data.join("recordings")));
        let mut ready = Vec::new();
        for tenant in &config.tenants {
            for channel in &tenant.channels {
                if let ChannelConfig::Asterisk(asterisk) = channel {
                    ready.push(exchange(tenant, asterisk, way_out, &recordings)?);
                }
            }
        }
        Ok(Self(ready))
    }

    /// Connects them.
    pub(in crate::compose) fn start(self, center: &Center, metrics: &Metrics) -> (Connected, CallControls) {
        let tally: Arc<dyn ChannelTally> = Arc::new(metrics.clone());
        let mut controls = CallControls::default();
        let mut connected = Vec::new();
        for Ready { parts, origin } in self.0 {
            let exchange = Asterisk::start(parts(center.clone(), Arc::clone(&tally)));
            controls.add(origin, Arc::new(exchange.control()));
            connected.push(exchange);
        }
        (Connected(connected), controls)
    }
}

/// The exchanges that are connected.
pub(in crate::compose) struct Connected(Vec<Asterisk>);

impl Connected {
    /// Ends the connections. To be called before the store closes.
    pub(in crate::compose) async fn close(self) {
        for exchange in self.0 {
            exchange.close().await;
        }
    }
}

fn exchange(
    tenant: &TenantConfig,
    config: &AsteriskConfig,
    way_out: &Builder,
    recordings: &Arc<dyn RecordingStore>,
) -> Result<Ready, ComposeError> {
    let address = ProviderAddress { origin: config.url.clone(), private: config.private.clone() };
    let client = way_out
        .provider(&address, REQUEST)
        .map_err(|source| ComposeError::Channel { channel: config.id.clone(), source })?;
    let password = password(config)?;
    let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
    let trunks = config.trunks.iter().map(|(prefix, tag)| (prefix.clone(), tag.channel())).collect();
    let settings = AsteriskSettings {
        app: config.app.clone(),
        plan: LinePlan::new(trunks, config.agents.clone(), Home::new(region)),
        ring: config.ring.clone(),
        fallback: config.fallback.clone(),
        ring_seconds: config.ring_seconds,
        dial: config.dial.clone(),
        caller_id: config.caller_id.clone(),
        pace: Pace::default(),
    };
    let origin = Origin { tenant: tenant.id.clone(), source: config.id.clone() };
    let (user, recordings, of) = (config.user.clone(), Arc::clone(recordings), origin.clone());
    let parts = move |center, tally| AsteriskParts {
        origin: of,
        center,
        client,
        user,
        password,
        settings,
        recordings,
        tally,
    };
    Ok(Ready { parts: Box::new(parts), origin })
}

fn password(config: &AsteriskConfig) -> Result<Clear, ConfigError> {
    let of = format!("channel `{}`", config.id);
    let missing = || ConfigError::Secret { of: of.clone(), what: "there is no password".to_owned() };
    let secret =
        read_any(&of, config.password.as_ref(), config.password_file.as_deref())?.ok_or_else(missing)?;
    Ok(Clear::from(secret.expose()))
}
