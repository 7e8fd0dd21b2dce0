//! Writing as HealthLake offers it in 2026: levels of validation, patches, `$validate`, large transactions, conditions.

use serde_json::{Value, json};

use super::server::Server;
use super::{asked, create, fhir, patient, store};
use crate::support::Place;

fn bundle(kind: &str, entries: usize) -> String {
    let entry = json!({"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient"}});
    json!({"resourceType": "Bundle", "type": kind, "entry": vec![entry; entries]}).to_string()
}

fn count(place: &Place) -> u64 {
    fhir(place, &["search", "Patient", "_total=accurate", "_count=1"]).succeeds().json()["total"].as_u64().unwrap()
}

#[test]
fn a_level_of_validation_is_named_and_what_was_overlooked_is_reported() {
    let place = store();
    let mut flawed = patient("Smith");
    flawed["gender"] = "xyz".into();
    flawed["id"] = "a".into();
    place.write("flawed.json", &flawed.to_string());
    let entry = json!({"request": {"method": "PUT", "url": "Patient/a"}, "resource": flawed});
    place.write("bundle.json", &json!({"resourceType": "Bundle", "type": "batch", "entry": [entry]}).to_string());
    for (command, file) in [("create", "flawed.json"), ("update", "flawed.json"), ("bundle", "bundle.json")] {
        fhir(&place, &[command, "-f", file]).exits(1).says("gender");
        fhir(&place, &[command, "-f", file, "--validation-level", "structure-only"]).exits(1).says("gender");
        let kept = fhir(&place, &[command, "-f", file, "--validation-level", "minimal"]).succeeds();
        assert!(kept.stderr.contains("warning") && kept.stderr.contains("validation-issue"), "{command} {kept}");
    }
    fhir(&place, &["create", "-f", "flawed.json", "--validation-level", "loose"]).exits(64).says("structure-only");
}

#[test]
fn a_patch_changes_a_resource_and_is_sent_once() {
    let place = store();
    let reference = format!("Patient/{}", create(&place, &patient("Smith")));
    place.write("patch.json", r#"[{"op": "add", "path": "/active", "value": true}]"#);
    let patched = fhir(&place, &["patch", &reference, "-f", "patch.json"]).succeeds().says("is changed (version 2).");
    assert_eq!(patched.json()["active"], true);
    place.write("test.json", r#"[{"op": "test", "path": "/active", "value": false}]"#);
    fhir(&place, &["patch", &reference, "-f", "test.json"]).exits(1).says("422");
    let path = "Patient.name.where(family = 'Smith').family";
    let parts = json!([
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path}, {"name": "value", "valueString": "Miller"},
    ]);
    let parameters = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]});
    place.write("fhirpath.json", &parameters.to_string());
    let patched =
        fhir(&place, &["patch", &reference, "-f", "fhirpath.json"]).succeeds().says("is changed (version 3).");
    assert_eq!(patched.json()["name"][0]["family"], "Miller");
    fhir(&place, &["patch", &reference, "-f", "fhirpath.json"]).exits(1).says("there is nothing at Patient.name");
    place.cloud().emulator.clear_requests();
    place.cloud().rules([crate::support::rule("PatchResource", Some(1), hlctl_emulator::Action::DropAfter)]);
    fhir(&place, &["patch", &reference, "-f", "patch.json"])
        .exits(6)
        .says("it may have been processed")
        .says("fhir get");
    assert_eq!(asked(&place), ["PatchResource"]);
    for (text, reported) in [
        ("{\"resourceType\":\"Patient\"}", "neither an array nor a Parameters resource"),
        ("3", "neither an array nor an object"),
        ("[", "EOF"),
    ] {
        place.write("bad.json", text);
        fhir(&place, &["patch", &reference, "-f", "bad.json"]).exits(64).says(reported);
    }
}

#[test]
fn a_resource_is_validated_and_its_faults_decide_the_exit_code() {
    let place = store();
    place.write("good.json", &patient("Smith").to_string());
    let good =
        fhir(&place, &["validate", "-f", "good.json"]).succeeds().says("The store finds no error in the Patient.");
    assert_eq!(good.json()["resourceType"], "OperationOutcome");
    place.write("bad.json", r#"{"resourceType": "Observation", "code": {"text": "x"}}"#);
    let bad = fhir(&place, &["validate", "-f", "bad.json", "--mode", "create"]).exits(1).says("Observation.status");
    assert_eq!(bad.json()["issue"][0]["severity"], "error");
    fhir(&place, &["validate", "-f", "good.json", "--fhir-profile", "https://unknown.example/p"])
        .exits(1)
        .says("unknown");
    fhir(&place, &["validate", "-f", "good.json", "--mode", "update"]).exits(64).says("has no id");
    assert_eq!(asked(&place), ["ValidateResource"; 3]);
    assert_eq!(count(&place), 0);
}

#[test]
fn a_transaction_of_more_than_a_hundred_entries_is_waited_for() {
    let place = store();
    place.write("large.json", &bundle("transaction", 101));
    let done = fhir(&place, &["bundle", "-f", "large.json"]).succeeds();
    assert_eq!(done.json()["type"], "transaction-response");
    for said in
        ["Sending a transaction of 101 entries", "accepted the transaction as Transaction/", "101 entries are done."]
    {
        assert!(done.stderr.contains(said), "{said}: {done}");
    }
    assert_eq!(asked(&place), ["ProcessBundle", "ReadResource", "ReadResource"]);
    assert_eq!(count(&place), 101);

    place.cloud().emulator.clear_requests();
    place.write("small.json", &bundle("transaction", 100));
    fhir(&place, &["bundle", "-f", "small.json"]).succeeds();
    place.write("batch.json", &bundle("batch", 500));
    fhir(&place, &["bundle", "-f", "batch.json"]).succeeds();
    assert_eq!(asked(&place), ["ProcessBundle", "ProcessBundle"]);
    place.write("huge.json", &bundle("batch", 501));
    fhir(&place, &["bundle", "-f", "huge.json"]).exits(64).says("501 entries; HealthLake accepts at most 500");
    assert_eq!(asked(&place).len(), 2, "nothing was sent");
}

#[test]
fn a_large_transaction_whose_answer_is_lost_is_not_sent_again_while_it_may_be_under_way() {
    let place = store();
    let put = |number: usize| {
        let id = format!("p{number}");
        json!({"request": {"method": "PUT", "url": format!("Patient/{id}")}, "resource": {"resourceType": "Patient", "id": id}})
    };
    let transaction =
        json!({"resourceType": "Bundle", "type": "transaction", "entry": (0..101).map(put).collect::<Vec<_>>()});
    place.write("large.json", &transaction.to_string());
    place.cloud().rules([crate::support::rule("ProcessBundle", Some(1), hlctl_emulator::Action::DropAfter)]);
    fhir(&place, &["bundle", "-f", "large.json"]).exits(6).says("search for what it should have created");
    assert_eq!(asked(&place), ["ProcessBundle"]);
}

#[test]
fn a_transaction_that_is_refused_later_is_reported_as_one_that_is_refused_at_once() {
    let place = store();
    let mut content: Value = serde_json::from_str(&bundle("transaction", 101)).unwrap();
    content["entry"][7]["resource"]["gender"] = "xyz".into();
    place.write("bad.json", &content.to_string());
    fhir(&place, &["bundle", "-f", "bad.json"]).exits(1).says("400, invalid request").says("entry[7]").says("gender");
    assert_eq!(count(&place), 0);
}

#[test]
fn conditions_that_healthlake_has_are_sent_and_kept() {
    let place = store();
    let mut resource = patient("Smith");
    resource["id"] = "a".into();
    resource["identifier"] = json!([{"system": "http://sys", "value": "1"}]);
    place.write("a.json", &resource.to_string());
    fhir(&place, &["update", "-f", "a.json", "--create-only"]).succeeds().says("is created");
    fhir(&place, &["update", "-f", "a.json", "--create-only"]).exits(1).says("412");
    fhir(&place, &["update", "-f", "a.json", "--create-only", "--if-match", "1"]).exits(64);

    fhir(&place, &["delete", "Patient", "-y"]).exits(64).says("does not say which resource");
    fhir(&place, &["delete", "Patient/a", "name=Smith", "-y"]).exits(64).says("names one resource");
    let none = fhir(&place, &["delete", "Patient", "identifier=http://sys|2", "-y"]).exits(1).says("404");
    none.keeps_silent_about("http://sys|2");
    let gone = fhir(&place, &["delete", "Patient", "identifier=http://sys|1", "-y"]).succeeds();
    assert!(gone.stderr.contains("The Patient that matches is deleted."), "{gone}");
    fhir(&place, &["get", "Patient/a"]).exits(1).says("410");
}

#[test]
fn a_history_says_how_sure_it_is_to_be_and_a_page_that_is_too_large_is_reported_beforehand() {
    let place = store();
    let reference = format!("Patient/{}", create(&place, &patient("Smith")));
    let versions = r#"{"resourceType": "Bundle", "type": "history", "total": 0}"#;
    let server = Server::new(move |_, _| (200, versions.to_owned()));
    for arguments in [vec![], vec!["--consistency", "strong"], vec!["--consistency", "eventual"]] {
        let run = fhir(&place, &["history", &reference]).args(arguments);
        run.env("AWS_ENDPOINT_URL_HEALTHLAKE", &server.url).succeeds();
    }
    let sent = server.seen().into_iter().map(|seen| {
        let header = "x-amz-fhir-history-consistency-level: ";
        seen.headers.lines().find_map(|line| line.strip_prefix(header)).map(|level| level.trim().to_owned())
    });
    assert_eq!(sent.collect::<Vec<_>>(), [None, Some("strong".to_owned()), Some("eventual".to_owned())]);
    fhir(&place, &["history", &reference, "--consistency", "odd"]).exits(64);
    let warned = fhir(&place, &["history", &reference, "_count=1000"]).succeeds();
    assert!(warned.stderr.contains("at most 100 for _count") && warned.stderr.contains("--all"), "{warned}");
    let exact = fhir(&place, &["search", "Patient", "_count=100"]).succeeds();
    assert!(!exact.stderr.contains("at most 100"), "{exact}");
}
