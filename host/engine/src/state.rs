//! What one call carries on the host's side, and how its limits are kept.

use std::sync::Arc;

use ramal_capability::{Invocation, Limits};
use tokio::time::Instant;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::error::Stop;
use crate::runtime::Shared;

/// The host's side of one call. It dies with the call, and with it every seal.
pub(crate) struct CallState {
    pub(crate) invocation: Invocation,
    pub(crate) shared: Arc<Shared>,
    pub(crate) memory: MemoryLimit,
    pub(crate) deadline: Instant,
    /// Epochs (of one millisecond) that passed while the guest itself was running.
    pub(crate) cpu_ms: u64,
    pub(crate) log_lines: u64,
    pub(crate) last_error: Option<String>,
}

impl CallState {
    pub(crate) fn new(invocation: Invocation, shared: Arc<Shared>, deadline: Instant) -> Self {
        let memory = MemoryLimit::new(invocation.plan().limits());
        Self { invocation, shared, memory, deadline, cpu_ms: 0, log_lines: 0, last_error: None }
    }

    /// Called when an epoch ended while the guest ran. A guest that waits in the host does not get here, so
    /// the count is of its own computing; other work of the thread goes on in between.
    pub(crate) fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.cpu_ms += 1;
        if self.cpu_ms > self.invocation.plan().limits().cpu_ms {
            return Err(wasmtime::Error::new(Stopped(Stop::CpuTime)));
        }
        if Instant::now() >= self.deadline {
            return Err(wasmtime::Error::new(Stopped(Stop::WallTime)));
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

/// A stop that the host decided, on its way through wasmtime's error.
#[derive(Debug, thiserror::Error)]
#[error("stopped: {}", .0.as_str())]
pub(crate) struct Stopped(pub(crate) Stop);

/// Memory, tables and instances of one call, each summed: a limit per memory would be no limit. Of memories and tables
/// a component has fewer than of instances.
pub(crate) struct MemoryLimit {
    bytes: u64,
    elements: u64,
    most_bytes: u64,
    most_elements: u64,
    most_instances: usize,
    /// Whether anything was refused: then an abort that follows is for want of memory.
    pub(crate) refused: bool,
    pub(crate) peak_bytes: u64,
}

impl MemoryLimit {
    fn new(limits: &Limits) -> Self {
        Self {
            bytes: 0,
            elements: 0,
            most_bytes: limits.memory_bytes,
            most_elements: limits.table_elements,
            most_instances: usize::try_from(limits.instances).unwrap_or(usize::MAX),
            refused: false,
            peak_bytes: 0,
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.bytes.saturating_add(desired.saturating_sub(current) as u64);
        if after > self.most_bytes {
            self.refused = true;
            return Ok(false);
        }
        self.bytes = after;
        self.peak_bytes = self.peak_bytes.max(after);
        Ok(true)
    }
    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let after = self.elements.saturating_add(desired.saturating_sub(current) as u64);
        if after > self.most_elements {
            self.refused = true;
            return Ok(false);
        }
        self.elements = after;
        Ok(true)
    }
    fn instances(&self) -> usize {
        self.most_instances
    }
    fn tables(&self) -> usize {
        self.most_instances
    }
    fn memories(&self) -> usize {
        self.most_instances
    }
}
