//! `hlctl apply`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::plan::{fresh, options};
use super::running_jobs::prepare_after_jobs;
use super::{confirm, interruptible, locked, outputs, summary};
use crate::apply::{self, Report, Run};
use crate::cli::{ApplyArgs, Manner, RunningJobs, Scope};
use crate::config::Config;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::invocation::CommandLine;
use crate::journal::{Beginning, Recorder};
use crate::module;
use crate::plan::file::PlanFile;
use crate::plan::{Options, refresh_only};
use crate::session::{ConnectOptions, Connection, Prepared, Session, settings_of};
use crate::state::{Held, State};
use crate::ui::{json, plan_view, progress};

/// Makes AWS as the configuration, or a saved plan, says.
pub(super) async fn run(session: &Session, arguments: &ApplyArgs) -> Result<ExitCode, CommandError> {
    match &arguments.plan {
        Some(path) => run_saved(session, arguments, path).await,
        None => run_fresh(session, arguments).await,
    }
}

async fn run_fresh(session: &Session, arguments: &ApplyArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store(Some(&config)).await?;
    let manner = &arguments.manner;
    let work = async |held| apply_fresh(session, arguments, &config, held).await;
    locked(session, &store, "hlctl apply", manner.lock_timeout, work).await
}

async fn apply_fresh(
    session: &Session,
    arguments: &ApplyArgs,
    config: &Config,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let manner = &arguments.manner;
    let state = interruptible(&session.stop, session.read(&held.store())).await?;
    let mut options = options(&arguments.scope);
    options.ignore_jobs = manner.running_jobs == RunningJobs::Ignore;
    let connection = interruptible(&session.stop, session.connect(ConnectOptions::of(config))).await?;
    let state = state.unwrap_or_else(|| fresh(session, config, &connection.identity));
    let mut prepared = plan(session, &connection, config, state, &options, manner).await?;
    if arguments.scope.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    show(session, &prepared, &connection, manner);
    confirm::check(&prepared.plan)?;
    let mut named = false;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() {
        if manner.auto_approve || !session.printer.can_ask() {
            return Err(confirm::protected(&unnamed));
        }
        options.allow_destroy.extend(confirm::ask_for_names(session, &unnamed).await?);
        named = true;
        prepared.decide_again(&connection, &options)?;
        confirm::check(&prepared.plan)?;
    }
    if prepared.plan.changes_aws() {
        confirm::approve(session, manner.auto_approve || named, "\nDo this?").await?;
    }
    let is_whole = options.targets.is_empty() && !arguments.scope.refresh_only;
    carry_out(session, held, prepared, manner, Course { is_whole, again: again(&arguments.scope) }).await
}

async fn run_saved(session: &Session, arguments: &ApplyArgs, path: &Path) -> Result<ExitCode, CommandError> {
    let saved = PlanFile::read(path)?;
    let store = session.store(Some(&saved.config)).await?;
    let manner = &arguments.manner;
    let work = async |held| apply_saved(session, manner, &saved, held).await;
    locked(session, &store, "hlctl apply", manner.lock_timeout, work).await
}

async fn apply_saved(
    session: &Session,
    manner: &Manner,
    saved: &PlanFile,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let store = held.store();
    let found = interruptible(&session.stop, session.read(&store)).await?;
    let state = saved.check_state(&store, found, session.home())?;
    let connection = interruptible(&session.stop, session.connect(ConnectOptions::of(&saved.config))).await?;
    let mut options = saved.options.clone();
    options.ignore_jobs = manner.running_jobs == RunningJobs::Ignore;
    let mut prepared = plan(session, &connection, &saved.config, state, &options, manner).await?;
    if saved.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    // Without the password that it was made with, a plan would seem to have changed.
    prepared.check_passwords(saved.changes())?;
    saved.check_changes(&prepared.plan)?;
    show(session, &prepared, &connection, manner);
    confirm::check(&prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() {
        return Err(confirm::protected(&unnamed));
    }
    // The user saw the plan when it was made; naming its file is the approval.
    let is_whole = saved.options.targets.is_empty() && !saved.refresh_only;
    carry_out(session, held, prepared, manner, Course { is_whole, again: CommandLine::new("apply") }).await
}

async fn plan(
    session: &Session,
    connection: &Connection,
    config: &Config,
    state: State,
    options: &Options,
    manner: &Manner,
) -> Result<Prepared, CommandError> {
    let (settings, wish) = (settings_of(config), manner.running_jobs);
    Box::pin(prepare_after_jobs(session, connection, Some(config), state, options, settings, wish)).await
}

/// On stderr: stdout is for the outputs.
pub(super) fn show(session: &Session, prepared: &Prepared, connection: &Connection, manner: &Manner) {
    if !manner.json {
        session.printer.say(&plan_view::render(&prepared.plan, &connection.place(session.home())));
    }
}

/// What a plan is of the stack, and how its work is taken up again.
struct Course {
    /// Whether it covers all of it.
    is_whole: bool,
    /// The command that goes on where this run stood.
    again: CommandLine,
}

/// The command that goes on with what was chosen. What was to be replaced is known from the state.
fn again(scope: &Scope) -> CommandLine {
    if scope.exactly {
        return CommandLine::new("drift --fix");
    }
    let mut again = CommandLine::new("apply");
    if scope.refresh_only {
        again = again.flag("--refresh-only");
    }
    for address in &scope.target {
        again = again.option("--target", address);
    }
    for name in &scope.allow_destroy {
        again = again.option("--allow-destroy", name);
    }
    again
}

async fn carry_out(
    session: &Session,
    held: Arc<Held>,
    prepared: Prepared,
    manner: &Manner,
    course: Course,
) -> Result<ExitCode, CommandError> {
    let has_work = prepared.plan.has_work();
    let begun = Instant::now();
    let report = walk(session, Arc::clone(&held), &prepared, manner, Some("hlctl apply")).await?;
    if manner.json {
        session.printer.json(&json::report(&report));
    }
    let result = summary::conclude(session, &report, "The apply", manner, Some(&course.again));
    if result.is_ok() && course.is_whole && report.state.switching {
        // Whatever names a store names the one in use by now.
        let serial = report.state.serial + 1;
        held.write(State { serial, switching: false, ..report.state.clone() }).await?;
    }
    if result.is_ok() && has_work {
        session.printer.say(&format!("\n{}", summary::done(&report, "Apply", begun.elapsed())));
    }
    if !manner.json && result.is_ok() {
        // Those of several stacks follow when all are done, each under its own heading.
        if session.fleet.is_none() {
            session.printer.say("\nOutputs:\n");
        }
        session.printer.data(&outputs::as_text(&module::outputs(|address| report.state.recorded(address))));
    }
    result.map(|()| ExitCode::Success)
}

/// Carries a plan out, with progress on stderr. A run of a named command that has something to do is recorded.
pub(super) async fn walk(
    session: &Session,
    held: Arc<Held>,
    prepared: &Prepared,
    manner: &Manner,
    command: Option<&str>,
) -> Result<Report, CommandError> {
    let observer = progress::observer(session.printer);
    let run = Run {
        cx: prepared.cx.clone(),
        plan: &prepared.plan,
        stack: &prepared.stack,
        state: prepared.state.clone(),
        refuge: matches!(*held, Held::S3(..)).then(|| session.refuge()),
        held,
        parallelism: usize::from(manner.parallelism),
        wait: !manner.no_wait,
        is_protected: &|address| prepared.is_protected(address),
    };
    let Some(command) = command.filter(|_| prepared.plan.has_work()) else {
        let mut observer = observer;
        return apply::run(run, observer.as_mut()).await;
    };
    let beginning = Beginning { command, state: &prepared.state, plan: &prepared.plan };
    let mut recorder = Recorder::begin(session.local_store().path(), &beginning, observer);
    let result = apply::run(run, &mut recorder).await;
    if let Some(failure) =
        recorder.finish(result.as_ref().err().map(|error| session.printer.rendered(&error.to_string()).into_owned()))
    {
        session.printer.warning(&format!("`{}` will not know of this run: {failure}", hlctl!("report")));
    }
    result
}
