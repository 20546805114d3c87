//! What somebody who counts is told. Only names from the configuration and fixed words: a metric's label must
//! never be able to carry a number or a name.

use std::time::Duration;

use ramal_store::PluginId;

/// Counts what happens.
pub trait Observer: Send + Sync + 'static {
    /// An event or a request was handled; `kind` is its word, `outcome` is `stored`, `repeated`, or the code of the error.
    fn event(&self, kind: &'static str, outcome: &'static str);
    /// A plugin answered; `outcome` is `card`, `none`, or the reason of the failure.
    fn look_up(&self, plugin: &PluginId, outcome: &'static str, took: Duration);
    /// What a plugin had just answered was told again, without asking it; `outcome` is `card` or `none`.
    fn remembered(&self, plugin: &PluginId, outcome: &'static str) {
        let _ = (plugin, outcome);
    }
    /// A dialplan's question was answered; `reason` is the word of a [`RouteReason`](crate::RouteReason).
    fn route(&self, reason: &'static str, took: Duration) {
        let _ = (reason, took);
    }
}

/// Counts nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: &'static str, _: &'static str) {}
    fn look_up(&self, _: &PluginId, _: &'static str, _: Duration) {}
}
