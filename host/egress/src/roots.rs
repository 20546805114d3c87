//! Whom TLS trusts: the public roots that are compiled in, and, for a CRM inside the company, the company's
//! own certificate authority from a PEM file. The machine's trust store is not read, so that a root that some
//! installer added there is not trusted with customers' data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Sessions that one pool remembers, to shorten its next handshakes.
const RESUMED_SESSIONS: usize = 8;

/// Why the roots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file cannot be read as PEM.
    #[error(
        "{path} cannot be read as PEM certificates; give a file with one or more BEGIN CERTIFICATE blocks"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// The file has no certificate.
    #[error("{path} holds no certificate; give a file with one or more BEGIN CERTIFICATE blocks")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// TLS refuses the roots.
    #[error(
        "a root certificate or the TLS settings were refused; give certificates of authorities, each whole"
    )]
    Tls(#[from] tokio_rustls::rustls::Error),
}

/// The certificate authorities that are trusted.
#[derive(Debug, Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Default for Roots {
    fn default() -> Self {
        Self::public()
    }
}

impl Roots {
    /// The public roots (Mozilla's list, compiled in).
    pub fn public() -> Self {
        Self(Arc::new(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }))
    }

    /// These, and the certificates of a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no usable certificate.
    pub fn with_pem_file(self, path: impl AsRef<Path>) -> Result<Self, RootsError> {
        let path = path.as_ref();
        let failed = |source| RootsError::File { path: path.to_owned(), source };
        let mut store = Arc::unwrap_or_clone(self.0);
        let before = store.len();
        for certificate in CertificateDer::pem_file_iter(path).map_err(failed)? {
            store.add(certificate.map_err(failed)?)?;
        }
        if store.len() == before {
            return Err(RootsError::Empty { path: path.to_owned() });
        }
        Ok(Self(Arc::new(store)))
    }

    /// What every connection starts from.
    pub(crate) fn client_config(&self) -> Result<ClientConfig, RootsError> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(self.0.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// The same settings with a memory of sessions of its own: a session that one tenant's pool began is not
/// resumed by another's, which would let the recipient tie the two together.
pub(crate) fn apart(config: &ClientConfig) -> Arc<ClientConfig> {
    let mut own = config.clone();
    own.resumption = Resumption::in_memory_sessions(RESUMED_SESSIONS);
    Arc::new(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pem_file_adds_to_the_public_roots() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let made = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap();
        std::fs::write(&path, made.cert.pem()).unwrap();
        let public = Roots::public().0.len();
        assert!(public > 100);
        assert_eq!(Roots::public().with_pem_file(&path).unwrap().0.len(), public + 1);
    }

    #[test]
    fn a_file_without_certificates_is_an_error_that_says_what_to_give() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "hello").unwrap();
        let error = Roots::public().with_pem_file(&path).unwrap_err().to_string();
        assert!(
            error.ends_with("holds no certificate; give a file with one or more BEGIN CERTIFICATE blocks")
        );
        assert!(Roots::public().with_pem_file(folder.path().join("none.pem")).is_err());
    }
}
