//! Why a state is not moved, written over or recovered, and what it does not hold.

use thiserror::Error;

use crate::error::{Ending, Failure};
use hlctl_engine::state::Place;
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;

/// A command about the state itself does not go on.
#[derive(Debug, Error)]
pub(in crate::commands) enum StateCommandError {
    #[error("the state has no resource {address}")]
    NoResource { address: Address, nearest: Option<String> },
    #[error("{0} is intact: there is nothing to recover")]
    Intact(Place),
    #[error("the state is already at {0}")]
    AlreadyThere(Place),
    /// A stack of no environment would become that of one, which cannot be undone.
    #[error("the state of {stack} would become that of the environment {name} for good, and only HLCTL_ENV names it")]
    OnlyByVariable {
        /// The stack.
        stack: String,
        /// The environment.
        name: String,
    },
    /// There is nothing to move where the configuration says, or at a place that was named.
    #[error("there is no state at {place} to move{}", match configured {
        Some(configured) => format!("; according to the configuration it is at {configured}"),
        None => String::new(),
    })]
    NothingToMove {
        place: Place,
        /// Where the configuration has it, if that is another place.
        configured: Option<Place>,
    },
    #[error("{to} holds another stack, {stack}")]
    OtherStackThere { to: Place, stack: String },
    #[error("{to} holds a newer state of this stack, with serial {there}")]
    NewerThere { from: Place, to: Place, here: u64, there: u64 },
    /// A file is no state.
    #[error("{place} cannot be pushed: {problem}")]
    NotAState { place: Place, problem: String },
    #[error("{place} holds another stack, {stack}")]
    WouldReplaceStack { place: Place, stack: String },
    #[error("{place} is newer: serial {there} there, {pushed} in the file")]
    WouldReplaceNewer { place: Place, there: u64, pushed: u64 },
}

impl Failure for StateCommandError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoResource { .. }
            | Self::Intact(_)
            | Self::AlreadyThere(_)
            | Self::OnlyByVariable { .. }
            | Self::NothingToMove { .. } => Ending::Usage,
            Self::OtherStackThere { .. }
            | Self::NewerThere { .. }
            | Self::NotAState { .. }
            | Self::WouldReplaceStack { .. }
            | Self::WouldReplaceNewer { .. } => Ending::Elsewhere,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::OnlyByVariable { name, .. } => {
                format!(
                    "if that is meant, name it on the command line with -e {name}; otherwise unset the variable HLCTL_ENV"
                )
            }
            Self::NoResource { nearest: Some(near), .. } => format!("did you mean {near}?"),
            Self::NoResource { nearest: None, .. } => {
                concat!("`", hlctl!("state list"), "` shows the addresses").to_owned()
            }
            Self::Intact(_) => {
                concat!("to go back to the backup anyway: ", hlctl!("state push --force FILE")).to_owned()
            }
            Self::AlreadyThere(_) => "name another place: `backend` in the config, or --to, or --from".to_owned(),
            Self::NothingToMove { configured: None, .. } => {
                concat!("name its place: ", hlctl!("state migrate --from PLACE")).to_owned()
            }
            Self::NothingToMove { place, configured: Some(configured) } => {
                let migrate = CommandLine::new("state migrate")
                    .option("--from", &configured.to_string())
                    .option("--to", &place.to_string());
                format!("move it there: {migrate}")
            }
            Self::OtherStackThere { .. } => "choose another place".to_owned(),
            Self::NewerThere { from, here, .. } => format!("use that one; {from} has serial {here}"),
            Self::NotAState { .. } => concat!(
                "the current state was not changed. Push a file as written by `",
                hlctl!("state pull"),
                "` or by hlctl itself"
            )
            .to_owned(),
            Self::WouldReplaceStack { .. } | Self::WouldReplaceNewer { .. } => concat!(
                "look at both (",
                hlctl!("state pull"),
                "). --force overwrites it; the current state becomes the backup"
            )
            .to_owned(),
        })
    }
}
