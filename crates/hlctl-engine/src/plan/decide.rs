//! Decides what is to be done about each resource. Pure.

mod buckets;
mod guard;
mod held;
mod reason;
mod unknown;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::state::{Deposed, Entry, State, Status};
use crate::{Provider, ProviderError as _, Stack};
use hlctl_config::nearest::nearest;
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::{
    Condition, Identity, Known, Observed, PlannedChange, Remains, ResourceKind, ResourceSpec as _, STACK_TAG, Settings,
};

use super::diff::diff;
use super::names::unknown_names;
use super::refresh::{Seen, known};
use super::{Action, AttributeChange, Change, Plan, PlanError, Reason, Refusal};
pub use guard::can_bring_its_data;
use guard::{ending, lost, refusal};
use reason::{beginning, existing, never_came_to_be, vanished};

/// What the user asked for in addition to the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Options {
    /// Only these, and what they need; all if empty.
    pub targets: BTreeSet<Address>,
    /// Replace these.
    pub replace: BTreeSet<Address>,
    /// What may be destroyed although it is protected: names or addresses.
    pub allow_destroy: BTreeSet<String>,
    /// Destroy instead of make.
    pub destroy: bool,
    /// The targets alone, without what they need.
    #[serde(default)]
    pub exactly: bool,
    /// Standby stores that are not to be kept any longer.
    #[serde(default)]
    pub give_up: BTreeSet<Address>,
    /// Jobs that are under way do not stand in the way of a destruction.
    #[serde(default)]
    pub ignore_jobs: bool,
    /// An export comes first, and waits for the one that an earlier run started.
    #[serde(default)]
    pub exports_first: bool,
}

/// Everything that a decision rests on.
pub struct PlanInput<'a, P: Provider> {
    /// What is wanted; empty for a destroy.
    pub stack: &'a Stack<P>,
    /// Which of it needs which.
    pub graph: &'a Graph,
    /// What the state holds.
    pub state: &'a State,
    /// What AWS holds.
    pub seen: &'a BTreeMap<Address, Seen<P>>,
    /// Account, region and partition.
    pub identity: &'a Identity,
    /// Which addresses are protected, of what is recorded there.
    pub is_protected: &'a dyn Fn(&Address, Option<&Value>) -> bool,
    /// Whether there is a configuration, so that `is_protected` says what it asks for.
    pub config_decides: bool,
    /// Which addresses the configuration asks for; a destroy does not ask for less.
    pub asks_for: &'a dyn Fn(&Address) -> bool,
    /// Which addresses some configuration or command can make a resource at.
    pub is_known: &'a dyn Fn(&Address) -> bool,
    /// How what somebody else has deleted can be restored with its data, by its id: a sentence, or nothing where it is too late.
    pub way_back: &'a dyn Fn(&Remains) -> String,
    /// Settings for deletions.
    pub settings: &'a Settings,
    /// The store's name in the configuration, if there is one.
    pub store_name: Option<&'a str>,
}

/// Decides.
///
/// # Errors
/// A target or a replacement names nothing, or references go in a circle.
pub fn build<P: Provider>(input: &PlanInput<'_, P>, options: &Options) -> Result<Plan<P::Kind>, PlanError<P::Error>> {
    check_named(input, options)?;
    let mut planner =
        Planner { input, options, known: known(input.state), plan: Plan::default(), delete_first: BTreeSet::new() };
    planner.plan.graph = input.graph.clone();
    let chosen = chosen(input, options);
    let order = input.graph.order()?;
    for address in &order {
        let Some(spec) = input.stack.get(address) else { continue };
        if chosen.as_ref().is_none_or(|chosen| chosen.contains(address)) {
            planner.decide(address, spec)?;
        } else {
            planner.assume(address, spec)?;
        }
    }
    for (address, entry) in input.state.resources.iter().rev() {
        if input.stack.contains_key(address) {
            continue;
        }
        if !options.destroy && !(input.is_known)(address) {
            planner.keep_unknown(address, entry)?;
        } else if chosen.as_ref().is_none_or(|chosen| chosen.contains(address)) {
            planner.delete(address, entry)?;
        }
    }
    // Nobody names what an earlier run has replaced, so a run for some targets leaves it for a run for all.
    if options.targets.is_empty() {
        input.state.deposed.iter().for_each(|deposed| planner.finish(deposed));
    }
    planner.keep_what_others_hold();
    planner.refuse_unknown();
    planner.guard();
    planner.foresee_logs();
    let unknown = unknown_names(&options.allow_destroy, &planner.plan, input.state, input.store_name);
    planner.plan.unknown_names = unknown;
    Ok(planner.plan)
}

fn check_named<P: Provider>(input: &PlanInput<'_, P>, options: &Options) -> Result<(), PlanError<P::Error>> {
    let exists = |address: &Address| input.stack.contains_key(address) || input.state.resources.contains_key(address);
    match options.targets.iter().chain(&options.replace).find(|address| !exists(address)) {
        None => Ok(()),
        Some(address) => {
            let all = input.stack.keys().chain(input.state.resources.keys());
            let nearest = nearest(address.as_str(), all.map(Address::as_str));
            let nearest = nearest.map(str::to_owned);
            Err(PlanError::NoSuchResource { address: address.clone(), nearest })
        }
    }
}

/// The targets with what they need, or, for a destroy, with what needs them.
fn chosen<P: Provider>(input: &PlanInput<'_, P>, options: &Options) -> Option<BTreeSet<Address>> {
    if options.targets.is_empty() {
        return None;
    }
    if options.exactly {
        return Some(options.targets.clone());
    }
    if !options.destroy {
        return Some(input.graph.with_needs(&options.targets));
    }
    let mut graph = Graph::default();
    for (address, entry) in &input.state.resources {
        graph.insert(address.clone(), entry.needs.iter().cloned());
    }
    Some(graph.with_dependents(&options.targets))
}

struct Planner<'a, P: Provider> {
    input: &'a PlanInput<'a, P>,
    options: &'a Options,
    known: Known,
    plan: Plan<P::Kind>,
    delete_first: BTreeSet<Address>,
}

impl<P: Provider> Planner<'_, P> {
    /// What hlctl itself has ordered the end of, or shall, counts as gone once AWS has the order.
    fn seen(&self, address: &Address) -> (Option<&Seen<P>>, Option<&Observed>) {
        let seen = self.input.seen.get(address);
        let entry = self.input.state.resources.get(address);
        let wanted = self.input.stack.contains_key(address)
            && entry.is_some_and(|entry| entry.status == Status::Ready)
            && !self.options.replace.contains(address);
        let counts = |observed: &&Observed| wanted || !matches!(observed.condition, Condition::Ending { .. });
        (seen, seen.and_then(|seen| seen.observed.as_ref()).filter(counts))
    }

    /// What is not chosen keeps the identity it has, for those that are.
    fn assume(&mut self, address: &Address, spec: &P::Spec) -> Result<(), PlanError<P::Error>> {
        let predicted = self.predicted(address, spec)?;
        let (seen, observed) = self.seen(address);
        let identity = match observed {
            Some(_) => seen.and_then(|seen| seen.recorded.clone()),
            None => predicted,
        };
        if let Some(identity) = identity {
            self.known.insert(address.clone(), identity);
        }
        Ok(())
    }

    fn predicted(&self, address: &Address, spec: &P::Spec) -> Result<Option<Value>, PlanError<P::Error>> {
        spec.predicted(self.input.identity, &self.known).map_err(PlanError::of(address))
    }

    fn decide(&mut self, address: &Address, spec: &P::Spec) -> Result<(), PlanError<P::Error>> {
        let entry = self.input.state.resources.get(address);
        let (seen, observed) = self.seen(address);
        let (seen, observed) = (seen.cloned(), observed.cloned());
        // What was found again counts from here on, for itself too.
        if let Some(found) = seen.as_ref().and_then(|seen| seen.recorded.clone()).filter(|_| observed.is_some()) {
            self.known.insert(address.clone(), found);
        }
        let wanted = spec.desired(&self.known);
        self.plan.changes.extend(seen.as_ref().and_then(|seen| stray(address, spec.kind(), seen)));
        if let Some(error) = seen.as_ref().and_then(|seen| seen.barred.as_ref()) {
            let mut refusal = refusal(address, error);
            if entry.is_some_and(|entry| entry.recorded.is_some()) {
                // An address that the state fills cannot take in another resource.
                refusal.hint = error.hint().unwrap_or_default();
            }
            self.plan.refusals.push(refusal);
        }
        if observed.is_none()
            && let Some((entry, remains)) = entry.zip(seen.as_ref().and_then(|seen| seen.remains.as_ref()))
            && entry.status == Status::Ready
            && !self.options.replace.contains(address)
        {
            self.keep_lost(address, spec.kind(), entry, remains);
            return Ok(());
        }
        let is_found = entry.is_none() && self.predicted(address, spec)?.is_none();
        let recorded = seen.and_then(|seen| seen.recorded);
        let rules = spec.kind().rules();
        let attributes = diff(rules, &wanted, observed.as_ref().map(|observed| &observed.attributes));
        if let Some((entry, observed)) = entry.zip(observed.as_ref()) {
            self.warn_of_watched(address, spec.kind(), entry, observed);
        }
        let forced = self.options.replace.contains(address);
        let (action, reason) = match &observed {
            None => (Action::Create, entry.and_then(vanished).or_else(|| entry.and_then(beginning))),
            Some(observed) => {
                let barred = self.taken(address, entry, observed).or_else(|| ending(address, observed));
                self.plan.refusals.extend(barred);
                match existing(entry, observed, &attributes, forced, is_found) {
                    (Action::NoOp, None) => self.protection(address, entry),
                    decided => decided,
                }
            }
        };
        let change = Change {
            address: address.clone(),
            kind: spec.kind(),
            name: recorded.as_ref().and_then(|recorded| spec.kind().name(recorded).ok()),
            action,
            reason,
            impact: Vec::new(),
            protected: self.protects_wanted(address, entry, recorded.as_ref())
                || observed.as_ref().is_some_and(|observed| spec.kind().is_locked(&observed.attributes)),
            delete_first: false,
            deposed: false,
            contents: None,
            recorded: observed.as_ref().and(recorded),
            observed: observed.map(|observed| observed.attributes),
            attributes,
        };
        self.settle_identity(change, spec)
    }

    /// What others changed and no apply changes back must not go unsaid.
    fn warn_of_watched(&mut self, address: &Address, kind: P::Kind, entry: &Entry, observed: &Observed) {
        if entry.status != Status::Ready {
            return;
        }
        let changed = kind.changed_by_others(&entry.attributes, &observed.attributes);
        let warning = |change| format!("{address} was changed outside hlctl, and an apply does not undo it: {change}");
        self.plan.warnings.extend(changed.into_iter().map(warning));
    }

    /// What somebody else deleted and can be brought back is neither made again nor forgotten by the way.
    fn keep_lost(&mut self, address: &Address, kind: P::Kind, entry: &Entry, remains: &Remains) {
        let recorded = entry.recorded.clone();
        if let Some(recorded) = &recorded {
            self.known.insert(address.clone(), recorded.clone());
        }
        self.plan.refusals.push(lost(address, remains, &(self.input.way_back)(remains)));
        self.plan.changes.push(Change {
            address: address.clone(),
            kind,
            name: recorded.as_ref().and_then(|recorded| kind.name(recorded).ok()),
            action: Action::NoOp,
            reason: None,
            attributes: Vec::new(),
            impact: Vec::new(),
            protected: self.protects_wanted(address, Some(entry), recorded.as_ref()),
            delete_first: false,
            deposed: false,
            contents: None,
            observed: None,
            recorded,
        });
    }

    /// A change of protection alone is a change of the state, and must not go unsaid.
    fn protection(&self, address: &Address, entry: Option<&Entry>) -> (Action, Option<Reason>) {
        let wanted = (self.input.is_protected)(address, None);
        match entry.filter(|entry| entry.protection.is_none()) {
            Some(entry) if entry.protected && !wanted => (Action::Adopt, Some(Reason::LosesProtection)),
            Some(entry) if !entry.protected && wanted => (Action::Adopt, Some(Reason::BecomesProtected)),
            _ => (Action::NoOp, None),
        }
    }

    /// What the others may know of this one from here on.
    fn settle_identity(&mut self, mut change: Change<P::Kind>, spec: &P::Spec) -> Result<(), PlanError<P::Error>> {
        let address = change.address.clone();
        let predicted = self.predicted(&address, spec)?;
        match change.action {
            Action::Replace => {
                // Two cannot have one name; and what hangs on it must go before it.
                let hangs = spec.references().iter().any(|reference| self.delete_first.contains(&reference.address));
                let is_same = hangs || have_one_name(spec.kind(), predicted.as_ref(), change.recorded.as_ref());
                change.delete_first = is_same || spec.kind().is_alone();
                if is_same {
                    self.delete_first.insert(address.clone());
                }
                match predicted.filter(|_| !is_same) {
                    Some(identity) => self.known.insert(address, identity),
                    None => self.known.remove(&address),
                }
                // Nothing of the old one carries over.
                change.attributes = self.as_replacement(&change, spec);
            }
            Action::Create => match predicted {
                Some(identity) => self.known.insert(address, identity),
                None => self.known.remove(&address),
            },
            _ => {
                if let Some(identity) = &change.recorded {
                    self.known.insert(address, identity.clone());
                }
            }
        }
        change.impact = self.impact(&change);
        // What never came to be holds nothing to protect or to mourn.
        if never_came_to_be(&change) {
            change.protected = false;
            change.impact.clear();
        }
        self.plan.changes.push(change);
        Ok(())
    }

    fn as_replacement(&self, change: &Change<P::Kind>, spec: &P::Spec) -> Vec<AttributeChange> {
        if change.attributes.iter().any(|attribute| attribute.replaces.is_some()) {
            return change.attributes.clone();
        }
        diff(spec.kind().rules(), &spec.desired(&self.known), change.observed.as_ref())
    }

    fn impact(&self, change: &Change<P::Kind>) -> Vec<String> {
        let planned = PlannedChange {
            action: change.action,
            changed: change.attributes.iter().map(AttributeChange::attribute).collect(),
            attributes: &change.attributes,
            contents: change.contents.as_ref(),
            vanished: change.action == Action::Create && change.reason == Some(Reason::DeletedOutside),
            observed: change.observed.as_ref(),
            recorded: change.recorded.as_ref(),
            remains: self.input.seen.get(&change.address).and_then(|seen| seen.remains.as_ref()),
            settings: self.input.settings,
        };
        change.kind.impact(&planned)
    }

    /// Whether something that hlctl did not make has the name.
    fn taken(&self, address: &Address, entry: Option<&Entry>, observed: &Observed) -> Option<Refusal> {
        if self.is_ours(entry, address, observed) {
            return None;
        }
        let owner = observed.tags.as_ref()?.get(STACK_TAG).cloned();
        let name = self.input.seen.get(address)?;
        let name = name.recorded.as_ref().and_then(|recorded| name.kind.name(recorded).ok()).unwrap_or_default();
        let error = P::Error::taken(name, owner);
        let mut refusal = refusal(address, &error);
        if entry.is_some_and(|entry| entry.recorded.is_some()) {
            let stack = &self.input.state.stack;
            refusal.hint = format!(
                "if it is this stack's after all, set its tag {STACK_TAG} to {stack} again; else {}",
                error.hint().unwrap_or_default()
            );
        }
        Some(refusal)
    }

    /// Whether what was seen is ours: the state records it, its tags say so, or it is part of what is ours. Where tags come
    /// with a second call, what was about to be made and has none is ours too. A name that is recorded says nothing where
    /// the tags name another stack: that has made, or taken over, what has the name now.
    fn is_ours(&self, entry: Option<&Entry>, address: &Address, observed: &Observed) -> bool {
        let Some(tags) = &observed.tags else { return true };
        if entry.is_some_and(|entry| entry.recorded.is_some()) {
            let is_named = P::Kind::parse(address.kind()).is_some_and(ResourceKind::is_named);
            return !is_named || tags.get(STACK_TAG).is_none_or(|stack| *stack == self.input.state.stack);
        }
        let tagged_later = P::Kind::parse(address.kind()).is_some_and(ResourceKind::is_tagged_later);
        let intended = entry.is_some_and(|entry| entry.status == Status::Creating);
        tags.get(STACK_TAG) == Some(&self.input.state.stack) || (intended && tagged_later && tags.is_empty())
    }

    fn delete(&mut self, address: &Address, entry: &Entry) -> Result<(), PlanError<P::Error>> {
        let kind = self.kind_of(address, entry)?;
        let (seen, observed) = self.seen(address);
        // What a run that was cut off only meant to make may meanwhile be another's.
        let observed = observed.filter(|observed| self.is_ours(Some(entry), address, observed));
        let contents = seen.and_then(|seen| seen.contents.clone());
        let recorded = seen.and_then(|seen| seen.recorded.clone());
        // What is on its way out reads as absent; deleting it again waits until it is gone.
        let takes_time = kind.usual_time(Action::Delete).is_some();
        let under_way = observed.is_none() && entry.recorded.is_some() && takes_time;
        let mut change = Change {
            address: address.clone(),
            kind,
            name: recorded.as_ref().and_then(|recorded| kind.name(recorded).ok()),
            action: if observed.is_some() || under_way { Action::Delete } else { Action::Forget },
            reason: (!self.options.destroy).then(|| self.why_it_goes(address)),
            attributes: Vec::new(),
            impact: Vec::new(),
            // The user who ordered the deletion has named it already; to ask again would only keep the run from waiting for the end.
            protected: (self.protects(address, entry)
                || observed.is_some_and(|observed| kind.is_locked(&observed.attributes)))
                && !under_way,
            delete_first: false,
            deposed: false,
            contents,
            observed: observed.map(|observed| observed.attributes.clone()),
            recorded,
        };
        change.impact = self.impact(&change);
        self.plan.changes.push(change);
        let seen = self.input.seen.get(address);
        self.plan.changes.extend(seen.and_then(|seen| stray(address, kind, seen)));
        Ok(())
    }

    fn kind_of(&self, address: &Address, entry: &Entry) -> Result<P::Kind, PlanError<P::Error>> {
        entry.kind().ok_or_else(|| P::Error::unknown_kind(&entry.kind)).map_err(PlanError::of(address))
    }

    fn why_it_goes(&self, address: &Address) -> Reason {
        if self.options.give_up.contains(address) { Reason::GivenUp } else { Reason::Unwanted }
    }

    /// What was said by hand counts first. The configuration decides about the addresses that it asks for; elsewhere what
    /// the state recorded counts too, so that protection does not end where a resource's address does.
    fn protects(&self, address: &Address, entry: &Entry) -> bool {
        if let Some(protection) = entry.protection {
            return protection;
        }
        if self.was_released(address, entry.recorded.as_ref()) {
            return true;
        }
        let said = self.says(address, entry.recorded.as_ref());
        match (self.input.config_decides, (self.input.is_known)(address)) {
            (true, _) if (self.input.asks_for)(address) => said,
            (false, true) => entry.protected,
            _ => entry.protected || said,
        }
    }

    /// The same of what is wanted.
    fn protects_wanted(&self, address: &Address, entry: Option<&Entry>, recorded: Option<&Value>) -> bool {
        let by_hand = entry.and_then(|entry| entry.protection);
        by_hand.unwrap_or_else(|| self.was_released(address, recorded) || self.says(address, recorded))
    }

    /// Whether it was protected when the state was made to forget it.
    fn was_released(&self, address: &Address, recorded: Option<&Value>) -> bool {
        let both = P::Kind::parse(address.kind()).zip(recorded);
        both.is_some_and(|(kind, recorded)| self.input.state.released(kind, recorded).is_some())
    }

    /// What the configuration says of what is recorded at an address.
    fn says(&self, address: &Address, recorded: Option<&Value>) -> bool {
        (self.input.is_protected)(address, recorded)
    }

    /// An earlier run replaced it and did not come to deleting it. What is wanted again by its address stays.
    fn finish(&mut self, deposed: &Deposed) {
        let Some(recorded) = deposed.entry.recorded.clone() else { return };
        let present = self.known.recorded(&deposed.address);
        let kind = deposed.entry.kind::<P::Kind>();
        if present.is_some_and(|present| kind.is_some_and(|kind| kind.is_one(present, &recorded))) {
            return;
        }
        let change = superfluous(&deposed.address, kind, recorded, Reason::LeftOver);
        let delete_first = kind.is_some_and(ResourceKind::is_alone);
        self.plan.changes.extend(change.map(|change| Change { delete_first, ..change }));
    }
}

/// Whether there cannot be both at once.
fn have_one_name<K: ResourceKind>(kind: K, new: Option<&Value>, old: Option<&Value>) -> bool {
    let name = |identity: Option<&Value>| identity.and_then(|identity| kind.name(identity).ok());
    name(new).is_some_and(|new| Some(new) == name(old))
}

/// A second one, made because the answer to the first attempt was lost and the thing could not be seen yet.
fn stray<P: Provider>(address: &Address, kind: P::Kind, seen: &Seen<P>) -> Option<Change<P::Kind>> {
    superfluous(address, Some(kind), seen.stray.clone()?, Reason::Duplicate)
}

/// The deletion of something whose address another has.
fn superfluous<K: ResourceKind>(
    address: &Address,
    kind: Option<K>,
    recorded: Value,
    reason: Reason,
) -> Option<Change<K>> {
    let kind = kind?;
    Some(Change {
        address: address.clone(),
        kind,
        name: kind.name(&recorded).ok(),
        action: Action::Delete,
        reason: Some(reason),
        attributes: Vec::new(),
        impact: Vec::new(),
        protected: false,
        delete_first: false,
        deposed: true,
        contents: None,
        observed: None,
        recorded: Some(recorded),
    })
}
