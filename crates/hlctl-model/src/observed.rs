//! What AWS says of a resource.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Attributes;

/// What AWS says exists.
#[derive(Clone, Debug)]
pub struct Observed<R = Value> {
    /// What the state file should record of it.
    pub recorded: R,
    /// Every attribute that can be read.
    pub attributes: Attributes,
    /// Its tags; `None` for what cannot carry any.
    pub tags: Option<BTreeMap<String, String>>,
    /// Whether it has settled.
    pub condition: Condition,
}

/// One of all that an account has of a type.
#[derive(Clone, Debug)]
pub struct Listed<R = Value> {
    /// What the state file should record of it.
    pub recorded: R,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Whether a resource is ready for use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Ready.
    Ready,
    /// AWS is still working on it; the status as AWS names it.
    Changing(String),
    /// AWS gave up making it; it holds nothing.
    Failed {
        /// The status as AWS names it.
        status: String,
        /// Why, as AWS says.
        cause: String,
    },
    /// Somebody has ordered its end, which can still be called off; whatever else can be done waits for that.
    Ending {
        /// What was ordered, and for when.
        what: String,
        /// How to call it off.
        rescue: String,
    },
    /// AWS gave up on the last change; the resource itself works.
    Impaired {
        /// The status as AWS names it.
        status: String,
        /// Why, as AWS says.
        cause: String,
    },
}

/// What AWS keeps of a resource that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remains {
    /// The id by which it can be brought back.
    pub id: String,
    /// Until when, in seconds since 1970; `None` if AWS does not say.
    pub until: Option<i64>,
    /// Whether it is too late.
    pub is_over: bool,
}

/// How much a bucket holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Current objects.
    pub objects: u64,
    /// Older versions of objects.
    pub older_versions: u64,
    /// Delete markers.
    pub delete_markers: u64,
    /// Whether there is more than was counted.
    pub at_least: bool,
}

impl Contents {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.objects + self.older_versions + self.delete_markers == 0
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        let more = if self.at_least { "at least " } else { "" };
        let plural = |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        write!(
            f,
            "{more}{}, {} and {}",
            plural(self.objects, "object"),
            plural(self.older_versions, "older version"),
            plural(self.delete_markers, "delete marker")
        )
    }
}

/// Something that is attached to a resource, by this stack or by anybody who may change the resource.
#[derive(Clone, Debug)]
pub struct Attachment {
    /// Its kind, as far as hlctl has one.
    pub kind: &'static str,
    /// What it is, in words.
    pub what: String,
    /// What the state would record of it, were it ours.
    pub recorded: Value,
}
