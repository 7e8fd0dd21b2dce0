//! One line of NDJSON.

use std::borrow::Cow;
use std::fmt;
use std::io::{BufReader, Read};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use sha2::{Digest, Sha256};

use super::Checks;
use super::nesting::{Flaw, Nesting};
use super::notice::{BundleType, Notice};
use super::problem::Problem;
use super::resource_types::{answer, disputed, is_resource_type, is_supported, type_name};
use crate::json::{self, Cursor, NotJson};
use crate::structure::{self, Found as Checked, Identity, Issue, Place, Said, Target};

/// By which two resources with one type and id are known.
pub(crate) type Mark = [u8; 12];

/// A notice, and where in the resource what it is about.
pub(super) type Noted = (Notice, Option<Place>);

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
        /// Whether its structure was left out although the level asks for it.
        is_unchecked: bool,
        /// What there is to know about it.
        notices: Vec<Noted>,
        /// What it refers to, where that is asked for.
        targets: Vec<Target>,
    },
    /// A resource with an id, of which elements are not as R4 has them.
    Flawed {
        /// By which it is known.
        mark: Mark,
        /// What is wrong.
        issues: Vec<Issue>,
        /// What else there is to know about it.
        notices: Vec<Noted>,
        /// What it refers to, where that is asked for.
        targets: Vec<Target>,
    },
    /// Something else.
    Bad(Problem),
    /// Something else, because of what is at this place in the resource.
    BadAt(Problem, String),
    /// Something else, and so will be all lines after it.
    Hopeless(Problem),
}

/// Looks at a line without its end.
pub(super) fn judge(line: &[u8], is_first: bool, checks: Checks) -> Verdict {
    if is_first && let Some(verdict) = opening(line) {
        return verdict;
    }
    let Ok(text) = std::str::from_utf8(line) else { return Verdict::Bad(Problem::NotUtf8) };
    if line.trim_ascii().is_empty() {
        return Verdict::Blank;
    }
    match read(text, checks) {
        // Nothing that a parser or a comparison of names could say more of.
        Ok(Reading { members, is_doubtful: false, found }) => with_issues(members.judge(), found, checks),
        Ok(Reading { found, .. }) => with_issues(thorough(line), found, checks),
        Err(NotJson { .. }) => with_issues(thorough(line), None, checks),
    }
}

/// What a line is, its structure aside, as a parser and a comparison of all names have it.
fn thorough(line: &[u8]) -> Verdict {
    match parsed(serde_json::Deserializer::from_slice(line)) {
        verdict @ Verdict::Good { .. } => with_flaw(verdict, Nesting::flaw_of(line)),
        verdict => verdict,
    }
}

/// A line that was gone through once.
struct Reading<'a> {
    members: Members<'a>,
    /// Whether a member may come twice in one object.
    is_doubtful: bool,
    /// What was found in it, where that is asked for and R4 defines its type.
    found: Option<Checked>,
}

fn read(text: &str, checks: Checks) -> Result<Reading<'_>, NotJson> {
    if checks.ask_for_references() {
        let structure::Read { found, identity, is_doubtful } = structure::read(text, checks.references)?;
        if let Some(identity) = identity {
            return Ok(Reading { members: identity.into(), is_doubtful, found: Some(found) });
        }
    }
    let mut members = Members::default();
    let mut cursor = Cursor::new(text);
    cursor.object(|cursor, name| {
        let place = match name.raw {
            "resourceType" => &mut members.kind,
            "id" => &mut members.id,
            "type" => &mut members.purpose,
            _ => return cursor.skip(),
        };
        *place = Some(if cursor.peek() == b'"' {
            cursor.string()?.into()
        } else {
            cursor.skip()?;
            Text::Other
        });
        Ok(())
    })?;
    cursor.end()?;
    Ok(Reading { members, is_doubtful: cursor.is_doubtful(), found: None })
}

/// Bytes that a line is read by when it is read in pieces.
const PIECE: usize = 16 << 10;

/// [`judge`] of a line that is read in pieces. UTF-8 and the structure are the reader's to check.
pub(super) fn judge_long(line: impl Read) -> Verdict {
    // The parser asks for one byte at a time.
    parsed(serde_json::Deserializer::from_reader(BufReader::with_capacity(PIECE, line)))
}

/// What is wrong with a line's structure, where nothing else is.
pub(super) fn with_flaw(verdict: Verdict, flaw: Option<Flaw>) -> Verdict {
    match (verdict, flaw) {
        (Verdict::Good { .. }, Some(Flaw::Twice(place))) => Verdict::BadAt(Problem::Twice, place),
        (Verdict::Good { .. }, Some(Flaw::TooDeep)) => Verdict::Bad(Problem::TooDeep),
        (verdict, _) => verdict,
    }
}

/// What is wrong with the elements of a resource, where nothing else is.
fn with_issues(verdict: Verdict, found: Option<Checked>, checks: Checks) -> Verdict {
    match verdict {
        Verdict::Good { kind, mark, mut notices, .. } => {
            let is_unchecked = checks.ask_for_elements() && found.is_none();
            let Checked { issues, references, targets, .. } = found.unwrap_or_default();
            if checks.level.asks_for_references() {
                notices.extend(references.into_iter().map(|(loose, place)| (Notice::Reference(loose), Some(place))));
            }
            if checks.level.asks_for_structure() && !issues.is_empty() {
                Verdict::Flawed { mark, issues, notices, targets }
            } else {
                Verdict::Good { kind, mark, is_unchecked, notices, targets }
            }
        }
        _ => verdict,
    }
}

/// What the first bytes of a file say about how all of it is written.
pub fn encoding_problem(bytes: &[u8]) -> Option<Problem> {
    match bytes {
        [0x1f, 0x8b, ..] | [b'P', b'K', 3, 4, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'B', b'Z', b'h', ..] => {
            Some(Problem::Compressed)
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{', 0, ..] | [0, b'{', ..] => Some(Problem::Utf16),
        [0, 5, 0x16, 7, ..] => Some(Problem::AppleDouble),
        [0xef, 0xbb, 0xbf, ..] => Some(Problem::ByteOrderMark),
        _ => None,
    }
}

/// What the first line of a file says about all of it.
fn opening(line: &[u8]) -> Option<Verdict> {
    match encoding_problem(line) {
        Some(Problem::ByteOrderMark) => Some(Verdict::Bad(Problem::ByteOrderMark)),
        Some(problem) => Some(Verdict::Hopeless(problem)),
        None if matches!(line.trim_ascii(), b"{" | b"[" | b"[{") => Some(Verdict::Hopeless(Problem::Spread)),
        None if line.trim_ascii_start().starts_with(b"<") => Some(Verdict::Hopeless(Problem::Markup)),
        // No text has a NUL in it, and JSON not even within a string.
        None if line.contains(&0) => Some(Verdict::Hopeless(Problem::Binary)),
        None => None,
    }
}

fn parsed<'de>(mut deserializer: serde_json::Deserializer<impl serde_json::de::Read<'de>>) -> Verdict {
    match Found::deserialize(&mut deserializer) {
        Ok(_) if deserializer.end().is_err() => Verdict::Bad(Problem::SeveralOnALine),
        Ok(Found::Object(members)) => members.judge(),
        Ok(Found::Other) => Verdict::Bad(Problem::NotAnObject),
        Err(error) if error.classify() == Category::Eof => Verdict::Bad(Problem::CutOff),
        Err(error) => Verdict::Bad(Problem::NotJson(without_place(&error))),
    }
}

/// What a parser says, without the column, so that the same mistake reads the same on each line.
fn without_place(error: &serde_json::Error) -> String {
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// What the line says.
enum Found {
    Object(Members<'static>),
    Other,
}

/// The members that say who a resource is.
#[derive(Default)]
struct Members<'a> {
    kind: Option<Text<'a>>,
    id: Option<Text<'a>>,
    /// `type`, which says what a Bundle is for.
    purpose: Option<Text<'a>>,
}

impl<'a> From<Identity<'a>> for Members<'a> {
    fn from(Identity { kind, id, purpose }: Identity<'a>) -> Self {
        let text = |said| match said {
            Said::Text(text) => text.into(),
            Said::Other => Text::Other,
        };
        Self { kind: Some(Text::Is(kind.into())), id: id.map(text), purpose: purpose.map(text) }
    }
}

impl Members<'_> {
    fn judge(self) -> Verdict {
        let purpose = self.purpose.and_then(Text::into_text);
        let problem = match (self.kind, self.id) {
            (None, _) => Problem::NoType,
            (Some(Text::Other), _) => Problem::TypeNotText,
            (Some(Text::Is(kind)), _) if !is_supported(&kind) && disputed(&kind).is_none() => {
                if !is_resource_type(&kind) { Problem::UnknownType } else { Problem::UnsupportedType(type_name(&kind)) }
            }
            (Some(Text::Is(kind)), None) if kind == "Bundle" => match purpose.as_deref() {
                Some("document" | "message") => Problem::NoId,
                purpose => Problem::Bundle(purpose.and_then(BundleType::of)),
            },
            (Some(Text::Is(kind)), None) => answer(&kind).map_or(Problem::NoId, Problem::Answer),
            (_, Some(Text::Other)) => Problem::IdNotText,
            (_, Some(Text::Is(id))) if !structure::is_id(&id) => Problem::BadId,
            (Some(Text::Is(kind)), Some(Text::Is(id))) => {
                let mark = mark(&kind, &id);
                let notice = purpose
                    .filter(|_| kind == "Bundle")
                    .and_then(|purpose| BundleType::of(&purpose).map(Notice::Bundle))
                    .or_else(|| answer(&kind).map(Notice::Answer))
                    .or_else(|| disputed(&kind).map(Notice::DisputedType));
                let notices = notice.map(|notice| (notice, None)).into_iter().collect();
                return Verdict::Good {
                    kind: type_name(&kind),
                    mark,
                    is_unchecked: false,
                    notices,
                    targets: Vec::new(),
                };
            }
        };
        Verdict::Bad(problem)
    }
}

/// By which the resource of this type and id is known.
pub(crate) fn mark(kind: &str, id: &str) -> Mark {
    let mut hash = Sha256::new();
    hash.update(kind);
    hash.update("/");
    hash.update(id);
    let mut mark = Mark::default();
    mark.copy_from_slice(&hash.finalize()[..12]);
    mark
}

/// A member's value: a text, of which no more is kept than a good one has, or something else.
enum Text<'a> {
    Is(Cow<'a, str>),
    Other,
}

impl<'a> From<json::Text<'a>> for Text<'a> {
    fn from(text: json::Text<'a>) -> Self {
        Self::Is(text.get())
    }
}

/// Longer than any good type or id.
const ENOUGH: usize = 65;

impl<'a> Text<'a> {
    fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Is(text) => Some(text),
            Self::Other => None,
        }
    }
}

struct AnyValue;

impl<'de> Deserialize<'de> for Text<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Text<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'static>, E> {
        let end = text.char_indices().nth(ENOUGH).map_or(text.len(), |(index, _)| index);
        Ok(Text::Is(text[..end].to_owned().into()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'static>, E> {
        Ok(Text::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'static>, E> {
        Ok(Text::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'static>, E> {
        Ok(Text::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'static>, E> {
        Ok(Text::Other)
    }

    fn visit_unit<E>(self) -> Result<Text<'static>, E> {
        Ok(Text::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text<'static>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text<'static>, A::Error> {
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
            match key {
                Key::Id => members.id = Some(map.next_value()?),
                Key::Kind => members.kind = Some(map.next_value()?),
                Key::Purpose => members.purpose = Some(map.next_value()?),
                Key::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Found::Object(members))
    }
}

/// A member's name.
enum Key {
    Id,
    Kind,
    Purpose,
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
                    "type" => Key::Purpose,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}
