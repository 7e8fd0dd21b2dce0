//! Reads what exists, everything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::address::Address;
use crate::error::{CommandError, ResourceError};
use crate::graph::Graph;
use crate::module::Stack;
use crate::resource::{Contents, Context, Kind, Known, Observed, count_contents};
use crate::state::{Entry, State};

/// Reads under way at once. More would only make AWS throttle them.
const READS_AT_ONCE: usize = 40;

/// What was found of one resource.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its kind.
    pub kind: Kind,
    /// Its identity: from the state, found by its tags, or foretold by its name.
    pub recorded: Option<Value>,
    /// What AWS says, if it exists.
    pub observed: Option<Observed>,
    /// What it holds, if it is a bucket and that was asked for.
    pub contents: Option<Contents>,
    /// Why it cannot be made, if somebody else has its name and lets nobody look.
    pub barred: Option<ResourceError>,
}

impl Seen {
    fn nothing(kind: Kind, recorded: Option<Value>) -> Self {
        Self { kind, recorded, observed: None, contents: None, barred: None }
    }
}

/// Reads every resource that is wanted or in the state.
///
/// # Errors
/// Every read that failed, with its address. Names that others have are no failure to read: the plan tells them all.
pub async fn refresh(
    cx: &Context,
    stack: &Stack,
    graph: &Graph,
    state: &State,
    count: bool,
) -> Result<BTreeMap<Address, Seen>, CommandError> {
    let foretold = foretell(cx, stack, graph, state)?;
    let known_identities: Arc<Vec<Value>> = Arc::new(identities(state));
    let limit = Arc::new(Semaphore::new(READS_AT_ONCE));
    let mut reads = JoinSet::new();
    for (address, kind) in kinds(stack, state)? {
        let recorded = state.recorded(address.as_str()).or_else(|| foretold.get(&address)).cloned();
        let intended = state.resources.contains_key(&address);
        let (cx, limit, known) = (cx.clone(), Arc::clone(&limit), Arc::clone(&known_identities));
        reads.spawn(async move {
            let _permit = limit.acquire().await;
            let seen = look(&cx, kind, &address, recorded, intended, &known, count).await;
            (address, seen)
        });
    }
    let (mut all, mut failed) = (BTreeMap::new(), BTreeMap::new());
    while let Some(done) = reads.join_next().await {
        let (address, seen) = done.map_err(|error| CommandError::Other(error.into()))?;
        match seen {
            Ok(seen) => drop(all.insert(address, seen)),
            Err(error) => drop(failed.insert(address, error)),
        }
    }
    bar(&mut all, &mut failed, &foretold, state);
    if failed.is_empty() { Ok(all) } else { Err(CommandError::Unreadable(without_echoes(failed))) }
}

/// Where a bucket cannot be read, none of its settings can, and saying so once is enough.
fn without_echoes(failed: BTreeMap<Address, ResourceError>) -> Vec<(Address, ResourceError)> {
    let bucket = Kind::S3Bucket.as_str();
    let has_bucket = failed.keys().any(|address| address.kind() == bucket);
    let is_setting = |address: &Address| address.kind() != bucket && address.kind().starts_with(bucket);
    failed.into_iter().filter(|(address, _)| !(has_bucket && is_setting(address))).collect()
}

/// Moves buckets that belong to others, and their settings, from what failed to what was seen.
fn bar(
    all: &mut BTreeMap<Address, Seen>,
    failed: &mut BTreeMap<Address, ResourceError>,
    foretold: &BTreeMap<Address, Value>,
    state: &State,
) {
    let bucket_of = |address: &Address| {
        let foretold = foretold.get(address).filter(|_| state.recorded(address.as_str()).is_none())?;
        foretold.get(if address.kind() == "s3_bucket" { "name" } else { "bucket" }).cloned()
    };
    let anothers: Vec<Value> = failed
        .iter()
        .filter(|(address, error)| address.kind() == "s3_bucket" && error.is_about_anothers_bucket())
        .filter_map(|(address, _)| bucket_of(address))
        .collect();
    let is_anothers = |address: &Address| bucket_of(address).is_some_and(|bucket| anothers.contains(&bucket));
    for (address, error) in failed.extract_if(.., |address, _| is_anothers(address)) {
        let Some(kind) = Kind::parse(address.kind()) else { continue };
        let barred = (kind == Kind::S3Bucket).then_some(error);
        all.insert(address.clone(), Seen { barred, ..Seen::nothing(kind, foretold.get(&address).cloned()) });
    }
}

async fn look(
    cx: &Context,
    kind: Kind,
    address: &Address,
    recorded: Option<Value>,
    intended: bool,
    known: &[Value],
    count: bool,
) -> Result<Seen, ResourceError> {
    let recorded = match recorded {
        // An earlier run wrote down that it would make one and never heard from AWS.
        None if intended => kind.find(cx, address, known).await?,
        recorded => recorded,
    };
    let Some(identity) = &recorded else {
        return Ok(Seen::nothing(kind, recorded));
    };
    let read = kind.read(cx, identity);
    let counted = async {
        match (count, kind) {
            (true, Kind::S3Bucket) => Ok::<_, ResourceError>(Some(count_contents(cx, &kind.name(identity)?).await?)),
            _ => Ok(None),
        }
    };
    let (observed, contents) = tokio::join!(read, counted);
    let observed = observed?;
    let contents = if observed.is_some() { contents? } else { None };
    Ok(Seen { kind, recorded, observed, contents, barred: None })
}

/// The identities that names alone decide, each after those it builds on.
fn foretell(
    cx: &Context,
    stack: &Stack,
    graph: &Graph,
    state: &State,
) -> Result<BTreeMap<Address, Value>, CommandError> {
    let mut known = known(state);
    let mut foretold = BTreeMap::new();
    for address in graph.order().map_err(|cycle| CommandError::Other(cycle.into()))? {
        let Some(spec) = stack.get(&address) else { continue };
        let told = spec
            .foretold(&cx.identity, &known)
            .map_err(|error| CommandError::Resource { address: address.clone(), error })?;
        if let Some(told) = told {
            if state.recorded(address.as_str()).is_none() {
                known.insert(address.clone(), told.clone());
            }
            foretold.insert(address, told);
        }
    }
    Ok(foretold)
}

/// What the state knows of identities.
pub fn known(state: &State) -> Known {
    let mut known = Known::default();
    for (address, entry) in &state.resources {
        if let Some(recorded) = &entry.recorded {
            known.insert(address.clone(), recorded.clone());
        }
    }
    known
}

/// Every identity in the state, those of replaced resources included.
pub fn identities(state: &State) -> Vec<Value> {
    let deposed = state.deposed.iter().map(|deposed| &deposed.entry);
    state.resources.values().chain(deposed).filter_map(|entry| entry.recorded.clone()).collect()
}

fn kinds(stack: &Stack, state: &State) -> Result<BTreeMap<Address, Kind>, CommandError> {
    let addresses: BTreeSet<&Address> = stack.keys().chain(state.resources.keys()).collect();
    addresses
        .into_iter()
        .map(|address| {
            let kind = match stack.get(address) {
                Some(spec) => Some(spec.kind()),
                None => state.resources.get(address).and_then(Entry::kind),
            };
            let unknown =
                || ResourceError::Recorded { kind: "known type", problem: format!("{} is unknown", address.kind()) };
            let kind = kind.ok_or_else(|| CommandError::Resource { address: address.clone(), error: unknown() })?;
            Ok((address.clone(), kind))
        })
        .collect()
}
