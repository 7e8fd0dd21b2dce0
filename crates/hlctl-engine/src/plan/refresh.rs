//! Reads what exists, everything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::state::{Entry, State, Status};
use crate::{Provider, ProviderError as _, Stack};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::{Contents, Known, Observed, RecoveryHint, Remains, ResourceKind, ResourceSpec};

use super::{PlanError, predict};

/// Reads under way at once. More would only make AWS throttle them.
const READS_AT_ONCE: usize = 40;

/// What was found of one resource.
#[derive(Clone, Debug)]
pub struct Seen<P: Provider> {
    /// Its kind.
    pub kind: P::Kind,
    /// Its identity: from the state, found by its tags, or predicted by its name.
    pub recorded: Option<Value>,
    /// What AWS says, if it exists.
    pub observed: Option<Observed>,
    /// What it holds, if it is a bucket and that was asked for.
    pub contents: Option<Contents>,
    /// Another one of it that nothing uses.
    pub stray: Option<Value>,
    /// Why it cannot be made, if somebody else has its name and lets nobody look.
    pub barred: Option<P::Error>,
    /// What AWS keeps of one that is gone, if it can be made again from that.
    pub remains: Option<Remains>,
}

impl<P: Provider> Seen<P> {
    fn nothing(kind: P::Kind, recorded: Option<Value>) -> Self {
        Self { kind, recorded, observed: None, contents: None, stray: None, barred: None, remains: None }
    }
}

/// Reads every resource that is wanted or in the state.
///
/// One round is enough where every identity is recorded, and where nothing exists yet. What an earlier run made and did not come to
/// record is found in the first; what hangs on that, and the parts of what was found by its name alone, in the next.
///
/// # Errors
/// Every read that failed, with its address. Names that others have are no failure to read: the plan tells them all.
pub async fn refresh<P: Provider>(
    cx: &P,
    stack: &Stack<P>,
    graph: &Graph,
    state: &State,
    count: bool,
) -> Result<BTreeMap<Address, Seen<P>>, PlanError<P::Error>> {
    let (all, failed) = survey(cx, stack, graph, state, count).await?;
    if failed.is_empty() { Ok(all) } else { Err(PlanError::Unreadable(without_echoes::<P>(failed))) }
}

/// As [`refresh`], with what could not be read as well.
///
/// # Errors
/// The state has a resource of a kind that this hlctl does not know, or references go in a circle.
pub async fn survey<P: Provider>(
    cx: &P,
    stack: &Stack<P>,
    graph: &Graph,
    state: &State,
    count: bool,
) -> Result<(BTreeMap<Address, Seen<P>>, Unseen<P>), PlanError<P::Error>> {
    let mut known = known(state);
    let taken: Arc<Vec<Value>> = Arc::new(identities(state));
    let (mut all, mut failed) = (BTreeMap::new(), BTreeMap::new());
    let mut wanted = kinds::<P>(stack, state)?;
    let mut parts = parts_of_new::<P>(&mut wanted, &predict::<P>(cx.identity(), stack, graph, &known)?, state);
    loop {
        let predicted = predict::<P>(cx.identity(), stack, graph, &known)?;
        let looks = wanted.into_iter().map(|(address, kind)| {
            let entry = state.resources.get(&address).cloned();
            let entry = entry.or_else(|| sought(stack.get(&address)?, &known, state));
            let recorded = entry.as_ref().and_then(identity_of).or_else(|| predicted.get(&address).cloned());
            Look { address, kind, recorded, entry, count, known: known.clone(), taken: Arc::clone(&taken) }
        });
        let (mut seen, mut unseen) = look_at_all(cx, looks.collect()).await?;
        bar(&mut seen, &mut unseen, &predicted, state);
        let found = found(&seen, &known, &predicted);
        all.extend(seen);
        failed.extend(unseen);
        wanted = attached_to(&found, &all, graph, state);
        for part in std::mem::take(&mut parts) {
            if all.get(&part.whole).is_some_and(|whole| whole.observed.is_none()) {
                all.insert(part.address, Seen::nothing(part.kind, Some(part.predicted)));
            } else {
                wanted.insert(part.address, part.kind);
            }
        }
        if wanted.is_empty() {
            break;
        }
        found.into_iter().for_each(|(address, recorded)| known.insert(address, recorded));
    }
    Ok((all, failed))
}

/// What the state records, or where a run that was cut off wrote down it would be.
fn identity_of(entry: &Entry) -> Option<Value> {
    entry.recorded.clone().or_else(|| entry.predicted.clone())
}

/// What an intention would say of a resource that is wanted and in no state: whatever AWS gives no name of its own may be
/// there all the same, with this stack's tags, if the state was made to forget it. A new stack has nothing yet.
fn sought<S: ResourceSpec>(spec: &S, known: &Known, state: &State) -> Option<Entry> {
    (state.serial > 0).then(|| Entry {
        kind: spec.kind().as_str().to_owned(),
        status: Status::Creating,
        token: String::new(),
        protected: false,
        protection: None,
        needs: spec.references().into_iter().map(|reference| reference.address).collect(),
        recorded: None,
        predicted: None,
        doubtful_since: None,
        origin: None,
        attributes: spec.desired(known),
    })
}

/// A part of something that is in no state: it is looked at if its whole turns out to exist, since it cannot exist otherwise.
struct Part<K> {
    address: Address,
    kind: K,
    predicted: Value,
    whole: Address,
}

/// Takes the parts of what is only known by its name from what is to be looked at first.
fn parts_of_new<P: Provider>(
    wanted: &mut BTreeMap<Address, P::Kind>,
    predicted: &BTreeMap<Address, Value>,
    state: &State,
) -> Vec<Part<P::Kind>> {
    let is_new = |address: &&Address| !state.resources.contains_key(*address);
    let part = |(address, kind): (&Address, &P::Kind)| {
        let parent = kind.part_of()?;
        let predicted_part = predicted.get(address).filter(|_| is_new(&address))?;
        let is_whole = |other: &&Address| {
            other.kind() == parent.kind && predicted.get(*other).is_some_and(|whole| parent.is(whole, predicted_part))
        };
        let whole = wanted.keys().filter(is_new).find(is_whole)?.clone();
        Some(Part { address: address.clone(), kind: *kind, predicted: predicted_part.clone(), whole })
    };
    let parts: Vec<_> = wanted.iter().filter_map(part).collect();
    for part in &parts {
        wanted.remove(&part.address);
    }
    parts
}

/// What exists and was neither known nor predicted.
fn found<P: Provider>(
    seen: &BTreeMap<Address, Seen<P>>,
    known: &Known,
    predicted: &BTreeMap<Address, Value>,
) -> BTreeMap<Address, Value> {
    let is_news = |address: &Address| !known.contains(address) && !predicted.contains_key(address);
    seen.iter()
        .filter(|(address, seen)| seen.observed.is_some() && is_news(address))
        .filter_map(|(address, seen)| Some((address.clone(), seen.recorded.clone()?)))
        .collect()
}

/// What has no identity yet and needs something that has just been found.
fn attached_to<P: Provider>(
    found: &BTreeMap<Address, Value>,
    all: &BTreeMap<Address, Seen<P>>,
    graph: &Graph,
    state: &State,
) -> BTreeMap<Address, P::Kind> {
    let needs_found = |address: &Address| {
        let in_state = state.resources.get(address).map(|entry| entry.needs.as_slice()).unwrap_or_default();
        graph.needs(address).chain(in_state).any(|need| found.contains_key(need))
    };
    // What seemed to be another's may be ours after all.
    all.iter()
        .filter(|(address, seen)| (seen.recorded.is_none() || seen.barred.is_some()) && needs_found(address))
        .map(|(address, seen)| (address.clone(), seen.kind))
        .collect()
}

/// Resources that could not be read, and why.
pub type Unseen<P> = BTreeMap<Address, <P as Provider>::Error>;

async fn look_at_all<P: Provider>(
    cx: &P,
    looks: Vec<Look<P>>,
) -> Result<(BTreeMap<Address, Seen<P>>, Unseen<P>), PlanError<P::Error>> {
    let limit = Arc::new(Semaphore::new(READS_AT_ONCE));
    let mut reads = JoinSet::new();
    for look in looks {
        let (cx, limit) = (cx.clone(), Arc::clone(&limit));
        let span = tracing::info_span!("read", address = %look.address);
        let read = async move {
            let _permit = limit.acquire().await;
            let seen = look.perform(&cx).await;
            (look.address, seen)
        };
        reads.spawn(read.instrument(span));
    }
    let (mut all, mut failed) = (BTreeMap::new(), BTreeMap::new());
    while let Some(done) = reads.join_next().await {
        let (address, seen) = done?;
        match seen {
            Ok(seen) => drop(all.insert(address, seen)),
            Err(error) => drop(failed.insert(address, error)),
        }
    }
    Ok((all, failed))
}

/// Where a bucket cannot be read, none of its settings can, and saying so once is enough.
fn without_echoes<P: Provider>(failed: Unseen<P>) -> Vec<(Address, P::Error)> {
    let kind = |address: &Address| P::Kind::parse(address.kind());
    let containers: Vec<P::Kind> = failed.keys().filter_map(kind).filter(|kind| kind.holds_objects()).collect();
    let is_setting = |address: &Address| {
        kind(address).is_some_and(|kind| containers.iter().any(|container| kind.is_setting_of(*container)))
    };
    failed.into_iter().filter(|(address, _)| !is_setting(address)).collect()
}

/// Moves what belongs to others, and the settings of such buckets, from what failed to what was seen.
fn bar<P: Provider>(
    all: &mut BTreeMap<Address, Seen<P>>,
    failed: &mut Unseen<P>,
    predicted: &BTreeMap<Address, Value>,
    state: &State,
) {
    let is_container = |address: &Address| P::Kind::parse(address.kind()).is_some_and(ResourceKind::holds_objects);
    let container_of = |address: &Address| {
        let predicted = predicted.get(address).filter(|_| state.recorded(address.as_str()).is_none())?;
        let kind = P::Kind::parse(address.kind())?;
        let name = match kind.part_of() {
            _ if kind.holds_objects() => "name",
            Some(whole) if P::Kind::parse(whole.kind).is_some_and(ResourceKind::holds_objects) => whole.named,
            _ => return None,
        };
        predicted.get(name).cloned()
    };
    let anothers: Vec<Value> = failed
        .iter()
        .filter(|(address, error)| is_container(address) && error.is_about_anothers_container())
        .filter_map(|(address, _)| container_of(address))
        .collect();
    let is_anothers = |address: &Address, error: &P::Error| {
        error.is_taken() || container_of(address).is_some_and(|container| anothers.contains(&container))
    };
    for (address, error) in failed.extract_if(.., |address, error| is_anothers(address, error)) {
        let Some(kind) = P::Kind::parse(address.kind()) else { continue };
        // Where another has the name now, what was ours is gone; a resource that wants the name again cannot have it.
        let whole = kind.part_of().and_then(|whole| P::Kind::parse(whole.kind));
        let is_setting = whole.is_some_and(|whole| kind.is_setting_of(whole));
        let barred = (!is_setting).then_some(error);
        all.insert(address.clone(), Seen { barred, ..Seen::nothing(kind, predicted.get(&address).cloned()) });
    }
}

/// One resource to be looked at.
struct Look<P: Provider> {
    address: Address,
    kind: P::Kind,
    recorded: Option<Value>,
    entry: Option<Entry>,
    count: bool,
    known: Known,
    taken: Arc<Vec<Value>>,
}

impl<P: Provider> Look<P> {
    async fn perform(&self, cx: &P) -> Result<Seen<P>, P::Error> {
        let recorded = match (&self.recorded, &self.entry) {
            // An earlier run wrote down that it would make one and never heard from AWS.
            (None, Some(entry)) => self.find(cx, entry).await?,
            (recorded, _) => recorded.clone(),
        };
        let Some(identity) = &recorded else {
            return Ok(Seen::nothing(self.kind, recorded));
        };
        let is_recorded = self.entry.as_ref().is_some_and(|entry| identity_of(entry).is_some());
        let read = async {
            if is_recorded { cx.read(self.kind, identity).await } else { cx.look_for(self.kind, identity).await }
        };
        let counted = async {
            match self.count && self.kind.holds_objects() {
                true => cx.contents(self.kind, identity).await.map(Some),
                false => Ok(None),
            }
        };
        let stray = async {
            match &self.entry {
                Some(entry) if entry.doubtful_since.is_some() && self.kind.is_nameless() => self.find(cx, entry).await,
                _ => Ok(None),
            }
        };
        let (observed, contents, stray) = tokio::join!(read, counted, stray);
        let observed = observed?;
        let remains = match &self.entry {
            Some(entry) if observed.is_none() && entry.recorded.is_some() => {
                cx.remains(self.kind, identity, &entry.attributes).await?
            }
            _ => None,
        };
        let contents = if observed.is_some() { contents? } else { None };
        // What goes by another name since is known by that one.
        let recorded = observed.as_ref().map(|observed| observed.recorded.clone()).or(recorded);
        Ok(Seen { kind: self.kind, recorded, observed, contents, stray: stray?, barred: None, remains })
    }

    async fn find(&self, cx: &P, entry: &Entry) -> Result<Option<Value>, P::Error> {
        let recovery = RecoveryHint {
            address: &self.address,
            attributes: &entry.attributes,
            needs: &entry.needs,
            known: &self.known,
            taken: &self.taken,
        };
        cx.find(self.kind, &recovery).await
    }
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

fn kinds<P: Provider>(stack: &Stack<P>, state: &State) -> Result<BTreeMap<Address, P::Kind>, PlanError<P::Error>> {
    let addresses: BTreeSet<&Address> = stack.keys().chain(state.resources.keys()).collect();
    addresses
        .into_iter()
        .map(|address| {
            let kind = match stack.get(address) {
                Some(spec) => Some(spec.kind()),
                None => state.resources.get(address).and_then(Entry::kind),
            };
            let kind = kind.ok_or_else(|| P::Error::unknown_kind(address.kind())).map_err(PlanError::of(address))?;
            Ok((address.clone(), kind))
        })
        .collect()
}
