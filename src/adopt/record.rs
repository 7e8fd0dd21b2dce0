//! Looks at what is claimed, and makes the state of what is there.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::module::Stack;
use crate::plan::PlanError;
use hlctl_engine::state::{Entry, State, Status};
use hlctl_model::address::Address;
use hlctl_resources::answers::WATCHED;
use hlctl_resources::{Context, Identity, Kind, Known, Observed, ResourceError, STACK_TAG};

/// An AWS resource that is to stand at an address.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its kind.
    pub kind: Kind,
    /// Its identity, as far as it is known before anyone looked.
    pub recorded: Value,
}

/// Claims by address.
pub type Claims = BTreeMap<Address, Claim>;

/// An AWS resource that is there.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its kind.
    pub kind: Kind,
    /// What AWS says.
    pub observed: Observed,
}

impl Found {
    /// The stack that its tags name.
    pub fn owner(&self) -> Option<&str> {
        self.observed.tags.as_ref()?.get(STACK_TAG).map(String::as_str)
    }

    /// The name a user knows it by.
    pub fn name(&self) -> String {
        self.kind.name(&self.observed.recorded).unwrap_or_default()
    }

    /// The id by which Terraform would import it.
    pub fn id(&self) -> String {
        self.kind.import_id(&self.observed.recorded).unwrap_or_default()
    }
}

/// What looking at claims has brought.
#[derive(Debug, Default)]
pub struct ClaimsRead {
    /// What is there.
    pub found: BTreeMap<Address, Found>,
    /// What is not.
    pub missing: Vec<Address>,
    /// What may not be looked at, or another's pool has.
    pub failed: Vec<(Address, ResourceError)>,
}

/// Looks at everything that is claimed, all at once.
///
/// # Errors
/// A task was lost.
pub async fn look(cx: &Context, claims: Claims) -> Result<ClaimsRead, PlanError> {
    let mut reads = JoinSet::new();
    for (address, claim) in claims {
        let cx = cx.clone();
        let span = tracing::info_span!("read", %address);
        let read = async move { (address, claim.kind, claim.kind.read(&cx, &claim.recorded).await) };
        reads.spawn(read.instrument(span));
    }
    let mut look = ClaimsRead::default();
    while let Some(read) = reads.join_next().await {
        let (address, kind, result) = read?;
        match result {
            Ok(Some(observed)) => drop(look.found.insert(address, Found { kind, observed })),
            Ok(None) => look.missing.push(address),
            Err(error) => look.failed.push((address, error)),
        }
    }
    look.missing.sort();
    look.failed.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(look)
}

/// Fills in what an id alone does not tell, and what the others tell: the pool of a log-in domain.
///
/// # Errors
/// None that a checked configuration can cause.
pub fn complete(claims: &mut Claims, stack: &Stack, identity: &Identity, mut known: Known) -> Result<(), PlanError> {
    for (address, claim) in claims.iter() {
        known.insert(address.clone(), claim.recorded.clone());
    }
    for (address, claim) in claims.iter_mut() {
        let failed = |error| PlanError::Resource { address: address.clone(), error };
        if claim.kind.is_whole(&claim.recorded).map_err(failed)? {
            continue;
        }
        let reported =
            stack.get(address).map(|spec| spec.predicted(identity, &known)).transpose().map_err(failed)?.flatten();
        let same = |reported: &Value| claim.kind.import_id(reported).ok() == claim.kind.import_id(&claim.recorded).ok();
        if let Some(reported) = reported.filter(same) {
            claim.recorded = reported;
        }
    }
    Ok(())
}

/// Notes in the state what was found. Its tags come with the next apply.
pub fn enter(
    state: &mut State,
    stack: &Stack,
    found: BTreeMap<Address, Found>,
    is_protected: &dyn Fn(&Address) -> bool,
) {
    let mut known = crate::plan::known(state);
    for (address, found) in &found {
        known.insert(address.clone(), found.observed.recorded.clone());
    }
    let keys: BTreeMap<String, Address> = found
        .iter()
        .filter(|(_, found)| found.kind == Kind::KmsKey)
        .filter_map(|(address, found)| Some((found.observed.recorded["arn"].as_str()?.to_owned(), address.clone())))
        .collect();
    for (address, Found { kind, observed }) in found {
        let spec = stack.get(&address);
        let wanted = spec.map(|spec| spec.desired(&known));
        let is_wanted =
            |name: &String| wanted.as_ref().is_none_or(|wanted| wanted.contains_key(name)) || name == WATCHED;
        let needs = spec.map(|spec| spec.references().into_iter().map(|reference| reference.address).collect());
        // A standby store, for which the configuration does not ask, still needs its key.
        let arn = observed.attributes.get("kms_key_arn").and_then(Value::as_str);
        let key = arn.and_then(|arn| keys.get(arn)).cloned();
        let mut needs: Vec<Address> = needs.unwrap_or_else(|| key.into_iter().collect());
        needs.sort();
        needs.dedup();
        let entry = Entry {
            kind: kind.as_str().to_owned(),
            status: Status::Ready,
            token: uuid::Uuid::new_v4().to_string(),
            protected: is_protected(&address),
            protection: None,
            needs,
            recorded: Some(observed.recorded),
            predicted: None,
            doubtful_since: None,
            origin: None,
            attributes: observed.attributes.into_iter().filter(|(name, _)| is_wanted(name)).collect(),
        };
        state.resources.insert(address.clone(), entry);
        state.give_back_protection::<Kind>(&address);
    }
}
