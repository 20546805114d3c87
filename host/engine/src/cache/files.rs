//! The cache's files: who may have written them, and how they are written so that a crash leaves
//! either the old or the new.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_lc_rs::{constant_time, hmac};

use ramal_capability::Digest;

use super::CacheError;
use super::digest::hex;

const KEY_FILE: &str = "key";
const KEY_BYTES: usize = 32;
const TEMPORARY: &str = ".new-";

/// The directory and its key.
#[derive(Clone)]
pub(super) struct Files {
    dir: PathBuf,
    key: Arc<hmac::Key>,
}

/// One plugin's machine code for one engine.
#[derive(Clone)]
pub(super) struct Entry {
    dir: PathBuf,
    key: Arc<hmac::Key>,
    digest: Digest,
    compatibility: Digest,
}

impl Files {
    pub(super) fn open(dir: &Path) -> Result<Self, CacheError> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(io_error(dir, "making it"))?;
        // One name for ever, whatever the working directory becomes.
        let dir = fs::canonicalize(dir).map_err(io_error(dir, "finding it"))?;
        let meta = fs::symlink_metadata(&dir).map_err(io_error(&dir, "looking at it"))?;
        only_ours(&dir, &meta, "700")?;
        let key = key(&dir)?;
        Ok(Self { dir, key: Arc::new(key) })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn entry(&self, digest: Digest, compatibility: Digest) -> Entry {
        Entry { dir: self.dir.clone(), key: Arc::clone(&self.key), digest, compatibility }
    }

    pub(super) fn retain(&self, keep: &[Digest]) -> Result<(), CacheError> {
        let names: Vec<String> = keep.iter().map(|digest| hex(*digest)).collect();
        let listed = fs::read_dir(&self.dir).map_err(io_error(&self.dir, "listing it"))?;
        for file in listed {
            let file = file.map_err(io_error(&self.dir, "listing it"))?;
            let name = file.file_name();
            let name = name.to_string_lossy();
            if name == KEY_FILE || names.iter().any(|kept| name.starts_with(kept.as_str())) {
                continue;
            }
            if let Err(error) = fs::remove_file(file.path()) {
                tracing::warn!(%name, %error, "cannot remove a file from the code cache");
            }
        }
        Ok(())
    }
}

impl Entry {
    pub(super) fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn code_path(&self) -> PathBuf {
        self.path("cwasm")
    }

    fn signature_path(&self) -> PathBuf {
        self.path("mac")
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}-{}.{extension}", hex(self.digest), hex(self.compatibility)))
    }

    /// Opens the code and says whether its signature is right. `None` if there is no code.
    pub(super) fn open_signed(&self) -> io::Result<Option<(File, bool)>> {
        let mut file = match open_without_links(&self.code_path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let mut code = Vec::new();
        file.read_to_end(&mut code)?;
        let mut signature = Vec::new();
        match open_without_links(&self.signature_path()) {
            // As good as a wrong one: a crash came between the two files, or somebody removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some((file, false))),
            opened => opened?.take(1024).read_to_end(&mut signature)?,
        };
        let right = constant_time::verify_slices_are_equal(self.sign(&code).as_ref(), &signature).is_ok();
        Ok(Some((file, right)))
    }

    /// Writes the code, then its signature: a crash in between leaves code without a valid one.
    pub(super) fn write(&self, code: &[u8]) -> io::Result<()> {
        replace(&self.dir, &self.code_path(), code)?;
        replace(&self.dir, &self.signature_path(), self.sign(code).as_ref())
    }

    pub(super) fn remove(&self) {
        for path in [self.signature_path(), self.code_path()] {
            // If it stays, it is refused again the next time.
            let _ = fs::remove_file(path);
        }
    }

    /// Both digests are of fixed length, so no two different triples are signed alike.
    fn sign(&self, code: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&self.compatibility.0);
        context.update(&self.digest.0);
        context.update(code);
        context.sign()
    }
}

/// Reads the key, making it first if there is none. Two servers that start at once get the same.
fn key(dir: &Path) -> Result<hmac::Key, CacheError> {
    let path = dir.join(KEY_FILE);
    if matches!(fs::symlink_metadata(&path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        make_key(dir, &path).map_err(io_error(&path, "making its key"))?;
    }
    let file = open_without_links(&path).map_err(io_error(&path, "opening its key"))?;
    let meta = file.metadata().map_err(io_error(&path, "looking at its key"))?;
    only_ours(&path, &meta, "600")?;
    let mut bytes = Vec::new();
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io_error(&path, "reading its key"))?;
    if bytes.len() != KEY_BYTES {
        return Err(CacheError::Key { path });
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn make_key(dir: &Path, path: &Path) -> io::Result<()> {
    let mut bytes = [0; KEY_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("there is no randomness"))?;
    let temporary = write_new(dir, &bytes)?;
    // Unlike a rename, a link does not replace what another process made in the meantime.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(dir),
    }
}

fn replace(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = write_new(dir, bytes)?;
    // A file that is in use is never written to, only unlinked: see `trusted`.
    fs::rename(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))?;
    sync_dir(dir)
}

/// Writes a file of a name of its own, safe on disk before it gets its real name.
fn write_new(dir: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // The random part tells processes apart, also in containers, where all have the same number.
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("there is no randomness"))?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = dir.join(format!("{TEMPORARY}{}-{number}", data_encoding::HEXLOWER.encode(&random)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(fs::remove_file(&path)))?;
    Ok(path)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn open_without_links(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path)
}

/// Refuses what another user owns or may enter, read or write.
fn only_ours(path: &Path, meta: &fs::Metadata, mode: &'static str) -> Result<(), CacheError> {
    let unsafe_because = |reason: String| Err(CacheError::Unsafe { path: path.to_path_buf(), reason, mode });
    let ours = rustix::process::geteuid().as_raw();
    if meta.uid() != ours {
        return unsafe_because(format!("it belongs to user {} and the server runs as {ours}", meta.uid()));
    }
    let found = meta.mode() & 0o7777;
    if found & 0o077 != 0 {
        return unsafe_because(format!("its permissions are {found:o}, which lets other users at it"));
    }
    Ok(())
}

fn io_error(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> CacheError {
    let path = path.to_path_buf();
    move |source| CacheError::Io { path, doing, source }
}
