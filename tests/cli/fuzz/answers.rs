//! Answers of AWS with one thing wrong in them: hlctl ends with a clear error or none, and the next run takes up from there.

use std::collections::BTreeMap;

use hlctl_emulator::{Action, Damage, Spoil};
use proptest::prelude::*;

use super::{cases, drawn, ended_well, spoil};
use crate::support::{Census, Place, each, rule};

/// A request of a run: its operation, and which of that operation's requests it is.
type Request = (String, u64);

fn requests(place: &Place) -> Vec<Request> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let number = |record: hlctl_emulator::RequestRecord| {
        let count = counts.entry(record.operation.clone()).or_default();
        *count += 1;
        (record.operation, *count)
    };
    place.cloud().requests().into_iter().map(number).collect()
}

fn applied(example: &str) -> Place {
    let place = Place::quick(example);
    place.apply();
    place.cloud().emulator.clear_requests();
    place
}

fn destroy(example: &str) -> [String; 4] {
    ["destroy".to_owned(), "-y".to_owned(), "--allow-destroy".to_owned(), format!("fhir-{example}")]
}

/// Requests to spoil the answers of; each operation is as likely as any other.
fn chosen(requests: Vec<Request>, count: usize) -> Vec<(Request, Spoil)> {
    let mut by_operation: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (operation, nth) in requests {
        by_operation.entry(operation).or_default().push(nth);
    }
    let operations: Vec<(String, Vec<u64>)> = by_operation.into_iter().collect();
    let which = (prop::sample::select(operations), any::<prop::sample::Index>(), spoil());
    let which = which.prop_map(|((operation, nths), index, spoil)| ((operation, *index.get(&nths)), spoil));
    drawn(&which, count)
}

/// Where a value was put in the place of another, AWS has lied about a name, and what has that name cannot be found.
fn is_lie(spoil: Spoil) -> bool {
    matches!(spoil.damage, Damage::Unknown | Damage::Absurd | Damage::Huge)
}

fn spoilt(place: &Place, ((operation, nth), spoil): &(Request, Spoil)) -> String {
    place.cloud().rules([rule(operation, Some(*nth), Action::Spoil(*spoil))]);
    format!("{operation} {nth}, {spoil:?}")
}

fn applies_survive(example: &str, usual: usize) {
    let requests = {
        let place = Place::quick(example);
        place.apply();
        requests(&place)
    };
    each(chosen(requests, cases(usual)), |case| {
        let place = Place::quick(example);
        let what = spoilt(&place, &case);
        let first = place.run(["apply", "-y"]).ends();
        ended_well(&first, &what);
        place.cloud().heal();
        let second = place.run(["apply", "-y"]).ends();
        ended_well(&second, &what);
        if is_lie(case.1) {
            return;
        }
        assert_eq!(second.code, 0, "{what}\n{first}\n--- and then\n{second}");
        let plan = place.run(["plan", "--detailed-exitcode"]).ends();
        assert_eq!(plan.code, 0, "{what}: {plan}");
        assert_eq!(place.cloud().census(), Census::of(example), "{what}\n{first}\n--- and then\n{second}");
    });
}

fn destroys_survive(example: &str, usual: usize) {
    let destroy = destroy(example);
    let destroy: Vec<&str> = destroy.iter().map(String::as_str).collect();
    let requests = {
        let place = applied(example);
        place.run(destroy.iter().copied()).succeeds();
        requests(&place)
    };
    each(chosen(requests, cases(usual)), |case| {
        let place = applied(example);
        let what = spoilt(&place, &case);
        let first = place.run(destroy.iter().copied()).ends();
        ended_well(&first, &what);
        place.cloud().heal();
        let second = place.run(destroy.iter().copied()).ends();
        ended_well(&second, &what);
        if is_lie(case.1) {
            return;
        }
        assert_eq!(second.code, 0, "{what}\n{first}\n--- and then\n{second}");
        let left = place.cloud().census();
        let keys = Census::of(example).keys;
        assert_eq!(left, Census::nothing_but_ending_keys(keys), "{what}\n{first}\n--- and then\n{second}");
    });
}

#[test]
fn an_apply_survives_any_answer_and_the_next_one_finishes_its_work() {
    applies_survive("minimal", 24);
}

#[test]
fn an_apply_with_smart_survives_any_answer_and_the_next_one_finishes_its_work() {
    applies_survive("smart", 8);
}

#[test]
fn a_destroy_survives_any_answer_and_the_next_one_finishes_its_work() {
    destroys_survive("minimal", 16);
}

#[test]
fn a_plan_and_a_look_for_drift_survive_any_answer_and_change_nothing() {
    let place = applied("smart");
    place.run(["drift"]).succeeds();
    let requests = requests(&place);
    let before = place.files();
    for case in chosen(requests, cases(24)) {
        place.cloud().emulator.clear_requests();
        let what = spoilt(&place, &case);
        ended_well(&place.run(["plan"]).ends(), &what);
        spoilt(&place, &case);
        ended_well(&place.run(["drift", "--json"]).ends(), &what);
        assert!(place.files() == before, "{what}");
        assert_eq!(place.cloud().mutations().into_iter().find(|name| name != "LookupEvents"), None, "{what}");
    }
}
