//! Real key servers on loopback: good ones, and such as hang, answer something else, or are not who they should be.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use hlctl_authorizer::{Authorizer, FETCH_LIMIT, FetchError, HttpsKeySource, KeySource as _, Refusal, SourceError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use serde_json::json;
use tempfile::TempDir;

use crate::support::keys::{POOL, ROTATED, set};
use crate::support::server::{Request, Response, Server};
use crate::support::token::{claims, header_with, signed, token};
use crate::support::{now, refusal_at, settings};

fn source(server: &Server) -> HttpsKeySource {
    HttpsKeySource::new(&settings(&[("JWKS_URI", &server.url("/jwks.json"))])).unwrap()
}

fn good_set(request: &Request) -> Option<Response> {
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/jwks.json"));
    Some(Response::new(200, set(&[POOL.jwk()])))
}

#[tokio::test]
async fn a_key_set_comes_over_plain_http_from_loopback() {
    let server = Server::start(good_set);
    let authorizer = Authorizer::new(settings(&[]), source(&server));
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up_in_time_and_held_keys_stay_good() {
    let server = Server::start(|_| None);
    let authorizer = Authorizer::new(settings(&[("JWKS", &set(&[POOL.jwk()]))]), source(&server));
    let of_rotated = signed(&header_with(json!({ "kid": ROTATED.id })), &claims().to_string(), &ROTATED);
    let begun = Instant::now();
    assert_eq!(refusal_at(&authorizer, &of_rotated, now()).await, Some(Refusal::KeysUnavailable));
    let taken = begun.elapsed();
    // How long exactly is tried with paused time; here a busy machine may be late.
    assert!(taken >= FETCH_LIMIT && taken < 10 * FETCH_LIMIT, "{taken:?}");
    assert_eq!(server.asked(), 1);
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None);
}

#[tokio::test]
async fn a_server_that_answers_something_else_is_no_key_server() {
    let cases = [
        (Response::new(500, set(&[POOL.jwk()])), FetchError::Status(500)),
        (Response::new(404, ""), FetchError::Status(404)),
        (Response::new(204, ""), FetchError::Status(204)),
        (Response::new(200, "x".repeat(64 * 1024 + 1)), FetchError::TooLarge),
        (Response::new(200, format!("{}{}", set(&[POOL.jwk()]), " ".repeat(64 * 1024))), FetchError::TooLarge),
    ];
    for (response, expected) in cases {
        let response = Arc::new(Mutex::new(Some(response)));
        let server = Server::start(move |_| response.lock().unwrap().take());
        assert_eq!(source(&server).fetch().await, Err(expected));
    }
    let html = Server::start(|_| Some(Response::new(200, "<!doctype html>").header("content-type", "text/html")));
    let authorizer = Authorizer::new(settings(&[]), source(&html));
    assert_eq!(authorizer.warm_up(now()).await, Err(FetchError::NoUsableKey));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = Server::start(good_set);
    let target = other.url("/jwks.json");
    let server = Server::start(move |_| Some(Response::new(302, "").header("location", target.clone())));
    assert_eq!(source(&server).fetch().await, Err(FetchError::Status(302)));
    assert_eq!(other.asked(), 0);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let server = Server::start(|_| None);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_ne!(nobody, server.address());
    let uri = format!("http://{nobody}/jwks.json");
    let source = HttpsKeySource::new(&settings(&[("JWKS_URI", &uri)])).unwrap();
    assert_eq!(source.fetch().await, Err(FetchError::Unreachable));
}

/// A private authority's file, and a server with a certificate of its for one name.
struct Private {
    _directory: TempDir,
    file: PathBuf,
    server: Server,
}

fn private(name: &str) -> Private {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();

    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("authorities.pem");
    std::fs::write(&file, authority.pem()).unwrap();

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())
        .unwrap();
    Private { _directory: directory, file, server: Server::start_tls(Arc::new(config), good_set) }
}

impl Private {
    async fn fetch(&self, changes: &[(&str, &str)]) -> Result<Vec<u8>, FetchError> {
        let uri = self.server.url("/jwks.json");
        let changes = [&[("JWKS_URI", uri.as_str())], changes].concat();
        HttpsKeySource::new(&settings(&changes)).unwrap().fetch().await
    }
}

#[tokio::test]
async fn a_server_must_prove_who_it_is() {
    let private_server = private("127.0.0.1");
    let file = private_server.file.to_str().unwrap();
    let trusted = private_server.fetch(&[("JWKS_CA_FILE", file)]).await;
    assert_eq!(trusted.unwrap(), set(&[POOL.jwk()]).into_bytes());
    assert_eq!(private_server.fetch(&[]).await, Err(FetchError::Unreachable), "the web's authorities do not know it");

    let of_other_name = private("example.com");
    let file = of_other_name.file.to_str().unwrap();
    assert_eq!(of_other_name.fetch(&[("JWKS_CA_FILE", file)]).await, Err(FetchError::Unreachable));
}

#[test]
fn a_file_of_authorities_must_be_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("authorities.pem");
    let source = || HttpsKeySource::new(&settings(&[("JWKS_CA_FILE", file.to_str().unwrap())]));
    assert!(matches!(source(), Err(SourceError::Authorities)), "a file that is not there");
    for content in ["", "authorities", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, content).unwrap();
        assert!(matches!(source(), Err(SourceError::Authorities)), "{content:?}");
    }
}
