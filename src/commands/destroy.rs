//! `hlctl destroy`: from the state; the configuration only adds its settings.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::apply::{show, walk};
use super::final_export::FinalExport;
use super::running_jobs::{check_again, check_buckets_again, prepare_after_jobs};
use super::{confirm, stores, summary};
use crate::cli::{DestroyArgs, RunningJobs};
use crate::error::CommandError;
use crate::plan::Options;
use crate::session::{ConnectOptions, Session};
use crate::ui::json;
use hlctl_config::Config;
use hlctl_engine::state::Held;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_model::text::counted;
use hlctl_resources::Settings;

/// Destroys everything that the state holds.
pub(super) async fn run(session: &Session, arguments: &DestroyArgs) -> Result<ExitCode, CommandError> {
    let config = session.config_if_any()?;
    let store = session.store(config.as_ref()).await?;
    // Reading first keeps a mistaken directory from getting a lock file and a sandbox.
    session.read_to_destroy(&store).await?;
    let work = async |held| destroy(session, arguments, config.as_ref(), held).await;
    session.locked(&store, "hlctl destroy", arguments.execution.lock_timeout, work).await
}

async fn destroy(
    session: &Session,
    arguments: &DestroyArgs,
    config: Option<&Config>,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let execution = &arguments.execution;
    let state = session.read_existing(&held.store()).await?;
    let mut settings = config.map_or_else(|| state.settings.clone(), Settings::of);
    settings.force_destroy = arguments.force_destroy.unwrap_or(settings.force_destroy);
    let mut options = Options {
        targets: arguments.target.iter().map(Address::parse).collect::<BTreeSet<_>>(),
        allow_destroy: arguments.allow_destroy.iter().cloned().collect(),
        destroy: true,
        ignore_jobs: execution.running_jobs == RunningJobs::Ignore,
        exports_first: arguments.final_export.is_some(),
        ..Options::default()
    };
    let connect = ConnectOptions::from_config_or_state(config, &session.global, &state);
    let connection = session.connect(connect).await?;
    let preparing = prepare_after_jobs(session, &connection, config, state, &options, settings, execution.running_jobs);
    let mut prepared = Box::pin(preparing).await?;
    let start_again = again(arguments, &arguments.allow_destroy);
    if !prepared.plan.has_work() {
        if let Some(to) = &arguments.final_export {
            Box::pin(FinalExport::new(&prepared, to, &start_again)?.conclude(session, &prepared)).await?;
        }
        session.printer.say("Nothing to destroy: the state holds no resources.");
        return Ok(ExitCode::Success);
    }
    show(session, &prepared, &connection, execution);
    confirm::check(session, &prepared.plan)?;
    let rescue =
        arguments.final_export.as_deref().map(|to| FinalExport::new(&prepared, to, &start_again)).transpose()?;
    let unnamed = confirm::unnamed(&prepared.plan);
    let (count, place) = (prepared.plan.counts().delete, connection.place(session.home()));
    if unnamed.is_empty() {
        let question = format!("\nDestroy {} in {place}?", counted(count as u64, "resource"));
        confirm::approve(session, execution.auto_approve, &question).await?;
    } else if execution.auto_approve || !session.printer.can_ask() {
        return Err(confirm::protected(&unnamed));
    } else {
        let what = format!("This destroys {} in {place}.", counted(count as u64, "resource"));
        options.allow_destroy.extend(confirm::ask_for_names(session, &unnamed, &what).await?);
        prepared.decide_again(&connection, &options)?;
        confirm::check_again(&prepared.plan)?;
    }
    let begun = Instant::now();
    let manifest = match &rescue {
        Some(rescue) => {
            // On the heap: the futures of all calls together are larger than a thread's stack may be.
            let manifest = Box::pin(rescue.rescue(session, &prepared)).await?;
            Box::pin(rescue.announce(&prepared, &manifest)).await?;
            manifest
        }
        None => Value::Null,
    };
    check_again(session, &prepared, execution.running_jobs).await?;
    check_buckets_again(session, &prepared).await?;
    let report = walk(session, held, &prepared, execution, Some("hlctl destroy")).await?;
    if let Some(rescue) = &rescue
        && let Err(error) = Box::pin(rescue.receipt(session, &prepared, &report.outcomes, &manifest)).await
    {
        session.printer.error(&format!("the receipt could not be written: {error}"), None);
    }
    if execution.json {
        session.printer.json(&json::report(&report));
    }
    // What is gone by now no longer needs to be named, and cannot be.
    let again = again(arguments, prepared.still_named(&arguments.allow_destroy, &report.state));
    summary::conclude(session, &report, "The destroy", execution, Some(&again))?;
    session.printer.conclude(&summary::done(&report, "Destroy", begun.elapsed()));
    Box::pin(stores::tell_what_can_be_restored(session, &prepared)).await;
    Ok(ExitCode::Success)
}

/// The command that goes on where this one stood.
fn again<'a>(arguments: &DestroyArgs, names: impl IntoIterator<Item = &'a String>) -> CommandLine {
    let mut again = CommandLine::new("destroy");
    for address in &arguments.target {
        again = again.option("--target", address);
    }
    for name in names {
        again = again.option("--allow-destroy", name);
    }
    if let Some(force_destroy) = arguments.force_destroy {
        again = again.flag(force_destroy.flag());
    }
    if let Some(to) = &arguments.final_export {
        again = again.option("--final-export", to);
    }
    again
}
