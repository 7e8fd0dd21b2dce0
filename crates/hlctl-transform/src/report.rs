//! What a conversion reports about files and rows: by cause, with places, and without the value of any cell.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::limits;
use crate::table::FileFault;

/// A file that was not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileTrouble {
    /// Its name.
    pub file: String,
    /// Why.
    pub fault: FileFault,
}

/// Why a row was not converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It has more or fewer cells than the header.
    CellCount,
    /// A quotation mark is not closed, so that the rest of the file is one cell.
    OpenQuote,
    /// Text follows the quotation mark that closes a cell; what seems to be one row may be several.
    TextAfterQuote,
    /// It is not in UTF-8.
    NotUtf8,
    /// Its primary key is empty.
    NoKey,
    /// An earlier row has its primary key.
    DuplicateKey,
    /// A cell is no date of the mapping's form.
    NotADate,
    /// A cell that becomes an element with parts is no JSON object.
    NotJson,
    /// The JSON in a cell is larger than AWS accepts.
    JsonTooLarge,
    /// The JSON in a cell has more levels than AWS accepts.
    JsonTooDeep,
    /// No field of a resource has a value.
    NothingMapped,
}

impl Cause {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::CellCount => {
                "check the commas and quotation marks of the row; cells with commas need quotation marks"
            }
            Self::OpenQuote => "close the quotation mark; within a cell two in a row are one",
            Self::TextAfterQuote => {
                "close the cells of this row and of the next ones; within a cell two quotation marks are one"
            }
            Self::NotUtf8 => "save the file in UTF-8",
            Self::NoKey => "give the row a primary key, or name another column as primaryKeyColumn",
            Self::DuplicateKey => "remove the row, or collect rows of one key with groupByPk: true",
            Self::NotADate => "correct the cell, or inputFormat if the data has another form",
            Self::NotJson => "write a JSON object into the cell, or map the parts of the element",
            Self::JsonTooLarge => "HealthLake takes 2 KB of JSON in a cell; move it into columns",
            Self::JsonTooDeep => "HealthLake takes five levels of JSON in a cell; move it into columns",
            Self::NothingMapped => "fill in the cells that the mapping reads, or remove the row",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CellCount => f.write_str("has not as many cells as the header"),
            Self::OpenQuote => f.write_str("has a quotation mark that is not closed before the end of the file"),
            Self::TextAfterQuote => f.write_str("has text after the quotation mark that closes a cell"),
            Self::NotUtf8 => f.write_str("is not in UTF-8"),
            Self::NoKey => f.write_str("has no primary key"),
            Self::DuplicateKey => f.write_str("has the primary key of an earlier row"),
            Self::NotADate => f.write_str("has a cell that is no date of this form"),
            Self::NotJson => f.write_str("has a cell that is no JSON object"),
            Self::JsonTooLarge => write!(f, "has JSON of more than {} bytes in a cell", limits::JSON_BYTES),
            Self::JsonTooDeep => write!(f, "has JSON of more than {} levels in a cell", limits::JSON_LEVELS),
            Self::NothingMapped => f.write_str("has no value for any element of the resource"),
        }
    }
}

/// Rows that were not converted for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RowTrouble {
    /// The table.
    pub table: String,
    /// Why.
    pub cause: Cause,
    /// The element that a value was for, such as `Patient.birthDate`, if it is about one.
    pub element: Option<String>,
    /// The column that was read for it.
    pub column: Option<String>,
    /// How many rows.
    pub count: u64,
    /// The line of the first in its file; the header is line 1.
    pub line: u64,
}

/// What AWS does without a word, and what else is worth a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A value that no entry of a valueMap has; the element is left out.
    Unmatched,
    /// A value that is no number; the element is left out.
    NotANumber,
    /// A value that is none of true, false, 1 and 0, and becomes false.
    NotABoolean,
    /// A value that a regular expression does not match; it stays as it is.
    NoMatch,
    /// A reference to a row that the files do not have.
    NoTarget,
    /// A row whose foreign key leads to no row; nothing uses it.
    NoParent,
    /// A column that the mapping reads and the file does not have.
    MissingColumn,
    /// A table of the mapping without a file.
    MissingFile,
}

impl NoticeKind {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Unmatched => "add the values to the mapping, or accept that the element is missing",
            Self::NotANumber => "correct the cells, or use regex to take the number out of them",
            Self::NotABoolean => "use valueMap to translate the values to true and false",
            Self::NoMatch => "correct the pattern if it should match all values",
            Self::NoTarget => "add the missing rows, or make sure that the store has them already",
            Self::NoParent => "add the missing rows to the parent table, or remove these",
            Self::MissingColumn => "correct the name in the mapping; names are case-sensitive",
            Self::MissingFile => "add the file, or correct tableName; names are case-sensitive",
        }
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unmatched => "value without an entry in the valueMap: the element is left out",
            Self::NotANumber => "value that is no such number: the element is left out",
            Self::NotABoolean => "value that is none of true, false, 1 and 0: it becomes false",
            Self::NoMatch => "value that the pattern does not match: it stays as it is",
            Self::NoTarget => "reference to a row that the files do not have",
            Self::NoParent => "row whose foreign key leads to no row: nothing uses it",
            Self::MissingColumn => "column that the file does not have",
            Self::MissingFile => "table without a file",
        })
    }
}

/// Values that were left out or changed without an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Notice {
    /// The table.
    pub table: String,
    /// What.
    pub kind: NoticeKind,
    /// The element that a value was for, if it is about one.
    pub element: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// How many.
    pub count: u64,
    /// The line of the first in its file, if it is about rows.
    pub line: Option<u64>,
}

/// How often something was met, and where first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    pub(crate) count: u64,
    pub(crate) line: u64,
}

/// Kinds of things, counted. `F` is what a count is about.
#[derive(Debug)]
pub(crate) struct Tallies<F>(BTreeMap<F, Tally>);

impl<F> Default for Tallies<F> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<F: Ord> Tallies<F> {
    pub(crate) fn note(&mut self, of: F, line: u64) {
        let tally = self.0.entry(of).or_insert(Tally { count: 0, line });
        tally.count += 1;
        tally.line = tally.line.min(line);
    }

    pub(crate) fn into_iter(self) -> impl Iterator<Item = (F, Tally)> {
        self.0.into_iter()
    }
}
