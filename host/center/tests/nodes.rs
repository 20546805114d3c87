//! Several hosts over one PostgreSQL: what one of them takes, the readers at every one are told. All people and numbers
//! are invented.

use std::sync::Arc;
use std::time::Duration;

use ramal_center::*;
use ramal_store::testing::TestPostgres;
use ramal_store::{PostgresSettings, PostgresStore};

async fn node(settings: &PostgresSettings) -> Center {
    let store = Arc::new(PostgresStore::open(settings).await.unwrap());
    Center::new(CenterParts {
        interactions: store.clone(),
        live: store,
        observer: Arc::new(Silent),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    })
}

fn rings(tenant: &str, call: &str) -> (Origin, CallEvent) {
    let origin = Origin { tenant: tenant.parse().unwrap(), source: SourceId::new("pbx").unwrap() };
    let number = PhoneNumber::parse("+5511987654321", Region::BR).unwrap();
    let event = CallEvent {
        event_id: EventId::new(&format!("{call}-1")).unwrap(),
        call_id: CallId::new(call).unwrap(),
        kind: EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: Caller::Number(number),
            to: None,
            queue: None,
        },
        at: jiff::Timestamp::now(),
    };
    (origin, event)
}

/// Which call is told next. A minute is no measure: it only ends a test that would wait for ever.
async fn next(tail: &mut LiveTail) -> String {
    match tokio::time::timeout(Duration::from_secs(60), tail.next()).await.expect("nobody told it").unwrap() {
        LiveItem::Event(event) => event.interaction.unwrap().to_string(),
        LiveItem::Reset { last } => panic!("reset at {last}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_host_takes_is_told_by_the_other() {
    let Some(postgres) = TestPostgres::start("what_one_host_takes_is_told").await.unwrap() else { return };
    let settings = PostgresSettings::new(postgres.database().await.unwrap());
    let (one, other) = (node(&settings).await, node(&settings).await);
    let acme: TenantId = "acme".parse().unwrap();
    let mut tail = other.live(acme, Some(LiveId(0)));
    for (number, at) in (0..6).zip([&one, &one, &other, &one, &other, &one]) {
        // Another tenant's calls ring the same bell, and are not told here.
        let (origin, event) = rings("beta", &format!("b{number}"));
        one.handle(origin, event).await.unwrap();
        let (origin, event) = rings("acme", &format!("a{number}"));
        let taken = at.handle(origin, event).await.unwrap();
        assert_eq!(next(&mut tail).await, taken.interaction.to_string());
    }
}
