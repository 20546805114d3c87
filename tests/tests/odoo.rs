//! The plugin for Odoo against a real Odoo: a real component in the real runtime, by the real way out. What it did is
//! read back from the rows of the database, never by the plugin.
//!
//! A start of Odoo takes seconds, so each test has a server and tries all that one theme promises. All people and numbers
//! are invented; those of the server are in `tests/odoo/seed.py`.

mod changes;
mod contacts;
mod desk;
mod erasure;
mod faults;
mod journal;
mod others;
mod stranger;
mod weather;
