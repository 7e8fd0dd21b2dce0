//! A SMART store, with tokens of several scopes.

use super::{asked, fhir, patient, store, with_input};
use crate::support::{Place, Run};

const ALICE: [&str; 4] = ["--username", "alice", "--password-env", "ALICE_PASSWORD"];

fn smart() -> Place {
    let place = Place::on(super::verifying(), "smart");
    place.add("cognito_patient_scopes = [\"*.read\", \"*.write\"]");
    place.apply();
    place.write("patient.json", &patient("Smith").to_string());
    place
}

fn token(place: &Place, arguments: &[&str]) -> String {
    place.run([&["smart", "token"], arguments].concat()).succeeds().stdout.trim().to_owned()
}

/// In a world where there are no credentials of AWS.
fn without_credentials<'a>(place: &'a Place, arguments: &[&str]) -> Run<'a> {
    let home = place.path("nowhere").display().to_string();
    let run = fhir(place, arguments).without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    run.env("HOME", &home).env("HLCTL_LOG", "calls")
}

#[test]
fn the_machine_client_reads_and_writes() {
    for place in [smart(), Place::sandbox("smart")] {
        if !place.has_cloud() {
            place.apply();
            place.write("patient.json", &patient("Smith").to_string());
        }
        let made = fhir(&place, &["create", "-f", "patient.json", "--smart"]).succeeds().json();
        let reference = format!("Patient/{}", made["id"].as_str().unwrap());
        fhir(&place, &["get", &reference, "--smart"]).succeeds();
        fhir(&place, &["search", "Patient", "family=Smith", "--smart"]).succeeds();
        fhir(&place, &["delete", &reference, "-y", "--smart"]).succeeds();
    }
}

#[test]
fn a_token_is_all_that_is_needed_and_is_printed_nowhere() {
    let place = smart();
    let token = token(&place, &["--grant", "client-credentials"]);
    place.write("token", &format!("Bearer {token}\n"));
    let of_file = without_credentials(&place, &["search", "Patient", "_count=1", "--token", "token"]).succeeds();
    let of_variable = without_credentials(&place, &["get", "metadata"]).env("HLCTL_TOKEN", &token).succeeds();
    let of_input = with_input(&without_credentials(&place, &["search", "Patient", "--token", "-"]), &token);
    assert_eq!(of_input.code, 0, "{of_input}");
    let refused =
        without_credentials(&place, &["search", "Patient", "--token", &token]).exits(64).says("name of a file");
    place.write("token", &format!("{token}x"));
    let broken =
        without_credentials(&place, &["search", "Patient", "--token", "token"]).exits(4).says("401, not logged in");
    for ended in [of_file, of_variable, of_input, refused, broken] {
        ended.keeps_silent_about(&token);
    }
    // Where nothing is found, nobody but the store is asked why.
    place.cloud().emulator.clear_requests();
    place.write("token", &token);
    fhir(&place, &["get", "Patient/never", "--token", "token"]).exits(1).says("404");
    assert_eq!(asked(&place), ["ReadResource"]);
    assert_eq!(place.cloud().count("DescribeFHIRDatastore") + place.cloud().count("GetCallerIdentity"), 0);
    place.write("empty", "\n");
    without_credentials(&place, &["get", "metadata", "--token", "empty"]).exits(64).says("there is no token in empty");
}

#[test]
fn scopes_decide_what_a_token_opens() {
    let place = smart();
    let as_alice = |command: &[&str], scope: &str| {
        fhir(&place, &[command, &["--smart", "--scope", "openid", "--scope", scope], &ALICE].concat())
    };
    let create = ["create", "-f", "patient.json"];
    as_alice(&["search", "Patient", "name=x"], "patient/*.read").succeeds();
    let refused = as_alice(&create, "patient/*.read").exits(1).says("403, not allowed");
    assert!(refused.stderr.contains("--scope"), "{refused}");
    as_alice(&create, "patient/*.write").succeeds();
    as_alice(&["search", "Patient", "name=x"], "patient/*.write").exits(1).says("403, not allowed");
    as_alice(&create, "system/*.*").succeeds();
    as_alice(&create, "patient/*.nonsense").exits(1).says("invalid_scope");
}

#[test]
fn a_store_of_signatures_takes_no_tokens() {
    let place = store();
    place.write("token", "eyJh.eyJi.c2ln");
    fhir(&place, &["search", "Patient", "--token", "token"]).exits(4).says("accepts signatures, not tokens");
    fhir(&place, &["search", "Patient", "--smart"]).exits(64).says("no identity provider");
    fhir(&place, &["search", "Patient", "--scope", "system/*.*"]).exits(64).says("add --smart");
    fhir(&place, &["search", "Patient", "--smart", "--token", "token"]).exits(64);
    assert_eq!(asked(&place), ["SearchWithGet"]);
}
