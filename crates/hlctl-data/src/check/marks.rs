//! Finds resources that have one type and id, and references to resources that are not there, in constant memory: what is
//! too much to hold is sorted and put on disk.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::line::Mark;
use super::notice::Notice;
use super::problem::{MORE, Spot, Tally};
use crate::structure::Place;

/// One resource, by the hash of its type and id, or one reference to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) mark: Mark,
    pub(super) role: Role,
    /// The line, counted from one.
    pub(super) line: u64,
    /// Of a resource a checksum of its line; of a reference the number of its kind.
    pub(super) content: u64,
}

/// The number of a file, and whether a resource or a reference is there. Of one mark, resources sort before references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Role(u32);

impl Role {
    /// A job has at most a million files.
    const REFERENCE: u32 = 1 << 31;

    pub(super) fn resource(file: u32) -> Self {
        Self(file.min(Self::REFERENCE - 1))
    }

    pub(super) fn reference(file: u32) -> Self {
        Self(file | Self::REFERENCE)
    }

    pub(super) fn file(self) -> u32 {
        self.0 & !Self::REFERENCE
    }

    pub(super) fn is_reference(self) -> bool {
        self.0 & Self::REFERENCE != 0
    }
}

/// What is found once all is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A resource that comes again, after the first one with its type and id.
    Again(Seen, Seen),
    /// A reference to a resource that is not there.
    Dangling(Seen),
}

/// Bytes of one on disk.
const SIZE: usize = 32;
/// How many are held in memory.
const HELD: usize = 128 * 1024;
/// Bytes of the blocks by which all sorted runs together are read again.
const BLOCKS: usize = 4 << 20;

/// All resources and references so far.
#[derive(Debug)]
pub(super) struct Marks {
    scratch: PathBuf,
    held: Vec<Seen>,
    most: usize,
    file: Option<File>,
    runs: Vec<u64>,
}

impl Marks {
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
            out.write_all(&seen.role.0.to_le_bytes())?;
            out.write_all(&seen.line.to_le_bytes())?;
            out.write_all(&seen.content.to_le_bytes())?;
        }
        out.flush()?;
        self.runs.push(u64::try_from(self.held.len()).unwrap_or(u64::MAX));
        self.held.clear();
        Ok(())
    }

    /// Tells of each resource that comes again and of each reference to none.
    pub(super) fn each(mut self, mut tell: impl FnMut(Found)) -> io::Result<()> {
        let mut first: Option<Seen> = None;
        let mut hear = |seen: Seen| match first.filter(|known| known.mark == seen.mark) {
            Some(known) if !seen.role.is_reference() => tell(Found::Again(known, seen)),
            Some(_) => {}
            None if seen.role.is_reference() => tell(Found::Dangling(seen)),
            None => first = Some(seen),
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
    pub(super) fn add(&mut self, first: Seen, again: Seen) {
        self.count += 1;
        self.first.insert((again.role.file(), again.line), (first.role.file(), first.line));
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

/// The kinds of references, each by a number: their element, and the type that they refer to.
#[derive(Debug, Default)]
pub(super) struct Kinds(HashMap<(Place, &'static str), u64>);

/// Paths are of R4's elements, but extensions in extensions and resources in resources make ever more of them. Beyond so many
/// kinds only the type of the resource is kept in the place of the path.
const KINDS: usize = 4096;

impl Kinds {
    /// The number of a kind.
    pub(super) fn number(&mut self, place: Place, target: &'static str) -> u64 {
        let mut kind = (place, target);
        if self.0.len() >= KINDS && !self.0.contains_key(&kind) {
            kind.0 = kind.0.root();
        }
        let next = self.0.len() as u64;
        *self.0.entry(kind).or_insert(next)
    }

    /// The numbers here of the kinds of another part, by their numbers there.
    pub(super) fn numbers_of(&mut self, other: Self) -> Vec<u64> {
        let mut kinds: Vec<_> = other.0.into_iter().collect();
        kinds.sort_unstable_by_key(|(_, number)| *number);
        kinds.into_iter().map(|((place, target), _)| self.number(place, target)).collect()
    }

    /// Adds notices of the references of these kinds that lead to no resource.
    pub(super) fn note<'a>(
        self,
        mut dangling: BTreeMap<u64, Places>,
        notices: &mut Tally<Notice>,
        name: impl Fn(u32) -> &'a str,
    ) {
        for ((place, target), number) in self.0 {
            if let Some(Places { count, first }) = dangling.remove(&number) {
                let spots = first.into_iter().map(|(file, line)| Spot::of(name(file), line)).collect();
                notices.put(Notice::DanglingReference { path: place.to_string(), target }, count, spots);
            }
        }
    }
}

/// How many references of one kind there are, and the first lines that have one.
#[derive(Debug, Default)]
pub(super) struct Places {
    count: u64,
    first: BTreeSet<(u32, u64)>,
}

impl Places {
    /// One more; they do not come in the order of their places.
    pub(super) fn add(&mut self, seen: Seen) {
        self.count += 1;
        self.first.insert((seen.role.file(), seen.line));
        if self.first.len() > 1 + MORE {
            self.first.pop_last();
        }
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
        let (mut mark, mut role, mut line, mut content) = (Mark::default(), [0; 4], [0; 8], [0; 8]);
        mark.copy_from_slice(&piece[..12]);
        role.copy_from_slice(&piece[12..16]);
        line.copy_from_slice(&piece[16..24]);
        content.copy_from_slice(&piece[24..]);
        let (role, line, content) =
            (Role(u32::from_le_bytes(role)), u64::from_le_bytes(line), u64::from_le_bytes(content));
        Ok(Some(Seen { mark, role, line, content }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn disk_or_memory_the_same_is_found(marks in proptest::collection::vec((0_u8..40, any::<bool>()), 0..200), most in 1_usize..50) {
            let directory = tempfile::tempdir().unwrap();
            let found = |most: usize| {
                let mut all = Marks { most, ..Marks::new(directory.path()) };
                for (line, (mark, is_reference)) in marks.iter().enumerate() {
                    let content = u64::from(*mark) << 56 | line as u64;
                    let role = if *is_reference { Role::reference(7) } else { Role::resource(7) };
                    all.add(Seen { mark: [*mark; 12], role, line: line as u64, content }).unwrap();
                }
                let mut found = Vec::new();
                all.each(|one| found.push(one)).unwrap();
                found
            };
            let of = |wanted: &dyn Fn(usize, u8, bool) -> bool| {
                marks.iter().enumerate().filter(|(line, (mark, is_reference))| wanted(*line, *mark, *is_reference)).count()
            };
            let again = of(&|line, mark, is_reference| !is_reference && marks[..line].contains(&(mark, false)));
            let dangling = of(&|_, mark, is_reference| is_reference && !marks.contains(&(mark, false)));
            let all = found(most);
            prop_assert_eq!(all.iter().filter(|one| matches!(one, Found::Again(..))).count(), again);
            prop_assert_eq!(all.iter().filter(|one| matches!(one, Found::Dangling(_))).count(), dangling);
            prop_assert_eq!(all, found(1000));
        }
    }

    #[test]
    fn kinds_of_references_are_bounded() {
        let mut kinds = Kinds::default();
        let path = |depth: usize| {
            let extensions = std::iter::repeat_n("extension", depth);
            Place(std::iter::once("Patient").chain(extensions).chain(["valueReference"]).collect())
        };
        let numbered = |number: usize| {
            let bits = (0..13).map(|bit| if number >> bit & 1 == 1 { "id" } else { "url" });
            Place(std::iter::once("Patient").chain(bits).collect())
        };
        let numbers: Vec<u64> = (0..2 * KINDS).map(|number| kinds.number(numbered(number), "Group")).collect();
        assert_eq!(kinds.0.len(), KINDS + 1);
        assert_eq!(kinds.number(numbered(7), "Group"), numbers[7]);
        assert_eq!(kinds.number(path(3), "Group"), kinds.number(path(4), "Group"));
        assert_ne!(kinds.number(path(3), "Group"), kinds.number(path(3), "Patient"));
    }
}
