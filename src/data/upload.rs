//! Brings files into S3: many at once, in bounded memory, and nothing twice.

mod memory;
mod multipart;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use memory::{Buffer, Buffers, in_frames, read_now};
use multipart::Multipart;

use super::crc64_text;
use super::journal::{TransferEntry, TransferJournal, TransferJournalError};
use super::objects::{crc64, list};
use super::place::Prefix;
use super::source::{Source, SourceFile};
use hlctl_aws::{AwsError, ops};
use hlctl_resources::{Context, ResourceError};

/// Bytes of a part: the least that S3 takes. 10,000 of them are more than the 50 GB that a file may have.
const PART: u64 = 5 << 20;
/// Bytes that are held in memory at once.
const HELD: u64 = 4 * PART;
/// A file of fewer bytes takes only as much memory as it has.
const SMALL: u64 = 1 << 20;
/// Files at once.
const FILES: usize = 16;
/// A part may take this long on a slow line.
const PART_TIMEOUT: Duration = Duration::from_secs(300);

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Files that were sent.
    pub sent: u64,
    /// Files that were there already.
    pub kept: u64,
}

/// An upload did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// AWS, or the way to it.
    #[error("{0}")]
    Resource(#[from] ResourceError),
    /// A file cannot be read, or is no longer what was checked.
    #[error("{name}: {error}")]
    File {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// The journal cannot be written.
    #[error("{0}")]
    Journal(#[from] TransferJournalError),
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}

impl From<AwsError> for UploadError {
    fn from(error: AwsError) -> Self {
        Self::Resource(error.into())
    }
}

/// What the tasks share.
struct Uploader {
    cx: Context,
    to: Prefix,
    memory: Arc<Semaphore>,
    buffers: Buffers,
    progress: Box<dyn Fn(u64) + Send + Sync>,
}

/// Makes `to` hold just these files.
///
/// # Errors
/// AWS's, a file's, or the journal's; or a stop was asked for.
pub async fn upload(
    cx: &Context,
    to: &Prefix,
    source: &Source,
    journal: &TransferJournal,
    entry: &mut TransferEntry,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Uploaded, UploadError> {
    let files = &source.files;
    let memory = Arc::new(Semaphore::new(permits(HELD)));
    let uploader = Arc::new(Uploader {
        cx: cx.clone(),
        to: to.clone(),
        memory,
        buffers: Buffers::default(),
        progress: Box::new(progress),
    });
    let present: BTreeMap<String, u64> =
        list(cx, to).await?.into_iter().map(|object| (object.name, object.size)).collect();
    // The job imports whatever is in the folder, so what an earlier run left there would come along.
    for name in present.keys().filter(|name| files.binary_search_by(|file| file.name.cmp(name)).is_err()) {
        uploader.delete(name).await?;
    }
    let mut begun = uploader.begun(entry).await?;
    let mut done = Uploaded::default();
    let mut tasks = JoinSet::new();
    for file in files {
        if cx.stop.signal().is_some() {
            break;
        }
        while tasks.len() >= FILES {
            count(&mut done, tasks.join_next().await)?;
        }
        let may_be_there = present.get(&file.name) == Some(&file.checked.size);
        let earlier = begun.remove(&file.name);
        let upload = uploader.in_parts(file, may_be_there, earlier, journal, entry).await?;
        let bring = Arc::clone(&uploader).bring(file.clone(), may_be_there, upload);
        tasks.spawn(bring.in_current_span());
    }
    while let Some(ended) = tasks.join_next().await {
        count(&mut done, Some(ended))?;
    }
    if cx.stop.signal().is_some() {
        return Err(UploadError::Stopped);
    }
    // Each was sent as it was checked. A program may still be writing to the folder.
    match source.changed() {
        Ok(None) => {}
        Ok(Some(path)) => return Err(changed(&path.to_string_lossy())),
        Err(error) => return Err(UploadError::File { name: "the files were listed again".to_owned(), error }),
    }
    // These are of files that are gone or have changed; S3 charges for parts until they are aborted.
    for (name, upload) in begun {
        uploader.abort(&name, &upload.id).await?;
    }
    entry.uploads.clear();
    journal.write(entry)?;
    Ok(done)
}

type Ended = Option<Result<Result<bool, UploadError>, tokio::task::JoinError>>;

fn count(done: &mut Uploaded, ended: Ended) -> Result<(), UploadError> {
    match ended {
        None => {}
        Some(Ok(sent)) => *(if sent? { &mut done.sent } else { &mut done.kept }) += 1,
        Some(Err(error)) => return Err(ResourceError::Internal(error.to_string()).into()),
    }
    Ok(())
}

impl Uploader {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.to.prefix)
    }

    /// Brings one file, and says whether it had to be sent.
    async fn bring(
        self: Arc<Self>,
        file: SourceFile,
        may_be_there: bool,
        upload: Option<Multipart>,
    ) -> Result<bool, UploadError> {
        match upload {
            Some(upload) => self.send_parts(&file, upload).await.map(|()| true),
            None if may_be_there && self.is_there(&file).await? => {
                (self.progress)(file.checked.size);
                Ok(false)
            }
            None => self.send_whole(&file).await.map(|()| true),
        }
    }

    async fn is_there(&self, file: &SourceFile) -> Result<bool, AwsError> {
        Ok(crc64(&self.cx, &self.to, &file.name).await? == Some(crc64_text(file.checked.crc64)))
    }

    async fn send_whole(&self, file: &SourceFile) -> Result<(), UploadError> {
        let _permit = self.room(file.checked.size).await;
        let body = self.read(file, 0, file.checked.size).await?;
        let sum = crc64_text(crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &body));
        if sum != crc64_text(file.checked.crc64) {
            return Err(changed(&file.name));
        }
        let key = self.key(&file.name);
        self.cx
            .call(ops::s3::PUT_OBJECT, || {
                let put = self.cx.clients.s3.put_object().bucket(&self.to.bucket).key(&key);
                let put = put.content_type(content_type(&file.name)).checksum_crc64_nvme(&sum).body(in_frames(&body));
                put.customize().config_override(patient()).send()
            })
            .await?;
        (self.progress)(file.checked.size);
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), AwsError> {
        let key = self.key(name);
        let delete = || self.cx.clients.s3.delete_object().bucket(&self.to.bucket).key(&key).send();
        self.cx.call(ops::s3::DELETE_OBJECT, delete).await.map(drop)
    }

    /// A part of a file, of [`PART`] bytes at most.
    async fn read(&self, file: &SourceFile, offset: u64, length: u64) -> Result<Bytes, UploadError> {
        let failed = |error| UploadError::File { name: file.name.clone(), error };
        let bytes = if length < SMALL { Vec::new() } else { self.buffers.take() };
        let length = usize::try_from(length).map_err(|error| failed(io::Error::other(error)))?;
        let buffer = Buffer { bytes, length, home: self.buffers.clone() };
        let path = file.path.clone();
        let read = tokio::task::spawn_blocking(move || read_now(&path, offset, buffer)).await;
        match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
            // It is shorter than it was.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(changed(&file.name)),
            read => read.map_err(failed),
        }
    }

    /// Waits until there is memory for so many bytes.
    async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let bytes = if bytes < SMALL { bytes.max(SMALL / 16) } else { PART };
        let wanted = u32::try_from(permits(bytes)).unwrap_or(u32::MAX);
        Arc::clone(&self.memory).acquire_many_owned(wanted).await.ok()
    }
}

/// The media type of a file with this name.
fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "csv")) => "text/csv",
        Some((_, "xml")) => "application/xml",
        _ => "application/fhir+ndjson",
    }
}

/// A semaphore counts kibibytes.
fn permits(bytes: u64) -> usize {
    usize::try_from(bytes >> 10).unwrap_or(usize::MAX)
}

fn patient() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PART_TIMEOUT).build();
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts)
}

fn changed(name: &str) -> UploadError {
    let error = io::Error::other("the file was changed while it was being imported; run the command again");
    UploadError::File { name: name.to_owned(), error }
}
