//! `hlctl transform`: mappings and their test cases, which need no AWS.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Place, snapshot};

/// A copy of the example, so that a test may change it.
fn example(place: &Place) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/transform");
    assert!(Command::new("cp").arg("-r").arg(from).arg(place.path("mapping")).status().unwrap().success());
}

#[test]
fn the_cases_of_the_example_pass() {
    let place = Place::sandbox("minimal");
    example(&place);
    let ended = place.run(["transform", "test", "mapping"]).succeeds();
    snapshot("transform_test", &ended);
    let json = place.run(["transform", "test", "mapping/mapping.yaml", "--json"]).succeeds();
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["passed"], true);
    let cases = document["mappings"][0]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!(cases[0]["rows"].as_array().unwrap().len(), 2);
    assert_eq!(cases[0]["coverage"]["unmappedColumns"][0]["columns"][0], "NOTE");
}

#[test]
fn a_changed_mapping_shows_what_differs_until_the_expected_output_is_updated() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "F: female", "F: other");
    let failed = place.run(["transform", "test", "mapping"]).exits(1);
    snapshot("transform_test_differs", &failed);
    let before = place.files();
    place.run(["transform", "test", "mapping", "--json"]).exits(1);
    assert_eq!(place.files(), before);
    let updated = place.run(["transform", "test", "mapping", "--update"]).succeeds();
    assert!(updated.stdout.contains("updated  typical"), "{updated}");
    assert!(place.read("mapping/tests/typical/expected/PATIENTS.ndjson").contains("\"gender\":\"other\""));
    place.run(["transform", "test", "mapping"]).succeeds();
    // What is no longer produced is no longer expected.
    fs::remove_file(place.path("mapping/tests/typical/RESULTS.csv")).unwrap();
    let failed = place.run(["transform", "test", "mapping"]).exits(1);
    assert!(failed.stdout.contains("typical/expected/RESULTS.ndjson"), "{failed}");
    place.run(["transform", "test", "mapping", "--update"]).succeeds();
    assert!(!place.path("mapping/tests/typical/expected/RESULTS.ndjson").exists());
}

#[test]
fn an_output_that_the_store_refuses_fails_even_if_it_is_expected() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "HH:mm:ss'Z'", "HH:mm:ss");
    let failed = place.run(["transform", "test", "mapping", "--update"]).exits(1);
    assert!(failed.stdout.contains("the store refuses Encounter.period.start (2 times)"), "{failed}");
    assert!(failed.stderr.contains("has a time without an offset"), "{failed}");
    let failed = place.run(["transform", "test", "mapping", "--json"]).exits(1);
    let document: Value = serde_json::from_str(&failed.stdout).unwrap();
    let case = &document["mappings"][0]["cases"][1];
    assert_eq!((&case["passed"], case["differences"].as_array().unwrap().len()), (&Value::Bool(false), 0));
}

#[test]
fn equal_numbers_and_other_orders_of_members_are_no_difference() {
    let place = Place::sandbox("minimal");
    example(&place);
    let name = "mapping/tests/typical/expected/RESULTS.ndjson";
    let value: Value = serde_json::from_str(&place.read(name)).unwrap();
    let mut members: Vec<_> = value.as_object().unwrap().iter().collect();
    members.reverse();
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name:?}: {value}")).collect();
    place.write(name, &format!("{{{}}}\n\n", members.join(", ").replace("5.5", "5.500")));
    assert!(place.read(name).contains("5.500"));
    place.run(["transform", "test", "mapping"]).succeeds();
}

#[test]
fn a_wrong_mapping_is_refused_with_every_place() {
    let place = Place::sandbox("minimal");
    example(&place);
    place.edit("mapping/mapping.yaml", "fhirPath: name[0].family", "fhirPath: name.family");
    place.edit("mapping/mapping.yaml", "type: concat", "type: join");
    snapshot("transform_test_wrong", &place.run(["transform", "test", "mapping"]).exits(1));
    place.run(["transform", "test", "mapping", "--json"]).exits(1);
}

#[test]
fn folders_are_searched_for_mappings() {
    let place = Place::sandbox("minimal");
    example(&place);
    let missing = place.run(["transform", "test", "nowhere.yaml"]).exits(64);
    assert!(missing.stderr.contains("nowhere.yaml cannot be read"), "{missing}");
    // The folder above has none of its own.
    let found = place.run(["transform", "test"]).succeeds();
    assert!(found.stdout.contains("mapping/mapping.yaml"), "{found}");
    place.write("mapping/second.yml", "");
    let several = place.run(["transform", "test", "mapping"]).exits(64);
    assert!(several.stderr.contains("has several mappings"), "{several}");
    let none = place.run(["transform", "test", "mapping/tests"]).exits(64);
    assert!(none.stderr.contains("has no mapping"), "{none}");
    fs::create_dir(place.path("bare")).unwrap();
    place.write("bare/mapping.yaml", &place.read("mapping/mapping.yaml"));
    let bare = place.run(["transform", "test", "bare"]).exits(64);
    assert!(bare.stderr.contains("has no test cases"), "{bare}");
}
