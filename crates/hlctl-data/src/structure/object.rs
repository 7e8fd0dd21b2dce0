//! The members of an object.

use hlctl_r4::{Element, Kind, Name, Primitive, Type};

use super::fault::{Fault, Issue};
use super::place::Place;
use super::reference::{Reference, Target};
use super::{Found, Said, Walk};
use crate::check::mark;
use crate::json::{NotJson, Text};

/// Where the check is: an object, and the objects around it.
pub(super) struct Level<'l> {
    /// The type of the object.
    pub(super) of: &'static Type,
    /// The element that it is the value of, in the object around it.
    pub(super) element: Option<&'static Element>,
    pub(super) parent: Option<&'l Level<'l>>,
    /// Whether it says its type.
    pub(super) is_resource: bool,
}

impl Level<'_> {
    /// The path of the object.
    pub(super) fn place(&self) -> Place {
        let mut names = Vec::with_capacity(8);
        self.add_to(&mut names);
        Place(names)
    }

    fn add_to(&self, names: &mut Vec<&'static str>) {
        let (Some(parent), Some(element)) = (self.parent, self.element) else {
            names.push(self.of.name());
            return;
        };
        parent.add_to(names);
        names.push(element.name());
        if element.kind() == Kind::Resource {
            names.push(self.of.name());
        }
    }
}

impl Found {
    /// Notes a fault of an element of an object.
    pub(super) fn note(&mut self, level: &Level<'_>, element: &str, fault: Fault) {
        self.issues.push(Issue { path: format!("{}.{element}", level.place()), fault });
    }

    /// Notes a fault of an object itself.
    pub(super) fn note_own(&mut self, level: &Level<'_>, fault: Fault) {
        self.issues.push(Issue { path: level.place().to_string(), fault });
    }

    /// Looks at a reference, the value of an element of an object.
    pub(super) fn refer(&mut self, level: &Level<'_>, reference: &str) {
        if self.is_bundle {
            return;
        }
        match Reference::of(reference) {
            Reference::Loose(loose) => self.references.push((loose, level.place())),
            Reference::Literal { kind, id } if self.wants_targets => {
                self.targets.push(Target { place: level.place(), kind, mark: mark(kind, id) });
            }
            Reference::Literal { .. } | Reference::Elsewhere => {}
        }
    }
}

/// A member's name.
pub(super) enum Key {
    ResourceType,
    Element(&'static Element),
    /// An element with `_` before its name: what a primitive one has in addition to its value.
    Companion(&'static Element),
    Unknown,
}

/// A resource says its type by this, and the parts of an ExampleScenario have an element of the same name.
const RESOURCE_TYPE: &str = "resourceType";

impl Key {
    pub(super) fn of(name: Text<'_>, level: &Level<'_>) -> Self {
        if name.is_escaped { Self::of_text(&name.get(), level) } else { Self::of_text(name.raw, level) }
    }

    fn of_text(name: &str, level: &Level<'_>) -> Self {
        if level.is_resource && name == RESOURCE_TYPE {
            return Self::ResourceType;
        }
        let element = |name: &str| level.of.element(Name::of(name)?);
        if let Some(element) = element(name) {
            return Self::Element(element);
        }
        let companion = name.strip_prefix('_').and_then(element).filter(|element| is_primitive(element));
        companion.map_or(Self::Unknown, Self::Companion)
    }
}

fn is_primitive(element: &Element) -> bool {
    matches!(element.kind(), Kind::Primitive(of) if of != Primitive::Xhtml)
}

/// What of an object has been seen.
#[derive(Default)]
struct Seen {
    values: u128,
    companions: u128,
    /// Those of which a list of primitives has a `null` in it, values or companions.
    nulls: u128,
    /// Of each choice, the element that was chosen last.
    chosen: [Option<&'static Element>; 8],
    /// How many members were none that R4 has there, or said the type.
    others: [u8; 2],
}

impl<'a> Walk<'a> {
    /// Goes past an object of a type.
    pub(super) fn members(&mut self, level: &Level<'_>) -> Result<(), NotJson> {
        let start = self.cursor.place();
        let mut has_more = self.cursor.open(b'{', b'}')?;
        if !has_more {
            self.found.note_own(level, Fault::Empty);
            return Ok(());
        }
        let mut seen = Seen::default();
        while has_more {
            let name = self.cursor.name()?;
            match Key::of(name, level) {
                Key::ResourceType => {
                    self.count(&mut seen.others[0]);
                    self.cursor.skip()?;
                }
                Key::Element(element) => {
                    self.see(&mut seen, level, element, |seen| &mut seen.values);
                    if level.parent.is_none() && matches!(element.name(), "id" | "type") {
                        self.identify(element.name());
                    }
                    if self.value(level, element)? {
                        seen.nulls |= bit(element);
                    }
                }
                Key::Companion(element) => {
                    self.see(&mut seen, level, element, |seen| &mut seen.companions);
                    if self.companion(level, element)? {
                        seen.nulls |= bit(element);
                    }
                }
                // Names that R4 does not know may be anything, a person's too, and are not shown.
                Key::Unknown => {
                    self.count(&mut seen.others[1]);
                    self.found.note_own(level, Fault::UnknownElement);
                    self.cursor.skip()?;
                }
            }
            has_more = self.cursor.has_more(b'}')?;
        }
        self.complete(&seen, level);
        if seen.nulls != 0 {
            self.align(level, start, seen.nulls)?;
        }
        Ok(())
    }

    /// Looks at the value of a member that says who the resource is.
    fn identify(&mut self, member: &str) {
        let mut ahead = self.cursor.look_ahead();
        let said = if ahead.peek() == b'"' { ahead.string().map_or(Said::Other, Said::Text) } else { Said::Other };
        if let Some(identity) = &mut self.identity {
            let place = if member == "id" { &mut identity.id } else { &mut identity.purpose };
            *place = Some(said);
        }
    }

    /// Counts members that may be the same.
    fn count(&mut self, others: &mut u8) {
        if *others > 0 {
            self.cursor.doubt();
        }
        *others = 1;
    }

    fn see(&mut self, seen: &mut Seen, level: &Level<'_>, element: &'static Element, of: fn(&mut Seen) -> &mut u128) {
        let bit = bit(element);
        let choice = usize::from(element.choice());
        if choice > 0 {
            let other = seen.chosen[choice - 1].replace(element);
            if other.is_some_and(|other| other != element) {
                self.found.note(level, element.name(), Fault::SecondChoice);
            }
        }
        let mask = of(seen);
        if *mask & bit != 0 {
            self.cursor.doubt();
        }
        *mask |= bit;
    }

    fn complete(&mut self, seen: &Seen, level: &Level<'_>) {
        let mut missing = level.of.required() & !(seen.values | seen.companions);
        while missing != 0 {
            let slot = missing.trailing_zeros();
            missing &= missing - 1;
            let element = u8::try_from(slot).ok().and_then(|slot| level.of.in_slot(slot));
            if let Some(element) = element {
                self.found.note(level, &wanted(element), Fault::Missing);
            }
        }
    }
}

/// An element's place in a mask.
fn bit(element: &Element) -> u128 {
    1 << element.slot()
}

/// The name of what is missing: of a choice, as the specification writes it.
fn wanted(element: &Element) -> String {
    if element.choice() == 0 { element.name().to_owned() } else { format!("{}[x]", element.stem()) }
}
