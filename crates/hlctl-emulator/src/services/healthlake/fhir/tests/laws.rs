use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Shelf;

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// As a value in a search, with a backslash before what has a meaning there.
fn escaped(text: &str) -> String {
    let marked = text.chars().flat_map(|c| {
        let mark = matches!(c, ',' | '|' | '$' | '\\').then_some('\\');
        mark.into_iter().chain([c])
    });
    encoded(&marked.collect::<String>())
}

fn entry(method: &str, url: &str, resource: impl Into<Value>) -> Value {
    json!({"request": {"method": method, "url": url}, "resource": resource.into()})
}

/// What is in the datastore, with all versions.
fn contents(shelf: &mut Shelf) -> Value {
    let mut history = shelf.ask("GET", "Patient/_history", None).unwrap();
    history["id"].take();
    history
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Delete(u8),
    Post,
    Broken,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5u8).prop_map(Step::Put),
        2 => (0..5u8).prop_map(Step::Delete),
        2 => Just(Step::Post),
        1 => Just(Step::Broken),
    ]
}

fn request(step: &Step) -> Value {
    match step {
        Step::Put(id) => {
            entry("PUT", &format!("Patient/p{id}"), json!({"resourceType": "Patient", "id": format!("p{id}")}))
        }
        Step::Delete(id) => json!({"request": {"method": "DELETE", "url": format!("Patient/p{id}")}}),
        Step::Post => entry("POST", "Patient", json!({"resourceType": "Patient"})),
        Step::Broken => entry("POST", "Patient", json!({"resourceType": "Patient", "active": null})),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_transaction_happens_whole_or_not_at_all(
        before in proptest::collection::vec(0..5u8, 0..4),
        steps in proptest::collection::vec(step(), 1..8),
    ) {
        let mut shelf = Shelf::new();
        for id in before {
            let content = json!({"resourceType": "Patient", "id": format!("p{id}")});
            shelf.ask("PUT", &format!("Patient/p{id}"), Some(content)).unwrap();
        }
        let was = contents(&mut shelf);
        let entries: Vec<Value> = steps.iter().map(request).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
        match shelf.ask("POST", "", Some(bundle)) {
            Ok(response) => {
                prop_assert!(!steps.iter().any(|step| matches!(step, Step::Broken)));
                prop_assert_eq!(response["entry"].as_array().unwrap().len(), steps.len());
                let grown = contents(&mut shelf)["total"].as_u64().unwrap() - was["total"].as_u64().unwrap();
                // Deleting what is deleted already writes nothing.
                let least = steps.iter().filter(|step| !matches!(step, Step::Delete(_))).count() as u64;
                prop_assert!(least <= grown && grown <= steps.len() as u64);
            }
            Err(_) => prop_assert_eq!(contents(&mut shelf), was),
        }
    }

    #[test]
    fn the_entries_of_a_batch_are_as_if_each_came_alone(steps in proptest::collection::vec(step(), 1..8)) {
        let (mut together, mut apart) = (Shelf::new(), Shelf::new());
        let entries: Vec<Value> = steps.iter().map(request).collect();
        let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": entries});
        together.ask("POST", "", Some(bundle)).unwrap();
        for mut entry in entries {
            let (method, url) = (entry["request"]["method"].take(), entry["request"]["url"].take());
            let _ = apart.ask(method.as_str().unwrap(), url.as_str().unwrap(), Some(entry["resource"].take()));
        }
        let total = |shelf: &mut Shelf| contents(shelf)["total"].clone();
        prop_assert_eq!(total(&mut together), total(&mut apart));
    }

    #[test]
    fn pages_of_any_size_give_each_match_once_and_in_order(
        genders in proptest::collection::vec(any::<bool>(), 0..40),
        count in 1..45usize,
        sorted in any::<bool>(),
    ) {
        let mut shelf = Shelf::new();
        let mut wanted = Vec::new();
        for (number, male) in genders.iter().enumerate() {
            let id = format!("p{number:03}");
            let gender = if *male { "male" } else { "female" };
            let content = json!({"resourceType": "Patient", "id": id, "gender": gender});
            shelf.ask("PUT", &format!("Patient/{id}"), Some(content)).unwrap();
            if *male {
                wanted.push(id);
            }
        }
        let sort = if sorted { "&_sort=-_id" } else { "" };
        if sorted {
            wanted.reverse();
        }
        prop_assert_eq!(shelf.ids(&format!("Patient?gender=male&_count={count}{sort}")), wanted);
    }

    #[test]
    fn whatever_a_resource_holds_is_found_by_it(text in "[a-zA-Z\"\\\\é\u{1F9E0}|,$/&+ \t]{1,12}") {
        let mut shelf = Shelf::new();
        let content = json!({
            "resourceType": "Patient", "id": "a",
            "name": [{"family": text}],
            "identifier": [{"system": "urn:s", "value": text}],
        });
        shelf.ask("PUT", "Patient/a", Some(content)).unwrap();
        for search in [
            format!("Patient?family:exact={}", escaped(&text)),
            format!("Patient?name:contains={}", escaped(&text)),
            format!("Patient?identifier={}", escaped(&text)),
            format!("Patient?identifier={}{}", encoded("urn:s|"), escaped(&text)),
        ] {
            prop_assert_eq!(shelf.ids(&search), ["a"], "{}", search);
        }
        let other = format!("Patient?family:exact={}", escaped(&format!("{text}x")));
        prop_assert!(shelf.ids(&other).is_empty());
    }

    #[test]
    fn no_query_makes_a_search_panic(query in "[a-z_:=&|,.%0-9A-Z -]{0,40}") {
        let mut shelf = Shelf::new();
        let content = json!({"resourceType": "Observation", "id": "a", "status": "final", "code": {"text": "x"}});
        shelf.ask("PUT", "Observation/a", Some(content)).unwrap();
        let _ = shelf.ask("GET", &format!("Observation?{query}"), None);
    }
}

#[test]
fn no_value_is_compared_approximately() {
    let mut shelf = Shelf::new();
    for search in ["Observation?value-quantity=ap5", "Observation?date=ap2020", "Patient?_lastUpdated=ap2020"] {
        let refusal = shelf.ask("GET", search, None).unwrap_err();
        assert_eq!(refusal.status, 400, "{search}");
        assert!(refusal.text().contains("prefix ap is not supported"), "{search}: {}", refusal.text());
    }
}

#[test]
fn a_patient_is_deceased_by_flag_or_by_date() {
    let mut shelf = Shelf::new();
    for (id, name, value) in [
        ("a", "deceasedBoolean", json!(true)),
        ("b", "deceasedDateTime", json!("2020-01-01")),
        ("c", "deceasedBoolean", json!(false)),
        ("d", "active", json!(false)),
    ] {
        let patient = json!({"resourceType": "Patient", "id": id, name: value});
        shelf.ask("PUT", &format!("Patient/{id}"), Some(patient)).unwrap();
    }
    for (search, wanted) in [
        ("deceased=true", &["a", "b"][..]),
        ("deceased=false", &["c", "d"]),
        ("deceased:not=true", &["c", "d"]),
        ("deceased:missing=true", &[]),
    ] {
        assert_eq!(shelf.ids(&format!("Patient?{search}&_sort=_id")), wanted, "{search}");
    }
}

#[test]
fn the_entries_of_a_transaction_name_each_other_by_full_urls() {
    let mut shelf = Shelf::new();
    let observation = json!({
        "resourceType": "Observation", "id": "1", "status": "final", "code": {"text": "http://ex.org/fhir/Patient/77"},
        "subject": {"reference": "Patient/77"},
    });
    let named = |url: &str, mut entry: Value| {
        entry["fullUrl"] = url.into();
        entry
    };
    let patient = |url: &str| named(url, entry("POST", "Patient", json!({"resourceType": "Patient"})));
    let bundle = |kind: &str, entries: Vec<Value>| json!({"resourceType": "Bundle", "type": kind, "entry": entries});
    let first = named("http://ex.org/fhir/Observation/1", entry("PUT", "Observation/1", observation));
    let whole = bundle("transaction", vec![first, patient("http://ex.org/fhir/Patient/77")]);
    shelf.ask("POST", "", Some(whole)).unwrap();
    let kept = shelf.ask("GET", "Observation/1", None).unwrap();
    let patients = shelf.ids("Patient");
    assert_eq!(kept["subject"]["reference"], format!("Patient/{}", patients[0]));
    assert_eq!(kept["code"]["text"], "http://ex.org/fhir/Patient/77");
    for kind in ["transaction", "batch"] {
        let refused = shelf.ask("POST", "", Some(bundle(kind, vec![patient("urn:uuid:1"), patient("urn:uuid:1")])));
        assert_eq!(refused.unwrap_err().status, 400, "{kind}");
    }
    assert_eq!(shelf.ids("Patient"), patients);
}
