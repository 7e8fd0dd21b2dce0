//! What workflows use: plans as comments, and runs that another program follows.

use hlctl_emulator::Action;
use serde_json::{Value, json};

use crate::support::{ALICE_PASSWORD, Place, rule};

#[test]
fn a_plan_as_markdown_has_a_line_for_each_resource_that_opens() {
    let place = Place::quick("minimal");
    let shown = place.run(["plan", "--format", "markdown", "--detailed-exitcode"]).exits(2);
    assert!(
        shown.stdout.starts_with("### Plan for account 000000000000, region us-east-1\n\n**Plan: 19 to add"),
        "{shown}"
    );
    assert_eq!(shown.stdout.matches("<details><summary>create <code>").count(), 19, "{shown}");
    assert_eq!(shown.stdout.matches("\n```diff\n").count(), shown.stdout.matches("\n```\n").count(), "{shown}");
    place.run(["plan", "--format", "markdown", "--json"]).exits(64);
    place.apply();
    let shown = place.run(["plan", "--format", "markdown"]).succeeds();
    assert!(
        shown.stdout.contains("**No changes: 19 resources unchanged.**") && !shown.stdout.contains("<details>"),
        "{shown}"
    );
}

#[test]
fn a_plan_as_markdown_says_what_would_be_refused_and_shows_no_secret() {
    let place = Place::quick("smart");
    place.add_own_package();
    let shown = place.run(["plan", "--format", "markdown"]).succeeds();
    assert!(shown.stdout.contains("(sensitive)") && !shown.stdout.contains(ALICE_PASSWORD), "{shown}");
    let place = Place::quick("minimal");
    place.apply();
    place.configure("example-fhir-minimal-data", "example-other-data");
    let shown = place.run(["plan", "--format", "markdown"]).exits(5);
    assert!(shown.stdout.contains("Apply would refuse this plan:\n\n- <code>s3&#95;bucket.data</code>: "), "{shown}");
}

/// The lines, each held against the schema.
fn events(text: &str) -> Vec<Value> {
    let path = format!("{}/docs/json.schema.json", env!("CARGO_MANIFEST_DIR"));
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut schema = whole["event"].clone();
    schema["$defs"] = whole["$defs"].clone();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&json!({"format_version": 1, "time": "", "type": "anything"})));
    let read = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let problems: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?}: {event}");
        event
    };
    text.lines().map(read).collect()
}

fn of_type<'a>(events: &'a [Value], name: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == name).collect()
}

#[test]
fn events_tell_of_each_step_and_the_document_stays_as_it_is() {
    let place = Place::quick("minimal");
    let document = place.run(["apply", "-y", "--json", "--events", "events.jsonl"]).succeeds().json();
    let heard = events(&place.read("events.jsonl"));
    assert_eq!((&heard[0]["type"], &heard[0]["counts"]["create"]), (&json!("run_begun"), &json!(19)));
    assert_eq!((&heard[0]["command"], &heard[0]["account"]), (&json!("hlctl apply"), &json!("000000000000")));
    let last = heard.last().unwrap();
    assert_eq!((&last["type"], &last["done"], &last["failed"]), (&json!("run_ended"), &json!(19), &json!(0)));
    assert_eq!((of_type(&heard, "begun").len(), of_type(&heard, "done").len()), (19, 19));
    let addresses = |events: Vec<&Value>| {
        let mut addresses: Vec<String> =
            events.iter().map(|event| event["address"].as_str().unwrap().to_owned()).collect();
        addresses.sort();
        addresses
    };
    assert_eq!(
        addresses(of_type(&heard, "done")),
        addresses(document["resources"].as_array().unwrap().iter().collect())
    );
    // A destroy has them too, and overwrites what an earlier run wrote.
    let destroy = ["destroy", "-y", "--force-destroy", "--allow-destroy", "fhir-minimal", "--events", "events.jsonl"];
    place.run(destroy).succeeds();
    let heard = events(&place.read("events.jsonl"));
    assert_eq!((&heard[0]["command"], of_type(&heard, "run_begun").len()), (&json!("hlctl destroy"), 1));
    assert!(of_type(&heard, "done").iter().all(|event| event["action"] == "delete"), "{heard:?}");
}

#[test]
fn a_step_that_fails_is_an_event_with_the_id_of_the_request() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", None, Action::Deny)]);
    place.run(["apply", "-y", "--events", "events.jsonl"]).exits(6);
    let heard = events(&place.read("events.jsonl"));
    let failed = of_type(&heard, "failed");
    assert_eq!(failed.len(), 1, "{heard:?}");
    assert!(
        failed[0]["request_id"].is_string() && failed[0]["message"].as_str().unwrap().contains("CreateRole"),
        "{failed:?}"
    );
    let skipped = of_type(&heard, "skipped");
    assert!(!skipped.is_empty() && skipped.iter().all(|event| event["because"].is_string()), "{heard:?}");
    assert_eq!(heard.last().unwrap()["failed"], 1);
}

#[test]
fn events_on_stdout_are_all_that_is_there_but_for_the_document() {
    let place = Place::quick("minimal");
    let lines = place.run(["apply", "-y", "--events", "-"]).succeeds();
    assert_eq!(of_type(&events(&lines.stdout), "run_ended").len(), 1);
    place.add("datastore_nlp = true");
    let both = place.run(["apply", "-y", "--events", "-", "--json"]).succeeds();
    let (lines, document) = both.stdout.split_once("\n{\n").unwrap();
    let heard = events(lines);
    assert!(!of_type(&heard, "waiting").is_empty() || of_type(&heard, "done").len() == 1, "{heard:?}");
    let document: Value = serde_json::from_str(&format!("{{\n{document}")).unwrap();
    assert!(document["outputs"]["datastore_arn"].is_string(), "{both}");
}

#[test]
fn a_wait_for_a_store_is_an_event_with_its_status() {
    let place = Place::still("minimal");
    let running = place.run(["apply", "-y", "--events", "events.jsonl"]).start();
    let written = || std::fs::read_to_string(place.path("events.jsonl")).unwrap_or_default();
    crate::support::eventually("the store is waited for", || written().contains("\"CREATING\""));
    place.cloud().let_a_minute_pass();
    assert_eq!(running.ends().code, 0);
    let heard = events(&written());
    let waiting = of_type(&heard, "waiting");
    let store = waiting.iter().find(|event| event["status"] == "CREATING").unwrap();
    assert_eq!((&store["action"], &store["estimate"]["overdue"]), (&json!("create"), &json!(false)), "{store}");
}

#[test]
fn events_that_cannot_be_written_change_nothing() {
    let place = Place::quick("minimal");
    place.run(["apply", "-y", "--events", "no/such/folder/events.jsonl"]).exits(1).says("events cannot be written to");
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    place.run(["apply", "-y", "-c", "healthlake.toml", "-c", "other.toml", "--events", "-"]).exits(64);
}

#[test]
fn a_command_of_several_plans_keeps_the_events_of_all() {
    let place = Place::quick("minimal");
    place.apply();
    place.add("create_kms_key = true");
    place.run(["replace", "--via", "export", "-y", "--events", "events.jsonl"]).succeeds();
    let heard = events(&place.read("events.jsonl"));
    let runs = (of_type(&heard, "run_begun").len(), of_type(&heard, "run_ended").len());
    assert!(runs.0 > 1 && runs.0 == runs.1, "{heard:?}");
    let created = of_type(&heard, "done").into_iter().filter(|event| event["action"] == "create");
    let stores = created.filter(|event| event["address"].as_str().unwrap().starts_with("healthlake_fhir_datastore."));
    assert_eq!(stores.count(), 1, "{heard:?}");
}

#[test]
fn no_output_overwrites_the_configuration_or_the_state() {
    let place = Place::quick("minimal");
    place.apply();
    std::os::unix::fs::symlink(place.path("healthlake.state.json"), place.path("link.json")).unwrap();
    let files = place.files();
    let own = [
        "healthlake.toml",
        "./healthlake.toml",
        "healthlake.state.json",
        "healthlake.state.json.backup",
        "healthlake.state.run.json",
        "link.json",
    ];
    let outputs: [&[&str]; 4] =
        [&["apply", "-y", "--events"], &["plan", "--out"], &["graph", "--out"], &["report", "--out"]];
    for (command, file) in outputs.iter().flat_map(|command| own.iter().map(move |file| (command, file))) {
        place.run(command.iter().copied()).args([*file]).exits(64).says("is not overwritten");
        assert_eq!(place.files(), files, "{command:?} {file}");
    }
    place.write("old.jsonl", "what was there before\n");
    place.run(["apply", "-y", "--events", "old.jsonl"]).succeeds();
    assert!(!place.read("old.jsonl").contains("before"));
}
