//! What a person gives a plugin: a grant file.
//!
//! Nothing is inherited and nothing is implied. An empty list allows nothing, a class that is not named is
//! `none`, an end is required: a right that nobody remembers must run out by itself. A grant is bound to one
//! component by its digest, so that new bytes are a new question.

mod destination;
mod propose;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Span, ToSpan};

pub use destination::Destination;

use crate::class::{DataClass, Direction, LevelTable};
use crate::ids::{Digest, HookId, PluginId, RouteId, TenantId};
use crate::limits::LimitWishes;
use crate::manifest::{LEVELS, Manifest, read_limits};
use crate::purpose::Purpose;
use crate::source::{Findings, Item, Section, SourceError, quote, read};

/// The longest that a grant may last, in years.
pub(crate) const MAX_YEARS: i8 = 2;

/// What one tenant's admin gives one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose data.
    pub tenant: TenantId,
    /// Which plugin.
    pub plugin: PluginId,
    /// Which bytes; `None` when the grant says `any`.
    pub digest: Option<Digest>,
    /// Counts up with each change, from 1.
    pub revision: u64,
    /// The person who gave it. Never empty.
    pub approved_by: String,
    /// When.
    pub approved_at: Date,
    /// The last day on which it holds; later than `approved_at`, by two years at most.
    pub expires: Date,
    /// Why, in that person's words.
    pub reason: String,
    /// What the plugin may be called for.
    pub purposes: BTreeSet<Purpose>,
    /// The routes that it may use.
    pub routes: BTreeSet<RouteId>,
    /// The hooks at which the CRM is heard.
    pub hooks: BTreeSet<HookId>,
    /// What it gets of each class.
    pub classes: LevelTable,
    /// The legal basis of a purpose, in words for the records of processing (LGPD art. 37).
    pub legal_basis: BTreeMap<Purpose, String>,
    /// Where requests may go, with different origins.
    pub destinations: Vec<Destination>,
    /// Limits that differ from the usual ones; none above the ceiling.
    pub limits: LimitWishes,
}

impl Grant {
    /// Reads a grant; `file_name` is for messages only.
    ///
    /// # Errors
    /// With everything that is wrong, each with its line and what to do.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, SourceError> {
        read(file_name, text, take)
    }
    /// Whether the grant holds for one component only. One that does not is for development: callers say so
    /// where people see it.
    pub fn pins_digest(&self) -> bool {
        self.digest.is_some()
    }
    /// Whether the grant has run out on that day.
    pub fn has_expired(&self, today: Date) -> bool {
        today > self.expires
    }
    /// The text of a grant that gives exactly what the manifest asks, for a person to read and narrow.
    /// Destinations that settings make are filled in when settings are given, else left as comments.
    pub fn propose(
        manifest: &Manifest,
        digest: Digest,
        tenant: &TenantId,
        by: &str,
        today: Date,
        settings: Option<&serde_json::Value>,
    ) -> String {
        propose::text(manifest, digest, tenant, by, today, settings)
    }
}

/// `date + years`, at the end of time if need be.
pub(crate) fn years_after(date: Date, years: i8) -> Date {
    let span: Span = i64::from(years).years();
    date.saturating_add(span)
}

fn take(top: &Section<'_>, _found: &Findings) -> Option<Grant> {
    let grant = top
        .need("grant", "a table [grant] with tenant, plugin, digest, revision, approved-by and so on")
        .and_then(|item| item.section("[grant]".to_owned()));
    let classes = top.get("classes").map(|item| classes(&item)).unwrap_or_default();
    let basis_items = top.get("legal-basis").map(|item| item.entries()).unwrap_or_default();
    let destination_items = top.get("destination").map(|item| item.list()).unwrap_or_default();
    let destinations = destination::read_all(&destination_items);
    let limits = top.get("limits").map(|item| read_limits(&item)).unwrap_or_default();

    let grant = grant?;
    let tenant = grant.need("tenant", "tenant = \"acme\"").and_then(|i| i.parse());
    let plugin = grant.need("plugin", "plugin = \"tryton\"").and_then(|i| i.parse());
    let digest = grant
        .need("digest", "digest = \"sha256:…\", which `ramal inspect FILE` prints")
        .and_then(|i| digest(&i));
    let revision = grant.need("revision", "revision = 1").and_then(|i| revision(&i));
    let approved_by = grant
        .need("approved-by", "approved-by = \"you@example.com\"; a grant is made by a person")
        .and_then(|i| person(&i));
    let approved_at = grant.need("approved-at", "approved-at = \"2026-11-23\"").and_then(|i| date(&i));
    let expires_item = grant.need("expires", "expires = \"2027-11-23\"; at most two years after approved-at");
    let expires = expires_item.as_ref().and_then(date);
    let reason = grant.need("reason", "reason = \"why the plugin gets this\"").and_then(|i| i.line(3..=300));
    let purposes: Option<BTreeSet<Purpose>> = grant.need("purposes", "purposes = []").map(|i| i.set());
    let routes: Option<BTreeSet<RouteId>> = grant.need("routes", "routes = []").map(|i| i.set());
    let hooks: BTreeSet<HookId> = grant.get("hooks").map(|i| i.set()).unwrap_or_default();
    grant.finish();

    if let (Some(item), Some(end), Some(start)) = (&expires_item, expires, approved_at) {
        let last = years_after(start, MAX_YEARS);
        if end <= start {
            item.wrong(format!("the grant ends before it begins; write a day after {start}"));
        } else if end > last {
            item.wrong(format!("a grant lasts {MAX_YEARS} years at most; write {last} or an earlier day"));
        }
    }
    let legal_basis = basis(&basis_items, purposes.as_ref());
    Some(Grant {
        tenant: tenant?,
        plugin: plugin?,
        digest: digest?,
        revision: revision?,
        approved_by: approved_by?,
        approved_at: approved_at?,
        expires: expires?,
        reason: reason?,
        purposes: purposes?,
        routes: routes?,
        hooks,
        classes,
        legal_basis,
        destinations,
        limits,
    })
}

/// `Some(None)` is `any`.
#[expect(clippy::option_option, reason = "wrong and `any` are two things")]
fn digest(item: &Item<'_>) -> Option<Option<Digest>> {
    if item.text()? == "any" { Some(None) } else { item.parse().map(Some) }
}

fn revision(item: &Item<'_>) -> Option<u64> {
    let number = item.number()?;
    if number == 0 {
        item.wrong("revisions count from 1");
        return None;
    }
    Some(number)
}

fn person(item: &Item<'_>) -> Option<String> {
    if item.text()?.trim().is_empty() {
        item.wrong("a grant is made by a person; write who approves it, such as you@example.com");
        return None;
    }
    item.line(1..=120)
}

fn date(item: &Item<'_>) -> Option<Date> {
    // TOML has dates of its own; both ways of writing mean one thing.
    let text = match item.value() {
        toml::de::DeValue::Datetime(written) => written.to_string(),
        _ => item.text()?.to_owned(),
    };
    let shape = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if matches!(i, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let date = shape.then(|| text.parse::<Date>().ok()).flatten();
    if date.is_none() {
        item.wrong(format!(
            "{} is no day of the calendar; write year-month-day, such as \"2026-11-23\"",
            quote(&text)
        ));
    }
    date
}

fn classes(item: &Item<'_>) -> LevelTable {
    let mut table = LevelTable::default();
    for entry in item.entries() {
        let class = entry.key().parse::<DataClass>();
        if let Err(error) = &class {
            let unquoted =
                entry.value().as_table().is_some_and(|inner| inner.values().any(|v| v.get_ref().is_table()));
            let help = if unquoted { "; write the class in quotes, such as \"contact.phone\"" } else { "" };
            entry.wrong_key(format!("{error}{help}"));
            if unquoted {
                continue;
            }
        }
        let Some(section) =
            entry.section(format!("\"{}\"", entry.key().chars().take(64).collect::<String>()))
        else {
            continue;
        };
        for (direction, key) in [(Direction::ToPlugin, "to-plugin"), (Direction::FromCrm, "from-crm")] {
            if let (Some(level), Ok(class)) = (section.get(key).and_then(|i| i.word(LEVELS)), &class) {
                table.set(*class, direction, level);
            }
        }
        section.finish();
    }
    table
}

fn basis(items: &[Item<'_>], granted: Option<&BTreeSet<Purpose>>) -> BTreeMap<Purpose, String> {
    let mut all = BTreeMap::new();
    for item in items {
        let words = item.line(3..=200);
        match item.key().parse::<Purpose>() {
            Err(error) => item.wrong_key(error.to_string()),
            Ok(purpose) if granted.is_some_and(|granted| !granted.contains(&purpose)) => item.wrong_key(format!(
                "a legal basis for `{purpose}`, which is not granted; add it to `purposes` or remove the line"
            )),
            Ok(purpose) => all.extend(words.map(|words| (purpose, words))),
        }
    }
    all
}

#[cfg(test)]
mod tests;
