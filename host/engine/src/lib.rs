//! The runtime: plugins are WebAssembly components, compiled once in a child process, called in a fresh
//! instance each time, within limits that are all enforced.
//!
//! ```text
//! inspect        what is in the file, without compiling or running it        precheck, inspect
//! load           checked → compiled in a child → cached → bound to a grant   compile, cache, program, runtime
//! Plugin::call   right → gate → fresh store → guest → result opened         plugin, state, imports, ask
//! ```
//!
//! The only crate that depends on wasmtime. Rules live in `ramal-capability`, the way out in `ramal-egress`;
//! what is here is the machine. An embedder starts with [`Runtime::builder`] and `examples/embed.rs`.
#![deny(missing_docs)]

mod ask;
mod bindings;
pub mod cache;
pub mod compile;
pub mod config;
mod error;
mod gate;
mod guest_log;
mod imports;
mod inspect;
mod kv;
mod plugin;
pub mod precheck;
mod program;
mod record;
mod runtime;
mod state;

pub use ask::{
    AmendJournal, Ask, Check, CreateContact, EraseSubject, ExportSubject, FindByPhone, GetContact,
    HandleEvent, ListUsers, OpenWorkItems, SearchContacts, UpdateContact, WriteJournal,
};
pub use compile::{Compiler, intercept_worker};
pub use config::PoolSize;
pub use error::{CallError, PluginError, Stop};
pub use guest_log::{GuestLine, GuestLog, LogLevel, TracingLog};
pub use inspect::{Inspected, inspect};
pub use kv::{KeepError, MemoryStore, PluginStore};
pub use plugin::{CallReport, Called, Plugin};
pub use record::{
    Account, CallDirection, CallOutcome, Contact, ContactDraft, CrmFact, CrmUser, DialRequest, EraseMode,
    EraseReceipt, HeldRecord, JournalEntry, Listed, News, Page, RecordRef, WorkItem,
};
pub use runtime::{BuildError, Health, LoadError, Runtime, RuntimeBuilder, SERVED};
