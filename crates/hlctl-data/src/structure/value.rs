//! The value of an element.

use std::fmt;

use hlctl_r4::{Element, Kind, Primitive, Type};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::concept;
use super::fault::Fault;
use super::object::{Level, Members};
use super::reference::is_reference;
use super::{primitive, resource_at};

/// The value of an element, a list or not.
pub(super) struct Value<'a> {
    pub(super) level: &'a Level<'a>,
    pub(super) element: &'static Element,
}

/// One value: of an element that is no list, or of the list.
struct One<'a> {
    level: &'a Level<'a>,
    element: &'static Element,
    /// `null` stands for a value that only its companion has.
    in_list: bool,
}

impl Value<'_> {
    fn fault(&self, fault: Fault) {
        self.level.fault(self.element.name(), fault);
    }

    fn one(&self, in_list: bool) -> One<'_> {
        One { level: self.level, element: self.element, in_list }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.element.is_list() {
            return deserializer.deserialize_any(self);
        }
        self.one(false).deserialize(deserializer)
    }
}

/// Of a list only: anything but a list is a fault.
impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let mut is_empty = true;
        while values.next_element_seed(self.one(true))?.is_some() {
            is_empty = false;
        }
        if is_empty {
            self.fault(Fault::Empty);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        self.fault(Fault::NotAList);
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.fault(Fault::NotAList);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.fault(Fault::NotAList);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.fault(Fault::NotAList);
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.fault(Fault::NotAList);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.fault(Fault::NotAList);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.fault(Fault::Null);
        Ok(())
    }
}

impl One<'_> {
    fn fault(&self, fault: Fault) {
        self.level.fault(self.element.name(), fault);
    }

    /// What a value of another JSON type is told.
    fn wrong(&self) {
        self.fault(match self.element.kind() {
            Kind::Complex(_) | Kind::Resource => Fault::NotAnObject,
            Kind::Primitive(Primitive::Boolean) => Fault::NotABoolean,
            Kind::Primitive(of) if is_number(of) => Fault::NotANumber(of),
            Kind::Primitive(of) => Fault::NotText(of),
        });
    }

    fn whole(&self, number: Option<i64>) {
        match self.element.kind() {
            Kind::Primitive(Primitive::Decimal) => {}
            Kind::Primitive(of) if is_number(of) => {
                if !number.is_some_and(|number| primitive::is_whole(of, number)) {
                    self.fault(Fault::Format(of));
                }
            }
            _ => self.wrong(),
        }
    }
}

fn is_number(of: Primitive) -> bool {
    matches!(of, Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt | Primitive::Decimal)
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.element.kind() {
            Kind::Resource => {
                let text = <&RawValue>::deserialize(deserializer)?.get();
                if text.starts_with('{') {
                    return resource_at(text, Some((self.level, self.element)), self.level.found)
                        .map_err(D::Error::custom);
                }
                self.wrong();
                Ok(())
            }
            // Whether a concept has one of the codes is known only when all of it was seen.
            Kind::Complex(_) if self.element.codes().is_some() => {
                let text = <&RawValue>::deserialize(deserializer)?.get();
                if !concept::has_allowed_code(text, self.element) {
                    self.fault(Fault::Code);
                }
                serde_json::Deserializer::from_str(text).deserialize_any(self).map_err(D::Error::custom)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if let Kind::Complex(of) = self.element.kind() {
            let level = Level { of, element: Some(self.element), parent: Some(self.level), found: self.level.found };
            return Members { level: &level, is_resource: false }.visit_map(members);
        }
        self.wrong();
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        self.fault(Fault::IsAList);
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        match self.element.kind() {
            Kind::Primitive(of) if of != Primitive::Boolean && !is_number(of) => {
                if is_reference(self.level.of) && self.element.name() == "reference" {
                    self.level.reference(text);
                }
                if text.is_empty() {
                    self.fault(Fault::Empty);
                } else if !primitive::is_good(of, text) {
                    self.fault(Fault::Format(of));
                } else if self.element.codes().is_some_and(|mut codes| !codes.any(|code| code == text)) {
                    self.fault(Fault::Code);
                }
            }
            _ => self.wrong(),
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        if self.element.kind() != Kind::Primitive(Primitive::Boolean) {
            self.wrong();
        }
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.whole(Some(number));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.whole(i64::try_from(number).ok());
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.whole(None);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if !self.in_list || !matches!(self.element.kind(), Kind::Primitive(_)) {
            self.fault(Fault::Null);
        }
        Ok(())
    }
}

/// What a primitive element has besides its value: an id and extensions, of a list one for each value or `null`.
pub(super) struct Companion<'a> {
    pub(super) level: &'a Level<'a>,
    pub(super) element: &'static Element,
}

impl<'de> DeserializeSeed<'de> for Companion<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Some(of) = Type::element_itself() else { return IgnoredAny::deserialize(deserializer).map(drop) };
        deserializer.deserialize_any(Sibling { companion: self, of, in_list: false })
    }
}

struct Sibling<'a> {
    companion: Companion<'a>,
    of: &'static Type,
    in_list: bool,
}

impl Sibling<'_> {
    fn wrong(&self) {
        self.companion.level.fault(self.companion.element.name(), Fault::NotAnObject);
    }
}

impl<'de> DeserializeSeed<'de> for Sibling<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sibling<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let Companion { level, element } = self.companion;
        if element.is_list() && !self.in_list {
            level.fault(element.name(), Fault::NotAList);
        }
        let level = Level { of: self.of, element: Some(element), parent: Some(level), found: level.found };
        Members { level: &level, is_resource: false }.visit_map(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let Companion { level, element } = self.companion;
        if !element.is_list() || self.in_list {
            level.fault(element.name(), Fault::IsAList);
            while values.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let next = || Sibling { companion: Companion { level, element }, of: self.of, in_list: true };
        while values.next_element_seed(next())?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.wrong();
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        if !self.in_list {
            self.companion.level.fault(self.companion.element.name(), Fault::Null);
        }
        Ok(())
    }
}
