//! The mappings under a path, and the test cases of a mapping.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::TransformError;

/// Input and expected output.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// The CSV files by their names.
    pub(super) input: Vec<(String, Vec<u8>)>,
    /// The files of the expected output by their names.
    pub(super) expected: BTreeMap<String, String>,
}

impl Case {
    /// Where the expected output is.
    pub(super) fn expected_folder(&self) -> PathBuf {
        self.folder.join(EXPECTED)
    }
}

const EXPECTED: &str = "expected";
/// The file of the expected output that has what was reported about rows.
pub(super) const REPORT: &str = "report.json";

/// The mappings that a path means, in the order of their paths.
pub(super) fn mappings(path: &Path) -> Result<Vec<PathBuf>, TransformError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    if let Some(own) = mapping_in(path)? {
        return Ok(vec![own]);
    }
    let mut found = Vec::new();
    for folder in entries(path)?.into_iter().filter(|entry| entry.is_dir()) {
        found.extend(mapping_in(&folder)?);
    }
    if found.is_empty() { Err(TransformError::NoMapping(path.to_owned())) } else { Ok(found) }
}

/// The mapping of a folder, if it has one.
fn mapping_in(folder: &Path) -> Result<Option<PathBuf>, TransformError> {
    let mut found: Vec<_> =
        entries(folder)?.into_iter().filter(|entry| entry.is_file() && ends_in(entry, &["yaml", "yml"])).collect();
    match found.len() {
        0 => Ok(None),
        1 => Ok(found.pop()),
        _ => Err(TransformError::SeveralMappings(folder.to_owned())),
    }
}

/// The cases in the folder `tests` next to a mapping.
pub(super) fn of_mapping(mapping: &Path) -> Result<Vec<Case>, TransformError> {
    let tests = mapping.parent().unwrap_or(Path::new("")).join("tests");
    let folders = if tests.is_dir() { entries(&tests)? } else { Vec::new() };
    let mut cases = Vec::new();
    for folder in folders.into_iter().filter(|entry| entry.is_dir()) {
        let mut input = Vec::new();
        for file in entries(&folder)?.into_iter().filter(|entry| entry.is_file() && ends_in(entry, &["csv"])) {
            input.push((name_of(&file), fs::read(&file).map_err(|error| unreadable(&file, error))?));
        }
        let mut expected = BTreeMap::new();
        let outputs = folder.join(EXPECTED);
        let outputs = if outputs.is_dir() { entries(&outputs)? } else { Vec::new() };
        for file in outputs.into_iter().filter(|entry| ends_in(entry, &["ndjson"]) || name_of(entry) == REPORT) {
            expected.insert(name_of(&file), fs::read_to_string(&file).map_err(|error| unreadable(&file, error))?);
        }
        if !input.is_empty() {
            cases.push(Case { name: name_of(&folder), folder, input, expected });
        }
    }
    if cases.is_empty() { Err(TransformError::NoCases(mapping.to_owned())) } else { Ok(cases) }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, TransformError> {
    let list = || -> std::io::Result<Vec<PathBuf>> {
        let mut entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        entries.sort();
        Ok(entries)
    };
    list().map_err(|error| unreadable(folder, error))
}

fn unreadable(path: &Path, error: std::io::Error) -> TransformError {
    TransformError::Unreadable { path: path.to_owned(), error }
}

fn ends_in(path: &Path, extensions: &[&str]) -> bool {
    path.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| extensions.contains(&extension))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
