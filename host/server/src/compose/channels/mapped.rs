//! `kind = "mapped"`.

use ramal_center::Region;
use ramal_channels::{Mapped, Mapping};

use super::{ComposeError, secrets};
use crate::config::MappedConfig;

pub(super) fn open(config: &MappedConfig, region: Region) -> Result<Mapped, ComposeError> {
    let text = super::super::read(&config.mapping)?;
    let mapping =
        Mapping::parse(&config.mapping.display().to_string(), &text).map_err(ComposeError::Mapping)?;
    let secrets = secrets(
        &format!("channel `{}`", config.id),
        (config.secret.as_ref(), config.secret_file.as_deref()),
        (config.previous_secret.as_ref(), config.previous_secret_file.as_deref()),
    )?;
    Ok(Mapped::new(mapping, secrets, region))
}
