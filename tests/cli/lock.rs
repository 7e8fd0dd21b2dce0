//! One run at a time.

use std::time::Duration;

use crate::support::{Place, Running, eventually, snapshot};

/// An apply that waits for its store.
fn busy(place: &Place) -> Running {
    let running = place.run(["apply", "-y"]).start();
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 1);
    running
}

#[test]
fn a_second_apply_is_told_who_is_at_work() {
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
    let second = place.run(["apply", "-y", "--lock-timeout", "20s"]).start();
    eventually("the second apply waits for the lock", || second.has_said("Waiting for the state's lock"));
    place.cloud().let_a_minute_pass();
    assert_eq!(first.ends().code, 0);
    let second = second.ends();
    assert_eq!(second.code, 0, "{second}");
    second.says("Waiting for the state's lock, held by `hlctl apply`");
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
    let runs = [(); 3].map(|()| place.run(["apply", "-y", "--lock-timeout", "20s"]).start());
    for run in runs {
        let ended = run.ends();
        assert_eq!(ended.code, 0, "{ended}");
    }
    assert_eq!(place.cloud().census(), crate::support::Census::one_stack());
    assert_eq!(place.cloud().count("CreateKey"), 1);
}
