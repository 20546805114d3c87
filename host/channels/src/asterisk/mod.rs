//! Asterisk, by its REST interface and the events that come with it (ARI).
//!
//! ```text
//! WebSocket ─▶ message ─▶ tracker (pure) ─▶ CallEvents ─▶ center
//! /channels, /bridges ─▶ resync ─┘             ▲
//! orders ─▶ desk ─▶ REST ──────────────────────┘ what this host did itself
//! RecordingFinished ─▶ recorder: fetch, check, keep, tell, delete
//! ```
//!
//! Two kinds of calls are heard. Those that the dialplan keeps are watched only (`subscribeAll`); those that it hands
//! over with `Stasis()`, and those that this host makes, can be held, handed on, muted and recorded as well. What the
//! exchange has to be told for it is in `docs/asterisk`.

pub mod ami;
mod cause;
mod desk;
mod exchange;
mod link;
mod message;
mod plan;
mod recorder;
mod rest;
mod riff;
mod tracker;

pub use exchange::{Asterisk, AsteriskControl, AsteriskParts, AsteriskSettings, LinkState, Pace};
pub use plan::LinePlan;
