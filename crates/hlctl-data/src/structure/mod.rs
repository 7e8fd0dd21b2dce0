//! The structure of a resource, as FHIR R4 defines it: names of elements, lists, cardinality, choices, formats of primitive
//! values, and required bindings. One pass over the text, without a tree of it.
//!
//! What R4 says only by invariants (FHIRPath) and profiles is not looked at.

mod concept;
mod fault;
mod object;
mod primitive;
mod reference;
#[cfg(test)]
mod tests;
mod value;

use std::cell::RefCell;

use hlctl_r4::{Element, Type};
use serde::de::DeserializeSeed;

pub use fault::{Fault, Issue};
pub use reference::{LooseReference, Target};

use object::{Level, Members};

/// Checks one resource. Members that come twice in one object are not looked for.
///
/// # Errors
/// The text is not JSON, has a number beyond a double's range, or is nested deeper than 127 levels.
pub fn check(resource: &str) -> Result<Found, serde_json::Error> {
    found_in(resource, Found::default())
}

/// [`check`], and what the resource refers to.
///
/// # Errors
/// Those of [`check`].
pub fn check_with_targets(resource: &str) -> Result<Found, serde_json::Error> {
    found_in(resource, Found { wants_targets: true, ..Found::default() })
}

fn found_in(resource: &str, found: Found) -> Result<Found, serde_json::Error> {
    let found = RefCell::new(found);
    resource_at(resource, None, &found)?;
    Ok(found.into_inner())
}

/// What was found in one resource.
#[derive(Debug, Default)]
pub struct Found {
    /// What is not as R4 defines it.
    pub issues: Vec<Issue>,
    /// References that lead nowhere, each with the path of its element. Those within a Bundle may mean its entries, and are
    /// left out.
    pub references: Vec<(LooseReference, String)>,
    /// The resources that other references lead to, where they are asked for; those within a Bundle are left out here too.
    pub targets: Vec<Target>,
    wants_targets: bool,
    is_bundle: bool,
}

/// The place of a resource within another one.
type Within<'a> = (&'a Level<'a>, &'static Element);

fn resource_at(text: &str, within: Option<Within<'_>>, found: &RefCell<Found>) -> Result<(), serde_json::Error> {
    let note = |fault| match within {
        Some((level, element)) => level.fault(element.name(), fault),
        None => found.borrow_mut().issues.push(Issue { path: String::new(), fault }),
    };
    let Some(name) = type_name(text)? else {
        note(Fault::NoResourceType);
        return Ok(());
    };
    let Some(of) = Type::resource(&name) else {
        note(Fault::UnknownResourceType);
        return Ok(());
    };
    let (parent, element) = within.unzip();
    if within.is_none() {
        found.borrow_mut().is_bundle = of.name() == "Bundle";
    }
    let level = Level { of, element, parent, found };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Members { level: &level, is_resource: true }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The `resourceType` of an object, which most writers put first.
fn type_name(text: &str) -> Result<Option<std::borrow::Cow<'_, str>>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(rename = "resourceType", borrow)]
        name: Option<&'a serde_json::value::RawValue>,
    }
    const FIRST: &str = "\"resourceType\"";
    let opened = text.trim_start().strip_prefix('{').map(str::trim_start);
    let first = opened.and_then(|rest| rest.strip_prefix(FIRST)).map(str::trim_start);
    let value = first.and_then(|rest| rest.strip_prefix(':')).map(str::trim_start);
    if let Some((name, _)) = value.and_then(|rest| rest.strip_prefix('"')).and_then(|rest| rest.split_once('"'))
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        return Ok(Some(std::borrow::Cow::Borrowed(name)));
    }
    let named: Named<'_> = serde_json::from_str(text)?;
    Ok(named.name.and_then(|name| serde_json::from_str::<String>(name.get()).ok()).map(std::borrow::Cow::Owned))
}
