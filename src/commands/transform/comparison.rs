//! What a mapping produces for a case, next to what is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};
use similar::TextDiff;

use super::cases::{Case, REPORT};
use crate::ui::json::{RefusedElement, TransformDifference};
use hlctl_data::structure;
use hlctl_transform::Conversion;

/// The files that are written for a conversion: one for each table with resources, and what was reported about rows, if
/// anything was.
pub(super) fn files(conversion: &Conversion) -> BTreeMap<String, String> {
    let with_resources = conversion.converted.iter().filter(|converted| converted.resources > 0);
    let mut files: BTreeMap<String, String> =
        with_resources.map(|converted| (format!("{}.ndjson", converted.table), converted.ndjson.clone())).collect();
    if !(conversion.files.is_empty() && conversion.rows.is_empty() && conversion.notices.is_empty()) {
        let problem = |trouble: &hlctl_transform::FileTrouble| json!({"file": trouble.file, "problem": trouble.fault.to_string()});
        let report = json!({
            "files": conversion.files.iter().map(problem).collect::<Vec<_>>(),
            "rows": conversion.rows,
            "notices": conversion.notices,
        });
        files.insert(REPORT.to_owned(), format!("{report:#}\n"));
    }
    files
}

/// Where the output differs from what is expected. The order of members and the digits of equal numbers do not matter.
pub(super) fn differences(case: &Case, found: &BTreeMap<String, String>) -> Vec<TransformDifference> {
    let names: BTreeSet<&String> = case.expected.keys().chain(found.keys()).collect();
    let mut differences = Vec::new();
    for name in names {
        let text =
            |files: &BTreeMap<String, String>| files.get(name).map(String::as_str).unwrap_or_default().to_owned();
        let (expected, found) = (text(&case.expected), text(found));
        if expected == found {
            continue;
        }
        let is_report = name == REPORT;
        let (left, right) = (values(&expected, is_report), values(&found, is_report));
        if left == right {
            continue;
        }
        let (left, right) = (shown(&left), shown(&right));
        let place = format!("tests/{}/expected/{name}", case.name);
        let diff = TextDiff::from_lines(&left, &right)
            .unified_diff()
            .context_radius(3)
            .header(&place, "converted")
            .to_string();
        differences.push(TransformDifference { file: place, diff });
    }
    differences
}

/// The documents of a text: a report is one, NDJSON has one on each line. What is no JSON stays as it is.
fn values(text: &str, is_report: bool) -> Vec<Result<Value, String>> {
    let read = |text: &str| serde_json::from_str(text).map_err(|_| text.to_owned());
    match text {
        "" => Vec::new(),
        text if is_report => vec![read(text)],
        text => text.lines().filter(|line| !line.trim().is_empty()).map(read).collect(),
    }
}

fn shown(values: &[Result<Value, String>]) -> String {
    let mut out = String::new();
    for value in values {
        // Writing to a text does not fail.
        let _ = match value {
            Ok(value) => writeln!(out, "{value:#}"),
            Err(text) => writeln!(out, "{text}"),
        };
    }
    out
}

/// What an import would refuse of the resources, each kind once, with how often it comes.
pub(super) fn refused(conversion: &Conversion) -> Vec<RefusedElement> {
    refused_of(conversion.converted.iter().flat_map(|converted| converted.ndjson.lines()))
}

/// The same of resources, each in a line.
pub(super) fn refused_of<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<RefusedElement> {
    let mut kinds = BTreeMap::new();
    for line in lines {
        // What is no JSON has no structure to be checked.
        let issues = structure::check(line).map(|found| found.issues).unwrap_or_default();
        for issue in issues {
            *kinds.entry(issue).or_insert(0) += 1;
        }
    }
    let refused = kinds.into_iter().map(|(issue, count)| RefusedElement {
        element: issue.path,
        problem: issue.fault.to_string(),
        hint: issue.fault.remedy(),
        count,
    });
    refused.collect()
}
