//! What hlctl does about each leaf of AWS's answers: it manages it, watches it, lists it as attached, or ignores it for a reason.
//!
//! The tables in `answers/*.txt` have a line for every leaf that a service model has (`tests/aws/answers.py` holds them against
//! botocore's), and this module works from them: [`seen`] reads the answers as they came, whatever the SDK makes of them, and
//! hands back the watched leaves that differ from what hlctl leaves them at, and the members that no table knows.
//! The format is described in docs/drift.md.

mod doors;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::{Attributes, Kind};
use hlctl_aws::answers::RawAnswer;
use hlctl_aws::ops::{self, Operation};
pub use hlctl_model::WATCHED;

pub use doors::ask;
pub(super) use doors::watching;

/// The attribute that names the members of answers that no table knows.
pub const UNKNOWN_MEMBERS: &str = "unknown_members";
/// The attribute that says which reads, made for nothing but to watch, were refused, and why.
pub const NOT_LOOKED_AT: &str = "not_looked_at";

const SERVICES: [&str; 7] = [
    include_str!("answers/cognito-idp.txt"),
    include_str!("answers/healthlake.txt"),
    include_str!("answers/iam.txt"),
    include_str!("answers/kms.txt"),
    include_str!("answers/lambda.txt"),
    include_str!("answers/logs.txt"),
    include_str!("answers/s3.txt"),
];

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(&SERVICES));

/// The sections by kind and operation. Those of kind `*` are read by no resource for itself.
#[derive(Debug, Default)]
struct Table {
    sections: BTreeMap<(&'static str, &'static str), Section>,
}

/// One answer of one kind.
#[derive(Debug, Default)]
struct Section {
    service: &'static str,
    watched_only: bool,
    lines: BTreeMap<&'static str, Line>,
}

/// What is done about one leaf.
#[derive(Clone, Debug, PartialEq)]
enum Line {
    /// It is compared as this attribute.
    Managed(&'static str),
    /// Of the list that it stands in, only the elements count that have this attribute's recorded value here.
    Selects(&'static str),
    /// A change by others is drift.
    Watched(Expected),
    /// It is listed as attached to the resource.
    Attached,
    /// It means nothing for the stack, for this reason.
    Ignored(&'static str),
}

/// What a watched leaf is like on a resource that hlctl made. To be absent, empty or, unless it is to be true, false is as expected.
#[derive(Clone, Debug, Default, PartialEq)]
struct Expected {
    /// Its possible values; `{path}` stands for what the answer has there.
    values: Vec<&'static str>,
    /// It is an element without content, whose presence alone says something.
    element: bool,
}

impl Table {
    /// Lines that are none are left out; the tests find them.
    fn parse(texts: &[&'static str]) -> Self {
        let mut table = Self::default();
        let mut key = None;
        let lines = texts.iter().flat_map(|text| text.lines());
        for line in lines.filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            if line.starts_with(' ') {
                let section = key.and_then(|key| table.sections.get_mut(&key));
                if let Some((section, (path, line))) = section.zip(Line::parse(line)) {
                    section.lines.insert(path, line);
                }
                continue;
            }
            key = line
                .split_once(": ")
                .and_then(|(kind, rest)| {
                    let (service, rest) = rest.split_once(' ')?;
                    let (operation, marks) = rest.split_once(' ').unwrap_or((rest, ""));
                    Some((kind, operation, service, marks))
                })
                .map(|(kind, operation, service, marks)| {
                    let watched_only = marks == "(watched only)";
                    let section = Section { service, watched_only, lines: BTreeMap::new() };
                    table.sections.insert((kind, operation), section);
                    (kind, operation)
                });
        }
        table
    }
}

impl Line {
    fn parse(line: &'static str) -> Option<(&'static str, Self)> {
        // The mark is for readers, and checked by tests/aws/answers.py: what is read here does not pass through the SDK's types.
        let line = line.trim().trim_end_matches("(not in the SDK)").trim_end();
        let (path, rest) = line.split_once(' ')?;
        let (class, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let line = match class {
            "managed" => Self::Managed(rest),
            "selects" => Self::Selects(rest),
            "attached" => Self::Attached,
            "ignored" => Self::Ignored(rest),
            "watched" => Self::Watched(match rest {
                "element" => Expected { element: true, ..Expected::default() },
                "" => Expected::default(),
                values => Expected { values: values.split(" | ").collect(), ..Expected::default() },
            }),
            _ => return None,
        };
        Some((path, line))
    }
}

/// What stands at one place of an answer.
struct Leaf {
    /// Its path in the table.
    pattern: String,
    /// The same with the elements of lists and maps by name.
    path: String,
    value: Value,
}

impl Section {
    /// Whether the table has anything below this path.
    fn has_below(&self, path: &str) -> bool {
        self.lines.range(path..).next().is_some_and(|(line, _)| line.starts_with(path))
    }

    /// Whether the table has a structure, a list or a map there.
    fn is_inner(&self, path: &str) -> bool {
        [".", "[]", "{}"].iter().any(|below| self.has_below(&format!("{path}{below}")))
    }

    fn walk(&self, node: &Value, pattern: &str, path: &str, recorded: &Value, leaves: &mut Vec<Leaf>) {
        let leaf = |pattern: &str, value: &Value| Leaf {
            pattern: pattern.to_owned(),
            path: path.to_owned(),
            value: value.clone(),
        };
        if node.is_null() {
            return;
        }
        // XML does not say of one element that it is a list.
        let list = format!("{pattern}[]");
        let is_list = !pattern.is_empty() && self.has_below(&list);
        let elements = match node {
            Value::Array(elements) => elements.as_slice(),
            one if is_list => std::slice::from_ref(one),
            _ => &[],
        };
        if is_list || node.is_array() {
            if elements.iter().all(|element| !element.is_object() && !element.is_array()) {
                leaves.push(leaf(&list, &json!(sorted(elements))));
                return;
            }
            let mut names = BTreeSet::new();
            for (index, element) in elements.iter().enumerate() {
                if !self.selects(&list, element, recorded) {
                    continue;
                }
                let name =
                    name_of(element).filter(|name| names.insert(name.clone())).unwrap_or_else(|| index.to_string());
                self.walk(element, &list, &format!("{path}[{name}]"), recorded, leaves);
            }
            return;
        }
        let Value::Object(members) = node else {
            leaves.push(leaf(pattern, node));
            return;
        };
        if self.lines.contains_key(pattern) || members.is_empty() && !pattern.is_empty() {
            leaves.push(leaf(pattern, node));
            return;
        }
        let map = format!("{pattern}{{}}");
        let is_map = !pattern.is_empty() && self.has_below(&map);
        for (name, member) in members {
            if is_map {
                self.walk(member, &map, &format!("{path}[{name}]"), recorded, leaves);
            } else {
                let join = |path: &str| if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                self.walk(member, &join(pattern), &join(path), recorded, leaves);
            }
        }
    }

    /// Whether an element of a list is of the resource, where the list may hold others' too.
    fn selects(&self, list: &str, element: &Value, recorded: &Value) -> bool {
        let below = format!("{list}.");
        self.lines.range(below.as_str()..).take_while(|(path, _)| path.starts_with(&below)).all(|(path, line)| {
            match line {
                Line::Selects(attribute) => element.get(&path[below.len()..]) == recorded.get(attribute),
                _ => true,
            }
        })
    }
}

/// What tells the elements of a list apart, where AWS hands them back in any order.
fn name_of(element: &Value) -> Option<String> {
    const NAMES: [&str; 15] = [
        "ID",
        "Id",
        "Name",
        "UUID",
        "Key",
        "Arn",
        "FunctionUrl",
        "ProviderName",
        "RegionName",
        "logGroupName",
        "filterName",
        "KeyId",
        "GrantId",
        "EventSource",
        "Type",
    ];
    NAMES.iter().find_map(|name| Some(element.get(name)?.as_str()?.to_owned())).filter(|name| !name.is_empty())
}

fn sorted(elements: &[Value]) -> Vec<Value> {
    let mut elements = elements.to_vec();
    elements.sort_by_cached_key(Value::to_string);
    elements
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty() || text == "false",
        Value::Array(elements) => elements.iter().all(is_nothing),
        Value::Object(members) => members.is_empty(),
    }
}

impl Expected {
    fn is_met(&self, value: &Value, body: &Value) -> bool {
        if self.element {
            return false;
        }
        let is_one = |value: &Value| {
            let shown = text_of(value);
            self.values.iter().any(|expected| filled(expected, body).is_some_and(|expected| expected == shown))
        };
        // Where hlctl leaves it on, off is no default.
        let is_off = matches!(text_of(value).as_str(), "false") && self.values.contains(&"true");
        (is_nothing(value) && !is_off)
            || match value {
                Value::Array(elements) => elements.iter().all(is_one),
                value => is_one(value),
            }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An expected value, with what the answer has at the path in braces.
fn filled(expected: &str, body: &Value) -> Option<String> {
    let Some((before, (path, after))) =
        expected.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    else {
        return Some(expected.to_owned());
    };
    let found = path.split('.').try_fold(body, |node, name| node.get(name))?;
    Some(format!("{before}{}{after}", text_of(found)))
}

/// What the answers say of a resource of this kind that no attribute has: the watched leaves that are not as expected and the
/// members that no table knows, as attributes. `recorded` is its identity.
pub fn seen(kind: Kind, recorded: &Value, answers: &[RawAnswer]) -> Attributes {
    let (mut watched, mut unknown) = (Map::new(), BTreeSet::new());
    for answer in answers {
        let Some(section) = TABLE.sections.get(&(kind.as_str(), answer.operation.as_str())) else { continue };
        section.look(answer, recorded, &mut watched, &mut unknown);
    }
    let mut attributes = Attributes::new();
    if !watched.is_empty() {
        attributes.insert(WATCHED.to_owned(), Value::Object(watched));
    }
    if !unknown.is_empty() {
        attributes.insert(UNKNOWN_MEMBERS.to_owned(), json!(unknown));
    }
    attributes
}

impl Section {
    fn look(
        &self,
        answer: &RawAnswer,
        recorded: &Value,
        watched: &mut Map<String, Value>,
        unknown: &mut BTreeSet<String>,
    ) {
        let mut leaves = Vec::new();
        // Where the body is one member, the table does not look into it.
        if !self.lines.contains_key("body") {
            self.walk(&answer.body, "", "", recorded, &mut leaves);
        }
        for pattern in self.lines.keys().filter_map(|path| path.strip_prefix("header:")) {
            let leaf = |value: &String| Leaf {
                pattern: format!("header:{pattern}"),
                path: pattern.to_owned(),
                value: json!(value),
            };
            leaves.extend(answer.headers.get(pattern).map(leaf));
        }
        for Leaf { pattern, path, value } in leaves {
            let path = format!("{}.{path}", answer.operation);
            match self.lines.get(pattern.as_str()) {
                Some(Line::Watched(expected)) if expected.element || !expected.is_met(&value, &answer.body) => {
                    let value = if expected.element && is_nothing(&value) { json!("present") } else { value };
                    watched.insert(path, value);
                }
                Some(_) => {}
                None if is_nothing(&value) || self.is_inner(&pattern) => {}
                None => drop(unknown.insert(format!("{}.{pattern}", answer.operation))),
            }
        }
    }
}

fn members(attributes: &Attributes) -> Map<String, Value> {
    attributes.get(WATCHED).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// What the watched leaves of a resource are held against, which is what the state has accepted, and what they are. What was not
/// looked at is in neither.
pub fn baseline(kind: Kind, state: &Attributes, aws: &Attributes) -> (Map<String, Value>, Map<String, Value>) {
    let (mut accepted, seen) = (members(state), members(aws));
    let refused = aws.get(NOT_LOOKED_AT).and_then(Value::as_object);
    accepted.retain(|path, _| {
        let operation = path.split('.').next().unwrap_or_default();
        let section = TABLE.sections.get(&(kind.as_str(), operation));
        // What an earlier hlctl only watched may be an attribute now.
        let leaf = path.get(operation.len() + 1..).unwrap_or_default();
        let is_watched = |section: &Section| !matches!(section.lines.get(leaf), Some(Line::Managed(_)));
        // A draft that is as published again is nothing that others have changed.
        let is_undone = kind == Kind::DataTransformationProfile && !seen.contains_key(path);
        section.is_some_and(is_watched) && !is_undone && !refused.is_some_and(|refused| refused.contains_key(operation))
    });
    (accepted, seen)
}

/// What the state is to remember of the watched leaves once a resource was looked at: all that is seen where the user accepts
/// it, and otherwise what it has accepted before.
pub fn accepted(kind: Kind, state: &Attributes, aws: &Attributes, accepts: bool) -> Value {
    let (accepted, seen) = baseline(kind, state, aws);
    Value::Object(if accepts { seen } else { accepted })
}

/// Both sides of [`baseline`] as the attribute [`WATCHED`], to be compared like any other.
pub fn sides(kind: Kind, state: &Attributes, aws: &Attributes) -> (Attributes, Attributes) {
    let (accepted, seen) = baseline(kind, state, aws);
    let mut sides = (state.clone(), aws.clone());
    for (side, watched) in [(&mut sides.0, accepted), (&mut sides.1, seen)] {
        side.remove(UNKNOWN_MEMBERS);
        side.remove(NOT_LOOKED_AT);
        side.insert(WATCHED.to_owned(), Value::Object(watched));
    }
    sides
}

/// The watched leaves that others have changed, in words.
pub fn changed(kind: Kind, state: &Attributes, aws: &Attributes) -> Vec<String> {
    let (accepted, seen) = baseline(kind, state, aws);
    let paths: BTreeSet<&String> = accepted.keys().chain(seen.keys()).collect();
    let shown = |value: Option<&Value>| value.map_or_else(|| "(as hlctl left it)".to_owned(), Value::to_string);
    paths
        .into_iter()
        .filter(|path| accepted.get(*path) != seen.get(*path))
        .map(|path| format!("{path} = {}, was {}", shown(seen.get(path)), shown(accepted.get(path))))
        .collect()
}

/// The actions of the reads that are made for nothing but to watch: without them everything works, and less is seen.
pub fn watched_actions() -> BTreeSet<&'static str> {
    let is_watched = |operation: &&'static Operation| {
        let mut sections = TABLE.sections.iter().filter(|(_, section)| section.watched_only);
        sections.any(|((_, name), section)| *name == operation.name() && section.service == operation.service())
    };
    ops::all().filter(is_watched).map(Operation::action).collect()
}

/// The watched leaves that are not as hlctl leaves them, accepted or not.
pub fn unexpected(aws: &Attributes) -> Vec<String> {
    members(aws).iter().map(|(path, value)| format!("{path} = {value}")).collect()
}

/// What could not be looked at, and which members of the answers no table knows, in sentences.
pub fn notes(aws: &Attributes) -> Vec<String> {
    let refused = aws.get(NOT_LOOKED_AT).and_then(Value::as_object).into_iter().flatten();
    let refused = refused.map(|(operation, why)| format!("not looked at: {operation} ({})", text_of(why)));
    let unknown = aws.get(UNKNOWN_MEMBERS).and_then(Value::as_array).into_iter().flatten();
    let unknown = unknown
        .map(|member| format!("not looked at: this hlctl does not know {}, which AWS returned", text_of(member)));
    refused.chain(unknown).collect()
}

#[cfg(test)]
mod tests;
