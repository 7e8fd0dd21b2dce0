//! What a parser passes over: members that come twice in one object, and how deep a resource is nested.
//!
//! A line's bytes are gone through once, whole or in pieces. Whether they are JSON is somebody else's question: of what is
//! not, anything may be said here.

use std::collections::HashSet;

use hlctl_r4::Name;

use crate::json::{DEEPEST, eight, look};

/// How many members of an object are compared one by one.
const FEW: usize = 24;

/// What is wrong with a resource that is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A member comes twice in its object; where.
    Twice(String),
    /// It is nested too deep.
    TooDeep,
}

/// The state between two pieces of a line.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    levels: Vec<Level>,
    /// The members so far of the objects that are open, one object's after the other's.
    members: Vec<Member>,
    /// Their names.
    names: Vec<u8>,
    text: Option<Text>,
    flaw: Option<Flaw>,
}

/// An object or a list that is open.
#[derive(Debug)]
struct Level {
    /// Of an object: where its members begin. `None` for a list.
    first: Option<usize>,
    /// Of an object: the names, once they are many.
    many: Option<HashSet<Box<[u8]>>>,
    /// Of a list: how many items came before.
    items: u64,
    /// Of an object: whether a member's name comes next.
    at_name: bool,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    start: usize,
    /// Made of the name's length, first and last letters: unlike names differ in it nearly always.
    look: u64,
}

/// A text that has not ended yet.
#[derive(Clone, Copy, Debug)]
struct Text {
    is_name: bool,
    /// Whether the letter before was a backslash that stands for itself.
    is_escaping: bool,
    /// Whether there is a backslash in it.
    is_escaped: bool,
}

impl Nesting {
    /// What is wrong with a whole line.
    pub(super) fn flaw_of(line: &[u8]) -> Option<Flaw> {
        let mut nesting = Self::default();
        nesting.feed(line);
        nesting.flaw
    }

    /// What was wrong with the pieces so far.
    pub(super) fn into_flaw(self) -> Option<Flaw> {
        self.flaw
    }

    /// Goes through the next piece of a line.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while self.flaw.is_none() && !rest.is_empty() {
            rest = match self.text {
                Some(text) => self.on_in_text(text, rest),
                None => self.on(rest),
            };
        }
    }

    /// Goes on to the next text, and gives what follows its quotation mark.
    fn on<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let mut place = 0;
        while let Some(byte) = bytes.get(place) {
            place += 1;
            match byte {
                b'"' => {
                    let is_name = self.levels.last_mut().is_some_and(|level| std::mem::take(&mut level.at_name));
                    if is_name {
                        self.members.push(Member { start: self.names.len(), look: 0 });
                    }
                    self.text = Some(Text { is_name, is_escaping: false, is_escaped: false });
                    return &bytes[place..];
                }
                b'{' | b'[' => {
                    self.open(*byte == b'{');
                    if self.flaw.is_some() {
                        break;
                    }
                }
                b'}' | b']' => self.close(),
                b',' => {
                    if let Some(level) = self.levels.last_mut() {
                        level.at_name = level.first.is_some();
                        level.items += 1;
                    }
                }
                _ => {}
            }
        }
        &[]
    }

    /// Goes on to the text's end, and gives what follows it.
    fn on_in_text<'b>(&mut self, mut text: Text, bytes: &'b [u8]) -> &'b [u8] {
        let mut place = 0;
        if text.is_escaping {
            text.is_escaping = false;
            place = 1;
        }
        loop {
            let Some(found) = end_or_escape(&bytes[place..]).map(|found| place + found) else {
                place = bytes.len();
                break;
            };
            if bytes[found] == b'"' {
                self.text = None;
                if text.is_name {
                    self.names.extend_from_slice(&bytes[..found]);
                    self.end_name(text.is_escaped);
                }
                return &bytes[found + 1..];
            }
            text.is_escaped = true;
            place = found + 2;
            if place > bytes.len() {
                text.is_escaping = true;
                break;
            }
        }
        if text.is_name {
            self.names.extend_from_slice(&bytes[..place.min(bytes.len())]);
        }
        self.text = Some(text);
        &[]
    }

    fn open(&mut self, is_object: bool) {
        if self.levels.len() == DEEPEST {
            self.flaw = Some(Flaw::TooDeep);
            return;
        }
        let first = is_object.then_some(self.members.len());
        self.levels.push(Level { first, many: None, items: 0, at_name: is_object });
    }

    fn close(&mut self) {
        let Some(first) = self.levels.pop().and_then(|level| level.first) else { return };
        if let Some(member) = self.members.get(first) {
            self.names.truncate(member.start);
        }
        self.members.truncate(first);
    }

    /// Holds the name that has just ended against those before it.
    fn end_name(&mut self, is_escaped: bool) {
        let Some(start) = self.members.last().map(|member| member.start) else { return };
        if is_escaped {
            unescape(&mut self.names, start);
        }
        let name = &self.names[start..];
        let look = look(name, name.len());
        if let Some(member) = self.members.last_mut() {
            member.look = look;
        }
        let Some((level, first)) = self.levels.last_mut().and_then(|level| level.first.map(|first| (level, first)))
        else {
            return;
        };
        let own = &self.members[first..];
        let name = |place: usize| {
            let end = own.get(place + 1).map_or(self.names.len(), |next| next.start);
            &self.names[own[place].start..end]
        };
        let last = own.len() - 1;
        let is_twice = if last < FEW {
            own[..last].iter().zip(0..).any(|(member, place)| member.look == look && name(place) == name(last))
        } else {
            let many = level.many.get_or_insert_with(|| (0..last).map(|place| name(place).into()).collect());
            !many.insert(name(last).into())
        };
        if is_twice {
            self.flaw = Some(Flaw::Twice(self.path()));
        }
    }

    /// Where the last name is, such as `name[0].family`.
    fn path(&self) -> String {
        let mut path = String::new();
        for (depth, level) in self.levels.iter().enumerate() {
            let Some(first) = level.first else {
                path.push_str(&format!("[{}]", level.items));
                continue;
            };
            // The member that is open is the last before those of the next object.
            let inner = self.levels[depth + 1..].iter().find_map(|level| level.first);
            let end = inner.unwrap_or(self.members.len());
            let Some(member) = self.members[first..end].last() else { continue };
            let next = self.members.get(end).map_or(self.names.len(), |next| next.start);
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(shown(&self.names[member.start..next]));
        }
        path
    }
}

/// A member's name, if FHIR R4 has it. Any other may be anything, a person's name too, and is not shown: `*` stands for it.
fn shown(name: &[u8]) -> &str {
    let known = std::str::from_utf8(name).ok().filter(|name| {
        let element = name.strip_prefix('_').unwrap_or(name);
        *name == "resourceType" || Name::of(element).is_some()
    });
    known.unwrap_or("*")
}

/// Where a text ends or a backslash stands. Eight bytes are looked at together, by arithmetic, for the binary is built for
/// size and every byte of the data comes by here.
fn end_or_escape(bytes: &[u8]) -> Option<usize> {
    // A byte that is zero borrows from its highest bit; only bytes above the first one can do so by mistake.
    let zeros = |word: u64| word.wrapping_sub(eight(0x01)) & !word & eight(0x80);
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ eight(b'"')) | zeros(word ^ eight(b'\\'));
        if found != 0 {
            let place = usize::try_from(found.trailing_zeros() / 8).unwrap_or_default();
            return Some(bytes.len() - rest.len() + place);
        }
        rest = after;
    }
    let place = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    Some(bytes.len() - rest.len() + place)
}

/// Writes a name without its escapes, as a parser reads it.
fn unescape(names: &mut Vec<u8>, start: usize) {
    let mut quoted = vec![b'"'];
    quoted.extend_from_slice(&names[start..]);
    quoted.push(b'"');
    if let Ok(name) = serde_json::from_slice::<String>(&quoted) {
        names.truncate(start);
        names.extend_from_slice(name.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn twice(place: &str) -> Option<Flaw> {
        Some(Flaw::Twice(place.to_owned()))
    }

    #[test]
    fn members_that_come_twice_are_reported_by_their_place() {
        for (line, expected) in [
            (r#"{"gender":"male","gender":"female"}"#, twice("gender")),
            (r#"{"name":[{"family":"A"},{"family":"S","given":["B"],"family":"C"}]}"#, twice("name[1].family")),
            (r#"{"code":{"coding":[[1,{"code":1,"d":2,"\u0063ode":3}]]}}"#, twice("code.coding[0][1].code")),
            (r#"{"_birthDate":{"extension":[{"url":"u","url":"v"}]}}"#, twice("_birthDate.extension[0].url")),
            (r#"{"contained":[{},{"resourceType":"A","resourceType":"B"}]}"#, twice("contained[1].resourceType")),
            (r#"{"a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}"#, None),
            (r#"{"a":"x\",\"a\":\"","b":"\\","c":{"a":"}{,"}}"#, None),
            (r#"{"a b":1,"a b":2}"#, twice("*")),
            // Names that R4 does not have may be a patient's.
            (r#"{"Smith":1,"Smith":2}"#, twice("*")),
            (r#"{"_Smith":{"1970":{"id":1,"id":2}}}"#, twice("*.*.id")),
            (r#"{"name":[{"John_Smith":[{"use":1,"use":2}]}]}"#, twice("name[0].*[0].use")),
            (r#"{"first":1,"fixst":2,"firxt":3}"#, None),
            (r#"{"":1,"a":{"":1},"":2}"#, twice("*")),
            (r#"["a","a",{"b":"b"}]"#, None),
        ] {
            assert_eq!(Nesting::flaw_of(line.as_bytes()), expected, "{line}");
        }
        let many: String = (0..60).map(|number| format!("\"m{number}\":{{\"m1\":[]}},")).collect();
        assert_eq!(Nesting::flaw_of(format!("{{{many}\"last\":0}}").as_bytes()), None);
        for number in [0, 23, 24, 25, 59] {
            let line = format!("{{\"name\":{{{many}\"m{number}\":0}}}}");
            assert_eq!(Nesting::flaw_of(line.as_bytes()), twice("name.*"));
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(Nesting::flaw_of(nested(DEEPEST).as_bytes()), None);
        assert_eq!(Nesting::flaw_of(nested(DEEPEST + 1).as_bytes()), Some(Flaw::TooDeep));
        assert!(serde_json::from_str::<Value>(&nested(DEEPEST)).is_ok());
        assert!(serde_json::from_str::<Value>(&nested(DEEPEST + 1)).is_err());
    }

    /// JSON with names of a few, so that some come twice; and where the first of these is.
    fn object() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("1.50".to_owned()),
            "[a-z{}\\[\\],:é]{0,30}".prop_map(|text| Value::from(text).to_string()),
            "[\"\\\\a]{0,4}".prop_map(|text| Value::from(text).to_string()),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
                prop::collection::vec((0..12_u8, any::<bool>(), inner), 0..6).prop_map(|members| {
                    let name = |(number, is_escaped, value): (u8, bool, String)| {
                        let letter = char::from(b'a' + number);
                        if is_escaped {
                            format!("\"\\u{:04x}\":{value}", u32::from(letter))
                        } else {
                            format!("\"{letter}\" : {value}")
                        }
                    };
                    format!("{{{}}}", members.into_iter().map(name).collect::<Vec<_>>().join(","))
                }),
            ]
        })
    }

    /// Whether a member comes twice, found out in another way: a map of its members has fewer of them than there are.
    fn has_twice(json: &str) -> bool {
        struct Twice(bool);
        struct Visit;
        impl<'de> serde::de::Visitor<'de> for Visit {
            type Value = Twice;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }
            fn visit_f64<E>(self, _: f64) -> Result<Twice, E> {
                Ok(Twice(false))
            }
            fn visit_str<E>(self, _: &str) -> Result<Twice, E> {
                Ok(Twice(false))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Twice, A::Error> {
                let mut found = false;
                while let Some(Twice(twice)) = items.next_element()? {
                    found |= twice;
                }
                Ok(Twice(found))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Twice, A::Error> {
                let (mut names, mut count, mut found) = (HashSet::new(), 0, false);
                while let Some((name, Twice(twice))) = map.next_entry::<String, Twice>()? {
                    names.insert(name);
                    count += 1;
                    found |= twice;
                }
                Ok(Twice(found || names.len() < count))
            }
        }
        impl<'de> serde::Deserialize<'de> for Twice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Visit)
            }
        }
        serde_json::from_str::<Twice>(json).unwrap().0
    }

    proptest! {
        #[test]
        fn a_parser_that_keeps_all_members_finds_the_same(json in object(), cut in 1..9_usize) {
            let flaw = Nesting::flaw_of(json.as_bytes());
            prop_assert_eq!(flaw.is_some(), has_twice(&json), "{}", json);
            let mut pieces = Nesting::default();
            json.as_bytes().chunks(cut).for_each(|piece| pieces.feed(piece));
            prop_assert_eq!(pieces.into_flaw(), flaw);
        }

        #[test]
        fn any_bytes_are_gone_through(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "[\\[\\]{}:,\"a\\\\]{0,60}") {
            let _ = Nesting::flaw_of(&bytes);
            let _ = Nesting::flaw_of(text.as_bytes());
        }
    }
}
