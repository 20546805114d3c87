//! Real Asterisk exchanges, with SIPp as customers, carriers and agents. All numbers are invented.

mod ari;
mod controller;
mod host;
mod peer;
mod queues;

use ramal_tests::asterisk::{Asterisk, Release};

/// An exchange for a test, or `None` after saying why there is none.
async fn exchange(release: Release, changes: &[(&str, &str, &str)], test: &str) -> Option<Asterisk> {
    let started = Asterisk::start_changed(release, changes).await.unwrap();
    started.or_skip(test)
}
