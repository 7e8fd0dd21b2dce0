//! One run at a time.

use std::time::Duration;

use crate::backend::Remote;
use crate::support::{Place, Running, call, eventually, snapshot};

/// An apply that waits for its store.
fn busy(place: &Place) -> Running {
    let running = place.run(["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 1);
    running
}

#[test]
fn a_second_apply_learns_who_is_at_work() {
    let place = Place::still("minimal");
    let first = busy(&place);
    let second = place.run(["apply", "-y"]).env("USER", "bob").exits(3);
    snapshot("locked", &second);
    place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).exits(3);
    place.run(["wait"]).exits(3);
    // Reading needs no lock.
    place.run(["plan"]).succeeds();
    place.run(["outputs"]).succeeds();
    place.cloud().let_a_minute_pass();
    assert_eq!(first.ends().code, 0);
    assert!(!place.path("healthlake.state.json.lock").exists());
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
}

#[test]
fn a_lock_timeout_waits_and_then_goes_on() {
    let place = Place::still("minimal");
    let first = busy(&place);
    let second = place.run(["apply", "-y", "--lock-timeout", "10m"]).start();
    eventually("the second apply waits for the lock", || second.has_said("Waiting for the state lock"));
    place.cloud().let_a_minute_pass();
    assert_eq!(first.ends().code, 0);
    let second = second.ends();
    assert_eq!(second.code, 0, "{second}");
    second.says("Waiting for the state lock, held by `hlctl apply`");
}

#[test]
fn a_lock_timeout_ends() {
    let place = Place::still("minimal");
    let first = busy(&place);
    let second = place.run(["apply", "-y", "--lock-timeout", "0.3s"]).exits(3);
    assert!(second.took >= Duration::from_millis(300));
    first.kill();
}

#[test]
fn the_lock_of_a_killed_run_does_not_linger() {
    let place = Place::still("minimal");
    busy(&place).kill();
    assert!(place.path("healthlake.state.json.lock").exists());
    place.cloud().let_a_minute_pass();
    place.apply();
    assert!(!place.path("healthlake.state.json.lock").exists());
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
}

#[test]
fn two_applies_at_once_make_one_stack() {
    let place = Place::quick("minimal");
    let runs = [(); 3].map(|()| place.run(["apply", "-y", "--lock-timeout", "10m"]).start());
    for run in runs {
        let ended = run.ends();
        assert_eq!(ended.code, 0, "{ended}");
    }
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
    assert_eq!(place.cloud().count("CreateKey"), 1);
}

/// The commands that read a state and take no lock.
const READERS: [&[&str]; 10] = [
    &["plan"],
    &["plan", "--json"],
    &["drift"],
    &["outputs"],
    &["outputs", "--json"],
    &["stores", "list"],
    &["graph"],
    &["state", "list"],
    &["state", "show"],
    &["state", "pull"],
];

/// Every reader says, or keeps silent about, the run whose process this is.
fn readers_say(place: &Place, note: Option<&str>) {
    for reader in READERS {
        let ended = place.run(reader.iter().copied()).ends();
        match note {
            Some(note) => assert!(ended.stderr.contains(note), "{reader:?}\n{ended}"),
            None => assert!(!ended.stderr.contains("note:"), "{reader:?}\n{ended}"),
        }
        if reader.contains(&"--json") {
            ended.json();
        }
    }
}

#[test]
fn readers_say_that_another_run_is_at_work() {
    let place = Place::still("minimal");
    let running = busy(&place);
    let lock: serde_json::Value = serde_json::from_str(&place.read("healthlake.state.json.lock")).unwrap();
    let (pid, user, host) = (&lock["pid"], lock["user"].as_str().unwrap(), lock["host"].as_str().unwrap());
    let since = lock["since"].as_str().unwrap();
    let note = format!(
        "note: `hlctl apply` (pid {pid} of {user} on {host}) is running since {since}; what is shown may change\n"
    );
    readers_say(&place, Some(&note));
    place.cloud().let_a_minute_pass();
    assert_eq!(running.ends().code, 0);
    readers_say(&place, None);
}

#[test]
fn readers_of_a_state_in_s3_say_that_another_run_is_at_work() {
    let remote = Remote::leased(Place::still("minimal"), 1);
    let running = remote.busy();
    readers_say(&remote.place, Some("note: `hlctl apply` (pid "));
    running.kill();
    let abandoned = "and its lease has expired; if it has died: hlctl force-unlock ";
    eventually("its lease has expired", || remote.place.run(["outputs"]).ends().stderr.contains(abandoned));
    remote.place.run(["force-unlock", &remote.lock_id(), "-y"]).succeeds();
    readers_say(&remote.place, None);
}

#[test]
fn readers_keep_silent_about_a_run_that_was_killed() {
    let place = Place::still("minimal");
    busy(&place).kill();
    assert!(place.path("healthlake.state.json.lock").exists());
    readers_say(&place, None);
}

#[test]
fn a_lock_that_names_nobody_stops_no_reader() {
    let remote = Remote::of(Place::quick("minimal"));
    remote.place.apply();
    let lock = format!("{}.lock", crate::backend::KEY);
    let put = remote.states.s3().put_object().bucket(crate::backend::BUCKET).key(&lock);
    call(put.body(b"not a lock".to_vec().into()).send()).unwrap();
    remote.place.run(["outputs"]).succeeds().says("note: another run is active");
    remote.states.emulator.clear_requests();
    // The lock is asked for with the state, and once.
    remote.place.run(["outputs"]).succeeds();
    assert_eq!((remote.states.count("GetObject"), remote.states.count("PutObject")), (2, 0));
    // A holder whose name cannot be read is not distinguished from somebody else's object.
    remote.place.run(["apply", "-y"]).exits(3).says("aws s3 rm s3://states/team/fhir.state.json.lock");
}

#[test]
fn the_holder_is_named_where_the_environment_names_nobody() {
    let place = Place::still("minimal");
    let user_of = |running: Running| {
        let lock: serde_json::Value = serde_json::from_str(&place.read("healthlake.state.json.lock")).unwrap();
        running.kill();
        lock["user"].as_str().unwrap().to_owned()
    };
    let uid = nix::unistd::Uid::effective();
    let account = nix::unistd::User::from_uid(uid).unwrap().map_or_else(|| format!("uid {uid}"), |user| user.name);
    assert_eq!(user_of(busy(&place)), account);
    let running = place.run(["apply", "-y"]).env("USER", "").env("LOGNAME", "carol").start();
    eventually("the second run holds the lock", || {
        place.read("healthlake.state.json.lock").contains("carol") || running.has_said("error")
    });
    assert_eq!(user_of(running), "carol");
}
