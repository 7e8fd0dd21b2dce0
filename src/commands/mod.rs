//! The commands, one file each. They are thin: read, call, print.

mod adopt;
mod apply;
mod audit;
mod completions;
mod confirm;
mod data;
mod deployed_stack;
mod destroy;
mod docs;
mod doctor;
mod drift;
mod endpoint_resolver;
mod export;
mod fhir;
mod final_export;
mod fleet;
mod force_unlock;
mod graph;
mod init;
mod logs;
mod man;
mod notify;
mod open;
mod outputs;
mod plan;
mod policy;
mod report;
mod running_jobs;
#[cfg(feature = "sandbox")]
mod sandbox;
mod schema;
mod smart;
mod state;
mod status;
mod stores;
mod summary;
mod transform;
mod usage;
mod validate;
mod wait;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::cli::{Cli, Command, Invocation, manual};
use crate::error::{CommandError, Ending, Failure};
use crate::log::{Log, LogError};
use crate::session::Session;
use crate::ui::attention::Attention;
use crate::ui::{Printer, end_on_panic, json};
use hlctl_engine::wait::{Signal, Signals, Stop};
use hlctl_model::exit_code::ExitCode;

/// Runs hlctl with these arguments, the first being its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    end_on_panic();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(code) = completions::answer(&arguments) {
        return code;
    }
    let words = usage::in_own_words(arguments);
    if let Some(code) = usage::refuse_single_dashes(&words) {
        return code;
    }
    let (cli, command) = match parse(&words) {
        Ok(parsed) => parsed,
        Err(error) => return usage::explain(error, &words),
    };
    if cli.global.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let printer = Printer::new(cli.global.quiet, Invocation::of(&cli.global));
    let as_json = cli.command.prints_json();
    let changes = cli.command.changes();
    let hint_once_done = cli.command.hint_once_done();
    let notify = cli.command.notify().and_then(|arguments| arguments.notify.clone());
    let attention = cli.command.notify().and_then(|_| Attention::begin(printer, &command));
    let outcome = start_log().and_then(|()| {
        let _span =
            tracing::info_span!("run", command = command.as_str(), version = env!("CARGO_PKG_VERSION")).entered();
        run(cli, printer)
    });
    let mut summary = printer.summary();
    let code = match outcome {
        Ok(code) => code,
        Err(error) => {
            summary = error.to_string();
            report(printer, &error);
            if as_json && !printer.has_printed() {
                printer.json(&json::error(&error));
            }
            error.exit_code()
        }
    };
    let code = match printer.failure() {
        Some(failure) if code == ExitCode::Success || code == ExitCode::Changes => {
            summary = format!("the output could not be written: {failure}");
            printer.error(&summary, hint_once_done);
            // 1 would say that nothing was begun.
            if changes { ExitCode::Incomplete } else { ExitCode::Failure }
        }
        _ => code,
    };
    if let Some(attention) = attention {
        attention.end(code);
    }
    if let Some(script) = notify {
        if summary.is_empty() {
            summary = format!("`{command}` ended with exit code {}", code as u8);
        }
        notify::run(printer, &script, &notify::Ended { command: &command, code, summary: &summary });
    }
    code
}

/// The command line, and the name of its command.
fn parse(words: &[OsString]) -> Result<(Cli, String), clap::Error> {
    let mut manual = manual::command();
    let mut matches = manual.try_get_matches_from_mut(words)?;
    let command = command_of(&matches);
    let is_environment_given = is_on_command_line(&matches, "environment");
    let mut cli = Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut manual))?;
    cli.global.is_environment_given = is_environment_given;
    Ok((cli, command))
}

/// Whether a global option was given before or after the name of the command, and not by its variable.
fn is_on_command_line(matches: &ArgMatches, id: &str) -> bool {
    let is_here =
        matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine);
    is_here || matches.subcommand().is_some_and(|(_, inner)| is_on_command_line(inner, id))
}

/// The name of the command that was given, with that of the group it belongs to: `data import`.
fn command_of(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut inner = matches.subcommand();
    while let Some((name, matches)) = inner {
        names.push(name);
        inner = matches.subcommand();
    }
    names.join(" ")
}

/// Starts the log that `HLCTL_LOG` and `HLCTL_LOG_FILE` ask for.
fn start_log() -> Result<(), CommandError> {
    let filter = std::env::var_os("HLCTL_LOG").map(|filter| filter.to_string_lossy().into_owned());
    let file = std::env::var_os("HLCTL_LOG_FILE").map(PathBuf::from);
    let log = Log::from_env(filter.as_deref(), file.as_deref());
    let started = log.and_then(|log| log.map_or(Ok(()), Log::start));
    Ok(started?)
}

impl Failure for LogError {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(self.hint().to_owned())
    }
}

fn run(cli: Cli, printer: Printer) -> Result<ExitCode, CommandError> {
    let (sender, receiver) = watch::channel(Signals::default());
    let sender = Signalling { sender, changes: cli.command.changes() };
    let configs = fleet::configs(&cli.global.configs)?;
    let mut session = Session { global: cli.global, printer, stop: Stop::new(receiver), fleet: None };
    if configs.len() > 1 {
        return block_on(sender, fleet::run(&session, configs, cli.command));
    }
    session.global.config = configs.into_iter().next().unwrap_or_default();
    match cli.command {
        Command::Init(arguments) => init::run(&session, &arguments),
        Command::Validate(arguments) => validate::run(&session, &arguments),
        Command::Schema => schema::run(&session),
        Command::Outputs(arguments) => block_on(sender, outputs::run(&session, &arguments)),
        Command::Open(arguments) => block_on(sender, open::run(&session, &arguments)),
        Command::Logs(arguments) => block_on(sender, logs::run(&session, &arguments)),
        Command::State(command) => block_on(sender, state::run(&session, command)),
        Command::Forget(arguments) => block_on(sender, state::forget(&session, &arguments)),
        Command::Protect(arguments) => block_on(sender, state::protect(&session, &arguments, true)),
        Command::Unprotect(arguments) => block_on(sender, state::protect(&session, &arguments, false)),
        Command::ForceUnlock(arguments) => block_on(sender, force_unlock::run(&session, &arguments)),
        Command::Adopt(arguments) => block_on(sender, adopt::run(&session, &arguments)),
        Command::Export(command) => block_on(sender, export::run(&session, &command)),
        Command::Audit(arguments) => block_on(sender, audit::run(&session, &arguments)),
        Command::Graph(arguments) => block_on(sender, graph::run(&session, &arguments)),
        Command::Report(arguments) => block_on(sender, report::run(&session, &arguments)),
        Command::Completions { shell } => Ok(completions::print(printer, shell)),
        Command::Docs(arguments) => docs::run(&session, &arguments),
        Command::Man { directory } => man::run(&session, &directory),
        Command::Doctor(arguments) => block_on(sender, doctor::run(&session, &arguments)),
        Command::Plan(arguments) => block_on(sender, plan::run(&session, &arguments)),
        Command::Apply(arguments) => block_on(sender, apply::run(&session, &arguments)),
        Command::Drift(arguments) => block_on(sender, drift::run(&session, &arguments)),
        Command::Destroy(arguments) => block_on(sender, destroy::run(&session, &arguments)),
        Command::Wait(arguments) => block_on(sender, wait::run(&session, &arguments)),
        Command::Status(arguments) => block_on(sender, status::run(&session, &arguments)),
        Command::Fhir(command) => block_on(sender, fhir::run(&session, &command)),
        Command::Policy(command) => block_on(sender, policy::run(&session, &command)),
        Command::Data(command) => block_on(sender, data::run(&session, &command)),
        Command::Transform(command) => block_on(sender, transform::run(&session, &command)),
        Command::Restore(arguments) => block_on(sender, stores::restore(&session, &arguments)),
        Command::Replace(arguments) => block_on(sender, stores::replace(&session, &arguments)),
        Command::Stores(command) => block_on(sender, stores::run(&session, &command)),
        Command::Smart(command) => block_on(sender, smart::run(&session, &command)),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(arguments) => block_on(sender, sandbox::run(&session, &arguments)),
    }
}

/// Passes signals on to a command.
struct Signalling {
    sender: watch::Sender<Signals>,
    /// Whether the command is one of those that change something.
    changes: bool,
}

/// Runs a command that talks to AWS. The first signal asks it to stop, a second Ctrl-C ends it.
fn block_on(
    signals: Signalling,
    command: impl Future<Output = Result<ExitCode, CommandError>>,
) -> Result<ExitCode, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Other(error.into()))?;
    let Signalling { sender, changes } = signals;
    let stop = Stop::new(sender.subscribe());
    let aborted = async {
        stop.insisted().await;
        // A command that holds the lock gives it back in this time.
        sleep(RELEASE).await;
    };
    let result = runtime.block_on(async {
        listen(sender)?;
        tokio::select! {
            biased;
            result = command => result,
            () = aborted => Err(CommandError::Aborted { may_have_changed: changes }),
        }
    });
    // A prompt may still be reading from the terminal.
    runtime.shutdown_background();
    result
}

/// How long giving back the lock may take after a second Ctrl-C. A lock in S3 that is not given back can be taken away.
const RELEASE: Duration = Duration::from_secs(3);

#[cfg(unix)]
fn listen(signals: watch::Sender<Signals>) -> Result<(), CommandError> {
    use tokio::signal::unix::{SignalKind, signal};
    let hear = |kind| signal(kind).map_err(|error| CommandError::Other(error.into()));
    let mut interrupt = hear(SignalKind::interrupt())?;
    let mut terminate = hear(SignalKind::terminate())?;
    let mut hang_up = hear(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            let came = tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                _ = hang_up.recv() => Signal::HangUp,
            };
            signals.send_if_modified(|signals| signals.note(came));
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen(signals: watch::Sender<Signals>) -> Result<(), CommandError> {
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            signals.send_if_modified(|signals| signals.note(Signal::Interrupt));
        }
    });
    Ok(())
}

fn report(printer: Printer, error: &CommandError) {
    match error {
        CommandError::Config(problems) => printer.insist(problems.render(printer.colours_stderr()).trim_end()),
        CommandError::Failed(error) if error.ending() == Ending::LeftRunning => {
            printer.note(&error.to_string(), &error.hint().unwrap_or_default());
        }
        other => printer.error(&other.to_string(), other.hint().as_deref()),
    }
}
