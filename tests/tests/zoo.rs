//! A zoo of hostile plugins: each tries one thing that no plugin may, and each test asserts what exactly came
//! of it, what the CRM saw, what the plugin got, and that the host serves a well-behaved plugin right after.
//!
//! Rules are proved in their own crates. Here is proved that they hold where it counts: a real component, the
//! real runtime, a real socket. An animal is a file of `tests/zoo/guest`; one that no compiler would make is
//! WebAssembly text.

mod addresses;
mod answers;
mod canary;
mod crm;
mod fixture;
mod hooks;
mod host;
mod limits;
mod machine;
mod needles;
mod panics;
mod people;
mod requests;
mod rights;
mod seals;
mod strangers;
mod wasm_text;
mod whole;
