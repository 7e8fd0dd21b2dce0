//! Decides which step may start when. Pure.

use std::collections::BTreeSet;

/// A step's place in its schedule.
pub type StepId = usize;

/// What a step must wait for in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Its resource's identity is known.
    Identified,
    /// It is done.
    Done,
}

/// When a step may start.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Other steps, and how far they must be.
    pub steps: Vec<(StepId, Until)>,
    /// Steps of one group never run at once, unless they only wait.
    pub group: Option<String>,
    /// Whether the identity is known from the start.
    pub identified: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Done,
    Failed,
    Skipped,
}

/// The steps and how far each is.
#[derive(Clone, Debug)]
pub struct Schedule {
    steps: Vec<(Needs, Stage, bool)>,
    /// The steps that most others wait for, one after another, first: the longest chain decides how long all of it takes.
    order: Vec<StepId>,
    at_once: usize,
}

/// How many steps follow each, one after another. What is in a circle, which no plan has, counts no further than there are steps.
fn followers(steps: &[Needs]) -> Vec<usize> {
    let mut followers = vec![0; steps.len()];
    for _ in 0..steps.len() {
        let before = followers.clone();
        for (id, needs) in steps.iter().enumerate() {
            for (need, _) in &needs.steps {
                followers[*need] = followers[*need].max(followers[id] + 1);
            }
        }
        if followers == before {
            break;
        }
    }
    followers
}

impl Schedule {
    /// A schedule of these steps, `at_once` of them at a time.
    pub fn new(steps: Vec<Needs>, at_once: usize) -> Self {
        let followers = followers(&steps);
        let mut order: Vec<StepId> = (0..steps.len()).collect();
        order.sort_by_key(|id| std::cmp::Reverse(followers[*id]));
        let steps = steps.into_iter().map(|needs| (needs.clone(), Stage::Waiting, needs.identified)).collect();
        Self { steps, order, at_once: at_once.max(1) }
    }

    /// Takes the steps that may start now, those that begin the longest chains first, and counts them as running.
    pub fn start(&mut self) -> Vec<StepId> {
        let mut started = Vec::new();
        let mut running = self.running();
        let mut busy: BTreeSet<String> = self
            .steps
            .iter()
            .filter(|(_, stage, _)| *stage == Stage::Running)
            .filter_map(|(needs, ..)| needs.group.clone())
            .collect();
        for &id in &self.order {
            if running >= self.at_once {
                break;
            }
            let (needs, stage, _) = &self.steps[id];
            let free = needs.group.as_ref().is_none_or(|group| !busy.contains(group));
            if *stage == Stage::Waiting && free && self.is_ready(needs) {
                busy.extend(needs.group.clone());
                self.steps[id].1 = Stage::Running;
                running += 1;
                started.push(id);
            }
        }
        started
    }

    fn is_ready(&self, needs: &Needs) -> bool {
        needs.steps.iter().all(|(id, until)| match (&self.steps[*id], until) {
            ((_, Stage::Done, _), _) => true,
            // A resource that exists serves its dependents even if a later call on it failed.
            ((_, _, identified), Until::Identified) => *identified,
            _ => false,
        })
    }

    /// Notes that the step's resource has its identity.
    pub fn identified(&mut self, id: StepId) {
        self.steps[id].2 = true;
    }

    /// Notes that the step only waits from here on: others of its group may run.
    pub fn settling(&mut self, id: StepId) {
        self.steps[id].0.group = None;
    }

    /// Notes that the step is done.
    pub fn done(&mut self, id: StepId) {
        self.steps[id].1 = Stage::Done;
        self.steps[id].2 = true;
    }

    /// Notes that the step failed, or did not finish. Returns the steps that can never start because of it.
    pub fn failed(&mut self, id: StepId) -> Vec<StepId> {
        self.steps[id].1 = Stage::Failed;
        let mut skipped = Vec::new();
        loop {
            let hopeless = self.steps.iter().position(|(needs, stage, _)| {
                *stage == Stage::Waiting && needs.steps.iter().any(|(need, until)| self.is_hopeless(*need, *until))
            });
            match hopeless {
                Some(next) => {
                    self.steps[next].1 = Stage::Skipped;
                    skipped.push(next);
                }
                None => return skipped,
            }
        }
    }

    fn is_hopeless(&self, id: StepId, until: Until) -> bool {
        let (_, stage, identified) = &self.steps[id];
        matches!(stage, Stage::Failed | Stage::Skipped) && !(until == Until::Identified && *identified)
    }

    /// How many steps are running.
    pub fn running(&self) -> usize {
        self.steps.iter().filter(|(_, stage, _)| *stage == Stage::Running).count()
    }

    /// The steps that never started.
    pub fn waiting(&self) -> Vec<StepId> {
        (0..self.steps.len()).filter(|id| self.steps[*id].1 == Stage::Waiting).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn needs(steps: &[(StepId, Until)]) -> Needs {
        Needs { steps: steps.to_vec(), ..Needs::default() }
    }

    #[test]
    fn what_the_longest_chain_waits_for_starts_first() {
        let after = |id: StepId| needs(&[(id, Until::Identified)]);
        // 0 and 1 have nothing behind them, 2 has one step and 3 has two, one after another.
        let steps = vec![needs(&[]), needs(&[]), needs(&[]), needs(&[]), after(2), after(3), after(5)];
        let mut schedule = Schedule::new(steps, 3);
        assert_eq!(schedule.start(), [3, 2, 0]);
        schedule.done(3);
        assert_eq!(schedule.start(), [5]);
        schedule.done(0);
        schedule.done(2);
        assert_eq!(schedule.start(), [1, 4]);
    }

    #[test]
    fn a_step_that_only_waits_lets_others_of_its_group_run() {
        let grouped = |steps: &[(StepId, Until)]| Needs { group: Some("function".to_owned()), ..needs(steps) };
        let steps = vec![grouped(&[]), grouped(&[(0, Until::Identified)]), grouped(&[(0, Until::Done)])];
        let mut schedule = Schedule::new(steps, 10);
        assert_eq!(schedule.start(), [0]);
        schedule.identified(0);
        assert!(schedule.start().is_empty());
        schedule.settling(0);
        assert_eq!(schedule.start(), [1]);
        schedule.done(0);
        // The first of the group waits no longer, the second still makes changes.
        assert!(schedule.start().is_empty());
        schedule.done(1);
        assert_eq!(schedule.start(), [2]);
    }

    #[test]
    fn a_dependent_starts_when_the_identity_is_known() {
        let steps = vec![needs(&[]), needs(&[(0, Until::Identified)]), needs(&[(0, Until::Done)])];
        let mut schedule = Schedule::new(steps, 10);
        assert_eq!(schedule.start(), [0]);
        schedule.identified(0);
        assert_eq!(schedule.start(), [1]);
        schedule.done(0);
        assert_eq!(schedule.start(), [2]);
    }

    #[test]
    fn one_group_goes_one_by_one() {
        let grouped = || Needs { group: Some("bucket".into()), ..Needs::default() };
        let mut schedule = Schedule::new(vec![grouped(), grouped(), needs(&[])], 10);
        assert_eq!(schedule.start(), [0, 2]);
        schedule.done(0);
        assert_eq!(schedule.start(), [1]);
    }

    #[test]
    fn a_failure_after_the_identity_skips_only_those_who_need_more() {
        let steps =
            vec![needs(&[]), needs(&[(0, Until::Identified)]), needs(&[(0, Until::Done)]), needs(&[(2, Until::Done)])];
        let mut schedule = Schedule::new(steps, 10);
        schedule.start();
        schedule.identified(0);
        assert_eq!(schedule.failed(0), [2, 3]);
        assert_eq!(schedule.start(), [1]);
    }

    /// Needs point to lower numbers only.
    fn steps() -> impl Strategy<Value = Vec<Needs>> {
        let need = (any::<prop::sample::Index>(), prop::bool::ANY);
        prop::collection::vec((prop::collection::vec(need, 0..3), prop::option::of(0u8..3)), 1..25).prop_map(|raw| {
            raw.into_iter()
                .enumerate()
                .map(|(id, (needs, group))| Needs {
                    steps: needs
                        .into_iter()
                        .filter(|_| id > 0)
                        .map(|(index, done)| (index.index(id), if done { Until::Done } else { Until::Identified }))
                        .collect(),
                    group: group.map(|group| group.to_string()),
                    identified: false,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_step_runs_once_or_is_skipped_for_a_reason(
            steps in steps(), at_once in 1usize..5, failing in prop::collection::btree_set(0usize..25, 0..4)
        ) {
            let mut schedule = Schedule::new(steps.clone(), at_once);
            let mut running: Vec<StepId> = Vec::new();
            let (mut done, mut failed, mut skipped) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
            loop {
                let started = schedule.start();
                for id in &started {
                    prop_assert!(steps[*id].steps.iter().all(|(need, _)| done.contains(need)));
                }
                running.extend(started);
                prop_assert!(running.len() <= at_once);
                let groups: Vec<_> = running.iter().filter_map(|id| steps[*id].group.clone()).collect();
                prop_assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), groups.len());
                let Some(id) = running.pop() else { break };
                if failing.contains(&id) {
                    failed.insert(id);
                    skipped.extend(schedule.failed(id));
                } else {
                    prop_assert!(done.insert(id));
                    schedule.done(id);
                }
            }
            prop_assert_eq!(done.len() + failed.len() + skipped.len(), steps.len());
            for id in &skipped {
                prop_assert!(steps[*id].steps.iter().any(|(need, _)| failed.contains(need) || skipped.contains(need)));
            }
        }
    }
}
