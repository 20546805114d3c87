//! The runtime that an embedder builds once, and the loading of plugins into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ramal_capability::{Digest, Grant, Import, InterfaceVersion, Plan, PlanError, SourceError};
use ramal_egress::Egress;
use ramal_numbers::Region;
use rand::Rng;
use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::ask::Exports;
use crate::bindings;
use crate::cache::{CacheError, CodeCache, digest_of};
use crate::compile::{CompileError, Compiler};
use crate::config::{EngineError, PoolSize, SwapWatch, Ticker, serving_engine_that};
use crate::gate::Gate;
use crate::guest_log::{GuestLog, TracingLog};
use crate::inspect::read;
use crate::kv::{MemoryStore, PluginStore};
use crate::plugin::{Inner, Plugin};
use crate::precheck::{BadComponent, PrecheckLimits, check, outline};
use crate::program::{Program, Programs};
use crate::state::CallState;

/// The minor versions of `ramal:crm` that this host serves.
pub const SERVED: std::ops::RangeInclusive<u32> = 1..=1;

/// The same for people.
fn served() -> String {
    let (first, last) = SERVED.into_inner();
    if first == last { format!("0.{first}") } else { format!("0.{first} to 0.{last}") }
}

/// What all plugins of a runtime share.
pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) egress: Arc<Egress>,
    pub(crate) store: Arc<dyn PluginStore>,
    pub(crate) log: Arc<dyn GuestLog>,
    pub(crate) slots: Semaphore,
    pub(crate) health: Health,
}

/// Whether a runtime may still run guests. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Pages>);

/// How the pages of finished instances are cleared.
enum Pages {
    /// For good: they are overwritten or given back.
    Overwritten,
    /// By a scan that sees no page that was swapped out.
    Scanned { watch: SwapWatch, told: AtomicBool },
}

impl Health {
    fn new(scans: bool, watch: impl FnOnce() -> SwapWatch) -> Self {
        let scanned = || Pages::Scanned { watch: watch(), told: AtomicBool::new(false) };
        Self(Arc::new(if scans { scanned() } else { Pages::Overwritten }))
    }

    /// Why no guest may run any more, and what to do; `None` while all is well.
    pub fn fault(&self) -> Option<&'static str> {
        let Pages::Scanned { watch, told } = &*self.0 else { return None };
        if !told.load(Ordering::Relaxed) {
            if !watch.swap_possible() {
                return None;
            }
            // Once is for ever: a page that was swapped out while it lasted may still come back.
            if !told.swap(true, Ordering::Relaxed) {
                tracing::error!("{SWAP_CAME}");
            }
        }
        Some(SWAP_CAME)
    }
}

const SWAP_CAME: &str = "swap was switched on while the host runs, so that memory of finished calls is no longer \
                         surely cleared; restart the host, which then clears it in another way";

impl Shared {
    /// Fresh randomness for one call's seals.
    pub(crate) fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        rand::rng().fill_bytes(&mut seed);
        seed
    }
}

/// Loads and calls plugins. See `examples/embed.rs`.
pub struct Runtime {
    shared: Arc<Shared>,
    linker: Linker<CallState>,
    cache: CodeCache,
    compiler: Compiler,
    programs: Programs,
    _ticker: Ticker,
}

/// Why a runtime could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The directory of compiled code.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The compiler process.
    #[error(transparent)]
    Compiler(#[from] CompileError),
    /// The thread that counts time.
    #[error("cannot start the thread that counts time: {0}; raise the limit on threads (`ulimit -u`)")]
    Ticker(std::io::Error),
    /// The interfaces for guests.
    #[error("cannot set up the interfaces for plugins: {0}; this is a defect of this host, please report it")]
    Linker(String),
}

/// Why a plugin was not loaded. The host goes on serving the others.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error(
        "cannot read {path}: {source}; give the `.wasm` file that `ramal build` makes, and let this user read it"
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no component that this host takes.
    #[error(transparent)]
    Component(#[from] BadComponent),
    /// There is no manifest in it.
    #[error("the component has no manifest; build it with `ramal build`")]
    NoManifest,
    /// The manifest is wrong.
    #[error("the manifest in the component is wrong:\n{0}")]
    Manifest(#[from] SourceError),
    /// It was built for an interface that this host does not serve.
    #[error(
        "built for ramal:crm {built}, this host serves {}; rebuild it with a matching ramal-sdk",
        served()
    )]
    Interface {
        /// What it was built for.
        built: String,
    },
    /// The SDK that it was built with and its manifest say different things.
    #[error(
        "the manifest says `interface = \"{manifest}\"`, but the component was built for ramal:crm {built}; write \
         what it was built for, or rebuild it with a ramal-sdk for {manifest}"
    )]
    Disagrees {
        /// In the manifest.
        manifest: InterfaceVersion,
        /// In the section of the SDK.
        built: InterfaceVersion,
    },
    /// What the SDK wrote about itself is not what an SDK writes.
    #[error(
        "the section `ramal:sdk` of the component names no version of ramal:crm; rebuild it with `ramal build`"
    )]
    Sdk,
    /// It imports what no plugin may.
    #[error("the component imports `{import}`, which no plugin may: {hint}")]
    ForeignImport {
        /// The interface.
        import: String,
        /// What to do.
        hint: &'static str,
    },
    /// It imports what its manifest does not explain.
    #[error(
        "the component imports `{0}`, which its manifest does not explain; add it to `uses`, so that an admin can see it"
    )]
    UnexplainedImport(Import),
    /// It lacks an interface that its manifest lists.
    #[error(
        "the manifest lists `{0}`, but the component has no such export; remove it from `provides` or rebuild it"
    )]
    MissingExport(ramal_capability::Export),
    /// Manifest, grant and settings do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Compiling failed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// Reading or writing compiled code failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// wasmtime refuses the component.
    #[error(
        "the component does not fit the contract ramal:crm: {0}; rebuild it with the ramal-sdk of this host's version"
    )]
    Link(String),
}

/// Builds a [`Runtime`].
pub struct RuntimeBuilder {
    cache_dir: PathBuf,
    compiler: Option<Compiler>,
    egress: Arc<Egress>,
    store: Arc<dyn PluginStore>,
    log: Arc<dyn GuestLog>,
    pool: PoolSize,
}

impl RuntimeBuilder {
    /// Who compiles. Without it: this executable with the argument `compile-worker`, for which the program's
    /// `main` calls [`intercept_worker`](crate::intercept_worker) first.
    #[must_use]
    pub fn compiler(mut self, compiler: Compiler) -> Self {
        self.compiler = Some(compiler);
        self
    }
    /// Where plugins keep their few keys; in memory without it.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn PluginStore>) -> Self {
        self.store = store;
        self
    }
    /// Where the words of plugins go; to `tracing` without it.
    #[must_use]
    pub fn log(mut self, log: Arc<dyn GuestLog>) -> Self {
        self.log = log;
        self
    }
    /// How many instances may live at once, and how large.
    #[must_use]
    pub fn pool(mut self, pool: PoolSize) -> Self {
        self.pool = pool;
        self
    }

    /// Builds the runtime. Needs a tokio runtime only when calls are made.
    ///
    /// # Errors
    /// When the pool cannot be reserved, the cache's directory is not safe, or the compiler is missing.
    pub fn build(self) -> Result<Runtime, BuildError> {
        let scans = self.pool.reset.scans();
        let engine = serving_engine_that(scans, &self.pool)?;
        let mut linker = Linker::new(&engine);
        bindings::Plugin::add_to_linker::<CallState, HasSelf<CallState>>(&mut linker, |state| state)
            .map_err(|e| BuildError::Linker(format!("{e:#}")))?;
        let compiler = match self.compiler {
            Some(compiler) => compiler,
            None => Compiler::this_executable()?,
        };
        Ok(Runtime {
            cache: CodeCache::open(&self.cache_dir)?,
            compiler,
            programs: Programs::default(),
            linker,
            _ticker: Ticker::start(&engine).map_err(BuildError::Ticker)?,
            shared: Arc::new(Shared {
                engine,
                egress: self.egress,
                store: self.store,
                log: self.log,
                slots: Semaphore::new(self.pool.instances as usize),
                health: Health::new(scans, SwapWatch::of_this_machine),
            }),
        })
    }
}

impl Runtime {
    /// Starts building. `cache_dir` keeps compiled code and is this host's alone; `egress` is the way out.
    pub fn builder(cache_dir: impl Into<PathBuf>, egress: Arc<Egress>) -> RuntimeBuilder {
        RuntimeBuilder {
            cache_dir: cache_dir.into(),
            compiler: None,
            egress,
            store: Arc::new(MemoryStore::default()),
            log: Arc::new(TracingLog),
            pool: PoolSize::default(),
        }
    }

    /// Whether guests may still run, for whoever tells a load balancer.
    pub fn health(&self) -> Health {
        self.shared.health.clone()
    }

    /// Removes compiled code of other plugins than these: of those that were updated or are no longer there. Call it when
    /// all are loaded, and only where no other host keeps its code in the same folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn retain_code(&self, keep: &[Digest]) -> Result<(), CacheError> {
        self.cache.retain(keep)
    }

    /// Loads a plugin from a file.
    ///
    /// # Errors
    /// When the file, its manifest, the grant or the settings do not fit; the error says what to do.
    pub async fn load_file(&self, path: &Path, grant: &Grant, settings: &Value) -> Result<Plugin, LoadError> {
        let wasm = tokio::fs::read(path)
            .await
            .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        self.load(&wasm, grant, settings).await
    }

    /// Loads a plugin: checks it, compiles it in a child process unless its code is cached, binds the grant.
    ///
    /// # Errors
    /// As [`Runtime::load_file`].
    pub async fn load(&self, wasm: &[u8], grant: &Grant, settings: &Value) -> Result<Plugin, LoadError> {
        self.load_in(wasm, grant, settings, Region::BR).await
    }

    /// As [`Runtime::load`], for a tenant whose numbers are read by another region's rules.
    ///
    /// # Errors
    /// As [`Runtime::load_file`].
    pub async fn load_in(
        &self,
        wasm: &[u8],
        grant: &Grant,
        settings: &Value,
        region: Region,
    ) -> Result<Plugin, LoadError> {
        let program = self.program(wasm).await?;
        let plan = Plan::compile(&program.manifest, program.digest, grant, settings)?.with_region(region);
        if !plan.pins_digest() {
            tracing::warn!(
                tenant = %plan.tenant(), plugin = %plan.plugin(),
                "the grant holds for any build of this plugin (digest = \"any\"): for development only"
            );
        }
        Ok(Plugin::new(Inner {
            shared: Arc::clone(&self.shared),
            program,
            plan: arc_swap::ArcSwap::from_pointee(plan),
            gate: Arc::new(Gate::default()),
        }))
    }

    /// The code and the manifest of a file: those of a plugin that is loaded already, or from the cache, or compiled.
    async fn program(&self, wasm: &[u8]) -> Result<Arc<Program>, LoadError> {
        let digest = digest_of(wasm);
        if let Some(program) = self.programs.get(digest) {
            return Ok(program);
        }
        let engine = &self.shared.engine;
        let (inspected, component) = match self.cache.get(engine, digest).await {
            // What is in the cache was checked, byte for byte, before it was compiled.
            Some(component) => (read(&outline(wasm)?, digest)?, component),
            None => {
                let checked = check(wasm, &PrecheckLimits::default())?;
                let inspected = read(&checked, digest)?;
                (inspected, self.cache.compile(engine, &self.compiler, &checked).await?)
            }
        };
        let component =
            self.linker.instantiate_pre(&component).map_err(|e| LoadError::Link(format!("{e:#}")))?;
        let exports = Exports::of(&component);
        if let Some(export) = inspected.manifest.provides.iter().find(|export| !exports.has(**export)) {
            return Err(LoadError::MissingExport(*export));
        }
        Ok(self.programs.share(Program { manifest: inspected.manifest, digest, component, exports }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use rstest::rstest;

    use super::*;

    #[test]
    fn a_runtime_that_scans_is_unfit_for_good_once_swap_has_come() {
        assert_eq!(Health::new(false, || unreachable!()).fault(), None);
        let folder = tempfile::tempdir().unwrap();
        let swaps = folder.path().join("swaps");
        let heading = "Filename Type Size Used Priority\n";
        std::fs::write(&swaps, heading).unwrap();
        let health = Health::new(true, || SwapWatch::at(&swaps, folder.path()));
        assert_eq!(health.fault(), None);
        std::fs::write(&swaps, format!("{heading}/swap.img file 1 0 -2\n")).unwrap();
        assert_eq!(health.fault(), Some(SWAP_CAME));
        std::fs::write(&swaps, heading).unwrap();
        assert_eq!(health.fault(), Some(SWAP_CAME), "pages that were swapped out may come back");
    }

    #[rstest]
    #[case::unreadable(LoadError::Read { path: "x.wasm".into(), source: Error::from(ErrorKind::NotFound) })]
    #[case::no_component(LoadError::Component(crate::precheck::BadComponent::NotWasm))]
    #[case::no_manifest(LoadError::NoManifest)]
    #[case::interface(LoadError::Interface { built: "0.9".into() })]
    #[case::sdk(LoadError::Sdk)]
    #[case::disagrees(LoadError::Disagrees {
        manifest: InterfaceVersion { minor: 1 }, built: InterfaceVersion { minor: 9 },
    })]
    #[case::import(LoadError::UnexplainedImport(Import::Egress))]
    #[case::export(LoadError::MissingExport(ramal_capability::Export::UsersList))]
    #[case::compiler(LoadError::Compile(CompileError::Failed { reason: "x".into() }))]
    #[case::cache(LoadError::Cache(CacheError::Io {
        path: "code".into(), doing: "making it", source: Error::from(ErrorKind::NotADirectory),
    }))]
    #[case::link(LoadError::Link("x".into()))]
    fn an_error_says_what_to_do(#[case] error: LoadError) {
        let text = error.to_string();
        let (wrong, to_do) = text.split_once("; ").unwrap_or_else(|| panic!("nothing to do: {text}"));
        assert!(!wrong.is_empty() && !to_do.is_empty() && !text.ends_with('.'), "{text}");
    }
}
