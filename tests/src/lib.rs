//! End to end: real CRM servers, hostile plugins, faults, architecture rules

pub mod docs;
pub mod peer;
pub mod tryton;
pub mod tryton_plugin;
