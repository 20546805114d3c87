//! What must be true when all is over, asked as users ask: over the host's REST and the CRM's own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::exchange::Exchange;
use crate::http::Api;
use crate::process::Place;
use crate::receiver::Receiver;

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

/// Compares what was acknowledged with what the host has.
/// Gives the histories by their interactions.
pub(crate) async fn histories(host: &Api, exchange: &Exchange) -> HashMap<String, Value> {
    let told = exchange.told();
    let mut ended: HashMap<Key, Value> = HashMap::new();
    let mut ids = Vec::new();
    for call in everything(host, "/v1/interactions?limit=200").await {
        assert_eq!(call["state"], "ended", "{call}");
        let written = call["journal"].as_array().unwrap();
        let steps: HashSet<&str> = written.iter().map(|one| one["step"].as_str().unwrap()).collect();
        assert_eq!(steps.len(), written.len(), "what became of telling the CRM is told once: {call}");
        assert!(steps.contains("journal") && written.iter().all(|one| one["result"] == "written"), "{call}");
        let started: jiff::Timestamp = call["started_at"].as_str().unwrap().parse().unwrap();
        let key = (call["from"]["e164"].as_str().unwrap().to_owned(), started.as_millisecond());
        ids.push(call["interaction"].as_str().unwrap().to_owned());
        assert!(ended.insert(key, call.clone()).is_none(), "one call became two: {call}");
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
        let row = ended.get(&key).unwrap_or_else(|| panic!("{call} was acknowledged and is lost"));
        let events = histories[row["interaction"].as_str().unwrap()]["items"].as_array().unwrap();
        for (what, told) in [("notes", &told.notes), ("disposition", &told.disposition)] {
            assert_eq!(row[what].as_str(), told.as_deref(), "{call}: acknowledged {what}");
        }
        let of_requests = events.iter().filter(|event| event["cause"]["kind"] == "request").count();
        let requests = [told.contact, told.notes.is_some(), told.disposition.is_some()];
        let requests = requests.into_iter().filter(|done| *done).count();
        assert_eq!(of_requests, requests, "{call}: each request is done once");
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

    histories
}

/// Compares what was acknowledged with what the practice CRM has.
pub(crate) async fn entries(crm: &Api, exchange: &Exchange) {
    let told = exchange.told();
    let ours: HashSet<&str> = told.values().map(|told| told.number.as_str()).collect();
    let mut entries: HashMap<Key, Value> = HashMap::new();
    for activity in everything(crm, "/api/v1/activities?limit=100").await {
        // The CRM's own, or of another host.
        let Some(phone) = activity["phone"].as_str().filter(|phone| ours.contains(phone)) else { continue };
        let key = (phone.to_owned(), activity["started_ms"].as_i64().unwrap());
        let before = entries.insert(key, activity);
        assert!(before.is_none(), "the CRM has two entries of one call: {before:?}");
    }
    for told in told.values() {
        let key = (told.number.clone(), told.started_ms);
        let entry = entries.remove(&key).unwrap_or_else(|| panic!("{key:?}: the CRM has no entry of it"));
        let text = entry["body"].as_str().unwrap_or_default();
        if let Some(notes) = &told.notes {
            assert!(text.contains(notes.as_str()), "the CRM has not heard of `{notes}`: {entry}");
        }
        if let Some(disposition) = &told.disposition {
            assert_eq!(text.matches(disposition.as_str()).count(), 1, "`{disposition}`, once: {entry}");
        }
        // However often a change was sent, it was made once.
        let changes = entry["amendments"].as_array().map_or(0, Vec::len);
        assert_eq!(text.matches("Added: ").count(), changes, "{entry}");
    }
    assert!(entries.is_empty(), "the CRM was told of calls that are not there: {entries:?}");
}

/// That a webhook's receiver got each event of each history at least once, and nothing else.
pub(crate) fn heard(receiver: &Receiver, histories: &HashMap<String, Value>) {
    let mut came = receiver.by_interaction();
    for (interaction, history) in histories {
        // That a CRM was told is told nobody.
        let told =
            history["items"].as_array().unwrap().iter().filter(|one| one["what"]["event"] != "journaled.1");
        let told: Vec<(u64, &str)> =
            told.map(|one| (one["seq"].as_u64().unwrap(), one["id"].as_str().unwrap())).collect();
        let heard = came.remove(interaction).unwrap_or_default();
        let heard: Vec<(u64, &str)> = heard.iter().map(|one| (one.seq, &*one.id)).collect();
        assert_eq!(heard, told, "{interaction}: each event reached the webhook, in order");
    }
    assert!(came.is_empty(), "the webhook was told of what is not there: {came:?}");
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
