//! What must be true when all is over, asked as users ask: over the host's REST and the CRM's own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::exchange::Exchange;
use crate::http::Api;
use crate::process::Place;

/// Leases of the dead end after a minute, and what was held back comes then.
const LIMIT: Duration = Duration::from_secs(240);
/// Histories that are asked for at once.
const AT_ONCE: usize = 8;

/// Waits until nothing is left to be told.
pub(crate) async fn delivered(api: &Api, place: &Place) {
    let end = Instant::now() + LIMIT;
    let mut ticks = interval(Duration::from_millis(100));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let backlog = api.get("/v1/deliveries/backlog").await;
        let targets = backlog.as_array().unwrap();
        let sum = |name: &str| targets.iter().map(|one| one[name].as_u64().unwrap()).sum::<u64>();
        assert_eq!(sum("dead"), 0, "deliveries were given up: {backlog}\n{}", place.end_of_log());
        if sum("open") == 0 {
            return;
        }
        assert!(Instant::now() < end, "not everything is delivered: {backlog}\n{}", place.end_of_log());
    }
}

/// A call as the CRM and the host both know it: who called, and when, to the millisecond.
type Key = (String, i64);

/// Compares what was acknowledged, what the host has, and what the CRM has.
pub(crate) async fn compare(host: &Api, crm: &Api, exchange: &Exchange) {
    let told = exchange.told();
    let mut ended: HashMap<Key, String> = HashMap::new();
    let mut ids = Vec::new();
    for call in everything(host, "/v1/interactions?limit=200").await {
        assert_eq!(call["state"], "ended", "{call}");
        let written: Vec<&Value> = call["journal"].as_array().unwrap().iter().collect();
        assert_eq!(written.len(), 1, "what became of telling the CRM is told once: {call}");
        assert_eq!((&written[0]["step"], &written[0]["result"]), (&"journal".into(), &"written".into()));
        let started: jiff::Timestamp = call["started_at"].as_str().unwrap().parse().unwrap();
        let key = (call["from"]["e164"].as_str().unwrap().to_owned(), started.as_millisecond());
        let id = call["interaction"].as_str().unwrap().to_owned();
        ids.push(id.clone());
        assert!(ended.insert(key, id).is_none(), "one call became two: {call}");
    }
    assert_eq!(ended.len(), told.len(), "each call that was told of is there, and no other");

    let histories: Vec<(String, Value)> = stream::iter(ids)
        .map(|id| async move {
            let events = host.get(&format!("/v1/interactions/{id}/events?limit=200")).await;
            (id, events)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let histories: HashMap<String, Value> = histories.into_iter().collect();
    for (call, told) in &told {
        let key = (told.number.clone(), told.started_ms);
        let id = ended.get(&key).unwrap_or_else(|| panic!("{call} was acknowledged and is lost"));
        let events = histories[id]["items"].as_array().unwrap();
        let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
        assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>(), "{call}: a history has no gap");
        let by_event: Vec<&str> = events
            .iter()
            .filter(|event| event["cause"]["kind"] == "event")
            .map(|event| event["cause"]["id"].as_str().unwrap())
            .collect();
        let unique: HashSet<String> = by_event.iter().map(|&id| id.to_owned()).collect();
        assert_eq!(unique.len(), by_event.len(), "{call}: an event is there twice");
        assert_eq!(unique, told.events, "{call}: what was acknowledged is in the history");
    }

    let ours: HashSet<&str> = told.values().map(|told| told.number.as_str()).collect();
    let mut entries: HashMap<Key, usize> = HashMap::new();
    for activity in everything(crm, "/api/v1/activities?limit=100").await {
        // The CRM's own, or of another host.
        let Some(phone) = activity["phone"].as_str().filter(|phone| ours.contains(phone)) else { continue };
        *entries.entry((phone.to_owned(), activity["started_ms"].as_i64().unwrap())).or_default() += 1;
    }
    for key in ended.keys() {
        assert_eq!(entries.remove(key), Some(1), "{key:?}: the CRM has exactly one entry of each call");
    }
    assert!(entries.is_empty(), "the CRM was told of calls that are not there: {entries:?}");
}

/// All pages of a list.
async fn everything(api: &Api, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = path.to_owned();
    loop {
        let mut page = api.get(&next).await;
        if let Value::Array(items) = page["items"].take() {
            all.extend(items);
        }
        match page["next"].as_str() {
            Some(cursor) => next = format!("{path}&cursor={cursor}"),
            None => return all,
        }
    }
}
