//! What a plugin's file must be before anything compiles it.
//!
//! The runtime's authors do not treat slow or hungry *compilation* as a defect: a file of 290 KiB
//! can keep the compiler busy for minutes and make it ask for more than 9 GiB. File size is thus no
//! defence. [`check`] reads and validates the whole component once, counts what compilation pays
//! for, and refuses what no real plugin needs. It also finds the manifest, so that a plugin can be
//! inspected without compiling it.
//!
//! [`check`] is pure and reads hostile bytes: it must neither panic nor take longer than a small
//! constant per byte. What it lets through by mistake still dies in the compile worker's limits.

mod body;
mod error;
mod limits;

pub use error::BadComponent;
pub use limits::PrecheckLimits;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{
    ComponentInstance, Encoding, FuncValidatorAllocations, Instance, Parser, Payload, TypeRef, ValidPayload,
    Validator,
};

use crate::config::FEATURES;

/// The custom section in which `ramal build` puts the plugin's manifest.
pub const MANIFEST_SECTION: &str = "ramal:manifest";

/// The custom section in which the SDK leaves its version.
pub const SDK_SECTION: &str = "ramal:sdk";

/// A component that may be compiled, and what was learnt about it on the way.
#[derive(Debug, Clone)]
pub struct Checked<'a> {
    wasm: &'a [u8],
    counts: Counts,
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
    functions: Option<Vec<Vec<String>>>,
    manifest: Option<&'a [u8]>,
    sdk: Option<&'a [u8]>,
}

impl<'a> Checked<'a> {
    /// The component itself.
    #[must_use]
    pub fn wasm(&self) -> &'a [u8] {
        self.wasm
    }

    /// How large it is in what compilation pays for.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Names that the component imports, in its order: all that it can ever ask of the host.
    #[must_use]
    pub fn imports(&self) -> &[&'a str] {
        &self.imports
    }

    /// Names that the component exports, in its order.
    #[must_use]
    pub fn exports(&self) -> &[&'a str] {
        &self.exports
    }

    /// Names of the functions of each export that is an instance, in the order of [`Checked::exports`]; `None` where the
    /// file was read without validating it.
    pub(crate) fn functions(&self) -> Option<&[Vec<String>]> {
        self.functions.as_deref()
    }

    /// Content of the section [`MANIFEST_SECTION`], as the vendor wrote it: not yet checked.
    #[must_use]
    pub fn manifest(&self) -> Option<&'a [u8]> {
        self.manifest
    }

    /// Content of the section [`SDK_SECTION`], as the vendor wrote it: not yet checked.
    #[must_use]
    pub fn sdk(&self) -> Option<&'a [u8]> {
        self.sdk
    }
}

/// What a component contains. Sums are over all of its core modules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Functions with a body.
    pub functions: u64,
    /// Size of the largest function body, in bytes.
    pub largest_body: u64,
    /// Most local variables of one function, parameters included.
    pub most_locals: u64,
    /// The largest single function, in units of work: see [`PrecheckLimits::function_work`].
    pub largest_work: u64,
    /// Work of all functions together.
    pub work: u64,
    /// Sum over all functions of the square of their number of basic blocks.
    pub squared_blocks: u64,
    /// Core modules.
    pub modules: u64,
    /// Core instances.
    pub core_instances: u64,
    /// Components inside of the component.
    pub components: u64,
    /// Instances of components, and instances put together from single items.
    pub component_instances: u64,
    /// Items in all the sections that hold a list: types, imports, exports, globals and so on.
    pub items: u64,
    /// Functions that cross the component's border, in either direction.
    pub canonical_functions: u64,
    /// Linear memories.
    pub memories: u64,
    /// Linear memory at the start, in bytes.
    pub memory_bytes: u64,
    /// Tables.
    pub tables: u64,
    /// Largest table at the start, in elements.
    pub table_elements: u64,
    /// Data that is copied into memory, in bytes.
    pub data_bytes: u64,
    /// Custom sections: names, debug data, the manifest; in bytes.
    pub custom_bytes: u64,
}

/// Checks a plugin's file, validating all of it, within `limits`.
///
/// Takes some 10 ms per MiB; on an async runtime, call it where blocking is allowed.
///
/// # Errors
/// [`BadComponent`], which says what is wrong and what to do.
pub fn check<'a>(wasm: &'a [u8], limits: &PrecheckLimits) -> Result<Checked<'a>, BadComponent> {
    header(wasm, limits)?;
    let mut walk = Walk::new(wasm, limits);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    for payload in parser.parse_all(wasm) {
        walk.payload(&payload?)?;
    }
    Ok(walk.found)
}

/// Reads the names of a component that was checked before, and its manifest. Validates nothing else of it.
pub(crate) fn outline(wasm: &[u8]) -> Result<Checked<'_>, BadComponent> {
    let limits = PrecheckLimits::default();
    header(wasm, &limits)?;
    let mut walk = Walk::new(wasm, &limits);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    for payload in parser.parse_all(wasm) {
        walk.outline(&payload?)?;
    }
    Ok(walk.found)
}

/// Tells apart the kinds of file that people hand over by mistake.
fn header(wasm: &[u8], limits: &PrecheckLimits) -> Result<(), BadComponent> {
    const MAGIC: &[u8] = b"\0asm";
    const COMPONENT_LAYER: u16 = 1;
    const COMPONENT_VERSION: u16 = 0x0d;

    if wasm.is_empty() {
        return Err(BadComponent::Empty);
    }
    limits.at_most("the file", wasm.len() as u64, limits.file_bytes as u64, "bytes")?;
    if !wasm.starts_with(MAGIC) {
        if MAGIC.starts_with(wasm) {
            return Err(BadComponent::Truncated { offset: wasm.len() });
        }
        return Err(match wasm {
            [0x7f, b'E', b'L', b'F', ..] => BadComponent::MachineCode,
            [b'(' | b';', ..] => BadComponent::Text,
            _ => BadComponent::NotWasm,
        });
    }
    let [_, _, _, _, v0, v1, l0, l1, ..] = wasm else {
        return Err(BadComponent::Truncated { offset: wasm.len() });
    };
    let (version, layer) = (u16::from_le_bytes([*v0, *v1]), u16::from_le_bytes([*l0, *l1]));
    match (layer, version) {
        (COMPONENT_LAYER, COMPONENT_VERSION) => Ok(()),
        (0, _) => Err(BadComponent::CoreModule),
        (COMPONENT_LAYER, found) => Err(BadComponent::Version { found, expected: COMPONENT_VERSION }),
        (found, _) => Err(BadComponent::Layer { found }),
    }
}

struct Walk<'a, 'l> {
    limits: &'l PrecheckLimits,
    found: Checked<'a>,
    validator: Validator,
    allocations: FuncValidatorAllocations,
    /// What encloses the current payload, the outermost component first.
    nesting: Vec<Encoding>,
}

impl<'a, 'l> Walk<'a, 'l> {
    fn new(wasm: &'a [u8], limits: &'l PrecheckLimits) -> Self {
        Self {
            limits,
            found: Checked {
                wasm,
                counts: Counts::default(),
                imports: Vec::new(),
                exports: Vec::new(),
                functions: None,
                manifest: None,
                sdk: None,
            },
            validator: Validator::new_with_features(FEATURES),
            allocations: FuncValidatorAllocations::default(),
            nesting: Vec::new(),
        }
    }

    /// Caps first, so that a list that is too long is refused before it is validated.
    fn payload(&mut self, payload: &Payload<'a>) -> Result<(), BadComponent> {
        self.count(payload)?;
        match self.validator.payload(payload)? {
            ValidPayload::Func(function, body) => self.function(function, &body)?,
            // The outermost component ends last, and then the types of its exports are known.
            ValidPayload::End(types) if self.nesting.is_empty() => {
                let exports = self.found.exports.iter();
                self.found.functions = Some(exports.map(|name| functions(&types, name)).collect());
            }
            _ => {}
        }
        // After validation: a name is taken only from what is well-formed.
        if self.nesting.len() == 1 {
            self.names(payload)?;
        }
        Ok(())
    }

    fn outline(&mut self, payload: &Payload<'a>) -> Result<(), BadComponent> {
        match payload {
            Payload::Version { encoding, .. } => self.enter(*encoding)?,
            Payload::End(_) => {
                self.nesting.pop();
            }
            Payload::CustomSection(section) => self.custom(section.name(), section.data())?,
            _ if self.nesting.len() == 1 => self.names(payload)?,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, payload: &Payload<'a>) -> Result<(), BadComponent> {
        let limits = self.limits;
        match payload {
            Payload::Version { encoding, .. } => self.enter(*encoding)?,
            Payload::End(_) => {
                self.nesting.pop();
            }

            Payload::TypeSection(section) => {
                self.items(section.count())?;
                for group in section.clone() {
                    for ty in group?.types() {
                        if let wasmparser::CompositeInnerType::Func(ty) = &ty.composite_type.inner {
                            let (params, results) = (ty.params().len(), ty.results().len());
                            limits.at_most(
                                "a function's parameters",
                                params as u64,
                                limits.parameters,
                                "",
                            )?;
                            limits.at_most("a function's results", results as u64, limits.results, "")?;
                        }
                    }
                }
            }
            Payload::ImportSection(section) => {
                self.items(section.count())?;
                for import in section.clone().into_imports() {
                    match import?.ty {
                        TypeRef::Memory(ty) => self.memory_minimum(ty.initial)?,
                        TypeRef::Table(ty) => self.table_minimum(ty.initial)?,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                let counts = &mut self.found.counts;
                counts.functions += u64::from(section.count());
                limits.at_most("the functions", counts.functions, limits.functions, "")?;
            }
            Payload::TableSection(section) => {
                self.found.counts.tables += u64::from(section.count());
                limits.at_most("the tables", self.found.counts.tables, limits.tables, "")?;
                for table in section.clone() {
                    self.table_minimum(table?.ty.initial)?;
                }
            }
            Payload::MemorySection(section) => {
                self.found.counts.memories += u64::from(section.count());
                limits.at_most("the memories", self.found.counts.memories, limits.memories, "")?;
                for memory in section.clone() {
                    self.memory_minimum(memory?.initial)?;
                }
            }
            Payload::TagSection(section) => self.items(section.count())?,
            Payload::GlobalSection(section) => self.items(section.count())?,
            Payload::ExportSection(section) => self.items(section.count())?,
            Payload::ElementSection(section) => {
                self.items(section.count())?;
                for element in section.clone() {
                    let count = match element?.items {
                        wasmparser::ElementItems::Functions(items) => items.count(),
                        wasmparser::ElementItems::Expressions(_, items) => items.count(),
                    };
                    self.items(count)?;
                }
            }
            Payload::DataSection(section) => {
                self.items(section.count())?;
                for data in section.clone() {
                    self.found.counts.data_bytes += data?.data.len() as u64;
                }
                limits.at_most(
                    "the data",
                    self.found.counts.data_bytes,
                    limits.memory_bytes as u64,
                    "bytes",
                )?;
            }
            Payload::CodeSectionEntry(body) => {
                let size = body.range().len() as u64;
                limits.at_most("a function's body", size, limits.body_bytes, "bytes")?;
            }

            Payload::InstanceSection(section) => {
                self.items(section.count())?;
                for instance in section.clone() {
                    if let Instance::Instantiate { .. } = instance? {
                        self.found.counts.core_instances += 1;
                    }
                }
                let instances = self.found.counts.core_instances;
                limits.at_most("the core instances", instances, limits.core_instances, "")?;
            }
            Payload::ComponentInstanceSection(section) => {
                self.items(section.count())?;
                for instance in section.clone() {
                    match instance? {
                        ComponentInstance::Instantiate { args, .. } => self.items_of(args.len())?,
                        ComponentInstance::FromExports(exports) => self.items_of(exports.len())?,
                    }
                    self.found.counts.component_instances += 1;
                }
                let instances = self.found.counts.component_instances;
                limits.at_most("the component instances", instances, limits.component_instances, "")?;
            }
            Payload::ComponentCanonicalSection(section) => {
                let counts = &mut self.found.counts;
                counts.canonical_functions += u64::from(section.count());
                let functions = counts.canonical_functions;
                limits.at_most("the functions at the border", functions, limits.canonical_functions, "")?;
            }
            Payload::CoreTypeSection(section) => self.items(section.count())?,
            Payload::ComponentAliasSection(section) => self.items(section.count())?,
            Payload::ComponentTypeSection(section) => self.items(section.count())?,
            Payload::ComponentImportSection(section) => self.items(section.count())?,
            Payload::ComponentExportSection(section) => self.items(section.count())?,
            Payload::CustomSection(section) => {
                let counts = &mut self.found.counts;
                counts.custom_bytes += section.range().len() as u64;
                limits.at_most("the custom sections", counts.custom_bytes, limits.custom_bytes, "bytes")?;
                self.custom(section.name(), section.data())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A component may hold components, but those may hold nothing: instances of instances multiply,
    /// 20 levels of two make a million. Rust's tools use one level, to name what is exported.
    fn enter(&mut self, encoding: Encoding) -> Result<(), BadComponent> {
        let limits = self.limits;
        let counts = &mut self.found.counts;
        match (self.nesting.as_slice(), encoding) {
            ([], _) => {}
            ([Encoding::Component], Encoding::Module) => {
                counts.modules += 1;
                limits.at_most("the core modules", counts.modules, limits.modules, "")?;
            }
            ([Encoding::Component], Encoding::Component) => {
                counts.components += 1;
                limits.at_most("the components inside", counts.components, limits.components, "")?;
            }
            _ => return Err(BadComponent::Nested),
        }
        self.nesting.push(encoding);
        Ok(())
    }

    fn items(&mut self, count: u32) -> Result<(), BadComponent> {
        self.found.counts.items += u64::from(count);
        self.limits.at_most("the items of all lists", self.found.counts.items, self.limits.items, "")
    }

    fn items_of(&mut self, count: usize) -> Result<(), BadComponent> {
        self.items(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn memory_minimum(&mut self, pages: u64) -> Result<(), BadComponent> {
        const PAGE: u64 = 64 * 1024;
        let bytes = pages.saturating_mul(PAGE);
        self.found.counts.memory_bytes = self.found.counts.memory_bytes.max(bytes);
        self.limits.at_most("the memory at the start", bytes, self.limits.memory_bytes as u64, "bytes")
    }

    fn table_minimum(&mut self, elements: u64) -> Result<(), BadComponent> {
        self.found.counts.table_elements = self.found.counts.table_elements.max(elements);
        self.limits.at_most("a table at the start", elements, self.limits.table_elements as u64, "elements")
    }

    fn function(
        &mut self,
        function: wasmparser::FuncToValidate<wasmparser::ValidatorResources>,
        body: &wasmparser::FunctionBody<'_>,
    ) -> Result<(), BadComponent> {
        let limits = self.limits;
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let cost = body::measure(&mut validator, body, limits)?;
        self.allocations = validator.into_allocations();

        let counts = &mut self.found.counts;
        counts.largest_body = counts.largest_body.max(body.range().len() as u64);
        counts.most_locals = counts.most_locals.max(cost.locals);
        counts.largest_work = counts.largest_work.max(cost.work);
        counts.work = counts.work.saturating_add(cost.work);
        counts.squared_blocks = counts.squared_blocks.saturating_add(cost.blocks.saturating_mul(cost.blocks));
        limits.at_most("the work of all functions", counts.work, limits.work, "units")?;
        limits.at_most(
            "the squared basic blocks of all functions",
            counts.squared_blocks,
            limits.squared_blocks,
            "",
        )
    }

    fn custom(&mut self, name: &str, data: &'a [u8]) -> Result<(), BadComponent> {
        let (slot, section) = match name {
            MANIFEST_SECTION => (&mut self.found.manifest, MANIFEST_SECTION),
            SDK_SECTION => (&mut self.found.sdk, SDK_SECTION),
            _ => return Ok(()),
        };
        self.limits.at_most(section, data.len() as u64, self.limits.manifest_bytes, "bytes")?;
        // Two of them could be read differently by two programs: one shown to the administrator,
        // the other one obeyed.
        if slot.replace(data).is_some() {
            return Err(BadComponent::Twice { section });
        }
        Ok(())
    }

    fn names(&mut self, payload: &Payload<'a>) -> Result<(), BadComponent> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.found.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.found.exports.push(export?.name.name);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The functions of an exported instance.
fn functions(types: &Types, export: &str) -> Vec<String> {
    let Some(ComponentEntityType::Instance(id)) = types.component_item_for_export(export).map(|item| item.ty)
    else {
        return Vec::new();
    };
    let is_function = |ty: &ComponentEntityType| matches!(ty, ComponentEntityType::Func(_));
    types[id].exports.iter().filter(|(_, item)| is_function(&item.ty)).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
