//! The way out against real sockets on the loopback: servers that behave, and servers that do not. Everything
//! goes through `Egress::send` and `send_all`, from a manifest and a grant to what the guest gets; people,
//! numbers and secrets are invented.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod addresses;
mod answers;
mod bench;
mod credentials;
mod crm;
mod ledger;
mod pools;
mod sessions;
mod tls;
mod tokens;
mod webhooks;
