//! The record of every disclosure: what left, to whom, why, under which grant.
//!
//! One row for each request that left the host, with the *classes* of what it carried and never a value, so
//! that "which companies received this person's CPF?" has an answer and the answer is not itself a copy of
//! the customer base. The way out asks [`DisclosureSink::ready`] before it sends anything: when rows cannot
//! be written, nothing leaves. The failure that this prevents is the silent one, a log that stopped weeks ago
//! while the requests went on.
//!
//! [`JsonLines`] is a file of JSON lines; [`Recording`] keeps rows in memory for tests; [`Deny`] is a sink
//! that is never ready.
#![deny(missing_docs)]

mod disclosure;
mod file;
mod jsonlines;
mod sink;

pub use disclosure::{DisclosedBy, Disclosure, Outcome};
pub use jsonlines::{JsonLines, read};
pub use sink::{Deny, DisclosureSink, Recording, SinkError};
