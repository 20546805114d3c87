//! The first draft of a grant: exactly what the manifest asks, with the author's reasons beside each line and
//! in plain words what the line gives. A person reads it, narrows it, and puts it into force.

use std::fmt::Write;

use ipnet::IpNet;
use jiff::civil::Date;
use serde_json::Value;

use super::destination::is_openable;
use super::years_after;
use crate::address::{Origin, Scheme};
use crate::class::{Direction, Level};
use crate::ids::{Digest, TenantId};
use crate::limits::Limits;
use crate::manifest::{Ask, Manifest, Target, UnknownTarget, class_words, limit_file_name, purpose_words};
use crate::purpose::Purpose;

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A text as a comment: one line, whatever it holds.
fn remark(text: &str) -> String {
    text.chars().map(|c| if crate::source::is_deceptive(c) { ' ' } else { c }).collect()
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", words.map(quoted).collect::<Vec<_>>().join(", "))
}

pub(super) fn text(
    manifest: &Manifest,
    digest: Digest,
    tenant: &TenantId,
    by: &str,
    today: Date,
    settings: Option<&Value>,
) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, manifest, digest, tenant, by, today, settings);
    out
}

fn write(
    out: &mut String,
    manifest: &Manifest,
    digest: Digest,
    tenant: &TenantId,
    by: &str,
    today: Date,
    settings: Option<&Value>,
) -> std::fmt::Result {
    writeln!(
        out,
        "# A proposal: everything that {} {} asks for, and no more.",
        remark(&manifest.name),
        manifest.version
    )?;
    writeln!(out, "# Nothing is in force until a person approves it. Remove what you do not want to give.")?;
    for sentence in manifest.sentences() {
        writeln!(out, "#   {}", remark(&sentence))?;
    }
    writeln!(out, "\n[grant]")?;
    writeln!(out, "tenant = {}", quoted(tenant.as_str()))?;
    writeln!(out, "plugin = {}", quoted(manifest.id.as_str()))?;
    writeln!(out, "# Only this very file; another build is another question.")?;
    writeln!(out, "digest = {}", quoted(&digest.to_string()))?;
    writeln!(out, "revision = 1")?;
    writeln!(out, "# The person who answers for it.")?;
    writeln!(out, "approved-by = {}", quoted(by))?;
    writeln!(out, "approved-at = \"{today}\"")?;
    writeln!(out, "# The last day. Two years are the most.")?;
    writeln!(out, "expires = \"{}\"", years_after(today, 1))?;
    writeln!(out, "# Say here in your own words why the plugin is used.")?;
    writeln!(
        out,
        "reason = {}",
        quoted(&format!("to use {}", manifest.name.chars().take(100).collect::<String>()))
    )?;
    let purposes: Vec<&str> = manifest.purposes.iter().map(|p| purpose_words(*p)).collect();
    writeln!(out, "# may be called for: {}", purposes.join(", "))?;
    writeln!(out, "purposes = {}", list(manifest.purposes.iter().map(|p| p.as_str())))?;
    routes(out, manifest)?;
    hooks(out, manifest)?;
    classes(out, manifest)?;
    writeln!(
        out,
        "\n# Why the law allows it, for each purpose; the records of processing need it (LGPD art. 37)."
    )?;
    writeln!(out, "[legal-basis]")?;
    for purpose in manifest.purposes.iter().filter(|purpose| **purpose != Purpose::Diagnostics) {
        writeln!(out, "# {purpose} = \"LGPD art. 7, …\"")?;
    }
    destinations(out, manifest, settings)?;
    limits(out, manifest)
}

fn routes(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    if manifest.routes.is_empty() {
        return writeln!(out, "routes = []");
    }
    writeln!(out, "routes = [")?;
    for route in &manifest.routes {
        let words = |set: crate::class::ClassSet| {
            let words: Vec<&str> = set.iter().map(class_words).collect();
            if words.is_empty() { "nothing personal".to_owned() } else { words.join(", ") }
        };
        writeln!(
            out,
            "  # {} to {}; may send: {}; may bring back: {}",
            route.method,
            remark(&route.target.to_string()),
            words(route.sends()),
            words(route.receives())
        )?;
        if let Some(reason) = &route.reason {
            writeln!(out, "  # the author says: {}", remark(reason))?;
        }
        writeln!(out, "  {},", quoted(route.id.as_str()))?;
    }
    writeln!(out, "]")
}

fn hooks(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    if manifest.hooks.is_empty() {
        return Ok(());
    }
    writeln!(out, "# Addresses of this host to which the CRM sends by itself.")?;
    writeln!(out, "hooks = [")?;
    for hook in &manifest.hooks {
        let words: Vec<&str> = hook.receives().iter().map(class_words).collect();
        let words = if words.is_empty() { "nothing personal".to_owned() } else { words.join(", ") };
        writeln!(out, "  # may bring: {words}")?;
        writeln!(out, "  # the author says: {}", remark(&hook.reason))?;
        writeln!(out, "  {},", quoted(hook.id.as_str()))?;
    }
    writeln!(out, "]")
}

fn classes(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    writeln!(out, "\n[classes]")?;
    if manifest.asks.is_empty() {
        writeln!(out, "# The plugin asks for no personal data.")?;
    }
    for (class, ask) in &manifest.asks {
        for direction in [Direction::ToPlugin, Direction::FromCrm] {
            if let Some(words) = level_words(ask.level(direction), direction) {
                writeln!(out, "# {words}: {}", class_words(*class))?;
            }
        }
        writeln!(out, "# the author says: {}", remark(&ask.reason))?;
        if ask.optional {
            writeln!(out, "# optional: the plugin also works without this line")?;
        }
        writeln!(out, "{} = {}", quoted(class.as_str()), levels(ask))?;
    }
    Ok(())
}

fn levels(ask: &Ask) -> String {
    let line = |direction: Direction| match ask.level(direction) {
        Level::None => None,
        level => Some(format!("{direction} = \"{level}\"")),
    };
    let both: Vec<String> = [Direction::ToPlugin, Direction::FromCrm].into_iter().filter_map(line).collect();
    format!("{{ {} }}", both.join(", "))
}

fn level_words(level: Level, direction: Direction) -> Option<String> {
    let from = match direction {
        Direction::ToPlugin => "from the panel",
        Direction::FromCrm => "from the CRM",
    };
    let what = match level {
        Level::None => return None,
        Level::Exists => "may know only whether there is one",
        Level::Masked => "may see with most of it hidden",
        Level::Sealed => "may pass on, without reading",
        Level::Clear => "MAY READ AND KEEP",
    };
    Some(format!("{what}, {from}"))
}

fn destinations(out: &mut String, manifest: &Manifest, settings: Option<&Value>) -> std::fmt::Result {
    let filled = settings.and_then(|entered| manifest.settings.check(entered).ok());
    let mut done: Vec<Origin> = Vec::new();
    for target in manifest.targets() {
        match target.resolve(filled.as_ref()) {
            Ok(origin) if done.contains(&origin) => {}
            Ok(origin) => {
                writeln!(out, "\n# may send requests to: {}", remark(&target.to_string()))?;
                destination(out, &origin)?;
                done.push(origin);
            }
            Err(why) => unknown(out, target, &why)?,
        }
    }
    if manifest.routes.is_empty() {
        writeln!(out, "\n# The plugin sends nothing anywhere.")?;
    }
    Ok(())
}

fn destination(out: &mut String, origin: &Origin) -> std::fmt::Result {
    let private = private_ranges(origin);
    if private.is_empty() && origin.scheme() == Scheme::Http {
        writeln!(
            out,
            "# http:// is not encrypted. If the server is inside your own network, name its range and remove the marks:"
        )?;
        writeln!(out, "# [[destination]]")?;
        writeln!(out, "# origin = {}", quoted(&origin.to_string()))?;
        writeln!(out, "# private = [\"10.0.0.0/8\"]")?;
        return writeln!(out, "# reason = \"the CRM runs in our own network\"");
    }
    writeln!(out, "[[destination]]")?;
    writeln!(out, "origin = {}", quoted(&origin.to_string()))?;
    if !private.is_empty() {
        writeln!(out, "# may also reach these addresses, which are not public:")?;
        let texts: Vec<String> = private.iter().map(IpNet::to_string).collect();
        writeln!(out, "private = {}", list(texts.iter().map(String::as_str)))?;
        writeln!(out, "reason = \"the CRM runs inside our own network\"")?;
    }
    Ok(())
}

fn unknown(out: &mut String, target: &Target, why: &UnknownTarget) -> std::fmt::Result {
    writeln!(out, "\n# may send requests to: {}", remark(&target.to_string()))?;
    writeln!(out, "# ({}; then fill in the address and remove the marks)", remark(&why.to_string()))?;
    writeln!(out, "# [[destination]]")?;
    writeln!(out, "# origin = \"https://…\"")
}

/// The ranges that an origin needs to be reached at all, where they follow from its text.
fn private_ranges(origin: &Origin) -> Vec<IpNet> {
    let loopback = ["127.0.0.1/32", "::1/128"];
    match origin.ip().map(IpNet::from) {
        Some(net) if is_openable(&net) => vec![net],
        Some(_) => Vec::new(),
        None if origin.host() == "localhost" => {
            loopback.iter().filter_map(|text| text.parse().ok()).collect()
        }
        None => Vec::new(),
    }
}

fn limits(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    let wishes = serde_json::to_value(&manifest.limits).unwrap_or_default();
    let wished: Vec<_> = Limits::ALL
        .iter()
        .filter_map(|limit| {
            let name = limit_file_name(limit.name);
            let number = wishes.get(&name)?.as_u64()?;
            Some((limit, name, number))
        })
        .collect();
    if wished.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n[limits]")?;
    for (limit, name, number) in wished {
        writeln!(out, "# {} {}; usual: {}", number, limit.unit, limit.default)?;
        writeln!(out, "{name} = {number}")?;
    }
    Ok(())
}
