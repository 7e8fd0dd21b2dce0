//! What a run's length came from. Pure.

use jiff::{SignedDuration, Timestamp};

use super::{Journal, RunEnding, StepRecord};
use crate::plan::Action;
use hlctl_model::address::Address;

/// A step that begins so soon after another has got on began because of that: the scheduler starts whatever may start at
/// once.
const AT_ONCE: u64 = 25;

impl StepRecord {
    /// Whether it was begun at all.
    pub fn was_begun(&self) -> bool {
        !matches!(self.ended, Some((_, RunEnding::Skipped(_))))
    }

    /// When those that need it could go on: with its identity, or, of what was deleted, with its end.
    fn free_at(&self) -> Option<u64> {
        self.identified.or(self.ended.as_ref().map(|(at, _)| *at))
    }

    fn deletes(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Forget)
    }
}

impl Journal {
    /// Milliseconds from the beginning to the end, or to when this was written last.
    pub fn length(&self) -> u64 {
        let end = self.ended.as_ref().map_or(self.written, |end| end.at);
        let whole = u64::try_from(end.as_millisecond() - self.begun.as_millisecond()).unwrap_or_default();
        let last = self.steps.iter().filter_map(|step| step.ended.as_ref()).map(|(at, _)| *at).max();
        whole.max(last.unwrap_or_default())
    }

    /// When `action` on `address` began last, if this run began it.
    pub fn begin_of(&self, address: &Address, action: Action) -> Option<Timestamp> {
        let is_it = |step: &&StepRecord| step.address == *address && step.action == action && step.was_begun();
        let step = self.steps.iter().rfind(is_it)?;
        let began = i64::try_from(step.began).ok()?;
        self.begun.checked_add(SignedDuration::from_millis(began)).ok()
    }

    /// When a step ended, or, if it did not, the end of the record.
    pub fn end_of(&self, step: &StepRecord) -> u64 {
        step.ended.as_ref().map_or_else(|| self.length(), |(at, _)| *at)
    }

    /// The steps that decided how long the run took, from the first to the last: each began when the one before it let it.
    /// Indices of [`Journal::steps`].
    pub fn critical_path(&self) -> Vec<usize> {
        let begun = || self.steps.iter().enumerate().filter(|(_, step)| step.was_begun());
        // Of those that end together one that has no end yet, then the one that took longest.
        let last =
            begun().max_by_key(|(_, step)| (self.end_of(step), step.ended.is_none(), std::cmp::Reverse(step.began)));
        let mut path: Vec<usize> = last.map(|(place, _)| place).into_iter().collect();
        while let Some(before) = path.last().and_then(|place| self.let_go(*place)) {
            if path.contains(&before) {
                break;
            }
            path.push(before);
        }
        path.reverse();
        path
    }

    /// The step that this one waited for last: one that it needs, or else one whose end gave it its turn.
    fn let_go(&self, place: usize) -> Option<usize> {
        let step = &self.steps[place];
        let before = |free: u64| free <= step.began + AT_ONCE / 5;
        let others = || self.steps.iter().enumerate().filter(|(other, step)| *other != place && step.was_begun());
        let needed = others()
            .filter(|(_, other)| self.waits_for(step, other) && other.began <= step.began)
            .filter_map(|(other, found)| Some((found.free_at()?, other)))
            .filter(|(free, _)| before(*free))
            .max();
        if let Some((_, other)) = needed.filter(|(free, _)| *free + AT_ONCE >= step.began) {
            return Some(other);
        }
        let turn = others()
            .filter_map(|(other, found)| Some((found.ended.as_ref()?.0, other)))
            .filter(|(end, _)| before(*end) && *end + AT_ONCE >= step.began && step.began > AT_ONCE)
            .max();
        turn.or(needed).map(|(_, other)| other)
    }

    /// Whether `step` may begin only once `other` has got on.
    fn waits_for(&self, step: &StepRecord, other: &StepRecord) -> bool {
        let needs = |one: &StepRecord, another: &StepRecord| {
            self.needs.get(&one.address).is_some_and(|needs| needs.contains(&another.address))
        };
        match (step.deletes(), other.deletes()) {
            (false, false) => needs(step, other),
            (true, _) => needs(other, step) || other.address == step.address,
            (false, true) => other.address == step.address,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::journal::End;
    use hlctl_engine::state::Home;

    pub(crate) fn step(name: &str, began: u64, identified: Option<u64>, ended: Option<u64>) -> StepRecord {
        StepRecord {
            address: Address::parse(name),
            action: Action::Create,
            began,
            identified,
            ended: ended.map(|at| (at, RunEnding::Done)),
        }
    }

    pub(crate) fn journal(steps: Vec<StepRecord>, needs: &[(&str, &str)]) -> Journal {
        let mut all: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
        for (address, need) in needs {
            all.entry(Address::parse(*address)).or_default().push(Address::parse(*need));
        }
        let begun: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let last = steps.iter().filter_map(|step| step.ended.as_ref()).map(|ended| ended.0).max().unwrap_or_default();
        let end = begun + jiff::SignedDuration::from_millis(i64::try_from(last).unwrap());
        Journal {
            format: super::super::FORMAT.to_owned(),
            version: 1,
            hlctl: "0".to_owned(),
            command: "hlctl apply".to_owned(),
            home: Home::Aws,
            stack: "fhir-1".to_owned(),
            lineage: "l".to_owned(),
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            begun,
            written: end,
            ended: Some(End { at: end, stopped: false, by: None, error: None }),
            unchanged: 0,
            changes: Vec::new(),
            needs: all,
            steps,
            durations: super::super::Durations::default(),
        }
    }

    fn path(journal: &Journal) -> Vec<&str> {
        journal.critical_path().into_iter().map(|place| journal.steps[place].address.as_str()).collect()
    }

    #[test]
    fn the_path_goes_through_identities_not_ends() {
        let steps = vec![
            step("kms.key", 0, Some(100), Some(300)),
            step("s3.bucket", 0, Some(50), Some(60)),
            step("store", 100, Some(150), Some(9_000)),
            step("role", 150, Some(200), Some(220)),
        ];
        let journal = journal(steps, &[("store", "kms.key"), ("store", "s3.bucket"), ("role", "store")]);
        assert_eq!(path(&journal), ["kms.key", "store"]);
    }

    #[test]
    fn what_waited_for_its_turn_follows_the_one_whose_end_gave_it() {
        let steps = vec![step("b.one", 0, None, Some(500)), step("b.two", 500, None, Some(900))];
        assert_eq!(path(&journal(steps, &[])), ["b.one", "b.two"]);
    }

    #[test]
    fn a_deletion_waits_for_those_that_need_it() {
        let delete = |step: StepRecord| StepRecord { action: Action::Delete, ..step };
        let steps = vec![
            delete(step("store", 0, None, Some(5_000))),
            delete(step("role", 0, None, Some(30))),
            delete(step("key", 5_000, None, Some(5_100))),
        ];
        assert_eq!(path(&journal(steps, &[("store", "key")])), ["store", "key"]);
    }

    #[test]
    fn a_step_without_an_end_lasts_to_the_end_of_the_record() {
        let mut journal = journal(vec![step("a", 0, None, Some(10)), step("b", 10, None, None)], &[("b", "a")]);
        journal.ended = None;
        assert_eq!(path(&journal), ["a", "b"]);
        assert_eq!(journal.end_of(&journal.steps[1]), journal.length());
    }

    proptest! {
        #[test]
        fn the_path_goes_forwards_and_ends_at_the_last_end(
            times in prop::collection::vec((0u64..1000, 0u64..1000, any::<bool>()), 1..12),
            needs in prop::collection::vec((0usize..12, 0usize..12), 0..20),
        ) {
            let steps: Vec<StepRecord> = times
                .iter()
                .enumerate()
                .map(|(number, (began, took, ended))| step(&format!("n.{number}"), *began, None, ended.then_some(began + took)))
                .collect();
            let names: Vec<(String, String)> =
                needs.iter().filter(|(a, b)| b < a).map(|(a, b)| (format!("n.{a}"), format!("n.{b}"))).collect();
            let needs: Vec<(&str, &str)> = names.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            let journal = journal(steps, &needs);
            let path = journal.critical_path();
            let last = journal.steps.iter().map(|step| journal.end_of(step)).max().unwrap();
            prop_assert_eq!(journal.end_of(&journal.steps[*path.last().unwrap()]), last);
            for pair in path.windows(2) {
                prop_assert!(journal.steps[pair[0]].began <= journal.steps[pair[1]].began + AT_ONCE);
            }
        }
    }
}
