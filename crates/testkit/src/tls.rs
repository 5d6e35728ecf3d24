//! Certificates for upstreams that should, or should not, be trusted.

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What is wrong with a certificate, apart from being signed by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing: a client that trusts it can connect, any other cannot.
    Untrusted,
    /// Valid until 2020.
    Expired,
    /// Made out to `elsewhere.example`.
    WrongName,
}

/// A self-signed certificate for 127.0.0.1 and localhost.
pub struct Identity {
    /// For a client that is to trust it.
    pub certificate_pem: String,
    /// For a server that reads it from a file.
    pub key_pem: String,
    pub acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificate_pem", &self.certificate_pem).finish_non_exhaustive()
    }
}

impl Identity {
    /// A new key and certificate, offering HTTP/1.1.
    pub fn new(flaw: Flaw) -> Self {
        let names: &[&str] =
            if flaw == Flaw::WrongName { &["elsewhere.example"] } else { &["localhost", "127.0.0.1"] };
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("the names are valid");
        if flaw == Flaw::Expired {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.self_signed(&key).expect("the certificate can be signed");
        let key_pem = key.serialize_pem();
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .expect("the key is the certificate's");
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { certificate_pem: certificate.pem(), key_pem, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scripted, Server};
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;

    async fn connect(flaw: Flaw, trust: bool) -> Result<String, String> {
        let identity = Identity::new(flaw);
        let server = Server::listen(Scripted::default(), 0, Some(identity.acceptor.clone())).await;
        let mut roots = RootCertStore::empty();
        if trust {
            roots.add(CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap()).unwrap();
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        stream.write_all(b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map_err(|error| error.to_string())?;
        Ok(answer)
    }

    #[tokio::test]
    async fn only_a_trusted_flawless_certificate_connects() {
        assert!(connect(Flaw::Untrusted, true).await.unwrap().starts_with("HTTP/1.1 200"));
        for (flaw, trust, reason) in [
            (Flaw::Untrusted, false, "UnknownIssuer"),
            (Flaw::Expired, true, "expired"),
            (Flaw::WrongName, true, "not valid for name"),
        ] {
            let error = connect(flaw, trust).await.unwrap_err();
            assert!(error.contains(reason), "{flaw:?}: {error}");
        }
    }
}
