//! Signatures that explain themselves.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use bytes::Bytes;
use hlctl_fhir::signing::{CredentialScope, sign_with};
use http::Request;
use http_body_util::Full;
use serde_json::Value;

use super::server::Server;
use super::{asked, fhir, store};
use crate::support::{Ended, Place};

fn findings(ended: &Ended) -> Vec<String> {
    let json = ended.json();
    let all = json["findings"].as_array().unwrap();
    all.iter().map(|finding| finding["id"].as_str().unwrap().to_owned()).collect()
}

fn text(ended: &Ended, id: &str) -> String {
    let json = ended.json();
    let found = json["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == id).cloned();
    found.unwrap_or_else(|| panic!("no {id}\n{ended}"))["text"].as_str().unwrap().to_owned()
}

fn explain(place: &Place, arguments: &[&str]) -> Ended {
    fhir(place, &[&["explain", "--json"], arguments].concat()).ends()
}

/// The headers of a request that another program has signed: this method, address and body, as arguments.
fn signed(place: &Place, method: &str, rest: &str, body: &str, scope: (&str, &str), secret: &str) -> [String; 4] {
    let url = format!("{}/datastore/{}/r4/{rest}", place.cloud().url(), place.store_id());
    let mut request = Request::new(Full::new(Bytes::from(body.to_owned())));
    *request.method_mut() = method.parse().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    let scope = CredentialScope { region: scope.0, service: scope.1, time: SystemTime::now() };
    sign_with(&mut request, body.as_bytes(), &Credentials::new("test", secret, None, None, "x"), scope).unwrap();
    let header = |name: &str| format!("{name}: {}", request.headers()[name].to_str().unwrap());
    ["-H".to_owned(), header("authorization"), "-H".to_owned(), header("x-amz-date")]
}

const HERE: (&str, &str) = ("us-east-1", "healthlake");

fn explain_of_another(place: &Place, arguments: &[&str], headers: &[String; 4]) -> Ended {
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    explain(place, &[arguments, &headers].concat())
}

#[test]
fn what_is_signed_is_shown_without_secrets() {
    let place = store();
    let run = fhir(&place, &["explain", "Patient?name=a|b&_count=5"]).env("AWS_SESSION_TOKEN", "VERY-SECRET-TOKEN");
    let ended = run.succeeds().keeps_silent_about("VERY-SECRET-TOKEN");
    for part in [
        format!("  GET {}/datastore/{}/r4/Patient?name=a%7Cb&_count=5\n", place.cloud().url(), place.store_id()),
        format!("  GET\n  /datastore/{}/r4/Patient\n  _count=5&name=a%7Cb\n  host:127.0.0.1:", place.store_id()),
        "  x-amz-security-token:(sensitive, 17 characters)\n\n  host;x-amz-date;x-amz-security-token\n".to_owned(),
        "/us-east-1/healthlake/aws4_request\n".to_owned(),
        "  SignedHeaders=host;x-amz-date;x-amz-security-token\n  Signature=".to_owned(),
        "  encoded: ".to_owned(),
    ] {
        assert!(ended.stdout.contains(&part), "{part}\n{ended}");
    }
    assert!(!ended.stdout.contains("secret\n") && !ended.stdout.contains("=secret"), "{ended}");
    assert_eq!(asked(&place), Vec::<String>::new(), "nothing is sent");
}

#[test]
fn a_request_that_is_sent_is_accepted() {
    let place = store();
    for address in [
        "Patient",
        "Patient?name=a%20b&_sort=_id",
        "Patient?identifier=http://a|b,c",
        "metadata",
        "Patient?name=%C3%A9",
    ] {
        let ended = explain(&place, &[address, "--send"]);
        assert_eq!((ended.code, ended.json()["answer"].as_u64()), (0, Some(200)), "{ended}");
        assert!(findings(&ended).contains(&"accepted".to_owned()));
    }
    // As AWS names the store, and asked where it is.
    let named = place.run(["outputs", "datastore_endpoint", "--raw"]).succeeds().stdout.trim().to_owned();
    assert!(named.starts_with("https://healthlake."), "{named}");
    let ended = explain(&place, &[&format!("{named}Patient"), "--send"]);
    assert_eq!(ended.json()["answer"], 200, "{ended}");
    fhir(&place, &["explain", "https://healthlake.us-west-2.amazonaws.com/x", "--send"])
        .exits(64)
        .says("nothing is sent");
    let missing = explain(&place, &["Patient/none/$everything", "--send"]);
    assert!(text(&missing, "answer").contains("404"), "{missing}");
    let posted = explain(
        &place,
        &["POST", "Patient/_search", "-d", "name=x", "-H", "Content-Type: application/x-www-form-urlencoded", "--send"],
    );
    assert_eq!(posted.json()["answer"], 200, "{posted}");
}

#[test]
fn signing_one_path_and_sending_another_is_found_out() {
    let place = store();
    let ended = explain(&place, &["Patient", "--signed", "", "--send"]);
    assert_eq!(ended.code, 1, "{ended}");
    let id = place.store_id();
    let reported = text(&ended, "signed_another");
    assert!(reported.contains(&format!("- /datastore/{id}/r4/\n+ /datastore/{id}/r4/Patient")), "{reported}");
    let refused = text(&ended, "refused");
    assert!(refused.contains("InvalidSignatureException"), "{refused}");
    assert!(refused.contains(&format!("- /datastore/{id}/r4/\n+ /datastore/{id}/r4/Patient")), "{refused}");
}

#[test]
fn a_wrong_region_service_and_key_are_distinguished() {
    let place = store();
    assert!(
        text(&explain(&place, &["Patient", "--signed-region", "eu-west-2"]), "region")
            .contains("the store is in us-east-1")
    );
    let service = explain(&place, &["Patient", "--signed-service", "execute-api", "--send"]);
    assert_eq!((service.code, service.json()["answer"].as_u64()), (1, Some(403)), "{service}");
    assert!(text(&service, "service").contains("execute-api"));
    let key =
        fhir(&place, &["explain", "--json", "Patient", "--send"]).env("AWS_SECRET_ACCESS_KEY", "another").exits(1);
    assert!(text(&key, "refused").contains("the same canonical request: the secret key"), "{key}");
    assert_eq!(findings(&explain(&place, &["http://127.0.0.1:9/datastore/x/r4/Patient"])), ["host", "other_path"]);
    fhir(&place, &["explain", "http://127.0.0.1:9/x", "--send"]).exits(64).says("nothing is sent there");
    fhir(&place, &["explain", "ftp://x/"]).exits(64).says("not a URL");
    fhir(&place, &["explain", "Patient", "-H", "Authorization: Bearer x"]).exits(64).says("hlctl smart test");
}

#[test]
fn the_mistake_of_another_program_is_found_by_its_signature() {
    let place = store();
    let id = place.store_id();
    let right = signed(&place, "GET", "Patient?name=a%7Cb", "", HERE, "secret");
    let ended = explain_of_another(&place, &["Patient?name=a%7Cb", "--send"], &right);
    assert_eq!((ended.code, findings(&ended)), (0, vec!["right".to_owned(), "accepted".to_owned()]), "{ended}");
    for (sent, method, was_signed, body, scope, wanted) in [
        (
            "Patient",
            "GET",
            "",
            "",
            HERE,
            format!("it signs the path /datastore/{id}/r4/ and sends /datastore/{id}/r4/Patient"),
        ),
        ("Patient", "GET", "Patient/", "", HERE, format!("it signs the path /datastore/{id}/r4/Patient/ and")),
        ("Patient?name=a", "GET", "Patient", "", HERE, "it signs the address without the query".to_owned()),
        ("Patient", "POST", "Patient", "", HERE, "it signs the method POST".to_owned()),
    ] {
        let headers = signed(&place, method, was_signed, body, scope, "secret");
        let ended = explain_of_another(&place, &["GET", sent, "--send"], &headers);
        assert_eq!((ended.code, ended.json()["answer"].as_u64()), (1, Some(403)), "{ended}");
        assert!(text(&ended, "signed_another").contains(&wanted), "{ended}");
    }
    let elsewhere = signed(&place, "GET", "Patient", "", ("eu-west-2", "es"), "secret");
    let ended = explain_of_another(&place, &["Patient"], &elsewhere);
    assert_eq!(findings(&ended), ["region", "service", "right"], "{ended}");
    let other_key = signed(&place, "GET", "Patient", "", HERE, "another");
    assert!(text(&explain_of_another(&place, &["Patient"], &other_key), "unknown").contains("check the secret key"));
    fhir(&place, &["explain", "Patient", "-H", &right[1]]).exits(64).says("X-Amz-Date");
}

#[test]
fn a_clock_that_is_wrong_is_seen_by_the_servers() {
    let place = store();
    let server =
        Server::in_january(|_, _| (403, "{\"message\":\"Signature expired: 1 is now earlier than 2\"}".to_owned()));
    let run = fhir(&place, &["explain", "--json", "Patient", "--send"]).env("AWS_ENDPOINT_URL_HEALTHLAKE", &server.url);
    let ended = run.exits(1);
    assert!(text(&ended, "clock").contains("ahead of the server's"), "{ended}");
    let shape: Value = ended.json();
    assert_eq!(shape["authorization"]["algorithm"], "AWS4-HMAC-SHA256");
}
