//! `hlctl apply`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use thiserror::Error;

use super::plan::options;
use super::running_jobs::{check_again, prepare_after_jobs};
use super::{confirm, outputs, stores, summary};
use crate::apply::{self, Observer, Report, Run};
use crate::cli::{ApplyArgs, ExecutionArgs, RunningJobs};
use crate::costs::Prices;
use crate::error::{CommandError, Ending, Failure};
use crate::journal::{Forecast, Recorder, RunStart};
use crate::module;
use crate::plan::file::PlanFile;
use crate::plan::{Options, refresh_only};
use crate::session::{ConnectOptions, Connection, Prepared, Session};
use crate::ui::events::EventWriter;
use crate::ui::{json, plan_view, progress};
use hlctl_config::{Config, ForceDestroy};
use hlctl_engine::state::{Held, State};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::{ResourceError, Settings};

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
    let execution = &arguments.execution;
    let work = async |held| apply_fresh(session, arguments, &config, held).await;
    session.locked(&store, "hlctl apply", execution.lock_timeout, work).await
}

async fn apply_fresh(
    session: &Session,
    arguments: &ApplyArgs,
    config: &Config,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let execution = &arguments.execution;
    let mut options = options(&arguments.scope);
    options.ignore_jobs = execution.running_jobs == RunningJobs::Ignore;
    let (state, connection) = session.read_or_begin(config, &held.store()).await?;
    let mut prepared = plan(session, &connection, config, state, &options, execution).await?;
    if arguments.scope.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    show(session, &prepared, &connection, execution);
    confirm::check(session, &prepared.plan)?;
    let mut named = false;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() {
        if execution.auto_approve || !session.printer.can_ask() {
            return Err(confirm::protected(&unnamed));
        }
        let what = format!("This applies the plan to {}.", connection.place(session.home()));
        options.allow_destroy.extend(confirm::ask_for_names(session, &unnamed, &what).await?);
        named = true;
        prepared.decide_again(&connection, &options)?;
        confirm::check_again(&prepared.plan)?;
    }
    if prepared.plan.changes_aws() {
        let question = format!("\nApply these changes to {}?", connection.place(session.home()));
        confirm::approve(session, execution.auto_approve || named, &question).await?;
        check_again(session, &prepared, execution.running_jobs).await?;
    }
    carry_out(session, held, prepared, execution, Course { options, refresh_only: arguments.scope.refresh_only }).await
}

async fn run_saved(session: &Session, arguments: &ApplyArgs, path: &Path) -> Result<ExitCode, CommandError> {
    let saved = PlanFile::read(path)?;
    saved.check_environment(session.global.environment())?;
    let store = session.store(Some(&saved.config)).await?;
    let execution = &arguments.execution;
    let work = async |held| apply_saved(session, execution, &saved, held).await;
    session.locked(&store, "hlctl apply", execution.lock_timeout, work).await
}

async fn apply_saved(
    session: &Session,
    execution: &ExecutionArgs,
    saved: &PlanFile,
    held: Arc<Held>,
) -> Result<ExitCode, CommandError> {
    let store = held.store();
    let found = session.read(&store).await?;
    let state = saved.check_state(&store, found, session.home())?;
    let connection = session.connect(ConnectOptions::from_config(&saved.config)).await?;
    let mut options = saved.options.clone();
    options.ignore_jobs = execution.running_jobs == RunningJobs::Ignore;
    let mut prepared = plan(session, &connection, &saved.config, state, &options, execution).await?;
    if saved.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    // Without the password that it was made with, a plan would seem to have changed.
    prepared.check_passwords(saved.changes())?;
    saved.check_changes(&prepared.plan)?;
    show(session, &prepared, &connection, execution);
    confirm::check(session, &prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() {
        return Err(confirm::protected(&unnamed));
    }
    // The user saw the plan when it was made; naming its file is the approval.
    carry_out(session, held, prepared, execution, Course { options, refresh_only: saved.refresh_only }).await
}

async fn plan(
    session: &Session,
    connection: &Connection,
    config: &Config,
    state: State,
    options: &Options,
    execution: &ExecutionArgs,
) -> Result<Prepared, CommandError> {
    let (settings, wish) = (Settings::of(config), execution.running_jobs);
    Box::pin(prepare_after_jobs(session, connection, Some(config), state, options, settings, wish)).await
}

/// On stderr: stdout is for the outputs.
pub(super) fn show(session: &Session, prepared: &Prepared, connection: &Connection, execution: &ExecutionArgs) {
    if !execution.json {
        let place = connection.place(session.home());
        session.printer.say(&plan_view::render(&prepared.plan, &place, Prices::of_stack(&prepared.state)));
    }
}

/// What was asked for: how the end is reported, and how the work is taken up again.
struct Course {
    options: Options,
    refresh_only: bool,
}

impl Course {
    /// Whether the plan covers the whole stack, and makes it.
    fn makes_all(&self) -> bool {
        self.options.targets.is_empty() && !self.refresh_only && !self.options.destroy
    }

    /// What it is called at the end: the command, and as the beginning of a sentence.
    fn name(&self) -> (&'static str, &'static str) {
        if self.options.destroy { ("destroy", "Destroy") } else { ("apply", "Apply") }
    }

    /// The command that goes on where this run stood. A saved plan cannot be used twice.
    fn again(&self, prepared: &Prepared, now: &State) -> CommandLine {
        let options = &self.options;
        if options.exactly {
            return CommandLine::new("drift --fix");
        }
        let mut again = CommandLine::new(self.name().0);
        if self.refresh_only {
            again = again.flag("--refresh-only");
        }
        for address in &options.targets {
            again = again.option("--target", address.as_str());
        }
        // One that was begun is in the state, and is finished without being asked for again.
        let is_as_before = |address: &&Address| {
            prepared.state.resources.contains_key(*address)
                && now.recorded(address.as_str()) == prepared.state.recorded(address.as_str())
        };
        for address in options.replace.iter().filter(is_as_before) {
            again = again.option("--replace", address.as_str());
        }
        // What is gone by now no longer needs to be named, and cannot be.
        for name in prepared.still_named(&options.allow_destroy, now) {
            again = again.option("--allow-destroy", name);
        }
        let force_destroy = prepared.cx.settings.force_destroy;
        if options.destroy && force_destroy != ForceDestroy::No {
            again = again.flag(force_destroy.flag());
        }
        again
    }
}

async fn carry_out(
    session: &Session,
    held: Arc<Held>,
    prepared: Prepared,
    execution: &ExecutionArgs,
    course: Course,
) -> Result<ExitCode, CommandError> {
    let has_work = prepared.plan.has_work();
    let begun = Instant::now();
    let report = walk(session, Arc::clone(&held), &prepared, execution, Some("hlctl apply")).await?;
    if execution.json {
        session.printer.json(&json::report(&report));
    }
    let again = course.again(&prepared, &report.state);
    let (command, title) = course.name();
    summary::conclude(session, &report, &format!("The {command}"), execution, Some(&again))?;
    if course.makes_all() && report.state.switching {
        // Whatever names a store names the one in use by now.
        let serial = report.state.serial + 1;
        held.write(State { serial, switching: false, ..report.state.clone() }).await?;
    }
    if has_work {
        session.printer.conclude(&summary::done(&report, title, begun.elapsed()));
    }
    Box::pin(stores::tell_what_can_be_restored(session, &prepared)).await;
    // Lines of JSON are all that a reader of `--events -` expects on stdout.
    let is_read_by_lines = execution.events.as_deref().is_some_and(|place| place == Path::new("-"));
    if !course.options.destroy && !execution.json && !is_read_by_lines {
        // Those of several stacks follow when all are done, each under its own heading.
        if session.fleet.is_none() {
            session.printer.say("\nOutputs:\n");
        }
        session.printer.data(&outputs::as_text(&module::outputs(&report.state)));
    }
    Ok(ExitCode::Success)
}

/// Carries a plan out, with progress on stderr. A run of a named command that has something to do is recorded.
pub(super) async fn walk(
    session: &Session,
    held: Arc<Held>,
    prepared: &Prepared,
    execution: &ExecutionArgs,
    command: Option<&str>,
) -> Result<Report, CommandError> {
    let forecast = Forecast::of(session.local_store().path(), &prepared.state);
    let observer = progress::observer(session.printer, forecast.clone());
    let run = Run {
        cx: prepared.cx.clone(),
        plan: &prepared.plan,
        stack: &prepared.stack,
        state: prepared.state.clone(),
        fallback: held.store().file().is_none().then(|| session.fallback()),
        held,
        parallelism: usize::from(execution.parallelism),
        wait: !execution.no_wait,
        is_protected: &|address| prepared.is_protected(address),
    };
    let mut events = match &execution.events {
        Some(place) => {
            session.refuse_own_file(place)?;
            Some(EventWriter::open(place, session.printer).map_err(|error| NoEvents::of(place, error))?)
        }
        None => None,
    };
    if let Some(writer) = &mut events {
        writer.begin(command, &prepared.state, &prepared.plan);
    }
    let observer = match &events {
        Some(writer) => writer.around(observer, forecast),
        None => observer,
    };
    let result = observed(session, run, observer, prepared, command).await;
    if let Some(writer) = events
        && let Some(failure) = writer.finish(result.as_ref().map_err(CommandError::exit_code))
    {
        session.printer.warning(&format!("--events is not complete: {failure}"));
    }
    result
}

/// The file of `--events` cannot be written.
#[derive(Debug, Error)]
#[error("events cannot be written to {}: {error}", place.display())]
struct NoEvents {
    place: PathBuf,
    error: std::io::Error,
}

impl NoEvents {
    fn of(place: &Path, error: std::io::Error) -> Self {
        Self { place: place.to_owned(), error }
    }
}

impl Failure for NoEvents {
    fn ending(&self) -> Ending {
        Ending::Refused
    }

    fn hint(&self) -> Option<String> {
        Some("nothing was changed; name a file in a folder that exists, or `-` for stdout".to_owned())
    }
}

/// Runs the apply with this observer, and records it if it is a named command that has something to do.
async fn observed(
    session: &Session,
    run: Run<'_>,
    observer: Box<dyn Observer<ResourceError>>,
    prepared: &Prepared,
    command: Option<&str>,
) -> Result<Report, CommandError> {
    let Some(command) = command.filter(|_| prepared.plan.has_work()) else {
        let mut observer = observer;
        return Ok(apply::run(run, observer.as_mut()).await?);
    };
    let beginning = RunStart { command, state: &prepared.state, plan: &prepared.plan };
    let mut recorder = Recorder::begin(session.local_store().path(), &beginning, observer);
    let result = apply::run(run, &mut recorder).await.map_err(CommandError::from);
    if let Some(failure) =
        recorder.finish(result.as_ref().err().map(|error| session.printer.rendered(&error.to_string()).into_owned()))
    {
        session.printer.warning(&format!("`{}` will not show this run: {failure}", hlctl!("report")));
    }
    result
}
