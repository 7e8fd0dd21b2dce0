//! Going through the resources of a type.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::filter::{Filter, Row};
use crate::services::healthlake::fhir::refusal::Outcome;
use crate::services::healthlake::fhir::smart::Reach;
use crate::services::unseen;
use crate::store::resources::{Collection, Reader, Version};

/// How much of what was just written a search sees.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct View {
    pub(in super::super) now: Timestamp,
    /// How long a version waits for the search index.
    pub(in super::super) delay: Duration,
    /// Whether the version before is shown meanwhile (`x-amz-fhir-history-consistency-level: strong`).
    pub(in super::super) strong: bool,
}

impl View {
    /// Everything, as it is now.
    pub(in super::super) fn immediate(now: Timestamp) -> Self {
        Self { now, delay: Duration::ZERO, strong: false }
    }

    /// The version that searches see, with its number. A deletion is seen at once.
    fn seen<'v>(&self, versions: &'v [Version]) -> Option<(usize, &'v Version)> {
        let pending =
            |version: &Version| unseen(version.at, self.now, u64::try_from(self.delay.as_millis()).unwrap_or(u64::MAX));
        let newest = versions.last().filter(|version| !version.is_deletion())?;
        if !pending(newest) {
            return Some((versions.len(), newest));
        }
        let place = versions.iter().rposition(|version| !pending(version)).filter(|_| self.strong)?;
        versions.get(place).filter(|version| !version.is_deletion()).map(|version| (place + 1, version))
    }
}

/// A resource that was found.
#[derive(Clone, Debug)]
pub(in super::super) struct Hit {
    /// Its place among those of its type.
    pub(in super::super) place: usize,
    pub(in super::super) id: String,
    /// The version's number.
    pub(in super::super) version: usize,
    pub(in super::super) at: Timestamp,
    pub(in super::super) body: Bytes,
}

/// What to look for.
pub(in super::super) struct Wanted<'q> {
    pub(in super::super) kind: &'static str,
    pub(in super::super) filters: &'q [Filter],
    pub(in super::super) reach: &'q Reach<'q>,
    pub(in super::super) view: View,
}

impl Wanted<'_> {
    /// Calls `visit` with each match from `start` on, in the order of first creation, until it says to stop.
    pub(in super::super) fn each(
        &self,
        collection: &Collection,
        start: usize,
        visit: &mut dyn FnMut(Hit) -> Go,
    ) -> Outcome<()> {
        let reader = collection.reader();
        for place in self.places(collection, start) {
            if collection.at(self.kind, place).is_none() {
                break;
            }
            if let Some(hit) = self.look(collection, &reader, place)?
                && visit(hit) == Go::Stop
            {
                break;
            }
        }
        Ok(())
    }

    /// The resource at a place, if it matches.
    pub(in super::super) fn at(&self, collection: &Collection, place: usize) -> Outcome<Option<Hit>> {
        self.look(collection, &collection.reader(), place)
    }

    fn look(&self, collection: &Collection, reader: &Reader<'_>, place: usize) -> Outcome<Option<Hit>> {
        let Some((id, versions)) = collection.at(self.kind, place) else {
            return Ok(None);
        };
        let Some((number, version)) = self.view.seen(versions) else {
            return Ok(None);
        };
        let Some(body) = reader.body(version)? else {
            return Ok(None);
        };
        let row = Row::new(id, version.at, &body);
        if !self.filters.iter().all(|filter| filter.passes(&row)) || !self.reach.admits(self.kind, &row) {
            return Ok(None);
        }
        drop(row);
        Ok(Some(Hit { place, id: id.to_owned(), version: number, at: version.at, body }))
    }

    /// The first `count` matches from `start` on, and the place of the next one if there are more.
    pub(in super::super) fn page(
        &self,
        collection: &Collection,
        start: usize,
        count: usize,
    ) -> Outcome<(Vec<Hit>, Option<usize>)> {
        let (mut hits, mut next) = (Vec::new(), None);
        self.each(collection, start, &mut |hit| {
            if hits.len() == count {
                next = Some(hit.place);
                return Go::Stop;
            }
            hits.push(hit);
            Go::On
        })?;
        Ok((hits, next))
    }

    pub(in super::super) fn all(&self, collection: &Collection) -> Outcome<Vec<Hit>> {
        self.page(collection, 0, usize::MAX).map(|(hits, _)| hits)
    }

    pub(in super::super) fn count(&self, collection: &Collection) -> Outcome<usize> {
        let mut count = 0;
        self.each(collection, 0, &mut |_| {
            count += 1;
            Go::On
        })?;
        Ok(count)
    }

    /// Where matches can be. Conditions on the id spare the way through all resources.
    fn places<'c>(&'c self, collection: &'c Collection, start: usize) -> Box<dyn Iterator<Item = usize> + 'c> {
        let Some(ids) = self.filters.iter().find_map(Filter::ids) else {
            return Box::new(start..);
        };
        let mut places: Vec<usize> = ids.iter().filter_map(|id| collection.place(self.kind, id)).collect();
        places.sort_unstable();
        places.dedup();
        Box::new(places.into_iter().filter(move |place| *place >= start))
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Go {
    On,
    Stop,
}
