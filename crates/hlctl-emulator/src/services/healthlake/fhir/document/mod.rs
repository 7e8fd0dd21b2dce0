//! JSON as it is kept: numbers as they were written, members in their order.
//!
//! Whatever is stored is a [`Document`] from the request's bytes to the file, and no number in it is ever turned into
//! anything but its text. [`serde_json::Value`], which rounds, is for looking at resources only: there is a way from a
//! document to a value and none back.

mod fhirpath;
mod parse;
mod patch;

use serde_json::{Map, Number, Value};

use super::refusal::Outcome;

use fhirpath::FhirPathPatch;
pub(in crate::services::healthlake) use parse::Unreadable;
use patch::{JsonPatch, is_same};

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::services::healthlake) enum Document {
    #[default]
    Null,
    Flag(bool),
    /// As it was written.
    Number(String),
    Text(String),
    List(Vec<Document>),
    /// No name comes twice.
    Object(Members),
}

/// A patch in one of the two forms that HealthLake takes.
pub(super) enum Patch {
    /// RFC 6902.
    Json(JsonPatch),
    /// R4 specification, "FHIRPath Patch".
    FhirPath(FhirPathPatch),
}

impl Patch {
    /// Reads a patch: Parameters hold one of FHIRPath, and everything else one of JSON.
    pub(super) fn read(document: &Document) -> Outcome<Self> {
        if document.is_parameters() {
            FhirPathPatch::read(document).map(Self::FhirPath)
        } else {
            JsonPatch::read(document).map(Self::Json)
        }
    }

    /// Changes a document, wholly or, with an error, in part.
    pub(super) fn apply(&self, document: &mut Document) -> Outcome<()> {
        match self {
            Self::Json(patch) => patch.apply(document),
            Self::FhirPath(patch) => patch.apply(document),
        }
    }
}

/// Members in their order.
pub(super) type Members = Vec<(String, Document)>;

impl Document {
    /// A document of a value that this program made itself. What came in from outside is never a value first.
    pub(super) fn made_here(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Flag(flag),
            Value::Number(number) => Self::Number(number.to_string()),
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::made_here).collect()),
            Value::Object(members) => {
                Self::Object(members.into_iter().map(|(name, member)| (name, Self::made_here(member))).collect())
            }
        }
    }

    /// Whether it is a Parameters resource.
    pub(super) fn is_parameters(&self) -> bool {
        self.get("resourceType").and_then(Self::as_text) == Some("Parameters")
    }

    /// The same as a value to look at, with numbers as near as can be.
    pub(in crate::services::healthlake) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Number(text) => number(text),
            Self::Text(text) => Value::String(text.clone()),
            Self::List(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            Self::Object(members) => Value::Object(values(members)),
        }
    }

    /// The JSON, on one line.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(&mut text);
        text
    }

    /// Adds the JSON to a text.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        match self {
            Self::Null => text.extend_from_slice(b"null"),
            Self::Flag(flag) => text.extend_from_slice(if *flag { b"true" } else { b"false" }),
            Self::Number(number) => text.extend_from_slice(number.as_bytes()),
            Self::Text(string) => quote(string, text),
            Self::List(items) => {
                text.push(b'[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        text.push(b',');
                    }
                    item.write(text);
                }
                text.push(b']');
            }
            Self::Object(members) => write_members(members.iter().map(|(name, member)| (name.as_str(), member)), text),
        }
    }

    /// How many objects and lists are around the innermost value.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Object(members) => 1 + members.iter().map(|(_, member)| member.depth()).max().unwrap_or_default(),
            _ => 0,
        }
    }

    /// The bytes of the JSON, but for what escapes add.
    pub(super) fn length(&self) -> usize {
        match self {
            Self::Null => 4,
            Self::Flag(flag) => {
                if *flag {
                    4
                } else {
                    5
                }
            }
            Self::Number(number) => number.len(),
            Self::Text(text) => text.len() + 2,
            // Each item and member has a comma or the first bracket before it.
            Self::List(items) => 1 + items.iter().map(|item| 1 + item.length()).sum::<usize>(),
            Self::Object(members) => {
                1 + members.iter().map(|(name, member)| name.len() + 4 + member.length()).sum::<usize>()
            }
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn members(&self) -> Option<&Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    fn members_mut(&mut self) -> Option<&mut Members> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of an object.
    pub(in crate::services::healthlake) fn get(&self, name: &str) -> Option<&Self> {
        self.members().and_then(|members| get(members, name))
    }

    /// Takes a member out of an object.
    pub(super) fn remove(&mut self, name: &str) -> Option<Self> {
        let members = self.members_mut()?;
        let place = members.iter().position(|(own, _)| own == name)?;
        Some(members.remove(place).1)
    }

    /// Gives an object a member instead of the one it has.
    pub(super) fn set(&mut self, name: &str, member: Self) {
        if let Some(members) = self.members_mut() {
            set(members, name, member);
        }
    }
}

/// A stored resource as a value to look at; null if it cannot be read.
pub(super) fn value_of(body: &[u8]) -> Value {
    // The quicker way knows no numbers beyond those of a machine.
    serde_json::from_slice(body)
        .unwrap_or_else(|_| Document::parse(body).map(|document| document.to_value()).unwrap_or_default())
}

/// Members as values to look at.
pub(super) fn values(members: &Members) -> Map<String, Value> {
    members.iter().map(|(name, member)| (name.clone(), member.to_value())).collect()
}

pub(super) fn get<'m>(members: &'m Members, name: &str) -> Option<&'m Document> {
    members.iter().find(|(own, _)| own == name).map(|(_, member)| member)
}

pub(super) fn set(members: &mut Members, name: &str, member: Document) {
    match members.iter_mut().find(|(own, _)| own == name) {
        Some((_, place)) => *place = member,
        None => members.push((name.to_owned(), member)),
    }
}

/// Adds an object of these members to a text.
pub(super) fn write_members<'m>(members: impl Iterator<Item = (&'m str, &'m Document)>, text: &mut Vec<u8>) {
    text.push(b'{');
    for (place, (name, member)) in members.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        quote(name, text);
        text.push(b':');
        member.write(text);
    }
    text.push(b'}');
}

fn quote(string: &str, text: &mut Vec<u8>) {
    // Writing a text into memory does not fail.
    drop(serde_json::to_writer(text, string));
}

fn number(text: &str) -> Value {
    let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok();
    let near = || {
        let decimal: f64 = text.parse().unwrap_or_default();
        Number::from_f64(if decimal.is_finite() { decimal } else { f64::MAX.copysign(decimal) })
    };
    whole.or_else(near).map_or(Value::Null, Value::Number)
}

impl From<&str> for Document {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use proptest::prelude::*;

    use super::*;

    /// Numbers in every spelling that JSON has.
    pub(in super::super) fn number_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
            Just("-99.89053622600223".to_owned()),
            Just("105.00".to_owned()),
            Just("1E2".to_owned()),
            Just("1e+2".to_owned()),
            Just("66.899999999999991".to_owned()),
            Just("-0".to_owned()),
            Just("-0.0e-0".to_owned()),
        ]
    }

    /// Documents that no rule of R4 is broken by: nothing is empty, and null stands nowhere.
    pub(in super::super) fn element() -> impl Strategy<Value = Document> {
        let leaf = prop_oneof![
            4 => number_text().prop_map(Document::Number),
            1 => any::<bool>().prop_map(Document::Flag),
            2 => "[a-zA-Zé\"\\\\/\u{1F9E0}\n]{1,8}".prop_map(Document::Text),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..5).prop_map(Document::List),
                prop::collection::hash_map("[a-zA-Z_é]{1,6}", inner, 1..5)
                    .prop_map(|members| Document::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_was_read(document in element(), space in "[ \t\r\n]{0,2}") {
            let text = document.to_bytes();
            prop_assert_eq!(&Document::parse(&text).unwrap(), &document);
            prop_assert!(!text.contains(&b'\n'), "a resource has one line");
            prop_assert!(document.length() <= text.len() && text.len() <= 6 * document.length());
            // The layout is no part of it.
            let spread: String = String::from_utf8(text).unwrap();
            let spread = spread.replace("\":", &format!("\"{space}:{space}"));
            if let Ok(again) = Document::parse(spread.as_bytes()) {
                prop_assert_eq!(again, document);
            }
        }

        #[test]
        fn a_value_is_what_serde_json_reads(document in element()) {
            let text = document.to_bytes();
            if let Ok(value) = serde_json::from_slice::<Value>(&text) {
                let same = |one: &Value, other: &Value| {
                    let near = |one: f64, other: f64| (one - other).abs() <= one.abs() * 1e-15;
                    one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| near(one, other))
                };
                prop_assert!(alike(&value, &document.to_value(), &same), "{}", String::from_utf8_lossy(&text));
            }
            prop_assert!(!value_of(&text).is_null());
        }
    }

    fn alike(one: &Value, other: &Value, same: &impl Fn(&Value, &Value) -> bool) -> bool {
        match (one, other) {
            (Value::Array(one), Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other, same))
            }
            (Value::Object(one), Value::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| alike(one, other, same)))
            }
            _ => same(one, other),
        }
    }
}
