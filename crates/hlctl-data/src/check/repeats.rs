//! Finds resources that have one type and id, in constant memory: what is too much to hold is sorted and put on disk.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::line::Mark;
use super::problem::{MORE, Spot};

/// One resource, by the hash of its type and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) mark: Mark,
    /// The file, by its number.
    pub(super) file: u32,
    /// The line, counted from one.
    pub(super) line: u64,
    /// A checksum of it.
    pub(super) content: u64,
}

/// Bytes of one on disk.
const SIZE: usize = 32;
/// How many are held in memory.
const HELD: usize = 128 * 1024;
/// Bytes of the blocks by which all sorted runs together are read again.
const BLOCKS: usize = 4 << 20;

/// All resources so far.
#[derive(Debug)]
pub(super) struct Repeats {
    scratch: PathBuf,
    held: Vec<Seen>,
    most: usize,
    file: Option<File>,
    runs: Vec<u64>,
}

impl Repeats {
    /// None so far.
    pub(super) fn new(scratch: &Path) -> Self {
        Self { scratch: scratch.to_owned(), held: Vec::new(), most: HELD, file: None, runs: Vec::new() }
    }

    /// One more.
    pub(super) fn add(&mut self, seen: Seen) -> io::Result<()> {
        if self.held.len() == self.most {
            self.spill()?;
        }
        self.held.push(seen);
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.scratch)?),
        };
        let mut out = io::BufWriter::new(file);
        for seen in &self.held {
            out.write_all(&seen.mark)?;
            out.write_all(&seen.file.to_le_bytes())?;
            out.write_all(&seen.line.to_le_bytes())?;
            out.write_all(&seen.content.to_le_bytes())?;
        }
        out.flush()?;
        self.runs.push(u64::try_from(self.held.len()).unwrap_or(u64::MAX));
        self.held.clear();
        Ok(())
    }

    /// Tells of each that comes again, after the first one with its mark.
    pub(super) fn each(mut self, mut tell: impl FnMut(&Seen, &Seen)) -> io::Result<()> {
        let mut first: Option<Seen> = None;
        let mut hear = |seen: Seen| match &first {
            Some(known) if known.mark == seen.mark => tell(known, &seen),
            _ => first = Some(seen),
        };
        if self.file.is_none() {
            self.held.sort_unstable();
            self.held.into_iter().for_each(hear);
            return Ok(());
        }
        self.spill()?;
        let Some(mut file) = self.file else { return Ok(()) };
        self.held = Vec::new();
        let block = (BLOCKS / self.runs.len() / SIZE).max(16);
        let mut runs = Vec::new();
        let mut offset = 0;
        for length in self.runs {
            runs.push(Run { offset, left: length, block: Vec::new(), next: 0 });
            offset += length * SIZE as u64;
        }
        let mut heap = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heap.extend(run.take(&mut file, block)?.map(|seen| Reverse((seen, number))));
        }
        while let Some(Reverse((seen, number))) = heap.pop() {
            hear(seen);
            heap.extend(runs[number].take(&mut file, block)?.map(|seen| Reverse((seen, number))));
        }
        Ok(())
    }
}

/// How many resources came again, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    pub(super) count: u64,
    /// Places of the later ones, each with that of the one before it.
    first: BTreeMap<(u32, u64), (u32, u64)>,
}

impl Pairs {
    /// One more; they do not come in the order of their places.
    pub(super) fn add(&mut self, first: &Seen, again: &Seen) {
        self.count += 1;
        self.first.insert((again.file, again.line), (first.file, first.line));
        if self.first.len() > 1 + MORE {
            self.first.pop_last();
        }
    }

    /// The first places, with the names of files.
    pub(super) fn spots<'a>(self, name: impl Fn(u32) -> &'a str) -> Vec<Spot> {
        let spot = |((file, line), (other, at)): ((u32, u64), (u32, u64))| Spot {
            also: Some(format!("{}:{at}", name(other))),
            ..Spot::of(name(file), line)
        };
        self.first.into_iter().map(spot).collect()
    }
}

/// A sorted part of the file.
struct Run {
    offset: u64,
    left: u64,
    block: Vec<u8>,
    next: usize,
}

impl Run {
    fn take(&mut self, file: &mut File, most: usize) -> io::Result<Option<Seen>> {
        if self.next == self.block.len() {
            let count = self.left.min(most as u64);
            if count == 0 {
                return Ok(None);
            }
            let bytes = usize::try_from(count).unwrap_or(most) * SIZE;
            self.block.resize(bytes, 0);
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_exact(&mut self.block)?;
            self.offset += bytes as u64;
            self.left -= count;
            self.next = 0;
        }
        let piece = &self.block[self.next..self.next + SIZE];
        self.next += SIZE;
        let (mut mark, mut number, mut line, mut content) = (Mark::default(), [0; 4], [0; 8], [0; 8]);
        mark.copy_from_slice(&piece[..12]);
        number.copy_from_slice(&piece[12..16]);
        line.copy_from_slice(&piece[16..24]);
        content.copy_from_slice(&piece[24..]);
        let (file, line, content) = (u32::from_le_bytes(number), u64::from_le_bytes(line), u64::from_le_bytes(content));
        Ok(Some(Seen { mark, file, line, content }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn disk_or_memory_the_same_repeats_are_found(marks in proptest::collection::vec(0_u8..40, 0..200), most in 1_usize..50) {
            let directory = tempfile::tempdir().unwrap();
            let found = |most: usize| {
                let mut repeats = Repeats { most, ..Repeats::new(directory.path()) };
                for (line, mark) in marks.iter().enumerate() {
                    let content = u64::from(*mark) << 56 | line as u64;
                    repeats.add(Seen { mark: [*mark; 12], file: 7, line: line as u64, content }).unwrap();
                }
                let mut found = Vec::new();
                repeats.each(|first, again| found.push((*first, *again))).unwrap();
                found
            };
            let expected = marks.iter().enumerate().filter(|(line, mark)| marks[..*line].contains(mark)).count();
            prop_assert_eq!(found(most).len(), expected);
            prop_assert_eq!(found(most), found(1000));
        }
    }
}
