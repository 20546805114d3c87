//! Secrets in a TOML file that only its owner may read:
//!
//! ```toml
//! [acme.hubspot.api]        # tenant, plugin, credential
//! token = "…"
//!
//! [acme.tryton.login]
//! user = "…"
//! password = "…"
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use futures_util::future::BoxFuture;
use ramal_capability::{Clear, CredentialId, PluginId, TenantId};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{CredentialError, CredentialSource, Secret, StaticCredentials};

/// Why the file cannot be used. Never holds a value of the file.
#[derive(Debug, thiserror::Error)]
pub enum CredentialFileError {
    /// It cannot be read.
    #[error("the file of credentials {path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the file of credentials {path} may be read by others (mode {mode:o}); run: chmod 600 {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not the TOML that is expected.
    #[error(
        "the file of credentials {path} is wrong at byte {at}; write [tenant.plugin.credential] and under it \
         texts such as token = \"…\""
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Where, in bytes from the start.
        at: usize,
    },
}

/// Secrets from a TOML file, read once.
#[derive(Debug, Clone)]
pub struct FileCredentials(StaticCredentials);

/// A secret's text on its way from the file.
#[derive(Deserialize)]
#[serde(transparent)]
struct Field(String);

type Tables = BTreeMap<TenantId, BTreeMap<PluginId, BTreeMap<CredentialId, BTreeMap<String, Field>>>>;

impl FileCredentials {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, when group or others may read it, or when it is not as expected.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CredentialFileError> {
        let path = path.as_ref();
        let failed = |source| CredentialFileError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        // Of the open file, not of the name: the name may be another file by now.
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(CredentialFileError::Open { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(failed)?;
        // The parser's own message quotes the line, which may hold the secret: only the place is kept.
        let tables: Tables = toml::from_str(&text).map_err(|e| CredentialFileError::Format {
            path: path.to_owned(),
            at: e.span().map_or(0, |s| s.start),
        })?;
        let mut all = StaticCredentials::new();
        for (tenant, plugins) in tables {
            for (plugin, credentials) in plugins {
                for (credential, fields) in credentials {
                    let secret = Secret::new(fields.into_iter().map(|(k, v)| (k, Clear::from(v.0))));
                    all = all.with(&tenant, &plugin, &credential, secret);
                }
            }
        }
        Ok(Self(all))
    }
}

impl CredentialSource for FileCredentials {
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        self.0.secret(tenant, plugin, credential)
    }
}

/// The head of the table that holds a secret, with quotes where TOML needs them.
pub(crate) fn table(tenant: &TenantId, plugin: &PluginId, credential: &CredentialId) -> String {
    let part = |name: &str| if name.contains('.') { format!("\"{name}\"") } else { name.to_owned() };
    format!("[{}.{}.{}]", part(tenant.as_str()), part(plugin.as_str()), part(credential.as_str()))
}
