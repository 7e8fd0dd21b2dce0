//! Exports that were asked for by GET: HealthLake keeps their files itself, and gives them to the caller that asked (developer guide,
//! exporting with FHIR $export).
//!
//! Nothing is written. A file is a stretch of one type's resources as they were at one instant; neither their order nor what was
//! stored at that instant ever changes, so that a file is made again, byte by byte the same, for each request.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Job, Work};
use crate::clock::after;
use crate::error::Error;
use crate::services::healthlake::fhir::bulk::{Issued, Place, Selection, issue, total};
use crate::store::resources::Collection;

/// How long the files can be downloaded (developer guide, exporting with FHIR $export).
const KEPT_FOR: Duration = Duration::from_secs(48 * 3600);
/// The most that a step goes through, so that nobody waits long.
const STEP_RESOURCES: u64 = 2_000;
const STEP_BYTES: usize = 2 << 20;
/// A file with this many bytes gets no more; AWS does not document where it begins another.
const LARGEST_FILE: u64 = 64 << 20;

/// An export for download as far as it has got.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Download {
    selection: Selection,
    /// The address of the `$export` that asked for it.
    request: String,
    requester: Requester,
    /// What was written after this instant is not exported.
    at: Option<Timestamp>,
    whole: u64,
    seen: u64,
    place: Place,
    /// The file that is growing.
    open: Option<File>,
    files: Vec<File>,
}

/// Who asked: "the same authentication method or bearer token" must be used for the files (developer guide).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::services::healthlake) enum Requester {
    /// A caller who signs.
    Signer,
    /// The holder of the bearer token with this SHA-256 in hexadecimal digits.
    Token(String),
}

/// A file: so many resources of a type, from one place in their order to another.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct File {
    pub(in crate::services::healthlake) kind: String,
    number: usize,
    start: usize,
    end: usize,
    size: u64,
    /// How many resources it holds.
    pub(in crate::services::healthlake) count: u64,
}

impl File {
    /// The last part of its address.
    pub(in crate::services::healthlake) fn name(&self) -> String {
        format!("{}-{}.ndjson", self.kind, self.number)
    }
}

impl Download {
    pub(in crate::services::healthlake) fn new(selection: Selection, request: String, requester: Requester) -> Self {
        Self {
            selection,
            request,
            requester,
            at: None,
            whole: 0,
            seen: 0,
            place: Place::default(),
            open: None,
            files: Vec::new(),
        }
    }

    pub(in crate::services::healthlake) fn request(&self) -> &str {
        &self.request
    }

    pub(in crate::services::healthlake) fn requester(&self) -> &Requester {
        &self.requester
    }

    pub(in crate::services::healthlake) fn files(&self) -> &[File] {
        &self.files
    }

    /// The instant that the export shows.
    pub(in crate::services::healthlake) fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// How many resources it has gone through.
    pub(in crate::services::healthlake) fn seen(&self) -> u64 {
        self.seen
    }

    /// How many resources there are to go through.
    pub(in crate::services::healthlake) fn whole(&self) -> u64 {
        self.whole
    }

    /// Whether there is something to do before the first `wanted` resources have been gone through.
    pub(super) fn is_behind(&self, wanted: Option<u64>) -> bool {
        wanted.is_none_or(|wanted| self.seen < wanted)
    }

    /// Counts what there is.
    pub(super) fn scan(&mut self, collection: &Collection, now: Timestamp) {
        self.at = Some(now);
        self.whole = total(collection, &self.selection);
    }

    /// Goes through the next resources, at most `most`, and says whether there are any left and how many it went through.
    pub(super) fn step(&mut self, collection: &Collection, most: u64) -> Result<(bool, u64), Error> {
        let at = self.at.unwrap_or(Timestamp::MAX);
        let before = self.place.clone();
        let limits = (STEP_RESOURCES.min(most), STEP_BYTES);
        let issued = issue(collection, &self.selection, at, &mut self.place, limits)?;
        let Issued { kind: Some(kind), lines, given, seen, ends_kind } = issued else {
            return Ok((false, 1));
        };
        self.seen += seen;
        let start = if before.kind.as_ref() == Some(&kind) { before.place } else { 0 };
        let mut file = self.open.take().unwrap_or_else(|| File {
            number: self.files.iter().filter(|file| file.kind == kind).count(),
            kind,
            start,
            end: start,
            size: 0,
            count: 0,
        });
        file.end = start.saturating_add(usize::try_from(seen).unwrap_or(usize::MAX));
        file.size += lines.len() as u64;
        file.count += given;
        self.open = Some(file);
        if ends_kind || self.open.as_ref().is_some_and(|file| file.size >= LARGEST_FILE) {
            self.finish();
        }
        Ok((true, seen.max(1)))
    }

    /// Ends the file that was growing.
    pub(super) fn finish(&mut self) {
        self.files.extend(self.open.take().filter(|file| file.count > 0));
    }

    /// What a file of this export holds.
    ///
    /// # Errors
    ///
    /// If the data directory cannot be read.
    pub(in crate::services::healthlake) fn content(
        &self,
        collection: &Collection,
        file: &File,
    ) -> Result<Vec<u8>, Error> {
        let at = self.at.unwrap_or(Timestamp::MAX);
        let mut content = Vec::with_capacity(usize::try_from(file.size).unwrap_or_default());
        let mut place = Place { kind: Some(file.kind.clone()), place: file.start };
        while place.kind.as_ref() == Some(&file.kind) && place.place < file.end {
            let most = (file.end - place.place) as u64;
            let issued = issue(collection, &self.selection, at, &mut place, (most, STEP_BYTES))?;
            content.extend_from_slice(&issued.lines);
        }
        Ok(content)
    }
}

impl Job {
    /// The export, if it is one for download.
    pub(in crate::services::healthlake) fn download(&self) -> Option<&Download> {
        match &self.work {
            Work::Download(download) => Some(download),
            Work::Import(_) | Work::Export(_) => None,
        }
    }

    /// Until when its files can be downloaded; `None` as long as it has not ended.
    pub(in crate::services::healthlake) fn files_until(&self) -> Option<Timestamp> {
        self.ended.map(|ended| after(ended, KEPT_FOR))
    }

    /// In how many seconds it pays to ask again: when it is due, but after a minute at the most.
    pub(in crate::services::healthlake) fn seconds_to_wait(&self, now: Timestamp) -> u64 {
        let takes = Duration::from_millis(self.takes_ms);
        let rest = self.due().map_or(takes, |due| Duration::try_from(due.duration_since(now)).unwrap_or_default());
        rest.as_millis().div_ceil(1000).clamp(1, 60).try_into().unwrap_or(60)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::store::resources::{Method, Resources, Write};

    fn write(kind: &str, id: usize, second: i64) -> Write {
        Write {
            kind: kind.to_owned(),
            id: id.to_string(),
            at: Timestamp::from_second(second).unwrap(),
            method: Method::Put,
            body: Some(format!("{{\"{kind}{id}at{second}\":\"{}\"}}", "x".repeat(40_000)).into_bytes()),
            key: None,
        }
    }

    #[test]
    fn files_are_the_same_whenever_they_are_asked_for() {
        let mut resources = Resources::in_memory();
        let collection = resources.of_store("s").unwrap();
        // Some megabytes more than one file takes.
        let first: Vec<Write> = (0..1_800).map(|id| write("Patient", id, 1)).chain([write("Group", 0, 1)]).collect();
        collection.commit(first).unwrap();
        let mut download = Download::new(Selection::default(), String::new(), Requester::Signer);
        download.scan(collection, Timestamp::from_second(5).unwrap());
        while download.step(collection, 37).unwrap().0 {}
        download.finish();
        let names: Vec<(String, u64)> = download.files().iter().map(|file| (file.name(), file.count)).collect();
        assert_eq!(names.iter().map(|(_, count)| count).sum::<u64>(), 1_801);
        let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Group-0.ndjson", "Patient-0.ndjson", "Patient-1.ndjson"]);
        let contents = |collection: &Collection| -> Vec<Vec<u8>> {
            download.files().iter().map(|file| download.content(collection, file).unwrap()).collect()
        };
        let before = contents(collection);
        let lines: Vec<u64> = before.iter().map(|text| memchr::memchr_iter(b'\n', text).count() as u64).collect();
        assert_eq!(lines, download.files().iter().map(|file| file.count).collect::<Vec<_>>());
        collection.commit(vec![write("Patient", 3, 9), write("Patient", 9_999, 9), write("Device", 1, 9)]).unwrap();
        assert!(before == contents(collection), "what was written later shows in a file");
    }
}
