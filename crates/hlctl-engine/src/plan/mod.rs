//! What is to be done: reads what exists, compares it with what is wanted, and decides. Changes nothing anywhere.

pub mod decide;
pub mod diff;
mod error;
mod names;
mod predict;
mod reason;
pub mod refresh;
mod refresh_only;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use decide::{Options, build, can_bring_its_data};
pub use diff::parts;
pub use error::PlanError;
pub use names::{UnknownName, names};
pub use predict::predict;
pub use reason::Reason;
pub use refresh::{Seen, Unseen, refresh, survey};
pub use refresh_only::refresh_only;

use hlctl_model::address::Address;
use hlctl_model::graph::Graph;
pub use hlctl_model::{Action, AttributeChange};
use hlctl_model::{Attributes, Contents, UNKNOWN};

/// One resource's part of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change<K> {
    /// The resource.
    pub address: Address,
    /// Its kind.
    pub kind: K,
    /// The name a user knows it by, where it has one already.
    pub name: Option<String>,
    /// What is to be done.
    pub action: Action,
    /// Why, where that is not plain.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<Reason>,
    /// What differs.
    pub attributes: Vec<AttributeChange>,
    /// What it means for patient data and for those who use the store.
    #[serde(rename = "meaning", skip_serializing_if = "Vec::is_empty", default)]
    pub impact: Vec<String>,
    /// Whether it may be destroyed only by name.
    pub protected: bool,
    /// For a replacement: whether the old one must go before the new one can be made.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub delete_first: bool,
    /// Whether another has its address already, so that only the deletion is left to do.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub deposed: bool,
    /// What would be lost with it, if it is a bucket that is to go.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contents: Option<Contents>,
    /// Its identity, where it has one.
    #[serde(skip)]
    pub recorded: Option<Value>,
    /// What it looks like now.
    #[serde(skip)]
    pub observed: Option<Attributes>,
}

/// Everything that is to be done.
#[derive(Clone, Debug)]
pub struct Plan<K> {
    /// One change for each resource, those without any included, in the order of need.
    pub changes: Vec<Change<K>>,
    /// Which resource needs which, of those wanted.
    pub graph: Graph,
    /// Reasons why it may not be carried out at all.
    pub refusals: Vec<Refusal>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Names that were given to allow their destruction, and that nothing in the stack has.
    pub unknown_names: Vec<UnknownName>,
    /// Differences of texts that the attributes have digests of. A terminal shows them; no file and no other program gets them.
    pub texts: BTreeMap<Address, String>,
}

/// Why apply would refuse this plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The resource.
    pub address: Address,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// What kind of obstacle it is, and so what lifts it.
    pub blocker: Blocker,
}

/// What kind of obstacle a refusal is. Commands decide by it how they end and whether they ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocker {
    /// Something in AWS or in the configuration that no option lifts.
    Conflict,
    /// A conflict with what the tags of another stack claim.
    OtherStack(String),
    /// A quota of the account that what is planned would exceed.
    Quota,
    /// The protection of data; the hint says what lifts it.
    Protection,
    /// The protection of something that may be destroyed once this name is given.
    NeedsName(String),
}

impl Blocker {
    /// Whether protection is what stands in the way, rather than something in AWS.
    pub fn is_protection(&self) -> bool {
        matches!(self, Self::Protection | Self::NeedsName(_))
    }

    /// The name that, once given, lifts the refusal.
    pub fn name_to_give(&self) -> Option<&str> {
        match self {
            Self::NeedsName(name) => Some(name),
            Self::Conflict | Self::OtherStack(_) | Self::Quota | Self::Protection => None,
        }
    }

    /// The stack whose tags are in the way.
    pub fn other_stack(&self) -> Option<&str> {
        match self {
            Self::OtherStack(stack) => Some(stack),
            Self::Conflict | Self::Quota | Self::Protection | Self::NeedsName(_) => None,
        }
    }
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be made.
    pub create: usize,
    /// To be changed in place.
    pub update: usize,
    /// To be replaced.
    pub replace: usize,
    /// To be deleted.
    pub delete: usize,
    /// To be recorded or removed from the state, or waited for; AWS stays as it is.
    pub other: usize,
    /// Left as they are, since nothing of them differs.
    pub unchanged: usize,
    /// Left as they are, since the plan refuses what would have to be done.
    pub refused: usize,
}

impl<K> Default for Plan<K> {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            graph: Graph::default(),
            refusals: Vec::new(),
            warnings: Vec::new(),
            unknown_names: Vec::new(),
            texts: BTreeMap::new(),
        }
    }
}

impl<K> Plan<K> {
    /// How many of each.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for change in &self.changes {
            let count = match change.action {
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Replace => &mut counts.replace,
                Action::Delete => &mut counts.delete,
                Action::Adopt | Action::Forget | Action::Settle => &mut counts.other,
                Action::NoOp if self.refuses(&change.address) => &mut counts.refused,
                Action::NoOp => &mut counts.unchanged,
            };
            *count += 1;
        }
        counts
    }

    fn refuses(&self, address: &Address) -> bool {
        self.refusals.iter().any(|refusal| refusal.address == *address)
    }

    /// Shows the tag of this name as not known yet.
    pub fn hide(&mut self, tag: &str) {
        let tags = self.changes.iter_mut().flat_map(|change| &mut change.attributes);
        for change in tags.filter(|change| change.attribute() == "tags" && change.part.as_deref() == Some(tag)) {
            change.after = Some(UNKNOWN.into());
        }
    }

    /// Whether there is something to report as a change: anything but waiting.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|change| !matches!(change.action, Action::NoOp | Action::Settle))
    }

    /// Whether anything would change in AWS.
    pub fn changes_aws(&self) -> bool {
        self.changes.iter().any(|change| change.action.changes_aws())
    }

    /// Whether an apply has anything to do, be it only in the state or waiting.
    pub fn has_work(&self) -> bool {
        self.changes.iter().any(|change| change.action != Action::NoOp)
    }
}
