//! How the data of the store in use comes back once that store is gone.

use super::standby::successor;
use hlctl_engine::state::{SeedMethod, State, Status};
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::instant;

/// What brings back the data of a store that is gone, as long as its backup is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayBack {
    /// A store with its data is there, and has to be put in use.
    Use(String),
    /// A store is restored from its backup.
    Restore {
        /// The point in time, in seconds since 1970; `None` for the latest.
        at: Option<i64>,
        /// The new store that is in the way, which has to be deleted first.
        in_the_way: Option<String>,
    },
}

impl WayBack {
    /// The way back for the store in use, whose id this is. There is one successor at most, so a second restore is no way.
    pub fn of(state: &State, id: &str) -> Self {
        let Some(entry) = state.resources.get(&successor()) else {
            return Self::Restore { at: None, in_the_way: None };
        };
        let own_id = entry.recorded.as_ref().and_then(|recorded| recorded.get("id")?.as_str());
        let named = own_id.map_or_else(|| successor().to_string(), str::to_owned);
        match entry.origin.as_ref().filter(|origin| origin.source == id) {
            Some(origin) if entry.status == Status::Ready && origin.filled => Self::Use(named),
            // The same command goes on with it.
            Some(origin) if entry.status == Status::Creating && origin.way == SeedMethod::Backup => {
                Self::Restore { at: origin.at, in_the_way: None }
            }
            _ => Self::Restore { at: None, in_the_way: Some(named) },
        }
    }

    /// The commands, with what they do. `too_late` says that the backup can no longer be restored.
    pub fn sentence(&self, too_late: bool) -> String {
        match self {
            Self::Restore { .. } if too_late => String::new(),
            way_back => way_back.reported(),
        }
    }

    /// The commands, with what they do.
    pub fn reported(&self) -> String {
        match self {
            Self::Use(id) => {
                format!("the store {id} has its data; to switch the stack to it: {}", hlctl!("stores use", id))
            }
            Self::Restore { at, in_the_way } => {
                let at = at.map_or_else(|| "latest".to_owned(), instant);
                let restore = CommandLine::new("restore").option("--at", &at).flag("--use");
                match in_the_way {
                    None => format!("to restore it with its data: {restore}"),
                    Some(id) => {
                        let delete = hlctl!("stores delete", id);
                        format!("to restore it with its data: {delete}, then {restore}")
                    }
                }
            }
        }
    }
}
