//! What every plugin must hold that asks its CRM for changes: nothing is lost, news ends, and what was there before is
//! none.

use std::collections::BTreeSet;

use ramal_capability::Purpose;
use ramal_engine::{CrmFact, HandleEvent, News};

use super::Desk;

/// Rounds in which a change may be told again: one tells it, one looks back.
const ROUNDS: usize = 2;

/// A host that asks again and again.
pub(crate) struct Listener<'d> {
    desk: &'d Desk,
    cursor: Option<String>,
}

impl<'d> Listener<'d> {
    pub(crate) fn new(desk: &'d Desk) -> Self {
        Self { desk, cursor: None }
    }

    /// All that is told at one time, page by page.
    pub(crate) async fn round(&mut self) -> Vec<CrmFact> {
        let mut facts = Vec::new();
        loop {
            let ask = HandleEvent::Tick { cursor: self.cursor.clone() };
            let News { facts: told, next, more } = self.desk.call(Purpose::Sync, ask).await.unwrap();
            facts.extend(told);
            self.cursor = next.or(self.cursor.take());
            if !more {
                return facts;
            }
        }
    }

    /// Asks until it is up to date: then nothing is told any more.
    pub(crate) async fn catch_up(&mut self) {
        for _ in 0..=ROUNDS {
            self.round().await;
        }
        assert_eq!(self.round().await, [], "news comes to an end");
    }

    /// Asserts what the next round tells, and that it is no news for ever.
    pub(crate) async fn hears(&mut self, expected: &[CrmFact]) {
        let told = self.round().await;
        assert_eq!(names(&told), names(expected));
        assert_eq!(told.len(), expected.len(), "each once in a round: {told:?}");
        self.catch_up().await;
    }
}

fn names(facts: &[CrmFact]) -> BTreeSet<String> {
    facts.iter().map(|fact| format!("{fact:?}")).collect()
}
