//! A mapping, made ready to be applied.

mod fault;
mod path;
mod read;

use std::collections::{BTreeMap, HashMap};

pub use fault::{Expected, MappingFault, MappingProblem, MappingProblems, PathFault, Severity};

use crate::identity::Identities;
use crate::transform::{DateFormats, Expression, Pattern};

/// How CSV files become FHIR resources.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub(crate) tables: Vec<Table>,
    /// The number of fields in all.
    pub(crate) fields: Vec<FieldName>,
    warnings: Vec<MappingProblem>,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// All that is wrong with it, with warnings among it, if anything keeps it from being used.
    pub fn parse(text: &str) -> Result<Self, MappingProblems> {
        read::mapping(text)
    }

    /// What is doubtful about it.
    pub fn warnings(&self) -> &[MappingProblem] {
        &self.warnings
    }

    /// Which tables belong together, by name: the same number where rows of one are needed to convert those of the other, as a part of a resource
    /// or for a reference.
    pub fn families(&self) -> BTreeMap<String, usize> {
        let mut family: Vec<usize> = (0..self.tables.len()).collect();
        for (number, table) in self.tables.iter().enumerate() {
            let mut others: Vec<usize> = Vec::new();
            for resource in &table.resources {
                others.extend(resource.children.iter().map(|children| children.table));
                resource.plan.note_references(&mut others);
            }
            for other in others {
                let (kept, gone) = (family[number], family[other]);
                family.iter_mut().filter(|one| **one == gone).for_each(|one| *one = kept);
            }
        }
        self.tables.iter().map(|table| table.name.clone()).zip(family).collect()
    }

    /// The names of its tables, in its order.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }
}

/// A field as messages name it.
#[derive(Clone, Debug)]
pub(crate) struct FieldName {
    /// Its path in the resource, such as `Patient.name[0].family`.
    pub(crate) path: String,
    /// The column, of the first if there are several.
    pub(crate) column: Option<String>,
}

/// A table: one CSV file.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// The columns that anything reads, by which the rest numbers them; the primary key is the first.
    pub(crate) columns: Vec<String>,
    pub(crate) resources: Vec<ResourceMapping>,
}

pub(crate) const PRIMARY_KEY: usize = 0;

/// What becomes of a row, or of all rows with one primary key.
#[derive(Clone, Debug)]
pub(crate) struct ResourceMapping {
    pub(crate) resource: &'static str,
    pub(crate) identities: Identities,
    pub(crate) grouped: bool,
    pub(crate) plan: Plan,
    pub(crate) children: Vec<Children>,
}

/// The rows of another table that belong to a row.
#[derive(Clone, Debug)]
pub(crate) struct Children {
    pub(crate) table: usize,
    /// The column of the foreign key.
    pub(crate) key: usize,
}

/// What is written for an element.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    /// The last of these that gives a value.
    Value(Vec<Field>),
    /// Elements by name.
    Object(Vec<(String, Plan)>),
    List {
        /// Entries with a place of their own, in its order.
        fixed: Vec<(usize, Plan)>,
        /// Entries for rows.
        rows: Vec<(Rows, Plan)>,
    },
}

impl Plan {
    /// Adds the tables that values refer to.
    fn note_references(&self, tables: &mut Vec<usize>) {
        match self {
            Self::Value(fields) => tables.extend(fields.iter().filter_map(|field| match field.transform {
                Transform::Reference { table, .. } => Some(table),
                _ => None,
            })),
            Self::Object(members) => members.iter().for_each(|(_, plan)| plan.note_references(tables)),
            Self::List { fixed, rows } => {
                fixed.iter().for_each(|(_, plan)| plan.note_references(tables));
                rows.iter().for_each(|(_, plan)| plan.note_references(tables));
            }
        }
    }
}

/// The rows that a part of a resource is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The row itself, or the first of a group.
    Own,
    /// All rows of a group.
    Group,
    /// Those of a child table, by its number in [`ResourceMapping::children`].
    Children(usize),
}

/// A field mapping.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its number in [`Mapping::fields`].
    pub(crate) number: usize,
    pub(crate) rows: Rows,
    pub(crate) columns: Vec<usize>,
    pub(crate) transform: Transform,
    pub(crate) target: Target,
}

/// The JSON type of a value (CSV profiles, "targetFhirType").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Text,
    Boolean,
    Integer,
    Decimal,
    /// JSON in the cell, for an element with parts.
    Json,
}

#[derive(Clone, Debug)]
pub(crate) enum Transform {
    Direct,
    Concat { separator: String },
    Date(Box<DateFormats>),
    Map(HashMap<String, String>),
    Expression(Expression),
    Conditional { present: String, absent: Option<String> },
    Reference { table: usize, resource: &'static str, identities: Identities },
    Pattern(Box<Pattern>),
}
