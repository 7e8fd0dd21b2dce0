//! Which certificate authorities the HTTP clients trust: those of the system, or those of a file in their place, as with the AWS CLI.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use thiserror::Error;

use super::shared_config::SharedConfig;

const VARIABLE: &str = "AWS_CA_BUNDLE";
const KEY: &str = "ca_bundle";

/// The authorities that are trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust(Option<Arc<Bundle>>);

#[derive(Debug)]
struct Bundle {
    pem: Vec<u8>,
    roots: RootCertStore,
}

/// A file of authorities that cannot be used.
#[derive(Clone, Debug, Error)]
#[error("{named_by} names {}, {problem}", path.display())]
pub struct TrustError {
    named_by: NamedBy,
    path: PathBuf,
    problem: String,
}

#[derive(Clone, Debug)]
enum NamedBy {
    Variable,
    Profile(String),
}

impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable => f.write_str(VARIABLE),
            Self::Profile(name) => write!(f, "{KEY} of the AWS profile `{name}`"),
        }
    }
}

impl TrustError {
    /// The next step.
    pub fn hint(&self) -> String {
        match self.named_by {
            NamedBy::Variable => format!("set {VARIABLE} to a file of certificates in PEM, or unset it"),
            NamedBy::Profile(_) => format!("set {KEY} to a file of certificates in PEM, or take it out of the profile"),
        }
    }
}

impl Trust {
    /// What the environment says, else the profile in use.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificates.
    pub fn of(shared: Option<&SharedConfig>) -> Result<Self, TrustError> {
        let variable = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
        let of_profile = || {
            let shared = shared?;
            let path = shared.get(KEY).filter(|path| !path.is_empty())?;
            Some((NamedBy::Profile(shared.name().to_owned()), PathBuf::from(path)))
        };
        match variable.map(|path| (NamedBy::Variable, PathBuf::from(path))).or_else(of_profile) {
            None => Ok(Self::default()),
            Some((named_by, path)) => {
                let bundle = read(&path).map_err(|problem| TrustError { named_by, path, problem })?;
                Ok(Self(Some(Arc::new(bundle))))
            }
        }
    }

    /// For the SDK's clients; `None` leaves them the authorities of the system.
    pub fn context(&self) -> Option<TlsContext> {
        let store = TrustStore::empty().with_pem_certificate(self.0.as_ref()?.pem.clone());
        TlsContext::builder().with_trust_store(store).build().ok()
    }

    /// For rustls; `None` stands for the authorities of the system.
    pub fn roots(&self) -> Option<RootCertStore> {
        self.0.as_ref().map(|bundle| bundle.roots.clone())
    }
}

/// The SDK's client would panic over a certificate that it cannot read.
fn read(path: &std::path::Path) -> Result<Bundle, String> {
    let pem = std::fs::read(path).map_err(|error| format!("which cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let added = certificate.map_err(|error| error.to_string());
        let added = added.and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()));
        added.map_err(|error| format!("which has a certificate that is none: {error}"))?;
    }
    if roots.is_empty() {
        return Err("which has no certificate in PEM".to_owned());
    }
    Ok(Bundle { pem, roots })
}
