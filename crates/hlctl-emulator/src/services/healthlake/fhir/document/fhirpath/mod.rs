//! FHIRPath Patch (R4 specification, "FHIRPath Patch"): operations in a Parameters resource, on elements that expressions name.
//!
//! Where AWS documents nothing, this is what happens here. Expressions are what HealthLake's guide lists for patches (indexes,
//! `where()`, `and`, `first()`, `last()`, `exists()`, `count()`, choices by their stem) with `or`, `not()`, `empty()`, `single()`,
//! `ofType()` and `extension()`; everything else is refused by its name. An expression may leave the resource's type out. What is
//! said of an element of the JSON that holds a primitive is true of its other half as well (`_birthDate`), but nothing in that half
//! can be named. Lists and objects that nothing is left in go, since FHIR's JSON has none.

mod expression;
mod read;
mod select;

use hlctl_r4::{Element, Kind, Name, Type};

use super::parse::{DEEPEST, Unreadable};
use super::{Document, Members, get, set};
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};
use expression::Expression;
use select::{Node, Spot, select};

/// The operations of a patch.
pub(in super::super) struct FhirPathPatch(Vec<Operation>);

enum Operation {
    Add { path: Expression, name: String, value: PatchValue },
    Insert { path: Expression, index: usize, value: PatchValue },
    Delete { path: Expression },
    Replace { path: Expression, value: PatchValue },
    Move { path: Expression, source: usize, destination: usize },
}

/// A value as a part of a Parameters resource has it.
#[derive(Clone, Debug)]
enum PatchValue {
    /// `value[x]`, with the name of its type as it ends the member's name.
    Typed {
        suffix: String,
        value: Document,
    },
    Resource(Document),
    /// An element whose type has no name: its elements, one by one.
    Parts(Vec<(String, PatchValue)>),
}

/// Why an operation is not done.
enum Failure {
    /// It does not fit the resource.
    DoesNotApply(String),
    /// The resource would be nested deeper than one that is written whole may be.
    TooDeep,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self::DoesNotApply(why)
    }
}

impl Failure {
    fn refusal(self) -> Refusal {
        match self {
            Self::DoesNotApply(why) => Refusal::unprocessable(format!("The patch does not apply: {why}")),
            Self::TooDeep => Refusal::invalid(format!("The patched resource is refused: {}.", Unreadable::TooDeep)),
        }
    }
}

impl FhirPathPatch {
    /// Changes a resource, wholly or, with an error, in part. What the patch does not name keeps every letter.
    pub(super) fn apply(&self, document: &mut Document) -> Outcome<()> {
        self.0.iter().enumerate().try_for_each(|(place, operation)| {
            operation.apply(document).map_err(|failure| failure.refusal().about(&format!("operation {place}")))
        })
    }
}

impl Operation {
    fn apply(&self, document: &mut Document) -> Result<(), Failure> {
        match self {
            Self::Add { path, name, value } => {
                let node = one(document, path)?;
                let of = complex(&node, path)?;
                let (key, element, value) = built(of, name, value)?;
                check_depth(&node, &value)?;
                let parent = object_at(document, &node).ok_or_else(|| nothing(path))?;
                if element.is_list() {
                    return append(parent, &key, &value).map_err(Failure::from);
                }
                let is_there = |(member, _): &(String, Document)| is_name_of(of, element, member);
                if parent.iter().any(is_there) {
                    return Err(format!("{path} has {name} already").into());
                }
                set(parent, &key, value);
            }
            Self::Insert { path, index, value } => {
                let (node, name) = list(document, path)?;
                let (key, _, value) = built(complex(&node, path)?, &name, value)?;
                check_depth(&node, &value)?;
                let parent = object_at(document, &node).ok_or_else(|| nothing(path))?;
                let length = length_of(parent, &key);
                if *index > length {
                    return Err(
                        format!("{path} has {length} elements, so that nothing can be inserted at {index}").into()
                    );
                }
                each_half(parent, &key, length, |list, is_value| {
                    list.insert(*index, if is_value { value.clone() } else { Document::Null });
                })?;
            }
            Self::Delete { path } => match select(document, path)?.as_slice() {
                [] => {}
                [node] => delete(document, node, path)?,
                several => return Err(too_many(path, several.len()).into()),
            },
            Self::Replace { path, value } => replace(document, path, value)?,
            Self::Move { path, source, destination } => {
                let (node, name) = list(document, path)?;
                let parent = object_at(document, &node).ok_or_else(|| nothing(path))?;
                let length = length_of(parent, &name);
                if *source >= length || *destination >= length {
                    return Err(
                        format!("{path} has {length} elements, so that {source} cannot become {destination}").into()
                    );
                }
                each_half(parent, &name, length, |list, _| {
                    let moved = list.remove(*source);
                    list.insert(*destination, moved);
                })?;
            }
        }
        Ok(())
    }
}

fn nothing(path: &Expression) -> String {
    format!("there is nothing at {path}")
}

fn too_many(path: &Expression, count: usize) -> String {
    format!("{path} are {count} elements, where there must be one")
}

/// The one element at a path.
fn one(document: &Document, path: &Expression) -> Result<Node, String> {
    let mut nodes = select(document, path)?;
    match (nodes.pop(), nodes.len()) {
        (Some(node), 0) => Ok(node),
        (None, _) => Err(nothing(path)),
        (Some(_), others) => Err(too_many(path, others + 1)),
    }
}

/// What has the list at a path, and the list's name.
fn list(document: &Document, path: &Expression) -> Result<(Node, String), String> {
    let no_list = || format!("{path} does not name a list");
    let (parent, name) = path.split_last().ok_or_else(no_list)?;
    let node = one(document, &parent)?;
    let of = complex(&node, &parent)?;
    let element = Name::of(name).and_then(|name| of.element(name));
    let element = element.ok_or_else(|| format!("{} has no element {name}", of.name()))?;
    if element.is_list() { Ok((node, name.to_owned())) } else { Err(no_list()) }
}

/// The type of an element that has elements.
fn complex(node: &Node, path: &Expression) -> Result<&'static Type, String> {
    match node.kind {
        Kind::Complex(of) => Ok(of),
        Kind::Primitive(_) | Kind::Resource => Err(format!("{path} has no elements")),
    }
}

/// Whether a member of the JSON is this element, or another name of the same choice.
fn is_name_of(of: &Type, element: &Element, member: &str) -> bool {
    let name = member.strip_prefix('_').unwrap_or(member);
    name == element.name()
        || (element.choice() != 0
            && Name::of(name).and_then(|name| of.element(name)).is_some_and(|other| other.choice() == element.choice()))
}

/// The element of a type that a patch calls `name`, with its name in JSON and its value there.
fn built(of: &'static Type, name: &str, value: &PatchValue) -> Result<(String, &'static Element, Document), String> {
    let no_element = || format!("{} has no element {name}", of.name());
    let exact = Name::of(name).and_then(|name| of.element(name));
    let stem = exact.map_or(name, |element| element.stem());
    let is_choice = of.elements().iter().any(|element| element.choice() != 0 && element.stem() == stem);
    let element = match value {
        PatchValue::Typed { suffix, .. } if is_choice => {
            let key = format!("{stem}{suffix}");
            let element = Name::of(&key).and_then(|name| of.element(name));
            let fits = element.filter(|_| exact.is_none_or(|exact| exact.name() == key));
            fits.ok_or_else(|| format!("{}.{stem} cannot have the type {suffix}", of.name()))?
        }
        _ => exact.ok_or_else(no_element)?,
    };
    let value = match (value, element.kind()) {
        (PatchValue::Typed { value, .. }, _) => value.clone(),
        (PatchValue::Resource(resource), Kind::Resource) => resource.clone(),
        (PatchValue::Resource(_), _) => return Err(format!("{}.{name} is no resource", of.name())),
        (PatchValue::Parts(parts), Kind::Complex(inner)) => object(inner, parts)?,
        (PatchValue::Parts(_), _) => return Err(format!("{}.{name} has no elements", of.name())),
    };
    Ok((element.name().to_owned(), element, value))
}

/// An element that is given by its elements.
fn object(of: &'static Type, parts: &[(String, PatchValue)]) -> Result<Document, String> {
    let mut members = Members::new();
    for (name, value) in parts {
        let (key, element, value) = built(of, name, value)?;
        // The names of a choice are one element.
        match members.iter_mut().find(|(own, _)| is_name_of(of, element, own)) {
            Some((_, Document::List(items))) if element.is_list() => items.push(value),
            Some(_) => return Err(format!("{}.{name} comes twice", of.name())),
            None if element.is_list() => members.push((key, Document::List(vec![value]))),
            None => members.push((key, value)),
        }
    }
    Ok(Document::Object(members))
}

/// Whether the resource remains within its bounds when `value` is put below this element.
fn check_depth(node: &Node, value: &Document) -> Result<(), Failure> {
    // The member, and a list around the value.
    if node.at.len() + 2 + value.depth() > DEEPEST { Err(Failure::TooDeep) } else { Ok(()) }
}

fn find_mut<'d>(document: &'d mut Document, at: &[Spot]) -> Option<&'d mut Document> {
    at.iter().try_fold(document, |here, spot| match (here, spot) {
        (Document::Object(members), Spot::Member(name)) => {
            members.iter_mut().find(|(own, _)| own == name).map(|(_, member)| member)
        }
        (Document::List(items), Spot::Item(place)) => items.get_mut(*place),
        _ => None,
    })
}

fn object_at<'d>(document: &'d mut Document, node: &Node) -> Option<&'d mut Members> {
    match find_mut(document, &node.at)? {
        Document::Object(members) => Some(members),
        _ => None,
    }
}

/// The name of the member with the ids and extensions of a primitive.
fn other_half(name: &str) -> String {
    format!("_{name}")
}

/// How many elements a list has, in either half.
fn length_of(parent: &Members, name: &str) -> usize {
    let length = |name: &str| match get(parent, name) {
        Some(Document::List(items)) => items.len(),
        _ => 0,
    };
    length(name).max(length(&other_half(name)))
}

/// Changes a list of so many elements, and what belongs to its primitives if there is any.
fn each_half(
    parent: &mut Members,
    name: &str,
    length: usize,
    mut change: impl FnMut(&mut Vec<Document>, bool),
) -> Result<(), String> {
    match get(parent, name) {
        Some(Document::List(_)) => {}
        Some(_) => return Err(format!("{name} is no list")),
        None => parent.push((name.to_owned(), Document::List(Vec::new()))),
    }
    for (half, is_value) in [(name.to_owned(), true), (other_half(name), false)] {
        let list = parent.iter_mut().find(|(own, _)| *own == half);
        if let Some((_, Document::List(items))) = list {
            items.resize(length, Document::Null);
            change(items, is_value);
        }
    }
    tidy(parent, name);
    Ok(())
}

fn append(parent: &mut Members, name: &str, value: &Document) -> Result<(), String> {
    let length = length_of(parent, name);
    each_half(parent, name, length, |list, is_value| {
        list.push(if is_value { value.clone() } else { Document::Null });
    })
}

/// Removes the halves of a list that say nothing.
fn tidy(parent: &mut Members, name: &str) {
    let other = other_half(name);
    let is_empty = |member: &Document| match member {
        Document::List(items) => items.iter().all(|item| *item == Document::Null),
        _ => false,
    };
    parent.retain(|(own, member)| !(*own == name || *own == other) || !is_empty(member));
}

fn delete(document: &mut Document, node: &Node, path: &Expression) -> Result<(), String> {
    let Some((last, before)) = node.at.split_last() else {
        return Err("the whole resource cannot be deleted".to_owned());
    };
    match (last, before) {
        (Spot::Item(place), [before @ .., Spot::Member(name)]) => {
            let Some(Document::Object(parent)) = find_mut(document, before) else { return Err(nothing(path)) };
            let length = length_of(parent, name);
            each_half(parent, name, length, |list, _| drop(list.remove(*place)))?;
            prune(document, before);
        }
        (Spot::Member(name), before) => {
            let Some(Document::Object(parent)) = find_mut(document, before) else { return Err(nothing(path)) };
            let other = other_half(name);
            parent.retain(|(own, _)| own != name && *own != other);
            prune(document, before);
        }
        (Spot::Item(_), _) => return Err(nothing(path)),
    }
    Ok(())
}

/// Removes an object that has become empty, and what has become empty with it.
fn prune(document: &mut Document, at: &[Spot]) {
    if !matches!(find_mut(document, at), Some(Document::Object(members)) if members.is_empty()) {
        return;
    }
    match at {
        [] => {}
        [before @ .., Spot::Member(name), Spot::Item(place)] => {
            if let Some(Document::Object(parent)) = find_mut(document, before) {
                let length = length_of(parent, name);
                if each_half(parent, name, length, |list, _| drop(list.remove(*place))).is_ok() {
                    prune(document, before);
                }
            }
        }
        [before @ .., Spot::Member(name)] => {
            if let Some(Document::Object(parent)) = find_mut(document, before) {
                parent.retain(|(own, _)| own != name);
                prune(document, before);
            }
        }
        [.., Spot::Item(_)] => {}
    }
}

fn replace(document: &mut Document, path: &Expression, value: &PatchValue) -> Result<(), Failure> {
    let node = one(document, path)?;
    let Some((of, name)) = node.element else {
        return Err("the whole resource cannot be replaced".to_owned().into());
    };
    // The name of a choice is free to change with the type of its value.
    let stem =
        Name::of(&name).and_then(|name| of.element(name)).map_or(name.as_str(), |element| element.stem()).to_owned();
    let (key, element, value) = built(of, &stem, value)?;
    if node.at.len() + value.depth() > DEEPEST {
        return Err(Failure::TooDeep);
    }
    match node.at.as_slice() {
        [before @ .., Spot::Member(_), Spot::Item(place)] => {
            let Some(Document::Object(parent)) = find_mut(document, before) else { return Err(nothing(path).into()) };
            // No choice is a list, but a resource that was not validated may have one there.
            if key != name {
                return Err(format!("{path} is in a list, where the type of a value cannot change").into());
            }
            let length = length_of(parent, &key);
            each_half(parent, &key, length, |list, is_value| {
                if let Some(item) = list.get_mut(*place) {
                    *item = if is_value { value.clone() } else { Document::Null };
                }
            })?;
        }
        [before @ .., Spot::Member(_)] => {
            let Some(Document::Object(parent)) = find_mut(document, before) else { return Err(nothing(path).into()) };
            let other = other_half(&name);
            let is_replaced = |member: &str| member == name || member == other;
            // A resource that was not validated may have a choice twice. The new name can be that of the other one.
            if parent.iter().any(|(own, _)| !is_replaced(own) && is_name_of(of, element, own)) {
                return Err(format!("{}.{stem} has several types, where there must be one", of.name()).into());
            }
            let place = parent.iter().position(|(own, _)| is_replaced(own)).unwrap_or(parent.len());
            parent.retain(|(own, _)| !is_replaced(own));
            parent.insert(place.min(parent.len()), (key, value));
        }
        _ => return Err(nothing(path).into()),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
