//! How a call of a plugin can end without a result, in the terms that callers act on.

use ramal_capability::{Denial, Export};

/// What the plugin itself answered instead of a result. Texts are masked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// The plugin does not offer the function.
    #[error("the plugin does not offer this")]
    Unsupported,
    /// The CRM has no such record.
    #[error("the CRM has no such record")]
    NotFound,
    /// The host or the CRM forbids it.
    #[error("denied: {0}")]
    Denied(String),
    /// The CRM refuses the data.
    #[error("the CRM refuses the data: {0}")]
    Invalid(String),
    /// The credential is missing or no longer accepted.
    #[error("the credential is missing or no longer accepted; renew it")]
    AuthExpired,
    /// Too many requests; seconds to wait, if known.
    #[error("the CRM asks to wait{}", .0.map(|s| format!(" {s} s")).unwrap_or_default())]
    RateLimited(Option<u32>),
    /// Worth another try.
    #[error("{0}")]
    Transient(String),
    /// Another try will not help.
    #[error("{0}")]
    Permanent(String),
    /// A code and a text of the plugin's own.
    #[error("{1} ({0})")]
    Other(String, String),
}

/// Why the guest's code was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stop {
    /// It computed for longer than it may.
    CpuTime,
    /// The call as a whole took longer than it may.
    WallTime,
    /// It recursed too deep.
    Stack,
    /// It asked for more memory, tables, instances or handles than it may, and could not go on without.
    Memory,
    /// It handed the host more bytes at once than it may.
    HostcallBytes,
    /// It gave up: a panic, or an instruction that cannot be reached.
    Panic,
    /// It broke a rule of WebAssembly: memory out of bounds, division by zero, a bad index.
    Fault,
    /// What it gave back is not what the contract says: a pointer outside its memory, no UTF-8.
    Contract,
}

impl Stop {
    /// A stable word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CpuTime => "cpu-time",
            Self::WallTime => "wall-time",
            Self::Stack => "stack",
            Self::Memory => "memory",
            Self::HostcallBytes => "hostcall-bytes",
            Self::Panic => "panic",
            Self::Fault => "fault",
            Self::Contract => "contract",
        }
    }
}

/// Why a call gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// A rule forbids it.
    #[error("{0}")]
    Denied(#[from] Denial),
    /// The plugin answered with an error.
    #[error("{0}")]
    Plugin(#[from] PluginError),
    /// The guest's code was stopped.
    #[error("the plugin was stopped ({}){}", .stop.as_str(), .said.as_deref().map(|s| format!(": {s}")).unwrap_or_default())]
    Stopped {
        /// Why.
        stop: Stop,
        /// What it last said of it, masked: the panic's message and place.
        said: Option<String>,
    },
    /// More calls than the grant allows, at once or in a minute.
    #[error("too many calls: {0}; wait, or raise the limit in the grant")]
    Busy(&'static str),
    /// It was stopped too often and rests.
    #[error(
        "the plugin was stopped {stops} times in five minutes and rests for {seconds} s; see its log, then resume \
         it: `POST /v1/plugins/{{plugin}}/resume`"
    )]
    Quarantined {
        /// How often.
        stops: usize,
        /// For how long still.
        seconds: u64,
    },
    /// The component lacks the function that its manifest lists.
    #[error("the component has no {0}, though its manifest lists it; rebuild it")]
    Missing(Export),
    /// What came back is larger than the grant allows.
    #[error("the result is larger than the grant allows ({0} bytes)")]
    ResultTooLarge(u64),
    /// The host itself failed.
    #[error("the host could not run the plugin: {0}")]
    Host(String),
}

impl CallError {
    /// A stable word for logs and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(_) => "denied",
            Self::Plugin(PluginError::Unsupported) => "unsupported",
            Self::Plugin(PluginError::NotFound) => "not-found",
            Self::Plugin(PluginError::Denied(_)) => "plugin-denied",
            Self::Plugin(PluginError::Invalid(_)) => "invalid",
            Self::Plugin(PluginError::AuthExpired) => "auth-expired",
            Self::Plugin(PluginError::RateLimited(_)) => "rate-limited",
            Self::Plugin(PluginError::Transient(_)) => "transient",
            Self::Plugin(PluginError::Permanent(_)) => "permanent",
            Self::Plugin(PluginError::Other(..)) => "other",
            Self::Stopped { stop, .. } => stop.as_str(),
            Self::Busy(_) => "busy",
            Self::Quarantined { .. } => "quarantined",
            Self::Missing(_) => "missing",
            Self::ResultTooLarge(_) => "result-too-large",
            Self::Host(_) => "host",
        }
    }
}
