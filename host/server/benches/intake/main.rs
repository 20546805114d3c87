//! `make bench`: what an event costs from its signature to the disk and the panel, and a delivery from the outbox to
//! its settlement, beside a bare durable insert of the same bytes.
//!
//! What is compared is measured in turns within one run, and medians are divided: on a shared machine a noisy moment
//! then hits all of them alike, and the ratio stays. A durable insert waits for the disk; many at once can share that
//! wait, which is what group commit is for, so each is measured alone and with many at once.
//!
//! `RAMAL_BENCH_STORED` is how many interactions the large store has (1000000), `RAMAL_BENCH_ONLY` one backend. All
//! people and numbers are invented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod drain;
mod fill;
mod sample;
mod world;

use std::time::Instant;

use ramal_store::testing::TestPostgres;
use sample::Table;
use world::World;

/// Events that are sent at once.
const AT_ONCE: [usize; 3] = [1, 8, 64];
/// Turns: in each, every contender is measured once.
const ROUNDS: usize = 30;
/// Interactions of the small store.
const FEW: usize = 1_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let only = std::env::var("RAMAL_BENCH_ONLY").ok();
        let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
        if wanted("sqlite") {
            let folder = tempfile::tempdir().unwrap();
            let make = async |name: &str| World::sqlite(&folder.path().join(name)).await;
            both("SQLite", make).await;
        }
        if wanted("postgres")
            && let Some(postgres) = TestPostgres::start_durable("the benchmark of PostgreSQL").await.unwrap()
        {
            let make = async |_: &str| World::postgres(&postgres).await;
            both("PostgreSQL", make).await;
        }
    });
}

async fn both(backend: &str, make: impl AsyncFn(&str) -> World) {
    costs(backend, &make("costs").await).await;
    flatness(backend, &make("few").await, &make("many").await).await;
}

/// An event taken and a delivery made, each as a multiple of a bare insert.
async fn costs(backend: &str, world: &World) {
    for at_once in AT_ONCE {
        let mut table = Table::new(format!("{backend}, {at_once} at once"), "bare insert");
        for _ in 0..ROUNDS {
            table.add("bare insert", world.bare(at_once).await);
            table.add("event taken", world.take(at_once).await);
            table.add("delivery made", drain::sample(world, at_once).await);
        }
        table.print();
        let goal = if at_once == 1 { "" } else { "   goal: at most 3.00" };
        println!("  event / bare insert: {:.2}{goal}", table.ratio("event taken", "bare insert"));
    }
}

/// The same with few and with many stored interactions.
async fn flatness(backend: &str, few: &World, many: &World) {
    let stored = std::env::var("RAMAL_BENCH_STORED").map_or(1_000_000, |n| n.parse().expect("a number"));
    fill::fill(few, FEW).await;
    let begun = Instant::now();
    fill::fill(many, stored).await;
    println!("\n{backend}: {stored} interactions were stored in {:.0} s", begun.elapsed().as_secs_f64());
    for at_once in [1, 64] {
        let title = format!("{backend}, {at_once} at once, with {FEW} and with {stored} stored");
        let mut table = Table::new(title, "event, few");
        for _ in 0..ROUNDS {
            table.add("event, few", few.take(at_once).await);
            table.add("event, many", many.take(at_once).await);
            table.add("delivery, few", drain::sample(few, at_once).await);
            table.add("delivery, many", drain::sample(many, at_once).await);
        }
        table.print();
        println!(
            "  goal: many / few is flat: event {:.2}, delivery {:.2}",
            table.ratio("event, many", "event, few"),
            table.ratio("delivery, many", "delivery, few")
        );
    }
}
