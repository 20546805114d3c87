//! The one place that decides how WebAssembly is compiled and how instances are pooled.
//!
//! Machine code is made by a child process and run by the server. Were the two configured apart,
//! every plugin would be compiled again at each start, or be refused; so `base` is the only
//! constructor of a [`wasmtime::Config`], and the two engines differ from it only in settings
//! that do not reach the machine code.
//!
//! The pool is also where one caller's data could meet the next caller's plugin: see
//! [`MemoryReset`].

mod swap;
mod ticker;

pub use swap::{SwapWatch, swap_possible};
pub use ticker::Ticker;
use wasmparser::WasmFeatures;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Stack that guest code may use, in bytes. Beyond it the guest traps.
pub const GUEST_STACK_BYTES: usize = 512 * 1024;

/// Stack of the fibre on which a guest and the host functions that it calls run, in bytes.
/// What exceeds [`GUEST_STACK_BYTES`] is room for the host's side: only touched pages cost.
const FIBRE_STACK_BYTES: usize = 2 * 1024 * 1024;

/// Core instances in one plugin. A component built from Rust has 3: the module itself and two
/// small ones by which `wit-component` ties its imports.
pub(crate) const CORE_INSTANCES_PER_PLUGIN: u32 = 3;

/// Tables in one plugin: the module's function table and the one for tying imports.
pub(crate) const TABLES_PER_PLUGIN: u32 = 2;

/// Linear memories in one plugin.
pub(crate) const MEMORIES_PER_PLUGIN: u32 = 1;

/// Memory that a used slot keeps mapped after its instance is gone, when pages are found by
/// scanning. A slot beyond that is given back to the kernel.
const KEEP_WITH_SCAN: usize = 256 * 1024;

/// The same without scanning: these bytes are overwritten blindly, so more would cost more.
const KEEP_WITHOUT_SCAN: usize = 64 * 1024;

/// What `rustc` emits for `wasm32-unknown-unknown`, plus the component model, and no more.
///
/// Each proposal that is off is code that a hostile plugin cannot reach: most of the runtime's
/// advisories of 2026 needed one of those.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::WASM1
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::COMPONENT_MODEL)
    // Not a WebAssembly proposal but the parser's "has the types of the GC proposal at all";
    // `WASM1` brings it and a runtime built without a collector must not have it.
    .difference(WasmFeatures::GC_TYPES);

/// How many plugin instances may live at once, and how large one may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSize {
    /// Plugin instances alive at once. Each reserves 4 GiB of address space (not of memory).
    pub instances: u32,
    /// Largest linear memory of one instance, in bytes; at most 4 GiB.
    pub memory_bytes: usize,
    /// Most elements of one table. A Rust plugin needs one per function whose address is taken.
    pub table_elements: usize,
    /// How an instance's memory is cleared once it is gone.
    pub reset: MemoryReset,
}

impl Default for PoolSize {
    fn default() -> Self {
        Self {
            instances: 256,
            memory_bytes: 64 * 1024 * 1024,
            table_elements: 20_000,
            reset: MemoryReset::Auto,
        }
    }
}

/// How the memory of a finished instance is cleared before another plugin call gets it.
///
/// **Invariant: what one call left in memory must never be readable by a later one.**
///
/// Scanning asks the kernel which pages were written and are present, and clears only those;
/// it halves the cost of a call. But a page that has been swapped out is not present: it would
/// be skipped, come back later, and show an earlier caller's data to the next plugin. So
/// scanning is used only where no page can be swapped out. Where swap is switched on later, a runtime that scans
/// refuses every call from then on ([`SwapWatch`]): its slots can no longer be trusted, and only a restart makes others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MemoryReset {
    /// Scan if no swap can hold a page ([`swap_possible`]), else decommit.
    #[default]
    Auto,
    /// Always overwrite the first pages and give the rest back to the kernel.
    Decommit,
}

impl MemoryReset {
    pub(crate) fn scans(self) -> bool {
        self == Self::Auto && !swap_possible()
    }
}

/// An engine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Address space for the pool was not to be had.
    #[error(
        "cannot set up a pool of {instances} plugin instances: {reason}; \
         lower the number of instances, or lift the limit on address space (`ulimit -v`)"
    )]
    Pool {
        /// Instances that were asked for.
        instances: u32,
        /// What the runtime answered.
        reason: String,
    },
    /// The runtime does not work on this machine.
    #[error(
        "cannot start the WebAssembly runtime: {reason}; it needs 64-bit Linux that lets it map executable memory"
    )]
    Unsupported {
        /// What the runtime answered.
        reason: String,
    },
}

/// The settings that decide the machine code, the same for compiling and for serving.
fn base() -> Config {
    let mut config = Config::new();
    config
        .wasm_features(WasmFeatures::all().difference(FEATURES), false)
        .wasm_features(FEATURES, true)
        .epoch_interruption(true)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(FIBRE_STACK_BYTES)
        // Concurrent calls in one instance are not used; without them a call is a third cheaper.
        .concurrency_support(false)
        .memory_init_cow(true)
        // Never symbolise a trap by the guest's own debug data: its names and paths are the
        // vendor's text, and would be parsed in the host.
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable)
        .native_unwind_info(false);
    config
}

/// An engine that compiles and never runs anything. It reserves no pool, so that it works under
/// a tight limit on address space.
///
/// # Errors
/// [`EngineError::Unsupported`] if the runtime knows no code generator for this machine.
pub fn compiling_engine() -> Result<Engine, EngineError> {
    Engine::new(&base()).map_err(|e| EngineError::Unsupported { reason: format!("{e:#}") })
}

/// The engine that runs plugins. It has a pool and **no compiler**: a component's bytes given to
/// it directly are refused, so compiling in the serving process cannot happen by mistake.
///
/// # Errors
/// [`EngineError::Pool`] if the address space for the pool cannot be reserved.
pub fn serving_engine(pool: &PoolSize) -> Result<Engine, EngineError> {
    serving_engine_that(pool.reset.scans(), pool)
}

/// The same, once it is known whether it scans.
pub(crate) fn serving_engine_that(scans: bool, pool: &PoolSize) -> Result<Engine, EngineError> {
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(pool, scans)));
    config.enable_compiler(false);
    Engine::new(&config)
        .map_err(|e| EngineError::Pool { instances: pool.instances, reason: format!("{e:#}") })
}

fn pooling(size: &PoolSize, scan: bool) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(size.instances)
        .total_core_instances(size.instances.saturating_mul(CORE_INSTANCES_PER_PLUGIN))
        .total_memories(size.instances.saturating_mul(MEMORIES_PER_PLUGIN))
        .total_tables(size.instances.saturating_mul(TABLES_PER_PLUGIN))
        .total_stacks(size.instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_PLUGIN)
        .max_memories_per_component(MEMORIES_PER_PLUGIN)
        .max_tables_per_component(TABLES_PER_PLUGIN)
        .max_memory_size(size.memory_bytes)
        .table_elements(size.table_elements);
    if scan {
        // One decommit at a time: a batch would leave finished slots uncleared until it is full.
        pool.pagemap_scan(Enabled::Auto)
            .linear_memory_keep_resident(KEEP_WITH_SCAN)
            .table_keep_resident(KEEP_WITH_SCAN)
            .decommit_batch_size(1);
    } else {
        // Batches spare most of the TLB shoot-downs. A slot is cleared before it is used again in
        // either case; a batch only makes the clearing later.
        pool.pagemap_scan(Enabled::No).linear_memory_keep_resident(KEEP_WITHOUT_SCAN).decommit_batch_size(32);
    }
    pool
}

#[cfg(test)]
mod tests {
    use wasmtime::component::Component;

    use super::*;

    fn small() -> PoolSize {
        PoolSize { instances: 2, ..PoolSize::default() }
    }

    #[test]
    fn code_from_the_compiling_engine_loads_in_the_serving_engine() {
        let wasm = wat::parse_str("(component (core module (func (export \"f\") (loop (br 0)))))").unwrap();
        let code = compiling_engine().unwrap().precompile_component(&wasm).unwrap();
        let serving = serving_engine(&small()).unwrap();
        #[allow(unsafe_code)]
        // SAFETY: these bytes were made three lines above.
        let loaded = unsafe { Component::deserialize(&serving, &code) };
        loaded.expect("the two engines must agree on every setting that reaches the code");
    }

    /// A grant that could give more than a slot has room for would promise what the host refuses.
    #[test]
    fn no_grant_gives_more_instances_than_a_file_may_have() {
        let ceiling = |name: &str| {
            ramal_capability::Limits::ALL.iter().find(|limit| limit.name == name).map(|limit| limit.ceiling)
        };
        assert_eq!(ceiling("instances"), Some(u64::from(CORE_INSTANCES_PER_PLUGIN)));
        assert!(TABLES_PER_PLUGIN.max(MEMORIES_PER_PLUGIN) <= CORE_INSTANCES_PER_PLUGIN);
        assert_eq!(ceiling("table_elements"), Some(small().table_elements as u64));
        assert_eq!(ceiling("memory_bytes"), Some(small().memory_bytes as u64));
    }

    #[test]
    fn the_serving_engine_cannot_compile() {
        let wasm = wat::parse_str("(component)").unwrap();
        let serving = serving_engine(&small()).unwrap();
        assert!(Component::from_binary(&serving, &wasm).is_err());
    }

    #[rstest::rstest]
    #[case::memory64("(module (memory i64 1))")]
    #[case::multi_memory("(module (memory 1) (memory 1))")]
    #[case::threads("(module (memory 1 1 shared))")]
    #[case::tail_call("(module (func $f (return_call $f)))")]
    #[case::gc("(module (type (struct)))")]
    #[case::function_references("(module (type $t (func)) (func (param (ref $t))))")]
    #[case::exceptions("(module (tag))")]
    #[case::relaxed_simd(
        "(module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))"
    )]
    #[case::wide_arithmetic(
        "(module (func (param i64) (drop (drop (i64.add128 (local.get 0) (local.get 0) (local.get 0) (local.get 0))))))"
    )]
    #[case::custom_page_sizes("(module (memory 1 (pagesize 1)))")]
    #[case::stack_switching("(module (type $f (func)) (type $c (cont $f)))")]
    fn a_proposal_that_plugins_do_not_need_is_off(#[case] module: &str) {
        let wasm = wat::parse_str(module).unwrap();
        wasmparser::Validator::new_with_features(WasmFeatures::all())
            .validate_all(&wasm)
            .expect("the module must be valid where the proposal is on, else this proves nothing");
        assert!(compiling_engine().unwrap().precompile_module(&wasm).is_err());
    }

    #[test]
    fn pages_are_scanned_for_only_without_swap() {
        let with_swap = pooling(&small(), false);
        assert_eq!(with_swap.get_pagemap_scan(), Enabled::No);
        assert_eq!(with_swap.get_decommit_batch_size(), 32);
        let without = pooling(&small(), true);
        assert_eq!(without.get_pagemap_scan(), Enabled::Auto);
        assert_eq!(without.get_decommit_batch_size(), 1);
        assert!(!MemoryReset::Decommit.scans());
    }
}
