//! What `hlctl transform ... --json` prints.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::FORMAT_VERSION;
use crate::data::conversion::ConversionReport;
use crate::data::profiles::{TransformProfile, TransformVersion};
use hlctl_transform::{Drift, Notice, RowTrouble};

/// What tests of mappings found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransformTest {
    format_version: u32,
    /// Whether every case passed.
    passed: bool,
    mappings: Vec<TestedMapping>,
}

/// A mapping and its cases.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestedMapping {
    /// Its file.
    pub mapping: String,
    /// What is doubtful about it.
    pub warnings: Vec<MappingWarning>,
    /// Its cases, in the order of their names.
    pub cases: Vec<TestedCase>,
}

/// Something doubtful in a mapping.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MappingWarning {
    /// The line in the file.
    pub line: usize,
    /// The column in the line.
    pub column: usize,
    /// What it is.
    pub text: String,
    /// What to do about it.
    pub hint: String,
}

/// A case.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TestedCase {
    /// Its name.
    pub case: String,
    /// Whether the output is the expected one, and the store would take it.
    pub passed: bool,
    /// Whether `--update` wrote the expected output.
    pub updated: bool,
    /// Where the output differs from the expected one.
    pub differences: Vec<TransformDifference>,
    /// What the store would refuse of the output.
    pub refused: Vec<RefusedElement>,
    /// Rows that were not converted.
    pub rows: Vec<RowTrouble>,
    /// What was left out or changed without an error.
    pub notices: Vec<Notice>,
    /// What of the files the mapping uses, in the form of AWS's drift report.
    pub coverage: Drift,
}

/// A file of the expected output that differs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransformDifference {
    /// The file, from the folder of the mapping.
    pub file: String,
    /// A unified diff from the expected output to the converted one.
    pub diff: String,
}

/// Elements that the store would refuse.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefusedElement {
    /// The path of the element.
    pub element: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do about it.
    pub hint: &'static str,
    /// How often it comes.
    pub count: u64,
}

impl TransformTest {
    /// All mappings, and whether all of their cases passed.
    pub fn of(mappings: Vec<TestedMapping>) -> Self {
        let passed = mappings.iter().flat_map(|mapping| &mapping.cases).all(|case| case.passed);
        Self { format_version: FORMAT_VERSION, passed, mappings }
    }

    /// Whether every case passed.
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// How many cases passed, and how many did not.
    pub fn counts(&self) -> (u64, u64) {
        let (passed, failed): (Vec<_>, Vec<_>) = self.cases().partition(|case| case.passed);
        (passed.len() as u64, failed.len() as u64)
    }

    /// Whether any output differs from the expected one.
    pub fn differs(&self) -> bool {
        self.cases().any(|case| !case.differences.is_empty())
    }

    fn cases(&self) -> impl Iterator<Item = &TestedCase> {
        self.mappings.iter().flat_map(|mapping| &mapping.cases)
    }
}

/// The profiles of an account and region.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Profiles {
    format_version: u32,
    /// By name.
    profiles: Vec<TransformProfile>,
}

impl Profiles {
    /// These.
    pub fn of(profiles: Vec<TransformProfile>) -> Self {
        Self { format_version: FORMAT_VERSION, profiles }
    }
}

/// The published versions of a profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProfileVersions {
    format_version: u32,
    profile: TransformProfile,
    /// The newest first.
    versions: Vec<TransformVersion>,
}

impl ProfileVersions {
    /// Those of this profile.
    pub fn of(profile: TransformProfile, versions: Vec<TransformVersion>) -> Self {
        Self { format_version: FORMAT_VERSION, profile, versions }
    }
}

/// A rollback of a profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProfileRollback {
    format_version: u32,
    /// The profile as it was before.
    profile: TransformProfile,
    /// The version whose content was wanted.
    to: i32,
    /// The new version that was published; null if what was published last had that content already.
    published: Option<i32>,
    /// How many versions HealthLake takes of this profile still.
    versions_left: i32,
    /// Whether the next apply publishes another content: the configuration has a profile of this name with another mapping.
    reverted_by_apply: bool,
}

impl ProfileRollback {
    /// That of this profile.
    pub fn of(
        profile: TransformProfile,
        to: i32,
        published: Option<i32>,
        versions_left: i32,
        reverted_by_apply: bool,
    ) -> Self {
        Self { format_version: FORMAT_VERSION, profile, to, published, versions_left, reverted_by_apply }
    }
}

/// A conversion by jobs of HealthLake, as far as it came.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransformRun {
    format_version: u32,
    profile: TransformProfile,
    #[serde(flatten)]
    report: ConversionReport,
}

impl TransformRun {
    /// That by this profile.
    pub fn of(profile: TransformProfile, report: ConversionReport) -> Self {
        Self { format_version: FORMAT_VERSION, profile, report }
    }
}

/// What HealthLake made of files by its synchronous interface.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TransformTry {
    format_version: u32,
    /// The profile; it converts by the version that is published last.
    profile: TransformProfile,
    /// The resources, in the order in which they came.
    resources: Vec<Value>,
    /// What the store would refuse of them.
    refused: Vec<RefusedElement>,
    /// The drift reports as HealthLake wrote them: one for all CSV files, or one for each document.
    drift: Vec<Value>,
}

impl TransformTry {
    /// What came by this profile.
    pub fn of(
        profile: TransformProfile,
        resources: Vec<Value>,
        refused: Vec<RefusedElement>,
        drift: Vec<Value>,
    ) -> Self {
        Self { format_version: FORMAT_VERSION, profile, resources, refused, drift }
    }
}
