//! From text to a document.

use std::collections::HashSet;
use std::fmt;

use json_event_parser::{JsonEvent, SliceJsonParser};
use serde::de::IgnoredAny;

use super::{Document, Members};

/// The most levels of nesting, as [`serde_json`] has it, by which resources are looked at.
pub(super) const DEEPEST: usize = 127;

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::services::healthlake) enum Unreadable {
    /// It is not JSON, with what is wrong and where.
    NotJson(String),
    /// A member comes twice in one object; where, without what it holds.
    DuplicateMember(String),
    TooDeep,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(why) => f.write_str(why),
            Self::DuplicateMember(path) => write!(f, "{path} comes twice"),
            Self::TooDeep => write!(f, "nested too deep: there are more than {DEEPEST} levels"),
        }
    }
}

/// An object or a list that is not at its end yet.
enum Open {
    Object {
        members: Members,
        /// The names of many members, to find one again.
        names: HashSet<String>,
        /// The member whose value comes next.
        name: String,
    },
    List(Vec<Document>),
}

/// How many members are gone through rather than looked up.
const FEW: usize = 16;

impl Document {
    /// Reads a text.
    pub(in crate::services::healthlake) fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        // The parser passes over one; JSON has none (RFC 8259, 8.1).
        if text.starts_with(b"\xef\xbb\xbf") {
            return Err(not_json(text, "it begins with a byte order mark"));
        }
        let mut events = SliceJsonParser::new(text);
        let mut open: Vec<Open> = Vec::new();
        let mut whole = None;
        loop {
            let event = events.parse_next().map_err(|error| not_json(text, &error.to_string()))?;
            let done = match event {
                JsonEvent::Eof => return whole.ok_or_else(|| not_json(text, "there is nothing")),
                JsonEvent::StartObject | JsonEvent::StartArray if open.len() == DEEPEST => {
                    return Err(Unreadable::TooDeep);
                }
                JsonEvent::StartObject => {
                    open.push(Open::Object { members: Vec::new(), names: HashSet::new(), name: String::new() });
                    continue;
                }
                JsonEvent::StartArray => {
                    open.push(Open::List(Vec::new()));
                    continue;
                }
                JsonEvent::ObjectKey(key) => {
                    begin_member(&mut open, key.into_owned())?;
                    continue;
                }
                JsonEvent::EndObject | JsonEvent::EndArray => match open.pop() {
                    Some(Open::Object { members, .. }) => Self::Object(members),
                    Some(Open::List(items)) => Self::List(items),
                    None => return Err(not_json(text, "it ends before it begins")),
                },
                JsonEvent::Null => Self::Null,
                JsonEvent::Boolean(flag) => Self::Flag(flag),
                JsonEvent::Number(number) => Self::Number(number.into_owned()),
                JsonEvent::String(string) => Self::Text(string.into_owned()),
            };
            match open.last_mut() {
                Some(Open::Object { members, name, .. }) => members.push((std::mem::take(name), done)),
                Some(Open::List(items)) => items.push(done),
                None => whole = Some(done),
            }
        }
    }
}

fn begin_member(open: &mut [Open], key: String) -> Result<(), Unreadable> {
    let is_twice = match open.last_mut() {
        Some(Open::Object { members, names, name }) => {
            let is_twice = if members.len() < FEW {
                members.iter().any(|(own, _)| *own == key)
            } else {
                if names.is_empty() {
                    names.extend(members.iter().map(|(own, _)| own.clone()));
                }
                !names.insert(key.clone())
            };
            *name = key;
            is_twice
        }
        _ => false,
    };
    if is_twice { Err(Unreadable::DuplicateMember(path(open))) } else { Ok(()) }
}

/// Where the parser is.
fn path(open: &[Open]) -> String {
    let mut path = String::new();
    for level in open {
        match level {
            Open::Object { name, .. } => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&shown(name));
            }
            Open::List(items) => path.push_str(&format!("[{}]", items.len())),
        }
    }
    path
}

/// A member's name; one that cannot be an element's is not shown, for it may be anything.
fn shown(name: &str) -> String {
    let is_name =
        (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { name.to_owned() } else { "(a member)".to_owned() }
}

/// What is wrong, in the words of the parser that everything else here is read by.
fn not_json(text: &[u8], otherwise: &str) -> Unreadable {
    let found = serde_json::from_slice::<IgnoredAny>(text).err();
    Unreadable::NotJson(found.map_or_else(|| otherwise.to_owned(), |error| error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::super::tests::element;
    use super::*;

    fn why(text: &str) -> String {
        Document::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn members_that_come_twice_are_named_by_their_place_and_not_by_what_they_hold() {
        for (text, place) in [
            (r#"{"gender":"male","gender":"female"}"#, "gender"),
            (r#"{"name":[{"family":"A"},{"family":"Secret","given":["B"],"family":"C"}]}"#, "name[1].family"),
            (r#"{"a":{"b":[[1,{"c":1,"d":2,"\u0063":3}]]}}"#, "a.b[0][1].c"),
            (r#"{"a b":1,"a b":2}"#, "(a member)"),
        ] {
            assert_eq!(why(text), format!("{place} comes twice"));
        }
        let many: String = (0..40).map(|number| format!("\"m{number}\":{number},")).collect();
        Document::parse(format!("{{{many}\"last\":0}}").as_bytes()).unwrap();
        assert_eq!(why(&format!("{{{many}\"m3\":0}}")), "m3 comes twice");
        assert_eq!(why(&format!("{{{many}\"m39\":0}}")), "m39 comes twice");
    }

    #[test]
    fn nesting_ends_where_it_ends_for_those_who_look() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(serde_json::from_str::<Value>(&nested(DEEPEST)).is_ok());
        assert!(serde_json::from_str::<Value>(&nested(DEEPEST + 1)).is_err());
        Document::parse(nested(DEEPEST).as_bytes()).unwrap();
        assert!(why(&nested(DEEPEST + 1)).contains("nested too deep"));
        assert!(why(&nested(100_000)).contains("nested too deep"));
    }

    proptest! {
        /// A document's text, whole or with a character left out, put in or replaced: some of it is still JSON. Numbers that are too
        /// large for a machine are JSON as well, so serde_json is asked about the form alone.
        #[test]
        fn what_is_json_is_what_serde_json_takes_for_it(
            document in element(),
            edit in proptest::option::of((any::<prop::sample::Index>(), r#"[\[\]{}:,"a1.\-+eE\\u0 nultrfs]{0,2}"#, any::<bool>())),
        ) {
            let mut text: Vec<char> = String::from_utf8(document.to_bytes()).unwrap().chars().collect();
            if let Some((at, put_in, takes_out)) = edit {
                let at = at.index(text.len());
                text.splice(at..at + usize::from(takes_out), put_in.chars());
            }
            let text: String = text.into_iter().collect();
            let is_json = serde_json::from_str::<IgnoredAny>(&text).is_ok();
            match Document::parse(text.as_bytes()) {
                Ok(_) => prop_assert!(is_json, "{text:?}"),
                Err(Unreadable::NotJson(error)) => prop_assert!(!is_json, "{text:?} {error}"),
                // What comes after is not looked at.
                Err(Unreadable::DuplicateMember(_) | Unreadable::TooDeep) => {}
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let is_json = serde_json::from_slice::<Value>(&bytes).is_ok();
            prop_assert!(is_json || Document::parse(&bytes).is_err());
        }
    }
}
