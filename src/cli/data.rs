//! `hlctl data ...`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{NotifyArgs, Switch};
use crate::data::check;
use crate::data::import::ValidationLevel;

/// `hlctl data ...`
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Check NDJSON for what HealthLake would refuse; local files need no access to AWS
    Check(DataCheckArgs),
    /// Check, upload and import NDJSON
    Import(DataImportArgs),
    /// Export the store's data and download it
    Export(DataExportArgs),
    /// List the store's import and export jobs
    Jobs(super::JsonArgs),
}

impl DataCommand {
    /// Whether JSON is asked for.
    pub fn prints_json(&self) -> bool {
        match self {
            Self::Check(arguments) => arguments.json,
            Self::Import(arguments) => arguments.json,
            Self::Export(arguments) => arguments.json,
            Self::Jobs(arguments) => arguments.json,
        }
    }
}

/// `hlctl data check`
#[derive(Debug, Args)]
pub struct DataCheckArgs {
    /// A file, a folder with .ndjson files, or s3://BUCKET/PREFIX
    #[arg(value_name = "PATH|s3://...")]
    pub path: PathBuf,

    /// How strictly to check, as for `data import`; `none` skips the structure of resources
    #[arg(long, value_enum, default_value_t = CheckLevel::Strict, value_name = "LEVEL")]
    pub validation_level: CheckLevel,

    /// Report references to resources that are not in these files
    #[arg(long)]
    pub check_references: bool,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How much `hlctl data check` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckLevel {
    /// The structure of FHIR R4; HealthLake also checks profiles.
    Strict,
    /// The structure of FHIR R4.
    StructureOnly,
    /// Lines, types, ids and references; HealthLake accepts the rest and marks what is wrong.
    Minimal,
    /// Lines, types and ids.
    None,
}

impl From<CheckLevel> for check::Level {
    fn from(level: CheckLevel) -> Self {
        match level {
            CheckLevel::Strict => Self::Strict,
            CheckLevel::StructureOnly => Self::StructureOnly,
            CheckLevel::Minimal => Self::Minimal,
            CheckLevel::None => Self::None,
        }
    }
}

impl From<Level> for check::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Strict => Self::Strict,
            Level::StructureOnly => Self::StructureOnly,
            Level::Minimal => Self::Minimal,
        }
    }
}

impl DataCheckArgs {
    /// What is to be checked.
    pub fn checks(&self) -> check::Checks {
        check::Checks { level: self.validation_level.into(), references: self.check_references }
    }
}

impl DataImportArgs {
    /// What is to be checked before the import.
    pub fn checks(&self) -> check::Checks {
        check::Checks { level: self.validation_level.into(), references: self.check_references }
    }
}

/// `hlctl data import`
#[derive(Debug, Args)]
pub struct DataImportArgs {
    /// A file, a folder with .ndjson files (with --format: .csv or .xml files), or s3://BUCKET/PREFIX
    #[arg(value_name = "PATH|s3://...")]
    pub from: String,

    /// What the files are, if HealthLake is to convert them to FHIR first [default: NDJSON of FHIR R4]
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,

    /// Name or id of the profile that HealthLake converts by; --profile is that of the AWS credentials
    #[arg(long, value_name = "NAME", requires = "format")]
    pub transform_profile: Option<String>,

    /// Whether HealthLake reports what of the files the mapping does not use [default: on]
    #[arg(long, value_enum, value_name = "on|off", requires = "format")]
    pub drift_report: Option<Switch>,

    /// Whether HealthLake adds Provenance resources that say where each resource comes from [default: on]
    #[arg(long, value_enum, value_name = "on|off", requires = "format")]
    pub provenance: Option<Switch>,

    /// How strictly HealthLake validates
    #[arg(long, value_enum, default_value_t = Level::Strict, value_name = "LEVEL")]
    pub validation_level: Level,

    /// Report references to resources that are not in these files, before anything is sent
    #[arg(long)]
    pub check_references: bool,

    /// Import even if the checks found problems
    #[arg(long)]
    pub allow_problems: bool,

    /// Delete the uploaded files from S3 once all is imported
    #[arg(long, conflicts_with = "no_wait")]
    pub delete_input: bool,

    /// Do not wait for the job
    #[arg(long)]
    pub no_wait: bool,

    /// Runs when the command has ended.
    #[command(flatten)]
    pub notify: NotifyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What HealthLake converts before it imports (StartFHIRImportJob, InputFormat).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// C-CDA documents, in .xml files.
    Ccda,
    /// Tables, in .csv files.
    Csv,
}

impl ImportFormat {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ccda => "ccda",
            Self::Csv => "csv",
        }
    }
}

/// `ValidationLevel` of an import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Against FHIR R4 and profiles.
    Strict,
    /// Only against FHIR R4.
    StructureOnly,
    /// As little as possible.
    Minimal,
}

impl From<Level> for ValidationLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Strict => Self::Strict,
            Level::StructureOnly => Self::StructureOnly,
            Level::Minimal => Self::Minimal,
        }
    }
}

/// `hlctl data export`
#[derive(Debug, Args)]
pub struct DataExportArgs {
    /// A folder to download to, or s3://BUCKET/PREFIX [default: keep it in the stack's bucket]
    #[arg(value_name = "DIR|s3://...")]
    pub to: Option<String>,

    /// Keep only resources of this type; may be repeated. AWS always exports all types
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,

    /// Do not wait for the job
    #[arg(long)]
    pub no_wait: bool,

    /// Runs when the command has ended.
    #[command(flatten)]
    pub notify: NotifyArgs,

    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
