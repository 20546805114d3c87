//! `ramal.toml`: what the server reads at its start.
//!
//! Strict: an unknown key is an error, because a setting that is silently ignored is a setting that does not work.
//! Errors name the file and the line but never show the line: it may hold a secret.

mod channel;
mod error;
mod forgotten;
mod webhook;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use jiff::tz::{TimeZone, offset};
use ramal_center::{Agent, Ambiguity, SourceId, TenantId};
use ramal_numbers::Region;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::secret::Secret;
pub use channel::{
    AsteriskConfig, AsteriskQueuesConfig, ChannelConfig, GammuConfig, MappedConfig, SharedKeyConfig,
    TrunkTag, TwilioConfig, WhatsAppConfig,
};
pub use error::ConfigError;
pub use forgotten::ForgottenCallsConfig;
pub use webhook::{RetentionConfig, WebhookConfig, WebhookUrl};

/// The name of the source of practice calls.
pub(crate) const PRACTICE_SOURCE: &str = "practice";

/// The whole configuration. Relative paths are relative to the file's folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerConfig {
    /// The address to listen at.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
    /// The folder of the database.
    pub data: PathBuf,
    /// How people reach the server, when that is not the listen address: `https://ramal.example`.
    #[serde(default, deserialize_with = "url")]
    pub public_url: Option<Url>,
    /// More names under which the server may be called, without port.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
    /// The database server, in place of the file in the data folder.
    #[serde(default)]
    pub postgres: Option<PostgresConfig>,
    /// How long traces of work that is done are kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// When a call of which its provider tells nothing more is ended.
    #[serde(default)]
    pub forgotten_calls: ForgottenCallsConfig,
    /// Whether calls can be simulated. Never together with real customers.
    #[serde(default)]
    pub practice: bool,
    /// The companies.
    #[serde(default, rename = "tenant")]
    pub tenants: Vec<TenantConfig>,
}

impl TenantConfig {
    /// By which clock its days begin. Also where the machine has no table of zones: Brasília has had no summer time
    /// since 2019.
    pub(crate) fn zone(&self) -> TimeZone {
        let brasilia = || TimeZone::get("America/Sao_Paulo").unwrap_or_else(|_| TimeZone::fixed(offset(-3)));
        // `ServerConfig::parse` has checked it.
        self.time_zone.as_ref().and_then(|zone| TimeZone::get(zone).ok()).unwrap_or_else(brasilia)
    }
}

/// A PostgreSQL server. Its address holds a password.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PostgresConfig {
    /// `postgres://role:password@host:5432/database`.
    #[serde(default)]
    pub url: Option<Secret>,
    /// A file that holds the address.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
}

/// One company.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TenantConfig {
    /// Its name.
    pub id: TenantId,
    /// The country of numbers that are written without one: two letters (ISO 3166).
    #[serde(default = "region")]
    pub region: String,
    /// By which clock its days begin: a name such as `America/Manaus`. Brasília's when it is left out.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Numbers and extensions of which neither a CRM nor a webhook is told.
    #[serde(default)]
    pub do_not_log: Vec<String>,
    /// Whether CRMs and webhooks are told of talk between colleagues.
    #[serde(default)]
    pub log_internal: bool,
    /// Which contact a call belongs to when several have the number.
    #[serde(default, deserialize_with = "ambiguous")]
    pub ambiguous: Ambiguity,
    /// Who is who at the exchange and in the CRMs.
    #[serde(default, rename = "agent")]
    pub agents: Vec<AgentConfig>,
    /// Where its call events come from.
    #[serde(default, rename = "source")]
    pub sources: Vec<SourceConfig>,
    /// Its lines, messaging accounts and exchanges.
    #[serde(default, rename = "channel")]
    pub channels: Vec<ChannelConfig>,
    /// Who may use the API and the page.
    #[serde(default, rename = "token")]
    pub tokens: Vec<TokenConfig>,
    /// Its connected CRMs.
    #[serde(default, rename = "plugin")]
    pub plugins: Vec<PluginConfig>,
    /// Who is told of its calls and conversations.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookConfig>,
}

/// One of the company's own people.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AgentConfig {
    /// Where the exchange reaches the person.
    pub extension: String,
    /// Every name by which a CRM or the exchange knows the person: full names, logins, e-mail addresses.
    #[serde(default)]
    pub names: Vec<String>,
}

// A person.
impl std::fmt::Debug for AgentConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AgentConfig(<personal>)")
    }
}

/// One exchange or provider that sends call events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourceConfig {
    /// Its name, unique over all tenants: it stands in the address of the events.
    pub id: SourceId,
    /// The shared secret.
    #[serde(default)]
    pub secret: Option<Secret>,
    /// A file that holds the shared secret.
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    /// The secret before, while the sender changes over.
    #[serde(default)]
    pub previous_secret: Option<Secret>,
    /// A file that holds the secret before.
    #[serde(default)]
    pub previous_secret_file: Option<PathBuf>,
}

/// One API token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenConfig {
    /// What it is for; stands in the log.
    pub id: String,
    /// The token.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A file that holds the token.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// One plugin with what belongs to it. Only the places: who composes the host opens them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginConfig {
    /// The component.
    pub file: PathBuf,
    /// The grant.
    pub grant: PathBuf,
    /// The plugin's settings.
    #[serde(default)]
    pub settings: Option<PathBuf>,
    /// The CRM's credentials.
    #[serde(default)]
    pub credentials: Option<PathBuf>,
}

fn listen() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7700)
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.map(Some).ok_or_else(|| {
        serde::de::Error::custom("`public-url` starts with https:// or http:// and names a host")
    })
}

fn ambiguous<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ambiguity, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|rule| serde::de::Error::custom(format!("`ambiguous` {rule}")))
}

fn region() -> String {
    "BR".to_owned()
}

impl ServerConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// When the file cannot be read, is no TOML, has an unknown key or breaks a rule.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, path, folder)
    }

    /// Checks a text as if it stood in the file `path`; relative paths start at `folder`.
    ///
    /// # Errors
    /// As [`ServerConfig::load`].
    pub fn parse(text: &str, path: &Path, folder: &Path) -> Result<Self, ConfigError> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::from_toml(path, text, &error))?;
        config.resolve(folder);
        config.check(path)?;
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let at = |path: &mut PathBuf| *path = folder.join(&*path);
        at(&mut self.data);
        if let Some(postgres) = &mut self.postgres {
            postgres.url_file.iter_mut().for_each(at);
        }
        for tenant in &mut self.tenants {
            for source in &mut tenant.sources {
                source.secret_file.iter_mut().for_each(at);
                source.previous_secret_file.iter_mut().for_each(at);
            }
            for token in &mut tenant.tokens {
                token.token_file.iter_mut().for_each(at);
            }
            for plugin in &mut tenant.plugins {
                at(&mut plugin.file);
                at(&mut plugin.grant);
                plugin.settings.iter_mut().for_each(at);
                plugin.credentials.iter_mut().for_each(at);
            }
            for channel in &mut tenant.channels {
                channel.paths().into_iter().for_each(at);
            }
            for webhook in &mut tenant.webhooks {
                webhook.secret_file.iter_mut().for_each(at);
                webhook.previous_secret_file.iter_mut().for_each(at);
            }
        }
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let rule = |what: String| Err(ConfigError::Rule { path: path.to_owned(), what });
        if self.tenants.is_empty() {
            return rule("there is no `[[tenant]]`; add one with an `id`".to_owned());
        }
        if self.postgres.as_ref().is_some_and(|p| p.url.is_some() == p.url_file.is_some()) {
            return rule("`[postgres]` needs either `url-file` or `url`".to_owned());
        }
        let (mut tenants, mut sources) = (HashSet::new(), HashSet::new());
        for tenant in &self.tenants {
            let id = &tenant.id;
            if !tenants.insert(id) {
                return rule(format!("tenant `{id}` stands twice; give each its own `id`"));
            }
            if tenant.region.parse::<Region>().is_err() {
                return rule(format!("tenant `{id}`: `region` is a country's two letters, such as \"BR\""));
            }
            if tenant.time_zone.as_ref().is_some_and(|zone| TimeZone::get(zone).is_err()) {
                return rule(format!(
                    "tenant `{id}`: `time-zone` is a name that this machine knows, such as \"America/Manaus\"; they come with the package tzdata"
                ));
            }
            // No name of a person in an error: it may end up in a log.
            let mut names = HashMap::new();
            for (at, agent) in (1..).zip(&tenant.agents) {
                if !Agent::is_extension(&agent.extension) {
                    return rule(format!(
                        "tenant `{id}`, agent {at}: `extension` is 1 to 16 letters and digits, as the exchange dials it"
                    ));
                }
                for name in agent.names.iter().chain([&agent.extension]) {
                    let same = names.insert(Agent::folded(name), at).filter(|other| *other != at);
                    if let Some(other) = same {
                        return rule(format!(
                            "tenant `{id}`: agents {other} and {at} share a name or an extension; each belongs to one person"
                        ));
                    }
                }
            }
            if tenant.tokens.is_empty() {
                return rule(format!(
                    "tenant `{id}` has no `[[tenant.token]]`, so nobody could see its calls; add one"
                ));
            }
            for source in &tenant.sources {
                let name = &source.id;
                if !sources.insert(name) {
                    return rule(format!("source `{name}` stands twice; names are unique over all tenants"));
                }
                if name.as_str() == PRACTICE_SOURCE {
                    return rule(format!(
                        "source `{name}` of tenant `{id}`: this name is kept for simulated calls"
                    ));
                }
                if source.secret.is_some() == source.secret_file.is_some() {
                    return rule(format!("source `{name}` needs either `secret-file` or `secret`"));
                }
                if source.previous_secret.is_some() && source.previous_secret_file.is_some() {
                    return rule(format!(
                        "source `{name}` has both `previous-secret-file` and `previous-secret`; keep one"
                    ));
                }
            }
            for channel in &tenant.channels {
                let name = channel.id();
                if !sources.insert(name) {
                    return rule(format!(
                        "channel `{name}` has the name of another channel or source; names are unique over all tenants"
                    ));
                }
                if name.as_str() == PRACTICE_SOURCE {
                    return rule(format!(
                        "channel `{name}` of tenant `{id}`: this name is kept for simulated calls"
                    ));
                }
                if let Some(broken) = channel.broken_rule() {
                    return rule(format!("tenant `{id}`: {broken}"));
                }
            }
            let mut webhooks = HashSet::new();
            for webhook in &tenant.webhooks {
                if !webhooks.insert(&webhook.id) {
                    return rule(format!(
                        "webhook `{}` stands twice in tenant `{id}`; give each its own `id`",
                        webhook.id
                    ));
                }
                if let Some(broken) = webhook.broken_rule() {
                    return rule(format!("tenant `{id}`: {broken}"));
                }
            }
            for token in &tenant.tokens {
                if token.token.is_some() == token.token_file.is_some() {
                    return rule(format!(
                        "token `{}` of tenant `{id}` needs either `token-file` or `token`",
                        token.id
                    ));
                }
            }
        }
        Ok(())
    }

    /// Where the database lies.
    pub fn database(&self) -> PathBuf {
        self.data.join("ramal.sqlite")
    }
}

#[cfg(test)]
mod tests;
