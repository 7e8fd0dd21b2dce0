//! One line of NDJSON.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::resource_types::{is_resource_type, type_name};

/// By which two resources with one type and id are known.
pub(super) type Mark = [u8; 12];

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing but space.
    Blank,
    /// A resource with an id.
    Good {
        /// Its type.
        kind: Cow<'static, str>,
        /// By which it is known.
        mark: Mark,
    },
    /// Something else.
    Bad(Problem),
    /// Something else, and so will be all lines after it.
    Hopeless(Problem),
}

/// Looks at a line without its end.
pub(super) fn judge(line: &[u8], is_first: bool) -> Verdict {
    if is_first && let Some(verdict) = opening(line) {
        return verdict;
    }
    if std::str::from_utf8(line).is_err() {
        return Verdict::Bad(Problem::NotUtf8);
    }
    if line.trim_ascii().is_empty() {
        return Verdict::Blank;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let found = Found::deserialize(&mut deserializer).and_then(|found| deserializer.end().map(|()| found));
    conclude(found)
}

/// Bytes that a line is read by when it is read in pieces.
const PIECE: usize = 16 << 10;

/// [`judge`] of a line that is read in pieces. UTF-8 is the reader's to check.
pub(super) fn judge_long(line: impl Read) -> Verdict {
    // The parser asks for one byte at a time.
    let mut deserializer = serde_json::Deserializer::from_reader(BufReader::with_capacity(PIECE, line));
    conclude(Found::deserialize(&mut deserializer).and_then(|found| deserializer.end().map(|()| found)))
}

/// What the first bytes of a file say about all of it.
fn opening(line: &[u8]) -> Option<Verdict> {
    match line {
        [0x1f, 0x8b, ..] | [b'P', b'K', 3, 4, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', ..] => {
            Some(Verdict::Hopeless(Problem::Compressed))
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => Some(Verdict::Hopeless(Problem::Utf16)),
        [0xef, 0xbb, 0xbf, ..] => Some(Verdict::Bad(Problem::ByteOrderMark)),
        _ if matches!(line.trim_ascii(), b"{" | b"[" | b"[{") => Some(Verdict::Hopeless(Problem::Spread)),
        _ => None,
    }
}

fn conclude(found: Result<Found, serde_json::Error>) -> Verdict {
    match found {
        Ok(Found::Object(members)) => members.judge(),
        Ok(Found::Other) => Verdict::Bad(Problem::NotAnObject),
        Err(error) => Verdict::Bad(match error.classify() {
            Category::Eof => Problem::CutOff,
            _ => {
                let text = error.to_string();
                match text.split(" at line ").next().unwrap_or_default() {
                    "trailing characters" => Problem::SeveralOnALine,
                    "EOF while parsing a value" => Problem::CutOff,
                    why => Problem::NotJson(why.to_owned()),
                }
            }
        }),
    }
}

/// What the line says.
enum Found {
    Object(Members),
    Other,
}

/// The members that say who a resource is.
#[derive(Default)]
struct Members {
    kind: Option<Text>,
    id: Option<Text>,
    twice: Option<&'static str>,
}

impl Members {
    fn judge(self) -> Verdict {
        let problem = match (self.twice, self.kind, self.id) {
            (Some(member), ..) => Problem::Twice(member),
            (_, None, _) => Problem::NoType,
            (_, Some(Text::Other), _) => Problem::TypeNotText,
            (_, Some(Text::Is(kind)), _) if !is_resource_type(&kind) => Problem::UnknownType,
            (_, Some(Text::Is(kind)), None) if kind == "Bundle" => Problem::Bundle,
            (_, _, None) => Problem::NoId,
            (_, _, Some(Text::Other)) => Problem::IdNotText,
            (_, _, Some(Text::Is(id))) if !is_id(&id) => Problem::BadId,
            (_, Some(Text::Is(kind)), Some(Text::Is(id))) => {
                let mark = mark(&kind, &id);
                return Verdict::Good { kind: type_name(kind), mark };
            }
        };
        Verdict::Bad(problem)
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn mark(kind: &str, id: &str) -> Mark {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update("/");
    hash.update(id);
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finalize()[..12]);
    mark
}

/// A member's value: a text, of which no more is kept than a good one has, or something else.
enum Text {
    Is(String),
    Other,
}

/// Longer than any good type or id.
const ENOUGH: usize = 65;

struct AnyValue;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        let end = text.char_indices().nth(ENOUGH).map_or(text.len(), |(index, _)| index);
        Ok(Text::Is(text[..end].to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text::Other)
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }
}

struct TopLevel;

impl<'de> Deserialize<'de> for Found {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TopLevel)
    }
}

impl<'de> Visitor<'de> for TopLevel {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_str<E>(self, _: &str) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_unit<E>(self) -> Result<Found, E> {
        Ok(Found::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Found, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Found::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Found, A::Error> {
        let mut members = Members::default();
        while let Some(key) = map.next_key::<Key>()? {
            let (member, name) = match key {
                Key::Id => (&mut members.id, "id"),
                Key::Kind => (&mut members.kind, "resourceType"),
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if member.replace(map.next_value()?).is_some() {
                members.twice = Some(name);
            }
        }
        Ok(Found::Object(members))
    }
}

/// A member's name.
enum Key {
    Id,
    Kind,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "id" => Key::Id,
                    "resourceType" => Key::Kind,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}
