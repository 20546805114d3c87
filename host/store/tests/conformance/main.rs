//! What every store promises, checked on each backend. All people and numbers here are invented.

mod activity;
mod contacts;
mod history;
mod interactions;
mod live;
mod plugins;
mod rebuild;
mod support;
mod tenants;
