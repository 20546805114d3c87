//! Step 10 of the order: one row for each request that left, however its exchange ends. The row is a guard:
//! a future that is dropped in the middle ("revoke now", a deadline, a stop of the server) writes it too,
//! because the recipient may hold the data by then. A request that never got a connection leaves none.

use std::sync::Arc;

use hyper_util::client::legacy::connect::CaptureConnection;
use jiff::Timestamp;
use ramal_capability::{Actor, Invocation, Prepared};
use ramal_ledger::{DisclosedBy, Disclosure, DisclosureSink, Outcome};

/// A row that is written when it is dropped, if the request got a connection.
pub(crate) struct Pending<'a> {
    sink: &'a dyn DisclosureSink,
    row: Option<Disclosure>,
    connection: CaptureConnection,
    /// Bytes of the answer's body so far.
    pub(crate) bytes_in: u64,
}

impl<'a> Pending<'a> {
    /// Begins the row of a request that is about to leave.
    pub(crate) fn begin(
        sink: &'a dyn DisclosureSink,
        row: Disclosure,
        connection: CaptureConnection,
    ) -> Self {
        Self { sink, row: Some(row), connection, bytes_in: 0 }
    }

    /// Notes the status that came.
    pub(crate) fn status(&mut self, status: u16) {
        if let Some(row) = &mut self.row {
            row.status = Some(status);
        }
    }

    /// Writes the row.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        if let Some(row) = &mut self.row {
            row.outcome = outcome;
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let Some(mut row) = self.row.take() else { return };
        // A status came, so there was a connection; without one nothing left.
        if row.status.is_none() && self.connection.connection_metadata().is_none() {
            return;
        }
        row.bytes_in = self.bytes_in;
        let by = row.by.clone();
        if let Err(error) = self.sink.record(row) {
            // The sink keeps the row; its `ready` refuses what comes next.
            tracing::error!(%by, %error, "a disclosure waits to be recorded");
        }
    }
}

/// The row of a plugin's request; how it ends is not known yet.
pub(crate) fn row(inv: &Invocation, prepared: &Prepared, destination: &Arc<str>) -> Disclosure {
    let (plan, authority) = (inv.plan(), inv.authority());
    Disclosure {
        at: Timestamp::now(),
        tenant: plan.tenant().clone(),
        by: DisclosedBy::Plugin {
            plugin: plan.plugin().clone(),
            version: plan.version().into(),
            digest: plan.digest(),
            grant_revision: plan.grant_revision(),
            route: prepared.route().clone(),
        },
        purpose: authority.purpose,
        interaction: authority.interaction,
        user: match &authority.actor {
            Actor::System => None,
            Actor::User { id, .. } => Some(id.clone()),
        },
        subject: authority.subject.as_ref().map(|s| s.0.clone()),
        classes: prepared.disclosed().iter().map(|d| (d.class, d.count)).collect(),
        origin: destination.clone(),
        method: prepared.method().as_str().to_owned(),
        bytes_out: prepared.bytes(),
        bytes_in: 0,
        status: None,
        outcome: Outcome::SentAbandoned,
    }
}
