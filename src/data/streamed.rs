//! Checks NDJSON that is in S3 while it is read. Nothing of it is kept on this machine.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::PathBuf;

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::result::ConnectorError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::check::{Checker, Checks, Findings, Incoming, Limits};
use super::objects::{Object, list_by};
use super::place::Prefix;
use super::source::Source;
use hlctl_aws::{AwsError, Clients, ops};
use hlctl_resources::ResourceError;

/// Bytes that are asked for at once.
const RANGE: u64 = 2 << 20;
/// Requests under way, and answers that wait to be checked, at most.
const AT_ONCE: usize = 8;

/// A check of objects was not finished.
#[derive(Debug, thiserror::Error)]
pub enum StreamedError {
    /// AWS, or the way to it.
    #[error("{0}")]
    Resource(#[from] ResourceError),
    /// The scratch file cannot be written or read.
    #[error("{0}")]
    Scratch(#[from] io::Error),
}

impl From<AwsError> for StreamedError {
    fn from(error: AwsError) -> Self {
        Self::Resource(error.into())
    }
}

/// The `.ndjson` objects under a prefix.
#[derive(Debug)]
pub struct Objects {
    under: Prefix,
    objects: Vec<Object>,
    /// The others, which HealthLake would not read.
    pub left_out: Source,
}

impl Objects {
    /// Lists them.
    ///
    /// # Errors
    /// AWS's.
    pub async fn list(clients: &Clients, under: &Prefix) -> Result<Self, AwsError> {
        let listed = list_by(&clients.caller, &clients.s3, under).await?;
        let (objects, others): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|object| object.name.ends_with(".ndjson"));
        // The console makes an empty object for a folder.
        let mut others = others.into_iter().filter(|object| !object.name.is_empty() && !object.name.ends_with('/'));
        let other = others.next().map(|object| object.name);
        let left_out =
            Source { others: u64::from(other.is_some()) + others.count() as u64, other, ..Source::default() };
        Ok(Self { under: under.clone(), objects, left_out })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Their bytes.
    pub fn bytes(&self) -> u64 {
        self.objects.iter().map(|object| object.size).sum()
    }

    /// Checks all of them in the order of their names, on all processors; several ranges are read ahead. `progress` hears of bytes that
    /// have come.
    ///
    /// # Errors
    /// AWS's, an object that was changed meanwhile among them; or the scratch file's.
    pub async fn check(
        &self,
        clients: &Clients,
        checks: Checks,
        scratch: PathBuf,
        progress: impl Fn(u64) + Send + 'static,
    ) -> Result<Findings, StreamedError> {
        let (to_checker, from_s3) = mpsc::channel(1);
        let objects: Vec<(String, u64)> =
            self.objects.iter().map(|object| (object.name.clone(), object.size)).collect();
        let checking = tokio::task::spawn_blocking(move || {
            let mut checker = Checker::new(Limits::default(), checks, &scratch);
            let objects = objects.into_iter();
            checker.incoming(Ranges { objects, from_s3, range: Vec::new(), at: 0, left: 0 }, progress)?;
            checker.finish()
        });
        let fetched = self.fetch(clients, to_checker).await;
        let checked = checking.await.map_err(|error| ResourceError::Internal(error.to_string()))?;
        // Where the ranges end too early, the checker can say no more than that.
        fetched?;
        Ok(checked?)
    }

    /// Sends all ranges in their order, as long as somebody takes them.
    async fn fetch(&self, clients: &Clients, to_checker: mpsc::Sender<Vec<u8>>) -> Result<(), StreamedError> {
        let mut ranges = self.objects.iter().flat_map(ranges_of);
        let mut ahead: VecDeque<Ahead> = VecDeque::new();
        loop {
            while ahead.len() < AT_ONCE
                && let Some(range) = ranges.next()
            {
                let fetched = fetched(clients.clone(), self.under.clone(), range);
                ahead.push_back(Ahead(tokio::spawn(fetched.in_current_span())));
            }
            let Some(mut next) = ahead.pop_front() else { return Ok(()) };
            let bytes = (&mut next.0).await.map_err(|error| ResourceError::Internal(error.to_string()))??;
            if to_checker.send(bytes).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// A request that ends with the check, however that ends.
struct Ahead(JoinHandle<Result<Vec<u8>, AwsError>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A part of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Range {
    name: String,
    etag: String,
    from: u64,
    length: u64,
}

fn ranges_of(object: &Object) -> impl Iterator<Item = Range> {
    let count = object.size.div_ceil(RANGE);
    (0..count).map(move |number| {
        let from = number * RANGE;
        let length = RANGE.min(object.size - from);
        Range { name: object.name.clone(), etag: object.etag.clone(), from, length }
    })
}

/// The bytes of a range, all of them and of the object that was listed.
async fn fetched(clients: Clients, under: Prefix, range: Range) -> Result<Vec<u8>, AwsError> {
    let key = format!("{}{}", under.prefix, range.name);
    let bytes = format!("bytes={}-{}", range.from, range.from + range.length - 1);
    let get = || async {
        let get = clients.s3.get_object().bucket(&under.bucket).key(&key).range(&bytes).if_match(&range.etag);
        let body = get.send().await?.body;
        whole(body, range.length).await.map_err(|error| SdkError::dispatch_failure(ConnectorError::io(error)))
    };
    clients.caller.call(ops::s3::GET_OBJECT, get).await
}

/// A body of a known length.
async fn whole(mut body: ByteStream, length: u64) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let length = usize::try_from(length)?;
    let mut whole = Vec::with_capacity(length);
    while let Some(bytes) = body.next().await {
        whole.extend_from_slice(&bytes?);
        if whole.len() > length {
            return Err("more data arrived than was requested".into());
        }
    }
    if whole.len() == length { Ok(whole) } else { Err("the answer was incomplete".into()) }
}

/// The objects as their ranges come.
struct Ranges {
    /// The names and sizes of those that have not come yet.
    objects: std::vec::IntoIter<(String, u64)>,
    from_s3: mpsc::Receiver<Vec<u8>>,
    range: Vec<u8>,
    at: usize,
    /// Bytes that are left of the object that comes.
    left: u64,
}

impl Incoming for Ranges {
    fn begin_next(&mut self) -> Option<String> {
        let (name, size) = self.objects.next()?;
        self.left = size;
        Some(name)
    }
}

impl Read for Ranges {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        if self.at == self.range.len() {
            self.range = self.from_s3.blocking_recv().ok_or(io::ErrorKind::UnexpectedEof)?;
            self.at = 0;
        }
        let length = into.len().min(self.range.len() - self.at);
        into[..length].copy_from_slice(&self.range[self.at..self.at + length]);
        self.at += length;
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_an_object_once() {
        for size in [0, 1, RANGE - 1, RANGE, RANGE + 1, 3 * RANGE, 5_000_000_000] {
            let object = Object { name: "a.ndjson".to_owned(), size, etag: "\"e\"".to_owned() };
            let mut end = 0;
            for range in ranges_of(&object) {
                assert_eq!(range.from, end);
                assert!((1..=RANGE).contains(&range.length));
                end += range.length;
            }
            assert_eq!(end, size);
        }
    }
}
