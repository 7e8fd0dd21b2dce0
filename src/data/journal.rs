//! What an import or export has begun, so that the same command can go on with it. No patient data is in it.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use same_file::Handle;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::place::Prefix;
use hlctl_engine::whole_file;

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferEntry {
    /// Version of this format.
    pub version: u32,
    /// The store's id.
    pub store: String,
    /// What the command line named.
    pub subject: String,
    /// Name of the run, and of its job.
    pub run: String,
    /// Where its objects are.
    pub prefix: Prefix,
    /// Token of the job: AWS starts no second one for it.
    pub token: String,
    /// Whether the job's start may have been sent, and was not surely refused: AWS may have started it.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub start_sent: bool,
    /// The job, once AWS has named it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
    /// Days after which S3 deletes what the job writes: the fewest that a run has seen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retention_in_days: Option<i64>,
    /// Fingerprint of the files that the job imports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub files: Option<String>,
    /// How strictly the job validates.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub validation_level: Option<String>,
    /// How HealthLake converts the files before it imports them: AWS does not tell it of a job that was started.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conversion: Option<ImportConversion>,
    /// Jobs of a conversion, one for each part of the files.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<ConversionPart>,
    /// Multipart uploads that were begun, by the file's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub uploads: BTreeMap<String, Begun>,
}

/// How HealthLake converts files before it imports them (StartFHIRImportJob).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportConversion {
    /// `InputFormat`: `CSV` or `CCDA`.
    pub format: String,
    /// `ProfileId`.
    pub profile: String,
    /// `DriftDetectionEnabled`: whether HealthLake reports what of the files the mapping does not use.
    pub drift: bool,
    /// `ProvenanceEnabled`: whether HealthLake adds resources that say where each one comes from.
    pub provenance: bool,
}

/// The job of a part of a conversion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversionPart {
    /// Its token, and its name: AWS starts no second job for it.
    pub token: String,
    /// Stands for what the job is started with, once that may have been sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order: Option<String>,
    /// The job, once AWS has named it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub job: Option<String>,
}

impl ConversionPart {
    /// One that was never started.
    pub fn new() -> Self {
        Self { token: TransferEntry::name("transform"), order: None, job: None }
    }
}

/// A multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its id.
    pub id: String,
    /// Bytes of the file that it is of.
    pub size: u64,
    /// Checksum of that file.
    pub crc64: u64,
}

impl TransferEntry {
    /// An entry of a new run, whose objects go under `root`.
    pub fn new(store: &str, subject: &str, root: &Prefix, job: &str) -> Self {
        let run = Self::name(job);
        Self {
            version: 1,
            store: store.to_owned(),
            subject: subject.to_owned(),
            prefix: root.under(&run),
            token: run.clone(),
            run,
            start_sent: false,
            job: None,
            retention_in_days: None,
            files: None,
            validation_level: None,
            conversion: None,
            parts: Vec::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// Lets the next job be another one.
    pub fn forget_job(&mut self, job: &str) {
        self.run = Self::name(job);
        self.token = self.run.clone();
        self.start_sent = false;
        self.job = None;
        self.retention_in_days = None;
        self.files = None;
        self.validation_level = None;
        self.conversion = None;
    }

    fn name(job: &str) -> String {
        let day = jiff::Timestamp::now().strftime("%Y%m%d");
        let id = uuid::Uuid::new_v4().simple().to_string();
        format!("hlctl-{job}-{day}-{}", &id[..12])
    }
}

/// The journal of one import or export, which nobody else writes meanwhile.
#[derive(Debug)]
pub struct TransferJournal {
    path: PathBuf,
    _lock: File,
}

/// A journal cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TransferJournalError {
    /// Another process is at the same import or export.
    #[error("another run of hlctl is working on the same files: wait for it to end")]
    Busy,
    /// The file cannot be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl TransferJournal {
    /// The journal, in `directory`, of what is done with `subject`.
    ///
    /// # Errors
    /// Another process has it, or the directory cannot be written.
    pub fn open(directory: &Path, kind: &str, store: &str, subject: &str) -> Result<Self, TransferJournalError> {
        let hash = Sha256::digest(format!("{store}\n{subject}"));
        let path = directory.join(format!("{kind}-{hash:.12x}.json"));
        let failed = |error| TransferJournalError::Io { path: path.clone(), error };
        whole_file::create_directories(directory).map_err(failed)?;
        loop {
            let lock_path = path.with_extension("lock");
            let lock = File::create(&lock_path).map_err(failed)?;
            match lock.try_lock() {
                Ok(()) if is_at(&lock, &lock_path) => return Ok(Self { path, _lock: lock }),
                // The run that had it removed it after it was opened here: what is locked now is no longer in anybody's way.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(TransferJournalError::Busy),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
    }

    /// What an earlier run wrote down. What cannot be read counts as nothing: the run starts over.
    pub fn read(&self) -> Option<TransferEntry> {
        let entry: TransferEntry = serde_json::from_slice(&fs::read(&self.path).ok()?).ok()?;
        (entry.version == 1).then_some(entry)
    }

    /// Writes it down, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, entry: &TransferEntry) -> Result<(), TransferJournalError> {
        let text = serde_json::to_vec_pretty(entry).map_err(io::Error::from);
        let written = text.and_then(|text| whole_file::write_private(&self.path, UNFINISHED, &text));
        written.map_err(|error| TransferJournalError::Io { path: self.path.clone(), error })
    }

    /// There is nothing to go on with any more.
    pub fn close(self) {
        // What is left lets a later run look again at what is done.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(self.path.with_extension("lock"));
    }
}

/// What a journal's name begins with until it is whole.
const UNFINISHED: &str = ".journal-";

/// Whether this file is the one that is at `path` now.
fn is_at(file: &File, path: &Path) -> bool {
    let handle = file.try_clone().and_then(Handle::from_file);
    matches!((handle, Handle::from_path(path)), (Ok(file), Ok(there)) if file == there)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_journal_belongs_to_one_process_and_one_subject() {
        let directory = tempfile::tempdir().unwrap();
        let open = |subject: &str| TransferJournal::open(directory.path(), "import", "store", subject);
        let first = open("a").unwrap();
        assert!(matches!(open("a"), Err(TransferJournalError::Busy)));
        open("b").unwrap();
        let root = Prefix::parse("s3://b/import").unwrap();
        let entry = TransferEntry::new("store", "a", &root, "import");
        first.write(&entry).unwrap();
        drop(first);
        let again = open("a").unwrap();
        assert_eq!(again.read(), Some(entry));
        again.close();
        assert_eq!(open("a").unwrap().read(), None);
    }

    #[test]
    fn a_job_that_is_forgotten_leaves_nothing_for_the_next() {
        let root = Prefix::parse("s3://b/import").unwrap();
        let fresh = TransferEntry::new("store", "a", &root, "import");
        let conversion =
            ImportConversion { format: "CSV".to_owned(), profile: "p".to_owned(), drift: true, provenance: true };
        let mut entry = TransferEntry { start_sent: true, conversion: Some(conversion), ..fresh.clone() };
        entry.forget_job("import");
        assert_ne!(entry.token, fresh.token);
        let (run, token) = (fresh.run.clone(), fresh.token.clone());
        assert_eq!(TransferEntry { run, token, ..entry }, fresh);
    }

    #[test]
    fn a_lock_that_its_owner_has_removed_is_nobodys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.lock");
        let opened_before = File::create(&path).unwrap();
        assert!(is_at(&opened_before, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&opened_before, &path));
        let another = File::create(&path).unwrap();
        assert!(is_at(&another, &path) && !is_at(&opened_before, &path));
    }
}
