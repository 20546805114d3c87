//! The real `ramal` dies, again and again, at any moment of a burst of events, notes and dispositions: what it
//! acknowledged is there, what it told the CRM it told once, each event reached the webhook, and its rows are what their
//! events make.
//!
//! Nothing in here is played: the host is a process that gets SIGKILL, the practice CRM is another one that lives on,
//! events come signed over HTTP and are asked for over HTTP. The same with PostgreSQL, with a PostgreSQL that is
//! restarted under load, on a disk that is full, and under a clock that jumps.
//!
//! A seed decides when to kill; it is printed. `RAMAL_CRASH_SEED` tries one again: the moments are the same, what the
//! machine does in between is not. Everybody who calls is invented.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod clock;
mod disk;
mod exchange;
mod http;
mod kills;
mod postgres;
mod process;
mod receiver;
mod tryton;
mod verdict;
