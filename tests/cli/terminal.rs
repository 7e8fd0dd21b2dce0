//! With a person at a terminal.

use std::time::Duration;

use aws_sdk_healthlake::types::SourceFormat;
use hlctl_emulator::{Clock, Delays, Options};
use nix::sys::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

use crate::support::{Census, Cloud, Place, Run, call, eventually};
use crate::transform::profile;

/// Ends a test that hangs; how long a run takes on a busy machine says nothing.
const PATIENCE_MS: u64 = 300_000;

fn at_a_terminal(run: &Run<'_>) -> PtySession {
    let mut command = run.command();
    command.env("NO_COLOR", "1").env("TERM", "xterm-256color");
    spawn_command(command, Some(PATIENCE_MS)).unwrap()
}

fn exit_code(mut session: PtySession) -> i32 {
    let _ = session.exp_eof();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("ended as {other:?}"),
    }
}

#[test]
fn yes_at_the_prompt_applies() {
    let place = Place::quick("minimal");
    let mut session = at_a_terminal(&place.run(["apply"]));
    session.exp_string("Plan: 19 to add").unwrap();
    session.exp_string("Apply these changes to account 000000000000, region us-east-1?").unwrap();
    session.exp_string("Type 'yes' to continue:").unwrap();
    session.send_line("yes").unwrap();
    session.exp_string("Apply complete: 19 added").unwrap();
    assert_eq!(exit_code(session), 0);
    assert_eq!(place.cloud().census(), Census::one_stack());
}

#[test]
fn the_title_says_what_is_waited_for_and_the_earlier_one_comes_back() {
    let place = Place::quick("minimal");
    let mut session = at_a_terminal(&place.run(["apply", "--yes"]));
    session.exp_string("\u{1b}[22;2t\u{1b}]2;").unwrap();
    session.exp_string(" - hlctl apply\u{1b}\\").unwrap();
    session.exp_string("Apply complete: 19 added").unwrap();
    session.exp_string("\u{1b}[23;2t").unwrap();
    assert_eq!(exit_code(session), 0);
    // A plan waits for nothing long.
    let mut session = at_a_terminal(&place.run(["plan"]));
    assert!(!session.exp_eof().unwrap().contains("\u{1b}]2;"));
}

#[test]
fn init_asks_for_the_names_until_they_can_be_used() {
    let place = Place::sandbox("minimal");
    let mut session = at_a_terminal(&place.run(["init", "-c", "new.toml"]));
    session.exp_string("Name of the data store [fhir-sandbox]:").unwrap();
    session.send_line("your-datastore").unwrap();
    session.exp_string("is a placeholder").unwrap();
    session.exp_string("Name of the data store").unwrap();
    session.send_line("clinic").unwrap();
    session.exp_string("Bucket for the data [clinic-data-").unwrap();
    session.send_line("clinic-records").unwrap();
    session.exp_string("Bucket for its access logs [clinic-logs-").unwrap();
    session.send_line("clinic-records").unwrap();
    session.exp_string("is the name of the other bucket").unwrap();
    session.exp_string("Bucket for its access logs").unwrap();
    session.send_line("clinic-record-logs").unwrap();
    session.exp_string("for the store clinic").unwrap();
    assert_eq!(exit_code(session), 0);
    let written = place.read("new.toml");
    for line in [
        "datastore_name = \"clinic\"",
        "data_bucket_name = \"clinic-records\"",
        "logs_bucket_name = \"clinic-record-logs\"",
    ] {
        assert!(written.lines().any(|written| written == line), "{line}");
    }
    place.run(["validate", "-c", "new.toml"]).succeeds();
}

#[test]
fn anything_but_yes_at_the_prompt_changes_nothing() {
    for answer in ["no", "y", "", "YES"] {
        let place = Place::quick("minimal");
        let mut session = at_a_terminal(&place.run(["apply"]));
        session.exp_string("Type 'yes' to continue:").unwrap();
        session.send_line(answer).unwrap();
        session.exp_string("nothing was changed").unwrap();
        assert_eq!(exit_code(session), 1);
        assert!(!place.path("healthlake.state.json").exists());
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    }
}

#[test]
fn an_interrupt_at_the_prompt_changes_nothing() {
    let place = Place::quick("minimal");
    let mut session = at_a_terminal(&place.run(["apply"]));
    session.exp_string("Type 'yes' to continue:").unwrap();
    session.send_control('c').unwrap();
    // The terminal's echo of Ctrl-C and the question stand on a line of their own.
    assert!(session.exp_string("error:").unwrap().ends_with('\n'), "the error begins in the middle of a line");
    session.exp_string("nothing was changed").unwrap();
    assert_eq!(exit_code(session), 130);
    assert!(!place.path("healthlake.state.json.lock").exists());
}

#[test]
fn a_rollback_publishes_nothing_if_somebody_has_published_while_it_asked() {
    let place = Place::quick("minimal");
    let id = profile(&place, "visits", &SourceFormat::Csv, &[&[("m.yaml", "one")], &[("m.yaml", "two")]]);
    let published = || {
        let versions = place.cloud().healthlake().list_data_transformation_profile_versions().profile_id(&id);
        call(versions.send()).unwrap().items().len()
    };
    let mut session = at_a_terminal(&place.run(["transform", "rollback", "visits", "--to", "1"]));
    session.exp_string("Type 'yes' to continue:").unwrap();
    let publish = place.cloud().healthlake().publish_data_transformation_profile().profile_id(&id);
    call(publish.source_format(SourceFormat::Csv).send()).unwrap();
    session.send_line("yes").unwrap();
    session.exp_string("version 3 of visits has been published in the meantime; nothing was changed").unwrap();
    session.exp_string("hlctl transform rollback --to 1 visits").unwrap();
    assert_eq!(exit_code(session), 1);
    assert_eq!(published(), 3);
    // Nobody has published since: the same answer publishes.
    let mut session = at_a_terminal(&place.run(["transform", "rollback", "visits", "--to", "1"]));
    session.exp_string("Type 'yes' to continue:").unwrap();
    session.send_line("yes").unwrap();
    session.exp_string("Version 4 of visits has the content of version 1").unwrap();
    assert_eq!(exit_code(session), 0);
}

#[test]
fn the_end_of_input_at_the_prompt_changes_nothing() {
    let place = Place::quick("minimal");
    let mut session = at_a_terminal(&place.run(["apply"]));
    session.exp_string("Type 'yes' to continue:").unwrap();
    session.send_control('d').unwrap();
    assert_eq!(exit_code(session), 1);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_destroy_has_the_stores_name_typed() {
    let place = Place::quick("minimal");
    place.apply();
    let mut session = at_a_terminal(&place.run(["destroy"]));
    session.exp_string("19 to destroy").unwrap();
    session.exp_string("This destroys 19 resources in account 000000000000, region us-east-1.").unwrap();
    session.exp_string("To confirm that the protected \"fhir-minimal\" is destroyed, type its name:").unwrap();
    session.send_line("fhir-minimal").unwrap();
    session.exp_string("Destroy complete").unwrap();
    assert_eq!(exit_code(session), 0);
    assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
}

#[test]
fn a_wrong_name_destroys_nothing() {
    for answer in ["fhir-minima", "yes", ""] {
        let place = Place::quick("minimal");
        place.apply();
        place.cloud().emulator.clear_requests();
        let mut session = at_a_terminal(&place.run(["destroy"]));
        session.exp_string("is destroyed, type its name:").unwrap();
        session.send_line(answer).unwrap();
        session.exp_string("what was typed is not the name").unwrap();
        assert_eq!(exit_code(session), 1);
        assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    }
}

#[test]
fn a_replacement_of_the_store_has_its_name_typed() {
    let place = Place::quick("minimal");
    place.apply();
    let id = place.store_id();
    let mut session = at_a_terminal(&place.run(["apply", "--replace", "healthlake_fhir_datastore.this"]));
    session.exp_string("To confirm that the protected \"fhir-minimal\" is destroyed, type its name:").unwrap();
    session.send_line("fhir-minimal").unwrap();
    session.exp_string("Apply complete").unwrap();
    assert_eq!(exit_code(session), 0);
    assert_ne!(place.store_id(), id);
}

#[test]
fn a_job_that_began_while_somebody_was_asked_stops_an_apply() {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let delays = Delays { job: Duration::from_secs(60), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.apply();
    std::fs::create_dir(place.path("in")).unwrap();
    place.write("in/a.ndjson", "{\"resourceType\": \"Patient\", \"id\": \"p\"}");
    place.add("healthlake_role_name = \"AnotherRole\"");
    let mut session = at_a_terminal(&place.run(["apply"]));
    session.exp_string("Type 'yes' to continue:").unwrap();
    place.run(["data", "import", "in", "--no-wait"]).exits(6);
    place.cloud().emulator.clear_requests();
    session.send_line("yes").unwrap();
    session.exp_string("nothing was deleted: a job is under way: import").unwrap();
    assert_eq!(exit_code(session), 5);
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn a_long_wait_shows_a_block_that_moves() {
    let place = Place::still("minimal");
    let mut session = at_a_terminal(&place.run(["apply", "-y"]));
    let reported = r"healthlake_fhir_datastore\.this: CREATING, \d+ s so far, usually 20 to 30 min";
    let first = session.exp_regex(reported).unwrap().1;
    while session.exp_regex(reported).unwrap().1 == first {}
    eventually("hlctl looks at the store", || place.cloud().count("DescribeFHIRDatastore") > 3);
    place.cloud().let_a_minute_pass();
    session.exp_string("healthlake_fhir_datastore.this: created").unwrap();
    assert_eq!(exit_code(session), 0);
}

#[test]
fn an_interrupt_from_the_keyboard_says_how_to_go_on() {
    let place = Place::still("minimal");
    let mut session = at_a_terminal(&place.run(["apply", "-y"]));
    session.exp_string("CREATING").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("Stopping").unwrap();
    session.exp_string("continues where this stopped").unwrap();
    assert_eq!(exit_code(session), 6);
}

#[test]
fn colour_appears_on_a_terminal_and_never_with_no_color() {
    let place = Place::quick("minimal");
    let coloured = |run: &Run<'_>| {
        let mut command = run.command();
        command.env("TERM", "xterm-256color");
        let mut session = spawn_command(command, Some(PATIENCE_MS)).unwrap();
        session.exp_eof().unwrap().contains('\u{1b}')
    };
    assert!(coloured(&place.run(["plan"])));
    assert!(!coloured(&place.run(["plan"]).env("NO_COLOR", "1")));
    let piped = place.run(["plan"]).succeeds();
    assert!(!piped.stdout.contains('\u{1b}') && !piped.stderr.contains('\u{1b}'));
}
