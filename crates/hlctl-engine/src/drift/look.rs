//! Reads what there is and judges each resource.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use super::{AttributeFinding, AttributeVerdict, DriftFinding, DriftReport, DriftVerdict, Sides, compare};
use crate::plan::{PlanError, Seen, predict, survey};
use crate::state::{Entry, State, Status};
use crate::{Provider, ProviderError as _, Stack};
use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
use hlctl_model::text::instant;
use hlctl_model::{
    Attachment, Condition, Known, Observed, Remains, ResourceKind as _, ResourceSpec as _, STACK_TAG, WATCHED,
};

/// What was read, and what came of it.
#[derive(Debug)]
pub struct DriftResult<P: Provider> {
    /// The findings.
    pub report: DriftReport,
    /// What the provider has.
    pub seen: BTreeMap<Address, Seen<P>>,
}

/// How the user restores a lost resource from what remains of it.
pub type WayBack<'a> = &'a (dyn Fn(&Address, &Remains) -> String + Sync);

/// Reads every resource of the configuration and the state, and what hangs on those, and judges. `stack` is empty where
/// there is no configuration; `way_back` names the command that restores what was lost.
///
/// # Errors
/// The state has a resource of a kind that this hlctl does not know. What cannot be read is part of the report.
pub async fn look<P: Provider>(
    cx: &P,
    stack: &Stack<P>,
    graph: &Graph,
    state: &State,
    way_back: WayBack<'_>,
) -> Result<DriftResult<P>, PlanError<P::Error>> {
    let (seen, unseen) = survey(cx, stack, graph, state, false).await?;
    let (attachments, unlisted) = attachments_of(cx, &seen).await?;
    let mut known = crate::plan::refresh::known(state);
    for (address, recorded) in predict::<P>(cx.identity(), stack, graph, &known)? {
        if !known.contains(&address) {
            known.insert(address, recorded);
        }
    }
    let judge = Judge { stack, state, known, way_back };
    let addresses: BTreeSet<&Address> = stack.keys().chain(state.resources.keys()).collect();
    let mut report = DriftReport { notes: unlisted, ..DriftReport::default() };
    for address in addresses {
        let mut finding = match (unseen.get(address), seen.get(address)) {
            (None, Some(seen)) => judge.seen(address, seen),
            (Some(error), _) => judge.unseen(address, error),
            (None, None) => continue,
        };
        let attachments = attachments.get(address).into_iter().flatten();
        for one in attachments.filter(|one| !is_ours(one, state)) {
            finding.foreign.push(one.what.clone());
            finding.removals.push(cx.removal(one));
        }
        if let Some((kind, observed)) = seen.get(address).and_then(|seen| Some((seen.kind, seen.observed.as_ref()?))) {
            if kind.is_partly_seen(&observed.attributes) {
                finding.verdict = finding.verdict.max(DriftVerdict::PartlyChecked);
            }
            let notes = kind.notes(&observed.attributes);
            report.notes.extend(notes.into_iter().map(|note| format!("{address}: {note}")));
        }
        if !finding.foreign.is_empty() {
            finding.verdict = finding.verdict.max(DriftVerdict::Drifted);
        }
        report.findings.push(finding);
    }
    for deposed in &state.deposed {
        report.notes.push(format!("{}: a resource that was replaced is still to be deleted", deposed.address));
    }
    Ok(DriftResult { report, seen })
}

/// Lists what hangs on each resource that was seen. Where that is not allowed, a note says so: it is more than an apply needs.
async fn attachments_of<P: Provider>(
    cx: &P,
    seen: &BTreeMap<Address, Seen<P>>,
) -> Result<(BTreeMap<Address, Vec<Attachment>>, Vec<String>), PlanError<P::Error>> {
    let mut lists = JoinSet::new();
    for (address, one) in seen.iter().filter(|(_, one)| one.observed.is_some()) {
        let Some(recorded) = one.recorded.clone() else { continue };
        let (cx, address, kind) = (cx.clone(), address.clone(), one.kind);
        let span = tracing::info_span!("read", %address);
        lists.spawn(async move { (address, cx.attachments(kind, &recorded).await) }.instrument(span));
    }
    let (mut all, mut notes) = (BTreeMap::new(), Vec::new());
    while let Some(done) = lists.join_next().await {
        let (address, listed) = done?;
        match listed {
            Ok(listed) => drop(all.insert(address, listed)),
            Err(error) => notes.push(format!("{address}: what else is attached to it could not be listed: {error}")),
        }
    }
    notes.sort();
    Ok((all, notes))
}

/// Whether the state records it, also as something still to be deleted.
fn is_ours(attachments: &Attachment, state: &State) -> bool {
    let deposed = state.deposed.iter().map(|deposed| &deposed.entry);
    let entries = state.resources.values().chain(deposed).filter(|entry| entry.kind == attachments.kind);
    let mut identities = entries.flat_map(|entry| [entry.recorded.as_ref(), entry.predicted.as_ref()]).flatten();
    let Some(members) = attachments.recorded.as_object() else { return false };
    identities.any(|recorded| members.iter().all(|(name, value)| recorded.get(name).unwrap_or(&Value::Null) == value))
}

struct Judge<'a, P: Provider> {
    stack: &'a Stack<P>,
    state: &'a State,
    known: Known,
    way_back: WayBack<'a>,
}

impl<P: Provider> Judge<'_, P> {
    fn unseen(&self, address: &Address, error: &P::Error) -> DriftFinding {
        let finding = self.finding(address, DriftVerdict::Unreadable, None);
        DriftFinding { reason: Some(error.to_string()), hint: error.hint(), ..finding }
    }

    fn seen(&self, address: &Address, seen: &Seen<P>) -> DriftFinding {
        let entry = self.state.resources.get(address);
        let identity = seen.recorded.as_ref();
        let with = |verdict, reason: &str| DriftFinding {
            reason: Some(reason.to_owned()),
            ..self.finding(address, verdict, identity)
        };
        // An address that the state fills cannot take in another resource.
        let is_recorded = entry.is_some_and(|entry| entry.recorded.is_some());
        let hint = |error: &P::Error| if is_recorded { error.hint() } else { error.hint_at(address) };
        if let Some(error) = &seen.barred {
            return DriftFinding { hint: hint(error), ..with(DriftVerdict::Foreign, &error.to_string()) };
        }
        match (entry, &seen.observed) {
            (_, Some(observed)) if self.is_anothers(entry, seen.kind, observed) => {
                let owner = observed.tags.as_ref().and_then(|tags| tags.get(STACK_TAG).cloned());
                let name = identity.and_then(|identity| seen.kind.name(identity).ok()).unwrap_or_default();
                let error = P::Error::taken(name, owner);
                DriftFinding { hint: hint(&error), ..with(DriftVerdict::Foreign, &error.to_string()) }
            }
            (None, Some(_)) => with(DriftVerdict::Pending, "it exists but is not in the state; an apply adopts it"),
            (None, None) => with(DriftVerdict::Pending, "it has not been created yet"),
            (Some(Entry { status: Status::Creating, .. }), _) => {
                with(DriftVerdict::Pending, "an earlier run was interrupted while creating it")
            }
            (Some(Entry { status: Status::Deleting, .. }), _) => {
                with(DriftVerdict::Pending, "an earlier run was interrupted while deleting it")
            }
            (Some(entry), None) if self.is_leaving(address) && entry.recorded.is_none() => {
                with(DriftVerdict::Clean, "it was never created")
            }
            (Some(_), None) => match &seen.remains {
                Some(remains) => self.lost(remains, with(DriftVerdict::Missing, "it was deleted outside hlctl")),
                None => with(DriftVerdict::Missing, "it was deleted outside hlctl"),
            },
            (Some(entry), Some(observed)) => self.compared(address, entry, seen.kind, observed),
        }
    }

    fn compared(&self, address: &Address, entry: &Entry, kind: P::Kind, observed: &Observed) -> DriftFinding {
        let config = self.stack.get(address).map(|spec| spec.desired(&self.known));
        let (state, aws) = kind.sides(&entry.attributes, &observed.attributes);
        // What is only watched is to stay as it was accepted, whatever the configuration asks for.
        let config = config.map(|mut config| {
            config.extend(state.get_key_value(WATCHED).map(|(name, accepted)| (name.clone(), accepted.clone())));
            config
        });
        let sides = Sides { config: config.as_ref(), state: &state, aws: &aws };
        let attributes = compare(kind.rules(), sides);
        let worst = attributes.iter().map(|finding| finding.verdict).max().unwrap_or(AttributeVerdict::Clean);
        let verdict = match worst {
            AttributeVerdict::Clean | AttributeVerdict::NotCheckable => DriftVerdict::Clean,
            AttributeVerdict::Pending => DriftVerdict::Pending,
            AttributeVerdict::Drifted => DriftVerdict::Drifted,
        };
        let is_watched =
            |found: &AttributeFinding| found.attribute == WATCHED && found.verdict == AttributeVerdict::Drifted;
        let hint = attributes.iter().any(is_watched).then(hint_of_watched);
        let mut finding = DriftFinding { attributes, hint, ..self.finding(address, verdict, Some(&observed.recorded)) };
        let drifted: Vec<&str> = finding
            .attributes
            .iter()
            .filter(|found| found.verdict == AttributeVerdict::Drifted)
            .map(|found| found.attribute.as_str())
            .collect();
        finding.reason = kind.consequence(&drifted).map(str::to_owned);
        match &observed.condition {
            Condition::Ready if verdict == DriftVerdict::Clean && self.is_leaving(address) => {
                finding.verdict = DriftVerdict::Pending;
                finding.reason = Some("it is no longer in the configuration".to_owned());
            }
            Condition::Ready => {}
            Condition::Changing(status) => finding.reason = Some(format!("AWS is still working on it ({status})")),
            Condition::Impaired { status, cause } => {
                finding.reason = Some(format!("the last change failed ({status}: {cause})"));
            }
            Condition::Failed { status, cause } => {
                finding.verdict = finding.verdict.max(DriftVerdict::Pending);
                finding.reason = Some(format!("AWS could not create it ({status}: {cause})"));
            }
            Condition::Ending { what, rescue } => {
                finding.verdict = DriftVerdict::Foreign;
                finding.reason = Some(format!("it is scheduled for deletion outside hlctl: {what}"));
                finding.hint = Some(format!("to keep it: {rescue}, and then `{}`", hlctl!("apply")));
            }
        }
        finding
    }

    /// Whether there is a configuration, and it asks for this no longer.
    fn is_leaving(&self, address: &Address) -> bool {
        !self.stack.is_empty() && !self.stack.contains_key(address)
    }

    /// As a plan has it: what is recorded is another's only if it is known by its name and the tags name another stack.
    fn is_anothers(&self, entry: Option<&Entry>, kind: P::Kind, observed: &Observed) -> bool {
        let Some(tags) = &observed.tags else { return false };
        let owner = tags.get(STACK_TAG);
        match entry {
            Some(entry) if entry.recorded.is_some() => {
                kind.is_named() && owner.is_some_and(|owner| *owner != self.state.stack)
            }
            Some(_) => false,
            None => owner != Some(&self.state.stack),
        }
    }

    /// With what can be done about it.
    fn lost(&self, remains: &Remains, finding: DriftFinding) -> DriftFinding {
        if remains.is_over {
            let reason = "it was deleted outside hlctl, and its backup can no longer be restored".to_owned();
            return DriftFinding { reason: Some(reason), ..finding };
        }
        let until = remains.until.map(|until| format!(" until {}", instant(until))).unwrap_or_default();
        DriftFinding {
            reason: Some(format!("it was deleted outside hlctl; it had a backup and can be restored{until}")),
            hint: Some((self.way_back)(&finding.address, remains)),
            ..finding
        }
    }

    fn finding(&self, address: &Address, verdict: DriftVerdict, identity: Option<&Value>) -> DriftFinding {
        let entry = self.state.resources.get(address);
        let identity = identity.or_else(|| entry.and_then(|entry| entry.recorded.as_ref()));
        let kind = P::Kind::parse(address.kind());
        DriftFinding {
            address: address.clone(),
            kind: address.kind().to_owned(),
            name: identity.and_then(|identity| kind?.name(identity).ok()),
            verdict,
            reason: None,
            hint: None,
            attributes: Vec::new(),
            foreign: Vec::new(),
            removals: Vec::new(),
            last_change: None,
            names: identity.map(names).unwrap_or_default(),
        }
    }
}

/// What can be done about a change that hlctl does not undo by itself.
fn hint_of_watched() -> String {
    concat!(
        "what is watched is not changed back by hlctl: undo it in AWS, or accept it by `",
        hlctl!("apply --refresh-only"),
        "`"
    )
    .to_owned()
}

/// What a trail may call it: the names, ids and ARNs that are recorded of it. What it belongs to is called last.
fn names(identity: &Value) -> Vec<String> {
    const BY: [&str; 11] = [
        "arn",
        "name",
        "id",
        "domain",
        "identifier",
        "username",
        "bucket",
        "role",
        "function",
        "user_pool_id",
        "policy_arn",
    ];
    BY.iter()
        .filter_map(|name| identity.get(name)?.as_str())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
