//! A server over a real database, without sockets: requests are values, everything behind them is as it is served.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::Timestamp;
use ramal_center::{
    Center, CenterParts, CenterSettings, JournalReach, JournalRules, PluginId, SystemClock, TenantId,
};
use ramal_server::{AppParts, AppState, Metrics, Secret, ServerConfig, router, sign};
use ramal_store::testing::{BareInserts, TestPostgres};
use ramal_store::{PostgresSettings, PostgresStore, SqliteSettings, SqliteStore, Store};
use tower::ServiceExt;

const SECRET: &str = "made-up-secret-of-the-exchange-0001";
/// Events of one sample, about.
const EVENTS: usize = 192;
/// Ringing, answered, ended.
const OF_A_CALL: usize = 3;

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}
pub(crate) fn plugin() -> PluginId {
    PluginId::new("practice").unwrap()
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    bare: BareInserts,
    router: Router,
    next: AtomicUsize,
}

impl World {
    pub(crate) async fn sqlite(folder: &Path) -> Self {
        std::fs::create_dir(folder).unwrap();
        let store = SqliteStore::open(&SqliteSettings::new(folder.join("ramal.sqlite"))).await.unwrap();
        let bare = BareInserts::sqlite(&folder.join("bare.sqlite")).await.unwrap();
        Self::over(Arc::new(store), bare)
    }

    pub(crate) async fn postgres(server: &TestPostgres) -> Self {
        let url = server.database().await.unwrap();
        let store = PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap();
        let bare = BareInserts::postgres(&server.database().await.unwrap()).await.unwrap();
        Self::over(Arc::new(store), bare)
    }

    fn over<S: Store>(store: Arc<S>, bare: BareInserts) -> Self {
        let metrics = Metrics::new();
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(metrics.clone()),
            clock: Arc::new(SystemClock),
            settings: CenterSettings::default(),
        });
        center.set_directories(HashMap::new());
        let plugins = BTreeMap::from([(plugin(), JournalReach::LaterChanges.into())]);
        center.set_journals(HashMap::from([(tenant(), JournalRules { plugins, ..JournalRules::default() })]));
        // A panel that listens.
        let mut live = center.live(tenant(), None);
        tokio::spawn(async move { while live.next().await.is_ok() {} });
        let text = format!(
            "data = \"data\"\n[[tenant]]\nid = \"acme\"\n[[tenant.source]]\nid = \"pbx\"\nsecret = \"{SECRET}\"\n\
             [[tenant.token]]\nid = \"panel\"\ntoken = \"made-up-token-of-the-panel-00000001\"\n"
        );
        let config = ServerConfig::parse(&text, Path::new("ramal.toml"), Path::new("/nowhere")).unwrap();
        let parts = AppParts {
            center,
            health: store.clone(),
            outbox: Some(store.clone()),
            credentials: None,
            hooks: None,
            plugins: None,
            channels: ramal_server::ChannelDoors::default(),
            controls: ramal_server::CallControls::default(),
            queues: ramal_server::QueueBoards::default(),
            metrics,
            practice_numbers: Vec::new(),
        };
        let state = AppState::new(&config, parts).unwrap();
        Self { store, bare, router: router(state), next: AtomicUsize::new(0) }
    }

    /// The time of one event of many, from its signature on, with so many under way at once.
    pub(crate) async fn take(&self, at_once: usize) -> Duration {
        let calls = (EVENTS / OF_A_CALL).div_ceil(at_once);
        self.spread(at_once, calls * OF_A_CALL, async |world, _| {
            for _ in 0..calls {
                world.call().await;
            }
        })
        .await
    }

    /// Calls that are over, so that the outbox has as many deliveries.
    pub(crate) async fn end_calls(&self, calls: usize, at_once: usize) {
        let each = calls.div_ceil(at_once);
        self.spread(at_once, each, async |world, _| {
            for _ in 0..each {
                world.call().await;
            }
        })
        .await;
    }

    /// The time of one bare insert of an event's bytes.
    pub(crate) async fn bare(&self, at_once: usize) -> Duration {
        let each = EVENTS.div_ceil(at_once);
        let bodies: Vec<Vec<u8>> = (0..OF_A_CALL).map(|step| body(0, step).into_bytes()).collect();
        self.spread(at_once, each, async |world, _| {
            for number in 0..each {
                world.bare.insert(&bodies[number % OF_A_CALL]).await.unwrap();
            }
        })
        .await
    }

    /// The time of one of `each` pieces of work of so many workers at once.
    async fn spread<'a>(
        &'a self,
        at_once: usize,
        each: usize,
        work: impl AsyncFn(&'a World, usize),
    ) -> Duration {
        let begun = Instant::now();
        futures_util::future::join_all((0..at_once).map(|worker| work(self, worker))).await;
        begun.elapsed() / u32::try_from(at_once * each).unwrap()
    }

    async fn call(&self) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        for step in 0..OF_A_CALL {
            let body = body(number, step);
            let header = sign(&Secret::new(SECRET), Timestamp::now().as_second(), body.as_bytes());
            let request = Request::post("/v1/events/calls?source=pbx")
                .header("host", "127.0.0.1:7700")
                .header("content-type", "application/json")
                .header("ramal-signature", header)
                .body(Body::from(body))
                .unwrap();
            let answer = self.router.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        }
    }
}

fn body(number: usize, step: usize) -> String {
    let call = format!("taken-{number}");
    let rest = match step {
        0 => format!(
            r#""type":"ringing","from":"+551198{:07}","to":"+551133334444","queue":"sales""#,
            number % 10_000_000
        ),
        1 => r#""type":"answered","agent":"Bruna (invented)""#.to_owned(),
        _ => r#""type":"ended","cause":"completed""#.to_owned(),
    };
    format!(r#"{{"event_id":"{call}-{step}","call_id":"{call}",{rest}}}"#)
}
