//! SIGKILL, and what other commands than the killed one make of it. `tests/torture` kills everywhere.

use hlctl_emulator::Action;

use crate::support::{Place, call, rule};

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

#[test]
fn a_client_that_was_begun_in_a_pool_that_is_gone_is_in_nobodys_way() {
    let place = Place::quick("smart");
    place.cloud().rules([rule("CreateUserPoolClient", Some(1), Action::Hang)]);
    let mut running = place.run(["apply", "-y"]).start();
    running.wait_until_stuck(&place);
    running.kill();
    place.cloud().heal();
    let cognito = place.cloud().cognito();
    let pools = call(cognito.list_user_pools().max_results(10).send()).unwrap();
    let pool = pools.user_pools()[0].id().unwrap();
    let described = call(cognito.describe_user_pool().user_pool_id(pool).send()).unwrap();
    if let Some(domain) = described.user_pool().unwrap().domain() {
        call(cognito.delete_user_pool_domain().user_pool_id(pool).domain(domain).send()).unwrap();
    }
    call(cognito.delete_user_pool().user_pool_id(pool).send()).unwrap();
    place.run(["destroy", "-y", "--allow-destroy", "fhir-smart"]).succeeds();
    place.apply();
    place.run(["plan", "--detailed-exitcode"]).succeeds();
    assert_eq!(place.cloud().census().pools, 1);
}
