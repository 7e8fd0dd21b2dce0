//! How stores are compared that answer as the HealthLake Developer Guide says, and stores that do not answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hlctl_emulator::Delays;
use serde_json::json;

use super::{applied, backed_up, load, standby};
use crate::support::{Ended, Place};

/// What a request is answered with instead of the emulator's answer: by its type and query.
type Instead = dyn Fn(&str, &str) -> Option<(u16, String)> + Send + Sync;

/// A server before an emulator, until the test's process ends.
struct Front {
    url: String,
    /// The searches: type and query.
    searches: Arc<Mutex<Vec<(String, String)>>>,
}

impl Front {
    fn new(behind: &str, instead: impl Fn(&str, &str) -> Option<(u16, String)> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let behind = behind.trim_start_matches("http://").to_owned();
        let searches: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let noted = Arc::clone(&searches);
        let instead: Arc<Instead> = Arc::new(instead);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behind, noted, instead) = (behind.clone(), Arc::clone(&noted), Arc::clone(&instead));
                std::thread::spawn(move || serve(&stream, &behind, &noted, instead.as_ref()));
            }
        });
        Self { url, searches }
    }

    /// Answers as the guide says: 40 types of R4 and two of its own cannot be searched for, and `_summary` has four values.
    fn of_the_guide(behind: &str, words: fn(&str) -> String) -> Self {
        Self::new(behind, move |kind, query| {
            let wrong = query.split('&').find_map(|pair| pair.strip_prefix("_summary="));
            let wrong = wrong.filter(|value| !["true", "text", "data", "false"].contains(value));
            if let Some(value) = wrong {
                return Some((400, outcome("invalid", &format!("Invalid value for _summary: {value}"))));
            }
            let no_type = ["Basic", "CodeSystem", "SearchParameter", "TestScript", "Parameters", "OperationOutcome"];
            no_type.contains(&kind).then(|| (400, words(kind)))
        })
    }
}

fn serve(client: &TcpStream, behind: &str, noted: &Mutex<Vec<(String, String)>>, instead: &Instead) -> Option<()> {
    let mut reader = BufReader::new(client);
    loop {
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if !line.to_ascii_lowercase().starts_with("connection:") {
                head.push_str(&line);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let mut client = client;
        let target = head.split(' ').nth(1)?.to_owned();
        let search = target.split_once("/r4/").map(|(_, rest)| rest.split_once('?').unwrap_or((rest, "")));
        let refused = search.filter(|(kind, _)| !kind.contains(['/', '.', '$'])).and_then(|(kind, query)| {
            noted.lock().unwrap().push((kind.to_owned(), query.to_owned()));
            instead(kind, query)
        });
        if let Some((status, text)) = refused {
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/fhir+json\r\ncontent-length: {}\r\n\r\n{text}",
                text.len()
            );
            client.write_all(answer.as_bytes()).ok()?;
            continue;
        }
        let mut server = TcpStream::connect(behind).ok()?;
        server.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).ok()?;
        server.write_all(&body).ok()?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer).ok()?;
        return client.write_all(&answer).ok();
    }
}

fn outcome(code: &str, text: &str) -> String {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]})
        .to_string()
}

fn run(place: &Place, front: &Front, arguments: &[&str]) -> Ended {
    place.run(arguments.iter().copied()).env("AWS_ENDPOINT_URL_HEALTHLAKE", &front.url).ends()
}

#[test]
fn a_store_that_answers_as_the_guide_says_can_be_replaced_and_restored() {
    let place = applied("datastore_backup = true", Delays::default());
    load(&place, 0..5);
    let front = Front::of_the_guide(&place.cloud().url(), |kind| {
        outcome("not-supported", &format!("Resource type {kind} is not supported"))
    });
    let ended = run(&place, &front, &["replace", "--anyway", "-y"]);
    assert_eq!(ended.code, 0, "{ended}");
    ended.says("Both stores hold the same number of resources of each type: 5 resources of 1 type.");
    let searches = front.searches.lock().unwrap().clone();
    assert_eq!(searches.len(), 2 * 104, "the guide's 106 types without two, in both stores");
    for (kind, query) in &searches {
        assert_eq!(query, "_total=accurate&_count=1", "{kind}");
        assert!(!["Parameters", "OperationOutcome", "Basic"].contains(&kind.as_str()), "{kind}");
    }
    let restored = run(&place, &front, &["restore", "--at", "latest", "-y", "--json"]);
    assert_eq!(restored.code, 0, "{restored}");
    assert_eq!(restored.json()["resources"]["old"], json!({"Patient": 5}));
    assert_eq!(restored.json()["resources"]["failure"], json!(null));
}

#[test]
fn a_type_that_a_store_does_not_have_counts_as_none_and_is_named() {
    let place = backed_up();
    load(&place, 0..3);
    let front = Front::new(&place.cloud().url(), |kind, _| match kind {
        "Invoice" => Some((404, outcome("not-supported", "Resource type Invoice is not supported"))),
        "Slot" => Some((400, outcome("processing", "Unsupported resource type: Slot"))),
        _ => None,
    });
    let ended = run(&place, &front, &["replace", "--anyway", "-y"]);
    assert_eq!(ended.code, 0, "{ended}");
    ended.says("Not counted, since a store says that it does not have the type: Invoice, Slot.");
}

#[test]
fn whatever_else_a_store_refuses_leaves_it_unknown_what_it_holds() {
    for (status, answer) in [
        (400, outcome("not-supported", "_total=accurate is not supported for resource type Observation")),
        (400, outcome("invalid", "Invalid value for _count: 1")),
        (404, outcome("not-found", "There is nothing here.")),
        (401, outcome("login", "Resource type Observation is not supported")),
        (403, outcome("not-supported", "Resource type Observation is not supported")),
        (405, outcome("not-supported", "Resource type Observation is not supported")),
        (200, json!({"resourceType": "Bundle", "type": "searchset"}).to_string()),
    ] {
        let place = backed_up();
        load(&place, 0..3);
        let old = place.store_id();
        let front =
            Front::new(&place.cloud().url(), move |kind, _| (kind == "Observation").then(|| (status, answer.clone())));
        let ended = run(&place, &front, &["replace", "--anyway", "-y"]);
        assert_eq!(ended.code, 6, "{status}: {ended}");
        ended.says("the count of Observation").says("the old one stays in use");
        assert_eq!((place.store_id(), standby(&place).len()), (old, 1));
    }
}

#[test]
fn a_store_that_refuses_every_type_has_not_been_counted() {
    let place = backed_up();
    load(&place, 0..3);
    let front = Front::new(&place.cloud().url(), |kind, _| {
        Some((400, outcome("not-supported", &format!("Resource type {kind} is not supported"))))
    });
    let ended = run(&place, &front, &["replace", "--anyway", "-y"]);
    assert_eq!(ended.code, 6, "{ended}");
    ended.says("is not known; the old one stays in use");
}

#[test]
fn a_throttled_count_is_repeated() {
    let place = backed_up();
    load(&place, 0..3);
    let refusals = AtomicUsize::new(0);
    let front = Front::new(&place.cloud().url(), move |kind, _| {
        let is_refused = kind == "Patient" && refusals.fetch_add(1, Ordering::Relaxed) < 2;
        is_refused.then(|| (429, outcome("throttled", "Rate exceeded")))
    });
    let ended = run(&place, &front, &["replace", "--anyway", "-y"]);
    assert_eq!(ended.code, 0, "{ended}");
    ended.says("hold the same number of resources of each type: 3 resources");
}

#[test]
fn a_restored_store_of_which_nothing_is_known_is_not_put_in_use() {
    let place = backed_up();
    load(&place, 0..3);
    let old = place.store_id();
    let front =
        Front::new(&place.cloud().url(), |kind, _| (kind == "Slot").then(|| (403, outcome("forbidden", "No."))));
    let ended = run(&place, &front, &["restore", "--at", "latest", "-y", "--use"]);
    assert_eq!(ended.code, 6, "{ended}");
    assert_eq!((place.store_id(), standby(&place).len()), (old, 1));
    ended.says(&format!("hlctl stores use {}", standby(&place)[0]));
    place.run(["stores", "use", &standby(&place)[0], "-y"]).succeeds();
}
