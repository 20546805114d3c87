//! Machine code kept between starts, so that a plugin is compiled once and then loads in under a
//! millisecond.
//!
//! Machine code read from a file is run as it is: whoever can write the file owns the server. So
//! the files lie in a directory that only the server's user can enter, and each is signed with a
//! key that never leaves it, together with the plugin and the engine that it belongs to. A file
//! that does not prove its origin is thrown away and compiled again; the cache never keeps a
//! plugin from running.

mod digest;
mod files;
mod trusted;

use std::path::{Path, PathBuf};

pub use digest::digest_of;
use ramal_capability::Digest;
use wasmtime::{Engine, component::Component};

use crate::compile::{CompileError, Compiler};
use crate::precheck::Checked;

/// A directory of signed machine code.
#[derive(Clone)]
pub struct CodeCache {
    files: files::Files,
}

/// The cache cannot be used, or a plugin cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// The directory or the key cannot be made or read.
    #[error("cannot use the code cache at {}: {}: {source}; name a folder that this user can make and write to", path.display(), doing)]
    Io {
        /// What was accessed.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Others could put machine code there.
    #[error("will not load machine code from {}: {reason}; run `chown` and `chmod {mode}` on it after you have made sure that nobody else wrote to it, or remove it", path.display())]
    Unsafe {
        /// The directory or the key file.
        path: PathBuf,
        /// Whose it is, or who may write to it.
        reason: String,
        /// The permissions that it should have.
        mode: &'static str,
    },
    /// The key file holds no key.
    #[error("the key of the code cache at {} is damaged; remove it, and all plugins are compiled again", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
    },
    /// Compiling failed.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// What the worker made does not fit this engine.
    #[error(
        "the machine code that was just made does not load: {reason}; make sure that the compile worker is of the same version as the server"
    )]
    Unloadable {
        /// What the runtime said.
        reason: String,
    },
}

impl CodeCache {
    /// Opens the cache in `dir`, making the directory (mode 0700) and its key (0600) if needed.
    ///
    /// # Errors
    /// If either cannot be made, or if anybody else could have written to them.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, CacheError> {
        Ok(Self { files: files::Files::open(dir.as_ref())? })
    }

    /// The plugin's machine code, if it is there and proves its origin. It was then made from bytes of this digest,
    /// which this version of the host had found fit to be compiled.
    pub async fn get(&self, engine: &Engine, digest: Digest) -> Option<Component> {
        let entry = self.files.entry(digest, compatibility(engine));
        blocking(engine, &entry, trusted::load).await
    }

    /// Compiles a plugin whose file was checked, and keeps the code.
    ///
    /// # Errors
    /// If it cannot be compiled. Trouble with the cache itself is only logged.
    pub async fn compile(
        &self,
        engine: &Engine,
        compiler: &Compiler,
        checked: &Checked<'_>,
    ) -> Result<Component, CacheError> {
        let entry = self.files.entry(digest_of(checked.wasm()), compatibility(engine));
        let code = compiler.compile(checked.wasm()).await?;
        blocking(engine, &entry, move |engine, entry| trusted::keep(engine, entry, &code))
            .await
            .map_err(|reason| CacheError::Unloadable { reason })
    }

    /// Removes everything but what belongs to the plugins in `keep`, whichever engine it is for.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn retain(&self, keep: &[Digest]) -> Result<(), CacheError> {
        self.files.retain(keep)
    }
}

impl std::fmt::Debug for CodeCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the key.
        f.debug_struct("CodeCache").field("dir", &self.files.dir()).finish_non_exhaustive()
    }
}

/// What the machine code depends on besides the plugin: version and settings of the engine.
fn compatibility(engine: &Engine) -> Digest {
    use std::hash::Hash as _;
    let mut hasher = digest::Sha256Hasher::default();
    // The runtime's own hash leaves the version out of its default strategy's value.
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.digest()
}

/// Runs `work`, which reads files and maps memory, where blocking is allowed.
async fn blocking<T: Send + 'static>(
    engine: &Engine,
    entry: &files::Entry,
    work: impl FnOnce(&Engine, &files::Entry) -> T + Send + 'static,
) -> T {
    let (engine, entry) = (engine.clone(), entry.clone());
    match tokio::task::spawn_blocking(move || work(&engine, &entry)).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down; nobody waits for an answer.
            Err(_) => std::future::pending().await,
        },
    }
}
