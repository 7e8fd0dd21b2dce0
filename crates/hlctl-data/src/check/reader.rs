//! Lines of a file in constant memory, and the file's checksum on the way.

use std::io::{self, Read};
use std::ops::Range;

use crc_fast::{CrcAlgorithm, Digest};

use super::Checked;
use super::line::{Verdict, judge_long, with_flaw};
use super::nesting::Nesting;
use super::problem::Problem;

/// Bytes of the buffer to begin with, and that are read at once.
const BUFFER: usize = 256 << 10;
/// The buffer grows with its lines up to this; a longer line is read in pieces, which takes several times as long.
pub(super) const MOST: usize = 2 << 20;

/// What comes next in a file.
pub(super) enum Next<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// What a line is that was too long to be had as a whole, and a checksum of it.
    Judged(Verdict, u64),
    /// Nothing.
    End,
}

/// The lines of a file.
pub(super) struct Lines<R> {
    from: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    size: u64,
    digest: Digest,
    is_over: bool,
    longest: u64,
}

impl<R: Read> Lines<R> {
    /// The lines of `from`; one of more than `longest` bytes is too long to be a resource.
    pub(super) fn new(from: R, longest: u64) -> Self {
        let digest = Digest::new(CrcAlgorithm::Crc64Nvme);
        Self { from, buffer: vec![0; BUFFER], start: 0, end: 0, size: 0, digest, is_over: false, longest }
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.size
    }

    /// The next line.
    pub(super) fn next(&mut self) -> io::Result<Next<'_>> {
        let mut searched = self.start;
        loop {
            if let Some(found) = memchr::memchr(b'\n', &self.buffer[searched..self.end]) {
                let line = self.start..searched + found;
                self.start = line.end + 1;
                return Ok(Next::Line(&self.buffer[line]));
            }
            if self.is_over {
                let line = self.start..self.end;
                self.start = self.end;
                return Ok(if line.is_empty() { Next::End } else { Next::Line(&self.buffer[line]) });
            }
            searched = self.end;
            if self.end == self.buffer.len() {
                if self.start == 0 && self.end >= MOST {
                    return self.long_line().map(|(verdict, content)| Next::Judged(verdict, content));
                }
                if self.start == 0 {
                    self.buffer.resize(2 * self.end, 0);
                }
                self.buffer.copy_within(self.start..self.end, 0);
                searched -= self.start;
                self.end -= self.start;
                self.start = 0;
            }
            self.fill()?;
        }
    }

    /// Reads on to the file's end without looking at lines.
    pub(super) fn skip_to_end(&mut self) -> io::Result<()> {
        while !self.is_over {
            (self.start, self.end) = (0, 0);
            self.fill()?;
        }
        self.start = self.end;
        Ok(())
    }

    /// What has been read ahead.
    pub(super) fn into_rest(mut self) -> Vec<u8> {
        self.buffer.truncate(self.end);
        self.buffer.split_off(self.start)
    }

    /// What the file came to.
    pub(super) fn finish(self) -> Checked {
        Checked { size: self.size, crc64: self.digest.finalize() }
    }

    fn fill(&mut self) -> io::Result<()> {
        let room = self.buffer.len().min(self.end + BUFFER);
        let read = loop {
            match self.from.read(&mut self.buffer[self.end..room]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.digest.update(&self.buffer[self.end..self.end + read]);
        self.end += read;
        self.size += u64::try_from(read).unwrap_or(u64::MAX);
        self.is_over = read == 0;
        Ok(())
    }

    fn long_line(&mut self) -> io::Result<(Verdict, u64)> {
        let (utf8, nesting) = (Utf8::default(), Nesting::default());
        let content = Digest::new(CrcAlgorithm::Crc64Nvme);
        let mut line = LongLine { lines: self, length: 0, is_over: false, utf8, nesting, content, failure: None };
        let verdict = judge_long(&mut line);
        if let Some(failure) = line.failure {
            return Err(failure);
        }
        // A parser stops where something is wrong; the line goes on.
        while line.advance(usize::MAX)?.is_some() {}
        let (is_too_long, is_utf8) = (line.is_too_long(), line.utf8.is_whole());
        let (flaw, content) = (line.nesting.into_flaw(), line.content.finalize());
        let verdict = if is_too_long {
            Verdict::Bad(Problem::ResourceTooLarge)
        } else if !is_utf8 {
            Verdict::Bad(Problem::NotUtf8)
        } else {
            with_flaw(verdict, flaw)
        };
        Ok((verdict, content))
    }
}

/// A line that is read in pieces.
struct LongLine<'a, R> {
    lines: &'a mut Lines<R>,
    length: u64,
    is_over: bool,
    utf8: Utf8,
    nesting: Nesting,
    content: Digest,
    failure: Option<io::Error>,
}

impl<R: Read> LongLine<'_, R> {
    /// Whether it is already longer than any resource. Nothing else is of interest then, and nothing more is kept of it: the
    /// names of members, and a parser's copy of a string, would grow with the line.
    fn is_too_long(&self) -> bool {
        self.length > self.lines.longest
    }

    /// The next bytes, `most` of them at most, by their place in the buffer; `None` where the line ends.
    fn advance(&mut self, most: usize) -> io::Result<Option<Range<usize>>> {
        if self.is_over {
            return Ok(None);
        }
        let lines = &mut *self.lines;
        if lines.start == lines.end {
            (lines.start, lines.end) = (0, 0);
            self.is_over = true;
            lines.fill()?;
            self.is_over = lines.is_over;
            if lines.is_over {
                return Ok(None);
            }
        }
        let start = lines.start;
        let end = lines.end.min(start.saturating_add(most));
        let length = memchr::memchr(b'\n', &lines.buffer[start..end]).unwrap_or(end - start);
        let piece = start..start + length;
        self.is_over = piece.end < end;
        lines.start = piece.end + usize::from(self.is_over);
        self.length += u64::try_from(length).unwrap_or(u64::MAX);
        if !self.is_too_long() {
            self.utf8.add(&self.lines.buffer[piece.clone()]);
            self.content.update(&self.lines.buffer[piece.clone()]);
        }
        Ok(Some(piece))
    }
}

/// For a parser, which learns that a line ends where it becomes too long.
impl<R: Read> Read for LongLine<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() || self.is_too_long() {
            return Ok(0);
        }
        match self.advance(into.len()) {
            Ok(Some(piece)) => {
                let piece = &self.lines.buffer[piece];
                into[..piece.len()].copy_from_slice(piece);
                self.nesting.feed(piece);
                Ok(piece.len())
            }
            Ok(None) => Ok(0),
            Err(error) => {
                self.failure = Some(error);
                Ok(0)
            }
        }
    }
}

/// Whether bytes that come in pieces are UTF-8.
#[derive(Default)]
struct Utf8 {
    begun: Vec<u8>,
    is_broken: bool,
}

impl Utf8 {
    fn add(&mut self, piece: &[u8]) {
        if self.is_broken || (self.begun.is_empty() && piece.is_ascii()) {
            return;
        }
        self.begun.extend_from_slice(piece);
        if let Err(error) = std::str::from_utf8(&self.begun) {
            self.is_broken = error.error_len().is_some();
            drop(self.begun.drain(..error.valid_up_to()));
        } else {
            self.begun.clear();
        }
    }

    fn is_whole(&self) -> bool {
        !self.is_broken && self.begun.is_empty()
    }
}
