//! What is the same for everybody who loads one file: its manifest and its code. Tenants that use the same plugin
//! share it, so that a host with a thousand tenants holds a thousand grants and a handful of programs.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use ramal_capability::{Digest, Manifest};
use wasmtime::component::InstancePre;

use crate::ask::Exports;
use crate::state::CallState;

/// A component, ready to be instantiated, and what it asks for.
pub(crate) struct Program {
    pub(crate) manifest: Manifest,
    pub(crate) digest: Digest,
    pub(crate) component: InstancePre<CallState>,
    pub(crate) exports: Exports,
}

/// The programs that a loaded plugin holds.
#[derive(Default)]
pub(crate) struct Programs(Mutex<HashMap<Digest, Weak<Program>>>);

impl Programs {
    pub(crate) fn get(&self, digest: Digest) -> Option<Arc<Program>> {
        self.0.lock().get(&digest)?.upgrade()
    }

    /// Shares a program, unless somebody was quicker: then that one is for all.
    pub(crate) fn share(&self, program: Program) -> Arc<Program> {
        let mut programs = self.0.lock();
        if let Some(known) = programs.get(&program.digest).and_then(Weak::upgrade) {
            return known;
        }
        programs.retain(|_, known| known.strong_count() > 0);
        let program = Arc::new(program);
        programs.insert(program.digest, Arc::downgrade(&program));
        program
    }
}
