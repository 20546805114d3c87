//! End to end: real CRM servers, hostile plugins, faults, architecture rules

pub mod asterisk;
pub mod bottlecrm;
pub mod bottlecrm_plugin;
pub mod docs;
pub mod fixture;
pub mod odoo;
pub mod odoo_plugin;
pub mod peer;
pub mod postgres_peer;
pub mod tryton;
pub mod tryton_plugin;
pub mod weather;
