//! Several configurations in one run: one after the other on the page, all at once in AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use thiserror::Error;
use tokio::task::{JoinSet, LocalSet};
use tracing::Instrument as _;

use super::{apply, audit, confirm, destroy, doctor, drift, outputs, plan, report, status, validate, wait};
use crate::cli::Command;
use crate::error::{CommandError, Ending, Failure};
use crate::session::{Fleet, Session};
use crate::ui::json;
use hlctl_config::Config;
use hlctl_model::exit_code::ExitCode;

/// The configurations that `-c` names; a folder stands for every `.toml` in it.
pub(super) fn configs(named: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut configs = Vec::new();
    for path in named {
        if !path.is_dir() {
            configs.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml") && path.is_file())
            .collect();
        found.sort();
        if found.is_empty() {
            return Err(FleetUsage::NoConfigs(path.clone()).into());
        }
        configs.extend(found);
    }
    let mut seen: Vec<&PathBuf> = Vec::new();
    for config in &configs {
        if seen.contains(&config) {
            return Err(FleetUsage::NamedTwice(config.clone()).into());
        }
        seen.push(config);
    }
    Ok(configs)
}

/// Runs the command for each of the configurations.
pub(super) async fn run(session: &Session, configs: Vec<PathBuf>, command: Command) -> Result<ExitCode, CommandError> {
    check_command(session, &command)?;
    if command.changes() {
        check_configs(session, &configs)?;
    }
    check_names(session, &configs)?;
    let fleet = Arc::new(Fleet::default());
    let command = Arc::new(command);
    let as_json = command.prints_json();
    let sessions: Vec<Session> = configs.iter().map(|config| of_stack(session, config, &fleet)).collect();
    let ended = LocalSet::new().run_until(each(session, &fleet, sessions.clone(), Arc::clone(&command))).await?;
    if as_json {
        let stacks = sessions.iter().zip(&ended).map(|(stack, ended)| document(stack, ended)).collect();
        session.printer.json(&json::Stacks::of(stacks));
    } else {
        for stack in &sessions {
            let data = stack.printer.taken();
            if !data.trim().is_empty() {
                session.printer.data(&format!("# {}\n\n{}\n", stack.global.config.display(), data.trim_end()));
            }
        }
    }
    session.printer.say(&summary(&sessions, &ended));
    let codes: Vec<ExitCode> = ended.iter().map(Ended::code).collect();
    // By now the stacks may have been changed: this is no reason to call the run a mistake.
    for name in fleet.unknown_names(sessions.len()) {
        session.printer.warning(&format!("--allow-destroy {name}: nothing in any of these stacks is called that"));
    }
    Ok(together(&codes, matches!(*command, Command::Apply(_) | Command::Destroy(_) | Command::Wait(_))))
}

/// How a stack's run ended.
struct Ended(Result<ExitCode, CommandError>);

impl Ended {
    fn code(&self) -> ExitCode {
        self.0.as_ref().map_or_else(CommandError::exit_code, |code| *code)
    }
}

fn of_stack(session: &Session, config: &Path, fleet: &Arc<Fleet>) -> Session {
    let label = config.file_stem().unwrap_or(config.as_os_str()).to_string_lossy();
    let mut stack = session.clone();
    stack.global.config = config.to_owned();
    stack.printer = session.printer.of_stack(&label, config);
    stack.fleet = Some(Arc::clone(fleet));
    stack
}

/// All of them at once. When every one has ended or waits for the user's word, the user is asked, once.
async fn each(
    session: &Session,
    fleet: &Fleet,
    sessions: Vec<Session>,
    command: Arc<Command>,
) -> Result<Vec<Ended>, CommandError> {
    let count = sessions.len();
    let mut running = JoinSet::new();
    for (place, stack) in sessions.into_iter().enumerate() {
        let command = Arc::clone(&command);
        let span = tracing::info_span!("stack", config = %stack.global.config.display());
        let run = async move {
            let result = one(&stack, &command).await;
            if let Err(error) = &result {
                report(stack.printer, error);
            }
            (place, Ended(result))
        };
        running.spawn_local(run.instrument(span));
    }
    let mut asking = fleet.asking();
    let mut ended: BTreeMap<usize, Ended> = BTreeMap::new();
    let mut asked = false;
    while ended.len() < count {
        tokio::select! {
            Some(joined) = running.join_next() => {
                let (place, result) = joined?;
                ended.insert(place, result);
            }
            Ok(()) = asking.changed() => {}
        }
        let waiting = *asking.borrow_and_update();
        if !asked && waiting > 0 && waiting + ended.len() == count {
            asked = true;
            let question = format!("\nMake these changes in {waiting} stacks?");
            let word = confirm::approve(session, false, &question).await;
            if let Err(error) = &word {
                report(session.printer, error);
            }
            fleet.say(word.is_ok());
        }
    }
    Ok(ended.into_values().collect())
}

async fn one(stack: &Session, command: &Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Validate(arguments) => validate::run(stack, arguments),
        Command::Plan(arguments) => plan::run(stack, arguments).await,
        Command::Apply(arguments) => apply::run(stack, arguments).await,
        Command::Destroy(arguments) => destroy::run(stack, arguments).await,
        Command::Wait(arguments) => wait::run(stack, arguments).await,
        Command::Status(arguments) => status::run(stack, arguments).await,
        Command::Outputs(arguments) => outputs::run(stack, arguments).await,
        Command::Drift(arguments) => drift::run(stack, arguments).await,
        Command::Audit(arguments) => audit::run(stack, arguments).await,
        Command::Doctor(arguments) => doctor::run(stack, arguments).await,
        _ => Err(FleetUsage::OneAtATime.into()),
    }
}

/// A command line that several stacks cannot be worked on by.
#[derive(Debug, Error)]
enum FleetUsage {
    #[error("{} holds no .toml file", .0.display())]
    NoConfigs(PathBuf),
    #[error("{} is named twice", .0.display())]
    NamedTwice(PathBuf),
    #[error("this command is for one configuration")]
    OneAtATime,
    #[error("a file holds the plan of one stack")]
    PlanFile,
    #[error("a saved plan is for one stack")]
    SavedPlan,
    #[error("--events is for one stack")]
    Events,
    #[error("a SARIF log is of one stack")]
    Sarif,
    #[error("--state names one state, but there are several stacks")]
    State,
}

impl Failure for FleetUsage {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoConfigs(_) => "name a configuration, or a folder of them",
            Self::NamedTwice(_) => "name each configuration once",
            Self::OneAtATime => {
                "validate, doctor, plan, apply, destroy, wait, status, outputs, drift and audit take several"
            }
            Self::PlanFile => "plan them one by one, or leave out --out",
            Self::SavedPlan => "name only its configuration",
            Self::Events => "run them one by one, or use --json",
            Self::Sarif => "audit them one by one, or use --json",
            Self::State => "leave it out",
        };
        Some(hint.to_owned())
    }
}

fn check_command(session: &Session, command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Plan(arguments) if arguments.out.is_some() => Err(FleetUsage::PlanFile.into()),
        Command::Apply(arguments) if arguments.plan.is_some() => Err(FleetUsage::SavedPlan.into()),
        Command::Apply(arguments) if arguments.execution.events.is_some() => Err(FleetUsage::Events.into()),
        Command::Destroy(arguments) if arguments.execution.events.is_some() => Err(FleetUsage::Events.into()),
        Command::Drift(arguments) if arguments.execution.events.is_some() => Err(FleetUsage::Events.into()),
        Command::Audit(arguments) if arguments.sarif => Err(FleetUsage::Sarif.into()),
        Command::Validate(_)
        | Command::Plan(_)
        | Command::Apply(_)
        | Command::Destroy(_)
        | Command::Wait(_)
        | Command::Status(_)
        | Command::Outputs(_)
        | Command::Drift(_)
        | Command::Audit(_)
        | Command::Doctor(_) => {
            if session.global.state.is_some() {
                return Err(FleetUsage::State.into());
            }
            Ok(())
        }
        _ => Err(FleetUsage::OneAtATime.into()),
    }
}

/// What changes anything begins only when every configuration can be used. One that is not there may be destroyed all the same.
fn check_configs(session: &Session, configs: &[PathBuf]) -> Result<(), CommandError> {
    let mut broken = Vec::new();
    for path in configs.iter().filter(|path| path.exists()) {
        let mut stack = session.clone();
        stack.global.config.clone_from(path);
        let problems = match stack.sources() {
            Ok(sources) => hlctl_config::examine(&sources).problems,
            Err(problems) => problems,
        };
        if problems.has_errors() {
            report(session.printer, &CommandError::Config(problems));
            broken.push(path.clone());
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(FleetRefusal::Broken(broken).into()) }
}

/// Names that two stacks of one account cannot share; each would find the other's out only when it is too late.
fn check_names(session: &Session, configs: &[PathBuf]) -> Result<(), CommandError> {
    let mut taken: BTreeMap<(String, String), &Path> = BTreeMap::new();
    let mut clashes = Vec::new();
    for path in configs {
        let mut stack = session.clone();
        stack.global.config.clone_from(path);
        let Ok(sources) = stack.sources() else { continue };
        // What is wrong with one is reported by its own run.
        let Some(config) = hlctl_config::examine(&sources).config else { continue };
        for (what, name) in names(&config) {
            let scope = format!("{what} {name} {:?}", config.profile);
            if let Some(other) = taken.insert((scope, name.clone()), path) {
                clashes.push(Clash { one: other.to_owned(), other: path.clone(), what, name });
            }
        }
    }
    if clashes.is_empty() { Ok(()) } else { Err(FleetRefusal::Clashes(clashes).into()) }
}

/// What keeps all stacks from being worked on.
#[derive(Debug, Error)]
enum FleetRefusal {
    /// Configurations with errors, which were reported one by one.
    #[error("{}", .0.iter()
        .map(|path| format!("{} has errors, so nothing was started in any of the stacks", path.display()))
        .collect::<Vec<_>>().join("\n"))]
    Broken(Vec<PathBuf>),
    #[error("{}\ngive each stack its own names", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Clashes(Vec<Clash>),
}

/// Two configurations with one name.
#[derive(Debug, Error)]
#[error("{} and {} both use the {what} {name}", one.display(), other.display())]
struct Clash {
    one: PathBuf,
    other: PathBuf,
    what: &'static str,
    name: String,
}

impl Failure for FleetRefusal {
    fn ending(&self) -> Ending {
        Ending::Refused
    }

    fn hint(&self) -> Option<String> {
        None
    }
}

fn names(config: &Config) -> Vec<(&'static str, String)> {
    let mut names = vec![
        ("bucket", config.data_bucket_name.clone()),
        ("bucket", config.logs_bucket_name.clone()),
        ("role", config.healthlake_role_name.to_lowercase()),
        ("policy", config.healthlake_policy_name.to_lowercase()),
    ];
    if config.smart_on_fhir {
        let smart = &config.smart;
        names.extend([
            ("Cognito domain", smart.domain.clone()),
            ("function", smart.function_name.clone()),
            ("role", smart.lambda_role_name.to_lowercase()),
            ("role", smart.service_role_name.to_lowercase()),
            ("policy", smart.service_policy_name.to_lowercase()),
        ]);
    }
    if let Some(backend) = &config.backend {
        names.push(("state", format!("s3://{}/{}", backend.bucket, backend.key)));
    }
    names
}

fn document(stack: &Session, ended: &Ended) -> json::StackEnd {
    json::StackEnd {
        config: stack.global.config.display().to_string(),
        exit_code: ended.code() as u8,
        result: serde_json::from_str(&stack.printer.taken()).ok(),
        error: ended.0.as_ref().err().map(json::error),
    }
}

fn summary(sessions: &[Session], ended: &[Ended]) -> String {
    let good = ended.iter().filter(|ended| matches!(ended.0, Ok(ExitCode::Success | ExitCode::Changes))).count();
    let mut lines = vec![format!("\n{good} of {} stacks succeeded.", ended.len())];
    for (stack, ended) in sessions.iter().zip(ended) {
        let reported = match &ended.0 {
            Ok(ExitCode::Success) => continue,
            Ok(code) => format!("exit code {}", *code as u8),
            Err(error) => {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                format!("exit code {}: {first}", error.exit_code() as u8)
            }
        };
        lines.push(format!("  {}: {reported}", stack.global.config.display()));
    }
    lines.join("\n")
}

/// One code for all. Where AWS was to be changed and only some of it was, the whole is unfinished.
fn together(codes: &[ExitCode], changes_aws: bool) -> ExitCode {
    let bad: Vec<ExitCode> =
        codes.iter().copied().filter(|code| !matches!(code, ExitCode::Success | ExitCode::Changes)).collect();
    match bad.as_slice() {
        [] if codes.contains(&ExitCode::Changes) => ExitCode::Changes,
        [] => ExitCode::Success,
        [first, rest @ ..] if rest.iter().all(|code| code == first) && (bad.len() == codes.len() || !changes_aws) => {
            *first
        }
        _ if changes_aws => ExitCode::Incomplete,
        _ => ExitCode::Failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_code_stands_for_all() {
        use ExitCode::{Changes, Failure, Incomplete, Locked, Success};
        for (codes, changes_aws, one) in [
            (&[Success, Success][..], true, Success),
            (&[Success, Changes], false, Changes),
            (&[Locked, Locked], true, Locked),
            (&[Success, Locked], true, Incomplete),
            (&[Changes, Locked], false, Locked),
            (&[Failure, Locked, Changes], false, Failure),
        ] {
            assert_eq!(together(codes, changes_aws), one, "{codes:?}");
        }
    }
}
