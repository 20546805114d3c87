//! What a plugin asks for: `plugin.toml`.
//!
//! The manifest travels inside the component, so it is a stranger's text: it can only *ask*, and everything
//! that it does not name is refused. All that can be wrong with it alone is found here, with its line, when
//! the author builds; what depends on settings and on a grant is decided when a [`crate::Plan`] is made.

mod ask;
mod credential;
mod head;
mod hook;
mod journal;
mod limits;
mod oauth;
mod route;
mod sentences;
mod target;
mod version;

use std::collections::{BTreeMap, BTreeSet};

pub use ask::Ask;
pub use credential::{CredentialDecl, CredentialKind, SessionDecl};
pub use hook::{
    HmacAlgorithm, HmacProof, HookDecl, HookProof, SignatureEncoding, SignedPart, SignedTime, SyncDecl,
};
pub use journal::{BadRecordKind, JournalDecl, RecordKind};
pub use oauth::{ClientProof, FlowDecl, OAuthDecl};
pub use route::RouteDecl;
pub use target::{Target, UnknownTarget};
pub use version::{InterfaceVersion, Version};

pub(crate) use ask::LEVELS;
pub(crate) use limits::{file_name as limit_file_name, read_limits};
pub(crate) use sentences::{class_words, purpose_words};

use crate::class::{DataClass, Direction, LevelTable};
use crate::export::{Export, Import};
use crate::ids::{CredentialId, HookId, PluginId, RouteId};
use crate::limits::LimitWishes;
use crate::purpose::Purpose;
use crate::settings::SettingsSchema;
use crate::source::{Findings, Item, Section, SourceError, quote, read};

/// How far the plugin has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verification {
    /// Against documents only.
    DocsOnly,
    /// Against the vendor's own machine-readable description or kit.
    VendorSpec,
    /// Against a real server.
    RealServer,
}

impl Verification {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("real-server", Self::RealServer),
        ("vendor-spec", Self::VendorSpec),
        ("docs-only", Self::DocsOnly),
    ];
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DocsOnly => "docs-only",
            Self::VendorSpec => "vendor-spec",
            Self::RealServer => "real-server",
        }
    }
}

/// How the CRM is kept from holding one journal entry twice, from the strongest to the weakest way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dedup {
    /// The CRM itself keeps one record for an outside id.
    UpsertByExternalId,
    /// The CRM takes a key that makes a repeated request harmless.
    IdempotencyKey,
    /// The plugin looks first.
    SearchBeforeCreate,
    /// Nothing keeps it.
    None,
}

impl Dedup {
    pub(crate) const WORDS: &'static [(&'static str, Self)] = &[
        ("upsert-by-external-id", Self::UpsertByExternalId),
        ("idempotency-key", Self::IdempotencyKey),
        ("search-before-create", Self::SearchBeforeCreate),
        ("none", Self::None),
    ];
    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpsertByExternalId => "upsert-by-external-id",
            Self::IdempotencyKey => "idempotency-key",
            Self::SearchBeforeCreate => "search-before-create",
            Self::None => "none",
        }
    }
}

/// A plugin's ask. A value of this type has passed every check that needs the manifest alone.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The plugin's name in files and in the ledger.
    pub id: PluginId,
    /// The plugin's own version.
    pub version: Version,
    /// The name that people see.
    pub name: String,
    /// Who made it.
    pub vendor: String,
    /// What it does, in a sentence.
    pub summary: Option<String>,
    /// The version of `ramal:crm` that it was built for. Whether the host still serves it is the engine's word.
    pub interface: InterfaceVersion,
    /// How far it has been tried.
    pub verification: Verification,
    /// How double entries are kept out.
    pub dedup: Dedup,
    /// What it may be called for. Never empty.
    pub purposes: BTreeSet<Purpose>,
    /// The functions that it offers. Never empty.
    pub provides: BTreeSet<Export>,
    /// The interfaces that it imports; `egress` is among them exactly when there are routes.
    pub uses: BTreeSet<Import>,
    /// What it asks of each class. A class that is not here is not asked for.
    pub asks: BTreeMap<DataClass, Ask>,
    /// What the admin enters.
    pub settings: SettingsSchema,
    /// The credentials that the host keeps for it, with different ids.
    pub credentials: Vec<CredentialDecl>,
    /// The requests that it may make, with different ids.
    pub routes: Vec<RouteDecl>,
    /// The addresses to which the CRM may send, with different ids.
    pub hooks: Vec<HookDecl>,
    /// On what its journal entries stand; `None` where one can stand alone.
    pub journal: Option<JournalDecl>,
    /// How often to ask for changes, where the CRM tells none.
    pub sync: Option<SyncDecl>,
    /// Limits that it wishes to have instead of the usual ones; none above the ceiling.
    pub limits: LimitWishes,
}

impl Manifest {
    /// Reads a manifest; `file_name` is for messages only.
    ///
    /// # Errors
    /// With everything that is wrong, each with its line and what to do.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, SourceError> {
        read(file_name, text, take)
    }
    /// The asked levels as a table.
    pub fn asked(&self) -> LevelTable {
        let mut table = LevelTable::default();
        for (class, ask) in &self.asks {
            table.set(*class, Direction::ToPlugin, ask.to_plugin);
            table.set(*class, Direction::FromCrm, ask.from_crm);
        }
        table
    }
    /// The route of that name.
    pub fn route(&self, id: &RouteId) -> Option<&RouteDecl> {
        self.routes.iter().find(|route| route.id == *id)
    }
    /// The hook of that name.
    pub fn hook(&self, id: &HookId) -> Option<&HookDecl> {
        self.hooks.iter().find(|hook| hook.id == *id)
    }
    /// The credential of that name.
    pub fn credential(&self, id: &CredentialId) -> Option<&CredentialDecl> {
        self.credentials.iter().find(|credential| credential.id == *id)
    }
    /// Everywhere that requests go, logins included, each once and in the order of the file.
    pub fn targets(&self) -> Vec<&Target> {
        let logins = self.credentials.iter().filter_map(|credential| match &credential.kind {
            CredentialKind::Session(session) => Some(&session.target),
            CredentialKind::OAuth2(oauth) => Some(&oauth.target),
            _ => None,
        });
        let mut targets: Vec<&Target> = Vec::new();
        for target in self.routes.iter().map(|route| &route.target).chain(logins) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }
    /// What the plugin asks, in plain English sentences.
    pub fn sentences(&self) -> Vec<String> {
        sentences::of(self)
    }
}

fn take(top: &Section<'_>, found: &Findings) -> Option<Manifest> {
    let head = head::read(top);
    let asks = top.get("ask").map(|item| ask::read_all(&item)).unwrap_or_default();
    let settings_item = top.get("settings");
    let settings = match &settings_item {
        Some(item) => SettingsSchema::read(item),
        None => Some(SettingsSchema::empty()),
    };
    let credential_items = top.get("credential").map(|item| item.list()).unwrap_or_default();
    let credentials = credential::read_all(&credential_items, settings.as_ref());
    let route_items = top.get("route").map(|item| item.list()).unwrap_or_default();
    let context = route::Context {
        purposes: &head.purposes,
        asks: &asks,
        settings: settings.as_ref(),
        credentials: &named(&credential_items, |_| true),
        hook_credentials: &named(&credential_items, |kind| kind == Some("hook")),
    };
    let routes = route::read_all(&route_items, &context);
    let hook_items = top.get("hook").map(|item| item.list()).unwrap_or_default();
    let hooks = hook::read_all(&hook_items, &context);
    let sync_item = top.get("sync");
    let sync = sync_item.as_ref().and_then(hook::read_sync);
    let journal_item = top.get("journal");
    let journal = journal_item.as_ref().and_then(journal::read);
    let limits = top.get("limits").map_or_else(LimitWishes::default, |item| read_limits(&item));
    head.check_uses(!route_items.is_empty(), found);
    head.check_events(&hook_items, sync_item.as_ref(), found);
    head.check_journal(journal_item.as_ref());
    unused(&credential_items, &credentials, &routes, &hooks);
    let manifest = head.build(asks, settings?, credentials, routes, limits)?;
    Some(Manifest { hooks, journal, sync, ..manifest })
}

/// The ids that the file gives to credentials, good or bad, so that one bad credential does not make every
/// route that names it wrong as well.
fn named<'a>(items: &[Item<'a>], of_kind: fn(Option<&str>) -> bool) -> Vec<&'a str> {
    let text =
        |table: &'a toml::de::DeTable<'a>, key: &str| table.get(key).and_then(|v| v.get_ref().as_str());
    items
        .iter()
        .filter_map(|item| item.value().as_table())
        .filter(|table| of_kind(text(table, "kind")))
        .filter_map(|table| text(table, "id"))
        .collect()
}

/// A secret that nothing uses should not be asked of an admin.
fn unused(items: &[Item<'_>], credentials: &[CredentialDecl], routes: &[RouteDecl], hooks: &[HookDecl]) {
    if credentials.len() != items.len() {
        return;
    }
    for (item, credential) in items.iter().zip(credentials) {
        let named = |route: &RouteDecl| route.credential.as_ref() == Some(&credential.id);
        let proves = |hook: &HookDecl| hook.credential == credential.id;
        if credential.kind == CredentialKind::Hook {
            if !hooks.iter().any(proves) {
                item.wrong(format!(
                    "no hook uses the credential {}; name it in a [[hook]] or remove it",
                    quote(credential.id.as_str())
                ));
            }
            continue;
        }
        if !routes.is_empty() && !routes.iter().any(named) {
            item.wrong(format!(
                "no route uses the credential {}; name it in a route or remove it",
                quote(credential.id.as_str())
            ));
        }
    }
}

#[cfg(test)]
mod tests;
