//! A CSV file, read into columns that the mapping numbers.

use std::collections::HashMap;
use std::fmt;

use crate::limits;
use crate::mapping::{PRIMARY_KEY, Table};
use crate::records::{Record, Records};
use crate::report::Cause;

/// Why a file was not converted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileFault {
    /// It is larger than AWS accepts.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// It has more columns than AWS accepts.
    TooManyColumns(usize),
    /// It is in UTF-16.
    Utf16,
    /// It has no header.
    NoHeader,
    /// The header has quotation marks that break it.
    BrokenHeader(Cause),
    /// Two columns of one name; their numbers count from 1.
    DuplicateColumn(usize, usize),
    /// A column without a name, by its number.
    UnnamedColumn(usize),
    /// A key of the table is none of its columns.
    NoKeyColumn {
        /// The column.
        column: String,
        /// Whether semicolons or tabs seem to separate the cells.
        separator: Option<char>,
    },
    /// Another file has this table already.
    SecondFile,
}

impl FileFault {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::TooLarge { .. } => "split the file and run a job for each part".to_owned(),
            Self::TooManyColumns(_) => "remove columns that the mapping does not read, or split the table".to_owned(),
            Self::Utf16 => "save the file in UTF-8".to_owned(),
            Self::NoHeader => "write the names of the columns into the first line".to_owned(),
            Self::BrokenHeader(cause) => cause.hint().to_owned(),
            Self::DuplicateColumn(..) | Self::UnnamedColumn(_) => "give each column a name of its own".to_owned(),
            Self::NoKeyColumn { separator: Some(separator), .. } => {
                format!("separate the cells by commas: {} seem to separate them", spoken(*separator))
            }
            Self::NoKeyColumn { separator: None, .. } => {
                "correct the name in the mapping or in the first line of the file; names are case-sensitive".to_owned()
            }
            Self::SecondFile => "keep one file for each table".to_owned(),
        }
    }
}

fn spoken(separator: char) -> &'static str {
    match separator {
        ';' => "semicolons",
        '\t' => "tabs",
        _ => "other characters",
    }
}

impl fmt::Display for FileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "the file has {bytes} bytes; HealthLake takes {} MB", limits::FILE_BYTES >> 20)
            }
            Self::TooManyColumns(count) => {
                write!(f, "the file has {count} columns; HealthLake takes {}", limits::COLUMNS)
            }
            Self::Utf16 => f.write_str("the file is in UTF-16"),
            Self::NoHeader => f.write_str("the file has no header"),
            Self::BrokenHeader(cause) => write!(f, "the header {cause}"),
            Self::DuplicateColumn(one, other) => write!(f, "columns {one} and {other} have the same name"),
            Self::UnnamedColumn(at) => write!(f, "column {at} has no name"),
            Self::NoKeyColumn { column, .. } => {
                write!(f, "the file has no column {column}, which is a key of the table")
            }
            Self::SecondFile => f.write_str("another file has the rows of this table"),
        }
    }
}

impl std::error::Error for FileFault {}

/// The cells of a table, in one text.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    text: String,
    /// Where each cell ends.
    ends: Vec<u32>,
    /// The line of each row.
    lines: Vec<u32>,
    width: usize,
    /// For each column of the mapping that of the file.
    places: Vec<Option<usize>>,
    /// The names of the file's columns.
    pub(crate) header: Vec<String>,
    /// Rows that could not be read: their lines and why.
    pub(crate) broken: Vec<(u64, Cause)>,
}

impl Rows {
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The cell of a row; empty if the file has no such column.
    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        let Some(place) = self.places[column] else { return "" };
        let at = row * self.width + place;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        u64::from(self.lines[row])
    }

    /// The columns of the mapping that the file does not have.
    pub(crate) fn missing(&self) -> impl Iterator<Item = usize> {
        self.places.iter().enumerate().filter(|(_, place)| place.is_none()).map(|(column, _)| column)
    }

    /// Whether the mapping reads this column of the file.
    pub(crate) fn is_read(&self, place: usize) -> bool {
        self.places.contains(&Some(place))
    }

    /// The first row of each value of a column that is not empty.
    pub(crate) fn firsts(&self, column: usize) -> HashMap<&str, u32> {
        let mut firsts = HashMap::with_capacity(self.len());
        for row in 0..self.lines.len() {
            let key = self.cell(row, column);
            if !key.is_empty() {
                // Files are too small to have more rows.
                firsts.entry(key).or_insert(row as u32);
            }
        }
        firsts
    }

    /// The rows of each value of a column that is not empty, in their order, without those that are refused.
    pub(crate) fn groups(&self, column: usize, refused: &[bool]) -> HashMap<&str, Vec<u32>> {
        let mut groups: HashMap<&str, Vec<u32>> = HashMap::new();
        for row in (0..self.lines.len()).filter(|row| !refused[*row]) {
            let key = self.cell(row, column);
            if !key.is_empty() {
                groups.entry(key).or_default().push(row as u32);
            }
        }
        groups
    }
}

/// The names of a file's columns, if it can be read at all.
pub(crate) fn header(bytes: &[u8]) -> Result<Vec<String>, FileFault> {
    check_size(bytes)?;
    names(Records::of(bytes).next())
}

fn check_size(bytes: &[u8]) -> Result<(), FileFault> {
    if bytes.len() > limits::FILE_BYTES {
        return Err(FileFault::TooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(FileFault::Utf16);
    }
    Ok(())
}

fn names(record: Option<Record<'_>>) -> Result<Vec<String>, FileFault> {
    let record = record.ok_or(FileFault::NoHeader)?;
    if let Some(cause) = record.quotes {
        return Err(FileFault::BrokenHeader(cause));
    }
    if record.ends.len() > limits::COLUMNS {
        return Err(FileFault::TooManyColumns(record.ends.len()));
    }
    let names: Vec<String> = record.cells().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    for (at, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(FileFault::UnnamedColumn(at + 1));
        }
        if let Some(before) = names[..at].iter().position(|other| other == name) {
            return Err(FileFault::DuplicateColumn(before + 1, at + 1));
        }
    }
    Ok(names)
}

/// Reads the rows of a table. `keys` are the columns without which nothing can be done.
pub(crate) fn rows(bytes: &[u8], table: &Table, keys: &[usize]) -> Result<Rows, FileFault> {
    check_size(bytes)?;
    let mut records = Records::of(bytes);
    let header = names(records.next())?;
    let places: Vec<Option<usize>> =
        table.columns.iter().map(|column| header.iter().position(|name| name == column)).collect();
    for key in std::iter::once(&PRIMARY_KEY).chain(keys) {
        if places[*key].is_none() {
            let only = header.first().filter(|_| header.len() == 1);
            let separator = only.and_then(|name| name.chars().find(|char| [';', '\t'].contains(char)));
            return Err(FileFault::NoKeyColumn { column: table.columns[*key].clone(), separator });
        }
    }
    let width = header.len();
    let mut rows = Rows { width, places, header, ..Rows::default() };
    let is_text = std::str::from_utf8(bytes).is_ok();
    let mut text = Vec::with_capacity(bytes.len());
    while let Some(record) = records.next() {
        let cause = if record.quotes.is_some() {
            record.quotes
        } else if record.ends.len() != width {
            Some(Cause::CellCount)
        } else if !is_text && record.cells().any(|cell| std::str::from_utf8(cell).is_err()) {
            Some(Cause::NotUtf8)
        } else {
            None
        };
        if let Some(cause) = cause {
            rows.broken.push((record.line, cause));
            continue;
        }
        // Files are limited to 50 MB.
        rows.ends.extend(record.ends.iter().map(|end| (text.len() + end) as u32));
        text.extend_from_slice(record.text);
        rows.lines.push(u32::try_from(record.line).unwrap_or(u32::MAX));
    }
    // What is not UTF-8 was left out, cell by cell.
    rows.text = String::from_utf8(text).unwrap_or_default();
    Ok(rows)
}
