//! Imports: files of NDJSON from a bucket into a datastore, line by line.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Output;
use super::access::Party;
use super::output::{Growing, PROBE, about_line, outcome};
use super::tally::{Counts, Reported, megabytes};
use crate::error::AwsResult;
use crate::fault::JobFaults;
use crate::options::ImportLimits;
use crate::services::healthlake::fhir::bulk::{Intake, Level};
use crate::services::healthlake::transformation::jobs::convert_files;
use crate::services::healthlake::transformation::usable_profile;
use crate::services::healthlake::validation;
use crate::services::s3::inside::{Found, Inside};
use crate::store::resources::Collection;

/// What the name of a file that is imported ends with.
pub(super) const EXTENSION: &str = ".ndjson";

/// The most that a step takes in, so that nobody waits long.
const STEP_LINES: u64 = 1_000;
const STEP_BYTES: u64 = 1 << 20;

/// An import as far as it has got.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Import {
    uri: String,
    bucket: String,
    path: String,
    level: Level,
    /// Files that there are, and their bytes.
    files: u64,
    bytes: u64,
    /// Bytes gone through.
    read: u64,
    /// The last file that is done with.
    after: Option<String>,
    current: Option<File>,
    counts: Counts,
    /// How its files are converted first, if they are.
    conversion: Option<ImportConversion>,
}

/// The conversion of an import, and what has come of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImportConversion {
    profile: String,
    drift: bool,
    files: u64,
    resources: u64,
    has_errors: bool,
}

impl ImportConversion {
    pub(super) fn new(profile: &str, drift: bool) -> Self {
        Self { profile: profile.to_owned(), drift, files: 0, resources: 0, has_errors: false }
    }
}

/// A file that is being read.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    key: String,
    /// The content's name.
    body: String,
    size: u64,
    offset: u64,
    line: u64,
    success: Growing,
    failure: Growing,
    flawed: Growing,
}

/// What a step works with.
pub(super) struct ImportRun<'a, 'w> {
    pub(super) s3: Inside<'w>,
    pub(super) collection: &'a mut Collection,
    pub(super) output: &'a Output,
    pub(super) party: Party<'a>,
    pub(super) faults: &'a JobFaults,
    /// The profiles that the datastore has been given.
    pub(super) profiles: &'a [String],
    pub(super) now: Timestamp,
    /// How many more lines may be read.
    pub(super) lines: u64,
    /// How far it may get by now; `None` for the end.
    pub(super) until: Option<u64>,
}

impl Import {
    pub(super) fn new(uri: &str, bucket: &str, path: &str, level: Level) -> Self {
        Self {
            uri: uri.to_owned(),
            bucket: bucket.to_owned(),
            path: path.to_owned(),
            level,
            files: 0,
            bytes: 0,
            read: 0,
            after: None,
            current: None,
            counts: Counts::default(),
            conversion: None,
        }
    }

    pub(super) fn converting(self, conversion: Option<ImportConversion>) -> Self {
        Self { conversion, ..self }
    }

    /// Converts its files, so that what is imported is what comes of them.
    pub(super) fn convert(&mut self, import_run: &mut ImportRun<'_, '_>, job: &str) -> AwsResult<()> {
        let Some(conversion) = &mut self.conversion else {
            return Ok(());
        };
        let (to, s3) = (import_run.output.of_conversion(job), &mut import_run.s3);
        let from = (self.bucket.as_str(), self.path.as_str());
        import_run.party.check_conversion(s3.cx(), from, (to.bucket(), to.folder()), to.key())?;
        let profile = usable_profile(s3.cx(), &conversion.profile, None)?;
        let version = Some(profile.latest());
        let mapping = profile.in_use().map(|version| version.mapping.clone()).unwrap_or_default();
        let made = convert_files(s3, &mapping, &self.uri, &to)?;
        if conversion.drift {
            made.leave_drift(s3, &to, job, (&conversion.profile, version))?;
        }
        if made.resources == 0 {
            return Err(validation(format!("Nothing at {} could be converted", self.uri)));
        }
        (conversion.files, conversion.resources) = (made.files(), made.resources);
        conversion.has_errors = made.has_errors;
        to.bucket().clone_into(&mut self.bucket);
        self.path = format!("{}converted/", to.folder());
        Ok(())
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// How many resources it has gone through.
    pub(super) fn seen(&self) -> u64 {
        self.counts.scanned
    }

    /// How many bytes there are to go through.
    pub(super) fn whole(&self) -> u64 {
        self.bytes
    }

    /// Whether there is something to do before the first `wanted` bytes have been gone through.
    pub(super) fn is_behind(&self, wanted: Option<u64>) -> bool {
        wanted.is_none_or(|wanted| self.read < wanted)
    }

    /// Counts what there is, or says why it cannot be imported.
    pub(super) fn scan(&mut self, s3: &mut Inside<'_>, limits: ImportLimits) -> AwsResult<Result<(), String>> {
        let (mut files, mut bytes, mut largest) = (0, 0_u64, 0);
        self.each_from(s3, None, |found| {
            files += 1;
            bytes = bytes.saturating_add(found.size);
            largest = largest.max(found.size);
            true
        })?;
        (self.files, self.bytes) = (files, bytes);
        Ok(if files == 0 {
            Err(format!("There is no file at {}", self.uri))
        } else if files > limits.files {
            Err(format!("There are {files} files at {}: a job takes {}", self.uri, limits.files))
        } else if largest > limits.file_bytes {
            Err(format!("A file at {} has {largest} bytes: a job takes files of {}", self.uri, limits.file_bytes))
        } else if bytes > limits.job_bytes {
            Err(format!("The files at {} have {bytes} bytes: a job takes {}", self.uri, limits.job_bytes))
        } else {
            Ok(())
        })
    }

    /// The files after one of them, as long as `wanted` says so.
    fn each_from(
        &self,
        s3: &mut Inside<'_>,
        after: Option<&str>,
        mut wanted: impl FnMut(Found) -> bool,
    ) -> AwsResult<()> {
        s3.list(&self.bucket, &self.path, after, |found| !self.covers(&found.key) || wanted(found))
    }

    /// Whether an object is the one that the address names, or below it.
    fn covers(&self, key: &str) -> bool {
        let Some(rest) = key.strip_prefix(&self.path) else {
            return false;
        };
        let inside = self.path.is_empty() || self.path.ends_with('/') || rest.is_empty() || rest.starts_with('/');
        inside && !key.ends_with('/') && !key.ends_with(PROBE)
    }

    /// A file's name below the address.
    fn name<'k>(&self, key: &'k str) -> &'k str {
        let folder = match self.path.rsplit_once('/') {
            _ if key != self.path => self.path.as_str(),
            Some((folder, _)) => folder,
            None => "",
        };
        key.strip_prefix(folder).unwrap_or(key).trim_start_matches('/')
    }

    /// Takes in the next lines, and says whether there are any left and how many it took.
    pub(super) fn step(&mut self, import_run: &mut ImportRun<'_, '_>) -> AwsResult<(bool, u64)> {
        let mut file = match self.current.take() {
            Some(file) => file,
            None => match self.open(import_run)? {
                Some(Opened::File(file)) => *file,
                Some(Opened::Nothing) => return Ok((true, 1)),
                None => return Ok((false, 1)),
            },
        };
        let before = self.counts.scanned;
        let read = self.take_in(import_run, &mut file);
        let is_done = file.offset >= file.size;
        if read.is_err() || !is_done {
            self.current = Some(file);
        } else {
            self.close(import_run, file)?;
            self.counts.files_read += 1;
        }
        read?;
        Ok((true, (self.counts.scanned - before).max(1)))
    }

    /// The next file, if there is one and it can be read.
    fn open(&mut self, import_run: &mut ImportRun<'_, '_>) -> AwsResult<Option<Opened>> {
        let mut next = None;
        let output = import_run.output;
        self.each_from(&mut import_run.s3, self.after.as_deref(), |found| {
            // A job whose output lies below its input would never come to its end.
            if output.holds(&self.bucket, &found.key) {
                return true;
            }
            next = Some(found);
            false
        })?;
        let Some(found) = next else {
            return Ok(None);
        };
        let mut file = File {
            key: found.key,
            body: found.body,
            size: found.size,
            offset: 0,
            line: 0,
            success: Growing::default(),
            failure: Growing::default(),
            flawed: Growing::default(),
        };
        let Some(reason) = unreadable(import_run, &file.key, found.kms_key.as_deref()) else {
            return Ok(Some(Opened::File(Box::new(file))));
        };
        let mut text = Vec::new();
        about_line(&mut text, 0, 400, &outcome("processing", &reason), import_run.faults.bare_keys);
        file.failure.add(&mut import_run.s3, import_run.output, &text)?;
        self.read += file.size;
        self.counts.files_with_customer_error += 1;
        self.close(import_run, file)?;
        Ok(Some(Opened::Nothing))
    }

    /// Takes in lines of a file from where it stands.
    fn take_in(&mut self, import_run: &mut ImportRun<'_, '_>, file: &mut File) -> AwsResult<()> {
        let content = import_run.s3.content(&self.bucket, &file.body)?;
        // A file may have been replaced by a shorter one.
        file.size = file.size.min(content.len() as u64);
        let mut intake = Intake::new(import_run.collection, self.level, import_run.profiles, import_run.now);
        let mut reported = Reported::default();
        let (mut lines, start) = (STEP_LINES.min(import_run.lines), file.offset);
        let room = import_run.until.map_or(STEP_BYTES, |until| until.saturating_sub(self.read).min(STEP_BYTES));
        while file.offset < file.size && lines > 0 && file.offset - start < room {
            let rest = &content[usize::try_from(file.offset).unwrap_or(usize::MAX)..];
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let line = rest[..length].trim_ascii();
            file.offset += length as u64;
            file.line += 1;
            if !line.is_empty() {
                lines -= 1;
                self.counts.take(&mut intake, &mut reported, (file.line, line), import_run.faults);
            }
        }
        self.read += file.offset - start;
        intake.commit().map_err(|error| crate::emulator::storage_failed(&error))?;
        for (growing, text) in [
            (&mut file.success, reported.success),
            (&mut file.failure, reported.failure),
            (&mut file.flawed, reported.flawed),
        ] {
            growing.add(&mut import_run.s3, import_run.output, &text)?;
        }
        Ok(())
    }

    /// Leaves what was reported about a file.
    fn close(&mut self, import_run: &mut ImportRun<'_, '_>, file: File) -> AwsResult<()> {
        let name = self.name(&file.key).to_owned();
        for (growing, folder) in [
            (file.success, "SUCCESS"),
            (file.failure, "FAILURE"),
            (file.flawed, "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES"),
        ] {
            growing.finish(&mut import_run.s3, import_run.output, &format!("{folder}/{name}"))?;
        }
        self.after = Some(file.key);
        Ok(())
    }

    /// Leaves what there is to tell, finished or not, and says what status that makes.
    pub(super) fn finish(&mut self, import_run: &mut ImportRun<'_, '_>) -> AwsResult<&'static str> {
        if let Some(file) = self.current.take() {
            self.close(import_run, file)?;
        }
        let name = import_run.faults.manifest.as_deref().unwrap_or("manifest.json");
        import_run.output.put_json(&mut import_run.s3, name, &self.manifest(import_run.output))?;
        let counts = &self.counts;
        let has_errors = self.conversion.as_ref().is_some_and(|conversion| conversion.has_errors);
        let converted_in_part = has_errors && !import_run.faults.completed_despite_errors;
        Ok(match counts.customer_errors + counts.server_errors + counts.files_with_customer_error {
            0 if !converted_in_part => "COMPLETED",
            _ if counts.imported == 0 => "FAILED",
            _ => "COMPLETED_WITH_ERRORS",
        })
    }

    fn manifest(&self, output: &Output) -> Value {
        let counts = &self.counts;
        json!({
            "inputDataConfig": {"s3Uri": self.uri},
            "outputDataConfig": {"s3Uri": output.uri(), "encryptionKeyID": output.key},
            "successOutput": {"successOutputS3Uri": output.uri_of("SUCCESS/")},
            "failureOutput": {"failureOutputS3Uri": output.uri_of("FAILURE/")},
            "numberOfScannedFiles": self.files,
            "numberOfFilesImported": counts.files_read,
            "sizeOfScannedFilesInMB": megabytes(self.bytes),
            "sizeOfDataImportedSuccessfullyInMB": megabytes(counts.imported_bytes),
            "numberOfResourcesScanned": counts.scanned,
            "numberOfResourcesImportedSuccessfully": counts.imported,
            "numberOfResourcesWithCustomerError": counts.customer_errors,
            "numberOfResourcesWithServerError": counts.server_errors,
        })
    }

    /// `JobProgressReport`.
    pub(super) fn report(&self, started: Timestamp, ended: Option<Timestamp>) -> Value {
        let counts = &self.counts;
        let mut report = json!({
            "TotalNumberOfScannedFiles": self.files,
            "TotalSizeOfScannedFilesInMB": megabytes(self.bytes),
            "TotalNumberOfImportedFiles": counts.files_read,
            "TotalNumberOfResourcesScanned": counts.scanned,
            "TotalNumberOfResourcesImported": counts.imported,
            "TotalNumberOfResourcesWithCustomerError": counts.customer_errors,
            "TotalNumberOfFilesReadWithCustomerError": counts.files_with_customer_error,
        });
        if let Some(conversion) = &self.conversion {
            report["TotalFilesConverted"] = json!(conversion.files);
            report["TotalResourcesGenerated"] = json!(conversion.resources);
        }
        if let Some(ended) = ended {
            let seconds = crate::clock::epoch_seconds(ended) - crate::clock::epoch_seconds(started);
            if seconds > 0.0 {
                report["Throughput"] = json!(f64::from(u32::try_from(counts.imported).unwrap_or(u32::MAX)) / seconds);
            }
        }
        report
    }
}

enum Opened {
    File(Box<File>),
    /// It cannot be read, and that has been reported.
    Nothing,
}

/// Why a file cannot be read, if it cannot.
fn unreadable(import_run: &mut ImportRun<'_, '_>, key: &str, kms_key: Option<&str>) -> Option<String> {
    if !key.ends_with(EXTENSION) {
        return Some(format!("{key} cannot be imported: its name does not end with {EXTENSION}."));
    }
    let party = import_run.party;
    let refused = party.check_decryption(import_run.s3.cx(), kms_key?).err()?;
    Some(format!("{key} cannot be decrypted: {}", refused.message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_file_or_a_folder_and_names_are_relative_to_it() {
        let import = |path: &str| Import::new("", "b", path, Level::Strict);
        for (path, key, name) in [
            ("", "a.ndjson", "a.ndjson"),
            ("in/", "in/v1/a.ndjson", "v1/a.ndjson"),
            ("in", "in/a.ndjson", "a.ndjson"),
            ("in/a.ndjson", "in/a.ndjson", "a.ndjson"),
            ("a.ndjson", "a.ndjson", "a.ndjson"),
        ] {
            assert!(import(path).covers(key), "{path} {key}");
            assert_eq!(import(path).name(key), name);
        }
        assert!(!import("in").covers("inside/a.ndjson"));
        assert!(!import("in/").covers("in/folder/"));
        assert!(!import("").covers(&format!("out/{PROBE}")));
    }
}
