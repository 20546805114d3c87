//! The product against what we did not write: real CRM servers, hostile plugins, an integrator's own program.
//!
//! One program, because each that holds the whole host is a quarter of a gigabyte and half a minute of linking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bottlecrm;
mod composed;
mod corpus;
mod desk;
mod embed;
mod hooks;
mod look_ups;
mod odoo;
mod odoo_peer;
mod practice;
mod tryton;
mod tryton_peer;
mod zoo;
