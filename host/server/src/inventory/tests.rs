//! A channel goes quiet and is heard again; one that is no longer configured stays listed. Everybody is invented.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use jiff::civil::date;
use ramal_center::{
    CallId, CenterParts, CenterSettings, Channel, Clear, Clock, EventId, Interaction, InteractionId, LiveId,
    LiveItem, Silent,
};
use ramal_store::{
    Actor, Cause, InteractionEvent, InteractionStore, InteractionWrite, NewEvent, Receipt, Recorded,
    SqliteSettings, SqliteStore, Started,
};
use tower::ServiceExt;

use super::*;
use crate::channels::ChannelDoors;
use crate::state::AppParts;

/// Tuesday noon in Brasília.
fn noon() -> Timestamp {
    date(2026, 12, 1).at(15, 0, 0, 0).to_zoned_datetime(TimeZone::UTC).unwrap().timestamp()
}

struct Noon;
impl Clock for Noon {
    fn now(&self) -> Timestamp {
        noon()
    }
}

struct World {
    store: Arc<SqliteStore>,
    state: AppState,
    call: Interaction,
    _folder: tempfile::TempDir,
}

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn source(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

fn begins(from: &str, at: Timestamp) -> InteractionWrite {
    let started = Started {
        source: source(from),
        reference: Some(CallId::new("c1").unwrap()),
        channel: Channel::Fixed,
        direction: InteractionDirection::Inbound,
        from: None,
        to: Some(Clear::new("+551133334444")),
        contacts: Vec::new(),
        queue: None,
        asked: Vec::new(),
        protocol: None,
    };
    let event = NewEvent {
        at,
        actor: Actor::System,
        cause: Cause::Rule("test".to_owned()),
        event: InteractionEvent::Started(Box::new(started)),
    };
    InteractionWrite::begin(&tenant(), InteractionId(uuid::Uuid::now_v7()), vec![event], at).unwrap()
}

impl World {
    /// A source that was heard often in these hours of the days before, and until noon today.
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&SqliteSettings::new(folder.path().join("r.db"))).await.unwrap();
        let store = Arc::new(store);
        let text = "data = \"data\"\n[[tenant]]\nid = \"acme\"\n[[tenant.source]]\nid = \"pbx\"\n\
                    secret = \"0123456789abcdef0123456789abcdef\"\n[[tenant.token]]\nid = \"panel\"\n\
                    token = \"0123456789abcdef0123456789abcdef\"\n";
        let config = ServerConfig::parse(text, Path::new("ramal.toml"), folder.path()).unwrap();
        let metrics = Metrics::new();
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: Arc::new(Noon),
            settings: CenterSettings::default(),
        });
        let mut channels = ChannelDoors::default();
        channels.list(Inventory::new(&config, store.clone(), ChannelBoard::default()));
        let parts = AppParts {
            center,
            health: store.clone(),
            outbox: None,
            credentials: None,
            hooks: None,
            plugins: None,
            channels,
            controls: crate::CallControls::default(),
            queues: crate::QueueBoards::default(),
            metrics,
            practice_numbers: Vec::new(),
        };
        let state = AppState::new(&config, parts).unwrap();
        let first = begins("pbx", noon() - SignedDuration::from_hours(24 * 7));
        let call = first.after().clone();
        assert!(matches!(store.append(first).await.unwrap(), Recorded::Stored(_)));
        let world = Self { store, state, call, _folder: folder };
        for day in 1..=6 {
            for minute in 0..60 {
                let at = noon() - SignedDuration::from_hours(24 * day) + SignedDuration::from_mins(minute);
                world.heard(at).await;
            }
        }
        world.heard(noon()).await;
        world
    }

    async fn heard(&self, at: Timestamp) {
        let mut write = InteractionWrite::change(&self.call, Vec::new(), Vec::new(), at).unwrap();
        let event_id = EventId::new(&at.as_second().to_string()).unwrap();
        write.receipt = Some(Receipt { source: source("pbx"), event_id, asked: None });
        assert!(matches!(self.store.append(write).await.unwrap(), Recorded::Stored(_)));
    }

    fn inventory(&self) -> &Inventory {
        self.state.channels().inventory().unwrap()
    }

    async fn listen(&self, minutes: i64) {
        let now = noon() + SignedDuration::from_mins(minutes);
        self.inventory().listen(self.state.center(), self.state.metrics(), now).await.unwrap();
    }

    async fn gauge(&self) -> String {
        let request = Request::get("/metrics").header("host", "127.0.0.1:7700").body(Body::empty()).unwrap();
        let response = crate::router(self.state.clone()).oneshot(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().find(|line| line.starts_with("ramal_channel_silent{")).unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn a_channel_that_goes_quiet_raises_one_alert_and_is_heard_again() {
    let world = World::open().await;
    let mut live = world.state.center().live(tenant(), Some(LiveId(0)));
    world.listen(10).await;
    assert_eq!(world.gauge().await, "ramal_channel_silent{channel=\"pbx\"} 0");
    world.listen(40).await;
    world.listen(45).await;
    assert_eq!(world.gauge().await, "ramal_channel_silent{channel=\"pbx\"} 1");
    let listed = world.inventory().list(&tenant(), noon() + SignedDuration::from_mins(45)).await.unwrap();
    assert_eq!((listed[0].health, listed[0].silent_since), ("silent", Some(noon())));

    world.heard(noon() + SignedDuration::from_mins(46)).await;
    world.listen(47).await;
    assert_eq!(world.gauge().await, "ramal_channel_silent{channel=\"pbx\"} 0");
    let mut told = Vec::new();
    for _ in 0..2 {
        let LiveItem::Event(event) = live.next().await.unwrap() else { panic!("a reset") };
        told.push((event.kind, event.interaction, event.body.contains("\"pbx\"")));
    }
    // Once each, though it was looked three times.
    assert_eq!(told, [("channel.silent".to_owned(), None, true), ("channel.heard".to_owned(), None, true)]);
}

#[tokio::test]
async fn what_is_no_longer_configured_stays_listed() {
    let world = World::open().await;
    let gone = begins("old-pbx", noon());
    assert!(matches!(world.store.append(gone).await.unwrap(), Recorded::Stored(_)));
    let listed = world.inventory().list(&tenant(), noon()).await.unwrap();
    let told: Vec<_> = listed.iter().map(|c| (c.channel.as_str(), c.kind, c.active, c.health)).collect();
    assert_eq!(told, [("pbx", "events", true, "listening"), ("old-pbx", "unknown", false, "gone")]);
    assert_eq!(listed[0].lines, ["+551133334444"]);
    let other = TenantId::new("beta").unwrap();
    assert!(world.inventory().list(&other, noon()).await.unwrap().is_empty());
}
