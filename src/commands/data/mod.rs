//! `hlctl data ...`: bulk data on its way into the store and out of it. The state is read and never written.

mod check;
mod export;
mod import;
mod jobs;

use std::future::Future;
use std::path::PathBuf;

pub(super) use export::{Exported, Wish, export, of_file};

use super::stores::{LostStore, StoreTrace};
use crate::address::Address;
use crate::aws::AwsError;
use crate::cli::{DataCommand, DataImportArgs, Level};
use crate::data::download::DownloadError;
use crate::data::job::{Job, Order};
use crate::data::journal::{Entry, JournalError};
use crate::data::place::{Place, Prefix};
use crate::data::upload::UploadError;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::module;
use crate::module::beside::{STORE, successor};
use crate::resource::{Context, ResourceError};
use crate::session::{OpenStack, Region, Session};
use crate::state::State;
use crate::wait::Ended;

/// Runs one of them.
pub(super) async fn run(session: &Session, command: &DataCommand) -> Result<ExitCode, CommandError> {
    match command {
        DataCommand::Check(arguments) => check::run(session, arguments).await,
        DataCommand::Import(arguments) => Box::pin(import::run(session, arguments)).await,
        DataCommand::Export(arguments) => Box::pin(export::run(session, arguments)).await,
        DataCommand::Jobs(arguments) => jobs::run(session, arguments).await,
    }
}

/// The store, and what the stack has for jobs.
#[derive(Debug)]
pub(super) struct BulkContext {
    /// What calls need.
    pub(super) cx: Context,
    /// Id of the store.
    pub(super) store: String,
    /// Its ARN.
    pub(super) arn: String,
    /// For finding out what has become of it.
    trace: Option<StoreTrace>,
    bucket: String,
    key: String,
    role: String,
}

impl BulkContext {
    /// Opens the stack.
    async fn open(session: &Session) -> Result<Self, CommandError> {
        let stack = OpenStack::open(session, Region::OfState).await?;
        Self::of(stack.cx, &stack.state)
    }

    /// What the state has for jobs.
    pub(in crate::commands) fn of(cx: Context, state: &State) -> Result<Self, CommandError> {
        let outputs = module::outputs(|address| state.recorded(address));
        let output = |name: &str| match outputs.get(name).and_then(serde_json::Value::as_str) {
            Some(value) => Ok(value.to_owned()),
            None => Err(CommandError::Usage {
                message: format!("the stack has no {name}"),
                hint: concat!("`", hlctl!("apply"), "` creates what is missing").to_owned(),
            }),
        };
        let arn = output("datastore_arn")?;
        Ok(Self {
            store: state.recorded_text(STORE, "id")?.to_owned(),
            arn,
            trace: StoreTrace::of(state, &Address::parse(STORE)),
            bucket: output("s3_bucket")?,
            key: output("s3_kms_key_arn")?,
            role: output("export_role_arn")?,
            cx,
        })
    }

    /// The same for another store of the stack.
    fn of_store(self, state: &State, address: &Address) -> Result<Self, CommandError> {
        let text = |name: &str| state.recorded_text(address.as_str(), name).map(str::to_owned);
        Ok(Self { store: text("id")?, arn: text("arn")?, trace: StoreTrace::of(state, address), ..self })
    }

    /// What has become of the store, if it is gone or going. A caller who may not describe it learns that from the job.
    async fn lost(&self, session: &Session) -> Option<CommandError> {
        let trace = self.trace.as_ref()?;
        let lost = session.interruptible(trace.lost(&self.cx)).await.ok().flatten();
        lost.map(LostStore::into_error)
    }

    /// A part of the stack's bucket.
    pub(super) fn place(&self, name: &str) -> Prefix {
        Prefix { bucket: self.bucket.clone(), prefix: format!("{name}/") }
    }

    /// What the job of a run is started with.
    pub(super) fn order<'a>(&'a self, entry: &'a Entry, output: &'a Prefix) -> Order<'a> {
        Order { store: &self.store, role: &self.role, key: &self.key, name: &entry.run, token: &entry.token, output }
    }
}

/// Brings all data of the store in use into the one that is to take its place, through the stack's bucket.
pub(super) async fn bring_over(
    session: &Session,
    cx: &Context,
    state: &State,
    again: &CommandLine,
) -> Result<(), CommandError> {
    let bulk = BulkContext::of(cx.clone(), state)?;
    let way = bulk.place("replace").to_string();
    let wish = Wish { to: Some(&way), types: &[], wait: true, json: false, replaces: false, again };
    let exported = Box::pin(export(session, &bulk, wish)).await?;
    let bulk = bulk.of_store(state, &successor())?;
    // What the store has taken once it is to take again.
    let arguments = DataImportArgs {
        from: exported.folder.to_string(),
        validation_level: Level::Minimal,
        check_references: false,
        allow_problems: false,
        no_wait: false,
        json: false,
    };
    if exported.files.is_empty() {
        session.printer.say("There is nothing to import: the store is empty.");
        return Ok(());
    }
    session.printer.say(&format!("The export stays at {}.", exported.folder));
    let from = Place::S3(exported.folder);
    let order = import::Order { arguments: &arguments, from: &from, source: None, again };
    Box::pin(import::import(session, &bulk, order, serde_json::json!({}))).await
}

/// Where the journals are: beside the state, or where it would be.
pub(super) fn journals(session: &Session) -> PathBuf {
    let sandbox = session.sandbox_directory();
    match session.home() {
        crate::state::Home::Sandbox => sandbox.join("data"),
        crate::state::Home::Aws => sandbox.with_file_name("data"),
    }
}

impl From<JournalError> for CommandError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Busy => Self::Refused(vec![error.to_string()]),
            JournalError::Io { .. } => Self::Other(error.into()),
        }
    }
}

/// Reads what a command line names.
pub(super) fn place_of(text: &str) -> Result<Place, CommandError> {
    Place::parse(text).ok_or_else(|| CommandError::Usage {
        message: format!("{text} names no bucket"),
        hint: "write s3://BUCKET/PREFIX, or a path".to_owned(),
    })
}

/// An error that leaves something half done.
pub(super) fn unfinished(error: impl std::fmt::Display, hint: Option<String>, again: &CommandLine) -> CommandError {
    let again = format!("`{again}` continues where this stopped");
    let hint = hint.map_or_else(|| again.clone(), |hint| format!("{hint}\n{again}"));
    CommandError::Incomplete { message: error.to_string(), hint }
}

/// Does what can be gone on with, unless a signal comes.
async fn interrupted_by<T>(
    session: &Session,
    again: &CommandLine,
    work: impl Future<Output = Result<T, CommandError>>,
) -> Result<T, CommandError> {
    tokio::select! {
        done = work => done,
        _ = session.stop.requested() => Err(unfinished("interrupted", None, again)),
    }
}

fn of_upload(error: &UploadError, again: &CommandLine) -> CommandError {
    let hint = match error {
        UploadError::Resource(error) => error.hint(),
        _ => None,
    };
    unfinished(format!("the upload is not finished: {error}"), hint, again)
}

fn of_download(error: &DownloadError, again: &CommandLine) -> CommandError {
    let hint = match error {
        DownloadError::Resource(error) => error.hint(),
        _ => None,
    };
    unfinished(format!("the download is not finished: {error}"), hint, again)
}

fn of_aws(error: AwsError) -> CommandError {
    CommandError::Aws(error)
}

/// A wait for a job that ended without it.
fn of_wait(ended: Ended<ResourceError>, job: &str, again: &CommandLine) -> CommandError {
    match ended {
        Ended::Failed(error) => {
            unfinished(format!("the status of the job {job} cannot be read: {error}"), error.hint(), again)
        }
        Ended::TimedOut(status) | Ended::Stopped(status) => CommandError::Incomplete {
            message: format!("the job {job} is {status}; AWS continues with it"),
            hint: format!("`{again}` keeps waiting for it; `{}` shows it", hlctl!("data jobs")),
        },
    }
}

/// A job's end that is not what was wanted.
fn of_failed(job: &Job, store: &str, again: &CommandLine) -> CommandError {
    // "Troubleshooting" of the HealthLake developer guide: without a message the manifest tells.
    let folder = job.folder(store).filter(|_| job.message.is_none());
    let manifest = folder.map(|folder| format!("AWS gives no cause; {folder}manifest.json may say more\n"));
    let message = job.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
    CommandError::Incomplete {
        message: format!("the {} job {} ended as {}{message}", job.kind.name(), job.id, job.status),
        hint: format!("{}fix the cause, then `{again}` starts another job", manifest.unwrap_or_default()),
    }
}
