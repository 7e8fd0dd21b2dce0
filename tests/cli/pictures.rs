//! `graph` and `report`.

use std::process::{Command, Stdio};

use hlctl_emulator::{Action, Delays, Options};

use crate::support::{ALICE_PASSWORD, Cloud, EXAMPLES, Place, eventually, rule};

#[test]
fn a_graph_needs_neither_aws_nor_passwords_nor_a_state() {
    for example in EXAMPLES {
        let place = Place::quick(example);
        let untouched = place.files();
        let graph = place.run(["graph"]).without("ALICE_PASSWORD").succeeds();
        assert!(graph.stdout.starts_with("flowchart LR\n"), "{example}: {graph}");
        assert!(graph.stdout.contains(":::plain"), "{example}");
        assert!(place.files() == untouched, "{example}");
        assert!(place.cloud().requests().is_empty(), "{example}");
    }
}

#[test]
fn every_format_is_the_same_twice() {
    let place = Place::quick("smart");
    for format in ["mermaid", "dot", "svg", "json"] {
        let one = place.run(["graph", "--format", format]).succeeds();
        assert_eq!(place.run(["graph", "--format", format]).succeeds().stdout, one.stdout, "{format}");
    }
    let json = place.run(["graph", "--json"]).succeeds().json();
    let resources = json["resources"].as_array().unwrap();
    let store = resources.iter().find(|resource| resource["address"] == "healthlake_fhir_datastore.this").unwrap();
    assert!(store["needs"].as_array().unwrap().contains(&"kms_key.datastore".into()), "{store}");
    assert_eq!(store["status"], serde_json::Value::Null);
}

#[test]
fn a_graph_shows_what_the_state_has_and_what_a_plan_would_do() {
    let place = Place::quick("minimal");
    place.apply();
    place.configure("\"fhir-minimal\"", "\"renamed\"");
    place.add("create_kms_key = false\nlogs_bucket_self_logging = false");
    let status = |arguments: &[&str], address: &str| {
        let json = place.run(arguments.iter().copied()).succeeds().json();
        let resources = json["resources"].as_array().unwrap().clone();
        resources.into_iter().find(|resource| resource["address"] == address).unwrap()["status"].clone()
    };
    assert_eq!(status(&["graph", "--json"], "healthlake_fhir_datastore.this"), "ready");
    assert_eq!(status(&["graph", "--json"], "s3_bucket_logging.access_logs"), "leaving");
    place.run(["plan", "--out", "plan.json"]).succeeds();
    assert_eq!(status(&["graph", "--json", "--plan", "plan.json"], "healthlake_fhir_datastore.this"), "update");
    assert_eq!(status(&["graph", "--json", "--plan", "plan.json"], "s3_bucket_logging.access_logs"), "delete");
    assert_eq!(status(&["graph", "--json", "--plan", "plan.json"], "kms_key.s3"), "no_op");
}

#[test]
fn a_graph_goes_into_a_file_whole() {
    let place = Place::quick("minimal");
    let graph = place.run(["graph", "--format", "svg", "-o", "stack.svg"]).succeeds().says("Written to stack.svg");
    assert_eq!(graph.stdout, "");
    assert!(place.read("stack.svg").starts_with("<?xml"));
    place.run(["graph", "-o", "nowhere/stack.svg"]).exits(1).says("cannot write nowhere/stack.svg");
}

#[test]
fn a_report_shows_the_last_run_that_changed_something() {
    let place = Place::quick("minimal");
    place.run(["report"]).exits(1).says("there is no state");
    place.apply();
    let page = place.run(["report"]).succeeds().stdout;
    assert!(page.contains("hlctl apply: fhir-minimal-") && page.contains("Complete.") && page.contains("19 to create"));
    // An apply of nothing is no run to report.
    let record = place.read("healthlake.state.run.json");
    place.apply();
    assert_eq!(place.read("healthlake.state.run.json"), record);
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
    let page = place.run(["report", "-o", "report.html"]).succeeds();
    assert_eq!(page.stdout, "");
    assert!(place.read("report.html").contains("hlctl destroy: fhir-minimal-"));
    let json = place.run(["report", "--json"]).succeeds().json();
    assert_eq!(json["command"], "hlctl destroy");
    assert!(json["ended"].is_object());
}

#[test]
fn neither_record_nor_report_holds_a_secret() {
    let place = Place::quick("smart");
    place.apply();
    let secret = place.run(["outputs", "cognito_client_secret", "--raw", "--show-secrets"]).succeeds().stdout;
    assert!(secret.len() > 10);
    let page = place.run(["report"]).succeeds().stdout;
    for text in [page, place.read("healthlake.state.run.json")] {
        assert!(!text.contains(&secret) && !text.contains(ALICE_PASSWORD));
    }
}

#[test]
fn what_a_signal_left_under_way_and_what_has_settled_since_is_reported() {
    use nix::sys::signal::Signal;
    for (signal, reported) in [
        (Signal::SIGINT, "Stopped by Ctrl-C: "),
        (Signal::SIGTERM, "(SIGTERM): "),
        (Signal::SIGHUP, "its terminal was closed (SIGHUP): "),
    ] {
        let place = Place::still("minimal");
        let mut running = place.run(["apply", "-y"]).start();
        eventually("the store is being made", || place.cloud().count("DescribeFHIRDatastore") > 1);
        assert!(running.is_alive());
        running.signal(signal);
        assert_eq!(running.ends().code, 6);
        let page = place.run(["report"]).succeeds().stdout;
        assert!(page.contains(reported) && page.contains("What was not finished"), "{page}");
        assert!(!page.contains("What went wrong") && !page.contains("settled since"));
        place.cloud().let_a_minute_pass();
        place.run(["wait"]).succeeds();
        assert!(place.run(["report"]).succeeds().stdout.contains("settled since"));
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named_as_the_user_named_it() {
    let place = Place::quick("minimal");
    for command in [&["graph", "-o", "nowhere/x"][..], &["plan", "--out", "nowhere/x"]] {
        let ended = place.run(command.iter().copied()).exits(1).says("nowhere/x: there is no such directory");
        ended.keeps_silent_about(".tmp").keeps_silent_about(".plan-");
    }
}

#[test]
fn a_run_that_was_killed_is_reported_as_cut_off() {
    let delays = Delays { create: std::time::Duration::from_secs(3600), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { delays, ..Options::default() }), "minimal");
    let mut command = place.run(["apply", "-y"]).command();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    eventually("the record tells of the store", || {
        std::fs::read_to_string(place.path("healthlake.state.run.json"))
            .is_ok_and(|text| text.contains(r#"{"address":"healthlake_fhir_datastore.this","action":"create","began""#))
    });
    child.kill().unwrap();
    child.wait().unwrap();
    let page = place.run(["report"]).succeeds().stdout;
    assert!(page.contains("Interrupted: ") && page.contains("interrupted"), "{page}");
}

#[test]
fn a_failed_run_says_what_failed_and_what_that_kept_from_beginning() {
    let place = Place::quick("minimal");
    let (code, message) = ("AccessDeniedException".to_owned(), "no <b>such</b> right".to_owned());
    place.cloud().rules([rule("CreateKey", None, Action::Error { code, message, status: 400 })]);
    place.run(["apply", "-y"]).exits(6);
    let page = place.run(["report"]).succeeds().stdout;
    assert!(page.contains("Incomplete: 1 failed") && page.contains("no &lt;b&gt;such&lt;/b&gt; right"), "{page}");
    assert!(page.contains("not started: waited for"));
}

#[test]
fn a_report_is_not_made_of_another_stacks_record() {
    let place = Place::quick("minimal");
    place.apply();
    place.edit("healthlake.state.run.json", "\"lineage\":\"", "\"lineage\":\"x");
    place.run(["report"]).exits(1).says("another stack");
    place.write("healthlake.state.run.json", "{\"format\": \"hlctl-run\", \"version\": 9, \"hlctl\": \"9.1\"}");
    place.run(["report"]).exits(1).says("hlctl 9.1");
    place.write("healthlake.state.run.json", "half");
    place.run(["report"]).exits(1).says("is not a record of a run");
}

#[test]
fn the_pictures_of_the_command_line_exist() {
    // What a shell would run: no colour codes and no talk in what goes to a file.
    let place = Place::quick("minimal");
    let output = Command::new(env!("CARGO_BIN_EXE_hlctl"))
        .current_dir(place.directory())
        .env_clear()
        .args(["graph", "--format", "dot"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("digraph") && !text.contains('\u{1b}') && output.stderr.is_empty());
}
