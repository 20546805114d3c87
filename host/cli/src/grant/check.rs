//! `ramal grant check`: whether a grant fits a plugin, and what the plugin then may do, in words.
//!
//! The words are made from what both the manifest and the grant say, so that an admin reads the effect and not
//! the wish.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ramal_capability::{
    CredentialKind, DataClass, Direction, Grant, Level, Manifest, Plan, Purpose, RouteId, Target,
};
use serde_json::Value;

use crate::args::CheckArgs;
use crate::component;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::files;
use crate::output::{Cell, Page, Terminal};

/// Checks, and says what it comes to.
pub(crate) fn run(terminal: &Terminal, args: &CheckArgs) -> Outcome {
    let component = component::open(&args.file)?;
    let manifest = &component.inspected.manifest;
    let (grant, name) = (files::read_grant(&args.grant)?, files::name(&args.grant));
    let settings = files::read_settings(args.settings.as_deref(), manifest)?;
    let plan = Plan::compile(manifest, component.inspected.digest, &grant, &settings).map_err(|error| {
        component::unfit(error).context(format!("the grant {name} does not fit {}", component.name))
    })?;
    // The rules count days in UTC.
    if grant.has_expired(Timestamp::now().to_zoned_datetime(TimeZone::UTC).date()) {
        let error = anyhow::Error::msg(format!(
            "the grant {name} ended on {} and gives nothing any more",
            grant.expires
        ));
        return Err(Failure::new(Exit::Denied, error)
            .hint(format!("review it, then set a later `expires` in {name}")));
    }
    let effective = narrowed(manifest, &grant, &plan, &settings);

    let mut page = Page::new();
    page.title(&format!("{} {} for tenant {}", manifest.id, manifest.version, grant.tenant));
    page.fields(&[
        (
            "grant",
            format!("{name}, revision {}, by {} on {}", grant.revision, grant.approved_by, grant.approved_at)
                .into(),
        ),
        ("until", grant.expires.to_string().into()),
        (
            "digest",
            match plan.pins_digest() {
                true => Cell::good("this very file"),
                false => Cell::careful("any build of the plugin: for development only"),
            },
        ),
    ]);
    page.section("what it may do");
    for sentence in effective.sentences() {
        page.line(sentence);
    }
    let left_out = left_out(manifest, &effective);
    page.section("what it asks for and does not get");
    if left_out.is_empty() {
        page.line(Cell::faint("nothing: the grant gives all that it asks"));
    }
    for line in left_out {
        page.line(line);
    }
    let without_basis = without_basis(&effective, &grant);
    if !without_basis.is_empty() {
        page.section("still to be written");
        page.line(Cell::careful(format!("a legal basis for {} (LGPD art. 37)", without_basis.join(", "))));
    }
    terminal.show(&page)
}

/// The manifest as it would be if it asked only for what is granted, with addresses filled in. For words alone.
fn narrowed(manifest: &Manifest, grant: &Grant, plan: &Plan, settings: &Value) -> Manifest {
    let mut all = manifest.clone();
    let settings = manifest.settings.check(settings).ok();
    let exact = |target: &mut Target| {
        if let Ok(origin) = target.resolve(settings.as_ref()) {
            *target = Target::Fixed(origin);
        }
    };
    all.purposes.retain(|purpose| grant.purposes.contains(purpose));
    all.routes.retain(|route| grant.routes.contains(&route.id));
    for route in &mut all.routes {
        exact(&mut route.target);
    }
    let used: Vec<_> = all.routes.iter().filter_map(|route| route.credential.clone()).collect();
    all.credentials.retain(|credential| used.contains(&credential.id));
    for credential in &mut all.credentials {
        match &mut credential.kind {
            CredentialKind::Session(session) => exact(&mut session.target),
            CredentialKind::OAuth2(oauth) => exact(&mut oauth.target),
            _ => {}
        }
    }
    for (class, ask) in &mut all.asks {
        ask.to_plugin = plan.level(*class, Direction::ToPlugin);
        ask.from_crm = plan.level(*class, Direction::FromCrm);
    }
    all.asks.retain(|_, ask| ask.most() > Level::None);
    all
}

/// What the grant leaves out, one a line.
fn left_out(manifest: &Manifest, effective: &Manifest) -> Vec<String> {
    let mut lines = Vec::new();
    for (class, ask) in &manifest.asks {
        for direction in [Direction::ToPlugin, Direction::FromCrm] {
            let given = effective.asks.get(class).map_or(Level::None, |given| given.level(direction));
            if given < ask.level(direction) {
                lines.push(class_line(*class, direction, ask.level(direction), given, ask.optional));
            }
        }
    }
    let purposes: Vec<&str> =
        manifest.purposes.difference(&effective.purposes).map(|purpose| purpose.as_str()).collect();
    let given = |id: &RouteId| effective.routes.iter().any(|route| route.id == *id);
    let routes: Vec<&str> =
        manifest.routes.iter().filter(|route| !given(&route.id)).map(|route| route.id.as_str()).collect();
    for (what, names) in [("purposes", purposes), ("routes", routes)] {
        if !names.is_empty() {
            lines.push(format!("{what}: {}", names.join(", ")));
        }
    }
    lines
}

fn class_line(class: DataClass, direction: Direction, asked: Level, given: Level, optional: bool) -> String {
    let optional = if optional { ", optional" } else { "" };
    format!("{class} {direction}: asks for {asked}{optional}, gets {given}")
}

fn without_basis<'a>(effective: &'a Manifest, grant: &Grant) -> Vec<&'a str> {
    effective
        .purposes
        .iter()
        .filter(|purpose| **purpose != Purpose::Diagnostics && !grant.legal_basis.contains_key(purpose))
        .map(|purpose| purpose.as_str())
        .collect()
}
