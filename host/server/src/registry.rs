//! Who may speak: the sources that send events and the tokens that read, with their keys, checked once at the start.

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::{constant_time, digest, hmac};
use ramal_center::{Origin, SourceId, TenantId};
use ramal_numbers::Region;

use crate::config::{ConfigError, PRACTICE_SOURCE, ServerConfig, SourceConfig};
use crate::secret::{LEAST, Secret};

/// A source with the keys that it may sign with.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) origin: Origin,
    pub(crate) region: Region,
    pub(crate) keys: Vec<hmac::Key>,
}

struct Token {
    id: String,
    tenant: TenantId,
    bearer: digest::Digest,
    session: digest::Digest,
}

/// Who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) tenant: TenantId,
    /// The token's name, for the log.
    pub(crate) token: String,
}

pub(crate) struct Registry {
    sources: HashMap<SourceId, Source>,
    practice: HashMap<TenantId, (Source, Secret)>,
    tokens: Vec<Token>,
    regions: HashMap<TenantId, Region>,
}

impl Registry {
    /// Reads every secret that the configuration names.
    pub(crate) fn new(config: &ServerConfig) -> Result<Self, ConfigError> {
        let mut registry = Self {
            sources: HashMap::new(),
            practice: HashMap::new(),
            tokens: Vec::new(),
            regions: HashMap::new(),
        };
        for tenant in &config.tenants {
            // `ServerConfig::parse` has checked it.
            let region = tenant.region.parse::<Region>().unwrap_or(Region::BR);
            registry.regions.insert(tenant.id.clone(), region);
            for source in &tenant.sources {
                let origin = Origin { tenant: tenant.id.clone(), source: source.id.clone() };
                registry.sources.insert(source.id.clone(), Source { origin, region, keys: keys(source)? });
            }
            for token in &tenant.tokens {
                let of = format!("token `{}` of tenant `{}`", token.id, tenant.id);
                let Some(secret) = read(&of, token.token.as_ref(), token.token_file.as_deref())? else {
                    continue;
                };
                registry.tokens.push(Token {
                    id: token.id.clone(),
                    tenant: tenant.id.clone(),
                    bearer: sha256(secret.expose()),
                    session: sha256(&session_value(secret.expose())),
                });
            }
            if config.practice {
                let of = format!("simulated calls of tenant `{}`", tenant.id);
                let secret = Secret::random().ok_or_else(|| ConfigError::Secret {
                    of: of.clone(),
                    what: "the system gave no random bytes".to_owned(),
                })?;
                let source = SourceId::new(PRACTICE_SOURCE)
                    .map_err(|e| ConfigError::Secret { of, what: e.to_string() })?;
                let origin = Origin { tenant: tenant.id.clone(), source };
                let source = Source { origin, region, keys: vec![key(&secret)] };
                registry.practice.insert(tenant.id.clone(), (source, secret));
            }
        }
        Ok(registry)
    }

    pub(crate) fn source(&self, id: &str) -> Option<&Source> {
        self.sources.get(&SourceId::new(id).ok()?)
    }

    /// Every tenant of the configuration.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &TenantId> {
        self.regions.keys()
    }

    /// Whose rules read a tenant's numbers.
    pub(crate) fn region(&self, tenant: &TenantId) -> Region {
        self.regions.get(tenant).copied().unwrap_or(Region::BR)
    }

    /// The source of a tenant's simulated calls, with its secret; only when the configuration says `practice`.
    pub(crate) fn practice(&self, tenant: &TenantId) -> Option<&(Source, Secret)> {
        self.practice.get(tenant)
    }

    /// Whose token it is.
    pub(crate) fn bearer(&self, token: &str) -> Option<Principal> {
        self.find(token, |t| &t.bearer)
    }

    /// Whose session cookie it is.
    pub(crate) fn session(&self, cookie: &str) -> Option<Principal> {
        self.find(cookie, |t| &t.session)
    }

    // Digests are compared, and all of them, so that the time says nothing about how near a guess came.
    fn find(&self, given: &str, of: impl Fn(&Token) -> &digest::Digest) -> Option<Principal> {
        let given = sha256(given);
        let mut found = None;
        for token in &self.tokens {
            if constant_time::verify_slices_are_equal(of(token).as_ref(), given.as_ref()).is_ok() {
                found = Some(Principal { tenant: token.tenant.clone(), token: token.id.clone() });
            }
        }
        found
    }
}

/// What the cookie holds: follows from the token, but the token does not follow from it, so that a cookie that leaks
/// is no API token.
pub(crate) fn session_value(token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
    data_encoding::HEXLOWER.encode(hmac::sign(&key, b"ramal session v1").as_ref())
}

fn sha256(text: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, text.as_bytes())
}

fn key(secret: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes())
}

fn keys(source: &SourceConfig) -> Result<Vec<hmac::Key>, ConfigError> {
    let of = format!("source `{}`", source.id);
    let current = read(&of, source.secret.as_ref(), source.secret_file.as_deref())?;
    let previous = read(&of, source.previous_secret.as_ref(), source.previous_secret_file.as_deref())?;
    Ok(current.iter().chain(&previous).map(key).collect())
}

/// A secret that is given in the configuration or in a file that it names.
pub(crate) fn read(
    of: &str,
    given: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, ConfigError> {
    let secret = read_any(of, given, file)?;
    if secret.as_ref().is_some_and(|secret| !secret.is_long_enough()) {
        return Err(ConfigError::Secret {
            of: of.to_owned(),
            what: format!("use at least {LEAST} characters; `openssl rand -hex 32` makes a good one"),
        });
    }
    Ok(secret)
}

/// The same for a secret that somebody else has made: its length is not this host's to judge.
pub(crate) fn read_any(
    of: &str,
    given: Option<&Secret>,
    file: Option<&Path>,
) -> Result<Option<Secret>, ConfigError> {
    let error = |what: String| ConfigError::Secret { of: of.to_owned(), what };
    match (given, file) {
        (Some(secret), _) => Ok(Some(secret.clone())),
        (None, Some(file)) => {
            let text = std::fs::read_to_string(file)
                .map_err(|e| error(format!("could not read {}: {}", file.display(), e.kind())))?;
            Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
        }
        (None, None) => Ok(None),
    }
}
