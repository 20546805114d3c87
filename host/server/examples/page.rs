//! The page over made-up CRMs, for work on the page without a plugin: `cargo run -p ramal-server --example page`.
//! All people, companies and numbers are invented. Everything is in memory.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "an example for developers")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ramal_center::*;
use ramal_server::{AppParts, AppState, Metrics, ServerConfig, serve};
use ramal_store::memory::MemoryStore;

const TOKEN: &str = "only-for-work-on-the-page-0000000";
const ANA: &str = "+5511987654321";
const SHARED: &str = "+551133334444";
const UNKNOWN: &str = "+5521912345678";
const SLOW: &str = "+5531999990000";

struct MadeUp(PluginId);

impl Directory for MadeUp {
    fn plugin(&self) -> &PluginId {
        &self.0
    }
    fn look_up(&self, ask: LookUp) -> BoxFuture<'_, Result<Found, LookUpFailure>> {
        Box::pin(async move {
            let number = ask.number.e164();
            let first = self.0.as_str() == "practice";
            tokio::time::sleep(Duration::from_millis(if first { 180 } else { 420 })).await;
            let cards = match (number.as_str(), first) {
                (SLOW, true) => std::future::pending().await,
                (SLOW, false) => {
                    return Err(LookUpFailure::Unavailable("connection refused (127.0.0.1:8000)".into()));
                }
                (UNKNOWN, false) => {
                    return Err(LookUpFailure::Denied(
                        "class contact.email, direction from-crm: asked clear, granted sealed".into(),
                    ));
                }
                (ANA, true) => vec![ana()],
                (SHARED, true) => vec![ana(), caio()],
                _ => Vec::new(),
            };
            Ok(Found {
                cards,
                seen: seen(),
                took: Duration::from_millis(if first { 183 } else { 1421 }),
                requests: 2,
            })
        })
    }
}

fn ana() -> Card {
    let deal = |id: &str, title: &str, stage: &str, amount: &str| Deal {
        kind: "deal".into(),
        id: id.into(),
        title: title.into(),
        stage: Some(stage.into()),
        amount: Some(amount.into()),
        owner: Some("Bruna Teles".into()),
        url: Some(format!("http://127.0.0.1:7800/deals/{id}")),
    };
    Card {
        id: "7".into(),
        name: "Ana Lima".into(),
        organization: Some("Padaria Aurora Ltda".into()),
        phones: vec!["(11) 98765-4321".into(), "(11) 3333-4444".into()],
        emails: vec!["ana.lima@aurora.example".into()],
        owner: Some("Bruna Teles".into()),
        url: Some("http://127.0.0.1:7800/contacts/7".into()),
        deals: vec![
            deal("31", "Renovação do contrato anual", "Negociação", "R$ 12.400,00"),
            deal("44", "Segundo forno", "Proposta enviada", "R$ 38.900,00"),
        ],
        extra: vec![("Cidade".into(), "São Paulo".into())],
    }
}

fn caio() -> Card {
    Card {
        id: "8".into(),
        name: "Caio <b>Prado</b>".into(),
        organization: Some("Padaria Aurora Ltda".into()),
        url: Some("javascript:alert(1)".into()),
        ..Card::default()
    }
}

fn seen() -> Vec<Seen> {
    let seen = |class, direction, level, count| Seen { class, direction, level, count };
    vec![
        seen(DataClass::ContactPhone, Direction::ToPlugin, Level::Sealed, 2),
        seen(DataClass::ContactName, Direction::FromCrm, Level::Sealed, 1),
        seen(DataClass::ContactOrganization, Direction::FromCrm, Level::Clear, 1),
        seen(DataClass::ContactEmail, Direction::FromCrm, Level::Masked, 1),
        seen(DataClass::WorkItem, Direction::FromCrm, Level::Sealed, 4),
    ]
}

#[tokio::main]
async fn main() {
    let text = format!(
        "data = \"unused\"\npractice = true\n[[tenant]]\nid = \"practice\"\n[[tenant.token]]\nid = \"page\"\ntoken = \"{TOKEN}\"\n"
    );
    let config = ServerConfig::parse(&text, Path::new("example"), Path::new(".")).unwrap();
    let store = Arc::new(MemoryStore::new(1000));
    let metrics = Metrics::new();
    let center = Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(metrics.clone()),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    });
    let crms = ["practice", "second-crm"]
        .map(|name| Arc::new(MadeUp(PluginId::new(name).unwrap())) as Arc<dyn Directory>)
        .to_vec();
    center.set_directories(HashMap::from([(TenantId::new("practice").unwrap(), crms)]));
    let practice_numbers =
        [ANA, SHARED, UNKNOWN, SLOW].map(|n| PhoneNumber::parse(n, Region::BR).unwrap()).to_vec();
    let state = AppState::new(
        &config,
        AppParts {
            center,
            health: store,
            outbox: None,
            credentials: None,
            hooks: None,
            plugins: None,
            channels: ramal_server::ChannelDoors::default(),
            controls: ramal_server::CallControls::default(),
            queues: ramal_server::QueueBoards::default(),
            metrics,
            practice_numbers,
        },
    )
    .unwrap();
    // A port may be given, so that the page can be seen to heal over a restart.
    let port = std::env::args().nth(1).map_or(0, |port| port.parse().unwrap());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    println!("http://{}/?token={TOKEN}", listener.local_addr().unwrap());
    serve(listener, state, async {
        tokio::signal::ctrl_c().await.unwrap();
    })
    .await
    .unwrap();
}
