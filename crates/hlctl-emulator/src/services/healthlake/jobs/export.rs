//! Exports: a datastore's resources into a bucket, an object for each type and so many megabytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Output;
use super::output::Growing;
use crate::error::AwsResult;
use crate::services::healthlake::fhir::bulk::{Issued, Place, Selection, issue, total};
use crate::services::s3::inside::Inside;
use crate::store::resources::Collection;

/// The most that a step gives, so that nobody waits long.
const STEP_RESOURCES: u64 = 2_000;
const STEP_BYTES: usize = 2 << 20;
/// An object with this many bytes gets no more; AWS does not document where it begins another.
const LARGEST_OBJECT: u64 = 64 << 20;

/// An export as far as it has got.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Export {
    selection: Selection,
    /// The address of the `$export` that asked for it.
    request: Option<String>,
    /// What was written after this instant is not exported.
    at: Option<Timestamp>,
    whole: u64,
    seen: u64,
    place: Place,
    object: Option<Object>,
    objects: Vec<Written>,
}

/// The object that is being written.
#[derive(Debug, Serialize, Deserialize)]
struct Object {
    kind: String,
    number: usize,
    growing: Growing,
    count: u64,
}

/// An object that has been written.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::services::healthlake) struct Written {
    pub(in crate::services::healthlake) kind: String,
    /// Its name below the job's folder.
    pub(in crate::services::healthlake) name: String,
    pub(in crate::services::healthlake) count: u64,
}

impl Export {
    pub(super) fn new(selection: Selection, request: Option<String>) -> Self {
        Self {
            selection,
            request,
            at: None,
            whole: 0,
            seen: 0,
            place: Place::default(),
            object: None,
            objects: Vec::new(),
        }
    }

    pub(in crate::services::healthlake) fn request(&self) -> Option<&str> {
        self.request.as_deref()
    }

    pub(in crate::services::healthlake) fn objects(&self) -> &[Written] {
        &self.objects
    }

    /// The instant that the export shows.
    pub(in crate::services::healthlake) fn at(&self) -> Option<Timestamp> {
        self.at
    }

    /// How many resources it has gone through.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// How many resources there are to go through.
    pub(super) fn whole(&self) -> u64 {
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

    /// Gives the next resources, at most `most`, and says whether there are any left and how many it went through.
    pub(super) fn step(
        &mut self,
        collection: &Collection,
        s3: &mut Inside<'_>,
        output: &Output,
        most: u64,
    ) -> AwsResult<(bool, u64)> {
        let at = self.at.unwrap_or(Timestamp::MAX);
        let limits = (STEP_RESOURCES.min(most), STEP_BYTES);
        let issued = issue(collection, &self.selection, at, &mut self.place, limits)
            .map_err(|error| crate::emulator::storage_failed(&error))?;
        let Issued { kind: Some(kind), lines, given, seen, ends_kind } = issued else {
            return Ok((false, 1));
        };
        self.seen += seen;
        let mut object = self.object.take().unwrap_or_else(|| Object {
            number: self.objects.iter().filter(|written| written.kind == kind).count(),
            kind,
            growing: Growing::default(),
            count: 0,
        });
        object.growing.add(s3, output, &lines)?;
        object.count += given;
        if ends_kind || object.growing.size >= LARGEST_OBJECT {
            self.close(s3, output, object)?;
        } else {
            self.object = Some(object);
        }
        Ok((true, seen.max(1)))
    }

    fn close(&mut self, s3: &mut Inside<'_>, output: &Output, object: Object) -> AwsResult<()> {
        if object.count == 0 {
            return Ok(());
        }
        let name = format!("{0}/{0}-{1}.ndjson", object.kind, object.number);
        object.growing.finish(s3, output, &name)?;
        self.objects.push(Written { kind: object.kind, name, count: object.count });
        Ok(())
    }

    /// Leaves what there is of the object that was being written.
    pub(super) fn finish(&mut self, s3: &mut Inside<'_>, output: &Output) -> AwsResult<()> {
        match self.object.take() {
            Some(object) => self.close(s3, output, object),
            None => Ok(()),
        }
    }
}
