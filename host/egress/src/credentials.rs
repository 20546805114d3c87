//! Where secrets come from, and the one slot of a request that each fills. The guest says nothing about
//! either: it cannot name a secret, move it to another header, or see it.
//!
//! [`CredentialSource`] is the seam for whatever obtains secrets. A source that speaks OAuth 2 answers with a
//! field `token` that it refreshed itself; nothing after the seam changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ramal_capability::{Clear, CredentialId, CredentialKind, PluginId, TenantId};

pub use file::{CredentialFileError, FileCredentials};

mod file;

/// A secret: named texts, such as `token`, or `user` and `password`. Wiped from memory when dropped.
#[derive(Clone, Default)]
pub struct Secret(Arc<BTreeMap<String, Clear>>);

impl Secret {
    /// A secret of these fields.
    pub fn new<K: Into<String>, V: Into<Clear>>(fields: impl IntoIterator<Item = (K, V)>) -> Self {
        Self(Arc::new(fields.into_iter().map(|(k, v)| (k.into(), v.into())).collect()))
    }
    /// Every field by name.
    pub fn fields(&self) -> &BTreeMap<String, Clear> {
        &self.0
    }
    fn field(&self, name: &'static str) -> Result<&Clear, CredentialError> {
        self.0.get(name).ok_or_else(|| CredentialError::Field(name.to_owned()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Why a credential cannot be used. Holds names of fields, never their values.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// None is stored.
    #[error("no secret is stored; add the table {table} to the file of credentials")]
    Missing {
        /// The table that would hold it.
        table: String,
    },
    /// The secret lacks a field.
    #[error("the secret has no field `{0}`; add it")]
    Field(String),
    /// A field cannot stand in a request.
    #[error(
        "the field `{0}` of the secret holds a character that cannot stand there; check it for line breaks"
    )]
    Unencodable(&'static str),
    /// The source failed.
    #[error("the source of credentials failed: {0}")]
    Source(String),
    /// None can be had until a person acts; what waits for it waits on.
    #[error("{0}")]
    NeedsPerson(String),
    /// None can be had now; later, by itself.
    #[error("{0}")]
    Later(String),
}

/// Gives the secret of a credential. OAuth 2 and key vaults come in here.
pub trait CredentialSource: Send + Sync {
    /// The secret of one plugin's credential in one tenant.
    ///
    /// # Errors
    /// When there is none, or it cannot be obtained now.
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>>;

    /// Says that the CRM no longer takes this secret. The answer is whether asking again gives another one; a
    /// source that cannot make new secrets says no.
    fn refused<'a>(
        &'a self,
        _tenant: &'a TenantId,
        _plugin: &'a PluginId,
        _credential: &'a CredentialId,
        _secret: &'a Secret,
    ) -> BoxFuture<'a, bool> {
        Box::pin(std::future::ready(false))
    }
}

/// Secrets that are given at the start, for tests and for `ramal call`.
#[derive(Debug, Default, Clone)]
pub struct StaticCredentials(BTreeMap<(TenantId, PluginId, CredentialId), Secret>);

impl StaticCredentials {
    /// No secret.
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds a secret.
    #[must_use]
    pub fn with(
        mut self,
        tenant: &TenantId,
        plugin: &PluginId,
        credential: &CredentialId,
        secret: Secret,
    ) -> Self {
        self.0.insert((tenant.clone(), plugin.clone(), credential.clone()), secret);
        self
    }
    fn find(
        &self,
        tenant: &TenantId,
        plugin: &PluginId,
        credential: &CredentialId,
    ) -> Result<Secret, CredentialError> {
        self.0
            .get(&(tenant.clone(), plugin.clone(), credential.clone()))
            .cloned()
            .ok_or_else(|| CredentialError::Missing { table: file::table(tenant, plugin, credential) })
    }
}

impl CredentialSource for StaticCredentials {
    fn secret<'a>(
        &'a self,
        tenant: &'a TenantId,
        plugin: &'a PluginId,
        credential: &'a CredentialId,
    ) -> BoxFuture<'a, Result<Secret, CredentialError>> {
        Box::pin(std::future::ready(self.find(tenant, plugin, credential)))
    }
}

/// A credential in its slot.
pub(crate) enum Placed {
    /// A header.
    Header(HeaderName, HeaderValue),
    /// `name=value` for the query, encoded.
    Query(Clear),
}

/// The slot, filled, and the texts that must not come back in an answer.
pub(crate) struct Filled {
    pub(crate) placed: Placed,
    pub(crate) guarded: Vec<Clear>,
}

/// What may stand unencoded in a query (RFC 3986, unreserved).
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Puts the secret in the slot of its kind. A session's token is put in by [`header`].
pub(crate) fn fill(kind: &CredentialKind, secret: &Secret) -> Result<Filled, CredentialError> {
    match kind {
        CredentialKind::Bearer => header("authorization", Some("Bearer"), secret.field("token")?),
        CredentialKind::Header { name, scheme } => {
            header(name.as_str(), scheme.as_deref(), secret.field("token")?)
        }
        CredentialKind::Basic => {
            let (user, password) = (secret.field("user")?, secret.field("password")?);
            if user.expose().contains(':') {
                return Err(CredentialError::Unencodable("user"));
            }
            let pair = Clear::from(format!("{}:{}", user.expose(), password.expose()));
            let encoded = Clear::from(BASE64.encode(pair.expose().as_bytes()));
            let mut filled = header("authorization", Some("Basic"), &encoded)?;
            filled.guarded.push(password.clone());
            Ok(filled)
        }
        CredentialKind::Query { name } => {
            let token = secret.field("token")?;
            let (name, value) =
                (utf8_percent_encode(name.as_str(), QUERY), utf8_percent_encode(token.expose(), QUERY));
            Ok(Filled {
                placed: Placed::Query(Clear::from(format!("{name}={value}"))),
                guarded: vec![token.clone()],
            })
        }
        CredentialKind::OAuth2(oauth) => header(&oauth.name, Some(&oauth.scheme), secret.field("token")?),
        // A manifest with a route that names one is refused.
        CredentialKind::Hook => Err(CredentialError::Source("a hook's secret is never sent".to_owned())),
        CredentialKind::Session(_) => Err(CredentialError::Source("a session logs in first".to_owned())),
    }
}

/// A header `name: [scheme ]token`.
pub(crate) fn header(name: &str, scheme: Option<&str>, token: &Clear) -> Result<Filled, CredentialError> {
    let text = match scheme {
        Some(scheme) => Clear::from(format!("{scheme} {}", token.expose())),
        None => token.clone(),
    };
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| CredentialError::Unencodable("header"))?;
    let mut value =
        HeaderValue::from_str(text.expose()).map_err(|_| CredentialError::Unencodable("token"))?;
    value.set_sensitive(true);
    Ok(Filled { placed: Placed::Header(name, value), guarded: vec![token.clone()] })
}

#[cfg(test)]
mod tests;
