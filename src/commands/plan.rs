//! `hlctl plan`

use std::collections::BTreeSet;
use std::path::Path;

use super::{confirm, interruptible};
use crate::address::Address;
use crate::cli::{DEFAULT_CONFIG, PlanArgs, Scope};
use crate::config::Config;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::plan::file::PlanFile;
use crate::plan::{Options, refresh_only};
use crate::resource::{Identity, STACK_TAG};
use crate::session::{Connection, Prepared, Session, Wishes, prepare, settings_of};
use crate::state::State;
use crate::ui::{json, plan_view};

/// Shows what apply would do, and changes nothing anywhere.
pub(super) async fn run(session: &Session, arguments: &PlanArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    let store = session.store();
    let state = store.read()?;
    let is_new = state.is_none();
    let options = Options { destroy: arguments.destroy, ..options(&arguments.scope) };
    let (connection, mut prepared) = interruptible(&session.stop, async {
        let connection = session.connect(Wishes::of(&config)).await?;
        let state = state.unwrap_or_else(|| fresh(session, &config, &connection.identity));
        let prepared = prepare(&connection, session, Some(&config), state, &options, settings_of(&config)).await?;
        Ok((connection, prepared))
    })
    .await?;
    if arguments.scope.refresh_only {
        prepared.plan = refresh_only(&prepared.plan, &prepared.state);
    }
    if is_new && arguments.out.is_none() {
        // The first apply, and nobody before it, chooses the stack's name.
        prepared.plan.hide(STACK_TAG);
    }
    show(session, &prepared, &connection, arguments.json);
    if let Some(path) = &arguments.out {
        PlanFile::of(&prepared, &store, config, options, is_new, arguments.scope.refresh_only).write(path)?;
        let config = &session.global.config;
        let config =
            if config == Path::new(DEFAULT_CONFIG) { String::new() } else { format!("-c {} ", config.display()) };
        session.printer.say(&format!(
            "\nThe plan is in {}; `hlctl apply {config}{}` does exactly that.",
            path.display(),
            path.display()
        ));
    }
    confirm::check(&prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if !unnamed.is_empty() && !arguments.destroy {
        return Err(confirm::protected(&unnamed));
    }
    let changes = prepared.plan.has_changes();
    Ok(if changes && arguments.detailed_exitcode { ExitCode::Changes } else { ExitCode::Success })
}

/// The state of a stack that does not exist yet.
pub(super) fn fresh(session: &Session, config: &Config, identity: &Identity) -> State {
    State::new(&config.datastore_name, session.home(), identity.clone(), settings_of(config))
}

/// What the flags ask for.
pub(super) fn options(scope: &Scope) -> Options {
    let addresses = |texts: &[String]| texts.iter().map(Address::parse).collect::<BTreeSet<_>>();
    Options {
        targets: addresses(&scope.target),
        replace: addresses(&scope.replace),
        allow_destroy: scope.allow_destroy.iter().cloned().collect(),
        destroy: false,
    }
}

/// Prints the plan to stdout.
pub(super) fn show(session: &Session, prepared: &Prepared, connection: &Connection, as_json: bool) {
    if as_json {
        session.printer.data(&format!("{:#}", json::plan(&prepared.plan)));
    } else {
        session.printer.data(&plan_view::render(&prepared.plan, &connection.place(session.home())));
    }
}
