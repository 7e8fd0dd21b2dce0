//! Files that can be read only once and from their beginning, cut into pieces of whole lines, so that several threads can check them.

use std::io::{self, Read};

use super::part::{Lot, Part};
use super::reader::{Lines, MOST};
use super::{Checks, Limits, number_of};

/// Bytes that are read at once while the end of a line is looked for.
const BLOCK: u64 = 256 << 10;

/// Files that come one after the other. Reading gives the bytes of the one that was begun last, and nothing at its end.
pub trait Incoming: Read {
    /// Begins the next file, if there is one, and gives the name that reports give it.
    fn begin_next(&mut self) -> Option<String>;
}

/// A piece of a file.
pub(super) struct Piece {
    /// The name of the file.
    pub(super) name: String,
    /// Its number.
    file: usize,
    pub(super) is_first: bool,
    pub(super) is_last: bool,
    content: Content,
}

enum Content {
    /// Lines, with their ends.
    Lines(Vec<u8>),
    /// A line that was too long to be had as a whole, with what was found in it and its bytes.
    Judged(Part, u64),
}

impl Piece {
    /// What is found in it, and its bytes.
    pub(super) fn check(self, limits: Limits, checks: Checks) -> io::Result<(Part, u64)> {
        match self.content {
            Content::Judged(part, size) => Ok((part, size)),
            Content::Lines(text) => {
                let lot = Lot { name: &self.name, file: number_of(self.file), is_first: self.is_first, checks };
                let mut part = Part::default();
                part.read(&mut Lines::new(&*text, limits.resource_bytes), lot, u64::MAX, |_| {})?;
                Ok((part, text.len() as u64))
            }
        }
    }
}

/// The pieces of files, in their order. An error ends them.
pub(super) struct Pieces<I, P> {
    incoming: Heard<I, P>,
    limits: Limits,
    checks: Checks,
    /// How many bytes a piece has, but for what its last line needs.
    length: u64,
    /// The number of the next file.
    next: usize,
    current: Option<Current>,
    is_over: bool,
}

/// The file that is being read.
struct Current {
    name: String,
    number: usize,
    is_first: bool,
    /// What was read and belongs to the next piece.
    rest: Vec<u8>,
}

impl<I: Incoming, P: Fn(u64)> Pieces<I, P> {
    /// Pieces of about `length` bytes; the first file has the number `first`. `progress` hears of bytes read.
    pub(super) fn new(incoming: I, progress: P, first: usize, limits: Limits, checks: Checks, length: u64) -> Self {
        let incoming = Heard { incoming, progress };
        Self { incoming, limits, checks, length, next: first, current: None, is_over: false }
    }

    fn begin(&mut self) -> Option<Current> {
        let name = self.incoming.incoming.begin_next()?;
        self.next += 1;
        Some(Current { name, number: self.next - 1, is_first: true, rest: Vec::new() })
    }

    /// The next piece of a file, which goes on unless that was the last one.
    fn piece(&mut self, mut file: Current) -> io::Result<Piece> {
        // All that a piece comes to, for what grows as it is read has up to twice the room that it needs.
        let mut text = Vec::with_capacity(usize::try_from(self.length).unwrap_or(MOST).max(file.rest.len()));
        text.append(&mut file.rest);
        let (content, is_last) = loop {
            if text.len() as u64 >= self.length {
                if let Some(end) = memchr::memrchr(b'\n', &text) {
                    file.rest = text.split_off(end + 1);
                    break (Content::Lines(text), false);
                }
                if text.len() >= MOST {
                    break (self.long_line(&mut file, text)?, false);
                }
            }
            let missing = self.length.saturating_sub(text.len() as u64);
            let most = if missing > 0 { missing } else { self.length.min(BLOCK) };
            if (&mut self.incoming).take(most).read_to_end(&mut text)? == 0 {
                break (Content::Lines(text), true);
            }
        };
        let piece = Piece { name: file.name.clone(), file: file.number, is_first: file.is_first, is_last, content };
        if !is_last {
            self.current = Some(Current { is_first: false, ..file });
        }
        Ok(piece)
    }

    /// Checks a line that begins so at once, since it cannot be handed on: it is as long as its end is far.
    fn long_line(&mut self, file: &mut Current, begun: Vec<u8>) -> io::Result<Content> {
        let lot = Lot { name: &file.name, file: number_of(file.number), is_first: file.is_first, checks: self.checks };
        let mut lines = Lines::new(io::Cursor::new(begun).chain(&mut self.incoming), self.limits.resource_bytes);
        let mut part = Part::default();
        // One byte is too much for a second line.
        part.read(&mut lines, lot, 1, |_| {})?;
        let read = lines.bytes();
        file.rest = lines.into_rest();
        Ok(Content::Judged(part, read - file.rest.len() as u64))
    }
}

impl<I: Incoming, P: Fn(u64)> Iterator for Pieces<I, P> {
    type Item = io::Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let Some(file) = self.current.take().or_else(|| self.begin()) else {
            self.is_over = true;
            return None;
        };
        let piece = self.piece(file);
        self.is_over = piece.is_err();
        Some(piece)
    }
}

/// A reader, and somebody who hears how many bytes were read.
struct Heard<I, P> {
    incoming: I,
    progress: P,
}

impl<I: Read, P: Fn(u64)> Read for Heard<I, P> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.incoming.read(into)?;
        if read > 0 {
            (self.progress)(read as u64);
        }
        Ok(read)
    }
}
