//! The members of an object.

use std::cell::{Cell, RefCell};
use std::fmt;

use hlctl_r4::{Element, Kind, Name, Primitive, Type};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::Found;
use super::fault::{Fault, Issue};
use super::reference::{Reference, Target};
use super::value::{Companion, Value};
use crate::check::mark;

/// Where the check is: an object, and the objects around it.
pub(super) struct Level<'a> {
    /// The type of the object.
    pub(super) of: &'static Type,
    /// The element that it is the value of, in the object around it.
    pub(super) element: Option<&'static Element>,
    pub(super) parent: Option<&'a Level<'a>>,
    pub(super) found: &'a RefCell<Found>,
}

impl Level<'_> {
    /// The path of the object.
    pub(super) fn path(&self) -> String {
        let around = self.parent.map(Level::path);
        match (around, self.element) {
            (Some(around), Some(element)) if element.kind() == Kind::Resource => {
                format!("{around}.{}.{}", element.name(), self.of.name())
            }
            (Some(around), Some(element)) => format!("{around}.{}", element.name()),
            _ => self.of.name().to_owned(),
        }
    }

    /// Notes a fault of an element of the object.
    pub(super) fn fault(&self, element: &str, fault: Fault) {
        self.found.borrow_mut().issues.push(Issue { path: format!("{}.{element}", self.path()), fault });
    }

    /// Looks at a reference, the value of an element of the object.
    pub(super) fn reference(&self, reference: &str) {
        let mut found = self.found.borrow_mut();
        if found.is_bundle {
            return;
        }
        match Reference::of(reference) {
            Reference::Loose(loose) => found.references.push((loose, self.path())),
            Reference::Literal { kind, id } if found.wants_targets => {
                found.targets.push(Target { path: self.path(), kind, mark: mark(kind, id) });
            }
            Reference::Literal { .. } | Reference::Elsewhere => {}
        }
    }

    /// Notes a fault of the object itself.
    pub(super) fn own_fault(&self, fault: Fault) {
        self.found.borrow_mut().issues.push(Issue { path: self.path(), fault });
    }
}

/// An object of which the members are to be checked.
pub(super) struct Members<'a> {
    pub(super) level: &'a Level<'a>,
    /// Whether it says its type.
    pub(super) is_resource: bool,
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

/// A member's name.
enum Key {
    ResourceType,
    Element(Name),
    /// A name with `_` before it: what a primitive element has besides its value.
    Companion(Name),
    Unknown,
}

impl Key {
    fn element(&self, of: &'static Type) -> Option<&'static Element> {
        match self {
            Self::ResourceType => Name::of(RESOURCE_TYPE).and_then(|name| of.element(name)),
            Self::Element(name) => of.element(*name),
            Self::Companion(_) | Self::Unknown => None,
        }
    }
}

/// A resource says its type by this, and the parts of an ExampleScenario have an element of the same name.
const RESOURCE_TYPE: &str = "resourceType";

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Key, E> {
        if name == RESOURCE_TYPE {
            return Ok(Key::ResourceType);
        }
        if let Some(number) = Name::of(name) {
            return Ok(Key::Element(number));
        }
        Ok(name.strip_prefix('_').and_then(Name::of).map_or(Key::Unknown, Key::Companion))
    }
}

/// What of an object has been seen.
#[derive(Default)]
struct Seen {
    values: Cell<u128>,
    companions: Cell<u128>,
    /// Of each choice, the element that was chosen last.
    chosen: [Cell<Option<&'static Element>>; 8],
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let level = self.level;
        let seen = Seen::default();
        let mut is_empty = true;
        while let Some(key) = members.next_key_seed(KeySeed)? {
            is_empty = false;
            match key {
                Key::ResourceType if self.is_resource => drop(members.next_value::<IgnoredAny>()?),
                Key::ResourceType | Key::Element(_) => match key.element(level.of) {
                    Some(element) => {
                        seen.note(level, element, &seen.values);
                        members.next_value_seed(Value { level, element })?;
                    }
                    None => unknown(level, &mut members)?,
                },
                Key::Companion(name) => match level.of.element(name).filter(|element| is_primitive(element)) {
                    Some(element) => {
                        seen.note(level, element, &seen.companions);
                        members.next_value_seed(Companion { level, element })?;
                    }
                    None => unknown(level, &mut members)?,
                },
                Key::Unknown => unknown(level, &mut members)?,
            }
        }
        if is_empty {
            level.own_fault(Fault::Empty);
            return Ok(());
        }
        seen.complete(level);
        Ok(())
    }
}

/// Names that R4 does not know may be anything, a person's too, and are not shown.
fn unknown<'de, A: MapAccess<'de>>(level: &Level<'_>, members: &mut A) -> Result<(), A::Error> {
    level.own_fault(Fault::UnknownElement);
    members.next_value::<IgnoredAny>().map(drop)
}

fn is_primitive(element: &Element) -> bool {
    matches!(element.kind(), Kind::Primitive(of) if of != Primitive::Xhtml)
}

impl Seen {
    fn note(&self, level: &Level<'_>, element: &'static Element, of: &Cell<u128>) {
        let bit = 1_u128 << element.slot();
        let choice = usize::from(element.choice());
        let other = (choice > 0).then(|| self.chosen[choice - 1].replace(Some(element))).flatten();
        if other.is_some_and(|other| other != element) {
            level.fault(element.name(), Fault::SecondChoice);
        }
        of.set(of.get() | bit);
    }

    fn complete(&self, level: &Level<'_>) {
        let mut missing = level.of.required() & !(self.values.get() | self.companions.get());
        while missing != 0 {
            let slot = missing.trailing_zeros();
            missing &= missing - 1;
            let element = u8::try_from(slot).ok().and_then(|slot| level.of.in_slot(slot));
            if let Some(element) = element {
                level.fault(&wanted(element), Fault::Missing);
            }
        }
    }
}

/// The name of what is missing: of a choice, as the specification writes it.
fn wanted(element: &Element) -> String {
    if element.choice() == 0 { element.name().to_owned() } else { format!("{}[x]", element.stem()) }
}
