//! What can go wrong with one resource, and the next step.

use std::time::Duration;

use thiserror::Error;

use super::{Contents, Kind};
use crate::package::ArchiveError;
use hlctl_aws::{AwsError, ErrorKind, hint, ops};
use hlctl_engine::wait::{Ended, PollError};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::shell_quoted;

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
    #[error("still {status} after {}", hlctl_model::text::duration(*waited))]
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
    /// Somebody else wrote the draft of a profile while hlctl published it.
    #[error("version {version} was published with another mapping: another client wrote the draft at the same time")]
    PublishedAnothers {
        /// The version.
        version: i32,
    },
    /// The secret of an app client, which only AWS had.
    #[error("Cognito does not return the secret of the app client {0}")]
    SecretNotReturned(String),
    /// AWS answered without something it promises.
    #[error("AWS's answer is incomplete: {0}")]
    Answer(String),
    /// A request that the SDK would not even build.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// hlctl contradicts itself.
    #[error("this is a bug in hlctl: {0}")]
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
        let (planned, command) = match owner {
            Some(_) => ("if that stack is abandoned", CommandLine::new("adopt --take-over")),
            None => ("to make it part of this stack", CommandLine::new("adopt")),
        };
        let command = command.operand(address).operand(name);
        let hint = format!("{ANOTHER_NAME}; or, {planned}, adopt it: {command}");
        // Nothing that a stack made lacks its tags, and Lambda gives a group none.
        let may_be_lambdas = Kind::parse(address.kind()) == Some(Kind::CloudwatchLogGroup) && owner.is_none();
        if may_be_lambdas {
            let name = shell_quoted(name);
            let delete = format!("aws logs delete-log-group --log-group-name {name}");
            return Some(format!(
                "{hint}\nLambda makes such a group when a function writes its last lines after the group was deleted; if it holds \
                 nothing that is needed: {delete}"
            ));
        }
        Some(hint)
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
            Self::Vanished | Self::PublishedAnothers { .. } => Some("run the command again to plan with what is there now".to_owned()),
            Self::Failed { status, .. } if status == "CREATE_FAILED" => {
                Some("fix the cause; the next apply creates a new store in place of the failed one".to_owned())
            }
            Self::Failed { .. } => Some("fix the cause, then run the command again".to_owned()),
            Self::Recorded { .. } => Some("the backup next to the state may be intact".to_owned()),
            Self::SecretNotReturned(_) => Some(concat!(
                "its secrets were rotated or published to AWS Secrets Manager: use the value that was handed out then, with \
                 --client-secret-env where hlctl needs it; `",
                hlctl!("smart rotate-secret --show-secrets"),
                "` adds another secret and prints it"
            ).to_owned()),
            Self::Answer(_) | Self::Request(_) | Self::Internal(_) => None,
        }
    }

    /// Whether S3 says that the bucket of this name is another account's, or in another region.
    pub fn is_about_anothers_bucket(&self) -> bool {
        matches!(self, Self::Aws(error) if error.service() == Some(ops::s3::SERVICE)
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

    /// The exit code of a command that ends with it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            error if error.is_about_credentials() => ExitCode::Credentials,
            Self::NotEmpty { .. } => ExitCode::Protected,
            error if error.is_unfinished() => ExitCode::Incomplete,
            _ => ExitCode::Failure,
        }
    }
}

impl From<ArchiveError> for ResourceError {
    fn from(error: ArchiveError) -> Self {
        Self::Request(error.to_string())
    }
}

impl PollError for ResourceError {
    fn is_lost_connection(&self) -> bool {
        let lost = |kind| matches!(kind, ErrorKind::NoAnswer | ErrorKind::Silent | ErrorKind::Unreachable);
        matches!(self, Self::Aws(error) if lost(error.kind))
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
