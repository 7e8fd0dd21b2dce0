//! A certificate authority that only a program that is set to trusts.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// An authority, and what a server needs that speaks for `localhost` and for AWS's hosts.
pub(crate) struct Authority {
    pub pem: String,
    pub server: Arc<ServerConfig>,
}

impl Authority {
    /// One of its own for a test.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Each has a name of its own, as authorities have.
        params.distinguished_name.push(DnType::CommonName, format!("authority {:?}", &key.public_key_raw()[..8]));
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let names = ["localhost", "*.amazonaws.com", "*.us-east-1.amazonaws.com", "*.us-east-1.api.aws"];
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.map(str::to_owned).into();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let server =
            builder.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into()).unwrap();
        Self { pem: authority.pem(), server: Arc::new(server) }
    }
}
