//! Refusals in plain words, and what is repeated after a lost answer.

use hlctl_emulator::Action;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{asked, create, fhir, patient, store};
use crate::support::{Place, rule};

fn count(place: &Place) -> u64 {
    place.cloud().heal();
    fhir(place, &["search", "Patient", "_total=accurate", "_count=1"]).succeeds().json()["total"].as_u64().unwrap()
}

fn refusing(code: &str, status: u16) -> Action {
    Action::Error { code: code.to_owned(), message: "Because.".to_owned(), status }
}

#[test]
fn each_refusal_says_what_it_is_and_what_to_do() {
    let place = store();
    for (code, status, exit, words, hint) in [
        ("UnauthorizedException", 401, 4, "401, not logged in", "AWS does not accept these credentials"),
        ("AccessDeniedException", 403, 1, "403, not allowed", "healthlake:ReadResource"),
        ("ExpiredTokenException", 403, 4, "403, not allowed", "the credentials have expired"),
        ("InvalidSignatureException", 403, 4, "403, not allowed", "hlctl fhir explain"),
        ("ResourceNotFoundException", 404, 1, "404, not found", "check the type and id"),
        ("ResourceNotFoundException", 410, 1, "410, deleted", "hlctl fhir history"),
        ("ConflictException", 409, 1, "409, conflict with the current resource", "read the current resource"),
        ("PreconditionFailedException", 412, 1, "412, precondition failed", "--if-match"),
        ("RequestEntityTooLargeException", 413, 1, "413, too large", "5 MB"),
        ("ValidationException", 422, 1, "422, not acceptable", "correct what it names"),
        ("ValidationException", 400, 1, "400, invalid request", "correct what it names"),
    ] {
        place.cloud().rules([rule("ReadResource", None, refusing(code, status))]);
        let ended =
            fhir(&place, &["get", "Patient/1", "--json"]).exits(exit).says(words).says("Because.").says("(request id ");
        assert!(ended.stderr.contains(hint), "{ended}");
        assert!(ended.stderr.contains("GET Patient/1: "), "{ended}");
        assert_eq!(ended.json()["error"]["exit_code"], exit);
        assert_eq!(place.cloud().count("ReadResource"), 1, "{code} is not repeated");
        place.cloud().emulator.clear_requests();
    }
}

#[test]
fn parameters_are_not_in_errors() {
    let place = store();
    let ended = fhir(&place, &["search", "Patient", "unheard-of=Confidential", "--get"]).exits(1).says("400");
    assert!(!ended.stderr.contains("Confidential"), "{ended}");
}

#[test]
fn reading_is_repeated_whatever_got_lost() {
    let place = store();
    let id = create(&place, &patient("Smith"));
    for action in [Action::DropBefore, Action::DropAfter, Action::ServerError, Action::Throttle, Action::Html] {
        place.cloud().rules([rule("ReadResource", Some(1), action.clone()), rule("SearchWithPost", Some(1), action)]);
        fhir(&place, &["get", &format!("Patient/{id}")]).succeeds();
        fhir(&place, &["search", "Patient", "name=Smith"]).succeeds();
    }
}

#[test]
fn a_creation_whose_answer_is_lost_is_repeated_and_makes_one() {
    for action in [Action::DropBefore, Action::DropAfter, Action::ServerError, Action::Throttle] {
        let place = store();
        place.write("patient.json", &patient("Smith").to_string());
        place.cloud().rules([rule("CreateResource", Some(1), action.clone())]);
        let ended = fhir(&place, &["create", "-f", "patient.json"]).succeeds();
        assert_eq!(asked(&place).len(), 2, "{action:?}");
        assert_eq!(count(&place), 1, "{action:?}");
        let id = ended.json()["id"].as_str().unwrap().to_owned();
        fhir(&place, &["get", &format!("Patient/{id}")]).succeeds();
    }
}

#[test]
fn with_its_key_a_creation_is_taken_up_by_a_later_run() {
    let place = store();
    place.write("patient.json", &patient("Smith").to_string());
    let key = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let create = ["create", "-f", "patient.json", "--idempotency-key", key];
    place.cloud().rules([rule("CreateResource", None, Action::DropAfter)]);
    let lost = fhir(&place, &create).exits(6).says("may have been processed");
    assert!(lost.stderr.contains(&format!("--idempotency-key {key}")), "{lost}");
    place.cloud().heal();
    let again = fhir(&place, &create).succeeds().says("was created by an earlier request");
    assert_eq!(again.json()["resourceType"], "Patient");
    assert_eq!(count(&place), 1);
    fhir(&place, &["create", "-f", "patient.json", "--idempotency-key", "mine"]).exits(64);
}

#[test]
fn how_to_send_a_creation_again_names_its_options_and_no_patient() {
    let place = store();
    place.write("patient.json", &patient("Smith").to_string());
    place.cloud().rules([rule("CreateResource", None, Action::Hang)]);
    let condition = ["--if-none-exist", "identifier=12345", "--prefer", "return=minimal"];
    let mut running = fhir(&place, &["create", "-f", "patient.json"]).args(condition).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends().keeps_silent_about("12345");
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("--prefer 'return=minimal'`, with the same --if-none-exist, creates nothing twice");
}

#[test]
fn only_a_search_that_is_refused_for_itself_is_explained() {
    let place = store();
    for (code, status, is_explained) in [
        ("ValidationException", 400, true),
        ("ExpiredTokenException", 400, false),
        ("InvalidSignatureException", 400, false),
    ] {
        place.cloud().rules([rule("SearchWithGet", None, refusing(code, status))]);
        let ended = fhir(&place, &["search", "Patient", "_count=0"]).ends();
        assert_ne!(ended.code, 0, "{ended}");
        // Nothing of the search is to be corrected where the credentials have ended.
        assert!(!ended.stderr.contains("correct what it names"), "{ended}");
        assert_eq!(ended.stderr.contains("HealthLake does not support _count=0"), is_explained, "{ended}");
    }
}

#[test]
fn updates_and_deletions_are_repeated_and_those_with_a_condition_are_not() {
    let place = store();
    let id = create(&place, &patient("Smith"));
    let reference = format!("Patient/{id}");
    let mut resource = patient("Smith");
    resource["id"] = id.into();
    place.write("patient.json", &resource.to_string());
    place.cloud().rules([rule("UpdateResource", Some(1), Action::DropAfter)]);
    fhir(&place, &["update", "-f", "patient.json"]).succeeds();
    place.cloud().rules([rule("UpdateResource", Some(1), Action::DropAfter)]);
    place.cloud().emulator.clear_requests();
    fhir(&place, &["update", "-f", "patient.json", "--if-match", "3"])
        .exits(6)
        .says("may have been processed")
        .says("hlctl fhir get");
    assert_eq!(place.cloud().count("UpdateResource"), 1);
    place.cloud().rules([rule("DeleteResource", Some(1), Action::DropAfter)]);
    fhir(&place, &["delete", &reference, "-y"]).succeeds().says("is deleted");
    fhir(&place, &["delete", "Patient/never-was", "-y"]).exits(1).says("404");
    // Whether a deletion that is repeated finds nothing depends on the server.
    let gone = refusing("ResourceNotFoundException", 404);
    place.cloud().rules([rule("DeleteResource", Some(1), Action::DropAfter), rule("DeleteResource", None, gone)]);
    fhir(&place, &["delete", &reference, "-y"]).succeeds().says("is deleted");
}

#[test]
fn a_bundle_is_repeated_only_if_that_changes_nothing_more() {
    let place = store();
    let bundle = |request: Value| json!({"resourceType": "Bundle", "type": "batch", "entry": [{"request": request, "resource": patient("Smith")}]});
    place.write("bundle.json", &bundle(json!({"method": "POST", "url": "Patient"})).to_string());
    place.cloud().rules([rule("ProcessBundle", Some(1), Action::DropAfter)]);
    fhir(&place, &["bundle", "-f", "bundle.json"]).exits(6).says("may have been processed");
    assert_eq!(asked(&place), ["ProcessBundle"]);
    assert_eq!(count(&place), 1);
    let mut named = bundle(json!({"method": "PUT", "url": "Patient/a"}));
    named["entry"][0]["resource"]["id"] = "a".into();
    place.write("bundle.json", &named.to_string());
    place.cloud().rules([rule("ProcessBundle", Some(1), Action::DropAfter)]);
    fhir(&place, &["bundle", "-f", "bundle.json"]).succeeds();
    // Throttling is before any work.
    place.write("bundle.json", &bundle(json!({"method": "POST", "url": "Patient"})).to_string());
    place.cloud().rules([rule("ProcessBundle", Some(1), Action::Throttle)]);
    fhir(&place, &["bundle", "-f", "bundle.json"]).succeeds();
    assert_eq!(count(&place), 3);
}

#[test]
fn a_signal_before_the_answer_leaves_no_doubt_about_the_doubt() {
    let place = store();
    place.write("patient.json", &patient("Smith").to_string());
    place.cloud().rules([rule("CreateResource", None, Action::Hang)]);
    let mut running = fhir(&place, &["create", "-f", "patient.json"]).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("interrupted before the answer came: it may have been processed").says("--idempotency-key");
    place.cloud().rules([rule("ReadResource", None, Action::Hang)]);
    let mut running = fhir(&place, &["get", "Patient/1"]).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    assert_eq!(running.ends().code, 130);
}

#[test]
fn a_store_that_cannot_be_reached_is_reported() {
    let place = store();
    let ended = fhir(&place, &["get", "Patient/1"]).env("AWS_ENDPOINT_URL_HEALTHLAKE", "http://127.0.0.1:1").exits(1);
    ended.says("GET Patient/1: not sent").says("check the network");
    let place = Place::quick("minimal");
    fhir(&place, &["get", "Patient/1"]).exits(1).says("hlctl apply");
}

#[test]
fn a_file_in_another_encoding_is_reported_as_the_check_of_bulk_data_does() {
    let place = store();
    let resource = patient("Smith").to_string();
    place.write("bom.json", &format!("\u{feff}{resource}"));
    for command in ["create", "update", "bundle"] {
        let ended = fhir(&place, &[command, "-f", "bom.json"]).exits(64);
        ended.says("begins with a byte order mark").says("without a byte order mark");
    }
    let wide: Vec<u8> = std::iter::once(0xfeff).chain(resource.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    std::fs::write(place.path("wide.json"), wide).unwrap();
    fhir(&place, &["create", "-f", "wide.json"]).exits(64).says("UTF-16");
    assert_eq!(asked(&place), Vec::<String>::new());
}
