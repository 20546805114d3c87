//! The whole road on bad days: a signed event, the outbox, its worker, the plugin, and the CRM behind something that
//! fails once in each way there is. Each delivery ends delivered, and the CRM has each call once.

use std::time::Duration;

use ramal_capability::Grant;
use ramal_tests::weather::{Proxy, Weather};
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

use super::matrix::{Call, Field};
use crate::composed::{Live, PluginFiles, Setup, Whole};

/// A CRM whose plugin a whole host can have.
pub(crate) trait Delivered: Field {
    const TENANT: &str;
    /// A number that one customer has.
    const CALLER: &str;
    /// What an admin sets up for a CRM that is reached at an origin.
    fn files(&self, origin: &str) -> PluginFiles;
    /// How many entries the customer has.
    async fn all_entries(&self) -> usize;
}

/// How much time a request gets. Less than it takes this machine when it is busy would be weather of its own.
const REQUEST: &str = "[limits]\nrequest-ms = 2500\n";

struct Road<'f, F> {
    field: &'f F,
    host: Whole,
    live: Live,
    grants: u32,
    calls: usize,
    /// Entries that were there before.
    before: usize,
}

pub(crate) async fn each_call_arrives_once_whatever_happens_on_the_way<F: Delivered>(field: &F) {
    let proxy = Proxy::before(field.origin()).await.unwrap();
    let files = in_time(field.files(&proxy.origin));
    let setup = Setup { tenant: F::TENANT, more: String::new(), plugins: vec![files] };
    let before = field.all_entries().await;
    let host = Whole::start(&setup).await;
    let live = host.live().await;
    let mut road = Road { field, host, live, grants: 1, calls: 0, before };
    // The request that writes is the last one.
    let request = F::requests(Call::Write).last().copied().unwrap();
    for weather in Weather::all() {
        // A whole host asks the machine's own resolver, and no test asks the world for a name.
        if weather == Weather::NoName {
            continue;
        }
        // A good one before each bad one: a CRM that fails half of the time is left alone for a while.
        road.begin().await;
        road.end_and_arrive().await;

        road.begin().await;
        match proxy.origin_in(weather).await.unwrap() {
            Some(away) => {
                road.move_to(&away).await;
                road.end().await;
                road.until("GET /v1/deliveries?state=open", |told| told["items"][0]["failure"].is_object())
                    .await;
                road.move_to(&proxy.origin).await;
                road.arrived().await;
            }
            None => {
                proxy.turn_once(request, weather);
                road.end_and_arrive().await;
                let struck = usize::from(weather != Weather::Fair);
                assert_eq!(proxy.struck(), struck, "{weather:?} met no `{request}`");
            }
        }
    }
    let backlog = road.host.ask("GET /v1/deliveries/backlog", "").await;
    assert_eq!(backlog[0]["dead"], 0, "{backlog}");
    drop(road.live);
    road.host.end().await;
}

fn in_time(files: PluginFiles) -> PluginFiles {
    let grant = if files.grant.contains("[limits]\n") {
        files.grant.replace("[limits]\n", REQUEST)
    } else {
        files.grant.replace("[[destination]]", &format!("{REQUEST}\n[[destination]]"))
    };
    PluginFiles { grant, ..files }
}

impl<F: Delivered> Road<'_, F> {
    /// The customer calls, and is found.
    async fn begin(&mut self) {
        self.calls += 1;
        let interaction = self.tell(json!({"type": "ringing", "from": F::CALLER})).await;
        let card = loop {
            let card = self.live.next(&["card", "card-none", "card-failed"]).await;
            if card["interaction"] == interaction {
                break card;
            }
        };
        assert_eq!(card["cards"].as_array().map(Vec::len), Some(1), "call {}: {card}", self.calls);
    }

    /// The call is over, and the CRM is to be told.
    async fn end(&self) {
        drop(self.tell(json!({"type": "ended", "cause": "missed"})).await);
    }

    async fn end_and_arrive(&self) {
        self.end().await;
        self.arrived().await;
    }

    /// Gives the interaction.
    async fn tell(&self, mut event: Value) -> Value {
        let call = format!("c-{}", self.calls);
        event["event_id"] = json!(format!("{call}-{}", event["type"].as_str().unwrap()));
        event["call_id"] = json!(call);
        let (status, answer) = self.host.event(&event).await;
        assert_eq!(status, 202, "{answer}");
        serde_json::from_str::<Value>(&answer).unwrap()["interaction"].take()
    }

    /// Waits until nothing is left to be told, and looks what the CRM has.
    async fn arrived(&self) {
        self.until("GET /v1/deliveries/backlog", |told| {
            told.as_array().is_some_and(|all| all.iter().all(|one| one["open"] == 0))
        })
        .await;
        assert_eq!(
            self.field.all_entries().await - self.before,
            self.calls,
            "each call is there, and there once"
        );
    }

    /// Asks until it is so.
    async fn until(&self, head: &str, is_so: impl Fn(&Value) -> bool) {
        let mut ticks = interval(Duration::from_millis(50));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let asked = async {
            while !is_so(&self.host.ask(head, "").await) {
                ticks.tick().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(60), asked).await;
        assert!(waited.is_ok(), "{head} says for a minute: {}", self.host.ask(head, "").await);
    }

    /// An admin lets the plugin reach the CRM at another origin.
    async fn move_to(&mut self, origin: &str) {
        self.grants += 1;
        let PluginFiles { grant, settings, .. } = in_time(self.field.files(origin));
        let grant = grant.replace("revision = 1\n", &format!("revision = {}\n", self.grants));
        let grant = Grant::parse("grant.toml", &grant).unwrap_or_else(|e| panic!("{e}"));
        let settings: Value = toml::from_str(&settings).unwrap();
        self.host.composed.regrant(&grant, &settings).await.unwrap_or_else(|e| panic!("{e}"));
    }
}
