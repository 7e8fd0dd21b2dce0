//! What can be wrong with the structure of a resource.

use std::fmt;

use hlctl_r4::Primitive;

/// What is wrong with an element. Two of one fault at one path are the same kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An element of it is none that R4 has there.
    UnknownElement,
    /// It must be there and is not.
    Missing,
    /// It is a list, and one value stands there.
    NotAList,
    /// It is one value, and a list stands there.
    IsAList,
    /// It has elements, and something else stands there.
    NotAnObject,
    /// It is text, and something else stands there.
    NotText(Primitive),
    /// It is a JSON number, and something else stands there.
    NotANumber(Primitive),
    /// It is true or false, and something else stands there.
    NotABoolean,
    /// The text or number is not of the form of its type.
    Format(Primitive),
    /// The code is none of those that R4 allows there.
    Code,
    /// A second value of a choice, such as `valueString` next to `valueQuantity`.
    SecondChoice,
    /// An object without members, a list without values, or a text without characters.
    Empty,
    /// `null` where a value must be.
    Null,
    /// A resource does not say its type.
    NoResourceType,
    /// The resource says a type that R4 does not have.
    UnknownResourceType,
}

/// A fault and the element that has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// The path of the element, such as `Patient.contact.gender`, without the places in lists.
    pub path: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Fault {
    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::UnknownElement => "leave it out, or write it as an extension; names are case-sensitive",
            Self::Missing => "add it; where it is not known, an extension `data-absent-reason` says why",
            Self::NotAList => "put the value between [ and ], even if it is the only one",
            Self::IsAList => "write only the value, without [ and ]",
            Self::NotAnObject | Self::NotText(_) | Self::NotANumber(_) | Self::NotABoolean => {
                "write it as the JSON type that the specification gives it"
            }
            Self::Format(of) => form(of),
            Self::Code => "take a code from the value set that the specification binds it to",
            Self::SecondChoice => "keep one of the values",
            Self::Empty | Self::Null => "leave the element out",
            Self::NoResourceType => "add the resourceType of the resource",
            Self::UnknownResourceType => "write the type as FHIR R4 does: Patient, Observation",
        }
    }
}

/// The form of a primitive type, by example.
fn form(of: Primitive) -> &'static str {
    match of {
        Primitive::Date => "write a day, a month or a year: 2024-02-29, 2024-02, 2024",
        Primitive::DateTime => "write a date, or a date with seconds and time zone: 2024-02-29T10:00:00+01:00",
        Primitive::Instant => "write a date with seconds and time zone: 2024-02-29T10:00:00Z",
        Primitive::Time => "write hours, minutes and seconds: 10:00:00",
        Primitive::Integer => "write a whole number of 32 bits, without a fraction",
        Primitive::UnsignedInt => "write a whole number from 0 on, without a fraction",
        Primitive::PositiveInt => "write a whole number from 1 on, without a fraction",
        Primitive::Id => "write up to 64 letters, digits, `-` and `.`",
        Primitive::Code => "write it without space around it, and with one space at most between words",
        Primitive::Uri | Primitive::Url | Primitive::Canonical => "write it without white space",
        Primitive::Oid => "write `urn:oid:` and the numbers",
        Primitive::Uuid => "write `urn:uuid:` and the UUID in small letters",
        Primitive::Base64Binary => "write groups of four characters of base64, with `=` at the end alone",
        Primitive::Xhtml => "write one `div` of XHTML: <div xmlns=\"http://www.w3.org/1999/xhtml\">...</div>",
        _ => "write it as the specification's page \"Data Types\" has it",
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownElement => f.write_str("has an element that FHIR R4 does not define"),
            Self::Missing => f.write_str("is missing, but FHIR R4 requires it"),
            Self::NotAList => f.write_str("must be a list"),
            Self::IsAList => f.write_str("must not be a list"),
            Self::NotAnObject => f.write_str("must be an object"),
            Self::NotText(of) => write!(f, "must be a string ({})", of.name()),
            Self::NotANumber(of) => write!(f, "must be a JSON number ({})", of.name()),
            Self::NotABoolean => f.write_str("must be true or false"),
            Self::Format(of) => write!(f, "is not a valid {}", of.name()),
            Self::Code => f.write_str("has a code that FHIR R4 does not allow there"),
            Self::SecondChoice => f.write_str("is a second value where FHIR R4 allows one"),
            Self::Empty => f.write_str("is empty"),
            Self::Null => f.write_str("is null"),
            Self::NoResourceType => f.write_str("has no resourceType"),
            Self::UnknownResourceType => f.write_str("has a resourceType that FHIR R4 does not define"),
        }
    }
}
