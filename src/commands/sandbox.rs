//! `hlctl sandbox`

mod reset;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use hlctl_emulator::{AllowedOrigin, Delays, Emulator, LoadError, Loaded, Options, RefusedLine};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::cli::{AddressFormat, SandboxArgs, SandboxCommand, SandboxLoadArgs};
use crate::error::{CommandError, Ending, Failure};
use crate::sandbox::faults;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::text::counted;

/// Serves the emulator until a signal comes, or does what the subcommand says.
pub(super) async fn run(session: &Session, arguments: &SandboxArgs) -> Result<ExitCode, CommandError> {
    match &arguments.command {
        Some(SandboxCommand::Load(arguments)) => return load_sandbox(session, arguments),
        Some(SandboxCommand::Reset(arguments)) => return reset::run(session, arguments).await,
        None => {}
    }
    let listener = TcpListener::bind(("127.0.0.1", arguments.port)).await.with_context(|| {
        format!("cannot listen on port {} of 127.0.0.1 (--port 0 chooses a free one)", arguments.port)
    })?;
    let address = listener.local_addr().map_err(|error| CommandError::Other(error.into()))?;
    let data_dir = data_dir(session, arguments);
    let options = Options {
        data_dir: data_dir.clone(),
        delays: Delays {
            create: arguments.create_delay.0,
            update: arguments.update_delay.0,
            delete: arguments.delete_delay.0,
            job: arguments.job_delay.0,
            ..Delays::default()
        },
        latency: Duration::from_millis(arguments.latency),
        rate_limits: arguments.rate_limits,
        account_id: arguments.account.clone(),
        faults: arguments.faults.as_deref().map(|json| faults("--faults", json)).transpose()?.unwrap_or_default(),
        policy: arguments.policy.as_deref().map(policy).transpose()?,
        external: arguments.external.iter().copied().collect(),
        cors: arguments.cors.clone(),
        ..Options::default()
    };
    let emulator = Emulator::open(options).map_err(|error| CommandError::Other(error.into()))?;
    if !load(session, &emulator, arguments.load_store.as_deref(), &arguments.load)?.iter().all(is_whole) {
        session.printer.warning("the lines that were refused are not in the sandbox");
    }
    match arguments.format {
        AddressFormat::Url => session.printer.data(&format!("http://{address}")),
        AddressFormat::Text => session.printer.data(&format!(
            "The sandbox listens on http://{address}. For any AWS client on this machine:\n\n  \
             export AWS_ENDPOINT_URL=http://{address} AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 \
             AWS_ACCESS_KEY_ID=sandbox AWS_SECRET_ACCESS_KEY=sandbox\n\n{}{}Ctrl-C stops it.",
            pages(&arguments.cors),
            kept(data_dir.as_deref())
        )),
    }
    let stop = session.stop.clone();
    let served = emulator
        .serve(listener, async move {
            stop.requested().await;
        })
        .await;
    served.map_err(|error| CommandError::Other(error.into()))?;
    Ok(ExitCode::Success)
}

/// Where the data is: next to a configuration it is that of `--sandbox`.
fn data_dir(session: &Session, arguments: &SandboxArgs) -> Option<PathBuf> {
    let own = || session.global.config.exists().then(|| session.sandbox_directory().join("aws"));
    if arguments.in_memory { None } else { arguments.data_dir.clone().or_else(own) }
}

fn kept(data_dir: Option<&Path>) -> String {
    data_dir.map(|directory| format!("Its data is kept in {}.\n\n", directory.display())).unwrap_or_default()
}

/// `hlctl sandbox load`
fn load_sandbox(session: &Session, arguments: &SandboxLoadArgs) -> Result<ExitCode, CommandError> {
    let own = session.sandbox_directory().join("aws");
    let directory = arguments.data_dir.as_ref().unwrap_or(&own);
    let options = Options { data_dir: Some(directory.clone()), ..Options::default() };
    let emulator = Emulator::open(options).map_err(|error| CommandError::Other(error.into()))?;
    let loaded = load(session, &emulator, arguments.store.as_deref(), &arguments.paths)?;
    if arguments.json {
        session.printer.json(&serde_json::json!({"loaded": loaded}));
    }
    if loaded.iter().all(is_whole) { Ok(ExitCode::Success) } else { Err(LinesRefused.into()) }
}

/// Loads files and folders, and tells what came of each.
fn load(
    session: &Session,
    emulator: &Emulator,
    store: Option<&str>,
    paths: &[PathBuf],
) -> Result<Vec<Loaded>, CommandError> {
    let mut all = Vec::new();
    for path in paths {
        let loaded = emulator.load_path(store, path).map_err(of_load)?;
        let Loaded { store, resources, refused, reasons } = &loaded;
        session.printer.say(&format!(
            "Loaded {} of {} into the store {store}; {} refused.",
            counted(*resources, "resource"),
            path.display(),
            counted(*refused, "line")
        ));
        for RefusedLine { file, line, reason } in reasons {
            let file = file.as_deref().unwrap_or(path).display();
            session.printer.insist(&format!("  {file}:{line}: {reason}"));
        }
        all.push(loaded);
    }
    Ok(all)
}

fn is_whole(loaded: &Loaded) -> bool {
    loaded.refused == 0
}

fn of_load(error: LoadError) -> CommandError {
    match error {
        LoadError::Create(_) | LoadError::Data(_) => CommandError::Other(error.into()),
        LoadError::SeveralStores(_) | LoadError::NoSuchStore(_) | LoadError::Read { .. } => NotLoaded(error).into(),
    }
}

/// Some lines were not loaded; each was reported.
#[derive(Debug, Error)]
#[error("not all lines are resources that the sandbox can hold")]
struct LinesRefused;

impl Failure for LinesRefused {
    fn ending(&self) -> Ending {
        Ending::Refused
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

/// What is to be loaded, or the store for it, is not there.
#[derive(Debug, Error)]
#[error("{}", with_cause(.0))]
struct NotLoaded(LoadError);

impl Failure for NotLoaded {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        let hint = match &self.0 {
            LoadError::SeveralStores(_) => "name one of them with --store (--load-store where the sandbox is served)",
            LoadError::NoSuchStore(_) => concat!("`", hlctl!("outputs --sandbox"), "` shows the stack's store"),
            LoadError::Read { .. } => "name a file of NDJSON, or a folder that has some whose names end in .ndjson",
            LoadError::Create(_) | LoadError::Data(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// An error and what it comes from.
fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

fn policy(path: &Path) -> Result<String, CommandError> {
    let text = std::fs::read_to_string(path);
    Ok(text.with_context(|| format!("the policy {} cannot be read", path.display()))?)
}

/// Which pages of other sites may use the FHIR interface, for who has let any.
fn pages(allowed: &[AllowedOrigin]) -> String {
    if allowed.is_empty() {
        return String::new();
    }
    let origins: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    format!("Pages of {} may use the FHIR interface in a browser.\n\n", origins.join(", "))
}
