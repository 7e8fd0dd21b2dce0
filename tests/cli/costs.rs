//! The rough monthly cost of stores and keys.

use serde_json::{Value, json};

use crate::support::{Place, call};

const STORE: &str = "healthlake_fhir_datastore.this";

fn plan(place: &Place, more: &[&str]) -> Value {
    place.run(["plan", "--json"].into_iter().chain(more.iter().copied())).succeeds().json()["monthly_cost"].clone()
}

fn before_and_after(cost: &Value) -> (u64, u64) {
    let dollars = |member: &str| cost[member].as_u64().unwrap_or_else(|| panic!("{cost:#}"));
    (dollars("before_usd"), dollars("after_usd"))
}

#[test]
fn a_plan_shows_what_it_changes_in_the_cost_and_status_what_is_there() {
    let place = Place::quick("minimal");
    let cost = plan(&place, &[]);
    assert_eq!(before_and_after(&cost), (0, 198));
    let resources = json!([
        {"address": STORE, "before_usd": 0, "after_usd": 197},
        {"address": "kms_key.s3", "before_usd": 0, "after_usd": 1},
    ]);
    assert_eq!(cost["resources"], resources);
    let line = format!("Rough cost of stores and keys: 0 -> 198 USD a month ({STORE} +197, kms_key.s3 +1)");
    assert!(place.run(["plan"]).succeeds().stdout.contains(&line));
    assert!(place.run(["plan", "--format", "markdown"]).succeeds().stdout.contains("198 USD a month"));
    place.apply();
    assert_eq!(before_and_after(&plan(&place, &[])), (198, 198));
    assert!(!place.run(["plan"]).succeeds().stdout.contains("USD"));
    assert_eq!(place.run(["status", "--json"]).succeeds().json()["monthly_cost_usd"], 198);
    assert!(place.run(["status"]).succeeds().stdout.contains("about 198 USD a month"));
    let shown = place.run(["plan", "--destroy"]).succeeds();
    assert!(
        shown.stdout.contains("198 -> 0 USD a month") && shown.stdout.contains(&format!("{STORE} -197")),
        "{shown}"
    );
}

#[test]
fn a_store_that_somebody_deleted_costs_nothing_any_more() {
    let place = Place::quick("minimal");
    place.apply();
    let delete = place.cloud().healthlake().delete_fhir_datastore().datastore_id(place.store_id());
    call(delete.send()).unwrap();
    // The first look ends the deletion.
    place.run(["status"]).succeeds();
    assert_eq!(place.run(["status", "--json"]).succeeds().json()["monthly_cost_usd"], 1);
    let stores = place.run(["stores", "list", "--json"]).succeeds().json()["stores"].clone();
    assert_eq!((&stores[0]["status"], &stores[0]["monthly_cost_usd"]), (&json!("DELETED"), &Value::Null));
}

#[test]
fn a_store_that_is_kept_costs_as_much_as_the_one_in_use() {
    let place = Place::quick("minimal");
    place.add("datastore_backup = true");
    place.apply();
    place.run(["restore", "--at", "latest", "-y"]).succeeds();
    assert_eq!(place.run(["status", "--json"]).succeeds().json()["monthly_cost_usd"], 395);
    let stores = place.run(["stores", "list", "--json"]).succeeds().json()["stores"].clone();
    let costs: Vec<&Value> = stores.as_array().unwrap().iter().map(|store| &store["monthly_cost_usd"]).collect();
    assert_eq!(costs, [&json!(197), &json!(197)]);
    let listed = place.run(["stores", "list"]).succeeds();
    assert_eq!(listed.stdout.matches("about 197").count(), 2, "{listed}");
    // A plan that leaves it alone counts it on both sides.
    assert_eq!(before_and_after(&plan(&place, &[])), (395, 395));
    let replaced = plan(&place, &["--replace", STORE, "--allow-destroy", "fhir-minimal"]);
    assert_eq!(before_and_after(&replaced), (395, 395));
}

#[test]
fn where_no_price_is_known_and_in_the_sandbox_nothing_is_said_of_cost() {
    let elsewhere = Place::quick("minimal");
    elsewhere.add("region = \"eu-west-2\"");
    let sandbox = Place::sandbox("minimal");
    for place in [elsewhere, sandbox] {
        assert_eq!(plan(&place, &[]), Value::Null);
        assert!(!place.run(["plan"]).succeeds().stdout.contains("USD"));
        place.apply();
        assert_eq!(place.run(["status", "--json"]).succeeds().json()["monthly_cost_usd"], Value::Null);
        let listed = place.run(["stores", "list"]).succeeds();
        assert!(!listed.stdout.contains("about"), "{listed}");
    }
}
