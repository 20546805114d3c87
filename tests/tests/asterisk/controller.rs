//! A host that is connected to an exchange over ARI, and a way between the two that can be cut.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ramal_center::*;
use ramal_channels::{
    Asterisk, AsteriskControl, AsteriskParts, AsteriskSettings, ChannelTally, FolderStore, LinePlan,
    LinkState, Pace,
};
use ramal_egress::{Egress, ProviderAddress};
use ramal_numbers::Home;
use ramal_store::memory::MemoryStore;
use ramal_tests::asterisk::{ARI_PASSWORD, ARI_USER};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Counts by word.
#[derive(Default)]
pub(crate) struct Counts(Mutex<HashMap<&'static str, u64>>);

impl Counts {
    pub(crate) fn of(&self, word: &str) -> u64 {
        self.0.lock().get(word).copied().unwrap_or_default()
    }
}

impl ChannelTally for Counts {
    fn count(&self, _: &SourceId, outcome: &'static str) {
        *self.0.lock().entry(outcome).or_default() += 1;
    }
}

/// What outlives a host that is started anew.
pub(crate) struct Memory {
    pub(crate) center: Center,
    pub(crate) folder: tempfile::TempDir,
}

impl Memory {
    pub(crate) fn new() -> Self {
        let store = Arc::new(MemoryStore::new(10_000));
        let center = Center::new(CenterParts {
            interactions: store.clone(),
            live: store.clone(),
            observer: Arc::new(Silent),
            clock: Arc::new(SystemClock),
            settings: CenterSettings::default(),
        });
        Self { center, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn recordings(&self) -> FolderStore {
        FolderStore::new(self.folder.path().join("recordings"))
    }

    /// The calls, the oldest first.
    pub(crate) async fn calls(&self) -> Vec<Interaction> {
        let mut items = self.center.list(&tenant(), &Filter::default(), None, 200).await.unwrap().items;
        items.reverse();
        items
    }

    /// The call once something is true of it; there is one that began after so many others.
    pub(crate) async fn once(
        &self,
        place: usize,
        what: &str,
        is: impl Fn(&Interaction) -> bool,
    ) -> Interaction {
        let waiting = async {
            // Told of everything from the beginning, so nothing is missed between a look and the wait.
            let mut live = self.center.live(tenant(), Some(LiveId(0)));
            loop {
                if let Some(call) = self.calls().await.into_iter().nth(place).filter(|call| is(call)) {
                    return call;
                }
                live.next().await.unwrap();
            }
        };
        match timeout(LIMIT, waiting).await {
            Ok(call) => call,
            Err(_) => panic!("{what}: {:#?}", self.calls().await),
        }
    }
}

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// A host.
pub(crate) struct Host {
    pub(crate) asterisk: Asterisk,
    pub(crate) control: AsteriskControl,
    pub(crate) counts: Arc<Counts>,
}

impl Host {
    /// Connects to an exchange, and is heard from when it is connected.
    pub(crate) async fn start(memory: &Memory, http: &str, ring: &[&str]) -> Self {
        let host = Self::begin(memory, http, ring, ARI_PASSWORD);
        host.is(LinkState::Live).await;
        host
    }

    pub(crate) fn begin(memory: &Memory, http: &str, ring: &[&str], password: &str) -> Self {
        let address =
            ProviderAddress { origin: http.parse().unwrap(), private: vec!["127.0.0.0/8".parse().unwrap()] };
        let trunks = [("PJSIP/trunk".to_owned(), Channel::Fixed)].into();
        let agents = ["2000", "2001", "2002"].map(|e| (format!("PJSIP/{e}"), format!("agent-{e}")));
        let settings = AsteriskSettings {
            app: "ramal".to_owned(),
            plan: LinePlan::new(trunks, agents.into(), Home::new(Region::BR)),
            ring: ring.iter().map(|e| format!("PJSIP/{e}")).collect(),
            fallback: "ramal-fallback".to_owned(),
            ring_seconds: 20,
            dial: Some("PJSIP/{number}@trunk".to_owned()),
            caller_id: Some("551130001000".to_owned()),
            pace: Pace {
                first: Duration::from_millis(20),
                longest: Duration::from_millis(500),
                replaced: Duration::from_millis(200),
                ..Pace::default()
            },
        };
        let counts = Arc::new(Counts::default());
        let asterisk = Asterisk::start(AsteriskParts {
            origin: Origin { tenant: tenant(), source: SourceId::new("pbx").unwrap() },
            center: memory.center.clone(),
            client: Egress::builder().provider(&address, Duration::from_secs(10)).unwrap(),
            user: ARI_USER.to_owned(),
            password: password.into(),
            settings,
            recordings: Arc::new(memory.recordings()),
            tally: counts.clone(),
        });
        Self { control: asterisk.control(), asterisk, counts }
    }

    pub(crate) async fn is(&self, state: LinkState) {
        let mut now = self.control.state();
        let reached = timeout(LIMIT, now.wait_for(|s| *s == state)).await.map(|r| r.is_ok());
        assert_eq!(reached, Ok(true), "the link is not {state:?}");
    }
}

/// A way to an exchange that can be cut: every connection over it ends at once, and no new one is taken until it is
/// mended.
pub(crate) struct Way {
    pub(crate) http: String,
    whole: watch::Sender<bool>,
}

impl Way {
    pub(crate) async fn to(http: &str) -> Self {
        let there: SocketAddr = http.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = format!("http://{}", listener.local_addr().unwrap());
        let (whole, state) = watch::channel(true);
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let mut state = state.clone();
                connections.spawn(async move {
                    if !*state.borrow_and_update() {
                        return;
                    }
                    let Ok(far) = TcpStream::connect(there).await else { return };
                    let (mut near, mut far) = (near, far);
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                        _ = state.wait_for(|whole| !*whole) => {}
                    }
                });
            }
        });
        Self { http, whole }
    }

    pub(crate) fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub(crate) fn mend(&self) {
        self.whole.send_replace(true);
    }
}
