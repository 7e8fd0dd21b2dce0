//! `hlctl plan --json`

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::FORMAT_VERSION;
use crate::costs::{Prices, dollars};
use crate::plan;
use hlctl_model::Action;

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Plan")]
pub struct PlanDocument {
    format_version: u32,
    /// The environment that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    /// One for each resource, the unchanged included.
    changes: Vec<Change>,
    /// Why apply would refuse this plan.
    refusals: Vec<Refusal>,
    /// Sentences.
    warnings: Vec<String>,
    /// How many of each.
    counts: Counts,
    /// Whether anything would change in AWS.
    has_changes: bool,
    /// What the stores and keys cost, roughly; null in the sandbox and where the region's prices are not known.
    monthly_cost: Option<PlannedCost>,
}

/// What stores and keys cost a month, roughly, before and after a plan.
#[derive(Debug, Serialize, JsonSchema)]
struct PlannedCost {
    /// In US dollars, before it is applied.
    before_usd: u64,
    /// In US dollars, once it is applied.
    after_usd: u64,
    /// Those that are charged by time.
    resources: Vec<ResourceCost>,
    /// Of which month the prices are.
    prices_of: &'static str,
}

/// What a resource costs a month, roughly.
#[derive(Debug, Serialize, JsonSchema)]
struct ResourceCost {
    address: String,
    /// In US dollars, before the plan is applied.
    before_usd: u64,
    /// In US dollars, once it is applied.
    after_usd: u64,
}

impl PlannedCost {
    fn of(plan: &plan::Plan, prices: Prices) -> Self {
        let cost = prices.of_plan(plan);
        let resources = cost.resources.iter().map(|one| ResourceCost {
            address: one.address.to_string(),
            before_usd: dollars(one.before),
            after_usd: dollars(one.after),
        });
        Self {
            before_usd: dollars(cost.before()),
            after_usd: dollars(cost.after()),
            resources: resources.collect(),
            prices_of: prices.as_of(),
        }
    }
}

/// What is to be done about a resource.
#[derive(Debug, Serialize, JsonSchema)]
struct Change {
    address: String,
    kind: String,
    /// Null where AWS gives the identity and has not yet.
    name: Option<String>,
    action: Action,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What differs.
    attributes: Vec<AttributeChange>,
    /// What it means for patient data and for those who use the store.
    #[serde(rename = "meaning", skip_serializing_if = "Vec::is_empty")]
    impact: Vec<String>,
    /// Whether it is destroyed only by name.
    protected: bool,
    /// Whether a replacement deletes the old one first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    delete_first: bool,
    /// Whether it is what an earlier replacement has left to delete.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deposed: bool,
    /// What a bucket that is to be deleted holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<Contents>,
}

/// An attribute that differs, or a part of one.
#[derive(Debug, Serialize, JsonSchema)]
struct AttributeChange {
    attribute: String,
    /// The member of a map, or the statement of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// Null if it is not there.
    before: Option<Value>,
    /// Null if it is to be removed. A value that AWS has yet to give is the string `(known after apply)`.
    after: Option<Value>,
    /// Why it needs a new resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    /// Whether it is a policy's statement.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    document: bool,
}

/// What a bucket holds.
#[derive(Debug, Serialize, JsonSchema)]
struct Contents {
    objects: u64,
    older_versions: u64,
    delete_markers: u64,
    /// Whether there is more than was counted.
    at_least: bool,
}

/// Why apply would refuse a plan.
#[derive(Debug, Serialize, JsonSchema)]
struct Refusal {
    address: String,
    message: String,
    hint: String,
    /// Whether protection is in the way.
    protection: bool,
    /// The name that lifts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    name_to_give: Option<String>,
    /// The other stack that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
}

/// How many resources of each sort.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PlanCounts")]
struct Counts {
    create: usize,
    update: usize,
    replace: usize,
    delete: usize,
    /// Recorded, removed from the state or waited for; AWS stays as it is.
    other: usize,
    unchanged: usize,
    /// Left as they are, since what would have to be done is among the refusals.
    refused: usize,
}

impl PlanDocument {
    /// A plan, the environment that it is for, and what it costs by these prices.
    pub fn of(plan: &plan::Plan, environment: Option<&str>, prices: Option<Prices>) -> Self {
        let plan::Counts { create, update, replace, delete, other, unchanged, refused } = plan.counts();
        Self {
            format_version: FORMAT_VERSION,
            environment: environment.map(str::to_owned),
            changes: plan.changes.iter().map(Change::from).collect(),
            refusals: plan.refusals.iter().map(Refusal::from).collect(),
            warnings: plan.warnings.clone(),
            counts: Counts { create, update, replace, delete, other, unchanged, refused },
            has_changes: plan.changes_aws(),
            monthly_cost: prices.map(|prices| PlannedCost::of(plan, prices)),
        }
    }
}

impl From<&plan::Change> for Change {
    fn from(change: &plan::Change) -> Self {
        Self {
            address: change.address.to_string(),
            kind: change.kind.as_str().to_owned(),
            name: change.name.clone(),
            action: change.action,
            reason: change.reason.as_ref().map(ToString::to_string),
            attributes: change.attributes.iter().map(AttributeChange::from).collect(),
            impact: change.impact.clone(),
            protected: change.protected,
            delete_first: change.delete_first,
            deposed: change.deposed,
            contents: change.contents.as_ref().map(|contents| Contents {
                objects: contents.objects,
                older_versions: contents.older_versions,
                delete_markers: contents.delete_markers,
                at_least: contents.at_least,
            }),
        }
    }
}

impl From<&plan::AttributeChange> for AttributeChange {
    fn from(change: &plan::AttributeChange) -> Self {
        Self {
            attribute: change.attribute().to_owned(),
            part: change.part.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
            replaces: change.replaces.clone(),
            document: change.document,
        }
    }
}

impl From<&plan::Refusal> for Refusal {
    fn from(refusal: &plan::Refusal) -> Self {
        Self {
            address: refusal.address.to_string(),
            message: refusal.message.clone(),
            hint: refusal.hint.clone(),
            protection: refusal.blocker.is_protection(),
            name_to_give: refusal.blocker.name_to_give().map(str::to_owned),
            owner: refusal.blocker.other_stack().map(str::to_owned),
        }
    }
}
