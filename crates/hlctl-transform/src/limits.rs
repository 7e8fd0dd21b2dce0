//! What AWS allows of one job (HealthLake Developer Guide, "AWS HealthLake endpoints and quotas", and the service model).

/// CSV files of a job.
pub const FILES: usize = 20;
/// Columns of a CSV file.
pub const COLUMNS: usize = 100;
/// Bytes of a CSV file: 50 MB. Whether AWS counts in thousands is not documented.
pub const FILE_BYTES: usize = 50 * 1024 * 1024;
/// Characters of a mapping (`ProfileMapping` of the service model).
pub const MAPPING_CHARS: usize = 102_400;
/// Bytes of JSON in a cell: 2 KB.
pub const JSON_BYTES: usize = 2048;
/// Levels of JSON in a cell.
pub const JSON_LEVELS: usize = 5;
