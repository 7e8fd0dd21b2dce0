//! SIGKILL, and what other commands than the killed one make of it. `tests/torture` kills everywhere.

use hlctl_emulator::Action;

use crate::support::{Place, rule};

fn killed_destroy(operation: &str) -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place.cloud().emulator.clear_requests();
    place.cloud().rules([rule(operation, Some(1), Action::Hang)]);
    let mut running = place.run(["destroy", "-y", "--allow-destroy", "fhir-minimal"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place
}

#[test]
fn a_wait_after_a_killed_destroy_deletes_nothing() {
    let place = killed_destroy("DeleteFHIRDatastore");
    place.cloud().emulator.clear_requests();
    place.run(["wait"]).succeeds();
    assert_eq!(place.cloud().mutations(), Vec::<String>::new());
    assert_eq!(place.cloud().census().stores, 1);
}

#[test]
fn a_store_that_outlived_a_killed_destroy_is_still_protected() {
    let place = killed_destroy("DeleteFHIRDatastore");
    place.run(["destroy", "-y"]).exits(5).says("fhir-minimal is protected");
    assert_eq!(place.cloud().census().stores, 1);
}

#[test]
fn a_wait_after_a_creation_of_unknown_outcome_does_not_call_it_settled() {
    let place = Place::quick("minimal");
    place.cloud().rules([rule("CreateFHIRDatastore", Some(1), Action::Hang)]);
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    place.run(["wait"]).exits(6).says("hlctl apply");
}
