//! A small CRM with made-up Brazilian customers, for learning, demos and tests.
//!
//! Whoever tries Ramal or writes a plugin should need neither a CRM account nor a real person's data. So
//! this is a CRM with a REST API of its own, forty invented customers, and the habits of real ones: it
//! answers with far more than was asked for (birth dates, credit, notes), its people typed telephone numbers
//! in different ways, some from before the ninth digit, and one number belongs to two customers.
//!
//! The API is under `/api/v1` and wants `Authorization: Bearer <key>`. A person opens `/` and
//! `/contacts/{id}` in a browser. Everything is in memory and gone when the process ends.
//!
//! It is no place for real data: the pages ask for no login. That is why [`serve()`] refuses a listener that
//! another machine could reach, and why every page says that all is invented.

mod api;
mod base;
mod book;
mod export;
mod hooks;
mod id;
mod key;
mod pages;
mod phone;
mod records;
mod refusal;
mod search;
mod seed;
mod serve;
mod view;
mod write;

use std::sync::Arc;

use axum::Router;
use parking_lot::RwLock;

pub use base::{BaseUrl, NotABaseUrl};
pub use hooks::{HookTarget, UnusableHook};
pub use key::{ApiKey, UnusableKey};
pub use serve::{ServeError, serve};

use book::Book;
use hooks::Hooks;

/// The CRM: its records and the key of its API. Clones share the records.
#[derive(Clone)]
pub struct PracticeCrm {
    pub(crate) book: Arc<RwLock<Book>>,
    pub(crate) key: ApiKey,
    pub(crate) base: BaseUrl,
    pub(crate) hooks: Option<Hooks>,
}

impl PracticeCrm {
    /// A CRM with its invented customers. `base` is where its pages are reached; a contact's `url` begins
    /// with it.
    pub fn new(key: ApiKey, base: BaseUrl) -> Self {
        Self { book: Arc::new(RwLock::new(seed::book())), key, base, hooks: None }
    }

    /// Tells this address from now on what happens. To be called within a tokio runtime, which delivers.
    #[must_use]
    pub fn telling(mut self, target: HookTarget) -> Self {
        self.hooks = Some(Hooks::start(target));
        self
    }

    /// The first number of each invented customer, as somebody typed it: who could call in a simulation.
    pub fn numbers(&self) -> Vec<String> {
        self.book.read().contacts.values().filter_map(|contact| contact.phones.first().cloned()).collect()
    }

    /// The API and the pages, to be called without a socket in tests. Use [`serve()`] for a socket.
    pub fn router(&self) -> Router {
        Router::new().nest("/api/v1", api::router(self.clone())).merge(pages::router(self.clone()))
    }
}

/// Shows where it is and how much it holds, and neither key nor customer.
impl std::fmt::Debug for PracticeCrm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PracticeCrm").field("base", &self.base).finish_non_exhaustive()
    }
}
