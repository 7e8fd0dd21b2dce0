//! `hlctl drift`: what others have changed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use thiserror::Error;

use super::apply;
use crate::cli::{ApplyArgs, DriftArgs, TargetArgs};
use crate::drift::{DriftFinding, DriftReport, DriftResult, DriftVerdict, look, to_fix, trail};
use crate::error::{CommandError, Ending, Failure};
use crate::materials;
use crate::module::{self, Stack};
use crate::session::{Connection, OpenStack, Region, Session};
use crate::ui::drift_view;
use hlctl_engine::state::State;
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::graph::Graph;
use hlctl_resources::Settings;

/// Compares configuration, state and AWS. Changes nothing and takes no lock, unless it is to repair what it finds.
pub(super) async fn run(session: &Session, arguments: &DriftArgs) -> Result<ExitCode, CommandError> {
    if arguments.fix && !session.global.config.exists() {
        return Err(DriftError::NoConfig(session.global.config.clone()).into());
    }
    let stack = OpenStack::open(session, Region::OfEnvironment).await?;
    let found = session.interruptible(find(session, stack, arguments)).await?;
    let report = &found.looked.report;
    let text = drift_view::render(report, &found.connection.place(session.home()));
    if arguments.fix {
        session.printer.say(&text);
    } else if arguments.execution.json {
        session.printer.json(&drift_view::to_json(report));
    } else {
        session.printer.data(&text);
    }
    if arguments.fix && report.has_drift() {
        let addresses = to_fix(report, &found.graph, &found.looked.seen);
        return fix(session, arguments, &addresses, report).await;
    }
    conclude(report)
}

struct Found {
    connection: Connection,
    graph: Graph,
    looked: DriftResult,
}

async fn find(session: &Session, stack: OpenStack, arguments: &DriftArgs) -> Result<Found, CommandError> {
    let OpenStack { config, state, connection, mut cx } = stack;
    if let Some(config) = &config {
        cx.settings = Settings::of(config);
    }
    let stack = match &config {
        Some(config) => {
            let materials = materials::gather_to_look(config, session.home(), &state)?;
            module::build(config, &connection.identity, &state.stack, &materials)
        }
        None => Stack::new(),
    };
    let graph = graph_of(&stack, &state);
    let mut looked = look(&cx, &stack, &graph, &state).await?;
    if !arguments.no_trail {
        let looked_up = trail::look_up(&cx, &mut looked.report).await;
        looked_up.map_err(|error| CommandError::Other(error.into()))?;
    }
    Ok(Found { connection, graph, looked })
}

/// What needs what: as the configuration has it, or, where there is none, the state.
fn graph_of(stack: &Stack, state: &State) -> Graph {
    let mut graph = Graph::default();
    for (address, spec) in stack {
        graph.insert(address.clone(), spec.references().into_iter().map(|reference| reference.address));
    }
    if stack.is_empty() {
        for (address, entry) in &state.resources {
            graph.insert(address.clone(), entry.needs.iter().cloned());
        }
    }
    graph
}

/// An apply that is limited to what has drifted; it reads again, under the lock, and asks.
async fn fix(
    session: &Session,
    arguments: &DriftArgs,
    addresses: &BTreeSet<Address>,
    report: &DriftReport,
) -> Result<ExitCode, CommandError> {
    if addresses.is_empty() {
        session.printer.say("\nAn apply does not undo this: hlctl did not create it.");
        tell_left(session, &report.findings.iter().filter(|finding| finding.verdict.is_drift()).collect::<Vec<_>>());
        return conclude(report);
    }
    let scope = TargetArgs {
        target: addresses.iter().map(Address::to_string).collect(),
        exactly: true,
        ..TargetArgs::default()
    };
    let applied = apply::run(session, &ApplyArgs { plan: None, scope, execution: arguments.execution.clone() }).await?;
    let is_left = |address: &Address| !addresses.contains(address);
    let left: Vec<&DriftFinding> = report
        .findings
        .iter()
        .filter(|finding| finding.verdict.is_drift())
        .filter(|finding| is_left(&finding.address) || !finding.foreign.is_empty())
        .collect();
    if left.is_empty() {
        return Ok(applied);
    }
    tell_left(session, &left);
    Ok(ExitCode::Changes)
}

/// What an apply does not change back, and how to remove it.
fn tell_left(session: &Session, left: &[&DriftFinding]) {
    let mut lines = vec!["\nLeft unchanged, since hlctl did not create it:".to_owned()];
    for finding in left {
        for (what, removal) in finding.foreign.iter().zip(&finding.removals) {
            lines.push(format!("  {}: {what}", finding.address));
            lines.extend(removal.as_ref().map(|command| format!("    to remove it: {command}")));
        }
        if finding.foreign.is_empty() {
            lines.push(format!(
                "  {}: {}",
                finding.address,
                finding.reason.as_deref().unwrap_or("it belongs to others")
            ));
        }
        lines.extend(finding.hint.as_ref().map(|hint| format!("    next: {hint}")));
    }
    session.printer.say(&lines.join("\n"));
}

/// Drift shows in the exit code; what could not be read is an error, since there may be drift in it.
fn conclude(report: &DriftReport) -> Result<ExitCode, CommandError> {
    let unreadable: Vec<&str> = report.with(DriftVerdict::Unreadable).map(|finding| finding.address.as_str()).collect();
    match (report.has_drift(), unreadable.as_slice()) {
        (true, _) => Ok(ExitCode::Changes),
        (false, []) => Ok(ExitCode::Success),
        (false, unreadable) => {
            Err(DriftError::Unknown(unreadable.iter().map(|address| (*address).to_owned()).collect()).into())
        }
    }
}

/// Drift is not undone, or not known.
#[derive(Debug, Error)]
enum DriftError {
    /// Only a configuration says what drift is changed back to.
    #[error("there is no configuration {}", .0.display())]
    NoConfig(PathBuf),
    #[error("whether there is drift is not known: {} could not be read", .0.join(", "))]
    Unknown(Vec<String>),
}

impl Failure for DriftError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoConfig(_) => Ending::Usage,
            Self::Unknown(_) => Ending::Failed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoConfig(_) => Some(
                concat!(
                    "without a configuration, `",
                    hlctl!("drift"),
                    "` compares the state with AWS, and changes nothing"
                )
                .to_owned(),
            ),
            Self::Unknown(_) => None,
        }
    }
}
