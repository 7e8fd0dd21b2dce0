//! The structure of FHIR R4 (4.0.1): which elements each type has, of which type and how often, and the codes of required
//! bindings. Generated from HL7's definitions by `cargo xtask r4`; nothing here decides what becomes of a resource.
//!
//! The tables hold numbers instead of pointers, so that they cost nothing at start.

mod form;
mod tables;

use std::sync::LazyLock;

use form::Form;

/// Makes the enum of primitive types from one list, in the order of the generator's numbers.
macro_rules! primitives {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A primitive type (R4 specification, "Data Types").
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Primitive {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
        }

        impl Primitive {
            /// All of them, by their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in the specification.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

primitives! {
    Boolean "boolean",
    Integer "integer",
    UnsignedInt "unsignedInt",
    PositiveInt "positiveInt",
    Decimal "decimal",
    String "string",
    Markdown "markdown",
    Code "code",
    Id "id",
    Uri "uri",
    Url "url",
    Canonical "canonical",
    Oid "oid",
    Uuid "uuid",
    Base64Binary "base64Binary",
    Instant "instant",
    Date "date",
    DateTime "dateTime",
    Time "time",
    Xhtml "xhtml",
}

/// Complex types are numbered from here on, as in the generator.
const FIRST_COMPLEX: u16 = 32;
const ANY_RESOURCE: u16 = 0xffff;
/// Forms of codes are numbered from here on, as in the generator; below are lists of codes.
const FIRST_FORM: u16 = 0x8000;

/// What the value of an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A primitive.
    Primitive(Primitive),
    /// A type with elements.
    Complex(&'static Type),
    /// A resource, which says its type itself.
    Resource,
}

/// A type with elements: a resource, a data type, or a part of one of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Type {
    name: &'static str,
    is_resource: bool,
    first: u16,
    count: u16,
    required: u128,
}

/// An element of a type, by one of the names that it has in JSON: `valueQuantity` and `valueString` are two.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    name: u16,
    kind: u16,
    codes: u16,
    slot: u8,
    group: u8,
    /// Bytes of the name that say the type of a choice's value.
    suffix: u8,
    list: bool,
}

const fn t(name: &'static str, is_resource: bool, first: u16, count: u16, required: u128) -> Type {
    Type { name, is_resource, first, count, required }
}

const fn e(name: u16, kind: u16, codes: u16, slot: u8, group: u8, suffix: u8, list: bool) -> Element {
    Element { name, kind, codes, slot, group, suffix, list }
}

/// The number of an element's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name(u16);

impl Name {
    /// The number of a name that some type of R4 has.
    pub fn of(name: &str) -> Option<Self> {
        static NUMBERS: LazyLock<Places> = LazyLock::new(|| Places::new(tables::NAMES.iter().copied()));
        NUMBERS.find(name, |number| tables::NAMES[number]).map(Self)
    }
}

/// Names of one length that begin and end alike have one hash; few do.
fn hash(name: &str) -> usize {
    let bytes = name.as_bytes();
    let short = |bytes: &[u8]| match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let word = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(27),
        _ => short(bytes),
    };
    // Knuth's multiplicative hashing, with 2^64 divided by the golden ratio.
    let mixed = (word ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}

/// Numbers of things that have names, by the hash of the name: open addressing, four places for each.
struct Places {
    places: Box<[u16]>,
}

const NONE: u16 = u16::MAX;

impl Places {
    fn new<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> Self {
        let mut places = vec![NONE; (names.len() * 4).next_power_of_two()].into_boxed_slice();
        for (number, name) in names.enumerate() {
            let mut at = hash(name) & (places.len() - 1);
            while places[at] != NONE {
                at = (at + 1) & (places.len() - 1);
            }
            places[at] = u16::try_from(number).unwrap_or(NONE);
        }
        Self { places }
    }

    /// The number of a name; `name_of` gives that of a number.
    fn find<'n>(&self, name: &str, name_of: impl Fn(usize) -> &'n str) -> Option<u16> {
        let mut at = hash(name) & (self.places.len() - 1);
        loop {
            match self.places[at] {
                NONE => return None,
                number if name_of(usize::from(number)) == name => return Some(number),
                _ => at = (at + 1) & (self.places.len() - 1),
            }
        }
    }
}

/// The codes of each binding that can be listed.
struct Codes(Vec<(Vec<&'static str>, Places)>);

impl Codes {
    fn new() -> Self {
        let places = |codes: Vec<&'static str>| {
            let places = Places::new(codes.iter().copied());
            (codes, places)
        };
        Self(tables::CODES.iter().map(|codes| places(codes.split(' ').collect())).collect())
    }

    fn has(&self, binding: usize, code: &str) -> bool {
        let (codes, places) = &self.0[binding];
        places.find(code, |number| codes[number]).is_some()
    }
}

impl Type {
    /// The resource types, in the order of their names.
    pub fn resources() -> &'static [&'static Self] {
        static RESOURCES: LazyLock<Vec<&'static Type>> = LazyLock::new(|| {
            let mut all: Vec<_> = tables::TYPES.iter().filter(|of| of.is_resource).collect();
            all.sort_by_key(|of| of.name);
            all
        });
        &RESOURCES
    }

    /// The place in [`Type::resources`] of the resource type of this name.
    pub fn resource_number(name: &str) -> Option<usize> {
        static PLACES: LazyLock<Places> = LazyLock::new(|| Places::new(Type::resources().iter().map(|of| of.name)));
        let all = Self::resources();
        PLACES.find(name, |number| all[number].name).map(usize::from)
    }

    /// The resource type of this name.
    pub fn resource(name: &str) -> Option<&'static Self> {
        Self::resource_number(name).map(|number| Self::resources()[number])
    }

    /// What every primitive element has in addition to its value: an id and extensions (R4 specification, "JSON Representation").
    pub fn element_itself() -> Option<&'static Self> {
        static ELEMENT: LazyLock<Option<&'static Type>> = LazyLock::new(|| Type::named("Element"));
        *ELEMENT
    }

    /// The type of this name, such as `HumanName` or `Patient.contact`.
    pub fn named(name: &str) -> Option<&'static Self> {
        tables::TYPES.iter().find(|of| of.name == name)
    }

    /// Its name; that of a part is its path, such as `Patient.contact`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The element of that name.
    pub fn element(&self, name: Name) -> Option<&'static Element> {
        let elements = self.elements();
        let place = elements.binary_search_by_key(&name.0, |element| element.name).ok()?;
        Some(&elements[place])
    }

    /// All elements, by the number of their names.
    pub fn elements(&self) -> &'static [Element] {
        let first = usize::from(self.first);
        &tables::ELEMENTS[first..first + usize::from(self.count)]
    }

    /// The slots of the elements that must be there, as a mask.
    pub fn required(&self) -> u128 {
        self.required
    }

    /// The element that has a slot: of a choice, any one.
    pub fn in_slot(&self, slot: u8) -> Option<&'static Element> {
        self.elements().iter().find(|element| element.slot == slot)
    }
}

impl Element {
    /// Its name in JSON.
    pub fn name(&self) -> &'static str {
        tables::NAMES[usize::from(self.name)]
    }

    /// Its name without the type of its value: `value` of `valueString`.
    pub fn stem(&self) -> &'static str {
        let name = self.name();
        if self.group == 0 { name } else { &name[..name.len().saturating_sub(usize::from(self.suffix))] }
    }

    /// What its value is, or each value of the list.
    pub fn kind(&self) -> Kind {
        match self.kind {
            ANY_RESOURCE => Kind::Resource,
            number if number < FIRST_COMPLEX => Kind::Primitive(Primitive::ALL[usize::from(number)]),
            number => Kind::Complex(&tables::TYPES[usize::from(number - FIRST_COMPLEX)]),
        }
    }

    /// Whether it is a list.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// Its place among the elements of its type, below 128. The names of a choice share one.
    pub fn slot(&self) -> u8 {
        self.slot
    }

    /// Which choice of its type it belongs to, from 1 to 8; 0 if to none.
    pub fn choice(&self) -> u8 {
        self.group
    }

    /// The codes that a required binding allows, if it can be listed: of a code as it is, of a CodeableConcept as `system|code`.
    pub fn codes(&self) -> Option<impl Iterator<Item = &'static str> + Clone> {
        (self.codes != 0 && self.form().is_none()).then(|| tables::CODES[usize::from(self.codes)].split(' '))
    }

    /// Whether a required binding restricts the codes.
    pub fn is_bound(&self) -> bool {
        self.codes != 0
    }

    /// The form of the codes that a required binding allows, if they cannot be listed.
    fn form(&self) -> Option<Form> {
        Form::ALL.get(usize::from(self.codes.checked_sub(FIRST_FORM)?)).copied()
    }

    /// Whether [`Element::codes`] has this one, or it has the form of such that cannot be listed; of an element without a
    /// binding, any.
    pub fn allows(&self, code: &str) -> bool {
        static CODES: LazyLock<Codes> = LazyLock::new(Codes::new);
        if let Some(form) = self.form() {
            return form.has(code);
        }
        self.codes == 0 || CODES.has(usize::from(self.codes), code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(of: &str, name: &str) -> &'static Element {
        Type::named(of).and_then(|of| of.element(Name::of(name)?)).unwrap_or_else(|| panic!("{of}.{name}"))
    }

    #[test]
    fn every_name_of_every_type_is_found() {
        for of in &tables::TYPES {
            for wanted in of.elements() {
                assert_eq!(element(of.name(), wanted.name()), wanted);
                // Numbers of types are resolved.
                let _ = wanted.kind();
                assert_eq!(wanted.is_bound(), wanted.codes().is_some() || wanted.form().is_some());
                assert!(wanted.codes().into_iter().flatten().all(|code| wanted.allows(code)));
                assert_eq!(wanted.allows("no such code"), !wanted.is_bound());
            }
        }
    }

    #[test]
    fn patients_are_as_the_specification_has_them() {
        assert_eq!(element("Patient", "birthDate").kind(), Kind::Primitive(Primitive::Date));
        assert!(element("Patient", "name").is_list());
        let gender: Vec<_> = element("Patient", "gender").codes().into_iter().flatten().collect();
        assert_eq!(gender, ["female", "male", "other", "unknown"]);
        assert_eq!(element("Patient", "deceasedBoolean").choice(), element("Patient", "deceasedDateTime").choice());
        assert_eq!(element("Patient", "contained").kind(), Kind::Resource);
        assert!(Name::of("foo").is_none() && Type::resource("HumanName").is_none());
        assert_eq!(Type::resource("Patient").map(Type::name), Some("Patient"));
    }

    #[test]
    fn codes_that_cannot_be_listed_have_a_form() {
        let allows = |of, name, code| element(of, name).allows(code);
        assert!(allows("Money", "currency", "EUR") && !allows("Money", "currency", "euro"));
        assert!(allows("Attachment", "contentType", "image/png") && !allows("Attachment", "contentType", "png"));
        let unit = "http://unitsofmeasure.org|d";
        assert!(allows("ResearchElementDefinition.characteristic", "unitOfMeasure", unit));
        assert!(element("Money", "currency").codes().is_none());
    }

    #[test]
    fn the_resource_types_are_the_146_of_the_specification() {
        let names: Vec<_> = Type::resources().iter().map(|of| of.name()).collect();
        assert_eq!(names.len(), 146);
        assert!(names.is_sorted());
        assert_eq!((names[0], names[145]), ("Account", "VisionPrescription"));
        assert!(names.iter().all(|name| Type::resource(name).is_some_and(|of| of.name() == *name)));
    }

    #[test]
    fn what_must_be_there_is_known() {
        let observation = Type::named("Observation").unwrap_or_else(|| panic!());
        let required: Vec<_> = (0..128)
            .filter(|slot| observation.required() >> slot & 1 == 1)
            .filter_map(|slot| observation.in_slot(slot))
            .map(Element::name)
            .collect();
        assert_eq!(required, ["status", "code"]);
    }
}
