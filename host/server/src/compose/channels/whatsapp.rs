//! `kind = "whatsapp"`.

use std::sync::Arc;
use std::time::Duration;

use ramal_capability::Origin;
use ramal_center::{Clear, Region};
use ramal_channels::{
    FileFetcher, GRAPH_API, GRAPH_FILES, WhatsApp, WhatsAppKeys, WhatsAppMedia, WhatsAppNumber,
    WhatsAppSender,
};
use ramal_egress::{Builder, ProviderAddress, ProviderClient, WebhookError};

use super::{ComposeError, secrets};
use crate::config::WhatsAppConfig;
use crate::messages::Line;
use crate::registry::read_any;

/// The most that sending a message may take.
const SENDING: Duration = Duration::from_secs(20);
/// The most that fetching a file may take.
const FETCHING: Duration = Duration::from_secs(60);

/// The adapter, and what sends, if there is a token.
pub(super) fn open(
    config: &WhatsAppConfig,
    way_out: &Builder,
    region: Region,
) -> Result<(WhatsApp, Option<Line>), ComposeError> {
    let of = format!("channel `{}`", config.id);
    let app_secrets = secrets(
        &of,
        (config.app_secret.as_ref(), config.app_secret_file.as_deref()),
        (config.previous_app_secret.as_ref(), config.previous_app_secret_file.as_deref()),
    )?;
    let verify = (config.verify_token.as_ref(), config.verify_token_file.as_deref());
    let verify_tokens = secrets(&of, verify, (None, None))?;
    let number = WhatsAppNumber {
        account: config.account.clone(),
        phone_number_id: config.phone_number_id.clone(),
        portfolio: config.portfolio.clone().unwrap_or_else(|| config.account.clone()),
    };
    let token = read_any(&of, config.access_token.as_ref(), config.access_token_file.as_deref())?;
    let line = match token {
        Some(token) => Some(line(config, way_out, &number, &Clear::from(token.expose()))?),
        None => {
            tracing::warn!(channel = %config.id, "there is no `access-token-file`: messages come in, and none can be sent");
            None
        }
    };
    Ok((WhatsApp::new(number, WhatsAppKeys { app_secrets, verify_tokens }, region), line))
}

fn line(
    config: &WhatsAppConfig,
    way_out: &Builder,
    number: &WhatsAppNumber,
    token: &Clear,
) -> Result<Line, ComposeError> {
    let wrong = |source| ComposeError::Channel { channel: config.id.clone(), source };
    let client = |origin: &Origin, whole: Duration| -> Result<ProviderClient, ComposeError> {
        let address = ProviderAddress { origin: origin.clone(), private: config.private.clone() };
        way_out.provider(&address, whole).map_err(wrong)
    };
    let usual = |origin: &str| -> Result<Origin, ComposeError> {
        origin.parse().map_err(|_| wrong(WebhookError::Address))
    };
    let graph = match &config.graph {
        Some(graph) => graph.clone(),
        None => usual(GRAPH_API)?,
    };
    let hosts = match &config.media_hosts {
        Some(hosts) => hosts.clone(),
        None => vec![usual(GRAPH_FILES)?],
    };
    let version = &config.graph_version;
    let sender =
        WhatsAppSender::new(client(&graph, SENDING)?, version, number, token, config.messages_per_second);
    let media = WhatsAppMedia::new(
        client(&graph, SENDING)?,
        hosts.iter().map(|origin| client(origin, FETCHING)).collect::<Result<_, _>>()?,
        version,
        token,
        config.most_media_bytes,
    );
    let files: Arc<dyn FileFetcher> = Arc::new(media);
    Ok(Line { sender: Arc::new(sender), files: Some(files) })
}
