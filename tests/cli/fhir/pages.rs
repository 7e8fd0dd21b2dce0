//! Answers of many pages.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::Server;
use super::{asked, fhir, store};
use crate::support::{Ended, Place, Run, eventually};

/// A search of a store that is asked at this server.
fn search<'a>(place: &'a Place, server: &Server, arguments: &[&str]) -> Run<'a> {
    fhir(place, &[&["search", "Observation"], arguments].concat()).env("AWS_ENDPOINT_URL_HEALTHLAKE", &server.url)
}

fn page(next: Option<&str>, resources: &[Value]) -> String {
    let link: Vec<Value> = next.iter().map(|url| json!({"relation": "next", "url": url})).collect();
    let entry: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "link": link, "entry": entry}).to_string()
}

#[test]
fn all_goes_on_to_the_last_page() {
    let place = Place::on(super::verifying(), "synthea");
    place.apply();
    let all = |arguments: &[&str]| fhir(&place, &[&["search", "Observation"], arguments].concat()).succeeds();
    let first = all(&["_count=20", "_total=accurate"]);
    assert_eq!(first.json()["entry"].as_array().unwrap().len(), 20);
    assert!(first.stderr.contains("there are more"), "{first}");
    let total = first.json()["total"].as_u64().unwrap();
    place.cloud().emulator.clear_requests();
    let ended = all(&["_count=20", "--all"]);
    let ids: std::collections::BTreeSet<String> = lines(&ended).iter().map(|line| line["id"].to_string()).collect();
    assert_eq!(ids.len() as u64, total);
    assert_eq!(asked(&place).len() as u64, total.div_ceil(20));
    let table = all(&["_count=20", "--all", "--format", "table"]);
    assert_eq!(table.stdout.lines().count() as u64, total + 1, "one heading for all pages");
    let posted = all(&["status=final", "_count=50", "--all"]);
    assert!(!lines(&posted).is_empty());
    fhir(&place, &["search", "Observation", "--all", "--format", "json"]).exits(64).says("ndjson");
    let history = fhir(&place, &["history", "Patient", "_count=7", "--all"]).succeeds();
    assert_eq!(lines(&history).len(), 36);
    let patient =
        lines(&all(&["_count=1", "--format", "ndjson"]))[0]["subject"]["reference"].as_str().unwrap().to_owned();
    let everything = fhir(&place, &["everything", &patient, "_count=5", "--all"]).succeeds();
    assert!(lines(&everything).len() > 5, "{everything}");
}

fn lines(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What HealthLake answers to `_summary=count` is invalid; others answer with the total alone.
#[test]
fn a_total_without_entries_is_reported() {
    let place = store();
    let bundle = |total: u64| json!({"resourceType": "Bundle", "type": "searchset", "total": total}).to_string();
    let server = Server::new(move |target, _| (200, bundle(if target.contains("status=none") { 0 } else { 500 })));
    for parameter in ["_summary=count", "_count=0", "status=final"] {
        let table = search(&place, &server, &[parameter, "--format", "table"]).succeeds();
        assert_eq!(table.stdout, "500\n", "{table}");
        assert!(table.stderr.contains("500 resources in all; the answer contains none of them."), "{table}");
        let json = search(&place, &server, &[parameter]).succeeds();
        assert_eq!(json.json()["total"], 500);
        assert!(json.stderr.contains("500 resources in all") && !json.stderr.contains(" 0 resources"), "{json}");
        let all = search(&place, &server, &[parameter, "--all"]).succeeds();
        assert!(all.stdout.is_empty() && all.stderr.contains("500 resources in all"), "{all}");
    }
    let none = search(&place, &server, &["status=none", "--get", "--format", "table"]).succeeds();
    assert!(none.stdout.starts_with("RESOURCE") && none.stderr.contains("0 resources."), "{none}");
}

#[test]
fn what_healthlake_does_not_take_is_named_when_a_search_is_refused() {
    let place = store();
    for (kind, parameter, advice) in [
        ("Patient", "_summary=count", "_total=accurate _count=1"),
        ("Patient", "_count=0", "_total=accurate _count=1"),
        ("Patient", "_count=1000", "--all fetches all pages"),
        ("Patient", "_total=estimate", "accurate and none"),
        ("Patient", "_sort=name", "nested elements"),
        ("Basic", "_count=1", "does not have the resource type Basic"),
        ("Parameters", "_count=1", "not accept GET and POST requests for Parameters"),
    ] {
        let ended = fhir(&place, &["search", kind, parameter]).exits(1);
        assert!(ended.stderr.contains(advice), "{ended}");
    }
    // The store has the last word: what it answers is shown.
    fhir(&place, &["search", "Patient", "_count=100", "_total=accurate"]).succeeds();
}

#[test]
fn resources_pass_through_letter_by_letter() {
    let place = store();
    let body = "{ \"resourceType\": \"Bundle\",\n \"entry\": [ { \"resource\": { \"resourceType\": \"Observation\",\n  \
                \"valueQuantity\": {\"value\": 1.500},  \"id\": \"1\", \"a\": \"x \\u00e9 {, \" } } ] }";
    let server = Server::new(move |_, _| (200, body.to_owned()));
    let ended = search(&place, &server, &["--all"]).succeeds();
    assert_eq!(
        ended.stdout,
        "{\"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":1.500},\"id\":\"1\",\"a\":\"x \\u00e9 {, \"}\n"
    );
    let json = search(&place, &server, &[]).succeeds();
    assert!(json.stdout.contains("\"value\": 1.500\n"), "{json}");
}

#[test]
fn nothing_is_sent_to_where_the_store_is_not() {
    let place = store();
    let evil = Server::new(|_, _| (200, page(None, &[])));
    let id = place.store_id();
    for link in [
        format!("{}/datastore/{id}/r4/Observation?page=2", evil.url),
        format!("//{}/datastore/{id}/r4/Observation", evil.url.trim_start_matches("http://")),
        format!(
            "https://healthlake.us-east-1.amazonaws.com@{}/datastore/{id}/r4/x",
            evil.url.trim_start_matches("http://")
        ),
        "/datastore/ffffffffffffffffffffffffffffffff/r4/Observation".to_owned(),
        "../../other/r4/Observation".to_owned(),
        format!("/datastore/{id}/r4/..%2f..%2fother/r4/Observation"),
    ] {
        let answer = page(Some(&link), &[json!({"resourceType": "Observation", "id": "1"})]);
        let server = Server::new(move |_, _| (200, answer.clone()));
        let ended = search(&place, &server, &["--all"]).exits(1).says("nothing was sent there");
        assert!(ended.stderr.contains("AWS_ENDPOINT_URL_HEALTHLAKE"), "{ended}");
        assert_eq!(server.seen().len(), 1, "{link}");
    }
    assert_eq!(evil.seen().len(), 0);
}

#[test]
fn links_to_the_stores_own_name_are_asked_where_the_store_is_asked() {
    let place = store();
    let aws =
        format!("https://healthlake.us-east-1.amazonaws.com/datastore/{}/r4/Observation?page=2", place.store_id());
    let server = Server::new(move |target, _| {
        (200, page((!target.contains("page=2")).then_some(aws.as_str()), &[json!({"resourceType": "Observation"})]))
    });
    let ended = search(&place, &server, &["--all"]).succeeds();
    assert_eq!(ended.stdout.lines().count(), 2);
    assert!(server.seen().iter().all(|seen| seen.headers.contains("AWS4-HMAC-SHA256")));
    assert!(server.seen()[1].target.ends_with("/r4/Observation?page=2"));
}

#[test]
fn pages_that_go_in_circles_end() {
    let place = store();
    let server = Server::new(|target, _| {
        let next = if target.contains("page=2") { "Observation?page=3" } else { "Observation?page=2" };
        (200, page(Some(next), &[]))
    });
    search(&place, &server, &["--all"]).exits(1).says("form a loop");
}

#[test]
fn what_is_no_bundle_is_reported() {
    let place = store();
    for body in ["{\"resourceType\":\"Patient\"}", "{}", "{\"resourceType\":\"Bundle\",\"entry\":7}"] {
        let server = Server::new(move |_, _| (200, body.to_owned()));
        search(&place, &server, &[]).exits(1).says("is not what FHIR defines for it");
    }
}

#[test]
fn remarks_of_the_store_are_no_data() {
    let place = store();
    let remark = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x", "diagnostics": "Unknown parameter"}]});
    let body = json!({"resourceType": "Bundle", "entry": [
        {"resource": {"resourceType": "Observation", "id": "1"}, "search": {"mode": "match"}},
        {"resource": remark, "search": {"mode": "outcome"}},
    ]});
    let server = Server::new(move |_, _| (200, body.to_string()));
    let ended = search(&place, &server, &["--format", "ndjson"]).succeeds().says("Unknown parameter");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended}");
}

/// The most memory that a search of so many pages of a quarter of a megabyte takes, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory(place: &Place, pages: usize) -> u64 {
    let filler = "x".repeat(1000);
    let resource = |id: usize| json!({"resourceType": "Observation", "id": id.to_string(), "f": filler});
    let resources: Vec<Value> = (0..250).map(resource).collect();
    // The last page waits until the memory has been looked at.
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let reached = Arc::new(Mutex::new(false));
    let tell = Arc::clone(&reached);
    let server = Server::new(move |target, _| {
        let number: usize = target.split("page=").nth(1).map_or(1, |number| number.parse().unwrap());
        if number == pages {
            *tell.lock().unwrap() = true;
            wait.lock().unwrap().recv().unwrap();
            return (200, page(None, &resources));
        }
        (200, page(Some(&format!("Observation?page={}", number + 1)), &resources))
    });
    let running = search(place, &server, &["--all"]).start();
    eventually("the last page is asked for", || *reached.lock().unwrap());
    let peak = running.peak_memory().unwrap();
    go.send(()).unwrap();
    let ended = running.ends();
    assert_eq!((ended.code, ended.stdout.lines().count()), (0, pages * 250));
    assert!(ended.stdout.len() > pages * 250_000);
    peak
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_number_of_pages() {
    let place = store();
    let (few, many) = (peak_memory(&place, 10), peak_memory(&place, 240));
    assert!(many < few + (8 << 10), "{few} KiB for 2.5 MB, {many} KiB for 60 MB");
}
