//! `make bench`: what a sealed, isolated call costs beside the same work done with less.
//!
//! What is compared is measured in turns within one run, and medians are divided: on a shared machine a noisy
//! moment then hits all of them alike, and the ratio stays. Absolute times are printed for orientation only.

mod bare;
mod memory;
mod sample;
mod world;

use std::process::Command;
use std::time::Duration;

use sample::{Table, median_of};
use world::World;

fn main() {
    ramal_engine::intercept_worker();
    if std::env::args().nth(1).as_deref() == Some("parse-once") {
        // The peer "a process for each call": start, parse, end.
        std::process::exit(i32::from(world::parse(&world::answer(1)).is_empty()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // `cargo bench … --bench calls -- sealed` (or `bare`, `load`, `hold`): nothing but that, under a profiler.
    if let Some(what) = std::env::args().nth(1).filter(|arg| !arg.starts_with('-')) {
        return runtime.block_on(only(&what));
    }
    runtime.block_on(calls());
    runtime.block_on(parts());
    runtime.block_on(loading());
    throughput();
}

async fn only(what: &str) {
    let world = World::new().await;
    if what == "hold" {
        let (each, count) = memory::of_components(&world).await;
        return println!("{count} components, {:.1} KiB each", each / 1024.0);
    }
    let bare = bare::Bare::new(world.component().await);
    let text = String::from_utf8(world::answer(1)).unwrap();
    for _ in 0..if what == "load" { 500 } else { 50_000 } {
        match what {
            "sealed" => assert_eq!(world.find().await, 1),
            "bare" => assert_eq!(bare.find(&text).await, 1),
            "load" => drop(world.load_another(0).await),
            other => panic!("there is no `{other}` to run alone: sealed, bare, load, hold"),
        }
    }
}

/// One call of `contacts.find-by-phone` with a 2 KB answer, done in five ways.
async fn calls() {
    let world = World::new().await;
    let bare = bare::Bare::new(world.component().await);
    let body = world::answer(1);
    let text = String::from_utf8(body.clone()).unwrap();
    assert!(body.len() > 1_900 && body.len() < 2_300, "the answer has {} bytes", body.len());
    assert_eq!(world.find().await, 1, "the sealed call finds the contact");
    assert_eq!(bare.find(&text).await, 1, "the bare call finds the contact");

    let mut table = Table::new("one call, 2 KB answer", "bare");
    for _ in 0..sample::ROUNDS {
        table.add("native", sample::sync(|| drop(std::hint::black_box(world::parse(&body)))));
        table.add("bare", sample::future(|| bare.find(&text)).await);
        table.add("sealed", sample::future(|| world.find()).await);
        table.add("denied", sample::future(|| world.denied()).await);
        table.add("instantiate", sample::future(|| bare.instantiate()).await);
    }
    for _ in 0..40 {
        table.add(
            "process",
            sample::once(|| {
                let done = Command::new(std::env::current_exe().unwrap()).arg("parse-once").status().unwrap();
                assert!(done.success());
            }),
        );
    }
    table.print();
    println!("  goal: sealed at most 2.00 × bare: {:.2}", table.ratio("sealed", "bare"));
    println!("  goal: sealed under 0.10 × process: {:.3}", table.ratio("sealed", "process"));
}

/// What is inside of a sealed call, without a guest.
async fn parts() {
    let world = World::new().await;
    let mut table = Table::new("parts of a call", "seal + build request");
    let small = world::answer(1);
    let large = world::answer(100);
    assert!(large.len() > 190_000 && large.len() < 230_000, "the answer has {} bytes", large.len());
    for _ in 0..sample::ROUNDS {
        table.add("seal + build request", sample::sync(|| drop(world.prepared())));
        table.add("parse 2 KB natively", sample::sync(|| drop(world::parse(&small))));
        table.add("… + project 2 KB", sample::sync(|| drop(world.projected(&small))));
    }
    for _ in 0..60 {
        table.add("parse 200 KB natively", sample::once(|| drop(world::parse(&large))));
        table.add("… + project 200 KB", sample::once(|| drop(world.projected(&large))));
    }
    table.print();
    println!(
        "  project / native parse: 2 KB {:.2}, 200 KB {:.2}",
        (table.median("… + project 2 KB") - table.median("seal + build request"))
            / table.median("parse 2 KB natively"),
        (table.median("… + project 200 KB") - table.median("seal + build request"))
            / table.median("parse 200 KB natively")
    );
}

/// Loading, and what idle plugins hold.
async fn loading() {
    let world = World::new().await;
    let cold = sample::future_once(|| world.load_cold()).await;
    let mut times = Vec::new();
    world.load_another(0).await;
    for _ in 0..30 {
        times.push(sample::future_once(|| world.load_another(0)).await);
    }
    let cached = median_of(times);
    let shared = median_of({
        let mut times = Vec::new();
        for _ in 0..30 {
            times.push(sample::future_once(|| world.load_shared()).await);
        }
        times
    });
    println!(
        "\nloading\n  from wasm (checked, compiled in a child)  {:>9.1} ms\n  from the cache (verified, mapped)         {:>9.2} ms   goal: under 5 ms\n  the same component for one tenant more    {:>9.2} ms",
        ms(cold),
        ms(cached),
        ms(shared)
    );
    println!(
        "\nanonymous memory of loaded plugins, idle; code is mapped from files   goal: under 100 KiB each"
    );
    let (each, count) = memory::of_tenants(&world).await;
    println!("  one component for {count} tenants    {:>7.1} KiB each", each / 1024.0);
    let (each, count) = memory::of_components(&world).await;
    println!("  {count} components                   {:>7.1} KiB each", each / 1024.0);
}

/// Calls a second on one thread and on two.
fn throughput() {
    println!("\nthroughput, sealed calls");
    let mut rates = Vec::new();
    for threads in [1, 2] {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap();
        let rate = runtime.block_on(async {
            let world = std::sync::Arc::new(World::new().await);
            let calls = 6_000;
            let started = std::time::Instant::now();
            let workers: Vec<_> = (0..16)
                .map(|_| {
                    let world = world.clone();
                    tokio::spawn(async move {
                        for _ in 0..calls / 16 {
                            assert_eq!(world.find().await, 1);
                        }
                    })
                })
                .collect();
            for worker in workers {
                worker.await.unwrap();
            }
            f64::from(calls) / started.elapsed().as_secs_f64()
        });
        println!("  {threads} thread{}  {rate:>9.0} calls/s", if threads == 1 { " " } else { "s" });
        rates.push(rate);
    }
    println!("  2 threads / 1 thread: {:.2}", rates[1] / rates[0]);
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
