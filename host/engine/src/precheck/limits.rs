//! How large a plugin may be.

use serde::{Deserialize, Serialize};

use super::BadComponent;
use crate::config;

/// Caps on a plugin's file. The defaults leave a plugin written in Rust ample room (ten times and
/// more of what real ones need) and stop every known way to make compilation explode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrecheckLimits {
    /// Size of the file, in bytes.
    pub file_bytes: usize,
    /// Functions with a body, of all core modules together. Each costs some 6 KiB while compiling.
    pub functions: u64,
    /// Size of one function body, in bytes.
    pub body_bytes: u64,
    /// Local variables of one function, parameters included.
    pub locals: u64,
    /// Parameters of one function type.
    pub parameters: u64,
    /// Results of one function type.
    pub results: u64,
    /// Work of one function. At each jump the compiler may have to pass on every value that is
    /// alive; the work is the sum over all jumps of the local variables, the operands on the
    /// stack and the values that the jump itself carries, and four for each value that a call
    /// takes or gives. A unit costs up to 100 bytes and 1 µs.
    pub function_work: u64,
    /// Work of all functions together.
    pub work: u64,
    /// Sum over all functions of the squared number of basic blocks (an operation on a fixed
    /// register, such as a shift, counts as four, a loop as many as the loops around it): some passes are quadratic. A unit costs up to
    /// 10 ns.
    pub squared_blocks: u64,
    /// Loops in loops, counted inwards.
    pub loop_nesting: u64,
    /// Core modules in the component.
    pub modules: u64,
    /// Core instances in the component.
    pub core_instances: u64,
    /// Components inside of the component, at one level.
    pub components: u64,
    /// Instances of components.
    pub component_instances: u64,
    /// Items in all lists: types, imports, exports, globals, elements and so on.
    pub items: u64,
    /// Functions that cross the component's border.
    pub canonical_functions: u64,
    /// Linear memories.
    pub memories: u64,
    /// Linear memory at the start, and data to fill it with, in bytes.
    pub memory_bytes: usize,
    /// Tables.
    pub tables: u64,
    /// Elements of one table at the start.
    pub table_elements: usize,
    /// All custom sections together, in bytes.
    pub custom_bytes: u64,
    /// The manifest, in bytes.
    pub manifest_bytes: u64,
}

impl Default for PrecheckLimits {
    fn default() -> Self {
        let pool = config::PoolSize::default();
        Self {
            file_bytes: 16 * 1024 * 1024,
            functions: 20_000,
            body_bytes: 128 * 1024,
            locals: 1_000,
            parameters: 100,
            results: 16,
            function_work: 3_000_000,
            work: 20_000_000,
            squared_blocks: 1_000_000_000,
            loop_nesting: 100,
            modules: 8,
            core_instances: u64::from(config::CORE_INSTANCES_PER_PLUGIN),
            components: 100,
            component_instances: 500,
            items: 100_000,
            canonical_functions: 2_000,
            memories: u64::from(config::MEMORIES_PER_PLUGIN),
            memory_bytes: pool.memory_bytes,
            tables: u64::from(config::TABLES_PER_PLUGIN),
            table_elements: pool.table_elements,
            custom_bytes: 8 * 1024 * 1024,
            manifest_bytes: 256 * 1024,
        }
    }
}

impl PrecheckLimits {
    #[expect(clippy::unused_self, reason = "reads well where it is called")]
    pub(super) fn at_most(
        &self,
        what: &'static str,
        found: u64,
        limit: u64,
        unit: &'static str,
    ) -> Result<(), BadComponent> {
        if found <= limit {
            return Ok(());
        }
        Err(BadComponent::TooMuch { what, found, limit, unit })
    }
}
