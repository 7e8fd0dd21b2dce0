//! The memory that files pass through.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{self, Poll};

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::PART;

/// Buffers of [`PART`] bytes that are used again and again: what an allocator gets back it does not always give away,
/// least of all to another thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers(Arc<Mutex<Vec<Vec<u8>>>>);

impl Buffers {
    pub(super) fn take(&self) -> Vec<u8> {
        let used = self.0.lock().ok().and_then(|mut free| free.pop());
        used.unwrap_or_else(|| Vec::with_capacity(usize::try_from(PART).unwrap_or_default()))
    }
}

/// Memory for a part, or for fewer bytes, until it is dropped.
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pub(super) length: usize,
    pub(super) home: Buffers,
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

pub(super) fn in_frames(body: &Bytes) -> ByteStream {
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

/// Fills a buffer from a file.
pub(super) fn read_now(path: &Path, offset: u64, mut buffer: Buffer) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    buffer.bytes.resize(buffer.length, 0);
    file.read_exact(&mut buffer.bytes)?;
    Ok(Bytes::from_owner(buffer))
}
