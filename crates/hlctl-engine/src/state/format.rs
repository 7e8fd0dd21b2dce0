//! The state file's format: JSON with a version read before the rest, and a checksum over the rest.
//!
//! `docs/state.md` describes it. Every format that was ever released keeps a fixture in the tests.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Place, State, StateError};

/// The format that this hlctl writes, and the newest it reads.
pub const VERSION: u64 = 1;
const MAGIC: &str = "hlctl-state";
/// Marks the last state of a stack that was destroyed.
const DESTROYED: &str = "destroyed";

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: String,
    version: u64,
    hlctl: String,
    checksum: String,
    state: Value,
}

/// The bytes of a state file.
///
/// # Errors
/// None that a state can cause; JSON that cannot be written.
pub fn encode(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    let state = serde_json::to_value(state)?;
    let envelope = Envelope {
        format: MAGIC.to_owned(),
        version: VERSION,
        hlctl: env!("CARGO_PKG_VERSION").to_owned(),
        checksum: checksum(&state),
        state,
    };
    let mut bytes = serde_json::to_vec_pretty(&envelope)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The bytes of the last state of a stack that was destroyed: a backup that tells what there was, not one to go back to.
///
/// # Errors
/// As [`encode`].
pub fn encode_destroyed(state: &State) -> Result<Vec<u8>, serde_json::Error> {
    let mut whole: Value = serde_json::from_slice(&encode(state)?)?;
    if let Some(members) = whole.as_object_mut() {
        members.insert(DESTROYED.to_owned(), true.into());
    }
    serde_json::to_vec_pretty(&whole)
}

/// Whether [`encode_destroyed`] made these bytes.
pub fn is_destroyed(bytes: &[u8]) -> bool {
    let whole: Option<Value> = serde_json::from_slice(bytes).ok();
    whole.and_then(|whole| whole.get(DESTROYED)?.as_bool()).unwrap_or(false)
}

/// The same state in other bytes; `None` if these are not a state's.
pub fn fenced(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut whole: Value = serde_json::from_slice(bytes).ok()?;
    whole.as_object_mut()?.insert("fence".to_owned(), uuid::Uuid::new_v4().to_string().into());
    serde_json::to_vec_pretty(&whole).ok()
}

/// A note in the place of a state that is elsewhere now.
#[derive(Serialize, Deserialize)]
struct Moved {
    format: String,
    version: u64,
    hlctl: String,
    moved_to: String,
}

/// The bytes of a note that the state has moved.
///
/// # Errors
/// None that a place can cause; JSON that cannot be written.
pub fn encode_moved(to: &Place) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(&Moved {
        format: MAGIC.to_owned(),
        version: VERSION,
        hlctl: env!("CARGO_PKG_VERSION").to_owned(),
        moved_to: to.to_string(),
    })?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads a state file's bytes. `place` is for the messages.
///
/// # Errors
/// [`StateError::TooNew`] before anything else is looked at; [`StateError::Moved`] if it is only a note; [`StateError::Damaged`] if any byte that matters differs
/// from what hlctl wrote.
pub fn decode(bytes: &[u8], place: &Place) -> Result<State, StateError> {
    let damaged = |problem: String| StateError::Damaged { place: place.clone(), problem, backup: None };
    if bytes.is_empty() {
        return Err(damaged("it is empty".to_owned()));
    }
    let whole: Value = serde_json::from_slice(bytes).map_err(|error| {
        // Only what is no JSON: a string of a whole state may well hold such marks.
        let is_conflict = bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"<<<<<<< "));
        damaged(if is_conflict {
            "it holds the marks of a merge conflict".to_owned()
        } else {
            format!("it is not valid JSON ({error})")
        })
    })?;
    if whole.get("format").and_then(Value::as_str) != Some(MAGIC) {
        return Err(damaged("it is not a state of hlctl".to_owned()));
    }
    let version =
        whole.get("version").and_then(Value::as_u64).ok_or_else(|| damaged("it has no format version".to_owned()))?;
    if version == 0 {
        return Err(damaged("hlctl never wrote format 0".to_owned()));
    }
    if version > VERSION {
        let written_by = whole.get("hlctl").and_then(Value::as_str).unwrap_or("of unknown version").to_owned();
        return Err(StateError::TooNew { place: place.clone(), found: version, written_by });
    }
    if let Some(to) = whole.get("moved_to").and_then(Value::as_str) {
        return Err(StateError::Moved { place: place.clone(), to: to.to_owned() });
    }
    let envelope: Envelope = serde_json::from_value(whole).map_err(|error| damaged(error.to_string()))?;
    if envelope.checksum != checksum(&envelope.state) {
        return Err(damaged("its checksum does not match: it was edited, or is incomplete".to_owned()));
    }
    let state: State = serde_json::from_value(envelope.state).map_err(|error| damaged(error.to_string()))?;
    check_structure(&state).map_err(damaged)?;
    Ok(state)
}

/// A checksum shows accidents only; somebody who edits a state can make that fit too.
fn check_structure(state: &State) -> Result<(), String> {
    // Writing counts on from it.
    if state.serial > u64::from(u32::MAX) {
        return Err(format!("{} is not a possible serial", state.serial));
    }
    let entries = state.resources.iter().chain(state.deposed.iter().map(|deposed| (&deposed.address, &deposed.entry)));
    for (address, entry) in entries {
        let name = address.as_str().strip_prefix(&entry.kind).and_then(|rest| rest.strip_prefix('.'));
        if name.is_none_or(str::is_empty) {
            return Err(format!("{address} is not an address of a {}", entry.kind));
        }
    }
    Ok(())
}

/// SHA-256 over the compact JSON with sorted keys, so that re-indenting a file does no harm.
pub fn checksum(state: &Value) -> String {
    format!("sha256:{:x}", Sha256::digest(canonical(state).as_bytes()))
}

/// `serde_json` may keep the order of members if another crate asks it to; the checksum must not depend on that.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            let members: Vec<String> = sorted
                .iter()
                .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::state::Home;
    use hlctl_config::ForceDestroy;
    use hlctl_model::{Identity, Settings};

    fn state() -> State {
        let identity = Identity {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
            caller: "arn:aws:iam::111122223333:user/me".into(),
        };
        State::new(
            "fhir",
            Home::Aws,
            identity,
            Settings { kms_deletion_window_in_days: 30, force_destroy: ForceDestroy::No },
        )
    }

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let state = state();
        assert_eq!(decode(&encode(&state).unwrap(), &Place::parse("s").unwrap()).unwrap(), state);
    }

    #[test]
    fn an_edit_is_noticed() {
        let text = String::from_utf8(encode(&state()).unwrap()).unwrap();
        let edited = text.replace("111122223333", "111122223334");
        assert!(matches!(decode(edited.as_bytes(), &Place::parse("s").unwrap()), Err(StateError::Damaged { .. })));
    }

    #[test]
    fn what_no_hlctl_writes_is_damaged_although_its_checksum_fits() {
        let place = Place::parse("s").unwrap();
        let entry = |kind: &str| json!({"kind": kind, "status": "ready", "token": "t", "protected": false, "needs": [], "recorded": null, "attributes": {}});
        let with = |address: &str, kind: &str| {
            let mut value = serde_json::to_value(state()).unwrap();
            value["resources"][address] = entry(kind);
            encode(&serde_json::from_value(value).unwrap()).unwrap()
        };
        decode(&with("kms_key.s3", "kms_key"), &place).unwrap();
        for (address, kind) in [("../../evil", "kms_key"), ("kms_key.s3", "s3_bucket"), ("kms_key.", "kms_key")] {
            assert!(matches!(decode(&with(address, kind), &place), Err(StateError::Damaged { .. })), "{address}");
        }
        let endless = State { serial: u64::MAX, ..state() };
        assert!(matches!(decode(&encode(&endless).unwrap(), &place), Err(StateError::Damaged { .. })));
    }

    #[test]
    fn the_marks_of_a_merge_conflict_are_found_where_they_break_the_json_and_nowhere_else() {
        let place = Place::parse("s").unwrap();
        let mut marked = state();
        marked.stack = "<<<<<<< HEAD, ======= and >>>>>>> theirs".to_owned();
        let bytes = encode(&marked).unwrap();
        assert_eq!(decode(&bytes, &place).unwrap(), marked);
        let text = String::from_utf8(encode(&state()).unwrap()).unwrap();
        let line = text.lines().nth(3).unwrap();
        let conflict = text.replace(line, &format!("<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> theirs"));
        let reported = decode(conflict.as_bytes(), &place).unwrap_err().to_string();
        assert!(reported.contains("the marks of a merge conflict"), "{reported}");
        let reported = decode(&bytes[..bytes.len() - 9], &place).unwrap_err().to_string();
        assert!(reported.contains("not valid JSON"), "{reported}");
    }

    #[test]
    fn a_newer_format_is_refused_before_its_content_is_judged() {
        let newer = br#"{"format": "hlctl-state", "version": 2, "hlctl": "9.0.0", "something": "else"}"#;
        assert!(matches!(decode(newer, &Place::parse("s").unwrap()), Err(StateError::TooNew { found: 2, .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(&bytes, &Place::parse("s").unwrap()).is_err());
        }

        #[test]
        fn a_truncated_state_is_damaged(cut in 1usize..400) {
            let bytes = encode(&state()).unwrap();
            let cut = cut.min(bytes.len() - 2);
            prop_assert!(decode(&bytes[..bytes.len() - 1 - cut], &Place::parse("s").unwrap()).is_err());
        }
    }
}
