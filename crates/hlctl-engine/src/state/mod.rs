//! What hlctl knows of a stack: the state, its file, and its lock.

pub mod format;
pub mod local;
pub mod lock;
pub mod place;
mod recorded;
mod released;
pub mod store;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use local::LocalStore;
pub use lock::LockInfo;
pub use place::Place;
pub use recorded::NotRecorded;
pub use released::Released;
pub use store::{Answer, Held, ObservedLock, Storage, StorageError, StorageLock, Store};

use hlctl_model::address::Address;
use hlctl_model::invocation::CommandLine;
use hlctl_model::{Attributes, Identity, ResourceKind, Settings};

/// Everything hlctl remembers of one stack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Made once with the stack and never changed; tells this state from any other.
    pub lineage: String,
    /// Counts the writes.
    pub serial: u64,
    /// Value of the `hlctl:stack` tag.
    pub stack: String,
    /// The environment of the configuration that it is the stack of; `None` for the rest of the file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub environment: Option<String>,
    /// Where the stack lives.
    pub home: Home,
    /// Account, region and partition that the stack is bound to.
    pub identity: Identity,
    /// What a destroy needs when the configuration is gone.
    pub settings: Settings,
    /// The resources by address.
    pub resources: BTreeMap<Address, Entry>,
    /// Resources that others have taken the place of, still to be deleted.
    pub deposed: Vec<Deposed>,
    /// Whether the stack was switched to another store and not yet all that names a store is known to be up to date.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub switching: bool,
    /// Protected resources that the state was made to forget. Should one come back, its protection does too.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub released: Vec<Released>,
}

/// AWS, or the sandbox; a state never changes from one to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Home {
    /// AWS in earnest.
    Aws,
    /// The emulator inside hlctl.
    Sandbox,
}

/// One resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its kind's name.
    pub kind: String,
    /// How far it is.
    pub status: Status,
    /// Token of its creation: AWS makes no second one for it.
    pub token: String,
    /// Whether it may be destroyed only by name.
    pub protected: bool,
    /// What `hlctl protect` or `hlctl unprotect` said, which counts before the configuration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub protection: Option<bool>,
    /// What it needs; a destroy goes the other way.
    pub needs: Vec<Address>,
    /// Its identity, once AWS has given one.
    pub recorded: Option<Value>,
    /// The identity that its name decides, from before it was made: where to look for it after a crash.
    #[serde(rename = "foretold", skip_serializing_if = "Option::is_none", default)]
    pub predicted: Option<Value>,
    /// When a creation was sent again, or taken up by a later run, without certainty that the first had made nothing:
    /// until that has been looked into, there may be two. Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub doubtful_since: Option<i64>,
    /// Of a store: where its data came from, if it was not made empty.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<Origin>,
    /// What it looked like when hlctl last looked, or what was about to be made.
    pub attributes: Attributes,
}

/// Where a store's data came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Id of the store that had it.
    pub source: String,
    /// The point in time, in seconds since 1970; `None` for the latest.
    pub at: Option<i64>,
    /// How it comes.
    pub way: SeedMethod,
    /// Whether all of it has come.
    pub filled: bool,
}

/// How data comes from one store into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedMethod {
    /// AWS restores a continuous backup.
    Backup,
    /// An export, and an import of it.
    Export,
}

impl Entry {
    /// Whether it may be destroyed only by name, all in all.
    pub fn is_protected(&self) -> bool {
        self.protection.unwrap_or(self.protected)
    }

    /// The kind, if this hlctl knows it.
    pub fn kind<K: ResourceKind>(&self) -> Option<K> {
        K::parse(&self.kind)
    }
}

/// How far a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its creation was decided; it may or may not exist.
    Creating,
    /// It exists and is ready, as far as hlctl knows.
    Ready,
    /// Its deletion was decided; it may or may not exist.
    Deleting,
}

/// A resource whose address another one has now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deposed {
    /// The address it had.
    pub address: Address,
    /// All that was known of it.
    pub entry: Entry,
}

impl State {
    /// The state of a stack that is about to be made.
    pub fn new(name: &str, home: Home, identity: Identity, settings: Settings) -> Self {
        let lineage = uuid::Uuid::new_v4().to_string();
        let stack = stack_tag(name, &lineage);
        let (resources, deposed) = (BTreeMap::new(), Vec::new());
        let released = Vec::new();
        let environment = None;
        Self {
            lineage,
            serial: 0,
            stack,
            environment,
            home,
            identity,
            settings,
            resources,
            deposed,
            switching: false,
            released,
        }
    }

    /// What is recorded of the resource at `address`.
    pub fn recorded(&self, address: &str) -> Option<&Value> {
        self.resources.get(address)?.recorded.as_ref()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.deposed.is_empty()
    }

    /// Checks that the state is the one for this environment: what the configuration says of another would be planned as
    /// changes of this stack.
    ///
    /// # Errors
    /// [`StateError::Environment`].
    pub fn check_environment(&self, now: Option<&str>) -> Result<(), StateError> {
        if self.environment.as_deref() == now {
            return Ok(());
        }
        Err(StateError::Environment { state: self.environment.clone(), now: now.map(str::to_owned) })
    }

    /// Checks that the state is the one for this home, account and region.
    ///
    /// # Errors
    /// [`StateError::Foreign`] names what differs.
    pub fn check_belongs(&self, home: Home, identity: &Identity) -> Result<(), StateError> {
        let pairs = [
            ("account", &self.identity.account, &identity.account),
            ("region", &self.identity.region, &identity.region),
        ];
        if self.home != home {
            return Err(StateError::Home { state: self.home });
        }
        match pairs.into_iter().find(|(_, state, now)| state != now) {
            Some((what, state, now)) => Err(StateError::Foreign { what, state: state.clone(), now: now.clone() }),
            None => Ok(()),
        }
    }
}

/// How a lock is ended that its holder could not give back.
fn still_locked(lock: &Place, id: &str, error: &StateError) -> String {
    let mut hint = format!("once the cause is fixed, release the lock: {}", hlctl!("force-unlock", id));
    if let Some(cause) = error.hint() {
        hint = format!("{cause}\n{hint}");
    }
    if let Place::Object { .. } = lock {
        let url = if let StateError::Remote { error, .. } = error { error.endpoint_url() } else { None };
        let endpoint = url.map_or_else(String::new, |url| format!(" --endpoint-url {url}"));
        hint.push_str(&format!("\nor with another client of S3: aws s3 rm {lock}{endpoint}"));
    }
    hint
}

/// A tag value that people can read and that no other stack has: the store's first name and a part of the lineage.
fn stack_tag(name: &str, lineage: &str) -> String {
    let readable = readable(name);
    let unique: String = lineage.chars().filter(char::is_ascii_hexdigit).take(UNIQUE_DIGITS).collect();
    if readable.is_empty() { unique } else { format!("{readable}-{unique}") }
}

const UNIQUE_DIGITS: usize = 12;

fn readable(name: &str) -> String {
    name.chars().filter(|char| char.is_ascii_alphanumeric() || "-_.".contains(*char)).take(40).collect()
}

/// Whether the tag's value may be that of a stack whose store had this name when the stack was made.
pub fn stack_tag_begins(tag: &str, name: &str) -> bool {
    let readable = readable(name);
    let unique = if readable.is_empty() {
        Some(tag)
    } else {
        tag.strip_prefix(&readable).and_then(|rest| rest.strip_prefix('-'))
    };
    unique.is_some_and(|unique| unique.len() == UNIQUE_DIGITS && unique.chars().all(|char| char.is_ascii_hexdigit()))
}

/// The state cannot be read, written or used.
#[derive(Debug, Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("cannot {doing} {place}: {error}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// The file or object.
        place: Place,
        /// Why not.
        error: std::io::Error,
    },
    /// The server that keeps it refused, or could not be asked.
    #[error("cannot {doing} {place}: {error}")]
    Remote {
        /// What was attempted.
        doing: &'static str,
        /// The object.
        place: Place,
        /// Why not.
        error: Box<dyn StorageError>,
    },
    /// Where it is kept nobody can lock it: two runs could change the stack at the same time.
    #[error("{0}")]
    CannotLock(Box<dyn StorageError>),
    /// This run is over, and its lock could not be given back.
    #[error("the state is still locked: {error}")]
    StillLocked {
        /// The lock.
        lock: Place,
        /// What this run's holding was called.
        id: String,
        /// Why it stays.
        error: Box<StateError>,
    },
    /// What is there is not a whole state.
    #[error("{place} is damaged: {problem}")]
    Damaged {
        /// The file or object.
        place: Place,
        /// What is wrong with it.
        problem: String,
        /// A whole previous state next to it.
        backup: Option<Place>,
    },
    /// A newer hlctl wrote it.
    #[error("{place} is of format {found}, which hlctl {written_by} wrote; this hlctl reads up to {}", format::VERSION)]
    TooNew {
        /// The file or object.
        place: Place,
        /// Its format version.
        found: u64,
        /// The version of hlctl that wrote it.
        written_by: String,
    },
    /// The state is elsewhere by now.
    #[error("the state of {place} was moved to {to}")]
    Moved {
        /// Where it was.
        place: Place,
        /// Where it is.
        to: String,
    },
    /// The state is that of another account or region.
    #[error("the state belongs to {what} {state}, but the credentials and the config belong to {what} {now}")]
    Foreign {
        /// Account or region.
        what: &'static str,
        /// The state's.
        state: String,
        /// Today's.
        now: String,
    },
    /// The state is the sandbox's, or AWS's, and the command is for the other.
    #[error("{}", match state {
        Home::Sandbox => "the state was written in the sandbox, but this command is for AWS",
        Home::Aws => "the state was written for AWS, but this command is for the sandbox",
    })]
    Home {
        /// Where the state was written.
        state: Home,
    },
    /// The state is that of another environment.
    #[error("{}", match (state, now) {
        (Some(state), Some(now)) => format!("the state is that of the environment {state}, but this command is for {now}"),
        (Some(state), None) => format!("the state is that of the environment {state}, but this command is for none"),
        (None, Some(now)) => format!("the state is that of no environment, but this command is for {now}"),
        // Not made.
        (None, None) => "the state is that of no environment".to_owned(),
    })]
    Environment {
        /// The state's.
        state: Option<String>,
        /// That of the command.
        now: Option<String>,
    },
    /// Somebody else is at work.
    #[error("the state is locked by {holder}{}", if *abandoned { "; its lease has expired, so it has probably \
        died" } else { "" })]
    Locked {
        /// Who.
        holder: Box<LockInfo>,
        /// The lock.
        lock: Place,
        /// Whether the holder seems to be gone.
        abandoned: bool,
    },
    /// Somebody took the lock away from this run.
    #[error("the lock {place} is lost: another process took it over, so this run no longer writes the state")]
    LockLost {
        /// The lock.
        place: Place,
        /// What this run's holding was called.
        id: String,
    },
    /// Another run wrote the state although this one holds the lock.
    #[error("{place} was changed by another process during this run")]
    Overtaken {
        /// The file or object.
        place: Place,
    },
    /// What is there is a directory, a pipe or a device.
    #[error("{place} is not a file")]
    NotAFile {
        /// What is there.
        place: Place,
    },
    /// The state is named by a link, and the directory that it leads to is not there.
    #[error("the state is a link to {place}, whose directory does not exist")]
    Unreachable {
        /// Where the link leads.
        place: Place,
    },
    /// There is no state.
    #[error("there is no state at {place}")]
    Missing {
        /// Where it would be.
        place: Place,
    },
}

impl StateError {
    /// The next step, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { backup: Some(backup), .. } => Some(format!(
                "nothing was changed there. The backup, {backup}, is intact; to restore it:\n  {}",
                hlctl!("state recover")
            )),
            Self::Damaged { .. } => Some(
                concat!(
                    "nothing was changed there, and there is no intact backup; to find the stack again by its tags:\n  ",
                    hlctl!("adopt --discover")
                )
                .to_owned(),
            ),
            Self::TooNew { written_by, .. } => Some(format!("use hlctl {written_by} or newer")),
            Self::Moved { to, .. } => Some(format!(
                "use the new place: `backend` in the config, or --state {to}\nto move it back: {}",
                CommandLine::new("state migrate").option("--from", to)
            )),
            Self::Foreign { what: "region", state, .. } => {
                Some(format!("set region = \"{state}\", or use another state (--state)"))
            }
            Self::Foreign { .. } => {
                Some("use that account's credentials (AWS_PROFILE), or another state (--state)".to_owned())
            }
            Self::Home { state: Home::Sandbox } => Some("add --sandbox, or use another state (--state)".to_owned()),
            Self::Home { state: Home::Aws } => Some("leave --sandbox out, or use another state (--state)".to_owned()),
            Self::Environment { state: Some(state), .. } => {
                Some(format!("choose the state's with -e {state}, or another state (--state)"))
            }
            Self::Environment { state: None, now } => Some(format!(
                "leave -e out and the variable HLCTL_ENV unset, or use another state (--state)\nto make it the state of the \
                 environment: {}",
                CommandLine::new("state migrate").option("-e", now.as_deref().unwrap_or_default()).option("--from", "PLACE")
            )),
            Self::Locked { holder, lock, .. } if holder.id.is_empty() => Some(match lock {
                Place::File(_) => "wait for it to end, or let this command wait: --lock-timeout 10m".to_owned(),
                Place::Object { .. } => format!(
                    "wait for it to end, or let this command wait: --lock-timeout 10m\n\
                     if no run is active, the object is not a lock of hlctl; remove it: aws s3 rm {lock}"
                ),
            }),
            Self::Locked { holder, abandoned, .. } => Some(format!(
                "{}if that process no longer exists, release the lock: {}",
                if *abandoned { "" } else { "wait for it to end, or let this command wait: --lock-timeout 10m\n" },
                hlctl!("force-unlock", holder.id)
            )),
            Self::Missing { .. } => {
                Some(concat!("`", hlctl!("apply"), "` creates the stack; or choose another stack with -c or \
                                                    --state").to_owned())
            }
            Self::Remote { error, .. } | Self::CannotLock(error) => error.hint(),
            Self::StillLocked { lock, id, error } => Some(still_locked(lock, id, error)),
            Self::LockLost { .. } | Self::Overtaken { .. } => {
                Some("check what else is running, then run the command again; it continues from the current \
                      state".to_owned())
            }
            Self::NotAFile { .. } => Some("name the file that the state is in: --state FILE".to_owned()),
            Self::Unreachable { .. } => {
                Some("is its disk mounted? To start a new state there, create that directory first".to_owned())
            }
            Self::Io { .. } => None,
        }
    }
}
