//! Where the files that came with messages are put, once they were fetched from the provider, and who fetches them.
//!
//! Files that only this user can read, as recordings are; they are not encrypted. A provider keeps a file for some weeks
//! only, and what nobody fetched until then is gone.

use std::io;
use std::path::PathBuf;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ramal_center::{EventId, SourceId, TenantId};
use zeroize::Zeroizing;

use crate::recordings::keep;
use crate::{MediaError, MediaFile, WhatsAppMedia};

/// A provider that files are fetched from.
pub trait FileFetcher: Send + Sync + 'static {
    /// Fetches a file by the reference of its attachment.
    ///
    /// # Errors
    /// When it cannot be had.
    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<MediaFile, MediaError>>;
}

impl FileFetcher for WhatsAppMedia {
    fn fetch<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<MediaFile, MediaError>> {
        WhatsAppMedia::fetch(self, reference).boxed()
    }
}

/// Keeps the files of messages in a folder: `TENANT/DIGEST-N`, the digest being that of channel and message, since a
/// provider's identifier may hold what no file name may.
#[derive(Debug, Clone)]
pub struct FileFolder {
    root: PathBuf,
}

impl FileFolder {
    /// In this folder, which is made with the first file.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Where the n-th file of a message lies, once it was kept.
    pub fn path(&self, tenant: &TenantId, channel: &SourceId, message: &EventId, n: usize) -> PathBuf {
        let name = format!("{channel}\n{}", message.as_str());
        let hash = HEXLOWER.encode(digest(&SHA256, name.as_bytes()).as_ref());
        self.root.join(tenant.as_str()).join(format!("{}-{n}", hash.get(..32).unwrap_or(&hash)))
    }

    /// Keeps a file. When this returns, it is on the disk; the same again changes nothing.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn put(&self, path: PathBuf, bytes: Zeroizing<Vec<u8>>) -> io::Result<()> {
        blocking(move || keep(&path, &bytes)).await
    }

    /// A file that was kept; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub async fn get(&self, path: PathBuf) -> io::Result<Option<Vec<u8>>> {
        blocking(move || match std::fs::read(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(io::Error::other("the work on the file broke off")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_found_by_its_message_alone() {
        let folder = tempfile::tempdir().unwrap();
        let files = FileFolder::new(folder.path().join("files"));
        let (tenant, channel) = (TenantId::new("acme").unwrap(), SourceId::new("wa").unwrap());
        let message = EventId::new("wamid.HBg/../../x==").unwrap();
        let path = files.path(&tenant, &channel, &message, 0);
        assert!(path.starts_with(folder.path()) && !path.to_string_lossy().contains(".."));
        assert_eq!(files.get(path.clone()).await.unwrap(), None);
        files.put(path.clone(), b"made up".to_vec().into()).await.unwrap();
        assert_eq!(files.get(path).await.unwrap().as_deref(), Some(&b"made up"[..]));
        let second = files.path(&tenant, &channel, &message, 1);
        assert_eq!(files.get(second).await.unwrap(), None);
    }
}
