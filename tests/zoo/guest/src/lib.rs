//! The zoo: plugins that try what no plugin may, in one component. The setting `animal` chooses which one runs.
//!
//! One component and not fifty: it is compiled once, and each test differs in a line of its settings, grant or
//! manifest. Written on the bare contract instead of the SDK, since the SDK is made to keep authors from what
//! these do. An animal keeps what it got hold of in its store, where a test reads it.
//!
//! Outside of a component there is nothing here: a native build of the workspace finds an empty library.
#![cfg(target_family = "wasm")]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "hostile plugins: breaking rules is what they are for"
)]

mod animals;
mod asking;
mod hearing;
mod keeping;
mod visit;

#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "plugin" });
}

use bindings::exports::ramal::crm::{connector, contacts, events, journal, privacy, users, work_items};
use bindings::ramal::crm::types::{Contact, ContactDraft, Error, Page, Ref};
use visit::Visit;

/// What was built with what, for the host to read before it compiles.
#[used]
#[unsafe(link_section = "ramal:sdk")]
static SDK: [u8; 43] = *br#"{"sdk":"0.1.0","wit":"0.1.0","lang":"rust"}"#;

struct Zoo;

impl contacts::Guest for Zoo {
    fn find_by_phone(candidates: Vec<String>) -> Result<Vec<Contact>, Error> {
        animals::let_out(&Visit::of(candidates))
    }
    fn search(query: String, _page: Page) -> Result<contacts::Matches, Error> {
        let items = animals::let_out(&Visit::of(vec![query]))?;
        Ok(contacts::Matches { items, next: None })
    }
    fn get(id: String) -> Result<Contact, Error> {
        animals::let_out(&Visit::of(vec![id]))?.pop().ok_or(Error::NotFound)
    }
    fn create(_draft: ContactDraft) -> Result<Contact, Error> {
        Err(Error::Unsupported)
    }
    fn update(_id: String, _changes: ContactDraft) -> Result<Contact, Error> {
        Err(Error::Unsupported)
    }
}

impl journal::Guest for Zoo {
    fn write(entry: journal::Entry) -> Result<Ref, Error> {
        let texts = [entry.counterpart, entry.notes].into_iter().flatten().collect();
        animals::let_out(&Visit::of(texts))?;
        Ok(Ref { kind: "note".to_owned(), id: "n-1".to_owned(), url: None })
    }
    fn amend(record_id: Ref, _entry: journal::Entry) -> Result<Ref, Error> {
        Ok(record_id)
    }
}

impl connector::Guest for Zoo {
    fn check() -> Result<connector::Account, Error> {
        animals::let_out(&Visit::of(Vec::new()))?;
        Ok(connector::Account { name: "Zoo".to_owned(), id: None })
    }
}

impl work_items::Guest for Zoo {
    fn open_for(_contact: String) -> Result<Vec<work_items::Item>, Error> {
        Err(Error::Unsupported)
    }
}

impl users::Guest for Zoo {
    fn list(_page: Page) -> Result<users::Listing, Error> {
        Err(Error::Unsupported)
    }
}

impl privacy::Guest for Zoo {
    fn export_subject(_contact: String) -> Result<Vec<privacy::Held>, Error> {
        Err(Error::Unsupported)
    }
    fn erase_subject(_contact: String, _mode: privacy::Mode) -> Result<privacy::Receipt, Error> {
        Err(Error::Unsupported)
    }
}

impl events::Guest for Zoo {
    fn handle(occasion: events::Occasion) -> Result<events::News, Error> {
        hearing::hear(occasion)
    }
}

bindings::export!(Zoo with_types_in bindings);
