//! The errors that hlctl expects, with what each needs to explain itself.

use std::time::Duration;

use thiserror::Error;

use crate::address::Address;
use crate::aws::{AwsError, ErrorKind, hint};
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::resource::{Contents, Kind};
use crate::wait::{Ended, LookError, Signal};

/// A change to, or a look at, one resource that failed.
#[derive(Clone, Debug, Error)]
pub enum ResourceError {
    /// AWS, or the way to it.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// Something else has the name.
    #[error("{name} exists already and {}", match owner {
        Some(stack) => format!("belongs to another hlctl stack, {stack}"),
        None => "hlctl did not create it".to_owned(),
    })]
    Taken {
        /// The name.
        name: String,
        /// The stack that its tags name.
        owner: Option<String>,
    },
    /// AWS gave up.
    #[error("AWS reports {status}: {cause}")]
    Failed {
        /// Status as AWS names it.
        status: String,
        /// Cause as AWS gives it.
        cause: String,
    },
    /// It did not settle in time.
    #[error("still {status} after {}", crate::ui::duration(*waited))]
    TimedOut {
        /// Last status seen.
        status: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The user asked to stop, or not to wait.
    #[error("still {status}; AWS continues with it")]
    StillGoing {
        /// Last status seen.
        status: String,
    },
    /// A bucket cannot be deleted as it is.
    #[error("the bucket {bucket} holds {contents}")]
    NotEmpty {
        /// The bucket.
        bucket: String,
        /// What it holds.
        contents: Contents,
        /// Whether it is the one for access logs, which holds no patient data.
        is_for_logs: bool,
    },
    /// It was there when the plan was made and is gone now.
    #[error("it has disappeared since the plan was made")]
    Vanished,
    /// The state file holds something that is not a record of this kind.
    #[error("the state's record is not the record of a {kind}: {problem}")]
    Recorded {
        /// The kind.
        kind: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// AWS answered without something it promises.
    #[error("AWS's answer is incomplete: {0}")]
    Answer(String),
    /// A request that the SDK would not even build.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// hlctl contradicts itself.
    #[error("this is a mistake in hlctl: {0}")]
    Internal(String),
}

const ANOTHER_NAME: &str = "choose another name in the config";

impl ResourceError {
    /// A request that the SDK would not build.
    pub fn request(error: impl std::fmt::Display) -> Self {
        Self::Request(error.to_string())
    }

    /// The next step for a resource at this address that the state does not record.
    pub fn hint_at(&self, address: &Address) -> Option<String> {
        let Self::Taken { name, owner } = self else { return self.hint() };
        // A log-in domain belongs to its pool and cannot be taken from it.
        if name.is_empty() || Kind::parse(address.kind()) == Some(Kind::CognitoUserPoolDomain) {
            return self.hint();
        }
        let (occasion, command) = match owner {
            Some(_) => ("if that stack is abandoned", CommandLine::new("adopt --take-over")),
            None => ("to make it part of this stack", CommandLine::new("adopt")),
        };
        let command = command.operand(address).operand(name);
        Some(format!("{ANOTHER_NAME}; or, {occasion}, adopt it: {command}"))
    }

    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(error) => hint::hint(error),
            Self::Taken { .. } => Some(ANOTHER_NAME.to_owned()),
            Self::TimedOut { .. } | Self::StillGoing { .. } => {
                Some(concat!("`", hlctl!("wait"), "` keeps waiting; `", hlctl!("apply"), "` continues where this \
                    stopped").to_owned())
            }
            Self::NotEmpty { is_for_logs: true, .. } => Some(
                "--force-destroy=logs (or force_destroy = \"logs\" in the config) empties only the logs bucket: \
                 objects in the data bucket still stop a destroy"
                    .to_owned(),
            ),
            Self::NotEmpty { is_for_logs: false, .. } => Some(
                "set force_destroy = true in the config (or pass --force-destroy) to delete every version of every object in both \
                 buckets, patient data included, or empty the bucket yourself"
                    .to_owned(),
            ),
            Self::Vanished => Some("run the command again to plan with what is there now".to_owned()),
            Self::Failed { status, .. } if status == "CREATE_FAILED" => {
                Some("fix the cause; the next apply creates a new store in place of the failed one".to_owned())
            }
            Self::Failed { .. } => Some("fix the cause, then run the command again".to_owned()),
            Self::Recorded { .. } => Some("the backup next to the state may be intact".to_owned()),
            Self::Answer(_) | Self::Request(_) | Self::Internal(_) => None,
        }
    }

    /// Whether S3 says that the bucket of this name is another account's, or in another region.
    pub fn is_about_anothers_bucket(&self) -> bool {
        matches!(self, Self::Aws(error) if error.service == "s3"
            && (error.kind == ErrorKind::WrongRegion || error.kind == ErrorKind::Denied))
    }

    /// Whether AWS does not take the credentials.
    pub fn is_about_credentials(&self) -> bool {
        matches!(self, Self::Aws(error) if error.kind == ErrorKind::Credentials)
    }

    /// Whether the call was not made because the lock is lost.
    pub fn was_not_sent(&self) -> bool {
        matches!(self, Self::Aws(error) if error.kind == ErrorKind::NotSent)
    }

    /// Whether AWS is still at work and nothing is wrong.
    pub fn is_unfinished(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::StillGoing { .. })
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            error if error.is_about_credentials() => ExitCode::Credentials,
            Self::NotEmpty { .. } => ExitCode::Protected,
            error if error.is_unfinished() => ExitCode::Incomplete,
            _ => ExitCode::Failure,
        }
    }
}

impl LookError for ResourceError {
    fn is_lost_connection(&self) -> bool {
        let lost = |kind| matches!(kind, ErrorKind::NoAnswer | ErrorKind::Silent | ErrorKind::Unreachable);
        matches!(self, Self::Aws(error) if lost(error.kind))
    }
}

impl LookError for CommandError {
    fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Resource { error, .. } if error.is_lost_connection())
    }
}

impl From<Ended<ResourceError>> for ResourceError {
    fn from(ended: Ended<ResourceError>) -> Self {
        match ended {
            Ended::Failed(error) => error,
            Ended::TimedOut(status) => Self::TimedOut { status, waited: Duration::ZERO },
            Ended::Stopped(status) => Self::StillGoing { status },
        }
    }
}

/// A command that ends without having done its work.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The configuration has problems.
    #[error("{0}")]
    Config(crate::config::Problems),
    /// There is no code for the Lambda function.
    #[error("{0}")]
    Package(crate::package::PackageError),
    /// There is no record of a run, or none that can be used.
    #[error("{0}")]
    Journal(#[from] crate::journal::JournalError),
    /// A test user has no password.
    #[error("{0}")]
    Password(crate::materials::PasswordError),
    /// One resource failed outside a walk.
    #[error("{address}: {error}")]
    Resource {
        /// The resource.
        address: Address,
        /// What happened.
        error: ResourceError,
    },
    /// Resources that could not be read.
    #[error("{}", lines(.0.iter().map(|(address, error)| format!("{address}: {error}"))))]
    Unreadable(Vec<(Address, ResourceError)>),
    /// AWS answered a call that belongs to no resource with an error.
    #[error("{0}")]
    Aws(AwsError),
    /// The state cannot be used.
    #[error("{0}")]
    State(#[from] crate::state::StateError),
    /// AWS was changed and the state could not be written.
    #[error("resources changed, but the state could not be saved: {error}{}", match kept {
        Some(kept) => format!("\nthe unsaved state is in {}", kept.display()),
        None => String::new(),
    })]
    Unsaved {
        /// Why not.
        error: crate::state::StateError,
        /// Where it was written instead.
        kept: Option<std::path::PathBuf>,
    },
    /// The state to go by is not where the configuration says.
    #[error("{message}")]
    Stranded {
        /// Where it is.
        message: String,
        /// How it is brought home.
        hint: String,
    },
    /// The plan may not be carried out.
    #[error("{}", .0.join("\n"))]
    Refused(Vec<String>),
    /// Something that hlctl protects would be destroyed.
    #[error("{message}")]
    Protected {
        /// What and why.
        message: String,
        /// The command that would do it all the same, or another way out.
        hint: String,
    },
    /// Not all was done; the summary has said what.
    #[error("{message}")]
    Incomplete {
        /// What is left.
        message: String,
        /// How to go on.
        hint: String,
    },
    /// AWS is at work, and the user asked not to wait for it.
    #[error("{message}")]
    LeftRunning {
        /// What is under way.
        message: String,
        /// How to wait for it after all.
        hint: String,
    },
    /// The user said no.
    #[error("nothing was changed: {0}")]
    Declined(&'static str),
    /// A signal came before anything was begun.
    #[error("interrupted; nothing was changed")]
    Interrupted(Signal),
    /// The command line asks for something that does not exist.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: String,
    },
    /// There is no token, or nothing could be asked with it.
    #[error("{0}")]
    Oauth(#[from] crate::oauth::OauthError),
    /// The store's FHIR interface did not do it.
    #[error("{0}")]
    Fhir(#[from] crate::fhir::FhirError),
    /// Everything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl From<Box<crate::fhir::Refusal>> for CommandError {
    fn from(refusal: Box<crate::fhir::Refusal>) -> Self {
        Self::Fhir(refusal.into())
    }
}

impl CommandError {
    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Resource { address, error } => error.hint_at(address),
            Self::Unreadable(errors) => hints(errors.iter().filter_map(|(address, error)| error.hint_at(address))),
            Self::Aws(error) => hint::hint(error),
            Self::State(error) => error.hint(),
            Self::Unsaved { kept: Some(kept), .. } => {
                Some(format!("when S3 can be reached again, restore it with: {}", hlctl!("state push", kept.display())))
            }
            Self::Unsaved { error, .. } if error.hint().is_some() => error.hint(),
            Self::Unsaved { .. } => Some(
                "nothing is lost: fix the cause (free disk space, or make the directory writable), then run the \
                 command again; it finds what was created"
                    .to_owned(),
            ),
            Self::Package(error) => Some(error.hint()),
            Self::Password(error) => Some(error.hint().to_owned()),
            Self::Journal(error) => Some(error.hint().to_owned()),
            Self::Oauth(error) => error.hint(),
            Self::Fhir(error) => error.hint(),
            Self::Protected { hint, .. }
            | Self::Incomplete { hint, .. }
            | Self::LeftRunning { hint, .. }
            | Self::Usage { hint, .. }
            | Self::Stranded { hint, .. } => Some(hint.clone()),
            Self::Config(_) | Self::Refused(_) | Self::Declined(_) | Self::Interrupted(_) | Self::Other(_) => None,
        }
    }

    /// The exit code that `docs/exit-codes.md` promises.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Resource { error, .. } => error.exit_code(),
            Self::Unreadable(errors) => errors.first().map_or(ExitCode::Failure, |(_, error)| error.exit_code()),
            Self::Aws(error) => ResourceError::Aws(error.clone()).exit_code(),
            Self::State(crate::state::StateError::Locked { .. }) => ExitCode::Locked,
            Self::State(crate::state::StateError::StillLocked { .. }) => ExitCode::Incomplete,
            Self::State(crate::state::StateError::Remote { error, .. }) => {
                ResourceError::Aws((**error).clone()).exit_code()
            }
            Self::Protected { .. } => ExitCode::Protected,
            Self::Incomplete { .. } | Self::LeftRunning { .. } | Self::Unsaved { .. } => ExitCode::Incomplete,
            Self::Usage { .. } => ExitCode::Usage,
            Self::Fhir(error) if error.is_about_credentials() => ExitCode::Credentials,
            Self::Interrupted(Signal::Interrupt) => ExitCode::Interrupted,
            Self::Interrupted(Signal::Terminate | Signal::HangUp) => ExitCode::Terminated,
            Self::Config(_)
            | Self::Package(_)
            | Self::Password(_)
            | Self::Journal(_)
            | Self::State(_)
            | Self::Refused(_)
            | Self::Stranded { .. }
            | Self::Declined(_)
            | Self::Oauth(_)
            | Self::Fhir(_)
            | Self::Other(_) => ExitCode::Failure,
        }
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// Each hint once.
fn hints(hints: impl Iterator<Item = String>) -> Option<String> {
    let mut each: Vec<String> = Vec::new();
    for hint in hints.filter(|hint| !hint.is_empty()) {
        if !each.contains(&hint) {
            each.push(hint);
        }
    }
    (!each.is_empty()).then(|| each.join("\n"))
}
