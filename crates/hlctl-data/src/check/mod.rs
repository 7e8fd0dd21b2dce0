//! Checks NDJSON for what HealthLake would refuse, before anything is sent. No AWS.
//!
//! A file is read once and in pieces: memory does not grow with files, lines or resources. What is wrong is reported by
//! file and line; nothing of a resource's content is kept or shown.

mod in_order;
mod line;
mod marks;
mod nesting;
mod notice;
mod part;
mod problem;
mod range;
mod reader;
pub mod resource_types;
mod stream;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::thread;

use crc_fast::CrcAlgorithm;
use schemars::JsonSchema;
use serde::Serialize;

pub use line::encoding_problem;
pub(crate) use line::{Mark, mark};
pub use notice::{BundleType, Notice};
pub use problem::{BadName, Group, Label, Problem, Spot};
pub use resource_types::is_resource_type;
pub use stream::Incoming;

use in_order::in_order;
use marks::{Found, Kinds, Marks, Pairs, Places, Seen};
use part::{Lot, Part};
use problem::Tally;
use range::{Range, RangeOfLines, ranges_of};
use reader::Lines;
use stream::{Piece, Pieces};

/// The limits of one import job ("AWS HealthLake endpoints and quotas").
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files.
    pub files: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files.
    pub job_bytes: u64,
    /// Bytes of one resource: a Binary may have 164 MB.
    pub resource_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 1_000_000, file_bytes: 50_000_000_000, job_bytes: 5_000_000_000_000, resource_bytes: 164_000_000 }
    }
}

/// What is known of a file after it was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its bytes.
    pub size: u64,
    /// Its CRC-64/NVME, as S3 counts it.
    pub crc64: u64,
}

/// What the check of all files found.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Findings {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Good resources by type.
    pub resources: BTreeMap<String, u64>,
    /// Good resources whose elements, references among them, were not looked at: they are too long, or have half of a
    /// surrogate pair.
    #[serde(rename = "structure_not_checked", skip_serializing_if = "is_zero")]
    pub unchecked: u64,
    /// What an import would refuse, each kind once.
    pub problems: Vec<Group>,
    /// What an import would take, and what will not be as one would think, each kind once.
    pub notices: Vec<Group>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Findings {
    /// How many resources are good.
    pub fn count(&self) -> u64 {
        self.resources.values().sum()
    }
}

/// How much of a resource is looked at: HealthLake's own levels, and none of them (HealthLake developer guide, "Importing FHIR
/// data").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// That it is JSON, and says its type and id.
    None,
    /// The same, and references. HealthLake takes what is wrong with the structure, and marks it.
    Minimal,
    /// Against the structure that R4 defines.
    StructureOnly,
    /// The same. HealthLake checks profiles in addition, of which no definitions are here.
    #[default]
    Strict,
}

impl Level {
    fn asks_for_references(self) -> bool {
        self != Self::None
    }

    fn asks_for_structure(self) -> bool {
        matches!(self, Self::StructureOnly | Self::Strict)
    }
}

/// What is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// How much of each resource.
    pub level: Level,
    /// Whether what a resource refers to is among the resources that are checked.
    pub references: bool,
}

impl From<Level> for Checks {
    fn from(level: Level) -> Self {
        Self { level, references: false }
    }
}

impl Checks {
    fn ask_for_references(self) -> bool {
        self.references || self.level.asks_for_references()
    }

    /// Whether a resource whose elements cannot be looked at is one to tell of.
    fn ask_for_elements(self) -> bool {
        self.references || self.level.asks_for_structure()
    }
}

/// A file that is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct ToCheck<'a> {
    /// Where it is.
    pub path: &'a Path,
    /// The name that reports give it.
    pub name: &'a str,
    /// What is wrong with that name.
    pub bad_name: Option<BadName>,
    /// How many bytes it had when it was listed. It may have others by now.
    pub size: u64,
}

/// Bytes of a file that one thread checks at once.
const RANGE: u64 = 2 << 20;
/// Threads at most: each has memory of its own, and disks are not faster than a few.
const WORKERS: u32 = 8;
/// Of what comes over a network each holds a piece of its own, and 4 check more than a network brings.
const INCOMING_WORKERS: u32 = 4;

/// A check under way.
#[derive(Debug)]
pub struct Checker {
    limits: Limits,
    checks: Checks,
    range: u64,
    workers: u32,
    names: Vec<Box<str>>,
    bytes: u64,
    resources: BTreeMap<String, u64>,
    unchecked: u64,
    problems: Tally<Problem>,
    notices: Tally<Notice>,
    marks: Marks,
    kinds: Kinds,
}

impl Checker {
    /// A check of a job with these limits; what does not fit into memory goes into an unnamed file in `scratch`.
    pub fn new(limits: Limits, checks: impl Into<Checks>, scratch: &Path) -> Self {
        Self {
            limits,
            checks: checks.into(),
            range: RANGE,
            workers: thread::available_parallelism()
                .map_or(1, |count| u32::try_from(count.get()).unwrap_or(WORKERS))
                .min(WORKERS),
            names: Vec::new(),
            bytes: 0,
            resources: BTreeMap::new(),
            unchecked: 0,
            problems: Tally::default(),
            notices: Tally::default(),
            marks: Marks::new(scratch),
            kinds: Kinds::default(),
        }
    }

    /// The same with this number of threads in place of one for each processor (8 at most).
    #[must_use]
    pub fn with_workers(self, workers: u32) -> Self {
        Self { workers, ..self }
    }

    /// Notes what is wrong with the next file's name.
    pub fn name(&mut self, name: &str, problem: BadName) {
        self.problems.add(Problem::BadName(problem), || Spot::of(name, 0));
    }

    /// Checks one file as it comes; `progress` hears how many bytes have been read since it last heard.
    ///
    /// # Errors
    /// The file cannot be read, or the scratch file not be written.
    pub fn file(&mut self, name: &str, from: impl Read, progress: impl Fn(u64)) -> io::Result<Checked> {
        let mut lines = Lines::new(from, self.limits.resource_bytes);
        let mut state = self.begin(name);
        let mut is_over = false;
        while !is_over {
            let mut part = Part::default();
            is_over = part.read(&mut lines, self.lot(name, &state), self.range, &progress)?;
            self.add(part, &mut state)?;
        }
        let Checked { size, crc64 } = lines.finish();
        self.end(name, FileState { size, crc64, ..state })
    }

    /// Checks files at several places at the same time, as many as there are processors. What is found does not depend on that. `progress`
    /// hears of bytes read, from several threads.
    ///
    /// # Errors
    /// A file cannot be read, or is changed meanwhile so that its lines are others; or the scratch file cannot be written. The error names
    /// the file.
    pub fn files(&mut self, files: &[ToCheck<'_>], progress: impl Fn(u64) + Sync) -> io::Result<Vec<Checked>> {
        let (limits, checks, length) = (self.limits, self.checks, self.range);
        let first = self.names.len();
        let work = files.iter().enumerate().flat_map(|(number, file)| ranges_of(number, file.size, length));
        let read =
            |range: Range| (range, read_range(files[range.file], first + range.file, range, limits, checks, &progress));
        let mut all = Vec::with_capacity(files.len());
        let mut state = FileState::default();
        in_order(work, self.workers, read, |(range, read)| {
            let file = files[range.file];
            let take = || {
                if range.from == 0 {
                    if let Some(problem) = file.bad_name {
                        self.name(file.name, problem);
                    }
                    state = self.begin(file.name);
                }
                if let Some(Ranged { part, start, checked }) = read? {
                    // Each part ends where the next one begins, unless somebody writes.
                    if start != state.size {
                        return Err(io::Error::other("the file was changed while it was read"));
                    }
                    self.add(part, &mut state)?;
                    state.append(&checked);
                }
                if range.to.is_none() {
                    all.push(self.end(file.name, state)?);
                }
                Ok(())
            };
            take().map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.path.display())))
        })?;
        Ok(all)
    }

    /// Checks files that come one after the other, pieces of them at the same time, 4 at most. What is found does
    /// not depend on that, and no more than a few pieces are in memory. `progress` hears of bytes that have come.
    ///
    /// # Errors
    /// A file cannot be read, or the scratch file not be written.
    pub fn incoming(&mut self, files: impl Incoming + Send, progress: impl Fn(u64) + Send) -> io::Result<()> {
        let (limits, checks) = (self.limits, self.checks);
        let pieces = Pieces::new(files, progress, self.names.len(), limits, checks, self.range);
        let check = |piece: io::Result<Piece>| {
            let piece = piece?;
            let (name, is_first, is_last) = (piece.name.clone(), piece.is_first, piece.is_last);
            piece.check(limits, checks).map(|checked| (name, is_first, is_last, checked))
        };
        let mut state = FileState::default();
        in_order(pieces, self.workers.min(INCOMING_WORKERS), check, |checked: io::Result<_>| {
            let (name, is_first, is_last, (part, size)) = checked?;
            if is_first {
                state = self.begin(&name);
            }
            self.add(part, &mut state)?;
            state.size += size;
            if is_last {
                self.end(&name, state)?;
            }
            Ok(())
        })
    }

    /// Begins with the next file.
    fn begin(&mut self, name: &str) -> FileState {
        let file = number_of(self.names.len());
        self.names.push(name.into());
        FileState { file, ..FileState::default() }
    }

    fn lot<'n>(&self, name: &'n str, state: &FileState) -> Lot<'n> {
        Lot { name, file: state.file, is_first: state.lines == 0, checks: self.checks }
    }

    /// Adds the next part of a file.
    fn add(&mut self, part: Part, state: &mut FileState) -> io::Result<()> {
        if state.is_hopeless {
            return Ok(());
        }
        let Part { lines, resources, unchecked, problems, notices, seen, kinds, is_blank, is_hopeless } = part;
        for (kind, count) in resources {
            *self.resources.entry(kind).or_default() += count;
        }
        self.unchecked += unchecked;
        self.problems.append(problems, state.lines);
        self.notices.append(notices, state.lines);
        let numbers = self.kinds.numbers_of(kinds);
        for Seen { mark, role, line, content } in seen {
            let content = if role.is_reference() {
                usize::try_from(content).ok().and_then(|number| numbers.get(number)).copied().unwrap_or(content)
            } else {
                content
            };
            self.marks.add(Seen { mark, role, line: state.lines + line, content })?;
        }
        state.lines += lines;
        state.has_content |= !is_blank;
        state.is_hopeless = is_hopeless;
        Ok(())
    }

    fn end(&mut self, name: &str, state: FileState) -> io::Result<Checked> {
        let FileState { size, crc64, has_content, .. } = state;
        self.size(name, size);
        if !has_content && size > 0 {
            self.problems.add(Problem::NoResource, || Spot::of(name, 0));
        }
        Ok(Checked { size, crc64 })
    }

    /// Checks a file that is not read, by its size alone.
    pub fn unread(&mut self, name: &str, size: u64) {
        self.names.push(name.into());
        self.size(name, size);
    }

    fn size(&mut self, name: &str, size: u64) {
        self.bytes += size;
        if size == 0 {
            self.problems.add(Problem::EmptyFile, || Spot::of(name, 0));
        }
        if size > self.limits.file_bytes {
            self.problems.add(Problem::FileTooLarge, || Spot::of(name, 0));
        }
    }

    /// What all files came to.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn finish(self) -> io::Result<Findings> {
        let Self { limits, names, bytes, resources, unchecked, mut problems, mut notices, marks, kinds, .. } = self;
        let files = u64::try_from(names.len()).unwrap_or(u64::MAX);
        if files > limits.files {
            problems.add(Problem::TooManyFiles, Spot::default);
        }
        if bytes > limits.job_bytes {
            problems.add(Problem::JobTooLarge, Spot::default);
        }
        let (mut differing, mut alike) = (Pairs::default(), Pairs::default());
        let mut dangling: BTreeMap<u64, Places> = BTreeMap::new();
        marks.each(|found| match found {
            Found::Again(first, again) if first.content == again.content => alike.add(first, again),
            Found::Again(first, again) => differing.add(first, again),
            Found::Dangling(seen) => dangling.entry(seen.content).or_default().add(seen),
        })?;
        let name = |file: u32| usize::try_from(file).ok().and_then(|file| names.get(file)).map_or("", |name| &**name);
        problems.put(Problem::Repeated, differing.count, differing.spots(name));
        kinds.note(dangling, &mut notices, name);
        notices.put(Notice::RepeatedLine, alike.count, alike.spots(name));
        Ok(Findings { files, bytes, resources, unchecked, problems: problems.groups(), notices: notices.groups() })
    }
}

/// A file as far as it was checked.
#[derive(Clone, Copy, Debug, Default)]
struct FileState {
    /// Its number.
    file: u32,
    /// Lines so far.
    lines: u64,
    /// Bytes so far.
    size: u64,
    /// Their CRC-64/NVME.
    crc64: u64,
    /// Whether there was more than space.
    has_content: bool,
    /// Whether the rest is not looked at.
    is_hopeless: bool,
}

impl FileState {
    /// Adds the bytes that follow.
    fn append(&mut self, Checked { size, crc64 }: &Checked) {
        self.crc64 = crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, self.crc64, *crc64, *size);
        self.size += size;
    }
}

fn number_of(file: usize) -> u32 {
    u32::try_from(file).unwrap_or(u32::MAX)
}

/// What a range of a file came to.
struct Ranged {
    part: Part,
    /// Where its first line begins.
    start: u64,
    checked: Checked,
}

/// Checks the lines that begin in a range; `None` where none does.
fn read_range(
    file: ToCheck<'_>,
    number: usize,
    range: Range,
    limits: Limits,
    checks: Checks,
    progress: impl Fn(u64),
) -> io::Result<Option<Ranged>> {
    let Some(lines) = RangeOfLines::open(file.path, range)? else { return Ok(None) };
    let start = lines.start;
    let mut lines = Lines::new(lines, limits.resource_bytes);
    let mut part = Part::default();
    let lot = Lot { name: file.name, file: number_of(number), is_first: range.from == 0, checks };
    part.read(&mut lines, lot, u64::MAX, progress)?;
    Ok(Some(Ranged { part, start, checked: lines.finish() }))
}

/// A checksum of a line, by which it is known to come again word by word.
fn content_of(line: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, line.trim_ascii())
}

/// Whether a resource is nested deeper than it can be read.
pub fn is_too_deep(resource: &[u8]) -> bool {
    nesting::Nesting::flaw_of(resource) == Some(nesting::Flaw::TooDeep)
}

#[cfg(test)]
mod tests;
