//! `kind = "twilio"`.
//!
//! Texts go out by [`ramal_channels::TwilioSender`], which is made here once something asks a channel to send.

use ramal_center::{Clear, Region};
use ramal_channels::{SharedKey, Twilio, TwilioKeys};

use super::{ComposeError, secrets};
use crate::config::TwilioConfig;

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
