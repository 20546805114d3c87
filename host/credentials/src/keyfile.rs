//! Wrapping keys in a file that only its owner may read, made at the first run:
//!
//! ```text
//! # Keys that wrap the CRMs' secrets. …
//! 9f2c41d07ab3e615 q1p8…=          # id, 32 bytes in base64; the last line wraps, the others still unwrap
//! ```
//!
//! It lies beside the database by default and must be kept apart from the database's backups: both together are the
//! secrets in the clear. A half-written key file would lose every secret, so it is only ever replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::rand;
use data_encoding::{BASE64, HEXLOWER};
use futures_util::future::BoxFuture;
use parking_lot::RwLock;
use zeroize::Zeroizing;

use crate::vault::{VaultError, decrypt, encrypt};
use crate::wrap::{DataKey, KeyWrapper, WrapError, Wrapped};

const HEAD: &str = "# Keys that wrap the CRMs' secrets. Without this file the secrets are lost: keep a copy, and keep it\n\
                    # apart from copies of the database. The last key is the one in use.\n";
/// A file of more is not one of ours.
const MOST_BYTES: u64 = 1024 * 1024;

/// Why the key file cannot be used. Never holds a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("the key file {} cannot be used; check that its folder exists and belongs to this user", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the key file {} may be read by others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not what was written.
    #[error("the key file {} is damaged in line {line}; restore it from its copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1; 0 where there is no key at all.
        line: usize,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes; this machine cannot keep secrets")]
    Random,
}

struct Entry {
    id: String,
    key: Zeroizing<[u8; 32]>,
}

/// Wrapping keys in a file of this machine.
pub struct LocalKeyFile {
    path: PathBuf,
    keys: RwLock<Arc<Vec<Entry>>>,
}

impl std::fmt::Debug for LocalKeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalKeyFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl LocalKeyFile {
    /// Opens the file; makes it, with one key, when there is none.
    ///
    /// # Errors
    /// When it cannot be read or made, when others may read it, or when it is damaged.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyFileError> {
        let path = path.into();
        let keys = match read(&path) {
            Err(KeyFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                create(&path)?;
                read(&path)?
            }
            other => other?,
        };
        Ok(Self { path, keys: RwLock::new(Arc::new(keys)) })
    }

    /// The ids of the keys, the one in use last.
    pub fn ids(&self) -> Vec<String> {
        self.keys.read().iter().map(|entry| entry.id.clone()).collect()
    }

    /// Reads the file anew: another process may have added a key.
    fn reload(&self) -> Result<(), KeyFileError> {
        let keys = read(&self.path)?;
        *self.keys.write() = Arc::new(keys);
        Ok(())
    }

    fn find(&self, id: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.keys.read().iter().find(|entry| entry.id == id).map(|entry| entry.key.clone())
    }

    fn unwrap_now(&self, wrapped: &Wrapped, context: &[u8]) -> Result<DataKey, WrapError> {
        let key = match self.find(&wrapped.key_id) {
            Some(key) => key,
            None => {
                self.reload().map_err(unavailable)?;
                let unknown = || WrapError::UnknownKey(wrapped.key_id.chars().take(64).collect());
                self.find(&wrapped.key_id).ok_or_else(unknown)?
            }
        };
        let opened = decrypt(&key, context, &wrapped.bytes).map_err(|error| match error {
            VaultError::Key(error) => error,
            _ => WrapError::Forged,
        })?;
        let bytes = Zeroizing::new(<[u8; 32]>::try_from(opened.as_slice()).map_err(|_| WrapError::Forged)?);
        Ok(DataKey::from_bytes(*bytes))
    }

    fn wrap_now(&self, key: &DataKey, context: &[u8]) -> Result<Wrapped, WrapError> {
        let keys = Arc::clone(&self.keys.read());
        // Never empty: a file without a key does not open.
        let newest = keys.last().ok_or_else(|| WrapError::Unavailable("there is no key".to_owned()))?;
        Ok(Wrapped { key_id: newest.id.clone(), bytes: encrypt(&newest.key, context, key.expose())? })
    }

    fn rotate_now(&self) -> Result<String, KeyFileError> {
        // Two processes that added a key at once would each write a file without the other's.
        let lock_path = beside(&self.path, ".lock");
        let failed = |source| KeyFileError::Io { path: self.path.clone(), source };
        let lock = private(&lock_path, false).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut keys = read(&self.path)?;
        let entry = new_entry()?;
        let id = entry.id.clone();
        keys.push(entry);
        let temporary = beside(&self.path, ".new");
        write_whole(&temporary, &keys).map_err(failed)?;
        fs::rename(&temporary, &self.path).map_err(failed)?;
        sync_folder(&self.path).map_err(failed)?;
        *self.keys.write() = Arc::new(keys);
        Ok(id)
    }
}

impl KeyWrapper for LocalKeyFile {
    fn wrap<'a>(&'a self, key: &'a DataKey, context: &'a [u8]) -> BoxFuture<'a, Result<Wrapped, WrapError>> {
        Box::pin(std::future::ready(self.wrap_now(key, context)))
    }
    fn unwrap<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        context: &'a [u8],
    ) -> BoxFuture<'a, Result<DataKey, WrapError>> {
        Box::pin(std::future::ready(self.unwrap_now(wrapped, context)))
    }
    fn rotate(&self) -> BoxFuture<'_, Result<String, WrapError>> {
        Box::pin(std::future::ready(self.rotate_now().map_err(unavailable)))
    }
}

fn unavailable(error: KeyFileError) -> WrapError {
    WrapError::Unavailable(error.to_string())
}

fn new_entry() -> Result<Entry, KeyFileError> {
    let (mut id, mut key) = ([0u8; 8], Zeroizing::new([0u8; 32]));
    rand::fill(&mut id).and_then(|()| rand::fill(key.as_mut_slice())).map_err(|_| KeyFileError::Random)?;
    Ok(Entry { id: HEXLOWER.encode(&id), key })
}

/// Makes the file whole under another name and gives it its name only if nobody else was quicker.
fn create(path: &Path) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let temporary = beside(path, &format!(".{}.new", uuid::Uuid::new_v4().simple()));
    write_whole(&temporary, &[new_entry()?]).map_err(failed)?;
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(failed(error)),
        _ => removed.map_err(failed)?,
    }
    sync_folder(path).map_err(failed)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

fn private(path: &Path, truncate: bool) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(truncate).mode(0o600).open(path)
}

fn write_whole(path: &Path, keys: &[Entry]) -> std::io::Result<()> {
    let mut text = Zeroizing::new(String::with_capacity(HEAD.len() + keys.len() * 128));
    text.push_str(HEAD);
    for entry in keys {
        text.push_str(&entry.id);
        text.push(' ');
        text.push_str(&Zeroizing::new(BASE64.encode(entry.key.as_slice())));
        text.push('\n');
    }
    let mut file = private(path, true)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// So that the new name survives a power cut.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn read(path: &Path) -> Result<Vec<Entry>, KeyFileError> {
    let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    // Of the open file, not of the name: the name may be another file by now.
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let damaged = || KeyFileError::Damaged { path: path.to_owned(), line: number + 1 };
        keys.push(entry(line).ok_or_else(damaged)?);
    }
    if keys.is_empty() || !text.ends_with('\n') {
        let line = if keys.is_empty() { 0 } else { text.lines().count() };
        return Err(KeyFileError::Damaged { path: path.to_owned(), line });
    }
    Ok(keys)
}

fn entry(line: &str) -> Option<Entry> {
    let (id, key) = line.split_once(' ')?;
    let good = id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let bytes = Zeroizing::new(BASE64.decode(key.as_bytes()).ok()?);
    let key = Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?);
    good.then(|| Entry { id: id.to_owned(), key })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.keys");
        (dir, path)
    }

    #[tokio::test]
    async fn the_first_run_makes_a_key_that_the_next_run_finds_and_only_its_owner_reads() {
        let (dir, path) = place();
        let first = LocalKeyFile::open(&path).unwrap();
        let key = DataKey::random().unwrap();
        let wrapped = first.wrap(&key, b"c").await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = LocalKeyFile::open(&path).unwrap();
        assert_eq!(second.unwrap(&wrapped, b"c").await.unwrap().expose(), key.expose());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing half-made is left");
    }

    #[test]
    fn many_first_runs_at_once_agree_on_one_key() {
        let (_dir, path) = place();
        let ids: Vec<_> = std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..8).map(|_| scope.spawn(|| LocalKeyFile::open(&path).unwrap().ids())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(ids.iter().all(|one| *one == ids[0] && one.len() == 1), "{ids:?}");
    }

    #[tokio::test]
    async fn a_new_key_wraps_and_the_old_one_still_unwraps_also_in_a_process_that_runs() {
        let (_dir, path) = place();
        let (running, admin) = (LocalKeyFile::open(&path).unwrap(), LocalKeyFile::open(&path).unwrap());
        let key = DataKey::random().unwrap();
        let old = running.wrap(&key, b"c").await.unwrap();
        let id = admin.rotate().await.unwrap();
        let new = admin.wrap(&key, b"c").await.unwrap();
        assert_eq!((new.key_id.as_str(), old.key_id == id), (id.as_str(), false));
        assert_eq!(admin.unwrap(&old, b"c").await.unwrap().expose(), key.expose());
        assert_eq!(running.unwrap(&new, b"c").await.unwrap().expose(), key.expose());
    }

    #[test]
    fn keys_that_are_added_at_once_are_all_kept() {
        let (_dir, path) = place();
        LocalKeyFile::open(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| LocalKeyFile::open(&path).unwrap().rotate_now().unwrap());
            }
        });
        assert_eq!(LocalKeyFile::open(&path).unwrap().ids().len(), 5);
    }

    #[tokio::test]
    async fn a_key_of_another_file_is_named_and_not_tried() {
        let (_dir, path) = place();
        let (_other_dir, other) = place();
        let wrapped =
            LocalKeyFile::open(other).unwrap().wrap(&DataKey::random().unwrap(), b"c").await.unwrap();
        let refused = LocalKeyFile::open(path).unwrap().unwrap(&wrapped, b"c").await.unwrap_err();
        assert_eq!(refused, WrapError::UnknownKey(wrapped.key_id));
    }

    #[rstest]
    #[case::empty("", 0)]
    #[case::comment("# nothing\n", 0)]
    #[case::no_key("0123456789abcdef\n", 1)]
    #[case::short("0123456789abcdef AAAA\n", 1)]
    #[case::no_hex("0123456789abcdeg AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 1)]
    #[case::cut("0123456789abcdef AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 1)]
    fn a_damaged_file_is_refused_and_never_replaced(#[case] text: &str, #[case] at: usize) {
        let (_dir, path) = place();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let refused = LocalKeyFile::open(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Damaged { line, .. } if line == at), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let (_dir, path) = place();
        LocalKeyFile::open(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let told = LocalKeyFile::open(&path).unwrap_err().to_string();
        assert!(told.contains("(mode 640); run: chmod 600"), "{told}");
    }
}
