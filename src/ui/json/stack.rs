//! `hlctl state list --json`, `hlctl graph --json`, `hlctl adopt --json`, and any command for several configurations.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{FORMAT_VERSION, FailureDocument, PlanDocument};

/// The resources that the state has.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StateList {
    format_version: u32,
    resources: Vec<ListedResource>,
}

/// A resource of the state.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ListedResource {
    /// Its address.
    pub address: String,
    /// Its kind.
    pub kind: String,
    /// How far it is.
    pub status: StatusDocument,
    /// Whether it is destroyed only by name.
    pub protected: bool,
    /// Whether this hlctl knows the address.
    pub known: bool,
    /// Its identity, or null while AWS has not given one.
    pub recorded: Option<Value>,
}

/// How far a resource of the state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ResourceStatus")]
pub enum StatusDocument {
    /// It is being created.
    Creating,
    /// It exists.
    Ready,
    /// It is being deleted.
    Deleting,
}

impl From<hlctl_engine::state::Status> for StatusDocument {
    fn from(status: hlctl_engine::state::Status) -> Self {
        use hlctl_engine::state::Status::{Creating, Deleting, Ready};
        match status {
            Creating => Self::Creating,
            Ready => Self::Ready,
            Deleting => Self::Deleting,
        }
    }
}

impl StateList {
    /// Of these resources.
    pub fn of(resources: Vec<ListedResource>) -> Self {
        Self { format_version: FORMAT_VERSION, resources }
    }
}

/// The dependency graph.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Graph")]
pub struct GraphDocument {
    format_version: u32,
    resources: Vec<GraphNode>,
}

/// A resource of the graph.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GraphNode {
    /// Its address.
    pub address: String,
    /// Its kind.
    pub kind: String,
    /// How it stands, or with `--plan` the action; null without a state.
    pub status: Option<&'static str>,
    /// Every direct dependency.
    pub needs: Vec<String>,
}

impl GraphDocument {
    /// Of these resources.
    pub fn of(resources: Vec<GraphNode>) -> Self {
        Self { format_version: FORMAT_VERSION, resources }
    }
}

/// What was adopted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Adopted {
    /// Version of the format.
    pub format_version: u32,
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The stack's name.
    pub stack: String,
    /// Where its state is.
    pub state: String,
    /// What the state now holds.
    pub adopted: Vec<AdoptedResource>,
    /// Addresses of what the Terraform state has and AWS does not.
    pub missing: Vec<String>,
    /// What was found and not adopted, in words.
    pub left: Vec<String>,
    /// Addresses of resources with tags that the others do not have.
    pub own_tags: Vec<String>,
    /// Terraform's addresses of what it holds to be damaged and would replace.
    pub tainted: Vec<String>,
    /// Protections that the next apply takes away, in words.
    pub protections_removed: Vec<String>,
    /// The configuration that was written.
    pub config: Option<WrittenConfig>,
    /// The command that removes the resources from Terraform's state; with `--as removed-blocks`, a block for each.
    pub commands: Vec<String>,
    /// What an apply would do; of a single resource, only its part.
    pub plan: PlanDocument,
}

/// A resource that was adopted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AdoptedResource {
    /// Its address.
    pub address: String,
    /// Its id, as `terraform import` takes it.
    pub id: String,
    /// Its address in the Terraform state.
    pub terraform: Option<String>,
    /// Its type and logical id in CloudFormation's stack, such as `AWS::S3::Bucket.DataBucket`.
    pub cloudformation: Option<String>,
}

/// A configuration that was written.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WrittenConfig {
    /// The file.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// What a command printed for each of several configurations.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stacks {
    format_version: u32,
    stacks: Vec<StackEnd>,
}

/// How the command ended for one of them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StackEnd {
    /// The configuration.
    pub config: String,
    /// The exit code that the command alone would have had.
    pub exit_code: u8,
    /// The document of the command, or null where it printed none.
    pub result: Option<Value>,
    /// What ended it.
    pub error: Option<FailureDocument>,
}

impl Stacks {
    /// Of these stacks.
    pub fn of(stacks: Vec<StackEnd>) -> Self {
        Self { format_version: FORMAT_VERSION, stacks }
    }
}
