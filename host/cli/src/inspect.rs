//! `ramal inspect`: what a plugin is and asks for, as its file says it. Nothing is compiled or run, so that a
//! stranger's plugin can be looked at before anybody decides.

use ramal_capability::{ClassSet, Direction, HookProof, Limits, Manifest};
use ramal_engine::{Inspected, SERVED};
use ramal_pack::Sdk;
use serde_json::{Value, json};

use crate::args::InspectArgs;
use crate::component::{self, Component};
use crate::failure::Outcome;
use crate::output::{Cell, Column, Page, Terminal, bytes};

/// Shows a plugin.
pub(crate) fn run(terminal: &Terminal, args: &InspectArgs) -> Outcome {
    let component = component::open(&args.file)?;
    if terminal.is_json() {
        return terminal.document(&document(&component));
    }
    terminal.show(&page(&component))
}

/// Words joined, or a dash.
fn list<T: ToString>(words: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    if all.is_empty() { "–".to_owned() } else { all.join(", ") }
}

fn stacked<T: ToString>(words: impl IntoIterator<Item = T>) -> String {
    words.into_iter().map(|word| word.to_string()).collect::<Vec<_>>().join("\n")
}

fn classes(set: ClassSet) -> String {
    list(set.iter())
}

/// The versions of the contract that this host serves.
fn served() -> String {
    match (SERVED.start(), SERVED.end()) {
        (start, end) if start == end => format!("0.{start}"),
        (start, end) => format!("0.{start} to 0.{end}"),
    }
}

/// What the SDK left in the file; a stranger's text, so it counts only when it has the right shape.
fn sdk(inspected: &Inspected) -> Option<Sdk> {
    serde_json::from_str(inspected.sdk.as_deref()?).ok()
}

fn page(component: &Component) -> Page {
    let (inspected, manifest) = (&component.inspected, &component.inspected.manifest);
    let mut page = Page::new();
    page.title(&format!("{} {} — {}, by {}", manifest.id, manifest.version, manifest.name, manifest.vendor));
    if let Some(summary) = &manifest.summary {
        page.line(summary.as_str());
    }
    page.section("file").fields(&[
        ("file", format!("{} ({})", component.name, bytes(inspected.bytes)).into()),
        ("digest", inspected.digest.to_string().into()),
        ("interface", format!("ramal:crm {}; this host serves {}", manifest.interface, served()).into()),
        (
            "SDK",
            match sdk(inspected) {
                Some(sdk) => format!("{} {}, ramal:crm {}", sdk.lang, sdk.sdk, sdk.wit).into(),
                None => Cell::careful("unknown"),
            },
        ),
        ("imports", stacked(&inspected.imports).into()),
        ("exports", stacked(&inspected.exports).into()),
    ]);
    page.section("in words");
    for sentence in manifest.sentences() {
        page.line(sentence);
    }
    page.section("called").fields(&[
        ("for", list(&manifest.purposes).into()),
        ("functions", stacked(&manifest.provides).into()),
        ("tried", manifest.verification.as_str().into()),
        ("repeats", manifest.dedup.as_str().into()),
    ]);
    asks(&mut page, manifest);
    routes(&mut page, manifest);
    credentials(&mut page, manifest);
    settings(&mut page, manifest);
    limits(&mut page, manifest);
    page
}

fn asks(page: &mut Page, manifest: &Manifest) {
    if manifest.asks.is_empty() {
        return;
    }
    use Column::Left;
    let columns = [Left("class"), Left("to-plugin"), Left("from-crm"), Left("needed"), Left("reason")];
    let level = |level: ramal_capability::Level| match level {
        ramal_capability::Level::None => Cell::faint("–"),
        ramal_capability::Level::Clear => Cell::careful("clear"),
        level => level.as_str().into(),
    };
    let rows: Vec<Vec<Cell>> = manifest
        .asks
        .iter()
        .map(|(class, ask)| {
            vec![
                class.as_str().into(),
                level(ask.level(Direction::ToPlugin)),
                level(ask.level(Direction::FromCrm)),
                if ask.optional { Cell::faint("optional") } else { "yes".into() },
                ask.reason.as_str().into(),
            ]
        })
        .collect();
    page.section("data that it asks for").table(&columns, &rows);
}

fn routes(page: &mut Page, manifest: &Manifest) {
    if manifest.routes.is_empty() {
        return;
    }
    use Column::Left;
    let columns = [Left("route"), Left("to"), Left("for"), Left("sends"), Left("brings back")];
    let rows: Vec<Vec<Cell>> = manifest
        .routes
        .iter()
        .map(|route| {
            vec![
                route.id.as_str().into(),
                format!("{} {}", route.method, route.target).into(),
                list(&route.purposes).into(),
                classes(route.sends()).into(),
                classes(route.receives()).into(),
            ]
        })
        .collect();
    page.section("requests that it may make").table(&columns, &rows);
}

fn credentials(page: &mut Page, manifest: &Manifest) {
    if manifest.credentials.is_empty() {
        return;
    }
    use Column::Left;
    let columns = [Left("credential"), Left("kind"), Left("secrets"), Left("what people call it")];
    let row = |credential: &ramal_capability::CredentialDecl| -> Vec<Cell> {
        vec![
            credential.id.as_str().into(),
            credential.kind.as_str().into(),
            list(credential.kind.secrets()).into(),
            credential.label.as_str().into(),
        ]
    };
    let rows: Vec<Vec<Cell>> = manifest.credentials.iter().map(row).collect();
    page.section("secrets that the host keeps for it").table(&columns, &rows);
}

fn settings(page: &mut Page, manifest: &Manifest) {
    let required = manifest.settings.schema().get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let row = |name: &str| -> Vec<Cell> {
        let of = |key: &str| manifest.settings.property(name).and_then(|schema| schema.get(key));
        let text = |key: &str| of(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = match (text("type"), text("format")) {
            (kind, format) if format.is_empty() => kind,
            (_, format) => format,
        };
        let default = of("default").map(Value::to_string);
        vec![
            name.into(),
            kind.into(),
            match default {
                Some(default) => Cell::faint(default),
                None if is_required(name) => "to be entered".into(),
                None => Cell::faint("none"),
            },
            text("title").into(),
        ]
    };
    let rows: Vec<Vec<Cell>> = manifest.settings.names().map(row).collect();
    if !rows.is_empty() {
        use Column::Left;
        let columns = [Left("setting"), Left("type"), Left("default"), Left("what people call it")];
        page.section("settings").table(&columns, &rows);
    }
}

fn limits(page: &mut Page, manifest: &Manifest) {
    let wished = serde_json::to_value(&manifest.limits).unwrap_or_default();
    let rows: Vec<Vec<Cell>> = Limits::ALL
        .iter()
        .filter_map(|limit| {
            let name = limit.name.replace('_', "-");
            let number = wished.get(&name)?.as_u64()?;
            let number = if number > limit.default {
                Cell::careful(number.to_string())
            } else {
                number.to_string().into()
            };
            Some(vec![name.into(), number, limit.default.to_string().into(), limit.unit.into()])
        })
        .collect();
    if !rows.is_empty() {
        use Column::{Left, Right};
        let columns = [Left("limit"), Right("wished"), Right("usual"), Left("unit")];
        page.section("limits that it wishes otherwise").table(&columns, &rows);
    }
}

fn document(component: &Component) -> Value {
    let (inspected, manifest) = (&component.inspected, &component.inspected.manifest);
    let asks: Vec<Value> = manifest
        .asks
        .iter()
        .map(|(class, ask)| {
            json!({
                "class": class, "to_plugin": ask.to_plugin, "from_crm": ask.from_crm,
                "optional": ask.optional, "reason": ask.reason,
            })
        })
        .collect();
    let routes: Vec<Value> = manifest
        .routes
        .iter()
        .map(|route| {
            json!({
                "id": route.id, "method": route.method, "to": route.target.to_string(), "purposes": route.purposes,
                "credential": route.credential, "reason": route.reason,
                "sends": route.sends().iter().collect::<Vec<_>>(),
                "receives": route.receives().iter().collect::<Vec<_>>(),
            })
        })
        .collect();
    let hooks: Vec<Value> = manifest
        .hooks
        .iter()
        .map(|hook| {
            let proof = match hook.proof {
                HookProof::Hmac(_) => "signature",
                HookProof::PathSecret => "path-secret",
            };
            json!({
                "id": hook.id, "reason": hook.reason, "credential": hook.credential, "proof": proof,
                "most_bytes": hook.max_bytes, "receives": hook.receives().iter().collect::<Vec<_>>(),
            })
        })
        .collect();
    let sync = manifest
        .sync
        .as_ref()
        .map(|sync| json!({ "reason": sync.reason, "every_seconds": sync.every.as_secs() }));
    let credentials: Vec<Value> = manifest
        .credentials
        .iter()
        .map(
            |c| json!({ "id": c.id, "kind": c.kind.as_str(), "label": c.label, "secrets": c.kind.secrets() }),
        )
        .collect();
    json!({
        "id": manifest.id,
        "version": manifest.version.to_string(),
        "name": manifest.name,
        "vendor": manifest.vendor,
        "summary": manifest.summary,
        "file": component.name,
        "bytes": inspected.bytes,
        "digest": inspected.digest,
        "interface": manifest.interface.to_string(),
        "sdk": sdk(inspected),
        "imports": inspected.imports,
        "exports": inspected.exports,
        "in_words": manifest.sentences(),
        "purposes": manifest.purposes,
        "provides": manifest.provides.iter().map(|export| export.as_str()).collect::<Vec<_>>(),
        "uses": manifest.uses.iter().map(|import| import.as_str()).collect::<Vec<_>>(),
        "verification": manifest.verification.as_str(),
        "dedup": manifest.dedup.as_str(),
        "asks": asks,
        "routes": routes,
        "hooks": hooks,
        "sync": sync,
        "credentials": credentials,
        "settings": manifest.settings.schema(),
        "limits": manifest.limits,
        "manifest": inspected.manifest_text,
    })
}
