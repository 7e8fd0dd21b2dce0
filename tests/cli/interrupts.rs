//! Signals.

use std::process::Stdio;

use hlctl_emulator::{Action, Rule};
use nix::sys::signal::Signal;

use crate::backend::Remote;
use crate::support::{Census, Ended, Place, Running, eventually, rule, snapshot};

fn waiting(place: &Place) -> Running {
    let running = place.run(["apply", "-y"]).start();
    eventually("the apply waits for nothing but its store", || {
        let said = running.said();
        let planned = said.split_once("Plan: ").and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
        planned == Some(said.matches(": created (").count() + 1) && place.cloud().count("DescribeFHIRDatastore") > 3
    });
    running
}

/// The next apply finds the store that the interrupted one began.
fn resumes(place: &Place) {
    assert!(!place.path("healthlake.state.json.lock").exists(), "the lock is still there");
    let id = place.store_id();
    place.cloud().let_a_minute_pass();
    place.apply();
    assert_eq!(place.store_id(), id);
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn an_interrupt_while_waiting_ends_the_run_and_says_how_to_go_on() {
    let place = Place::still("minimal");
    let running = waiting(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    // Time stands still, so that nothing but the signal can have ended it.
    snapshot("interrupted", &ended.stderr[ended.stderr.find("Stopping").unwrap()..]);
    resumes(&place);
}

#[test]
fn a_termination_after_an_interrupt_makes_nothing_worse() {
    let place = Place::still("minimal");
    let running = waiting(&place);
    running.signal(Signal::SIGINT);
    running.signal(Signal::SIGTERM);
    running.signal(Signal::SIGTERM);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    resumes(&place);
}

/// An apply that hangs in the middle of a call, and that is interrupted until it ends.
///
/// After the first interrupt it ends by itself within seconds. Where the machine is so busy that the second comes later than
/// that, or that the lock cannot be given back in time, it is tried again.
fn interrupted_until_it_ends<T>(
    prepare: impl Fn() -> T,
    place: impl Fn(&T) -> &Place,
    is_free: impl Fn(&T) -> bool,
) -> (T, Ended) {
    for _ in 0..8 {
        let prepared = prepare();
        place(&prepared).cloud().rules([rule("CreateRole", None, Action::Hang)]);
        let mut running = place(&prepared).run(["apply", "-y"]).start();
        running.wait_until_stuck(place(&prepared));
        eventually("the run ends", || {
            let is_alive = running.is_alive();
            if is_alive {
                running.signal(Signal::SIGINT);
            }
            !is_alive
        });
        let ended = running.ends();
        if ended.code != 6 && is_free(&prepared) {
            return (prepared, ended);
        }
    }
    panic!("no run was stopped by a second interrupt and gave back its lock");
}

#[test]
fn a_second_interrupt_stops_at_once_and_the_next_run_finds_what_was_begun() {
    let has_no_lock = |place: &Place| !place.path("healthlake.state.json.lock").exists();
    let (place, ended) = interrupted_until_it_ends(|| Place::quick("minimal"), |place| place, has_no_lock);
    assert_eq!(ended.code, 7, "{ended}");
    snapshot("interrupted_twice", &ended.stderr[ended.stderr.find("error:").unwrap()..]);
    place.cloud().heal();
    place.apply();
    assert_eq!(place.cloud().census(), Census::one_stack());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_second_interrupt_gives_back_a_lock_in_s3() {
    let remote = || Remote::of(Place::quick("minimal"));
    let (remote, ended) =
        interrupted_until_it_ends(remote, |remote| &remote.place, |remote| remote.object(".lock").is_none());
    assert_eq!(ended.code, 7, "{ended}");
    remote.place.cloud().heal();
    remote.place.apply();
    assert_eq!(remote.place.cloud().census(), Census::one_stack());
}

#[test]
fn a_lost_terminal_counts_as_a_termination() {
    let place = Place::still("minimal");
    let running = waiting(&place);
    running.signal(Signal::SIGHUP);
    assert_eq!(running.ends().code, 6);
    resumes(&place);
}

#[test]
fn an_interrupt_in_the_middle_of_a_call_that_hangs_ends_the_run_before_the_call_ends() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateRole", None, Action::Hang)]);
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    // Left alone, the call would have ended by itself, after its time-out.
    assert!(!ended.stderr.contains("no answer in time"), "{ended}");
    place.cloud().heal();
    resumes(&place);
}

#[test]
fn an_interrupt_before_anything_is_begun_shows_in_the_exit_code() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        for arguments in [vec!["plan"], vec!["apply", "-y"]] {
            let place = Place::quick("minimal");
            place.cloud().rules([rule("HeadBucket", None, Action::Hang)]);
            let mut running = place.run(arguments).start();
            running.wait_until_stuck(&place);
            running.signal(signal);
            let ended = running.ends();
            assert_eq!(ended.code, code, "{ended}");
            ended.says("interrupted; nothing was changed");
            assert!(!place.path("healthlake.state.json").exists());
            assert!(!place.path("healthlake.state.json.lock").exists());
        }
    }
}

#[test]
fn an_interrupted_destroy_is_taken_up_by_the_same_command() {
    let place = Place::still("customer-keys");
    place.run(["apply", "-y", "--no-wait"]).exits(6);
    place.cloud().let_a_minute_pass();
    place.apply();
    let destroy = ["destroy", "-y", "--allow-destroy", "fhir-production"];
    let running = place.run(destroy).start();
    eventually("the store is being deleted", || place.cloud().count("DeleteFHIRDatastore") == 1);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("hlctl destroy");
    place.cloud().let_a_minute_pass();
    place.run(destroy).succeeds();
    let census = place.cloud().census_as(place.access_key(), "eu-west-2");
    assert_eq!(census, Census::nothing_but_ending_keys(2));
}

#[test]
fn an_apply_goes_on_when_nobody_reads_any_more_what_it_says() {
    let place = Place::still("minimal");
    let mut command = place.run(["apply", "-y"]).command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    eventually("the apply waits for its store", || place.cloud().count("DescribeFHIRDatastore") > 3);
    place.cloud().let_a_minute_pass();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_wait_outlives_the_sleep_of_the_machine_and_the_connection() {
    let place = Place::still("minimal");
    let running = waiting(&place);
    let lost = || place.cloud().requests().iter().filter(|record| record.status == 0).count();
    place.cloud().rules([Rule { times: Some(4), ..rule("DescribeFHIRDatastore", None, Action::DropBefore) }]);
    // Until one is lost, an earlier request may still be under way, and the store that it finds be the one of a minute later.
    eventually("a request is lost", || lost() > 0);
    running.signal(Signal::SIGSTOP);
    place.cloud().let_a_minute_pass();
    running.signal(Signal::SIGCONT);
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(lost(), 4);
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}
