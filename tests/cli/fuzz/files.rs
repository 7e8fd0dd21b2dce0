//! Files that somebody, or something, has had a hand in: configuration, state, saved plan and lock.

use bytes::Bytes;
use hlctl_emulator::Spoil;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{cases, drawn, ended_well, spoil};
use crate::support::{Place, each};

const STATE: &str = "healthlake.state.json";
const DESTROY: [&str; 4] = ["destroy", "-y", "--allow-destroy", "fhir-minimal"];

fn applied() -> Place {
    let place = Place::quick("minimal");
    place.apply();
    place
}

fn write(place: &Place, name: &str, content: &[u8]) {
    std::fs::write(place.path(name), content).unwrap();
}

fn damaged(text: &str, spoil: Spoil) -> Bytes {
    spoil.content(&Bytes::from(text.to_owned()))
}

/// A state file around this state, whose checksum fits: as only somebody who knows the format could make it.
fn sealed(state: &Value) -> String {
    // The members of a JSON object are sorted here.
    let digest = Sha256::digest(state.to_string().as_bytes());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let whole = json!({
        "format": "hlctl-state", "version": 1, "hlctl": "0.1.0", "checksum": format!("sha256:{hex}"), "state": state,
    });
    whole.to_string()
}

#[test]
fn a_damaged_state_is_refused_or_good_and_never_written_over() {
    let place = applied();
    let text = place.read(STATE);
    for spoil in drawn(&spoil(), cases(60)) {
        let damaged = damaged(&text, spoil);
        write(&place, STATE, &damaged);
        for command in [vec!["state", "list"], vec!["plan"], vec!["drift"], vec!["outputs"]] {
            ended_well(&place.run(command.iter().copied()).ends(), &format!("{command:?}, {spoil:?}"));
        }
        assert_eq!(std::fs::read(place.path(STATE)).unwrap(), damaged, "{spoil:?}");
    }
}

#[test]
fn a_state_that_is_wrong_under_a_good_checksum_never_leads_to_a_panic() {
    let state = applied().state().to_string();
    each(drawn(&spoil(), cases(60)), |spoil| {
        let place = applied();
        let Ok(changed) = serde_json::from_slice::<Value>(&damaged(&state, spoil)) else { return };
        write(&place, STATE, sealed(&changed).as_bytes());
        let all: [&[&str]; 7] =
            [&["state", "list"], &["state", "show"], &["outputs"], &["plan"], &["drift"], &["apply", "-y"], &DESTROY];
        for command in all {
            ended_well(&place.run(command.iter().copied()).ends(), &format!("{command:?}, {spoil:?}"));
        }
    });
}

#[test]
fn a_sealed_state_is_one_that_hlctl_takes() {
    let place = applied();
    write(&place, STATE, sealed(&place.state()).as_bytes());
    place.run(["plan", "--detailed-exitcode"]).succeeds();
}

#[test]
fn a_damaged_plan_is_refused_or_does_what_it_shows() {
    let place = Place::quick("minimal");
    place.run(["plan", "--out", "plan.json"]).succeeds();
    let text = place.read("plan.json");
    each(drawn(&spoil(), cases(60)), |spoil| {
        let place = Place::quick("minimal");
        write(&place, "plan.json", &damaged(&text, spoil));
        ended_well(&place.run(["apply", "plan.json"]).ends(), &format!("{spoil:?}"));
    });
}

#[test]
fn a_damaged_configuration_is_explained_or_good() {
    let place = Place::quick("smart");
    let text = place.read("healthlake.toml");
    let damage = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..6));
    for (start, end, instead) in drawn(&damage, cases(60)) {
        let bytes = text.as_bytes();
        let start = start.index(bytes.len());
        let end = (start + end.index(40)).min(bytes.len());
        write(&place, "healthlake.toml", &[&bytes[..start], &instead, &bytes[end..]].concat());
        for command in [vec!["validate"], vec!["validate", "--json"], vec!["plan"]] {
            ended_well(&place.run(command.iter().copied()).ends(), &format!("{command:?}, {start}..{end} {instead:?}"));
        }
    }
}

#[test]
fn a_deeply_nested_configuration_is_an_error_and_no_overflow() {
    let place = Place::quick("minimal");
    let text = place.read("healthlake.toml");
    for (open, close) in [("[", "]"), ("{a = ", "}")] {
        let deep = format!("{text}\ntags = {}1{}\n", open.repeat(100_000), close.repeat(100_000));
        write(&place, "healthlake.toml", deep.as_bytes());
        ended_well(&place.run(["validate"]).ends(), open);
    }
}

#[test]
fn whatever_a_held_lock_says_of_its_holder_the_next_one_learns_that_it_is_held() {
    let place = applied();
    let name = "healthlake.state.json.lock";
    let holder = json!({"id": "1", "host": "h", "pid": 1, "user": "u", "since": "s", "command": "c"}).to_string();
    let mut contents: Vec<Bytes> =
        drawn(&spoil(), cases(20)).into_iter().map(|spoil| damaged(&holder, spoil)).collect();
    contents.push(Bytes::from(vec![b'x'; 8 << 20]));
    for content in contents {
        let mut file = std::fs::File::create(place.path(name)).unwrap();
        std::io::Write::write_all(&mut file, &content).unwrap();
        file.try_lock().unwrap();
        let held = place.run(["apply", "-y"]).exits(3).says("the state is locked by");
        assert!(held.stderr.len() < 1 << 16, "{} bytes", held.stderr.len());
        // Closing it is not enough: a process that is just being started may still have the file open.
        file.unlock().unwrap();
    }
}
