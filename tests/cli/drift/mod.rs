//! What others do to a stack by hand: `hlctl drift` tells it, and an apply repairs it, refuses, or leaves it alone.

mod by_hand;
mod command;
mod fix;
mod workflow;
mod world;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::Place;

/// The addresses that are neither clean nor pending, and how they stand.
fn verdicts(report: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let resources = report["resources"].as_array().unwrap().iter();
    resources
        .map(|one| (text(&one["address"]), text(&one["verdict"])))
        .filter(|(_, verdict)| verdict != "clean" && verdict != "pending")
        .collect()
}

fn is_clean(place: &Place, what: &str) {
    let drift = place.run(["drift", "--no-trail"]).ends();
    assert_eq!(drift.code, 0, "{what}: {drift}");
    let plan = place.run(["plan", "--detailed-exitcode"]).ends();
    assert_eq!(plan.code, 0, "{what}: {plan}");
}
