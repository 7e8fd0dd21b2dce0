//! JSON Patch (RFC 6902) of documents. What a patch does not name keeps every letter.

use super::parse::{DEEPEST, Unreadable};
use super::{Document, get, set};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use crate::services::healthlake::fhir::resource::LARGEST;

/// The steps of a patch.
pub(in super::super) struct JsonPatch(Vec<Step>);

enum Step {
    Add(Pointer, Document),
    Remove(Pointer),
    Replace(Pointer, Document),
    Move { from: Pointer, to: Pointer },
    Copy { from: Pointer, to: Pointer },
    Test(Pointer, Document),
}

/// A JSON Pointer (RFC 6901): the names and numbers that lead to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer(Vec<String>);

impl JsonPatch {
    /// Reads a patch.
    pub(super) fn read(document: &Document) -> Outcome<Self> {
        let refuse = |why: &str| Refusal::invalid(format!("The body is not a JSON Patch: {why}"));
        let Document::List(steps) = document else {
            return Err(refuse("it is not an array."));
        };
        let step = |(place, step): (usize, &Document)| {
            Step::read(step).map_err(|why| refuse(&format!("operation {place}: {why}")))
        };
        steps.iter().enumerate().map(step).collect::<Outcome<_>>().map(Self)
    }

    /// Changes a document, wholly or, with an error, in part.
    ///
    /// The document is nested no deeper than one that is written whole may be, after each operation and not only at the end: it
    /// is walked and dropped recursively. Copies, by which a short patch can make a document of any size, are bounded in total.
    /// What the rest of a patch adds is no longer than the patch; the size of the outcome is checked where it is stored.
    pub(super) fn apply(&self, document: &mut Document) -> Outcome<()> {
        let mut room = LARGEST;
        self.0.iter().enumerate().try_for_each(|(place, step)| {
            step.apply(document, &mut room).map_err(|failure| failure.refusal().about(&format!("operation {place}")))
        })
    }
}

/// Why an operation is not done.
enum Failure {
    /// It does not fit the document.
    DoesNotApply(String),
    /// The document would be nested deeper than one that is written whole may be.
    TooDeep,
    /// The patch copies more than a resource may hold.
    TooLarge,
}

impl Failure {
    fn refusal(self) -> Refusal {
        match self {
            Self::DoesNotApply(why) => Refusal::unprocessable(format!("The patch does not apply: {why}")),
            Self::TooDeep => Refusal::invalid(format!("The patched resource is refused: {}.", Unreadable::TooDeep)),
            Self::TooLarge => Refusal::too_large(format!("The patch copies more than {LARGEST} bytes.")),
        }
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::DoesNotApply(why)
    }
}

impl Step {
    fn read(step: &Document) -> Result<Self, String> {
        let text = |name: &str| step.get(name).and_then(Document::as_text).ok_or_else(|| format!("{name} is missing"));
        let pointer = |name: &str| Pointer::read(text(name)?);
        let value = || step.get("value").cloned().ok_or_else(|| "value is missing".to_owned());
        Ok(match text("op")? {
            "add" => Self::Add(pointer("path")?, value()?),
            "remove" => Self::Remove(pointer("path")?),
            "replace" => Self::Replace(pointer("path")?, value()?),
            "move" => Self::Move { from: pointer("from")?, to: pointer("path")? },
            "copy" => Self::Copy { from: pointer("from")?, to: pointer("path")? },
            "test" => Self::Test(pointer("path")?, value()?),
            other => return Err(format!("there is no operation \"{other}\"")),
        })
    }

    /// `room` is how many bytes may still be copied.
    fn apply(&self, document: &mut Document, room: &mut usize) -> Result<(), Failure> {
        match self {
            Self::Add(at, value) => {
                at.check_depth(value)?;
                at.add(document, value.clone())?;
            }
            Self::Remove(at) => drop(at.remove(document)?),
            Self::Replace(at, value) => {
                at.check_depth(value)?;
                *at.find_mut(document).ok_or_else(|| at.nothing())? = value.clone();
            }
            Self::Move { from, to } => {
                if to.0.len() > from.0.len() && to.0.starts_with(&from.0) {
                    return Err(Failure::DoesNotApply(format!("{} cannot be moved into itself", from.text())));
                }
                let moved = from.remove(document)?;
                to.check_depth(&moved)?;
                to.add(document, moved)?;
            }
            Self::Copy { from, to } => {
                let copied = from.find(document).ok_or_else(|| from.nothing())?;
                to.check_depth(copied)?;
                *room = room.checked_sub(copied.length()).ok_or(Failure::TooLarge)?;
                let copied = copied.clone();
                to.add(document, copied)?;
            }
            Self::Test(at, value) => match at.find(document) {
                Some(found) if is_same(found, value) => {}
                Some(_) => return Err(Failure::DoesNotApply(format!("{} is not as it is tested for", at.text()))),
                None => return Err(Failure::DoesNotApply(at.nothing())),
            },
        }
        Ok(())
    }
}

impl Pointer {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let rest = text.strip_prefix('/').ok_or_else(|| format!("\"{text}\" is not a JSON Pointer"))?;
        let part = |part: &str| {
            let plain = part.replace("~1", "/").replace("~0", "~");
            let marks = part.matches('~').count();
            let known = part.matches("~0").count() + part.matches("~1").count();
            if marks == known { Ok(plain) } else { Err(format!("\"{text}\" is not a JSON Pointer")) }
        };
        rest.split('/').map(part).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self) -> String {
        let parts = self.0.iter().map(|part| format!("/{}", part.replace('~', "~0").replace('/', "~1")));
        parts.collect()
    }

    /// Whether a document remains within its bounds when `value` is put here.
    fn check_depth(&self, value: &Document) -> Result<(), Failure> {
        if self.0.len() + value.depth() > DEEPEST { Err(Failure::TooDeep) } else { Ok(()) }
    }

    fn nothing(&self) -> String {
        format!("there is nothing at \"{}\"", self.text())
    }

    fn find<'d>(&self, document: &'d Document) -> Option<&'d Document> {
        self.0.iter().try_fold(document, |at, part| match at {
            Document::Object(members) => get(members, part),
            Document::List(items) => items.get(index(part)?),
            _ => None,
        })
    }

    fn find_mut<'d>(&self, document: &'d mut Document) -> Option<&'d mut Document> {
        self.0.iter().try_fold(document, |at, part| match at {
            Document::Object(members) => members.iter_mut().find(|(name, _)| name == part).map(|(_, member)| member),
            Document::List(items) => items.get_mut(index(part)?),
            _ => None,
        })
    }

    /// What the pointed place is in, and its name there.
    fn parent<'d>(&self, document: &'d mut Document) -> Result<(&'d mut Document, &str), String> {
        let (last, before) = self.0.split_last().ok_or_else(|| "the whole resource cannot be removed".to_owned())?;
        let parent = Self(before.to_vec()).find_mut(document).ok_or_else(|| self.nothing())?;
        Ok((parent, last))
    }

    fn add(&self, document: &mut Document, value: Document) -> Result<(), String> {
        if self.0.is_empty() {
            *document = value;
            return Ok(());
        }
        match self.parent(document)? {
            (Document::Object(members), name) => set(members, name, value),
            (Document::List(items), "-") => items.push(value),
            (Document::List(items), part) => {
                let place = index(part).filter(|place| *place <= items.len()).ok_or_else(|| self.nothing())?;
                items.insert(place, value);
            }
            _ => return Err(self.nothing()),
        }
        Ok(())
    }

    fn remove(&self, document: &mut Document) -> Result<Document, String> {
        match self.parent(document)? {
            (parent @ Document::Object(_), name) => parent.remove(name).ok_or_else(|| self.nothing()),
            (Document::List(items), part) => match index(part).filter(|place| *place < items.len()) {
                Some(place) => Ok(items.remove(place)),
                None => Err(self.nothing()),
            },
            _ => Err(self.nothing()),
        }
    }
}

/// A place in a list: digits, without a zero before them.
fn index(part: &str) -> Option<usize> {
    let is_plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
    part.parse().ok().filter(|_| is_plain)
}

/// RFC 6902, 4.6: numbers are the same if their values are, objects whatever the order of their members.
pub(super) fn is_same(one: &Document, other: &Document) -> bool {
    match (one, other) {
        (Document::Number(one), Document::Number(other)) => decimal(one) == decimal(other),
        (Document::List(one), Document::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Document::Object(one), Document::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| get(other, name).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}

/// A number's sign, its digits without zeros around them, and the power of ten of the last digit.
fn decimal(text: &str) -> (bool, String, i128) {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    let zeros = digits.len() - digits.trim_end_matches('0').len();
    // An exponent that no program can count to is as good as another.
    let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(i64::MAX);
    let shift = i128::try_from(zeros).unwrap_or_default() - i128::try_from(fraction.len()).unwrap_or_default();
    (is_negative, significant.to_owned(), i128::from(exponent) + shift)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;

    fn patched(document: &str, patch: &str) -> Result<String, String> {
        let mut document = Document::parse(document.as_bytes()).unwrap();
        let patch = JsonPatch::read(&Document::parse(patch.as_bytes()).unwrap()).map_err(|r| r.text().to_owned())?;
        patch.apply(&mut document).map_err(|refusal| refusal.text().to_owned())?;
        Ok(String::from_utf8(document.to_bytes()).unwrap())
    }

    /// The examples of RFC 6902, appendix A, with numbers in odd spellings.
    #[test]
    fn the_operations_do_what_the_rfc_says() {
        for (document, patch, expected) in [
            (r#"{"foo":1.00}"#, r#"[{"op":"add","path":"/baz","value":1E2}]"#, r#"{"foo":1.00,"baz":1E2}"#),
            (r#"{"foo":[1.0,2]}"#, r#"[{"op":"add","path":"/foo/1","value":3.30}]"#, r#"{"foo":[1.0,3.30,2]}"#),
            (r#"{"foo":[1.0]}"#, r#"[{"op":"add","path":"/foo/-","value":[2e0]}]"#, r#"{"foo":[1.0,[2e0]]}"#),
            (r#"{"a":1,"foo":2.50}"#, r#"[{"op":"remove","path":"/a"}]"#, r#"{"foo":2.50}"#),
            (r#"{"foo":[1,2,3.0]}"#, r#"[{"op":"remove","path":"/foo/1"}]"#, r#"{"foo":[1,3.0]}"#),
            (r#"{"a":1.10,"b":2}"#, r#"[{"op":"replace","path":"/a","value":5.0}]"#, r#"{"a":5.0,"b":2}"#),
            (
                r#"{"a":{"b":1.0},"c":{}}"#,
                r#"[{"op":"move","from":"/a/b","path":"/c/d"}]"#,
                r#"{"a":{},"c":{"d":1.0}}"#,
            ),
            (r#"{"a":[1.0,2,3]}"#, r#"[{"op":"move","from":"/a/0","path":"/a/2"}]"#, r#"{"a":[2,3,1.0]}"#),
            (r#"{"a":1.50}"#, r#"[{"op":"copy","from":"/a","path":"/b"}]"#, r#"{"a":1.50,"b":1.50}"#),
            (
                r#"{"a/b":{"m~n":8.0}}"#,
                r#"[{"op":"replace","path":"/a~1b/m~0n","value":9.0}]"#,
                r#"{"a/b":{"m~n":9.0}}"#,
            ),
            (r#"{"a":100.0}"#, r#"[{"op":"test","path":"/a","value":1E2}]"#, r#"{"a":100.0}"#),
            (
                r#"{"a":{"x":1,"y":[-0.0]}}"#,
                r#"[{"op":"test","path":"/a","value":{"y":[0],"x":1.0}}]"#,
                r#"{"a":{"x":1,"y":[-0.0]}}"#,
            ),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"","value":{"b":2.0}}]"#, r#"{"b":2.0}"#),
        ] {
            assert_eq!(patched(document, patch).as_deref(), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn what_does_not_apply_is_reported_by_its_place() {
        for (document, patch, expected) in [
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/b/c","value":1}]"#, "there is nothing at \"/b/c\""),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}]"#, "operation 1: "),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/2","value":1}]"#, "\"/a/2\""),
            (r#"{"a":[1]}"#, r#"[{"op":"add","path":"/a/01","value":1}]"#, "\"/a/01\""),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"/b"}]"#, "\"/b\""),
            (r#"{"a":1}"#, r#"[{"op":"replace","path":"/b","value":1}]"#, "\"/b\""),
            (r#"{"a":1}"#, r#"[{"op":"test","path":"/a","value":"1"}]"#, "is not as it is tested for"),
            (r#"{"a":{"b":1}}"#, r#"[{"op":"move","from":"/a","path":"/a/b"}]"#, "into itself"),
            (r#"{"a":1}"#, r#"{"op":"remove"}"#, "not a JSON Patch"),
            (r#"{"a":1}"#, r#"[{"op":"remove"}]"#, "not a JSON Patch: operation 0: path is missing"),
            (r#"{"a":1}"#, r#"[{"op":"add","path":"/a"}]"#, "value is missing"),
            (r#"{"a":1}"#, r#"[{"op":"melt","path":"/a"}]"#, "melt"),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"a"}]"#, "not a JSON Pointer"),
            (r#"{"a":1}"#, r#"[{"op":"remove","path":"/~2"}]"#, "not a JSON Pointer"),
        ] {
            let why = patched(document, patch).unwrap_err();
            assert!(why.contains(expected), "{patch}: {why}");
        }
    }

    /// Lists in lists, `levels` deep.
    fn nested(levels: usize) -> String {
        "[".repeat(levels) + &"]".repeat(levels)
    }

    fn outcome(document: &str, patch: &str) -> Result<Document, u16> {
        let mut document = Document::parse(document.as_bytes()).unwrap();
        let patch = JsonPatch::read(&Document::parse(patch.as_bytes()).unwrap()).unwrap();
        patch.apply(&mut document).map_err(|refusal| refusal.status)?;
        Ok(document)
    }

    #[test]
    fn a_patched_document_is_nested_no_deeper_than_a_written_one() {
        let list = |levels: usize| format!(r#"{{"a":{},"b":[[1]]}}"#, nested(levels));
        for op in ["move", "copy"] {
            let patch = format!(r#"[{{"op":"{op}","from":"/a","path":"/b/0/0"}}]"#);
            let deepest = outcome(&list(DEEPEST - 3), &patch).unwrap();
            assert_eq!(deepest.depth(), DEEPEST, "{op}");
            assert_eq!(outcome(&list(DEEPEST - 2), &patch), Err(400), "{op}");
        }
        let around = format!("/a{}", "/0".repeat(DEEPEST - 2));
        for op in ["add", "replace"] {
            let patch = |value: &str| format!(r#"[{{"op":"{op}","path":"{around}","value":{value}}}]"#);
            let full = format!(r#"{{"a":{}1{}}}"#, "[".repeat(DEEPEST - 2), "]".repeat(DEEPEST - 2));
            assert_eq!(outcome(&full, &patch("[1]")).unwrap().depth(), DEEPEST, "{op}");
            assert_eq!(outcome(&full, &patch("[[1]]")), Err(400), "{op}");
        }
    }

    /// By taking what there is into something new, over and over, a patch would nest without an end.
    #[test]
    fn no_row_of_operations_nests_deeper() {
        let wrap = r#"{"op":"add","path":"/b","value":[]},{"op":"move","from":"/a","path":"/b/0"},{"op":"move","from":"/b","path":"/a"}"#;
        let rounds = |number: usize| format!("[{}]", vec![wrap; number].join(","));
        assert_eq!(outcome(r#"{"a":1}"#, &rounds(DEEPEST - 1)).unwrap().depth(), DEEPEST);
        assert_eq!(outcome(r#"{"a":1}"#, &rounds(DEEPEST)), Err(400));
    }

    #[test]
    fn copies_of_copies_end_at_the_size_of_a_resource() {
        let double = r#"{"op":"copy","from":"/a","path":"/a/-"}"#;
        let doubled = |times: usize| outcome(r#"{"a":[1]}"#, &format!("[{}]", vec![double; times].join(",")));
        doubled(10).unwrap();
        assert_eq!(doubled(64), Err(413));
    }

    #[test]
    fn numbers_are_compared_by_their_value() {
        for (one, other, expected) in [
            ("1", "1.0", true),
            ("100", "1E+2", true),
            ("0.001", "1e-3", true),
            ("0", "-0.00e5", true),
            ("10", "1", false),
            ("-1", "1", false),
            ("66.899999999999991", "66.9", false),
            ("1e99999999999999999999", "1", false),
        ] {
            assert_eq!(decimal(one) == decimal(other), expected, "{one} {other}");
        }
    }
}
