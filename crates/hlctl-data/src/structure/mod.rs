//! The structure of a resource, as FHIR R4 defines it: names of elements, lists, cardinality, choices, formats of primitive
//! values, and required bindings. One pass over the text, without a tree of it.
//!
//! What R4 says only by invariants (FHIRPath) and profiles is not looked at.

mod alignment;
mod concept;
mod fault;
mod object;
mod place;
mod primitive;
mod reference;
#[cfg(test)]
mod tests;
mod value;

use hlctl_r4::{Element, Type};

pub use fault::{Fault, Issue};
pub use place::Place;
pub(crate) use primitive::is_id;
pub use reference::{LooseReference, Target};

use crate::json::{Cursor, NotJson, Text};
use object::Level;

/// Checks one resource. Members that come twice in one object are not looked for.
///
/// # Errors
/// The text is not JSON, has half of a surrogate pair, or is nested deeper than 127 levels.
pub fn check(resource: &str) -> Result<Found, NotJson> {
    read(resource, false).map(|read| read.found)
}

/// [`check`], and what the resource refers to.
///
/// # Errors
/// Those of [`check`].
pub fn check_with_targets(resource: &str) -> Result<Found, NotJson> {
    read(resource, true).map(|read| read.found)
}

/// What was found in one resource.
#[derive(Debug, Default)]
pub struct Found {
    /// What is not as R4 defines it.
    pub issues: Vec<Issue>,
    /// References that lead nowhere, each with the path of its element. Those within a Bundle may mean its entries, and are
    /// left out.
    pub references: Vec<(LooseReference, Place)>,
    /// The resources that other references lead to, where they are asked for; those within a Bundle are left out here too.
    pub targets: Vec<Target>,
    wants_targets: bool,
    is_bundle: bool,
}

/// A resource that was gone through.
pub(crate) struct Read<'a> {
    pub(crate) found: Found,
    /// Who it is; nobody if its type is none of R4's.
    pub(crate) identity: Option<Identity<'a>>,
    /// Whether a member may come twice in one object.
    pub(crate) is_doubtful: bool,
}

/// Who a resource says it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity<'a> {
    pub(crate) kind: &'static str,
    /// `id`, where it is there.
    pub(crate) id: Option<Said<'a>>,
    /// `type`, where it is there.
    pub(crate) purpose: Option<Said<'a>>,
}

/// The value of a member: a text, or something else.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said<'a> {
    Text(Text<'a>),
    Other,
}

/// Checks one resource, and reads who it is.
pub(crate) fn read(resource: &str, wants_targets: bool) -> Result<Read<'_>, NotJson> {
    let found = Found { wants_targets, ..Found::default() };
    let mut walk = Walk { cursor: Cursor::new(resource), found, identity: None };
    if walk.cursor.peek() != b'{' {
        // A parser says it better.
        return Err(NotJson { at: 0 });
    }
    walk.resource(None)?;
    walk.cursor.end()?;
    let Walk { cursor, found, identity } = walk;
    Ok(Read { found, identity, is_doubtful: cursor.is_doubtful() })
}

/// A check under way.
struct Walk<'a> {
    cursor: Cursor<'a>,
    found: Found,
    identity: Option<Identity<'a>>,
}

/// The place of a resource within another one.
type Within<'l> = (&'l Level<'l>, &'static Element);

impl Walk<'_> {
    /// Goes past a resource.
    fn resource(&mut self, within: Option<Within<'_>>) -> Result<(), NotJson> {
        let name = type_name(self.cursor.look_ahead())?;
        let named = name.as_ref().map(|name| Type::resource(&name.get()));
        let Some(Some(of)) = named else {
            let fault = if name.is_none() { Fault::NoResourceType } else { Fault::UnknownResourceType };
            match within {
                Some((level, element)) => self.found.note(level, element.name(), fault),
                None => self.found.issues.push(Issue { path: String::new(), fault }),
            }
            return self.cursor.skip();
        };
        let (parent, element) = within.unzip();
        if within.is_none() {
            self.found.is_bundle = of.name() == "Bundle";
            self.identity = Some(Identity { kind: of.name(), id: None, purpose: None });
        }
        self.members(&Level { of, element, parent, is_resource: true })
    }
}

/// The `resourceType` of the object that comes next, which most writers put first.
fn type_name(mut cursor: Cursor<'_>) -> Result<Option<Text<'_>>, NotJson> {
    let mut has_more = cursor.open(b'{', b'}')?;
    while has_more {
        let name = cursor.name()?;
        if name.get() == "resourceType" {
            return if cursor.peek() == b'"' { cursor.string().map(Some) } else { Ok(None) };
        }
        cursor.skip()?;
        has_more = cursor.has_more(b'}')?;
    }
    Ok(None)
}
