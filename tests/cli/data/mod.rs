//! Bulk data.

mod converted;
mod export;
mod final_export;
mod import;
mod in_s3;
mod numbers;
mod sandbox;

use std::fs;
use std::time::Duration;

use hlctl_emulator::{Clock, Delays, Options};
use serde_json::json;

use crate::support::{Cloud, Ended, Place, Running, eventually, holds_within};

/// Invented patients, with so many bytes in addition.
fn patients(numbers: std::ops::Range<usize>, padding: usize) -> String {
    let text = "x".repeat(padding);
    let line = |number| json!({"resourceType": "Patient", "id": format!("p{number}"), "language": "en", "implicitRules": format!("urn:x{text}")});
    numbers.map(|number| format!("{}\n", line(number))).collect()
}

fn stack() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

/// A stack whose jobs take a minute, in which time stands still.
fn slow_stack() -> Place {
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    let delays = Delays { job: Duration::from_secs(60), ..Delays::default() };
    let place = Place::on(Cloud::with(Options { clock, delays, ..Options::default() }), "minimal");
    place.apply();
    place
}

pub(crate) fn folder(place: &Place, files: &[(&str, &str)]) {
    fs::create_dir_all(place.path("in/deeper")).unwrap();
    for (name, text) in files {
        place.write(&format!("in/{name}"), text);
    }
}

/// How many resources the store holds, by an export.
fn held(place: &Place) -> u64 {
    place.run(["data", "export", "--json"]).succeeds().json()["resources"].as_u64().unwrap()
}

fn waits_for_the_job(place: &Place) -> Running {
    let running = place.run(["data", "import", "in"]).start();
    eventually("the job is looked at", || place.cloud().count("DescribeFHIRImportJob") > 2);
    running
}

/// Runs to the end, and tells the most memory in KiB that was seen to be held.
#[cfg(target_os = "linux")]
fn peak_memory(place: &Place, arguments: &[&str]) -> (Ended, u64) {
    let mut running = place.run(arguments.iter().copied()).start();
    let mut peak = 0;
    let ended = holds_within(Duration::from_secs(300), || {
        peak = running.memory().unwrap_or_default().max(peak);
        !running.is_alive()
    });
    assert!(ended, "it takes too long: {}", running.said());
    (running.ends(), peak)
}

#[cfg(target_os = "linux")]
#[test]
fn much_data_goes_in_and_out_in_little_memory() {
    let place = stack();
    folder(&place, &[]);
    for file in 0..5 {
        place.write(&format!("in/{file}.ndjson"), &patients(file * 20_000..(file + 1) * 20_000, 800));
    }
    for arguments in [["data", "import", "in"], ["data", "export", "out"]] {
        let (ended, memory) = peak_memory(&place, &arguments);
        assert_eq!(ended.code, 0, "{ended}");
        assert!((1..48 << 10).contains(&memory), "{arguments:?} held {memory} KiB");
    }
}
