//! The value of an element.

use hlctl_r4::{Element, Kind, Primitive, Type};

use super::concept;
use super::fault::Fault;
use super::object::Level;
use super::reference::is_reference;
use super::{Walk, primitive};
use crate::json::{NotJson, Text};

impl Walk<'_> {
    /// Goes past the value of an element, a list or not. Says whether it is a list of primitives with a `null` in it.
    pub(super) fn value(&mut self, level: &Level<'_>, element: &'static Element) -> Result<bool, NotJson> {
        let mut has_null = false;
        if !element.is_list() {
            self.one(level, element, false)?;
            return Ok(has_null);
        }
        match self.cursor.peek() {
            b'[' => {
                let mut has_more = self.cursor.open(b'[', b']')?;
                if !has_more {
                    self.found.note(level, element.name(), Fault::Empty);
                }
                while has_more {
                    has_null |= self.cursor.peek() == b'n';
                    self.one(level, element, true)?;
                    has_more = self.cursor.has_more(b']')?;
                }
                // Of other lists it has been noted.
                has_null &= matches!(element.kind(), Kind::Primitive(_));
            }
            b'n' => {
                self.found.note(level, element.name(), Fault::Null);
                self.cursor.word()?;
            }
            _ => {
                self.found.note(level, element.name(), Fault::NotAList);
                self.cursor.skip()?;
            }
        }
        Ok(has_null)
    }

    /// Goes past one value: of an element that is no list, or of the list. In a list, `null` may stand for a
    /// value that only its companion has; [`Walk::align`] looks at that.
    fn one(&mut self, level: &Level<'_>, element: &'static Element, in_list: bool) -> Result<(), NotJson> {
        let kind = element.kind();
        match (self.cursor.peek(), kind) {
            (b'{', Kind::Resource) => self.resource(Some((level, element))),
            (b'{', Kind::Complex(of)) => {
                let start = self.cursor.place();
                let inner = Level { of, element: Some(element), parent: Some(level), is_resource: false };
                let before = self.found.issues.len();
                self.members(&inner)?;
                // Whether a concept has one of the codes is known only when all of it was seen.
                if element.is_bound() && !concept::has_allowed_code(self.cursor.since(start), element) {
                    self.found.note(level, element.name(), Fault::Code);
                    self.found.issues[before..].rotate_right(1);
                }
                Ok(())
            }
            (b'"', Kind::Primitive(of)) if of != Primitive::Boolean && !is_number(of) => {
                let text = self.cursor.string()?;
                self.text(level, element, of, text);
                Ok(())
            }
            (b't' | b'f', Kind::Primitive(Primitive::Boolean)) => self.cursor.word(),
            (b'-' | b'0'..=b'9', Kind::Primitive(of)) if is_number(of) => {
                let number = self.cursor.number()?;
                if of != Primitive::Decimal && !is_whole(of, number) {
                    self.found.note(level, element.name(), Fault::Format(of));
                }
                Ok(())
            }
            (b'[', Kind::Primitive(_) | Kind::Complex(_)) => {
                self.found.note(level, element.name(), Fault::IsAList);
                self.cursor.skip()
            }
            (b'n', Kind::Primitive(_) | Kind::Complex(_)) => {
                if !in_list || !matches!(kind, Kind::Primitive(_)) {
                    self.found.note(level, element.name(), Fault::Null);
                }
                self.cursor.word()
            }
            _ => {
                self.found.note(level, element.name(), wanted(kind));
                self.cursor.skip()
            }
        }
    }

    fn text(&mut self, level: &Level<'_>, element: &'static Element, of: Primitive, text: Text<'_>) {
        let is_reference = is_reference(level.of) && element.name() == "reference";
        let is_free = match of {
            Primitive::String | Primitive::Markdown => true,
            // Narratives are long, and of most of them the ends need no decoding.
            Primitive::Xhtml => primitive::is_good(of, text.raw),
            _ => false,
        };
        if text.raw.is_empty() {
            self.found.note(level, element.name(), Fault::Empty);
        }
        if is_free && !is_reference && !element.is_bound() {
            return;
        }
        let said = text.get();
        if is_reference {
            self.found.refer(level, &said);
        }
        if said.is_empty() {
            return;
        }
        if !primitive::is_good(of, &said) {
            self.found.note(level, element.name(), Fault::Format(of));
        } else if !element.allows(&said) {
            self.found.note(level, element.name(), Fault::Code);
        }
    }

    /// Goes past what a primitive element has apart from its value: an id and extensions, of a list one for each value or `null`.
    /// Says whether it is a list with a `null` in it.
    pub(super) fn companion(&mut self, level: &Level<'_>, element: &'static Element) -> Result<bool, NotJson> {
        let mut has_null = false;
        if !element.is_list() || self.cursor.peek() != b'[' {
            self.one_companion(level, element, false)?;
            return Ok(has_null);
        }
        let mut has_more = self.cursor.open(b'[', b']')?;
        if !has_more {
            self.found.note(level, element.name(), Fault::Empty);
        }
        while has_more {
            has_null |= self.cursor.peek() == b'n';
            self.one_companion(level, element, true)?;
            has_more = self.cursor.has_more(b']')?;
        }
        Ok(has_null)
    }

    fn one_companion(&mut self, level: &Level<'_>, element: &'static Element, in_list: bool) -> Result<(), NotJson> {
        let Some(of) = Type::element_itself() else { return self.cursor.skip() };
        match self.cursor.peek() {
            b'{' => {
                if element.is_list() && !in_list {
                    self.found.note(level, element.name(), Fault::NotAList);
                }
                self.members(&Level { of, element: Some(element), parent: Some(level), is_resource: false })
            }
            b'[' => {
                self.found.note(level, element.name(), Fault::IsAList);
                self.cursor.skip()
            }
            b'n' => {
                if !in_list {
                    self.found.note(level, element.name(), Fault::Null);
                }
                self.cursor.word()
            }
            _ => {
                self.found.note(level, element.name(), Fault::NotAnObject);
                self.cursor.skip()
            }
        }
    }
}

/// What is said of a value of another JSON type.
fn wanted(kind: Kind) -> Fault {
    match kind {
        Kind::Complex(_) | Kind::Resource => Fault::NotAnObject,
        Kind::Primitive(Primitive::Boolean) => Fault::NotABoolean,
        Kind::Primitive(of) if is_number(of) => Fault::NotANumber(of),
        Kind::Primitive(of) => Fault::NotText(of),
    }
}

fn is_number(of: Primitive) -> bool {
    matches!(of, Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt | Primitive::Decimal)
}

/// Whether a JSON number is a whole one within the bounds of its type. R4 has no negative zero.
fn is_whole(of: Primitive, number: &str) -> bool {
    number != "-0" && number.parse().is_ok_and(|number| primitive::is_whole(of, number))
}
