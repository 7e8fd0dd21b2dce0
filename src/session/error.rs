//! Why a session cannot be used: no region, another account, a state that is somewhere else.

use std::path::PathBuf;

use thiserror::Error;

use crate::error::{Ending, Failure};
use hlctl_config::AccountRegionalName;
use hlctl_engine::state::{Home, Place, StateError};
use hlctl_model::text::shell_quoted;

/// There is no way to AWS as the configuration, the flags and the environment say.
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error("no region is set")]
    NoRegion,
    /// The bucket of the state can be in another region than the stack.
    #[error("no region is set for the state's bucket")]
    NoRegionOfState,
    /// HealthLake is not in the region; the configuration's own words.
    #[error("{0}")]
    Region(String),
    #[error("{variable} is {value:?}, which is not an http:// or https:// URL")]
    Endpoint { variable: String, value: String },
    #[error("the credentials belong to account {account}, but allowed_account_ids has only {}", allowed.join(", "))]
    Account { account: String, allowed: Vec<String> },
    /// A bucket's name is for an account in a region, and these are others.
    #[error("{key} is {name}, a name for account {} in {} alone, but this is account {} in {}", name.account, name.region, own.account, own.region)]
    Namespace {
        /// The key of the configuration.
        key: &'static str,
        /// The name.
        name: AccountRegionalName,
        /// The name that it could have here.
        own: AccountRegionalName,
        home: Home,
    },
}

impl Failure for ConnectError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoRegion
            | Self::NoRegionOfState
            | Self::Region(_)
            | Self::Endpoint { .. }
            | Self::Namespace { .. } => Ending::Usage,
            Self::Account { .. } => Ending::Protected,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRegion => "set `region` in the config, or AWS_REGION, or pass --region".to_owned(),
            Self::NoRegionOfState => "set `region` in the config or in its `backend`, or AWS_REGION".to_owned(),
            Self::Region(_) => "set `region` in the config, AWS_REGION or --region to one that has it".to_owned(),
            Self::Endpoint { variable, .. } => format!("set {variable} to the endpoint's address, or unset it"),
            Self::Namespace { own, home: Home::Sandbox, .. } => format!(
                "for the sandbox set {} and {} to names that end with -{}-{}-an",
                variable("data_bucket_name"),
                variable("logs_bucket_name"),
                own.account,
                own.region
            ),
            Self::Namespace { key, name, own, home: Home::Aws } => format!(
                "write {key} = \"{own}\", or use the credentials of account {} and the region {}",
                name.account, name.region
            ),
            Self::Account { .. } => {
                "use the right account's credentials (AWS_PROFILE), or add the account to allowed_account_ids"
                    .to_owned()
            }
        })
    }
}

/// The variable that sets a key.
fn variable(key: &str) -> String {
    format!("HLCTL_{}", key.to_uppercase())
}

/// The state to go by is not where this run looks for it.
#[derive(Debug, Error)]
pub(crate) enum StateLocationError {
    #[error("{0} does not name a state")]
    NotAPlace(String),
    #[error("{} holds a newer state, which an earlier run could not write to {place}", path.display())]
    Unsaved { path: PathBuf, place: Place },
    #[error("{missing}, and no configuration {}", config.display())]
    NoConfig { missing: StateError, config: PathBuf },
    /// The sandbox has a stack of the same configuration, or AWS has.
    #[error("{missing}, but {stack} is there")]
    OtherHome { missing: StateError, stack: String, home: Home },
    /// Environments of the configuration have one.
    #[error("{missing}, but {} {} one", environments.join(" and "), if environments.len() == 1 { "has" } else { "have" })]
    OfEnvironments { missing: StateError, environments: Vec<String> },
    #[error("there is no state at {place}{}, so there is nothing to destroy", match directory {
        Some(directory) => format!(" in {}", directory.display()),
        None => String::new(),
    })]
    NothingToDestroy {
        place: Place,
        /// What the place is relative to.
        directory: Option<PathBuf>,
        /// Where there is a stack.
        other_home: Option<Home>,
    },
    /// The configuration is a link, and the stack was created by the name of its target.
    #[error("{} is a link to {}, and the state of that is in {}", config.display(), target.display(), state.display())]
    OfLinkTarget { config: PathBuf, target: PathBuf, state: PathBuf },
    /// A backend was configured after the stack was created.
    #[error("{place} is empty, but {} holds a stack", local.display())]
    NotMigrated { place: Place, local: PathBuf },
}

impl Failure for StateLocationError {
    fn ending(&self) -> Ending {
        match self {
            Self::NotAPlace(_) => Ending::Usage,
            Self::Unsaved { .. }
            | Self::NoConfig { .. }
            | Self::OtherHome { .. }
            | Self::OfEnvironments { .. }
            | Self::NothingToDestroy { .. }
            | Self::OfLinkTarget { .. }
            | Self::NotMigrated { .. } => Ending::Elsewhere,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAPlace(_) => "write s3://BUCKET/KEY, or a path".to_owned(),
            Self::Unsaved { path, .. } => format!("restore it with: {}", hlctl!("state push", path.display())),
            Self::NoConfig { .. } => format!(
                "correct -c, or name the state with --state FILE\nfor a new stack: `{}` writes a configuration, and \
                 `{}` creates the stack",
                hlctl!("init"),
                hlctl!("apply")
            ),
            Self::OtherHome { home: Home::Sandbox, .. } => concat!(
                "a sandbox stack exists here: `",
                hlctl!("outputs --sandbox"),
                "` shows it; add --sandbox to the command to work on it"
            )
            .to_owned(),
            Self::OtherHome { home: Home::Aws, .. } => {
                "a stack in AWS exists here: leave --sandbox out, and the variable HLCTL_SANDBOX unset, to work on it"
                    .to_owned()
            }
            Self::OfEnvironments { environments, .. } => {
                let flags: Vec<String> = environments.iter().map(|name| format!("-e {name}")).collect();
                format!("choose an environment of the configuration: {}", flags.join(" or "))
            }
            Self::NothingToDestroy { other_home, .. } => {
                let elsewhere = match other_home {
                    Some(Home::Sandbox) => "\na stack in the sandbox is there: add --sandbox",
                    Some(Home::Aws) => "\na stack in AWS is there: leave --sandbox out",
                    None => "",
                };
                format!(
                    "a stack of another directory or configuration: -c CONFIG, or --state FILE{elsewhere}\nif the \
                     stack exists and its state is lost, find it again by its tags, then destroy it: {}",
                    hlctl!("adopt --discover")
                )
            }
            Self::OfLinkTarget { target, .. } => {
                format!("name the file itself: -c {}", shell_quoted(&target.to_string_lossy()))
            }
            Self::NotMigrated { .. } => concat!("move the state there: ", hlctl!("state migrate")).to_owned(),
        })
    }
}
