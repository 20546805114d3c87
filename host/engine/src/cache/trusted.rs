//! The only place where bytes become code that the server runs.
//!
//! `Component::deserialize*` are `unsafe`: they believe what they read. The argument why it may be
//! believed here:
//!
//! 1. What is loaded was made by our own compile worker, either just now (`keep`) or at some time
//!    at which it was signed (`load`). The signature covers every byte, the plugin's digest and the
//!    engine's settings; its key is readable by the server's user only and never leaves the host.
//! 2. What is mapped is what was verified: the file is opened once and mapped through that very
//!    descriptor, so exchanging the name in between changes nothing.
//! 3. The file does not change while it is mapped: the directory is closed to other users, and this
//!    program never writes to a file that has its final name; it only replaces and unlinks them.
//!
//! What remains is trust in this user's own processes and in `root`, who could as well attach a
//! debugger to the server.

#![allow(unsafe_code)]

use std::{fs::File, os::fd::AsRawFd, path::PathBuf};

use wasmtime::{Engine, component::Component};

use super::files::Entry;

/// Loads the entry if it is there and proves its origin; removes it if it does not.
pub(super) fn load(engine: &Engine, entry: &Entry) -> Option<Component> {
    let reason = match entry.open_signed() {
        Ok(None) => return None,
        Ok(Some((file, true))) => match map(engine, &file) {
            Ok(component) => return Some(component),
            // Made by another version of the runtime or on another processor.
            Err(error) => format!("{error:#}"),
        },
        Ok(Some((_, false))) => "its signature is wrong".to_owned(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(plugin = %entry.digest(), reason, "cached machine code is not used; compiling again");
    entry.remove();
    None
}

/// Keeps what the worker made, and loads it: from the file, which the kernel can drop from memory
/// and read again, or from the bytes if the file cannot be written.
pub(super) fn keep(engine: &Engine, entry: &Entry, code: &[u8]) -> Result<Component, String> {
    match entry.write(code) {
        Ok(()) => {
            if let Some(component) = load(engine, entry) {
                return Ok(component);
            }
        }
        Err(error) => {
            tracing::warn!(plugin = %entry.digest(), %error, "cannot keep machine code; it will be compiled again");
        }
    }
    // SAFETY: point 1 above: `code` comes from our own compile worker and was in no other hands.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| format!("{error:#}"))
}

fn map(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    // Another name for the open file, which stays open until this returns.
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // SAFETY: points 1 to 3 above; the caller has verified this file's signature.
    unsafe { Component::deserialize_file(engine, path) }
}
