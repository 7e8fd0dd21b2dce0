//! Why a store is not restored, replaced, used or deleted.

use thiserror::Error;

use super::compare::Uncounted;
use super::list::between;
use crate::error::{Ending, Failure};
use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;
use hlctl_resources::BackupWindow;

/// A command about the stack's stores does not go on.
#[derive(Debug, Error)]
pub(super) enum StoresError {
    #[error("the stack has no store {0}")]
    NoSuchStore(String),
    #[error("{0} is the store in use")]
    InUse(String),
    /// There can be one new store at a time.
    #[error("the stack already has another new store, {0}")]
    SuccessorExists(String),
    #[error("{0} is not complete yet: run the command that creates it to completion")]
    NotWhole(Address),
    /// There is nothing to restore.
    #[error(
        "the store {id} has no continuous backup\nset `datastore_backup = true` and apply: from then on its data can be \
         restored. To have a second store with the data of now: {}",
        hlctl!("replace --via export")
    )]
    NoBackup { id: String },
    #[error(
        "the store {0} has no continuous backup\nset `datastore_backup = true` and apply, or copy the data by an export: \
         --via export"
    )]
    NoBackupToCopy(String),
    #[error("the store {id} is deleted (AWS calls it {status}) and has no backup: its data cannot be restored")]
    SourceLost { id: String, status: String },
    #[error("this store does not match the configuration, and {reason}")]
    DoesNotFit { reason: String },
    #[error("the stack has no store with data to copy")]
    NoData,
    /// A restored store is a standby, and what names a store needs that one's name.
    #[error("the stack has no store yet, which a restore needs")]
    NoStack { restore: CommandLine },
    #[error("the stack has no store whose backup could be restored")]
    NoSource,
    #[error("AWS has no store {0}")]
    UnknownSource(String),
    #[error("the store {0} has no restore point yet")]
    NoRestorePoint(String),
    #[error("{} is outside of what can be restored of {id}", instant(*at))]
    OutsideBackup { id: String, at: i64, window: BackupWindow },
    #[error("what the restored store holds is not known; the old one stays in use")]
    RestoredUnknown { id: String, uncounted: Uncounted },
    /// The stores differ, or could not be compared.
    #[error("{}; the old one stays in use", match uncounted {
        None => "the new store does not hold what the old one holds",
        Some(_) => "whether the new store holds what the old one holds is not known",
    })]
    NotTheSame { new: String, uncounted: Option<Uncounted>, again: CommandLine },
    /// A store was created or begun before this.
    #[error("interrupted; what was created so far is in the state")]
    Interrupted { again: CommandLine },
    #[error("{reason}; the new store exists, and the other stays in use")]
    Declined { reason: &'static str, again: CommandLine },
    #[error("{0}")]
    Unfinished(Box<crate::error::CommandError>, CommandLine),
}

impl Failure for StoresError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoSuchStore(_)
            | Self::InUse(_)
            | Self::SuccessorExists(_)
            | Self::NoData
            | Self::NoStack { .. }
            | Self::NoSource
            | Self::UnknownSource(_)
            | Self::NoRestorePoint(_)
            | Self::OutsideBackup { .. } => Ending::Usage,
            Self::DoesNotFit { .. } => Ending::Protected,
            Self::NotWhole(_) | Self::NoBackup { .. } | Self::NoBackupToCopy(_) | Self::SourceLost { .. } => {
                Ending::Refused
            }
            Self::RestoredUnknown { .. }
            | Self::NotTheSame { .. }
            | Self::Interrupted { .. }
            | Self::Declined { .. }
            | Self::Unfinished(..) => Ending::Incomplete,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoSuchStore(_) | Self::InUse(_) => {
                concat!("`", hlctl!("stores list"), "` shows the stack's stores").to_owned()
            }
            Self::SuccessorExists(id) => {
                format!("switch to it: {}\nor delete it: {}", hlctl!("stores use", id), hlctl!("stores delete", id))
            }
            Self::NotWhole(_) | Self::NoBackup { .. } | Self::NoBackupToCopy(_) | Self::SourceLost { .. } => {
                return None;
            }
            Self::DoesNotFit { .. } => {
                "change the configuration to match the store, `create_kms_key` first of all".to_owned()
            }
            Self::NoData => concat!(
                "`",
                hlctl!("stores list"),
                "` shows its stores; `",
                hlctl!("apply"),
                "` creates one if there is none"
            )
            .to_owned(),
            Self::NoStack { restore } => {
                format!("first create the stack with a new, empty store: {}\nthen: {restore}", hlctl!("apply"))
            }
            Self::NoSource => "name one by its id: --from ID".to_owned(),
            Self::UnknownSource(_) => concat!(
                "a deleted store too can be restored until its backup ends; `",
                hlctl!("stores list"),
                "` shows the stack's stores"
            )
            .to_owned(),
            Self::NoRestorePoint(_) => "its first backup is in progress: try again in a few minutes".to_owned(),
            Self::OutsideBackup { window, .. } => format!("it can be restored to any point of {}", between(*window)),
            Self::RestoredUnknown { id, uncounted } => {
                let cause = uncounted.hint.iter().map(|hint| format!("{hint}\n")).collect::<String>();
                format!("{cause}to switch to the restored one anyway: {}", hlctl!("stores use", id))
            }
            Self::NotTheSame { new, uncounted, again } => {
                // Where counting failed, the way out is to count again, not to do without.
                let first = uncounted.as_ref().map(|uncounted| {
                    let hint = uncounted.hint.iter().map(|hint| format!("{hint}\n"));
                    hint.chain([format!("to count again: {again}\n")]).collect::<String>()
                });
                format!(
                    "{}to switch anyway: {}\nto start over: {}, then {}",
                    first.unwrap_or_default(),
                    again.clone().flag("--allow-differences"),
                    hlctl!("stores delete", new),
                    hlctl!("replace")
                )
            }
            Self::Interrupted { again } | Self::Declined { again, .. } => goes_on(again),
            Self::Unfinished(error, again) => {
                let cause = error.hint().map(|hint| format!("{hint}\n"));
                format!("{}{}", cause.unwrap_or_default(), goes_on(again))
            }
        })
    }
}

fn goes_on(again: &CommandLine) -> String {
    format!("`{again}` continues where this stopped")
}
