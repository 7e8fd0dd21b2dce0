//! Spoiling an answer: what was a good one is changed in one place, as a broken proxy, a bug or a newer AWS might.

use bytes::Bytes;
use http::{HeaderValue, Response};
use quick_xml::Reader;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What is done to an answer, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoil {
    /// What is done.
    pub damage: Damage,
    /// Which member or element is meant, counted through the answer and round again from its beginning.
    #[serde(default)]
    pub place: u64,
}

/// What is done to an answer. What needs a member does nothing to an answer without any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// It ends in the middle.
    Cut,
    /// It has no content.
    Empty,
    /// It is neither JSON nor XML.
    Noise,
    /// It calls itself a picture.
    ContentType,
    /// A member is missing.
    Drop,
    /// A member is `null`, or an element is empty.
    Null,
    /// A member is of another type.
    Type,
    /// A text is one that nobody knows.
    Unknown,
    /// A value is out of all bounds: a date in the year 300000, a number beyond 64 bits.
    Absurd,
    /// A value is two megabytes long.
    Huge,
    /// A value is nested a hundred thousand deep.
    Deep,
    /// A member is there twice.
    Twice,
}

impl Damage {
    /// Every kind of damage.
    pub const ALL: [Damage; 12] = [
        Damage::Cut,
        Damage::Empty,
        Damage::Noise,
        Damage::ContentType,
        Damage::Drop,
        Damage::Null,
        Damage::Type,
        Damage::Unknown,
        Damage::Absurd,
        Damage::Huge,
        Damage::Deep,
        Damage::Twice,
    ];
}

const HUGE: usize = 2 << 20;
const DEEP: usize = 100_000;
const ABSURD: &str = "9223372036854775808000";

impl Spoil {
    /// The content with the damage done. What the type of the content says is none of it.
    #[must_use]
    pub fn content(self, body: &Bytes) -> Bytes {
        match self.damage {
            Damage::Cut => body.slice(..body.len() / 2),
            Damage::Empty => Bytes::new(),
            Damage::Noise => Bytes::from_static(b"\x00\xff\xfe}{]<&\"'\r\n\x80"),
            Damage::ContentType => body.clone(),
            damage => spoilt_value(body, damage, self.place).unwrap_or_else(|| body.clone()),
        }
    }
}

/// The answer with the damage done.
pub(crate) fn spoil(response: Response<Bytes>, how: Spoil) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    let body = how.content(&body);
    if how.damage == Damage::ContentType {
        parts.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    }
    parts.headers.remove(http::header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

fn spoilt_value(body: &Bytes, damage: Damage, place: u64) -> Option<Bytes> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => in_json(&value, damage, place),
        Err(_) => in_xml(body, damage, place),
    }
}

/// Of a JSON document the members of objects and the items of lists are places.
fn in_json(value: &Value, damage: Damage, place: u64) -> Option<Bytes> {
    let count = places(value);
    let mut left = place.checked_rem(count)?;
    let mut text = String::new();
    write_json(value, damage, &mut Some(&mut left), &mut text);
    Some(Bytes::from(text))
}

fn places(value: &Value) -> u64 {
    match value {
        Value::Object(members) => members.values().map(|value| 1 + places(value)).sum(),
        Value::Array(items) => items.iter().map(|value| 1 + places(value)).sum(),
        _ => 0,
    }
}

/// Writes by hand, since what comes out need not be something that a JSON value can hold.
fn write_json(value: &Value, damage: Damage, left: &mut Option<&mut u64>, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut written = Vec::new();
            for (name, value) in members {
                let name = Value::from(name.as_str());
                match child(value, damage, left) {
                    Child::Gone => {}
                    Child::Once(value) => written.push(format!("{name}:{value}")),
                    Child::Twice(first, second) => written.push(format!("{name}:{first},{name}:{second}")),
                }
            }
            text.push_str(&format!("{{{}}}", written.join(",")));
        }
        Value::Array(items) => {
            let mut written = Vec::new();
            for value in items {
                match child(value, damage, left) {
                    Child::Gone => {}
                    Child::Once(value) => written.push(value),
                    Child::Twice(first, second) => written.extend([first, second]),
                }
            }
            text.push_str(&format!("[{}]", written.join(",")));
        }
        scalar => text.push_str(&scalar.to_string()),
    }
}

enum Child {
    Gone,
    Once(String),
    Twice(String, String),
}

fn child(value: &Value, damage: Damage, left: &mut Option<&mut u64>) -> Child {
    match left.as_deref_mut() {
        Some(0) => {
            *left = None;
            damaged(value, damage)
        }
        Some(more) => {
            *more -= 1;
            let mut text = String::new();
            write_json(value, damage, left, &mut text);
            Child::Once(text)
        }
        None => Child::Once(value.to_string()),
    }
}

fn damaged(value: &Value, damage: Damage) -> Child {
    Child::Once(match damage {
        Damage::Drop => return Child::Gone,
        Damage::Twice => return Child::Twice(value.to_string(), Value::Null.to_string()),
        Damage::Type => of_another_type(value).to_string(),
        Damage::Unknown => match value {
            Value::String(_) => json!("SOMETHING_NEW").to_string(),
            _ => json!({"SomethingNew": value}).to_string(),
        },
        Damage::Absurd => match value {
            Value::Number(_) => ABSURD.to_owned(),
            _ => json!("+300000-99-99T99:99:99Z").to_string(),
        },
        Damage::Huge => json!("x".repeat(HUGE)).to_string(),
        Damage::Deep => format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)),
        _ => Value::Null.to_string(),
    })
}

fn of_another_type(value: &Value) -> Value {
    match value {
        Value::String(text) => json!([text]),
        Value::Number(number) => json!(number.to_string()),
        Value::Bool(on) => json!(u8::from(*on)),
        Value::Array(_) => json!({}),
        Value::Object(_) => json!("an object"),
        Value::Null => Value::Object(Map::new()),
    }
}

/// An element of an XML document: where it begins and ends, outside and inside.
struct Element {
    outer: std::ops::Range<usize>,
    inner: std::ops::Range<usize>,
}

/// Of an XML document the elements within its root are places.
fn in_xml(body: &Bytes, damage: Damage, place: u64) -> Option<Bytes> {
    let text = std::str::from_utf8(body).ok()?;
    let elements = elements(text);
    let chosen = place.checked_rem(elements.len() as u64)?;
    let Element { outer, inner } = elements.get(usize::try_from(chosen).ok()?)?;
    let (whole, content) = (text.get(outer.clone())?, text.get(inner.clone())?);
    let with = |content: &str| format!("{}{content}{}", &text[outer.start..inner.start], &text[inner.end..outer.end]);
    let instead = match damage {
        Damage::Drop => String::new(),
        Damage::Twice => format!("{whole}{whole}"),
        Damage::Type => with(&format!("<Other>{content}</Other>")),
        Damage::Unknown => with("SOMETHING_NEW"),
        Damage::Absurd => with(ABSURD),
        Damage::Huge => with(&"x".repeat(HUGE)),
        Damage::Deep => with(&format!("{}{}", "<a>".repeat(DEEP), "</a>".repeat(DEEP))),
        _ => with(""),
    };
    Some(Bytes::from(format!("{}{instead}{}", &text[..outer.start], &text[outer.end..])))
}

fn elements(text: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(text);
    let position = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    let (mut open, mut found) = (Vec::new(), Vec::new());
    loop {
        let before = position(&reader);
        match reader.read_event() {
            Ok(Event::Start(_)) => open.push((before, position(&reader))),
            Ok(Event::End(_)) => {
                if let Some((outer, inner)) = open.pop().filter(|_| !open.is_empty()) {
                    found.push(Element { outer: outer..position(&reader), inner: inner..before });
                }
            }
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn spoilt(body: &'static str, damage: Damage, place: u64) -> String {
        let response = Response::new(Bytes::from_static(body.as_bytes()));
        String::from_utf8_lossy(spoil(response, Spoil { damage, place }).body()).into_owned()
    }

    const JSON: &str = r#"{"a":{"b":1},"c":["d"]}"#;
    const XML: &str = "<r><a><b>1</b></a><c>2</c></r>";

    #[test]
    fn a_place_is_a_member_or_an_item_at_any_depth() {
        assert_eq!(spoilt(JSON, Damage::Drop, 0), r#"{"c":["d"]}"#);
        assert_eq!(spoilt(JSON, Damage::Drop, 1), r#"{"a":{},"c":["d"]}"#);
        assert_eq!(spoilt(JSON, Damage::Null, 3), r#"{"a":{"b":1},"c":[null]}"#);
        assert_eq!(spoilt(JSON, Damage::Drop, 4), spoilt(JSON, Damage::Drop, 0));
    }

    #[test]
    fn a_place_in_xml_is_an_element_within_the_root() {
        assert_eq!(spoilt(XML, Damage::Drop, 0), "<r><a></a><c>2</c></r>");
        assert_eq!(spoilt(XML, Damage::Drop, 1), "<r><c>2</c></r>");
        assert_eq!(spoilt(XML, Damage::Unknown, 2), "<r><a><b>1</b></a><c>SOMETHING_NEW</c></r>");
    }

    #[test]
    fn all_damage_but_that_to_the_type_of_the_content_changes_the_content() {
        for damage in Damage::ALL.into_iter().filter(|damage| *damage != Damage::ContentType) {
            for body in [JSON, XML] {
                assert_ne!(spoilt(body, damage, 2), body, "{damage:?}");
            }
        }
    }

    #[test]
    fn what_has_no_members_is_left_alone() {
        assert_eq!(spoilt("", Damage::Drop, 5), "");
        assert_eq!(spoilt("{}", Damage::Huge, 5), "{}");
    }
}
