//! The built plugins, and how a test gives one its secrets: the same for every plugin.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ramal_capability::{CredentialId, PluginId, TenantId};
use ramal_egress::{Secret, StaticCredentials};

/// The plugin is not where `make fixtures` puts it.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}: {source}; run make fixtures")]
pub struct NoFixture {
    path: PathBuf,
    source: io::Error,
}

/// The folder of built plugins: `RAMAL_FIXTURES`, or `target/ramal`.
pub fn folder() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    std::env::var_os("RAMAL_FIXTURES").map_or_else(|| workspace.join("target/ramal"), PathBuf::from)
}

/// The component of a plugin.
///
/// # Errors
/// When it was not built.
pub fn component(plugin: &str) -> Result<Vec<u8>, NoFixture> {
    let path = folder().join(format!("{plugin}.wasm"));
    fs::read(&path).map_err(|source| NoFixture { path, source })
}

/// The fields of each credential of a plugin, by the credential's id.
pub type Secrets = Vec<(&'static str, Vec<(&'static str, String)>)>;

/// Secrets as a source of credentials.
///
/// # Errors
/// When a name is none.
pub fn credentials(
    tenant: &str,
    plugin: &str,
    secrets: Secrets,
) -> Result<StaticCredentials, Box<dyn std::error::Error>> {
    let (tenant, plugin): (TenantId, PluginId) = (tenant.parse()?, plugin.parse()?);
    secrets.into_iter().try_fold(StaticCredentials::new(), |all, (id, fields)| {
        let id: CredentialId = id.parse()?;
        Ok(all.with(&tenant, &plugin, &id, Secret::new(fields)))
    })
}
