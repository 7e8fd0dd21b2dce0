//! What is to be done about a resource, and what of it differs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is to be done about one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Make a new one and delete the old one.
    Replace,
    /// Delete it.
    Delete,
    /// Record what exists and is ours already.
    Adopt,
    /// Wait until AWS has finished with it.
    Settle,
    /// Strike it from the state: it is gone already.
    Forget,
}

impl Action {
    /// Whether this changes anything in AWS.
    pub fn changes_aws(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Replace | Self::Delete)
    }

    /// Its name in JSON and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoOp => "no_op",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Adopt => "adopt",
            Self::Settle => "settle",
            Self::Forget => "forget",
        }
    }

    /// Whether this destroys something.
    pub fn destroys(self) -> bool {
        matches!(self, Self::Delete | Self::Replace)
    }
}

/// One difference: an attribute, or a part of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeChange {
    /// See [`Self::attribute`].
    pub attribute: String,
    /// The member of a map, or the statement of a policy.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub part: Option<String>,
    /// What it is; `None` if it is not there.
    pub before: Option<Value>,
    /// What it shall be; `None` if it shall go. May be the mark of an unknown value, or hold it.
    pub after: Option<Value>,
    /// Why this needs a new resource; `None` if it can be changed in place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub replaces: Option<String>,
    /// Whether it is a policy document's statement.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub document: bool,
}

impl AttributeChange {
    /// The attribute.
    pub fn attribute(&self) -> &str {
        &self.attribute
    }
}
