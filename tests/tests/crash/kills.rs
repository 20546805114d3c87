//! Kill, start again, go on: over and over, several hosts side by side.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rstest::rstest;
use serde_json::Value;

use crate::exchange::Exchange;
use crate::http::Api;
use crate::process::{Crm, Host, Place, kill_in_the_bud};
use crate::receiver::Receiver;
use crate::verdict;

/// Acknowledged events after which a burst is cut off, at most.
const LONGEST_BURST: usize = 36;
/// The share of hosts that die before they are up.
const IN_THE_BUD: f64 = 0.05;
/// A start takes less; a host dies at any moment of it.
const STARTING: Duration = Duration::from_millis(120);
/// How long after the last event a host dies at most.
const LATER: Duration = Duration::from_millis(8);
/// Every so many kills it is looked whether deliveries were in hand.
const LOOK: usize = 5;
/// Every so many kills the database is checked as an operator does.
const CHECK: usize = 50;

/// A CRM that lives on, as the verdict sees it.
pub(crate) trait Books {
    /// Compares what was acknowledged with what it has.
    async fn compare(&self, exchange: &Exchange);
}

impl Books for Crm {
    async fn compare(&self, exchange: &Exchange) {
        verdict::entries(&self.api, exchange).await;
    }
}

/// What the kills of one host met.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    in_the_bud: usize,
    /// Kills with requests under way, and how many requests.
    with_requests: usize,
    requests: usize,
    /// Kills after which it was looked for deliveries in hand, those that had some, and how many deliveries.
    looked: usize,
    with_deliveries: usize,
    deliveries: usize,
}

impl Tally {
    pub(crate) fn and(self, other: &Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            in_the_bud: self.in_the_bud + other.in_the_bud,
            with_requests: self.with_requests + other.with_requests,
            requests: self.requests + other.requests,
            looked: self.looked + other.looked,
            with_deliveries: self.with_deliveries + other.with_deliveries,
            deliveries: self.deliveries + other.deliveries,
        }
    }

    /// Kills that meet an idle host prove nothing.
    pub(crate) fn says_something(&self) {
        println!(
            "{} kills, {} of them during the start; {} with requests under way ({} requests); of {} looked at, {} \
             with deliveries in hand ({} deliveries)",
            self.kills,
            self.in_the_bud,
            self.with_requests,
            self.requests,
            self.looked,
            self.with_deliveries,
            self.deliveries
        );
        let up = self.kills - self.in_the_bud;
        assert!(self.with_requests * 10 >= up * 8, "too few kills met requests under way");
        assert!(self.looked > 0 && self.with_deliveries * 3 >= self.looked, "too few kills met deliveries");
    }
}

/// The seed of this run: the one that is asked for, or another each time.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("RAMAL_CRASH_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seed = seed.unwrap_or_else(rand::random);
    println!("RAMAL_CRASH_SEED={seed}");
    seed
}

/// Kills one host so many times, then lets it bring everything to its end and compares.
pub(crate) async fn kill_again_and_again(
    crm: &impl Books,
    place: &Place,
    exchange: &mut Exchange,
    kills: usize,
    seed: u64,
) -> (Tally, HashMap<String, Value>) {
    let mut dice = StdRng::seed_from_u64(seed);
    let mut tally = Tally::default();
    // When the host before this one was started, by its clock.
    let mut before = None;
    while tally.kills < kills {
        if dice.random_bool(IN_THE_BUD) {
            let child = place.spawn();
            // No wait for something: a moment by chance.
            tokio::time::sleep(STARTING.mul_f64(dice.random())).await;
            kill_in_the_bud(child).await;
            tally.kills += 1;
            tally.in_the_bud += 1;
            continue;
        }
        let started = jiff::Timestamp::now();
        let host = place.start().await;
        if let Some(since) = before
            && tally.kills % LOOK == 0
        {
            let in_hand = in_hand(&host.api, since, started).await;
            tally.looked += 1;
            tally.with_deliveries += usize::from(in_hand > 0);
            tally.deliveries += in_hand;
        }
        let mut burst = exchange.burst(&host.api);
        burst.acknowledged(dice.random_range(1..=LONGEST_BURST)).await;
        // As above.
        tokio::time::sleep(LATER.mul_f64(dice.random())).await;
        let requests = exchange.in_flight();
        host.kill().await;
        exchange.hang_up(burst).await;
        tally.kills += 1;
        tally.with_requests += usize::from(requests > 0);
        tally.requests += requests;
        before = Some(started);
        if tally.kills % CHECK == 0 {
            place.check().await;
        }
    }
    let host = place.start().await;
    (tally, finish(crm, place, exchange, host).await)
}

/// Brings every call to its end, waits until the CRM knows of each, and compares everything with everything.
/// Gives the histories.
pub(crate) async fn finish(
    crm: &impl Books,
    place: &Place,
    exchange: &mut Exchange,
    host: Host,
) -> HashMap<String, Value> {
    exchange.begin_no_more();
    let burst = exchange.burst(&host.api);
    exchange.hang_up(burst).await;
    assert!(!exchange.is_busy(), "the last host died\n{}", place.end_of_log());
    verdict::delivered(&host.api, place).await;
    let histories = verdict::histories(&host.api, exchange).await;
    crm.compare(exchange).await;
    assert!(host.stop().await.success(), "{}", place.end_of_log());
    place.check().await;
    histories
}

/// Deliveries that the host before held when it died: tried in its time, and nothing was said of it.
async fn in_hand(api: &Api, since: jiff::Timestamp, until: jiff::Timestamp) -> usize {
    let mut found = 0;
    let mut path = "/v1/deliveries?state=open&limit=200".to_owned();
    loop {
        let page = api.get(&path).await;
        for delivery in page["items"].as_array().unwrap() {
            let tried: Option<jiff::Timestamp> = delivery["tried_at"].as_str().map(|at| at.parse().unwrap());
            let then = tried.is_some_and(|at| at >= since && at < until);
            found += usize::from(then && delivery["failure"].is_null());
        }
        match page["next"].as_str() {
            Some(next) => path = format!("/v1/deliveries?state=open&limit=200&cursor={next}"),
            None => return found,
        }
    }
}

/// Several hosts side by side over one CRM.
async fn side_by_side(hosts: usize, kills: usize) {
    let (seed, begun) = (seed(), Instant::now());
    let crm = std::sync::Arc::new(Crm::start().await);
    let tasks: Vec<_> = (0..hosts)
        .map(|number| {
            let crm = crm.clone();
            let seed = seed.wrapping_add(number as u64);
            tokio::spawn(async move {
                // Every other host is busy with look-ups as well.
                let receiver = Receiver::start().await;
                let place = Place::telling(&crm, number % 2 == 0, None, Some(&receiver));
                let mut exchange = Exchange::new(number, seed);
                let (tally, histories) =
                    kill_again_and_again(&*crm, &place, &mut exchange, kills / hosts, seed).await;
                verdict::heard(&receiver, &histories);
                println!("{} posts to the webhook", receiver.posts());
                (tally, exchange.counts().acknowledged.load(Ordering::SeqCst), exchange.told().len())
            })
        })
        .collect();
    let (mut all, mut acknowledged, mut calls) = (Tally::default(), 0, 0);
    for task in tasks {
        let (tally, events, told) = task.await.unwrap();
        all = all.and(&tally);
        acknowledged += events;
        calls += told;
    }
    println!("{acknowledged} events of {calls} calls were acknowledged, in {:?}", begun.elapsed());
    all.says_something();
}

#[rstest]
// With those over PostgreSQL and beside Tryton more than a thousand.
#[case::nine_hundred_times(900)]
#[ignore = "takes a quarter of an hour; `make soak` runs it"]
#[case::ten_thousand_times(10_000)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_lost_or_told_twice_however_the_host_is_killed(
    #[case] kills: usize,
) {
    side_by_side(4, kills).await;
}
