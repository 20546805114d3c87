//! Where a plugin's words for the operator go.

use ramal_capability::{PluginId, TenantId};

/// How much an operator needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    /// For the author of the plugin.
    Debug,
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warn,
    /// Something failed.
    Error,
}

/// One line of a plugin, masked and cut.
#[derive(Debug, Clone, Copy)]
pub struct GuestLine<'a> {
    /// Whose data it worked on.
    pub tenant: &'a TenantId,
    /// Which plugin.
    pub plugin: &'a PluginId,
    /// Its version.
    pub version: &'a str,
    /// How much an operator needs to know it.
    pub level: LogLevel,
    /// The words.
    pub text: &'a str,
}

/// Takes the lines of plugins.
pub trait GuestLog: Send + Sync + 'static {
    /// Takes one line.
    fn line(&self, line: GuestLine<'_>);
}

/// Hands the lines to `tracing`, under the target `ramal::plugin`.
#[derive(Debug, Default, Clone, Copy)]
pub struct TracingLog;

impl GuestLog for TracingLog {
    fn line(&self, line: GuestLine<'_>) {
        let GuestLine { tenant, plugin, version, text, .. } = line;
        match line.level {
            LogLevel::Debug => tracing::debug!(target: "ramal::plugin", %tenant, %plugin, version, "{text}"),
            LogLevel::Info => tracing::info!(target: "ramal::plugin", %tenant, %plugin, version, "{text}"),
            LogLevel::Warn => tracing::warn!(target: "ramal::plugin", %tenant, %plugin, version, "{text}"),
            LogLevel::Error => tracing::error!(target: "ramal::plugin", %tenant, %plugin, version, "{text}"),
        }
    }
}
