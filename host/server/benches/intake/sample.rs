//! Samples and their medians.

use std::time::Duration;

/// Contenders with their samples.
pub(crate) struct Table {
    title: String,
    baseline: &'static str,
    rows: Vec<(&'static str, Vec<Duration>)>,
}

impl Table {
    pub(crate) fn new(title: String, baseline: &'static str) -> Self {
        Self { title, baseline, rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, name: &'static str, sample: Duration) {
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, samples)) => samples.push(sample),
            None => self.rows.push((name, vec![sample])),
        }
    }

    /// Microseconds.
    fn median(&self, name: &str) -> f64 {
        let (_, samples) = self.rows.iter().find(|(known, _)| *known == name).unwrap();
        let mut samples = samples.clone();
        samples.sort_unstable();
        samples[samples.len() / 2].as_secs_f64() * 1e6
    }

    pub(crate) fn ratio(&self, of: &str, to: &str) -> f64 {
        self.median(of) / self.median(to)
    }

    pub(crate) fn print(&self) {
        println!("\n{}", self.title);
        for (name, samples) in &self.rows {
            println!(
                "  {name:<16} {:>9.1} µs  {:>7.2} × {}   (median of {})",
                self.median(name),
                self.ratio(name, self.baseline),
                self.baseline,
                samples.len()
            );
        }
    }
}
