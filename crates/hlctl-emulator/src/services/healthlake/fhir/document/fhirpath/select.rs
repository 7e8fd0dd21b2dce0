//! Which elements of a resource an expression names.

use hlctl_r4::{Element, Kind, Name, Type};

use super::expression::{Condition, Expression, Operand, Step};
use super::other_half;
use crate::services::healthlake::fhir::document::{Document, is_same};

/// A step from an element to one below it, in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    Member(String),
    Item(usize),
}

/// An element of a resource.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Vec<Spot>,
    pub(super) kind: Kind,
    /// The type that it is an element of, and its name there; `None` for the resource itself.
    pub(super) element: Option<(&'static Type, String)>,
}

/// The elements that an expression names, in their order; or why it can name none.
pub(super) fn select(document: &Document, expression: &Expression) -> Result<Vec<Node>, String> {
    let root = Node { at: Vec::new(), kind: kind_of(document)?, element: None };
    let own = document.get("resourceType").and_then(Document::as_text);
    let steps = match expression.steps.split_first() {
        Some((Step::Name(name), rest)) if Some(name.as_str()) == own || name == "Resource" => rest,
        _ => expression.steps.as_slice(),
    };
    walk(document, vec![root], steps)
}

fn kind_of(resource: &Document) -> Result<Kind, String> {
    let name = resource.get("resourceType").and_then(Document::as_text).unwrap_or_default();
    Type::resource(name).map(Kind::Complex).ok_or_else(|| format!("{name} is no resource type of R4"))
}

fn walk(document: &Document, mut nodes: Vec<Node>, steps: &[Step]) -> Result<Vec<Node>, String> {
    for step in steps {
        nodes = match step {
            Step::Name(name) => each(nodes, |node| children(document, node, name))?,
            Step::Index(place) => nodes.into_iter().skip(*place).take(1).collect(),
            Step::First => nodes.into_iter().take(1).collect(),
            Step::Last => nodes.pop().into_iter().collect(),
            Step::Single if nodes.len() > 1 => return Err(format!("single() finds {} elements", nodes.len())),
            Step::Single => nodes,
            Step::OfType(name) => nodes.into_iter().filter(|node| type_name(node.kind) == name).collect(),
            Step::Extension(url) => {
                let extensions = each(nodes, |node| children(document, node, "extension"))?;
                let is_wanted = |node: &Node| find(document, &node.at)?.get("url")?.as_text().map(|own| own == url);
                extensions.into_iter().filter(|node| is_wanted(node) == Some(true)).collect()
            }
            Step::Where(condition) => {
                let mut kept = Vec::new();
                for node in nodes {
                    if holds(document, &node, condition)? == Some(true) {
                        kept.push(node);
                    }
                }
                kept
            }
        };
    }
    Ok(nodes)
}

fn each(nodes: Vec<Node>, of: impl Fn(&Node) -> Result<Vec<Node>, String>) -> Result<Vec<Node>, String> {
    let mut all = Vec::new();
    for node in nodes {
        all.extend(of(&node)?);
    }
    Ok(all)
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Primitive(primitive) => primitive.name(),
        Kind::Complex(of) => of.name(),
        Kind::Resource => "Resource",
    }
}

/// Whether an element has that name: of a choice, whether that is its stem.
fn is_named(element: &Element, name: &str) -> bool {
    if element.choice() == 0 { element.name() == name } else { element.stem() == name }
}

fn has(of: &Type, name: &str) -> bool {
    of.elements().iter().any(|element| is_named(element, name))
}

/// Whether an element could be of another type that has elements of that name. A path with it is no mistake then; it leads nowhere here.
/// What every type has is there, only not to be named below a primitive.
fn could_have(node: &Node, name: &str) -> bool {
    let Some((of, own)) = &node.element else { return false };
    let Some(declared) = Name::of(own).and_then(|own| of.element(own)) else { return false };
    if Type::element_itself().is_some_and(|every| has(every, name)) {
        return false;
    }
    match declared.kind() {
        Kind::Resource => Type::resources().iter().any(|other| has(other, name)),
        _ if declared.choice() == 0 => false,
        _ => of.elements().iter().filter(|other| other.choice() == declared.choice()).any(|other| match other.kind() {
            Kind::Complex(other) => has(other, name),
            Kind::Primitive(_) | Kind::Resource => false,
        }),
    }
}

/// The elements of that name below an element: of a choice, by its stem. There are none where a choice has another type than one with such
/// elements.
fn children(document: &Document, node: &Node, name: &str) -> Result<Vec<Node>, String> {
    let Kind::Complex(of) = node.kind else {
        if could_have(node, name) {
            return Ok(Vec::new());
        }
        return Err(format!(
            "hlctl-emulator does not model {name} below an element of the type {}",
            type_name(node.kind)
        ));
    };
    if !has(of, name) {
        if could_have(node, name) {
            return Ok(Vec::new());
        }
        return Err(format!("{} has no element {name}", of.name()));
    }
    let Some(members) = find(document, &node.at).and_then(Document::members) else { return Ok(Vec::new()) };
    let mut nodes: Vec<Node> = Vec::new();
    for (member, value) in members {
        let key = member.strip_prefix('_').unwrap_or(member);
        let element = Name::of(key).and_then(|key| of.element(key)).filter(|element| is_named(element, name));
        let Some(element) = element else { continue };
        // The other half of a primitive is the same element.
        if key != member && super::get(members, key).is_some() {
            continue;
        }
        let below = |more: &[Spot], value: Option<&Document>| -> Result<Node, String> {
            let kind = match (element.kind(), value) {
                (Kind::Resource, Some(resource)) => kind_of(resource)?,
                (kind, _) => kind,
            };
            let at = node.at.iter().chain([&Spot::Member(key.to_owned())]).chain(more).cloned().collect();
            Ok(Node { at, kind, element: Some((of, key.to_owned())) })
        };
        match value {
            Document::List(items) => {
                let others = match super::get(members, &other_half(key)) {
                    Some(Document::List(others)) => others.len(),
                    _ => 0,
                };
                for place in 0..items.len().max(others) {
                    nodes.push(below(&[Spot::Item(place)], items.get(place))?);
                }
            }
            value => nodes.push(below(&[], Some(value))?),
        }
    }
    Ok(nodes)
}

fn find<'d>(document: &'d Document, at: &[Spot]) -> Option<&'d Document> {
    at.iter().try_fold(document, |here, spot| match (here, spot) {
        (Document::Object(members), Spot::Member(name)) => super::get(members, name),
        (Document::List(items), Spot::Item(place)) => items.get(*place),
        _ => None,
    })
}

/// Whether a condition is true of an element; `None` where FHIRPath has neither true nor false, as of what is not there (FHIRPath,
/// "Three-valued logic").
fn holds(document: &Document, node: &Node, condition: &Condition) -> Result<Option<bool>, String> {
    Ok(match condition {
        Condition::All(all) => joined(document, node, all, false)?,
        Condition::Any(any) => joined(document, node, any, true)?,
        Condition::Not(inner) => holds(document, node, inner)?.map(|is_true| !is_true),
        Condition::Exists(steps) => Some(!walk(document, vec![node.clone()], steps)?.is_empty()),
        Condition::Equal(left, right) => {
            let (left, right) = (values(document, node, left)?, values(document, node, right)?);
            (!left.is_empty() && !right.is_empty()).then(|| are_equal(&left, &right))
        }
        Condition::Is(operand) => match values(document, node, operand)?.as_slice() {
            [Document::Flag(is_true)] => Some(*is_true),
            _ => None,
        },
    })
}

/// What conditions come to of which one decides if it is `deciding`: false with `and`, true with `or`.
fn joined(document: &Document, node: &Node, all: &[Condition], deciding: bool) -> Result<Option<bool>, String> {
    let mut outcome = Some(!deciding);
    for condition in all {
        match holds(document, node, condition)? {
            Some(is_true) if is_true == deciding => return Ok(Some(deciding)),
            Some(_) => {}
            None => outcome = None,
        }
    }
    Ok(outcome)
}

/// Values one by one, in their order.
fn are_equal(left: &[Document], right: &[Document]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
}

fn values(document: &Document, node: &Node, operand: &Operand) -> Result<Vec<Document>, String> {
    Ok(match operand {
        Operand::Text(text) => vec![Document::Text(text.clone())],
        Operand::Number(number) => vec![Document::Number(number.clone())],
        Operand::Flag(flag) => vec![Document::Flag(*flag)],
        Operand::Count(steps) => {
            vec![Document::Number(walk(document, vec![node.clone()], steps)?.len().to_string())]
        }
        Operand::Path(steps) => {
            let nodes = walk(document, vec![node.clone()], steps)?;
            nodes.iter().filter_map(|node| find(document, &node.at)).cloned().collect()
        }
    })
}
