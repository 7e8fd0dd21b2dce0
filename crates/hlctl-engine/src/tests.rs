//! Random stacks, failures, kills and restarts, driven through plan and apply on a provider in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tokio::sync::Notify;

use super::apply::{Event, Observer, Run};
use super::drift::{DriftReport, DriftVerdict, look};
use super::memory::{
    Cloud, Fault, Memory, MemoryError, MemoryKind, MemorySpec, MemoryState, identity, locked, settings,
};
use super::plan::decide::PlanInput;
use super::plan::{Options, build, refresh};
use super::{Stack, apply};
use crate::state::{Entry, Home, State, format};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::{ResourceKind as _, ResourceSpec as _};

/// Hears nothing.
struct Deaf;

impl Observer<MemoryError> for Deaf {
    fn hear(&mut self, _event: &Event<MemoryError>) {}
}

/// One resource of a drawn stack. What it needs comes before it in the list.
#[derive(Clone, Debug)]
struct Drawn {
    kind: MemoryKind,
    needs: Vec<prop::sample::Index>,
    size: u8,
    shape: u8,
    /// Whether the second configuration has it no longer.
    leaves: bool,
    /// What the second configuration asks for.
    later: (u8, u8),
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let kind = prop_oneof![
        Just(MemoryKind::Bucket),
        Just(MemoryKind::Setting),
        Just(MemoryKind::Key),
        Just(MemoryKind::Store)
    ];
    let needs = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    (kind, needs, 0..3u8, 0..2u8, prop::bool::weighted(0.2), (0..3u8, 0..2u8))
        .prop_map(|(kind, needs, size, shape, leaves, later)| Drawn { kind, needs, size, shape, leaves, later })
}

/// The stack of the first or the second configuration. A setting takes the first bucket before it, and is a key without one.
fn stack_of(drawn: &[Drawn], tag: &str, second: bool) -> Stack<Memory> {
    let mut stack = Stack::<Memory>::new();
    let mut made: Vec<(Address, MemoryKind)> = Vec::new();
    for (number, one) in drawn.iter().enumerate() {
        let bucket = made.iter().find(|(_, kind)| *kind == MemoryKind::Bucket).cloned();
        let kind = if one.kind == MemoryKind::Setting && bucket.is_none() { MemoryKind::Key } else { one.kind };
        let address = Address::new(kind.as_str(), &format!("r{number}"));
        if second && one.leaves {
            continue;
        }
        let (size, shape) = if second { one.later } else { (one.size, one.shape) };
        // What a part needs in addition to its whole does not itself need the whole: the two end together.
        let candidates = made.iter().take_while(|(address, _)| {
            kind != MemoryKind::Setting || bucket.as_ref().is_none_or(|(bucket, _)| bucket != address)
        });
        let others: Vec<_> = candidates.filter(|(_, kind)| *kind != MemoryKind::Setting).cloned().collect();
        let mut needs: Vec<_> = bucket.filter(|_| kind == MemoryKind::Setting).into_iter().collect();
        let chosen = one.needs.iter().filter(|_| !others.is_empty()).map(|index| index.get(&others).clone());
        needs.extend(chosen);
        let mut seen = BTreeSet::new();
        needs.retain(|(address, _)| seen.insert(address.clone()));
        made.push((address.clone(), kind));
        let spec = MemorySpec { address: address.clone(), kind, stack: tag.to_owned(), needs, size, shape };
        stack.insert(address, spec);
    }
    stack
}

fn graph_of(stack: &Stack<Memory>) -> Graph {
    let mut graph = Graph::default();
    for (address, spec) in stack {
        graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
    }
    graph
}

/// How one run ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// There was nothing to do.
    Nothing,
    /// It did what it could.
    Ran,
    /// It could not read, or not write the state.
    Failed,
    /// It was killed.
    Killed,
}

/// One process: it reads the state, plans and applies, unless it is killed. Its tasks end with it.
fn run(cloud: &Arc<Mutex<Cloud>>, stack: &Stack<Memory>, tag: &str, faults: BTreeMap<usize, Fault>) -> End {
    {
        let mut cloud = locked(cloud);
        cloud.calls = 0;
        cloud.faults = faults;
        cloud.things.iter_mut().for_each(|thing| thing.is_hidden = false);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let killed = Arc::new(Notify::new());
        let provider = Memory::new(cloud, tag, &killed);
        tokio::select! {
            biased;
            () = killed.notified() => End::Killed,
            end = plan_and_apply(cloud, provider, stack, &killed, tag) => end,
        }
    })
}

async fn plan_and_apply(
    cloud: &Arc<Mutex<Cloud>>,
    provider: Memory,
    stack: &Stack<Memory>,
    killed: &Arc<Notify>,
    tag: &str,
) -> End {
    let stored = locked(cloud).stored.clone();
    let state = match stored {
        Some(bytes) => format::decode(&bytes, &MemoryState::there()).unwrap(),
        None => State { stack: tag.to_owned(), ..State::new(tag, Home::Sandbox, identity(), settings()) },
    };
    let graph = graph_of(stack);
    let Ok(seen) = refresh(&provider, stack, &graph, &state, false).await else { return End::Failed };
    let options = Options { destroy: stack.is_empty(), ..Options::default() };
    let input = PlanInput {
        stack,
        graph: &graph,
        state: &state,
        seen: &seen,
        identity: &identity(),
        is_protected: &|_, _| false,
        config_decides: true,
        asks_for: &|address| stack.contains_key(address),
        is_known: &|_| true,
        way_back: &|_| String::new(),
        settings: &settings(),
        store_name: None,
    };
    let plan = build(&input, &options).unwrap();
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    if !plan.has_work() {
        return End::Nothing;
    }
    let run = Run {
        cx: provider,
        plan: &plan,
        stack,
        state,
        held: Arc::new(MemoryState::new(cloud, killed)),
        fallback: None,
        parallelism: 4,
        wait: true,
        is_protected: &|_| false,
    };
    match apply::run(run, &mut Deaf).await {
        Ok(_) => End::Ran,
        Err(_) => End::Failed,
    }
}

fn stored(cloud: &Arc<Mutex<Cloud>>) -> State {
    format::decode(locked(cloud).stored.as_deref().unwrap(), &MemoryState::there()).unwrap()
}

/// What others have changed.
fn drift(cloud: &Arc<Mutex<Cloud>>, stack: &Stack<Memory>, tag: &str) -> DriftReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let state = stored(cloud);
    runtime.block_on(async {
        let provider = Memory::new(cloud, tag, &Arc::new(Notify::new()));
        look(&provider, stack, &graph_of(stack), &state, &|_, _| String::new()).await.unwrap().report
    })
}

/// Runs until a plan has nothing to do, first with the faults, one list for each run.
fn converge(
    cloud: &Arc<Mutex<Cloud>>,
    stack: &Stack<Memory>,
    tag: &str,
    faults: &[BTreeMap<usize, Fault>],
) -> Result<(), TestCaseError> {
    for faults in faults {
        run(cloud, stack, tag, faults.clone());
        check(cloud)?;
    }
    for _ in 0..6 {
        if run(cloud, stack, tag, BTreeMap::new()) == End::Nothing {
            return Ok(());
        }
        check(cloud)?;
    }
    let cloud = locked(cloud);
    let stored = String::from_utf8_lossy(cloud.stored.as_deref().unwrap_or_default()).into_owned();
    Err(TestCaseError::fail(format!("six runs were not enough: {:#?}\n{stored}", cloud.things)))
}

fn check(cloud: &Arc<Mutex<Cloud>>) -> Result<(), TestCaseError> {
    let cloud = locked(cloud);
    prop_assert!(cloud.violations.is_empty(), "{:?}", cloud.violations);
    Ok(())
}

/// There is exactly one of each that is wanted, as it is wanted, and nothing else.
fn check_is_as_wanted(cloud: &Arc<Mutex<Cloud>>, stack: &Stack<Memory>) -> Result<(), TestCaseError> {
    let cloud = locked(cloud);
    let mut wanted: Vec<(MemoryKind, u8, usize)> =
        stack.values().map(|spec| (spec.kind, spec.size, spec.needs.len())).collect();
    let size = |thing: &super::memory::Thing| {
        let size = thing.attributes.get("size").and_then(serde_json::Value::as_u64).unwrap_or_default();
        u8::try_from(size).unwrap_or_default()
    };
    let mut there: Vec<_> = cloud.things.iter().map(|thing| (thing.kind, size(thing), thing.needs().len())).collect();
    wanted.sort_unstable();
    there.sort_unstable();
    prop_assert_eq!(there, wanted, "{:#?}", cloud.things);
    Ok(())
}

fn faults(kinds: &'static [Fault]) -> impl Strategy<Value = Vec<BTreeMap<usize, Fault>>> {
    let of_a_run = prop::collection::btree_map(1..40usize, prop::sample::select(kinds), 0..4);
    prop::collection::vec(of_a_run, 0..4)
}

const ALL: &[Fault] = &[Fault::Refused, Fault::Lost, Fault::LostAndHidden, Fault::KillBefore, Fault::KillAfter];

fn cloud(pauses: Vec<u8>) -> Arc<Mutex<Cloud>> {
    Arc::new(Mutex::new(Cloud { pauses, ..Cloud::default() }))
}

/// Buckets and settings, each with what it needs and its shape.
fn stack(wanted: &[(&str, &[&str], u8)]) -> Stack<Memory> {
    let kind = |address: &Address| MemoryKind::parse(address.kind()).unwrap();
    let spec = |(address, needs, shape): &(&str, &[&str], u8)| {
        let address = Address::parse(*address);
        let needs = needs.iter().map(|need| Address::parse(*need)).map(|need| (need.clone(), kind(&need))).collect();
        let spec = MemorySpec {
            address: address.clone(),
            kind: kind(&address),
            stack: "tag".to_owned(),
            needs,
            size: 0,
            shape: *shape,
        };
        (address, spec)
    };
    wanted.iter().map(spec).collect()
}

#[test]
fn a_part_that_moves_does_not_make_a_bucket_go_before_what_was_replaced_and_still_names_it() {
    let cloud = cloud(Vec::new());
    let before = stack(&[("bucket.a", &[], 0), ("bucket.b", &["bucket.a"], 0), ("setting.s", &["bucket.a"], 0)]);
    let after = stack(&[("bucket.b", &[], 1), ("setting.s", &["bucket.b"], 0)]);
    converge(&cloud, &before, "tag", &[]).unwrap();
    // Three reads, and the write of all that is about to be done.
    converge(&cloud, &after, "tag", &[BTreeMap::from([(4, Fault::KillAfter)])]).unwrap();
    check_is_as_wanted(&cloud, &after).unwrap();
}

fn config() -> ProptestConfig {
    let wanted = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { wanted.cases } else { 200 };
    let rng_seed = match wanted.rng_seed {
        RngSeed::Random => RngSeed::Fixed(1),
        fixed @ RngSeed::Fixed(_) => fixed,
    };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..wanted }
}

proptest! {
    // The same cases everywhere; more and others with PROPTEST_CASES and PROPTEST_RNG_SEED.
    #![proptest_config(config())]

    /// The first two promises of docs/state.md, for any stack: whatever fails, is lost or is killed, later runs end with exactly one of
    /// each, a change of the configuration too, and a destroy leaves nothing.
    #[test]
    fn whatever_happens_the_next_runs_end_with_exactly_one_of_each(
        drawn in prop::collection::vec(drawn(), 1..8),
        first in faults(ALL),
        second in faults(ALL),
        last in faults(ALL),
        pauses in prop::collection::vec(0..4u8, 0..8),
    ) {
        let cloud = cloud(pauses);
        let (before, after, none) = (stack_of(&drawn, "tag", false), stack_of(&drawn, "tag", true), Stack::<Memory>::new());
        converge(&cloud, &before, "tag", &first)?;
        check_is_as_wanted(&cloud, &before)?;
        converge(&cloud, &after, "tag", &second)?;
        check_is_as_wanted(&cloud, &after)?;
        converge(&cloud, &none, "tag", &last)?;
        check_is_as_wanted(&cloud, &none)?;
    }

    /// What others delete or change is found as drift, and comes back as it was wanted.
    #[test]
    fn what_others_do_is_found_and_undone(
        drawn in prop::collection::vec(drawn(), 1..8),
        deeds in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..4),
        later in faults(ALL),
    ) {
        let cloud = cloud(Vec::new());
        let stack = stack_of(&drawn, "tag", false);
        converge(&cloud, &stack, "tag", &[])?;
        let clean = drift(&cloud, &stack, "tag");
        prop_assert_eq!(clean.findings.len(), stack.len());
        prop_assert!(clean.findings.iter().all(|found| found.verdict == DriftVerdict::Clean), "{:?}", clean);
        // By address, whether it is gone.
        let mut hit = BTreeMap::new();
        let state = stored(&cloud);
        for (index, deletes) in deeds {
            let mut cloud = locked(&cloud);
            let at = index.index(cloud.things.len().max(1));
            let Some(thing) = cloud.things.get(at) else { continue };
            let is_it = |entry: &Entry| entry.kind == thing.kind.as_str() && entry.recorded.as_ref() == Some(&thing.recorded);
            let address = state.resources.iter().find(|(_, entry)| is_it(entry)).map(|(address, _)| address.clone()).unwrap();
            if deletes {
                cloud.things.remove(at);
            } else if let Some(thing) = cloud.things.get_mut(at) {
                thing.attributes.insert("size".to_owned(), 9.into());
            }
            hit.insert(address, deletes);
        }
        // Drift names each of them, and nothing else.
        let changed = |gone: &bool| if *gone { DriftVerdict::Missing } else { DriftVerdict::Drifted };
        let expected: BTreeMap<Address, DriftVerdict> = hit.iter().map(|(address, gone)| (address.clone(), changed(gone))).collect();
        let drifted = drift(&cloud, &stack, "tag").findings.into_iter().filter(|found| found.verdict != DriftVerdict::Clean);
        let named: BTreeMap<Address, DriftVerdict> = drifted.map(|found| (found.address, found.verdict)).collect();
        prop_assert_eq!(named, expected);
        // What refers to something that others deleted does so until the next apply.
        converge(&cloud, &stack, "tag", &later)?;
        check_is_as_wanted(&cloud, &stack)?;
    }
}
