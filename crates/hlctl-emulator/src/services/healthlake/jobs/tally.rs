//! What becomes of the lines of an import, counted and reported.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::output::{about_line, outcome};
use crate::fault::JobFaults;
use crate::services::healthlake::fhir::bulk::{Intake, Taken};

/// What has become of files and lines so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) files_read: u64,
    pub(super) files_with_customer_error: u64,
    pub(super) scanned: u64,
    pub(super) imported: u64,
    pub(super) customer_errors: u64,
    pub(super) server_errors: u64,
    pub(super) imported_bytes: u64,
}

/// Texts about the lines of a file.
#[derive(Default)]
pub(super) struct Reported {
    pub(super) success: Vec<u8>,
    pub(super) failure: Vec<u8>,
    pub(super) flawed: Vec<u8>,
}

impl Counts {
    /// Takes in a line, and notes what became of it.
    pub(super) fn take(
        &mut self,
        intake: &mut Intake<'_>,
        reported: &mut Reported,
        (number, line): (u64, &[u8]),
        faults: &JobFaults,
    ) {
        self.scanned += 1;
        if faults.server_error_every.is_some_and(|every| every > 0 && self.scanned.is_multiple_of(every)) {
            self.server_errors += 1;
            let blob = outcome("exception", "An unknown internal error occurred in the service.");
            about_line(&mut reported.failure, number, 500, &blob, faults.bare_keys);
            return;
        }
        match intake.take(line) {
            Taken::Refused { outcome, .. } => {
                self.customer_errors += 1;
                about_line(&mut reported.failure, number, 400, &outcome, faults.bare_keys);
            }
            Taken::Accepted { kind, id, version, flaw } => {
                self.imported += 1;
                self.imported_bytes += line.len() as u64;
                let status = if version == 1 { 201 } else { 200 };
                let blob = json!({"resourceType": kind, "id": id, "meta": {"versionId": version.to_string()}});
                about_line(&mut reported.success, number, status, &blob, faults.bare_keys);
                if let Some(flaw) = flaw {
                    about_line(&mut reported.flawed, number, status, &outcome("invalid", &flaw), faults.bare_keys);
                }
            }
        }
    }
}

/// A million bytes are a megabyte.
pub(super) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "nine thousand terabytes are exact to the byte")]
    let bytes = bytes as f64;
    bytes / 1e6
}
