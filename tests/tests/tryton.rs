//! The plugin for Tryton against a real Tryton: a real component in the real runtime, by the real way out. What it
//! did is read back by the vendor's own client or from the rows of the database, never by the plugin.
//!
//! All people and numbers are invented; those of the server are in `tests/tryton/seed.py`.

mod card;
mod changes;
mod contacts;
mod desk;
mod erasure;
mod faults;
mod journal;
mod others;
mod stranger;
mod weather;
