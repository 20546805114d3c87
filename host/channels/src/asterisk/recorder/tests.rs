//! A recording on its way home, from an exchange that fails on purpose. All of it is made up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use parking_lot::Mutex;
use ramal_center::{
    Caller, Center, CenterParts, CenterSettings, Channel, EventId, InteractionDirection, Origin, Silent,
    SourceId, SystemClock, TenantId,
};
use ramal_egress::{Egress, ProviderAddress};
use ramal_store::memory::MemoryStore;
use rstest::rstest;
use tokio::sync::{Notify, watch};

use super::*;
use crate::asterisk::riff::silence;
use crate::{ChannelTally, FolderStore, Kept};

#[test]
fn a_name_tells_the_recording_and_the_call() {
    let id = RecordingId(Uuid::from_u128(7));
    for call in ["1795456674.2", "ramal-a_b-c", "a/b?c@d"] {
        let call = CallId::new(call).unwrap();
        assert_eq!(read(&name(id, &call)), Some((id, call)));
    }
}

#[rstest]
#[case::other("rec-local-1")]
#[case::near("ramal-nothing")]
#[case::bad_call("ramal-00000000000000000000000000000007-???")]
fn recordings_of_others_are_left_alone(#[case] name: &str) {
    assert_eq!(read(name), None);
}

/// Counts, and says when.
#[derive(Default)]
struct Counts {
    words: Mutex<HashMap<&'static str, u32>>,
    more: Notify,
}

impl ChannelTally for Counts {
    fn count(&self, _: &SourceId, outcome: &'static str) {
        *self.words.lock().entry(outcome).or_default() += 1;
        self.more.notify_one();
    }
}

impl Counts {
    fn of(&self, word: &str) -> u32 {
        self.words.lock().get(word).copied().unwrap_or_default()
    }
    async fn until(&self, word: &str, count: u32) {
        while self.of(word) < count {
            self.more.notified().await;
        }
    }
}

/// The exchange: how often it refuses to delete, what it sends, and what was deleted.
struct Pbx {
    refuses: AtomicU32,
    sound: Vec<u8>,
    deleted: AtomicU32,
}

async fn runs() -> StatusCode {
    StatusCode::NOT_FOUND
}

async fn sound(State(pbx): State<Arc<Pbx>>) -> Vec<u8> {
    pbx.sound.clone()
}

async fn remove(State(pbx): State<Arc<Pbx>>) -> StatusCode {
    let refuse = pbx.refuses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
    if refuse.is_ok() {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    pbx.deleted.fetch_add(1, Ordering::SeqCst);
    StatusCode::NO_CONTENT
}

async fn exchange(pbx: Arc<Pbx>) -> String {
    let router = Router::new()
        .route("/ari/recordings/live/{name}", get(runs))
        .route("/ari/recordings/stored/{name}/file", get(sound))
        .route("/ari/recordings/stored/{name}", delete(remove))
        .with_state(pbx);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A store that fails so often before it keeps.
struct Fails(AtomicU32, FolderStore);

impl RecordingStore for Fails {
    fn put(&self, sound: Sound) -> futures_util::future::BoxFuture<'_, std::io::Result<Kept>> {
        let fail = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if fail.is_ok() {
            return Box::pin(async { Err(std::io::ErrorKind::StorageFull.into()) });
        }
        self.1.put(sound)
    }
}

fn center() -> Center {
    let store = Arc::new(MemoryStore::new(100));
    Center::new(CenterParts {
        interactions: store.clone(),
        live: store.clone(),
        observer: Arc::new(Silent),
        clock: Arc::new(SystemClock),
        settings: CenterSettings::default(),
    })
}

#[rstest]
#[case::at_once(0, 0, true)]
#[case::not_deleted_at_first(2, 0, true)]
#[case::not_kept_at_first(0, 2, true)]
#[case::cut(0, 0, false)]
#[tokio::test]
async fn the_exchange_deletes_its_copy_only_when_there_is_another(
    #[case] refuses: u32,
    #[case] fails: u32,
    #[case] whole: bool,
) {
    let mut sound = silence(1500);
    if !whole {
        sound.truncate(1000);
    }
    let pbx = Arc::new(Pbx { refuses: refuses.into(), sound: sound.clone(), deleted: 0.into() });
    let address = exchange(pbx.clone()).await;
    let private = vec!["127.0.0.0/8".parse().unwrap()];
    let address = ProviderAddress { origin: address.parse().unwrap(), private };
    let client = Egress::builder().provider(&address, Duration::from_secs(5)).unwrap();
    let tenant = TenantId::new("acme").unwrap();
    let origin = Origin { tenant: tenant.clone(), source: SourceId::new("pbx").unwrap() };
    let (center, call) = (center(), CallId::new("1.1").unwrap());
    let ringing = CallEvent {
        event_id: EventId::new("e1").unwrap(),
        call_id: call.clone(),
        kind: EventKind::Ringing {
            channel: Channel::Fixed,
            direction: InteractionDirection::Inbound,
            from: Caller::Withheld,
            to: None,
            queue: None,
        },
        at: Timestamp::now(),
    };
    let interaction = center.handle(origin.clone(), ringing).await.unwrap().interaction;
    let counts = Arc::new(Counts::default());
    let (_stop, stopped) = watch::channel(false);
    let folder = tempfile::tempdir().unwrap();
    let files = FolderStore::new(folder.path().to_owned());
    let recorder = Recorder::start(Parts {
        ari: Arc::new(Ari::new(client, "ramal", &"made-up".into(), "ramal")),
        teller: Teller::new(origin, center.clone(), counts.clone(), stopped),
        store: Arc::new(Fails(fails.into(), files.clone())),
        every: Duration::from_millis(20),
    });
    let id = RecordingId(Uuid::from_u128(7));
    recorder.collect(name(id, &call), Some(1));

    if !whole {
        counts.until("recording-waits", 3).await;
        assert_eq!(pbx.deleted.load(Ordering::SeqCst), 0, "what cannot be read is left where it is");
        return;
    }
    counts.until("recording-kept", 1).await;
    assert_eq!((counts.of("recording-waits"), pbx.deleted.load(Ordering::SeqCst)), (refuses + fails, 1));
    assert_eq!(std::fs::read(files.path(&tenant, id)).unwrap(), sound);
    let call = center.interaction(&tenant, interaction).await.unwrap().unwrap().interaction;
    let [recording] = call.recordings.as_slice() else { panic!("{:?}", call.recordings) };
    assert_eq!((recording.id, recording.duration_ms), (id, Some(1500)));
    // It was told once, however often it was fetched.
    assert_eq!(center.history(&tenant, interaction, 0, 50).await.unwrap().len(), 2);
}
