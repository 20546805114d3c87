//! Tests of a plugin in plain `cargo test`: no wasm, no network, no CRM.
//!
//! Recorded replies go in, the requests as they would leave come out. In between works the same code that
//! decides in the host (`ramal-capability`): a route that is not granted is denied here with the same words,
//! a field that `receive` does not list is missing here too, and a seal opens only where its class may stand.
//! A harness with rules of its own would let a plugin pass that the first customer's host refuses.
//!
//! ```
//! use ramal_sdk::prelude::*;
//! use ramal_sdk::testing::Host;
//! use serde_json::json;
//! # const PLUGIN_TOML: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/testing/sample.toml"));
//! # #[derive(Deserialize)]
//! # struct Found { results: Vec<Person> }
//! # #[derive(Deserialize)]
//! # struct Person { id: Id, name: Text }
//! # struct Acme;
//! # impl Crm for Acme {
//! #     type Settings = NoSettings;
//! #     fn find_by_phone(cx: &Cx<NoSettings>, phones: &[Text]) -> Result<Vec<Contact>> {
//! #         let params = params! { "phone" => &phones[0], "limit" => 5 };
//! #         let found: Found = cx.egress().send("find-by-phone", params)?.json()?;
//! #         let contact = |p: Person| Contact { id: p.id, name: p.name, ..Contact::default() };
//! #         Ok(found.results.into_iter().map(contact).collect())
//! #     }
//! # }
//!
//! // const PLUGIN_TOML: &str = include_str!("../plugin.toml");
//! let cx = Host::new(PLUGIN_TOML)
//!     .grant_all()
//!     .purpose("screen-pop")
//!     .answer("find-by-phone", 200, json!({"results": [{"id": 17, "name": "Ana (invented)"}]}))
//!     .cx();
//!
//! let phone = cx.sealed("contact.phone", "+5511900000021");
//! let found = Acme::find_by_phone(&cx, &[phone]).unwrap();
//!
//! assert!(found[0].name.is_sealed());                          // what the plugin has
//! let found = cx.opened(found);                                // what the panel shows
//! assert_eq!(found[0].name.as_str(), "Ana (invented)");
//! assert!(cx.sent("find-by-phone")[0].url.ends_with("phone=%2B5511900000021"));
//! ```
//!
//! What is not tried here: limits of time and memory, which only a component can exceed, and credentials,
//! which never come near a plugin.
//!
//! Mistakes in the test's own set-up (a manifest that does not parse, a route without an answer) panic with
//! what to change: there is nobody else to tell.
#![allow(clippy::panic, reason = "a harness for tests: its failures are the test's")]

mod opened;
mod recorded;
mod rights;
mod stage;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::rc::Rc;

use ramal_capability::{Clear, DataClass, Export, Listed, Manifest, Place, Purpose};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use opened::Returned;
pub use recorded::{Recorded, When};

use crate::{Cx, Failure, Hook, Level, Occasion, Text};
use recorded::{Answer, Answers};
use rights::Rights;
use stage::Stage;

/// A host for one call: manifest, grant, settings, and the CRM's answers.
pub struct Host {
    manifest: Manifest,
    rights: Rights,
    settings: Value,
    answers: Answers,
    store: BTreeMap<String, String>,
}

impl Host {
    /// A host for the plugin with this `plugin.toml`. It grants nothing yet.
    ///
    /// # Panics
    /// When the manifest has mistakes; the message shows them.
    pub fn new(manifest: &str) -> Self {
        let manifest = match Manifest::parse("plugin.toml", manifest) {
            Ok(manifest) => manifest,
            Err(error) => panic!("{}", error.render(false)),
        };
        Self {
            manifest,
            rights: Rights::default(),
            settings: Value::Object(serde_json::Map::new()),
            answers: Answers::default(),
            store: BTreeMap::new(),
        }
    }

    /// What the admin entered; defaults are filled in from the manifest's schema.
    #[must_use]
    pub fn settings(mut self, settings: Value) -> Self {
        self.settings = settings;
        self
    }

    /// Grants everything that the manifest asks for.
    #[must_use]
    pub fn grant_all(mut self) -> Self {
        self.rights.grant = Some(rights::Given::All);
        self
    }

    /// Grants what a grant file says, as an admin writes it.
    #[must_use]
    pub fn grant(mut self, toml: &str) -> Self {
        self.rights.grant = Some(rights::Given::File(toml.to_owned()));
        self
    }

    /// Why the plugin is called, such as `screen-pop`; if not said, the first of the manifest's purposes.
    ///
    /// # Panics
    /// When there is no such purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: &str) -> Self {
        self.rights.purpose = Some(must(purpose.parse::<Purpose>()));
        self
    }

    /// Which function is called, such as `contacts.search`; if not said, the first of the manifest's
    /// `provides` that serves the purpose.
    ///
    /// # Panics
    /// When there is no such function.
    #[must_use]
    pub fn calling(mut self, export: &str) -> Self {
        self.rights.export = Some(must(export.parse::<Export>()));
        self
    }

    /// A person with a right to see these classes acts. If not said, the person may see all, and where the
    /// purpose needs none, the host acts by itself.
    ///
    /// # Panics
    /// When a class is unknown.
    #[must_use]
    pub fn user_may(mut self, classes: &[&str]) -> Self {
        self.rights.may = Some(classes.iter().map(|class| must(class.parse::<DataClass>())).collect());
        self
    }

    /// The time of the call, RFC 3339; if not said, the start of 2026: a grant that a test writes down does
    /// not run out.
    ///
    /// # Panics
    /// When it is no time.
    #[must_use]
    pub fn at(mut self, time: &str) -> Self {
        self.rights.at = must(time.parse());
        self
    }

    /// An answer of the CRM for a route. Several for one route are given in their order, and the last one
    /// stays. A status that no plugin ever sees (401, 429, 3xx, 5xx) becomes the failure that it becomes in a
    /// host.
    #[must_use]
    pub fn answer(self, route: &str, status: u16, body: Value) -> Self {
        self.add(route, None, Answer::Http { status, body, retry_after: None })
    }

    /// An answer for those requests of a route that fit; these go before the others.
    #[must_use]
    pub fn answer_when(self, route: &str, when: When, status: u16, body: Value) -> Self {
        self.add(route, Some(when), Answer::Http { status, body, retry_after: None })
    }

    /// No answer for a route, and why.
    #[must_use]
    pub fn fails(self, route: &str, failure: Failure) -> Self {
        self.add(route, None, Answer::Failure(failure))
    }

    /// Recorded replies: the text of a JSON file with a list of [`Recorded`].
    ///
    /// # Panics
    /// When the text is no such list.
    #[must_use]
    pub fn recorded(mut self, json: &str) -> Self {
        let all: Vec<Recorded> = match serde_json::from_str(json) {
            Ok(all) => all,
            Err(error) => {
                panic!("the recorded replies are no list of {{route, when?, status, body}}: {error}")
            }
        };
        for Recorded { route, when, status, retry_after, body } in all {
            self = self.add(&route, when, Answer::Http { status, body, retry_after });
        }
        self
    }

    /// A value that an earlier call left in the plugin's store.
    #[must_use]
    pub fn stored(mut self, key: &str, value: &str) -> Self {
        self.store.insert(key.to_owned(), value.to_owned());
        self
    }

    fn add(mut self, route: &str, when: Option<When>, answer: Answer) -> Self {
        if !self.manifest.routes.iter().any(|r| r.id.as_str() == route) {
            panic!("the test has an answer for the route `{route}`, which plugin.toml does not declare");
        }
        self.answers.add(route, when, answer);
        self
    }

    /// Begins the call: what [`Crm`](crate::Crm)'s functions take.
    ///
    /// # Panics
    /// When the call is not allowed, or settings and grant do not fit the manifest; the message is the
    /// host's. See [`Host::try_cx`].
    pub fn cx<S: DeserializeOwned>(self) -> TestCx<S> {
        match self.try_cx() {
            Ok(cx) => cx,
            Err(text) => panic!("{text}"),
        }
    }

    /// Begins the call, or says why the host would not.
    ///
    /// # Errors
    /// The text of the denial, or of what does not fit together.
    pub fn try_cx<S: DeserializeOwned>(self) -> Result<TestCx<S>, String> {
        let invocation = self.rights.begin(&self.manifest, &self.settings)?;
        let stage = Rc::new(Stage::new(invocation, self.answers, self.store));
        let cx = Cx::open(Rc::<Stage>::clone(&stage)).map_err(|e| e.to_string())?;
        Ok(TestCx { cx, stage })
    }
}

/// A request as it would leave: seals opened, encoded in its place. Credentials are not in it; the host adds
/// them later.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sent {
    /// The route.
    pub route: String,
    /// The HTTP method.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// The route's own headers.
    pub headers: Vec<(String, String)>,
    /// The JSON body; `Null` if there is none.
    pub body: Value,
}

/// A call under test. It is a [`Cx`] for the plugin, and shows the test what no plugin sees.
pub struct TestCx<S> {
    cx: Cx<S>,
    stage: Rc<Stage>,
}

impl<S> Deref for TestCx<S> {
    type Target = Cx<S>;

    fn deref(&self) -> &Cx<S> {
        &self.cx
    }
}

impl<S> TestCx<S> {
    /// A customer's value as the host hands it to the plugin: sealed, or what else the grant gives.
    ///
    /// # Panics
    /// When the class is unknown, or the grant gives nothing of it.
    pub fn sealed(&self, class: &str, value: &str) -> Text {
        let class = must(class.parse::<DataClass>());
        match self.stage.with(|invocation| invocation.hand_in(class, &Clear::from(value))) {
            Ok(Some(text)) => Text(text),
            Ok(None) => panic!(
                "the host hands in nothing of {class}: ask for it in plugin.toml, [ask.\"{class}\"] \
                 `to-plugin = \"sealed\"`, and grant it"
            ),
            Err(denial) => panic!("{denial}"),
        }
    }

    /// What the CRM sends to a hook, as the plugin gets it: listed headers and fields only, classed values sealed.
    /// The call must be one for `sync`.
    ///
    /// # Panics
    /// When the hook is not declared or not granted, or would not take the body; the message is the host's.
    pub fn hooked(&self, hook: &str, headers: &[(&str, &str)], body: &Value) -> Occasion {
        match self.try_hooked(hook, headers, body) {
            Ok(occasion) => occasion,
            Err(text) => panic!("{text}"),
        }
    }

    /// As [`TestCx::hooked`].
    ///
    /// # Errors
    /// Why the host would not take it.
    pub fn try_hooked(&self, hook: &str, headers: &[(&str, &str)], body: &Value) -> Result<Occasion, String> {
        self.stage.with(|invocation| {
            let body = must(serde_json::to_vec(body));
            let headers: Vec<(String, &str)> =
                headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), *value)).collect();
            let granted = invocation.plan().hook(hook, invocation.authority()).map(std::sync::Arc::clone);
            let granted = granted.map_err(|denial| denial.to_string())?;
            let headers = headers.iter().map(|(name, value)| (name.as_str(), *value));
            let came: Listed = granted.listed(headers, &body).map_err(|fault| fault.to_string())?;
            let (headers, body) = invocation.hear(hook, &came).map_err(|denial| denial.to_string())?;
            Ok(Occasion::Hook(Hook { name: hook.to_owned(), headers, body }))
        })
    }

    /// The requests of a route so far, in their order.
    pub fn sent(&self, route: &str) -> Vec<Sent> {
        self.all_sent().into_iter().filter(|sent| sent.route == route).collect()
    }

    /// All requests so far, in their order.
    pub fn all_sent(&self) -> Vec<Sent> {
        self.stage.sent()
    }

    /// A returned record as a person sees it: every seal opened, each at a place where its class may stand.
    ///
    /// # Panics
    /// When the host would refuse the record, with its reason: a seal at a wrong place, a link to a foreign
    /// host, an identifier that holds personal data.
    pub fn opened<T: Returned>(&self, value: T) -> T {
        match self.try_opened(value) {
            Ok(opened) => opened,
            Err(text) => panic!("the host refuses what the plugin returned: {text}"),
        }
    }

    /// As [`TestCx::opened`].
    ///
    /// # Errors
    /// Why the host would refuse the record.
    pub fn try_opened<T: Returned>(&self, value: T) -> Result<T, String> {
        self.stage.with(|invocation| opened::open(value, invocation)).map_err(|denial| denial.to_string())
    }

    /// A text in the clear, wherever it would stand.
    ///
    /// # Panics
    /// When a seal in it is none of this call.
    pub fn shown(&self, text: &Text) -> String {
        match self.stage.with(|invocation| invocation.show(Place::HeldField, text.as_str())) {
            Ok(shown) => shown.value.expose().to_owned(),
            Err(denial) => panic!("{denial}"),
        }
    }

    /// The lines that the plugin logged, masked as the host masks them.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.stage.logged()
    }

    /// A value of the plugin's store.
    pub fn stored(&self, key: &str) -> Option<String> {
        self.stage.stored(key)
    }
}

fn must<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests;
