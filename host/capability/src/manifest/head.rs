//! `[plugin]`: who the plugin is, what it offers and what for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Ask, CredentialDecl, Dedup, InterfaceVersion, Manifest, RouteDecl, Verification, Version};
use crate::class::DataClass;
use crate::export::{Export, Import};
use crate::ids::PluginId;
use crate::limits::LimitWishes;
use crate::purpose::Purpose;
use crate::settings::SettingsSchema;
use crate::source::{Findings, Item, Section};

/// What could be read of `[plugin]`.
#[derive(Default)]
pub(super) struct Head {
    id: Option<PluginId>,
    version: Option<Version>,
    name: Option<String>,
    vendor: Option<String>,
    summary: Option<String>,
    interface: Option<InterfaceVersion>,
    verification: Option<Verification>,
    dedup: Option<Dedup>,
    pub(super) purposes: BTreeSet<Purpose>,
    provides: BTreeSet<Export>,
    provides_at: Range<usize>,
    uses: Option<(BTreeSet<Import>, Range<usize>)>,
}

pub(super) fn read(top: &Section<'_>) -> Head {
    let Some(item) =
        top.need("plugin", "a table [plugin] with id, version, name, vendor, interface and so on")
    else {
        return Head::default();
    };
    let Some(plugin) = item.section("[plugin]".to_owned()) else { return Head::default() };
    let head = Head {
        id: plugin.need("id", "id = \"acme\"").and_then(|i| i.parse()),
        version: plugin.need("version", "version = \"0.1.0\"").and_then(|i| i.parse()),
        name: plugin.need("name", "name = \"Acme CRM\"").and_then(|i| i.line(1..=60)),
        vendor: plugin.need("vendor", "vendor = \"who made it\"").and_then(|i| i.line(1..=60)),
        summary: plugin.get("summary").and_then(|i| i.line(1..=300)),
        interface: plugin.need("interface", "interface = \"0.1\"").and_then(|i| i.parse()),
        verification: plugin
            .need("verification", "verification = \"docs-only\"")
            .and_then(|i| i.word(Verification::WORDS)),
        dedup: plugin.need("dedup", "dedup = \"search-before-create\"").and_then(|i| i.word(Dedup::WORDS)),
        purposes: purposes(&plugin),
        provides: BTreeSet::new(),
        provides_at: 0..0,
        uses: plugin.need("uses", "uses = [\"egress\", \"log\"]").map(|i| (i.set(), i.at())),
    };
    let (provides, provides_at) = provides(&plugin, &head.purposes);
    plugin.finish();
    Head { provides, provides_at, ..head }
}

fn purposes(plugin: &Section<'_>) -> BTreeSet<Purpose> {
    let Some(item) = plugin.need("purposes", "purposes = [\"screen-pop\"]") else { return BTreeSet::new() };
    let purposes: BTreeSet<Purpose> = item.set();
    let listed = item.value().as_array().map_or(0, |list| list.len());
    if item.value().is_array() && listed == 0 {
        item.wrong("a plugin without a purpose is never called; list at least one");
    }
    // With a mistake in the list nothing is known of it: what else names a purpose is not called wrong.
    if listed == purposes.len() { purposes } else { BTreeSet::new() }
}

fn provides(plugin: &Section<'_>, purposes: &BTreeSet<Purpose>) -> (BTreeSet<Export>, Range<usize>) {
    let Some(item) = plugin.need("provides", "provides = [\"connector.check\"]") else {
        return (BTreeSet::new(), 0..0);
    };
    let provides: BTreeSet<Export> = item.set();
    if item.value().as_array().is_some_and(|list| list.is_empty()) {
        item.wrong("a plugin that provides nothing is never called; list the functions that it exports");
    }
    for each in item.list() {
        let Some(export) = each.text().and_then(|text| text.parse::<Export>().ok()) else { continue };
        if !purposes.is_empty() && !export.purposes().iter().any(|purpose| purposes.contains(purpose)) {
            let needs: Vec<&str> = export.purposes().iter().map(|purpose| purpose.as_str()).collect();
            each.wrong(format!(
                "`{export}` is called for {} only, which `purposes` does not list; add it there or leave the function out",
                needs.join(" or ")
            ));
        }
    }
    (provides, item.at())
}

impl Head {
    /// `egress` is imported exactly when there is somewhere to go: an import without routes is a right that
    /// nobody explained, routes without it are rules for nothing.
    pub(super) fn check_uses(&self, has_routes: bool, found: &Findings) {
        let Some((uses, at)) = &self.uses else { return };
        match (uses.contains(&Import::Egress), has_routes) {
            (true, false) => {
                found.add(
                    at.clone(),
                    "`egress` is used and there is no [[route]]; add a route or leave `egress` out",
                );
            }
            (false, true) => {
                found.add(at.clone(), "there are routes and `uses` lacks `egress`; add \"egress\"");
            }
            _ => {}
        }
    }

    /// What a CRM tells by itself needs a function that hears it, and that function something to hear.
    pub(super) fn check_events(&self, hooks: &[Item<'_>], sync: Option<&Item<'_>>, found: &Findings) {
        if self.provides.contains(&Export::EventsHandle) {
            if hooks.is_empty() && sync.is_none() {
                found.add(
                    self.provides_at.clone(),
                    "`events.handle` is provided and nothing calls it; add a [[hook]] or [sync], or leave it out",
                );
            }
        } else if let Some(first) = hooks.first().or(sync) {
            first.wrong_key(
                "nobody hears what comes here: `provides` lacks `events.handle`; add \"events.handle\"",
            );
        }
    }

    /// Where entries stand is a word about a function that writes them.
    pub(super) fn check_journal(&self, journal: Option<&Item<'_>>) {
        if let Some(item) = journal
            && !self.provides.contains(&Export::JournalWrite)
        {
            item.wrong_key(
                "nothing writes entries: `provides` lacks `journal.write`; add it or leave [journal] out",
            );
        }
    }

    pub(super) fn build(
        self,
        asks: BTreeMap<DataClass, Ask>,
        settings: SettingsSchema,
        credentials: Vec<CredentialDecl>,
        routes: Vec<RouteDecl>,
        limits: LimitWishes,
    ) -> Option<Manifest> {
        Some(Manifest {
            id: self.id?,
            version: self.version?,
            name: self.name?,
            vendor: self.vendor?,
            summary: self.summary,
            interface: self.interface?,
            verification: self.verification?,
            dedup: self.dedup?,
            purposes: self.purposes,
            provides: self.provides,
            uses: self.uses?.0,
            asks,
            settings,
            credentials,
            routes,
            hooks: Vec::new(),
            journal: None,
            sync: None,
            limits,
        })
    }
}
