//! Write a CRM plugin for Ramal: one trait, one macro, typed settings, and tests without a CRM.
//!
//! A plugin is a Rust library. It implements what its CRM has of [`Crm`], everything else answers
//! [`Error::Unsupported`], and [`register!`] makes the library a component:
//!
//! ```
//! use ramal_sdk::prelude::*;
//!
//! #[derive(Deserialize)]
//! struct Settings {
//!     #[serde(default = "ten")]
//!     page_size: u32,
//! }
//! fn ten() -> u32 { 10 }
//!
//! // The answer, as the route's `receive` leaves it. `name` is sealed: a `Text` can be passed on, not read.
//! #[derive(Deserialize)]
//! struct Found { results: Vec<Person> }
//! #[derive(Deserialize)]
//! struct Person { id: Id, name: Text, phones: Vec<Text> }
//!
//! struct Acme;
//!
//! impl Crm for Acme {
//!     type Settings = Settings;
//!
//!     fn find_by_phone(cx: &Cx<Settings>, candidates: &[Text]) -> Result<Vec<Contact>> {
//!         // One request for each form of the number, side by side.
//!         let size = cx.settings().page_size;
//!         let calls = candidates.iter().map(|phone| {
//!             Call::new("find-by-phone", params! { "phone" => phone, "limit" => size })
//!         });
//!         let mut contacts = Vec::new();
//!         for answer in cx.egress().send_all(calls.collect()) {
//!             let found: Found = answer?.json()?;
//!             contacts.extend(found.results.into_iter().map(|p| Contact {
//!                 id: p.id,
//!                 name: p.name,
//!                 phones: p.phones,
//!                 ..Contact::default()
//!             }));
//!         }
//!         Ok(contacts)
//!     }
//! }
//!
//! ramal_sdk::register!(Acme);
//! # fn main() {}
//! ```
//!
//! # What a plugin sees
//! Customers' values reach a plugin as *seals*: strings that stand for a value and open only on the host, at
//! the place of an approved request or in the panel. [`Text`] is the type of every place where a seal may
//! stand; code that does not look inside works on seals and clear text alike, and [`Cx::text`] has functions
//! (number formats, given names) that the host applies to the value behind the seal.
//!
//! A plugin never writes HTTP. Its manifest `plugin.toml` declares *routes*; [`Cx::egress`] names a route and
//! gives values. Credentials, retries, OAuth, TLS and addresses are the host's.
//!
//! # What the standard library does here
//! A plugin is built for `wasm32-unknown-unknown` and imports nothing but `ramal:crm`. So:
//!
//! | asked of `std` | happens |
//! |---|---|
//! | `println!`, `eprintln!` | vanish; write with [`Cx::log`] |
//! | `env::var`, `env::args` | not present, empty; use [`Cx::settings`] |
//! | files, sockets, threads | an `Err` of kind `Unsupported` |
//! | `Instant::now`, `SystemTime::now`, `thread::sleep` | panic; the times that matter come with the call ([`Entry`], [`Instant`]) |
//! | a panic | reaches the host's log with its place (`panicked at src/lib.rs:12:5: …`) and ends this call only |
//! | `HashMap` | works, but its order is the same in every call, and whoever chooses the keys can make them collide: prefer `BTreeMap` for keys that come from outside |
//!
//! There is no randomness: crates that need `getrandom` (`uuid` v4 and v7, `rand`) stop at compile time, and
//! must not be made to build with a JavaScript backend, since that adds an import that the host refuses.
//! Where a CRM wants a unique key, [`Entry::idempotency_key`] is one, and is the same at every retry.
//!
//! Memory starts fresh at every call. What has to last goes to [`Cx::store`].
//!
//! # Tests
//! With the feature `testing` (for `[dev-dependencies]`), `ramal_sdk::testing` runs a plugin in plain
//! `cargo test`, without wasm, network or CRM: recorded replies go in, the requests as they would leave come
//! out, and the same code as in the host decides what is allowed.
#![deny(missing_docs)]

mod crm;
mod cx;
mod egress;
mod error;
mod exports;
mod host;
mod id;
mod instant;
pub mod language;
mod log;
mod marks;
pub mod offset;
mod panic;
mod record;
mod section;
mod store;
mod text;
mod wire;
mod words;

#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, clippy::pedantic)]
#[doc(hidden)]
pub mod bindings {
    //! What `wit-bindgen` makes of `wit/`. The only unsafe code of the SDK is in here, and is generated.
    wit_bindgen::generate!({
        path: "../../wit",
        world: "plugin",
        pub_export_macro: true,
    });
}

#[cfg(all(feature = "testing", not(target_family = "wasm")))]
pub mod testing;

pub use crm::{Crm, NoSettings};
pub use cx::Cx;
pub use egress::{Call, Egress, Failure, Params, Reply};
pub use error::{Error, Result};
pub use id::Id;
pub use instant::Instant;
pub use log::{Level, Log};
pub use marks::Marks;
pub use record::{
    Account, Contact, ContactDraft, Dial, Direction, Entry, Erasure, Fact, Held, Hook, Item, Labelled,
    Matches, News, Occasion, Outcome, Page, Receipt, Ref, User, Users,
};
pub use section::{SDK_VERSION, WIT_VERSION};
pub use store::{Store, StoreFailure};
pub use text::Text;
pub use words::{PhoneStyle, Words};

/// The README's example, compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// What a plugin's source usually needs: `use ramal_sdk::prelude::*;`.
pub mod prelude {
    pub use serde::{Deserialize, Serialize};

    pub use crate::{
        Account, Call, Contact, ContactDraft, Crm, Cx, Dial, Direction, Entry, Erasure, Error, Fact, Failure,
        Held, Hook, Id, Instant, Item, Labelled, Matches, News, NoSettings, Occasion, Outcome, Page,
        PhoneStyle, Receipt, Ref, Reply, Result, Text, User, Users, params,
    };
}

/// For the macros of this crate only.
#[doc(hidden)]
pub mod __private {

    pub use crate::bindings;
    pub use crate::bindings::export;
    pub use crate::exports::Exports;
    pub use crate::section::{SECTION, SECTION_LEN};
}

/// Makes the library a plugin: `ramal_sdk::register!(MyPlugin);`, once, where `MyPlugin` implements [`Crm`].
///
/// For wasm it writes the component's exports and the section `ramal:sdk`, from which the host reads what the
/// plugin was built for. In a native build (tests) it only checks the type.
#[macro_export]
macro_rules! register {
    ($plugin:ty) => {
        #[cfg(target_family = "wasm")]
        #[allow(
            unsafe_code,
            reason = "the component's exports and one custom section; generated, no pointer work"
        )]
        const _: () = {
            type Exports = $crate::__private::Exports<$plugin>;
    $crate::__private::export!(Exports with_types_in $crate::__private::bindings);

            #[used]
            #[unsafe(link_section = "ramal:sdk")]
            static SDK: [u8; $crate::__private::SECTION_LEN] = *$crate::__private::SECTION;
        };

        #[cfg(not(target_family = "wasm"))]
        const _: fn() = || {
            fn is_a_plugin<P: $crate::Crm>() {}
            is_a_plugin::<$plugin>()
        };
    };
}

/// A route's parameters: `params! { "phone" => phone, "limit" => 20 }`.
///
/// Values are anything that makes a [`Text`]: texts by value or reference, `&str`, `String`, [`Id`], integers
/// and `bool`.
#[macro_export]
macro_rules! params {
    ($($name:expr => $value:expr),* $(,)?) => {
        $crate::Params::new()$(.with($name, $value))*
    };
}
