//! What a command can end with: the errors of all that it uses, each with its hint and its exit code.

use thiserror::Error;
use tokio::task::JoinError;

use crate::adopt::DiscoverError;
use crate::apply::ApplyError;
use crate::audit::EvidenceError;
use crate::data::bulk_context::NoBulkContext;
use crate::data::import::ProblemsFound;
use crate::data::journal::TransferJournalError;
use crate::data::lost_store::{LostStore, TraceError};
use crate::export::ExportError;
use crate::materials::MaterialsError;
use crate::module::surgery::SurgeryError;
use crate::plan::PlanError;
use crate::plan::file::PlanFileError;
use crate::s3_backend;
use hlctl_aws::{AwsError, SetupError, Skew, hint};
use hlctl_engine::state::NotRecorded;
use hlctl_engine::wait::{PollError, Signal};
use hlctl_fhir::{FhirError, NoSigningCredentials};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::graph::Cycle;
use hlctl_resources::ResourceError;

impl PollError for CommandError {
    fn is_lost_connection(&self) -> bool {
        matches!(self, Self::Resource { error, .. } if error.is_lost_connection())
    }
}

/// An error that a command or a module defines for itself. Its variants carry data: what is printed of them is written in one
/// place, its `Display`, and what to do about them in another, its hint.
pub trait Failure: std::error::Error + Send + Sync + 'static {
    /// How a command ends with it.
    fn ending(&self) -> Ending;

    /// The next step, where one is known.
    fn hint(&self) -> Option<String>;
}

/// How a command ends with a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It failed.
    Failed,
    /// It would be wrong to go on as things are; nothing was begun.
    Refused,
    /// The command line asks for something that does not exist.
    Usage,
    /// Something that hlctl protects would be destroyed.
    Protected,
    /// Not all was done; the same command, or the one that the hint names, continues.
    Incomplete,
    /// AWS is at work, and the user asked not to wait for it.
    LeftRunning,
    /// What the command needs is somewhere else, or is gone.
    Elsewhere,
}

impl From<MaterialsError> for CommandError {
    fn from(error: MaterialsError) -> Self {
        match error {
            MaterialsError::Package(error) => Self::Package(error),
            MaterialsError::Mappings(problems) => Self::Config(problems),
        }
    }
}

impl<E: Failure> From<E> for CommandError {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// A command that ends without having done its work.
#[derive(Debug, Error)]
pub enum CommandError {
    /// What a command or a module says of itself.
    #[error("{0}")]
    Failed(Box<dyn Failure>),
    /// The configuration has problems.
    #[error("{0}")]
    Config(hlctl_config::Problems),
    /// There is no code for the Lambda function.
    #[error("{0}")]
    Package(#[from] hlctl_resources::package::PackageError),
    /// There is no record of a run, or none that can be used.
    #[error("{0}")]
    Journal(#[from] crate::journal::JournalError),
    /// A test user has no password.
    #[error("{0}")]
    Password(#[from] crate::module::PasswordError),
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
    State(#[from] hlctl_engine::state::StateError),
    /// AWS was changed and the state could not be written.
    #[error("resources changed, but the state could not be saved: {error}{}", match kept {
        Some(kept) => format!("\nthe unsaved state is in {}", kept.display()),
        None => String::new(),
    })]
    Unsaved {
        /// Why not.
        error: hlctl_engine::state::StateError,
        /// Where it was written instead.
        kept: Option<std::path::PathBuf>,
    },
    /// The user said no.
    #[error("nothing was changed: {0}")]
    Declined(&'static str),
    /// A signal came before anything was begun.
    #[error("interrupted; nothing was changed")]
    Interrupted(Signal),
    /// A second Ctrl-C ended the command.
    #[error("{}", if *.may_have_changed { "stopped at once: what calls to AWS were doing is not known" } else { "stopped at once; nothing was changed" })]
    Aborted {
        /// Whether it is one of the commands that change something.
        may_have_changed: bool,
    },
    /// There is no token, or nothing could be asked with it.
    #[error("{0}")]
    Oauth(#[from] hlctl_fhir::oauth::OauthError),
    /// The store's FHIR interface did not do it.
    #[error("{0}")]
    Fhir(#[from] hlctl_fhir::FhirError),
    /// Everything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl From<Box<hlctl_fhir::ErrorResponse>> for CommandError {
    fn from(refusal: Box<hlctl_fhir::ErrorResponse>) -> Self {
        Self::Fhir(refusal.into())
    }
}

impl From<PlanError> for CommandError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Resource { address, error } => Self::Resource { address, error },
            PlanError::Unreadable(errors) => Self::Unreadable(errors),
            PlanError::NoSuchResource { .. } => NamesNothing(error).into(),
            PlanError::Cycle(cycle) => cycle.into(),
            PlanError::Task(error) => error.into(),
        }
    }
}

impl From<PlanFileError> for CommandError {
    fn from(error: PlanFileError) -> Self {
        match error {
            PlanFileError::File(error) => Self::Other(error),
            PlanFileError::State(error) => Self::State(error),
            error => NotThisPlan(error).into(),
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Plan(error) => error.into(),
            ApplyError::Steps(error) => Self::Other(error.into()),
            ApplyError::State(error) => Self::State(error),
            ApplyError::Unsaved { error, kept } => Self::Unsaved { error, kept },
        }
    }
}

impl From<DiscoverError> for CommandError {
    fn from(error: DiscoverError) -> Self {
        match error {
            DiscoverError::Plan(error) => error.into(),
            DiscoverError::NoSuchStack { .. } | DiscoverError::SeveralStacks(_) => NoOneStack(error).into(),
        }
    }
}

impl From<ExportError> for CommandError {
    fn from(error: ExportError) -> Self {
        Self::Resource { address: error.address, error: error.error }
    }
}

impl From<EvidenceError> for CommandError {
    fn from(error: EvidenceError) -> Self {
        match error {
            EvidenceError::Credentials(error) => Self::Aws(error),
            EvidenceError::Task(error) => error.into(),
        }
    }
}

/// Errors of which there is nothing more to say.
macro_rules! plain_failures {
    ($($error:ty),+ $(,)?) => {
        $(impl Failure for $error {
            fn ending(&self) -> Ending {
                Ending::Failed
            }

            fn hint(&self) -> Option<String> {
                None
            }
        })+
    };
}

plain_failures!(NoSigningCredentials, Cycle, JoinError);

impl Failure for NotRecorded {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint())
    }
}

impl Failure for NoBulkContext {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint())
    }
}

impl Failure for LostStore {
    fn ending(&self) -> Ending {
        Ending::Elsewhere
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint())
    }
}

impl From<TraceError> for CommandError {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Store(error) => Self::Aws(error),
            TraceError::Remains { address, error } => Self::Resource { address, error },
        }
    }
}

impl Failure for SurgeryError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint())
    }
}

impl Failure for SetupError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint())
    }
}

/// A file is not a saved plan, or not one that can be applied.
#[derive(Debug, Error)]
#[error("{0}")]
struct NotThisPlan(PlanFileError);

impl Failure for NotThisPlan {
    fn ending(&self) -> Ending {
        match &self.0 {
            PlanFileError::OtherEnvironment { .. }
            | PlanFileError::OtherState { .. }
            | PlanFileError::Outdated(_)
            | PlanFileError::Differs(_) => Ending::Refused,
            PlanFileError::File(_)
            | PlanFileError::NotAPlan(_)
            | PlanFileError::OtherVersion(_)
            | PlanFileError::Edited(_)
            | PlanFileError::State(_) => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match &self.0 {
            PlanFileError::OtherEnvironment { planned: Some(planned), .. } => {
                Some(format!("choose the plan's with -e {planned}"))
            }
            PlanFileError::OtherEnvironment { planned: None, .. } => {
                Some("leave -e out, and the variable HLCTL_ENV unset".to_owned())
            }
            _ => None,
        }
    }
}

impl Failure for ProblemsFound {
    fn ending(&self) -> Ending {
        Ending::Refused
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

impl Failure for TransferJournalError {
    fn ending(&self) -> Ending {
        match self {
            Self::Busy => Ending::Refused,
            Self::Io { .. } => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// An option names an address that the stack does not have.
#[derive(Debug, Error)]
#[error("{0}")]
struct NamesNothing(PlanError);

impl Failure for NamesNothing {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        let nearest = match &self.0 {
            PlanError::NoSuchResource { nearest: Some(near), .. } => format!("did you mean {near}? "),
            _ => String::new(),
        };
        Some(format!("{nearest}`{}` and `{}` show the addresses", hlctl!("plan"), hlctl!("state list")))
    }
}

/// It is not known which stack is looked for.
#[derive(Debug, Error)]
#[error("{0}")]
struct NoOneStack(DiscoverError);

impl Failure for NoOneStack {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        self.0.hint()
    }
}

impl CommandError {
    /// How wrong this machine's clock is, if AWS's refusal shows that it is wrong.
    pub fn skew(&self) -> Option<Skew> {
        let of = |error: &ResourceError| if let ResourceError::Aws(error) = error { error.skew } else { None };
        match self {
            Self::Aws(error) => error.skew,
            Self::Resource { error, .. } => of(error),
            Self::Unreadable(errors) => errors.iter().find_map(|(_, error)| of(error)),
            Self::State(error) => s3_backend::aws_error(error)?.skew,
            Self::Fhir(FhirError::Refused(refusal)) => refusal.aws.skew,
            _ => None,
        }
    }

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
            Self::Failed(error) => error.hint(),
            Self::Aborted { may_have_changed: true } => {
                Some("run the same command again: it finds what was started, and continues from there".to_owned())
            }
            Self::Aborted { may_have_changed: false } => None,
            Self::Config(_) | Self::Declined(_) | Self::Interrupted(_) | Self::Other(_) => None,
        }
    }

    /// What it reports, one by one, each with its next step.
    pub fn causes(&self) -> Vec<(String, Option<String>)> {
        match self {
            Self::Unreadable(errors) => {
                let cause = |(address, error): &(Address, ResourceError)| {
                    (format!("{address}: {error}"), error.hint_at(address))
                };
                errors.iter().map(cause).collect()
            }
            error => vec![(error.to_string(), error.hint())],
        }
    }

    /// The exit code that `docs/exit-codes.md` promises.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Resource { error, .. } => error.exit_code(),
            Self::Unreadable(errors) => errors.first().map_or(ExitCode::Failure, |(_, error)| error.exit_code()),
            Self::Aws(error) => ResourceError::Aws(error.clone()).exit_code(),
            Self::State(hlctl_engine::state::StateError::Locked { .. }) => ExitCode::Locked,
            Self::State(hlctl_engine::state::StateError::StillLocked { .. }) => ExitCode::Incomplete,
            Self::State(error) => s3_backend::aws_error(error)
                .map_or(ExitCode::Failure, |error| ResourceError::Aws(error.clone()).exit_code()),
            Self::Failed(error) => match error.ending() {
                Ending::Failed | Ending::Refused | Ending::Elsewhere => ExitCode::Failure,
                Ending::Usage => ExitCode::Usage,
                Ending::Protected => ExitCode::Protected,
                Ending::Incomplete | Ending::LeftRunning => ExitCode::Incomplete,
            },
            Self::Unsaved { .. } => ExitCode::Incomplete,
            Self::Fhir(error) if error.is_about_credentials() => ExitCode::Credentials,
            Self::Aborted { .. } => ExitCode::Aborted,
            Self::Interrupted(Signal::Interrupt) => ExitCode::Interrupted,
            Self::Interrupted(Signal::Terminate | Signal::HangUp) => ExitCode::Terminated,
            Self::Config(_)
            | Self::Package(_)
            | Self::Password(_)
            | Self::Journal(_)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Error)]
    #[error("it ended as {0:?}")]
    struct Ended(Ending);

    impl Failure for Ended {
        fn ending(&self) -> Ending {
            self.0
        }

        fn hint(&self) -> Option<String> {
            Some("look".to_owned())
        }
    }

    #[test]
    fn a_command_that_only_reads_is_aborted_without_a_word_about_changes() {
        let aborted = |may_have_changed| CommandError::Aborted { may_have_changed };
        assert_eq!(aborted(false).to_string(), "stopped at once; nothing was changed");
        assert_eq!(aborted(false).hint(), None);
        assert!(aborted(true).hint().is_some_and(|hint| hint.contains("the same command again")));
        assert_eq!((aborted(true).exit_code(), aborted(false).exit_code()), (ExitCode::Aborted, ExitCode::Aborted));
    }

    #[test]
    fn how_a_command_ends_decides_its_exit_code() {
        for (ending, code) in [
            (Ending::Failed, ExitCode::Failure),
            (Ending::Refused, ExitCode::Failure),
            (Ending::Elsewhere, ExitCode::Failure),
            (Ending::Usage, ExitCode::Usage),
            (Ending::Protected, ExitCode::Protected),
            (Ending::Incomplete, ExitCode::Incomplete),
            (Ending::LeftRunning, ExitCode::Incomplete),
        ] {
            let error = CommandError::from(Ended(ending));
            assert_eq!(error.exit_code(), code, "{ending:?}");
            assert_eq!((error.to_string(), error.hint()), (format!("it ended as {ending:?}"), Some("look".to_owned())));
        }
    }
}
