//! Brings files into S3: many at once, in bounded memory, and nothing twice.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::timeout::TimeoutConfig;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::crc64_text;
use super::journal::{Begun, Entry, Journal, JournalError};
use super::objects::{crc64, list};
use super::place::Prefix;
use super::source::SourceFile;
use crate::aws::{AwsError, Operation};
use crate::error::ResourceError;
use crate::resource::Context;

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
    Journal(#[from] JournalError),
    /// The user asked to stop.
    #[error("stopped")]
    Stopped,
}

impl From<AwsError> for UploadError {
    fn from(error: AwsError) -> Self {
        Self::Resource(error.into())
    }
}

/// A file's upload in parts.
struct Multipart {
    id: String,
    /// Whether an earlier run began it, so that some parts may be there.
    is_resumed: bool,
}

/// What the tasks share.
struct Desk {
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
    files: &[SourceFile],
    journal: &Journal,
    entry: &mut Entry,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Uploaded, UploadError> {
    let memory = Arc::new(Semaphore::new(permits(HELD)));
    let desk = Arc::new(Desk {
        cx: cx.clone(),
        to: to.clone(),
        memory,
        buffers: Buffers::default(),
        progress: Box::new(progress),
    });
    let present: BTreeMap<String, u64> =
        list(cx, to).await?.into_iter().map(|object| (object.name, object.size)).collect();
    for name in present.keys().filter(|name| files.binary_search_by(|file| file.name.cmp(name)).is_err()) {
        desk.delete(name).await?;
    }
    let mut begun = desk.begun(entry).await?;
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
        let upload = match begun.remove(&file.name) {
            Some(upload) if upload.size == file.checked.size && upload.crc64 == file.checked.crc64 => {
                Some(Multipart { id: upload.id, is_resumed: true })
            }
            Some(upload) => {
                desk.abort(&file.name, &upload.id).await?;
                None
            }
            None => None,
        };
        let upload = match upload {
            None if file.checked.size > PART && !(may_be_there && desk.is_there(file).await?) => {
                let id = desk.create(&file.name).await?;
                let record = Begun { id: id.clone(), size: file.checked.size, crc64: file.checked.crc64 };
                entry.uploads.insert(file.name.clone(), record);
                journal.write(entry)?;
                Some(Multipart { id, is_resumed: false })
            }
            known => known,
        };
        tasks.spawn(Arc::clone(&desk).bring(file.clone(), may_be_there, upload));
    }
    while let Some(ended) = tasks.join_next().await {
        count(&mut done, Some(ended))?;
    }
    if cx.stop.signal().is_some() {
        return Err(UploadError::Stopped);
    }
    for (name, upload) in begun {
        desk.abort(&name, &upload.id).await?;
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

impl Desk {
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.to.prefix)
    }

    /// Multipart uploads of an earlier run that can be gone on with; the others are given up.
    async fn begun(&self, entry: &Entry) -> Result<BTreeMap<String, Begun>, AwsError> {
        let mut begun = BTreeMap::new();
        let (mut key, mut upload) = (None, None);
        loop {
            let page = self
                .cx
                .call(Operation::new("s3", "ListMultipartUploads"), || {
                    let list = self.cx.clients.s3.list_multipart_uploads().bucket(&self.to.bucket);
                    let list = list.prefix(&self.to.prefix).set_key_marker(key.clone());
                    list.set_upload_id_marker(upload.clone()).send()
                })
                .await?;
            for found in page.uploads() {
                let (key, id) = (found.key().unwrap_or_default(), found.upload_id().unwrap_or_default());
                let name = key.strip_prefix(&self.to.prefix).unwrap_or_default();
                match entry.uploads.get(name).filter(|known| known.id == id) {
                    Some(known) => drop(begun.insert(name.to_owned(), known.clone())),
                    None => self.abort(name, id).await?,
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(begun);
            }
            key = page.next_key_marker().map(str::to_owned);
            upload = page.next_upload_id_marker().map(str::to_owned);
        }
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
            return Err(changed(file));
        }
        let key = self.key(&file.name);
        self.cx
            .call(Operation::new("s3", "PutObject"), || {
                let put = self.cx.clients.s3.put_object().bucket(&self.to.bucket).key(&key);
                let put = put.content_type(NDJSON).checksum_crc64_nvme(&sum).body(in_frames(&body));
                put.customize().config_override(patient()).send()
            })
            .await?;
        (self.progress)(file.checked.size);
        Ok(())
    }

    async fn send_parts(self: &Arc<Self>, file: &SourceFile, upload: Multipart) -> Result<(), UploadError> {
        let Multipart { id, is_resumed } = upload;
        let mut parts = if is_resumed { self.parts(&file.name, &id).await? } else { BTreeMap::new() };
        let count = file.checked.size.div_ceil(PART);
        let mut tasks = JoinSet::new();
        for number in 1..=count {
            let offset = (number - 1) * PART;
            let length = PART.min(file.checked.size - offset);
            let part = i32::try_from(number).unwrap_or(i32::MAX);
            if parts.get(&part).is_some_and(|(size, _)| *size == length) {
                (self.progress)(length);
                continue;
            }
            let permit = self.room(length).await;
            if self.cx.stop.signal().is_some() {
                break;
            }
            let (desk, file, id) = (Arc::clone(self), file.clone(), id.clone());
            tasks.spawn(async move {
                let tag = desk.send_part(&file, &id, part, offset, length).await;
                drop(permit);
                tag.map(|tag| (part, (length, tag)))
            });
        }
        while let Some(ended) = tasks.join_next().await {
            let (part, sent) = ended.map_err(|error| ResourceError::Internal(error.to_string()))??;
            parts.insert(part, sent);
        }
        if self.cx.stop.signal().is_some() {
            return Err(UploadError::Stopped);
        }
        self.complete(file, &id, parts).await
    }

    async fn send_part(
        &self,
        file: &SourceFile,
        id: &str,
        part: i32,
        offset: u64,
        length: u64,
    ) -> Result<String, UploadError> {
        let body = self.read(file, offset, length).await?;
        let sum = crc64_text(crc_fast::checksum(CrcAlgorithm::Crc64Nvme, &body));
        let key = self.key(&file.name);
        let answer = self
            .cx
            .call(Operation::new("s3", "UploadPart"), || {
                let send = self.cx.clients.s3.upload_part().bucket(&self.to.bucket).key(&key).upload_id(id);
                let send = send.part_number(part).checksum_crc64_nvme(&sum).body(in_frames(&body));
                send.customize().config_override(patient()).send()
            })
            .await?;
        (self.progress)(length);
        Ok(answer.e_tag().unwrap_or_default().to_owned())
    }

    async fn complete(
        &self,
        file: &SourceFile,
        id: &str,
        parts: BTreeMap<i32, (u64, String)>,
    ) -> Result<(), UploadError> {
        let part =
            |(number, (_, tag)): (i32, (u64, String))| CompletedPart::builder().part_number(number).e_tag(tag).build();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.into_iter().map(part).collect())).build();
        let key = self.key(&file.name);
        let sum = crc64_text(file.checked.crc64);
        let completed = self
            .cx
            .call(Operation::new("s3", "CompleteMultipartUpload"), || {
                let complete = self.cx.clients.s3.complete_multipart_upload().bucket(&self.to.bucket).key(&key);
                let complete = complete.upload_id(id).multipart_upload(parts.clone()).checksum_crc64_nvme(&sum);
                complete.checksum_type(ChecksumType::FullObject).customize().config_override(patient()).send()
            })
            .await;
        match completed {
            Ok(_) => Ok(()),
            Err(error) if error.code == "BadDigest" => {
                self.abort(&file.name, id).await?;
                Err(changed(file))
            }
            // The answer to an earlier attempt may have been lost.
            Err(error) if error.code == "NoSuchUpload" && self.is_there(file).await? => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, name: &str) -> Result<String, AwsError> {
        let key = self.key(name);
        let answer = self
            .cx
            .call(Operation::new("s3", "CreateMultipartUpload"), || {
                let create = self.cx.clients.s3.create_multipart_upload().bucket(&self.to.bucket).key(&key);
                let create = create.content_type(NDJSON).checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
                create.checksum_type(ChecksumType::FullObject).send()
            })
            .await?;
        Ok(answer.upload_id().unwrap_or_default().to_owned())
    }

    /// The parts that are there, with their sizes and tags.
    async fn parts(&self, name: &str, id: &str) -> Result<BTreeMap<i32, (u64, String)>, AwsError> {
        let key = self.key(name);
        let mut parts = BTreeMap::new();
        let mut marker: Option<String> = None;
        loop {
            let page = self
                .cx
                .call(Operation::new("s3", "ListParts"), || {
                    let list = self.cx.clients.s3.list_parts().bucket(&self.to.bucket).key(&key).upload_id(id);
                    list.set_part_number_marker(marker.clone()).send()
                })
                .await?;
            for part in page.parts() {
                let size = part.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let tag = part.e_tag().unwrap_or_default().to_owned();
                parts.insert(part.part_number().unwrap_or_default(), (size, tag));
            }
            if page.is_truncated() != Some(true) {
                return Ok(parts);
            }
            marker = page.next_part_number_marker().map(str::to_owned);
        }
    }

    async fn abort(&self, name: &str, id: &str) -> Result<(), AwsError> {
        let key = self.key(name);
        let abort =
            || self.cx.clients.s3.abort_multipart_upload().bucket(&self.to.bucket).key(&key).upload_id(id).send();
        match self.cx.call(Operation::new("s3", "AbortMultipartUpload"), abort).await {
            Err(error) if error.code != "NoSuchUpload" => Err(error),
            _ => Ok(()),
        }
    }

    async fn delete(&self, name: &str) -> Result<(), AwsError> {
        let key = self.key(name);
        let delete = || self.cx.clients.s3.delete_object().bucket(&self.to.bucket).key(&key).send();
        self.cx.call(Operation::new("s3", "DeleteObject"), delete).await.map(drop)
    }

    /// A part of a file, of [`PART`] bytes at most.
    async fn read(&self, file: &SourceFile, offset: u64, length: u64) -> Result<Bytes, UploadError> {
        let failed = |error| UploadError::File { name: file.name.clone(), error };
        let bytes = if length < SMALL { Vec::new() } else { self.buffers.take() };
        let length = usize::try_from(length).map_err(|error| failed(io::Error::other(error)))?;
        let buffer = Buffer { bytes, length, home: self.buffers.clone() };
        let path = file.path.clone();
        let read = tokio::task::spawn_blocking(move || read_now(&path, offset, buffer)).await;
        read.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(failed)
    }

    /// Waits until there is memory for so many bytes.
    async fn room(&self, bytes: u64) -> Option<OwnedSemaphorePermit> {
        let bytes = if bytes < SMALL { bytes.max(SMALL / 16) } else { PART };
        let wanted = u32::try_from(permits(bytes)).unwrap_or(u32::MAX);
        Arc::clone(&self.memory).acquire_many_owned(wanted).await.ok()
    }
}

const NDJSON: &str = "application/fhir+ndjson";

/// A semaphore counts kibibytes.
fn permits(bytes: u64) -> usize {
    usize::try_from(bytes >> 10).unwrap_or(usize::MAX)
}

fn patient() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PART_TIMEOUT).build();
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts)
}

fn changed(file: &SourceFile) -> UploadError {
    let error = io::Error::other("the file was changed while it was being imported; run the command again");
    UploadError::File { name: file.name.clone(), error }
}

/// Buffers of [`PART`] bytes that are used again and again: what an allocator gets back it does not always give away,
/// least of all to another thread.
#[derive(Clone, Debug, Default)]
struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    fn take(&self) -> Vec<u8> {
        let used = self.0.lock().ok().and_then(|mut free| free.pop());
        used.unwrap_or_else(|| Vec::with_capacity(usize::try_from(PART).unwrap_or_default()))
    }
}

/// Memory for a part, or for less than [`SMALL`] bytes, until it is dropped.
struct Buffer {
    bytes: Vec<u8>,
    length: usize,
    home: Buffers,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let is_large = self.bytes.capacity() as u64 >= PART;
        if is_large && let Ok(mut free) = self.home.0.lock() {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// A body that gives itself away piece by piece: of one that is whole, each connection keeps a copy.
struct Frames(Bytes);

/// Bytes of a frame.
const FRAME: usize = 64 << 10;

fn in_frames(body: &Bytes) -> ByteStream {
    ByteStream::from_body_1_x(Frames(body.clone()))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let length = self.0.len().min(FRAME);
        let frame = (length > 0).then(|| Ok(Frame::data(self.0.split_to(length))));
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.len() as u64)
    }
}

fn read_now(path: &Path, offset: u64, mut buffer: Buffer) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    buffer.bytes.resize(buffer.length, 0);
    file.read_exact(&mut buffer.bytes)?;
    Ok(Bytes::from_owner(buffer))
}
