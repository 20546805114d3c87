//! `kind = "twilio"`.

use std::sync::Arc;
use std::time::Duration;

use ramal_center::{Clear, Region};
use ramal_channels::{SharedKey, TWILIO_API, Twilio, TwilioKeys, TwilioSender};
use ramal_egress::{Builder, ProviderAddress, WebhookError};

use super::{ComposeError, secrets};
use crate::config::{ServerConfig, TwilioConfig};
use crate::messages::Line;
use crate::registry::read_any;

/// The most that sending a message may take.
const SENDING: Duration = Duration::from_secs(20);

pub(super) fn open(config: &TwilioConfig, region: Region) -> Result<Twilio, ComposeError> {
    let of = format!("channel `{}`", config.id);
    let tokens = secrets(
        &of,
        (config.auth_token.as_ref(), config.auth_token_file.as_deref()),
        (config.previous_auth_token.as_ref(), config.previous_auth_token_file.as_deref()),
    )?;
    let mut shared = Vec::new();
    for key in &config.shared_keys {
        let secret: Option<Clear> =
            secrets(&of, (key.secret.as_ref(), key.secret_file.as_deref()), (None, None))?.into_iter().next();
        shared.extend(secret.map(|secret| SharedKey { id: key.id.clone(), secret }));
    }
    Ok(Twilio::new(&config.account, TwilioKeys { tokens, shared }, config.line, region))
}

/// What sends, if the configuration says as whom.
pub(super) fn line(
    server: &ServerConfig,
    config: &TwilioConfig,
    way_out: &Builder,
) -> Result<Option<Line>, ComposeError> {
    let of = format!("channel `{}`", config.id);
    let token = read_any(&of, config.auth_token.as_ref(), config.auth_token_file.as_deref())?;
    let (Some(from), Some(token)) = (&config.from, token) else { return Ok(None) };
    let wrong = |source| ComposeError::Channel { channel: config.id.clone(), source };
    let origin = match &config.api {
        Some(origin) => origin.clone(),
        None => TWILIO_API.parse().map_err(|_| wrong(WebhookError::Address))?,
    };
    let address = ProviderAddress { origin, private: config.private.clone() };
    let client = way_out.provider(&address, SENDING).map_err(wrong)?;
    // Without a public address nobody can call back: then a message stays as the provider took it.
    let callback = server.public_url.clone().map(|mut url| {
        url.set_path(&format!("/v1/channels/{}/webhook", config.id));
        url
    });
    let token = Clear::from(token.expose());
    let sender = TwilioSender::new(
        client,
        &config.account,
        (&config.account, &token),
        Clear::from(from.as_str()),
        callback,
    );
    Ok(Some(Line { sender: Arc::new(sender), files: None }))
}
