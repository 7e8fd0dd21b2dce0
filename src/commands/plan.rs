//! `hlctl plan`

use std::collections::BTreeSet;

use thiserror::Error;

use super::{confirm, doctor};
use crate::cli::{PlanArgs, PlanFormat, TargetArgs};
use crate::costs::Prices;
use crate::doctor::Finding;
use crate::error::{CommandError, Ending, Failure};
use crate::plan::file::PlanFile;
use crate::plan::{Options, refresh_only};
use crate::session::{ConnectOptions, Connection, Prepared, Session, prepare};
use crate::ui::{json, plan_markdown, plan_view};
use hlctl_model::address::Address;
use hlctl_model::exit_code::ExitCode;
use hlctl_resources::{STACK_TAG, Settings};

/// Shows what apply would do, and changes nothing anywhere.
pub(super) async fn run(session: &Session, arguments: &PlanArgs) -> Result<ExitCode, CommandError> {
    // A destroy works from the state alone where the configuration is gone.
    let mut config = if arguments.destroy { session.config_if_any()? } else { Some(session.config()?) };
    // A plan in a file carries it along in the configuration.
    if let Some((config, force)) = config.as_mut().zip(arguments.force_destroy) {
        config.force_destroy = force;
    }
    let store = session.store(config.as_ref()).await?;
    let state = session.read_unlocked(&store).await?;
    let is_new = state.is_none();
    let missing = || session.nothing_to_destroy(&store);
    let options = Options { destroy: arguments.destroy, ..options(&arguments.scope) };
    let connect = match (&config, &state) {
        // Without a destroy the configuration alone says where, so that a state of another region is refused.
        (Some(config), _) => ConnectOptions::from_config(config),
        (None, Some(state)) => ConnectOptions::from_config_or_state(None, &session.global, state),
        (None, None) => return Err(missing()),
    };
    let connection = session.connect(connect).await?;
    let state = match (state, &config) {
        (Some(state), _) => state,
        (None, Some(config)) => session.new_state(config, &connection.identity),
        (None, None) => return Err(missing()),
    };
    let mut settings = config.as_ref().map_or_else(|| state.settings.clone(), Settings::of);
    settings.force_destroy = arguments.force_destroy.unwrap_or(settings.force_destroy);
    let mut prepared = prepare(&connection, session, config.as_ref(), state, &options, settings).await?;
    if arguments.scope.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    if is_new && arguments.out.is_none() {
        // The first apply, and nobody before it, chooses the stack's name.
        prepared.plan.hide(STACK_TAG);
    }
    show(session, &prepared, &connection, arguments);
    let passing = session.interruptible(async { Ok(doctor::in_passing(&connection, &prepared).await) });
    warn(session, &passing.await?);
    confirm::check(session, &prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() && (arguments.out.is_some() || !arguments.destroy) {
        return Err(confirm::protected(&unnamed));
    }
    if !unnamed.is_empty() {
        session.printer.say(concat!(
            "\n`",
            hlctl!("destroy"),
            "` asks for the names of what is protected, or takes them with --allow-destroy."
        ));
    }
    if let Some(path) = &arguments.out {
        session.refuse_own_file(path)?;
        let config = config.ok_or(NoConfigToSave)?;
        PlanFile::of(&prepared.plan, &prepared.state, &store, config, options, is_new, arguments.scope.refresh_only)
            .write(path)?;
        let apply = hlctl!("apply", path.display());
        session
            .printer
            .say(&format!("\nThe plan is saved in {}; `{apply}` applies exactly this plan.", path.display()));
    }
    let changes = prepared.plan.has_changes();
    Ok(if changes && arguments.detailed_exitcode { ExitCode::Changes } else { ExitCode::Success })
}

/// What may go wrong later, in words.
fn warn(session: &Session, findings: &[Finding]) {
    findings.iter().for_each(|finding| session.printer.say(&doctor::text(finding)));
}

/// What the flags ask for.
pub(super) fn options(scope: &TargetArgs) -> Options {
    let addresses = |texts: &[String]| texts.iter().map(Address::parse).collect::<BTreeSet<_>>();
    Options {
        targets: addresses(&scope.target),
        replace: addresses(&scope.replace),
        allow_destroy: scope.allow_destroy.iter().cloned().collect(),
        destroy: false,
        exactly: scope.exactly,
        give_up: BTreeSet::new(),
        ignore_jobs: false,
        exports_first: false,
    }
}

/// Prints the plan to stdout.
fn show(session: &Session, prepared: &Prepared, connection: &Connection, arguments: &PlanArgs) {
    let (plan, place) = (&prepared.plan, connection.place(session.home()));
    let prices = Prices::of_stack(&prepared.state);
    match arguments.format {
        _ if arguments.json => session.printer.json(&json::plan(plan, session.global.environment(), prices)),
        PlanFormat::Text => session.printer.data(&plan_view::render(plan, &place, prices)),
        PlanFormat::Markdown => {
            let rendered = |text: &str| session.printer.rendered(text).into_owned();
            session.printer.data(&plan_markdown::render(plan, &place, prices, &rendered));
        }
    }
}

/// There is no configuration to save in a plan.
#[derive(Debug, Error)]
#[error("a saved plan contains the configuration, and there is none")]
struct NoConfigToSave;

impl Failure for NoConfigToSave {
    fn ending(&self) -> Ending {
        Ending::Usage
    }

    fn hint(&self) -> Option<String> {
        Some(concat!("leave out --out; `", hlctl!("destroy"), "` needs only the state").to_owned())
    }
}
