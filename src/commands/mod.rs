//! The commands, one file each. They are thin: read, call, print.

mod apply;
mod audit;
mod confirm;
mod destroy;
mod graph;
mod init;
mod man;
mod outputs;
mod plan;
mod report;
pub mod sandbox;
mod schema;
mod smart;
mod state;
mod summary;
mod validate;
mod wait;

use std::ffi::OsString;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::cli::{Cli, Command};
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::session::Session;
use crate::state::{LocalStore, Lock, StateError};
use crate::ui::{Printer, json};
use crate::wait::{Signal, Stop};

/// Runs hlctl with these arguments, the first being its own name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Writing can fail only because nobody reads.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage } else { ExitCode::Success };
        }
    };
    let log = std::env::var("HLCTL_LOG").unwrap_or_default();
    crate::trace::enable(["calls", "debug", "trace"].contains(&log.as_str()));
    let printer = Printer::new(cli.global.quiet);
    let as_json = cli.command.prints_json();
    let code = match run(cli, printer) {
        Ok(code) => code,
        Err(error) => {
            report(printer, &error);
            if as_json && !printer.has_printed() {
                printer.data(&format!("{:#}", json::error(&error)));
            }
            error.exit_code()
        }
    };
    match printer.failure() {
        Some(failure) if code == ExitCode::Success || code == ExitCode::Changes => {
            printer.error(&format!("the output could not be written: {failure}"), None);
            ExitCode::Failure
        }
        _ => code,
    }
}

fn run(cli: Cli, printer: Printer) -> Result<ExitCode, CommandError> {
    let (sender, receiver) = watch::channel(None);
    let session = Session { global: cli.global, printer, stop: Stop::new(receiver) };
    match cli.command {
        Command::Init(arguments) => init::run(&session, &arguments),
        Command::Validate(arguments) => validate::run(&session, &arguments),
        Command::Schema => schema::run(&session),
        Command::Outputs(arguments) if arguments.show_secrets => {
            block_on(sender, outputs::run_with_secrets(&session, &arguments))
        }
        Command::Outputs(arguments) => outputs::run(&session, &arguments),
        Command::Audit(arguments) => block_on(sender, audit::run(&session, &arguments)),
        Command::Graph(arguments) => graph::run(&session, &arguments),
        Command::Report(arguments) => report::run(&session, &arguments),
        Command::State(command) => state::run(&session, command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hlctl", &mut script);
            printer.data(&String::from_utf8_lossy(&script));
            Ok(ExitCode::Success)
        }
        Command::Man { directory } => man::run(&session, &directory),
        Command::Plan(arguments) => block_on(sender, plan::run(&session, &arguments)),
        Command::Apply(arguments) => block_on(sender, apply::run(&session, &arguments)),
        Command::Destroy(arguments) => block_on(sender, destroy::run(&session, &arguments)),
        Command::Wait(arguments) => block_on(sender, wait::run(&session, &arguments)),
        Command::Smart(command) => block_on(sender, smart::run(&session, &command)),
        Command::Sandbox(arguments) => block_on(sender, sandbox::run(&session, &arguments)),
    }
}

/// Runs a command that talks to AWS; the first signal asks it to stop, later ones change nothing.
fn block_on(
    stop: watch::Sender<Option<Signal>>,
    command: impl Future<Output = Result<ExitCode, CommandError>>,
) -> Result<ExitCode, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Other(error.into()))?;
    let result = runtime.block_on(async {
        listen(stop)?;
        command.await
    });
    // A prompt may still be reading from the terminal.
    runtime.shutdown_background();
    result
}

#[cfg(unix)]
fn listen(stop: watch::Sender<Option<Signal>>) -> Result<(), CommandError> {
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
            stop.send_if_modified(|signal| {
                let first = signal.is_none();
                signal.get_or_insert(came);
                first
            });
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn listen(stop: watch::Sender<Option<Signal>>) -> Result<(), CommandError> {
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            let _ = stop.send(Some(Signal::Interrupt));
        }
    });
    Ok(())
}

/// Runs the part of a command that changes nothing; a signal ends it at once.
async fn interruptible<T>(stop: &Stop, work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    tokio::select! {
        result = work => result,
        signal = stop.requested() => Err(CommandError::Interrupted(signal)),
    }
}

/// Takes the state's lock, waiting for it as long as the user allows.
async fn lock(
    session: &Session,
    store: &LocalStore,
    command: &str,
    patience: Duration,
) -> Result<Arc<Lock>, CommandError> {
    let deadline = Instant::now() + patience;
    let mut told = false;
    loop {
        match store.lock(command) {
            Ok(lock) => return Ok(Arc::new(lock)),
            Err(StateError::Locked { holder, path }) => {
                if Instant::now() >= deadline {
                    return Err(StateError::Locked { holder, path }.into());
                }
                if !told {
                    session.printer.say(&format!("Waiting for the state's lock, held by {holder}"));
                    told = true;
                }
            }
            Err(error) => return Err(error.into()),
        }
        interruptible(&session.stop, async {
            sleep(Duration::from_millis(200)).await;
            Ok(())
        })
        .await?;
    }
}

fn report(printer: Printer, error: &CommandError) {
    match error {
        CommandError::Config(problems) => printer.insist(problems.render(printer.colours_stderr()).trim_end()),
        other => printer.error(&other.to_string(), other.hint().as_deref()),
    }
}
