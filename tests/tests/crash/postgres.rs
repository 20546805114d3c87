//! The same over PostgreSQL: the host is killed; and the server is restarted under a host that lives on.

use std::sync::Arc;
use std::time::Instant;

use ramal_store::testing::TestPostgres;
use rstest::rstest;

use crate::exchange::Exchange;
use crate::kills::{self, Tally};
use crate::process::{Crm, Place};

#[rstest]
#[case::a_hundred_times(100)]
#[ignore = "takes minutes; `make soak` runs it"]
#[case::a_thousand_times(1_000)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_postgresql_nothing_is_lost_or_told_twice_however_the_host_is_killed(#[case] kills: usize) {
    const HOSTS: usize = 2;
    let Some(postgres) = TestPostgres::start("over_postgresql_nothing_is_lost").await.unwrap() else {
        return;
    };
    let (seed, begun) = (kills::seed(), Instant::now());
    let crm = Arc::new(Crm::start().await);
    let mut tasks = Vec::new();
    for number in 0..HOSTS {
        let (crm, url) = (crm.clone(), postgres.database().await.unwrap());
        let seed = seed.wrapping_add(number as u64);
        tasks.push(tokio::spawn(async move {
            let place = Place::new(&crm, number % 2 == 0, Some(&url));
            let mut exchange = Exchange::new(number, seed);
            kills::kill_again_and_again(&*crm, &place, &mut exchange, kills / HOSTS, seed).await.0
        }));
    }
    let mut all = Tally::default();
    for task in tasks {
        all = all.and(&task.await.unwrap());
    }
    println!("in {:?}", begun.elapsed());
    all.says_something();
}

/// Restarts of PostgreSQL; every other one is a kill.
const RESTARTS: usize = 24;
/// Events that are acknowledged between two of them.
const BETWEEN: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_heals_from_restarts_of_postgresql_under_load() {
    let Some(mut postgres) = TestPostgres::start_durable("a_host_heals_from_restarts").await.unwrap() else {
        return;
    };
    let url = postgres.database().await.unwrap();
    let crm = Crm::start().await;
    let place = Place::new(&crm, true, Some(&url));
    let mut exchange = Exchange::new(0, kills::seed());
    let mut host = place.start().await;
    let mut burst = exchange.burst(&host.api);
    for restart in 0..RESTARTS {
        burst.acknowledged(BETWEEN).await;
        if restart % 2 == 0 {
            postgres.restart_at_once().await.unwrap();
        } else {
            postgres.kill_and_start().await.unwrap();
        }
        // What was acknowledged meanwhile may have been before it went down.
        burst.count_anew();
        assert!(host.is_alive(), "{}", place.end_of_log());
    }
    burst.acknowledged(BETWEEN).await;
    exchange.begin_no_more();
    exchange.hang_up(burst).await;
    let refused = exchange.refused();
    println!("{RESTARTS} restarts, {refused} events were refused and sent again");
    assert!(refused > 0, "no event met a restart");
    kills::finish(&crm, &place, &mut exchange, host).await;
}
