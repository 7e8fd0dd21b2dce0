//! Why something is not adopted.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde_json::Value;
use thiserror::Error;

use crate::adopt::cloudformation::CloudFormationError;
use crate::adopt::instance::{InstanceError, Tool};
use crate::adopt::tfstate::TfStateError;
use crate::error::{Ending, Failure};
use hlctl_engine::state::Place;
use hlctl_model::AttributeChange;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;

/// The command line, a Terraform state or a state names something that cannot be adopted.
#[derive(Debug, Error)]
pub(super) enum AdoptError {
    /// Only single resources are added to a state.
    #[error("there is a state already: {0}")]
    StateExists(Place),
    #[error("{} exists already", .0.display())]
    ConfigExists(PathBuf),
    #[error("the configuration that is written has no environments, so it cannot be for {0}")]
    NewEnvironment(String),
    /// Resources with their owners.
    #[error("{}", .0.iter().map(|(address, name, owner)| format!("{address}: {name} belongs to another hlctl stack, {owner}"))
        .collect::<Vec<_>>().join("\n"))]
    OfAnotherStack(Vec<(Address, String, String)>),
    /// The tags lead to a stack whose data is not that of this configuration.
    #[error("{0}")]
    OtherStack(OtherStack),
    #[error("the config has no resource {address}")]
    NotWanted { address: Address, nearest: Option<String> },
    #[error("hlctl knows no {0}")]
    UnknownKind(String),
    #[error("{id:?} is not an id of a {kind}")]
    NotAnId { id: String, kind: String, example: &'static str },
    /// The state has this resource, or another one at the address.
    #[error("the state already has {} at {at}", id.as_deref().unwrap_or("another"))]
    AlreadyThere { id: Option<String>, at: Address },
    #[error("there is no {kind} {id} in account {account}, region {region}")]
    NotFound { kind: String, id: String, account: String, region: String },
    #[error("{id} does not match the config, and an apply would replace it:{}", .differing.iter().map(differs).collect::<String>())]
    WouldBeReplaced { id: String, differing: Vec<AttributeChange> },
    /// Another state file has this stack.
    #[error("{} holds the stack {stack} already", path.display())]
    HeldElsewhere { path: PathBuf, stack: String, options: String },
    /// Several resources have the tags of one address.
    #[error("{}", .0.iter().map(|(address, ids)| format!("{address}: there are {}: {}", ids.len(), ids.join(", ")))
        .collect::<Vec<_>>().join("\n"))]
    Ambiguous(Vec<(Address, Vec<String>)>),
    #[error("AWS has nothing with this config's tags{}", match left.as_slice() {
        [] => String::new(),
        left => format!("; not adopted:\n  {}", left.join("\n  ")),
    })]
    NothingFound {
        /// What was seen and is not adopted.
        left: Vec<String>,
        has_candidates: bool,
    },
    #[error("{from} cannot be read: {error}")]
    Unreadable { from: String, error: io::Error },
    #[error("{0} names no object")]
    NoObject(String),
    #[error("{0} is too large for a state or a list of resources, over 256 MiB")]
    TooLarge(String),
    #[error("{from}: {error}")]
    TerraformState { from: String, error: TfStateError },
    #[error("{from}: {error}")]
    Instance { from: String, error: InstanceError },
    /// Terraform was interrupted while it waited for the store.
    #[error("Terraform was interrupted while it created the store {terraform}{}: the state does not have its name", match id {
        Some(id) => format!(" ({id})"),
        None => String::new(),
    })]
    UnfinishedStore {
        /// Terraform's address.
        terraform: String,
        /// Its id, if Terraform noted that.
        id: Option<String>,
    },
    /// `removed` blocks were asked for.
    #[error("no `removed` block can name the module {0} alone: it is one of several, and a block is for all of them")]
    OneOfSeveral(String),
    #[error("the Terraform state does not say which account and region it is for")]
    NoAccount,
    #[error("{} belongs to account {account}, but the credentials belong to {now}", what_is_adopted(*.tool))]
    OtherAccount { tool: Tool, account: String, now: String },
    #[error("the store that {} names does not exist", what_is_adopted(*.0))]
    NoStore(Tool),
    /// Its tokens come from elsewhere; hlctl has a store's validator and user pool in the store's own stack.
    #[error("the store is a SMART on FHIR store, and {} has no user pool", what_is_adopted(*.0))]
    NoPool(Tool),
    #[error("{from}: {error}")]
    CloudFormation { from: String, error: CloudFormationError },
}

impl Failure for AdoptError {
    fn ending(&self) -> Ending {
        match self {
            Self::OfAnotherStack(_) | Self::OtherStack(_) => Ending::Protected,
            Self::WouldBeReplaced { .. } => Ending::Refused,
            _ => Ending::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::StateExists(_) => concat!(
                "single resources can be added to it: `",
                hlctl!("adopt ADDRESS ID"),
                "`. For another stack, name another config (-c) or state (--state)"
            )
            .to_owned(),
            Self::NewEnvironment(_) => "leave -e out, and the variable HLCTL_ENV unset; the state can become that of an \
                                        environment later"
                .to_owned(),
            Self::ConfigExists(_) => "`adopt` writes a new configuration and overwrites none: move this one away, or \
                                      name another file with -c FILE"
                .to_owned(),
            Self::WouldBeReplaced { .. } => return None,
            Self::OtherStack(other) => other.hint(),
            Self::OfAnotherStack(_) => {
                "use that stack's config and state; if that stack is abandoned, --take-over adopts them".to_owned()
            }
            Self::NotWanted { nearest, .. } => {
                let nearest = nearest.as_ref().map(|near| format!("did you mean {near}? ")).unwrap_or_default();
                format!("{nearest}`{}` shows the addresses", hlctl!("plan"))
            }
            Self::UnknownKind(_) => concat!("`", hlctl!("plan"), "` shows the addresses").to_owned(),
            Self::NotAnId { example, .. } => format!("give the same id as to `terraform import`: {example}"),
            Self::AlreadyThere { at, .. } => format!("`{}` shows it", hlctl!("state show", at)),
            Self::NotFound { .. } => "check the id, the region and the credentials".to_owned(),
            Self::HeldElsewhere { options, .. } => format!(
                "use that state: {options}\nif the file is only an old copy, move it to another directory first"
            ),
            Self::Ambiguous(_) => concat!(
                "choose one: `",
                hlctl!("adopt ADDRESS ID"),
                "`; you can adopt the others one by one too, or let the next plan find them"
            )
            .to_owned(),
            Self::NothingFound { has_candidates: true, .. } => {
                "if they belong to this config, --by-name adopts them".to_owned()
            }
            Self::NothingFound { has_candidates: false, .. } => concat!(
                "check the config's names, the region and the credentials; `",
                hlctl!("apply"),
                "` creates a stack"
            )
            .to_owned(),
            Self::Unreadable { .. } => "check the path; `terraform state pull > tf.tfstate` saves a Terraform state from any backend".to_owned(),
            Self::NoObject(_) => "write s3://BUCKET/KEY, as in the backend's configuration".to_owned(),
            Self::TooLarge(_) => "name the state itself".to_owned(),
            Self::CloudFormation { error, .. } => error.hint(),
            Self::TerraformState { error, .. } => error.hint().to_owned(),
            Self::Instance { error, .. } => error.hint(),
            Self::UnfinishedStore { .. } => "let Terraform read it again and save what it finds: `terraform apply \
                                             -refresh-only`; then get the state again"
                .to_owned(),
            Self::OneOfSeveral(_) => "leave out --as: `state rm` can name one of several modules".to_owned(),
            Self::NoPool(_) => "hlctl keeps the store, its token validator and its user pool in one stack: adopt a state that has all of \
                                them, or leave the store with the tool that made it"
                .to_owned(),
            Self::NoAccount => "run `terraform apply` to completion first: the store has no ARN yet".to_owned(),
            Self::OtherAccount { .. } => "use that account's credentials (AWS_PROFILE, or --profile)".to_owned(),
            Self::NoStore(Tool::CloudFormation) => {
                "check the credentials, the region and --sandbox; `aws cloudformation detect-stack-drift` shows what was deleted".to_owned()
            }
            Self::NoStore(Tool::Terraform) => "check the credentials and --sandbox; if the store was deleted, `terraform apply \
                              -refresh-only` updates the Terraform state"
                .to_owned(),
        })
    }
}

fn what_is_adopted(tool: Tool) -> &'static str {
    match tool {
        Tool::Terraform => "the Terraform state",
        Tool::CloudFormation => "the stack of CloudFormation",
    }
}

fn differs(change: &AttributeChange) -> String {
    let value = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), ToString::to_string);
    format!("\n{}: it has {}, the config says {}", change.attribute(), value(&change.before), value(&change.after))
}

/// A stack that is not the configuration's.
#[derive(Debug)]
pub(super) struct OtherStack {
    pub(super) stack: String,
    /// The names of its stores.
    pub(super) stores: Vec<String>,
    /// Addresses and names that the configuration has too.
    pub(super) shared: Vec<(Address, String)>,
    pub(super) datastore_name: String,
    /// The state file that holds it, and the options that lead there.
    pub(super) held: Option<(PathBuf, String)>,
    /// The command that takes it over.
    pub(super) take_over: CommandLine,
}

impl fmt::Display for OtherStack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stack {} ", self.stack)?;
        match self.stores.as_slice() {
            [] => write!(f, "has no store that could be found")?,
            names => write!(f, "has the store {}", names.join(", "))?,
        }
        write!(f, ", and datastore_name is {:?}", self.datastore_name)?;
        let shared: Vec<String> = self.shared.iter().map(|(address, name)| format!("{address} ({name})")).collect();
        if shared.is_empty() { Ok(()) } else { write!(f, "; in common: {}", shared.join(", ")) }
    }
}

impl OtherStack {
    fn hint(&self) -> String {
        let mut hints: Vec<String> = Vec::new();
        hints.extend(
            self.held.as_ref().map(|(path, options)| format!("{} holds that stack: {options}", path.display())),
        );
        if !self.shared.is_empty() {
            hints.push(
                "if it is another stack, choose other names in the configuration for what they have in common"
                    .to_owned(),
            );
        }
        if let [name] = self.stores.as_slice() {
            hints.push(format!("if it is this configuration's stack, set datastore_name = {name:?} again"));
        }
        if self.held.is_none() {
            hints.push(format!(
                "to manage that stack with this configuration, so that the next apply changes it, store included: {}",
                self.take_over
            ));
        }
        hints.join("\n")
    }
}
