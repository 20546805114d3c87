//! Short samples and their medians.

use std::future::Future;
use std::time::{Duration, Instant};

/// Turns: in each, every contender is measured once.
pub(crate) const ROUNDS: usize = 60;
/// Calls in one sample; its time is divided by them.
const CALLS: u32 = 50;

pub(crate) fn sync(mut work: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    started.elapsed() / CALLS
}

pub(crate) async fn future<F: Future>(mut work: impl FnMut() -> F) -> Duration {
    let started = Instant::now();
    for _ in 0..CALLS {
        std::hint::black_box(work().await);
    }
    started.elapsed() / CALLS
}

pub(crate) fn once(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

pub(crate) async fn future_once<F: Future>(work: impl FnOnce() -> F) -> Duration {
    let started = Instant::now();
    std::hint::black_box(work().await);
    started.elapsed()
}

pub(crate) fn median_of(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Contenders with their samples.
pub(crate) struct Table {
    title: &'static str,
    baseline: &'static str,
    rows: Vec<(&'static str, Vec<Duration>)>,
}

impl Table {
    pub(crate) fn new(title: &'static str, baseline: &'static str) -> Self {
        Self { title, baseline, rows: Vec::new() }
    }
    pub(crate) fn add(&mut self, name: &'static str, sample: Duration) {
        match self.rows.iter_mut().find(|(n, _)| *n == name) {
            Some((_, samples)) => samples.push(sample),
            None => self.rows.push((name, vec![sample])),
        }
    }
    /// Microseconds.
    pub(crate) fn median(&self, name: &str) -> f64 {
        let (_, samples) = self.rows.iter().find(|(n, _)| *n == name).unwrap();
        median_of(samples.clone()).as_secs_f64() * 1e6
    }
    pub(crate) fn ratio(&self, of: &str, to: &str) -> f64 {
        self.median(of) / self.median(to)
    }
    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        for (name, samples) in &self.rows {
            println!(
                "  {name:<24} {:>9.1} µs  {:>7.2} × {}   (median of {})",
                self.median(name),
                self.ratio(name, self.baseline),
                self.baseline,
                samples.len()
            );
        }
    }
}
