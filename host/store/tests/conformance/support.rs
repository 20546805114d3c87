//! Stores of each kind, and made-up calls and conversations to put into them.

use std::sync::Arc;

use jiff::Timestamp;
use ramal_store::memory::MemoryStore;
use ramal_store::testing::TestPostgres;
use ramal_store::*;
use sqlx::Connection as _;
use uuid::Uuid;

pub(crate) trait TestStore:
    InteractionStore + ActivityStore + LiveStore + PluginStore + StoreHealth + Checking
{
}
impl<T: InteractionStore + ActivityStore + LiveStore + PluginStore + StoreHealth + Checking> TestStore for T {}

pub(crate) struct Opened {
    pub(crate) store: Arc<dyn TestStore>,
    dir: Option<tempfile::TempDir>,
    postgres: Option<(TestPostgres, String)>,
}

impl Opened {
    /// Does to the database what no Ramal would do.
    pub(crate) async fn spoil(&self, sql: &str) {
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let done = if let Some(dir) = &self.dir {
            let url = format!("sqlite:{}", dir.path().join("ramal.db").display());
            let mut conn = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::query(sql).execute(&mut conn).await.unwrap().rows_affected()
        } else if let Some((postgres, url)) = &self.postgres {
            let mut admin = postgres.as_admin(url).await.unwrap();
            sqlx::query(sql).execute(&mut admin).await.unwrap().rows_affected()
        } else {
            panic!("what is in memory cannot be spoilt from outside")
        };
        assert!(done > 0, "nothing was spoilt");
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
    Postgres,
}

/// A store; `None` where PostgreSQL is not to be had, which was said then.
pub(crate) async fn open_with(backend: Backend, live_events: u32) -> Option<Opened> {
    match backend {
        Backend::Memory => Some(Opened {
            store: Arc::new(MemoryStore::new(live_events as usize)),
            dir: None,
            postgres: None,
        }),
        Backend::Sqlite => {
            let dir = tempfile::tempdir().unwrap();
            let mut settings = SqliteSettings::new(dir.path().join("ramal.db"));
            settings.live_events = live_events;
            let store = SqliteStore::open(&settings).await.unwrap();
            Some(Opened { store: Arc::new(store), dir: Some(dir), postgres: None })
        }
        Backend::Postgres => {
            let postgres = TestPostgres::start("conformance").await.unwrap()?;
            let url = postgres.database().await.unwrap();
            let mut settings = PostgresSettings::new(&url);
            settings.live_events = live_events;
            let store = PostgresStore::open(&settings).await.unwrap();
            Some(Opened { store: Arc::new(store), dir: None, postgres: Some((postgres, url)) })
        }
    }
}

pub(crate) async fn open(backend: Backend) -> Option<Opened> {
    open_with(backend, 1000).await
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}
pub(crate) fn source() -> SourceId {
    SourceId::new("pbx").unwrap()
}
pub(crate) fn plugin(name: &str) -> PluginId {
    PluginId::new(name).unwrap()
}
pub(crate) fn call_id(text: &str) -> CallId {
    CallId::new(text).unwrap()
}
pub(crate) fn event_id(text: &str) -> EventId {
    EventId::new(text).unwrap()
}
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}
pub(crate) fn phone(e164: &str) -> ContactIdentity {
    ContactIdentity::phone(e164).unwrap()
}
pub(crate) fn bsuid(value: &str) -> ContactIdentity {
    ContactIdentity::new(ContactKind::Whatsapp, Namespace::new("bsuid:1").unwrap(), value).unwrap()
}

pub(crate) fn new(event: InteractionEvent, second: i64) -> NewEvent {
    NewEvent { at: at(second), actor: Actor::Source(source()), cause: Cause::Rule("test".into()), event }
}

/// How calls begin here.
pub(crate) fn started(channel: Channel, reference: Option<&str>, contacts: &[ContactIdentity]) -> Started {
    Started {
        source: source(),
        reference: reference.map(call_id),
        channel,
        direction: InteractionDirection::Inbound,
        from: contacts.first().map(|c| c.value().clone()),
        to: Some(Clear::new("+551133334444")),
        contacts: contacts.to_vec(),
        queue: Some("sales".into()),
        asked: Vec::new(),
        protocol: None,
    }
}

pub(crate) fn begin(tenant_name: &str, started: Started, second: i64) -> InteractionWrite {
    let id = InteractionId(Uuid::now_v7());
    let events = vec![new(InteractionEvent::Started(Box::new(started)), second)];
    InteractionWrite::begin(&tenant(tenant_name), id, events, at(second)).unwrap()
}

/// A call that rings, with its receipt and its live event.
pub(crate) fn ringing(tenant_name: &str, call: &str, second: i64, asked: &[&str]) -> InteractionWrite {
    let mut how = started(Channel::Fixed, Some(call), &[phone("+5511987654321")]);
    how.asked = asked.iter().map(|p| plugin(p)).collect();
    let mut write = begin(tenant_name, how, second);
    write.receipt =
        Some(Receipt { source: source(), event_id: event_id(&format!("{call}-ringing")), asked: None });
    write.live = vec![live(write.id())];
    write
}

pub(crate) fn live(of: InteractionId) -> NewLive {
    NewLive { kind: "call".into(), interaction: Some(of), body: "{}".into() }
}

pub(crate) fn change(before: &Interaction, event: InteractionEvent, second: i64) -> InteractionWrite {
    let mut write =
        InteractionWrite::change(before, Vec::new(), vec![new(event, second)], at(second)).unwrap();
    write.live = vec![live(before.id)];
    write
}

pub(crate) fn answered() -> InteractionEvent {
    InteractionEvent::Answered { agent: Some(Clear::new("Bruna (invented)")) }
}

pub(crate) fn message(reference: &str, direction: InteractionDirection, second: i64) -> InteractionEvent {
    let message = Message {
        id: MessageId(Uuid::now_v7()),
        reference: event_id(reference),
        direction,
        at: at(second),
        text: Some(Clear::new("Olá (invented), tudo bem?\u{0}")),
        attachments: vec![Attachment { media_type: "image/jpeg".into(), reference: "m1".into() }],
        agent: None,
        status: MessageStatus::Received,
        provider_cause: None,
        seq: 0,
    };
    InteractionEvent::MessageAdded {
        message,
        date: at(second).to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
    }
}

pub(crate) fn finding(of: &Interaction, plugin_name: &str, second: i64) -> InteractionWrite {
    let mut write = InteractionWrite::change(of, Vec::new(), Vec::new(), at(second)).unwrap();
    write.finding = Some(Finding {
        tenant: of.tenant.clone(),
        interaction: of.id,
        plugin: plugin(plugin_name),
        kind: FindingKind::Card,
        body: r#"{"name":"Ana (invented)"}"#.into(),
        at: at(second),
    });
    write.live = vec![live(of.id)];
    write
}

/// Stores the write and gives back what it made.
pub(crate) async fn stored(store: &dyn TestStore, write: InteractionWrite) -> Interaction {
    let after = write.after().clone();
    assert!(matches!(store.append(write).await.unwrap(), Recorded::Stored(_)));
    after
}
