//! Files that users send: asked for in two steps, <https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media>.
//!
//! First the Graph API says where a file is for the next five minutes, then it is fetched from there with the same token.
//! That address comes from outside: a token that follows it anywhere is a token lost. So there is a client for each host
//! that the configuration names, and an address of any other host is refused before anything is sent.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use ramal_capability::{EgressFailure, Method, Origin};
use ramal_center::Clear;
use ramal_egress::{ProviderAnswer, ProviderCall, ProviderClient};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

/// What says where a file is has some hundred bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// Fetches files.
pub struct WhatsAppMedia {
    graph: ProviderClient,
    /// The hosts that files come from.
    files: Vec<ProviderClient>,
    version: String,
    authorization: Clear,
    most_bytes: u64,
}

impl fmt::Debug for WhatsAppMedia {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WhatsAppMedia({:?})", self.files)
    }
}

/// A file.
pub struct MediaFile {
    /// Its media type, as Meta says.
    pub media_type: String,
    /// It.
    pub bytes: Zeroizing<Vec<u8>>,
}

// What somebody photographed.
impl fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaFile({} bytes)", self.bytes.len())
    }
}

/// Why a file was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// Not an identifier of a file.
    #[error("the message's file has no identifier of Meta's; nothing was asked")]
    NoIdentifier,
    /// The provider did not answer.
    #[error("{step} could not be asked: {source}; it is tried again when somebody asks for the file")]
    Unavailable {
        /// Which step.
        step: &'static str,
        /// Why.
        source: Box<EgressFailure>,
    },
    /// The provider refused.
    #[error(
        "{step} answered {status}: the file is gone after some weeks (404), or the token may not read it (401)"
    )]
    Refused {
        /// Which step.
        step: &'static str,
        /// The status.
        status: u16,
    },
    /// The answer is none of Meta's.
    #[error("the Graph API does not say where the file is")]
    Unreadable,
    /// The file is at a host that the token is not given to.
    #[error(
        "the file is at a host that is not in `media-hosts` of the channel; the token was not sent there. Add the host only if Meta's documentation names it"
    )]
    OtherHost,
    /// The file is another than the one that was announced.
    #[error("the file's SHA-256 is not the one that the Graph API told; it was thrown away")]
    Tampered,
    /// The file is too large.
    #[error("the file is larger than {most} bytes, the `most-media-bytes` of the channel")]
    TooLarge {
        /// The limit.
        most: u64,
    },
}

/// Where a file is.
#[derive(Deserialize)]
struct Place {
    url: String,
    mime_type: Option<String>,
    sha256: Option<String>,
    file_size: Option<u64>,
}

impl WhatsAppMedia {
    /// Asks the Graph API for places and fetches from these hosts, at most so many bytes.
    pub fn new(
        graph: ProviderClient,
        files: Vec<ProviderClient>,
        version: &str,
        token: &Clear,
        most_bytes: u64,
    ) -> Self {
        let authorization = Clear::new(format!("Bearer {}", token.expose()));
        Self { graph, files, version: version.to_owned(), authorization, most_bytes }
    }

    /// Fetches a file by its identifier.
    ///
    /// # Errors
    /// When it cannot be had, is too large, or is not what was announced.
    pub async fn fetch(&self, id: &str) -> Result<MediaFile, MediaError> {
        // It stands in a path.
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(MediaError::NoIdentifier);
        }
        let place = self.place(id).await?;
        if place.file_size.is_some_and(|size| size > self.most_bytes) {
            return Err(self.too_large());
        }
        let url = Url::parse(&place.url).map_err(|_| MediaError::Unreadable)?;
        let client = self.client(&url)?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{}{query}", url.path());
        let answer = self.get(client, &target, self.most_bytes, "the file's host").await?;
        let hash = digest(&SHA256, &answer.body);
        // In hexadecimal here, in base64 in the webhook.
        let told = place.sha256.ok_or(MediaError::Unreadable)?;
        if told != HEXLOWER.encode(hash.as_ref()) && told != BASE64.encode(hash.as_ref()) {
            return Err(MediaError::Tampered);
        }
        let media_type = place.mime_type.unwrap_or(answer.media_type);
        Ok(MediaFile { media_type, bytes: answer.body })
    }

    async fn place(&self, id: &str) -> Result<Place, MediaError> {
        let target = format!("/{}/{id}", self.version);
        let answer = self.get(&self.graph, &target, MOST_BYTES, "the Graph API").await?;
        serde_json::from_slice(&answer.body).map_err(|_| MediaError::Unreadable)
    }

    /// The client for exactly this scheme, host and port.
    fn client(&self, url: &Url) -> Result<&ProviderClient, MediaError> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(MediaError::OtherHost);
        }
        let origin: Origin = url.origin().ascii_serialization().parse().map_err(|_| MediaError::OtherHost)?;
        self.files.iter().find(|client| *client.origin() == origin).ok_or(MediaError::OtherHost)
    }

    async fn get(
        &self,
        client: &ProviderClient,
        target: &str,
        most_bytes: u64,
        step: &'static str,
    ) -> Result<ProviderAnswer, MediaError> {
        let authorization = Some(&self.authorization);
        let call = ProviderCall { method: Method::Get, target, authorization, body: None, most_bytes };
        let answer = client.send(call).await.map_err(|source| match source {
            EgressFailure::TooLarge => self.too_large(),
            source => MediaError::Unavailable { step, source: Box::new(source) },
        })?;
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(MediaError::Refused { step, status }),
        }
    }

    fn too_large(&self) -> MediaError {
        MediaError::TooLarge { most: self.most_bytes }
    }
}
