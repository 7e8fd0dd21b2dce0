//! What was found in a part of a file.

use std::collections::BTreeMap;
use std::io::{self, Read};

use super::line::{Noted, Verdict, judge};
use super::marks::{Kinds, Role, Seen};
use super::notice::Notice;
use super::problem::{Problem, Spot, Tally};
use super::reader::{Lines, Next};
use super::{Checks, content_of};
use crate::structure::Target;

/// What was found in lines that follow one another. Lines are counted from the first of them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) lines: u64,
    pub(super) resources: BTreeMap<String, u64>,
    pub(super) unchecked: u64,
    pub(super) problems: Tally<Problem>,
    pub(super) notices: Tally<Notice>,
    /// Resources and references.
    pub(super) seen: Vec<Seen>,
    /// The kinds of these references.
    pub(super) kinds: Kinds,
    /// Whether there is nothing but space.
    pub(super) is_blank: bool,
    /// Whether a line says that all after it are no resources either.
    pub(super) is_hopeless: bool,
}

/// Which lines a part has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot<'a> {
    /// The name of the file.
    pub(super) name: &'a str,
    /// Its number.
    pub(super) file: u32,
    /// Whether the first line of the file is the first one.
    pub(super) is_first: bool,
    pub(super) checks: Checks,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            lines: 0,
            resources: BTreeMap::new(),
            unchecked: 0,
            problems: Tally::default(),
            notices: Tally::default(),
            seen: Vec::new(),
            kinds: Kinds::default(),
            is_blank: true,
            is_hopeless: false,
        }
    }
}

/// `progress` hears of so many bytes at once.
const STEP: u64 = 1 << 20;

impl Part {
    /// Checks lines until about `most` bytes have been read; says whether that was all. `progress` hears how many bytes have been read
    /// since it last heard.
    pub(super) fn read<R: Read>(
        &mut self,
        lines: &mut Lines<R>,
        lot: Lot<'_>,
        most: u64,
        progress: impl Fn(u64),
    ) -> io::Result<bool> {
        let mut reported = lines.bytes();
        let end = reported.saturating_add(most);
        let is_over = loop {
            if lines.bytes() >= end {
                break false;
            }
            let (verdict, content) = match lines.next()? {
                Next::End => break true,
                Next::Line(line) => (judge(line, lot.is_first && self.lines == 0, lot.checks), content_of(line)),
                Next::Judged(Verdict::Good { kind, mark, notices, targets, .. }, content) => {
                    let is_unchecked = lot.checks.ask_for_elements();
                    (Verdict::Good { kind, mark, is_unchecked, notices, targets }, content)
                }
                Next::Judged(verdict, content) => (verdict, content),
            };
            self.lines += 1;
            if self.add(verdict, content, lot) {
                self.is_hopeless = true;
                lines.skip_to_end()?;
            }
            if lines.bytes() - reported >= STEP {
                progress(lines.bytes() - reported);
                reported = lines.bytes();
            }
        };
        progress(lines.bytes() - reported);
        Ok(is_over)
    }

    /// Adds a line; says whether all after it are hopeless.
    fn add(&mut self, verdict: Verdict, content: u64, lot: Lot<'_>) -> bool {
        let line = self.lines;
        let spot = || Spot::of(lot.name, line);
        self.is_blank &= verdict == Verdict::Blank;
        match verdict {
            Verdict::Blank => {}
            Verdict::Bad(problem) => self.problems.add(problem, spot),
            Verdict::BadAt(problem, place) => self.problems.add(problem, || Spot { place: Some(place), ..spot() }),
            Verdict::Flawed { mark, issues, notices, targets } => {
                for issue in issues {
                    self.problems.add(Problem::Structure(issue), spot);
                }
                self.note(notices, spot);
                self.seen.push(Seen { mark, role: Role::resource(lot.file), line, content });
                self.refer(targets, lot.file);
            }
            Verdict::Good { kind, mark, is_unchecked, notices, targets } => {
                self.unchecked += u64::from(is_unchecked);
                match self.resources.get_mut(&*kind) {
                    Some(count) => *count += 1,
                    None => drop(self.resources.insert(kind.into_owned(), 1)),
                }
                self.note(notices, spot);
                self.seen.push(Seen { mark, role: Role::resource(lot.file), line, content });
                self.refer(targets, lot.file);
            }
            Verdict::Hopeless(problem) => {
                self.problems.add(problem, spot);
                return true;
            }
        }
        false
    }

    fn note(&mut self, notices: Vec<Noted>, spot: impl Fn() -> Spot) {
        for (notice, place) in notices {
            self.notices.add(notice, || Spot { place: place.map(|place| place.to_string()), ..spot() });
        }
    }

    fn refer(&mut self, targets: Vec<Target>, file: u32) {
        for Target { place, kind, mark } in targets {
            let content = self.kinds.number(place, kind);
            self.seen.push(Seen { mark, role: Role::reference(file), line: self.lines, content });
        }
    }
}
