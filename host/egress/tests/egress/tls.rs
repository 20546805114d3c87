//! TLS proves the name, and nothing but a trusted certificate for that name will do.

use std::sync::Arc;

use ramal_egress::Roots;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::bench::Setup;
use crate::crm::{Accept, Crm, answer};

struct Tls(TlsAcceptor);

impl Accept for Tls {
    type Io = TlsStream<TcpStream>;
    async fn accept(&self, socket: TcpStream) -> Option<Self::Io> {
        self.0.accept(socket).await.ok()
    }
}

/// A server with a certificate for a name, and roots that trust it.
async fn secure(name: &str) -> (Crm, Roots, tempfile::TempDir) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, made.cert.pem()).unwrap();
    let roots = Roots::public().with_pem_file(path).unwrap();
    let tls = Tls(TlsAcceptor::from(Arc::new(config)));
    let crm = Crm::over(tls, |_| answer(200, r#"{"id":"c-1"}"#)).await;
    (crm, roots, folder)
}

fn at(crm: &Crm) -> Setup {
    Setup::origin(format!("https://crm.test:{}", crm.address.port()))
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_is_taken_and_its_connection_kept() {
    let (crm, roots, _folder) = secure("crm.test").await;
    let bench = at(&crm).bench_with(|b| b.roots(roots));
    for _ in 0..3 {
        assert_eq!(bench.find().await.unwrap().status, 200);
    }
    assert_eq!(crm.accepts(), 1);
    assert_eq!(crm.seen()[0].header("host"), Some(format!("crm.test:{}", crm.address.port()).as_str()));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_before_anything_is_sent() {
    let (crm, roots, _folder) = secure("other.test").await;
    let bench = at(&crm).bench_with(|b| b.roots(roots));
    let failure = bench.find().await.unwrap_err();
    assert_eq!(failure.to_string(), "unavailable: no trusted TLS with this name");
    assert!(crm.seen().is_empty() && bench.ledger.rows().is_empty());
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused_before_anything_is_sent() {
    let (crm, _, _folder) = secure("crm.test").await;
    let bench = at(&crm).bench();
    let failure = bench.find().await.unwrap_err();
    assert_eq!(failure.to_string(), "unavailable: no trusted TLS with this name");
    assert!(crm.seen().is_empty() && bench.ledger.rows().is_empty());
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_in_the_clear() {
    let crm = Crm::finds().await;
    let bench = at(&crm).bench();
    let failure = bench.find().await.unwrap_err();
    assert_eq!(failure.to_string(), "unavailable: no trusted TLS with this name");
    assert!(crm.seen().is_empty());
}
