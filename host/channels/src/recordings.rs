//! Where the sound of calls is put. The digest that is told to the center is the digest of what lies here.
//!
//! [`FolderStore`] keeps files that only this user can read. They are not encrypted: a vault with a key for each
//! recording takes its place behind the same trait.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA512, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use futures_util::future::BoxFuture;
use ramal_center::{RecordingId, TenantId};

/// A sound that is to be kept.
#[derive(Clone)]
pub struct Sound {
    /// Whose.
    pub tenant: TenantId,
    /// Which recording it is of.
    pub recording: RecordingId,
    /// A RIFF file.
    pub bytes: Arc<[u8]>,
}

// What people said.
impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sound({}, {} bytes)", self.recording.0, self.bytes.len())
    }
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// `sha512-` and the SHA-512 of the bytes in base64url, as a vCon's `content_hash` has it.
    pub digest: String,
}

/// Keeps sounds.
pub trait RecordingStore: Send + Sync + 'static {
    /// Keeps one. When this returns, it is on the disk; the same again changes nothing.
    ///
    /// # Errors
    /// When it cannot be kept: the exchange must not delete its copy.
    fn put(&self, sound: Sound) -> BoxFuture<'_, io::Result<Kept>>;
}

/// Keeps sounds as files in a folder: `TENANT/RECORDING.wav`.
#[derive(Debug, Clone)]
pub struct FolderStore {
    root: PathBuf,
}

impl FolderStore {
    /// In this folder, which is made with the first sound.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the sound of a recording lies, once it was kept.
    pub fn path(&self, tenant: &TenantId, recording: RecordingId) -> PathBuf {
        self.root.join(tenant.as_str()).join(format!("{}.wav", recording.0))
    }

    fn write(&self, sound: &Sound) -> io::Result<Kept> {
        keep(&self.path(&sound.tenant, sound.recording), &sound.bytes)?;
        let hash = digest(&SHA512, &sound.bytes);
        Ok(Kept { digest: format!("sha512-{}", BASE64URL_NOPAD.encode(hash.as_ref())) })
    }
}

impl RecordingStore for FolderStore {
    fn put(&self, sound: Sound) -> BoxFuture<'_, io::Result<Kept>> {
        let store = self.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || store.write(&sound))
                .await
                .unwrap_or_else(|_| Err(io::Error::other("the work on the file broke off")))
        })
    }
}

/// Writes a file that only this user can read, whole or not at all, and makes its folder.
pub(crate) fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("the file has no folder"))?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Half a file never has the name of a whole one.
    let half = folder.join(format!(".{}", random_name()?));
    let written = write_whole(&half, bytes).and_then(|()| std::fs::rename(&half, path));
    if let Err(error) = written {
        let _ = std::fs::remove_file(&half);
        return Err(error);
    }
    std::fs::File::open(folder)?.sync_all()
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn random_name() -> io::Result<String> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("the system gave no random bytes"))?;
    Ok(HEXLOWER.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn sound(bytes: &[u8]) -> Sound {
        Sound {
            tenant: TenantId::new("acme").unwrap(),
            recording: RecordingId(uuid::Uuid::from_u128(7)),
            bytes: bytes.into(),
        }
    }

    #[tokio::test]
    async fn what_is_kept_lies_on_the_disk_for_this_user_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::new(folder.path().join("recordings"));
        let kept = store.put(sound(b"RIFF made up")).await.unwrap();
        let path = store.path(&TenantId::new("acme").unwrap(), RecordingId(uuid::Uuid::from_u128(7)));
        assert_eq!(std::fs::read(&path).unwrap(), b"RIFF made up");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(kept.digest.starts_with("sha512-") && kept.digest.len() == 7 + 86, "{kept:?}");
        // The same again is the same, and nothing else lies there.
        assert_eq!(store.put(sound(b"RIFF made up")).await.unwrap(), kept);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, b"not a folder").unwrap();
        assert!(FolderStore::new(blocked).put(sound(b"x")).await.is_err());
    }
}
