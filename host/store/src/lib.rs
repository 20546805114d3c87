//! The only crate that writes SQL.
//!
//! What is above asks through small traits by aggregate ([`CallStore`], [`LiveStore`], [`PluginStore`]) in plain
//! Rust types, so a second database joins without a change there, and one conformance suite
//! (`tests/conformance.rs`) runs on every backend. Two rules keep the roads short:
//!
//! * **One fact, one transaction.** [`CallStore::record`] writes the event, the call and the live event together:
//!   a process that dies in between has either all three or none, and a client that repeats the event heals it.
//! * **The store is the truth, a channel is only a bell.** Live events get their ids from the single writer, in the
//!   order of commit; whoever follows them reads the store after the last id that it saw. A broadcast that
//!   carried the events themselves would lose some for a slow reader and reorder others.
#![deny(missing_docs)]

mod call;
mod error;
mod health;
mod ids;
mod live;
pub mod memory;
mod plugin;
mod sqlite;

pub use call::{
    Call, CallSnapshot, CallState, CallStore, CallWrite, EndCause, EventRow, Finding, FindingKind, Recent,
    Recorded, Situation,
};
pub use error::{Fault, StoreError};
pub use health::StoreHealth;
pub use ids::{BadText, CallId, EventId, SourceId};
pub use live::{LiveEvent, LiveId, LivePage, LiveStore, NewLive};
pub use plugin::{PluginEntry, PluginLimits, PluginStore, PluginStoreError};
pub use ramal_capability::{Clear, InteractionId, PluginId, TenantId};
pub use sqlite::{SqliteSettings, SqliteStore};

/// A future that a store returns; boxed, so that the traits can be used behind `dyn`.
pub type Answer<'a, T, E = StoreError> = futures_util::future::BoxFuture<'a, Result<T, E>>;
