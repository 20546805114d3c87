//! Calls whose end was lost, on a clock that the test sets. All people and numbers are invented.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use ramal_store::memory::MemoryStore;
use ramal_store::{Checking, InteractionState, InteractionStore, LiveStore, SqliteSettings, SqliteStore};
use rstest::rstest;

use super::*;
use crate::{
    CallEvent, CallId, Caller, Center, CenterParts, CenterSettings, Channel, Clock, EventId, EventKind,
    InteractionDirection, JournalRules, Origin, Silent,
};

struct SetClock(Mutex<Timestamp>);
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock()
    }
}

#[derive(Debug, Clone, Copy)]
enum Backend {
    Memory,
    Sqlite,
}

trait Everything: InteractionStore + LiveStore + Checking {}
impl<T: InteractionStore + LiveStore + Checking> Everything for T {}

struct World {
    center: Center,
    clock: Arc<SetClock>,
    check: Arc<dyn Checking>,
    _folder: tempfile::TempDir,
}

fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}
fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}
fn source(name: &str) -> SourceId {
    SourceId::new(name).unwrap()
}

impl World {
    async fn open(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(Mutex::new(noon())));
        let (center, check): (Center, Arc<dyn Checking>) = match backend {
            Backend::Memory => Self::over(Arc::new(MemoryStore::new(100)), &clock),
            Backend::Sqlite => {
                let settings = SqliteSettings::new(folder.path().join("r.db"));
                Self::over(Arc::new(SqliteStore::open(&settings).await.unwrap()), &clock)
            }
        };
        center.set_journals(HashMap::from([(tenant(), JournalRules::default())]));
        Self { center, clock, check, _folder: folder }
    }

    fn over<S: Everything>(store: Arc<S>, clock: &Arc<SetClock>) -> (Center, Arc<dyn Checking>) {
        let reaping = Reaping { spared: BTreeSet::from([source("asterisk")]), ..Reaping::default() };
        let parts = CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: clock.clone(),
            settings: CenterSettings { reaping, ..CenterSettings::default() },
        };
        (Center::new(parts), store)
    }

    async fn tell(&self, from: &str, call: &str, event: &str, kind: EventKind) -> crate::Handled {
        let origin = Origin { tenant: tenant(), source: source(from) };
        let event = CallEvent {
            event_id: EventId::new(&format!("{call}-{event}")).unwrap(),
            call_id: CallId::new(call).unwrap(),
            kind,
            at: self.clock.now(),
        };
        self.center.handle(origin, event).await.unwrap()
    }

    async fn rings(&self, from: &str, call: &str) -> crate::InteractionId {
        let kind = EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: Caller::Withheld,
            to: None,
            queue: None,
        };
        self.tell(from, call, "1", kind).await.interaction
    }

    async fn after(&self, minutes: i64) -> usize {
        *self.clock.0.lock() = noon() + SignedDuration::from_mins(minutes);
        self.center.sweep().await.unwrap()
    }

    async fn state(&self, id: crate::InteractionId) -> InteractionState {
        self.center.interaction(&tenant(), id).await.unwrap().unwrap().interaction.state
    }
}

#[rstest]
#[tokio::test]
async fn a_forgotten_call_is_ended_and_the_history_says_by_what(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let w = World::open(backend).await;
    let rings = w.rings("pbx", "c1").await;
    let talks = w.rings("pbx", "c2").await;
    w.tell("pbx", "c2", "2", EventKind::Answered { agent: None }).await;
    assert_eq!(w.after(60).await, 0, "an hour is not over before it is over");
    assert_eq!(w.after(61).await, 1);
    assert_eq!(
        (w.state(rings).await, w.state(talks).await),
        (InteractionState::Ended, InteractionState::Answered)
    );
    assert_eq!(w.after(12 * 60 + 1).await, 1);
    assert_eq!(w.state(talks).await, InteractionState::Ended);

    let history = w.center.history(&tenant(), talks, 2, 9).await.unwrap();
    let [over] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!(over.event, InteractionEvent::Ended { cause: EndCause::Failed, provider_cause: None });
    assert_eq!((&over.actor, &over.cause), (&Actor::System, &Cause::Rule("reaper".to_owned())));

    // The end that was lost comes after all: known, and no error that the provider would repeat.
    let ended = EventKind::Ended { cause: EndCause::Completed, provider_cause: None };
    assert!(w.tell("pbx", "c2", "3", ended).await.repeated);
    assert_eq!(w.after(24 * 60).await, 0, "once");
    assert!(w.check.check(&tenant()).await.unwrap().is_sound());
}

#[rstest]
#[tokio::test]
async fn what_is_heard_of_lives_and_so_does_what_its_exchange_watches(
    #[values(Backend::Memory, Backend::Sqlite)] backend: Backend,
) {
    let w = World::open(backend).await;
    let long = w.rings("pbx", "c1").await;
    let watched = w.rings("asterisk", "c1").await;
    w.tell("pbx", "c1", "2", EventKind::Answered { agent: None }).await;
    w.after(11 * 60).await;
    w.tell("pbx", "c1", "3", EventKind::Held).await;
    assert_eq!(w.after(22 * 60).await, 0, "it was heard of eleven hours ago");
    assert_eq!(w.after(23 * 60 + 1).await, 1);
    assert_eq!(
        (w.state(long).await, w.state(watched).await),
        (InteractionState::Ended, InteractionState::Ringing)
    );
}
