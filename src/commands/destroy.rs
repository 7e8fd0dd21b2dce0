//! `hlctl destroy`: from the state; the configuration only adds its settings.

use std::collections::BTreeSet;
use std::time::Instant;

use super::apply::{begin, show, walk};
use super::{confirm, interruptible, summary};
use crate::address::Address;
use crate::cli::DestroyArgs;
use crate::error::CommandError;
use crate::exit_code::ExitCode;
use crate::plan::Options;
use crate::session::{Session, Wishes, prepare, settings_of};
use crate::state::StateError;
use crate::ui::json;

/// Destroys everything that the state holds.
pub(super) async fn run(session: &Session, arguments: &DestroyArgs) -> Result<ExitCode, CommandError> {
    let config = session.config_if_any()?;
    let store = session.store();
    let manner = &arguments.manner;
    // Reading first keeps a mistaken directory from getting a lock file and a sandbox.
    store.read()?.ok_or_else(|| StateError::Missing { path: store.path().to_owned() })?;
    let lock = begin(session, &store, "hlctl destroy", manner).await?;
    let state = store.read()?.ok_or_else(|| StateError::Missing { path: store.path().to_owned() })?;
    let mut settings = config.as_ref().map_or_else(|| state.settings.clone(), settings_of);
    settings.force_destroy |= arguments.force_destroy;
    let mut options = Options {
        targets: arguments.target.iter().map(Address::parse).collect::<BTreeSet<_>>(),
        allow_destroy: arguments.allow_destroy.iter().cloned().collect(),
        destroy: true,
        ..Options::default()
    };
    let wishes = Wishes::around(config.as_ref(), &session.global, &state);
    let connection = interruptible(&session.stop, session.connect(wishes)).await?;
    let preparing = prepare(&connection, session, config.as_ref(), state, &options, settings);
    let mut prepared = interruptible(&session.stop, preparing).await?;
    if !prepared.plan.has_work() {
        session.printer.say("Nothing to destroy: the state holds no resources.");
        return Ok(ExitCode::Success);
    }
    show(session, &prepared, &connection, manner);
    confirm::check(&prepared.plan)?;
    let unnamed = confirm::unnamed(&prepared.plan);
    if unnamed.is_empty() {
        confirm::approve(session, manner.auto_approve, "\nDestroy all this?").await?;
    } else if manner.auto_approve || !session.printer.can_ask() {
        return Err(confirm::protected(&unnamed));
    } else {
        options.allow_destroy.extend(confirm::ask_for_names(session, &unnamed).await?);
        prepared.decide_again(&connection, &options)?;
        confirm::check(&prepared.plan)?;
    }
    let begun = Instant::now();
    let report = walk(session, &store, lock, &prepared, manner, Some("hlctl destroy")).await?;
    if manner.json {
        session.printer.data(&format!("{:#}", json::report(&report)));
    }
    summary::conclude(session, &report, "The destroy", "hlctl destroy")?;
    session.printer.say(&format!("\n{}", summary::done(&report, "Destroy", begun.elapsed())));
    Ok(ExitCode::Success)
}
