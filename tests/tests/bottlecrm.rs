//! The plugin for BottleCRM against a real BottleCRM: a real component in the real runtime, by the real way out. What it
//! did is read back from the rows of the database or by a bare request, never by the plugin.
//!
//! All people and numbers are invented; those of the server are in `tests/bottlecrm/seed.py`.

mod changes;
mod contacts;
mod contract;
mod desk;
mod erasure;
mod faults;
mod journal;
mod others;
mod server;
mod stranger;
mod weather;
