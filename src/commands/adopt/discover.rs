//! `hlctl adopt --discover`

use super::super::confirm;
use super::error::{AdoptError, OtherStack};
use super::report::{Adopted, Report};
use super::{refuse_state, write};
use crate::adopt::{Discovery, DiscoveryInput, discover, record};
use crate::cli::AdoptArgs;
use crate::error::CommandError;
use crate::materials;
use crate::module;
use crate::plan::Options;
use crate::session::{ConnectOptions, HeldElsewhere, Session, prepare};
use hlctl_config::Config;
use hlctl_model::exit_code::ExitCode;
use hlctl_model::invocation::CommandLine;
use hlctl_resources::Settings;

/// Rebuilds a lost state from what AWS holds.
pub(super) async fn run(session: &Session, arguments: &AdoptArgs) -> Result<ExitCode, CommandError> {
    let config = session.config()?;
    session.interruptible(refuse_state(session, arguments)).await?;
    let place = session.store(Some(&config)).await?.place();
    let connection = session.connect(ConnectOptions::from_config(&config)).await?;
    let mut state = session.new_state(&config, &connection.identity);
    let materials = materials::gather_to_look(&config, session.home(), &state)?;
    let cx = connection.context(&state, Settings::of(&config), session.pace(Some(&config)), session.stop.clone());
    let wanted = DiscoveryInput { config: &config, materials: &materials, stack: arguments.stack.as_deref() };
    let mut found = session.interruptible(async { Ok(discover(&cx, wanted).await?) }).await?;
    refuse_ambiguous(&found)?;
    refuse_anothers(session, &config, arguments, &found)?;
    if arguments.by_name && !found.candidates.is_empty() {
        take_by_name(session, arguments, &mut found).await?;
    }
    if found.owned.is_empty() {
        return Err(nothing(&found));
    }
    if let Some(stack) = &found.stack {
        state.stack.clone_from(stack);
    }
    let left = left(&found);
    let adopted = found.owned.iter().map(|(address, found)| Adopted::of(address, found, None)).collect();
    let stack = module::build(&config, &connection.identity, &state.stack, &materials);
    record::enter(&mut state, &stack, found.owned, &|address| module::is_protected(&config.protect, address));
    let prepared =
        prepare(&connection, session, Some(&config), state.clone(), &Options::default(), Settings::of(&config)).await?;
    if !arguments.dry_run {
        write(session, arguments, state.clone()).await?;
    }
    let report = Report {
        adopted,
        left,
        place: connection.place(session.home()),
        dry_run: arguments.dry_run,
        ..Report::new(&prepared.plan, &state.stack)
    };
    report.tell(session, &place, arguments.json);
    Ok(ExitCode::Success)
}

/// Refuses a stack whose data is not the configuration's, unless the user wants it all the same, and one that another state
/// holds: two states of one stack would each undo what the other does.
fn refuse_anothers(
    session: &Session,
    config: &Config,
    arguments: &AdoptArgs,
    found: &Discovery,
) -> Result<(), CommandError> {
    let Some(stack) = &found.stack else { return Ok(()) };
    let held = session.state_of(stack);
    if !arguments.take_over && !found.holds_data_of(config) {
        return Err(of_another(config, arguments, found, stack, held.as_ref()));
    }
    let Some(held) = held else { return Ok(()) };
    let options = held.options();
    Err(AdoptError::HeldElsewhere { path: held.path, stack: stack.clone(), options }.into())
}

fn of_another(
    config: &Config,
    arguments: &AdoptArgs,
    found: &Discovery,
    stack: &str,
    held: Option<&HeldElsewhere>,
) -> CommandError {
    let mut take_over = CommandLine::new("adopt --discover --take-over");
    if let Some(stack) = &arguments.stack {
        take_over = take_over.option("--stack", stack);
    }
    if arguments.by_name {
        take_over = take_over.flag("--by-name");
    }
    AdoptError::OtherStack(OtherStack {
        stack: stack.to_owned(),
        stores: found.stores(),
        shared: found.shared.clone(),
        datastore_name: config.datastore_name.clone(),
        held: held.map(|held| (held.path.clone(), held.options())),
        take_over,
    })
    .into()
}

async fn take_by_name(session: &Session, arguments: &AdoptArgs, found: &mut Discovery) -> Result<(), CommandError> {
    let lines: Vec<String> =
        found.candidates.iter().map(|(address, found)| format!("  {address}  {}", found.id())).collect();
    session.printer.say(&format!("These have the config's names but no tags of hlctl:\n\n{}", lines.join("\n")));
    let question = "\nAdopt them? The next apply changes them to match the config.";
    confirm::approve(session, arguments.auto_approve || arguments.dry_run, question).await?;
    found.owned.append(&mut found.candidates);
    Ok(())
}

fn refuse_ambiguous(found: &Discovery) -> Result<(), CommandError> {
    if found.ambiguous.is_empty() {
        return Ok(());
    }
    Err(AdoptError::Ambiguous(found.ambiguous.clone().into_iter().collect()).into())
}

fn nothing(found: &Discovery) -> CommandError {
    AdoptError::NothingFound { left: left(found), has_candidates: !found.candidates.is_empty() }.into()
}

/// What was seen and is not taken, in words.
fn left(found: &Discovery) -> Vec<String> {
    let candidates = found.candidates.iter().map(|(address, found)| {
        format!("{address}  {}: has the config's name but no tags; --by-name adopts it", found.id())
    });
    let of_others = found
        .of_others
        .iter()
        .map(|(address, name, owner)| format!("{address}  {name}: belongs to another hlctl stack, {owner}"));
    let out_of_reach = found.out_of_reach.iter().map(|(address, error)| format!("{address}: {error}"));
    candidates.chain(of_others).chain(out_of_reach).collect()
}
