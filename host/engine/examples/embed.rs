//! Ramal inside a program of your own: a panel that already exists, or a switchboard, and no Ramal server.
//!
//! It loads one plugin under one grant, asks it who has a number, and prints the card and what the plugin could
//! see on the way. Needs `ramal-engine`, `ramal-egress`, `ramal-ledger` and `ramal-capability`, and tokio.
//!
//! ```text
//! embed PLUGIN.wasm GRANT.toml SETTINGS.json CREDENTIALS.toml FOLDER NUMBER
//! ```
//!
//! FOLDER is kept between runs: compiled code, and the ledger of what left. NUMBER is in E.164, `+5511987654321`.
#![allow(clippy::print_stdout, reason = "its output is its result")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use ramal_capability::{Actor, Authority, Clear, Grant, InteractionId, Purpose, Shown};
use ramal_egress::{Egress, FileCredentials};
use ramal_engine::{FindByPhone, Runtime, intercept_worker};
use ramal_ledger::{DisclosureSink, JsonLines};

fn main() -> Result<(), Box<dyn Error>> {
    // First of all: plugins are compiled in a confined child, and that child is this very program. Without this
    // line the child would be a second panel, and the load fails with a word about it.
    intercept_worker();
    tokio::runtime::Runtime::new()?.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [plugin, grant, settings, credentials, folder, number] = arguments.as_slice() else {
        return Err("usage: embed PLUGIN.wasm GRANT.toml SETTINGS.json CREDENTIALS.toml FOLDER NUMBER".into());
    };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;

    // The way out. It alone knows the CRM's secrets, and it sends nothing that the ledger cannot take down.
    let ledger = Arc::new(JsonLines::open(folder.join("disclosures.jsonl"))?);
    let egress = Egress::builder()
        .credentials(Arc::new(FileCredentials::open(credentials)?))
        .ledger(Arc::clone(&ledger) as Arc<dyn DisclosureSink>)
        .build()?;

    // One runtime for the whole program. It keeps compiled code in a folder that must be its own.
    let runtime = Runtime::builder(folder.join("code"), Arc::new(egress)).build()?;

    // Manifest (in the file), grant and settings are checked against one another here, once.
    let grant = Grant::parse(grant, &std::fs::read_to_string(grant)?)?;
    let settings = serde_json::from_str(&std::fs::read_to_string(settings)?)?;
    let plugin = runtime.load_file(Path::new(plugin), &grant, &settings).await?;

    // Each call says for whom, why and for which conversation: without that there is no right to call.
    let authority = Authority {
        tenant: grant.tenant.clone(),
        purpose: Purpose::ScreenPop,
        interaction: Some(InteractionId(uuid::Uuid::now_v7())),
        actor: Actor::System,
        subject: None, // a pseudonym of your own, if the ledger shall join the rows of one person
        at: jiff::Timestamp::now(),
    };
    // A `Clear` prints nowhere by itself; the plugin gets a seal of it. A CRM may hold a number in several forms:
    // `ramal-numbers` gives them, and all of them can stand here, the best first.
    let candidates = vec![Clear::new(number.as_str())];
    let called = plugin.call(authority, FindByPhone { candidates }).await;

    // What came back is opened for a person to see, and for nothing else.
    for contact in &called.outcome? {
        println!("{}  {}", contact.id, contact.name.value.expose());
        println!("  phones  {}", joined(&contact.phones));
        println!("  emails  {}", joined(&contact.emails));
        for (label, shown) in &contact.extra {
            println!("  {label}  {}", shown.value.expose());
        }
    }

    // The report holds no customer's value: log it, count it, show it beside the card.
    let report = &called.report;
    println!("{} requests, {} ms", report.rules.requests, report.took_us / 1000);
    for seen in &report.rules.seen {
        println!("the plugin saw {} × {} {}, {}", seen.count, seen.class, seen.direction, seen.level);
    }

    // Rows reach the disk some milliseconds after they were recorded; at the end, wait for them.
    ledger.flush()?;
    Ok(())
}

fn joined(all: &[Shown]) -> String {
    all.iter().map(|one| one.value.expose()).collect::<Vec<_>>().join(", ")
}
