//! An export from its job to the files: runs the job, and downloads or counts what it wrote.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::access::{self, JobResources, PreflightIssue};
use super::bulk_context::{BulkContext, until_stopped};
use super::check::is_resource_type;
use super::download::{ExportedFile, MANIFEST, Types, count, download, exported, forget};
use super::job::{self, Job, JobKind};
use super::journal::{TransferEntry, TransferJournal, TransferJournalError};
use super::lost_store::LostStore;
use super::place::{DataLocation, Prefix};
use super::unfinished::{NotStarted, Unfinished};
use crate::module::EXPORT_FOLDER;
use hlctl_aws::AwsError;
use hlctl_engine::wait::Signal;
use hlctl_engine::whole_file;
use hlctl_model::invocation::CommandLine;

/// What is exported, and where to.
#[derive(Clone, Copy, Debug)]
pub struct ExportRequest<'a> {
    /// A folder or a place in S3; `None` leaves it in the stack's bucket.
    pub to: Option<&'a DataLocation>,
    /// These types only, or all.
    pub types: &'a [String],
    /// Whether to wait for the job.
    pub wait: bool,
    /// Whether it may take the place of an earlier export of the same store.
    pub replaces: bool,
    /// Where journals of exports are.
    pub journals: &'a Path,
}

/// An export that is whole.
#[derive(Clone, Debug)]
pub struct Exported {
    /// Its job.
    pub job: Job,
    /// Where AWS put it.
    pub folder: Prefix,
    /// What it holds.
    pub files: Vec<ExportedFile>,
}

impl Exported {
    /// The manifest.
    pub fn manifest(&self, bulk: &BulkContext) -> Value {
        json!(Manifest {
            format: FORMAT.to_owned(),
            version: 1,
            store: ExportedStore::of(bulk),
            job: ExportJob {
                id: self.job.id.clone(),
                submitted: self.job.submitted.clone(),
                ended: self.job.ended.clone(),
            },
            source: self.folder.to_string(),
            resources: self.files.iter().map(|file| file.resources).sum(),
            files: self.files.clone(),
        })
    }
}

const FORMAT: &str = "hlctl-export";

/// The manifest of an export: a file next to the data, and what `data export --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExportManifest")]
pub struct Manifest {
    /// `hlctl-export`.
    format: String,
    /// Version of the format.
    version: u32,
    store: ExportedStore,
    job: ExportJob,
    /// Where HealthLake put it.
    source: String,
    /// How many resources it has.
    resources: u64,
    files: Vec<ExportedFile>,
}

/// The store of an export.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportedStore {
    id: String,
    arn: String,
}

impl ExportedStore {
    /// The store that is exported.
    pub fn of(bulk: &BulkContext) -> Self {
        Self { id: bulk.store.clone(), arn: bulk.arn.clone() }
    }
}

/// The job of an export that has ended.
#[derive(Debug, Serialize, JsonSchema)]
struct ExportJob {
    id: String,
    submitted: Option<String>,
    ended: Option<String>,
}

/// What `data export --no-wait --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportStarted {
    /// The store.
    pub store: ExportedStore,
    /// The job.
    pub job: ExportJobName,
}

/// A job that is under way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportJobName {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// Follows an export.
pub trait ExportObserver {
    /// Something happened.
    fn notice(&self, event: ExportEvent<'_>);

    /// A download of so many bytes begins; the returned function is called with bytes that were received.
    fn download(&self, bytes: u64) -> Box<dyn Fn(u64) + Send + Sync>;
}

/// What happens during an export.
#[derive(Clone, Copy, Debug)]
pub enum ExportEvent<'a> {
    /// An earlier run began this export.
    Continued {
        /// The run.
        run: &'a str,
    },
    /// The job may fail for this, and the export continues.
    Concern(&'a PreflightIssue),
    /// The job was started.
    Started {
        /// Its id.
        id: &'a str,
    },
    /// The job is waited for.
    WaitBegan,
    /// The job as it is now.
    Seen(&'a Job),
    /// The job is no longer waited for.
    WaitEnded,
    /// The download is over, however it ended.
    DownloadEnded,
    /// The export is whole.
    Exported(&'a Exported),
}

/// Why an export did not do all of its work.
#[derive(Debug, Error)]
pub enum DataExportError {
    /// The journal cannot be had.
    #[error("{0}")]
    Journal(#[from] TransferJournalError),
    /// The folder holds something else.
    #[error("{} is not an empty folder", .0.display())]
    NotEmpty(PathBuf),
    /// The job would fail.
    #[error("{}", .0.iter().map(|concern| concern.text.as_str()).collect::<Vec<_>>().join("\n"))]
    Blocked(Vec<PreflightIssue>),
    /// The store is gone.
    #[error("{0}")]
    Lost(Box<LostStore>),
    /// A signal came before anything was begun.
    #[error("interrupted; nothing was changed")]
    Interrupted(Signal),
    /// The same command continues.
    #[error("{0}")]
    Unfinished(#[from] Unfinished),
    /// The job is not waited for.
    #[error("The job {id} was started and is under way.")]
    LeftRunning {
        /// Its id.
        id: String,
        /// Its name.
        name: String,
    },
    /// What the job wrote cannot be listed.
    #[error("{0}")]
    NotListed(AwsError),
    /// S3 has deleted, or may be deleting, what the job wrote.
    #[error("what the job {job} exported is no longer kept: S3 deletes it after {days} days")]
    Expired {
        /// Its id.
        job: String,
        /// `transfer_retention_in_days`.
        days: i64,
    },
    /// A file of the folder cannot be written.
    #[error("{} cannot be written: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl DataExportError {
    /// What to do about it; `again` is the command that continues.
    pub fn hint(&self, again: &CommandLine) -> Option<String> {
        Some(match self {
            Self::NotEmpty(_) => "name a new or empty folder: an export is not mixed with other files".to_owned(),
            Self::Lost(lost) => lost.hint(),
            Self::Unfinished(unfinished) => unfinished.hint(again),
            Self::LeftRunning { .. } => format!("`{again}` waits for it and downloads the export"),
            Self::Expired { .. } => format!("`{again}` starts another job"),
            Self::NotListed(error) => return hlctl_aws::hint::hint(error),
            Self::Journal(_) | Self::Blocked(_) | Self::Interrupted(_) | Self::File { .. } => return None,
        })
    }

    fn file(path: &Path, error: io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }
}

/// Exports the store and brings the files where they are asked for; continues where an earlier run stopped.
///
/// # Errors
/// The export is not whole, or its job is not waited for.
pub async fn export(
    bulk: &BulkContext,
    request: ExportRequest<'_>,
    observer: &dyn ExportObserver,
) -> Result<Exported, DataExportError> {
    let mut flow = Box::pin(Flow::open(bulk, request, observer)).await?;
    let id = match Box::pin(flow.start()).await {
        Ok(id) => id,
        Err(error) => return Err(flow.end_if_lost(error).await),
    };
    if !request.wait {
        return Err(DataExportError::LeftRunning { id, name: flow.entry.run });
    }
    let job = match flow.wait(&id).await {
        Ok(job) => job,
        Err(unseen @ Unfinished::Unseen { .. }) => return Err(flow.end_if_lost(unseen.into()).await),
        Err(unfinished) => return Err(unfinished.into()),
    };
    let folder = match flow.folder(&job) {
        Ok(folder) => folder,
        Err(error) => return Err(flow.end_if_lost(error).await),
    };
    flow.check_kept(&job)?;
    let listed = until_stopped(&bulk.cx.stop, exported(&bulk.cx, &folder)).await;
    let mut types = listed.map_err(|_| Unfinished::Interrupted)?.map_err(DataExportError::NotListed)?;
    types.retain(|kind, _| request.types.is_empty() || request.types.contains(kind));
    let files = Box::pin(flow.bring(&folder, &types)).await?;
    flow.conclude(Exported { job, folder, files })
}

/// What the steps of one export share.
struct Flow<'a> {
    bulk: &'a BulkContext,
    request: ExportRequest<'a>,
    observer: &'a dyn ExportObserver,
    journal: TransferJournal,
    entry: TransferEntry,
}

impl<'a> Flow<'a> {
    /// Takes up what an earlier run began, or checks that something new can be begun.
    async fn open(
        bulk: &'a BulkContext,
        request: ExportRequest<'a>,
        observer: &'a dyn ExportObserver,
    ) -> Result<Self, DataExportError> {
        let subject = request.to.map(DataLocation::subject).unwrap_or_default();
        let journal = TransferJournal::open(request.journals, "export", &bulk.store, &subject)?;
        let known = journal.read();
        // What a job has exported already can be had without the store.
        if known.as_ref().is_none_or(|entry| entry.job.is_none())
            && let Some(lost) = bulk.lost().await
        {
            journal.close();
            return Err(DataExportError::Lost(Box::new(lost)));
        }
        let entry = if let Some(entry) = known {
            observer.notice(ExportEvent::Continued { run: &entry.run });
            entry
        } else {
            if let Some(DataLocation::Local(path)) = request.to {
                check_room(path, request.replaces.then_some(&*bulk.store))?;
            }
            let entry = TransferEntry::new(&bulk.store, &subject, &bulk.place(EXPORT_FOLDER), "export");
            let entry = match request.to {
                Some(DataLocation::S3(prefix)) => TransferEntry { prefix: prefix.clone(), ..entry },
                _ => entry,
            };
            check_access(bulk, &entry.prefix, observer).await?;
            entry
        };
        let retentions = [entry.retention_in_days, bulk.retention_in_days(&entry.prefix)];
        let entry = TransferEntry { retention_in_days: retentions.into_iter().flatten().min(), ..entry };
        journal.write(&entry)?;
        Ok(Self { bulk, request, observer, journal, entry })
    }

    /// The job of this run; it is started if there is none.
    async fn start(&mut self) -> Result<String, DataExportError> {
        if let Some(id) = &self.entry.job {
            return Ok(id.clone());
        }
        let Self { bulk, entry, journal, .. } = self;
        let was_sent = entry.start_sent;
        let start = async {
            let known = job::find(&bulk.cx, JobKind::Export, &bulk.store, &entry.run).await;
            if let Some(id) = known.map_err(|error| NotStarted::of_list(error, was_sent))? {
                return Ok(id);
            }
            entry.start_sent = true;
            journal.write(entry)?;
            Ok(job::export(&bulk.cx, &bulk.order(entry, &entry.prefix)).await?)
        };
        let started = until_stopped(&bulk.cx.stop, start).await.unwrap_or(Err(NotStarted::Stopped));
        if matches!(started, Err(NotStarted::Resource(_))) && !was_sent {
            // Surely refused, and no run has asked before.
            entry.start_sent = false;
            journal.write(entry)?;
        }
        let id = started.map_err(Unfinished::NotStarted)?;
        self.observer.notice(ExportEvent::Started { id: &id });
        entry.job = Some(id.clone());
        self.journal.write(entry)?;
        Ok(id)
    }

    async fn wait(&self, id: &str) -> Result<Job, Unfinished> {
        self.observer.notice(ExportEvent::WaitBegan);
        let hear = |job: &Job| self.observer.notice(ExportEvent::Seen(job));
        let job = job::wait(&self.bulk.cx, JobKind::Export, &self.bulk.store, id, hear).await;
        self.observer.notice(ExportEvent::WaitEnded);
        job.map_err(|ended| Unfinished::of_wait(ended, id))
    }

    /// The end of a run that cannot go on. If that is so because the store is gone, no other run can either, and nothing is
    /// kept for one.
    async fn end_if_lost(self, error: DataExportError) -> DataExportError {
        match self.bulk.lost().await {
            Some(lost) => {
                self.journal.close();
                DataExportError::Lost(Box::new(lost))
            }
            None => error,
        }
    }

    /// Where the job wrote, if it has exported all.
    fn folder(&mut self, job: &Job) -> Result<Prefix, DataExportError> {
        match job.folder(&self.bulk.store).filter(|_| job.status == "COMPLETED") {
            Some(folder) => Ok(folder),
            None => {
                self.entry.forget_job("export");
                self.journal.write(&self.entry)?;
                Err(Unfinished::Failed { job: Box::new(job.clone()), store: self.bulk.store.clone() }.into())
            }
        }
    }

    /// That a rule of the bucket has deleted nothing of it yet. What is missing would not be missed in the list of objects.
    fn check_kept(&mut self, job: &Job) -> Result<(), DataExportError> {
        let Some(days) = self.entry.retention_in_days.filter(|days| !job.is_younger_than(*days)) else {
            return Ok(());
        };
        self.entry.forget_job("export");
        self.journal.write(&self.entry)?;
        Err(DataExportError::Expired { job: job.id.clone(), days })
    }

    /// Downloads the files, or counts what they hold where they stay in S3.
    async fn bring(&self, folder: &Prefix, types: &Types) -> Result<Vec<ExportedFile>, DataExportError> {
        let cx = &self.bulk.cx;
        let brought = match self.request.to {
            Some(DataLocation::Local(path)) => {
                let progress = self.observer.download(bytes(types));
                let brought = until_stopped(&cx.stop, download(cx, folder, types, path, progress)).await;
                self.observer.notice(ExportEvent::DownloadEnded);
                brought
            }
            _ => until_stopped(&cx.stop, count(cx, folder, types)).await,
        };
        let files = brought.map_err(|_| Unfinished::Interrupted)?;
        Ok(files.map_err(Unfinished::Download)?)
    }

    /// Writes the manifest, and forgets what was needed to go on.
    fn conclude(self, exported: Exported) -> Result<Exported, DataExportError> {
        if let Some(DataLocation::Local(path)) = self.request.to {
            if self.request.replaces {
                remove_replaced(path, &exported.files)?;
            }
            let (file, manifest) = (path.join(MANIFEST), format!("{:#}\n", exported.manifest(self.bulk)));
            whole_file::write(&file, manifest.as_bytes()).map_err(|error| DataExportError::file(&file, error))?;
            forget(path);
        }
        self.observer.notice(ExportEvent::Exported(&exported));
        self.journal.close();
        Ok(exported)
    }
}

fn bytes(types: &Types) -> u64 {
    types.values().flatten().map(|object| object.size).sum()
}

/// An export is not mixed with what is there already, but for an earlier one of the store that it may replace.
fn check_room(path: &Path, replaced: Option<&str>) -> Result<(), DataExportError> {
    let is_empty = match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(_) => false,
    };
    let earlier = earlier_files(path);
    if is_empty || earlier.is_some_and(|(store, _)| replaced == Some(&*store)) {
        return Ok(());
    }
    Err(DataExportError::NotEmpty(path.to_owned()))
}

/// The store and the files of the export that a folder holds.
fn earlier_files(path: &Path) -> Option<(String, Vec<ExportedFile>)> {
    let manifest: Value = serde_json::from_slice(&fs::read(path.join(MANIFEST)).ok()?).ok()?;
    let store = manifest["store"]["id"].as_str()?.to_owned();
    let files = serde_json::from_value(manifest["files"].clone()).ok()?;
    (manifest["format"] == FORMAT).then_some((store, files))
}

/// Removes what an earlier export had and this one has not: of types of which nothing is left.
fn remove_replaced(path: &Path, files: &[ExportedFile]) -> Result<(), DataExportError> {
    let (_, earlier) = earlier_files(path).unwrap_or_default();
    let is_new = |old: &ExportedFile| files.iter().any(|file| file.kind == old.kind);
    for old in earlier.iter().filter(|old| is_resource_type(&old.kind) && !is_new(old)) {
        let file = path.join(format!("{}.ndjson", old.kind));
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(DataExportError::file(&file, error)),
            _ => {}
        }
    }
    Ok(())
}

async fn check_access(
    bulk: &BulkContext,
    output: &Prefix,
    observer: &dyn ExportObserver,
) -> Result<(), DataExportError> {
    let means = JobResources { store: &bulk.arn, role: &bulk.role, key: &bulk.key, input: None, output };
    let concerns = until_stopped(&bulk.cx.stop, access::concerns(&bulk.cx, means)).await;
    let mut certain = Vec::new();
    for concern in concerns.map_err(DataExportError::Interrupted)? {
        if concern.is_certain {
            certain.push(concern);
        } else {
            observer.notice(ExportEvent::Concern(&concern));
        }
    }
    if certain.is_empty() { Ok(()) } else { Err(DataExportError::Blocked(certain)) }
}
