//! What of the files a mapping uses, in the form of AWS's report for CSV jobs (HealthLake Developer Guide, "Understanding drift
//! reports"). Keys count as used columns here; whether AWS counts them is not documented.

use schemars::JsonSchema;
use serde::Serialize;

/// The report, without the ids of the job and the profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// Numbers.
    pub summary: DriftSummary,
    /// Files that the mapping has no table for.
    pub unmapped_tables: Vec<UnmappedTable>,
    /// Columns that the mapping does not use.
    pub unmapped_columns: Vec<UnmappedColumns>,
}

/// Counts and rates. Rates are from 0 to 1; of nothing, all is covered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftSummary {
    /// Tables of the mapping.
    pub total_tables_in_profile: u64,
    /// Files.
    pub total_tables_in_input: u64,
    /// Files that the mapping has a table for, and that could be read.
    pub tables_processed: u64,
    /// The other files.
    pub tables_unmapped: u64,
    /// Columns of all files.
    pub total_columns_in_input: u64,
    /// Columns that the mapping uses.
    pub columns_mapped: u64,
    /// The other columns.
    pub columns_unmapped: u64,
    /// Rows of the files that the mapping has a table for.
    pub total_rows_scanned: u64,
    /// Rows without an error.
    pub rows_converted_successfully: u64,
    /// Rows with an error.
    pub rows_failed_customer_error: u64,
    /// Rows that the converter failed at; there is no such failure here.
    pub rows_failed_server_error: u64,
    /// Resources.
    pub total_resources_generated: u64,
    /// The share of files that the mapping has a table for.
    pub tables_coverage_rate: f64,
    /// The share of columns that are used in these files.
    pub columns_coverage_rate: f64,
    /// The share of columns that are used in all files.
    pub overall_coverage_rate: f64,
}

/// A file that the mapping has no table for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmappedTable {
    /// The name of the file without `.csv`.
    pub table_name: String,
    /// The name of the file.
    pub file_name: String,
    /// Why.
    pub reason: String,
    /// Its columns.
    pub columns: Vec<String>,
}

/// Columns of a file that the mapping does not use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnmappedColumns {
    /// The table.
    pub table_name: String,
    /// The columns.
    pub columns: Vec<String>,
    /// Why.
    pub reason: String,
}

/// A share of a whole.
pub(crate) fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}
