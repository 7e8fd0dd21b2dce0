//! `hlctl transform test`: the cases of a mapping, converted on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::cases::{self, Case};
use super::comparison;
use super::error::{TransformError, WrongMapping};
use crate::cli::TransformTestArgs;
use crate::error::CommandError;
use crate::session::Session;
use crate::ui::Printer;
use crate::ui::json::{MappingWarning, TestedCase, TestedMapping, TransformTest};
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;
use hlctl_transform::{Mapping, SourceFile, convert};

/// Tests, and shows what differs.
pub(super) fn run(session: &Session, arguments: &TransformTestArgs) -> Result<ExitCode, CommandError> {
    let printer = session.printer;
    let mut mappings = Vec::new();
    for path in cases::mappings(&arguments.path)? {
        let tested = mapping(&path, arguments.update)?;
        if !arguments.json {
            show(printer, &tested);
        }
        mappings.push(tested);
    }
    let test = TransformTest::of(mappings);
    let passed = test.passed();
    if arguments.json {
        printer.json(&test);
    } else {
        summarize(printer, &test, arguments);
    }
    Ok(if passed { ExitCode::Success } else { ExitCode::Failure })
}

fn mapping(path: &Path, update: bool) -> Result<TestedMapping, CommandError> {
    let text = fs::read_to_string(path).map_err(|error| TransformError::Unreadable { path: path.to_owned(), error })?;
    let mapping = Mapping::parse(&text).map_err(|problems| WrongMapping { path: path.to_owned(), problems })?;
    let warning = |problem: &hlctl_transform::MappingProblem| MappingWarning {
        line: problem.place.line,
        column: problem.place.column,
        text: problem.fault.to_string(),
        hint: problem.fault.hint(),
    };
    let warnings = mapping.warnings().iter().map(warning).collect();
    let cases = cases::of_mapping(path)?;
    let cases = cases.iter().map(|it| case(&mapping, it, update)).collect::<Result<_, _>>()?;
    Ok(TestedMapping { mapping: path.display().to_string(), warnings, cases })
}

fn case(mapping: &Mapping, case: &Case, update: bool) -> Result<TestedCase, TransformError> {
    let files: Vec<_> = case.input.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let conversion =
        convert(mapping, &files).map_err(|error| TransformError::TooManyFiles { path: case.folder.clone(), error })?;
    let found = comparison::files(&conversion);
    let mut differences = comparison::differences(case, &found);
    let updated = update && !differences.is_empty();
    if updated {
        write(case, &found)?;
        differences.clear();
    }
    let refused = comparison::refused(&conversion);
    Ok(TestedCase {
        case: case.name.clone(),
        passed: differences.is_empty() && refused.is_empty(),
        updated,
        differences,
        refused,
        rows: conversion.rows,
        notices: conversion.notices,
        coverage: conversion.drift,
    })
}

/// Writes the output as the expected one, and removes what is no longer expected.
fn write(case: &Case, found: &BTreeMap<String, String>) -> Result<(), TransformError> {
    let folder = case.expected_folder();
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |error| TransformError::Unwritable { path, error }
    };
    fs::create_dir_all(&folder).map_err(unwritable(&folder))?;
    for (name, text) in found {
        let path = folder.join(name);
        fs::write(&path, text).map_err(unwritable(&path))?;
    }
    for name in case.expected.keys().filter(|name| !found.contains_key(*name)) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(unwritable(&path))?;
    }
    Ok(())
}

fn show(printer: Printer, tested: &TestedMapping) {
    for warning in &tested.warnings {
        let MappingWarning { line, column, text, hint } = warning;
        printer.warning(&format!("{}:{line}:{column}: {text}\n  hint: {hint}", tested.mapping));
    }
    printer.data(&tested.mapping);
    for case in &tested.cases {
        let status = match (case.passed, case.updated) {
            (true, true) => "updated",
            (true, false) => "passed",
            (false, _) => "failed",
        };
        let summary = &case.coverage.summary;
        let resources = counted(summary.total_resources_generated, "resource");
        let (used, columns) = (summary.columns_mapped, counted(summary.total_columns_in_input, "column"));
        printer.data(&format!("  {status:<8} {}: {resources}, {used} of {columns} used", case.case));
        for difference in &case.differences {
            let diff: String = difference.diff.lines().map(|line| format!("    {line}\n")).collect();
            printer.data(diff.trim_end());
        }
        for refused in &case.refused {
            let count = counted(refused.count, "time");
            printer.data(&format!("    the store refuses {} ({count}): it {}", refused.element, refused.problem));
            printer.data(&format!("      hint: {}", refused.hint));
        }
    }
}

fn summarize(printer: Printer, test: &TransformTest, arguments: &TransformTestArgs) {
    let (passed, failed) = test.counts();
    if failed == 0 {
        printer.say(&format!("{} passed.", counted(passed, "case")));
        return;
    }
    printer.say(&format!("{} passed, {} failed.", counted(passed, "case"), counted(failed, "case")));
    if test.differs() && !arguments.update {
        let update = hlctl!("transform test", arguments.path.display()).flag("--update");
        printer.say(&format!("If the output is right: {update}"));
    }
}
