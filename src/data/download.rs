//! Brings an export here: one file for each resource type, by many requests at once, in bounded memory, and nothing twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::client::result::ConnectorError;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::crc64_text;
use super::objects::{self, Object};
use super::place::Prefix;
use hlctl_aws::{AwsError, ops};
use hlctl_engine::whole_file;
use hlctl_resources::{Context, ResourceError};

/// Bytes that are asked for at once.
const RANGE: u64 = 8 << 20;
/// Requests under way at once.
const AT_ONCE: usize = 12;
/// What is done so far, next to the files that are not whole yet.
const PARTIAL: &str = ".hlctl-export.partial";
/// What a file's name ends with after its type until it is whole.
const PART: &str = ".ndjson.part";
/// What came of it.
pub const MANIFEST: &str = "manifest.json";

/// An export is not here.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// AWS, or the way to it.
    #[error("{0}")]
    Resource(#[from] ResourceError),
    /// A file cannot be written or read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What came is not what S3 has.
    #[error("{name} is incomplete: S3 has the checksum {wanted}, the download has {found}")]
    Damaged {
        /// The object.
        name: String,
        /// S3's checksum.
        wanted: String,
        /// Ours.
        found: String,
    },
}

impl From<AwsError> for DownloadError {
    fn from(error: AwsError) -> Self {
        Self::Resource(error.into())
    }
}

/// One file of an export, or all objects of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedFile {
    /// The resource type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The file's name, or the prefix of the objects.
    pub file: String,
    /// How many resources it holds.
    pub resources: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<String>,
}

/// Resource type to objects, in the order in which they are put together.
pub type Types = BTreeMap<String, Vec<Object>>;

/// The objects of an export by resource type.
///
/// # Errors
/// AWS's.
pub async fn exported(cx: &Context, folder: &Prefix) -> Result<Types, AwsError> {
    let mut types = Types::new();
    for object in objects::list(cx, folder).await? {
        if let Some((kind, _)) = object.name.split_once('/').filter(|(_, name)| name.ends_with(".ndjson")) {
            types.entry(kind.to_owned()).or_default().push(object);
        }
    }
    Ok(types)
}

/// A part of an object, and where it goes.
#[derive(Clone, Debug)]
struct Piece {
    object: String,
    etag: String,
    from: u64,
    length: u64,
    to: u64,
}

impl Piece {
    fn mark(&self) -> String {
        format!("{} {} {} {}", self.object, self.etag, self.from, self.to)
    }
}

/// Brings all objects of these types into `directory`, and says what they hold.
///
/// # Errors
/// AWS's, or a file's, or what came is not what S3 has.
pub async fn download(
    cx: &Context,
    folder: &Prefix,
    types: &Types,
    directory: &Path,
    progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<Vec<ExportedFile>, DownloadError> {
    whole_file::create_directories(directory).map_err(at(directory))?;
    let (log, done) = Log::open(directory, folder)?;
    let mut tasks = JoinSet::new();
    let progress = Arc::new(progress);
    let mut layouts = BTreeMap::new();
    for (kind, objects) in types {
        let (layout, pieces) = layout(cx, folder, objects).await?;
        let path = partial(directory, kind);
        let is_known = pieces.iter().any(|piece| done.contains(&piece.mark()));
        let is_kept = is_known && take_up(directory, kind, layout.bytes).map_err(at(&path))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(at(&path))?;
        // At its full length from the beginning, so that pieces can be written in any order.
        file.set_len(layout.bytes).map_err(at(&path))?;
        for gap in &layout.gaps {
            write_at(&file, *gap, b"\n").map_err(at(&path))?;
        }
        layouts.insert(kind.clone(), layout);
        for piece in pieces {
            if is_kept && done.contains(&piece.mark()) {
                progress(piece.length);
                continue;
            }
            while tasks.len() >= AT_ONCE {
                joined(tasks.join_next().await)?;
            }
            let fetch = fetch(cx.clone(), folder.clone(), piece, path.clone(), Arc::clone(&log), Arc::clone(&progress));
            tasks.spawn(fetch.in_current_span());
        }
    }
    while let Some(ended) = tasks.join_next().await {
        joined(Some(ended))?;
    }
    let mut files = Vec::new();
    for (kind, layout) in layouts {
        let file = verify(cx, folder, directory, &kind, layout).await?;
        files.push(file);
    }
    for file in &files {
        let path = directory.join(&file.file);
        whole_file::rename(&partial(directory, &file.kind), &path).map_err(at(&path))?;
    }
    Ok(files)
}

/// Whether the file of a type has what an earlier run brought of it. One that has its name already goes on as a part:
/// that run was stopped before all had theirs.
fn take_up(directory: &Path, kind: &str, bytes: u64) -> io::Result<bool> {
    let (part, whole) = (partial(directory, kind), directory.join(format!("{kind}.ndjson")));
    let has_length = |path: &Path| fs::metadata(path).is_ok_and(|file| file.len() == bytes);
    if !has_length(&part) && has_length(&whole) {
        fs::rename(&whole, &part)?;
    }
    Ok(has_length(&part))
}

/// Forgets what a download needs to go on: it is done, and so is what is made of it.
pub fn forget(directory: &Path) {
    // What stays behind is of a download that is done, and the next one does not take it for its own.
    let _ = fs::remove_file(directory.join(PARTIAL));
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        // Of a type that an earlier run had been asked for in addition.
        if entry.file_name().to_string_lossy().ends_with(PART) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

type Ended = Option<Result<Result<(), DownloadError>, tokio::task::JoinError>>;

fn joined(ended: Ended) -> Result<(), DownloadError> {
    match ended {
        None => Ok(()),
        Some(Ok(done)) => done,
        Some(Err(error)) => Err(ResourceError::Internal(error.to_string()).into()),
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> DownloadError {
    let path = path.to_owned();
    move |error| DownloadError::File { path: path.clone(), error }
}

fn partial(directory: &Path, kind: &str) -> PathBuf {
    directory.join(format!("{kind}{PART}"))
}

/// The pieces that have come, by their marks. A piece is written down after its bytes.
struct Log(Mutex<File>);

impl Log {
    /// The log of an earlier download of the same folder, or a new one.
    fn open(directory: &Path, folder: &Prefix) -> Result<(Arc<Self>, BTreeSet<String>), DownloadError> {
        let path = directory.join(PARTIAL);
        let failed = at(&path);
        let mut done = BTreeSet::new();
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(&failed)?;
        let mut lines = BufReader::new(&file).lines().map_while(Result::ok);
        let is_same = lines.next() == Some(folder.to_string());
        if is_same {
            done.extend(lines);
        } else {
            file.set_len(0).and_then(|()| file.rewind()).map_err(&failed)?;
            writeln!(file, "{folder}").map_err(&failed)?;
        }
        // A line that a crash cut short is of no piece.
        file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(b"\n")).map_err(&failed)?;
        Ok((Arc::new(Self(Mutex::new(file))), done))
    }

    fn add(&self, piece: &Piece) -> io::Result<()> {
        let mut file = self.0.lock().map_err(|_| io::Error::other("another task panicked"))?;
        file.write_all(format!("{}\n", piece.mark()).as_bytes())
    }
}

/// How the objects of one type make one file.
struct Layout {
    bytes: u64,
    /// Where a line's end is put that an object lacks.
    gaps: Vec<u64>,
    /// Each object, and whether a line's end follows that is not its own.
    objects: Vec<(Object, bool)>,
}

async fn layout(cx: &Context, folder: &Prefix, objects: &[Object]) -> Result<(Layout, Vec<Piece>), DownloadError> {
    let mut layout = Layout { bytes: 0, gaps: Vec::new(), objects: Vec::new() };
    let mut pieces = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        let mut from = 0;
        while from < object.size {
            let length = RANGE.min(object.size - from);
            let (name, etag) = (object.name.clone(), object.etag.clone());
            pieces.push(Piece { object: name, etag, from, length, to: layout.bytes + from });
            from += length;
        }
        layout.bytes += object.size;
        let is_last = number + 1 == objects.len();
        let lacks_end = !is_last && object.size > 0 && last_byte(cx, folder, object).await? != Some(b'\n');
        if lacks_end {
            layout.gaps.push(layout.bytes);
            layout.bytes += 1;
        }
        layout.objects.push((object.clone(), lacks_end));
    }
    Ok((layout, pieces))
}

async fn last_byte(cx: &Context, folder: &Prefix, object: &Object) -> Result<Option<u8>, DownloadError> {
    let key = format!("{}{}", folder.prefix, object.name);
    let range = format!("bytes={0}-{0}", object.size - 1);
    let get = || cx.clients.s3.get_object().bucket(&folder.bucket).key(&key).range(&range).send();
    let answer = cx.call(ops::s3::GET_OBJECT, get).await?;
    let body = answer.body.collect().await.map_err(|error| ResourceError::Answer(error.to_string()))?;
    Ok(body.into_bytes().last().copied())
}

async fn fetch(
    cx: Context,
    folder: Prefix,
    piece: Piece,
    path: PathBuf,
    log: Arc<Log>,
    progress: Arc<impl Fn(u64)>,
) -> Result<(), DownloadError> {
    let key = format!("{}{}", folder.prefix, piece.object);
    let range = format!("bytes={}-{}", piece.from, piece.from + piece.length - 1);
    let failure = Mutex::new(None);
    cx.call(ops::s3::GET_OBJECT, || async {
        let get = cx.clients.s3.get_object().bucket(&folder.bucket).key(&key).range(&range).if_match(&piece.etag);
        let mut body = get.send().await?.body;
        let broken =
            |error: Box<dyn std::error::Error + Send + Sync>| SdkError::dispatch_failure(ConnectorError::io(error));
        let file = OpenOptions::new().write(true).open(&path);
        let mut written = 0;
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|error| broken(error.into()))?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if written + length > piece.length {
                return Err(broken("more data arrived than was requested".into()));
            }
            let write = file.as_ref().map_err(|error| io::Error::new(error.kind(), error.to_string()));
            if let Err(error) = write.and_then(|file| write_at(file, piece.to + written, &bytes)) {
                // Asking again would not help; the answer counts as had.
                failure.lock().map(|mut failure| *failure = Some(error)).ok();
                return Ok(());
            }
            written += length;
        }
        if written == piece.length { Ok(()) } else { Err(broken("the answer was incomplete".into())) }
    })
    .await?;
    if let Some(error) = failure.into_inner().ok().flatten() {
        return Err(DownloadError::File { path, error });
    }
    log.add(&piece).map_err(at(&path))?;
    progress(piece.length);
    Ok(())
}

fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// Reads a file again: counts, and compares with what S3 says of each object.
async fn verify(
    cx: &Context,
    folder: &Prefix,
    directory: &Path,
    kind: &str,
    layout: Layout,
) -> Result<ExportedFile, DownloadError> {
    let path = partial(directory, kind);
    let sizes: Vec<(u64, bool)> = layout.objects.iter().map(|(object, gap)| (object.size, *gap)).collect();
    let reading = path.clone();
    let read = tokio::task::spawn_blocking(move || read_again(&reading, &sizes)).await;
    let read = read.map_err(|error| ResourceError::Internal(error.to_string()))?;
    let (resources, sha256, sums) = read.map_err(at(&path))?;
    for ((object, _), found) in layout.objects.iter().zip(sums) {
        let wanted = objects::crc64(cx, folder, &object.name).await?;
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            // The next run is not to rely on any of it.
            let _ = fs::remove_file(directory.join(PARTIAL));
            return Err(DownloadError::Damaged { name: object.name.clone(), wanted, found });
        }
    }
    let file = format!("{kind}.ndjson");
    Ok(ExportedFile { kind: kind.to_owned(), file, resources, bytes: layout.bytes, sha256: Some(sha256) })
}

type Read3 = (u64, String, Vec<String>);

fn read_again(path: &Path, sizes: &[(u64, bool)]) -> io::Result<Read3> {
    let mut file = File::open(path)?;
    let mut whole = Sha256::new();
    let mut lines = Lines::default();
    let mut sums = Vec::new();
    let mut buffer = vec![0; 1 << 18];
    for (size, gap) in sizes {
        let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
        let mut left = *size;
        while left > 0 {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            file.read_exact(&mut buffer[..most])?;
            whole.update(&buffer[..most]);
            crc.update(&buffer[..most]);
            lines.add(&buffer[..most]);
            left -= most as u64;
        }
        if *gap {
            file.read_exact(&mut buffer[..1])?;
            whole.update(&buffer[..1]);
            lines.add(&buffer[..1]);
        }
        sums.push(crc64_text(crc.finalize()));
    }
    Ok((lines.count(), format!("{:x}", whole.finalize()), sums))
}

/// Counts lines that come in pieces; the last needs no end.
#[derive(Default)]
struct Lines {
    ends: u64,
    is_open: bool,
}

impl Lines {
    fn add(&mut self, piece: &[u8]) {
        self.ends += memchr::memchr_iter(b'\n', piece).count() as u64;
        self.is_open = piece.last().map_or(self.is_open, |byte| *byte != b'\n');
    }

    fn count(&self) -> u64 {
        self.ends + u64::from(self.is_open)
    }
}

/// Counts what an export holds that stays in S3, by reading all of it.
///
/// # Errors
/// AWS's, or what came is not what S3 has.
pub async fn count(cx: &Context, folder: &Prefix, types: &Types) -> Result<Vec<ExportedFile>, DownloadError> {
    let mut files = Vec::new();
    for (kind, objects) in types {
        let (mut resources, mut bytes) = (0, 0);
        for object in objects {
            let wanted = objects::crc64(cx, folder, &object.name).await?;
            let key = format!("{}{}", folder.prefix, object.name);
            let (lines, found, size) = cx
                .call(ops::s3::GET_OBJECT, || async {
                    let mut body = cx.clients.s3.get_object().bucket(&folder.bucket).key(&key).send().await?.body;
                    let (mut lines, mut crc, mut size) = (Lines::default(), Crc::new(CrcAlgorithm::Crc64Nvme), 0);
                    while let Some(piece) = body.next().await {
                        let piece =
                            piece.map_err(|error| SdkError::dispatch_failure(ConnectorError::io(error.into())))?;
                        lines.add(&piece);
                        crc.update(&piece);
                        size += piece.len() as u64;
                    }
                    Ok::<_, SdkError<aws_sdk_s3::operation::get_object::GetObjectError, _>>((
                        lines.count(),
                        crc64_text(crc.finalize()),
                        size,
                    ))
                })
                .await?;
            let wanted = wanted.unwrap_or_else(|| found.clone());
            if wanted != found || size != object.size {
                return Err(DownloadError::Damaged { name: object.name.clone(), wanted, found });
            }
            resources += lines;
            bytes += size;
        }
        let file = format!("{folder}{kind}/");
        files.push(ExportedFile { kind: kind.clone(), file, resources, bytes, sha256: None });
    }
    Ok(files)
}
