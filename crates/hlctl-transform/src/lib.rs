//! Conversion of CSV files to FHIR R4, as AWS HealthLake's Data Transformation Agent does it by a mapping in YAML. No AWS.
//!
//! [`Mapping::parse`] reads a mapping and reports all that is wrong with it; [`convert`] applies it to files. What the mapping
//! may say is documented in the HealthLake Developer Guide, "Understanding CSV profiles" (cited as "CSV profiles" here). The
//! agent is a preview; where the guide is silent, `docs/transform.md` says what this crate does instead.
//!
//! No message has the value of a cell in it, since cells are patient data.

mod convert;
mod drift;
mod identity;
pub mod limits;
mod mapping;
mod output;
mod records;
mod report;
mod table;
#[cfg(test)]
mod tests;
mod transform;
mod yaml;

pub use convert::{Conversion, Converted, SourceFile, TooManyFiles, convert};
pub use drift::{Drift, DriftSummary, UnmappedColumns, UnmappedTable};
pub use mapping::{Expected, Mapping, MappingFault, MappingProblem, MappingProblems, PathFault, Severity};
pub use report::{Cause, FileTrouble, Notice, NoticeKind, RowTrouble};
pub use table::FileFault;
pub use transform::{DateFault, DatePart, ExpressionFault, PatternFault};
pub use yaml::MappingPlace;
