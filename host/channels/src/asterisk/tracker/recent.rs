//! The last names that were used up, so many and no more: without a bound a host that runs for a year would keep all.

use std::collections::{HashSet, VecDeque};

#[derive(Debug)]
pub(crate) struct Recent {
    names: HashSet<String>,
    order: VecDeque<String>,
    most: usize,
}

impl Recent {
    pub(crate) fn new(most: usize) -> Self {
        Self { names: HashSet::new(), order: VecDeque::new(), most }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    pub(crate) fn add(&mut self, name: &str) {
        if !self.names.insert(name.to_owned()) {
            return;
        }
        self.order.push_back(name.to_owned());
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.names.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut recent = Recent::new(2);
        ["a", "b", "a", "c"].into_iter().for_each(|name| recent.add(name));
        assert_eq!(["a", "b", "c"].map(|name| recent.has(name)), [false, true, true]);
    }
}
