//! Delivery to CRMs and webhooks that loses nothing: the worker of the outbox, and the rules that it goes by.
//!
//! ```text
//! Worker            leases what is due, starts a job for each lane        worker
//!  └─ job           one try: key lock → Courier → decision → settlement   worker::job
//!      ├─ Courier   who speaks with the receiver (a plugin, a webhook)    courier
//!      └─ decide    outcome → done, retry, pause, dead                    decision, backoff
//! Upstreams         what a CRM account can take: budget and circuit       upstream, budget, circuit
//! ```
//!
//! At least once is the store's word, exactly one effect is the key's: every try of a step carries the same
//! idempotency key, and the receiver recognises a repetition by it, in the way that the plugin's manifest names.
//! Where that way is to look first and write then (`search-before-create`), two tries at once could both look before
//! either writes, so the worker lets one key through at a time.
//!
//! The rules ([`backoff()`], [`decide`], [`Bucket`], [`Circuit`]) are pure: the time and the dice are arguments.
#![deny(missing_docs)]

mod backoff;
mod budget;
mod circuit;
mod courier;
mod decision;
mod history;
mod locks;
mod upstream;
mod worker;

pub use backoff::{BASE, CAP, backoff};
pub use budget::{Bucket, Class, Rate};
pub use circuit::{Admission, Circuit, Verdict};
pub use courier::{Courier, Outcome, Road};
pub use decision::{Attempt, DELIVERY_DAY, FEWEST_TRIES, LONGEST_WAIT, decide};
pub use upstream::{Pass, Upstream, Upstreams};
pub use worker::{DeliveryObserver, Unobserved, Worker, WorkerParts, WorkerSettings};
