//! From a Parameters resource to the operations of a patch.

use super::expression::Expression;
use super::{FhirPathPatch, Operation, PatchValue};
use crate::services::healthlake::fhir::document::Document;
use crate::services::healthlake::fhir::refusal::{Outcome, Refusal};

/// Why something is no operation.
enum Wrong {
    /// It is not what the specification says.
    Broken(String),
    /// It may well be, but is not offered here.
    NotOffered(String),
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Broken(why)
    }
}

impl FhirPathPatch {
    /// Reads a patch.
    pub(in super::super) fn read(parameters: &Document) -> Outcome<Self> {
        let refuse = |why: &str| Refusal::invalid(format!("The body is not a FHIRPath Patch: {why}"));
        let list = match parameters.get("parameter") {
            Some(Document::List(list)) => list.as_slice(),
            None => &[],
            Some(_) => return Err(refuse("parameter is not an array.")),
        };
        if list.is_empty() {
            return Err(refuse("it has no operation."));
        }
        let operation = |(place, parameter): (usize, &Document)| {
            Operation::read(parameter).map_err(|wrong| match wrong {
                Wrong::Broken(why) => refuse(&format!("operation {place}: {why}")),
                Wrong::NotOffered(why) => Refusal::not_supported(400, format!("operation {place}: {why}")),
            })
        };
        list.iter().enumerate().map(operation).collect::<Outcome<_>>().map(Self)
    }
}

/// The parts of an operation by their names.
struct Parts<'d>(Vec<(&'d str, &'d Document)>);

impl<'d> Parts<'d> {
    fn of(parameter: &'d Document) -> Result<Self, String> {
        let parts = match parameter.get("part") {
            Some(Document::List(parts)) => parts.as_slice(),
            None => &[],
            Some(_) => return Err("part is not an array".to_owned()),
        };
        let named = |part: &'d Document| {
            let name = part.get("name").and_then(Document::as_text);
            name.map(|name| (name, part)).ok_or_else(|| "a part has no name".to_owned())
        };
        parts.iter().map(named).collect::<Result<_, _>>().map(Self)
    }

    fn get(&self, name: &str) -> Result<&'d Document, String> {
        let mut found = self.0.iter().filter(|(own, _)| *own == name).map(|(_, part)| *part);
        match (found.next(), found.next()) {
            (Some(part), None) => Ok(part),
            (None, _) => Err(format!("{name} is missing")),
            (Some(_), Some(_)) => Err(format!("{name} comes twice")),
        }
    }

    /// A part that is a text by one of these names.
    fn text(&self, name: &str, members: &[&str]) -> Result<&'d str, String> {
        let part = self.get(name)?;
        let found = members.iter().find_map(|member| part.get(member)?.as_text());
        found.ok_or_else(|| format!("{name} has no {}", members.join(" or ")))
    }

    fn number(&self, name: &str) -> Result<usize, String> {
        let part = self.get(name)?;
        let number =
            ["valueInteger", "valueUnsignedInt", "valuePositiveInt"].iter().find_map(|member| part.get(member));
        match number {
            Some(Document::Number(text)) => {
                text.parse().map_err(|_| format!("{name} is {text}, which is no place in a list"))
            }
            _ => Err(format!("{name} has no valueInteger")),
        }
    }

    /// Refuses parts that the operation does not have.
    fn only(&self, known: &[&str]) -> Result<(), String> {
        match self.0.iter().find(|(name, _)| *name != "type" && *name != "path" && !known.contains(name)) {
            Some((name, _)) => Err(format!("it has no part \"{name}\"")),
            None => Ok(()),
        }
    }
}

impl Operation {
    fn read(parameter: &Document) -> Result<Self, Wrong> {
        match parameter.get("name").and_then(Document::as_text) {
            Some("operation") => {}
            other => return Err(format!("the parameter is called \"{}\"", other.unwrap_or_default()).into()),
        }
        let parts = Parts::of(parameter)?;
        let path = || {
            let text = parts.text("path", &["valueString"])?;
            Expression::parse(text).map_err(|error| {
                if error.is_not_offered { Wrong::NotOffered(error.text) } else { Wrong::Broken(error.text) }
            })
        };
        let value = || parts.get("value").and_then(PatchValue::read);
        Ok(match parts.text("type", &["valueCode", "valueString"])? {
            "add" => {
                parts.only(&["name", "value"])?;
                let name = parts.text("name", &["valueString"])?.to_owned();
                Self::Add { path: path()?, name, value: value()? }
            }
            "insert" => {
                parts.only(&["index", "value"])?;
                Self::Insert { path: path()?, index: parts.number("index")?, value: value()? }
            }
            "delete" => {
                parts.only(&[])?;
                Self::Delete { path: path()? }
            }
            "replace" => {
                parts.only(&["value"])?;
                Self::Replace { path: path()?, value: value()? }
            }
            "move" => {
                parts.only(&["source", "destination"])?;
                let (source, destination) = (parts.number("source")?, parts.number("destination")?);
                Self::Move { path: path()?, source, destination }
            }
            other => return Err(format!("there is no operation \"{other}\"").into()),
        })
    }
}

impl PatchValue {
    fn read(part: &Document) -> Result<Self, String> {
        let mut found = Vec::new();
        for (name, member) in part.members().into_iter().flatten() {
            match (name.as_str(), member) {
                ("name" | "id" | "extension", _) => {}
                ("part", Document::List(parts)) => {
                    let inner = |part: &Document| {
                        let name =
                            part.get("name").and_then(Document::as_text).ok_or("a part of a value has no name")?;
                        Ok::<_, String>((name.to_owned(), Self::read(part)?))
                    };
                    found.push(Self::Parts(parts.iter().map(inner).collect::<Result<_, _>>()?));
                }
                ("resource", member) => found.push(Self::Resource(member.clone())),
                (name, member) => match name.strip_prefix("value").filter(|suffix| !suffix.is_empty()) {
                    Some(_) if matches!(member, Document::List(_)) => {
                        return Err(format!("{name} is an array, where there must be one value"));
                    }
                    Some(suffix) => found.push(Self::Typed { suffix: suffix.to_owned(), value: member.clone() }),
                    None => return Err(format!("a value cannot have {name}")),
                },
            }
        }
        match (found.pop(), found.len()) {
            (Some(value), 0) => Ok(value),
            (None, _) => Err("value is empty".to_owned()),
            (Some(_), _) => Err("value has more than one value".to_owned()),
        }
    }
}
