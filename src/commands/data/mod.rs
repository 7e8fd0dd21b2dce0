//! `hlctl data ...`: bulk data on its way into the store and out of it. The state is read and never written.

mod check;
mod error;
mod export;
mod import;
mod jobs;
mod progress;
mod sources;

use std::path::PathBuf;

pub(super) use error::{DataError, Resumable};
use error::{ExportEnded, ImportEnded};
pub(super) use export::export;
pub(super) use import::{others_there, trouble_line};
pub(super) use progress::JobProgress;
pub(super) use sources::files_to_convert;

use crate::cli::DataCommand;
use crate::data::bulk_context::BulkContext;
use crate::data::export::ExportRequest;
use crate::data::import::{ImportRequest, ValidationLevel};
use crate::data::place::DataLocation;
use crate::error::CommandError;
use crate::module::standby::successor;
use crate::session::{OpenStack, Region, Session};
use hlctl_engine::state::State;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::Context;

/// Runs one of them.
pub(super) async fn run(session: &Session, command: &DataCommand) -> Result<ExitCode, CommandError> {
    match command {
        DataCommand::Check(arguments) => check::run(session, arguments).await,
        DataCommand::Import(arguments) => Box::pin(import::run(session, arguments)).await,
        DataCommand::Export(arguments) => Box::pin(export::run(session, arguments)).await,
        DataCommand::Jobs(arguments) => jobs::run(session, arguments).await,
    }
}

/// Opens the stack for jobs of its store.
async fn open(session: &Session) -> Result<BulkContext, CommandError> {
    let stack = OpenStack::open(session, Region::OfState).await?;
    Ok(BulkContext::of(stack.cx, &stack.state)?)
}

/// Brings all data of the store in use into the one that is to take its place, through the stack's bucket.
pub(super) async fn copy_to_successor(
    session: &Session,
    cx: &Context,
    state: &State,
    again: &CommandLine,
) -> Result<(), CommandError> {
    let bulk = BulkContext::of(cx.clone(), state)?;
    let journals = journals(session);
    let to = DataLocation::S3(bulk.place("replace"));
    let text = bulk.place("replace").to_string();
    let request = ExportRequest { to: Some(&to), types: &[], wait: true, replaces: false, journals: &journals };
    let exported = Box::pin(export(session, &bulk, request, Some(&text), again)).await?;
    let bulk = bulk.of_store(state, &successor())?;
    if exported.files.is_empty() {
        session.printer.say("There is nothing to import: the store is empty.");
        return Ok(());
    }
    session.printer.say(&format!("The export stays at {}.", exported.folder));
    let request = ImportRequest {
        from: &DataLocation::S3(exported.folder),
        files: None,
        conversion: None,
        // What a store has accepted once it accepts again.
        validation_level: ValidationLevel::Minimal,
        allow_problems: false,
        wait: true,
        delete_input: false,
        journals: &journals,
    };
    Box::pin(import::carry_out(session, &bulk, request, again, false)).await
}

/// Where the journals are: next to the state, or where it would be.
pub(super) fn journals(session: &Session) -> PathBuf {
    let sandbox = session.sandbox_directory();
    match session.home() {
        hlctl_engine::state::Home::Sandbox => sandbox.join("data"),
        hlctl_engine::state::Home::Aws => sandbox.with_file_name("data"),
    }
}

/// Reads what a command line names.
pub(super) fn place_of(text: &str) -> Result<DataLocation, DataError> {
    DataLocation::parse(text).ok_or_else(|| DataError::NoBucket(text.to_owned()))
}
