//! TLS to upstreams: which certificates are trusted, which protocols are offered, and the handshake.
//!
//! The crypto provider is passed explicitly, so a second one in the tree changes nothing. Trusted are the machine's
//! roots, or Mozilla's where the machine has none (a bare container), and the operator's extra certificates.

use std::io;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use crate::dial::Endpoint;
use crate::error::{SendError, SendErrorKind, SetupError};
use crate::wire::Wire;

/// The handshakes the client makes.
pub(crate) struct Tls {
    /// To upstreams: HTTP/2 where they have it.
    upstream: TlsConnector,
    /// To https proxies, which are spoken to in HTTP/1.1.
    proxy: TlsConnector,
}

/// What is being spoken to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    Upstream,
    /// Spoken to in HTTP/1.1, as an upstream is that shall change protocols.
    Proxy,
}

impl Tls {
    /// `extra_ca`: PEM text with certificates to trust besides the roots.
    pub(crate) fn new(extra_ca: Option<&[u8]>, http2: bool) -> Result<Self, SetupError> {
        let roots = Arc::new(roots(extra_ca)?);
        let http1: &[&[u8]] = &[b"http/1.1"];
        let both: &[&[u8]] = &[b"h2", b"http/1.1"];
        Ok(Self {
            upstream: connector(roots.clone(), if http2 { both } else { http1 })?,
            proxy: connector(roots, http1)?,
        })
    }

    /// TLS over `wire` with `to` as the name the certificate has to carry.
    pub(crate) async fn handshake(&self, wire: Wire, to: &Endpoint, peer: Peer) -> Result<Wire, SendError> {
        let name = ServerName::try_from(to.host.to_string()).map_err(|_| {
            SendError::new(SendErrorKind::Tls, format!("{} is not a name a certificate can carry", to.host))
        })?;
        let connector = match peer {
            Peer::Upstream => &self.upstream,
            Peer::Proxy => &self.proxy,
        };
        match connector.connect(name, wire).await {
            Ok(stream) => Ok(Wire::Tls(Box::new(stream))),
            Err(error) => Err(failed(to, &error)),
        }
    }
}

fn connector(roots: Arc<RootCertStore>, protocols: &[&[u8]]) -> Result<TlsConnector, SetupError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn roots(extra_ca: Option<&[u8]>) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    // Certificates the machine lists but rustls cannot read are common (very old roots); the readable ones count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(pem) = extra_ca {
        add_extra(&mut roots, pem)?;
    }
    Ok(roots)
}

/// Unlike the machine's, these were named by the operator: one that cannot be used is an error, and so is none.
fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), SetupError> {
    let unusable = |error: &dyn std::fmt::Display| SetupError(format!("extra CA certificates: {error}"));
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.len() == before {
        return Err(unusable(&"no PEM block of type CERTIFICATE found"));
    }
    Ok(())
}

fn failed(to: &Endpoint, error: &io::Error) -> SendError {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let detail = match cause {
        Some(rustls::Error::InvalidMessage(_)) => format!("{to} does not answer in TLS"),
        Some(cause) => format!("TLS with {to} failed: {cause}"),
        None => format!("TLS with {to} failed: {}", error.kind()),
    };
    SendError::new(SendErrorKind::Tls, detail)
}
