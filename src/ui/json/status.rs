//! `hlctl status --json`

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, ListedStore};
use crate::error::CommandError;
use crate::journal::{Estimate, Journal, RunEnding};
use crate::plan;
use hlctl_engine::state::{ObservedLock, State, Status};
use hlctl_model::text::shortened;

/// A stack at a glance.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub struct StackStatusDocument {
    format_version: u32,
    /// Where the state is.
    pub state: String,
    /// Whether the state holds any resource.
    pub deployed: bool,
    /// Whether it is a stack of the sandbox.
    pub sandbox: bool,
    /// The environment that the state is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Value of the `hlctl:stack` tag; null without a state.
    pub stack: Option<String>,
    /// The account that the state is bound to.
    pub account: Option<String>,
    /// The region that the state is bound to.
    pub region: Option<String>,
    /// How many resources of the state are how far.
    pub resources: StateCounts,
    /// The stores, the one in use first.
    pub stores: Vec<StoreStatus>,
    /// What AWS is at work on.
    pub at_work: Vec<AwsWork>,
    /// Who holds the state's lock.
    pub lock: Option<LockStatus>,
    /// The last run on this machine that changed something.
    pub last_run: Option<LastRun>,
    /// What the stores and keys of the state cost a month, roughly, in US dollars; null in the sandbox and where the region's prices are
    /// not known.
    pub monthly_cost_usd: Option<u64>,
    /// What a plan would show; null where there is none.
    pub pending: Option<PendingChanges>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The next step.
    pub next: Option<String>,
}

/// How many resources of the state are how far.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct StateCounts {
    /// They exist.
    pub ready: usize,
    /// Their creation was begun.
    pub creating: usize,
    /// Their deletion was begun.
    pub deleting: usize,
    /// Replaced by others, and still to be deleted.
    pub deposed: usize,
}

impl StateCounts {
    /// Of this state.
    pub fn of(state: &State) -> Self {
        let count = |status| state.resources.values().filter(|entry| entry.status == status).count();
        Self {
            ready: count(Status::Ready),
            creating: count(Status::Creating),
            deleting: count(Status::Deleting),
            deposed: state.deposed.len(),
        }
    }

    /// Whether an earlier run has left anything unfinished.
    pub fn is_unfinished(&self) -> bool {
        self.creating + self.deleting + self.deposed > 0
    }
}

/// A store, as AWS describes it now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StoreStatus {
    /// As `stores list` has it.
    #[serde(flatten)]
    pub store: ListedStore,
    /// Whether AWS was asked about it and answered. If so, a null `status` means that the store is gone.
    pub read: bool,
    /// When it was created.
    pub created: Option<String>,
    /// How old it is, by AWS's clock.
    pub age_in_seconds: Option<u64>,
    /// The jobs that are under way; null where they could not be listed.
    pub jobs: Option<Vec<JobStatus>>,
}

/// An import or export job that is under way.
#[derive(Debug, Serialize, JsonSchema)]
pub struct JobStatus {
    /// `import` or `export`.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its status as AWS names it.
    pub status: String,
    /// When it was submitted.
    pub submitted: Option<String>,
}

/// Something that AWS is at work on.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AwsWork {
    /// The resource.
    pub address: String,
    /// Its status as AWS names it.
    pub status: String,
    /// Since when; null where neither AWS nor the record of the last run says.
    pub since: Option<String>,
    /// For how long.
    pub for_seconds: Option<u64>,
    /// An estimate of when it will be done.
    pub estimate: Option<EstimateDocument>,
    /// The same in words.
    #[serde(skip)]
    pub left: Option<String>,
}

/// An estimate, from what AWS usually takes and what earlier runs took.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Estimate")]
pub struct EstimateDocument {
    /// In so many seconds at the soonest.
    from_seconds: u64,
    /// In so many seconds at the latest.
    until_seconds: u64,
    /// Whether it takes longer than usual; both others are 0 then.
    overdue: bool,
}

impl From<&Estimate> for EstimateDocument {
    fn from(estimate: &Estimate) -> Self {
        let (from, until, overdue) = match estimate {
            Estimate::Between { from, until } => (*from, *until, false),
            Estimate::Overdue => (Duration::ZERO, Duration::ZERO, true),
        };
        Self { from_seconds: from.as_secs(), until_seconds: until.as_secs(), overdue }
    }
}

/// Who holds the state's lock.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LockStatus {
    /// What `force-unlock` takes.
    pub id: String,
    /// The command.
    pub command: String,
    /// The user.
    pub user: String,
    /// The machine.
    pub host: String,
    /// The process there.
    pub pid: u32,
    /// Since when.
    pub since: String,
    /// Whether its holder seems to be gone.
    pub abandoned: bool,
}

impl From<&ObservedLock> for LockStatus {
    fn from(lock: &ObservedLock) -> Self {
        let holder = &lock.holder;
        Self {
            id: holder.id.clone(),
            command: holder.command.clone(),
            user: holder.user.clone(),
            host: holder.host.clone(),
            pid: holder.pid,
            since: holder.since.clone(),
            abandoned: lock.abandoned,
        }
    }
}

/// The last run on this machine that changed something.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LastRun {
    /// The command.
    pub command: String,
    /// When it began.
    pub begun: String,
    /// How long it took.
    pub seconds: u64,
    /// How it ended.
    pub result: RunResult,
    /// Steps that were done.
    pub done: usize,
    /// Steps that AWS was left at work on.
    pub unfinished: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that were not started.
    pub skipped: usize,
    /// What ended it before its time.
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// All was done.
    Done,
    /// Not all was done: AWS was left at work, or something failed or was skipped.
    Incomplete,
    /// A signal stopped it.
    Stopped,
    /// It goes on.
    UnderWay,
    /// It was killed, or the machine went down.
    Killed,
}

impl LastRun {
    /// Of this record. A run without an end goes on if somebody holds the lock, and was killed if nobody does.
    pub fn of(journal: &Journal, is_locked: bool) -> Self {
        let count = |is: fn(&RunEnding) -> bool| {
            journal.steps.iter().filter(|step| step.ended.as_ref().is_some_and(|(_, ending)| is(ending))).count()
        };
        let done = count(|ending| matches!(ending, RunEnding::Done));
        let unfinished = count(|ending| matches!(ending, RunEnding::Unfinished(_)));
        let failed = count(|ending| matches!(ending, RunEnding::Failed(_)));
        let skipped = count(|ending| matches!(ending, RunEnding::Skipped(_)));
        let error = journal.ended.as_ref().and_then(|end| end.error.as_deref());
        let result = match &journal.ended {
            None if is_locked => RunResult::UnderWay,
            None => RunResult::Killed,
            Some(end) if end.stopped => RunResult::Stopped,
            Some(_) if unfinished + failed + skipped > 0 || error.is_some() => RunResult::Incomplete,
            Some(_) => RunResult::Done,
        };
        Self {
            command: journal.command.clone(),
            begun: to_the_second(journal.begun),
            seconds: journal.length() / 1000,
            result,
            done,
            unfinished,
            failed,
            skipped,
            error: error.map(|error| shortened(error).into_owned()),
        }
    }
}

/// A moment, without parts of a second.
pub fn to_the_second(moment: Timestamp) -> String {
    hlctl_model::text::instant(moment.as_second())
}

/// How many resources a plan would create, change and so on.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct PendingChanges {
    /// To create.
    pub create: usize,
    /// To change in place.
    pub update: usize,
    /// To replace.
    pub replace: usize,
    /// To delete.
    pub delete: usize,
    /// To record, to remove from the state or to wait for.
    pub other: usize,
    /// For how many reasons apply would refuse the plan.
    pub refused: usize,
}

impl PendingChanges {
    /// Of this plan.
    pub fn of(plan: &plan::Plan) -> Self {
        let plan::Counts { create, update, replace, delete, other, .. } = plan.counts();
        Self { create, update, replace, delete, other, refused: plan.refusals.len() }
    }

    /// Whether there are any.
    pub fn is_any(&self) -> bool {
        self.create + self.update + self.replace + self.delete + self.other + self.refused > 0
    }
}

/// Something that could not be read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unread {
    /// What: an address, or words.
    pub what: String,
    /// Why not.
    pub message: String,
    /// The next step.
    pub hint: Option<String>,
}

impl Unread {
    /// What an error kept from being read.
    pub fn of(what: &str, error: &CommandError) -> Self {
        let message = shortened(&error.to_string()).into_owned();
        Self { what: what.to_owned(), message, hint: error.hint() }
    }
}

impl StackStatusDocument {
    /// A stack of which nothing is known yet but where its state would be.
    pub fn of_nothing(state: String, sandbox: bool) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            state,
            deployed: false,
            sandbox,
            environment: None,
            stack: None,
            account: None,
            region: None,
            resources: StateCounts::default(),
            stores: Vec::new(),
            at_work: Vec::new(),
            lock: None,
            last_run: None,
            monthly_cost_usd: None,
            pending: None,
            unread: Vec::new(),
            next: None,
        }
    }
}
