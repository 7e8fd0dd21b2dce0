//! The key set over HTTPS, or over HTTP from this machine.
//!
//! The authorities are Mozilla's, built in, so that nothing depends on what the machine has; or those of a PEM file, for a key
//! server that only a private authority vouches for. One connection per fetch: fetches are a minute apart, and Lambda freezes the
//! function in between. Redirects are not followed, and no more is read than a key set may have.

use std::path::Path;

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::jwks::DOCUMENT_LIMIT;
use crate::{FetchError, KeySource, Settings};

/// The key set at `JWKS_URI`.
#[derive(Clone, Debug)]
pub struct HttpsKeySource {
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

/// Why there can be no connection to any key server.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file of authorities cannot be read, or has something else in it.
    #[error("JWKS_CA_FILE must be a PEM file with at least one certificate")]
    Authorities,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl HttpsKeySource {
    /// A source for these settings. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// If the file of authorities is not one.
    pub fn new(settings: &Settings) -> Result<Self, SourceError> {
        let tls = tls(settings.authorities().map(AsRef::as_ref))?;
        // Where plain HTTP is allowed, Settings has seen that the host is this machine.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { uri: settings.jwks_uri().clone(), client })
    }
}

fn tls(authorities: Option<&Path>) -> Result<ClientConfig, SourceError> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions()?;
    let builder = match authorities {
        Some(file) => builder.with_root_certificates(read_authorities(file)?),
        None => builder.with_webpki_roots(),
    };
    Ok(builder.with_no_client_auth())
}

fn read_authorities(file: &Path) -> Result<RootCertStore, SourceError> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|_| SourceError::Authorities)? {
        let certificate = certificate.map_err(|_| SourceError::Authorities)?;
        authorities.add(certificate).map_err(|_| SourceError::Authorities)?;
    }
    if authorities.is_empty() { Err(SourceError::Authorities) } else { Ok(authorities) }
}

impl KeySource for HttpsKeySource {
    async fn fetch(&self) -> Result<Vec<u8>, FetchError> {
        let response = self.client.get(self.uri.clone()).await.map_err(|_| FetchError::Unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let body = Limited::new(response.into_body(), DOCUMENT_LIMIT).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => FetchError::TooLarge,
            None => FetchError::Unreachable,
        })?;
        Ok(body.to_bytes().into())
    }
}
