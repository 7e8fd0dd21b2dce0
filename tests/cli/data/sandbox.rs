//! A sandbox with data.

use super::{folder, held, patients};
use crate::support::Place;

#[test]
fn a_sandbox_is_loaded_with_ndjson_between_two_commands() {
    let place = Place::sandbox("minimal");
    place.apply();
    folder(&place, &[("a.ndjson", &patients(0..3, 0))]);
    let loaded = place.run(["sandbox", "load", "in", "--json"]).succeeds().says("Loaded 3 resources").json();
    assert_eq!(loaded["loaded"][0]["resources"], 3);
    assert_eq!(held(&place), 3);
    place.write("in/b.ndjson", "{\"resourceType\":\"Patient\"}\n");
    place.run(["sandbox", "load", "in/b.ndjson"]).exits(1).says("b.ndjson:1: ");
    place.run(["sandbox", "load", "nowhere"]).exits(64).says("cannot read nowhere");
    place.run(["sandbox", "load", "in", "--store", "0123"]).exits(64).says("there is no datastore 0123");
    assert_eq!(held(&place), 3);
}

#[test]
fn jobs_take_their_time_in_a_sandbox_that_is_configured_so() {
    let place = Place::sandbox("minimal");
    place.apply();
    let arguments = ["data", "export", "--no-wait", "--json"];
    let started = place.run(arguments).env("HLCTL_SANDBOX_JOB_DELAY", "3600").exits(6).json();
    let jobs = place.run(["data", "jobs", "--json"]).env("HLCTL_SANDBOX_JOB_DELAY", "3600").succeeds().json();
    assert_ne!(jobs["jobs"][0]["status"], "COMPLETED");
    assert_eq!((&started["job"]["id"], &started["store"]["id"]), (&jobs["jobs"][0]["id"], &place.store_id().into()));
}
