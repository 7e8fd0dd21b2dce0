//! The two files of a datastore's resources, and what stands in for the second in memory.

use std::cell::RefCell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::index::{Record, Version};
use crate::error::Error;
use crate::store::disk::at;

/// Where the JSON of a version is: bytes in the file, or a number in memory.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(from = "(u64, u32)", into = "(u64, u32)")]
pub(super) struct Span {
    offset: u64,
    length: u32,
}

impl From<(u64, u32)> for Span {
    fn from((offset, length): (u64, u32)) -> Self {
        Self { offset, length }
    }
}

impl From<Span> for (u64, u32) {
    fn from(span: Span) -> Self {
        (span.offset, span.length)
    }
}

impl Span {
    /// Where the next one begins: after the line's end.
    pub(super) fn next(self) -> u64 {
        self.offset + u64::from(self.length) + 1
    }
}

/// A file that is opened when it is first needed, and made when it is first written.
pub(super) struct Appendable {
    path: PathBuf,
    file: Option<File>,
}

impl Appendable {
    fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    fn open(&mut self) -> Result<(), Error> {
        if self.file.is_none() {
            match OpenOptions::new().read(true).write(true).open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at(&self.path)(error)),
            }
        }
        Ok(())
    }

    fn length(&self) -> Result<u64, Error> {
        self.file.as_ref().map_or(Ok(0), |file| file.metadata().map(|data| data.len()).map_err(at(&self.path)))
    }

    fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, Error> {
        let failed = at(&self.path);
        let mut file = self.file.as_ref().ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        let mut bytes = vec![0; length];
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    }

    /// Writes at `offset`, over whatever a killed process left behind it.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.open()?;
        if self.file.is_none() {
            if let Some(parent) = self.path.parent() {
                fs::create_dir_all(parent).map_err(at(parent))?;
            }
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path);
            self.file = Some(file.map_err(at(&self.path))?);
        }
        let longer = self.length()? > offset;
        let Some(mut file) = self.file.as_ref() else {
            return Ok(());
        };
        if longer {
            file.set_len(offset).map_err(at(&self.path))?;
        }
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes)).map_err(at(&self.path))
    }
}

/// The index file.
pub(super) struct Lines {
    file: Appendable,
    /// How much of it has been read or written.
    read_to: u64,
}

/// How much of the index file is read at once.
const BLOCK: u64 = 4 << 20;

impl Lines {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { file: Appendable::new(path), read_to: 0 }
    }

    pub(super) fn append(&mut self, records: &[Record]) -> Result<(), Error> {
        let mut line = serde_json::to_vec(records).map_err(|error| malformed(&self.file.path, &error))?;
        line.push(b'\n');
        self.file.write(self.read_to, &line)?;
        self.read_to += line.len() as u64;
        Ok(())
    }

    /// Some of the commits that have not been read yet; `None` if there are no more.
    pub(super) fn next_commits(&mut self) -> Result<Option<Vec<Vec<Record>>>, Error> {
        self.file.open()?;
        let unread = self.file.length()?.saturating_sub(self.read_to);
        let mut block = BLOCK.min(unread);
        while block > 0 {
            let text = self.file.read(self.read_to, usize::try_from(block).unwrap_or(usize::MAX))?;
            if let Some(end) = text.iter().rposition(|byte| *byte == b'\n') {
                let commits = self.parse(&text[..end])?;
                self.read_to += end as u64 + 1;
                return Ok(Some(commits));
            }
            if block == unread {
                break;
            }
            block = (block * 2).min(unread);
        }
        Ok(None)
    }

    fn parse(&self, text: &[u8]) -> Result<Vec<Vec<Record>>, Error> {
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).map_err(|error| malformed(&self.file.path, &error)))
            .collect()
    }
}

fn malformed(path: &Path, error: &serde_json::Error) -> Error {
    Error::Format { path: path.to_owned(), reason: error.to_string() }
}

pub(super) enum Bodies {
    Memory(Vec<Bytes>),
    File(Appendable),
}

impl Bodies {
    pub(super) fn in_memory() -> Self {
        Self::Memory(Vec::new())
    }

    pub(super) fn in_file(path: PathBuf) -> Self {
        Self::File(Appendable::new(path))
    }

    pub(super) fn refresh(&mut self) -> Result<(), Error> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::File(file) => file.open(),
        }
    }

    /// Keeps `bodies` from `offset` on and says where each is.
    pub(super) fn append<'b>(
        &mut self,
        bodies: impl Iterator<Item = Option<&'b [u8]>>,
        mut offset: u64,
    ) -> Result<Vec<Option<Span>>, Error> {
        let mut spans = Vec::new();
        let mut text = Vec::new();
        let start = offset;
        for body in bodies {
            let Some(body) = body else {
                spans.push(None);
                continue;
            };
            let length = u32::try_from(body.len()).map_err(|_| too_long())?;
            match self {
                Self::Memory(kept) => {
                    spans.push(Some(Span { offset: kept.len() as u64, length }));
                    kept.push(Bytes::copy_from_slice(body));
                }
                Self::File(_) => {
                    let span = Span { offset, length };
                    spans.push(Some(span));
                    offset = span.next();
                    text.extend_from_slice(body);
                    text.push(b'\n');
                }
            }
        }
        if let Self::File(file) = self
            && !text.is_empty()
        {
            file.write(start, &text)?;
        }
        Ok(spans)
    }

    pub(super) fn read(&self, span: Span) -> Result<Bytes, Error> {
        match self {
            Self::Memory(kept) => {
                let number = usize::try_from(span.offset).unwrap_or(usize::MAX);
                Ok(kept.get(number).cloned().unwrap_or_default())
            }
            Self::File(file) => file.read(span.offset, span.length as usize).map(Bytes::from),
        }
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { bodies: self, window: RefCell::default() }
    }
}

fn too_long() -> Error {
    Error::Option("a resource is longer than 4 GB".to_owned())
}

/// How much of the file is read at once.
const WINDOW: usize = 256 << 10;

/// Reads one span after the other, with fewer calls to the system where they lie close together.
pub(crate) struct Reader<'a> {
    bodies: &'a Bodies,
    /// Where the bytes at hand begin, and they.
    window: RefCell<(u64, Bytes)>,
}

impl Reader<'_> {
    /// The JSON of a version; `None` for a deletion.
    pub(crate) fn body(&self, version: &Version) -> Result<Option<Bytes>, Error> {
        version.span.map(|span| self.read(span)).transpose()
    }

    /// The same JSON without what was read along with it, for keeping.
    pub(crate) fn detached(&self, body: Bytes) -> Bytes {
        match self.bodies {
            Bodies::Memory(_) => body,
            Bodies::File(_) => Bytes::copy_from_slice(&body),
        }
    }

    fn read(&self, span: Span) -> Result<Bytes, Error> {
        let Bodies::File(file) = self.bodies else {
            return self.bodies.read(span);
        };
        let length = span.length as usize;
        let mut window = self.window.borrow_mut();
        if let Some(found) = within(&window, span.offset, length) {
            return Ok(found);
        }
        let rest = usize::try_from(file.length()?.saturating_sub(span.offset)).unwrap_or(usize::MAX);
        let bytes = Bytes::from(file.read(span.offset, length.max(WINDOW.min(rest)))?);
        *window = (span.offset, bytes.clone());
        Ok(bytes.slice(..length))
    }
}

fn within(window: &(u64, Bytes), offset: u64, length: usize) -> Option<Bytes> {
    let (start, bytes) = window;
    let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
    let to = from.checked_add(length)?;
    (to <= bytes.len()).then(|| bytes.slice(from..to))
}
