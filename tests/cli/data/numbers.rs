//! Numbers keep their spelling on every way through the sandbox.

use serde_json::json;

use super::folder;
use crate::support::Place;

/// Spellings that a parser which computes would change.
const NUMBERS: [&str; 12] = [
    "-99.89053622600223",
    "105.00",
    "1E2",
    "1e-7",
    "66.899999999999991",
    "0.10",
    "-0.0",
    "1.0E+05",
    "123456789012345678901234567890.123456789012345678901234567890",
    "18446744073709551616",
    "1e400",
    "0",
];

/// An observation for each number. The members stand in no usual order.
fn observations() -> String {
    let line = |(place, number): (usize, &&str)| {
        format!(
            r#"{{"valueQuantity":{{"unit":"x","value":{number}}},"id":"o{place}","status":"final","extension":[{{"url":"http://x.example/n","valueDecimal":{number}}}],"resourceType":"Observation","subject":{{"reference":"Patient/p"}},"code":{{"text":"x"}}}}"#
        )
    };
    let patient = "{\"resourceType\":\"Patient\",\"id\":\"p\"}\n".to_owned();
    NUMBERS.iter().enumerate().map(line).fold(patient, |text, line| text + &line + "\n")
}

/// The numbers of the observations in a text, in their order.
fn numbers(text: &str) -> Vec<String> {
    let starts = text.match_indices("\"value\"").map(|(place, name)| place + name.len());
    let number = |start: usize| {
        let rest = text[start..].trim_start_matches([':', ' ']);
        rest[..rest.find(['}', ',', '\n', ' ']).unwrap_or(rest.len())].to_owned()
    };
    starts.map(number).collect()
}

fn sorted(mut numbers: Vec<String>) -> Vec<String> {
    numbers.sort();
    numbers
}

fn expected() -> Vec<String> {
    sorted(NUMBERS.iter().map(|number| (*number).to_owned()).collect())
}

#[test]
fn from_an_import_to_an_export_and_everywhere_between() {
    let place = Place::sandbox("minimal");
    place.add("datastore_backup = true");
    place.apply();
    folder(&place, &[("a.ndjson", &observations())]);
    place.run(["data", "check", "in"]).succeeds();
    place.run(["data", "import", "in"]).succeeds();
    // Each command is a process of its own, so that what is on the disk is read back.
    for (place_in_list, number) in NUMBERS.iter().enumerate() {
        let read = place.run(["fhir", "get", &format!("Observation/o{place_in_list}")]).succeeds().stdout;
        assert_eq!(numbers(&read), [*number], "{read}");
        assert!(read.contains(&format!("\"valueDecimal\": {number}\n")), "{read}");
    }
    for arguments in [
        vec!["fhir", "search", "Observation", "--all"],
        vec!["fhir", "search", "Observation", "_sort=-_id", "--all"],
        vec!["fhir", "search", "Observation", "subject=Patient/p", "--all"],
        vec!["fhir", "everything", "Patient/p", "--all"],
        vec!["fhir", "history", "Observation", "--all"],
    ] {
        let found = place.run(arguments.iter().copied()).succeeds().stdout;
        assert_eq!(sorted(numbers(&found)), expected(), "{arguments:?}");
    }
    place.run(["data", "export", "out"]).succeeds();
    assert_eq!(sorted(numbers(&place.read("out/Observation.ndjson"))), expected());
    place.run(["replace", "--anyway", "-y"]).succeeds().says("hold the same number of resources");
    place.run(["data", "export", "again"]).succeeds();
    assert_eq!(sorted(numbers(&place.read("again/Observation.ndjson"))), expected());
}

#[test]
fn by_a_file_that_a_sandbox_is_loaded_with() {
    let place = Place::sandbox("minimal");
    place.apply();
    folder(&place, &[("a.ndjson", &observations())]);
    place.run(["sandbox", "load", "in"]).succeeds();
    let found = place.run(["fhir", "search", "Observation", "--all"]).succeeds().stdout;
    assert_eq!(sorted(numbers(&found)), expected());
}

#[test]
fn by_writes_of_one_resource_and_of_many() {
    let place = Place::sandbox("minimal");
    place.apply();
    let observation = |id: &str, number: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"x"}},"valueQuantity":{{"value":{number}}}}}"#
        )
    };
    let read = |id: &str| place.run(["fhir", "get", &format!("Observation/{id}")]).succeeds().stdout;
    // What is sent is read by hlctl first, which has no numbers beyond those of a machine.
    let numbers_of_machines: Vec<&str> = NUMBERS.into_iter().filter(|number| *number != "1e400").collect();
    for number in numbers_of_machines.iter().copied() {
        place.write("one.json", &observation("a", number));
        let updated = place.run(["fhir", "update", "-f", "one.json"]).succeeds().stdout;
        assert_eq!(numbers(&updated), [number]);
        assert_eq!(numbers(&read("a")), [number]);
        let created = place.run(["fhir", "create", "-f", "one.json"]).succeeds().stdout;
        assert_eq!(numbers(&created), [number]);
        let entry = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"urn:uuid:0b5a1c6e-7b1d-4d3a-9c1c-2f4f1f9d7e11","request":{{"method":"PUT","url":"Observation/b"}},"resource":{}}}]}}"#,
            observation("b", number)
        );
        place.write("bundle.json", &entry);
        place.run(["fhir", "bundle", "-f", "bundle.json"]).succeeds();
        assert_eq!(numbers(&read("b")), [number]);
    }
    let history = place.run(["fhir", "history", "Observation/a", "--all"]).succeeds().stdout;
    assert_eq!(numbers(&history).len(), numbers_of_machines.len());
    assert!(numbers(&history).iter().rev().eq(&numbers_of_machines), "{history}");
}

#[test]
fn members_that_come_twice_and_nesting_are_refused_on_every_way_in() {
    let place = Place::sandbox("minimal");
    place.apply();
    let twice = r#"{"resourceType":"Patient","id":"a","name":[{"family":"Secret","family":"Hidden"}]}"#;
    let deep = format!(r#"{{"resourceType":"Patient","id":"a","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    // What hlctl cannot read it does not send.
    let cases = [(twice, "name[0].family", "twice", 1), (deep.as_str(), "a.ndjson:1", "nested", 64)];
    for (resource, where_it_is, why, code) in cases {
        folder(&place, &[("a.ndjson", &format!("{resource}\n"))]);
        let checked = place.run(["data", "check", "in"]).exits(1);
        checked.says(where_it_is).says(why).keeps_silent_about("Secret").keeps_silent_about("Hidden");
        place.run(["data", "import", "in"]).exits(1).says(why).keeps_silent_about("Secret");
        place.run(["data", "import", "in", "--allow-problems"]).exits(6).says(why).keeps_silent_about("Secret");
        place.run(["sandbox", "load", "in"]).exits(1).says(why).keeps_silent_about("Secret");
        place.write("one.json", resource);
        place.run(["fhir", "update", "-f", "one.json"]).exits(code).says(why);
        let bundle = json!({"resourceType": "Bundle", "type": "batch"}).to_string();
        let entry = format!(r#","entry":[{{"request":{{"method":"POST","url":"Patient"}},"resource":{resource}}}]}}"#);
        place.write("bundle.json", &(bundle.trim_end_matches('}').to_owned() + &entry));
        place.run(["fhir", "bundle", "-f", "bundle.json"]).exits(code).says(why);
    }
}
