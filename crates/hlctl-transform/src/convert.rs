//! Applies a mapping to files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use crate::drift::{Drift, DriftSummary, UnmappedColumns, UnmappedTable, rate};
use crate::identity::reference;
use crate::limits;
use crate::mapping::{Children, Field, Mapping, PRIMARY_KEY, Plan, ResourceMapping, Rows as Of, Target, Transform};
use crate::output;
use crate::report::{Cause, FileTrouble, Notice, NoticeKind, RowTrouble, Tallies};
use crate::table::{self, FileFault, Rows};
use crate::transform::Part;

/// A file to convert.
#[derive(Clone, Copy, Debug)]
pub struct SourceFile<'a> {
    /// Its name, such as `PATIENTS.csv`.
    pub name: &'a str,
    /// What is in it.
    pub bytes: &'a [u8],
}

/// More files than AWS accepts for one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyFiles(pub usize);

impl TooManyFiles {
    /// What to do about it.
    pub fn hint(self) -> &'static str {
        "convert the files in several jobs; files that refer to one another belong together"
    }
}

impl fmt::Display for TooManyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} CSV files; HealthLake takes {} in one job", self.0, limits::FILES)
    }
}

impl std::error::Error for TooManyFiles {}

/// The resources of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The table.
    pub table: String,
    /// The resources, each on a line.
    pub ndjson: String,
    /// How many there are.
    pub resources: u64,
}

/// What became of the files.
#[derive(Clone, Debug, Default)]
pub struct Conversion {
    /// The resources of each file that the mapping has a table with resources for, in the order of the mapping.
    pub converted: Vec<Converted>,
    /// Files that were not converted.
    pub files: Vec<FileTrouble>,
    /// Rows that were not converted.
    pub rows: Vec<RowTrouble>,
    /// What was left out or changed without an error.
    pub notices: Vec<Notice>,
    /// What the mapping does not use.
    pub drift: Drift,
}

/// Converts files. The same mapping and files give the same resources, in the same order.
///
/// # Errors
/// There are more files than AWS accepts. What is wrong with a file or a row is reported in the result, and the rest is
/// converted.
pub fn convert(mapping: &Mapping, files: &[SourceFile<'_>]) -> Result<Conversion, TooManyFiles> {
    if files.len() > limits::FILES {
        return Err(TooManyFiles(files.len()));
    }
    let mut conversion = Conversion::default();
    let tables = read(mapping, files, &mut conversion);
    let mut writer = Writer::new(mapping, &tables);
    writer.look_at_files();
    writer.check_keys();
    for (number, table) in mapping.tables.iter().enumerate() {
        if !table.resources.is_empty() && tables[number].is_some() {
            let (ndjson, resources) = writer.table(number);
            conversion.converted.push(Converted { table: table.name.clone(), ndjson, resources });
        }
    }
    writer.report(&mut conversion);
    summarize(mapping, files, &tables, &writer.failed, &mut conversion);
    Ok(conversion)
}

fn table_name(file: &str) -> &str {
    file.strip_suffix(".csv").unwrap_or(file)
}

/// The rows of each table of the mapping.
fn read(mapping: &Mapping, files: &[SourceFile<'_>], conversion: &mut Conversion) -> Vec<Option<Rows>> {
    let mut keys: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for children in mapping.tables.iter().flat_map(|table| &table.resources).flat_map(|resource| &resource.children) {
        keys.entry(children.table).or_default().insert(children.key);
    }
    let mut tables: Vec<Option<Rows>> = mapping.tables.iter().map(|_| None).collect();
    let mut seen = BTreeSet::new();
    for file in files {
        let number = mapping.tables.iter().position(|table| table.name == table_name(file.name));
        let Some(number) = number else { continue };
        let keys: Vec<usize> = keys.get(&number).into_iter().flatten().copied().collect();
        let rows = if seen.insert(number) {
            table::rows(file.bytes, &mapping.tables[number], &keys)
        } else {
            Err(FileFault::SecondFile)
        };
        match rows {
            Ok(rows) => tables[number] = Some(rows),
            Err(fault) => conversion.files.push(FileTrouble { file: file.name.to_owned(), fault }),
        }
    }
    tables
}

/// A row that could not be converted, and the field that it failed at.
type Failed = (Cause, Option<usize>);

/// The row, or rows, that a plan is written for.
#[derive(Clone, Copy)]
struct Around<'a> {
    table: usize,
    row: usize,
    group: &'a [u32],
    /// The rows of each child table.
    children: &'a [(usize, &'a [u32])],
}

impl<'a> Around<'a> {
    /// The table and rows that a part is made of.
    fn rows(&self, of: Of) -> (usize, &'a [u32]) {
        match of {
            Of::Own => (self.table, &[]),
            Of::Group => (self.table, self.group),
            Of::Children(number) => self.children[number],
        }
    }

    /// A single row.
    fn of(table: usize, row: u32) -> Self {
        Self { table, row: row as usize, group: &[], children: &[] }
    }
}

struct Writer<'m> {
    mapping: &'m Mapping,
    tables: &'m [Option<Rows>],
    /// The first row of each primary key.
    firsts: Vec<HashMap<&'m str, u32>>,
    out: String,
    scratch: String,
    rows: Tallies<(usize, Cause, Option<usize>)>,
    notices: Tallies<(usize, NoticeKind, About)>,
    /// Which rows had an error.
    failed: Vec<Vec<bool>>,
    /// Which rows nothing is made of, for their primary key.
    refused: Vec<Vec<bool>>,
}

/// The rows of each key.
type Groups<'r> = HashMap<&'r str, Vec<u32>>;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Table,
    Column(usize),
    Field(usize),
}

impl<'m> Writer<'m> {
    fn new(mapping: &'m Mapping, tables: &'m [Option<Rows>]) -> Self {
        let firsts = tables.iter().map(|rows| rows.as_ref().map(|rows| rows.firsts(PRIMARY_KEY)).unwrap_or_default());
        let none: Vec<Vec<bool>> = tables.iter().map(|rows| vec![false; rows.as_ref().map_or(0, Rows::len)]).collect();
        Self {
            mapping,
            tables,
            firsts: firsts.collect(),
            out: String::new(),
            scratch: String::new(),
            rows: Tallies::default(),
            notices: Tallies::default(),
            failed: none.clone(),
            refused: none,
        }
    }

    /// What can be said before any row is converted.
    fn look_at_files(&mut self) {
        for (number, table) in self.mapping.tables.iter().enumerate() {
            match &self.tables[number] {
                None => self.notices.note((number, NoticeKind::MissingFile, About::Table), 0),
                Some(rows) => {
                    for column in rows.missing() {
                        self.notices.note((number, NoticeKind::MissingColumn, About::Column(column)), 0);
                    }
                    for (line, cause) in &rows.broken {
                        self.rows.note((number, *cause, None), *line);
                    }
                }
            }
            let children: BTreeSet<_> = table
                .resources
                .iter()
                .flat_map(|resource| &resource.children)
                .map(|child| (child.table, child.key))
                .collect();
            if self.tables[number].is_none() {
                continue;
            }
            for (child, key) in children {
                let Some(rows) = &self.tables[child] else { continue };
                for row in 0..rows.len() {
                    if !self.firsts[number].contains_key(rows.cell(row, key)) {
                        self.notices.note((child, NoticeKind::NoParent, About::Column(key)), rows.line(row));
                    }
                }
            }
        }
    }

    /// Refuses rows without a primary key or with that of an earlier row, also of tables whose rows only become parts of other
    /// resources.
    fn check_keys(&mut self) {
        for (number, table) in self.mapping.tables.iter().enumerate() {
            let Some(rows) = &self.tables[number] else { continue };
            let collected = !table.resources.is_empty() && table.resources.iter().all(|resource| resource.grouped);
            for row in 0..rows.len() {
                let key = rows.cell(row, PRIMARY_KEY);
                let cause = if key.is_empty() {
                    Cause::NoKey
                } else if !collected && self.firsts[number].get(key).is_some_and(|first| *first as usize != row) {
                    Cause::DuplicateKey
                } else {
                    continue;
                };
                self.refused[number][row] = true;
                self.fail(number, row, (cause, None));
            }
        }
    }

    /// The rows of each value of a column that something may be made of.
    fn groups(&self, table: usize, column: usize) -> Groups<'m> {
        let rows = self.tables[table].as_ref();
        rows.map(|rows| rows.groups(column, &self.refused[table])).unwrap_or_default()
    }

    /// Converts the rows of a table.
    fn table(&mut self, number: usize) -> (String, u64) {
        let Some(rows) = &self.tables[number] else { return (String::new(), 0) };
        let resources = &self.mapping.tables[number].resources;
        let groups = if resources.iter().any(|resource| resource.grouped) {
            // A key that comes again is refused for what each row becomes by itself, and is what makes a group.
            rows.groups(PRIMARY_KEY, &vec![false; rows.len()])
        } else {
            HashMap::new()
        };
        // The rows of each child table by their foreign key, for each resource mapping.
        let children: Vec<Vec<(usize, Groups<'_>)>> = resources
            .iter()
            .map(|resource| {
                let of = |child: &Children| (child.table, self.groups(child.table, child.key));
                resource.children.iter().map(of).collect()
            })
            .collect();
        let mut count = 0;
        self.out = String::with_capacity(rows.len() * 256);
        for row in 0..rows.len() {
            if self.refused[number][row] {
                continue;
            }
            let key = rows.cell(row, PRIMARY_KEY);
            let group = groups.get(key).map(Vec::as_slice).unwrap_or_default();
            // The first row of a group is converted with the others.
            if group.first().is_some_and(|first| *first as usize != row) {
                continue;
            }
            let start = self.out.len();
            let mut written = 0;
            for (resource, children) in resources.iter().zip(&children) {
                let children: Vec<(usize, &[u32])> = children
                    .iter()
                    .map(|(table, groups)| (*table, groups.get(key).map(Vec::as_slice).unwrap_or_default()))
                    .collect();
                let around = Around { table: number, row, group, children: &children };
                if let Err(failed) = self.resource(resource, key, &around) {
                    self.out.truncate(start);
                    written = 0;
                    self.fail(number, row, failed);
                    // The others of its group go with it.
                    for other in group.iter().skip(1) {
                        self.fail(number, *other as usize, failed);
                    }
                    break;
                }
                written += 1;
            }
            count += written;
        }
        (std::mem::take(&mut self.out), count)
    }

    fn fail(&mut self, table: usize, row: usize, (cause, field): Failed) {
        let line = self.tables[table].as_ref().map_or(0, |rows| rows.line(row));
        self.rows.note((table, cause, field), line);
        self.failed[table][row] = true;
    }

    fn resource(&mut self, resource: &'m ResourceMapping, key: &str, around: &Around<'_>) -> Result<(), Failed> {
        self.out.push_str("{\"resourceType\":\"");
        self.out.push_str(resource.resource);
        self.out.push_str("\",\"id\":\"");
        resource.identities.write(key, &mut self.out);
        self.out.push('"');
        let Plan::Object(elements) = &resource.plan else { return Err((Cause::NothingMapped, None)) };
        let mut any = false;
        for (name, plan) in elements {
            any |= self.element(name, plan, around, true)?;
        }
        if !any {
            return Err((Cause::NothingMapped, None));
        }
        self.out.push_str("}\n");
        Ok(())
    }

    /// Writes a member of an object, if it has a value.
    fn element(&mut self, name: &str, plan: &'m Plan, around: &Around<'_>, comma: bool) -> Result<bool, Failed> {
        let start = self.out.len();
        if comma {
            self.out.push(',');
        }
        // Names are those of R4, which need no escapes.
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        let written = self.plan(plan, around)?;
        if !written {
            self.out.truncate(start);
        }
        Ok(written)
    }

    fn plan(&mut self, plan: &'m Plan, around: &Around<'_>) -> Result<bool, Failed> {
        match plan {
            Plan::Value(fields) => self.last_value(fields, around),
            Plan::Object(elements) => {
                self.out.push('{');
                let mut any = false;
                for (name, plan) in elements {
                    any |= self.element(name, plan, around, any)?;
                }
                self.out.push('}');
                Ok(any)
            }
            Plan::List { fixed, rows } => {
                self.out.push('[');
                let mut any = false;
                for (_, plan) in fixed {
                    any |= self.entry(plan, around, any)?;
                }
                for (of, plan) in rows {
                    let (table, rows) = around.rows(*of);
                    for row in rows {
                        let start = self.out.len();
                        match self.entry(plan, &Around::of(table, *row), any) {
                            Ok(written) => any |= written,
                            // The rest of the resource does not depend on this row.
                            Err(failed) => {
                                self.out.truncate(start);
                                self.fail(table, *row as usize, failed);
                            }
                        }
                    }
                }
                self.out.push(']');
                Ok(any)
            }
        }
    }

    /// Writes an entry of a list, if it has a value. Lists of R4 have no gaps.
    fn entry(&mut self, plan: &'m Plan, around: &Around<'_>, comma: bool) -> Result<bool, Failed> {
        let start = self.out.len();
        if comma {
            self.out.push(',');
        }
        let written = self.plan(plan, around)?;
        if !written {
            self.out.truncate(start);
        }
        Ok(written)
    }

    /// Writes the value of the last field that has one.
    fn last_value(&mut self, fields: &'m [Field], around: &Around<'_>) -> Result<bool, Failed> {
        for field in fields.iter().rev() {
            let (table, rows) = match field.rows {
                Of::Own | Of::Group => {
                    if self.value(field, around.table, around.row)? {
                        return Ok(true);
                    }
                    continue;
                }
                Of::Children(number) => around.children[number],
            };
            for row in rows.iter().rev() {
                match self.value(field, table, *row as usize) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(failed) => self.fail(table, *row as usize, failed),
                }
            }
        }
        Ok(false)
    }

    /// Writes the value of a field for a row, if it has one.
    fn value(&mut self, field: &'m Field, table: usize, row: usize) -> Result<bool, Failed> {
        let tables = self.tables;
        let Some(rows) = &tables[table] else { return Ok(false) };
        let cell = field.columns.first().map_or("", |column| rows.cell(row, *column));
        let failed = |cause| (cause, Some(field.number));
        let mut noted = None;
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let text: &str = match &field.transform {
            Transform::Direct => cell,
            Transform::Concat { separator } => {
                for cell in field.columns.iter().map(|column| rows.cell(row, *column)).filter(|cell| !cell.is_empty()) {
                    if !scratch.is_empty() {
                        scratch.push_str(separator);
                    }
                    scratch.push_str(cell);
                }
                &scratch
            }
            Transform::Map(values) => match values.get(cell) {
                Some(value) => value,
                None => {
                    noted = (!cell.is_empty()).then_some(NoticeKind::Unmatched);
                    ""
                }
            },
            Transform::Conditional { present, absent } => {
                if cell.is_empty() {
                    absent.as_deref().unwrap_or_default()
                } else {
                    present
                }
            }
            Transform::Expression(expression) if !cell.is_empty() || !expression.has_value() => {
                for part in &expression.0 {
                    scratch.push_str(match part {
                        Part::Literal(text) => text,
                        Part::Value => cell,
                    });
                }
                &scratch
            }
            // Of nothing there is nothing to write.
            _ if cell.is_empty() => "",
            Transform::Expression(_) => "",
            Transform::Date(formats) => {
                if formats.convert(cell, &mut scratch).is_none() {
                    self.scratch = scratch;
                    return Err(failed(Cause::NotADate));
                }
                &scratch
            }
            Transform::Reference { table, resource, identities } => {
                if !self.firsts[*table].contains_key(cell) {
                    noted = Some(NoticeKind::NoTarget);
                }
                reference(resource, identities, cell, &mut scratch);
                &scratch
            }
            Transform::Pattern(pattern) => {
                if !pattern.replace(cell, &mut scratch) {
                    noted = Some(NoticeKind::NoMatch);
                }
                &scratch
            }
        };
        let result = if text.is_empty() {
            Ok(false)
        } else {
            match field.target {
                Target::Text => {
                    output::text(text, &mut self.out);
                    Ok(true)
                }
                Target::Boolean => {
                    if !["true", "1", "false", "0"].contains(&text) {
                        noted = Some(NoticeKind::NotABoolean);
                    }
                    self.out.push_str(if ["true", "1"].contains(&text) { "true" } else { "false" });
                    Ok(true)
                }
                Target::Integer | Target::Decimal => {
                    let write = if field.target == Target::Integer { output::integer } else { output::decimal };
                    let written = write(text, &mut self.out);
                    if !written {
                        noted = Some(NoticeKind::NotANumber);
                    }
                    Ok(written)
                }
                Target::Json => output::object(text, &mut self.out).map(|()| true).map_err(failed),
            }
        };
        self.scratch = scratch;
        if let Some(kind) = noted {
            self.notices.note((table, kind, About::Field(field.number)), rows.line(row));
        }
        result
    }

    fn report(&mut self, conversion: &mut Conversion) {
        let mapping = self.mapping;
        let field = |number: Option<usize>| number.map(|number| &mapping.fields[number]);
        for ((table, cause, number), tally) in std::mem::take(&mut self.rows).into_iter() {
            let field = field(number);
            conversion.rows.push(RowTrouble {
                table: mapping.tables[table].name.clone(),
                cause,
                element: field.map(|field| field.path.clone()),
                column: field.and_then(|field| field.column.clone()),
                count: tally.count,
                line: tally.line,
            });
        }
        for ((table, kind, about), tally) in std::mem::take(&mut self.notices).into_iter() {
            let of = &mapping.tables[table];
            let (element, column) = match about {
                About::Table => (None, None),
                About::Column(column) => (None, Some(of.columns[column].clone())),
                About::Field(number) => {
                    (Some(mapping.fields[number].path.clone()), mapping.fields[number].column.clone())
                }
            };
            let line = (tally.line > 0).then_some(tally.line);
            conversion.notices.push(Notice { table: of.name.clone(), kind, element, column, count: tally.count, line });
        }
    }
}

fn summarize(
    mapping: &Mapping,
    files: &[SourceFile<'_>],
    tables: &[Option<Rows>],
    failed: &[Vec<bool>],
    conversion: &mut Conversion,
) {
    let mut summary = DriftSummary {
        total_tables_in_profile: mapping.tables.len() as u64,
        total_tables_in_input: files.len() as u64,
        ..DriftSummary::default()
    };
    let mut columns_of_tables = 0;
    for ((table, rows), failed) in mapping.tables.iter().zip(tables).zip(failed) {
        let Some(rows) = rows else { continue };
        summary.tables_processed += 1;
        columns_of_tables += rows.header.len() as u64;
        let is_unused = |place: &usize| !rows.is_read(*place);
        let unused: Vec<String> =
            (0..rows.header.len()).filter(is_unused).map(|place| rows.header[place].clone()).collect();
        summary.columns_mapped += (rows.header.len() - unused.len()) as u64;
        if !unused.is_empty() {
            conversion.drift.unmapped_columns.push(UnmappedColumns {
                table_name: table.name.clone(),
                columns: unused,
                reason: "no field mapping uses the columns".to_owned(),
            });
        }
        let errors = failed.iter().filter(|failed| **failed).count();
        summary.total_rows_scanned += (rows.len() + rows.broken.len()) as u64;
        summary.rows_failed_customer_error += (errors + rows.broken.len()) as u64;
    }
    summary.total_columns_in_input = columns_of_tables;
    let is_unmapped = |file: &&SourceFile<'_>| !mapping.tables.iter().any(|table| table.name == table_name(file.name));
    for file in files.iter().filter(is_unmapped) {
        let columns = table::header(file.bytes).unwrap_or_default();
        summary.total_columns_in_input += columns.len() as u64;
        conversion.drift.unmapped_tables.push(UnmappedTable {
            table_name: table_name(file.name).to_owned(),
            file_name: file.name.to_owned(),
            reason: "the mapping has no such table".to_owned(),
            columns,
        });
    }
    summary.tables_unmapped = summary.total_tables_in_input - summary.tables_processed;
    summary.columns_unmapped = summary.total_columns_in_input - summary.columns_mapped;
    summary.rows_converted_successfully = summary.total_rows_scanned - summary.rows_failed_customer_error;
    summary.total_resources_generated = conversion.converted.iter().map(|converted| converted.resources).sum();
    summary.tables_coverage_rate = rate(summary.tables_processed, summary.total_tables_in_input);
    summary.columns_coverage_rate = rate(summary.columns_mapped, columns_of_tables);
    summary.overall_coverage_rate = rate(summary.columns_mapped, summary.total_columns_in_input);
    conversion.drift.summary = summary;
}
