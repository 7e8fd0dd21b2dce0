//! What can be wrong with a mapping, with its place, its cause and what to do about it.

use std::fmt;

use crate::limits;
use crate::transform::{DateFault, ExpressionFault, PatternFault};
use crate::yaml::MappingPlace;

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MappingFault {
    /// It has more characters than AWS accepts.
    TooLarge(usize),
    /// It is no YAML.
    Syntax(String),
    /// It has more than one YAML document.
    SeveralDocuments,
    /// It has an alias (`*name`).
    Alias,
    /// It has a tag (`!name`).
    Tag,
    /// A key is no text.
    KeyNotText,
    /// Its nodes are nested deeper than a mapping needs.
    TooDeep,
    /// A key stands twice in one map.
    DuplicateKey(String),
    /// There is nothing in it.
    Nothing,
    /// Something else must stand here.
    NotA(Expected),
    /// A key that nothing reads here.
    UnknownKey {
        /// The key.
        key: String,
        /// One that is like it.
        similar: Option<&'static str>,
    },
    /// A key must be here and is not.
    MissingKey(&'static str),
    /// The text must not be empty.
    EmptyText,
    /// Two tables have one name.
    DuplicateTable(String),
    /// More tables than a job may have files.
    TooManyTables(usize),
    /// A table that the mapping does not have.
    UnknownTable {
        /// The name.
        name: String,
        /// One that is like it.
        similar: Option<String>,
    },
    /// No table has `resourceMappings`.
    NoResources,
    /// A table without `resourceMappings` has no foreign key, so that nothing can use its rows.
    NoForeignKeys,
    /// A type of resource that FHIR R4 does not have.
    UnknownResourceType {
        /// The name.
        name: String,
        /// One that is like it.
        similar: Option<String>,
    },
    /// A reference leads to a type that its table does not produce.
    NotProduced {
        /// The table.
        table: String,
        /// The type of resource.
        resource: String,
    },
    /// A path that is wrong.
    Path(PathFault),
    /// `id` is generated.
    GeneratedId,
    /// `resourceType` is set to something else than `targetResourceType`.
    OtherResourceType,
    /// Both `sourceColumn` and `sourceColumns`.
    BothColumns,
    /// A transform that reads a cell has no column.
    NoColumn(&'static str),
    /// `sourceColumns` with a transform that reads one cell.
    SeveralColumns(&'static str),
    /// A transform that is none of the eight.
    UnknownTransform(String),
    /// A `targetFhirType` that is none of the three.
    UnknownTargetType(String),
    /// The patterns of a date.
    Date(DateFault),
    /// An expression.
    Expression(ExpressionFault),
    /// A regular expression or its replacement.
    Pattern(PatternFault),
    /// A condition other than `present`.
    UnknownCondition(String),
    /// An `aggregationType` other than `array` and `merge`.
    UnknownAggregation(String),
    /// The table of an aggregation has no foreign key to the primary key of this one.
    NotAChild {
        /// The table that is aggregated.
        child: String,
        /// The table whose resource it becomes a part of.
        parent: String,
        /// Its primary key.
        key: String,
    },
    /// `arrayFieldMappings` without `groupByPk: true`.
    ArraysWithoutGroups,
    /// A plain word that YAML 1.1 reads as true or false.
    ReadAsBoolean(String),
    /// A value is written as text where R4 has another JSON type.
    WrittenAsText(&'static str),
    /// A value is written as a JSON type where R4 has another.
    WrittenAs {
        /// What `targetFhirType` makes of it.
        written: &'static str,
        /// What R4 has.
        wanted: &'static str,
    },
    /// A date with time has no time zone's offset, which R4 demands.
    NoOffset,
}

/// What must stand somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expected {
    /// A text.
    Text,
    /// A list.
    List,
    /// Keys with values.
    Map,
    /// `true` or `false`.
    Boolean,
}

/// What is wrong with a path into a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathFault {
    /// It is not of the form `name[0].family`.
    Form,
    /// A place in a list above 99.
    FarPlace,
    /// The type has no such element.
    UnknownElement {
        /// The type, such as `HumanName`.
        of: &'static str,
        /// The element.
        element: String,
        /// One that is like it.
        similar: Option<&'static str>,
    },
    /// An element is a list, and the path names no place in it.
    List(String),
    /// An element is no list, and the path names a place in it.
    NoList(String),
    /// An element is a value, and the path goes into it.
    NoParts(String),
    /// An element has parts, and the path ends there.
    Parts {
        /// The element.
        element: String,
        /// Its type.
        of: &'static str,
    },
    /// An element is a resource of its own.
    Resource(String),
    /// The path of an array names a place in it.
    ArrayPlace(String),
    /// Another field mapping gives the element a value as a whole.
    Taken(String),
}

/// The highest place in a list that a path may name.
pub(super) const MOST_PLACES: usize = 99;

impl PathFault {
    fn hint(&self) -> String {
        match self {
            Self::Form => {
                "write names with dots between them and places in square brackets: name[0].given[0]".to_owned()
            }
            Self::FarPlace => format!("places in lists begin at 0 and end at {MOST_PLACES} here"),
            Self::UnknownElement { similar: Some(similar), .. } => {
                format!(
                    "is it {similar}? names are case-sensitive, and of a choice the type is part of the name: valueQuantity"
                )
            }
            Self::UnknownElement { similar: None, .. } => {
                "look the element up in the R4 specification; of a choice the type is part of the name: valueQuantity"
                    .to_owned()
            }
            Self::List(element) => format!("write {element}[0]"),
            Self::NoList(element) => format!("write {element}"),
            Self::NoParts(element) => format!("end the path at {element}"),
            Self::Parts { element, .. } => {
                format!("name a part of it: {element}.…; `direct` may also copy JSON that is in a cell")
            }
            Self::Resource(_) => "produce the resource by a mapping of its own and refer to it".to_owned(),
            Self::ArrayPlace(element) => format!("write {element}: each row becomes an entry"),
            Self::Taken(_) => "map the element as a whole or its parts, not both".to_owned(),
        }
    }
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("the path is not of the form name[0].family"),
            Self::FarPlace => f.write_str("the path names a place that is too far in a list"),
            Self::UnknownElement { of, element, .. } => write!(f, "FHIR R4 defines no element {element} in {of}"),
            Self::List(element) => write!(f, "{element} is a list in FHIR R4, and the path names no place in it"),
            Self::NoList(element) => write!(f, "{element} is no list in FHIR R4, and the path names a place in it"),
            Self::NoParts(element) => write!(f, "{element} is a value in FHIR R4, and the path continues after it"),
            Self::Parts { element, of } => write!(f, "{element} is a {of} in FHIR R4, and the path ends there"),
            Self::Resource(element) => write!(f, "{element} is a resource of its own"),
            Self::ArrayPlace(element) => write!(f, "the path ends with a place in {element}"),
            Self::Taken(element) => write!(f, "{element} has a value as a whole by another field mapping"),
        }
    }
}

impl MappingFault {
    /// Whether the mapping works anyway.
    pub fn severity(&self) -> Severity {
        match self {
            Self::ReadAsBoolean(_) | Self::WrittenAsText(_) | Self::WrittenAs { .. } | Self::NoOffset => {
                Severity::Warning
            }
            _ => Severity::Error,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        let text = match self {
            Self::TooLarge(_) => "leave out comments and tables without files",
            Self::Syntax(_) => "check the indentation, the colons and the quotation marks around this place",
            Self::SeveralDocuments => "keep one document, without a second `---`",
            Self::Alias => "write out what it stands for: whether HealthLake resolves aliases is not documented",
            Self::Tag => "leave the tag out",
            Self::KeyNotText => "write a name before the colon",
            Self::TooDeep => "remove levels that do not belong to a mapping",
            Self::DuplicateKey(_) => "keep one of them",
            Self::Nothing => "begin with sourceSystemId and tables",
            Self::NotA(Expected::Text) => {
                "write a text after the colon, in quotation marks if it has special characters"
            }
            Self::NotA(Expected::List) => "write each entry on a line of its own that begins with `- `",
            Self::NotA(Expected::Map) => "write keys with colons, indented below this one",
            Self::NotA(Expected::Boolean) => "write true or false",
            Self::UnknownKey { similar: Some(similar), .. } => {
                return format!("is it {similar}? keys are case-sensitive");
            }
            Self::UnknownKey { similar: None, .. } => "leave it out; `hlctl docs transform` lists the keys",
            Self::MissingKey(key) => return format!("add {key}"),
            Self::EmptyText => "write a text",
            Self::DuplicateTable(_) => "put the resourceMappings of both into one entry",
            Self::TooManyTables(_) => "a job takes 20 files at most; split the mapping into two profiles",
            Self::UnknownTable { similar: Some(similar), .. } => {
                return format!("is it {similar}? names are case-sensitive");
            }
            Self::UnknownTable { similar: None, .. } => "add an entry with this tableName to tables",
            Self::NoResources => "give a table resourceMappings",
            Self::NoForeignKeys => "declare foreignKeys to the table whose resources use the rows, or resourceMappings",
            Self::UnknownResourceType { similar: Some(similar), .. } => {
                return format!("is it {similar}? names are case-sensitive");
            }
            Self::UnknownResourceType { similar: None, .. } => "write the type as FHIR R4 does: Patient, Observation",
            Self::NotProduced { .. } => "name a type of the table's resourceMappings",
            Self::Path(fault) => return fault.hint(),
            Self::GeneratedId => {
                "leave it out: ids are generated, and references rely on them; use identifier[0].value"
            }
            Self::OtherResourceType => "leave it out: targetResourceType says the type",
            Self::BothColumns => "keep one of sourceColumn and sourceColumns",
            Self::NoColumn(_) => "add sourceColumn",
            Self::SeveralColumns(_) => "write sourceColumn with one column, or use concat",
            Self::UnknownTransform(_) => {
                "use direct, concat, dateFormat, valueMap, expression, conditional, resourceReference or regex"
            }
            Self::UnknownTargetType(_) => "use boolean, integer or decimal, or leave it out for text",
            Self::Date(fault) => fault.hint(),
            Self::Expression(fault) => fault.hint(),
            Self::Pattern(fault) => fault.hint(),
            Self::UnknownCondition(_) => "write present, the only condition that HealthLake has",
            Self::UnknownAggregation(_) => "write array or merge",
            Self::NotAChild { child, parent, key } => {
                return format!(
                    "add to {child} a foreign key with referenceTableName {parent} and referenceColumnName {key}"
                );
            }
            Self::ArraysWithoutGroups => {
                "add groupByPk: true, or use aggregationMappings for the rows of another table"
            }
            Self::ReadAsBoolean(_) => "put it between quotation marks",
            Self::WrittenAsText(of) => return format!("add targetFhirType: {of}"),
            Self::WrittenAs { .. } => "change targetFhirType, or leave it out for text",
            Self::NoOffset => "add XXX, or the offset as text in single quotation marks: ss'-05:00'",
        };
        text.to_owned()
    }
}

impl fmt::Display for MappingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(chars) => {
                write!(f, "the mapping has {chars} characters; HealthLake accepts {}", limits::MAPPING_CHARS)
            }
            Self::Syntax(why) => write!(f, "this is no YAML: {why}"),
            Self::SeveralDocuments => f.write_str("a second YAML document begins here"),
            Self::Alias => f.write_str("this is a YAML alias"),
            Self::Tag => f.write_str("this is a YAML tag"),
            Self::KeyNotText => f.write_str("this key is no text"),
            Self::TooDeep => f.write_str("this is nested too deeply"),
            Self::DuplicateKey(key) => write!(f, "{key} stands here a second time"),
            Self::Nothing => f.write_str("the mapping is empty"),
            Self::NotA(Expected::Text) => f.write_str("this must be a text"),
            Self::NotA(Expected::List) => f.write_str("this must be a list"),
            Self::NotA(Expected::Map) => f.write_str("this must be keys with values"),
            Self::NotA(Expected::Boolean) => f.write_str("this must be true or false"),
            Self::UnknownKey { key, .. } => write!(f, "no key {key} is known here"),
            Self::MissingKey(key) => write!(f, "{key} is missing"),
            Self::EmptyText => f.write_str("this must not be empty"),
            Self::DuplicateTable(name) => write!(f, "a second table is named {name}"),
            Self::TooManyTables(count) => {
                write!(f, "the mapping has {count} tables; a job takes {} files", limits::FILES)
            }
            Self::UnknownTable { name, .. } => write!(f, "the mapping has no table {name}"),
            Self::NoResources => f.write_str("no table produces resources"),
            Self::NoForeignKeys => f.write_str("the table has neither resourceMappings nor foreignKeys"),
            Self::UnknownResourceType { name, .. } => write!(f, "FHIR R4 defines no resource type {name}"),
            Self::NotProduced { table, resource } => write!(f, "the table {table} produces no {resource}"),
            Self::Path(fault) => fault.fmt(f),
            Self::GeneratedId => f.write_str("the id of a resource cannot be mapped"),
            Self::OtherResourceType => f.write_str("resourceType is not targetResourceType"),
            Self::BothColumns => f.write_str("both sourceColumn and sourceColumns are given"),
            Self::NoColumn(transform) => write!(f, "{transform} reads a cell, and no column is given"),
            Self::SeveralColumns(transform) => write!(f, "{transform} reads one cell, and sourceColumns is given"),
            Self::UnknownTransform(name) => write!(f, "HealthLake has no transform {name}"),
            Self::UnknownTargetType(name) => write!(f, "HealthLake has no targetFhirType {name}"),
            Self::Date(fault) => fault.fmt(f),
            Self::Expression(fault) => fault.fmt(f),
            Self::Pattern(fault) => fault.fmt(f),
            Self::UnknownCondition(name) => write!(f, "HealthLake has no condition {name}"),
            Self::UnknownAggregation(name) => write!(f, "HealthLake has no aggregationType {name}"),
            Self::NotAChild { child, parent, key } => {
                write!(f, "the table {child} has no foreign key to the primary key {key} of {parent}")
            }
            Self::ArraysWithoutGroups => f.write_str("arrayFieldMappings needs groupByPk"),
            Self::ReadAsBoolean(word) => {
                write!(f, "{word} without quotation marks may be read as true or false (YAML 1.1)")
            }
            Self::WrittenAsText(of) => write!(f, "FHIR R4 has a {of} here, and the value is written as text"),
            Self::WrittenAs { written, wanted } => {
                write!(f, "FHIR R4 has a {wanted} here, and the value is written as {written}")
            }
            Self::NoOffset => {
                f.write_str("outputFormat has a time without an offset, which FHIR R4 does not allow here")
            }
        }
    }
}

/// Whether a mapping can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, and what it produces is doubtful.
    Warning,
}

/// A fault and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MappingProblem {
    /// The place in the text.
    pub place: MappingPlace,
    /// What is wrong.
    pub fault: MappingFault,
}

/// All that is wrong with a mapping that cannot be used, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingProblems(pub Vec<MappingProblem>);

impl fmt::Display for MappingProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}{}: {}", problem.place, problem.fault)?;
        }
        Ok(())
    }
}

impl std::error::Error for MappingProblems {}
