//! S3 servers that take conditional requests less seriously than Amazon S3: either the lock holds there, or hlctl does not
//! work there.

use hlctl_emulator::{Action, ConditionalDeletes, Faults, Rule, S3Faults};
use serde_json::{Value, json};

use crate::backend::{BUCKET, KEY, Remote};
use crate::support::{Census, Cloud, Place, call, rule, snapshot};

/// As npm's s3rver 3.7.1 does.
const IGNORES_ALL: S3Faults =
    S3Faults { ignore_if_none_match: true, ignore_if_match: true, conditional_deletes: ConditionalDeletes::Ignored };

/// As LocalStack 2026.3.0 does.
const NO_CONDITIONAL_DELETES: S3Faults = S3Faults {
    ignore_if_none_match: false,
    ignore_if_match: false,
    conditional_deletes: ConditionalDeletes::NotImplemented,
};

/// Servers on which no lock holds.
fn unfit() -> [S3Faults; 4] {
    [
        IGNORES_ALL,
        S3Faults { conditional_deletes: ConditionalDeletes::NotImplemented, ..IGNORES_ALL },
        S3Faults { ignore_if_none_match: true, ..S3Faults::default() },
        S3Faults { ignore_if_match: true, ..S3Faults::default() },
    ]
}

fn play(states: &Cloud, s3: S3Faults) {
    states.emulator.set_faults(Faults { s3, ..Faults::default() });
}

fn on_server(place: Place, s3: S3Faults) -> Remote {
    let remote = Remote::of(place);
    play(&remote.states, s3);
    remote
}

/// The keys of all objects in the state's bucket.
fn keys(states: &Cloud) -> Vec<String> {
    let listed = call(states.s3().list_objects_v2().bucket(BUCKET).send()).unwrap();
    listed.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
}

fn put(states: &Cloud, suffix: &str, content: &Value) {
    let body = content.to_string().into_bytes();
    call(states.s3().put_object().bucket(BUCKET).key(format!("{KEY}{suffix}")).body(body.into()).send()).unwrap();
}

/// A lock as an earlier build of hlctl wrote it.
fn lock_of_another() -> Value {
    json!({
        "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
        "host": "elsewhere",
        "pid": 1,
        "user": "bob",
        "since": "2026-01-01 00:00:00 UTC",
        "command": "hlctl apply",
        "lease_in_seconds": 3600,
        "renewed": "2026-01-01 00:00:00 UTC",
    })
}

#[test]
fn nothing_is_made_with_a_state_on_a_server_that_cannot_lock() {
    for s3 in unfit() {
        let remote = on_server(Place::quick("minimal"), s3);
        let runs = [(); 2].map(|()| remote.place.run(["apply", "-y"]).start());
        for run in runs {
            let ended = run.ends();
            assert!([1, 3].contains(&ended.code), "{s3:?}\n{ended}");
        }
        assert_eq!(remote.place.cloud().mutations(), Vec::<String>::new(), "{s3:?}");
        assert_eq!(keys(&remote.states), Vec::<String>::new(), "{s3:?}");
    }
}

#[test]
fn a_server_that_cannot_lock_is_named_with_what_to_use_instead() {
    let remote = on_server(Place::quick("minimal"), IGNORES_ALL);
    snapshot("backend_cannot_lock", &remote.place.run(["apply", "-y"]).exits(1));
    play(&remote.states, S3Faults { ignore_if_match: true, ..S3Faults::default() });
    remote.place.run(["apply", "-y"]).exits(1).says("ignores If-Match");
    let not_implemented = Action::Error { code: "NotImplemented".into(), message: "no".into(), status: 501 };
    remote.states.rules([rule("PutObject", None, not_implemented)]);
    remote.place.run(["apply", "-y"]).exits(1).says("does not support writes with If-None-Match");
    assert_eq!(remote.place.cloud().mutations(), Vec::<String>::new());
}

#[test]
fn every_command_that_locks_is_refused_on_a_server_that_cannot_lock() {
    let place = Place::quick("minimal");
    place.apply();
    let remote = on_server(place, IGNORES_ALL);
    let state = remote.place.read("healthlake.state.json");
    remote.place.run(["state", "migrate"]).exits(1).says("cannot lock");
    assert_eq!(remote.place.read("healthlake.state.json"), state);
    assert!(!remote.place.path("healthlake.state.json.lock").exists());
    assert_eq!(keys(&remote.states), Vec::<String>::new());
    // A state that is there already stays as it is, and can be read.
    put(&remote.states, "", &serde_json::from_str(&state).unwrap());
    std::fs::remove_file(remote.place.path("healthlake.state.json")).unwrap();
    remote.place.run(["outputs"]).succeeds();
    remote.place.cloud().emulator.clear_requests();
    let before = remote.object("");
    for command in [
        &["apply", "-y"][..],
        &["destroy", "-y", "--allow-destroy", "fhir-minimal"],
        &["wait"],
        &["forget", "kms_key.s3"],
        &["unprotect", "kms_key.s3"],
        &["state", "mv", "kms_key.s3", "kms_key.datastore"],
        &["state", "rm", "kms_key.s3"],
        &["stores", "use", "0123456789abcdef0123456789abcdef", "-y"],
    ] {
        remote.place.run(command.iter().copied()).exits(1).says("cannot lock");
        assert_eq!(remote.object(""), before, "{command:?}");
        assert_eq!(keys(&remote.states), [KEY], "{command:?}");
    }
    assert_eq!(remote.place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(remote.place.cloud().census(), Census::one_stack());
}

#[test]
fn the_lock_of_another_stays_as_it_is_on_whatever_server() {
    for s3 in unfit().into_iter().chain([NO_CONDITIONAL_DELETES, S3Faults::default()]) {
        let remote = on_server(Place::quick("minimal"), s3);
        put(&remote.states, ".lock", &lock_of_another());
        remote.place.run(["apply", "-y"]).exits(3).says("process 1 of bob on elsewhere");
        assert_eq!(remote.object(".lock"), Some(lock_of_another()), "{s3:?}");
        let doctor = remote.place.run(["doctor", "--json"]).succeeds().json();
        let findings = doctor["findings"].as_array().unwrap();
        let of_state: Vec<&Value> = findings.iter().filter(|finding| finding["check"] == "state").collect();
        let [finding] = of_state.as_slice() else { panic!("{s3:?}: {of_state:#?}") };
        assert_eq!(finding["status"], "warning", "{s3:?}: {finding:#}");
        assert!(finding.to_string().contains("process 1 of bob on elsewhere"), "{s3:?}: {finding:#}");
        assert_eq!(remote.object(".lock"), Some(lock_of_another()), "{s3:?}");
        assert_eq!(keys(&remote.states), [format!("{KEY}.lock")], "{s3:?}");
        // What an earlier build has left there can be taken away.
        let id = lock_of_another()["id"].as_str().unwrap().to_owned();
        remote.place.run(["force-unlock", "another", "-y"]).exits(64);
        remote.place.run(["force-unlock", &id, "-y"]).succeeds();
        remote.place.run(["force-unlock", &id, "-y"]).exits(64).says("the state is not locked");
    }
}

#[test]
fn the_doctor_finds_out_whether_a_server_can_lock_and_leaves_nothing_there() {
    let remote = on_server(Place::quick("minimal"), S3Faults::default());
    for s3 in unfit() {
        play(&remote.states, s3);
        let ended = remote.place.run(["doctor"]).exits(1);
        assert!(ended.stdout.contains("PROBLEM  the S3 server at http://127.0.0.1"), "{ended}");
        assert_eq!(keys(&remote.states), Vec::<String>::new(), "{s3:?}");
    }
    play(&remote.states, S3Faults::default());
    remote.place.run(["doctor"]).succeeds();
    assert_eq!(keys(&remote.states), Vec::<String>::new());
    // What cannot be deleted there stays, marked as released, and keeps nobody from anything.
    play(&remote.states, NO_CONDITIONAL_DELETES);
    for _ in 0..2 {
        let doctor = remote.place.run(["doctor"]).succeeds();
        assert!(doctor.stdout.contains("which the first apply creates"), "{doctor}");
        assert_eq!(keys(&remote.states), [format!("{KEY}.lock")]);
        assert!(remote.object(".lock").is_some_and(|lock| lock["released"].is_string()), "{doctor}");
    }
}

#[test]
fn an_endpoint_is_proven_wherever_it_is_set() {
    let states = Cloud::quick();
    call(states.s3().create_bucket().bucket(BUCKET).send()).unwrap();
    play(&states, IGNORES_ALL);
    let place = Place::quick("minimal");
    place.apply();
    let address = format!("s3://{BUCKET}/{KEY}");
    let push = || place.run(["state", "push", "healthlake.state.json", "--state", &address]);
    push().env("AWS_ENDPOINT_URL_S3", &states.url()).exits(1).says("this server is named by AWS_ENDPOINT_URL_S3");
    push().env("AWS_ENDPOINT_URL", &states.url()).exits(1).says("this server is named by AWS_ENDPOINT_URL");
    let config = place.home().join(".aws/config");
    for text in [
        format!("[default]\nendpoint_url = {}\n", states.url()),
        format!("[default]\nservices = here\n[services here]\ns3 =\n  endpoint_url = {}\n", states.url()),
    ] {
        std::fs::write(&config, text).unwrap();
        push().without("AWS_ENDPOINT_URL").exits(1).says("this server is named by endpoint_url in the AWS profile");
    }
    assert_eq!(keys(&states), Vec::<String>::new());
}

#[test]
fn a_server_without_conditional_deletions_serves_a_whole_life() {
    for conditional_deletes in [ConditionalDeletes::NotImplemented, ConditionalDeletes::Ignored] {
        let s3 = S3Faults { conditional_deletes, ..S3Faults::default() };
        let remote = on_server(Place::quick("minimal"), s3);
        let place = &remote.place;
        let runs = [(); 3].map(|()| place.run(["apply", "-y", "--lock-timeout", "10m"]).start());
        for run in runs {
            let ended = run.ends();
            assert_eq!(ended.code, 0, "{ended}");
            assert!(!ended.stderr.contains("error"), "{ended}");
        }
        assert_eq!(place.cloud().census(), Census::one_stack());
        assert_eq!(place.cloud().count("CreateKey"), 1);
        let plan = place.run(["plan", "--detailed-exitcode"]).succeeds();
        assert!(!plan.stderr.contains("note:"), "{plan}");
        let doctor = place.run(["doctor"]).succeeds();
        assert!(doctor.stdout.contains("nobody holds its lock"), "{doctor}");
        place.run(["state", "migrate", "--from", &format!("s3://{BUCKET}/{KEY}"), "--to", "s.json"]).succeeds();
        place.run(["state", "migrate", "--from", "s.json"]).succeeds();
        place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).succeeds();
        assert_eq!(place.cloud().census(), Census::nothing_but_ending_keys(1));
    }
}

#[test]
fn a_released_lock_is_nobodys_and_looks_run_out_to_an_earlier_build() {
    let remote = on_server(Place::quick("minimal"), NO_CONDITIONAL_DELETES);
    remote.place.apply();
    let note = remote.object(".lock").unwrap();
    assert!(note["released"].is_string(), "{note}");
    assert_eq!(note["lease_in_seconds"], 0, "{note}");
    let id = note["id"].as_str().unwrap();
    remote.place.run(["force-unlock", id, "-y"]).exits(64).says("the state is not locked");
    // A bucket that is moved to a server with such deletions has the note with it.
    play(&remote.states, S3Faults::default());
    remote.place.apply();
    assert_eq!(remote.object(".lock"), None);
}

#[test]
fn the_lock_of_a_killed_run_is_released_without_conditional_deletions() {
    let remote = on_server(Place::still("minimal"), NO_CONDITIONAL_DELETES);
    remote.busy().kill();
    let id = remote.lock_id();
    remote.place.run(["apply", "-y"]).exits(3).says(&format!("hlctl force-unlock {id}"));
    remote.place.run(["force-unlock", &id, "-y"]).succeeds().says("The lock is released.");
    remote.place.cloud().let_a_minute_pass();
    remote.place.apply();
    assert_eq!(remote.place.cloud().census(), Census::one_stack());
}

#[test]
fn a_run_that_cannot_give_the_lock_back_says_so_and_how_it_is_released() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.apply();
    // Three writes take the lock and prove it.
    let later = (4..100).map(|nth| rule("PutObject", Some(nth), Action::Deny));
    remote.states.rules(later.chain([rule("DeleteObject", None, Action::Deny)]));
    let ended = remote.place.run(["apply", "-y"]).exits(6);
    let id = remote.lock_id();
    ended.says("the state is still locked").says(&format!("hlctl force-unlock {id}"));
    remote.states.heal();
    remote.place.run(["apply", "-y"]).exits(3);
    remote.place.run(["force-unlock", &id, "-y"]).succeeds();
    remote.place.apply();
    assert_eq!(remote.object(".lock"), None);
}

#[test]
fn without_permission_to_delete_the_lock_is_released_all_the_same() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.states.rules([rule("DeleteObject", None, Action::Deny)]);
    remote.place.apply();
    remote.place.run(["apply", "-y"]).succeeds();
}

#[test]
fn lost_and_garbled_answers_to_the_proof_are_no_verdict() {
    let remote = Remote::of(Place::quick("minimal"));
    for action in
        [Action::DropAfter, Action::DropBefore, Action::Cut, Action::ServerError, Action::Throttle, Action::Html]
    {
        for nth in 1..=4 {
            remote.states.rules([rule("PutObject", Some(nth), action.clone())]);
            remote.place.apply();
            assert_eq!(remote.object(".lock"), None, "{action:?} {nth}");
        }
        for nth in 1..=2 {
            remote.states.rules([rule("DeleteObject", Some(nth), action.clone())]);
            remote.place.apply();
            // What was not deleted is marked as released.
            let lock = remote.object(".lock");
            assert!(lock.is_none_or(|lock| lock["released"].is_string()), "{action:?} {nth}");
        }
    }
    // Some in a row are outlived too.
    let garbled = |nth| Rule { times: None, ..rule("PutObject", Some(nth), Action::Html) };
    remote.states.rules((2..=4).map(garbled));
    let ended = remote.place.run(["apply", "-y"]).succeeds();
    assert!(!ended.stderr.contains("ignores"), "{ended}");
    assert_eq!(remote.object(".lock"), None);
    remote.states.heal();
    remote.place.apply();
}
