//! Tokens that somebody made to get in, or to break something. All are refused, each for its own reason, and none of them makes
//! the authorizer fetch from anywhere but its key source.

mod claims;
mod form;

use hlctl_authorizer::{Authorizer, Refusal};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::support::keys::{FOREIGN, POOL, set};
use crate::support::server::{Response, Server};
use crate::support::source::{Reply, Script};
use crate::support::token::{claims, claims_with, header, header_with, part, signed, signed_by, signed_text, token};
use crate::support::{now, refusal_at, settings};

/// Each case is a name, a token, and why it must be refused.
async fn all_are_refused(cases: &[(&str, String, Refusal)]) {
    let keys = Script::new(Reply::Set(set(&[POOL.jwk()])));
    let authorizer = Authorizer::new(settings(&[]), &keys);
    for (name, token, expected) in cases {
        assert_eq!(refusal_at(&authorizer, token, now()).await, Some(*expected), "{name}");
    }
    assert_eq!(refusal_at(&authorizer, &token(&claims()), now()).await, None, "a good token after all these");
    assert!(keys.asked() <= 1, "the key set was fetched {} times", keys.asked());
}

/// A token of the usual claims that names an algorithm, with whatever signature.
fn of_algorithm(name: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    signed_by(&header_with(json!({ "alg": name })).to_string(), claims().to_string(), sign)
}

fn hmac_by(secret: &[u8]) -> impl FnOnce(&[u8]) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    move |message| hmac::sign(&key, message).as_ref().to_vec()
}

fn by_pool(message: &[u8]) -> Vec<u8> {
    POOL.sign(message, &RSA_PKCS1_SHA256)
}

#[tokio::test]
async fn no_algorithm_but_rs256_is_taken() {
    let unsupported = Refusal::UnsupportedAlgorithm;
    let spki = rsa_spki(POOL.public_der());
    let modulus = POOL.public().n;
    let mut cases = vec![
        ("HS256 by the public key", of_algorithm("HS256", hmac_by(POOL.public_der())), unsupported),
        ("HS256 by the public key as SPKI", of_algorithm("HS256", hmac_by(&spki)), unsupported),
        ("HS256 by the modulus", of_algorithm("HS256", hmac_by(&modulus)), unsupported),
        ("HS256 by the key set", of_algorithm("HS256", hmac_by(set(&[POOL.jwk()]).as_bytes())), unsupported),
        ("HS256 by nothing", of_algorithm("HS256", hmac_by(b"")), unsupported),
        ("RS384 by the right key", of_algorithm("RS384", |m| POOL.sign(m, &RSA_PKCS1_SHA384)), unsupported),
        ("PS256 by the right key", of_algorithm("PS256", |m| POOL.sign(m, &RSA_PSS_SHA256)), unsupported),
        ("RS384 said, RS256 signed", of_algorithm("RS384", by_pool), unsupported),
        ("RS256 said, RS384 signed", of_algorithm("RS256", |m| POOL.sign(m, &RSA_PKCS1_SHA384)), Refusal::BadSignature),
        ("RS256 said, PS256 signed", of_algorithm("RS256", |m| POOL.sign(m, &RSA_PSS_SHA256)), Refusal::BadSignature),
        ("RS256 said, HMAC signed", of_algorithm("RS256", hmac_by(POOL.public_der())), Refusal::BadSignature),
        (
            "no algorithm",
            signed(&header_with(json!({ "alg": null })), &claims().to_string(), &POOL),
            Refusal::MalformedToken,
        ),
        (
            "a number for one",
            signed(&header_with(json!({ "alg": 256 })), &claims().to_string(), &POOL),
            Refusal::MalformedToken,
        ),
        (
            "a list of them",
            signed(&header_with(json!({ "alg": ["RS256"] })), &claims().to_string(), &POOL),
            Refusal::MalformedToken,
        ),
        (
            "two of them",
            signed_text(r#"{"alg":"none","alg":"RS256"}"#, &claims().to_string(), &POOL),
            Refusal::MalformedToken,
        ),
    ];
    for name in ["none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", "ES256", "EdDSA", "RSA-OAEP", "../../dev/null"]
    {
        cases.push((name, of_algorithm(name, |_| Vec::new()), unsupported));
        cases.push((name, of_algorithm(name, by_pool), unsupported));
    }
    all_are_refused(&cases).await;
}

/// A PKCS#1 public key in the wrapping that PEM files have.
fn rsa_spki(pkcs1: &[u8]) -> Vec<u8> {
    const HEAD: [u8; 24] =
        [0x30, 0x82, 1, 0x22, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0, 3, 0x82, 1, 0x0f, 0];
    [&HEAD[..], pkcs1].concat()
}

#[tokio::test]
async fn only_the_pools_own_signature_is_taken() {
    let good = token(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let other = claims_with(json!({ "sub": "somebody-else" })).to_string();
    let head = part(header().to_string());
    let cases = [
        ("a foreign key of the same id", signed(&header(), &claims().to_string(), &FOREIGN), Refusal::BadSignature),
        ("other claims under a good signature", format!("{head}.{}.{signature}", part(&other)), Refusal::BadSignature),
        ("no signature", format!("{message}."), Refusal::BadSignature),
        ("a signature of zeros", format!("{message}.{}", part([0; 256])), Refusal::BadSignature),
        ("a signature of ones", format!("{message}.{}", part([0xff; 256])), Refusal::BadSignature),
        ("half a signature", format!("{message}.{}", &signature[..340 / 2 + 2]), Refusal::BadSignature),
        ("a longer signature", format!("{message}.{signature}AAAA"), Refusal::BadSignature),
        (
            "the digest itself",
            signed_by(&header().to_string(), &other, |m| digest::digest(&digest::SHA256, m).as_ref().to_vec()),
            Refusal::BadSignature,
        ),
        (
            "the first part changed",
            format!("{}.{}", part(header_with(json!({ "typ": "JWT" })).to_string()), good.split_once('.').unwrap().1),
            Refusal::BadSignature,
        ),
    ];
    all_are_refused(&cases).await;
}

#[tokio::test]
async fn keys_that_a_token_brings_or_points_to_are_never_used() {
    let theirs = Server::start(|_| Some(Response::new(200, set(&[FOREIGN.jwk()]))));
    let url = theirs.url("/jwks.json");
    let unknown = json!({ "kid": "theirs", "jku": url });
    let headers = [
        ("jku", json!({ "jku": url }), Refusal::BadSignature),
        ("jku of an unknown key", unknown, Refusal::UnknownKey),
        ("jwk", json!({ "jwk": FOREIGN.jwk() }), Refusal::BadSignature),
        ("jwk without kid", json!({ "kid": null, "jwk": FOREIGN.jwk() }), Refusal::UnknownKey),
        ("x5u", json!({ "x5u": url }), Refusal::BadSignature),
        ("x5c", json!({ "x5c": [part(FOREIGN.public_der())] }), Refusal::BadSignature),
        ("all at once", json!({ "jku": url, "x5u": url, "jwk": FOREIGN.jwk(), "iss": url }), Refusal::BadSignature),
        ("ACME's url", json!({ "url": url, "nonce": "n" }), Refusal::BadSignature),
        ("kid is a URL", json!({ "kid": url }), Refusal::UnknownKey),
    ];
    let cases: Vec<_> = headers
        .iter()
        .map(|(name, header, expected)| {
            (*name, signed(&header_with(header.clone()), &claims().to_string(), &FOREIGN), *expected)
        })
        .collect();
    all_are_refused(&cases).await;
    assert_eq!(theirs.asked(), 0);
}

#[tokio::test]
async fn headers_that_ask_for_more_are_refused_though_the_signature_is_good() {
    let with = |change: Value| signed(&header_with(change), &claims().to_string(), &POOL);
    let cases = [
        ("crit", with(json!({ "crit": ["b64"], "b64": false })), Refusal::UnsupportedHeader),
        ("crit of its own", with(json!({ "crit": ["exp"] })), Refusal::UnsupportedHeader),
        ("empty crit", with(json!({ "crit": [] })), Refusal::UnsupportedHeader),
        ("crit is text", with(json!({ "crit": "b64" })), Refusal::MalformedToken),
        ("jwk is text", with(json!({ "jwk": "key" })), Refusal::MalformedToken),
    ];
    all_are_refused(&cases).await;
}

#[tokio::test]
async fn key_ids_are_only_looked_up() {
    let of = |id: Value| signed(&header_with(json!({ "kid": id })), &claims().to_string(), &POOL);
    let huge = "k".repeat(10_000);
    let ids = [
        "../../../../dev/null",
        "/proc/self/environ",
        "file:///etc/passwd",
        "https://127.0.0.1:1/key",
        "' OR '1'='1",
        "x'; DROP TABLE keys;--",
        "$(id)",
        "`id`",
        "%s%s%n",
        "\u{0}",
        "pool/key+1",
        "POOL/KEY+1=",
        "pool/key+1= ",
        "0",
        huge.as_str(),
    ];
    let mut cases: Vec<_> =
        ids.iter().map(|id| (&id[..id.len().min(30)], of(json!(id)), Refusal::UnknownKey)).collect();
    cases.extend([
        ("no key id", signed(&json!({ "alg": "RS256" }), &claims().to_string(), &POOL), Refusal::UnknownKey),
        ("an empty one", of(json!("")), Refusal::UnknownKey),
        ("a number", of(json!(1)), Refusal::MalformedToken),
        ("a list", of(json!([POOL.id])), Refusal::MalformedToken),
        ("an object", of(json!({ "$ne": "" })), Refusal::MalformedToken),
    ]);
    all_are_refused(&cases).await;
}
