//! Whether the account has room in Lambda for what a plan reserves or provisions there.
//!
//! Asked only where a plan takes more than the function has: an apply that Lambda refuses at this point has made everything else.

use crate::plan::{Action, Blocker, Change, Plan, Refusal};
use hlctl_aws::{AwsError, ErrorKind};
use hlctl_model::address::Address;
use hlctl_resources::{AccountConcurrency, Context, KEPT_UNRESERVED, Kind, account_concurrency};

const RESERVED: &str = "reserved_concurrency";
const PROVISIONED: &str = "provisioned_concurrency";

/// What the account has, as far as a plan asks for it.
#[derive(Clone, Debug, Default)]
pub enum Concurrency {
    /// The plan takes nothing.
    #[default]
    NotAsked,
    /// It has so much; `None` where the answer does not say.
    Seen(Option<AccountConcurrency>),
    /// Nobody could look.
    Unseen(AwsError),
}

/// What a plan takes from the account's unreserved concurrency.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Demand {
    address: Address,
    key: Key,
    /// How much of it there is when the plan is done.
    wanted: u64,
    /// How much of that the function has already.
    held: u64,
}

/// The key of the configuration that asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Reserved,
    Provisioned,
}

impl Key {
    fn verb(self) -> &'static str {
        match self {
            Self::Reserved => "reserve",
            Self::Provisioned => "provision",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Reserved => "lambda_reserved_concurrency",
            Self::Provisioned => "lambda_provisioned_concurrency",
        }
    }
}

impl Concurrency {
    /// Looks, if the plan takes anything.
    pub async fn look(cx: &Context, plan: &Plan) -> Self {
        if demand(plan).is_none() {
            return Self::NotAsked;
        }
        match account_concurrency(cx).await {
            Ok(found) => Self::Seen(found),
            Err(error) => Self::Unseen(error),
        }
    }

    /// What Lambda would refuse.
    pub fn refusals(&self, plan: &Plan, region: &str) -> Option<Refusal> {
        let Self::Seen(Some(account)) = self else { return None };
        let demand = demand(plan)?;
        let free = u64::from(account.unreserved) + demand.held;
        let room = free.saturating_sub(u64::from(KEPT_UNRESERVED));
        (demand.wanted > room).then(|| refusal(&demand, *account, room, region))
    }

    /// That the account's limit could not be looked at.
    pub fn warning(&self, plan: &Plan) -> Option<String> {
        let Self::Unseen(error) = self else { return None };
        let Demand { address, key, wanted, .. } = demand(plan)?;
        let needs = if error.kind == ErrorKind::Denied { "; it needs lambda:GetAccountSettings" } else { "" };
        let verb = key.verb();
        Some(format!(
            "{address}: whether the account can {verb} {wanted} concurrent executions could not be checked: {error}{needs}"
        ))
    }

    /// What was found, where the plan takes something.
    pub fn found(&self) -> Option<AccountConcurrency> {
        match self {
            Self::Seen(found) => *found,
            Self::NotAsked | Self::Unseen(_) => None,
        }
    }
}

fn refusal(demand: &Demand, account: AccountConcurrency, room: u64, region: &str) -> Refusal {
    let Demand { address, key, wanted, .. } = demand;
    let AccountConcurrency { limit, unreserved } = account;
    let less = match (key, room) {
        (Key::Reserved, 0) => "reserve none: lambda_reserved_concurrency = 0".to_owned(),
        (Key::Reserved, room) => format!("reserve at most {room}, or none: lambda_reserved_concurrency = 0"),
        (Key::Provisioned, 0) => format!("leave out {}", key.name()),
        (Key::Provisioned, room) => format!("provision at most {room}"),
    };
    Refusal {
        address: address.clone(),
        message: format!(
            "it would {} {wanted} of Lambda's concurrent executions; the account has {limit} in {region}, {unreserved} of them \
             unreserved, and Lambda keeps {KEPT_UNRESERVED} unreserved",
            key.verb()
        ),
        hint: format!("request more in Service Quotas (AWS Lambda, \"Concurrent executions\", L-B99A9384), or {less}",),
        blocker: Blocker::Quota,
    }
}

/// What the plan takes more than the function has. What is provisioned comes out of what is reserved, where anything is.
fn demand(plan: &Plan) -> Option<Demand> {
    let of = |kind| plan.changes.iter().find(|change| change.kind == kind && !change.deposed);
    let function = of(Kind::LambdaFunction)?;
    if let Some(wanted) = after(function, RESERVED) {
        return taken(function, Key::Reserved, wanted, RESERVED);
    }
    let alias = of(Kind::LambdaAlias)?;
    taken(alias, Key::Provisioned, after(alias, PROVISIONED)?, PROVISIONED)
}

fn taken(change: &Change, key: Key, wanted: u64, attribute: &str) -> Option<Demand> {
    let is_kept = matches!(change.action, Action::NoOp | Action::Update | Action::Adopt | Action::Settle);
    // A replacement that must wait for the deletion gets what the old one had.
    let held = if is_kept || change.delete_first { observed(change, attribute) } else { None }.unwrap_or_default();
    (wanted > held).then(|| Demand { address: change.address.clone(), key, wanted, held })
}

/// What an attribute is once the change is made.
fn after(change: &Change, attribute: &str) -> Option<u64> {
    if matches!(change.action, Action::Delete | Action::Forget) {
        return None;
    }
    match change.attributes.iter().find(|changed| changed.attribute() == attribute) {
        Some(changed) => changed.after.as_ref()?.as_u64(),
        None => observed(change, attribute),
    }
}

fn observed(change: &Change, attribute: &str) -> Option<u64> {
    change.observed.as_ref()?.get(attribute)?.as_u64()
}
