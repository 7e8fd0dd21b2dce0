//! The store's FHIR interface: reading, searching and writing, by signatures that the emulator verifies.

mod explain;
mod pages;
mod server;
mod tokens;
mod trouble;
mod written;

use std::io::Write as _;
use std::process::Stdio;

use hlctl_emulator::Options;
use rexpect::session::spawn_command;
use serde_json::{Value, json};

use crate::support::{Cloud, Ended, Place, Run};

/// An AWS that verifies what its runs sign.
pub(super) fn verifying() -> Cloud {
    let secrets = [("test".to_owned(), "secret".to_owned())].into();
    Cloud::with(Options { secrets, ..Options::default() })
}

/// A store that is up.
pub(crate) fn store() -> Place {
    let place = Place::on(verifying(), "minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place
}

pub(crate) fn fhir<'a>(place: &'a Place, arguments: &[&str]) -> Run<'a> {
    Run::new(place).args(["fhir"]).args(arguments.iter().copied())
}

pub(crate) fn patient(family: &str) -> Value {
    json!({"resourceType": "Patient", "name": [{"family": family, "given": ["Ana"]}], "birthDate": "1980-01-02"})
}

/// Creates a resource and gives its id.
pub(crate) fn create(place: &Place, resource: &Value) -> String {
    place.write("resource.json", &resource.to_string());
    let made = fhir(place, &["create", "-f", "resource.json"]).succeeds().json();
    made["id"].as_str().unwrap().to_owned()
}

/// The names of the FHIR operations that were asked for.
pub(super) fn asked(place: &Place) -> Vec<String> {
    let records = place.cloud().requests().into_iter();
    records.filter(|record| record.service == "healthlake").map(|record| record.operation).collect()
}

fn with_input(run: &Run<'_>, input: &str) -> Ended {
    let mut child = run.command().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        took: std::time::Duration::ZERO,
    }
}

#[test]
fn a_resource_lives_from_its_creation_to_its_history() {
    for place in [store(), Place::sandbox("minimal")] {
        if !place.has_cloud() {
            place.apply();
        }
        place.write("patient.json", &patient("Müller-Ünal").to_string());
        let made = fhir(&place, &["create", "-f", "patient.json"]).succeeds();
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let reference = format!("Patient/{id}");
        assert!(made.stderr.contains(&format!("{reference} is created (version 1).")), "{made}");

        let read = fhir(&place, &["get", &reference]).succeeds().json();
        assert_eq!(read["name"][0]["family"], "Müller-Ünal");
        let mut changed = read.clone();
        changed["active"] = true.into();
        let updated = with_input(&fhir(&place, &["update", &reference, "-f", "-"]), &changed.to_string());
        assert_eq!(updated.code, 0, "{updated}");
        assert!(updated.stderr.contains("is updated (version 2)."), "{updated}");

        let found = fhir(&place, &["search", "Patient", "name=Müller-Ünal", "birthdate=1980-01-02"]).succeeds();
        assert_eq!(found.json()["entry"][0]["resource"]["active"], true, "{found}");
        let every = fhir(&place, &["everything", &reference, "--format", "ndjson"]).succeeds();
        assert_eq!(every.stdout.lines().count(), 1, "{every}");

        fhir(&place, &["delete", &reference]).exits(1).says("there is no terminal to ask on");
        fhir(&place, &["delete", &reference, "-y"]).succeeds().says("is deleted.");
        fhir(&place, &["get", &reference]).exits(1).says("410, deleted").says("hlctl fhir history");
        let history = fhir(&place, &["history", &reference, "--format", "ndjson"]).succeeds();
        let methods: Vec<Value> = history
            .stdout
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["request"]["method"].clone())
            .collect();
        assert_eq!(methods, ["DELETE", "PUT", "POST"], "{history}");
        fhir(&place, &["get", &format!("{reference}/_history/1")]).succeeds();
        assert_eq!(fhir(&place, &["get", "metadata"]).succeeds().json()["resourceType"], "CapabilityStatement");
    }
}

#[test]
fn no_configuration_is_needed() {
    let place = store();
    let id = create(&place, &patient("Smith"));
    std::fs::remove_file(place.path("healthlake.toml")).unwrap();
    fhir(&place, &["get", &format!("Patient/{id}")]).succeeds();
}

#[test]
fn what_could_be_patient_data_is_posted() {
    let place = store();
    fhir(&place, &["search", "Patient", "_count=5", "_sort=-_lastUpdated"]).succeeds();
    fhir(&place, &["search", "Patient", "name=Smith", "_count=5"]).succeeds();
    fhir(&place, &["search", "Patient", "name=Smith", "--get"]).succeeds();
    fhir(&place, &["search", "Patient", "_count=1", "--post"]).succeeds();
    assert_eq!(asked(&place), ["SearchWithGet", "SearchWithPost", "SearchWithGet", "SearchWithPost"]);
    fhir(&place, &["search", "Patient", "name=Smith", "--get", "--post"]).exits(64);
    let refused = fhir(&place, &["get", "Patient?name=Smith"]).exits(64).says("fhir search TYPE NAME=VALUE");
    refused.keeps_silent_about("Smith");
}

#[test]
fn awkward_values_reach_the_store_as_they_are() {
    let place = store();
    let value = "a|b, c:d+e&f=g#h%20i\\é😀\"'";
    let mut resource = patient("Odd");
    resource["identifier"] = json!([{"system": "http://sys.example/x?y=z", "value": value}]);
    let id = create(&place, &resource);
    let escaped = value.replace('\\', "\\\\").replace(',', "\\,").replace('|', "\\|");
    for flag in ["--get", "--post"] {
        let query = format!("identifier=http://sys.example/x?y=z|{escaped}");
        let found = fhir(&place, &["search", "Patient", &query, flag]).succeeds().json();
        assert_eq!(found["entry"][0]["resource"]["id"], id.as_str(), "{flag} {found}");
    }
}

#[test]
fn a_terminal_gets_a_table() {
    let place = store();
    create(&place, &patient("Smith"));
    let mut command = fhir(&place, &["search", "Patient"]).command();
    command.env("NO_COLOR", "1").env("TERM", "xterm-256color");
    let mut session = spawn_command(command, Some(20_000)).unwrap();
    session.exp_string("RESOURCE").unwrap();
    session.exp_string("Ana Smith, 1980-01-02").unwrap();
    session.exp_eof().unwrap();
    let table = fhir(&place, &["search", "Patient", "--format", "table"]).succeeds();
    assert!(table.stdout.starts_with("RESOURCE "), "{table}");
    assert_eq!(table.stdout.lines().count(), 2, "{table}");
}

#[test]
fn a_deletion_is_asked_about_on_a_terminal() {
    let place = store();
    let id = create(&place, &patient("Smith"));
    let mut session =
        spawn_command(fhir(&place, &["delete", &format!("Patient/{id}")]).command(), Some(20_000)).unwrap();
    session.exp_string("Type 'yes' to continue:").unwrap();
    session.send_line("no").unwrap();
    session.exp_string("nothing was changed").unwrap();
    session.exp_eof().unwrap();
    fhir(&place, &["get", &format!("Patient/{id}")]).succeeds();
}

#[test]
fn conditions_are_kept() {
    let place = store();
    let mut resource = patient("Smith");
    resource["identifier"] = json!([{"system": "http://sys", "value": "1"}]);
    place.write("one.json", &resource.to_string());
    let create = ["create", "-f", "one.json", "--if-none-exist", "identifier=http://sys|1"];
    let first = fhir(&place, &create).succeeds().says("is created");
    let second = fhir(&place, &create).succeeds().says("exists already");
    assert_eq!(first.json()["id"], second.json()["id"]);

    let made = first.json();
    place.write("made.json", &made.to_string());
    for version in ["1", "\"2\"", "W/\"3\""] {
        fhir(&place, &["update", "-f", "made.json", "--if-match", version]).succeeds();
    }
    let stale = fhir(&place, &["update", "-f", "made.json", "--if-match", "1"]).exits(1);
    assert!(stale.stderr.contains("412") && stale.stderr.contains("--if-match"), "{stale}");
    let id = made["id"].as_str().unwrap();
    fhir(&place, &["delete", &format!("Patient/{id}"), "-y", "--if-match", "1"]).exits(1).says("412");
    fhir(&place, &["delete", &format!("Patient/{id}"), "-y", "--if-match", "4"]).succeeds();
}

#[test]
fn a_bundle_says_which_entries_were_refused() {
    let place = store();
    let entry = |method: &str, url: &str, resource: Value| json!({"request": {"method": method, "url": url}, "resource": resource});
    let wrong = json!({"resourceType": "Patient", "id": "b", "name": []});
    let mut right = patient("Smith");
    right["id"] = "a".into();
    let entries = json!([entry("PUT", "Patient/a", right), entry("PUT", "Patient/b", wrong)]);
    place.write("bundle.json", &json!({"resourceType": "Bundle", "type": "batch", "entry": entries}).to_string());
    let sent =
        fhir(&place, &["bundle", "-f", "bundle.json"]).exits(1).says("1 of 2 entries were refused").says("entry 2: 4");
    assert_eq!(sent.json()["type"], "batch-response");
    fhir(&place, &["get", "Patient/a"]).succeeds();
    place.write("patient.json", &patient("Smith").to_string());
    fhir(&place, &["bundle", "-f", "patient.json"]).exits(64).says("not a Bundle");
}

#[test]
fn files_that_are_no_resource_are_reported_before_anything_is_sent() {
    let place = store();
    for (text, reported) in [
        ("", "EOF"),
        ("[]", "no resourceType"),
        ("{}", "no resourceType"),
        ("{\"resourceType\":\"../x\"}", "is not a resource type"),
    ] {
        place.write("bad.json", text);
        fhir(&place, &["create", "-f", "bad.json"]).exits(64).says(reported);
    }
    fhir(&place, &["create", "-f", "missing.json"]).exits(1).says("missing.json");
    place.write("patient.json", &patient("Smith").to_string());
    fhir(&place, &["update", "-f", "patient.json"]).exits(64).says("has no id");
    place.write("other.json", "{\"resourceType\":\"Patient\",\"id\":\"2\"}");
    fhir(&place, &["update", "Patient/1", "-f", "other.json"]).exits(64).says("contains Patient/2, not Patient/1");
    assert_eq!(asked(&place), Vec::<String>::new());
}

#[test]
fn an_unknown_command_is_repeated_only_if_it_cannot_be_patient_data() {
    let place = Place::sandbox("minimal");
    let refused = place.run(["fhir", "Patient?family=Chalmers"]).exits(64);
    assert!(!refused.stderr.contains("Chalmers") && !refused.stdout.contains("Chalmers"), "{refused}");
    place.run(["fhir", "serch"]).exits(64).says("serch").says("search");
}
