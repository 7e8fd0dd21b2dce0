//! Checks NDJSON for what HealthLake would refuse, before anything is sent. No AWS.
//!
//! A file is read once and in pieces: memory does not grow with files, lines or resources. What is wrong is told by
//! file and line; nothing of a resource's content is kept or shown.

mod line;
mod marks;
mod nesting;
mod notice;
mod problem;
mod reader;
pub mod resource_types;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use crc_fast::CrcAlgorithm;
use serde::Serialize;

pub use line::encoding_problem;
pub(crate) use line::{Mark, mark};
pub use notice::{BundleType, Notice};
pub use problem::{BadName, Group, Label, Problem, Spot};
pub use resource_types::is_resource_type;

use crate::structure::Target;

use line::{Noted, Verdict, judge};
use marks::{Found, Kinds, Marks, Pairs, Places, Role, Seen};
use problem::Tally;
use reader::{Lines, Next};

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
#[derive(Clone, Debug, Default, Serialize)]
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
    /// The same. HealthLake checks profiles besides, of which no definitions are here.
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

/// A check under way.
#[derive(Debug)]
pub struct Checker {
    limits: Limits,
    checks: Checks,
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

    /// Notes what is wrong with the next file's name.
    pub fn name(&mut self, name: &str, problem: BadName) {
        self.problems.add(Problem::BadName(problem), Spot::of(name, 0));
    }

    /// Checks one file; `progress` hears how many bytes have been read since it last heard.
    ///
    /// # Errors
    /// The file cannot be read, or the scratch file not be written.
    pub fn file(&mut self, name: &str, from: impl Read, progress: impl Fn(u64)) -> io::Result<Checked> {
        let file = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.into());
        let mut lines = Lines::new(from, self.limits.resource_bytes);
        let mut number = 0;
        let mut reported = 0;
        let mut is_blank = true;
        loop {
            let (verdict, content) = match lines.next()? {
                Next::End => break,
                Next::Line(line) => (judge(line, number == 0, self.checks), content_of(line)),
                Next::Judged(Verdict::Good { kind, mark, notices, targets, .. }, content) => {
                    let is_unchecked = self.checks.ask_for_elements();
                    (Verdict::Good { kind, mark, is_unchecked, notices, targets }, content)
                }
                Next::Judged(verdict, content) => (verdict, content),
            };
            number += 1;
            is_blank &= verdict == Verdict::Blank;
            match verdict {
                Verdict::Blank => {}
                Verdict::Bad(problem) => self.problems.add(problem, Spot::of(name, number)),
                Verdict::BadAt(problem, place) => {
                    self.problems.add(problem, Spot { place: Some(place), ..Spot::of(name, number) });
                }
                Verdict::Flawed { mark, issues, notices, targets } => {
                    for issue in issues {
                        self.problems.add(Problem::Structure(issue), Spot::of(name, number));
                    }
                    self.note(notices, name, number);
                    self.marks.add(Seen { mark, role: Role::resource(file), line: number, content })?;
                    self.refer(targets, file, number)?;
                }
                Verdict::Good { kind, mark, is_unchecked, notices, targets } => {
                    self.unchecked += u64::from(is_unchecked);
                    match self.resources.get_mut(&*kind) {
                        Some(count) => *count += 1,
                        None => drop(self.resources.insert(kind.into_owned(), 1)),
                    }
                    self.note(notices, name, number);
                    self.marks.add(Seen { mark, role: Role::resource(file), line: number, content })?;
                    self.refer(targets, file, number)?;
                }
                Verdict::Hopeless(problem) => {
                    self.problems.add(problem, Spot::of(name, number));
                    lines.skip_to_end()?;
                }
            }
            if lines.bytes() - reported >= 1 << 20 {
                progress(lines.bytes() - reported);
                reported = lines.bytes();
            }
        }
        progress(lines.bytes() - reported);
        let checked = lines.finish();
        self.size(name, checked.size);
        if is_blank && checked.size > 0 {
            self.problems.add(Problem::NoResource, Spot::of(name, 0));
        }
        Ok(checked)
    }

    fn note(&mut self, notices: Vec<Noted>, name: &str, line: u64) {
        for (notice, place) in notices {
            let place = place.map(|place| place.to_string());
            self.notices.add(notice, Spot { place, ..Spot::of(name, line) });
        }
    }

    fn refer(&mut self, targets: Vec<Target>, file: u32, line: u64) -> io::Result<()> {
        for Target { place, kind, mark } in targets {
            let content = self.kinds.number(place, kind);
            self.marks.add(Seen { mark, role: Role::reference(file), line, content })?;
        }
        Ok(())
    }

    /// Checks a file that is not read, by its size alone.
    pub fn unread(&mut self, name: &str, size: u64) {
        self.names.push(name.into());
        self.size(name, size);
    }

    fn size(&mut self, name: &str, size: u64) {
        self.bytes += size;
        if size == 0 {
            self.problems.add(Problem::EmptyFile, Spot::of(name, 0));
        }
        if size > self.limits.file_bytes {
            self.problems.add(Problem::FileTooLarge, Spot::of(name, 0));
        }
    }

    /// What all files came to.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn finish(self) -> io::Result<Findings> {
        let Self { limits, checks: _, names, bytes, resources, unchecked, mut problems, mut notices, marks, kinds } =
            self;
        let files = u64::try_from(names.len()).unwrap_or(u64::MAX);
        if files > limits.files {
            problems.add(Problem::TooManyFiles, Spot::default());
        }
        if bytes > limits.job_bytes {
            problems.add(Problem::JobTooLarge, Spot::default());
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
