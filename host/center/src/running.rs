//! Counts the work in hand, so that a shutdown can close the door and wait for what is inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

#[derive(Debug, Clone)]
pub(crate) struct Running {
    count: Arc<watch::Sender<usize>>,
    closed: Arc<AtomicBool>,
}

/// Work in hand; it is done when this is dropped, also by a panic.
#[derive(Debug)]
pub(crate) struct Ticket(Arc<watch::Sender<usize>>);

impl Running {
    pub(crate) fn new() -> Self {
        Self { count: Arc::new(watch::Sender::new(0)), closed: Arc::default() }
    }

    /// A place for new work; `None` when the door is closed.
    pub(crate) fn enter(&self) -> Option<Ticket> {
        // Counted first: a shutdown between the two lines then waits for it.
        let ticket = Ticket::new(&self.count);
        (!self.closed.load(Ordering::SeqCst)).then_some(ticket)
    }

    /// Closes the door and waits until all is done. False when the time was up first.
    pub(crate) async fn finish(&self, limit: Duration) -> bool {
        self.closed.store(true, Ordering::SeqCst);
        let mut count = self.count.subscribe();
        tokio::time::timeout(limit, count.wait_for(|n| *n == 0)).await.is_ok()
    }
}

impl Ticket {
    fn new(count: &Arc<watch::Sender<usize>>) -> Self {
        count.send_modify(|n| *n = n.saturating_add(1));
        Self(count.clone())
    }

    /// A place for work that follows from this one, also when the door is closed meanwhile.
    pub(crate) fn follow_up(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.send_modify(|n| *n = n.saturating_sub(1));
    }
}
