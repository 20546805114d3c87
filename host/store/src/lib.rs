//! The only crate that writes SQL.
//!
//! What is above asks through small traits by aggregate ([`InteractionStore`], [`LiveStore`], [`PluginStore`]) in
//! plain Rust types; SQLite and PostgreSQL stand behind them, and one conformance suite (`tests/conformance.rs`) runs
//! on both. Four rules keep the roads short:
//!
//! * **Events are the truth, rows are what they make.** A change is a list of events; the row is [`fold`] of them, and
//!   the write makes it itself. `ramal store check` folds every history again and compares.
//! * **One fact, one transaction.** [`InteractionStore::append`] writes the events, the row, the live event and the
//!   deliveries together: a process that dies in between has either all or none, and a client that repeats the
//!   event heals it.
//! * **The store is the truth, a channel is only a bell.** Live events get their ids in the order of commit; whoever
//!   follows them reads the store after the last id that it saw. A broadcast that carried the events themselves
//!   would lose some for a slow reader and reorder others.
//! * **The tenant is in every key and every question.** In PostgreSQL row-level security stands behind that as a
//!   second wall: a query that forgets its tenant finds nothing.
#![deny(missing_docs)]
// A query is written once, in src/sql/, and compiled for each database with that database's types.
#![allow(clippy::duplicate_mod)]

mod activity;
mod clear;
mod credential;
mod error;
mod health;
mod ids;
mod inbound;
mod interaction;
mod journal;
mod live;
pub mod memory;
mod outbox;
mod plugin;
pub mod postgres;
mod sqlite;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod webhook;
mod words;

pub use activity::{Activity, ActivityStore, Carried};
pub use credential::{ConsentRow, CredentialKey, CredentialRow, CredentialStore, Lease, Sealed};
pub use error::{Fault, StoreError};
pub use health::StoreHealth;
pub use ids::{BadText, CallId, EventId, SourceId, WebhookName};
pub use inbound::{
    HookSettlement, InboundOrder, InboundStore, LeasedHook, LeasedSync, Lost, NewHook, SyncSettlement, Taken,
};
pub use interaction::{
    Actor, Attachment, BadCursor, BadIdentity, Cause, Channel, ContactIdentity, ContactKind, CrmLink,
    EndCause, EventRecord, Filter, Finding, FindingKind, FoldError, Interaction, InteractionDirection,
    InteractionEvent, InteractionState, InteractionStore, InteractionWrite, JournalResult, Journaled, Leg,
    Message, MessageId, MessageStatus, Namespace, NewEvent, Page, PageCursor, Receipt, Recent, Recorded,
    Recording, RecordingId, RecordingState, Situation, Snapshot, Span, Started, WriteError, fold,
    fold_messages,
};
pub use journal::{BadPayload, CrmRecord, JournalEntry, JournalOutcome};
pub use live::{LiveEvent, LiveId, LivePage, LiveStore, NewLive};
pub use outbox::{
    Backlog, BadTarget, Delivery, DeliveryFilter, DeliveryId, DeliveryState, DueTarget, Failure, Lane,
    LeaseOrder, Leased, NewDelivery, OutboxBell, OutboxListener, OutboxStore, Pause, Settled, Settlement,
    Step, Target, WebhookId,
};
pub use plugin::{PluginEntry, PluginLimits, PluginStore, PluginStoreError};
pub use postgres::{PostgresSettings, PostgresStore};
pub use ramal_capability::{Clear, InteractionId, PluginId, TenantId, UserId};
pub use sqlite::{MaintenanceError, SqliteSettings, SqliteStore};
pub use store::{Checked, Checking, Mismatch, Store};
pub use webhook::WebhookMessage;

/// A future that a store returns; boxed, so that the traits can be used behind `dyn`.
pub type Answer<'a, T, E = StoreError> = futures_util::future::BoxFuture<'a, Result<T, E>>;
