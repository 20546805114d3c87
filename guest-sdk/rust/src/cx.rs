//! The handle that a plugin's functions get, and through which alone they reach anything.
//!
//! It is an argument and not a set of global functions, so that a test can hand in another one: the plugin's
//! code is the same in a component and under `cargo test`.

use serde::de::DeserializeOwned;

use crate::error::parse_failure;
#[cfg(target_family = "wasm")]
use crate::host::Host as _;
use crate::host::Shared;
use crate::{Egress, Error, Log, Result, Store, Words};

/// What one call may use. `S` is the plugin's [`Settings`](crate::Crm::Settings).
pub struct Cx<S> {
    host: Shared,
    settings: S,
}

impl<S> Cx<S> {
    /// What the admin entered, checked against the manifest's schema, defaults filled in. No secrets:
    /// credentials belong to the host.
    pub fn settings(&self) -> &S {
        &self.settings
    }
    /// The way to the CRM.
    pub fn egress(&self) -> Egress<'_> {
        Egress::new(&*self.host)
    }
    /// The plugin's own store, apart for each tenant.
    pub fn store(&self) -> Store<'_> {
        Store::new(&*self.host)
    }
    /// Functions on text that may be sealed.
    pub fn text(&self) -> Words<'_> {
        Words::new(&*self.host)
    }
    /// Words for the operator.
    pub fn log(&self) -> Log<'_> {
        Log::new(&*self.host)
    }
}

impl<S: DeserializeOwned> Cx<S> {
    /// Reads the settings, once for the call.
    pub(crate) fn open(host: Shared) -> Result<Self> {
        let settings = serde_json::from_str(&host.settings()).map_err(misfit)?;
        Ok(Self { host, settings })
    }
}

#[cold]
fn misfit(error: serde_json::Error) -> Error {
    Error::Permanent(format!(
        "the settings do not fit the plugin's Settings type: {}; make the schema in plugin.toml and the type agree",
        parse_failure(&error)
    ))
}

impl<S> std::fmt::Debug for Cx<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cx")
    }
}
