//! The binary as people and scripts meet it: what it prints, and the number that it ends with.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod channel;
mod commands;
mod credential;
mod help;
mod panel;
mod practice;
mod refusals;
mod simulate;
mod store;
mod support;
